import Ledger
import Parties
import Postgres
import Primitives

/// The statement of a month as it was issued: never changed, and made again by `verify`.
package struct StatementRow: Sendable, Hashable {
  package let id: StatementID
  package let organizationID: OrganizationID
  /// The first day of the month.
  package let month: CalendarDate
  /// Its last day.
  package let through: CalendarDate
  package let digest: SHA256Digest
  /// The canonical bytes, JSON.
  package let bytes: [UInt8]
  package let runID: SettlementRunID
  package let createdAt: Instant

  package init(
    id: StatementID, organizationID: OrganizationID, month: CalendarDate, through: CalendarDate, digest: SHA256Digest,
    bytes: [UInt8], runID: SettlementRunID, createdAt: Instant
  ) {
    self.id = id
    self.organizationID = organizationID
    self.month = month
    self.through = through
    self.digest = digest
    self.bytes = bytes
    self.runID = runID
    self.createdAt = createdAt
  }
}

extension Tables {
  /// Never updated.
  package static let statements = Table<StatementRow>(
    "statement_documents", sql: "statement_documents", key: ["org_id", "id"], idColumn: "id",
    columns: [
      .uuid("org_id") { $0.organizationID.value },
      .uuid("id") { $0.id.value },
      .date("month") { $0.month },
      .date("through_on") { $0.through },
      .bytes("digest") { $0.digest.bytes },
      .bytes("bytes") { $0.bytes },
      .uuid("run_id") { $0.runID.value },
      .instant("created_at") { $0.createdAt },
    ],
    names: ("statement_documents_by_id", "statement_documents_insert", nil)
  ) { row in
    let organization: OrganizationID = try row.id()
    return StatementRow(
      id: try row.id(), organizationID: organization, month: try row.date(), through: try row.date(),
      digest: try row.digest(), bytes: try row.bytes(), runID: try row.id(), createdAt: try row.instant())
  }
}

/// What a statement of one book over a span of days is made of.
package struct StatementSource: Sendable {
  /// A line of the journal with its entry.
  package struct Line: Sendable {
    package let entryID: JournalEntryID
    package let sequence: Int64
    package let kind: EntryKind
    package let on: CalendarDate
    package let account: AccountRef
    package let amount: Int64
  }

  package var opening: [(account: AccountRef, balance: Int64)] = []
  /// In the order of their days, and of the book.
  package var lines: [Line] = []
  /// The statement of these days that was issued before.
  package var issued: StatementRow?

  package init() {}
}

/// A book and a span of days.
package struct StatementKey: Sendable, Hashable, Comparable {
  package let organizationID: OrganizationID
  package let from: CalendarDate
  package let through: CalendarDate

  package init(organizationID: OrganizationID, from: CalendarDate, through: CalendarDate) {
    self.organizationID = organizationID
    self.from = from
    self.through = through
  }

  package static func < (left: Self, right: Self) -> Bool {
    (left.organizationID, left.from, left.through) < (right.organizationID, right.from, right.through)
  }
}

package enum StatementSQL {
  private static let opening = Statement(
    "statement_opening",
    """
    select l.account_code, l.subject_id, l.asset, sum(l.amount)::bigint
    from journal_lines l join journal_entries e on e.org_id = l.org_id and e.id = l.entry_id
    where l.org_id = $1 and e.business_date < $2
    group by l.account_code, l.subject_id, l.asset having sum(l.amount) <> 0
    order by l.account_code, l.subject_id, l.asset
    """, parameters: [.uuid, .date], columns: [.text, .uuid, .text, .int8])
  private static let lines = Statement(
    "statement_lines",
    """
    select e.id, e.sequence, e.kind, e.business_date, l.account_code, l.subject_id, l.asset, l.amount
    from journal_entries e join journal_lines l on l.org_id = e.org_id and l.entry_id = e.id
    where e.org_id = $1 and e.business_date between $2 and $3
    order by e.business_date, e.sequence, l.line_no
    """, parameters: [.uuid, .date, .date], columns: [.uuid, .int8, .text, .date, .text, .uuid, .text, .int8])
  private static let issued = Statement(
    "statement_issued", Tables.statements.selectList + "where org_id = $1 and month = $2",
    parameters: [.uuid, .date], columns: Tables.statements.types)
  /// Statements after a key, for who makes them again.
  package static let after = Statement(
    "statements_after", Tables.statements.selectList + "where (org_id, id) > ($1, $2) order by org_id, id limit $3",
    parameters: [.uuid, .uuid, .int8], columns: Tables.statements.types)
  /// Organisations with a book that has entries up to a day, and how many since another.
  package static let books = Statement(
    "statement_books",
    """
    select org_id, count(*) filter (where business_date >= $1) + 1 from journal_entries
    where business_date <= $2 and org_id <> $3 group by org_id order by org_id
    """, parameters: [.date, .date, .uuid], columns: [.uuid, .int8])

  package static var statements: [Statement] { [opening, lines, issued, after, books] }

  /// What a statement is made of: opening balances and lines, in order.
  package static func sourceQueries(_ key: StatementKey) -> [Query] {
    let book = Bind.uuid(key.organizationID.value.bits)
    return [
      Query(opening, [book, .date(key.from.dayNumber)]),
      Query(lines, [book, .date(key.from.dayNumber), .date(key.through.dayNumber)]),
    ]
  }

  package static func decode(_ key: StatementKey, _ results: [ResultSet]) throws -> StatementSource {
    var source = StatementSource()
    source.opening = try decodeOpening(key, results[0])
    source.lines = try decodeLines(key, results[1])
    return source
  }

  private static func decodeOpening(
    _ key: StatementKey, _ result: ResultSet
  ) throws -> [(account: AccountRef, balance: Int64)] {
    try result.map { row in
      var reader = RowReader(row)
      let account = AccountRef(
        key.organizationID, try reader.value(), try reader.uuid(), asset: try reader.parsed { Asset($0) })
      return (account, try reader.int())
    }
  }

  private static func decodeLines(_ key: StatementKey, _ result: ResultSet) throws -> [StatementSource.Line] {
    try result.map { row in
      var reader = RowReader(row)
      let (id, sequence): (JournalEntryID, Int64) = (try reader.id(), try reader.int())
      let (kind, on): (EntryKind, CalendarDate) = (try reader.value(), try reader.date())
      let account = AccountRef(
        key.organizationID, try reader.value(), try reader.uuid(), asset: try reader.parsed { Asset($0) })
      return StatementSource.Line(
        entryID: id, sequence: sequence, kind: kind, on: on, account: account, amount: try reader.int())
    }
  }

  static func lookups(_ key: StatementKey) -> [Loader.Lookup] {
    let sources = sourceQueries(key)
    return [
      Loader.Lookup(query: sources[0]) { result, state in
        state.statementSources[key] = StatementSource()
        state.statementSources[key]?.opening = try decodeOpening(key, result)
      },
      Loader.Lookup(query: sources[1]) { result, state in
        state.statementSources[key]?.lines = try decodeLines(key, result)
      },
      Loader.Lookup(
        query: Query(issued, [.uuid(key.organizationID.value.bits), .date(key.from.dayNumber)])
      ) { result, state in
        state.statementSources[key]?.issued = try Tables.statements.decode(result).first
      },
    ]
  }
}
