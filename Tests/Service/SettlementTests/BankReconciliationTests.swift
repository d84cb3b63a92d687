import BankFiles
import DomainFixtures
import Operations
import Parties
import Persistence
import Postgres
import PostgresHarness
import Primitives
import Reconciliation
import Repayment
import Testing

@testable import Settlement

@Suite("What banks say", .timeLimit(.minutes(5)))
struct BankReconciliationTests {
  @Test("a statement with exactly the receipts, payouts and fees of the books leaves no break and no drift")
  func agrees() async throws {
    try await Marketplace.with { market in
      let loans = try await market.lend(2)
      market.clock.advance(days: 10)
      for (number, loan) in loans.enumerated() {
        try await market.makeDue(loan)
        // 16 chips of 1,000,000 at 90 %, and ten days of 4,000.
        try await market.receive(14_440_000, "ROUND-\(number)", from: loan.startup)
      }
      let paid = try await market.settle(.payout)
      #expect(paid.state == .succeeded)
      let payouts = try await market.payouts()
      #expect(payouts.count == 1 && payouts[0].platformFee > 0)
      let out = payouts.flatMap { payout in
        [
          BankSheet.Line(-payout.net, EndToEndReference.of(payout.id)),
          BankSheet.Line(-payout.platformFee, EndToEndReference.ofFee(payout.id)),
        ]
      }
      let lines = [BankSheet.Line(14_440_000, "ROUND-0"), BankSheet.Line(14_440_000, "ROUND-1")] + out
      let taken = try await market.take(BankSheet(name: "S1", on: market.today, lines: lines))
      #expect(taken.matched == 4 && taken.waiting == 0)
      #expect(taken.breaks == [])
      #expect(taken.reviews.flatMap(\.drifts).map(\.drift) == [0])
      #expect(taken.reviews.flatMap(\.covers).map(\.shortfall) == [0])
      let run = try await market.settle(.reconcile)
      #expect(run.state == .succeeded)
      #expect(try run.sums == ["matched": 0, "waiting": 0, "drift.USD": 0])
      let broken = try await market.lawBreaches()
      #expect(broken == [])
    }
  }

  /// One kind of trouble: what the bank shows of two receipts of 1,000 and 2,500, ten days after they were recorded.
  struct Trouble: Sendable, CustomTestStringConvertible {
    let name: String
    /// The days are counted from the day of the receipts.
    let lines: [(amount: Int64, reference: String, day: Int64, status: String, isReversal: Bool)]
    let reasons: [String]
    let matched: Int64
    var measure: Int64?

    init(
      _ name: String, _ lines: [(Int64, String)], _ reasons: [String], matched: Int64, measure: Int64? = nil,
      day: Int64 = 0, status: String = "BOOK", reversed: Bool = false
    ) {
      self.name = name
      // Day, status and reversal are those of the last line.
      self.lines = lines.enumerated().map { index, line in
        let isLast = index == lines.count - 1
        return (line.0, line.1, isLast ? day : 0, isLast ? status : "BOOK", isLast && reversed)
      }
      self.reasons = reasons
      self.matched = matched
      self.measure = measure
    }

    var testDescription: String { name }
  }

  static let troubles = [
    Trouble("none", [(1_000, "A-1"), (2_500, "B-2")], [], matched: 2),
    Trouble("a reference nobody knows", [(1_000, "A-1"), (2_500, "B-2"), (7, "X")], ["unknown_reference"], matched: 2),
    Trouble("the bank's own fee", [(1_000, "A-1"), (2_500, "B-2"), (-15, "")], ["missing_in_books"], matched: 2),
    Trouble("less than recorded", [(2_500, "B-2"), (990, "A-1")], ["amount_differs"], matched: 1, measure: -10),
    Trouble("the same twice", [(1_000, "A-1"), (2_500, "B-2"), (1_000, "A-1")], ["booked_twice"], matched: 2),
    Trouble(
      "taken back", [(1_000, "A-1"), (2_500, "B-2"), (-1_000, "A-1")], ["reversed"], matched: 2, reversed: true),
    Trouble("never came", [(1_000, "A-1")], ["missing_on_statement"], matched: 1),
    Trouble("only announced", [(1_000, "A-1"), (2_500, "B-2")], ["missing_on_statement"], matched: 1, status: "PDNG"),
    Trouble("late", [(1_000, "A-1"), (2_500, "B-2")], ["late"], matched: 2, measure: 5, day: 8),
  ]

