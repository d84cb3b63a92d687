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
import Valuation

@testable import Settlement

extension Marketplace {
  /// Sixteen chips of 1,000,000 at an advance of 90 %, so that 14,400,000 is owed; expected to keep their value, nine tenths
  /// of it must be there, which is the debt: so each 10,000 that a mark falls below 900,000 is 160,000 missing.
  func lendOnMargin(
    _ consequence: MarginTerms.Consequence = .due, cureDays: Int64 = 10, haircut: Int64 = 0, annualLoss: Int64 = 0
  ) async throws -> LentLoan {
    try await mark()
    let (lender, startup) = (try await lender(), try await startup())
    let lot = try await lot(of: lender, quantity: 16)
    var terms = listingCommand(of: lot, quantity: 16, recallNoticeDays: 30).terms
    terms.margin = MarginTerms.Listed(
      points: try #require(MarginTerms.Listed.points(annualLoss: BasisPoints(annualLoss))),
      threshold: BasisPoints(9_000), haircut: BasisPoints(haircut), cureDays: cureDays, consequence: consequence)
    let listing = try await run(CreateListing(terms: terms, lenderID: lender.id), by: lender.principal)
    let request = try await request(of: startup)
    let offer = try await offer(request, listing, quantity: 16)
    let accepted = try await run(AcceptOffer(offerID: offer.id, ifVersion: nil), by: startup.principal)
    let id = try #require(accepted.loanID)
    let delivery = RecordDelivery(loanID: id, quantity: nil, occurredOn: today, ifVersion: nil)
    _ = try await run(delivery, by: lender.principal)
    _ = try await run(delivery, by: startup.principal)
    return LentLoan(id: id, lender: lender, startup: startup)
  }

