import Lending
import Parties
import Postgres
import Primitives
import StrictJSON

extension Tables {
  /// The columns of `loans` that hold what happened beside the state.
  static let loanLifeColumns: [Column<Loan>] = [
    .json("rates") { rateBytes($0.life.rates) },
    .date("extended_to") { $0.life.extendedTo },
    .date("paused_until") { $0.life.pausedUntil },
    .date("recalled_on") { $0.life.recall?.on },
    .date("recall_due_on") { $0.life.recall?.dueOn },
    .date("held_on") { $0.life.hold?.on },
    .text("hold_reason") { $0.life.hold?.reason },
    .date("overdue_since") { $0.life.overdueSince },
    .text("default_cause") { $0.life.default?.cause.rawValue },
    .date("defaulted_on") { $0.life.default?.on },
    .date("cure_until") { $0.life.default?.cureUntil },
    .date("accelerated_on") { $0.life.default?.acceleratedOn },
    .int8("written_off") { $0.life.writtenOff },
    .int8("forgiven") { $0.life.forgiven },
    .int8("units_lost") { $0.life.unitsLost },
    .int8("units_repossessed") { $0.life.unitsRepossessed },
    .int8("units_resold") { $0.life.unitsResold },
    .int8("units_kept") { $0.life.unitsKept },
    .int8("casualty_principal") { $0.life.casualtyPrincipal },
  ]

  static func readLife(_ row: inout RowReader) throws -> LoanLife {
    let rates = try readRates(try row.json())
    let (extended, paused) = (try row.dateOrNull(), try row.dateOrNull())
    let (recalledOn, recallDue) = (try row.dateOrNull(), try row.dateOrNull())
    let (heldOn, holdReason) = (try row.dateOrNull(), try row.textOrNull())
    let overdue = try row.dateOrNull()
    let (cause, defaultedOn) = (try row.valueOrNull(DefaultCause.self), try row.dateOrNull())
    let (cureUntil, acceleratedOn) = (try row.dateOrNull(), try row.dateOrNull())
    var life = LoanLife(
      rates: rates, extendedTo: extended, pausedUntil: paused, overdueSince: overdue, writtenOff: try row.int(),
      forgiven: try row.int(), unitsLost: try row.int(), unitsRepossessed: try row.int(),
      unitsResold: try row.int(), unitsKept: try row.int(), casualtyPrincipal: try row.int())
    if let recalledOn, let recallDue { life.recall = LoanLife.Recall(on: recalledOn, dueOn: recallDue) }
    if let heldOn, let holdReason { life.hold = LoanLife.Hold(on: heldOn, reason: holdReason) }
    if let cause, let defaultedOn {
      life.default = LoanLife.Default(
        cause: cause, on: defaultedOn, cureUntil: cureUntil, acceleratedOn: acceleratedOn)
    }
    return life
  }

  private static func rateBytes(_ rates: [RateChange]) -> [UInt8] {
    var writer = JSONWriter(capacity: 32)
    writer.beginArray()
    for change in rates {
      writer.beginObject()
      writer.field("from", change.from.description)
      writer.field("rate_bps", change.rate.value)
      writer.endObject()
    }
    writer.endArray()
    return writer.bytes
  }

  private static func readRates(_ node: JSONNode) throws -> [RateChange] {
    guard node.kind == .array else { throw StoredValueError(column: "rates", value: "not an array") }
    return try node.elements.map { element in
      guard let from = element["from"]?.asString.flatMap({ CalendarDate($0) }),
        let rate = element["rate_bps"]?.asInteger
      else { throw StoredValueError(column: "rates", value: "not a rate") }
      return RateChange(from: from, rate: BasisPoints(rate))
    }
  }

  package static let loanAmendments = Table<LoanAmendment>(
    "loan_amendments", sql: "loan_amendments", key: ["borrower_id", "id"], idColumn: "id",
    columns: [
      .uuid("borrower_id") { $0.borrowerID.value },
      .uuid("id") { $0.id.value },
      .uuid("lender_id") { $0.lenderID.value },
      .uuid("loan_id") { $0.loanID.value },
      .text("kind") { $0.terms.kind.rawValue },
      .date("from_on") { $0.terms.rateChange?.from },
      .int8("rate_bps") { $0.terms.rateChange?.rate.value },
      .date("matures_on") { $0.terms.maturity },
      .date("pause_until") { $0.terms.pause },
      .texts("serials_out") { $0.terms.serials?.out },
      .texts("serials_in") { $0.terms.serials?.with },
      .uuid("proposed_by") { $0.proposedBy.value },
      .date("proposed_on") { $0.proposedOn },
      .date("valid_until") { $0.validUntil },
      .text("reason") { $0.reason },
      .text("state") { $0.state.rawValue },
      .date("decided_on") { $0.decidedOn },
      .int8("reversed") { $0.restatement?.reversed },
      .int8("restated") { $0.restatement?.restated },
      .int8("credited") { $0.restatement?.credited },
      .int8("version") { $0.version },
      .instant("created_at") { $0.createdAt },
      .instant("updated_at") { $0.updatedAt },
    ],
    names: ("loan_amendments_by_id", "loan_amendments_insert", "loan_amendments_update"), read: readAmendment)

