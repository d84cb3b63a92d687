import Lending
import Primitives
import Testing

private typealias F = LendingFixtures

@Suite("Loans: the facts beside the state")
struct LoanFactsTests {
  private func refuses(
    _ refusal: LoanRefusal, _ loan: Loan, sourceLocation: SourceLocation = #_sourceLocation,
    _ act: (inout Loan) throws -> Void
  ) {
    var changed = loan
    #expect(throws: LendingRefusal.loan(refusal), sourceLocation: sourceLocation) { try act(&changed) }
    #expect(changed == loan, sourceLocation: sourceLocation)
  }

  @Test("a recall needs its right and its notice, and past the notice the loan is overdue at once")
  func recall() throws {
    var loan = try F.delivered()
    let day = try F.day("2026-03-01")
    refuses(.noticeTooShort(29, least: 30), loan) { try $0.recall(on: day, noticeDays: 29) }
    try loan.recall(on: day, noticeDays: 30)
    let noticeEnds = try F.day("2026-03-31")
    #expect(loan.state == .recalled && loan.life.recall?.dueOn == noticeEnds)
    var early = loan
    #expect(try early.escalateRecall(on: F.day("2026-03-31")) == false)
    #expect(early == loan)
    #expect(try loan.escalateRecall(on: F.day("2026-04-01")))
    #expect(loan.state == .overdue && loan.due?.cause == .recall && loan.due?.amount == nil)
    let after = loan
    #expect(try loan.escalateRecall(on: F.day("2026-04-02")) == false)
    #expect(loan == after)
  }

  @Test("a recall ends when the last of the chips is back")
  func recallAnswered() throws {
    var loan = try F.delivered(principal: 1_000)
    try loan.recall(on: F.day("2026-03-01"), noticeDays: 30)
    try loan.startReturn(512)
    try loan.addCharge(5)
    #expect(loan.state == .recalled)
    try loan.finishReturn(512, credit: 1_000)
    #expect(loan.state == .active && loan.life.recall == nil)
  }

  @Test("a frozen loan goes back to what its other facts say, whatever became of it meanwhile")
  func frozen() throws {
    var loan = try F.delivered()
    try loan.recall(on: F.day("2026-03-01"), noticeDays: 30)
    try loan.freeze(on: F.day("2026-03-02"), reason: "list")
    try loan.becomeDue(F.claim(100))
    #expect(loan.state == .frozen && loan.collectable.principal == 100)
    var released = loan
    try released.unfreeze()
    #expect(released.state == .due)
    try loan.pay(Debt(charges: 0, fee: 0, principal: 100))
    #expect(loan.state == .frozen)
    try loan.unfreeze()
    #expect(loan.state == .recalled)
  }

  @Test("what is due is overdue past its grace and past a holiday, and a later maturity takes its claim back")
  func delinquency() throws {
    var loan = try F.delivered()
    try loan.becomeDue(F.claim(nil, since: "2027-01-27", cause: .maturity))
    #expect(loan.overdueFrom == (try F.day("2027-02-01")))
    try loan.pause(until: F.day("2027-03-01"), on: F.day("2027-01-28"))
    #expect(loan.overdueFrom == (try F.day("2027-03-01")))
    try loan.fallOverdue(since: F.day("2027-03-01"))
    try loan.extend(to: F.day("2027-06-01"), on: F.day("2027-03-02"))
    #expect(loan.state == .active && loan.due == nil && loan.life.overdueSince == nil)
    #expect(loan.maturesOn == (try F.day("2027-06-01")))
    let (given, earliest) = (try F.day("2027-06-01"), try F.day("2027-06-02"))
    let latest = try #require(given.adding(days: 3_650))
    refuses(.dateOutOfRange(pointer: "/matures_on", given: given, earliest: earliest, latest: latest), loan) {
      try $0.extend(to: given, on: F.day("2027-03-02"))
    }
  }

