import Catalogue
import Interest
import Parties
import Persistence
import Primitives
import Repayment

/// Staff proposes a piece of reference data. It counts for nothing until another person adopts it.
package struct ProposeReference: Command {
  package static let action = "reference.propose"
  package var staffDuty: Duty? { fact.kind.duty }
  package let fact: ReferenceEntry.Fact

  package init(fact: ReferenceEntry.Fact) { self.fact = fact }

  package func needs(_ state: BatchState) -> Set<Need> { fact.needs }

  package func decide(_ draft: inout Draft, by principal: Principal) throws -> ReferenceEntry {
    try principal.require(.admin)
    let person = try principal.requirePerson()
    try fact.requireRoom(in: draft)
    let entry = draft.put(
      \.referenceEntries,
      ReferenceEntry(
        id: draft.ids.next(), fact: fact, proposedBy: person, createdAt: draft.now, updatedAt: draft.now))
    draft.made.subject = entry.id.value
    draft.happen("reference.proposed", entry.id, version: 1, to: (.platform, nil), Self.facts(entry))
    return entry
  }

  static func facts(_ entry: ReferenceEntry) -> [(StaticString, EventFact)] {
    [("kind", .text(entry.fact.kind.rawValue)), ("source", .text(entry.fact.source))]
  }
}

extension ReferenceEntry.Kind {
  /// Calendars say on which days runs fall, tax rules what the law asks, haircuts what a lender may count on.
  var duty: Duty {
    switch self {
    case .calendar: .operations
    case .taxRule: .compliance
    // What tests of cover take off at least.
    case .leastHaircut: .risk
    }
  }
}

extension ReferenceEntry.Fact {
  var source: String {
    switch self {
    case .calendar(let calendar): calendar.source
    case .taxRule(let rule, _): rule.source
    case .leastHaircut(let least): least.source
    }
  }
}

/// Another person adopts or rejects what was proposed.
package struct DecideReference: Command {
  package enum Act: String, Sendable, Hashable, CaseIterable {
    case adopt, reject
  }

  package static let action = "reference.decide"
  /// What is adopted is loaded for the next batch.
  package static let combines = false
  package var staffDuty: Duty? { kind.duty }
  package let entryID: ReferenceEntryID
  package let kind: ReferenceEntry.Kind
  package let act: Act
  package let ifVersion: Int64?

  package init(entryID: ReferenceEntryID, kind: ReferenceEntry.Kind, act: Act, ifVersion: Int64?) {
    self.entryID = entryID
    self.kind = kind
    self.act = act
    self.ifVersion = ifVersion
  }

  package func needs(_ state: BatchState) -> Set<Need> {
    let entry: Set<Need> = [.referenceEntry(entryID)]
    return entry.union(state.shelves.referenceEntries[entryID]?.fact.needs ?? [])
  }

  package func heads(_ state: BatchState) -> Set<OrganizationID> { [.platform] }

  package func decide(_ draft: inout Draft, by principal: Principal) throws -> ReferenceEntry {
    try principal.require(.admin)
    let person = try principal.requirePerson()
    guard var entry = draft.find(\.referenceEntries, entryID), entry.fact.kind == kind else {
      throw PartiesRefusal.notFound("entry")
    }
    try checkVersion(ifVersion, entry.version)
    guard entry.state == .proposed else { throw ReferenceRefusal.alreadyDecided(entry.state) }
    // Whoever proposed it may take it back, and that is all.
    if act == .adopt {
      if entry.proposedBy == person { throw PartiesRefusal.samePerson("proposed it") }
      try entry.fact.requireRoom(in: draft)
    }
    entry.state = act == .adopt ? .adopted : .rejected
    entry.decidedBy = person
    entry.decidedAt = draft.now
    entry = draft.put(\.referenceEntries, entry)
    if act == .adopt { draft.made.isReferenceChanged = true }
    draft.made.subject = entry.id.value
    draft.happen(
      "reference.\(entry.state.rawValue)", entry.id, version: entry.version, to: (.platform, nil),
      ProposeReference.facts(entry))
    return entry
  }
}

extension ReferenceEntry.Fact {
  /// What proposing and adopting it must see.
  var needs: Set<Need> {
    switch self {
    case .calendar, .leastHaircut: []
    case .taxRule: [.adoptedTaxRules]
    }
  }

  /// - Throws: ``ReferenceRefusal`` for a haircut that is not ahead, or of no model in the catalogue. What was tested was tested
  /// by what everybody could know: adopted before its first day, it is never asked of a day that has been.
  private func requireAhead(_ least: LeastHaircut, in draft: Draft) throws {
    if case .model(let id) = least.chips, draft.reference.chips[id] == nil {
      throw PartiesRefusal.notFound("chip model")
    }
    guard least.from > draft.today else { throw ReferenceRefusal.notAhead(least.from, today: draft.today) }
  }

  /// - Throws: `repayment.tax_rules_overlap` where a day of a tax rule has one already, and
  ///   `reference.unknown_rule` where it takes the place of one that does not count, or is of another tax; what
  ///   `requireAhead` says of a haircut.
  func requireRoom(in draft: Draft) throws {
    if case .leastHaircut(let least) = self { return try requireAhead(least, in: draft) }
    guard case .taxRule(let rule, let superseded) = self else { return }
    let table = try FeeTaxTable(adopted: draft.base.adoptedTaxRules.compactMap { draft.find(\.referenceEntries, $0) })
    if let superseded {
      guard let old = table.rules.first(where: { $0.id == superseded }), old.kind == rule.kind,
        old.jurisdiction == rule.jurisdiction
      else { throw ReferenceRefusal.unknownRule(superseded) }
    }
    _ = try table.adding(rule, superseding: superseded)
  }
}

package enum ReferenceRefusal: Refusal, Hashable {
  case alreadyDecided(ReferenceEntry.State)
  case unknownRule(ReferenceEntryID)
  case notAhead(CalendarDate, today: CalendarDate)

  package var kind: RefusalKind {
    switch self {
    case .alreadyDecided: .conflict
    case .unknownRule, .notAhead: .invalid
    }
  }

  package var code: String {
    switch self {
    case .alreadyDecided: "reference.already_decided"
    case .unknownRule: "reference.unknown_rule"
    case .notAhead: "reference.not_ahead"
    }
  }

  package var detail: String {
    switch self {
    case .alreadyDecided(let state): "It is \(state.rawValue) already; what says otherwise is a new entry."
    case .unknownRule(let id): "\(id) is no rule that counts, or one of another tax."
    case .notAhead(let from, let today): "It would begin on \(from), and must begin after \(today)."
    }
  }

  package var pointer: String? {
    switch self {
    case .alreadyDecided: nil
    case .unknownRule: "/supersedes"
    case .notAhead: "/from_on"
    }
  }
}
