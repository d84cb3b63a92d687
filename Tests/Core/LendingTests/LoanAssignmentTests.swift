import Lending
import Parties
import Primitives
import PropertyKit
import Testing

private typealias F = LendingFixtures

@Suite("Loans: the sale of a part")
struct LoanAssignmentTests {
  private let buyer = OrganizationID(UUIDValue(high: 1, low: 3))
  private let boughtID = LoanID(UUIDValue(high: 6, low: 2))
  private let boughtLot = LotID(UUIDValue(high: 2, low: 2))

  private func assign(_ loan: inout Loan, _ count: Int64, credited: Int64 = 0) throws -> (AssignedPart, Loan) {
    let part = try loan.part(of: count, credited: credited)
    let bought = try loan.assign(
      part, to: buyer, as: boughtID, in: boughtLot, on: F.day("2026-03-01"), at: .epoch)
    return (part, bought)
  }

  @Test("the whole of a loan goes with every minor unit, and the seller's ends as assigned")
  func whole() throws {
    var loan = try F.delivered(principal: 1_001)
    try loan.addFee(7)
    try loan.addCharge(3)
    try loan.becomeDue(F.claim(500))
    loan.accrualResidue = 9
    let (part, bought) = try assign(&loan, 512)
    #expect(part.isWhole && part.principal == 1_001)
    #expect(bought.outstanding == Debt(charges: 3, fee: 7, principal: 1_001))
    #expect(bought.due?.amount == 500 && bought.state == .due)
    #expect(bought.accrualResidue == 9 && loan.accrualResidue == 0)
    #expect(bought.terms.lenderID == buyer && bought.terms.lotID == boughtLot && bought.terms.quantity == 512)
    #expect(bought.securityInterest == loan.securityInterest && bought.securityInterest?.releasedOn == nil)
    #expect(bought.life.acquired?.lineage == [F.loanID])
    #expect(loan.state == .closed && loan.closedAs == .assigned && loan.title == .assigned)
    #expect(loan.outstanding.isZero && loan.due == nil && loan.unitsOut == 0 && loan.life.unitsAssigned == 512)
  }

  @Test("a part gets its share by units rounded down; what is left over stays with the seller")
  func part() throws {
    var loan = try F.delivered(principal: 1_001)
    try loan.addFee(7)
    try loan.becomeDue(F.claim(500))
    loan.accrualResidue = -9
    let (_, bought) = try assign(&loan, 128)
    #expect(bought.outstanding == Debt(charges: 0, fee: 1, principal: 250))
    #expect(bought.terms.principal.amount == 250 && bought.due?.amount == 125)
    #expect(loan.outstanding == Debt(charges: 0, fee: 6, principal: 751))
    #expect(loan.due?.amount == 375 && loan.state == .due && loan.unitsOut == 384)
    // What was posted beyond the exact fee is the seller's.
    #expect(loan.accrualResidue == -9 && bought.accrualResidue == 0)
    #expect(loan.terms.principal.amount == 1_001 && loan.life.principalAssigned == 250)
  }

