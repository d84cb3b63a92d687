import Ledger
import Parties
import Postgres
import Primitives

/// What the platform took of a lender's fee income in one currency, told to the lender with a number. It posts nothing: the
/// fee was taken when each payout was made.
package struct PlatformInvoice: Sendable, Hashable {
  package let id: InvoiceID
  package let lenderID: OrganizationID
  /// 1, 2, 3... of the lender, without gaps.
  package let number: Int64
  package let currency: Currency
  /// The day of its first payout, and the day up to which payouts were looked at.
  package let from: CalendarDate
  package let through: CalendarDate
  /// Fee income that was paid out, and the platform's share of it, minor units.
  package let feeIncome: Int64
  package let platformFee: Int64
  package let runID: SettlementRunID
  package let createdAt: Instant

  package init(
    id: InvoiceID, lenderID: OrganizationID, number: Int64, currency: Currency, from: CalendarDate,
    through: CalendarDate, feeIncome: Int64, platformFee: Int64, runID: SettlementRunID, createdAt: Instant
  ) {
    self.id = id
    self.lenderID = lenderID
    self.number = number
    self.currency = currency
    self.from = from
    self.through = through
    self.feeIncome = feeIncome
    self.platformFee = platformFee
    self.runID = runID
    self.createdAt = createdAt
  }
}

/// A payout that an invoice tells of, tied to its entry. No payout is in two.
package struct InvoiceLine: Sendable, Hashable {
  package let lenderID: OrganizationID
  package let payoutID: PayoutID
  package let invoiceID: InvoiceID
  package let entryID: JournalEntryID
  package let on: CalendarDate
  package let feeIncome: Int64
  package let platformFee: Int64

  package init(
    lenderID: OrganizationID, payoutID: PayoutID, invoiceID: InvoiceID, entryID: JournalEntryID, on: CalendarDate,
    feeIncome: Int64, platformFee: Int64
  ) {
    self.lenderID = lenderID
    self.payoutID = payoutID
    self.invoiceID = invoiceID
    self.entryID = entryID
    self.on = on
    self.feeIncome = feeIncome
    self.platformFee = platformFee
  }
}

/// A payout that no invoice tells of yet.
package struct UninvoicedPayout: Sendable, Hashable {
  package let payoutID: PayoutID
  package let entryID: JournalEntryID
  package let on: CalendarDate
  package let currency: Currency
  /// The part of the payout that came in as fee, minor units.
  package let feeIncome: Int64
  package let platformFee: Int64
}

/// What the invoices of a lender are made of.
package struct InvoiceBook: Sendable {
  /// The number of the last invoice; 0 before the first.
  package var lastNumber: Int64 = 0
  /// In the order of their days.
  package var payouts: [UninvoicedPayout] = []

  package init() {}
}

extension Tables {
  /// Never updated.
  package static let platformInvoices = Table<PlatformInvoice>(
    "platform_invoices", sql: "platform_invoices", key: ["lender_id", "id"], idColumn: "id",
    columns: [
      .uuid("lender_id") { $0.lenderID.value },
      .uuid("id") { $0.id.value },
      .int8("number") { $0.number },
      .text("currency") { $0.currency.code },
      .date("from_on") { $0.from },
      .date("through_on") { $0.through },
      .int8("fee_income") { $0.feeIncome },
      .int8("platform_fee") { $0.platformFee },
      .uuid("run_id") { $0.runID.value },
      .instant("created_at") { $0.createdAt },
    ],
    names: ("platform_invoices_by_id", "platform_invoices_insert", nil)
  ) { row in
    let lender: OrganizationID = try row.id()
    return PlatformInvoice(
      id: try row.id(), lenderID: lender, number: try row.int(), currency: try row.currency(), from: try row.date(),
      through: try row.date(), feeIncome: try row.int(), platformFee: try row.int(), runID: try row.id(),
      createdAt: try row.instant())
  }

