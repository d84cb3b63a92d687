import Operations
import Primitives
import Repayment
import StrictJSON
import Testing
import WebAPI

@Suite("Bodies of rates, conversions and choices")
struct CurrencyBodyTests {
  @Test("a rate is read within its bounds, its price as it is written")
  func rates() throws {
    let sample = Sample([
      "base": "\"EUR\"", "quote": "\"USD\"", "on": "\"2024-05-02\"", "rate": "\"1.0850\"", "source": "\"ECB\"",
      "supersedes": "\"fx_01920000-0000-7000-8000-00000000000a\"",
    ])
    let changes: [[Change]] = [
      requiredChanges("base", "quote", "on", "rate", "source"), optionalChanges("supersedes"), dateChanges("on"),
      textChanges("source", 500), idChanges("supersedes", prefix: "fx"),
      Change.bad("base", "format", "\"eur\"", "\"XXX\""), Change.bad("quote", "conflict", "\"EUR\""),
      Change.good("rate", "\"1\"", "\"0.000000000001\"", "\"123456789012345678\""),
      Change.bad("rate", "format", "\"0\"", "\"-1\"", "\"1,5\"", "\"01\"", "\"1e3\"", "\"1.\"", "\"0.0000000000001\""),
      Change.bad("rate", "length", "\"\"", text(21)), Change.bad("rate", "type", "1.085", "1", "[]"),
    ]
    check(sample, changes) { ProposeFXRates.parse(&$0) }
    let proposal = try #require(try read(sample) { ProposeFXRates.parse(&$0) }.proposals.first)
    #expect(proposal.rate.description == "EUR/USD 1.0850 on 2024-05-02 (ECB)")
    #expect(proposal.supersedes == FXRateID(uuid(10)))
  }

  @Test("many rates are approved by their ids, each once")
  func approvals() throws {
    func id(_ number: Int) -> String { "\"\(FXRateID(uuid(UInt64(number))))\"" }
    let changes: [[Change]] = [
      requiredChanges("ids"), Change.good("ids", array(5_000, id)),
      Change.bad("ids", "length", "[]", array(5_001, id)), Change.bad("ids", "type", "1", id(1)),
      Change.bad("ids", "duplicate", at: "/ids/1", "[\(id(1)),\(id(1))]"),
      Change.bad("ids", "format", at: "/ids/0", "[\"loan_01920000-0000-7000-8000-00000000000a\"]"),
    ]
    check(Sample(["ids": "[\(id(1)),\(id(2))]"]), changes) { DecideFXRates.parseApprove(&$0) }
    check(Sample(["reason": "\"a slip\""]), [requiredChanges("reason"), textChanges("reason", 1_000)]) {
      DecideFXRates.parseReject(&$0, FXRateID(uuid(1)), ifVersion: nil)
    }
  }

  @Test("a conversion is read within its bounds")
  func conversions() throws {
    let sample = Sample([
      "amount": "{\"amount\":5,\"currency\":\"USD\"}", "into": "{\"amount\":35,\"currency\":\"CNY\"}",
      "converted_on": "\"2024-05-02\"", "evidence": "\"advice\"",
    ])
    let changes: [[Change]] = [
      requiredChanges("amount", "into", "converted_on", "evidence"), moneyChanges("amount", least: 1),
      moneyChanges("into", least: 1), dateChanges("converted_on"), textChanges("evidence", 500),
    ]
    check(sample, changes) { ProposeConversion.parse(&$0, CashReceiptID(uuid(1))) }
    check(Sample(["reason": "\"twice\""]), [requiredChanges("reason"), textChanges("reason", 1_000)]) {
      DecideConversion.parseReject(&$0, CashConversionID(uuid(1)), ifVersion: nil)
    }
  }

  @Test("a choice names its loan, and a return its units")
  func choices() throws {
    let loan = "\"loan_01920000-0000-7000-8000-00000000000a\""
    let round = FundingRoundID(uuid(12))
    let back = Sample(["loan_id": loan, "choice": "\"return\"", "quantity": "8"])
    check(
      back,
      [
        requiredChanges("loan_id", "choice"), idChanges("loan_id", prefix: "loan"),
        Change.bad("choice", "enum", "\"sell\""), quantityChanges("quantity"), Change.bad("quantity", "missing", nil),
        Change.good("serials", array(8) { "\"SN-\($0)\"" }),
        Change.bad("serials", "conflict", array(7) { "\"SN-\($0)\"" }),
      ]
    ) { ChooseAtControl.parse(&$0, round) }
    let assume = Sample(["loan_id": loan, "choice": "\"assume\""])
    check(assume, [Change.bad("quantity", "conflict", "8"), Change.good("choice", "\"accelerate\"")]) {
      ChooseAtControl.parse(&$0, round)
    }
    #expect(try read(back) { ChooseAtControl.parse(&$0, round) }.quantity == 8)
  }

  @Test("a rejected rate was never used, and is shown so")
  func shown() throws {
    let moment = try instant("2024-05-02T10:00:00Z")
    var rate = RecordedFXRate(
      id: FXRateID(uuid(1)),
      rate: try FXRate(base: .usd, quote: .cny, price: "7.10", on: date("2024-05-02"), source: "CFETS"),
      supersedes: nil, proposedBy: PersonID(uuid(2)), createdAt: moment, updatedAt: moment)
    try rate.reject(by: PersonID(uuid(3)), reason: "a slip", at: moment)
    let root = try JSONDocument(parsing: Array(try written { rate.write(to: &$0) }.utf8)).root
    #expect(root["rate"]?.asString == "7.10")
    #expect(root["state"]?.asString == "rejected")
    #expect(root["approved_by"]?.isNull == true)
    #expect(root["recorded_at"]?.isNull == true)
    #expect(root["reason"]?.asString == "a slip")
  }
}
