import Catalogue
import Lending
import Parties
import Persistence
import Primitives
import Valuation

/// What every way to a mark has in common: it says something of a subject that is known here, once, of a day that has come.
package enum MarkDesk {
  /// What must be seen before a proposal becomes a mark.
  static func needs(_ proposal: MarkProposal) -> Set<Need> {
    var needs: Set<Need> = [.valuation(.standing(MarkKey(proposal)))]
    if let wrong = proposal.supersedes { needs.insert(.valuation(.mark(wrong))) }
    if let startup = proposal.subject.startup { needs.insert(.organization(startup)) }
    return needs
  }

  /// Whether the mark may stand beside what is known already.
  /// - Throws: `ValuationRefusal`, or that there is no such subject.
  static func check(_ mark: ValuationMark, in draft: Draft) throws {
    switch mark.subject {
    case .startup(let id):
      guard let startup = draft.find(\.organizations, id), startup.roles.contains(.startup) else {
        throw PartiesRefusal.notFound("startup")
      }
    case .chipModel(let id):
      guard draft.reference.chips[id] != nil else { throw PartiesRefusal.notFound("chip model") }
    }
    try mark.validate()
    guard mark.effectiveOn <= draft.today else {
      throw ValuationRefusal.effectiveAhead(mark.effectiveOn, today: draft.today)
    }
    let state = draft.base.valuation
    let made = Dictionary(draft.made.marks.map { ($0.id, $0) }, uniquingKeysWith: { first, _ in first })
    if let wrong = mark.supersedes {
      guard let target = made[wrong] ?? state.marks[wrong] else { throw ValuationRefusal.supersededUnknown(wrong) }
      guard target.subject == mark.subject else { throw ValuationRefusal.supersededUnknown(wrong) }
      guard target.recordedAt <= mark.recordedAt else { throw ValuationRefusal.recordedBeforeSuperseded(mark.id) }
      if let by = draft.made.marks.first(where: { $0.supersedes == wrong }) {
        throw ValuationRefusal.alreadySuperseded(wrong, by: by.id)
      }
      guard target.supersededAt == nil else { throw ValuationRefusal.correctedSince(wrong) }
    }
    let closed = Set(draft.made.marks.compactMap(\.supersedes) + [mark.supersedes].compactMap { $0 })
    let key = MarkKey(mark)
    let standing = [state.standing[key], draft.made.marks.first { MarkKey($0) == key }?.id].compactMap { $0 }
    if let other = standing.first(where: { !closed.contains($0) }) { throw ValuationRefusal.alreadyStands(other) }
  }

  /// Records a mark.
  static func record(_ mark: ValuationMark, in draft: inout Draft) throws {
    try check(mark, in: draft)
    draft.made.marks.append(mark)
    try ValuationFall.note(mark, in: &draft)
    let about: (StaticString, EventFact) =
      mark.subject.startup.map { ("startup_id", .text($0.description)) }
      ?? ("chip_model_id", .text(mark.subject.description))
    draft.happen(
      mark.supersedes == nil ? "valuation.recorded" : "valuation.corrected", mark.id, version: 1,
      to: (mark.subject.startup ?? .platform, nil),
      [
        about, ("method", .text(mark.method.rawValue)), ("basis", .text(mark.basis.rawValue)),
        ("amount", .number(mark.amount.amount)), ("currency", .text(mark.amount.currency.code)),
        ("effective_on", .text(mark.effectiveOn.description)),
        ("supersedes", mark.supersedes.map { .text($0.description) } ?? .absent),
      ])
  }

  /// Whoever earns on a mark does not approve it: a person with a key of a lender or a startup is not independent of any.
  static func requireIndependent(_ person: PersonID, of proposer: PersonID, in draft: Draft) throws {
    guard person != proposer else { throw PartiesRefusal.samePerson("stated the mark") }
    try requireIndependent(person, in: draft)
  }

  static func requireIndependent(_ person: PersonID, in draft: Draft) throws {
    guard let organizations = draft.base.valuation.organizationsOfPerson[person] else { throw PersonNotSeen() }
    if let organization = organizations.first { throw ValuationRefusal.approverInterested(organization) }
  }

  /// The mark that chips of a model are traded on now.
  /// - Throws: that there is none, that it is stale, or that somebody disputes it.
  static func tradable(_ chip: ChipModelID, in draft: Draft) throws -> ValuationMark? {
    guard let mark = draft.base.valuation.tradingMarks[chip] ?? nil, mark.effectiveOn <= draft.today else { return nil }
    let disputes = (draft.base.valuation.openDisputes[mark.subject] ?? []).compactMap { draft.find(\.markDisputes, $0) }
    let isDisputed = disputes.contains { $0.markID == mark.id && $0.state == .open }
    if let refusal = flaw(of: mark, isDisputed: isDisputed, on: draft.today) { throw refusal }
    return mark
  }

  /// Why nothing is traded on a mark; nil where it may be.
  package static func flaw(
    of mark: ValuationMark, isDisputed: Bool, on date: CalendarDate
  ) -> ValuationRefusal? {
    let rule = StalenessRule.of(mark.method)
    if rule.isStale(mark, on: date) {
      return .stale(mark.subject, through: rule.freshThrough(mark.effectiveOn))
    }
    return isDisputed ? .disputed(mark.subject, mark.id) : nil
  }

  /// A startup may borrow before anybody has valued it: lenders see that there is no mark. What is known of it and has
  /// become stale, or is disputed, misleads, and nothing is traded on it.
  /// - Throws: `ValuationRefusal` for such a mark.
  static func requireReliable(_ startup: OrganizationID, in draft: Draft) throws {
    guard let mark = draft.base.valuation.startupMarks[startup] ?? nil, mark.effectiveOn <= draft.today else { return }
    let disputes = (draft.base.valuation.openDisputes[mark.subject] ?? []).compactMap { draft.find(\.markDisputes, $0) }
    let isDisputed = disputes.contains { $0.markID == mark.id && $0.state == .open }
    if let refusal = flaw(of: mark, isDisputed: isDisputed, on: draft.today) { throw refusal }
  }

  /// What must be seen of a startup's mark before it borrows.
  static func borrowingNeeds(_ startup: OrganizationID) -> Set<Need> {
    [.valuation(.startupMark(startup)), .valuation(.disputes(of: .startup(startup)))]
  }

  /// What must be seen of a chip's mark before it is traded on.
  static func tradingNeeds(_ chip: ChipModelID) -> Set<Need> {
    [.valuation(.tradingMark(chip)), .valuation(.disputes(of: .chipModel(chip)))]
  }
}

/// A command lets a person approve whose keys it did not ask for. A defect of its `needs`.
struct PersonNotSeen: Error {}