  /// Never updated.
  package static let invoiceLines = Table<InvoiceLine>(
    "platform_invoice_lines", sql: "platform_invoice_lines", key: ["lender_id", "payout_id"], idColumn: "payout_id",
    columns: [
      .uuid("lender_id") { $0.lenderID.value },
      .uuid("payout_id") { $0.payoutID.value },
      .uuid("invoice_id") { $0.invoiceID.value },
      .uuid("entry_id") { $0.entryID.value },
      .date("on_date") { $0.on },
      .int8("fee_income") { $0.feeIncome },
      .int8("platform_fee") { $0.platformFee },
    ],
    names: ("platform_invoice_lines_by_payout", "platform_invoice_lines_insert", nil)
  ) { row in
    let lender: OrganizationID = try row.id()
    return InvoiceLine(
      lenderID: lender, payoutID: try row.id(), invoiceID: try row.id(), entryID: try row.id(), on: try row.date(),
      feeIncome: try row.int(), platformFee: try row.int())
  }
}

package enum InvoiceSQL {
  private static let lastNumbers = Statement(
    "invoice_last_number", "select coalesce(max(number), 0) from platform_invoices where lender_id = $1",
    parameters: [.uuid], columns: [.int8])
  private static let uninvoiced = Statement(
    "invoice_payouts",
    """
    select p.id, e.id, p.business_date, p.currency,
      coalesce(-sum(l.amount) filter (where l.account_code = 'cash_at_platform' and l.subject_id = $3), 0)::bigint,
      p.platform_fee
    from payouts p
    join journal_entries e on e.org_id = p.lender_id and e.subject_id = p.id and e.kind = 'payout_made'
    join journal_lines l on l.org_id = e.org_id and l.entry_id = e.id
    where p.lender_id = $1 and p.business_date <= $2 and p.platform_fee > 0 and not exists (
      select 1 from platform_invoice_lines i where i.lender_id = p.lender_id and i.payout_id = p.id)
    group by p.id, e.id, p.business_date, p.currency, p.platform_fee order by p.business_date, p.id
    """, parameters: [.uuid, .date, .uuid], columns: [.uuid, .uuid, .date, .text, .int8, .int8])
  /// Lenders with payouts up to a day that no invoice tells of, and how many.
  package static let lenders = Statement(
    "invoice_lenders",
    """
    select p.lender_id, count(*) from payouts p
    where p.business_date <= $1 and p.platform_fee > 0 and not exists (
      select 1 from platform_invoice_lines i where i.lender_id = p.lender_id and i.payout_id = p.id)
    group by p.lender_id order by p.lender_id
    """, parameters: [.date], columns: [.uuid, .int8])
  package static let linesOfInvoice = Statement(
    "read_lines_of_invoice",
    Tables.invoiceLines.selectList
      + "where ($1::uuid is null or lender_id = $1) and invoice_id = $2 order by on_date, payout_id",
    parameters: [.uuid, .uuid], columns: Tables.invoiceLines.types)

  package static var statements: [Statement] { [lastNumbers, uninvoiced, lenders, linesOfInvoice] }

  static func lookups(_ lender: OrganizationID, through date: CalendarDate) -> [Loader.Lookup] {
    let id = Bind.uuid(lender.value.bits)
    return [
      Loader.Lookup(query: Query(lastNumbers, [id])) { result, state in
        state.invoiceBooks[lender] = InvoiceBook()
        state.invoiceBooks[lender]?.lastNumber = try result.single().int8(0)
      },
      Loader.Lookup(
        query: Query(uninvoiced, [id, .date(date.dayNumber), .uuid(AccountRef.feePart.bits)])
      ) { result, state in
        state.invoiceBooks[lender]?.payouts = try result.map { row in
          var reader = RowReader(row)
          return UninvoicedPayout(
            payoutID: try reader.id(), entryID: try reader.id(), on: try reader.date(),
            currency: try reader.currency(), feeIncome: try reader.int(), platformFee: try reader.int())
        }
      },
    ]
  }
}
