import Lending
import Parties
import Primitives
import Repayment

extension Draft {
  /// Tells each change of state that no event of the command tells: `offer.accepted`, `listing.exhausted`. So a command cannot
  /// forget one, and a row is in the state that the newest event of it says.
  package mutating func tellStates() {
    let told = Set(made.events.map(\.draft.subject))
    func untold<Row: Stored>(
      _ shelf: KeyPath<Shelves, Shelf<Row>>, _ state: (Row) -> String
    ) -> [(row: Row, state: String)] {
      let changed = made.overlay[keyPath: shelf]
      if changed.isUntouched { return [] }
      return (changed.insertedRows + changed.updatedRows.map(\.row)).compactMap { row in
        let before = base.shelves[keyPath: shelf][row.id].map(state)
        return state(row) == before || told.contains(row.id.description) ? nil : (row, state(row))
      }
    }
    let parts: [[(type: String, subject: String, version: Int64, to: (OrganizationID, OrganizationID?))]] = [
      untold(\.offers) { $0.state.rawValue }.map { row, state in
        ("offer.\(state)", row.id.description, row.version, (row.borrowerID, row.lenderID))
      },
      untold(\.requests) { $0.state.rawValue }.map { row, state in
        ("loan_request.\(state)", row.id.description, row.version, (row.borrowerID, nil))
      },
      untold(\.listings) { $0.state.rawValue }.map { row, state in
        ("listing.\(state)", row.id.description, row.version, (row.lenderID, nil))
      },
      untold(\.loans) { $0.state.rawValue }.map { row, state in
        ("loan.\(state)", row.id.description, row.version, (row.terms.borrowerID, row.terms.lenderID))
      },
      untold(\.rounds) { $0.state.rawValue }.map { row, state in
        ("funding_round.\(state)", row.id.description, row.version, (row.borrowerID, nil))
      },
      untold(\.warrants) { $0.state.rawValue }.map { row, state in
        ("warrant.\(state)", row.id.description, row.version, (row.borrowerID, row.lenderID))
      },
      untold(\.payees) { $0.state.rawValue }.map { row, state in
        ("payee.\(state)", row.id.description, row.version, (row.organizationID, nil))
      },
    ]
    for event in parts.joined() { happen(event.type, event.subject, version: event.version, to: event.to) }
  }
}
