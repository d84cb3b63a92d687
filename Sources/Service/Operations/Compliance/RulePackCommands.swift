import Catalogue
import Parties
import Persistence
import Primitives
import Screening

/// Loads a rule pack. It changes nothing before somebody else switches it on.
package struct LoadRulePack: Command {
  package static let action = "rule_pack.load"
  package var staffDuty: Duty? { .compliance }
  /// What the bytes say.
  package enum Meaning: Sendable {
    case exportRules(ExportRules)
    case screeningLists(ScreeningLists)

    package var kind: RulePack.Kind {
      switch self {
      case .exportRules: .exportRules
      case .screeningLists: .screeningLists
      }
    }

    /// The document's own date; a parsed one has it.
    var asOf: CalendarDate? {
      switch self {
      case .exportRules(let rules): rules.asOf
      case .screeningLists(let lists): lists.asOf
      }
    }

    package func difference(from reference: ReferenceData) -> RulePackDifference {
      switch self {
      case .exportRules(let rules): RulePackDifference(from: reference.rules, to: rules)
      case .screeningLists(let lists):
        RulePackDifference(ScreeningDifference(from: reference.screening, to: lists))
      }
    }

    /// What would be in force with it.
    package func applied(to reference: ReferenceData) -> ReferenceData {
      switch self {
      case .exportRules(let rules): reference.with(rules: rules)
      case .screeningLists(let lists): reference.with(screening: lists)
      }
    }

    /// - Throws: `JSONFaults` where they do not parse.
    package init(_ kind: RulePack.Kind, parsing bytes: [UInt8], reference: ReferenceData) throws {
      switch kind {
      case .exportRules:
        self = .exportRules(try ExportRules(parsing: bytes, countries: reference.rules.countries))
      case .screeningLists: self = .screeningLists(try ScreeningLists(parsing: bytes))
      }
    }
  }

  package let content: [UInt8]
  package let meaning: Meaning
  package let source: String

  /// - Parameter meaning: what the content says.
  package init(content: [UInt8], meaning: Meaning, source: String) {
    self.content = content
    self.meaning = meaning
    self.source = source
  }

  /// The pack, and which rules it changes.
  package struct Loaded: Sendable {
    package let pack: RulePack
    package let difference: RulePackDifference
  }

  package func needs(_ state: BatchState) -> Set<Need> { [.waitingRulePacks] }
  /// Two who load at a time do it one after the other.
  package func heads(_ state: BatchState) -> Set<OrganizationID> { [.platform] }

  package func decide(_ draft: inout Draft, by principal: Principal) throws -> Loaded {
    try principal.require(.admin)
    let person = try principal.requirePerson()
    let difference = meaning.difference(from: draft.reference)
    guard !difference.isEmpty else { throw RulePackRefusal.nothingNew }
    let waiting = draft.base.waitingRulePacks.compactMap { draft.find(\.rulePacks, $0) }
    guard !waiting.contains(where: { $0.state == .loaded && $0.kind == meaning.kind }) else {
      throw RulePackRefusal.anotherWaits
    }
    let pack = draft.put(
      \.rulePacks,
      RulePack(
        id: draft.ids.next(), kind: meaning.kind, content: content, digest: SHA256Digest(of: content),
        asOf: meaning.asOf ?? draft.today, source: source,
        loadedBy: person, createdAt: draft.now, updatedAt: draft.now))
    draft.made.subject = pack.id.value
    draft.happen(
      "rule_pack.loaded", pack.id, version: pack.version, to: (.platform, nil),
      [
        ("kind", .text(pack.kind.rawValue)), ("as_of", .text(pack.asOf.description)),
        ("sha256", .text(pack.digest.description)),
      ])
    return Loaded(pack: pack, difference: difference)
  }
}

extension RulePack.Kind {
  /// What it takes the place of.
  fileprivate var document: ReferenceDocument.Name {
    switch self {
    case .exportRules: .exportRules
    case .screeningLists: .screeningLists
    }
  }
}

/// A second person switches a loaded pack on, or somebody rejects it. Once it is on, everything open and live is screened
/// by it: the run that does so is planned in the same transaction.
package struct DecideRulePack: Command {
  package enum Act: Sendable, Hashable {
    case switchOn
    case reject(reason: String)
  }

  package static let action = "rule_pack.decide"
  /// What is switched on is loaded for the next batch.
  package static let combines = false
  package var staffDuty: Duty? { .compliance }
  package let packID: RulePackID
  package let act: Act
  package let ifVersion: Int64?

  package init(packID: RulePackID, act: Act, ifVersion: Int64?) {
    self.packID = packID
    self.act = act
    self.ifVersion = ifVersion
  }

  /// The pack, and the run that screens by it.
  package struct Decided: Sendable {
    package let pack: RulePack
    package let runID: SettlementRunID?
  }

  package func needs(_ state: BatchState) -> Set<Need> { [.rulePack(packID)] }
  package func heads(_ state: BatchState) -> Set<OrganizationID> { [.platform] }

  package func decide(_ draft: inout Draft, by principal: Principal) throws -> Decided {
    try principal.require(.admin)
    let person = try principal.requirePerson()
    guard var pack = draft.find(\.rulePacks, packID) else { throw PartiesRefusal.notFound("rule pack") }
    try checkVersion(ifVersion, pack.version)
    var run: PlannedRun?
    switch act {
    case .switchOn:
      guard pack.loadedBy != person else { throw PartiesRefusal.samePerson("loaded the pack") }
      try pack.switchOn(by: person, at: draft.now)
      draft.made.documents.append(
        ReferenceDocument(
          name: pack.kind.document, content: pack.content, source: pack.source, approvedBy: person.description))
      let planned = PlannedRun(
        id: draft.ids.next(), job: SettlementJob.rescreen.rawValue, businessDate: draft.today, requestedBy: person,
        createdAt: draft.wallTime)
      draft.made.runs.append(planned)
      run = planned
    case .reject(let reason): try pack.reject(by: person, reason: reason, at: draft.now)
    }
    pack = draft.put(\.rulePacks, pack)
    draft.made.subject = packID.value
    draft.happen(
      "rule_pack.\(pack.state.rawValue)", pack.id, version: pack.version, to: (.platform, nil),
      [("sha256", .text(pack.digest.description)), ("run_id", run.map { .text($0.id.description) } ?? .absent)])
    return Decided(pack: pack, runID: run?.id)
  }
}

