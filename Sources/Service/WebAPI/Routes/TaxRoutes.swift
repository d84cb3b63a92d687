import HTTPTypes
import Hummingbird
import Ledger
import Lending
import Operations
import Parties
import Persistence
import Postgres
import Primitives
import Repayment
import StrictJSON
import WebSupport

/// Taxes on fees: the rules, as dated data that a second person adopts, and what they came to.
extension WebAPI {
  func addTaxRoutes(_ routes: inout Routes) {
    addTaxRuleRoutes(&routes)
    routes.get("/v1/loans/{id}/tax-lines") { request, context in
      let principal = try await gateway.principal(of: request)
      let loan = try await self.loan(context, as: principal)
      let query = Query(TaxSQL.linesOfLoan, [gateway.reader.scope(principal), .uuid(loan.id.value.bits)])
      let rows = try await Tables.taxLines.decode(gateway.reader.run([query], as: principal)[0])
      return gateway.page(rows, next: nil) { $0.write(to: &$1) }
    }
    routes.get("/v1/tax-report") { request, _ in try await taxReport(request) }
    addCertificateRoutes(&routes)
  }

  /// Tax that a borrower kept back: recorded by it, confirmed by staff.
  private func addCertificateRoutes(_ routes: inout Routes) {
    let path = "/v1/loans/{id}/tax-certificates"
    routes.get(path) { request, context in
      let principal = try await gateway.principal(of: request)
      let loan = try await self.loan(context, as: principal)
      let query = Query(TaxSQL.certificatesOfLoan, [gateway.reader.scope(principal), .uuid(loan.id.value.bits)])
      let rows = try await Tables.taxCertificates.decode(gateway.reader.run([query], as: principal)[0])
      return gateway.page(rows, next: nil) { $0.write(to: &$1) }
    }
    routes.post(path) { request, context in
      let id: LoanID = try Gateway.pathID(context, noun: "loan")
      return try await gateway.post(
        request, context,
        render: .init(
          status: .created, location: { "/v1/loans/\($0.loanID)/tax-certificates" }, version: { $0.version },
          write: { $0.write(to: &$1) })
      ) { reader, posted in RecordTaxCertificate.parse(&reader, loanID: id, ifVersion: posted.ifVersion) }
    }
    let decided = Gateway.Rendering<TaxCertificate>(version: { $0.version }, write: { $0.write(to: &$1) })
    routes.post(path + "/{certificate}/confirm") { request, context in
      let id: LoanID = try Gateway.pathID(context, noun: "loan")
      let certificate: TaxCertificateID = try Gateway.pathID(context, "certificate", noun: "tax certificate")
      return try await gateway.post(request, context, render: decided) { reader, posted -> DecideTaxCertificate? in
        guard EmptyBody.parse(&reader) != nil else { return nil }
        return DecideTaxCertificate(
          loanID: id, certificateID: certificate, act: .confirm, ifVersion: posted.ifVersion)
      }
    }
    routes.post(path + "/{certificate}/reject") { request, context in
      let id: LoanID = try Gateway.pathID(context, noun: "loan")
      let certificate: TaxCertificateID = try Gateway.pathID(context, "certificate", noun: "tax certificate")
      return try await gateway.post(request, context, render: decided) { reader, posted -> DecideTaxCertificate? in
        guard let reason = reader.string("reason", bytes: BodyBounds.reason) else { return nil }
        return DecideTaxCertificate(
          loanID: id, certificateID: certificate, act: .reject(reason: reason), ifVersion: posted.ifVersion)
      }
    }
  }

  /// What may be kept back of a loan's fee on a day: of fee that is owed, and of fee that was paid and is not certified.
  /// - Returns: nil where nothing was agreed, both sides are in one jurisdiction, or no rule holds.
  func withholding(of loan: Loan, fee: Int64, on date: CalendarDate) async throws -> Withholdable? {
    guard loan.terms.tax?.withholding != nil else { return nil }
    func jurisdiction(_ id: OrganizationID) async throws -> CountryCode {
      try await gateway.reader.one(Resources.organizations, id.value, as: .automation, noun: "organization")
        .jurisdiction
    }
    let (payer, payee) = (
      try await jurisdiction(loan.terms.borrowerID), try await jurisdiction(loan.terms.lenderID)
    )
    let table = try await reference.refreshed(writer).taxes
    guard payer != payee, let rule = try? table.rule(.withholding, of: payer, on: date) else { return nil }
    let isGrossedUp = loan.terms.tax?.withholding == .grossUp
    return Withholdable(
      rule: rule, isGrossedUp: isGrossedUp,
      ofOwed: isGrossedUp
        ? try TaxedFee.withheld(ofPaid: fee, by: rule, isGrossedUp: true)
        : try TaxedFee.withheld(ofOwed: fee, by: rule),
      ofPaid: try TaxedFee.withheld(ofPaid: loan.life.tax.feeOpen, by: rule, isGrossedUp: isGrossedUp))
  }