  @Test("each kind of trouble leaves exactly its break, and matching again changes nothing", arguments: troubles)
  func trouble(_ trouble: Trouble) async throws {
    try await Marketplace.with { market in
      let first = market.today
      try await market.receive(1_000, "A-1")
      try await market.receive(2_500, "B-2")
      market.clock.advance(days: 10)
      let lines = try trouble.lines.map { line in
        let on = try #require(first.adding(days: line.day))
        return BankSheet.Line(
          line.amount, line.reference, on: on, status: line.status, isReversal: line.isReversal)
      }
      let sheet = BankSheet(name: "S1", on: market.today, lines: lines)
      let taken = try await market.take(sheet)
      #expect(taken.breaks.map(\.reason) == trouble.reasons)
      #expect(taken.breaks.allSatisfy { $0.measure == trouble.measure })
      #expect(taken.matched == trouble.matched)
      let drift = sheet.closing - 3_500
      #expect(taken.reviews.flatMap(\.drifts).map(\.drift) == [drift])
      let run = try await market.settle(.reconcile)
      var totals: [String: Int64] = ["matched": 0, "waiting": 0, "drift.USD": drift]
      for reason in trouble.reasons { totals["breaks.\(reason)"] = 1 }
      if drift < 0 { totals["client_money_short.USD"] = -drift }
      #expect(try run.sums == totals)
      #expect(try await market.number(Self.breaks) == Int64(trouble.reasons.count))
      let broken = try await market.lawBreaches()
      #expect(broken == [])
    }
  }

  @Test("money in another currency than recorded is a break of line and receipt, and of nothing else")
  func otherCurrency() async throws {
    try await Marketplace.with { market in
      try await market.receive(1_000, "A-1")
      market.clock.advance(days: 10)
      let taken = try await market.take(
        BankSheet(name: "S1", on: market.today, lines: []),
        BankSheet(name: "C1", on: market.today, lines: [.init(1_000, "A-1")], currency: "CNY", account: "CLIENTS-CNY"))
      let found = try #require(taken.breaks.first)
      #expect(taken.breaks.count == 1 && found.reason == "currency_differs")
      #expect(found.expectedCurrency == .usd && found.amount == Money(1_000, .cny) && found.itemID != nil)
    }
  }

  @Test("a line that came before its receipt was recorded finds it later, and its break is settled")
  func later() async throws {
    try await Marketplace.with { market in
      let taken = try await market.take(BankSheet(name: "S1", on: market.today, lines: [.init(1_000, "A-1")]))
      #expect(taken.breaks.map(\.reason) == ["unknown_reference"])
      let receipt = try await market.receive(1_000, "A-1")
      let preview = try await market.planner().preview(.reconcile, on: market.today, closedThrough: nil)
      #expect(preview.totals["matched"] == 1 && preview.entryCount == 0)
      let run = try await market.settle(.reconcile)
      #expect(try run.sums == ["matched": 1, "waiting": 0, "drift.USD": 0])
      #expect(run.effectsHash == preview.hash)
      let row = try await market.bankBreak(taken.breaks[0].id)
      #expect(row.state == .settled && row.version == 2)
      // A settled break is nobody's to resolve any more.
      let resolve = ResolveBreak(breakID: row.id, note: "seen", ifVersion: nil)
      let refused = try await market.submit(resolve, by: Marketplace.staff())
      #expect(refused.refusalCode == "reconciliation.break_not_open")
      // The same money a second time is told from the first.
      try await market.pass(days: 1)
      let again = try await market.take(
        BankSheet(name: "S2", on: market.today, opening: 1_000, lines: [.init(1_000, "A-1")]))
      #expect(again.breaks.map(\.reason) == ["booked_twice"])
      #expect(again.breaks[0].candidates == ["receipt \(receipt.id)"])
      let broken = try await market.lawBreaches()
      #expect(broken == [])
    }
  }

  @Test("a statement that does not continue the last one is a break until the missing one comes")
  func gap() async throws {
    try await Marketplace.with { market in
      for number in 0..<3 { try await market.receive(100, "R-\(number)") }
      let days = (0...2).compactMap { market.today.adding(days: $0) }
      market.clock.advance(days: 2)
      func sheet(_ number: Int) -> BankSheet {
        BankSheet(
          name: "S\(number)", on: days[number], opening: Int64(number) * 100, lines: [.init(100, "R-\(number)")])
      }
      let first = try await market.take(sheet(0))
      #expect(first.breaks == [] && first.waiting == 2)
      let third = try await market.take(sheet(2))
      #expect(third.breaks.map(\.reason) == ["opening_differs"] && third.breaks[0].measure == 100)
      let second = try await market.take(sheet(1))
      #expect(second.breaks == [] && second.waiting == 0)
      #expect(try await market.bankBreak(third.breaks[0].id).state == .settled)
    }
  }

