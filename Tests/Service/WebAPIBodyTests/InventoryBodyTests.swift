import Catalogue
import Lending
import Operations
import Parties
import Primitives
import StrictJSON
import Testing
import WebAPI

@Suite("Bodies of lots, reserve plans and listings")
struct InventoryBodyTests {
  static let site = "{\"country\":\"CN\",\"region\":\"CN-north\"}"
  let lot = Sample([
    "chip_model_id": "\"nvidia-a800-sxm4-80\"", "quantity": "2000", "site": InventoryBodyTests.site,
    "available_on": "\"2024-01-01\"", "multiple_of": "8", "serials": "[\"S1\",\"S2\"]",
    "unit_cost": "{\"amount\":1500000,\"currency\":\"USD\"}",
  ])
  let listing = Sample([
    "lot_id": "\"\(LotID(uuid(3)))\"", "quantity": "1024", "ask_rate_bps": "1200", "min_term_days": "30",
    "max_term_days": "720",
  ])

  @Test("a lot is read member by member, each within its bounds")
  func lots() throws {
    let parse: Parse<CreateLot> = { CreateLot.parse(&$0, lenderID: lender) }
    let changes: [[Change]] = [
      requiredChanges("chip_model_id", "quantity", "site", "available_on"),
      optionalChanges("multiple_of", "serials", "unit_cost"),
      Change.good("quantity", "1", "10000000", "8.0", "1e3"), quantityChanges("quantity"),
      quantityChanges("multiple_of"),
      dateChanges("available_on"), moneyChanges("unit_cost", least: 1),
      Change.good("chip_model_id", text(64)),
      Change.bad("chip_model_id", "format", "\"A800\"", "\"a b\"", "\"a/b\""),
      Change.bad("chip_model_id", "length", "\"\"", text(65)), Change.bad("chip_model_id", "type", "800"),
      Change.good("site", "{\"region\":\(text(64)),\"country\":\"SG\"}", "{\"region\":\"a_B-9\",\"country\":\"SG\"}"),
      Change.bad("site", "format", at: "/site/region", "{\"region\":\"a.b\",\"country\":\"SG\"}"),
      Change.bad("site", "format", at: "/site/country", "{\"region\":\"a\",\"country\":\"sg\"}"),
      Change.bad("site", "unknown", at: "/site/zone", "{\"region\":\"a\",\"country\":\"SG\",\"zone\":1}"),
      Change.bad("site", "type", "\"CN\"", "[]"),
      Change.good("serials", "[]", "[\(text(64))]"),
      Change.bad("serials", "length", at: "/serials/1", "[\"a\",\"\"]", "[\"a\",\(text(65))]"),
      Change.bad("serials", "duplicate", at: "/serials/2", "[\"a\",\"b\",\"a\"]"),
      Change.bad("serials", "type", at: "/serials/0", "[1]"),
    ]
    check(lot, changes, parse)
    let command = try read(lot, parse)
    #expect(command.unitCost == Money(1_500_000, .usd))
    #expect(command.multipleOf == 8)
    #expect(command.serials == ["S1", "S2"])
    #expect(try read(lot.with("multiple_of", nil), parse).multipleOf == 1)
  }

  @Test("a hundred thousand serial numbers are taken, one more is not, and a plain body's limit is lower")
  func manySerials() throws {
    let parse: Parse<CreateLot> = { CreateLot.parse(&$0, lenderID: lender) }
    let most = lot.with("serials", array(100_000) { "\"S\($0)\"" })
    #expect(try read(most, parse).serials.count == 100_000)
    #expect(faults(lot.with("serials", array(100_001) { "\"S\($0)\"" }), parse) == ["field.length /serials"])
    let thrown = #expect(throws: JSONFaults.self) { try RequestBody.read(Array(most.json.utf8), parse) }
    #expect(thrown?.isSyntax == true)
  }

  @Test("a receipt of a lot counts its chips")
  func receipts() throws {
    let sample = Sample(["quantity": "64"])
    check(sample, [requiredChanges("quantity"), quantityChanges("quantity")]) {
      ReceiveLot.parse(&$0, lotID: LotID(uuid(3)))
    }
    #expect(try read(sample) { ReceiveLot.parse(&$0, lotID: LotID(uuid(3))) }.quantity == 64)
  }