  /// A loan whose chips fell below what was asked the day after it began, and the call for the 800,000 that are missing.
  func calledOnMargin(
    _ consequence: MarginTerms.Consequence = .due, cureDays: Int64 = 10
  ) async throws -> (loan: LentLoan, call: MarginCallRow) {
    let loan = try await lendOnMargin(consequence, cureDays: cureDays)
    try await pass(days: 1)
    try await mark(850_000)
    _ = try await settle(.margin)
    return (loan, try #require(try await marginCalls(loan).first))
  }

  private static let calls = Statement(
    "test_margin_calls", Tables.marginCalls.selectList + "where loan_id = $1 order by created_at, id",
    parameters: [.uuid], columns: Tables.marginCalls.types)
  private static let tests = Statement(
    "test_margin_tests", Tables.marginTests.selectList + "where loan_id = $1 order by on_date", parameters: [.uuid],
    columns: Tables.marginTests.types)
  private static let told = Statement(
    "test_margin_events",
    "select type from loan_events where loan_id = $1 and type like '%margin%' order by at, id", parameters: [.uuid],
    columns: [.text])

  func marginCalls(_ loan: LentLoan) async throws -> [MarginCallRow] {
    try await database.withConnection { connection in
      let query = Query(Self.calls, [.uuid(loan.id.value.bits)])
      return try Tables.marginCalls.decode(await connection.run(query, deadline: soon()))
    }
  }

  func marginTests(_ loan: LentLoan) async throws -> [MarginTestRow] {
    try await database.withConnection { connection in
      let query = Query(Self.tests, [.uuid(loan.id.value.bits)])
      return try Tables.marginTests.decode(await connection.run(query, deadline: soon()))
    }
  }

  /// The types of what the loan's timeline tells of its margin.
  func marginEvents(_ loan: LentLoan) async throws -> [String] {
    try await database.withConnection { connection in
      try await connection.run(Query(Self.told, [.uuid(loan.id.value.bits)]), deadline: soon()).map { try $0.text(0) }
    }
  }

  /// Brings money for a call, on the principal of its loan.
  @discardableResult
  func bring(_ amount: Int64, for call: MarginCallRow, by loan: LentLoan) async throws -> CashReceipt {
    try await run(
      RecordCashReceipt(
        receivedOn: today, amount: Money(amount, .usd), source: .instalment, payerID: loan.startup.id, reference: nil,
        marginCallID: call.id), by: Self.staff()
    ).receipt
  }

  func decide(_ call: MarginCallRow, upheld: Bool, by person: Principal) async throws -> Decided<MarginCallRow> {
    try await submit(
      DecideMarginCall(
        id: call.id, isUpheld: upheld, reason: "looked at", person: person.personID, ifVersion: nil), by: person)
  }

  func answer(
    _ call: MarginCallRow, _ answer: AnswerMarginCall.Answer, by principal: Principal
  ) async throws -> Decided<MarginCallRow> {
    try await submit(AnswerMarginCall(id: call.id, answer: answer, ifVersion: nil), by: principal)
  }
}

@Suite("Margin calls", .timeLimit(.minutes(4)))
struct MarginCallTests {
  @Test("open on what a test found, which keeps all that it looked at; twice on one date is once")
  func opens() async throws {
    try await Marketplace.with { market in
      let loan = try await market.lendOnMargin()
      #expect(try await market.settle(.margin).sums == ["loans_tested": 1])
      try await market.pass(days: 1)
      let mark = try await market.mark(850_000)
      #expect(try await market.settle(.margin).sums == ["loans_tested": 1, "calls_opened": 1])
      let test = try #require(try await market.marginTests(loan).last)
      #expect(test.outcome == .tested && test.mark?.id == mark.id && test.mark?.recordedAt == mark.recordedAt)
      #expect(test.inputs.units == 16 && test.inputs.outstanding == Money(14_400_000, .usd))
      #expect(
        test.result
          == MarginTestRow.Result(expected: 16_000_000, required: 14_400_000, held: 13_600_000, shortfall: 800_000))
      let call = try #require(try await market.marginCalls(loan).first)
      #expect(call.call.called == Money(800_000, .usd) && call.testID == test.id && call.markID == mark.id)
      #expect(call.call.openedOn == market.today && call.call.dueOn == market.today.adding(days: 10))
      // A worse mark of the same day, and the job again: the day was tested.
      try await market.mark(700_000)
      #expect(try await market.settle(.margin).sums == ["loans_tested": 0])
      #expect(try await market.settle(.margin, workers: 2).sums == ["loans_tested": 0])
      #expect(try await market.marginTests(loan).count == 2)
      #expect(try await market.marginCalls(loan) == [call])
      #expect(try await market.marginEvents(loan) == ["margin_call.opened"])
      #expect(try await market.lawBreaches() == [])
    }
  }

  @Test("are found by two workers at once, each loan once")
  func twoWorkers() async throws {
    try await Marketplace.with { market in
      var loans: [LentLoan] = []
      for _ in 0..<4 { loans.append(try await market.lendOnMargin()) }
      try await market.pass(days: 1)
      try await market.mark(850_000)
      let run = try await market.settle(.margin, workers: 2, shardWeight: 1)
      #expect(run.state == .succeeded)
      #expect(try run.sums == ["loans_tested": 4, "calls_opened": 4])
      for loan in loans {
        #expect(try await market.marginTests(loan).count == 1)
        #expect(try await market.marginCalls(loan).count == 1)
      }
      #expect(try await market.lawBreaches() == [])
    }
  }

  @Test("loans without terms are not looked at, and their days close without a word of margin")
  func withoutTerms() async throws {
    try await Marketplace.with { market in
      _ = try await market.lend(2)
      try await market.pass(days: 1)
      try await market.mark(1)
      #expect(try await market.settle(.margin).sums == [:])
      let closed = try await market.settle(.dayClose)
      #expect(closed.state == .succeeded)
      #expect(try closed.sums.keys.allSatisfy { !$0.contains("tested") })
    }
  }

