import Parties
import Persistence
import Primitives
import Valuation

/// States what a startup or a chip was worth. It becomes a mark once a second person has approved it; a correction names
/// the mark it supersedes, and nothing is overwritten.
package struct RecordValuation: Command {
  package static let action = "valuation.propose"
  package var staffDuty: Duty? { .risk }
  package let subject: ValuationSubject
  package let method: ValuationMethod
  package let amount: Money
  package let basis: ValuationBasis
  package let effectiveOn: CalendarDate
  package let source: String
  package let supersedes: ValuationID?
  package let evidence: String?
  package let confidence: MarkConfidence

  package init(
    subject: ValuationSubject, method: ValuationMethod, amount: Money, basis: ValuationBasis, effectiveOn: CalendarDate,
    source: String, supersedes: ValuationID?, evidence: String? = nil, confidence: MarkConfidence = .documented
  ) {
    self.subject = subject
    self.method = method
    self.amount = amount
    self.basis = basis
    self.effectiveOn = effectiveOn
    self.source = source
    self.supersedes = supersedes
    self.evidence = evidence
    self.confidence = confidence
  }

  private func proposal(_ id: ValuationID, by person: PersonID, at now: Instant) -> MarkProposal {
    MarkProposal(
      id: id, subject: subject, method: method, basis: basis, amount: amount, effectiveOn: effectiveOn, source: source,
      evidence: evidence, confidence: confidence, supersedes: supersedes, proposedBy: person, createdAt: now,
      updatedAt: now)
  }

  /// As the source states it: nobody here did.
  fileprivate func mark(_ id: ValuationID, vouchedBy person: PersonID, at now: Instant) -> ValuationMark {
    ValuationMark(
      id: id, subject: subject, method: method, amount: amount, basis: basis, effectiveOn: effectiveOn, recordedAt: now,
      source: source, supersedes: supersedes, approvedBy: person, evidence: evidence, confidence: confidence)
  }

  package func needs(_ state: BatchState) -> Set<Need> {
    // Which id and person it will have plays no part in what must be seen.
    MarkDesk.needs(proposal(.init(UUIDValue(high: 0, low: 0)), by: .init(UUIDValue(high: 0, low: 0)), at: .epoch))
  }

  package func decide(_ draft: inout Draft, by principal: Principal) throws -> MarkProposal {
    try principal.require(.admin)
    let person = try principal.requirePerson()
    let proposal = proposal(draft.ids.next(), by: person, at: draft.now)
    // What could never be approved is refused at once.
    try MarkDesk.check(proposal.mark(approvedBy: nil, at: draft.now), in: draft)
    draft.made.subject = proposal.id.value
    draft.happen("valuation.proposed", proposal.id, version: 1, to: (.platform, nil))
    return draft.put(\.markProposals, proposal)
  }
}

/// Records at once what a source outside says, vouched for by one person of the staff who earns on no mark. What the staff
/// itself estimates, and whatever wants a second pair of eyes, is proposed (`RecordValuation`) and approved by another.
package struct RecordMark: Command {
  package static let action = "valuation.record"
  package var staffDuty: Duty? { .risk }
  package let stated: RecordValuation
  /// Who vouches: what else this person is must be seen first.
  package let person: PersonID?

  package init(_ stated: RecordValuation, person: PersonID?) {
    self.stated = stated
    self.person = person
  }

  package func needs(_ state: BatchState) -> Set<Need> {
    stated.needs(state).union(person.map { [.valuation(.organizationsOfPerson($0))] } ?? [])
      .union(ValuationFall.needs(stated.subject.startup, state))
  }

  package func heads(_ state: BatchState) -> Set<OrganizationID> {
    ValuationFall.heads([stated.subject.startup], state)
  }

  package func decide(_ draft: inout Draft, by principal: Principal) throws -> ValuationMark {
    try principal.require(.admin)
    let person = try principal.requirePerson()
    try MarkDesk.requireIndependent(person, in: draft)
    let mark = stated.mark(draft.ids.next(), vouchedBy: person, at: draft.now)
    try MarkDesk.record(mark, in: &draft)
    draft.made.subject = mark.id.value
    return mark
  }
}