  private func addTaxRuleRoutes(_ routes: inout Routes) {
    routes.get("/v1/tax-rules") { request, _ in try await taxRules(request) }
    routes.post("/v1/tax-rules") { request, context in
      try await gateway.post(
        request, context,
        render: .init(
          status: .created, location: { "/v1/tax-rules/\($0.id)" }, version: { $0.version },
          write: { $0.write(to: &$1) })
      ) { reader, _ in try ProposeReference.parseTaxRule(&reader) }
    }
    addReferenceRoutes(&routes, "/v1/tax-rules", noun: "tax rule", kind: .taxRule)
  }

  /// The rules that hold, each until another took its place; with `on` those of a day, with `known_at` as they were known
  /// at a moment. Staff sees beside them what waits.
  private func taxRules(_ request: Request) async throws -> Response {
    let principal = try await gateway.principal(of: request)
    let on = try Gateway.date(request, "on")
    let known = try Gateway.instant(request, "known_at")
    let entries = try await Tables.referenceEntries.decode(
      gateway.reader.run([Query(TaxSQL.adoptedRules)], as: principal)[0])
    let adopted = entries.filter { entry in
      guard let known, let decidedAt = entry.decidedAt else { return true }
      return decidedAt <= known
    }
    let table = try FeeTaxTable(adopted: adopted)
    let rules = table.rules.filter { rule in on.map { rule.holds(on: $0) } ?? true }
    let proposed =
      principal.isStaff || principal.readsEverything
      ? try await gateway.reader.page(
        Resources.referenceEntries, after: .start, limit: 200, filter: "tax_rule:proposed", as: principal) : []
    return gateway.object(request, version: nil) { writer in
      writer.object { writer in
        writer.field("on", on)
        writer.array("data", rules) { writer, rule in
          writer.object { writer in
            writer.field("id", rule.id)
            rule.writeMembers(to: &writer)
          }
        }
        writer.array("proposed", proposed) { $1.write(to: &$0) }
        writer.nullField("next_cursor")
      }
    }
  }

  /// What an organisation's fees bore in a period, by business date, and what its tax accounts moved by: the two agree.
  private func taxReport(_ request: Request) async throws -> Response {
    let principal = try await gateway.principal(of: request)
    guard let from = try Gateway.date(request, "from"), let through = try Gateway.date(request, "through"),
      from <= through
    else {
      throw Problem(
        .unprocessableContent, "request.invalid", "from and through are calendar dates YYYY-MM-DD, in that order.")
    }
    let organization = try Self.organization(request) ?? principal.organizationID
    guard principal.readsEverything || organization == principal.organizationID else {
      throw PartiesRefusal.notFound("organization")
    }
    let binds: [Bind] = [
      gateway.reader.scope(principal), .uuid(organization.value.bits), .date(from.dayNumber), .date(through.dayNumber),
    ]
    let results = try await gateway.reader.run(
      [Query(TaxSQL.report, binds), Query(TaxSQL.movements, binds), Query(TaxSQL.withheld, binds)], as: principal)
    let lines = try results[0].map(TaxReportLine.init)
    let withheld = try results[2].map(WithheldLine.init)
    let movements = try results[1].map { row in
      var reader = RowReader(row)
      return (code: try reader.text(), currency: try reader.currency(), amount: try reader.int())
    }
    return gateway.object(request, version: nil) { writer in
      writer.object { writer in
        writer.field("organization_id", organization)
        writer.field("from", from)
        writer.field("through", through)
        writer.field("basis", "fees and taxes by the business date on which they were booked")
        writer.array("lines", lines) { $1.write(to: &$0) }
        writer.array("withheld", withheld) { $1.write(to: &$0) }
        // Debits are positive: output tax that is owed to an authority stands on the credit side.
        writer.array("accounts", movements) { writer, movement in
          writer.object { writer in
            writer.field("account", movement.code)
            writer.field("change", Money(movement.amount, movement.currency))
          }
        }
      }
    }
  }
}

