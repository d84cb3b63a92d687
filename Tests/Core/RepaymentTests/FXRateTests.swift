import Primitives
import PropertyKit
import Repayment
import Testing

@Suite("Rates as they are published, brought and corrected")
struct FXRateTests {
  private let on = CalendarDate("2024-05-02")

  private func rate(_ price: String) throws -> FXRate {
    try FXRate(base: #require(Currency("EUR")), quote: .usd, price: price, on: #require(on), source: "ECB")
  }

  @Test(
    "a price is kept as it is written",
    arguments: [
      ("1.0850", 10_850, 4), ("1", 1, 0), ("0.000000000001", 1, 12), ("123456789012345678", 123_456_789_012_345_678, 0),
    ]
      as [(String, Int64, Int)])
  func prices(text: String, mantissa: Int64, places: Int) throws {
    let rate = try rate(text)
    #expect(rate.mantissa == mantissa)
    #expect(rate.places == places)
    #expect(rate.price == text)
    #expect(rate.pair.code == "EUR/USD")
  }

  @Test(
    "what is no price is refused",
    arguments: [
      "", ".", "1.", ".5", "01", "-1", "+1", "1e3", "1,5", "1.2.3", "0", "0.0", "１", " 1", "1234567890123456789",
      "0.0000000000001",
    ])
  func noPrices(text: String) throws {
    #expect(throws: RepaymentRefusal.self) { try rate(text) }
  }

  @Test("a rate turns amounts of its two currencies only")
  func thirdCurrency() throws {
    let eur = try #require(Currency("EUR"))
    #expect(throws: RepaymentRefusal.currencyDiffers(expected: eur, found: .cny)) {
      try rate("1").convert(Money(1, .cny), rounding: .down)
    }
  }

  @Test("days to come are shown at the last day's rate only where that is asked for")
  func held() throws {
    let table = try FXTable([rate("1.0850")], maxStalenessDays: 2)
    let (eur, day) = (try #require(Currency("EUR")), try #require(on))
    let later = try #require(day.adding(days: 400))
    #expect(throws: RepaymentRefusal.self) { try table.rate(between: eur, and: .usd, asOf: later) }
    #expect(try table.held(after: day).rate(between: eur, and: .usd, asOf: later).on == day)
  }

  // MARK: files

  private func file(_ lines: String...) -> [UInt8] { Array(lines.joined(separator: "\n").utf8) }

  @Test("a file of rates is read in its order, its columns in any")
  func files() throws {
    let rates = try FXRate.rates(
      fromCSV: file(
        "on,base,quote,source,rate", "2024-05-02,EUR,USD,ECB,1.0850", "2024-05-02,USD,CNY,\"SAFE, daily\",7.2345"))
    #expect(
      rates.map(\.description) == ["EUR/USD 1.0850 on 2024-05-02 (ECB)", "USD/CNY 7.2345 on 2024-05-02 (SAFE, daily)"])
  }

