import BankFiles
import Operations
import Persistence
import Primitives
import Repayment
import StrictJSON

extension ProposeClawback {
  /// `amount`, `taken_back_on`, `reason`, `reference`?, `order`? (`last_line_first`)
  package static func parse(
    _ reader: inout ObjectReader, _ id: CashReceiptID, ifVersion: Int64?
  ) -> ProposeClawback? {
    let amount = reader.money("amount", BodyBounds.price)
    let date = reader.date("taken_back_on")
    let reason = reader.enumeration("reason", as: ReceiptClawback.Reason.self)
    let reference = reader.optionalString("reference", bytes: BodyBounds.reference)
    let order = reader.optionalEnumeration("order", as: Clawback.Order.self)
    guard let amount, let date, let reason else { return nil }
    return ProposeClawback(
      receiptID: id, amount: amount, takenBackOn: date, reason: reason, reference: reference,
      order: order ?? .lastLineFirst, ifVersion: ifVersion)
  }
}

extension DecideClawback.Act {
  /// `reason`
  static func parseReject(_ reader: inout ObjectReader) -> DecideClawback.Act? {
    reader.string("reason", bytes: BodyBounds.reason).map { .reject(note: $0) }
  }
}

extension ProposeTopUp {
  /// `amount`, `on`, `reference`
  package static func parse(_ reader: inout ObjectReader) -> ProposeTopUp? {
    let amount = reader.money("amount", BodyBounds.price)
    let date = reader.date("on")
    let reference = reader.string("reference", bytes: BodyBounds.reference)
    guard let amount, let date, let reference else { return nil }
    return ProposeTopUp(amount: amount, fundedOn: date, reference: reference)
  }
}

extension ProposeClawback.Shown {
  package func write(to writer: inout JSONWriter) { write(to: &writer, as: SweepView(lender: nil)) }

  /// - Parameter view: a lender sees the lines of its own loans, and none of the amounts that tell of others'.
  func write(to writer: inout JSONWriter, as view: SweepView) {
    let isWhole = view.lender == nil
    let currency = clawback.amount.currency
    writer.object { writer in
      writer.field("id", clawback.id)
      writer.field("state", clawback.state)
      writer.field("cash_receipt_id", clawback.receiptID)
      writer.field("payer_organization_id", clawback.payerID)
      writer.field("amount", isWhole ? clawback.amount : nil)
      writer.field("taken_back_on", clawback.takenBackOn)
      writer.field("reason", clawback.reason)
      writer.field("reference", isWhole ? clawback.reference : nil)
      writer.field("order", clawback.order)
      writer.field("number", clawback.booking?.number)
      writer.field("booked_on", booking?.on)
      writer.field("from_remainder", isWhole ? booking.map { Money($0.fromRemainder, currency) } : nil)
      writer.array("lines", lines.filter { view.shows($0.lenderID) }) { $1.write(to: &$0) }
      if isWhole { writeCover(to: &writer, currency) }
      writer.field("digest", digest)
      // What the digest is taken of names all lenders, so it is for those who may see all lines.
      writer.field("bytes", isWhole ? bytes?.hexadecimal : nil)
      writer.field("proposed_by", isWhole ? clawback.proposedBy : nil)
      writer.field("decided_by", isWhole ? clawback.decision?.by : nil)
      writer.field("decided_at", clawback.decision?.at)
      writer.field("note", isWhole ? clawback.note : nil)
      writer.history(version: clawback.version, createdAt: clawback.createdAt, updatedAt: clawback.updatedAt)
    }
  }

  private func writeCover(to writer: inout JSONWriter, _ currency: Currency) {
    writer.object("client_money", booking) { writer, booking in
      writer.field("advanced", Money(booking.advanced, currency))
      writer.field("advance_reference", booking.advanced > 0 ? EndToEndReference.ofAdvance(clawback.id) : nil)
      writer.field("uncovered", Money(booking.uncovered, currency))
    }
  }
}

extension ClawbackLine {
  fileprivate func write(to writer: inout JSONWriter) {
    writer.object { writer in
      writer.field("loan_id", loanID)
      writer.field("lender_id", lenderID)
      writer.field("step", step)
      writer.field("amount", cash)
      writer.field("held", Money(held, cash.currency))
      writer.field("platform_fee_returned", Money(feeReturned, cash.currency))
      writer.field("owed_by_lender", Money(claimed, cash.currency))
      writer.field("reinstates", reinstates)
    }
  }
}

extension ClientMoneyTopUp {
  package func write(to writer: inout JSONWriter) {
    writer.object { writer in
      writer.field("id", id)
      writer.field("state", state)
      writer.field("amount", amount)
      writer.field("on", fundedOn)
      writer.field("reference", reference)
      writer.field("booked_on", bookedOn)
      writer.field("proposed_by", proposedBy)
      writer.field("decided_by", decision?.by)
      writer.field("decided_at", decision?.at)
      writer.field("note", note)
      writer.history(version: version, createdAt: createdAt, updatedAt: updatedAt)
    }
  }
}