/// Fees of one side, jurisdiction, treatment, currency and rule.
private struct TaxReportLine {
  /// `lender` or `borrower`.
  let side: String
  let jurisdiction: CountryCode
  let treatment: TaxTerms.Treatment
  let currency: Currency
  let ruleID: ReferenceEntryID?
  let rate: BasisPoints
  let fee: Int64
  let tax: Int64
  let lines: Int64

  init(_ row: Row) throws {
    var reader = RowReader(row)
    side = try reader.text()
    jurisdiction = try reader.country()
    treatment = try reader.value()
    currency = try reader.currency()
    ruleID = try reader.idOrNull()
    rate = try reader.bps()
    (fee, tax, lines) = (try reader.int(), try reader.int(), try reader.int())
  }

  /// What the tax is to this side.
  private var what: String {
    switch (treatment, side) {
    case (.standard, "lender"): "output_tax"
    case (.standard, _): "input_tax"
    case (.exempt, _): "exempt"
    // The borrower accounts for it; nothing of it is in the books.
    case (.reverseCharge, _): "reverse_charge"
    }
  }

  func write(to writer: inout JSONWriter) {
    writer.object { writer in
      writer.field("side", side)
      writer.field("what", what)
      writer.field("jurisdiction", jurisdiction)
      writer.field("treatment", treatment)
      writer.field("tax_rule_id", ruleID)
      writer.field("rate_bps", rate)
      writer.field("taxable_fee", Money(fee, currency))
      writer.field("tax", Money(tax, currency))
      writer.field("entries", lines)
    }
  }
}

/// What may be kept back of a fee today.
struct Withholdable {
  let rule: FeeTaxRule
  let isGrossedUp: Bool
  /// Minor units.
  let ofOwed: Int64
  let ofPaid: Int64

  func writeMembers(to writer: inout JSONWriter, currency: Currency) {
    writer.field("tax_rule_id", rule.id)
    writer.field("rate_bps", rule.rate)
    writer.field("gross_up", isGrossedUp)
    writer.field("of_fee_owed", Money(ofOwed, currency))
    writer.field("of_fee_paid", Money(ofPaid, currency))
  }
}

/// Tax that was kept back, of one side, jurisdiction, currency and rule.
private struct WithheldLine {
  let side: String
  let jurisdiction: CountryCode
  let currency: Currency
  let ruleID: ReferenceEntryID
  let rate: BasisPoints
  let fee: Int64
  let withheld: Int64
  let certificates: Int64

  init(_ row: Row) throws {
    var reader = RowReader(row)
    (side, jurisdiction, currency) = (try reader.text(), try reader.country(), try reader.currency())
    (ruleID, rate) = (try reader.id(), try reader.bps())
    (fee, withheld, certificates) = (try reader.int(), try reader.int(), try reader.int())
  }

  func write(to writer: inout JSONWriter) {
    writer.object { writer in
      writer.field("side", side)
      // The lender may set it off where it pays tax; the borrower owes it to its authority.
      writer.field("what", side == "lender" ? "tax_credit" : "withheld_to_remit")
      writer.field("jurisdiction", jurisdiction)
      writer.field("tax_rule_id", ruleID)
      writer.field("rate_bps", rate)
      writer.field("fee_paid", Money(fee, currency))
      writer.field("tax", Money(withheld, currency))
      writer.field("certificates", certificates)
    }
  }
}

/// Fee on which no tax was billed: the supply is exempt, or the borrower accounts for the tax.
struct UntaxedFee {
  private let side: String
  private let jurisdiction: CountryCode
  private let treatment: TaxTerms.Treatment
  private let fee: Money
  private let memorandum: Money

  init(_ row: Row) throws {
    var reader = RowReader(row)
    (side, jurisdiction) = (try reader.text(), try reader.country())
    treatment = try reader.value()
    let currency = try reader.currency()
    fee = Money(try reader.int(), currency)
    memorandum = Money(try reader.int(), currency)
  }

  func write(to writer: inout JSONWriter) {
    writer.object { writer in
      writer.field("side", side)
      writer.field("treatment", treatment)
      writer.field("jurisdiction", jurisdiction)
      writer.field("fee", fee)
      writer.field("memorandum", treatment == .reverseCharge ? memorandum : nil)
    }
  }
}
