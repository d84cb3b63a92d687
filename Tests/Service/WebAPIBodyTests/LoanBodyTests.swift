import Catalogue
import Lending
import Operations
import Parties
import Primitives
import StrictJSON
import Testing
import WebAPI

@Suite("Bodies of loans, deliveries and returns")
struct LoanBodyTests {
  let loanID = LoanID(uuid(11))

  @Test("a delivery names its day, and units as a number or by serial numbers that agree with it")
  func deliveries() throws {
    let parse: Parse<RecordDelivery> = { RecordDelivery.parse(&$0, loanID: loanID, ifVersion: 2) }
    let sample = Sample(["quantity": "2", "occurred_on": "\"2024-02-02\""])
    let changes: [[Change]] = [
      requiredChanges("occurred_on"), optionalChanges("quantity", "serials", "condition"),
      dateChanges("occurred_on"), quantityChanges("quantity"),
      Change.good("serials", "[\"a\",\"b\"]"), Change.bad("serials", "conflict", "[\"a\"]", "[\"a\",\"b\",\"c\"]"),
      Change.bad("serials", "length", "[]"), Change.bad("serials", "duplicate", at: "/serials/1", "[\"a\",\"a\"]"),
      Change.good("condition", "\"good\""), Change.bad("condition", "conflict", "\"damaged\""),
      Change.bad("condition", "enum", "\"fair\""), Change.bad("condition_charge", "unknown", "1"),
    ]
    check(sample, changes, parse)
    #expect(try read(sample, parse).quantity == 2)
    #expect(try read(sample.with("quantity", nil), parse).quantity == nil)
    let counted = try read(sample.with("quantity", nil).with("serials", "[\"a\",\"b\",\"c\"]"), parse)
    #expect(counted.quantity == 3)
    #expect(counted.occurredOn == CalendarDate("2024-02-02"))
    #expect(counted.ifVersion == 2)
  }

  @Test("a return says how many, and a charge stands only beside a condition")
  func returns() throws {
    let parse: Parse<ReturnBody> = { ReturnBody.parse(&$0) }
    let sample = Sample([
      "quantity": "3", "occurred_on": "\"2024-05-05\"", "condition": "\"damaged\"",
      "condition_charge": "{\"amount\":1000,\"currency\":\"USD\"}",
    ])
    let changes: [[Change]] = [
      requiredChanges("occurred_on"), Change.bad("quantity", "missing", nil, "null"), quantityChanges("quantity"),
      Change.good("serials", "[\"a\",\"b\",\"c\"]"), Change.bad("serials", "conflict", "[\"a\"]"),
      optionalChanges("condition_charge"), Change.good("condition", "\"good\""),
      Change.bad("condition", "enum", "\"fair\""),
      Change.bad("condition", "conflict", at: "/condition_charge", nil, "null"),
      moneyChanges("condition_charge", least: 0),
    ]
    check(sample, changes, parse)
    let command = try read(sample, parse).command(loanID: loanID)
    #expect(command.loanID == loanID)
    #expect(command.quantity == 3)
    #expect(command.conditionCharge == Money(1_000, .usd))
    #expect(command.condition == .damaged)
    let bySerials = sample.with("quantity", nil).with("serials", "[\"a\",\"b\"]")
    #expect(try read(bySerials, parse).quantity == 2)
    let plain = try read(Sample(["quantity": "1", "occurred_on": "\"2024-05-05\""]), parse)
    #expect(plain.command(loanID: loanID).conditionCharge == nil)
  }