  @Test("rates hold from their days on; a later agreement is over what was agreed for later days")
  func rates() throws {
    var loan = try F.delivered()
    let (first, second) = (try F.day("2026-05-01"), try F.day("2026-04-01"))
    refuses(.nothingChanges(pointer: "/rate_bps"), loan) {
      try $0.reRate(RateChange(from: first, rate: BasisPoints(1_400)))
    }
    try loan.reRate(RateChange(from: first, rate: BasisPoints(1_000)))
    let before = try F.day("2026-04-30")
    #expect(loan.rate(on: before).value == 1_400 && loan.rate(on: first).value == 1_000)
    let periods = loan.ratePeriods(from: try F.day("2026-04-01"), to: try F.day("2026-06-01"))
    #expect(periods.map(\.rate.value) == [1_400, 1_000] && periods[0].to == first)
    try loan.reRate(RateChange(from: second, rate: BasisPoints(900)))
    #expect(loan.ratePeriods(from: second, to: try F.day("2026-06-01")).map(\.rate.value) == [900])
    #expect(loan.ratePeriods(from: second, to: second).isEmpty)
  }

  @Test("a lower fee for past days comes out of the unpaid fee, then of the principal, then of the charges")
  func restated() throws {
    var loan = try F.stored(.active, outstanding: Debt(charges: 10, fee: 20, principal: 30))
    let taken = try loan.restateFee(reversed: 75, restated: 20, residue: 3)
    #expect(taken == Debt(charges: 5, fee: 0, principal: 30))
    #expect(loan.outstanding == Debt(charges: 5, fee: 0, principal: 0))
    #expect(loan.feeAccruedTotal == -35 && loan.accrualResidue == 3)
    let small = try F.stored(.active, outstanding: Debt(charges: 1, fee: 1, principal: 1))
    refuses(.givesBackMoreThanOwed(9, owed: 2), small) { _ = try $0.restateFee(reversed: 10, restated: 0, residue: 0) }
  }

  @Test("a default for non-payment needs something overdue, and its cure that nothing is due")
  func defaults() throws {
    let day = try F.day("2026-06-10")
    var loan = try F.delivered()
    refuses(.notOverdue(.active), loan) { try $0.declareDefault(.nonPayment, on: day, cureUntil: nil) }
    try loan.becomeDue(F.claim(100))
    try loan.fallOverdue(since: F.day("2026-06-06"))
    try loan.declareDefault(.nonPayment, on: day, cureUntil: day)
    refuses(.stillDue(100), loan) { try $0.cure() }
    try loan.pay(Debt(charges: 0, fee: 0, principal: 100))
    #expect(loan.state == .defaulted)
    var cured = loan
    try cured.cure()
    #expect(cured.state == .active && cured.life.default == nil)
    refuses(.cureTimeRunning(until: day), loan) { try $0.accelerate(on: day) }
    refuses(.cureTimeRunning(until: day), loan) { try $0.repossess(8, on: day) }
    try loan.accelerate(on: F.day("2026-06-11"))
    #expect(loan.collectable == loan.outstanding && loan.due?.cause == .acceleration)
    let twice = LendingRefusal.illegalState(object: "loan", state: "accelerated", act: "accelerate")
    #expect(throws: twice) { try loan.accelerate(on: F.day("2026-06-12")) }
  }

  @Test("a write-off is at most the claim, and what is paid or forgiven after all is released from it")
  func writeOff() throws {
    var loan = try F.stored(.active, outstanding: Debt(charges: 0, fee: 10, principal: 90))
    refuses(.moreThanClaimed(pointer: "/amount/amount", wanted: 101, claimed: 100), loan) { try $0.writeOff(101) }
    try loan.writeOff(60)
    #expect(loan.outstanding.principal == 90 && loan.life.writtenOff == 60)
    refuses(.moreThanClaimed(pointer: "/fee/amount", wanted: 11, claimed: 10), loan) {
      try $0.forgive(Debt(charges: 0, fee: 11, principal: 0))
    }
    try loan.forgive(Debt(charges: 0, fee: 10, principal: 40))
    #expect(try loan.releaseWriteOff() == 10)
    #expect(loan.life.writtenOff == 50 && loan.life.forgiven == 50)
  }

  @Test("lost units leave their principal due, and what is left of it is that of the other units")
  func casualty() throws {
    var loan = try F.delivered(principal: 51_200)
    try loan.loseUnits(112, principal: 11_200, on: F.day("2026-03-01"))
    #expect(loan.state == .due && loan.due?.amount == 11_200 && loan.unitsOut == 400)
    #expect(loan.principalOfUnits == 40_000)
    try loan.pay(Debt(charges: 0, fee: 0, principal: 11_200))
    #expect(loan.state == .active && loan.life.casualtyPrincipal == 0 && loan.principalOfUnits == 40_000)
    loan.close(on: try F.day("2026-04-01"), titlePasses: true)
    #expect(loan.closedAs == .mixed)
  }

