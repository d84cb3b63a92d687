import Lending
import Operations
import Parties
import Persistence
import Primitives
import Repayment
import StrictJSON
import Testing
import Valuation
import WebAPI

@Suite("Bodies of rounds, cash and marks")
struct MoneyBodyTests {
  let round = Sample([
    "kind": "\"priced\"", "name": "\"Series A\"", "announced_on": "\"2024-03-01\"",
    "amount": "{\"amount\":20000000000,\"currency\":\"USD\"}",
    "pre_money": "{\"amount\":80000000000,\"currency\":\"USD\"}",
    "post_money": "{\"amount\":100000000000,\"currency\":\"USD\"}",
    "closings": "[{\"closed_on\":\"2024-03-05\",\"net_new_cash\":{\"amount\":20000000000,\"currency\":\"USD\"}}]",
    "acquirer": "\"Nobody\"", "evidence": "\"bank letter\"",
  ])

  @Test("a funding round is read member by member, its amounts in one currency")
  func rounds() throws {
    func closing(_ day: String, _ amount: String = "1", _ currency: String = "USD") -> String {
      "{\"closed_on\":\"\(day)\",\"net_new_cash\":{\"amount\":\(amount),\"currency\":\"\(currency)\"}}"
    }
    let day = "2024-03-05"
    let yuan = "{\"amount\":5,\"currency\":\"CNY\"}"
    let changes: [[Change]] = [
      requiredChanges("kind", "name", "announced_on", "closings"),
      optionalChanges("amount", "pre_money", "post_money", "acquirer", "evidence"),
      Change.good("kind", "\"acquisition\"", "\"ipo\""), Change.bad("kind", "enum", "\"seed\""),
      textChanges("name", 200), textChanges("acquirer", 200), textChanges("evidence", 500),
      dateChanges("announced_on"), moneyChanges("post_money", least: 1),
      Change.bad("amount", "conflict", yuan), Change.bad("pre_money", "conflict", yuan),
      Change.bad("post_money", "conflict", yuan),
      Change.good("closings", array(50) { _ in closing(day) }, "[\(closing(day, "0"))]"),
      Change.bad("closings", "length", "[]", array(51) { _ in closing(day) }),
      Change.bad("closings", "conflict", "[\(closing(day)),\(closing(day, "1", "CNY"))]"),
      Change.bad("closings", "format", at: "/closings/1/closed_on", "[\(closing(day)),\(closing("2024-3-5"))]"),
      Change.bad("closings", "range", at: "/closings/0/net_new_cash/amount", "[\(closing(day, "-1"))]"),
      Change.bad("closings", "missing", at: "/closings/0/net_new_cash", "[{\"closed_on\":\"2024-03-05\"}]"),
    ]
    check(round, changes) { ReportFundingRound.parse(&$0) }
    let report = try read(round) { ReportFundingRound.parse(&$0) }.report
    #expect(report.currency == .usd)
    #expect((report.amount, report.preMoney) == (20_000_000_000, 80_000_000_000))
    #expect(report.postMoney == 100_000_000_000)
    #expect(report.closings.map(\.netNewCash) == [20_000_000_000])
  }

  @Test("a round is verified with evidence or without, and rejected with a reason")
  func decisions() throws {
    let id = FundingRoundID(uuid(12))
    check(Sample(["evidence": "\"seen\""]), [optionalChanges("evidence"), textChanges("evidence", 500)]) {
      DecideFundingRound.parseVerify(&$0, id, ifVersion: nil)
    }
    let reason = Sample(["reason": "\"no cash\""])
    check(reason, [requiredChanges("reason"), textChanges("reason", 1_000)]) {
      DecideFundingRound.parseReject(&$0, id, ifVersion: 3)
    }
    let command = try read(reason) { DecideFundingRound.parseReject(&$0, id, ifVersion: 3) }
    #expect(command.ifVersion == 3)
    guard case .reject("no cash") = command.decision else {
      Issue.record("not a rejection")
      return
    }
  }

