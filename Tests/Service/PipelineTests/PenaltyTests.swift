import DomainFixtures
import Lending
import Operations
import Parties
import Persistence
import Postgres
import PostgresHarness
import Primitives
import PropertyKit
import Repayment
import SchemaFixtures
import Testing

/// A loan of 14,400,000 that bears 36 % a year while it is overdue, after two days of grace: 14,400 a day on all of it.
@Suite("A loan that is paid late", .timeLimit(.minutes(2)))
struct PenaltyTests {
  private static let perDay: Int64 = 14_400

  private func lend(_ market: Marketplace, cap: BasisPoints? = nil) async throws -> LentChips {
    try await LentChips(
      market, recallNoticeDays: 30, penalty: PenaltyTerms(rate: BasisPoints(3_600), graceDays: 2, cap: cap))
  }

  private func rows(_ lent: LentChips) async throws -> [PenaltyRow] {
    try await lent.market.database.withConnection { connection in
      let query = Query(Details.penaltiesOfLoan, [.uuid(nil), .uuid(lent.id.value.bits)])
      return try Tables.penalties.decode(await connection.run(query, deadline: soon()))
    }
  }

  @Test("bears its penalty from the end of the grace on, day by day or at once, and never twice")
  func accrual() async throws {
    try await Marketplace.with { market in
      let lent = try await lend(market)
      try await lent.letRecallLapse()
      // Due since day 30, today is day 40: eight days bear a penalty.
      try await lent.accrue()
      #expect(try await lent.loan().outstanding.charges == 8 * Self.perDay)
      try await lent.accrue()
      #expect(try await lent.loan().outstanding.charges == 8 * Self.perDay)
      for _ in 0..<3 {
        market.clock.advance(days: 1)
        try await lent.accrue()
      }
      market.clock.advance(days: 4)
      let quote = try LoanFee.payoff(of: try await lent.loan(), on: lent.today)
      try await lent.accrue()
      let loan = try await lent.loan()
      #expect(loan.outstanding.charges == 15 * Self.perDay && quote.charges == 15 * Self.perDay)
      #expect(loan.life.penalty.total == 15 * Self.perDay)
      #expect(try await lent.entries("penalty_charged") == 2 * 5)
      let rows = try await rows(lent)
      #expect(rows.map(\.days) == [8, 1, 1, 1, 4] && rows.allSatisfy { $0.base == LentChips.principal })
      #expect(try await lent.breaches() == [])
      try await lent.pay(quote.total)
      let closed = try await lent.loan()
      #expect(closed.state == .closed && closed.outstanding.isZero)
      #expect(try await lent.breaches() == [])
    }
  }

  @Test("money recorded days after it came takes back what those days bore, and they bear it anew on what is left")
  func backdated() async throws {
    try await Marketplace.with { market in
      let lent = try await lend(market)
      try await lent.letRecallLapse()
      let came = lent.today
      for _ in 0..<5 {
        market.clock.advance(days: 1)
        try await lent.accrue()
      }
      #expect(try await lent.loan().outstanding.charges == 13 * Self.perDay)
      _ = try await market.run(
        RecordCashReceipt(
          receivedOn: came, amount: Money(10_000_000, .usd), source: .instalment, payerID: lent.startup.id,
          reference: nil), by: Marketplace.staff())
      // It paid the penalty of eight days, the fee posted so far, and principal with the rest.
      let principal = LentChips.principal - (10_000_000 - 8 * Self.perDay - 45 * LentChips.perDay)
      let loan = try await lent.loan()
      #expect(loan.outstanding.principal == principal && loan.outstanding.fee == 0)
      #expect(loan.outstanding.charges == principal * 5 / 1_000)
      #expect(loan.life.penalty.total == 8 * Self.perDay + principal * 5 / 1_000)
      #expect(try await lent.entries("penalty_taken_back") > 0)
      #expect(try await lent.breaches() == [])
      // A second one, of a day still earlier than the first.
      market.clock.advance(days: 1)
      try await lent.accrue()
      let earlier = try #require(came.adding(days: -4))
      _ = try await market.run(
        RecordCashReceipt(
          receivedOn: earlier, amount: Money(1_000_000, .usd), source: .instalment, payerID: lent.startup.id,
          reference: nil), by: Marketplace.staff())
      // Four days bear it on all but the second, six on what both left.
      let bases = try await rows(lent).filter { $0.reverses == nil }.map(\.base)
      #expect(bases.count { $0 == LentChips.principal - 1_000_000 } == 1)
      #expect(bases.count { $0 == principal - 1_000_000 } == 6)
      #expect(try await lent.breaches() == [])
      // All of it: whatever is left is paid, and the loan closes with its books even.
      let owed = try LoanFee.payoff(of: try await lent.loan(), on: lent.today).total
      try await lent.pay(owed)
      #expect(try await lent.loan().state == .closed)
      #expect(try await lent.breaches() == [])
    }
  }

