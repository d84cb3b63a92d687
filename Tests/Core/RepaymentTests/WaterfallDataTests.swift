import Primitives
import Repayment
import StrictJSON
import Testing

@Suite("The waterfall as data")
struct WaterfallDataTests {
  private func waterfall(
    _ rules: [WaterfallDefinition.StepRule] = [.init(.fee), .init(.principal)],
    rankCaps: [WaterfallDefinition.RankCap] = [], decline: WaterfallDefinition.DeclinedTo? = nil
  ) throws -> WaterfallDefinition {
    try WaterfallDefinition(
      source: .round, rules: rules, order: .rankThenStep, ownLoansFirst: false, rankCaps: rankCaps,
      decline: decline.map { .init(goesTo: $0, deadlineDays: 5) })
  }

  private func owing(
    _ number: UInt64, rank: Int64 = 1, fee: Int64 = 0, _ principal: Int64, hasAcceded: Bool = true, sequence: Int64 = 0,
    prepayment: Int64 = 0
  ) -> Claim {
    Claim(
      loanID: loanID(number), lenderID: lenderID(number), rank: rank,
      due: StepAmounts(charges: 0, fee: fee, principal: principal), hasAcceded: hasAcceded, sequence: sequence,
      prepayment: BasisPoints(prepayment))
  }

  /// `1 fee 10 owed`: loan, step, amount and what limited it.
  private func lines(_ allocation: Allocation) -> [String] {
    allocation.lines.map { "\($0.loanID.value.low) \($0.step.rawValue) \($0.amount) \($0.limit.rawValue)" }
  }

  @Test("a lender who has not acceded ranks after all who have")
  func accession() throws {
    let found = try waterfall().allocate(60, claims: [owing(1, 50, hasAcceded: false), owing(2, rank: 2, 50)])
    #expect(lines(found) == ["2 principal 50 owed", "1 principal 10 receipt"])
  }

  @Test("in sequence one is paid after another, pro rata all at once")
  func sequence() throws {
    let claims = [owing(1, 50, sequence: 2), owing(2, 50, sequence: 1), owing(3, 50, sequence: 1)]
    let inTurn = try waterfall([.init(.principal, sharing: .sequential)]).allocate(60, claims: claims)
    #expect(lines(inTurn) == ["2 principal 50 owed", "3 principal 10 receipt"])
    let together = try waterfall().allocate(61, claims: claims)
    #expect(together.lines.map(\.amount) == [21, 20, 20])
    #expect(together.lines[0].numerator == 61 * 50)
    #expect(together.lines[0].denominator == 150)
  }