  @Test("a round is shown with its closings")
  func renderedRound() throws {
    let moment = try instant("2024-03-01T00:00:00Z")
    let id = FundingRoundID(uuid(12))
    let round = FundingRound(
      id: id, borrowerID: borrower, kind: .priced, name: "A", announcedOn: try date("2024-03-01"), currency: .usd,
      amount: 20, preMoney: nil, postMoney: 100, acquirer: nil, evidence: "e", reportedBy: PersonID(uuid(14)),
      createdAt: moment, updatedAt: moment)
    let closing = FundingClosing(
      id: ClosingID(uuid(15)), borrowerID: borrower, roundID: id, closedOn: try date("2024-03-05"),
      netNewCash: Money(20, .usd))
    let root = try JSONDocument(
      parsing: Array(try written { ReportFundingRound.Reported(round: round, closings: [closing]).write(to: &$0) }.utf8)
    ).root
    #expect(root["id"]?.asString == id.description)
    #expect(root["state"]?.asString == "reported")
    #expect(root["amount"]?["amount"]?.asInteger == 20)
    #expect(root["pre_money"]?.isNull == true)
    #expect(root["post_money"]?["currency"]?.asString == "USD")
    #expect(root["sweeps"]?.elements.isEmpty == true)
    let shown = try #require(root["closings"]?.elements.first)
    #expect(shown["net_new_cash"]?["amount"]?.asInteger == 20)
    #expect(shown["swept_on"]?.isNull == true)
  }

