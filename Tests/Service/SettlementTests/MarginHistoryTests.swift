import DomainFixtures
import Lending
import Operations
import Parties
import Persistence
import PostgresHarness
import Primitives
import PropertyKit
import Repayment
import Testing
import Valuation

@testable import Settlement

/// A margin life told in the plainest way: no terms, no types, one loan of sixteen chips that are expected to keep their
/// 1,000,000 each, of which nine tenths must be there.
private struct NaiveMargin {
  enum Outcome { case none, opened, cleared, lapsed }

  var owed: Int64 = 14_400_000
  var repaid: Int64 = 0
  var deposited: Int64 = 0
  var mark: Int64 = 1_000_000
  /// The number of the mark that stands, and of those that were found wrong.
  var markNumber = 0
  var wrong: Set<Int> = []
  var isDue = false
  /// Of the call that runs: what is asked, what of it is disputed, what was brought, its deadline, its mark.
  var call: (called: Int64, disputed: Int64, brought: Int64, due: Int64, mark: Int)?
  /// The call was answered already.
  var isAnswered = false
  var ended: [String] = []

  var missing: Int64 { max(0, min(owed, max(0, 14_400_000 - repaid)) - 16 * mark - deposited) }

  mutating func pay(_ amount: Int64) {
    guard var open = call else { return }
    let taken = min(amount, open.called - open.brought)
    owed -= taken
    repaid += taken
    open.brought += taken
    call = open
    if open.brought == open.called { end("cured") }
  }

  /// All of it is held, and cures as far as it is called for.
  mutating func pledge(_ amount: Int64) {
    guard var open = call else { return }
    deposited += amount
    open.brought += min(amount, open.called - open.brought)
    call = open
    if open.brought == open.called { end("cured") }
  }

  mutating func agree() {
    call?.disputed = 0
    isAnswered = true
  }

  /// - Returns: whether it may.
  mutating func dispute(_ amount: Int64) -> Bool {
    guard let open = call, !isAnswered, amount <= open.called else { return false }
    call?.disputed = amount
    isAnswered = true
    return true
  }

  /// - Returns: whether there was anything to decide.
  mutating func decide(_ isUpheld: Bool) -> Bool {
    guard var open = call, open.disputed > 0 else { return false }
    if isUpheld {
      wrong.insert(open.mark)
      open.called -= open.disputed
      open.brought = min(open.brought, open.called)
    }
    open.disputed = 0
    call = open
    if open.called == 0 { end("cleared") } else if open.brought >= open.called { end("cured") }
    return true
  }

  private mutating func end(_ how: String) {
    ended.append(how)
    call = nil
    isAnswered = false
  }

  mutating func endDay(_ day: Int64) -> Outcome {
    let isTested = !wrong.contains(markNumber)
    guard let open = call else {
      guard isTested, missing > 0, !isDue else { return .none }
      call = (missing, 0, 0, day + 3, markNumber)
      return .opened
    }
    if isTested, missing == 0 {
      end("cleared")
      return .cleared
    }
    guard day > open.due, open.called - open.disputed - open.brought > 0 else { return .none }
    end("lapsed")
    isDue = true
    return .lapsed
  }
}

@Suite("Margin histories", .timeLimit(.minutes(4)))
struct MarginHistoryTests {
  @Test(
    "whatever marks, payments, disputes and days come in whatever order, loans and calls are as the naive twin says")
  func randomHistories() async throws {
    var random = SplitMix64(seed: 97)
    for _ in 0..<3 {
      try await Marketplace.with { market in
        let loan = try await market.lendOnMargin(.due, cureDays: 3)
        var twin = NaiveMargin()
        for day in 1...Int64(24) {
          try await market.pass(days: 1)
          // Of two marks of one moment nobody says which is the later.
          if random.oneIn(2) {
            twin.mark = random.int64(in: 70...105) * 10_000
            twin.markNumber += 1
            try await market.mark(twin.mark)
          }
          for _ in 0..<random.int(in: 0...3) { try await act(&twin, &random, market, loan) }
          let sums = try await market.settle(.margin).sums
          let outcome = twin.endDay(day)
          #expect(sums["calls_opened"] == (outcome == .opened ? 1 : nil))
          #expect(sums["calls_cleared"] == (outcome == .cleared ? 1 : nil))
          #expect(sums["calls_lapsed"] == (outcome == .lapsed ? 1 : nil))
          try await expectSame(twin, market, loan)
        }
        #expect(try await market.lawBreaches() == [])
      }
    }
  }

  private func act(
    _ twin: inout NaiveMargin, _ random: inout SplitMix64, _ market: Marketplace, _ loan: LentLoan
  ) async throws {
    let call = try await market.marginCalls(loan).last { !$0.call.state.isEnded }
    try #require((call == nil) == (twin.call == nil))
    switch random.int(in: 0...4) {
    case 0:
      guard let call else { return }
      let amount = random.oneIn(2) ? twin.missing + 1 : random.int64(in: 1...2_000_000)
      try await market.bring(amount, for: call, by: loan)
      twin.pay(amount)
    case 4:
      guard let call else { return }
      let amount = random.int64(in: 1...600_000)
      try await market.pledge(amount, for: call, by: loan)
      twin.pledge(amount)
    case 1:
      guard let call else { return }
      _ = try await market.answer(call, .agree, by: loan.startup.principal).get()
      twin.agree()
    case 2:
      guard let call else { return }
      let amount = random.oneIn(2) ? call.call.called.amount : random.int64(in: 1...call.call.called.amount)
      let answer = AnswerMarginCall.Answer.dispute(Money(amount, .usd), reason: "r")
      let decided = try await market.answer(call, answer, by: loan.startup.principal)
      #expect((decided.refusalCode == nil) == twin.dispute(amount))
    default:
      guard let call else { return }
      let isUpheld = random.oneIn(2)
      let decided = try await market.decide(call, upheld: isUpheld, by: Marketplace.staff(3))
      #expect((decided.refusalCode == nil) == twin.decide(isUpheld))
    }
  }

  private func expectSame(_ twin: NaiveMargin, _ market: Marketplace, _ loan: LentLoan) async throws {
    let stored = try await market.loan(loan.id)
    try #require(stored.outstanding.principal == twin.owed)
    try #require((stored.due?.cause == .margin) == twin.isDue)
    let calls = try await market.marginCalls(loan)
    try #require(calls.compactMap { $0.call.state.isEnded ? $0.call.state.rawValue : nil } == twin.ended)
    let running = calls.last { !$0.call.state.isEnded }
    try #require(running?.call.called.amount == twin.call?.called)
    try #require(running?.call.disputed == twin.call?.disputed && running?.call.cured == twin.call?.brought)
    let test = try #require(try await market.marginTests(loan).last)
    try #require((test.outcome == .tested) == !twin.wrong.contains(twin.markNumber))
    if let result = test.result { try #require(result.shortfall == twin.missing || twin.isDue) }
  }
}
