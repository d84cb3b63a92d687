import Postgres
import Primitives
import Repayment

extension ControlChoice: Stored {
  package mutating func stamp(_ now: Instant) { updatedAt = now }
}

extension Tables {
  package static let controlChoices = Table<ControlChoice>(
    "control_choices", sql: "control_choices", key: ["borrower_id", "id"], idColumn: "id",
    columns: [
      .uuid("borrower_id") { $0.borrowerID.value },
      .uuid("id") { $0.id.value },
      .uuid("round_id") { $0.roundID.value },
      .uuid("loan_id") { $0.loanID.value },
      .uuid("lender_id") { $0.lenderID.value },
      .uuidOrNull("acquirer_id") { $0.acquirerID?.value },
      .text("kind") { $0.kind.rawValue },
      .int8("quantity") { $0.quantity },
      .text("state") { $0.state.rawValue },
      .uuid("chosen_by") { $0.chosenBy.value },
      .date("chosen_on") { $0.chosenOn },
      .uuidOrNull("consented_by") { $0.consentedBy?.value },
      .date("consented_on") { $0.consentedOn },
      .uuidOrNull("assumed_by") { $0.assumedBy?.value },
      .date("done_on") { $0.doneOn },
      .uuidOrNull("into_loan_id") { $0.intoLoanID?.value },
      .int8("handed_residue") { $0.handedResidue },
      .int8("version") { $0.version },
      .instant("created_at") { $0.createdAt },
      .instant("updated_at") { $0.updatedAt },
    ],
    names: ("control_choices_by_id", "control_choices_insert", "control_choices_update")
  ) { row in
    let borrower: OrganizationID = try row.id()
    return ControlChoice(
      id: try row.id(), borrowerID: borrower, roundID: try row.id(), loanID: try row.id(), lenderID: try row.id(),
      acquirerID: try row.idOrNull(), kind: try row.value(), quantity: try row.intOrNull(), state: try row.value(),
      chosenBy: try row.id(), chosenOn: try row.date(), consentedBy: try row.idOrNull(),
      consentedOn: try row.dateOrNull(), assumedBy: try row.idOrNull(), doneOn: try row.dateOrNull(),
      intoLoanID: try row.idOrNull(), handedResidue: try row.intOrNull(), version: try row.int(),
      createdAt: try row.instant(),
      updatedAt: try row.instant())
  }
}

/// Statements on choices beside those of the table.
package enum ControlSQL {
  static let ofBorrower = Statement(
    "control_choices_of_borrowers",
    Tables.controlChoices.selectList + "where borrower_id = any($1) order by created_at, id",
    parameters: [.uuidArray], columns: Tables.controlChoices.types)

  package static var statements: [Statement] { [ofBorrower] }
}

extension ChangeWriter.Plan {
  /// What is replaced is closed before what takes its place comes in: of a loan one choice is open at any moment, also
  /// between two statements.
  mutating func writeChoices(_ shelf: Shelf<ControlChoice>) {
    let updated = shelf.updatedRows
    update(Tables.controlChoices, updated.map(\.row), updated.map(\.loadedVersion))
    insert(Tables.controlChoices, shelf.insertedRows)
  }
}