  @Test("a payment holiday bears none and counts no day; lateness goes through its buckets, each told once")
  func holidayAndBuckets() async throws {
    try await Marketplace.with { market in
      let lent = try await lend(market)
      func age() async throws -> LoanLife.Lateness? {
        _ = try await market.run(AgeDelinquency(borrowerID: lent.startup.id, on: lent.today), by: .automation)
        return try await lent.loan().life.lateness
      }
      #expect(try await age() == nil)
      try await lent.letRecallLapse()
      #expect(try await age() == LoanLife.Lateness(on: lent.today, daysPastDue: 10, bucket: "1-29"))
      try await lent.accrue()
      let until = try #require(lent.today.adding(days: 19))
      let pause = try await lent.propose(.paymentPause(until: until), by: lent.startup)
      _ = try await lent.answer(pause, .accept, by: lent.lender).get()
      market.clock.advance(days: 20)
      try await lent.accrue()
      #expect(try await lent.loan().outstanding.charges == 8 * Self.perDay)
      // The day on which the pause was accepted is the first of its twenty.
      #expect(try await age()?.daysPastDue == 10)
      market.clock.advance(days: 19)
      #expect(try await age()?.bucket == "1-29")
      market.clock.advance(days: 1)
      #expect(try await age() == LoanLife.Lateness(on: lent.today, daysPastDue: 30, bucket: "30-59"))
      #expect(try await age()?.bucket == "30-59")
      try await lent.accrue()
      #expect(try await lent.loan().outstanding.charges == 28 * Self.perDay)
      let told = try await lent.events().filter { $0.type == "loan.lateness_changed" }
      #expect(told.count == 2)
      let report = try LatenessReport([try await lent.loan()], on: lent.today)
      #expect(report.lines.map(\.bucket) == ["30-59"] && report.lines[0].mostDaysPastDue == 30)
      #expect(report.lines[0].due == (try await lent.loan().outstanding.total()))
      #expect(try await lent.breaches() == [])
    }
  }

  @Test("a cap ends it; a default goes on bearing it, and an insolvency stays it")
  func capAndDefault() async throws {
    try await Marketplace.with { market in
      // One per cent of the principal: ten days.
      let lent = try await lend(market, cap: BasisPoints(100))
      try await lent.letRecallLapse()
      try await lent.accrue()
      market.clock.advance(days: 1)
      _ = try await market.run(
        DeclareDefault(loanID: lent.id, cause: .nonPayment, cureDays: nil, reason: nil, ifVersion: nil),
        by: lent.lender.principal)
      market.clock.advance(days: 4)
      try await lent.accrue()
      let loan = try await lent.loan()
      // The fee stood still in default, the penalty went on to its cap.
      #expect(loan.outstanding.fee == 41 * LentChips.perDay && loan.outstanding.charges == 10 * Self.perDay)
      #expect(try await rows(lent).last?.isCapped == true)
      #expect(try await lent.breaches() == [])
    }
    try await Marketplace.with { market in
      let lent = try await lend(market)
      try await lent.letRecallLapse()
      _ = try await market.run(
        DeclareDefault(loanID: lent.id, cause: .insolvency, cureDays: nil, reason: nil, ifVersion: nil),
        by: lent.lender.principal)
      market.clock.advance(days: 10)
      try await lent.accrue()
      #expect(try await lent.loan().outstanding.charges == 8 * Self.perDay)
      #expect(try await lent.breaches() == [])
    }
  }

