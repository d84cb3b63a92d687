import Lending
import Operations
import Parties
import Persistence
import Primitives
import StrictJSON
import Testing
import WebAPI

@Suite("Bodies of the acts of a loan")
struct LoanLifeBodyTests {
  let loanID = LoanID(uuid(11))

  @Test("an amendment has what its kind changes, all of it and nothing else")
  func amendments() throws {
    let parse: Parse<ProposeAmendment> = { ProposeAmendment.parse(&$0, loanID: loanID, ifVersion: nil) }
    let rate = Sample(["kind": "\"re_rate\"", "from_on": "\"2024-02-02\"", "rate_bps": "900"])
    check(
      rate,
      [
        requiredChanges("kind"), Change.bad("from_on", "missing", nil, "null"),
        Change.bad("rate_bps", "missing", nil, "null"), optionalChanges("reason", "valid_days"),
        dateChanges("from_on"), Change.bad("rate_bps", "range", "-1", "100001"),
        Change.bad("matures_on", "conflict", "\"2025-01-01\""), Change.bad("until_on", "conflict", "\"2025-01-01\""),
        Change.bad("serials_in", "conflict", "[\"a\"]"), Change.bad("valid_days", "range", "0", "366"),
        Change.bad("kind", "enum", "\"gift\""),
      ], parse)
    let date = try #require(CalendarDate("2024-02-02"))
    #expect(try read(rate, parse).terms == .reRate(from: date, rate: BasisPoints(900)))
    let extend = Sample(["kind": "\"extend\"", "matures_on": "\"2024-02-02\""])
    check(extend, [Change.bad("matures_on", "missing", nil, "null"), Change.bad("rate_bps", "conflict", "9")], parse)
    #expect(try read(extend, parse).terms == .extend(to: date))
    let pause = Sample(["kind": "\"payment_pause\"", "until_on": "\"2024-02-02\""])
    check(
      pause, [Change.bad("until_on", "missing", nil, "null"), Change.bad("from_on", "conflict", "\"2025-01-01\"")],
      parse)
    #expect(try read(pause, parse).terms == .paymentPause(until: date))
    let whole = Sample(["kind": "\"restructure\"", "matures_on": "\"2024-02-02\"", "until_on": "\"2024-02-02\""])
    check(
      whole,
      [
        Change.bad("until_on", "conflict", at: "/kind", nil),
        Change.bad("rate_bps", "missing", at: "/from_on", "900"),
        Change.bad("serials_out", "conflict", "[\"a\"]"),
      ], parse)
    #expect(try read(whole, parse).terms == .restructure(from: nil, rate: nil, maturity: date, pause: date))
    let swap = Sample(["kind": "\"substitution\"", "serials_out": "[\"a\"]", "serials_in": "[\"b\"]"])
    check(
      swap,
      [
        Change.bad("serials_out", "missing", nil, "null"), Change.bad("serials_in", "missing", nil, "null"),
        Change.bad("serials_in", "conflict", "[\"b\",\"c\"]"),
        Change.bad("serials_out", "length", "[]"),
      ], parse)
    #expect(try read(swap, parse).terms == .substitution(out: ["a"], with: ["b"]))
  }

