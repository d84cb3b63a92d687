import DomainFixtures
import Lending
import Operations
import Parties
import Persistence
import Primitives
import Repayment
import Testing

@Suite("The life of a loan", .timeLimit(.minutes(2)))
struct LoanLifeTests {
  @Test("recall: refused without the right, and past its notice the loan is overdue while the fee goes on")
  func recall() async throws {
    try await Marketplace.with { market in
      let plain = try await LentChips(market)
      let recall = RecallLoan(loanID: plain.id, noticeDays: nil, reason: nil, ifVersion: nil)
      #expect(try await market.submit(recall, by: plain.lender.principal).refusalCode == "loan.recall_not_contracted")
    }
    try await Marketplace.with { market in
      let lent = try await LentChips(market, recallNoticeDays: 30)
      let recall = RecallLoan(loanID: lent.id, noticeDays: nil, reason: "own use", ifVersion: nil)
      #expect(try await market.submit(recall, by: lent.startup.principal).refusalCode == "parties.not_yours")
      let outsider = try await market.lender("Outsider")
      #expect(try await market.submit(recall, by: outsider.principal).refusalCode == "parties.not_found")
      let short = RecallLoan(loanID: lent.id, noticeDays: 3, reason: nil, ifVersion: nil)
      #expect(try await market.submit(short, by: lent.lender.principal).refusalCode == "loan.notice_too_short")
      let tried = try await market.submit(recall, by: lent.lender.principal, validateOnly: true)
      #expect(try tried.get().state == .recalled)
      #expect(try await lent.loan().state == .active)
      #expect(try await market.run(recall, by: lent.lender.principal).life.recall?.dueOn == (try lent.day(30)))
      let escalate = EscalateRecalls(borrowerID: lent.startup.id, on: try lent.day(30))
      #expect(try await market.run(escalate, by: .automation) == 0)
      market.clock.advance(days: 31)
      try await lent.accrue()
      #expect(try await lent.loan().outstanding.fee == 31 * LentChips.perDay)
      let late = EscalateRecalls(borrowerID: lent.startup.id, on: lent.today)
      #expect(try await market.run(late, by: .automation) == 1)
      #expect(try await market.run(late, by: .automation) == 0)
      let loan = try await lent.loan()
      #expect(loan.state == .overdue && loan.due?.cause == .recall)
      let events = try await lent.events()
      #expect(
        events.map(\.type) == ["loan.agreed", "loan.dispatched", "loan.activated", "loan.recalled", "loan.overdue"])
      #expect(
        events.map(\.actor) == [lent.startup.id, lent.lender.id, lent.startup.id, lent.lender.id, .platform])
      #expect(try await lent.breaches() == [])
    }
  }

  @Test("a recall that is called off leaves the loan as it was")
  func recallWithdrawn() async throws {
    try await Marketplace.with { market in
      let lent = try await LentChips(market, recallNoticeDays: 10)
      let off = WithdrawRecall(loanID: lent.id, ifVersion: nil)
      #expect(try await market.submit(off, by: lent.lender.principal).refusalCode == "lending.illegal_state")
      _ = try await market.run(
        RecallLoan(loanID: lent.id, noticeDays: 20, reason: nil, ifVersion: nil), by: lent.lender.principal)
      #expect(try await market.run(off, by: lent.lender.principal).state == .active)
    }
  }

  @Test("a higher rate for past days is one reversal and one posting anew, in both books, and never an edit")
  func backdatedUp() async throws {
    try await Marketplace.with { market in
      let lent = try await LentChips(market)
      market.clock.advance(days: 60)
      try await lent.accrue()
      let terms = AmendmentTerms.reRate(from: try lent.day(30), rate: BasisPoints(1_200))
      let proposal = ProposeAmendment(loanID: lent.id, terms: terms, reason: nil, validDays: nil, ifVersion: nil)
      let proposed = try await market.run(proposal, by: lent.lender.principal)
      // Half of the 240,000 posted goes out, a fifth more comes in: the other side sees that before it agrees.
      let expected = FeeRestatement(reversed: 120_000, restated: 144_000, credited: 0)
      #expect(proposed.restatement == expected)
      #expect(try await lent.loan().outstanding.fee == 240_000)
      #expect(try await lent.entries("fee_reversed") == 0)
      #expect(
        try await market.submit(proposal, by: lent.startup.principal).refusalCode == "loan.already_proposed")
      #expect(try await lent.answer(proposed.amendment, .accept, by: lent.lender).refusalCode == "loan.own_proposal")
      let answered = try await lent.answer(proposed.amendment, .accept, by: lent.startup).get()
      #expect(answered.amendment.restatement == expected)
      let again = try await lent.answer(proposed.amendment, .accept, by: lent.startup)
      #expect(again.refusalCode == "lending.illegal_state")
      let loan = try await lent.loan()
      #expect(loan.outstanding.fee == 264_000 && loan.feeAccruedTotal == 264_000)
      #expect(try await lent.entries("fee_reversed") == 2)
      #expect(try await lent.entries("fee_restated") == 2)
      market.clock.advance(days: 10)
      try await lent.accrue()
      #expect(try await lent.loan().outstanding.fee == 264_000 + 10 * 4_800)
      #expect(try await lent.breaches() == [])
    }
  }

  @Test("a lower rate for days whose fee was paid gives it back against the principal")
  func backdatedDown() async throws {
    try await Marketplace.with { market in
      let lent = try await LentChips(market, recallNoticeDays: 30)
      try await lent.letRecallLapse()
      try await lent.pay(40 * LentChips.perDay + 400_000)
      let paid = try await lent.loan()
      #expect(paid.outstanding == Debt(charges: 0, fee: 0, principal: 14_000_000))
      market.clock.advance(days: 18)
      // 18 days on 14,000,000 at 10 % are 70,000; at 4 % from day 4 on: 36 x 1,600 + 18 x 14,000,000 x 4 % / 360.
      let terms = AmendmentTerms.reRate(from: try lent.day(4), rate: BasisPoints(400))
      let proposed = try await lent.propose(terms, by: lent.startup)
      let answered = try await lent.answer(proposed, .accept, by: lent.lender).get()
      let (reversed, restated) = (Int64(36 * 4_000 + 70_000), Int64(36 * 1_600 + 28_000))
      let restatement = FeeRestatement(reversed: reversed, restated: restated, credited: reversed - restated - 70_000)
      #expect(answered.amendment.restatement == restatement)
      let loan = try await lent.loan()
      #expect(loan.outstanding == Debt(charges: 0, fee: 0, principal: 14_000_000 - restatement.credited))
      #expect(loan.feeAccruedTotal == 4 * 4_000 + restated)
      #expect(try await lent.breaches() == [])
    }
  }

  @Test("a restated fee is, to the minor unit, what the rate would have come to from the start", arguments: [1, 7, 23])
  func restatedExactly(rate: Int64) async throws {
    try await Marketplace.with { market in
      let lent = try await LentChips(market)
      for _ in 0..<9 {
        market.clock.advance(days: 1)
        try await lent.accrue()
      }
      let proposed = try await lent.propose(.reRate(from: lent.day(0), rate: BasisPoints(rate)), by: lent.startup)
      _ = try await lent.answer(proposed, .accept, by: lent.lender).get()
      let loan = try await lent.loan()
      let fresh = try FeeAccrual(dayCount: .act360, accruedThrough: lent.day(0))
      let straight = try fresh.accrue(principal: LentChips.principal, rate: BasisPoints(rate), through: lent.day(9))
      #expect(loan.feeAccruedTotal == straight.amount && loan.accrualResidue == straight.state.residue)
      #expect(try await lent.breaches() == [])
    }
  }

  @Test("a later maturity takes its claim back, and a holiday keeps what is due from being overdue")
  func extendAndPause() async throws {
    try await Marketplace.with { market in
      let lent = try await LentChips(market)
      market.clock.advance(days: 181)
      #expect(try await market.run(MatureLoans(borrowerID: lent.startup.id, on: lent.today), by: .automation) == 1)
      let pause = try await lent.propose(.paymentPause(until: lent.day(200)), by: lent.startup)
      _ = try await lent.answer(pause, .accept, by: lent.lender).get()
      market.clock.advance(days: 10)
      let aged = try await market.run(AgeDelinquency(borrowerID: lent.startup.id, on: lent.today), by: .automation)
      #expect(aged == 0)
      market.clock.advance(days: 10)
      let late = try await market.run(AgeDelinquency(borrowerID: lent.startup.id, on: lent.today), by: .automation)
      #expect(late == 1)
      let overdue = try await lent.loan()
      #expect(overdue.state == .overdue)
      #expect(overdue.life.overdueSince == (try lent.day(200)))
      let extend = try await lent.propose(.extend(to: lent.day(300)), by: lent.lender)
      let extended = try await lent.answer(extend, .accept, by: lent.startup).get().loan
      #expect(extended.state == .active)
      #expect(extended.maturesOn == (try lent.day(300)))
      #expect(try await market.run(MatureLoans(borrowerID: lent.startup.id, on: lent.today), by: .automation) == 0)
      #expect(try await lent.breaches() == [])
    }
  }

  @Test("an amendment is rejected, withdrawn or lapses without a trace on the loan; a restructure is one agreement")
  func answers() async throws {
    try await Marketplace.with { market in
      let lent = try await LentChips(market)
      let before = try await lent.loan()
      let first = try await lent.propose(.extend(to: lent.day(300)), by: lent.startup)
      #expect(try await lent.answer(first, .withdraw, by: lent.lender).refusalCode == "loan.not_own_proposal")
      #expect(try await lent.answer(first, .reject, by: lent.lender).get().amendment.state == .rejected)
      let second = try await lent.propose(.extend(to: lent.day(300)), by: lent.startup)
      #expect(try await lent.answer(second, .withdraw, by: lent.startup).get().amendment.state == .withdrawn)
      let third = try await lent.propose(.extend(to: lent.day(300)), by: lent.startup)
      market.clock.advance(days: 15)
      #expect(try await lent.answer(third, .accept, by: lent.lender).refusalCode == "loan.amendment_lapsed")
      let lapse = LapseAmendments(borrowerID: lent.startup.id, on: lent.today)
      #expect(try await market.run(lapse, by: .automation) == 1)
      #expect(try await market.run(lapse, by: .automation) == 0)
      #expect(try await lent.loan() == before)
      let terms = AmendmentTerms.restructure(
        from: lent.today, rate: BasisPoints(600), maturity: try lent.day(400), pause: try lent.day(100))
      let whole = try await lent.propose(terms, by: lent.lender)
      let loan = try await lent.answer(whole, .accept, by: lent.startup).get().loan
      #expect(loan.rate(on: lent.today).value == 600)
      #expect(loan.maturesOn == (try lent.day(400)))
      #expect(loan.life.pausedUntil == (try lent.day(100)))
      #expect(try await lent.breaches() == [])
    }
  }
}
