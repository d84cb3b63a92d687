import Lending
import Primitives
import PropertyKit
import Testing

@Suite("What a loan owes of tax on its fee")
struct LoanTaxTests {
  private typealias F = LendingFixtures

  /// Ten of charges and five of tax among fifteen, a fee of twenty, 1,000 of principal.
  private func stored(_ state: LoanState = .due, due: LoanDue? = nil) throws -> Loan {
    try F.stored(state, outstanding: Debt(charges: 15, fee: 20, principal: 1_000, tax: 5), due: due)
  }

  @Test("tax is owed among the charges and makes nothing due; no penalty is taken of it as days pass")
  func added() throws {
    var loan = try stored(due: F.claim(500))
    let base = loan.penaltyBase
    try loan.addTax(7, now: LoanLife.Tax(total: 12, residue: -3))
    #expect(loan.outstanding == Debt(charges: 22, fee: 20, principal: 1_000, tax: 12))
    #expect(loan.outstanding.otherCharges == 10 && loan.due?.amount == 500 && loan.penaltyBase == base)
    #expect(loan.life.tax == LoanLife.Tax(total: 12, residue: -3))
    #expect(throws: LendingRefusal.overflow) { try loan.addTax(.max, now: LoanLife.Tax()) }
    #expect(loan.outstanding.tax == 12)
    var ended = try stored(.closed)
    #expect(throws: LendingRefusal.self) { try ended.addTax(1, now: LoanLife.Tax()) }
  }

  @Test("what is collectable takes other charges, then tax, then fee, then principal")
  func collectable() throws {
    for (amount, expected) in [
      (Int64(4), Debt(charges: 4, fee: 0, principal: 0)), (12, Debt(charges: 12, fee: 0, principal: 0, tax: 2)),
      (15, Debt(charges: 15, fee: 0, principal: 0, tax: 5)), (30, Debt(charges: 15, fee: 15, principal: 0, tax: 5)),
      (100, Debt(charges: 15, fee: 20, principal: 65, tax: 5)),
    ] {
      #expect(try stored(due: F.claim(amount)).collectable == expected, "\(amount)")
    }
  }

  @Test("a payment takes tax as tax, and never more of it, nor more of other charges, than is owed")
  func paid() throws {
    var loan = try stored(due: F.claim(nil))
    for wrong in [
      Debt(charges: 6, fee: 0, principal: 0, tax: 6), Debt(charges: 11, fee: 0, principal: 0),
      Debt(charges: 2, fee: 0, principal: 0, tax: 3), Debt(charges: 0, fee: 0, principal: 0, tax: -1),
    ] {
      #expect(throws: LendingRefusal.self, "\(wrong)") { try loan.pay(wrong) }
    }
    try loan.pay(Debt(charges: 12, fee: 0, principal: 0, tax: 4))
    #expect(loan.outstanding == Debt(charges: 3, fee: 20, principal: 1_000, tax: 1))
    try loan.forgive(Debt(charges: 1, fee: 0, principal: 0, tax: 1))
    #expect(loan.outstanding == Debt(charges: 2, fee: 20, principal: 1_000))
    #expect(throws: LendingRefusal.self) { try loan.forgive(Debt(charges: 1, fee: 0, principal: 0, tax: 1)) }
  }

  @Test("tax that is given back comes off the tax, then fee, principal and other charges, and no further")
  func givenBack() throws {
    for (amount, expected) in [
      (Int64(3), Debt(charges: 3, fee: 0, principal: 0, tax: 3)), (15, Debt(charges: 5, fee: 10, principal: 0, tax: 5)),
      (1_030, Debt(charges: 10, fee: 20, principal: 1_000, tax: 5)),
    ] {
      var loan = try stored(due: F.claim(nil))
      let before = loan.outstanding
      #expect(try loan.restateTax(-amount, now: LoanLife.Tax()) == expected, "\(amount)")
      #expect(try loan.outstanding.total() == before.total() - amount)
      #expect(loan.outstanding.otherCharges >= 0 && loan.outstanding.tax >= 0)
    }
    var loan = try stored(due: F.claim(nil))
    #expect(throws: LendingRefusal.self) { try loan.restateTax(-1_036, now: LoanLife.Tax()) }
    #expect(try loan.restateTax(4, now: LoanLife.Tax(total: 4)) == .none)
    #expect(loan.outstanding.tax == 9)
    // A penalty that was paid comes off everything else before it comes off the tax.
    #expect(
      try loan.takeBackPenalty(1_032, now: LoanLife.Penalty()) == Debt(charges: 12, fee: 20, principal: 1_000, tax: 2))
  }

  @Test("units that are sold take their part of the tax, and neither side is left with less than none")
  func sold() throws {
    try forAll { random in
      let charges = random.int64(in: 0...1_000)
      let tax = random.int64(in: 0...charges)
      let units = random.int64(in: 1...384)
      var loan = try F.stored(
        .active, outstanding: Debt(charges: charges, fee: random.int64(in: 0...99), principal: 1_000, tax: tax),
        unitsReturning: 0)
      let part = try loan.part(of: units, credited: 0)
      try hold(part.claim.tax >= 0 && part.claim.otherCharges >= 0, "\(part)")
      let bought = try loan.assign(
        part, to: F.borrower, as: LoanID(UUIDValue(high: 7, low: 7)), in: F.lotID, on: F.day("2026-03-01"), at: .epoch)
      try hold(loan.outstanding.tax >= 0 && loan.outstanding.otherCharges >= 0, "\(loan.outstanding)")
      try hold(bought.outstanding.tax + loan.outstanding.tax == tax, "\(bought.outstanding)")
      try hold(bought.life.tax == LoanLife.Tax(), "tax of the seller's days went along")
    }
  }

  @Test("money that paid tax is owed again as tax")
  func reinstated() throws {
    var loan = try stored(due: F.claim(nil))
    let clawback = ClawbackID(UUIDValue(high: 8, low: 8))
    try loan.reinstate(Debt(charges: 3, fee: 0, principal: 0, tax: 2), because: clawback, on: F.day("2026-07-01"))
    #expect(loan.outstanding == Debt(charges: 18, fee: 20, principal: 1_000, tax: 7))
    #expect(throws: LendingRefusal.self) {
      try loan.reinstate(Debt(charges: 1, fee: 0, principal: 0, tax: 2), because: clawback, on: F.day("2026-07-01"))
    }
  }
}
