import Lending
import Primitives
import Testing

@Suite("What a loan owes for being late")
struct PenaltyTests {
  private typealias F = LendingFixtures

  @Test("days of payment holidays bear no penalty, wherever they lie and however they overlap")
  func pauses() throws {
    let start = try F.day("2026-03-01")
    func loan(_ pauses: [(Int64, Int64)]) throws -> Loan {
      try F.stored(
        .due,
        life: LoanLife(
          pauses: try pauses.map { first, last in
            LoanLife.Pause(
              from: try #require(start.adding(days: first)), through: try #require(start.adding(days: last)))
          }))
    }
    let end = try #require(start.adding(days: 10))
    // Against counting each day by itself.
    for pauses: [(Int64, Int64)] in [
      [], [(0, 0)], [(9, 9)], [(10, 20)], [(-5, -1)], [(-5, 3)], [(2, 4), (3, 6)], [(5, 6), (1, 2)], [(-1, 30)],
      [(4, 4), (4, 4)], [(8, 40), (0, 1)],
    ] {
      let counted = (0..<10).filter { day in !pauses.contains { $0.0 <= day && day <= $0.1 } }.count
      #expect(try loan(pauses).penaltyDays(from: start, to: end) == Int64(counted), "\(pauses)")
    }
    #expect(try loan([]).penaltyDays(from: end, to: start) == 0)
  }

  @Test("the base is what is due without charges, or the principal where everything is")
  func base() throws {
    #expect(try F.stored(.active).penaltyBase == 0)
    #expect(try F.stored(.due, due: F.claim(500)).penaltyBase == 490)
    #expect(try F.stored(.due, due: F.claim(5)).penaltyBase == 0)
    #expect(try F.stored(.overdue, due: F.claim(nil)).penaltyBase == 1_000)
  }

  @Test("a penalty is due at once and bears none itself; taken back, it comes off charges, fee and principal")
  func charged() throws {
    var loan = try F.stored(.due, due: F.claim(500))
    let base = loan.penaltyBase
    try loan.addPenalty(7, now: LoanLife.Penalty(through: try F.day("2026-06-10"), total: 7, residue: 1))
    #expect(loan.outstanding.charges == 17 && loan.due?.amount == 507 && loan.penaltyBase == base)
    #expect(loan.life.penalty.total == 7)
    var paid = loan
    try paid.pay(Debt(charges: 17, fee: 15, principal: 0))
    let taken = try paid.takeBackPenalty(7, now: LoanLife.Penalty())
    #expect(taken == Debt(charges: 0, fee: 5, principal: 2))
    #expect(paid.due?.amount == Int64(468))
    #expect(try loan.takeBackPenalty(7, now: LoanLife.Penalty()) == Debt(charges: 7, fee: 0, principal: 0))
    #expect(loan.due?.amount == 500)
    #expect(throws: LendingRefusal.self) { try loan.takeBackPenalty(2_000, now: LoanLife.Penalty()) }
  }

  @Test("insolvency stays it, and so does a loan without such a term")
  func stayed() throws {
    let on = try F.day("2026-06-01")
    #expect(try F.stored(.due, due: F.claim(500)).penaltyFrom == nil)
    let insolvent = LoanLife(default: LoanLife.Default(cause: .insolvency, on: on, cureUntil: nil))
    #expect(try F.stored(.defaulted, due: F.claim(nil), life: insolvent).penaltyFrom == nil)
  }
}
