import Parties
import Postgres
import Primitives

/// An act of staff that waits for a second person, or was decided by one. What it would do is the request that asked for it,
/// as it came: approving it does that request anew, by the rules and on the books of that moment.
package struct HeldAct: Sendable, Hashable {
  package enum State: String, Sendable, Hashable, CaseIterable {
    case proposed
    /// Final: it was done.
    case approved
    /// Final: nothing was done.
    case rejected
  }

  package let id: HeldActID
  /// What the audit log calls it: `cash_receipt.record`.
  package let action: String
  /// What the checker needs, as the maker did.
  package let duty: Duty
  /// Of the request, at most 8 KiB.
  package let path: String
  /// JSON.
  package let body: String
  /// The version that the request was bound to; nil where it was to none.
  package let ifVersion: Int64?
  package var state: State
  package let proposedBy: PersonID
  package var decidedBy: PersonID?
  package var decidedAt: Instant?
  /// Why it was rejected.
  package var reason: String?
  package var version: Int64
  package let createdAt: Instant
  package var updatedAt: Instant

  package init(
    id: HeldActID, action: String, duty: Duty, path: String, body: String, ifVersion: Int64?, state: State = .proposed,
    proposedBy: PersonID, decidedBy: PersonID? = nil, decidedAt: Instant? = nil, reason: String? = nil,
    version: Int64 = 1, createdAt: Instant, updatedAt: Instant
  ) {
    self.id = id
    self.action = action
    self.duty = duty
    self.path = path
    self.body = body
    self.ifVersion = ifVersion
    self.state = state
    self.proposedBy = proposedBy
    self.decidedBy = decidedBy
    self.decidedAt = decidedAt
    self.reason = reason
    self.version = version
    self.createdAt = createdAt
    self.updatedAt = updatedAt
  }
}

extension HeldAct: Stored {
  package mutating func stamp(_ now: Instant) { updatedAt = now }
}

extension Tables {
  package static let heldActs = Table<HeldAct>(
    "held_acts", sql: "held_acts", key: ["id"], idColumn: "id",
    columns: [
      .uuid("id") { $0.id.value },
      .text("action") { $0.action },
      .text("duty") { $0.duty.rawValue },
      .text("path") { $0.path },
      .text("body") { $0.body },
      .int8("if_version") { $0.ifVersion },
      .text("state") { $0.state.rawValue },
      .uuid("proposed_by") { $0.proposedBy.value },
      .uuidOrNull("decided_by") { $0.decidedBy?.value },
      .instant("decided_at") { $0.decidedAt },
      .text("reason") { $0.reason },
      .int8("version") { $0.version },
      .instant("created_at") { $0.createdAt },
      .instant("updated_at") { $0.updatedAt },
    ],
    names: ("held_acts_by_id", "held_acts_insert", "held_acts_update")
  ) { row in
    HeldAct(
      id: try row.id(), action: try row.text(), duty: try row.value(), path: try row.text(), body: try row.text(),
      ifVersion: try row.intOrNull(), state: try row.value(), proposedBy: try row.id(),
      decidedBy: try row.idOrNull(), decidedAt: try row.instantOrNull(), reason: try row.textOrNull(),
      version: try row.int(), createdAt: try row.instant(), updatedAt: try row.instant())
  }
}
