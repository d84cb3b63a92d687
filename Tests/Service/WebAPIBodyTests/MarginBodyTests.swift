import Operations
import Persistence
import Primitives
import Repayment
import StrictJSON
import Testing
import Valuation
import WebAPI

@Suite("Bodies of margin terms and calls")
struct MarginBodyTests {
  private let lender = OrganizationID(uuid(1))

  /// A listing with these margin terms.
  private func listing(_ margin: String) -> Sample {
    Sample([
      "lot_id": "\"\(LotID(uuid(3)))\"", "quantity": "8", "ask_rate_bps": "900", "min_term_days": "30",
      "max_term_days": "360", "recall": #"{"notice_days":30}"#, "margin": margin,
    ])
  }

  private func terms(
    threshold: String = "9000", days: String = "10", consequence: String = "due",
    expected: String = #"{"annual_loss_bps":3000}"#, more: String = ""
  ) -> String {
    #"{"threshold_bps":\#(threshold),"cure_days":\#(days),"consequence":"\#(consequence)","expected":\#(expected)\#(more)}"#
  }

  @Test("margin terms are read member by member; how value is expected to be lost is said one way or the other")
  func listings() throws {
    let parse: Parse<CreateListing> = { CreateListing.parse(&$0, lenderID: OrganizationID(uuid(1))) }
    let points = #"{"points":[{"age_months":12,"residual_bps":6000},{"age_months":24,"residual_bps":4000}]}"#
    for good in [
      terms(), terms(threshold: "1"), terms(threshold: "10000"), terms(days: "1"), terms(days: "90"),
      terms(consequence: "recall"), terms(expected: points), terms(more: #","haircut_bps":9999"#),
      terms(expected: #"{"annual_loss_bps":0}"#),
    ] { #expect(faults(listing(good), parse).isEmpty, "\(good)") }
    for (bad, pointer) in [
      (terms(threshold: "0"), "/margin/threshold_bps"), (terms(threshold: "10001"), "/margin/threshold_bps"),
      (terms(days: "91"), "/margin/cure_days"), (terms(consequence: "gift"), "/margin/consequence"),
      (terms(more: #","haircut_bps":10000"#), "/margin/haircut_bps"), (terms(more: #","grace":1"#), "/margin/grace"),
      (terms(expected: "{}"), "/margin/expected/points"),
      (terms(expected: #"{"annual_loss_bps":10000}"#), "/margin/expected/annual_loss_bps"),
      (
        terms(expected: #"{"annual_loss_bps":1,"points":[{"age_months":1,"residual_bps":1}]}"#),
        "/margin/expected/points"
      ),
      (
        terms(expected: #"{"points":[{"age_months":12,"residual_bps":1},{"age_months":12,"residual_bps":1}]}"#),
        "/margin/expected/points"
      ),
      (
        terms(expected: #"{"points":[{"age_months":241,"residual_bps":1}]}"#),
        "/margin/expected/points/0/age_months"
      ),
    ] {
      let found = faults(listing(bad), parse)
      #expect(found.contains { $0.hasSuffix(" \(pointer)") }, "\(bad): \(found)")
    }
    // A recall that the listing does not contract cannot follow from a call.
    let noRecall = listing(terms(consequence: "recall")).with("recall", nil)
    #expect(faults(noRecall, parse) == ["field.conflict /margin"])
    let margin = try #require(try read(listing(terms()), parse).terms.margin)
    #expect(margin.points.prefix(3).map(\.description) == ["12:7000", "24:4900", "36:3430"])
    #expect(margin.points.count == 20 && margin.haircut == BasisPoints(0))
    #expect(try read(listing("null"), parse).terms.margin == nil)
  }

  @Test("money for a call names its payer, and a deposit names the call or the loan that it is for")
  func receipts() throws {
    let parse: Parse<RecordCashReceipt> = { RecordCashReceipt.parse(&$0) }
    let sample = Sample([
      "received_on": "\"2024-03-06\"", "amount": #"{"amount":500,"currency":"USD"}"#, "source": "\"instalment\"",
      "payer_organization_id": "\"\(lender)\"", "margin_call_id": "\"\(MarginCallID(uuid(9)))\"",
    ])
    #expect(try read(sample, parse).marginCallID == MarginCallID(uuid(9)))
    #expect(faults(sample.with("payer_organization_id", nil), parse) == ["field.conflict /margin_call_id"])
    let loan = "\"\(LoanID(uuid(11)))\""
    #expect(faults(sample.with("loan_id", loan), parse) == ["field.conflict /loan_id"])
    let deposit = sample.with("source", "\"deposit\"")
    #expect(faults(deposit, parse).isEmpty)
    #expect(faults(deposit.with("loan_id", loan), parse) == ["field.conflict /loan_id"])
    #expect(faults(deposit.with("margin_call_id", nil), parse) == ["field.conflict /loan_id"])
    let pledged = try read(deposit.with("margin_call_id", nil).with("loan_id", loan), parse)
    #expect(pledged.depositFor == LoanID(uuid(11)) && pledged.source == .deposit)
  }

  @Test("a dispute names its amount and its reason, a decision whether it is upheld")
  func acts() throws {
    let id = MarginCallID(uuid(9))
    let dispute: Parse<AnswerMarginCall> = { AnswerMarginCall.parseDispute(&$0, id, ifVersion: nil) }
    check(
      Sample(["amount": #"{"amount":5,"currency":"USD"}"#, "reason": "\"wrong\""]),
      [
        requiredChanges("amount", "reason"), Change.bad("reason", "length", "\"\""),
        Change.bad("amount", "range", at: "/amount/amount", #"{"amount":0,"currency":"USD"}"#),
        Change.bad("why", "unknown", "1"),
      ], dispute)
    let decide: Parse<DecideMarginCall> = { DecideMarginCall.parse(&$0, id, person: nil, ifVersion: nil) }
    check(
      Sample(["upheld": "true", "reason": "\"looked\""]),
      [requiredChanges("upheld", "reason"), Change.bad("upheld", "type", "1")], decide)
  }
}
