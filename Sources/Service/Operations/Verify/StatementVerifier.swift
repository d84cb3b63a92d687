import LedgerExport
import Persistence
import Postgres
import Primitives

/// Makes every statement that was issued again from the journal, and compares the bytes.
enum StatementVerifier {
  static let title = "each statement of a month is made again from the journal, byte for byte"

  static func report(_ transaction: Transaction) async throws -> BookVerifier.Report {
    var breaches: [String] = []
    var checked: Int64 = 0
    var (book, id) = (UUIDValue(high: 0, low: 0), UUIDValue(high: 0, low: 0))
    while true {
      let page = try await Tables.statements.decode(
        transaction.run(Query(StatementSQL.after, [.uuid(book.bits), .uuid(id.bits), .int8(50)])))
      if page.isEmpty { break }
      for row in page {
        checked += 1
        (book, id) = (row.organizationID.value, row.id.value)
        let key = StatementKey(organizationID: row.organizationID, from: row.month, through: row.through)
        let results = try await transaction.pipeline(StatementSQL.sourceQueries(key))
        let again = try StatementDocument(StatementSQL.decode(key, results), key).bytes
        if again != row.bytes, breaches.count < 20 {
          breaches.append("\(row.id): the journal gives another statement of \(row.month)")
        }
      }
    }
    return BookVerifier.Report(law: 1, title: title, checked: checked, breaches: breaches)
  }
}
