import Ledger
import LedgerExport
import Persistence
import Postgres
import Primitives
import Synchronization

/// Writes the whole journal as a file of plain-text accounting, from one read-only snapshot. Memory holds the names of
/// the books and accounts, and one entry at a time.
package struct BookExporter: Sendable {
  /// What was written.
  package struct Summary: Sendable, Hashable {
    package let entries: Int
    package let lines: Int
  }

  private let pool: PostgresPool

  package init(pool: PostgresPool) { self.pool = pool }

  /// Hands out the file piece by piece; `write` is not called again before it returns.
  /// - Parameters:
  ///   - asOf: the last business date; nil for all.
  ///   - knownAt: the last recorded time; nil for all.
  /// - Throws: what the database or `write` throws, and `StoredValueError` or `UnbalancedEntry` for rows that make no
  ///   entry: then what was written is not whole.
  package func hledger(
    asOf: CalendarDate?, knownAt: Instant?, deadline: ContinuousClock.Instant,
    write: @escaping @Sendable ([UInt8]) async throws -> Void
  ) async throws -> Summary {
    // Once only: what was handed out cannot be taken back for another attempt.
    try await pool.transaction(.repeatableRead, access: .readOnly, deadline: deadline, maxAttempts: 1) { transaction in
      let bounds: [Bind] = [.date((asOf ?? .latest).dayNumber), .timestamptz(knownAt?.microseconds)]
      let results = try await transaction.pipeline([
        Query(ExportSQL.books), Query(ExportSQL.accounts, bounds), Query(ExportSQL.bound, bounds),
      ])
      let journal = HledgerJournal(names: BookNames(try results[0].map(ExportSQL.decodeBook)))
      try await write(
        Array(
          (journal.heading(asOf: asOf, knownAt: knownAt)
            + Self.declarations(try results[1].map(ExportSQL.decodeAccount), journal)).utf8))
      let writing = Mutex(Writing(journal: journal))
      _ = try await transaction.connection.copyOut(ExportSQL.entries, deadline: deadline) { rows in
        let text = try writing.withLock { try $0.take(rows) }
        if !text.isEmpty { try await write(text) }
      }
      let (rest, summary) = try writing.withLock { writing in (try writing.finish(), writing.summary) }
      if !rest.isEmpty { try await write(rest) }
      return summary
    }
  }

  private static func declarations(
    _ accounts: [(book: OrganizationID, code: AccountCode, asset: Asset)], _ journal: HledgerJournal
  ) -> String {
    var text = Set(accounts.map(\.asset)).sorted().map(journal.declaration(of:)).joined() + "\n"
    var last: (OrganizationID, AccountCode)?
    for account in accounts {
      // By book and code, so that the several assets of one account follow each other.
      if let last, last == (account.book, account.code) { continue }
      text += journal.declaration(of: account.code, in: account.book)
      last = (account.book, account.code)
    }
    return text
  }

  /// The file under way.
  private struct Writing: Sendable {
    let journal: HledgerJournal
    private var entries = ExportedEntries()
    private(set) var summary = Summary(entries: 0, lines: 0)

    init(journal: HledgerJournal) { self.journal = journal }

    mutating func take(_ rows: [UInt8]) throws -> [UInt8] { text(try entries.take(rows)) }

    mutating func finish() throws -> [UInt8] {
      guard let last = try entries.finish() else { return [] }
      return text([last])
    }

    private mutating func text(_ whole: [JournalEntry]) -> [UInt8] {
      var bytes: [UInt8] = []
      for entry in whole {
        bytes += journal.transaction(entry).utf8
        summary = Summary(entries: summary.entries + 1, lines: summary.lines + entry.draft.lines.count)
      }
      return bytes
    }
  }
}
