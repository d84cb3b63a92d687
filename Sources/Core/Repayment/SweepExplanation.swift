import Primitives

/// The record of one closing's sweep: what went in, each covenant as it was tested, what came out, and why each line is
/// what it is. Whoever has its bytes can share the pool again and see the same.
///
/// Bytes, in the sense of `CanonicalBytes`: the version, closing, round, kind, closing day, currency, net new cash, what
/// was swept before by loan id, the tests and candidates by loan id, the dues, and the dues in each loan's own currency.
/// Where an amount was converted the version is `sweep-2`, and each such amount stands with the rate, its day and its
/// source: without them, the bytes are those of a program that knew no rates. The digest is SHA-256 over them.
package struct SweepExplanation: Sendable, Hashable {
  /// One fact of a covenant's test, as people read it.
  package struct Fact: Sendable, Hashable {
    package let subject: QualifyingTest.Subject
    package let measured: String?
    package let threshold: String?
    package let met: Bool
    /// The conversions that went into `measured`.
    package let conversions: [FXConversion]

    /// The rates of these, for people.
    package var rates: [String] { conversions.map(\.rate.description) }
  }

  /// How one covenant was tested. A change of control is not tested.
  package struct Tested: Sendable, Hashable {
    package let loanID: LoanID
    package let facts: [Fact]
  }

  /// What is due on a loan in its own currency.
  package struct LoanDue: Sendable, Hashable {
    package let loanID: LoanID
    package let cause: SweepDues.Cause
    package let amount: Money
    /// Between the loan's currency and the closing's, where they differ.
    package let conversion: Conversion?

    package init(loanID: LoanID, cause: SweepDues.Cause, amount: Money, conversion: Conversion? = nil) {
      self.loanID = loanID
      self.cause = cause
      self.amount = amount
      self.conversion = conversion
    }

    /// For people.
    package var rate: String? { conversion?.rate.description }
  }

  /// A loan's debt on its way into the closing's currency. It is converted up, and dues back down: so the rounding makes
  /// no more due than is owed, nor more than the share of the cash.
  package struct Conversion: Sendable, Hashable {
    /// Owed and not due yet, in the loan's own currency.
    package let open: Money
    /// Due before, in minor units of the same: no part of what is converted.
    package let alreadyDue: Int64
    package let rate: FXRate

    package init(open: Money, alreadyDue: Int64, rate: FXRate) {
      self.open = open
      self.alreadyDue = alreadyDue
      self.rate = rate
    }

    /// The debt as the pool sees it.
    /// - Throws: `RepaymentRefusal.overflow`.
    package func inPool() throws(RepaymentRefusal) -> Money { try rate.convert(open, rounding: .up) }

    /// What a line of the pool is in the loan's own currency. Who gets all that was open gets all of the debt, whatever the
    /// way back rounds to.
    /// - Throws: `RepaymentRefusal.overflow`.
    package func due(_ line: SweepDues.Line, in currency: Currency) throws(RepaymentRefusal) -> Money {
      if line.limit == .owed { return open }
      let converted = try rate.convert(Money(line.amount, currency), rounding: .down)
      return Money(min(open.amount, converted.amount), open.currency)
    }
  }

  package let closing: SweepClosingInput
  package let kind: FundingRoundKind
  /// By loan id.
  package let tests: [Tested]
  /// In the closing's currency, by loan id.
  package let candidates: [SweepCandidate]
  package let dues: SweepDues
  /// One for each line of `dues`, by loan id.
  package let due: [LoanDue]

  private static let versionInOneCurrency = "sweep-1"
  private static let versionWithRates = "sweep-2"

  /// Whether an amount of another currency went into it.
  private var hasRates: Bool {
    due.contains { $0.conversion != nil } || tests.contains { $0.facts.contains { !$0.conversions.isEmpty } }
  }

  /// Every rate that it used, each once, in the order of use.
  package var ratesUsed: [FXRate] {
    var seen: Set<FXRate> = []
    let used =
      tests.flatMap { $0.facts.flatMap { $0.conversions.map(\.rate) } } + due.compactMap { $0.conversion?.rate }
    return used.filter { seen.insert($0).inserted }
  }

  /// What was due on each loan before, in its own currency.
  package var alreadyDue: [LoanID: Int64] {
    var amounts = Dictionary(
      candidates.map { ($0.loanID, $0.alreadyDue) }, uniquingKeysWith: { first, _ in first })
    for due in due { if let conversion = due.conversion { amounts[due.loanID] = conversion.alreadyDue } }
    return amounts
  }

  /// Whether sharing the pool again, and converting again, gives what is recorded.
  package var isReproduced: Bool {
    let again = try? Sweep.dues(
      kind: kind, netNewCash: closing.netNewCash.amount, candidates: candidates, sweptBefore: closing.sweptBefore)
    return again == dues && areConversionsReproduced
  }

  private var areConversionsReproduced: Bool {
    let facts = tests.flatMap(\.facts)
    guard facts.allSatisfy({ $0.conversions.allSatisfy(\.isReproduced) }) else { return false }
    let currency = closing.netNewCash.currency
    let lines = Dictionary(dues.lines.map { ($0.loanID, $0) }, uniquingKeysWith: { first, _ in first })
    return due.count == lines.count
      && due.allSatisfy { due in
        guard let line = lines[due.loanID], line.cause == due.cause else { return false }
        guard let conversion = due.conversion else { return due.amount == Money(line.amount, currency) }
        return conversion.open.currency != currency && (try? conversion.inPool()) == Money(line.weight, currency)
          && (try? conversion.due(line, in: currency)) == due.amount
      }
  }

  /// What the closing makes due with other cash, from the same state of the same loans.
  /// - Parameters:
  ///   - covenants: of the candidates, tested anew; a candidate that is not among them stays one.
  ///   - rounds: all verified rounds, this one with the corrected closing.
  ///   - rates: for covenants in another currency than a round's; loans keep the rate at which they were swept.
  /// - Throws: `RepaymentRefusal` as `Sweep.explain` does.
  package func corrected(
    netNewCash: Int64, covenants: [LoanID: Covenant], rounds: [SweepRound], rates: FXTable? = nil
  ) throws(RepaymentRefusal) -> SweepExplanation {
    guard let facts = rounds.first(where: { $0.id == closing.roundID })?.facts else {
      throw .noClosing(on: closing.closedOn)
    }
    let currency = closing.netNewCash.currency
    let others = rounds.filter { $0.id != closing.roundID }.sorted { $0.id < $1.id }.map(\.facts)
    var (tests, kept): ([Tested], [SweepCandidate]) = ([], [])
    for candidate in candidates {
      if kind != .acquisition, !candidate.isChangeOfControl, let covenant = covenants[candidate.loanID] {
        let test = try covenant.test(closingOn: closing.closedOn, of: facts, otherRounds: others, rates: rates)
        tests.append(Tested(loanID: candidate.loanID, facts: test.facts.map { Fact($0) }))
        if !test.met { continue }
      }
      kept.append(candidate)
    }
    let dues = try Sweep.dues(
      kind: kind, netNewCash: netNewCash, candidates: kept, sweptBefore: closing.sweptBefore)
    let conversions = Dictionary(
      self.due.map { ($0.loanID, $0.conversion) }, uniquingKeysWith: { first, _ in first })
    var due: [LoanDue] = []
    for line in dues.lines {
      let conversion = conversions[line.loanID] ?? nil
      let amount = try conversion?.due(line, in: currency) ?? Money(line.amount, currency)
      due.append(LoanDue(loanID: line.loanID, cause: line.cause, amount: amount, conversion: conversion))
    }
    return SweepExplanation(
      closing: SweepClosingInput(
        id: closing.id, roundID: closing.roundID, closedOn: closing.closedOn, netNewCash: Money(netNewCash, currency),
        sweptBefore: closing.sweptBefore),
      kind: kind, tests: tests, candidates: kept, dues: dues, due: due.sorted { $0.loanID < $1.loanID })
  }

  package var digest: SHA256Digest { SHA256Digest(of: canonicalBytes) }

  package var canonicalBytes: [UInt8] {
    var bytes = CanonicalBytes()
    let hasRates = hasRates
    bytes.append(hasRates ? Self.versionWithRates : Self.versionInOneCurrency)
    bytes.append(closing.id.value)
    bytes.append(closing.roundID.value)
    bytes.append(kind.rawValue)
    bytes.append(Int64(closing.closedOn.dayNumber))
    bytes.append(money: closing.netNewCash)
    bytes.append(list: closing.sweptBefore.sorted { $0.key < $1.key }) { bytes, before in
      bytes.append(before.key.value)
      bytes.append(before.value)
    }
    bytes.append(list: tests) { bytes, test in
      bytes.append(test.loanID.value)
      bytes.append(list: test.facts) { bytes, fact in fact.write(to: &bytes, withRates: hasRates) }
    }
    bytes.append(list: candidates) { $1.write(to: &$0) }
    bytes.append(dues.cause.rawValue)
    bytes.append(optional: dues.pool) { $0.append($1) }
    bytes.append(list: dues.lines) { $1.write(to: &$0) }
    bytes.append(list: due) { bytes, due in
      bytes.append(due.loanID.value)
      bytes.append(due.cause.rawValue)
      bytes.append(money: due.amount)
      bytes.append(optional: due.conversion) { bytes, conversion in
        bytes.append(money: conversion.open)
        bytes.append(conversion.alreadyDue)
        conversion.rate.write(to: &bytes)
      }
    }
    return bytes.bytes
  }

  /// Reads what `canonicalBytes` wrote. Whether it is true is another question: see `isReproduced`.
  package init(canonicalBytes: [UInt8]) throws(CanonicalBytesError) {
    var reader = CanonicalReader(canonicalBytes)
    let version = try reader.text()
    guard [Self.versionInOneCurrency, Self.versionWithRates].contains(version) else {
      throw reader.invalid("version of a sweep's record")
    }
    let hasRates = version == Self.versionWithRates
    let (id, roundID): (ClosingID, FundingRoundID) = (try reader.id(), try reader.id())
    let kind: FundingRoundKind = try reader.word("kind of round")
    let closedOn = try reader.date()
    let cash = try reader.money()
    var sweptBefore: [LoanID: Int64] = [:]
    for _ in 0..<(try reader.count(ofAtLeast: 24)) {
      let loan: LoanID = try reader.id()
      sweptBefore[loan] = try reader.int64()
    }
    let tests = try reader.list(ofAtLeast: 24) { reader throws(CanonicalBytesError) in
      let loan: LoanID = try reader.id()
      let facts = try reader.list(ofAtLeast: 26) { reader throws(CanonicalBytesError) in
        try Fact(from: &reader, withRates: hasRates)
      }
      return Tested(loanID: loan, facts: facts)
    }
    let candidates = try reader.list(ofAtLeast: 100) { reader throws(CanonicalBytesError) in
      try SweepCandidate(from: &reader)
    }
    let cause: SweepDues.Cause = try reader.word("cause")
    let pool = try reader.optional { reader throws(CanonicalBytesError) in try reader.int64() }
    let lines = try reader.list(ofAtLeast: 112) { reader throws(CanonicalBytesError) in
      try SweepDues.Line(from: &reader)
    }
    let due = try reader.list(ofAtLeast: 43) { reader throws(CanonicalBytesError) in
      LoanDue(
        loanID: try reader.id(), cause: try reader.word("cause"), amount: try reader.money(),
        conversion: try reader.optional { reader throws(CanonicalBytesError) in
          Conversion(
            open: try reader.money(), alreadyDue: try reader.int64(), rate: try FXRate(from: &reader))
        })
    }
    try reader.finish()
    self.init(
      closing: SweepClosingInput(
        id: id, roundID: roundID, closedOn: closedOn, netNewCash: cash, sweptBefore: sweptBefore),
      kind: kind, tests: tests, candidates: candidates, dues: SweepDues(cause: cause, pool: pool, lines: lines),
      due: due)
    guard self.canonicalBytes == canonicalBytes else { throw .notCanonical }
  }

  /// One sentence a line, for people and for the interface; amounts are in the closing's currency.
  package var sentences: [String] {
    dues.lines.map { line in
      let place = line.hasAcceded ? "rank \(line.rank)" : "rank \(line.rank) of those who did not accede"
      let why =
        switch (line.cause, line.limit) {
        case (.changeOfControl, _): "a change of control makes all of it due"
        case (.fundingRound, .owed): "all that was not due yet"
        case (.fundingRound, .ownShare): "its own share of the cash"
        case (.fundingRound, .pool): "the pool of \(dues.pool ?? 0) ends here"
        }
      return "\(line.loanID) \(Money(line.amount, closing.netNewCash.currency)): \(place), weight \(line.weight), "
        + "exact share \(line.numerator)/\(line.denominator) minor units; \(why)"
    }
  }

  init(
    closing: SweepClosingInput, kind: FundingRoundKind, tests: [Tested], candidates: [SweepCandidate], dues: SweepDues,
    due: [LoanDue]
  ) {
    self.closing = closing
    self.kind = kind
    self.tests = tests
    self.candidates = candidates
    self.dues = dues
    self.due = due
  }
}

