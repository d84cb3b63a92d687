import Ledger
import Postgres
import Primitives

/// Reads in pages what is recomputed outside of SQL: a book's chain of hashes, and the records of repayment.
package enum ChainSQL {
  package static let books = Statement(
    "chain_books", Tables.heads.selectList + "order by org_id", columns: Tables.heads.types)
  package static let links = Statement(
    "chain_links_page", Tables.chainLinks.selectList + "where org_id = $1 and number > $2 order by number limit $3",
    parameters: [.uuid, .int8, .int8], columns: Tables.chainLinks.types)
  package static let entries = Statement(
    "chain_entries",
    Tables.journalEntries.selectList + "where org_id = $1 and sequence between $2 and $3 order by sequence",
    parameters: [.uuid, .int8, .int8], columns: Tables.journalEntries.types)
  package static let lines = Statement(
    "chain_lines",
    Tables.journalLines.selectList
      + """
      where org_id = $1 and entry_id in (
        select id from journal_entries where org_id = $1 and sequence between $2 and $3)
      order by entry_id, line_no
      """,
    parameters: [.uuid, .int8, .int8], columns: Tables.journalLines.types)

  /// Records of sweeps and divisions after a key, and what was allocated from a receipt.
  package static let explanations = Statement(
    "verify_explanations",
    Tables.repaymentExplanations.selectList
      + "where (borrower_id, subject_id) > ($1, $2) order by borrower_id, subject_id limit $3",
    parameters: [.uuid, .uuid, .int8], columns: Tables.repaymentExplanations.types)
  /// Parts of sweeps that lenders declined, after a key.
  package static let declines = Statement(
    "verify_declines",
    Tables.prepaymentDeclines.selectList + "where (borrower_id, id) > ($1, $2) order by borrower_id, id limit $3",
    parameters: [.uuid, .uuid, .int8], columns: Tables.prepaymentDeclines.types)
  package static let allocations = Statement(
    "verify_allocations",
    Tables.allocations.selectList + "where borrower_id = $1 and receipt_id = $2 order by loan_id, step",
    parameters: [.uuid, .uuid], columns: Tables.allocations.types)
  package static let closing = Statement(
    "verify_closing", Tables.fundingClosings.selectList + "where borrower_id = $1 and id = $2",
    parameters: [.uuid, .uuid], columns: Tables.fundingClosings.types)

  /// Corrections of a closing, the first one first: each lowers what the one before left.
  package static let corrections = Statement(
    "verify_corrections",
    Tables.closingCorrections.selectList + "where borrower_id = $1 and closing_id = $2 order by was desc",
    parameters: [.uuid, .uuid], columns: Tables.closingCorrections.types)

  package static let clawback = Statement(
    "verify_claw_back", Tables.clawbacks.selectList + "where id = $1", parameters: [.uuid],
    columns: Tables.clawbacks.types)
  package static let clawbackLines = Statement(
    "verify_claw_back_lines",
    Tables.clawbackLines.selectList + "where borrower_id = $1 and claw_back_id = $2 order by loan_id, step",
    parameters: [.uuid, .uuid], columns: Tables.clawbackLines.types)
  /// How the receipt of a claw-back was divided, and what was taken back of it before.
  package static let recordsBeforeClawback = Statement(
    "verify_records_before_claw_back",
    Tables.repaymentExplanations.selectList
      + """
      where borrower_id = $1 and (
        kind = 'allocation' and subject_id = (select receipt_id from claw_backs where id = $2)
        or kind = 'claw_back' and subject_id in (
          select b.id from claw_backs b join claw_backs c on c.receipt_id = b.receipt_id
          where c.id = $2 and b.number < c.number))
      order by recorded_at, subject_id
      """,
    parameters: [.uuid, .uuid], columns: Tables.repaymentExplanations.types)

  package static var statements: [Statement] {
    [
      books, links, entries, lines, explanations, declines, allocations, closing, corrections, clawback, clawbackLines,
      recordsBeforeClawback,
    ]
  }
}
