import Primitives

/// What a lender asks of every loan of a listing: that no later lender of the same startup gets better terms. Part of the
/// listing from its first day.
package struct ListingFavour: Sendable, Hashable {
  package let listingID: ListingID
  package let lenderID: OrganizationID
  package let clause: MostFavouredNation

  package init(listingID: ListingID, lenderID: OrganizationID, clause: MostFavouredNation) {
    self.listingID = listingID
    self.lenderID = lenderID
    self.clause = clause
  }
}

/// The terms of a loan against those of later loans of the same startup, on a day: what was compared, and what is lifted by
/// it. Whoever has its bytes can compare again and see the same.
///
/// Bytes, in the sense of `CanonicalBytes`: the version, loan, lender, extent, last day of the promise, trade day, day of
/// the comparison, what is left out; the loan's terms; each later loan by id, with its trade day and terms; the lifts. The
/// digest is SHA-256 over them.
package struct FavourComparison: Sendable, Hashable {
  package let loanID: LoanID
  package let lenderID: OrganizationID
  package let clause: MostFavouredNation
  package let tradedOn: CalendarDate
  package let comparedOn: CalendarDate
  /// Terms that no lift can reach; they count as the same in all loans.
  package let leftOut: [MostFavouredNation.Term]
  /// As they are on the day.
  package let own: FavourableTerms
  /// By id.
  package let later: [MostFavouredNation.LaterLoan]
  package let lifts: [MostFavouredNation.Lift]

  private static let version = "most-favoured-1"

  /// - Parameter later: as they were traded.
  package init(
    loanID: LoanID, lenderID: OrganizationID, clause: MostFavouredNation, tradedOn: CalendarDate,
    comparedOn: CalendarDate, leftOut: Set<MostFavouredNation.Term>, own: FavourableTerms,
    later: [MostFavouredNation.LaterLoan]
  ) {
    self.loanID = loanID
    self.lenderID = lenderID
    self.clause = clause
    self.tradedOn = tradedOn
    self.comparedOn = comparedOn
    self.leftOut = MostFavouredNation.Term.allCases.filter { leftOut.contains($0) }
    self.own = own
    self.later = later.sorted { $0.loanID < $1.loanID }
    self.lifts = Self.lifts(clause, self.leftOut, own, tradedOn, self.later)
  }

  private init(
    _ loanID: LoanID, _ lenderID: OrganizationID, _ clause: MostFavouredNation, _ tradedOn: CalendarDate,
    _ comparedOn: CalendarDate, _ leftOut: [MostFavouredNation.Term], _ own: FavourableTerms,
    _ later: [MostFavouredNation.LaterLoan], _ lifts: [MostFavouredNation.Lift]
  ) {
    self.loanID = loanID
    self.lenderID = lenderID
    self.clause = clause
    self.tradedOn = tradedOn
    self.comparedOn = comparedOn
    self.leftOut = leftOut
    self.own = own
    self.later = later
    self.lifts = lifts
  }

  private static func lifts(
    _ clause: MostFavouredNation, _ leftOut: [MostFavouredNation.Term], _ own: FavourableTerms,
    _ tradedOn: CalendarDate, _ later: [MostFavouredNation.LaterLoan]
  ) -> [MostFavouredNation.Lift] {
    let level = later.map { loan in
      var terms = loan.terms
      for term in leftOut { terms.take(term, from: own) }
      return MostFavouredNation.LaterLoan(loanID: loan.loanID, tradedOn: loan.tradedOn, terms: terms)
    }
    return clause.lifted(own, tradedOn: tradedOn, by: level).lifts
  }

  /// Whether comparing again gives what is recorded.
  package var isReproduced: Bool {
    Self.lifts(clause, leftOut, own, tradedOn, later) == lifts
  }

  /// What a term is lifted to; nil where it is not.
  package func lifted(_ term: MostFavouredNation.Term) -> Int64? { lifts.first { $0.term == term }?.to }

  /// The trade day of the later loan that lifts a term.
  package func tradeDay(of lift: MostFavouredNation.Lift) -> CalendarDate? {
    later.first { $0.loanID == lift.because }?.tradedOn
  }

  package var digest: SHA256Digest { SHA256Digest(of: canonicalBytes) }

  package var canonicalBytes: [UInt8] {
    var bytes = CanonicalBytes()
    bytes.append(Self.version)
    bytes.append(loanID.value)
    bytes.append(lenderID.value)
    bytes.append(clause.extent.rawValue)
    bytes.append(optional: clause.through) { $0.append(Int64($1.dayNumber)) }
    bytes.append(Int64(tradedOn.dayNumber))
    bytes.append(Int64(comparedOn.dayNumber))
    bytes.append(list: leftOut) { $0.append($1.rawValue) }
    own.write(to: &bytes)
    bytes.append(list: later) { bytes, loan in
      bytes.append(loan.loanID.value)
      bytes.append(Int64(loan.tradedOn.dayNumber))
      loan.terms.write(to: &bytes)
    }
    bytes.append(list: lifts) { bytes, lift in
      bytes.append(lift.term.rawValue)
      bytes.append(optional: lift.from) { $0.append($1) }
      bytes.append(lift.to)
      bytes.append(lift.because.value)
    }
    return bytes.bytes
  }

  /// Reads what `canonicalBytes` wrote. Whether it is true is another question: see `isReproduced`.
  package init(canonicalBytes: [UInt8]) throws(CanonicalBytesError) {
    var reader = CanonicalReader(canonicalBytes)
    try reader.expect(Self.version)
    let (loan, lender): (LoanID, OrganizationID) = (try reader.id(), try reader.id())
    let extent: MostFavouredNation.Extent = try reader.word("extent")
    let through = try reader.optional { reader throws(CanonicalBytesError) in try reader.date() }
    let (tradedOn, comparedOn) = (try reader.date(), try reader.date())
    let leftOut = try reader.list(ofAtLeast: 9) { reader throws(CanonicalBytesError) -> MostFavouredNation.Term in
      try reader.word("term")
    }
    let own = try FavourableTerms(from: &reader)
    let later = try reader.list(ofAtLeast: 65) { reader throws(CanonicalBytesError) in
      MostFavouredNation.LaterLoan(
        loanID: try reader.id(), tradedOn: try reader.date(), terms: try FavourableTerms(from: &reader))
    }
    let lifts = try reader.list(ofAtLeast: 34) { reader throws(CanonicalBytesError) in
      MostFavouredNation.Lift(
        term: try reader.word("term"),
        from: try reader.optional { reader throws(CanonicalBytesError) in try reader.int64() },
        to: try reader.int64(), because: try reader.id())
    }
    try reader.finish()
    self.init(
      loan, lender, MostFavouredNation(extent: extent, through: through), tradedOn, comparedOn, leftOut, own, later,
      lifts)
    guard self.canonicalBytes == canonicalBytes else { throw .notCanonical }
  }
}