extension SweepExplanation.Fact {
  init(_ fact: QualifyingTest.Fact) {
    self.init(
      subject: fact.subject, measured: fact.measured.map { "\($0)" }, threshold: fact.threshold.map { "\($0)" },
      met: fact.met, conversions: fact.conversions)
  }

  fileprivate func write(to bytes: inout CanonicalBytes, withRates: Bool) {
    bytes.append(subject.rawValue)
    bytes.append(optional: measured) { $0.append($1) }
    bytes.append(optional: threshold) { $0.append($1) }
    bytes.append(met ? 1 : 0)
    bytes.append(list: conversions) { bytes, conversion in
      bytes.append(money: conversion.from)
      bytes.append(money: conversion.into)
      bytes.append(conversion.rounding.rawValue)
      conversion.rate.write(to: &bytes)
    }
  }

  fileprivate init(from reader: inout CanonicalReader, withRates: Bool) throws(CanonicalBytesError) {
    self.init(
      subject: try reader.word("subject"),
      measured: try reader.optional { reader throws(CanonicalBytesError) in try reader.text() },
      threshold: try reader.optional { reader throws(CanonicalBytesError) in try reader.text() },
      met: try reader.bool(),
      conversions: try reader.list(ofAtLeast: 60) { reader throws(CanonicalBytesError) in
        guard withRates else { throw reader.invalid("conversion in a record of one currency") }
        return FXConversion(
          from: try reader.money(), into: try reader.money(), rounding: try reader.word("rounding"),
          rate: try FXRate(from: &reader))
      })
  }
}

