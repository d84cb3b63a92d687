import Lending
import Parties
import Persistence
import Primitives
import Valuation

/// The startup answers a margin call: it agrees, or says what of it is wrong.
package struct AnswerMarginCall: Command {
  package enum Answer: Sendable, Hashable {
    case agree
    case dispute(Money, reason: String)
  }

  package static let action = "margin_call.answer"
  package var staffDuty: Duty? { nil }
  package let id: MarginCallID
  package let answer: Answer
  package let ifVersion: Int64?

  package init(id: MarginCallID, answer: Answer, ifVersion: Int64?) {
    self.id = id
    self.answer = answer
    self.ifVersion = ifVersion
  }

  package func needs(_ state: BatchState) -> Set<Need> { MarginDesk.needs(id, state) }
  package func heads(_ state: BatchState) -> Set<OrganizationID> { MarginDesk.heads(id, state) }

  package func decide(_ draft: inout Draft, by principal: Principal) throws -> MarginCallRow {
    guard var row = draft.find(\.marginCalls, id), let loan = draft.find(\.loans, row.call.loanID),
      principal.isStaff || [row.borrowerID, row.lenderID].contains(principal.organizationID)
    else { throw PartiesRefusal.notFound("margin call") }
    guard row.borrowerID == principal.organizationID else { throw PartiesRefusal.notYours("margin call") }
    try principal.require(.startup)
    let word = MarginCallRow.Word(by: try principal.requirePerson(), on: draft.today)
    try checkVersion(ifVersion, row.version)
    draft.made.subject = id.value
    switch answer {
    case .agree:
      try row.call.agree()
      row.agreed = word
      return MarginDesk.put(row, "agreed", of: loan, in: &draft)
    case .dispute(let amount, let reason):
      guard amount.currency == row.call.called.currency else {
        throw MarginRefusal.currencyDiffers(amount.currency, row.call.called.currency)
      }
      try row.call.dispute(amount.amount, reason: reason)
      row.disputed = word
      return MarginDesk.put(row, "disputed", of: loan, [("reason", .text(reason))], in: &draft)
    }
  }
}

/// Staff decide what a startup disputes of a margin call: somebody who acts for no lender and no startup.
package struct DecideMarginCall: Command {
  package static let action = "margin_call.decide"
  package var staffDuty: Duty? { .risk }
  package let id: MarginCallID
  /// What was disputed is called for no more.
  package let isUpheld: Bool
  package let reason: String
  /// Who decides: whose other keys must be seen first. nil is refused.
  package let person: PersonID?
  package let ifVersion: Int64?

  package init(id: MarginCallID, isUpheld: Bool, reason: String, person: PersonID?, ifVersion: Int64?) {
    self.id = id
    self.isUpheld = isUpheld
    self.reason = reason
    self.person = person
    self.ifVersion = ifVersion
  }

  package func needs(_ state: BatchState) -> Set<Need> {
    let own: Set<Need> = Set(person.map { [.valuation(.organizationsOfPerson($0))] } ?? [])
    return MarginDesk.needs(id, state).union(own)
  }

  package func heads(_ state: BatchState) -> Set<OrganizationID> { MarginDesk.heads(id, state) }

  package func decide(_ draft: inout Draft, by principal: Principal) throws -> MarginCallRow {
    guard var row = draft.find(\.marginCalls, id), let loan = draft.find(\.loans, row.call.loanID),
      principal.isStaff || [row.borrowerID, row.lenderID].contains(principal.organizationID)
    else { throw PartiesRefusal.notFound("margin call") }
    try principal.require(.admin)
    let person = try principal.requirePerson()
    try checkVersion(ifVersion, row.version)
    if row.disputed?.by == person { throw PartiesRefusal.samePerson("disputed the call") }
    try MarkDesk.requireIndependent(person, in: draft)
    try row.call.decideDispute(isUpheld: isUpheld, on: draft.today)
    row.decision = MarginCallRow.Decision(
      MarginCallRow.Word(by: person, on: draft.today), isUpheld: isUpheld, reason: reason)
    draft.made.subject = id.value
    return MarginDesk.put(
      row, "decided", of: loan, [("upheld", .text(isUpheld ? "true" : "false")), ("reason", .text(reason))], in: &draft)
  }
}