/// Approves or rejects a mark that somebody else stated.
package struct DecideValuation: Command {
  package enum Decision: Sendable, Hashable {
    case approve
    case reject(reason: String)
  }

  package static let action = "valuation.decide"
  package var staffDuty: Duty? { .risk }
  package let id: ValuationID
  package let decision: Decision
  /// Who decides: what else this person is must be seen first.
  package let person: PersonID?
  package let ifVersion: Int64?

  package init(id: ValuationID, decision: Decision, person: PersonID?, ifVersion: Int64?) {
    self.id = id
    self.decision = decision
    self.person = person
    self.ifVersion = ifVersion
  }

  package func needs(_ state: BatchState) -> Set<Need> {
    var needs: Set<Need> = [.valuation(.proposal(id))]
    if let person { needs.insert(.valuation(.organizationsOfPerson(person))) }
    if let proposal = state.shelves.markProposals[id] {
      needs.formUnion(MarkDesk.needs(proposal))
      needs.formUnion(ValuationFall.needs(proposal.subject.startup, state))
    }
    return needs
  }

  package func heads(_ state: BatchState) -> Set<OrganizationID> {
    ValuationFall.heads([state.shelves.markProposals[id]?.subject.startup], state)
  }

  package func decide(_ draft: inout Draft, by principal: Principal) throws -> MarkProposal {
    guard principal.isStaff, let proposal = draft.find(\.markProposals, id) else {
      throw PartiesRefusal.notFound("valuation")
    }
    let person = try principal.requirePerson()
    try checkVersion(ifVersion, proposal.version)
    draft.made.subject = id.value
    return try Self.decide(proposal, decision, by: person, in: &draft)
  }

  static func decide(
    _ proposal: MarkProposal, _ decision: Decision, by person: PersonID, in draft: inout Draft
  ) throws -> MarkProposal {
    var proposal = proposal
    guard proposal.state == .proposed else { throw ValuationRefusal.alreadyDecided(proposal.state.rawValue) }
    switch decision {
    case .approve:
      try MarkDesk.requireIndependent(person, of: proposal.proposedBy, in: draft)
      try MarkDesk.record(proposal.mark(approvedBy: person, at: draft.now), in: &draft)
      proposal.state = .approved
    case .reject(let reason):
      proposal.state = .rejected
      proposal.reason = reason
      draft.happen("valuation.rejected", proposal.id, version: proposal.version + 1, to: (.platform, nil))
    }
    proposal.decidedBy = person
    proposal.decidedAt = draft.now
    return draft.put(\.markProposals, proposal)
  }
}

/// Approves everything that an import proposes, or rejects it: what cannot stand beside what is known by now is rejected
/// with the reason, the rest is approved.
package struct DecideImport: Command {
  package static let action = "valuation_import.decide"
  package var staffDuty: Duty? { .risk }
  package let id: ValuationImportID
  package let decision: DecideValuation.Decision
  package let person: PersonID?

  /// What became of the proposals.
  package struct Decided: Sendable {
    package let record: ValuationImport
    package let approved: [MarkProposal]
    package let rejected: [MarkProposal]
  }

  package init(id: ValuationImportID, decision: DecideValuation.Decision, person: PersonID?) {
    self.id = id
    self.decision = decision
    self.person = person
  }

  package func needs(_ state: BatchState) -> Set<Need> {
    var needs: Set<Need> = [.valuation(.importRecord(id)), .valuation(.proposalsOfImport(id))]
    if let person { needs.insert(.valuation(.organizationsOfPerson(person))) }
    for proposal in state.valuation.proposalsOfImport[id] ?? [] {
      if let proposal = state.shelves.markProposals[proposal] {
        needs.formUnion(MarkDesk.needs(proposal))
        needs.formUnion(ValuationFall.needs(proposal.subject.startup, state))
      }
    }
    return needs
  }

  package func heads(_ state: BatchState) -> Set<OrganizationID> {
    let proposals = (state.valuation.proposalsOfImport[id] ?? []).compactMap { state.shelves.markProposals[$0] }
    return ValuationFall.heads(proposals.map(\.subject.startup), state)
  }

  package func decide(_ draft: inout Draft, by principal: Principal) throws -> Decided {
    guard principal.isStaff, let record = draft.find(\.valuationImports, id) else {
      throw PartiesRefusal.notFound("import")
    }
    let person = try principal.requirePerson()
    if case .approve = decision { try MarkDesk.requireIndependent(person, of: record.importedBy, in: draft) }
    draft.made.subject = id.value
    let waiting = (draft.base.valuation.proposalsOfImport[id] ?? []).compactMap { draft.find(\.markProposals, $0) }
      .filter { $0.state == .proposed }
    var (approved, rejected): ([MarkProposal], [MarkProposal]) = ([], [])
    // By day, so that a correction finds what it corrects, and each mark what stood before it.
    for proposal in waiting.sorted(by: { ($0.effectiveOn, $0.id) < ($1.effectiveOn, $1.id) }) {
      do {
        let decided = try DecideValuation.decide(proposal, decision, by: person, in: &draft)
        if decided.state == .approved { approved.append(decided) } else { rejected.append(decided) }
      } catch let refusal as ValuationRefusal {
        rejected.append(
          try DecideValuation.decide(proposal, .reject(reason: refusal.detail), by: person, in: &draft))
      }
    }
    draft.happen(
      "valuation_import.decided", id, version: record.version, to: (.platform, nil),
      [("approved", .number(Int64(approved.count))), ("rejected", .number(Int64(rejected.count)))])
    return Decided(record: record, approved: approved, rejected: rejected)
  }
}
