import Lending
import Parties
import Persistence
import Primitives
import Valuation

/// Objects to a mark that stands. The startup that it is of may, whoever lends to that startup, and staff; of a chip model
/// staff and those who have a lot of it.
package struct DisputeMark: Command {
  package static let action = "valuation.dispute"
  package var staffDuty: Duty? { .risk }
  package let markID: ValuationID
  package let reason: String
  /// Whose objection it is: what it has at stake must be seen first.
  package let organizationID: OrganizationID

  package init(markID: ValuationID, reason: String, organizationID: OrganizationID) {
    self.markID = markID
    self.reason = reason
    self.organizationID = organizationID
  }

  package func needs(_ state: BatchState) -> Set<Need> {
    var needs: Set<Need> = [.valuation(.mark(markID)), .lotsOfLender(organizationID)]
    guard let subject = state.valuation.marks[markID]?.subject else { return needs }
    needs.insert(.valuation(.disputes(of: subject)))
    if let startup = subject.startup { needs.insert(.lendersOfBorrower(startup)) }
    return needs
  }

  package func heads(_ state: BatchState) -> Set<OrganizationID> { [organizationID] }

  package func decide(_ draft: inout Draft, by principal: Principal) throws -> MarkDispute {
    guard let mark = draft.base.valuation.marks[markID], hasStake(in: mark.subject, principal, draft) else {
      throw PartiesRefusal.notFound("valuation")
    }
    let person = try principal.requirePerson()
    guard mark.supersededAt == nil else { throw ValuationRefusal.notDisputable(markID) }
    let open = (draft.base.valuation.openDisputes[mark.subject] ?? []).compactMap { draft.find(\.markDisputes, $0) }
    let isOwn = { (dispute: MarkDispute) in
      dispute.markID == markID && dispute.organizationID == organizationID && dispute.state == .open
    }
    guard !open.contains(where: isOwn) else {
      throw ValuationRefusal.disputedAlready
    }
    let dispute = draft.put(
      \.markDisputes,
      MarkDispute(
        id: draft.ids.next(), organizationID: organizationID, markID: markID, subject: mark.subject, reason: reason,
        raisedBy: person, createdAt: draft.now, updatedAt: draft.now))
    draft.made.subject = dispute.id.value
    Self.happen("valuation.disputed", dispute, in: &draft)
    return dispute
  }

  private func hasStake(in subject: ValuationSubject, _ principal: Principal, _ draft: Draft) -> Bool {
    if principal.isStaff { return true }
    switch subject {
    case .startup(let id):
      return id == organizationID || draft.base.lendersOfBorrower[id]?.contains(organizationID) == true
    case .chipModel(let chip):
      return (draft.base.lotsOfLender[organizationID] ?? []).contains { draft.find(\.lots, $0)?.chipModelID == chip }
    }
  }

  static func happen(_ type: String, _ dispute: MarkDispute, in draft: inout Draft) {
    let startup = dispute.subject.startup
    draft.happen(
      type, dispute.id, version: dispute.version,
      to: (dispute.organizationID, startup == dispute.organizationID ? nil : startup),
      [("valuation_id", .text(dispute.markID.description)), ("subject", .text(dispute.subject.description))])
  }
}

/// Ends a dispute: whoever raised it withdraws it, or staff dismiss it with a reason, by another person.
package struct CloseDispute: Command {
  package enum Act: Sendable, Hashable {
    case withdraw
    case dismiss(reason: String)
  }

  package static let action = "valuation.close_dispute"
  package var staffDuty: Duty? { .risk }
  package let id: MarkDisputeID
  package let act: Act
  package let ifVersion: Int64?

  package init(id: MarkDisputeID, act: Act, ifVersion: Int64?) {
    self.id = id
    self.act = act
    self.ifVersion = ifVersion
  }

  package func needs(_ state: BatchState) -> Set<Need> {
    var needs: Set<Need> = [.valuation(.dispute(id))]
    if let dispute = state.shelves.markDisputes[id] { needs.insert(.valuation(.disputes(of: dispute.subject))) }
    return needs
  }

  package func heads(_ state: BatchState) -> Set<OrganizationID> {
    Set([state.shelves.markDisputes[id]?.organizationID].compactMap { $0 })
  }

  package func decide(_ draft: inout Draft, by principal: Principal) throws -> MarkDispute {
    guard var dispute = draft.find(\.markDisputes, id),
      principal.isStaff || dispute.organizationID == principal.organizationID
    else { throw PartiesRefusal.notFound("dispute") }
    let person = try principal.requirePerson()
    try checkVersion(ifVersion, dispute.version)
    guard dispute.state == .open else { throw ValuationRefusal.disputeClosed(dispute.state.rawValue) }
    switch act {
    case .withdraw:
      guard dispute.organizationID == principal.organizationID else { throw PartiesRefusal.notFound("dispute") }
      dispute.state = .withdrawn
    case .dismiss(let reason):
      try principal.require(.admin)
      guard person != dispute.raisedBy else { throw PartiesRefusal.samePerson("raised the dispute") }
      dispute.state = .dismissed
      dispute.closingReason = reason
    }
    dispute.closedBy = person
    dispute.closedAt = draft.now
    dispute = draft.put(\.markDisputes, dispute)
    draft.made.subject = dispute.id.value
    DisputeMark.happen("valuation.dispute_\(dispute.state.rawValue)", dispute, in: &draft)
    return dispute
  }
}