  @Test("a reserve plan takes months by their names or first days, sixty at most")
  func reservePlans() throws {
    let parse: Parse<SetReservePlan> = { SetReservePlan.parse(&$0, lenderID: lender) }
    let sample = Sample([
      "chip_model_id": "\"h20\"",
      "months": "[{\"month\":\"2024-02\",\"quantity\":0},{\"month\":\"2024-03-01\",\"quantity\":10000000}]",
    ])
    func month(_ text: String, _ quantity: String = "1") -> String {
      "[{\"month\":\"\(text)\",\"quantity\":\(quantity)}]"
    }
    let sixty = { (count: Int) in array(count) { "{\"month\":\"\(2020 + $0 / 12)-0\($0 % 9 + 1)\",\"quantity\":1}" } }
    let changes: [[Change]] = [
      requiredChanges("chip_model_id", "months"), Change.good("months", "[]", sixty(60)),
      Change.bad("months", "length", sixty(61)),
      Change.bad(
        "months", "format", at: "/months/0/month", month("2024-13"), month("2024-02-02"), month("2024-2"),
        month("2024")),
      Change.bad("months", "range", at: "/months/0/quantity", month("2024-02", "-1"), month("2024-02", "10000001")),
      Change.bad("months", "missing", at: "/months/0/quantity", "[{\"month\":\"2024-02\"}]"),
    ]
    check(sample, changes, parse)
    let months = try read(sample, parse).months
    #expect(months.map(\.month.description) == ["2024-02-01", "2024-03-01"])
    #expect(months.map(\.quantity) == [0, 10_000_000])
  }

