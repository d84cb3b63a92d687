import Catalogue
import Postgres
import Primitives

extension RulePack: Stored {
  package typealias Noun = RulePackNoun
  package mutating func stamp(_ now: Instant) { updatedAt = now }
}
extension ComplianceItem: Stored {
  package typealias Noun = ComplianceItemNoun
  package mutating func stamp(_ now: Instant) { updatedAt = now }
}

extension Tables {
  package static let rulePacks = Table<RulePack>(
    "rule_packs", sql: "rule_packs", key: ["id"], idColumn: "id",
    columns: [
      .uuid("id") { $0.id.value },
      .text("kind") { $0.kind.rawValue },
      .bytes("content") { $0.content },
      .bytes("sha256") { $0.digest.bytes },
      .date("as_of") { $0.asOf },
      .text("source") { $0.source },
      .text("state") { $0.state.rawValue },
      .uuid("loaded_by") { $0.loadedBy.value },
      .uuidOrNull("decided_by") { $0.decidedBy?.value },
      .instant("decided_at") { $0.decidedAt },
      .text("reason") { $0.reason },
      .int8("version") { $0.version },
      .instant("created_at") { $0.createdAt },
      .instant("updated_at") { $0.updatedAt },
    ],
    names: ("rule_packs_by_id", "rule_packs_insert", "rule_packs_update")
  ) { row in
    RulePack(
      id: try row.id(), kind: try row.value(), content: try row.bytes(), digest: try row.digest(), asOf: try row.date(),
      source: try row.text(), state: try row.value(), loadedBy: try row.id(), decidedBy: try row.idOrNull(),
      decidedAt: try row.instantOrNull(), reason: try row.textOrNull(), version: try row.int(),
      createdAt: try row.instant(), updatedAt: try row.instant())
  }

  package static let complianceItems = Table<ComplianceItem>(
    "compliance_items", sql: "compliance_items", key: ["id"], idColumn: "id",
    columns: [
      .uuid("id") { $0.id.value },
      .text("subject_kind") { $0.finding.kind.rawValue },
      .uuid("subject_id") { $0.finding.subject },
      .uuidOrNull("borrower_id") { $0.finding.borrowerID?.value },
      .uuidOrNull("lender_id") { $0.finding.lenderID?.value },
      .text("chip_model_id") { $0.finding.chipModelID?.value },
      .int8("quantity") { $0.finding.quantity },
      .date("screened_on") { $0.finding.on },
      .text("effect") { $0.finding.effect.rawValue },
      .texts("rules") { $0.finding.rules },
      .date("since_on") { $0.finding.since },
      .text("suggestion") { $0.finding.suggestion.rawValue },
      .uuidOrNull("run_id") { $0.runID?.value },
      .text("state") { $0.decision == nil ? "open" : "resolved" },
      .text("resolution") { $0.decision?.resolution.rawValue },
      .text("note") { $0.decision?.note },
      .uuidOrNull("resolved_by") { $0.decision?.by.value },
      .instant("resolved_at") { $0.decision?.at },
      .int8("version") { $0.version },
      .instant("created_at") { $0.createdAt },
      .instant("updated_at") { $0.updatedAt },
    ],
    names: ("compliance_items_by_id", "compliance_items_insert", "compliance_items_update")
  ) { row in
    let id: ComplianceItemID = try row.id()
    let finding = ComplianceItem.Finding(
      kind: try row.value(), subject: try row.uuid(), borrowerID: try row.idOrNull(), lenderID: try row.idOrNull(),
      chipModelID: try row.parsedOrNull { ChipModelID($0) }, quantity: try row.intOrNull(), on: try row.date(),
      effect: try row.value(),
      rules: try row.texts(), since: try row.dateOrNull(), suggestion: try row.value())
    let run: SettlementRunID? = try row.idOrNull()
    _ = try row.text()
    let resolution: ComplianceItem.Resolution? = try row.valueOrNull()
    let note = try row.textOrNull()
    let person: PersonID? = try row.idOrNull()
    let at = try row.instantOrNull()
    var decision: ComplianceItem.Decision?
    if let resolution, let note, let person, let at {
      decision = ComplianceItem.Decision(resolution: resolution, note: note, by: person, at: at)
    }
    return ComplianceItem(
      id: id, finding: finding, runID: run, decision: decision, version: try row.int(), createdAt: try row.instant(),
      updatedAt: try row.instant())
  }
}

/// Rule packs and worklists, as the pipeline and the interface ask for them.
package enum ComplianceSQL {
  /// Packs that wait for a decision: at most one.
  static let waitingPacks = Statement(
    "rule_packs_waiting", Tables.rulePacks.selectList + "where state = 'loaded' order by id",
    columns: Tables.rulePacks.types)
  /// Which of these subjects wait already.
  static let openSubjects = Statement(
    "compliance_open_subjects",
    "select subject_id, borrower_id from compliance_items where state = 'open' and subject_id = any($1)",
    parameters: [.uuidArray], columns: [.uuid, .uuid])
  /// Live loans after an id, in the order of ids.
  package static let liveLoans = Statement(
    "compliance_live_loans",
    Tables.loans.selectList + "where state <> 'closed' and id > $1 order by id limit $2",
    parameters: [.uuid, .int8], columns: Tables.loans.types)

  /// Organisations after an id, in the order of ids.
  package static let parties = Statement(
    "compliance_parties", Tables.organizations.selectList + "where org_id > $1 order by org_id limit $2",
    parameters: [.uuid, .int8], columns: Tables.organizations.types)

  /// Pending offers after an id, in the order of ids.
  package static let pendingOffers = Statement(
    "compliance_pending_offers",
    Tables.offers.selectList + "where state = 'pending' and id > $1 order by id limit $2",
    parameters: [.uuid, .int8], columns: Tables.offers.types)

  package static var statements: [Statement] { [waitingPacks, openSubjects, liveLoans, parties, pendingOffers] }
}
