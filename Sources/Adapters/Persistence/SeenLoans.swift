import Lending
import Postgres
import Primitives

/// The running loans of some borrowers as they were read, to be compared with what the database has once they are locked.
package struct SeenLoans: Sendable {
  static let versions = Statement(
    "loans_running_versions",
    "select id, version from loans where borrower_id = any($1) and state <> 'closed' order by id",
    parameters: [.uuidArray], columns: [.uuid, .int8])

  private let borrowers: [OrganizationID]
  private let seen: [LoanID: Int64]

  /// All that were asked for as `Need.loansOfBorrower`, before anything was decided on them.
  package init(_ state: BatchState) {
    borrowers = state.loansOfBorrower.keys.sorted()
    var seen: [LoanID: Int64] = [:]
    for id in state.loansOfBorrower.values.joined() { seen[id] = state.loans[id]?.version }
    self.seen = seen
  }

  /// Their versions as they are now.
  package var query: Query { Query(Self.versions, [.uuidArray(borrowers.map(\.value.bits))]) }

  /// Whether the answer to `query` is what was read: none was changed, none has ended, none is new.
  package func are(_ answer: ResultSet) throws -> Bool {
    guard answer.count == seen.count else { return false }
    for row in answer where seen[LoanID(try row.uuid(0).value)] != (try row.int8(1)) { return false }
    return true
  }
}