extension FavourableTerms {
  fileprivate func write(to bytes: inout CanonicalBytes) {
    for number in [rate.value, sweep.value, rank, discount.value] { bytes.append(number) }
    bytes.append(optional: cap) { $0.append($1) }
    bytes.append(warrantCoverage.value)
  }

  fileprivate init(from reader: inout CanonicalReader) throws(CanonicalBytesError) {
    let (rate, sweep) = (BasisPoints(try reader.int64()), BasisPoints(try reader.int64()))
    let (rank, discount) = (try reader.int64(), BasisPoints(try reader.int64()))
    let cap = try reader.optional { reader throws(CanonicalBytesError) in try reader.int64() }
    self.init(
      rate: rate, sweep: sweep, rank: rank, discount: discount, cap: cap,
      warrantCoverage: BasisPoints(try reader.int64()))
  }
}

/// A lender had the terms of its loan lifted, from a day on, to those of later loans.
package struct FavouredClaim: Sendable, Hashable {
  package let id: FavouredClaimID
  package let borrowerID: OrganizationID
  package let lenderID: OrganizationID
  package let loanID: LoanID
  package let claimedBy: PersonID
  package let claimedOn: CalendarDate
  /// The rate from that day on; nil where it was not lifted.
  package let rate: BasisPoints?
  /// All that was lifted so far, this claim included.
  package let sweep: BasisPoints?
  package let discount: BasisPoints?
  /// Minor units of the loan's currency.
  package let cap: Int64?
  package let coverage: BasisPoints?
  /// Issued for the coverage that this claim added.
  package let warrantID: WarrantID?
  package let digest: SHA256Digest
  /// The canonical bytes of a `FavourComparison`. They name the later loans: for the startup and who reads everything.
  package let bytes: [UInt8]
  package let recordedAt: Instant

  package init(
    id: FavouredClaimID, borrowerID: OrganizationID, lenderID: OrganizationID, loanID: LoanID, claimedBy: PersonID,
    claimedOn: CalendarDate, rate: BasisPoints?, sweep: BasisPoints?, discount: BasisPoints?, cap: Int64?,
    coverage: BasisPoints?, warrantID: WarrantID?, digest: SHA256Digest, bytes: [UInt8], recordedAt: Instant
  ) {
    self.id = id
    self.borrowerID = borrowerID
    self.lenderID = lenderID
    self.loanID = loanID
    self.claimedBy = claimedBy
    self.claimedOn = claimedOn
    self.rate = rate
    self.sweep = sweep
    self.discount = discount
    self.cap = cap
    self.coverage = coverage
    self.warrantID = warrantID
    self.digest = digest
    self.bytes = bytes
    self.recordedAt = recordedAt
  }

  /// Whether a comparison is the one that this claim was made on.
  package func isMade(on comparison: FavourComparison) -> Bool {
    func agrees(_ term: MostFavouredNation.Term, _ value: Int64?) -> Bool {
      comparison.lifted(term).map { $0 == value } ?? true
    }
    return comparison.loanID == loanID && comparison.lenderID == lenderID && comparison.comparedOn == claimedOn
      && !comparison.lifts.isEmpty && comparison.lifted(.rate) == rate?.value && agrees(.sweep, sweep?.value)
      && agrees(.discount, discount?.value) && agrees(.cap, cap) && agrees(.warrantCoverage, coverage?.value)
      && comparison.lifted(.rank) == nil && (comparison.lifted(.warrantCoverage) == nil) == (warrantID == nil)
  }
}

/// Why no terms are lifted.
package enum FavourRefusal: Refusal, Hashable {
  /// The loan was agreed without such a clause.
  case noClause
  /// No later loan that counts has better terms.
  case nothingBetter
  /// Nothing that came after that day counts, and nothing before it was better.
  case over(CalendarDate)

  package var kind: RefusalKind { .conflict }

  package var code: String {
    switch self {
    case .noClause: "most_favoured.no_clause"
    case .nothingBetter: "most_favoured.nothing_better"
    case .over: "most_favoured.over"
    }
  }

  package var detail: String {
    switch self {
    case .noClause: "The loan was agreed without a most-favoured-nation clause."
    case .nothingBetter: "No later loan of the startup has better terms than this one has."
    case .over(let date): "Loans that were traded until \(date) count, and none of them has better terms."
    }
  }
}
