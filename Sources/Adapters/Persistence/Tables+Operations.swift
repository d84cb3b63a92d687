import Parties
import Postgres
import Primitives
import StrictJSON
import Valuation

/// An answer as it was first given: replays are byte-equal.
package struct StoredAnswer: Sendable, Hashable {
  package let status: Int
  /// Names and values, in order.
  package let headers: [(name: String, value: String)]
  package let body: [UInt8]

  package init(status: Int, headers: [(name: String, value: String)], body: [UInt8]) {
    self.status = status
    self.headers = headers
    self.body = body
  }

  package static func == (left: StoredAnswer, right: StoredAnswer) -> Bool {
    left.status == right.status && left.body == right.body
      && left.headers.elementsEqual(right.headers) { $0.name == $1.name && $0.value == $1.value }
  }

  package func hash(into hasher: inout Hasher) {
    hasher.combine(status)
    hasher.combine(body)
  }
}

/// The stored answer of one command, under its organisation and key.
package struct AnswerRow: Sendable {
  package let organizationID: OrganizationID
  package let key: String
  package let fingerprint: SHA256Digest
  package let answer: StoredAnswer
  /// Wall time: retention counts from it.
  package let createdAt: Instant

  package init(
    organizationID: OrganizationID, key: String, fingerprint: SHA256Digest, answer: StoredAnswer, createdAt: Instant
  ) {
    self.organizationID = organizationID
    self.key = key
    self.fingerprint = fingerprint
    self.answer = answer
    self.createdAt = createdAt
  }
}

/// Who did what, with what outcome.
package struct AuditRow: Sendable {
  package let organizationID: OrganizationID
  package let id: UUIDValue
  /// Business time.
  package let at: Instant
  /// Wall time.
  package let recordedAt: Instant
  package let credential: Credential
  package let personID: PersonID?
  package let action: String
  package let subject: UUIDValue?
  /// `done`, or the code of the refusal.
  package let outcome: String
  package let requestID: String?

  package init(
    organizationID: OrganizationID, id: UUIDValue, at: Instant, recordedAt: Instant, credential: Credential,
    personID: PersonID?, action: String, subject: UUIDValue?, outcome: String, requestID: String?
  ) {
    self.organizationID = organizationID
    self.id = id
    self.at = at
    self.recordedAt = recordedAt
    self.credential = credential
    self.personID = personID
    self.action = action
    self.subject = subject
    self.outcome = outcome
    self.requestID = requestID
  }
}

extension Tables {
  package static let idempotency = Table<AnswerRow>(
    "idempotency", sql: "idempotency", key: ["org_id", "key"], idColumn: "org_id",
    columns: [
      .uuid("org_id") { $0.organizationID.value },
      .text("key") { $0.key },
      .bytes("fingerprint") { $0.fingerprint.bytes },
      .int4("status") { Int32(truncatingIfNeeded: $0.answer.status) },
      .texts("headers") { $0.answer.headers.flatMap { [$0.name, $0.value] } },
      .bytes("body") { $0.answer.body },
      .instant("created_at") { $0.createdAt },
    ],
    names: ("idempotency_of_org", "idempotency_insert", nil)
  ) { row in
    let organization: OrganizationID = try row.id()
    let key = try row.text()
    let fingerprint = try row.digest()
    let status = Int(try row.int4())
    let flat = try row.texts()
    let headers = stride(from: 0, to: flat.count - 1, by: 2).map { (name: flat[$0], value: flat[$0 + 1]) }
    let body = try row.bytes()
    return AnswerRow(
      organizationID: organization, key: key, fingerprint: fingerprint,
      answer: StoredAnswer(status: status, headers: headers, body: body), createdAt: try row.instant())
  }

  package static let auditLog = Table<AuditRow>(
    "audit_log", sql: "audit_log", key: ["org_id", "id"], idColumn: "id",
    columns: [
      .uuid("org_id") { $0.organizationID.value },
      .uuid("id") { $0.id },
      .instant("at") { $0.at },
      .instant("recorded_at") { $0.recordedAt },
      .uuidOrNull("key_id") { $0.credential.keyID?.value },
      .uuidOrNull("person_id") { $0.personID?.value },
      .text("action") { $0.action },
      .uuidOrNull("subject_id") { $0.subject },
      .text("outcome") { $0.outcome },
      .text("request_id") { $0.requestID },
      .uuidOrNull("binding_id") { $0.credential.bindingID?.value },
    ],
    names: ("audit_log_by_id", "audit_log_insert", nil)
  ) { row in
    let organization: OrganizationID = try row.id()
    let (id, at, recordedAt) = (try row.uuid(), try row.instant(), try row.instant())
    let key: APIKeyID? = try row.idOrNull()
    let (person, action, subject): (PersonID?, String, UUIDValue?) = (
      try row.idOrNull(), try row.text(), try row.uuidOrNull()
    )
    let (outcome, requestID) = (try row.text(), try row.textOrNull())
    // One of the two, as the table's constraint has it.
    let credential: Credential = if let key { .key(key) } else { .binding(try row.id()) }
    return AuditRow(
      organizationID: organization, id: id, at: at, recordedAt: recordedAt, credential: credential, personID: person,
      action: action, subject: subject, outcome: outcome, requestID: requestID)
  }

