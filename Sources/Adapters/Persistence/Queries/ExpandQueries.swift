import Postgres
import Primitives

/// Reads of several rows of one kind by their ids, each as the read of one would find it.
package struct ManyQuery<Row: Sendable>: Sendable {
  package let table: Table<Row>
  package let statement: Statement

  init(_ name: StaticString, _ resource: ResourceQuery<Row>) {
    table = resource.table
    statement = Statement(
      name,
      resource.table.selectList + "where" + resource.idColumn + "= any($2) and ($1::uuid is null or"
        + resource.visible + ")",
      parameters: [.uuid, .uuidArray], columns: resource.table.types)
  }

  /// - Parameter scope: see `Reader.scope`.
  package func query(_ ids: some Sequence<UUIDValue>, scope: Bind) -> Query {
    Query(statement, [scope, .uuidArray(ids.map(\.bits))])
  }
}

/// What answers carry the ids of and can be expanded: one statement a kind, however many rows.
package enum Expandables {
  package static let organizations = ManyQuery("expand_organizations", Resources.organizations)
  package static let lots = ManyQuery("expand_lots", Resources.lots)
  package static let listings = ManyQuery("expand_listings", Resources.listings)
  package static let loanRequests = ManyQuery("expand_loan_requests", Resources.loanRequests)
  package static let offers = ManyQuery("expand_offers", Resources.offers)
  package static let loans = ManyQuery("expand_loans", Resources.loans)
  /// See `Details.verdictsOfSubject`.
  package static let verdictsOfSubjects = Statement(
    "expand_verdicts",
    Tables.verdicts.selectList
      + """
      where ($1::uuid is null or borrower_id = $1 or lender_id = $1) and subject_id = any($2)
      order by recorded_at, id
      """,
    parameters: [.uuid, .uuidArray], columns: Tables.verdicts.types)
  /// See `Details.chipMarks`.
  package static let chipMarks = Statement(
    "expand_chip_marks",
    Tables.chipMarks.selectList + "where chip_model_id = any($1) order by effective_on, recorded_at, id",
    parameters: [.textArray], columns: Tables.chipMarks.types)

  package static var statements: [Statement] {
    [
      organizations.statement, lots.statement, listings.statement, loanRequests.statement, offers.statement,
      loans.statement, verdictsOfSubjects, chipMarks,
    ]
  }
}