  @Test("of a part that is due only that part bears it, and what is paid of it no longer")
  func partlyDue() async throws {
    try await Marketplace.with { market in
      let lent = try await lend(market)
      // Four of sixteen units are lost: their value is due today.
      _ = try await market.run(
        RecordCasualty(
          loanID: lent.id, quantity: 4, occurredOn: lent.today, cause: .fire, reason: nil, ifVersion: nil),
        by: lent.startup.principal)
      market.clock.advance(days: 12)
      try await lent.accrue()
      let due = LentChips.principal / 4
      #expect(try await lent.loan().outstanding.charges == due * 10 / 1_000)
      #expect(try await lent.loan().due?.amount == due + due * 10 / 1_000)
      #expect(try await lent.breaches() == [])
      try await lent.pay(due * 10 / 1_000 + due / 2)
      market.clock.advance(days: 10)
      try await lent.accrue()
      #expect(try await lent.loan().outstanding.charges == due / 2 * 10 / 1_000)
      #expect(try await lent.breaches() == [])
      let rest = try await lent.loan().collectable
      try await lent.pay(try rest.total())
      let after = try await lent.loan()
      #expect(after.state == .active && after.due == nil && after.outstanding.charges == 0)
      market.clock.advance(days: 10)
      try await lent.accrue()
      #expect(try await lent.loan().outstanding.charges == 0)
      #expect(try await lent.breaches() == [])
    }
  }

  @Test("whatever is paid and whenever it is recorded, each day bears it on what was unpaid on it, rounded once")
  func randomReceipts() async throws {
    var takenBack = 0
    for seed in UInt64(1)...4 {
      try await Marketplace.with(seed: seed) { market in
        var random = SplitMix64(seed: seed)
        let lent = try await lend(market)
        try await lent.letRecallLapse()
        for _ in 0..<14 {
          market.clock.advance(days: random.int64(in: 0...6))
          if random.oneIn(2) { try await lent.accrue() }
          if random.oneIn(9) {
            let until = try #require(lent.today.adding(days: random.int64(in: 1...5)))
            if let pause = try? await lent.propose(.paymentPause(until: until), by: lent.startup) {
              _ = try await lent.answer(pause, .accept, by: lent.lender).get()
            }
          }
          let came = try #require(lent.today.adding(days: -random.int64(in: 0...12)))
          let amount = random.int64(in: 1...random.int64(in: 2...900_000))
          _ = try await market.run(
            RecordCashReceipt(
              receivedOn: came, amount: Money(amount, .usd), source: .instalment, payerID: lent.startup.id,
              reference: nil), by: Marketplace.staff())
          #expect(try await lent.breaches() == [], "seed \(seed)")
          let (found, expected) = try await twin(lent)
          #expect(found == expected, "seed \(seed) on \(lent.today)")
        }
        takenBack += try await rows(lent).count { $0.reverses != nil }
      }
    }
    // Receipts that came before days which bore a penalty were among them.
    #expect(takenBack > 0)
  }

  /// What was charged in all, and what a naive count over every day comes to: principal less what had come by then.
  private func twin(_ lent: LentChips) async throws -> (found: Int64, expected: Int64) {
    let loan = try await lent.loan()
    let explanation = try await market(lent) { connection in
      try LoanExplanation(
        loan,
        await connection.pipeline(
          LoanExplanation.queries(for: loan, of: loan.terms.borrowerID, scope: .uuid(nil)), deadline: soon()))
    }
    let moves = explanation.parts(of: .outstanding, on: .latest)
    let due = try #require(loan.due)
    var day = try #require(due.since.adding(days: 2))
    var exact: Int128 = 0
    while let through = loan.life.penalty.through, day < through {
      let isPaused = loan.life.pauses.contains { $0.from <= day && day <= $0.through }
      let principal = moves.filter { $0.on <= day }.reduce(0) { $0 + $1.amount }
      if !isPaused { exact += Int128(principal) * 3_600 }
      day = try #require(day.adding(days: 1))
    }
    return (loan.life.penalty.total, try exact.divided(by: 3_600_000, rounding: .halfEven).asInt64())
  }

  private func market<R>(_ lent: LentChips, _ body: (PostgresConnection) async throws -> R) async throws -> R {
    try await lent.market.database.withConnection { try await body($0) }
  }
}