  package static let verdicts = Table<VerdictRow>(
    "verdicts", sql: "verdicts", key: ["borrower_id", "id"], idColumn: "id",
    columns: [
      .uuid("borrower_id") { $0.borrowerID.value },
      .uuid("id") { $0.id.value },
      .uuid("lender_id") { $0.lenderID.value },
      .text("act") { $0.act },
      .date("on_date") { $0.on },
      .uuid("subject_id") { $0.subject },
      .text("chip_model_id") { $0.chipModelID.value },
      .int8("quantity") { $0.quantity },
      .text("effect") { $0.effect },
      .uuidOrNull("licence_id") { $0.licenceID?.value },
      .json("findings") { $0.findings },
      .bool("acted") { $0.acted },
      .instant("recorded_at") { $0.recordedAt },
    ],
    names: ("verdicts_by_id", "verdicts_insert", nil)
  ) { row in
    let borrower: OrganizationID = try row.id()
    return VerdictRow(
      id: try row.id(), borrowerID: borrower, lenderID: try row.id(), act: try row.text(), on: try row.date(),
      subject: try row.uuid(), chipModelID: try row.chipModel(), quantity: try row.int(), effect: try row.text(),
      licenceID: try row.idOrNull(), findings: try row.jsonBytes(), acted: try row.bool(),
      recordedAt: try row.instant())
  }

  private static func mark(_ row: inout RowReader, subject: ValuationSubject) throws -> ValuationMark {
    let id: ValuationID = try row.id()
    let method = try row.value(ValuationMethod.self)
    let basis = try row.value(ValuationBasis.self)
    return ValuationMark(
      id: id, subject: subject, method: method, amount: try row.money(), basis: basis, effectiveOn: try row.date(),
      recordedAt: try row.instant(), source: try row.text(), supersedes: try row.idOrNull(),
      approvedBy: try row.idOrNull(), evidence: try row.textOrNull(), confidence: try row.value(),
      recordedBy: try row.idOrNull(), supersededAt: try row.instantOrNull())
  }

  private static let markColumns: [Column<ValuationMark>] = [
    .uuid("id") { $0.id.value },
    .text("method") { $0.method.rawValue },
    .text("basis") { $0.basis.rawValue },
    .int8("amount") { $0.amount.amount },
    .text("currency") { $0.amount.currency.code },
    .date("effective_on") { $0.effectiveOn },
    .instant("recorded_at") { $0.recordedAt },
    .text("source") { $0.source },
    .uuidOrNull("supersedes") { $0.supersedes?.value },
    .uuidOrNull("approved_by") { $0.approvedBy?.value },
    .text("evidence") { $0.evidence },
    .text("confidence") { $0.confidence.rawValue },
    .uuidOrNull("recorded_by") { $0.recordedBy?.value },
    .instant("superseded_at") { $0.supersededAt },
  ]

  package static let chipMarks = Table<ValuationMark>(
    "chip_marks", sql: "chip_marks", key: ["chip_model_id", "id"], idColumn: "id",
    columns: [.text("chip_model_id") { $0.subject.chipModel?.value }] + markColumns,
    names: ("chip_marks_by_id", "chip_marks_insert", nil)
  ) { row in
    let chip = try row.chipModel()
    return try mark(&row, subject: .chipModel(chip))
  }

  package static let startupMarks = Table<ValuationMark>(
    "startup_marks", sql: "startup_marks", key: ["borrower_id", "id"], idColumn: "id",
    columns: [.uuidOrNull("borrower_id") { $0.subject.startup?.value }] + markColumns,
    names: ("startup_marks_by_id", "startup_marks_insert", nil)
  ) { row in
    let startup: OrganizationID = try row.id()
    return try mark(&row, subject: .startup(startup))
  }
}