extension FXRate {
  fileprivate func write(to bytes: inout CanonicalBytes) {
    bytes.append(base.code)
    bytes.append(quote.code)
    bytes.append(mantissa)
    bytes.append(Int64(places))
    bytes.append(Int64(on.dayNumber))
    bytes.append(source)
  }

  fileprivate init(from reader: inout CanonicalReader) throws(CanonicalBytesError) {
    let base = try reader.parsed("currency") { Currency($0) }
    let quote = try reader.parsed("currency") { Currency($0) }
    let (mantissa, places, on) = (try reader.int64(), try reader.int64(), try reader.date())
    let source = try reader.text()
    guard let places = Int(exactly: places) else { throw reader.invalid("places of a rate") }
    do {
      try self.init(base: base, quote: quote, mantissa: mantissa, places: places, on: on, source: source)
    } catch { throw reader.invalid("rate") }
  }
}

extension QualifyingTest.Measure: CustomStringConvertible {
  /// A stable text: it is part of the record's bytes.
  package var description: String {
    switch self {
    case .date(let date): date.description
    case .money(let money): "\(money.currency.code) \(money.amount)"
    case .kind(let kind): kind.rawValue
    case .noneOf(let kinds): "none of \(kinds.map(\.rawValue).joined(separator: " "))"
    case .insiderRound(let isInsider): isInsider ? "insiders only" : "not of insiders only"
    }
  }
}