  private static func readAmendment(_ row: inout RowReader) throws -> LoanAmendment {
    let borrower: OrganizationID = try row.id()
    let (id, lender, loan): (AmendmentID, OrganizationID, LoanID) = (try row.id(), try row.id(), try row.id())
    let terms = try readAmendmentTerms(&row)
    let (by, on, until) = (try row.id() as OrganizationID, try row.date(), try row.date())
    let (reason, state, decided) = (try row.textOrNull(), try row.value(LoanAmendmentState.self), try row.dateOrNull())
    let (reversed, restated, credited) = (try row.intOrNull(), try row.intOrNull(), try row.intOrNull())
    var restatement: FeeRestatement?
    if let reversed, let restated, let credited {
      restatement = FeeRestatement(reversed: reversed, restated: restated, credited: credited)
    }
    return LoanAmendment(
      id: id, borrowerID: borrower, lenderID: lender, loanID: loan, terms: terms, proposedBy: by, proposedOn: on,
      validUntil: until, reason: reason, state: state, decidedOn: decided, restatement: restatement,
      version: try row.int(), createdAt: try row.instant(), updatedAt: try row.instant())
  }

  private static func readAmendmentTerms(_ row: inout RowReader) throws -> AmendmentTerms {
    let kind = try row.value(AmendmentTerms.Kind.self)
    let (from, rate) = (try row.dateOrNull(), try row.intOrNull().map { BasisPoints($0) })
    let (maturity, pause) = (try row.dateOrNull(), try row.dateOrNull())
    let (out, with) = (try row.textsOrNull(), try row.textsOrNull())
    if kind == .substitution, let out, let with { return .substitution(out: out, with: with) }
    switch (kind, from, rate, maturity, pause) {
    case (.reRate, let from?, let rate?, _, _): return .reRate(from: from, rate: rate)
    case (.extend, _, _, let date?, _): return .extend(to: date)
    case (.paymentPause, _, _, _, let date?): return .paymentPause(until: date)
    case (.restructure, _, _, _, _): return .restructure(from: from, rate: rate, maturity: maturity, pause: pause)
    default: throw StoredValueError(column: "kind", value: kind.rawValue)
    }
  }

  package static let loanEvents = Table<LoanEventRow>(
    "loan_events", sql: "loan_events", key: ["borrower_id", "id"], idColumn: "id",
    columns: [
      .uuid("borrower_id") { $0.borrowerID.value },
      .uuid("id") { $0.id.value },
      .uuid("lender_id") { $0.lenderID.value },
      .uuid("loan_id") { $0.loanID.value },
      .int8("loan_version") { $0.loanVersion },
      .text("type") { $0.type },
      .text("reason") { $0.reason },
      .json("facts") { $0.facts },
      .uuid("actor_id") { $0.actorID.value },
      .uuidOrNull("person_id") { $0.personID?.value },
      .text("action") { $0.action },
      .instant("at") { $0.at },
    ],
    names: ("loan_events_by_id", "loan_events_insert", nil)
  ) { row in
    let borrower: OrganizationID = try row.id()
    return LoanEventRow(
      id: try row.id(), borrowerID: borrower, lenderID: try row.id(), loanID: try row.id(),
      loanVersion: try row.int(), type: try row.text(), reason: try row.textOrNull(), facts: try row.jsonBytes(),
      actorID: try row.id(), personID: try row.idOrNull(), action: try row.text(), at: try row.instant())
  }
}

/// Something that happened to a loan, and who did it: what both its sides can look up for as long as the loan is kept. The
/// outbox tells the same to feeds, and is let go.
package struct LoanEventRow: Sendable, Hashable {
  package let id: EventID
  package let borrowerID: OrganizationID
  package let lenderID: OrganizationID
  package let loanID: LoanID
  /// The loan's version after it.
  package let loanVersion: Int64
  /// `loan.recalled`: noun and past tense.
  package let type: String
  /// The code of the reason, where the act has one: a cause of default, of a claim, of a casualty.
  package let reason: String?
  /// A JSON object.
  package let facts: [UInt8]
  /// The organisation whose key it was.
  package let actorID: OrganizationID
  package let personID: PersonID?
  /// The command, as the audit log names it.
  package let action: String
  /// Business time.
  package let at: Instant

  package init(
    id: EventID, borrowerID: OrganizationID, lenderID: OrganizationID, loanID: LoanID, loanVersion: Int64,
    type: String, reason: String?, facts: [UInt8], actorID: OrganizationID, personID: PersonID?, action: String,
    at: Instant
  ) {
    self.id = id
    self.borrowerID = borrowerID
    self.lenderID = lenderID
    self.loanID = loanID
    self.loanVersion = loanVersion
    self.type = type
    self.reason = reason
    self.facts = facts
    self.actorID = actorID
    self.personID = personID
    self.action = action
    self.at = at
  }

  /// An event of a loan as its record; nil for an event of anything else.
  package init?(_ event: EventDraft, id: UUIDValue, by principal: Principal, action: String, at: Instant) {
    guard let loanID = event.loanID, let lenderID = event.organizations.1 else { return nil }
    var reason: String?
    for (name, fact) in event.facts where name.description == "reason_code" || name.description == "cause" {
      if case .text(let text) = fact { reason = text }
    }
    self.init(
      id: EventID(id), borrowerID: event.organizations.0, lenderID: lenderID, loanID: loanID,
      loanVersion: event.loanVersion, type: event.type, reason: reason, facts: event.body,
      actorID: principal.organizationID, personID: principal.personID, action: action, at: at)
  }
}