  @Test("a file with a fault is refused whole, with the line")
  func faults() throws {
    let header = "base,quote,on,rate,source"
    for (lines, line, word) in [
      (["base,quote,on,rate"], 1, "source"), ([header + ",note"], 1, "no others"), ([header], 1, "no rate"),
      ([header, "EUR,USD,2024-05-02,1.1"], 2, "fields"), ([header, "EUR,EUR,2024-05-02,1.1,x"], 2, "rate"),
      ([header, "EUR,USD,2024-05-02,1.1,x", "EUR,USD,2024-5-3,1.1,x"], 3, "on"),
      ([header, "EUR,XXX,2024-05-02,1.1,x"], 2, "quote"), ([header, "EUR,USD,2024-05-02,nan,x"], 2, "rate"),
      ([header, "EUR,USD,2024-05-02,1.1,"], 2, "source"),
    ] {
      let error = #expect(throws: RepaymentRefusal.self) {
        try FXRate.rates(fromCSV: Array(lines.joined(separator: "\n").utf8))
      }
      guard case .unreadableRates(line, let reason)? = error else {
        Issue.record("\(lines) gave \(String(describing: error))")
        continue
      }
      #expect(reason.contains(word), "\(reason)")
    }
    // Two of one pair and day, whichever way round.
    #expect(throws: RepaymentRefusal.self) {
      try FXRate.rates(fromCSV: file(header, "EUR,USD,2024-05-02,1.1,x", "USD,EUR,2024-05-02,0.9,x"))
    }
  }

  // MARK: life

  private func recorded(_ number: UInt64, supersedes: FXRateID? = nil, _ price: String = "1.1") throws -> RecordedFXRate
  {
    RecordedFXRate(
      id: FXRateID(UUIDValue(high: 1, low: number)), rate: try rate(price), supersedes: supersedes,
      proposedBy: PersonID(UUIDValue(high: 2, low: 1)), createdAt: .epoch, updatedAt: .epoch)
  }

  @Test("asked as known at a moment the answer is always the same, whatever was corrected since")
  func bitemporal() throws {
    let person = PersonID(UUIDValue(high: 2, low: 2))
    let moments = try [10, 20, 30, 40].map { try #require(Instant(microseconds: $0)) }
    var first = try recorded(1)
    #expect(!first.isKnown(at: moments[3]))
    try first.approve(by: person, at: moments[1])
    var second = try recorded(2, supersedes: first.id, "1.2")
    try second.approve(by: person, at: moments[2])
    try first.supersede(with: second, at: moments[2])
    let known = moments.map { moment in [first, second].filter { $0.isKnown(at: moment) }.map(\.rate.price) }
    #expect(known == [[], ["1.1"], ["1.2"], ["1.2"]])
    let day = try #require(on)
    let table = try FXTable([first, second], knownAt: moments[1], maxStalenessDays: 0)
    #expect(try table.rate(between: .usd, and: first.rate.base, asOf: day).price == "1.1")
  }

  @Test("each state takes only the acts that it names")
  func states() throws {
    let person = PersonID(UUIDValue(high: 2, low: 2))
    var approved = try recorded(1)
    try approved.approve(by: person, at: .epoch)
    var rejected = try recorded(2)
    try rejected.reject(by: person, reason: "a slip", at: .epoch)
    let other = try recorded(3)
    for state in [approved, rejected] {
      var copy = state
      #expect(throws: FXRefusal.illegalState(state.id, state.state, act: "approved")) {
        try copy.approve(by: person, at: .epoch)
      }
      #expect(throws: FXRefusal.illegalState(state.id, state.state, act: "rejected")) {
        try copy.reject(by: person, reason: "x", at: .epoch)
      }
      #expect(copy == state)
    }
    #expect(throws: FXRefusal.illegalState(rejected.id, .rejected, act: "superseded")) {
      try rejected.supersede(with: other, at: .epoch)
    }
    let elsewhere = RecordedFXRate(
      id: other.id, rate: try FXRate(base: .usd, quote: .cny, price: "7", on: #require(on), source: "x"),
      supersedes: nil, proposedBy: person, createdAt: .epoch, updatedAt: .epoch)
    #expect(throws: FXRefusal.supersedesAnother(approved.id)) { try approved.supersede(with: elsewhere, at: .epoch) }
  }

  @Test("what a bank gave is looked at against the day's rate, three per cent either way")
  func deviation() throws {
    let eur = try #require(Currency("EUR"))
    let rate = try rate("1.10")
    // 100.00 EUR are 110.00 USD; 3 % are 3.30.
    for (given, isTaken) in [(11_000, true), (11_330, true), (10_670, true), (11_331, false), (10_669, false)]
      as [(Int64, Bool)]
    {
      let found = try? CashConversion.expected(of: Money(10_000, eur), into: Money(given, .usd), at: rate)
      #expect((found == Money(11_000, .usd)) == isTaken, "\(given)")
    }
    // One cent is 1.1 of the other: a whole unit off is still within.
    #expect(try CashConversion.expected(of: Money(1, eur), into: Money(2, .usd), at: rate) == Money(1, .usd))
  }
}

