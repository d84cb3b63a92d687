import Ledger
import Postgres
import Primitives

/// Reads a book's journal in pages, to recompute its chain of hashes.
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

  package static var statements: [Statement] { [books, links, entries, lines] }
}