/// Puts what a screening found on the worklist. What waits there already stays as it is: a person looks at it once.
package struct OpenComplianceItems: Command {
  package static let action = "compliance.open_items"
  package var staffDuty: Duty? { .compliance }
  package let findings: [ComplianceItem.Finding]
  package let runID: SettlementRunID?

  package init(findings: [ComplianceItem.Finding], runID: SettlementRunID?) {
    self.findings = findings
    self.runID = runID
  }

  package func needs(_ state: BatchState) -> Set<Need> { [.openComplianceSubjects(Set(findings.map(\.subject)))] }
  package func heads(_ state: BatchState) -> Set<OrganizationID> { [.platform] }

  package func decide(_ draft: inout Draft, by principal: Principal) throws -> Int64 {
    try principal.require(.admin)
    var waiting = draft.base.openComplianceSubjects
    var opened: Int64 = 0
    for finding in findings where waiting.insert(finding.key).inserted {
      Self.open(finding, runID: runID, in: &draft)
      opened += 1
    }
    draft.made.subject = runID?.value
    return opened
  }

  /// Opens an item unless one waits, this command's own included; whether one does was asked for.
  static func openUnlessWaiting(_ finding: ComplianceItem.Finding, in draft: inout Draft) {
    let made = draft.made.overlay.complianceItems.insertedRows
    guard !draft.base.openComplianceSubjects.contains(finding.key),
      !made.contains(where: { item in item.finding.key == finding.key })
    else { return }
    open(finding, runID: nil, in: &draft)
  }

  /// Opens an item for a subject that has none open.
  static func open(_ finding: ComplianceItem.Finding, runID: SettlementRunID?, in draft: inout Draft) {
    let item = draft.put(
      \.complianceItems,
      ComplianceItem(id: draft.ids.next(), finding: finding, runID: runID, createdAt: draft.now, updatedAt: draft.now))
    draft.happen(
      "compliance_item.opened", item.id, version: item.version, to: (.platform, nil),
      [
        ("subject_kind", .text(finding.kind.rawValue)), ("effect", .text(finding.effect.rawValue)),
        ("suggestion", .text(finding.suggestion.rawValue)),
      ])
  }
}

/// A named person decides what is done about an item. The act itself (a freeze, a return, a recall) is an act of its own
/// and has its own record; this one says who looked, when, and why it is right so.
package struct ResolveComplianceItem: Command {
  package static let action = "compliance.resolve_item"
  package static let asksSecondPerson = true
  package var staffDuty: Duty? { .compliance }
  package let itemID: ComplianceItemID
  package let resolution: ComplianceItem.Resolution
  package let note: String
  package let ifVersion: Int64?

  package init(itemID: ComplianceItemID, resolution: ComplianceItem.Resolution, note: String, ifVersion: Int64?) {
    self.itemID = itemID
    self.resolution = resolution
    self.note = note
    self.ifVersion = ifVersion
  }

  package func needs(_ state: BatchState) -> Set<Need> { [.complianceItem(itemID)] }
  package func heads(_ state: BatchState) -> Set<OrganizationID> { [.platform] }

  package func decide(_ draft: inout Draft, by principal: Principal) throws -> ComplianceItem {
    try principal.require(.admin)
    let person = try principal.requirePerson()
    guard var item = draft.find(\.complianceItems, itemID) else { throw PartiesRefusal.notFound("compliance item") }
    try checkVersion(ifVersion, item.version)
    try item.resolve(
      ComplianceItem.Decision(resolution: resolution, note: note, by: person, at: draft.now))
    item = draft.put(\.complianceItems, item)
    draft.made.subject = itemID.value
    draft.happen(
      "compliance_item.resolved", item.id, version: item.version, to: (.platform, nil),
      [("resolution", .text(resolution.rawValue))])
    return item
  }
}

extension RulePackDifference {
  fileprivate init(_ difference: ScreeningDifference) {
    self.init(added: difference.added, removed: difference.removed, changed: difference.changed)
  }
}