  @Test("caps of steps and ranks bind, and the line says which")
  func caps() throws {
    let capped = try waterfall([.init(.fee, cap: .share(BasisPoints(2_500))), .init(.principal)])
    #expect(
      lines(try capped.allocate(101, claims: [owing(1, fee: 40, 100)])) == [
        "1 fee 25 step_cap", "1 principal 76 receipt",
      ])
    let ranked = try waterfall(rankCaps: [.init(rank: 1, cap: .amount(30))])
    let found = try ranked.allocate(100, claims: [owing(1, fee: 20, 80), owing(2, rank: 2, 60)])
    #expect(lines(found) == ["1 fee 20 owed", "1 principal 10 rank_cap", "2 principal 60 owed"])
    #expect(found.remainder == 10)
    // The cap is of the acceded rank: who did not accede has none.
    let outside = try ranked.allocate(100, claims: [owing(1, 80, hasAcceded: false)])
    #expect(lines(outside) == ["1 principal 80 owed"])
  }

  @Test(
    "a declined part goes where the contract says",
    arguments: [
      (.sameRank, ["2 principal 40 owed", "3 principal 10 receipt"], 0, []),
      (.nextRank, ["2 principal 20 receipt", "3 principal 30 receipt"], 0, [30]),
      (.borrower, ["2 principal 20 receipt"], 30, [30]),
    ] as [(WaterfallDefinition.DeclinedTo, [String], Int64, [Int64])])
  func declined(goesTo: WaterfallDefinition.DeclinedTo, expected: [String], remainder: Int64, parts: [Int64]) throws {
    let claims = [owing(1, 60), owing(2, 40), owing(3, rank: 2, 100)]
    let found = try waterfall(decline: goesTo).allocate(50, claims: claims, declined: [loanID(1)])
    #expect(lines(found) == expected)
    #expect(found.remainder == remainder)
    #expect(found.declined.map(\.amount) == parts)
    #expect(found.declined.allSatisfy { $0.wentTo == goesTo && $0.loanID == loanID(1) })
  }

  @Test("who declines does so from the notice to the deadline, and only where it may")
  func deadline() throws {
    let may = try waterfall(decline: .borrower)
    let notice = try day("2024-05-02")
    for (date, isIn) in [("2024-05-01", false), ("2024-05-02", true), ("2024-05-07", true), ("2024-05-08", false)] {
      let on = try day(date)
      if isIn {
        #expect(try may.declined([(loanID: loanID(1), on: on)], noticeOn: notice) == [loanID(1)])
      } else {
        #expect(
          throws: RepaymentRefusal.declineOutOfTime(loanID(1), on: on, noticeOn: notice, deadlineDays: 5)
        ) { try may.declined([(loanID: loanID(1), on: on)], noticeOn: notice) }
      }
    }
    #expect(throws: RepaymentRefusal.mayNotDecline(loanID(2))) {
      try waterfall().declined([(loanID: loanID(2), on: notice)], noticeOn: notice)
    }
    #expect(throws: RepaymentRefusal.mayNotDecline(loanID(2))) {
      try waterfall().allocate(1, claims: [owing(2, 1)], declined: [loanID(2)])
    }
  }

  @Test(
    "a premium is levied on what is prepaid and is owed whether it is paid or not",
    arguments: [
      // 3 % of 1,000: receipt, principal paid, levied, premium paid, remainder
      (1_030, 1_000, 30, 30, 0), (1_020, 1_000, 30, 20, 0), (500, 500, 15, 0, 0), (1_050, 1_000, 30, 30, 20),
      // Half to even: 3 % of 50 is 1.5, of 150 is 4.5.
      (50, 50, 2, 0, 0), (150, 150, 4, 0, 0),
    ] as [(Int64, Int64, Int64, Int64, Int64)])
  func premium(receipt: Int64, principal: Int64, levied: Int64, paid: Int64, remainder: Int64) throws {
    let claims = [owing(1, 1_000, prepayment: 300)]
    let found = try WaterfallDefinition.standard(for: .round).allocate(receipt, claims: claims)
    #expect(
      found.paid(on: loanID(1))
        == StepAmounts(charges: 0, fee: 0, principal: principal, prepayment: paid))
    #expect(found.premium(on: loanID(1)) == levied)
    #expect(found.remainder == remainder)
    #expect(
      try found.left(of: claims[0].due, on: loanID(1))
        == StepAmounts(charges: 0, fee: 0, principal: 1_000 - principal, prepayment: levied - paid))
    // Proceeds of insurance levy none.
    let casualty = try WaterfallDefinition.standard(for: .insurance).allocate(receipt, claims: claims)
    #expect(casualty.premiums.isEmpty)
    #expect(casualty.lines.map(\.amount) == [min(receipt, 1_000)])
  }

  @Test(
    "a discount discharges more than the cash",
    arguments: [(1_000, 980, 1_000, 20), (980, 980, 1_000, 0), (490, 490, 500, 0), (979, 979, 998, 0), (1, 1, 1, 0)]
      as [(Int64, Int64, Int64, Int64)])
  func discount(receipt: Int64, cash: Int64, discharged: Int64, remainder: Int64) throws {
    let claims = [owing(1, 1_000, prepayment: -200)]
    let waterfall = WaterfallDefinition.standard(for: .round)
    let found = try waterfall.allocate(receipt, claims: claims)
    #expect(found.lines.map(\.amount) == [cash])
    #expect(found.lines.map(\.discharged) == [discharged])
    #expect(found.remainder == remainder)
    #expect(try waterfall.price(of: claims) == 980)
    #expect(try waterfall.price(of: [owing(1, 1_000, prepayment: 300)]) == 1_030)
  }

  @Test("the window of the day says what prepaying costs")
  func windows() throws {
    let terms = try PrepaymentTerms(windows: [
      .init(from: day("2025-01-01"), through: day("2025-12-31"), rate: BasisPoints(100)),
      .init(from: day("2024-01-01"), through: day("2024-12-31"), rate: BasisPoints(300)),
      .init(from: day("2026-01-01"), through: day("2026-01-31"), rate: BasisPoints(-50)),
    ])
    let rates = [
      ("2023-12-31", 0), ("2024-01-01", 300), ("2024-12-31", 300), ("2025-06-01", 100), ("2026-01-31", -50),
      ("2026-02-01", 0),
    ]
    for (date, rate) in rates { #expect(try terms.rate(on: day(date)).value == Int64(rate)) }
    let shared = try day("2024-06-30")
    #expect(throws: RepaymentRefusal.windowsOverlap(on: shared)) {
      try PrepaymentTerms(windows: [
        .init(from: day("2024-01-01"), through: shared, rate: BasisPoints(1)),
        .init(from: shared, through: day("2024-12-31"), rate: BasisPoints(1)),
      ])
    }
    for rate in [-10_000, 10_001, Int64.min] {
      #expect(throws: RepaymentRefusal.shareOutOfRange(what: "prepayment rate", BasisPoints(rate))) {
        try PrepaymentTerms(windows: [.init(from: shared, through: shared, rate: BasisPoints(rate))])
      }
      #expect(throws: RepaymentRefusal.shareOutOfRange(what: "prepayment rate", BasisPoints(rate))) {
        try waterfall().allocate(1, claims: [owing(1, 1, prepayment: rate)])
      }
    }
  }

  // MARK: The text

  private static let example = """
    {"source":"round","order":"rank_then_step","own_loans_first":false,"steps":[{"step":"charges","sharing":"pro_rata",\
    "cap":null},{"step":"fee","sharing":"sequential","cap":{"share_bps":2500}},{"step":"principal","sharing":"pro_rata",\
    "cap":{"amount":100000}}],"rank_caps":[{"rank":1,"cap":{"share_bps":5000}}],"decline":{"goes_to":"next_rank",\
    "deadline_days":5}}
    """

  @Test("the text and the value are one another's, byte for byte")
  func text() throws {
    let parsed = try WaterfallDefinition(parsing: Array(Self.example.utf8))
    let made = try WaterfallDefinition(
      source: .round,
      rules: [
        .init(.charges), .init(.fee, sharing: .sequential, cap: .share(BasisPoints(2_500))),
        .init(.principal, cap: .amount(100_000)),
      ], order: .rankThenStep, ownLoansFirst: false, rankCaps: [.init(rank: 1, cap: .share(BasisPoints(5_000)))],
      decline: .init(goesTo: .nextRank, deadlineDays: 5))
    #expect(parsed == made)
    #expect(String(decoding: made.json, as: UTF8.self) == Self.example)
    let short = #"{"source":"insurance","order":"step_then_rank","steps":[{"step":"fee"}]}"#
    let least = try WaterfallDefinition(parsing: Array(short.utf8))
    #expect(least.steps == [.fee])
    #expect(least.decline == nil)
    #expect(try WaterfallDefinition(parsing: least.json) == least)
  }

  @Test(
    "what is not a waterfall is refused with its place",
    arguments: [
      (#"{"source":"round","order":"rank_then_step","steps":[]}"#, "/steps", "field.length"),
      (#"{"source":"gift","order":"rank_then_step","steps":[{"step":"fee"}]}"#, "/source", "field.enum"),
      (#"{"order":"rank_then_step","steps":[{"step":"fee"}]}"#, "/source", "field.missing"),
      (
        #"{"source":"round","order":"rank_then_step","steps":[{"step":"fee","cup":1}]}"#, "/steps/0/cup",
        "field.unknown"
      ),
      (
        #"{"source":"round","order":"rank_then_step","steps":[{"step":"fee","cap":{"share_bps":10001}}]}"#,
        "/steps/0/cap/share_bps", "field.range"
      ),
      (
        #"{"source":"round","order":"rank_then_step","steps":[{"step":"fee","cap":{"share_bps":1,"amount":1}}]}"#,
        "/steps/0/cap/amount", "field.unknown"
      ),
      (
        #"{"source":"round","order":"rank_then_step","steps":[{"step":"fee"},{"step":"fee"}]}"#, "",
        "repayment.step_twice"
      ),
      (
        #"{"source":"round","order":"rank_then_step","steps":[{"step":"fee"}],"decline":{"goes_to":"borrower"}}"#,
        "/decline/deadline_days", "field.missing"
      ),
    ])
  func wrongTexts(text: String, pointer: String, code: String) throws {
    let faults = try #require(throws: JSONFaults.self) { try WaterfallDefinition(parsing: Array(text.utf8)) }
    #expect(faults.faults.map(\.pointer) == [pointer])
    #expect(faults.faults.map(\.code) == [code])
    #expect(!faults.isSyntax)
  }

  @Test("a set has one for each source, the standard one where none is stated")
  func sets() throws {
    let set = try WaterfallSet(parsing: Array("[\(Self.example)]".utf8))
    #expect(set[.round].decline?.goesTo == .nextRank)
    #expect(set[.collateral] == .standard(for: .collateral))
    #expect(try WaterfallSet(parsing: set.json)[.guarantee] == .standard(for: .guarantee))
    #expect(try WaterfallSet(parsing: set.json).json == set.json)
    let faults = try #require(throws: JSONFaults.self) {
      try WaterfallSet(parsing: Array("[\(Self.example),\(Self.example)]".utf8))
    }
    #expect(faults.faults.map(\.code) == ["repayment.source_twice"])
    #expect(throws: JSONFaults.self) { try WaterfallSet(parsing: Array("{}".utf8)) }
  }

  @Test("a thousand random waterfalls come back from their text")
  func roundTrip() throws {
    try forAllWaterfalls { waterfall in
      let again = try WaterfallDefinition(parsing: waterfall.json)
      #expect(again == waterfall)
      #expect(again.json == waterfall.json)
    }
  }

  @Test("ranks twice, caps below zero and deadlines below zero are refused")
  func refusals() throws {
    #expect(throws: RepaymentRefusal.rankTwice(1)) {
      try waterfall(rankCaps: [.init(rank: 1, cap: .amount(1)), .init(rank: 1, cap: .amount(2))])
    }
    #expect(throws: RepaymentRefusal.negativeAmount(what: "cap", -1)) { try waterfall([.init(.fee, cap: .amount(-1))]) }
    #expect(throws: RepaymentRefusal.shareOutOfRange(what: "cap", BasisPoints(10_001))) {
      try waterfall(rankCaps: [.init(rank: 1, cap: .share(BasisPoints(10_001)))])
    }
    #expect(throws: RepaymentRefusal.negativeAmount(what: "deadline in days", -1)) {
      try WaterfallDefinition(
        source: .round, rules: [], order: .rankThenStep, ownLoansFirst: false,
        decline: .init(goesTo: .borrower, deadlineDays: -1))
    }
  }
}