  @Test("a listing is read member by member, each within its bounds")
  func listings() {
    let grades = "{\"credit_grades\":[\"A\"],\"jurisdictions\":[\"CN\"]}"
    let changes: [[Change]] = [
      requiredChanges("lot_id", "quantity", "ask_rate_bps", "min_term_days", "max_term_days"),
      optionalChanges(
        "min_quantity", "legal_form", "delivery_modes", "advance_rate_bps", "repayment_patterns", "return_credit",
        "assignable",
        "recall",
        "eligibility", "valid_until_at"),
      idChanges("lot_id", prefix: "lot"), quantityChanges("quantity"), quantityChanges("min_quantity"),
      Change.good("ask_rate_bps", "0", "100000"), Change.bad("ask_rate_bps", "range", "-1", "100001"),
      Change.good("min_term_days", "1", "3650"), Change.bad("min_term_days", "range", "0", "3651"),
      Change.good("max_term_days", "1", "3650"), Change.bad("max_term_days", "range", "0", "3651"),
      Change.good("advance_rate_bps", "1", "10000"), Change.bad("advance_rate_bps", "range", "0", "10001"),
      Change.good("legal_form", "\"secured_sale\""), Change.bad("legal_form", "enum", "\"gift\""),
      Change.good("delivery_modes", "[\"hosted\",\"physical\"]"), Change.bad("delivery_modes", "length", "[]"),
      Change.bad("delivery_modes", "duplicate", at: "/delivery_modes/1", "[\"hosted\",\"hosted\"]"),
      Change.bad("delivery_modes", "enum", at: "/delivery_modes/0", "[\"by_post\"]"),
      Change.good("repayment_patterns", "[\"bullet\"]"), Change.bad("repayment_patterns", "length", "[]"),
      Change.bad("repayment_patterns", "enum", at: "/repayment_patterns/0", "[\"someday\"]"),
      Change.good("return_credit", "\"schedule\"", "\"lower_of_mark\""),
      Change.bad("return_credit", "enum", "\"half\""),
      Change.good("assignable", "\"freely\"", "\"never\""), Change.bad("assignable", "enum", "\"maybe\""),
      optionalChanges("penalty_rate_bps", "penalty_grace_days", "penalty_cap_bps", "business_day"),
      Change.good("penalty_rate_bps", "0", "100000"), Change.bad("penalty_rate_bps", "range", "-1", "100001"),
      Change.bad("penalty_grace_days", "conflict", "3"), Change.bad("penalty_cap_bps", "conflict", "100"),
      Change.good("business_day", "\"following\"", "\"modified_following\""),
      Change.bad("business_day", "enum", "\"someday\""),
      Change.good("recall", "{\"notice_days\":1}", "{\"notice_days\":3650}"),
      Change.bad("recall", "range", at: "/recall/notice_days", "{\"notice_days\":0}", "{\"notice_days\":3651}"),
      Change.bad("recall", "missing", at: "/recall/notice_days", "{}"), Change.bad("recall", "type", "30"),
      Change.good("eligibility", "{}", grades),
      Change.bad("eligibility", "length", at: "/eligibility/credit_grades", "{\"credit_grades\":[]}"),
      Change.bad(
        "eligibility", "length", at: "/eligibility/credit_grades",
        "{\"credit_grades\":\(array(21) { "\"G\($0)\"" })}"),
      Change.bad("eligibility", "length", at: "/eligibility/jurisdictions", "{\"jurisdictions\":[]}"),
      Change.bad("eligibility", "format", at: "/eligibility/jurisdictions/0", "{\"jurisdictions\":[\"c\"]}"),
      Change.bad(
        "eligibility", "range", at: "/eligibility/max_exposure/amount",
        "{\"max_exposure\":{\"amount\":0,\"currency\":\"USD\"}}"),
      Change.bad("eligibility", "unknown", at: "/eligibility/color", "{\"color\":1}"),
      Change.bad("valid_until_at", "format", "\"tomorrow\"", "\"2024-01-01T25:00:00Z\""),
      Change.bad("sequence", "unknown", "1"),
    ]
    check(listing, changes) { CreateListing.parse(&$0, lenderID: lender) }
  }

  @Test("a listing that says the least gets the usual terms")
  func listingDefaults() throws {
    let terms = try read(listing) { CreateListing.parse(&$0, lenderID: lender) }.terms
    #expect(terms.legalForm == .leasePurchaseOption)
    #expect(terms.deliveryModes == [.physical])
    #expect(terms.advanceRate == .whole)
    #expect(terms.repaymentPatterns == [.roundSweep])
    #expect(terms.recallNoticeDays == nil)
    #expect(terms.eligibility == Listing.Eligibility())
    #expect(terms.minQuantity == nil)
    #expect(terms.askRate == BasisPoints(1_200))
    let full = listing.with("recall", "{\"notice_days\":14}").with("min_quantity", "64")
      .with("eligibility", "{\"max_exposure\":{\"amount\":7,\"currency\":\"CNY\"}}")
    let stated = try read(full) { CreateListing.parse(&$0, lenderID: lender) }.terms
    #expect(stated.recallNoticeDays == 14)
    #expect(stated.minQuantity == 64)
    #expect(stated.eligibility.maxExposure == Money(7, .cny))
  }

  func stored() throws -> (Lot, Listing) {
    let moment = try instant("2024-01-02T00:00:00Z")
    let site = Site(country: try #require(CountryCode("CN")), region: "CN-north")
    let chip = try #require(ChipModelID("h20"))
    let lot = Lot(
      id: LotID(uuid(3)), lenderID: lender, chipModelID: chip, quantity: 100, site: site,
      availableOn: try date("2024-01-01"), multipleOf: 4, serials: [], unitCost: nil,
      custody: [.available: 60, .onLoan: 40], listed: 20, createdAt: moment, updatedAt: moment)
    let listing = Listing(
      id: ListingID(uuid(4)), lot: lot, quantity: 20, remaining: 12, minQuantity: 4, askRate: BasisPoints(1_400),
      minTermDays: 30, maxTermDays: 360, legalForm: .leasePurchaseOption, deliveryModes: [.physical, .hosted],
      advanceRate: BasisPoints(8_000), repaymentPatterns: [.roundSweep], recallNoticeDays: 30,
      eligibility: Listing.Eligibility(creditGrades: ["A"], jurisdictions: nil, maxExposure: Money(5, .usd)),
      validUntil: nil, sequence: 77, state: .open, createdAt: moment, updatedAt: moment)
    return (lot, listing)
  }

  @Test("a lot shows every state of custody, and a plan its months and what is left to lend")
  func renderedInventory() throws {
    let (lot, _) = try stored()
    #expect(
      try written { lot.write(to: &$0) }
        == golden(
          """
          {"id":"lot_01920000-0000-7000-8000-000000000003","lender_id":"\(lender)","chip_model_id":"h20","quantity":100,
          "site":{"country":"CN","region":"CN-north"},"available_on":"2024-01-01","multiple_of":4,"serials":[],
          "unit_cost":null,"custody":{"on_order":0,"promised":0,"available":60,"reserved":0,"in_transit":0,
          "on_loan":40,"returning":0,
          "in_inspection":0,"in_repair":0,"frozen":0,"repossessed":0,"lost":0,"sold":0},"listed":20,"unlisted":40,
          "version":1,"created_at":"2024-01-02T00:00:00Z","updated_at":"2024-01-02T00:00:00Z"}
          """))
    let lotAgain = try resent(
      try written { lot.write(to: &$0) },
      leavingOut: ["id", "lender_id", "custody", "listed", "unlisted", "version", "created_at", "updated_at"]
    ) { CreateLot.parse(&$0, lenderID: lender) }
    #expect(lotAgain.quantity == lot.quantity)
    #expect(lotAgain.site == lot.site)
    let plan = ReservePlan(
      id: ReservePlanID(uuid(6)), lenderID: lender, chipModelID: lot.chipModelID,
      months: [.init(month: try date("2024-02-01"), quantity: 5)], createdAt: lot.createdAt, updatedAt: lot.createdAt)
    let text = try written { plan.write(to: &$0, lendable: 35) }
    #expect(text.contains("\"months\":[{\"month\":\"2024-02\",\"quantity\":5}],\"lendable\":35,"))
    let planAgain = try resent(
      text, leavingOut: ["id", "lender_id", "lendable", "version", "created_at", "updated_at"]
    ) { SetReservePlan.parse(&$0, lenderID: lender) }
    #expect(planAgain.months == plan.months)
  }

  @Test("a listing shows its rate as money for a chip-hour and a chip-month, and null without a mark")
  func renderedListing() throws {
    let (_, listing) = try stored()
    let head = """
      {"id":"lst_01920000-0000-7000-8000-000000000004","state":"open","lender_id":"\(lender)",
      "lot_id":"lot_01920000-0000-7000-8000-000000000003","chip_model_id":"h20",
      "site":{"country":"CN","region":"CN-north"},"available_on":"2024-01-01","quantity":20,"remaining_quantity":12,
      "min_quantity":4,"multiple_of":4,"ask_rate_bps":1400,
      """
    let tail = """
      "min_term_days":30,"max_term_days":360,"legal_form":"lease_purchase_option",
      "delivery_modes":["physical","hosted"],"advance_rate_bps":8000,"repayment_patterns":["round_sweep"],
      "recall":{"notice_days":30},"return_credit":"pro_rata_outstanding","assignable":"with_consent",
      "penalty_rate_bps":0,"penalty_grace_days":0,"penalty_cap_bps":null,"business_day":"unadjusted","tax":null,
      "margin":null,
      "eligibility":{"credit_grades":["A"],"jurisdictions":null,"max_exposure":{"amount":5,"currency":"USD"}},
      "valid_until_at":null,"sequence":77,
      "version":1,"created_at":"2024-01-02T00:00:00Z","updated_at":"2024-01-02T00:00:00Z"}
      """
    // 12,000 USD x 80 % x 14 % / 8,640 = 0.1556 USD an hour, and x 720 = 112 USD a month.
    let rates = """
      "rate_per_chip_hour":{"amount":16,"currency":"USD"},"rate_per_chip_month":{"amount":11200,"currency":"USD"},
      """
    #expect(try written { listing.write(to: &$0, mark: Money(1_200_000, .usd)) } == golden(head + rates + tail))
    let nulls = "\"rate_per_chip_hour\":null,\"rate_per_chip_month\":null,"
    #expect(try written { listing.write(to: &$0) } == golden(head + nulls + tail))
    // The largest mark there is makes a figure, and no trap.
    #expect(try written { listing.write(to: &$0, mark: Money(.max, .usd)) }.contains("\"rate_per_chip_hour\":{"))
    let again = try resent(
      try written { listing.write(to: &$0) },
      leavingOut: [
        "id", "state", "lender_id", "chip_model_id", "site", "available_on", "remaining_quantity", "multiple_of",
        "rate_per_chip_hour", "rate_per_chip_month", "sequence", "version", "created_at", "updated_at",
      ]
    ) { CreateListing.parse(&$0, lenderID: lender) }
    #expect(again.terms.eligibility == listing.eligibility)
    #expect(again.terms.recallNoticeDays == 30)
    #expect(again.terms.deliveryModes == listing.deliveryModes)
  }

  @Test(
    "a chip-hour is rounded half to even",
    arguments: [(8_640, 1), (4_320, 0), (12_960, 2), (21_600, 2), (4_321, 1), (4_319, 0)] as [(Int64, Int64)])
  func roundsHalfEven(mark: Int64, hour: Int64) throws {
    let (lot, _) = try stored()
    // At 100 % a year and a whole advance, an hour costs the mark over 8,640.
    let listing = Listing(
      id: ListingID(uuid(4)), lot: lot, quantity: 4, remaining: 4, minQuantity: 4, askRate: .whole, minTermDays: 1,
      maxTermDays: 1, legalForm: .securedSale, deliveryModes: [.hosted], advanceRate: .whole,
      repaymentPatterns: [.bullet], recallNoticeDays: nil, eligibility: Listing.Eligibility(), validUntil: nil,
      sequence: 1, state: .open, createdAt: lot.createdAt, updatedAt: lot.createdAt)
    let text = try written { listing.write(to: &$0, mark: Money(mark, .usd)) }
    #expect(text.contains("\"rate_per_chip_hour\":{\"amount\":\(hour),\"currency\":\"USD\"}"))
  }
}
