import Lending
import Primitives
import PropertyKit
import Testing

private typealias F = LendingFixtures

@Suite("Debt that is owed again")
struct ReinstatementTests {
  private let clawback = ClawbackID(UUIDValue(high: 7, low: 7))

  /// Paid off on 2026-03-01, with the title passed.
  private func closed() throws -> Loan {
    var loan = try F.delivered()
    try loan.becomeDue(F.claim(nil, since: "2026-03-01"))
    try loan.pay(loan.outstanding)
    loan.close(on: try F.day("2026-03-01"), titlePasses: true)
    return loan
  }

  @Test("a closed loan runs again, all of it due at once, its title and its release as they were")
  func closedLoan() throws {
    var loan = try closed()
    let date = try F.day("2026-03-20")
    #expect(try loan.reinstate(Debt(charges: 0, fee: 5, principal: 900), because: clawback, on: date))
    #expect(loan.state == .reinstated && loan.isRunning && loan.closedAs == nil && loan.closedOn == nil)
    #expect(loan.due == LoanDue(cause: .clawBack, causeID: clawback.value, since: date, amount: nil))
    #expect(loan.collectable == Debt(charges: 0, fee: 5, principal: 900))
    // The days in between bore no fee.
    #expect(loan.accruedThrough == date)
    #expect(loan.title == .borrower && loan.possession == .borrower && loan.unitsOwned == F.quantity)
    let released = try F.day("2026-03-01")
    #expect(loan.hasClosedBefore && loan.securityInterest?.releasedOn == released)
    // A part of it again: still one claim for all.
    #expect(try !loan.reinstate(Debt(charges: 1, fee: 0, principal: 0), because: clawback, on: date))
    #expect(loan.state == .reinstated && loan.due?.amount == nil)
    try loan.addFee(3)
    try loan.pay(loan.outstanding)
    #expect(loan.completion == .closable)
    loan.close(on: date, titlePasses: false)
    #expect(loan.state == .closed && loan.closedAs == .paidOff && loan.closedOn == date)
    #expect(loan.securityInterest?.releasedOn == released)
  }

  @Test("a loan that waits for its title owes again, and the title is the lender's as long as it does")
  func titlePending() throws {
    var loan = try F.delivered()
    try loan.becomeDue(F.claim(nil, since: "2026-03-01"))
    try loan.pay(loan.outstanding)
    loan.awaitTitle()
    let date = try F.day("2026-03-20")
    #expect(try !loan.reinstate(Debt(charges: 0, fee: 0, principal: 900), because: clawback, on: date))
    #expect(loan.state == .due && loan.title == .lender && !loan.hasClosedBefore)
    #expect(loan.due?.amount == nil && loan.accruedThrough == date)
    try loan.pay(loan.outstanding)
    #expect(loan.completion == .titleAct(units: F.quantity))
  }

  @Test("on a running loan the same amount is due again, beside what is due anyway")
  func running() throws {
    let date = try F.day("2026-03-20")
    var loan = try F.delivered()
    try loan.becomeDue(F.claim(1_000, since: "2026-03-01"))
    try loan.pay(Debt(charges: 0, fee: 0, principal: 1_000))
    #expect(loan.state == .active)
    #expect(try !loan.reinstate(Debt(charges: 0, fee: 0, principal: 400), because: clawback, on: date))
    #expect(loan.state == .due && loan.due?.amount == 400 && loan.due?.cause == .clawBack)
    try loan.becomeDue(F.claim(50, since: "2026-03-25"))
    try loan.reinstate(Debt(charges: 0, fee: 0, principal: 600), because: clawback, on: date)
    #expect(loan.due?.amount == 1_050)
    #expect(loan.outstanding.principal == loan.terms.principal.amount)
  }

  @Test("nothing, less than nothing, and more principal than was lent are refused, and change nothing")
  func refusals() throws {
    let date = try F.day("2026-03-20")
    for debt in [
      Debt.none, Debt(charges: -1, fee: 0, principal: 5), Debt(charges: 0, fee: 0, principal: .max),
      Debt(charges: .max, fee: .max, principal: 0),
      Debt(charges: 0, fee: 0, principal: try closed().terms.principal.amount + 1),
    ] {
      var loan = try closed()
      let before = loan
      #expect(throws: LendingRefusal.self) { try loan.reinstate(debt, because: clawback, on: date) }
      #expect(loan == before)
    }
  }

  @Test("principal of lost units that is owed again is credited to no return")
  func lostUnits() throws {
    var loan = try F.delivered()
    let date = try F.day("2026-03-20")
    let half = loan.terms.principal.amount / 2
    try loan.loseUnits(F.quantity / 2, principal: half, on: date)
    try loan.pay(Debt(charges: 0, fee: 0, principal: half))
    #expect(loan.principalOfUnits == half)
    try loan.reinstate(Debt(charges: 0, fee: 0, principal: half), because: clawback, on: date)
    #expect(loan.principalOfUnits == half && loan.life.casualtyPrincipal == half)
  }
}
