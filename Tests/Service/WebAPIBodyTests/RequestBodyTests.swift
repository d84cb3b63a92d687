import Catalogue
import Lending
import Operations
import Primitives
import StrictJSON
import Testing
import WebAPI

@Suite("Bodies of loan requests and offers")
struct RequestBodyTests {
  let request = Sample([
    "workload": "\"training\"", "end_use": "\"Language models\"", "quantity": "512",
    "acceptable": """
    [{"chip_model_id":"nvidia-a800-sxm4-80","max_rate_bps":1400},
    {"capability":{"memory_gb":80,"bf16_tflops_dense":"312.5"},"max_rate_bps":900}]
    """,
    "regions": "[\"CN-north\",\"SG\"]", "term_days": "365", "start_on": "\"2024-02-01\"",
    "repayment": "{\"sweep_bps\":2000}",
  ])

  @Test("a loan request is read member by member, each within its bounds")
  func requests() {
    let one = "{\"chip_model_id\":\"h20\",\"max_rate_bps\":1}"
    let changes: [[Change]] = [
      requiredChanges(
        "workload", "end_use", "quantity", "acceptable", "regions", "term_days", "start_on", "repayment"),
      optionalChanges(
        "start_by_on", "delivery_mode", "min_quantity", "multiple_of", "same_model", "same_site", "max_lenders",
        "auto_accept", "valid_until_at"),
      Change.good("workload", "\"inference\""), Change.bad("workload", "enum", "\"mining\"", "\"Training\""),
      textChanges("end_use", 500), quantityChanges("quantity"), quantityChanges("min_quantity"),
      quantityChanges("multiple_of"),
      Change.good("acceptable", array(20) { _ in one }),
      Change.bad("acceptable", "length", "[]", array(21) { _ in one }),
      Change.good("regions", array(20) { "\"r\($0)\"" }),
      Change.bad("regions", "length", "[]", array(21) { "\"r\($0)\"" }),
      Change.bad("regions", "duplicate", at: "/regions/1", "[\"a\",\"a\"]"),
      Change.bad("regions", "format", at: "/regions/0", "[\"a:b\"]", "[\"北\"]"),
      Change.good("term_days", "1", "3650"), Change.bad("term_days", "range", "0", "3651"),
      dateChanges("start_on"), dateChanges("start_by_on"),
      Change.good("delivery_mode", "\"hosted\""), Change.bad("delivery_mode", "enum", "\"any\""),
      Change.good("same_model", "true", "false"), Change.bad("same_model", "type", "1", "\"true\""),
      Change.bad("same_site", "type", "0"), Change.bad("auto_accept", "type", "\"no\""),
      Change.good("max_lenders", "1", "1000"), Change.bad("max_lenders", "range", "0", "1001"),
      Change.bad("matched_quantity", "unknown", "1"),
    ]
    check(request, changes) { CreateLoanRequest.parse(&$0) }
  }

  @Test("what a startup would take is a model or a capability, never both, never neither")
  func acceptableChips() {
    func chip(_ members: String) -> String { "[{\(members),\"max_rate_bps\":5}]" }
    let figure = { (text: String) in chip("\"capability\":{\"memory_gb\":\(text)}") }
    let at = "/acceptable/0"
    let changes: [[Change]] = [
      Change.good(
        "acceptable", chip("\"chip_model_id\":\"h20\""), chip("\"chip_model_id\":\"h20\",\"capability\":null")),
      Change.bad(
        "acceptable", "conflict", at: at + "/capability",
        chip("\"chip_model_id\":\"h20\",\"capability\":{\"memory_gb\":1}")),
      Change.bad("acceptable", "missing", at: at + "/chip_model_id", "[{\"max_rate_bps\":5}]"),
      Change.bad("acceptable", "missing", at: at + "/capability", chip("\"capability\":{}")),
      Change.bad(
        "acceptable", "unknown", at: at + "/capability/tops", chip("\"capability\":{\"memory_gb\":1,\"tops\":1}")),
      Change.bad("acceptable", "missing", at: at + "/max_rate_bps", "[{\"chip_model_id\":\"h20\"}]"),
      Change.bad(
        "acceptable", "range", at: at + "/max_rate_bps", "[{\"chip_model_id\":\"h20\",\"max_rate_bps\":100001}]",
        "[{\"chip_model_id\":\"h20\",\"max_rate_bps\":-1}]"),
      Change.good(
        "acceptable", figure("0"), figure("80.0"), figure("10000000"), figure("\"10000000\""), figure("\"0.001\""),
        figure("\"18.700\""), figure("\"1.1000\"")),
      Change.bad("acceptable", "range", at: at + "/capability/memory_gb", figure("-1"), figure("10000001")),
      Change.bad("acceptable", "type", at: at + "/capability/memory_gb", figure("18.7"), figure("true"), figure("[]")),
      Change.bad(
        "acceptable", "format", at: at + "/capability/memory_gb", figure("\"0.0001\""), figure("\"-1\""),
        figure("\"10000000.001\""), figure("\"1e3\""), figure("\"+1\""), figure("\".5\""), figure("\"1.\""),
        figure("\"01\""), figure("\"NaN\""), figure("\"99999999999999999999\"")),
      Change.bad("acceptable", "length", at: at + "/capability/memory_gb", figure("\"\""), figure(text(33))),
    ]
    check(request, changes) { CreateLoanRequest.parse(&$0) }
  }