  func loan(due: LoanDue?, state: LoanState = .due) throws -> Loan {
    let moment = try instant("2024-02-01T00:00:00Z")
    let terms = Loan.Terms(
      borrowerID: borrower, lenderID: lender, lotID: LotID(uuid(3)), listingID: ListingID(uuid(4)),
      requestID: LoanRequestID(uuid(5)), offerID: OfferID(uuid(6)), chipModelID: try #require(ChipModelID("h20")),
      site: Site(country: try #require(CountryCode("CN")), region: "CN-north"), endUse: "chat",
      deliveryMode: .physical, legalForm: .leasePurchaseOption, quantity: 10, markID: ValuationID(uuid(7)),
      markAmount: Money(100_000, .usd), advanceRate: .whole, principal: Money(1_000_000, .usd),
      rate: BasisPoints(1_400), dayCount: .act360, returnCredit: .proRataOutstanding,
      repayment: RepaymentTerms(
        pattern: .roundSweep, leastAmount: nil, leastPostMoney: Money(9, .usd), sweep: BasisPoints(2_000)),
      rank: 1, tradeOn: try date("2024-02-01"), termDays: 366, maturesOn: try date("2025-02-01"),
      recallNoticeDays: nil)
    return Loan(
      id: loanID, terms: terms, state: state, closedAs: nil, unitsOut: 7, unitsReturning: 1, unitsReturned: 2,
      unitsOwned: 0, outstanding: Debt(charges: 5, fee: 40, principal: 800_000), feeAccruedTotal: 50,
      accrualResidue: 0, accruedThrough: try date("2024-03-01"), due: due, possession: .borrower, title: .lender,
      securityInterest: SecurityInterest(registry: "chipbridge", number: "SI-1", filedOn: try date("2024-02-03")),
      dispatchedOn: try date("2024-02-02"), deliveredOn: try date("2024-02-03"), closedOn: nil, version: 9,
      createdAt: moment, updatedAt: moment)
  }

  @Test("a loan shows parties, units, debt, what is due and why, covenant, title and lien")
  func renderedLoan() throws {
    let due = LoanDue(cause: .fundingRound, causeID: uuid(12), since: try date("2024-03-02"), amount: 300)
    let text = try written { try? loan(due: due).write(to: &$0) }
    #expect(
      text
        == golden(
          """
          {"id":"\(loanID)","state":"due","lender_id":"\(lender)","borrower_id":"\(borrower)",
          "lot_id":"\(LotID(uuid(3)))","listing_id":"\(ListingID(uuid(4)))",
          "loan_request_id":"\(LoanRequestID(uuid(5)))","offer_id":"\(OfferID(uuid(6)))","chip_model_id":"h20",
          "site":{"country":"CN","region":"CN-north"},"end_use":"chat","delivery_mode":"physical",
          "legal_form":"lease_purchase_option","quantity":10,
          "units":{"out":7,"returning":1,"returned":2,"owned":0,"lost":0,"repossessed":0,"resold":0,"kept":0,
          "assigned":0},
          "mark":{"id":"\(ValuationID(uuid(7)))","amount":{"amount":100000,"currency":"USD"}},
          "advance_rate_bps":10000,"principal":{"amount":1000000,"currency":"USD"},
          "outstanding":{"amount":800000,"currency":"USD"},"accrued_fee":{"amount":40,"currency":"USD"},
          "fee_accrued_total":{"amount":50,"currency":"USD"},
          "charges":{"amount":5,"currency":"USD"},"tax":null,
          "due":{"cause":"funding_round","cause_id":"fund_01920000-0000-7000-8000-00000000000c",
          "since":"2024-03-02","amount":{"amount":300,"currency":"USD"}},
          "rate_bps":1400,"day_count":"ACT/360","accrued_through":"2024-03-01",
          "return_credit":"pro_rata_outstanding","rank":1,
          "penalty_rate_bps":0,"penalty_grace_days":0,"penalty_cap_bps":null,
          "penalty_total":{"amount":0,"currency":"USD"},"business_day":"unadjusted","margin":null,
          "days_past_due":0,"bucket":"current","aged_on":null,
          "trade_on":"2024-02-01","term_days":366,"matures_on":"2025-02-01","dispatched_on":"2024-02-02",
          "delivered_on":"2024-02-03","closed_on":null,"recall":null,
          "rates":[],"paused_until":null,"pauses":[],"overdue_since":null,"default":null,"held_on":null,
          "forgiven":{"amount":0,"currency":"USD"},
          "covenant":{"pattern":"round_sweep","least_amount":null,
          "least_post_money":{"amount":9,"currency":"USD"},"sweep_bps":2000},"lifted":null,"possession":"borrower","title":"lender",
          "security_interest":{"registry":"chipbridge","number":"SI-1","filed_on":"2024-02-03","released_on":null,
          "assigned_on":null},"closed_as":null,"assignable":"with_consent","assigned_from":null,
          "principal_assigned":{"amount":0,"currency":"USD"},
          "version":9,"created_at":"2024-02-01T00:00:00Z","updated_at":"2024-02-01T00:00:00Z"}
          """))
  }

  @Test("a whole debt that is due shows its amount, a matured loan names itself, and no claim is null")
  func dueAmounts() throws {
    let matured = LoanDue(cause: .maturity, causeID: loanID.value, since: try date("2025-02-01"), amount: nil)
    let text = try written { try? loan(due: matured).write(to: &$0) }
    #expect(
      text.contains(
        golden(
          """
          "due":{"cause":"maturity","cause_id":"\(loanID)","since":"2025-02-01",
          "amount":{"amount":800045,"currency":"USD"}}
          """)))
    #expect(try written { try? loan(due: nil, state: .active).write(to: &$0) }.contains("\"due\":null,"))
  }

  @Test("a return shows its step, its grade, its charge and its credit")
  func renderedReturn() throws {
    let moment = try instant("2024-05-05T00:00:00Z")
    let entry = LoanReturn(
      id: LoanEventID(uuid(13)), borrowerID: borrower, lenderID: lender, loanID: loanID, lotID: LotID(uuid(3)),
      quantity: 2, startedOn: try date("2024-05-01"), state: .accepted, arrivedOn: try date("2024-05-03"),
      inspectedOn: try date("2024-05-05"), condition: .damaged, conditionCharge: 1_000, credit: 200_000,
      createdAt: moment, updatedAt: moment)
    let members = golden(
      """
      {"id":"lev_01920000-0000-7000-8000-00000000000d","state":"accepted","loan_id":"\(loanID)",
      "borrower_id":"\(borrower)","lender_id":"\(lender)","lot_id":"\(LotID(uuid(3)))","quantity":2,
      "started_on":"2024-05-01","arrived_on":"2024-05-03","inspected_on":"2024-05-05","condition":"damaged",
      "condition_charge":{"amount":1000,"currency":"USD"},"credit":{"amount":200000,"currency":"USD"},
      "version":1,"created_at":"2024-05-05T00:00:00Z","updated_at":"2024-05-05T00:00:00Z"
      """)
    #expect(try written { entry.write(to: &$0, currency: .usd) } == members + "}")
  }
}