  @Test("rates, maturity, recall and default go along, and days before the sale are not the buyer's to change")
  func history() throws {
    var loan = try F.delivered()
    try loan.reRate(RateChange(from: F.day("2026-02-20"), rate: BasisPoints(900)))
    try loan.extend(to: F.day("2027-06-01"), on: F.day("2026-02-20"))
    try loan.recall(on: F.day("2026-02-20"), noticeDays: 30)
    try loan.declareDefault(.insolvency, on: F.day("2026-02-25"), cureUntil: nil)
    var (_, bought) = try assign(&loan, 256)
    #expect(bought.state == .defaulted && bought.life.default == loan.life.default)
    #expect(bought.life.rates == loan.life.rates && bought.maturesOn == loan.maturesOn)
    #expect(bought.life.recall == loan.life.recall)
    try bought.cure()
    #expect(bought.state == .recalled)
    let early = try F.day("2026-02-28")
    let earliest = try F.day("2026-03-01")
    let refusal = LoanRefusal.dateOutOfRange(
      pointer: "/from_on", given: early, earliest: earliest, latest: .latest)
    #expect(throws: LendingRefusal.loan(refusal)) {
      try bought.reRate(RateChange(from: early, rate: BasisPoints(800)))
    }
    try bought.reRate(RateChange(from: earliest, rate: BasisPoints(800)))
  }

  @Test("lost units keep their principal with the seller, unless all is sold")
  func lost() throws {
    var loan = try F.delivered(principal: 5_120)
    try loan.loseUnits(64, principal: 640, on: F.day("2026-02-20"))
    var some = loan
    let (part, bought) = try assign(&some, 224)
    #expect(part.claim.principal == 2_240 && part.principal == 2_240 && bought.life.casualtyPrincipal == 0)
    #expect(some.outstanding.principal == 2_880 && some.life.casualtyPrincipal == 640)
    let (_, all) = try assign(&loan, 448)
    #expect(
      all.outstanding.principal == 5_120 && all.life.casualtyPrincipal == 640 && all.terms.principal.amount == 5_120)
  }

  @Test("nothing is sold of chips on their way back, more than is out, or nothing")
  func refusals() throws {
    var loan = try F.delivered()
    #expect(throws: LendingRefusal.quantityNotPositive) { try loan.part(of: 0, credited: 0) }
    #expect(throws: LendingRefusal.moreThanOut(513, out: 512)) { try loan.part(of: 513, credited: 0) }
    try loan.startReturn(8)
    #expect(throws: LendingRefusal.loan(.assignmentBarred("chips are on their way back"))) {
      try loan.part(of: 8, credited: 0)
    }
    let taken = try F.stored(
      .defaulted, unitsReturning: 0,
      life: LoanLife(default: .init(cause: .insolvency, on: F.day("2026-02-20"), cureUntil: nil), unitsRepossessed: 64))
    #expect(throws: LendingRefusal.loan(.assignmentBarred("chips that were taken back are not disposed of"))) {
      try taken.part(of: 8, credited: 0)
    }
    let old = LoanLife.Acquisition(
      on: try F.day("2026-02-20"), lineage: Array(repeating: F.loanID, count: Loan.mostAssignments))
    var handedOn = try F.stored(.active, unitsReturning: 0, life: LoanLife(acquired: old))
    let part = try handedOn.part(of: 8, credited: 0)
    #expect(throws: LendingRefusal.loan(.soldTooOften(Loan.mostAssignments))) {
      try handedOn.assign(part, to: buyer, as: boughtID, in: boughtLot, on: F.day("2026-03-01"), at: .epoch)
    }
  }

  /// Sums over the loans that one became, with the one itself.
  private struct Sums: Equatable {
    var units: Int64 = 0
    var debt = Debt.none
    var due: Int64 = 0
    var residue: Int64 = 0
    var principal: Int64 = 0
    var casualty: Int64 = 0

    init(_ loans: [Loan], credited: Int64) {
      for loan in loans {
        units += loan.unitsOut
        debt.charges += loan.outstanding.charges
        debt.fee += loan.outstanding.fee
        debt.principal += loan.outstanding.principal
        due += loan.due?.amount ?? 0
        residue += loan.accrualResidue
        principal += loan.terms.principal.amount - loan.life.principalAssigned
        casualty += loan.life.casualtyPrincipal
      }
      principal -= credited
    }
  }

  @Test("however a loan is sold and sold on, every unit and every minor unit of every amount is somewhere, once")
  func conserves() throws {
    try forAll { random in
      let lost = random.oneIn(3) ? random.int64(in: 1...100) : Int64(0)
      let out = random.int64(in: 1...(512 - lost))
      let credited = out + lost < 512 ? random.int64(in: 0...1_000) : Int64(0)
      let casualty = lost == 0 ? Int64(0) : random.int64(in: 0...5_000)
      let principal = casualty + random.int64(in: 0...1_000_000)
      let paid = random.int64(in: 0...1_000_000)
      let debt = Debt(
        charges: random.int64(in: 0...999), fee: random.int64(in: 0...99_999), principal: principal)
      let dueAmount = random.int64(in: 1...max(1, try debt.total()))
      let isDue = try debt.total() > 0 && random.oneIn(2)
      let first = Loan(
        id: F.loanID, terms: try F.terms(principal: principal + paid + credited), state: isDue ? .due : .active,
        closedAs: nil, unitsOut: out, unitsReturning: 0, unitsReturned: 512 - out - lost, unitsOwned: 0,
        outstanding: debt, feeAccruedTotal: 200_000, accrualResidue: random.int64(in: -1_800_000...1_800_000),
        accruedThrough: try F.day("2026-02-11"), due: isDue ? try F.claim(dueAmount) : nil, possession: .borrower,
        title: .lender, securityInterest: nil, dispatchedOn: nil, deliveredOn: nil, closedOn: nil,
        life: LoanLife(unitsLost: lost, casualtyPrincipal: casualty), version: 1, createdAt: .epoch, updatedAt: .epoch)
      var loans = [first]
      let before = Sums(loans, credited: credited)
      for step in 1...6 as ClosedRange<UInt64> {
        let position = random.int(in: 0...(loans.count - 1))
        guard loans[position].unitsOut > 0, loans[position].state != .closed else { continue }
        let count = random.int64(in: 1...loans[position].unitsOut)
        let part = try loans[position].part(of: count, credited: position == 0 ? credited : 0)
        let bought = try loans[position].assign(
          part, to: buyer, as: LoanID(UUIDValue(high: 7, low: step)), in: boughtLot, on: F.day("2026-03-01"),
          at: .epoch)
        loans.append(bought)
      }
      try hold(Sums(loans, credited: credited) == before, "something was made or lost")
      for loan in loans {
        let owed = loan.outstanding
        try hold(owed.principal <= loan.terms.principal.amount, "more principal than was traded")
        try hold(
          min(owed.charges, owed.fee, owed.principal, loan.life.casualtyPrincipal) >= 0, "a part is below zero")
        try hold(try loan.due?.amount ?? 0 <= owed.total(), "more is due than is owed")
        try hold(loan.due == nil || loan.state == .due, "due and \(loan.state)")
        // What carries on must be a state that a fee can accrue from.
        try hold(loan.accrualResidue >= 0 || loan.feeAccruedTotal > 0, "a residue of nothing")
        let units = loan.unitsOut + loan.unitsReturned + loan.life.unitsLost + loan.life.unitsAssigned
        try hold(units == loan.terms.quantity, "units are missing")
      }
    }
  }

  @Test("the cap on penalties counts over the whole life of a debt: what came of one loan has together what it had")
  func penaltyCap() throws {
    try forAll { random in
      let terms = PenaltyTerms(rate: BasisPoints(500), graceDays: 0, cap: BasisPoints(random.int64(in: 0...300)))
      func stored(total: Int64) throws -> Loan {
        try F.stored(
          .active, unitsOut: 384, unitsReturning: 0, unitsReturned: 128,
          life: LoanLife(penalty: LoanLife.Penalty(total: total)), penalty: terms)
      }
      let cap = try #require(try stored(total: 0).penaltyCap())
      let first = try stored(total: random.int64(in: 0...cap))
      var loans = [first]
      for step in 1...6 as ClosedRange<UInt64> {
        let position = random.int(in: 0...(loans.count - 1))
        guard loans[position].unitsOut > 0, loans[position].state != .closed else { continue }
        let part = try loans[position].part(of: random.int64(in: 1...loans[position].unitsOut), credited: 0)
        let room = try #require(try loans[position].penaltyRoom())
        let bought = try loans[position].assign(
          part, to: buyer, as: LoanID(UUIDValue(high: 7, low: step)), in: boughtLot, on: F.day("2026-03-01"),
          at: .epoch)
        try hold(try bought.penaltyCap() ?? -1 <= room, "a buyer has more than was left")
        if part.isWhole { try hold(try bought.penaltyCap() == room, "a part of the whole's room is gone") }
        loans.append(bought)
        // Some of it is charged, on whichever loan.
        let late = random.int(in: 0...(loans.count - 1))
        if loans[late].state != .closed {
          let (present, more) = (
            loans[late].life.penalty, random.int64(in: 0...(try loans[late].penaltyRoom() ?? 0))
          )
          try loans[late].addPenalty(
            more, now: present.now(through: nil, total: present.total + more, residue: 0))
        }
        let caps = try loans.reduce(Int64(0)) { try $0 + ($1.penaltyCap() ?? 0) }
        try hold(caps == cap, "the caps come to \(caps), the loan had \(cap)")
        for loan in loans {
          try hold(try loan.life.penalty.total <= loan.penaltyCap() ?? -1, "more was charged than the cap")
        }
      }
    }
    var free = try F.stored(.active, unitsOut: 512, unitsReturning: 0, unitsReturned: 0)
    let (_, bought) = try assign(&free, 8)
    #expect(try free.penaltyCap() == nil && bought.penaltyCap() == nil)
  }

  // MARK: the agreement

  private func sale() throws -> LoanAssignment {
    LoanAssignment(
      id: LoanAssignmentID(UUIDValue(high: 8, low: 1)), borrowerID: F.borrower, sellerID: F.lender, buyerID: buyer,
      loanID: F.loanID, quantity: 8, serials: [], price: Money(900, .usd), effectiveOn: try F.day("2026-03-10"),
      proposedOn: try F.day("2026-03-01"), validUntil: try F.day("2026-03-15"), reason: nil, offered: [],
      proposedBy: nil, createdAt: .epoch, updatedAt: .epoch)
  }

  @Test("a sale is accepted in time, consented to or met with silence, and settled once its day has come")
  func agreement() throws {
    let claim = Debt(charges: 1, fee: 2, principal: 900)
    let grown = Debt(charges: 1, fee: 5, principal: 900)
    var late = try sale()
    #expect(throws: LendingRefusal.loan(.assignmentLapsed(try F.day("2026-03-15")))) {
      try late.accept(by: nil, claim: claim, asksBorrower: true, on: F.day("2026-03-16"))
    }
    try late.lapse(on: F.day("2026-03-16"))
    #expect(late.state == .lapsed && !late.state.isOpen)
    var sale = try sale()
    try sale.accept(by: nil, claim: claim, asksBorrower: true, on: F.day("2026-03-05"))
    let (consentBy, settleBy) = (try F.day("2026-03-15"), try F.day("2026-04-09"))
    #expect(sale.consentBy == consentBy && sale.settleBy == settleBy)
    func settle(_ text: String, _ claim: Debt = grown, isNeeded: Bool = true) throws -> LoanAssignment {
      var sale = sale
      try sale.settle(as: boughtID, claim: claim, on: F.day(text), consentIsNeeded: isNeeded)
      return sale
    }
    #expect(throws: LendingRefusal.loan(.notYetEffective(try F.day("2026-03-10")))) { try settle("2026-03-09") }
    #expect(throws: LendingRefusal.loan(.consentAwaited(until: consentBy))) { try settle("2026-03-15") }
    #expect(throws: LendingRefusal.loan(.assignmentLapsed(settleBy))) { try settle("2026-04-10") }
    for less in [Debt(charges: 1, fee: 1, principal: 900), Debt(charges: 0, fee: 5, principal: 900), .none] {
      let total = try less.total()
      #expect(throws: LendingRefusal.loan(.claimChanged(accepted: 903, present: total))) {
        try settle("2026-03-16", less)
      }
    }
    #expect(try settle("2026-03-16").state == .settled)
    #expect(try settle("2026-03-12", isNeeded: false).settledClaim == grown)
    var heard = sale
    try heard.consent(on: consentBy)
    #expect(throws: LendingRefusal.self) { try heard.refuse(on: consentBy) }
    try heard.settle(as: boughtID, claim: grown, on: consentBy, consentIsNeeded: true)
    #expect(heard.assignedLoanID == boughtID && heard.endedOn == consentBy)
    var refused = sale
    #expect(throws: LendingRefusal.loan(.assignmentLapsed(consentBy))) { try refused.refuse(on: settleBy) }
    try refused.refuse(on: consentBy)
    #expect(refused.state == .refused)
    #expect(throws: LendingRefusal.self) { try refused.lapse(on: F.day("2026-05-01")) }
  }

  @Test("each act is possible in its states alone", arguments: LoanAssignment.Act.allCases)
  func table(act: LoanAssignment.Act) throws {
    let day = try F.day("2026-03-12")
    let late = try F.day("2026-06-01")
    func perform(_ sale: inout LoanAssignment) throws {
      switch act {
      case .accept: try sale.accept(by: nil, claim: .none, asksBorrower: true, on: day)
      case .reject: try sale.reject(on: day)
      case .withdraw: try sale.withdraw(on: day)
      case .consent: try sale.consent(on: day)
      case .refuse: try sale.refuse(on: day)
      case .settle: try sale.settle(as: boughtID, claim: .none, on: day, consentIsNeeded: false)
      case .lapse: try sale.lapse(on: late)
      }
    }
    var accepted = try sale()
    try accepted.accept(by: nil, claim: .none, asksBorrower: true, on: day)
    var ended = try sale()
    try ended.reject(on: day)
    let allowed: [Bool] =
      switch act {
      case .accept, .reject, .withdraw: [true, false, false]
      case .consent, .refuse, .settle: [false, true, false]
      case .lapse: [true, true, false]
      }
    for (sale, isAllowed) in zip([try sale(), accepted, ended], allowed) {
      var changed = sale
      if isAllowed {
        try perform(&changed)
        #expect(changed != sale)
      } else {
        let refusal = LendingRefusal.illegalState(
          object: "sale of a loan", state: sale.state.rawValue, act: act.rawValue)
        #expect(throws: refusal) { try perform(&changed) }
        #expect(changed == sale)
      }
    }
  }
}
