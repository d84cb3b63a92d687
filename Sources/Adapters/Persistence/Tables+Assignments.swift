import Lending
import Parties
import Postgres
import Primitives

extension LoanAssignment: Stored {
  package mutating func stamp(_ now: Instant) { updatedAt = now }
}

extension Tables {
  /// How a loan came to its lender, and what of it was sold.
  static let loanAssignmentColumns: [Column<Loan>] = [
    .text("assignability") { $0.terms.assignability.rawValue },
    .texts("lineage") { $0.life.acquired?.lineage.map(\.value.description) },
    .date("acquired_on") { $0.life.acquired?.on },
    .int8("units_assigned") { $0.life.unitsAssigned },
    .int8("principal_assigned") { $0.life.principalAssigned },
  ]

  static func readAcquisition(_ row: inout RowReader) throws -> LoanLife.Acquisition? {
    let lineage = try row.parsedListOrNull { UUIDValue($0).map { LoanID($0) } }
    let on = try row.dateOrNull()
    guard let lineage, let on else { return nil }
    return LoanLife.Acquisition(on: on, lineage: lineage)
  }

  package static let loanAssignments = Table<LoanAssignment>(
    "loan_assignments", sql: "loan_assignments", key: ["borrower_id", "id"], idColumn: "id",
    columns: [
      .uuid("borrower_id") { $0.borrowerID.value },
      .uuid("id") { $0.id.value },
      .uuid("seller_id") { $0.sellerID.value },
      .uuid("buyer_id") { $0.buyerID.value },
      .uuid("loan_id") { $0.loanID.value },
      .int8("quantity") { $0.quantity },
      .texts("serials") { $0.serials },
      .int8("price") { $0.price.amount },
      .text("currency") { $0.price.currency.code },
      .date("effective_on") { $0.effectiveOn },
      .date("proposed_on") { $0.proposedOn },
      .date("valid_until") { $0.validUntil },
      .text("reason") { $0.reason },
      .json("offered") { $0.offered },
      .uuidOrNull("proposed_by") { $0.proposedBy?.value },
      .text("state") { $0.state.rawValue },
      .date("accepted_on") { $0.acceptedOn },
      .uuidOrNull("accepted_by") { $0.acceptedBy?.value },
      .int8("accepted_charges") { $0.acceptedClaim?.charges },
      .int8("accepted_fee") { $0.acceptedClaim?.fee },
      .int8("accepted_principal") { $0.acceptedClaim?.principal },
      .int8("accepted_tax") { $0.acceptedClaim?.tax },
      .date("consent_by") { $0.consentBy },
      .date("consented_on") { $0.consentedOn },
      .date("settle_by") { $0.settleBy },
      .date("ended_on") { $0.endedOn },
      .uuidOrNull("assigned_loan_id") { $0.assignedLoanID?.value },
      .int8("settled_charges") { $0.settledClaim?.charges },
      .int8("settled_fee") { $0.settledClaim?.fee },
      .int8("settled_principal") { $0.settledClaim?.principal },
      .int8("settled_tax") { $0.settledClaim?.tax },
      .int8("settled_residue") { $0.settledResidue },
      .int8("version") { $0.version },
      .instant("created_at") { $0.createdAt },
      .instant("updated_at") { $0.updatedAt },
    ],
    names: ("loan_assignments_by_id", "loan_assignments_insert", "loan_assignments_update"), read: readAssignment)

  private static func readAssignment(_ row: inout RowReader) throws -> LoanAssignment {
    let borrower: OrganizationID = try row.id()
    let id: LoanAssignmentID = try row.id()
    let (seller, buyer, loan): (OrganizationID, OrganizationID, LoanID) = (try row.id(), try row.id(), try row.id())
    let (quantity, serials, price) = (try row.int(), try row.texts(), try row.money())
    let (effective, proposed, valid) = (try row.date(), try row.date(), try row.date())
    let (reason, offered) = (try row.textOrNull(), try row.jsonBytes())
    let proposedBy: PersonID? = try row.idOrNull()
    let progress = LoanAssignment.Progress(
      state: try row.value(), acceptedOn: try row.dateOrNull(), acceptedBy: try row.idOrNull(),
      acceptedClaim: try claim(&row), consentBy: try row.dateOrNull(), consentedOn: try row.dateOrNull(),
      settleBy: try row.dateOrNull(), endedOn: try row.dateOrNull(), assignedLoanID: try row.idOrNull(),
      settledClaim: try claim(&row), settledResidue: try row.intOrNull())
    let version = try row.int()
    return LoanAssignment(
      LoanAssignment(
        id: id, borrowerID: borrower, sellerID: seller, buyerID: buyer, loanID: loan, quantity: quantity,
        serials: serials, price: price, effectiveOn: effective, proposedOn: proposed, validUntil: valid,
        reason: reason, offered: offered, proposedBy: proposedBy, createdAt: try row.instant(),
        updatedAt: try row.instant()),
      progress, version: version)
  }

  private static func claim(_ row: inout RowReader) throws -> Debt? {
    let (charges, fee, principal) = (try row.intOrNull(), try row.intOrNull(), try row.intOrNull())
    // Claims of before tax was kept have none.
    let tax = try row.intOrNull() ?? 0
    guard let charges, let fee, let principal else { return nil }
    return Debt(charges: charges, fee: fee, principal: principal, tax: tax)
  }
}
