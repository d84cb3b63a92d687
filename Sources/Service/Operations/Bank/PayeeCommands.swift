import BankFiles
import Parties
import Persistence
import Primitives

/// Proposes the account that an organisation is paid on in one currency. The organisation itself does, or staff; for the
/// platform it is the account that payouts leave from.
package struct ProposePayee: Command {
  package static let action = "payee.propose"
  package var staffDuty: Duty? { .treasury }
  package let organizationID: OrganizationID
  package let currency: Currency
  package let name: String
  package let account: BankAccount
  package let agent: BIC?

  package init(organizationID: OrganizationID, currency: Currency, name: String, account: BankAccount, agent: BIC?) {
    self.organizationID = organizationID
    self.currency = currency
    self.name = name
    self.account = account
    self.agent = agent
  }

  package func needs(_ state: BatchState) -> Set<Need> { [.organization(organizationID)] }
  package func heads(_ state: BatchState) -> Set<OrganizationID> { [organizationID] }

  package func decide(_ draft: inout Draft, by principal: Principal) throws -> Payee {
    guard principal.isStaff || principal.organizationID == organizationID,
      draft.find(\.organizations, organizationID) != nil
    else { throw PartiesRefusal.notFound("organization") }
    let person = try principal.requirePerson()
    let payee = draft.put(
      \.payees,
      Payee(
        id: draft.ids.next(), organizationID: organizationID, currency: currency,
        holder: try AccountHolder(name: name, account: account, agent: agent), proposedBy: person,
        createdAt: draft.now, updatedAt: draft.now))
    draft.made.subject = payee.id.value
    draft.happen(
      "payee.proposed", payee.id, version: payee.version, to: (organizationID, nil),
      [("currency", .text(currency.code))])
    return payee
  }
}

/// Verifies a payee, or withdraws it. Whoever proposed it never verifies it; anybody who may propose may withdraw, at once:
/// that is the safe direction.
package struct DecidePayee: Command {
  package enum Act: Sendable, Hashable {
    case verify
    case withdraw(reason: String)
  }

  package static let action = "payee.decide"
  package var staffDuty: Duty? { .treasury }
  package let organizationID: OrganizationID
  package let payeeID: PayeeID
  package let act: Act
  package let ifVersion: Int64?

  package init(organizationID: OrganizationID, payeeID: PayeeID, act: Act, ifVersion: Int64?) {
    self.organizationID = organizationID
    self.payeeID = payeeID
    self.act = act
    self.ifVersion = ifVersion
  }

  package func needs(_ state: BatchState) -> Set<Need> { [.payee(payeeID)] }
  package func heads(_ state: BatchState) -> Set<OrganizationID> { [organizationID] }

  package func decide(_ draft: inout Draft, by principal: Principal) throws -> Payee {
    guard principal.isStaff || principal.organizationID == organizationID,
      var payee = draft.find(\.payees, payeeID), payee.organizationID == organizationID
    else { throw PartiesRefusal.notFound("payee") }
    if act == .verify { try principal.require(.admin) }
    let person = try principal.requirePerson()
    try checkVersion(ifVersion, payee.version)
    switch act {
    case .verify:
      guard payee.state == .proposed else { throw PayeeRefusal.illegalState(payee.state, act: "verified") }
      guard payee.proposedBy != person else { throw PartiesRefusal.samePerson("proposed the account") }
      guard let usable = draft.now.adding(seconds: draft.reference.parameters.payeeWaitSeconds) else {
        throw ArithmeticOverflow()
      }
      payee.state = .verified
      payee.verifiedBy = person
      payee.verifiedAt = draft.now
      payee.usableFrom = usable
    case .withdraw(let reason):
      guard payee.state != .withdrawn else { throw PayeeRefusal.illegalState(payee.state, act: "withdrawn") }
      payee.state = .withdrawn
      payee.withdrawnBy = person
      payee.withdrawnAt = draft.now
      payee.reason = reason
    }
    payee = draft.put(\.payees, payee)
    draft.made.subject = payee.id.value
    draft.happen(
      "payee.\(payee.state.rawValue)", payee.id, version: payee.version, to: (organizationID, nil),
      [("currency", .text(payee.currency.code))])
    return payee
  }
}

/// Why nothing is done with a payee, or no payment file is made.
package enum PayeeRefusal: Refusal, Hashable {
  case illegalState(Payee.State, act: String)
  /// Only what was paid out is sent to the bank.
  case nothingPaidOut(job: String, state: String)
  case noDebtorAccount(Currency, why: String)

  package var kind: RefusalKind { .conflict }

  package var code: String {
    switch self {
    case .illegalState: "payee.illegal_state"
    case .nothingPaidOut: "payment_file.nothing_paid_out"
    case .noDebtorAccount: "payment_file.no_debtor_account"
    }
  }

  package var detail: String {
    switch self {
    case .illegalState(let state, let act): "The payee is \(state.rawValue); it cannot be \(act)."
    case .nothingPaidOut(let job, let state):
      "The run is a \(job) run and is \(state); a payment file is made of a payout run that succeeded."
    case .noDebtorAccount(let currency, let why):
      "The platform has no account in \(currency) that payouts could leave from: \(why)."
    }
  }
}