@Suite("Sweeps over loans of several currencies")
struct ForeignSweepTests {
  @Test(
    "parts sum within the pool in its own currency, and what each is in its loan's currency costs no more than that")
  func sums() throws {
    let (first, date) = (try day("2024-01-01"), try day("2024-05-02"))
    let currencies = try ["USD", "EUR", "JPY", "KWD", "CNY"].map { try #require(Currency($0)) }
    try forAll(seeds: 1...3_000) { random in
      let pool = try random.pick(currencies)
      var rates: [FXRate] = []
      for currency in currencies where currency != pool {
        let (base, quote) = random.oneIn(2) ? (pool, currency) : (currency, pool)
        rates.append(
          try FXRate(
            base: base, quote: quote, mantissa: random.int64(in: 1...2_000_000), places: random.int(in: 0...5),
            on: date, source: "x"))
      }
      let table = try FXTable(rates, maxStalenessDays: 0)
      var loans: [LoanPosition] = []
      for number in 1...random.int(in: 1...6) {
        let owed = random.int64(in: 1...1_000_000)
        let due: LoanPosition.Due =
          random.oneIn(4) ? .amount(random.int64(in: 1...owed)) : random.oneIn(8) ? .all : .nothing
        loans.append(
          LoanPosition(
            loanID: loanID(UInt64(number)), lenderID: lenderID(1), currency: try random.pick(currencies),
            rank: random.int64(in: 1...2),
            covenant: Covenant(
              leastAmount: nil, leastPostMoney: nil, sweep: BasisPoints(random.int64(in: 0...10_000)), firstDay: first),
            rate: BasisPoints(0), accrual: try FeeAccrual(dayCount: .act365F, accruedThrough: first),
            owed: StepAmounts(charges: 0, fee: 0, principal: owed), due: due))
      }
      let input = SweepClosingInput(
        id: ClosingID(UUIDValue(high: 5, low: 1)), roundID: FundingRoundID(UUIDValue(high: 6, low: 1)), closedOn: date,
        netNewCash: Money(random.int64(in: 0...3_000_000), pool))
      let kind: FundingRoundKind = random.oneIn(6) ? .acquisition : .priced
      let round = SweepRound(
        id: input.roundID,
        facts: FundingRoundFacts(
          kind: kind, closings: [.init(closedOn: date, netNewCash: input.netNewCash)], postMoney: nil))
      let record: SweepExplanation
      do { record = try Sweep.explain(input, rounds: [round], loans: loans, table) } catch RepaymentRefusal.overflow {
        return
      }
      let lines = Dictionary(uniqueKeysWithValues: record.dues.lines.map { ($0.loanID, $0) })
      let positions = Dictionary(uniqueKeysWithValues: loans.map { ($0.loanID, $0) })
      if let most = record.dues.pool {
        let sum = record.dues.lines.reduce(Int128(0)) { $0 + Int128($1.amount) }
        try hold(sum <= Int128(most), "the parts come to \(sum) of \(most)")
      }
      for due in record.due {
        let (line, loan) = (try #require(lines[due.loanID]), try #require(positions[due.loanID]))
        let open = try loan.owed.total() - loan.collectable.total()
        try hold(due.amount.currency == loan.currency, "a due of another currency")
        try hold((0...open).contains(due.amount.amount), "\(due.amount) of \(open) open")
        let cost = try table.convert(due.amount, to: pool, asOf: date, rounding: .up).amount.amount
        try hold(cost <= line.amount, "\(due.amount) costs \(cost), more than \(line.amount)")
        if line.limit == .owed { try hold(due.amount.amount == open, "all of it is not all") }
        if kind == .acquisition { try hold(due.amount.amount == open, "a change of control left something") }
      }
      let again = try SweepExplanation(canonicalBytes: record.canonicalBytes)
      try hold(again == record && again.isReproduced, "the record is not reproduced")
    }
  }

  @Test("a record without rates keeps the bytes it always had; one with rates cannot be told as one without")
  func versions() throws {
    let eur = try #require(Currency("EUR"))
    let (first, date) = (try day("2024-01-01"), try day("2024-05-02"))
    func record(_ currency: Currency) throws -> SweepExplanation {
      let loan = LoanPosition(
        loanID: loanID(1), lenderID: lenderID(1), currency: currency, rank: 1,
        covenant: Covenant(
          leastAmount: Money(1, currency), leastPostMoney: nil, sweep: BasisPoints(5_000), firstDay: first),
        rate: BasisPoints(0), accrual: try FeeAccrual(dayCount: .act365F, accruedThrough: first),
        owed: StepAmounts(charges: 0, fee: 0, principal: 10_000), due: .amount(40))
      let input = SweepClosingInput(
        id: ClosingID(UUIDValue(high: 5, low: 1)), roundID: FundingRoundID(UUIDValue(high: 6, low: 1)), closedOn: date,
        netNewCash: Money(100, .usd))
      let facts = FundingRoundFacts(
        kind: .priced, closings: [.init(closedOn: date, netNewCash: input.netNewCash)], postMoney: nil)
      let table = try FXTable(
        [FXRate(base: eur, quote: .usd, mantissa: 11, places: 1, on: date, source: "ECB")], maxStalenessDays: 0)
      return try Sweep.explain(input, rounds: [SweepRound(id: input.roundID, facts: facts)], loans: [loan], table)
    }
    let (home, abroad) = (try record(.usd), try record(eur))
    #expect(home.canonicalBytes.starts(with: CanonicalBytes.text("sweep-1")))
    #expect(abroad.canonicalBytes.starts(with: CanonicalBytes.text("sweep-2")))
    #expect(home.ratesUsed.isEmpty)
    #expect(abroad.ratesUsed.map(\.description) == ["EUR/USD 1.1 on 2024-05-02 (ECB)"])
    #expect(abroad.alreadyDue == [loanID(1): 40])
    // The least amount was measured in the covenant's own currency: 1.00 USD is 0.90 EUR, rounded down.
    #expect(abroad.tests[0].facts[2].measured == "EUR 90")
    // Any other rate, amount or rounding in its bytes is found out, or is no record at all.
    let bytes = abroad.canonicalBytes
    for index in bytes.indices.dropFirst(120) {
      var forged = bytes
      forged[index] ^= 1
      guard let read = try? SweepExplanation(canonicalBytes: forged), read.due != abroad.due else { continue }
      #expect(
        !read.isReproduced || read.alreadyDue != abroad.alreadyDue || read.ratesUsed != abroad.ratesUsed,
        "byte \(index)")
    }
  }

  @Test("a closing cut after its sweep shares anew at the rate of its sweep")
  func corrected() throws {
    let eur = try #require(Currency("EUR"))
    let (first, date) = (try day("2024-01-01"), try day("2024-05-02"))
    let loans = try (1...2).map { number in
      LoanPosition(
        loanID: loanID(UInt64(number)), lenderID: lenderID(1), currency: number == 1 ? eur : .usd, rank: 1,
        covenant: Covenant(leastAmount: nil, leastPostMoney: nil, sweep: BasisPoints(5_000), firstDay: first),
        rate: BasisPoints(0), accrual: try FeeAccrual(dayCount: .act365F, accruedThrough: first),
        owed: StepAmounts(charges: 0, fee: 0, principal: 10_000))
    }
    func round(_ cash: Int64) -> SweepRound {
      SweepRound(
        id: FundingRoundID(UUIDValue(high: 6, low: 1)),
        facts: FundingRoundFacts(
          kind: .priced, closings: [.init(closedOn: date, netNewCash: Money(cash, .usd))], postMoney: nil))
    }
    let table = try FXTable(
      [FXRate(base: eur, quote: .usd, mantissa: 125, places: 2, on: date, source: "ECB")], maxStalenessDays: 0)
    let input = SweepClosingInput(
      id: ClosingID(UUIDValue(high: 5, low: 1)), roundID: round(0).id, closedOn: date, netNewCash: Money(9_000, .usd))
    let swept = try Sweep.explain(input, rounds: [round(9_000)], loans: loans, table)
    // 45.00 USD over 125.00 and 100.00: 25.00, which are 20.00 EUR, and 20.00.
    #expect(swept.due.map(\.amount) == [Money(2_000, eur), Money(2_000, .usd)])
    let cut = try swept.corrected(
      netNewCash: 4_500,
      covenants: Dictionary(uniqueKeysWithValues: loans.compactMap { loan in loan.covenant.map { (loan.loanID, $0) } }),
      rounds: [round(4_500)])
    #expect(cut.due.map(\.amount) == [Money(1_000, eur), Money(1_000, .usd)])
    #expect(cut.isReproduced)
    #expect(cut.ratesUsed == swept.ratesUsed)
  }
}

extension CanonicalBytes {
  fileprivate static func text(_ text: String) -> [UInt8] {
    var bytes = CanonicalBytes()
    bytes.append(text)
    return bytes.bytes
  }
}
