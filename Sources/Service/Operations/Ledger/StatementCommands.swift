import Ledger
import LedgerExport
import Parties
import Persistence
import Primitives

/// Issues an organisation's statement of a month whose days are all closed. Done twice, the second finds the first, and
/// holds that the journal still gives the same bytes.
package struct IssueStatement: Command {
  package static let action = "settlement.issue_statement"
  package var staffDuty: Duty? { .operations }
  package let organizationID: OrganizationID
  /// The last day of the month.
  package let monthEnd: CalendarDate
  package let runID: SettlementRunID

  package init(organizationID: OrganizationID, monthEnd: CalendarDate, runID: SettlementRunID) {
    self.organizationID = organizationID
    self.monthEnd = monthEnd
    self.runID = runID
  }

  package struct Issued: Sendable {
    package let statement: StatementRow
    package let isNew: Bool
  }

  private var key: StatementKey? {
    StatementDocument.month(of: monthEnd).map {
      StatementKey(organizationID: organizationID, from: $0.first, through: $0.last)
    }
  }

  package func needs(_ state: BatchState) -> Set<Need> { Set([key].compactMap { $0 }.map { .statement($0) }) }
  package func heads(_ state: BatchState) -> Set<OrganizationID> { [organizationID] }

  package func decide(_ draft: inout Draft, by principal: Principal) throws -> Issued {
    try principal.require(.admin)
    guard let key, key.through == monthEnd else { throw SettlementRefusal.notMonthEnd(monthEnd) }
    guard let closed = draft.closedThrough, monthEnd <= closed else {
      throw SettlementRefusal.monthOpen(monthEnd, draft.closedThrough)
    }
    guard let source = draft.base.statementSources[key] else { throw PartiesRefusal.notFound("organization") }
    let document = try StatementDocument(source, key)
    draft.made.subject = organizationID.value
    if let issued = source.issued {
      guard issued.digest == document.digest else { throw SettlementRefusal.statementDiffers(monthEnd) }
      return Issued(statement: issued, isNew: false)
    }
    let bytes = document.bytes
    let row = StatementRow(
      id: draft.ids.next(), organizationID: organizationID, month: key.from, through: key.through,
      digest: SHA256Digest(of: bytes), bytes: bytes, runID: runID, createdAt: draft.now)
    draft.made.statements.append(row)
    draft.happen(
      "statement.issued", row.id, version: 1, to: (organizationID, nil),
      [("through_on", .text(monthEnd.description)), ("digest", .text(row.digest.description))])
    return Issued(statement: row, isNew: true)
  }
}

extension StatementDocument {
  /// From what the book says.
  package init(_ source: StatementSource, _ key: StatementKey) throws {
    try self.init(
      of: key.organizationID, from: key.from, through: key.through, opening: source.opening,
      lines: source.lines.map {
        (
          $0.account,
          Line(entryID: $0.entryID, sequence: $0.sequence, kind: $0.kind, on: $0.on, amount: $0.amount)
        )
      })
  }
}