  @Test("are cured by principal, and what is called for is enough")
  func curedByPrincipal() async throws {
    try await Marketplace.with { market in
      let (loan, call) = try await market.calledOnMargin()
      try await market.pass(days: 1)
      // Money of another source, or of somebody else, is not brought for it.
      for (source, payer, code) in [
        (ReceiptSource.round, loan.startup.id, "repayment.not_for_a_call"),
        (.instalment, loan.lender.id, "parties.not_found"),
      ] {
        let wrong = RecordCashReceipt(
          receivedOn: market.today, amount: Money(1, .usd), source: source, payerID: payer, reference: nil,
          marginCallID: call.id)
        #expect(try await market.submit(wrong, by: Marketplace.staff()).refusalCode == code)
      }
      try await market.bring(300_000, for: call, by: loan)
      #expect(try await market.marginCalls(loan).first?.call.missing == 500_000)
      #expect(try await market.settle(.margin).sums == ["loans_tested": 1])
      let test = try #require(try await market.marginTests(loan).last)
      #expect(test.inputs.repaid == 300_000 && test.result?.shortfall == 500_000)
      // More than is called for stays with the startup.
      let receipt = try await market.bring(700_000, for: call, by: loan)
      #expect(receipt.remainder == 200_000 && receipt.marginCallID == call.id)
      let cured = try #require(try await market.marginCalls(loan).first)
      #expect(cured.call.state == .cured && cured.call.endedOn == market.today)
      #expect(try await market.loan(loan.id).outstanding.principal == 13_600_000)
      try await market.pass(days: 1)
      #expect(try await market.settle(.margin).sums == ["loans_tested": 1])
      #expect(try await market.marginCalls(loan).count == 1)
      let late = RecordCashReceipt(
        receivedOn: market.today, amount: Money(1, .usd), source: .instalment, payerID: loan.startup.id, reference: nil,
        marginCallID: call.id)
      #expect(try await market.submit(late, by: Marketplace.staff()).refusalCode == "margin.call_ended")
      // Both payments came at one moment.
      #expect(
        try await market.marginEvents(loan).sorted() == ["margin_call.cured", "margin_call.opened", "margin_call.paid"])
      #expect(try await market.lawBreaches() == [])
    }
  }

  @Test("clear by themselves when marks recover, on the day that finds it")
  func clears() async throws {
    try await Marketplace.with { market in
      let loan = try await market.calledOnMargin().loan
      try await market.pass(days: 1)
      try await market.mark(920_000)
      #expect(try await market.settle(.margin).sums == ["loans_tested": 1, "calls_cleared": 1])
      let call = try #require(try await market.marginCalls(loan).first)
      #expect(call.call.state == .cleared && call.call.endedOn == market.today)
      #expect(try await market.answer(call, .agree, by: loan.startup.principal).refusalCode == "margin.call_ended")
      #expect(try await market.lawBreaches() == [])
    }
  }

  @Test("that nobody answers lapse after their deadline, and all of the loan is due: for margin, by that call")
  func lapsesToDue() async throws {
    try await Marketplace.with { market in
      let loan = try await market.lendOnMargin(.due, cureDays: 2)
      try await market.pass(days: 1)
      try await market.mark(850_000)
      _ = try await market.settle(.dayClose)
      let call = try #require(try await market.marginCalls(loan).first)
      _ = try await market.answer(call, .agree, by: loan.startup.principal).get()
      try await market.pass(days: 2)
      _ = try await market.settle(.dayClose)
      #expect(
        try await market.marginCalls(loan).first?.call.state == .agreed, "the deadline's own day is still in time")
      try await market.pass(days: 1)
      #expect(try await market.settle(.dayClose).sums["calls_lapsed"] == 1)
      #expect(try await market.marginCalls(loan).first?.call.state == .lapsed)
      let due = try #require(try await market.loan(loan.id).due)
      #expect(due == LoanDue(cause: .margin, causeID: call.id.value, since: market.today, amount: nil))
      // Where all is due nothing more is called for.
      try await market.pass(days: 1)
      #expect(try await market.settle(.margin).sums == ["loans_tested": 1])
      #expect(try await market.marginCalls(loan).count == 1)
      #expect(try await market.lawBreaches() == [])
    }
  }

  @Test("lapse to a recall with the notice of the loan's own terms, where that is what was agreed")
  func lapsesToRecall() async throws {
    try await Marketplace.with { market in
      let loan = try await market.calledOnMargin(.recall, cureDays: 1).loan
      try await market.pass(days: 2)
      #expect(try await market.settle(.margin).sums == ["loans_tested": 1, "calls_lapsed": 1])
      let recall = try #require(try await market.loan(loan.id).life.recall)
      let notice = try #require(market.today.adding(days: 30))
      #expect(recall.on == market.today && recall.dueOn >= notice)
      #expect(try await market.loan(loan.id).state == .recalled)
      #expect(try await market.lawBreaches() == [])
    }
  }

  @Test("are disputed by the startup alone and decided by somebody who earns on no mark; what was refused is owed")
  func refusedDispute() async throws {
    try await Marketplace.with { market in
      let (loan, call) = try await market.calledOnMargin(cureDays: 1)
      let part = AnswerMarginCall.Answer.dispute(Money(300_000, .usd), reason: "the quote is of another model")
      #expect(try await market.answer(call, part, by: loan.lender.principal).refusalCode == "parties.not_yours")
      let stranger = try await market.startup("Stranger")
      #expect(try await market.answer(call, part, by: stranger.principal).refusalCode == "parties.not_found")
      for (wrong, code) in [
        (AnswerMarginCall.Answer.dispute(Money(800_001, .usd), reason: "r"), "margin.amount_out_of_range"),
        (.dispute(Money(1, .cny), reason: "r"), "margin.currency_differs"),
      ] {
        #expect(try await market.answer(call, wrong, by: loan.startup.principal).refusalCode == code)
      }
      let disputed = try await market.answer(call, part, by: loan.startup.principal).get()
      #expect(disputed.call.state == .partlyAgreed && disputed.call.missing == 500_000)
      #expect(try await market.answer(call, part, by: loan.startup.principal).refusalCode == "margin.answered_already")
      let staff = Marketplace.staff(2)
      #expect(try await market.decide(call, upheld: false, by: loan.lender.principal).refusalCode != nil)
      let key = CreateAPIKey(
        keyID: APIKeyID(UUIDValue(high: 13, low: 1)), organizationID: loan.lender.id, roles: [.lender], scopes: [],
        expiresAt: nil, personID: staff.personID, secretDigest: SHA256Digest(of: "a lender's"))
      _ = try await market.run(key, by: Marketplace.staff())
      #expect(try await market.decide(call, upheld: false, by: staff).refusalCode == "valuation.approver_interested")
      let third = Marketplace.staff(3)
      let decided = try await market.decide(call, upheld: false, by: third).get()
      #expect(decided.call.state == .agreed && decided.call.missing == 800_000)
      #expect(decided.decision?.word.by == third.personID && decided.decision?.isUpheld == false)
      #expect(try await market.decide(call, upheld: true, by: third).refusalCode == "margin.not_disputed")
      try await market.pass(days: 2)
      #expect(try await market.settle(.margin).sums["calls_lapsed"] == 1)
      #expect(try await market.lawBreaches() == [])
    }
  }

  @Test("whose dispute is upheld are over, and their mark is not gone by again for that loan")
  func upheldDispute() async throws {
    try await Marketplace.with { market in
      let (loan, call) = try await market.calledOnMargin(cureDays: 1)
      let all = AnswerMarginCall.Answer.dispute(call.call.called, reason: "not this chip")
      _ = try await market.answer(call, all, by: loan.startup.principal).get()
      try await market.pass(days: 3)
      // All of it is disputed: no deadline runs out.
      #expect(try await market.settle(.margin).sums == ["loans_tested": 1])
      let decided = try await market.decide(call, upheld: true, by: Marketplace.staff(3)).get()
      #expect(decided.call.state == .cleared)
      try await market.pass(days: 1)
      #expect(try await market.settle(.margin).sums == ["loans_tested": 0, "loans_untested": 1])
      #expect(try await market.marginTests(loan).last?.outcome == .disputedMark)
      try await market.pass(days: 1)
      try await market.mark(880_000)
      #expect(try await market.settle(.margin).sums["calls_opened"] == 1)
      #expect(try await market.lawBreaches() == [])
    }
  }

  @Test("are not opened on a mark that is stale, disputed or missing: the day is told as not tested, with why")
  func untested() async throws {
    try await Marketplace.with { market in
      let loan = try await market.lendOnMargin()
      try await market.pass(days: 1)
      let mark = try await market.mark(850_000)
      let dispute = try await market.run(
        DisputeMark(markID: mark.id, reason: "wrong seller", organizationID: .platform), by: Marketplace.staff())
      #expect(try await market.settle(.margin).sums == ["loans_tested": 0, "loans_untested": 1])
      try await market.pass(days: 1)
      _ = try await market.run(
        CloseDispute(id: dispute.id, act: .dismiss(reason: "right seller"), ifVersion: nil), by: Marketplace.staff(2))
      #expect(try await market.settle(.margin).sums["calls_opened"] == 1)
      try await market.pass(days: 366)
      #expect(try await market.settle(.margin).sums["loans_untested"] == 1)
      let tests = try await market.marginTests(loan)
      #expect(tests.map(\.outcome) == [.disputedMark, .tested, .staleMark])
      #expect(tests.last?.result == nil && tests.last?.mark?.id == mark.id)
      // A deadline runs whether or not a day could be tested.
      #expect(try await market.marginCalls(loan).first?.call.state == .lapsed)
      #expect(
        try await market.marginEvents(loan) == [
          "loan.margin_untested", "margin_call.opened", "loan.margin_untested", "margin_call.lapsed",
        ])
      #expect(try await market.lawBreaches() == [])
    }
  }

  @Test("follow the expected curve, so that ordinary loss of value is no breach")
  func depreciation() async throws {
    try await Marketplace.with { market in
      let loan = try await market.lendOnMargin(haircut: 1_000, annualLoss: 4_000)
      try await market.pass(days: 365)
      try await market.mark(541_000)
      #expect(try await market.settle(.margin).sums == ["loans_tested": 1])
      let test = try #require(try await market.marginTests(loan).last)
      // 60 % of 16,000,000 less a tenth, nine tenths of it required; 16 x 541,000 less a tenth there.
      #expect(
        test.result
          == MarginTestRow.Result(expected: 8_640_000, required: 7_776_000, held: 7_790_400, shortfall: 0))
      #expect(try await market.lawBreaches() == [])
    }
  }

  @Test("stand as they were found when a mark of their day is corrected later; the next day sees the correction")
  func corrected() async throws {
    try await Marketplace.with { market in
      let loan = try await market.lendOnMargin()
      try await market.pass(days: 1)
      let mark = try await market.mark(850_000)
      _ = try await market.settle(.margin)
      let before = try await market.marginTests(loan)
      try await market.pass(days: 1)
      let right = try await market.mark(
        RecordValuation(
          subject: .chipModel(Marketplace.plainChip()), method: .marketQuote, amount: Money(950_000, .usd),
          basis: .perChip, effectiveOn: mark.effectiveOn, source: mark.source, supersedes: mark.id))
      #expect(try await market.settle(.margin).sums == ["loans_tested": 1, "calls_cleared": 1])
      let after = try await market.marginTests(loan)
      #expect(after.dropLast() == before[...] && after.last?.mark?.id == right.id)
      #expect(try await market.lawBreaches() == [])
    }
  }

  @Test("end with their loan, when it was paid off meanwhile")
  func endsWithLoan() async throws {
    try await Marketplace.with { market in
      let loan = try await market.calledOnMargin().loan
      try await market.makeDue(loan)
      let owed = try await market.loan(loan.id).outstanding.total()
      try await market.pay(owed, by: loan.startup)
      #expect(try await market.loan(loan.id).state == .closed)
      try await market.pass(days: 1)
      #expect(try await market.settle(.margin).sums == ["loans_tested": 0, "calls_cleared": 1])
      #expect(try await market.marginCalls(loan).first?.call.state == .cleared)
      #expect(try await market.lawBreaches() == [])
    }
  }
}
