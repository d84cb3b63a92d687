import BankFiles
import Parties
import Postgres
import Primitives

/// An account that an organisation is paid on in one currency.
package struct Payee: Sendable, Hashable {
  package enum State: String, Sendable, Hashable, CaseIterable {
    /// Successors: `verified`, `withdrawn`.
    case proposed
    /// By a second person. Successor: `withdrawn`. A later one of the same currency takes its place once it is usable.
    case verified
    case withdrawn
  }

  package let id: PayeeID
  package let organizationID: OrganizationID
  package let currency: Currency
  package let holder: AccountHolder
  package var state: State
  package let proposedBy: PersonID
  package var verifiedBy: PersonID?
  package var verifiedAt: Instant?
  /// Business time from which it is paid on.
  package var usableFrom: Instant?
  package var withdrawnBy: PersonID?
  package var withdrawnAt: Instant?
  /// Why it was withdrawn.
  package var reason: String?
  package var version: Int64
  package let createdAt: Instant
  package var updatedAt: Instant

  package init(
    id: PayeeID, organizationID: OrganizationID, currency: Currency, holder: AccountHolder, state: State = .proposed,
    proposedBy: PersonID, verifiedBy: PersonID? = nil, verifiedAt: Instant? = nil, usableFrom: Instant? = nil,
    withdrawnBy: PersonID? = nil, withdrawnAt: Instant? = nil, reason: String? = nil, version: Int64 = 1,
    createdAt: Instant, updatedAt: Instant
  ) {
    self.id = id
    self.organizationID = organizationID
    self.currency = currency
    self.holder = holder
    self.state = state
    self.proposedBy = proposedBy
    self.verifiedBy = verifiedBy
    self.verifiedAt = verifiedAt
    self.usableFrom = usableFrom
    self.withdrawnBy = withdrawnBy
    self.withdrawnAt = withdrawnAt
    self.reason = reason
    self.version = version
    self.createdAt = createdAt
    self.updatedAt = updatedAt
  }
}

extension Payee: Stored {
  package mutating func stamp(_ now: Instant) { updatedAt = now }
}

extension Tables {
  package static let payees = Table<Payee>(
    "payees", sql: "payees", key: ["org_id", "id"], idColumn: "id",
    columns: [
      .uuid("org_id") { $0.organizationID.value },
      .uuid("id") { $0.id.value },
      .text("currency") { $0.currency.code },
      .text("holder_name") { $0.holder.name },
      .text("account") { $0.holder.account.description },
      .text("agent") { $0.holder.agent?.value },
      .text("state") { $0.state.rawValue },
      .uuid("proposed_by") { $0.proposedBy.value },
      .uuidOrNull("verified_by") { $0.verifiedBy?.value },
      .instant("verified_at") { $0.verifiedAt },
      .instant("usable_from") { $0.usableFrom },
      .uuidOrNull("withdrawn_by") { $0.withdrawnBy?.value },
      .instant("withdrawn_at") { $0.withdrawnAt },
      .text("reason") { $0.reason },
      .int8("version") { $0.version },
      .instant("created_at") { $0.createdAt },
      .instant("updated_at") { $0.updatedAt },
    ],
    names: ("payees_by_id", "payees_insert", "payees_update")
  ) { row in
    let organization: OrganizationID = try row.id()
    let id: PayeeID = try row.id()
    let currency = try row.currency()
    let holder = try AccountHolder(
      name: try row.text(), account: try row.parsed { BankAccount($0) }, agent: try row.parsedOrNull { BIC($0) })
    return Payee(
      id: id, organizationID: organization, currency: currency, holder: holder, state: try row.value(),
      proposedBy: try row.id(), verifiedBy: try row.idOrNull(), verifiedAt: try row.instantOrNull(),
      usableFrom: try row.instantOrNull(), withdrawnBy: try row.idOrNull(), withdrawnAt: try row.instantOrNull(),
      reason: try row.textOrNull(), version: try row.int(), createdAt: try row.instant(),
      updatedAt: try row.instant())
  }
}
