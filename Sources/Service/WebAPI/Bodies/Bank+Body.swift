import BankFiles
import Operations
import Persistence
import Primitives
import Reconciliation
import StrictJSON

extension ResolveBreak {
  /// `note`
  package static func parse(
    _ reader: inout ObjectReader, _ id: ReconciliationBreakID, ifVersion: Int64?
  ) -> ResolveBreak? {
    guard let note = reader.string("note", bytes: BodyBounds.reason) else { return nil }
    return ResolveBreak(breakID: id, note: note, ifVersion: ifVersion)
  }
}

/// A statement with all that belongs to it.
struct BankStatementView {
  let statement: BankStatementRow
  let lines: [BankLineRow]
  let matches: [ReconciliationMatch]
  let breaks: [ReconciliationBreakRow]
  /// Minor units that the books have in the client accounts of the currency at the end of the closing day.
  let ledgerBalance: Int64

  func write(to writer: inout JSONWriter) {
    var matched: [BankPlace: BankItem] = [:]
    for match in matches { matched[match.place] = match.item }
    writer.object { writer in
      statement.writeMembers(to: &writer)
      writer.field("ledger_balance", Money(ledgerBalance, statement.closing.currency))
      writer.field("matched", Int64(matches.count))
      writer.array("lines", lines) { writer, line in line.write(to: &writer, matched: matched[line.place]) }
      writer.field("lines_omitted", statement.lineCount - Int64(lines.count))
      writer.array("breaks", breaks) { writer, row in row.write(to: &writer) }
    }
  }
}

extension ImportBankStatements.Imported {
  /// Of the first; the answer names the others.
  var location: String? { statements.first.map { "/v1/bank-statements/\($0.id)" } }

  /// The statements, what the pass over all that is open came to, and the balances of their closing days.
  package func write(to writer: inout JSONWriter) {
    writer.object { writer in
      writer.array("statements", statements) { $1.write(to: &$0) }
      writer.field("matched", matched)
      writer.field("waiting", waiting)
      writer.array("open_breaks", breaks) { $1.write(to: &$0) }
      writer.array("balances", reviews) { $1.write(to: &$0) }
    }
  }
}

extension ClientMoneyReview {
  func write(to writer: inout JSONWriter) {
    writer.object { writer in
      writer.field("on", date)
      writer.field("accounts_without_statement", accountsWithoutStatement)
      writer.array("currencies", drifts) { writer, drift in
        let cover = covers.first { $0.currency == drift.currency }
        writer.object { writer in
          writer.field("bank", Money(drift.bank, drift.currency))
          writer.field("ledger", Money(drift.ledger, drift.currency))
          writer.field("drift", drift.drift)
          writer.field("owed_to_clients", Money(cover?.owed ?? 0, drift.currency))
          writer.field("shortfall", cover?.shortfall ?? 0)
        }
      }
    }
  }
}

extension BankStatementRow {
  package func write(to writer: inout JSONWriter) {
    writer.object { writeMembers(to: &$0) }
  }

  func writeMembers(to writer: inout JSONWriter) {
    writer.field("id", id)
    writer.field("statement", statement)
    writer.field("account", account.description)
    writer.field("electronic_sequence", electronicSequence)
    writer.field("opening", opening)
    writer.field("opened_on", openedOn)
    writer.field("closing", closing)
    writer.field("closed_on", closedOn)
    writer.field("fingerprint", fingerprint)
    writer.field("file_digest", fileDigest)
    writer.field("line_count", lineCount)
    writer.field("imported_by", importedBy)
    writer.field("created_at", createdAt)
  }
}

extension BankLineRow {
  func write(to writer: inout JSONWriter, matched: BankItem?) {
    writer.object { writer in
      writer.field("entry", place.entry)
      writer.field("detail", place.detail)
      writer.field("amount", amount)
      writer.field("booked_on", bookedOn)
      writer.field("value_on", valueOn)
      writer.field("status", status)
      writer.field("is_reversal", isReversal)
      writer.field("end_to_end_id", endToEndID)
      writer.field("creditor_reference", creditorReference)
      writer.field("bank_reference", bankReference)
      writer.field("transaction_code", transactionCode)
      writer.field("counterparty_name", counterpartyName)
      writer.field("counterparty_account", counterpartyAccount?.description)
      writer.field("remittance", remittance)
      writer.object("matched_with", matched) { writer, item in
        writer.field("kind", item.kind)
        writer.field("id", item.idText)
        writer.field("reference", item.reference)
        writer.field("on", item.on)
      }
    }
  }
}

extension ReconciliationBreakRow {
  package func write(to writer: inout JSONWriter) {
    writer.object { writer in
      writer.field("id", id)
      writer.field("state", state)
      writer.field("reason", reason)
      writer.field("bank_statement_id", statementID)
      writer.field("entry", entry)
      writer.field("detail", detail)
      writer.field("item_kind", itemKind?.rawValue)
      writer.field("item_id", itemKind.flatMap { kind in itemID.map { kind.idText($0) } })
      writer.field("reference", reference)
      writer.field("amount", amount)
      writer.field("on", on)
      writer.field("measure", measure)
      writer.field("expected_currency", expectedCurrency?.code)
      writer.field("candidates", candidates)
      writer.field("note", note)
      writer.field("resolved_by", resolvedBy)
      writer.field("decided_at", decidedAt)
      writer.history(version: version, createdAt: createdAt, updatedAt: updatedAt)
    }
  }
}