  @Test("how a loan ended is told by where its units are, or by who let the debt go")
  func endings() throws {
    let day = try F.day("2026-04-01")
    func ended(_ life: LoanLife, out: Int64, returned: Int64, forgiven: Bool = false) throws -> LoanEnding? {
      var loan = try F.stored(
        .active, outstanding: .none, unitsOut: out, unitsReturning: 0, unitsReturned: returned, life: life)
      loan.close(on: day, titlePasses: out > 0, forgiven: forgiven)
      return loan.closedAs
    }
    #expect(try ended(LoanLife(), out: 9, returned: 0) == .paidOff)
    #expect(try ended(LoanLife(), out: 0, returned: 9) == .returned)
    #expect(try ended(LoanLife(), out: 4, returned: 5) == .mixed)
    #expect(try ended(LoanLife(unitsLost: 9), out: 0, returned: 0) == .casualty)
    #expect(try ended(LoanLife(unitsLost: 4), out: 0, returned: 5) == .mixed)
    #expect(try ended(LoanLife(unitsRepossessed: 9), out: 0, returned: 0) == .returned)
    #expect(try ended(LoanLife(unitsLost: 4), out: 5, returned: 0) == .mixed)
    #expect(try ended(LoanLife(forgiven: 3), out: 5, returned: 0, forgiven: true) == .forgiven)
  }
}

@Suite("Amendments: every act in every state")
struct LoanAmendmentTests {
  static func sample(_ state: LoanAmendmentState) throws -> LoanAmendment {
    LoanAmendment(
      id: AmendmentID(UUIDValue(high: 1, low: 1)), borrowerID: F.borrower, lenderID: F.lender, loanID: F.loanID,
      terms: .extend(to: try F.day("2027-06-01")), proposedBy: F.lender, proposedOn: try F.day("2026-05-01"),
      validUntil: try F.day("2026-05-15"), reason: nil, state: state, createdAt: .epoch, updatedAt: .epoch)
  }

  @Test("only a proposed amendment is answered, and its answer is final", arguments: LoanAmendmentState.allCases)
  func table(state: LoanAmendmentState) throws {
    let outcomes: [LoanAmendment.Act: (OrganizationID?, LoanAmendmentState)] = [
      .accept: (F.borrower, .accepted), .reject: (F.borrower, .rejected), .withdraw: (F.lender, .withdrawn),
      .lapse: (nil, .lapsed),
    ]
    for act in LoanAmendment.Act.allCases {
      let (party, outcome) = try #require(outcomes[act])
      var amendment = try Self.sample(state)
      let before = amendment
      let day = try F.day(act == .lapse ? "2026-05-16" : "2026-05-15")
      if state == .proposed {
        try amendment.conclude(act, by: party, on: day)
        #expect(amendment.state == outcome && amendment.decidedOn == day)
      } else {
        let refusal = LendingRefusal.illegalState(object: "amendment", state: state.rawValue, act: act.rawValue)
        #expect(throws: refusal) { try amendment.conclude(act, by: party, on: day) }
        #expect(amendment == before)
      }
    }
  }

  @Test("each side has its own answers, and acceptance has its last day")
  func sides() throws {
    let day = try F.day("2026-05-02")
    let proposed = try Self.sample(.proposed)
    for (act, party, date, refusal) in [
      (LoanAmendment.Act.accept, F.lender, day, LoanRefusal.ownProposal), (.reject, F.lender, day, .ownProposal),
      (.withdraw, F.borrower, day, .notOwnProposal),
      (.accept, F.borrower, try F.day("2026-05-16"), .amendmentLapsed(proposed.validUntil)),
    ] {
      var amendment = proposed
      #expect(throws: LendingRefusal.loan(refusal)) { try amendment.conclude(act, by: party, on: date) }
      #expect(amendment == proposed)
    }
    var early = proposed
    #expect(throws: (any Error).self) { try early.conclude(.lapse, by: nil, on: proposed.validUntil) }
  }
}
