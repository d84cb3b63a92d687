import Lending
import Parties
import Persistence
import Primitives

/// A lender proposes to sell a loan, or units of it, to another lender. What could not be done today is not proposed: the
/// sale is tried on a copy, verdict included.
package struct ProposeAssignment: LoanCommand {
  package static let action = "loan_assignment.propose"
  package var staffDuty: Duty? { nil }
  package let loanID: LoanID
  package let buyerID: OrganizationID
  /// All units that are out when nil.
  package let quantity: Int64?
  package let serials: [String]
  package let price: Money
  /// Today when nil.
  package let effectiveOn: CalendarDate?
  package let validDays: Int64?
  package let reason: String?
  package let ifVersion: Int64?

  package init(
    loanID: LoanID, buyerID: OrganizationID, quantity: Int64?, serials: [String] = [], price: Money,
    effectiveOn: CalendarDate? = nil, validDays: Int64? = nil, reason: String? = nil, ifVersion: Int64? = nil
  ) {
    self.loanID = loanID
    self.buyerID = buyerID
    self.quantity = quantity
    self.serials = serials
    self.price = price
    self.effectiveOn = effectiveOn
    self.validDays = validDays
    self.reason = reason
    self.ifVersion = ifVersion
  }

  package func needs(_ state: BatchState) -> Set<Need> {
    AssignmentDesk.needs(loanID, buyer: buyerID, serials: serials, state)
  }

  package func decide(_ draft: inout Draft, by principal: Principal) throws -> AssignmentDesk.Answered {
    let loan = try loan(&draft, for: .lender, principal)
    try loan.require(.assign)
    if loan.terms.assignability == .never { throw LendingRefusal.loan(.notAssignable) }
    for id in draft.base.assignmentsOfLoan[loanID] ?? [] {
      guard let open = draft.find(\.assignments, id), open.state.isOpen else { continue }
      guard open.isOverdue(on: draft.today) else { throw LendingRefusal.loan(.assignmentPending) }
      try LapseAssignment.lapse(open, on: draft.today, in: &draft)
    }
    guard price.currency == loan.currency else {
      throw LendingRefusal.termsDisagree(
        pointer: "/price/currency", detail: "The price is not in the loan's currency, \(loan.currency).")
    }
    let today = draft.today
    let effective = effectiveOn ?? today
    guard let latest = today.adding(days: LoanAssignment.mostDaysAhead),
      let validUntil = today.adding(days: validDays ?? LoanAssignment.defaultValidDays)
    else { throw LendingRefusal.overflow }
    guard effective >= today, effective <= latest else {
      throw LendingRefusal.loan(
        .dateOutOfRange(pointer: "/effective_on", given: effective, earliest: today, latest: latest))
    }
    func sale(_ id: LoanAssignmentID, offered: [UInt8], at now: Instant) -> LoanAssignment {
      LoanAssignment(
        id: id, borrowerID: loan.terms.borrowerID, sellerID: loan.terms.lenderID, buyerID: buyerID, loanID: loanID,
        quantity: quantity ?? loan.unitsOut, serials: serials, price: price, effectiveOn: effective, proposedOn: today,
        validUntil: validUntil, reason: reason, offered: offered, proposedBy: principal.personID, createdAt: now,
        updatedAt: now)
    }
    let id: LoanAssignmentID = draft.ids.next()
    var trial = draft
    let transfer = try AssignmentDesk.transfer(
      sale(id, offered: [], at: draft.now), of: loan, as: trial.ids.next(), by: principal, in: &trial)
    let proposed = draft.put(
      \.assignments, sale(id, offered: try AssignmentDesk.offered(transfer.bought, transfer.part), at: draft.now))
    draft.made.subject = id.value
    AssignmentDesk.announce("loan_assignment.proposed", proposed, in: &draft)
    return AssignmentDesk.Answered(
      assignment: proposed, viewer: principal.organizationID, loan: nil, claim: transfer.part.claim)
  }
}