  @Test("a receipt is read within its bounds, and shown with what it paid and what is left")
  func receipts() throws {
    let sample = Sample([
      "received_on": "\"2024-03-06\"", "amount": "{\"amount\":500,\"currency\":\"USD\"}", "source": "\"round\"",
      "payer_organization_id": "\"\(borrower)\"", "reference": "\"wire 7\"", "payer_name": "\"Startup\"",
      "payer_account": "\"0200 7\"",
    ])
    let changes: [[Change]] = [
      requiredChanges("received_on", "amount", "source"), optionalChanges("payer_organization_id", "reference"),
      dateChanges("received_on"), moneyChanges("amount", least: 1), idChanges("payer_organization_id", prefix: "org"),
      textChanges("reference", 200), Change.good("source", "\"insurance\""), Change.bad("source", "enum", "\"gift\""),
      optionalChanges("payer_name", "payer_account"), textChanges("payer_name", 200),
      Change.bad("payer_account", "format", "\" 0200\""),
    ]
    check(sample, changes) { RecordCashReceipt.parse(&$0) }
    #expect(
      try read(sample) { RecordCashReceipt.parse(&$0) }.payer
        == CashReceipt.Payer(name: "Startup", account: "0200 7"))
    let id = CashReceiptID(uuid(16))
    let moment = try instant("2024-03-06T00:00:00Z")
    func receipt(_ payer: OrganizationID) throws -> CashReceipt {
      CashReceipt(
        id: id, organizationID: payer, receivedOn: try date("2024-03-06"), amount: Money(500, .usd), source: .round,
        reference: nil, remainder: 100, createdAt: moment)
    }
    let allocation = AllocationRow(
      borrowerID: borrower, receiptID: id, loanID: LoanID(uuid(11)), step: "principal", lenderID: lender,
      amount: Money(400, .usd), allocatedOn: try date("2024-03-06"))
    let paid = try receipt(borrower)
    let root = try JSONDocument(parsing: Array(try written { paid.write(to: &$0, allocations: [allocation]) }.utf8))
      .root
    #expect(root["payer_organization_id"]?.asString == borrower.description)
    #expect(root["remainder"]?["amount"]?.asInteger == 100)
    let line = try #require(root["allocations"]?.elements.first)
    #expect(line["loan_id"]?.asString == LoanID(uuid(11)).description)
    #expect(line["step"]?.asString == "principal")
    #expect(line["amount"]?["amount"]?.asInteger == 400)
    // Money in suspense names no payer, least of all the platform.
    let suspense = try receipt(.platform)
    #expect(
      try written { suspense.write(to: &$0, allocations: []) }.contains("\"payer_organization_id\":null"))
  }

  @Test("a claw-back and a top-up are read within their bounds; a lender is shown its own lines")
  func clawbacks() throws {
    let id = CashReceiptID(uuid(16))
    let sample = Sample([
      "amount": "{\"amount\":500,\"currency\":\"USD\"}", "taken_back_on": "\"2024-03-06\"",
      "reason": "\"insolvency\"", "reference": "\"REV 7\"", "order": "\"last_rank_first\"",
    ])
    let changes: [[Change]] = [
      requiredChanges("amount", "taken_back_on", "reason"), optionalChanges("reference", "order"),
      moneyChanges("amount", least: 1), dateChanges("taken_back_on"), textChanges("reference", 200),
      Change.good("reason", "\"bank_recall\"", "\"court\"", "\"unauthorised\""),
      Change.bad("reason", "enum", "\"regret\""), Change.bad("order", "enum", "\"first\""),
    ]
    check(sample, changes) { ProposeClawback.parse(&$0, id, ifVersion: nil) }
    #expect(
      try read(sample.with("order", nil)) { ProposeClawback.parse(&$0, id, ifVersion: 3) }.order == .lastLineFirst)
    let topUp = Sample([
      "amount": "{\"amount\":500,\"currency\":\"USD\"}", "on": "\"2024-03-06\"", "reference": "\"OWN\"",
    ])
    check(
      topUp,
      [
        requiredChanges("amount", "on", "reference"), moneyChanges("amount", least: 1), dateChanges("on"),
        textChanges("reference", 200),
      ]
    ) { ProposeTopUp.parse(&$0) }
  }

  @Test("a payout shows gross, fee and net")
  func payouts() throws {
    let payout = Payout(
      id: PayoutID(uuid(17)), lenderID: lender, businessDate: try date("2024-03-07"), gross: Money(1_000, .usd),
      platformFee: 50, runID: SettlementRunID(uuid(18)), recordedAt: try instant("2024-03-07T00:00:00Z"))
    let root = try JSONDocument(parsing: Array(try written { payout.write(to: &$0) }.utf8)).root
    #expect(root["gross"]?["amount"]?.asInteger == 1_000)
    #expect(root["platform_fee"]?["amount"]?.asInteger == 50)
    #expect(root["net"]?["amount"]?.asInteger == 950)
    #expect(root["business_date"]?.asString == "2024-03-07")
  }

  @Test("a mark is read with the basis of its subject, and shown")
  func marks() throws {
    let chip = ValuationSubject.chipModel(try #require(ChipModelID("h20")))
    let sample = Sample([
      "method": "\"market_quote\"", "amount": "{\"amount\":1200000,\"currency\":\"USD\"}",
      "effective_on": "\"2024-01-01\"", "source": "\"broker\"", "supersedes": "\"\(ValuationID(uuid(19)))\"",
    ])
    let changes: [[Change]] = [
      requiredChanges("method", "amount", "effective_on", "source"),
      optionalChanges("supersedes", "basis", "evidence", "confidence"), textChanges("evidence", 500),
      moneyChanges("amount", least: 1), dateChanges("effective_on"), textChanges("source", 500),
      idChanges("supersedes", prefix: "val"), Change.good("basis", "\"per_chip_hour\""),
      Change.bad("basis", "enum", "\"book\""), Change.bad("method", "enum", "\"guess\""),
      Change.bad("confidence", "enum", "\"certain\""),
    ]
    check(sample, changes) { RecordValuation.parse(&$0, subject: chip) }
    #expect(try read(sample) { RecordValuation.parse(&$0, subject: chip) }.basis == .perChip)
    #expect(try read(sample) { RecordValuation.parse(&$0, subject: .startup(borrower)) }.basis == .postMoney)
    let mark = ValuationMark(
      id: ValuationID(uuid(20)), subject: chip, method: .marketQuote, amount: Money(1_200_000, .usd), basis: .perChip,
      effectiveOn: try date("2024-01-01"), recordedAt: try instant("2024-01-02T00:00:00Z"), source: "broker",
      supersedes: nil, approvedBy: nil)
    #expect(
      try written { mark.write(to: &$0) }
        == golden(
          """
          {"id":"\(ValuationID(uuid(20)))","startup_id":null,"chip_model_id":"h20","method":"market_quote",
          "amount":{"amount":1200000,"currency":"USD"},"basis":"per_chip","effective_on":"2024-01-01",
          "recorded_at":"2024-01-02T00:00:00Z","source":"broker","evidence":null,"confidence":"documented",
          "supersedes":null,"superseded_at":null,"recorded_by":null,"approved_by":null}
          """))
  }
}
