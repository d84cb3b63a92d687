import Parties
import Persistence
import Primitives

/// Tells a lender what the platform took of its fee income up to a day, one invoice for each currency, each payout in one of
/// them. It posts nothing: the platform earns its share when fee income is paid out, and takes it then; what the platform
/// still holds for a lender is the lender's. Done twice, the second finds nothing to tell.
package struct InvoiceFees: Command {
  package static let action = "settlement.invoice_fees"
  package var staffDuty: Duty? { .operations }
  package let lenderID: OrganizationID
  package let through: CalendarDate
  package let runID: SettlementRunID

  package init(lenderID: OrganizationID, through: CalendarDate, runID: SettlementRunID) {
    self.lenderID = lenderID
    self.through = through
    self.runID = runID
  }

  package func needs(_ state: BatchState) -> Set<Need> { [.invoices(lenderID, through: through)] }
  package func heads(_ state: BatchState) -> Set<OrganizationID> { [lenderID] }

  package func decide(_ draft: inout Draft, by principal: Principal) throws -> [PlatformInvoice] {
    try principal.require(.admin)
    let book = draft.base.invoiceBooks[lenderID] ?? InvoiceBook()
    draft.made.subject = lenderID.value
    var number = book.lastNumber
    var invoices: [PlatformInvoice] = []
    for (currency, payouts) in Dictionary(grouping: book.payouts, by: \.currency).sorted(by: { $0.key < $1.key }) {
      number += 1
      let id: InvoiceID = draft.ids.next()
      let invoice = PlatformInvoice(
        id: id, lenderID: lenderID, number: number, currency: currency, from: payouts.map(\.on).min() ?? through,
        through: through, feeIncome: try payouts.reduce(0) { try $0.adding($1.feeIncome) },
        platformFee: try payouts.reduce(0) { try $0.adding($1.platformFee) }, runID: runID, createdAt: draft.now)
      draft.made.invoices.append(invoice)
      draft.made.invoiceLines += payouts.map {
        InvoiceLine(
          lenderID: lenderID, payoutID: $0.payoutID, invoiceID: id, entryID: $0.entryID, on: $0.on,
          feeIncome: $0.feeIncome, platformFee: $0.platformFee)
      }
      draft.happen(
        "invoice.issued", id, version: 1, to: (lenderID, nil),
        [
          ("number", .number(number)), ("platform_fee", .number(invoice.platformFee)),
          ("currency", .text(currency.code)),
        ])
      invoices.append(invoice)
    }
    return invoices
  }
}
