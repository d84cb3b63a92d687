import Ledger
import Postgres
import Primitives

/// Reads the whole journal, for files that others check it by.
package enum ExportSQL {
  /// Every book that has an entry, with its organisation's name.
  package static let books = Statement(
    "export_books",
    """
    select h.org_id, o.legal_name from heads h left join organizations o on o.org_id = h.org_id
    where h.journal_sequence > 0 order by h.org_id
    """, columns: [.uuid, .text])
  /// Every account that a line up to a date, recorded up to a moment, is on, by book, without its subject.
  package static let accounts = Statement(
    "export_accounts",
    """
    select l.org_id, l.account_code, l.asset from journal_lines l
    join journal_entries e on e.org_id = l.org_id and e.id = l.entry_id
    where e.business_date <= $1 and ($2::timestamptz is null or e.recorded_at <= $2)
    group by l.org_id, l.account_code, l.asset order by l.org_id, l.account_code, l.asset
    """,
    parameters: [.date, .timestamptz], columns: [.uuid, .text, .text])
  /// COPY takes no parameters, so that what bounds it is told to the session first, for this transaction only.
  package static let bound = Statement(
    "export_bound",
    """
    select set_config('app.export_as_of', ($1::date)::text, true),
      set_config('app.export_known_at', coalesce(($2::timestamptz)::text, ''), true)
    """,
    parameters: [.date, .timestamptz], columns: [.text, .text])
  /// A row for each line, beside its entry's columns, in the order of business date, recording, book and number. Dates and
  /// moments as numbers: their texts depend on the session. An entry without lines shows as nulls and is told, not lost.
  ///
  /// COPY, and not pages or a cursor: pages in this order would sort the journal for each of them, and this streams with
  /// whatever the reader takes.
  package static let entries = Statement(
    "export_entries",
    """
    copy (
      select e.org_id, e.id, e.sequence, e.kind, e.business_date - date '1970-01-01', e.subject_id,
        (extract(epoch from e.recorded_at) * 1000000)::bigint, l.account_code, l.subject_id, l.asset, l.amount
      from journal_entries e left join journal_lines l on l.org_id = e.org_id and l.entry_id = e.id
      where e.business_date <= current_setting('app.export_as_of')::date
        and (current_setting('app.export_known_at') = ''
          or e.recorded_at <= nullif(current_setting('app.export_known_at'), '')::timestamptz)
      order by e.business_date, e.recorded_at, e.org_id, e.sequence, l.line_no
    ) to stdout
    """)

  package static var statements: [Statement] { [books, accounts, bound, entries] }

  package static func decodeBook(_ row: Row) throws -> (id: OrganizationID, legalName: String?) {
    var reader = RowReader(row)
    return (try reader.id(), try reader.textOrNull())
  }

  package static func decodeAccount(_ row: Row) throws -> (book: OrganizationID, code: AccountCode, asset: Asset) {
    var reader = RowReader(row)
    return (try reader.id(), try reader.value(), try reader.parsed { Asset($0) })
  }
}

/// Puts the rows of ``ExportSQL/entries`` together into entries, holding one at a time.
package struct ExportedEntries: Sendable {
  /// The columns of an entry, and whatever lines of it have come.
  private struct Open: Sendable {
    let book: OrganizationID
    let id: JournalEntryID
    let sequence: Int64
    let kind: EntryKind
    let businessDate: CalendarDate
    let subject: UUIDValue
    let recordedAt: Instant
    var lines: [JournalLine] = []
  }

  private var open: Open?

  package init() {}

  /// Takes whole rows, and returns the entries that they complete.
  /// - Throws: `StoredValueError` for what no version of this program writes, `UnbalancedEntry` for an entry that is none.
  package mutating func take(_ rows: [UInt8]) throws -> [JournalEntry] {
    var whole: [JournalEntry] = []
    for row in rows.split(separator: 0x0A) {
      // None of the values has a tab, a line feed or a backslash, which the format would write in another way.
      let fields = row.split(separator: 0x09, omittingEmptySubsequences: false).map {
        String(decoding: $0, as: UTF8.self)
      }
      guard fields.count == 11 else {
        throw StoredValueError(column: "export_entries", value: "\(fields.count) fields")
      }
      let (book, id) = (OrganizationID(try Self.uuid(fields, 0)), JournalEntryID(try Self.uuid(fields, 1)))
      if open?.book != book || open?.id != id {
        if let entry = try finish() { whole.append(entry) }
        open = try Self.entry(book, id, fields)
      }
      guard let code = AccountCode(rawValue: fields[7]), let asset = Asset(fields[9]), let amount = Int64(fields[10])
      else { throw StoredValueError(column: "a line of entry \(id)", value: fields[7...].joined(separator: " ")) }
      let account = AccountRef(book, code, try Self.uuid(fields, 8), asset: asset)
      open?.lines.append(JournalLine(account, amount))
    }
    return whole
  }

  /// The last entry, when no more rows come.
  package mutating func finish() throws -> JournalEntry? {
    guard let last = open else { return nil }
    open = nil
    let draft = try EntryDraft(
      id: last.id, book: last.book, kind: last.kind, businessDate: last.businessDate, subject: last.subject,
      lines: last.lines)
    return JournalEntry(draft: draft, sequence: last.sequence, recordedAt: last.recordedAt)
  }

  private static func entry(_ book: OrganizationID, _ id: JournalEntryID, _ fields: [String]) throws -> Open {
    guard let sequence = Int64(fields[2]), let kind = EntryKind(rawValue: fields[3]), let day = Int64(fields[4]),
      let date = CalendarDate(dayNumber: day), let moment = Int64(fields[6]),
      let recordedAt = Instant(microseconds: moment)
    else { throw StoredValueError(column: "entry \(id)", value: fields[2...6].joined(separator: " ")) }
    return Open(
      book: book, id: id, sequence: sequence, kind: kind, businessDate: date, subject: try uuid(fields, 5),
      recordedAt: recordedAt)
  }

  private static func uuid(_ fields: [String], _ index: Int) throws -> UUIDValue {
    guard let value = UUIDValue(fields[index]) else {
      throw StoredValueError(column: "\(index) of export_entries", value: fields[index])
    }
    return value
  }
}