/// The buyer, the seller or the borrower answers a proposed sale. Nothing moves yet.
package struct AnswerAssignment: Command {
  package enum Act: String, Sendable, Hashable, CaseIterable {
    /// By the buyer, who takes the seller's place among the lenders of the startup with it.
    case accept
    /// By the buyer.
    case reject
    /// By the seller.
    case withdraw
    /// By the borrower, where its consent is asked.
    case consent
    case refuse
  }

  package static let action = "loan_assignment.answer"
  package var staffDuty: Duty? { nil }
  package let assignmentID: LoanAssignmentID
  package let act: Act
  /// Of the sale.
  package let ifVersion: Int64?

  package init(assignmentID: LoanAssignmentID, act: Act, ifVersion: Int64? = nil) {
    self.assignmentID = assignmentID
    self.act = act
    self.ifVersion = ifVersion
  }

  package func needs(_ state: BatchState) -> Set<Need> { SaleView.needs(assignmentID, state) }
  package func heads(_ state: BatchState) -> Set<OrganizationID> { SaleView.heads(assignmentID, state) }

  package func decide(_ draft: inout Draft, by principal: Principal) throws -> AssignmentDesk.Answered {
    var (sale, loan) = try SaleView.find(assignmentID, in: &draft, by: principal, ifVersion: ifVersion)
    let today = draft.today
    var claim: Debt?
    switch act {
    case .accept:
      try SaleView.require(sale.buyerID, .lender, principal)
      if let person = principal.personID, person == sale.proposedBy {
        throw PartiesRefusal.samePerson("proposed the sale")
      }
      guard sale.state == .proposed, today <= sale.validUntil else {
        try sale.accept(by: principal.personID, claim: .none, asksBorrower: false, on: today)
        break
      }
      var trial = draft
      let transfer = try AssignmentDesk.transfer(sale, of: loan, as: trial.ids.next(), by: principal, in: &trial)
      let asksBorrower = loan.terms.assignability == .withConsent && loan.life.default == nil
      try sale.accept(
        by: principal.personID, claim: transfer.part.claim, asksBorrower: asksBorrower, on: today)
      claim = transfer.part.claim
    case .reject:
      try SaleView.require(sale.buyerID, .lender, principal)
      try sale.reject(on: today)
    case .withdraw:
      try SaleView.require(sale.sellerID, .lender, principal)
      try sale.withdraw(on: today)
    case .consent:
      try SaleView.require(sale.borrowerID, .startup, principal)
      try sale.consent(on: today)
    case .refuse:
      try SaleView.require(sale.borrowerID, .startup, principal)
      try sale.refuse(on: today)
    }
    sale = draft.put(\.assignments, sale)
    AssignmentDesk.announce("loan_assignment.\(past)", sale, in: &draft)
    if act == .accept, let consentBy = sale.consentBy {
      draft.happen(
        "loan.consent_asked", loan.id, version: loan.version, to: (loan.terms.borrowerID, loan.terms.lenderID),
        AssignmentDesk.facts(sale) + [
          ("buyer_organization_id", .text(sale.buyerID.description)), ("consent_by", .text(consentBy.description)),
        ])
    }
    return AssignmentDesk.Answered(
      assignment: sale, viewer: principal.organizationID, loan: nil, claim: claim)
  }

  private var past: String {
    switch act {
    case .accept: "accepted"
    case .reject: "rejected"
    case .withdraw: "withdrawn"
    case .consent: "consented"
    case .refuse: "refused"
    }
  }
}

