import Lending
import Operations
import Persistence
import Primitives
import Repayment
import StrictJSON
import Testing
import WebAPI

@Suite("Bodies of taxes")
struct TaxBodyTests {
  private let loanID = LoanID(uuid(11))
  private let amount = "{\"amount\":1000,\"currency\":\"USD\"}"

  @Test("a tax rule is read member by member, each within its bounds")
  func rules() throws {
    let parse: Parse<ProposeReference> = { try? ProposeReference.parseTaxRule(&$0) }
    let sample = Sample([
      "kind": "\"sales\"", "jurisdiction": "\"SG\"", "from_on": "\"2024-01-01\"", "rate_bps": "900",
      "source": "\"an act\"",
    ])
    let changes: [[Change]] = [
      requiredChanges("kind", "jurisdiction", "from_on", "rate_bps", "source"),
      optionalChanges("through_on", "rounding", "supersedes"), dateChanges("from_on"),
      Change.good("kind", "\"withholding\""), Change.bad("kind", "enum", "\"poll\""),
      Change.bad("jurisdiction", "format", "\"sg\"", "\"SGP\""), Change.good("rate_bps", "0", "10000"),
      Change.bad("rate_bps", "range", "-1", "10001"), Change.good("through_on", "\"2024-01-01\""),
      Change.bad("through_on", "conflict", "\"2023-12-31\""), Change.good("rounding", "\"half_even\"", "\"down\""),
      Change.bad("rounding", "enum", "\"nearest\""), textChanges("source", 500), idChanges("supersedes", prefix: "ref"),
    ]
    check(sample, changes, parse)
    guard case .taxRule(let rule, let superseded) = try read(sample, parse).fact else {
      Issue.record("no rule")
      return
    }
    #expect(rule.rate.value == 900 && rule.through == nil && rule.rounding == .halfUp && superseded == nil)
  }

  @Test("a certificate of withheld tax is read member by member")
  func certificates() throws {
    let parse: Parse<RecordTaxCertificate> = { RecordTaxCertificate.parse(&$0, loanID: loanID, ifVersion: 3) }
    let sample = Sample([
      "fee": amount, "withheld": amount, "paid_on": "\"2024-01-01\"", "authority": "\"IRAS\"",
      "reference": "\"W-1\"",
    ])
    check(
      sample,
      [
        requiredChanges("fee", "withheld", "paid_on", "authority", "reference"), moneyChanges("fee", least: 1),
        moneyChanges("withheld", least: 1), dateChanges("paid_on"), textChanges("authority", 200),
        textChanges("reference", 200),
      ], parse)
    let read = try read(sample, parse)
    #expect(read.loanID == loanID && read.ifVersion == 3 && read.reference == "W-1" && read.fee == Money(1_000, .usd))
  }

  @Test("a listing states what the fee of its loans bears, and says it as it was stated")
  func terms() throws {
    let parse: Parse<CreateListing> = { CreateListing.parse(&$0, lenderID: lender) }
    let sample = Sample([
      "lot_id": "\"lot_01920000-0000-7000-8000-00000000000a\"", "quantity": "8", "ask_rate_bps": "900",
      "min_term_days": "30", "max_term_days": "60",
      "tax": "{\"sales\":{\"treatment\":\"standard\",\"jurisdiction\":\"SG\"},\"withholding\":{\"gross_up\":true}}",
    ])
    func sales(_ treatment: String, _ jurisdiction: String = "\"SG\"") -> String {
      "{\"sales\":{\"treatment\":\(treatment),\"jurisdiction\":\(jurisdiction)}}"
    }
    check(
      sample,
      [
        optionalChanges("tax"), Change.good("tax", sales("\"exempt\""), sales("\"reverse_charge\"")),
        Change.good("tax", "{\"withholding\":{\"gross_up\":false}}"), Change.bad("tax", "type", "5", "[]"),
        Change.bad("tax", "missing", at: "/tax/sales", "{}"),
        Change.bad("tax", "enum", at: "/tax/sales/treatment", sales("\"none\"")),
        Change.bad("tax", "format", at: "/tax/sales/jurisdiction", sales("\"exempt\"", "\"sg\"")),
        Change.bad("tax", "missing", at: "/tax/sales/jurisdiction", "{\"sales\":{\"treatment\":\"exempt\"}}"),
        Change.bad("tax", "missing", at: "/tax/withholding/gross_up", "{\"withholding\":{}}"),
        Change.bad("tax", "type", at: "/tax/withholding/gross_up", "{\"withholding\":{\"gross_up\":1}}"),
        Change.bad("tax", "unknown", at: "/tax/vat", "{\"withholding\":{\"gross_up\":true},\"vat\":1}"),
      ], parse)
    let tax = try #require(try read(sample, parse).terms.tax)
    #expect(tax.sales?.treatment == .standard && tax.sales?.jurisdiction.value == "SG" && tax.withholding == .grossUp)
    #expect(try read(sample.with("tax", nil), parse).terms.tax == nil)
  }

  @Test("tax is forgiven by its own name")
  func forgiven() throws {
    let parse: Parse<ForgiveDebt> = { ForgiveDebt.parse(&$0, loanID: loanID, ifVersion: nil) }
    check(Sample(["tax": amount]), [moneyChanges("tax", least: 1)], parse)
    #expect(try read(Sample(["tax": amount]), parse).tax == Money(1_000, .usd))
  }
}
