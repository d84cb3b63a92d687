import Ledger
import Postgres
import Primitives

/// One line as the journal stores it, with the entry it belongs to.
package struct JournalLineRow: Sendable, Hashable {
  package let entryID: JournalEntryID
  package let number: Int32
  package let line: JournalLine

  package init(entryID: JournalEntryID, number: Int32, line: JournalLine) {
    self.entryID = entryID
    self.number = number
    self.line = line
  }
}

/// An entry's own columns, without its lines.
package struct JournalEntryRow: Sendable, Hashable {
  package let book: OrganizationID
  package let id: JournalEntryID
  package let sequence: Int64
  package let kind: EntryKind
  package let businessDate: CalendarDate
  package let subject: UUIDValue
  package let recordedAt: Instant
}

/// The row that a command on an organisation locks: it also carries the end of the book's journal and of its chain.
package struct Head: Sendable, Hashable {
  package let organizationID: OrganizationID
  package var version: Int64
  /// The last entry's number; 0 for an empty book.
  package var journalSequence: Int64
  package var chainNumber: Int64
  package var chainHash: SHA256Digest

  package init(
    organizationID: OrganizationID, version: Int64 = 1, journalSequence: Int64 = 0, chainNumber: Int64 = 0,
    chainHash: SHA256Digest = .zero
  ) {
    self.organizationID = organizationID
    self.version = version
    self.journalSequence = journalSequence
    self.chainNumber = chainNumber
    self.chainHash = chainHash
  }
}

extension Tables {
  package static let heads = Table<Head>(
    "heads", sql: "heads", key: ["org_id"], idColumn: "org_id",
    columns: [
      .uuid("org_id") { $0.organizationID.value },
      .int8("version") { $0.version },
      .int8("journal_sequence") { $0.journalSequence },
      .int8("chain_number") { $0.chainNumber },
      .bytes("chain_hash") { $0.chainHash.bytes },
    ],
    names: ("heads_by_id", "heads_insert", "heads_update")
  ) { row in
    let id: OrganizationID = try row.id()
    return Head(
      organizationID: id, version: try row.int(), journalSequence: try row.int(), chainNumber: try row.int(),
      chainHash: try row.digest())
  }

  package static let journalEntries = Table<JournalEntryRow>(
    "journal_entries", sql: "journal_entries", key: ["org_id", "id"], idColumn: "id",
    columns: [
      .uuid("org_id") { $0.book.value },
      .uuid("id") { $0.id.value },
      .int8("sequence") { $0.sequence },
      .text("kind") { $0.kind.rawValue },
      .date("business_date") { $0.businessDate },
      .uuid("subject_id") { $0.subject },
      .instant("recorded_at") { $0.recordedAt },
    ],
    names: ("journal_entries_by_id", "journal_entries_insert", nil)
  ) { row in
    let book: OrganizationID = try row.id()
    return JournalEntryRow(
      book: book, id: try row.id(), sequence: try row.int(), kind: try row.value(), businessDate: try row.date(),
      subject: try row.uuid(), recordedAt: try row.instant())
  }

  package static let journalLines = Table<JournalLineRow>(
    "journal_lines", sql: "journal_lines", key: ["org_id", "entry_id", "line_no"], idColumn: "entry_id",
    columns: [
      .uuid("org_id") { $0.line.account.book.value },
      .uuid("entry_id") { $0.entryID.value },
      .int4("line_no") { $0.number },
      .text("account_code") { $0.line.account.code.rawValue },
      .uuid("subject_id") { $0.line.account.subject },
      .text("asset") { $0.line.account.asset.description },
      .int8("amount") { $0.line.amount },
    ],
    names: ("journal_lines_by_entry", "journal_lines_insert", nil)
  ) { row in
    let book: OrganizationID = try row.id()
    let entry: JournalEntryID = try row.id()
    let number = try row.int4()
    let account = AccountRef(
      book, try row.value(), try row.uuid(), asset: try row.parsed { Asset($0) })
    return JournalLineRow(entryID: entry, number: number, line: JournalLine(account, try row.int()))
  }

  package static let chainLinks = Table<ChainLink>(
    "chain_links", sql: "chain_links", key: ["org_id", "number"], idColumn: "org_id",
    columns: [
      .uuid("org_id") { $0.book.value },
      .int8("number") { $0.number },
      .int8("first_sequence") { $0.firstSequence },
      .int8("last_sequence") { $0.lastSequence },
      .bytes("previous_hash") { $0.previous.bytes },
      .bytes("hash") { $0.hash.bytes },
    ],
    names: ("chain_links_by_book", "chain_links_insert", nil)
  ) { row in
    let book: OrganizationID = try row.id()
    return ChainLink(
      book: book, number: try row.int(), firstSequence: try row.int(), lastSequence: try row.int(),
      previous: try row.digest(), hash: try row.digest())
  }
}

/// Balances, advanced by what a batch posted, with no read before it.
package enum AccountSQL {
  /// Adds to the accounts that exist and opens the others; returns one row for each. Not `on conflict do update`: that
  /// checks the row proposed for insertion first, so that a credit to an account that may not go below zero would be
  /// refused whatever its balance. The heads of the books are locked, so nobody opens an account in between.
  package static let advance = Statement(
    "accounts_advance",
    """
    with u as (
      select * from unnest($1::uuid[], $2::text[], $3::uuid[], $4::text[], $5::bigint[])
        as u (org_id, account_code, subject_id, asset, amount)),
    moved as (
      update accounts a set balance = a.balance + u.amount from u
      where a.org_id = u.org_id and a.account_code = u.account_code and a.subject_id = u.subject_id
        and a.asset = u.asset
      returning a.org_id, a.account_code, a.subject_id, a.asset),
    opened as (
      insert into accounts (org_id, account_code, subject_id, asset, balance)
      select u.org_id, u.account_code, u.subject_id, u.asset, u.amount from u
      where (u.org_id, u.account_code, u.subject_id, u.asset) not in (
        select m.org_id, m.account_code, m.subject_id, m.asset from moved m)
      returning org_id)
    select org_id from moved union all select org_id from opened
    """,
    parameters: [.uuidArray, .textArray, .uuidArray, .textArray, .int8Array], columns: [.uuid])

  /// Every account of some books that has one of some codes.
  package static let byCode = Statement(
    "accounts_by_code",
    """
    select a.org_id, a.account_code, a.subject_id, a.asset, a.balance
    from unnest($1::uuid[], $2::text[]) as u (org_id, account_code)
    join accounts a on a.org_id = u.org_id and a.account_code = u.account_code
    """,
    parameters: [.uuidArray, .textArray], columns: [.uuid, .text, .uuid, .text, .int8])

  package static func advancing(_ sums: [(AccountRef, Int64)]) -> Query {
    Query(
      advance,
      [
        .uuidArray(sums.map(\.0.book.value.bits)), .textArray(sums.map(\.0.code.rawValue)),
        .uuidArray(sums.map(\.0.subject.bits)), .textArray(sums.map(\.0.asset.description)), .int8Array(sums.map(\.1)),
      ])
  }

  /// The account and its balance.
  package static func decode(_ row: Row) throws -> (AccountRef, Int64) {
    var reader = RowReader(row)
    let book: OrganizationID = try reader.id()
    let account = AccountRef(
      book, try reader.value(), try reader.uuid(), asset: try reader.parsed { Asset($0) })
    return (account, try reader.int())
  }
}