/// The seller says that it has its price: claim, chips and security interest become the buyer's, on this very day.
package struct SettleAssignment: Command {
  package static let action = "loan_assignment.settle"
  package var staffDuty: Duty? { .operations }
  package let assignmentID: LoanAssignmentID
  package let ifVersion: Int64?

  package init(assignmentID: LoanAssignmentID, ifVersion: Int64? = nil) {
    self.assignmentID = assignmentID
    self.ifVersion = ifVersion
  }

  package func needs(_ state: BatchState) -> Set<Need> { SaleView.needs(assignmentID, state) }
  package func heads(_ state: BatchState) -> Set<OrganizationID> { SaleView.heads(assignmentID, state) }

  package func decide(_ draft: inout Draft, by principal: Principal) throws -> AssignmentDesk.Answered {
    var (sale, loan) = try SaleView.find(assignmentID, in: &draft, by: principal, ifVersion: ifVersion)
    try SaleView.require(sale.sellerID, .lender, principal)
    let id: LoanID = draft.ids.next()
    // The sale itself is asked first, whatever became of the loan since.
    guard sale.state == .accepted, !sale.isOverdue(on: draft.today) else {
      try sale.settle(as: id, claim: .none, on: draft.today, consentIsNeeded: false)
      throw LendingRefusal.overflow
    }
    let transfer = try AssignmentDesk.transfer(sale, of: loan, as: id, by: principal, in: &draft)
    try sale.settle(
      as: id, claim: transfer.part.claim, residue: transfer.part.residue, on: draft.today,
      consentIsNeeded: loan.life.default == nil)
    sale = draft.put(\.assignments, sale)
    AssignmentDesk.announce(
      "loan_assignment.settled", sale, [("assigned_loan_id", .text(id.description))], in: &draft)
    let (sold, bought) = (transfer.sold, transfer.bought)
    LoanDesk.announce(
      "loan.assigned", sold,
      [("quantity", .number(sale.quantity)), ("buyer_organization_id", .text(sale.buyerID.description))], in: &draft)
    LoanDesk.announce(
      "loan.acquired", bought,
      [("quantity", .number(sale.quantity)), ("assigned_from", .text(sold.id.description))], in: &draft)
    return AssignmentDesk.Answered(
      assignment: sale, viewer: principal.organizationID, loan: bought, claim: transfer.part.claim)
  }
}

/// A sale that nobody answered or settled in time is over. Done twice, the second does nothing.
package struct LapseAssignment: Command {
  package static let action = "loan_assignment.lapse"
  package var staffDuty: Duty? { .operations }
  package let assignmentID: LoanAssignmentID

  package init(assignmentID: LoanAssignmentID) { self.assignmentID = assignmentID }

  package func needs(_ state: BatchState) -> Set<Need> { [.assignment(assignmentID)] }

  package func heads(_ state: BatchState) -> Set<OrganizationID> {
    Set([state.shelves.assignments[assignmentID]?.borrowerID].compactMap { $0 })
  }

  /// - Returns: whether it lapsed now.
  package func decide(_ draft: inout Draft, by principal: Principal) throws -> Bool {
    try principal.require(.admin)
    guard let sale = draft.find(\.assignments, assignmentID) else {
      throw PartiesRefusal.notFound("sale of a loan")
    }
    draft.made.subject = assignmentID.value
    guard sale.isOverdue(on: draft.today) else { return false }
    try Self.lapse(sale, on: draft.today, in: &draft)
    return true
  }

  static func lapse(_ sale: LoanAssignment, on date: CalendarDate, in draft: inout Draft) throws {
    var sale = sale
    try sale.lapse(on: date)
    sale = draft.put(\.assignments, sale)
    AssignmentDesk.announce("loan_assignment.lapsed", sale, in: &draft)
  }
}

/// A sale and its loan, as those who take part in it may see them.
private enum SaleView {
  static func needs(_ id: LoanAssignmentID, _ state: BatchState) -> Set<Need> {
    guard let sale = state.shelves.assignments[id] else { return [.assignment(id)] }
    return AssignmentDesk.needs(sale.loanID, buyer: sale.buyerID, serials: sale.serials, state).union([.assignment(id)])
  }

  static func heads(_ id: LoanAssignmentID, _ state: BatchState) -> Set<OrganizationID> {
    guard let sale = state.shelves.assignments[id] else { return [] }
    return AssignmentDesk.heads(state.loans[sale.loanID], buyer: sale.buyerID)
  }

  /// - Throws: `parties.not_found` for outsiders, and for the borrower while the lenders talk.
  static func find(
    _ id: LoanAssignmentID, in draft: inout Draft, by principal: Principal, ifVersion: Int64?
  ) throws -> (LoanAssignment, Loan) {
    guard let sale = draft.find(\.assignments, id), let loan = draft.find(\.loans, sale.loanID),
      [sale.sellerID, sale.buyerID].contains(principal.organizationID)
        || (principal.organizationID == sale.borrowerID && sale.acceptedOn != nil)
    else { throw PartiesRefusal.notFound("sale of a loan") }
    try checkVersion(ifVersion, sale.version)
    draft.made.subject = id.value
    return (sale, loan)
  }

  static func require(_ party: OrganizationID, _ role: Role, _ principal: Principal) throws {
    guard principal.organizationID == party else { throw PartiesRefusal.notYours("sale of a loan") }
    try principal.require(role)
  }
}