  @Test("a default names its cause, a casualty its units, its day and its cause, a device event what was reported")
  func acts() throws {
    let fault: Parse<DeclareDefault> = { DeclareDefault.parse(&$0, loanID: loanID, ifVersion: 1) }
    check(
      Sample(["cause": "\"insolvency\""]),
      [
        requiredChanges("cause"), optionalChanges("cure_days", "reason"), Change.bad("cause", "enum", "\"mood\""),
        Change.bad("cure_days", "range", "0", "3651"),
      ], fault)
    let casualty: Parse<RecordCasualty> = { RecordCasualty.parse(&$0, loanID: loanID, ifVersion: nil) }
    let lost = Sample(["quantity": "2", "occurred_on": "\"2024-02-02\"", "cause": "\"fire\""])
    check(
      lost,
      [
        requiredChanges("occurred_on", "cause"), optionalChanges("reason"), dateChanges("occurred_on"),
        quantityChanges("quantity"), Change.bad("serials", "conflict", "[\"a\"]"),
      ], casualty)
    #expect(try read(lost.with("serials", "[\"a\",\"b\"]"), casualty).serials == ["a", "b"])
    let device: Parse<RecordDeviceEvent> = { RecordDeviceEvent.parse(&$0, loanID: loanID, ifVersion: nil) }
    check(
      Sample(["quantity": "2", "occurred_on": "\"2024-02-02\"", "kind": "\"failed\""]),
      [
        requiredChanges("occurred_on", "kind"), optionalChanges("note"),
        Change.good("kind", "\"sent_to_repair\"", "\"back_from_repair\"", "\"banned\"", "\"ban_lifted\""),
        Change.bad("kind", "conflict", "\"lost\"", "\"dispatched\""), Change.bad("kind", "enum", "\"bored\""),
      ], device)
  }

  @Test("chips that were taken back are sold or kept, so many, on a day")
  func disposal() {
    let parse: Parse<DisposeChips> = { DisposeChips.parse(&$0, loanID: loanID, ifVersion: nil) }
    check(
      Sample(["quantity": "2", "occurred_on": "\"2024-02-02\"", "outcome": "\"sold\""]),
      [
        requiredChanges("quantity", "occurred_on", "outcome"), dateChanges("occurred_on"),
        quantityChanges("quantity"), Change.good("outcome", "\"kept\""), Change.bad("outcome", "enum", "\"lent\""),
      ], parse)
  }

  @Test("money that is written off or forgiven is stated, and a forgiveness of nothing is refused")
  func money() throws {
    let off: Parse<WriteOffLoan> = { WriteOffLoan.parse(&$0, loanID: loanID, ifVersion: nil) }
    let amount = "{\"amount\":1000,\"currency\":\"USD\"}"
    check(Sample(["amount": amount]), [optionalChanges("amount", "reason"), moneyChanges("amount", least: 1)], off)
    let forgive: Parse<ForgiveDebt> = { ForgiveDebt.parse(&$0, loanID: loanID, ifVersion: nil) }
    check(
      Sample(["fee": amount, "principal": amount]),
      [optionalChanges("charges", "fee", "principal", "reason"), moneyChanges("fee", least: 1)], forgive)
    #expect(faults(Sample([:]), forgive) == ["field.missing /principal"])
  }

  @Test("an event shows who did it and why, and a person to the person's own side alone")
  func event() throws {
    let (lender, borrower) = (OrganizationID(uuid(1)), OrganizationID(uuid(2)))
    let row = LoanEventRow(
      id: EventID(uuid(3)), borrowerID: borrower, lenderID: lender, loanID: loanID, loanVersion: 4,
      type: "loan.defaulted", reason: "insolvency", facts: Array("{}".utf8), actorID: lender,
      personID: PersonID(uuid(5)), action: "loan.default", at: try instant("2024-02-02T00:00:00Z"))
    func shown(to id: OrganizationID) throws -> String {
      let reader = Principal(organizationID: id, roles: [.lender], personID: nil, keyID: APIKeyID(uuid(6)))
      return try written { row.write(to: &$0, for: reader) }
    }
    #expect(
      try shown(to: lender)
        == golden(
          """
          {"id":"\(EventID(uuid(3)))","type":"loan.defaulted","at":"2024-02-02T00:00:00Z",
          "actor_organization_id":"\(lender)","side":"lender","person_id":"\(PersonID(uuid(5)))",
          "action":"loan.default","reason_code":"insolvency","loan_version":4,"facts":{}}
          """))
    #expect(try shown(to: borrower).contains("\"person_id\":null"))
  }
}