  @Test("repayment states the share to sweep, and thresholds where there are any")
  func repayment() {
    func with(_ members: String) -> String { "{\"sweep_bps\":1\(members)}" }
    let changes: [[Change]] = [
      Change.good("repayment", "{\"sweep_bps\":0}", "{\"sweep_bps\":10000}", with(",\"pattern\":\"round_sweep\"")),
      Change.good("repayment", with(",\"pattern\":\"bullet\""), with(",\"least_amount\":null")),
      Change.good("repayment", with(",\"least_amount\":{\"amount\":0,\"currency\":\"USD\"}")),
      Change.bad("repayment", "range", at: "/repayment/sweep_bps", "{\"sweep_bps\":-1}", "{\"sweep_bps\":10001}"),
      Change.bad("repayment", "missing", at: "/repayment/sweep_bps", "{}"),
      Change.bad("repayment", "enum", at: "/repayment/pattern", with(",\"pattern\":\"never\"")),
      Change.bad(
        "repayment", "range", at: "/repayment/least_post_money/amount",
        with(",\"least_post_money\":{\"amount\":-1,\"currency\":\"USD\"}")),
      Change.bad("repayment", "type", "1"),
    ]
    check(request, changes) { CreateLoanRequest.parse(&$0) }
  }

  @Test("all faults of a request are told at once")
  func manyFaults() {
    let wrong = request.with("quantity", "0").with("regions", "[]").with("end_use", nil).with("extra", "1")
    #expect(
      faults(wrong) { CreateLoanRequest.parse(&$0) } == [
        "field.missing /end_use", "field.range /quantity", "field.length /regions", "field.unknown /extra",
      ])
  }

  @Test("figures of a capability are kept exactly, in thousandths, and unsaid members get their defaults")
  func requestFields() throws {
    let terms = try read(request) { CreateLoanRequest.parse(&$0) }.terms
    let capability = AcceptableChip.Capability(
      memoryMilliGB: 80_000, bf16MilliTflopsDense: 312_500, interconnectMilliGBs: nil)
    #expect(
      terms.acceptable == [
        AcceptableChip(
          choice: .model(try #require(ChipModelID("nvidia-a800-sxm4-80"))), maxRate: BasisPoints(1_400)),
        AcceptableChip(choice: .capability(capability), maxRate: BasisPoints(900)),
      ])
    #expect(terms.multipleOf == 1)
    #expect(terms.deliveryMode == .physical)
    #expect(terms.minQuantity == nil)
    #expect((terms.sameModel, terms.sameSite, terms.autoAccept) == (false, false, false))
    #expect(terms.repayment.pattern == .roundSweep)
    #expect(terms.repayment.sweep == BasisPoints(2_000))
    #expect(terms.regions == ["CN-north", "SG"])
  }

  @Test("a request is shown with what was matched and what is held, and is taken again as it is shown")
  func renderedRequest() throws {
    let moment = try instant("2024-01-02T00:00:00Z")
    let figures = AcceptableChip.Capability(
      memoryMilliGB: 18_700, bf16MilliTflopsDense: 5, interconnectMilliGBs: nil)
    let request = LoanRequest(
      id: LoanRequestID(uuid(4)), borrowerID: borrower, workload: .inference, endUse: "chat", quantity: 64,
      minQuantity: 8, multipleOf: 8, sameModel: true, sameSite: false, maxLenders: nil,
      acceptable: [
        AcceptableChip(choice: .model(try #require(ChipModelID("h20"))), maxRate: BasisPoints(900)),
        AcceptableChip(choice: .capability(figures), maxRate: BasisPoints(800)),
      ], regions: ["CN-north"], termDays: 90, startOn: try date("2024-02-01"), startByOn: try date("2024-02-08"),
      deliveryMode: .hosted,
      repayment: RepaymentTerms(
        pattern: .roundSweep, leastAmount: Money(1, .usd), leastPostMoney: nil, sweep: BasisPoints(2_500)),
      autoAccept: false, validUntil: moment, sequence: 12, offered: 8, matched: 16, state: .partlyMatched,
      createdAt: moment, updatedAt: moment)
    let text = try written { request.write(to: &$0, holds: [Array("{\"effect\":\"refuse\"}".utf8)]) }
    #expect(
      text
        == golden(
          """
          {"id":"req_01920000-0000-7000-8000-000000000004","state":"partly_matched","borrower_id":"\(borrower)",
          "workload":"inference","end_use":"chat","quantity":64,"offered_quantity":8,"matched_quantity":16,
          "acceptable":[{"chip_model_id":"h20","max_rate_bps":900},
          {"capability":{"memory_gb":"18.7","bf16_tflops_dense":"0.005","interconnect_gbs":null},"max_rate_bps":800}],
          "regions":["CN-north"],"term_days":90,"start_on":"2024-02-01","start_by_on":"2024-02-08",
          "delivery_mode":"hosted","min_quantity":8,"multiple_of":8,"same_model":true,"same_site":false,
          "max_lenders":null,"repayment":{"pattern":"round_sweep","least_amount":{"amount":1,"currency":"USD"},
          "least_post_money":null,"sweep_bps":2500},"auto_accept":false,"valid_until_at":"2024-01-02T00:00:00Z",
          "sequence":12,"holds":[{"effect":"refuse"}],
          "version":1,"created_at":"2024-01-02T00:00:00Z","updated_at":"2024-01-02T00:00:00Z"}
          """))
    let again = try resent(
      text,
      leavingOut: [
        "id", "state", "borrower_id", "offered_quantity", "matched_quantity", "sequence", "holds", "version",
        "created_at", "updated_at",
      ]
    ) { CreateLoanRequest.parse(&$0) }.terms
    #expect(again.acceptable == request.acceptable)
    #expect(again.repayment == request.repayment)
    #expect(again.validUntil == request.validUntil)
    #expect(again.startByOn == request.startByOn)
  }

  @Test("an offer shows its frozen mark, and its loan once there is one")
  func offers() throws {
    let id = OfferID(uuid(8))
    let empty = Sample([:])
    check(empty, []) { AcceptOffer.parse(&$0, offerID: id, ifVersion: 1) }
    check(empty, []) { EndOffer.parseDecline(&$0, offerID: id, ifVersion: nil) }
    #expect(try read(empty) { EndOffer.parseDecline(&$0, offerID: id, ifVersion: nil) }.outcome == .declined)
    #expect(try read(empty) { AcceptOffer.parse(&$0, offerID: id, ifVersion: 4) }.ifVersion == 4)
    let moment = try instant("2024-01-02T00:00:00Z")
    var offer = Offer(
      id: id, borrowerID: borrower, lenderID: lender, requestID: LoanRequestID(uuid(4)), listingID: ListingID(uuid(5)),
      lotID: LotID(uuid(6)), roundID: MatchRoundID(uuid(7)), chipModelID: try #require(ChipModelID("h20")),
      quantity: 64, rate: BasisPoints(1_300), markID: ValuationID(uuid(10)), markAmount: Money(1_200_000, .usd),
      markSource: "broker", advanceRate: .whole, expiresAt: moment, createdAt: moment, updatedAt: moment)
    let head = """
      {"id":"off_01920000-0000-7000-8000-000000000008","state":"pending","borrower_id":"\(borrower)",
      "lender_id":"\(lender)","loan_request_id":"\(LoanRequestID(uuid(4)))","listing_id":"\(ListingID(uuid(5)))",
      "lot_id":"\(LotID(uuid(6)))","match_round_id":"\(MatchRoundID(uuid(7)))","chip_model_id":"h20","quantity":64,
      "rate_bps":1300,"advance_rate_bps":10000,"mark":{"id":"val_01920000-0000-7000-8000-00000000000a",
      "amount":{"amount":1200000,"currency":"USD"},"source":"broker"},"expires_at":"2024-01-02T00:00:00Z",
      """
    let tail = ",\"version\":1,\"created_at\":\"\(moment)\",\"updated_at\":\"\(moment)\"}"
    #expect(try written { offer.write(to: &$0) } == golden(head) + "\"loan_id\":null" + tail)
    offer.loanID = LoanID(uuid(11))
    #expect(
      try written { offer.write(to: &$0) }
        == golden(head) + "\"loan_id\":\"loan_01920000-0000-7000-8000-00000000000b\"" + tail)
  }
}
