import Primitives
import StrictJSON

/// The record of one division of money: what went in, what came out, and why each line is what it is. Whoever has its
/// bytes can divide again and see the same.
///
/// Bytes, in the sense of `CanonicalBytes`: the version, the waterfall's JSON, currency, amount, the own loans and the
/// declined loans by id, the claims by loan id, then lines, declined parts and premiums in their order, and the remainder.
/// The digest is SHA-256 over them.
package struct AllocationExplanation: Sendable, Hashable {
  package let waterfall: WaterfallDefinition
  package let amount: Money
  package let ownLoans: Set<LoanID>
  package let declined: Set<LoanID>
  /// By loan id.
  package let claims: [Claim]
  package let allocation: Allocation

  private static let version = "allocation-1"

  fileprivate init(
    waterfall: WaterfallDefinition, amount: Money, ownLoans: Set<LoanID>, declined: Set<LoanID>, claims: [Claim],
    allocation: Allocation
  ) {
    self.waterfall = waterfall
    self.amount = amount
    self.ownLoans = ownLoans
    self.declined = declined
    self.claims = claims
    self.allocation = allocation
  }

  /// Whether dividing again gives what is recorded.
  package var isReproduced: Bool {
    let again = try? waterfall.allocate(amount.amount, claims: claims, ownLoans: ownLoans, declined: declined)
    return again == allocation
  }

  package var digest: SHA256Digest { SHA256Digest(of: canonicalBytes) }

  package var canonicalBytes: [UInt8] {
    var bytes = CanonicalBytes()
    bytes.append(Self.version)
    bytes.append(String(decoding: waterfall.json, as: UTF8.self))
    bytes.append(amount.currency.code)
    bytes.append(amount.amount)
    for loans in [ownLoans, declined] { bytes.append(list: loans.sorted()) { $0.append($1.value) } }
    bytes.append(list: claims) { $1.write(to: &$0) }
    bytes.append(list: allocation.lines) { $1.write(to: &$0) }
    bytes.append(list: allocation.declined) { bytes, part in
      bytes.append(part.loanID.value)
      bytes.append(part.lenderID.value)
      bytes.append(part.step.rawValue)
      bytes.append(part.amount)
      bytes.append(part.wentTo.rawValue)
    }
    bytes.append(list: allocation.premiums) { bytes, premium in
      bytes.append(premium.loanID.value)
      for number in [premium.principal, premium.rate.value, premium.amount] { bytes.append(number) }
    }
    bytes.append(allocation.remainder)
    return bytes.bytes
  }

  /// Reads what `canonicalBytes` wrote. Whether it is true is another question: see `isReproduced`.
  package init(canonicalBytes: [UInt8]) throws(CanonicalBytesError) {
    var reader = CanonicalReader(canonicalBytes)
    try reader.expect(Self.version)
    let waterfall = try reader.parsed("waterfall") { try? WaterfallDefinition(parsing: Array($0.utf8)) }
    let currency = try reader.parsed("currency") { Currency($0) }
    let amount = Money(try reader.int64(), currency)
    let ownLoans: [LoanID] = try reader.list(ofAtLeast: 16) { reader throws(CanonicalBytesError) in try reader.id() }
    let declined: [LoanID] = try reader.list(ofAtLeast: 16) { reader throws(CanonicalBytesError) in try reader.id() }
    let claims = try reader.list(ofAtLeast: 104) { reader throws(CanonicalBytesError) in try Claim(from: &reader) }
    let lines = try reader.list(ofAtLeast: 120) { reader throws(CanonicalBytesError) in
      try Allocation.Line(from: &reader)
    }
    let parts = try reader.list(ofAtLeast: 56) { reader throws(CanonicalBytesError) in
      Allocation.Declined(
        loanID: try reader.id(), lenderID: try reader.id(), step: try reader.word("step"), amount: try reader.int64(),
        wentTo: try reader.word("place for a declined part"))
    }
    let premiums = try reader.list(ofAtLeast: 40) { reader throws(CanonicalBytesError) in
      Allocation.Premium(
        loanID: try reader.id(), principal: try reader.int64(), rate: BasisPoints(try reader.int64()),
        amount: try reader.int64())
    }
    let remainder = try reader.int64()
    try reader.finish()
    self.init(
      waterfall: waterfall, amount: amount, ownLoans: Set(ownLoans), declined: Set(declined), claims: claims,
      allocation: Allocation(lines: lines, declined: parts, premiums: premiums, remainder: remainder))
    guard self.canonicalBytes == canonicalBytes else { throw .notCanonical }
  }

  /// One sentence a line, for people and for the interface.
  package var sentences: [String] {
    allocation.lines.map { line in
      let place = line.hasAcceded ? "rank \(line.rank)" : "rank \(line.rank) of those who did not accede"
      let own = line.isOwnLoan ? ", first as its own chips brought the money" : ""
      let why =
        switch line.limit {
        case .owed: "all that is owed on the step"
        case .receipt: "the money ends here"
        case .stepCap: "the cap of the step binds"
        case .rankCap: "the cap of the rank binds"
        }
      return "\(line.loanID) \(line.step.rawValue) \(Money(line.amount, amount.currency)): \(place)\(own); weight "
        + "\(line.weight), exact share \(line.numerator)/\(line.denominator) minor units; \(why)"
    }
  }
}

