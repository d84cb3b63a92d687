import Lending
import Primitives
import Testing

private typealias F = LendingFixtures

@Suite("The life of a loan")
struct LoanLifeTests {
  @Test("an agreed loan owes nothing and its chips are still the lender's")
  func agreed() throws {
    let loan = try F.agreed()
    #expect(loan.state == .agreed && loan.outstanding == .none && loan.possession == .lender && loan.title == .lender)
    #expect(loan.unitsOut == 0 && loan.accruedThrough == nil && loan.securityInterest == nil)
    #expect(loan.currency == .usd)
  }

  @Test("chips leave no earlier than the trade, and arrive no earlier than they left")
  func delivery() throws {
    var loan = try F.agreed()
    let before = loan
    #expect(throws: LendingRefusal.dateOutOfOrder(given: try F.day("2026-01-31"), earliest: loan.terms.tradeOn)) {
      try loan.dispatch(on: F.day("2026-01-31"))
    }
    #expect(loan == before)
    try loan.dispatch(on: F.day("2026-02-03"))
    #expect(loan.possession == .inTransit)
    #expect(loan.dispatchedOn == (try F.day("2026-02-03")))
    #expect(loan.outstanding == .none)
    let inTransit = loan
    #expect(throws: LendingRefusal.dateOutOfOrder(given: try F.day("2026-02-02"), earliest: try F.day("2026-02-03"))) {
      try loan.acceptDelivery(on: F.day("2026-02-02"))
    }
    #expect(loan == inTransit)
  }

  @Test("with the delivery accepted the principal is owed, the fee runs from that day, and the lien is filed")
  func accepted() throws {
    let loan = try F.delivered()
    let day = try F.day("2026-02-11")
    #expect(loan.outstanding == Debt(charges: 0, fee: 0, principal: 409_600_000))
    #expect(loan.unitsOut == 512 && loan.possession == .borrower && loan.title == .lender)
    #expect(loan.deliveredOn == day && loan.accruedThrough == day)
    #expect(loan.securityInterest?.filedOn == day && loan.securityInterest?.releasedOn == nil)
    #expect(loan.collectable == .none)
  }

  @Test("fees and charges add to their own part of the debt")
  func feesAndCharges() throws {
    var loan = try F.delivered()
    try loan.addFee(1_500)
    try loan.addFee(500)
    try loan.addCharge(70)
    #expect(loan.outstanding == Debt(charges: 70, fee: 2_000, principal: 409_600_000))
    #expect(loan.feeAccruedTotal == 2_000)
    try loan.pay(Debt(charges: 0, fee: 1_999, principal: 0))
    #expect(loan.feeAccruedTotal == 2_000)
  }

  @Test("a debt that would pass 64 bits in all is refused before any part of it does, and nothing changes")
  func overflow() throws {
    var loan = try F.delivered(principal: .max - 100)
    try loan.addFee(60)
    try loan.addCharge(40)
    let full = loan
    #expect(throws: LendingRefusal.overflow) { try loan.addFee(1) }
    #expect(throws: LendingRefusal.overflow) { try loan.addCharge(1) }
    #expect(throws: LendingRefusal.overflow) { try loan.addFee(.max) }
    #expect(loan == full)
    #expect(try loan.outstanding.total() == .max)
    // Everything that sums the debt up still works at this end.
    try loan.becomeDue(F.claim(.max))
    try loan.startReturn(512)
    try loan.finishReturn(512, credit: .max - 100)
    try loan.pay(loan.outstanding)
    #expect(loan.completion == .closable)
  }

  @Test("a payment of more than is owed on any part is refused whole, and so is one below zero")
  func overpayment() throws {
    var loan = try F.delivered()
    try loan.addFee(10)
    try loan.addCharge(5)
    let before = loan
    let payments = [
      Debt(charges: 6, fee: 0, principal: 0), Debt(charges: 0, fee: 11, principal: 0),
      Debt(charges: 0, fee: 0, principal: 409_600_001), Debt(charges: -1, fee: 0, principal: 0),
      Debt(charges: 0, fee: -1, principal: 1), Debt(charges: 0, fee: 0, principal: .min),
      Debt(charges: .max, fee: .max, principal: .max),
    ]
    for payment in payments {
      #expect(throws: LendingRefusal.self, "\(payment)") { try loan.pay(payment) }
      #expect(loan == before)
    }
  }

  @Test("a part that is due can be collected: charges first, then fee, then principal")
  func collectableOrder() throws {
    var loan = try F.delivered(principal: 1_000)
    try loan.addFee(20)
    try loan.addCharge(10)
    let expected: [(Int64, Debt)] = [
      (5, Debt(charges: 5, fee: 0, principal: 0)), (10, Debt(charges: 10, fee: 0, principal: 0)),
      (25, Debt(charges: 10, fee: 15, principal: 0)), (30, Debt(charges: 10, fee: 20, principal: 0)),
      (130, Debt(charges: 10, fee: 20, principal: 100)), (1_030, Debt(charges: 10, fee: 20, principal: 1_000)),
      (9_999, Debt(charges: 10, fee: 20, principal: 1_000)),
    ]
    for (amount, debt) in expected {
      var due = loan
      try due.becomeDue(F.claim(amount))
      #expect(due.collectable == debt, "\(amount)")
    }
  }

  @Test("when a part was due and is paid, the loan is active again")
  func partDue() throws {
    var loan = try F.delivered(principal: 1_000)
    try loan.becomeDue(F.claim(300))
    #expect(loan.state == .due && loan.due?.amount == 300)
    try loan.pay(Debt(charges: 0, fee: 0, principal: 200))
    #expect(loan.state == .due && loan.due?.amount == 100)
    try loan.pay(Debt(charges: 0, fee: 0, principal: 100))
    #expect(loan.state == .active && loan.due == nil && loan.collectable == .none)
    #expect(loan.outstanding.principal == 700)
  }

  @Test("when all of it is due, later fees are due as well, and it stays due until all is paid")
  func wholeDue() throws {
    var loan = try F.delivered(principal: 1_000)
    try loan.becomeDue(F.claim(nil, cause: .maturity))
    try loan.addFee(30)
    #expect(loan.collectable == Debt(charges: 0, fee: 30, principal: 1_000))
    try loan.pay(Debt(charges: 0, fee: 30, principal: 999))
    #expect(loan.state == .due && loan.due != nil)
    try loan.pay(Debt(charges: 0, fee: 0, principal: 1))
    #expect(loan.outstanding.isZero && loan.completion == .titleAct(units: 512))
  }

  @Test("two amounts that become due add up, from the earlier day, to at most the whole debt")
  func dueAdds() throws {
    var loan = try F.delivered(principal: 1_000)
    try loan.becomeDue(F.claim(300, since: "2026-06-01"))
    try loan.becomeDue(F.claim(400, since: "2026-05-01"))
    #expect(loan.due?.amount == 700)
    #expect(loan.due?.since == (try F.day("2026-05-01")))
    try loan.becomeDue(F.claim(400, since: "2026-07-01"))
    #expect(loan.due?.amount == 1_000)
    #expect(loan.due?.since == (try F.day("2026-05-01")))
  }

  @Test("a claim on all replaces a claim on a part, and no part replaces all")
  func dueReplaces() throws {
    var loan = try F.delivered(principal: 1_000)
    try loan.becomeDue(F.claim(300))
    try loan.becomeDue(F.claim(nil, since: "2026-08-01", cause: .maturity))
    #expect(loan.due == (try F.claim(nil, since: "2026-08-01", cause: .maturity)))
    let whole = loan
    try loan.becomeDue(F.claim(400))
    #expect(loan == whole)
  }

  @Test("two claims past 64 bits are refused and nothing changes")
  func dueOverflow() throws {
    var loan = try F.delivered(principal: 1_000)
    try loan.becomeDue(F.claim(.max))
    let before = loan
    #expect(throws: LendingRefusal.overflow) { try loan.becomeDue(F.claim(1)) }
    #expect(loan == before)
  }

  @Test("returned units are credited when they are graded; until then they are part of the debt")
  func returns() throws {
    var loan = try F.delivered(principal: 1_000)
    try loan.startReturn(128)
    #expect(loan.unitsOut == 384 && loan.unitsReturning == 128 && loan.outstanding.principal == 1_000)
    try loan.finishReturn(128, credit: 250)
    #expect(loan.unitsReturning == 0 && loan.unitsReturned == 128 && loan.outstanding.principal == 750)
    #expect(loan.completion == .running)
  }

  @Test("no more units return than are out, and no more is credited than is owed")
  func returnLimits() throws {
    var loan = try F.delivered(principal: 1_000)
    try loan.startReturn(128)
    let before = loan
    #expect(throws: LendingRefusal.moreThanOut(385, out: 384)) { try loan.startReturn(385) }
    #expect(throws: LendingRefusal.quantityNotPositive) { try loan.startReturn(0) }
    #expect(throws: LendingRefusal.quantityNotPositive) { try loan.startReturn(.min) }
    #expect(throws: LendingRefusal.moreThanOut(129, out: 128)) { try loan.finishReturn(129, credit: 0) }
    #expect(throws: LendingRefusal.moreThanOut(0, out: 128)) { try loan.finishReturn(0, credit: 0) }
    #expect(throws: LendingRefusal.self) { try loan.finishReturn(128, credit: 1_001) }
    #expect(throws: LendingRefusal.self) { try loan.finishReturn(128, credit: -1) }
    #expect(loan == before)
  }

  @Test("a credit shrinks what is due to what is still owed")
  func creditShrinksDue() throws {
    var loan = try F.delivered(principal: 1_000)
    try loan.becomeDue(F.claim(600))
    try loan.startReturn(256)
    try loan.finishReturn(256, credit: 500)
    #expect(loan.due?.amount == 500 && loan.state == .due)
    try loan.startReturn(256)
    try loan.finishReturn(256, credit: 500)
    #expect(loan.due == nil && loan.completion == .closable)
  }

  @Test("a loan paid off while chips are on their way back is active until they are graded")
  func paidWhileReturning() throws {
    var loan = try F.delivered(principal: 1_000)
    try loan.startReturn(512)
    try loan.becomeDue(F.claim(1_000))
    try loan.pay(Debt(charges: 0, fee: 0, principal: 1_000))
    #expect(loan.state == .active && loan.completion == .running)
    try loan.finishReturn(512, credit: 0)
    #expect(loan.completion == .closable)
  }

  @Test("a charge on chips graded last keeps a loan running that nothing else was due on")
  func lateCharge() throws {
    var loan = try F.delivered(principal: 1_000)
    try loan.becomeDue(F.claim(1_000))
    try loan.startReturn(512)
    try loan.finishReturn(512, credit: 1_000)
    try loan.addCharge(40)
    #expect(loan.state == .active && loan.due == nil && loan.completion == .running)
    try loan.pay(Debt(charges: 40, fee: 0, principal: 0))
    #expect(loan.completion == .closable)
  }

  @Test("paid for, title passes to the borrower, the lien is released, and the loan ends as paid off")
  func paidOff() throws {
    var loan = try F.delivered(principal: 1_000)
    try loan.pay(Debt(charges: 0, fee: 0, principal: 1_000))
    #expect(loan.completion == .titleAct(units: 512))
    let day = try F.day("2026-09-01")
    loan.close(on: day, titlePasses: true)
    #expect(loan.state == .closed && loan.closedAs == .paidOff && loan.closedOn == day)
    #expect(loan.title == .borrower && loan.possession == .borrower && loan.unitsOwned == 512 && loan.unitsOut == 0)
    #expect(loan.securityInterest?.releasedOn == day)
  }

  @Test("paid for under a verdict that holds, title waits: nothing is owed, and only the title can still pass")
  func titlePending() throws {
    var loan = try F.delivered(principal: 1_000)
    try loan.becomeDue(F.claim(nil))
    try loan.pay(Debt(charges: 0, fee: 0, principal: 1_000))
    loan.awaitTitle()
    #expect(loan.state == .titlePending && loan.title == .pending && loan.due == nil)
    #expect(loan.collectable == .none && loan.completion == .running)
    #expect(loan.unitsOut == 512 && loan.securityInterest?.releasedOn == nil)
    try loan.require(.passTitle)
    #expect(throws: LendingRefusal.illegalState(object: "loan", state: "title_pending", act: "charge")) {
      try loan.addCharge(1)
    }
    loan.close(on: try F.day("2026-10-01"), titlePasses: true)
    #expect(loan.closedAs == .paidOff && loan.title == .borrower && loan.unitsOwned == 512)
  }

  @Test("returned whole, the loan ends as returned and title never left the lender")
  func returned() throws {
    var loan = try F.delivered(principal: 1_000)
    try loan.startReturn(512)
    try loan.finishReturn(512, credit: 1_000)
    loan.close(on: try F.day("2026-09-01"), titlePasses: false)
    #expect(loan.closedAs == .returned && loan.title == .lender && loan.possession == .lender)
    #expect(loan.unitsReturned == 512 && loan.unitsOwned == 0)
  }

  @Test("part returned and the rest paid for, the loan ends as mixed")
  func mixed() throws {
    var loan = try F.delivered(principal: 1_000)
    try loan.startReturn(112)
    try loan.finishReturn(112, credit: 200)
    try loan.pay(Debt(charges: 0, fee: 0, principal: 800))
    #expect(loan.completion == .titleAct(units: 400))
    loan.close(on: try F.day("2026-09-01"), titlePasses: true)
    #expect(loan.closedAs == .mixed && loan.unitsOwned == 400 && loan.unitsReturned == 112)
    #expect(loan.possession == .borrower && loan.title == .borrower)
  }
}
