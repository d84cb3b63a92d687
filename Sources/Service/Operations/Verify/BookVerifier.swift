import Ledger
import Persistence
import Postgres
import Primitives

/// Recomputes the laws of the domain from the rows, in one read-only snapshot.
package struct BookVerifier: Sendable {
  /// What one check found.
  package struct Report: Sendable {
    package let law: Int
    package let title: String
    package let checked: Int64
    /// What is wrong, at most 20 of a kind.
    package let breaches: [String]
  }

  private static let chainTitle = "the chain of hashes of each book is whole"
  private let pool: PostgresPool

  package init(pool: PostgresPool) { self.pool = pool }

  /// Every check, by law. Nothing is changed.
  /// - Throws: what the database answers.
  package func verify(deadline: ContinuousClock.Instant) async throws -> [Report] {
    try await pool.transaction(.repeatableRead, access: .readOnly, deadline: deadline) { transaction in
      var reports: [Report] = []
      for check in LawCheck.all {
        let results = try await transaction.pipeline([Query(check.checked), Query(check.breaches)])
        let breaches = try results[1].map { "\(try $0.textOrNull(0) ?? "-"): \(try $0.textOrNull(1) ?? "-")" }
        reports.append(
          Report(
            law: check.law, title: check.title, checked: try results[0].single().int8(0), breaches: breaches))
      }
      reports.append(try await RecordVerifier.report(transaction))
      reports.append(try await StatementVerifier.report(transaction))
      reports.append(try await MarginVerifier.report(transaction))
      do { reports.append(try await chains(transaction)) } catch let error as StoredValueError {
        // A row that no version of this program writes is a breach too, and must not hide what the other checks found.
        reports.append(
          Report(law: 1, title: Self.chainTitle, checked: 0, breaches: ["a row cannot be read: \(error.description)"]))
      }
      return reports.enumerated().sorted { ($0.element.law, $0.offset) < ($1.element.law, $1.offset) }.map(\.element)
    }
  }

  /// Recomputes every link from its entries, and compares the end of each chain with its head.
  private func chains(_ transaction: Transaction) async throws -> Report {
    var breaches: [String] = []
    var checked: Int64 = 0
    let heads = try Tables.heads.decode(await transaction.run(Query(ChainSQL.books)))
    for head in heads {
      var previous = SHA256Digest.zero
      var (number, sequence): (Int64, Int64) = (0, 0)
      while true {
        let page = try Tables.chainLinks.decode(
          await transaction.run(
            Query(ChainSQL.links, [.uuid(head.organizationID.value.bits), .int8(number), .int8(500)])))
        if page.isEmpty { break }
        for link in page {
          if let fault = try await fault(of: link, after: previous, sequence, number, transaction), breaches.count < 20
          {
            breaches.append("\(head.organizationID): link \(link.number) \(fault)")
          }
          (previous, number, sequence) = (link.hash, link.number, link.lastSequence)
          checked += 1
        }
      }
      if head.chainHash != previous || head.chainNumber != number || head.journalSequence != sequence {
        breaches.append("\(head.organizationID): the head does not end its chain")
      }
    }
    return Report(law: 1, title: Self.chainTitle, checked: checked, breaches: breaches)
  }

  private func fault(
    of link: ChainLink, after previous: SHA256Digest, _ lastSequence: Int64, _ lastNumber: Int64,
    _ transaction: Transaction
  ) async throws -> String? {
    guard link.number == lastNumber + 1, link.firstSequence == lastSequence + 1 else {
      return "does not follow the last"
    }
    guard link.previous == previous else { return "does not point to the one before" }
    let range: [Bind] = [.uuid(link.book.value.bits), .int8(link.firstSequence), .int8(link.lastSequence)]
    let results = try await transaction.pipeline([Query(ChainSQL.entries, range), Query(ChainSQL.lines, range)])
    let rows = try Tables.journalEntries.decode(results[0])
    let lines = Dictionary(grouping: try Tables.journalLines.decode(results[1]), by: \.entryID)
    var digests: [SHA256Digest] = []
    for row in rows {
      let drafted: EntryDraft
      do {
        drafted = try EntryDraft(
          id: row.id, book: row.book, kind: row.kind, businessDate: row.businessDate, subject: row.subject,
          lines: (lines[row.id] ?? []).map(\.line))
      } catch {
        return "covers entry \(row.id), which is none: \(error)"
      }
      digests.append(JournalEntry(draft: drafted, sequence: row.sequence, recordedAt: row.recordedAt).digest)
    }
    let hash = ChainLink.hash(
      book: link.book, number: link.number, first: link.firstSequence, last: link.lastSequence, previous: previous,
      digests: digests)
    return hash == link.hash ? nil : "does not cover the entries as they stand"
  }
}