extension SweepCandidate {
  fileprivate func write(to bytes: inout CanonicalBytes) {
    bytes.append(loanID.value)
    bytes.append(lenderID.value)
    for number in [rank, hasAcceded ? 1 : 0, alreadyDue, sweep.value, isChangeOfControl ? 1 : 0] {
      bytes.append(number)
    }
    owed.write(to: &bytes)
  }

  fileprivate init(from reader: inout CanonicalReader) throws(CanonicalBytesError) {
    let (loanID, lenderID): (LoanID, OrganizationID) = (try reader.id(), try reader.id())
    let (rank, hasAcceded) = (try reader.int64(), try reader.bool())
    let (alreadyDue, sweep) = (try reader.int64(), try reader.int64())
    let isChangeOfControl = try reader.bool()
    self.init(
      loanID: loanID, lenderID: lenderID, rank: rank, owed: try StepAmounts(from: &reader), sweep: BasisPoints(sweep),
      hasAcceded: hasAcceded, alreadyDue: alreadyDue, isChangeOfControl: isChangeOfControl)
  }
}

extension SweepDues.Line {
  fileprivate func write(to bytes: inout CanonicalBytes) {
    bytes.append(loanID.value)
    bytes.append(lenderID.value)
    for number in [rank, hasAcceded ? 1 : 0, cap, amount, weight] { bytes.append(number) }
    bytes.append(cause.rawValue)
    bytes.append(wide: numerator)
    bytes.append(wide: denominator)
    bytes.append(limit.rawValue)
  }

  fileprivate init(from reader: inout CanonicalReader) throws(CanonicalBytesError) {
    let (loanID, lenderID): (LoanID, OrganizationID) = (try reader.id(), try reader.id())
    let (rank, hasAcceded) = (try reader.int64(), try reader.bool())
    let (cap, amount, weight) = (try reader.int64(), try reader.int64(), try reader.int64())
    self.init(
      loanID: loanID, lenderID: lenderID, rank: rank, hasAcceded: hasAcceded, cause: try reader.word("cause"), cap: cap,
      amount: amount, weight: weight, numerator: try reader.int128(), denominator: try reader.int128(),
      limit: try reader.word("limit"))
  }
}

extension CanonicalBytes {
  mutating func append(money: Money) {
    append(money.currency.code)
    append(money.amount)
  }
}

extension CanonicalReader {
  mutating func money() throws(CanonicalBytesError) -> Money {
    let currency = try parsed("currency") { Currency($0) }
    return Money(try int64(), currency)
  }
}