  @Test("a person resolves a break with a note; its line is then done with, and money that no break named is not")
  func resolved() async throws {
    try await Marketplace.with { market in
      let taken = try await market.take(BankSheet(name: "S1", on: market.today, lines: [.init(-15, "")]))
      let found = try #require(taken.breaks.first)
      let resolve = ResolveBreak(breakID: found.id, note: "account fee, billed to us", ifVersion: 1)
      let alone = try await market.submit(resolve, by: .automation)
      #expect(alone.refusalCode == "parties.person_required")
      let stale = try await market.submit(
        ResolveBreak(breakID: found.id, note: "x", ifVersion: 9), by: Marketplace.staff())
      #expect(stale.refusalCode != nil)
      let row = try await market.run(resolve, by: Marketplace.staff(2))
      #expect(row.state == .resolved && row.resolvedBy == Marketplace.staff(2).personID)
      let run = try await market.settle(.reconcile)
      // The money is gone all the same.
      #expect(
        try run.sums == ["matched": 0, "waiting": 0, "drift.USD": -15, "client_money_short.USD": 15])
      let broken = try await market.lawBreaches()
      #expect(broken == [])
    }
  }

  @Test("what was imported, contradicts it, or is not over yet is refused and changes nothing")
  func refused() async throws {
    try await Marketplace.with { market in
      let sheet = BankSheet(name: "S1", on: market.today, lines: [.init(1_000, "A-1")])
      try await market.take(sheet)
      let rows = try await market.number(Self.rows)
      var (other, foreign, ahead) = (sheet, sheet, sheet)
      other.lines[0].amount = 1_001
      (foreign.name, foreign.currency) = ("S2", "CNY")
      (ahead.name, ahead.on) = ("S3", try #require(market.today.adding(days: 1)))
      var fresh = sheet
      fresh.name = "S4"
      let cases: [([BankSheet], String)] = [
        ([sheet], "imported_before"), ([fresh, sheet], "imported_before"), ([other], "statement_differs"),
        ([foreign], "account_in_other_currency"), ([ahead], "not_closed_yet"),
      ]
      for (sheets, code) in cases {
        let answer = try await market.submit(market.importing(sheets), by: Marketplace.staff())
        #expect(answer.refusalCode == "bank_statement.\(code)")
      }
      let checked = try await market.submit(market.importing([fresh]), by: Marketplace.staff(), validateOnly: true)
      #expect(checked.refusalCode == nil)
      let stranger = try await market.lender()
      let strange = try await market.submit(market.importing([fresh]), by: stranger.principal)
      #expect(strange.refusalCode == "parties.role_required")
      #expect(try await market.number(Self.rows) == rows)
    }
  }

  @Test("of one file handed in many times at once, one is taken")
  func race() async throws {
    try await Marketplace.with { market in
      try await market.receive(1_000, "A-1")
      let command = try market.importing([BankSheet(name: "S1", on: market.today, lines: [.init(1_000, "A-1")])])
      try await market.withSecondProcess { other in
        let codes = try await withThrowingTaskGroup(of: String?.self) { group in
          for number in 0..<10 {
            group.addTask {
              try await (number % 2 == 0 ? market : other).submit(command, by: Marketplace.staff(), weight: .heavy)
                .refusalCode
            }
          }
          return try await group.reduce(into: [String?]()) { $0.append($1) }
        }
        #expect(codes.count { $0 == nil } == 1)
        #expect(codes.count { $0 == "bank_statement.imported_before" } == 9)
      }
      #expect(try await market.number(Self.rows) == 3)
    }
  }

  @Test("a day that is closed is reconciled after its close, since banks tell of a day when it is over")
  func afterClose() async throws {
    try await Marketplace.with { market in
      let day = market.today
      try await market.receive(1_000, "A-1")
      try await market.pass(days: 0)
      _ = try await market.settle(.dayClose)
      try await market.pass(days: 1)
      try await market.receive(50, "B-2")
      try await market.take(BankSheet(name: "S1", on: day, lines: [.init(1_000, "A-1")]))
      let planned = try await market.run(
        PlanSettlementRun(job: .reconcile, businessDate: day), by: Marketplace.staff())
      try await market.worker().workToEnd()
      // The drift is that of the day, whatever came after it; the later receipt may still come.
      #expect(try await market.run(planned.id).sums == ["matched": 0, "waiting": 1, "drift.USD": 0])
    }
  }

  private static let breaks = Statement(
    "test_bank_breaks", "select count(*) from reconciliation_breaks", columns: [.int8])
  private static let rows = Statement(
    "test_bank_rows",
    """
    select (select count(*) from bank_statements) + (select count(*) from bank_statement_lines)
      + (select count(*) from reconciliation_matches) + (select count(*) from reconciliation_breaks)
    """, columns: [.int8])
}