extension WaterfallDefinition {
  /// `allocate`, with the record of it.
  /// - Throws: as `allocate` does.
  package func explain(
    _ amount: Money, claims: [Claim], ownLoans: Set<LoanID> = [], declined: Set<LoanID> = []
  ) throws(RepaymentRefusal) -> AllocationExplanation {
    let allocation = try allocate(amount.amount, claims: claims, ownLoans: ownLoans, declined: declined)
    return AllocationExplanation(
      waterfall: self, amount: amount, ownLoans: ownLoans, declined: declined,
      claims: claims.sorted { $0.loanID < $1.loanID }, allocation: allocation)
  }
}

extension Claim {
  fileprivate func write(to bytes: inout CanonicalBytes) {
    bytes.append(loanID.value)
    bytes.append(lenderID.value)
    for number in [rank, hasAcceded ? 1 : 0, sequence, prepayment.value] { bytes.append(number) }
    due.write(to: &bytes)
  }

  fileprivate init(from reader: inout CanonicalReader) throws(CanonicalBytesError) {
    let (loanID, lenderID): (LoanID, OrganizationID) = (try reader.id(), try reader.id())
    let (rank, hasAcceded) = (try reader.int64(), try reader.bool())
    let (sequence, prepayment) = (try reader.int64(), try reader.int64())
    self.init(
      loanID: loanID, lenderID: lenderID, rank: rank, due: try StepAmounts(from: &reader), hasAcceded: hasAcceded,
      sequence: sequence, prepayment: BasisPoints(prepayment))
  }
}

extension StepAmounts {
  func write(to bytes: inout CanonicalBytes) {
    for step in WaterfallStep.allCases { bytes.append(self[step]) }
  }

  init(from reader: inout CanonicalReader) throws(CanonicalBytesError) {
    self = .none
    for step in WaterfallStep.allCases { self[step] = try reader.int64() }
  }
}

extension Allocation.Line {
  func write(to bytes: inout CanonicalBytes) {
    bytes.append(loanID.value)
    bytes.append(lenderID.value)
    bytes.append(step.rawValue)
    for number in [amount, discharged, isOwnLoan ? 1 : 0, hasAcceded ? 1 : 0, rank, weight] { bytes.append(number) }
    bytes.append(wide: numerator)
    bytes.append(wide: denominator)
    bytes.append(limit.rawValue)
  }

  init(from reader: inout CanonicalReader) throws(CanonicalBytesError) {
    self.init(
      loanID: try reader.id(), lenderID: try reader.id(), step: try reader.word("step"), amount: try reader.int64(),
      discharged: try reader.int64(), isOwnLoan: try reader.bool(), hasAcceded: try reader.bool(),
      rank: try reader.int64(), weight: try reader.int64(), numerator: try reader.int128(),
      denominator: try reader.int128(), limit: try reader.word("limit"))
  }
}

extension CanonicalBytes {
  /// The count, then each member.
  mutating func append<Value>(list values: [Value], _ write: (inout CanonicalBytes, Value) -> Void) {
    append(Int64(values.count))
    for value in values { write(&self, value) }
  }
}

extension CanonicalReader {
  mutating func expect(_ version: String) throws(CanonicalBytesError) {
    let found = try text()
    guard found == version else { throw .wrongVersion(found: found, expected: version) }
  }

  /// A word of an enumeration.
  mutating func word<Value: RawRepresentable>(
    _ what: String
  ) throws(CanonicalBytesError) -> Value where Value.RawValue == String {
    try parsed(what) { Value(rawValue: $0) }
  }
}
