import Lending
import Primitives
import PropertyKit
import Testing

private typealias F = LendingFixtures

@Suite("Loans that an acquirer takes over")
struct AssumptionTests {
  private let acquirer = OrganizationID(UUIDValue(high: 8, low: 8))
  private let id = LoanID(UUIDValue(high: 8, low: 9))

  private func assume(_ loan: inout Loan) throws -> Loan {
    try loan.assume(by: acquirer, as: id, on: F.day("2026-02-20"), createdAt: .epoch)
  }

  @Test("what rounding left above goes over, what it left below stays: no fee of the new loan was rounded up yet")
  func residue() throws {
    for (residue, handed) in [(Int64(1_700_000), Int64(1_700_000)), (-1_700_000, 0), (0, 0)] {
      var loan = try F.stored(
        .active, outstanding: Debt(charges: 0, fee: 20, principal: 900), unitsOut: 512, unitsReturning: 0,
        unitsReturned: 0)
      loan.feeAccruedTotal = 20
      loan.accrualResidue = residue
      let taken = try assume(&loan)
      #expect(taken.accrualResidue == handed && taken.feeAccruedTotal == 0)
      #expect(loan.accrualResidue == 0)
    }
  }

  @Test("debt, rate, maturity, chips and lien go over; the old loan ends and owes nothing")
  func whole() throws {
    let rates = [RateChange(from: try F.day("2026-02-10"), rate: BasisPoints(700))]
    var loan = try F.stored(
      .active, outstanding: Debt(charges: 3, fee: 20, principal: 900), unitsOut: 512, unitsReturning: 0,
      unitsReturned: 0, life: LoanLife(rates: rates, extendedTo: F.day("2027-03-01")))
    let before = loan
    let taken = try assume(&loan)
    #expect(loan.state == .closed)
    #expect(loan.closedAs == .assumed)
    #expect(loan.outstanding.isZero)
    #expect(loan.unitsOut == 0)
    #expect(loan.completion == .running)
    #expect(taken.terms.borrowerID == acquirer)
    #expect(taken.terms.lenderID == before.terms.lenderID)
    #expect(taken.state == .active)
    #expect(taken.outstanding == before.outstanding)
    #expect(taken.terms.principal.amount == 900)
    #expect(taken.terms.quantity == 512)
    #expect(taken.unitsOut == 512)
    #expect(try taken.maturesOn == F.day("2027-03-01"))
    #expect(taken.securityInterest == before.securityInterest)
    #expect(taken.rate(on: try F.day("2026-02-21")) == BasisPoints(700))
    #expect(taken.feeAccruedTotal == 0)
    #expect(loan.feeAccruedTotal == before.feeAccruedTotal)
    #expect(taken.accruedThrough == before.accruedThrough)
  }

  @Test("an acquirer has what is left of the cap on penalties, though less principal goes over than was traded")
  func penaltyCap() throws {
    let terms = PenaltyTerms(rate: BasisPoints(500), graceDays: 0, cap: BasisPoints(100))
    var loan = try F.stored(
      .active, outstanding: Debt(charges: 3, fee: 20, principal: 900), unitsOut: 512, unitsReturning: 0,
      unitsReturned: 0, life: LoanLife(penalty: LoanLife.Penalty(through: F.day("2026-02-15"), total: 96_000)),
      penalty: terms)
    let taken = try assume(&loan)
    // One per cent of 409,600,000.
    #expect(try taken.penaltyCap() == 4_000_000 && taken.life.penalty.total == 0)
    #expect(try taken.life.penalty.through == F.day("2026-02-15"))
    #expect(try loan.penaltyCap() == 96_000 && loan.penaltyRoom() == 0)
  }

  @Test("a loan of which units came back, or a part is written off, is not taken over, nor changed")
  func parts() throws {
    for loan in [
      try F.stored(.active, unitsOut: 504, unitsReturning: 0, unitsReturned: 8),
      try F.stored(.active, unitsOut: 512, unitsReturning: 0, unitsReturned: 0, life: LoanLife(writtenOff: 1)),
    ] {
      var copy = loan
      #expect(throws: LendingRefusal.loan(.notWhole)) { try assume(&copy) }
      #expect(copy == loan)
    }
  }
}
