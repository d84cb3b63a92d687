import BankFiles
import Operations
import Parties
import Persistence
import Primitives
import Repayment
import StrictJSON
import Testing
import WebAPI

@Suite("Bodies of banks and payees")
struct BankBodyTests {
  @Test("a break is resolved with a note, an account withdrawn with a reason, money assigned to a payer")
  func acts() throws {
    let breakID = ReconciliationBreakID(uuid(31))
    check(Sample(["note": "\"seen\""]), [requiredChanges("note"), textChanges("note", 1_000)]) {
      ResolveBreak.parse(&$0, breakID, ifVersion: 3)
    }
    check(Sample(["reason": "\"closed\""]), [requiredChanges("reason"), textChanges("reason", 1_000)]) {
      DecidePayee.parseWithdraw(&$0, borrower, PayeeID(uuid(32)), ifVersion: nil)
    }
    let assign = Sample(["payer_organization_id": "\"\(borrower)\""])
    let changes: [[Change]] = [
      requiredChanges("payer_organization_id"), idChanges("payer_organization_id", prefix: "org"),
    ]
    check(assign, changes) { AssignCashReceipt.parse(&$0, CashReceiptID(uuid(33)), ifVersion: nil) }
  }

  @Test("an account is an IBAN with its check digits or a number of the bank's own, never one taken for the other")
  func payees() throws {
    let sample = Sample([
      "currency": "\"EUR\"", "name": "\"Lender\"", "iban": "\"GB29NWBK60161331926819\"", "bic": "\"NWBKGB2L\"",
    ])
    let changes: [[Change]] = [
      requiredChanges("currency", "name"), optionalChanges("bic"), textChanges("name", 200),
      Change.bad("currency", "format", "\"eur\"", "\"XXX\""), Change.bad("iban", "missing", nil),
      Change.bad("iban", "format", "\"GB29NWBK60161331926818\""),
      Change.bad("account_number", "conflict", "\"0200 1\""), Change.bad("bic", "format", "\"nwbkgb2l\""),
    ]
    check(sample, changes) { ProposePayee.parse(&$0, lender) }
    let command = try read(sample) { ProposePayee.parse(&$0, lender) }
    #expect(command.account == IBAN("GB29NWBK60161331926819").map { .iban($0) })
    let number = Sample(["currency": "\"CNY\"", "name": "\"Lender\"", "account_number": "\"0200003609200012345\""])
    #expect(try read(number) { ProposePayee.parse(&$0, lender) }.account == .other("0200003609200012345"))
  }

  @Test("a break is shown with its line, its item and who closed it")
  func shown() throws {
    let moment = try instant("2024-03-06T00:00:00Z")
    let row = ReconciliationBreakRow(
      id: ReconciliationBreakID(uuid(31)), reason: "amount_differs", place: (BankStatementID(uuid(34)), 2, 1),
      item: (.platformFee, uuid(35)), reference: "CF1", amount: Money(-90, .usd), on: try date("2024-03-05"),
      measure: 10, expectedCurrency: nil, candidates: ["payout \(PayoutID(uuid(35)))"], state: .resolved, note: "seen",
      resolvedBy: PersonID(uuid(36)), decidedAt: moment, version: 2, createdAt: moment, updatedAt: moment)
    let root = try JSONDocument(parsing: Array(try written { row.write(to: &$0) }.utf8)).root
    #expect(root["item_kind"]?.asString == "platform_fee")
    #expect(root["item_id"]?.asString == PayoutID(uuid(35)).description)
    #expect(root["entry"]?.asInteger == 2 && root["measure"]?.asInteger == 10)
    #expect(root["amount"]?["amount"]?.asInteger == -90)
    #expect(root["resolved_by"]?.asString == PersonID(uuid(36)).description)
    #expect(root["expected_currency"]?.isNull == true)
  }
}
