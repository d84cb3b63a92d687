import Ledger
import Lending
import Parties
import Persistence
import Primitives
import Repayment

/// The lender exercises warrants: without money at the price of a verified round, or for cash that it paid the startup
/// outside of the platform, which the startup confirms.
package struct ExerciseWarrant: Command {
  package enum Way: Sendable, Hashable {
    case net
    case cash(evidence: String)
  }

  package static let action = "warrant.exercise"
  package var staffDuty: Duty? { nil }
  package let warrantID: WarrantID
  package let way: Way
  /// The round that gives the price, or is the occasion.
  package let roundID: FundingRoundID?
  package let ifVersion: Int64?

  package init(warrantID: WarrantID, way: Way, roundID: FundingRoundID?, ifVersion: Int64?) {
    self.warrantID = warrantID
    self.way = way
    self.roundID = roundID
    self.ifVersion = ifVersion
  }

  package func needs(_ state: BatchState) -> Set<Need> {
    var needs: Set<Need> = [.warrant(warrantID)]
    guard let warrant = state.shelves.warrants[warrantID] else { return needs }
    needs.insert(.loan(warrant.loanID))
    guard let roundID else { return needs }
    needs.insert(.round(roundID))
    guard warrant.occasion == .qualifyingRound else { return needs }
    needs.insert(.closingsOfBorrower(warrant.borrowerID))
    for id in state.closingsOfBorrower[warrant.borrowerID] ?? [] {
      if let closing = state.shelves.closings[id] { needs.insert(.round(closing.roundID)) }
    }
    return needs.union(FXDesk.needs(ofBorrower: warrant.borrowerID, also: [warrant.loanID], state))
  }

  package func heads(_ state: BatchState) -> Set<OrganizationID> { WarrantDesk.heads(warrantID, state) }

  package func decide(_ draft: inout Draft, by principal: Principal) throws -> Warrant {
    var warrant = try WarrantDesk.find(warrantID, in: draft, by: principal)
    guard warrant.lenderID == principal.organizationID else { throw PartiesRefusal.notYours("warrant") }
    try principal.require(.lender)
    let person = try principal.requirePerson()
    try checkVersion(ifVersion, warrant.version)
    let round = try occasion(of: warrant, in: draft)
    switch way {
    case .net:
      guard let round else { throw WarrantRefusal.roundMissing(warrant.occasion) }
      guard let price = round.pricing?.price, round.kind == .priced else { throw WarrantRefusal.noPrice }
      guard round.currency == warrant.covered.currency else {
        throw WarrantRefusal.otherCurrency(round.currency, loan: warrant.covered.currency)
      }
      try warrant.exercise(at: price, in: round.id, by: person, on: draft.today)
    case .cash(let evidence):
      try warrant.claim(evidence: evidence, in: round?.id, by: person, on: draft.today)
    }
    return WarrantDesk.keep(warrant, "warrant.\(warrant.state.rawValue)", in: &draft)
  }

  /// - Throws: `WarrantRefusal` unless the named round is one in which the warrants may be exercised today.
  private func occasion(of warrant: Warrant, in draft: Draft) throws -> FundingRound? {
    guard let roundID else {
      guard warrant.occasion == .anyTime else { throw WarrantRefusal.roundMissing(warrant.occasion) }
      return nil
    }
    guard let round = draft.find(\.rounds, roundID), round.borrowerID == warrant.borrowerID else {
      throw PartiesRefusal.notFound("funding round")
    }
    guard round.state == .verified, let verifiedOn = round.decidedOn else {
      throw WarrantRefusal.roundNotVerified(round.state.rawValue)
    }
    guard warrant.issuedOn <= verifiedOn else {
      throw WarrantRefusal.roundBefore(verifiedOn, issuedOn: warrant.issuedOn)
    }
    guard let last = verifiedOn.adding(days: draft.reference.parameters.conversionDays) else {
      throw ArithmeticOverflow()
    }
    guard draft.today <= last else { throw WarrantRefusal.tooLate(last) }
    switch warrant.occasion {
    case .anyTime: break
    case .changeOfControl:
      guard round.kind == .acquisition else { throw WarrantRefusal.notTheOccasion(warrant.occasion) }
    case .qualifyingRound:
      guard try qualifies(round, for: warrant, in: draft) else {
        throw WarrantRefusal.notTheOccasion(warrant.occasion)
      }
    }
    return round
  }

  /// By the covenant that the loan was agreed with; a loan that no round makes due has none, and any priced round will do.
  private func qualifies(_ round: FundingRound, for warrant: Warrant, in draft: Draft) throws -> Bool {
    guard let loan = draft.find(\.loans, warrant.loanID) else { throw PartiesRefusal.notFound("loan") }
    guard let covenant = Covenant(loan) else { return round.kind == .priced }
    let closings = (draft.base.closingsOfBorrower[warrant.borrowerID] ?? []).compactMap {
      draft.find(\.closings, $0)
    }
    let rounds = SweepDesk.rounds(closings) { draft.find(\.rounds, $0) }
    guard let facts = rounds.first(where: { $0.id == round.id })?.facts else { return false }
    let others = rounds.filter { $0.id != round.id }.map(\.facts)
    let rates = try FXDesk.table(in: draft)
    return try facts.closings.contains { closing in
      try covenant.test(closingOn: closing.closedOn, of: facts, otherRounds: others, rates: rates).met
    }
  }
}

/// The startup confirms that it was paid for shares of warrants, which books them; or says that it was not.
package struct AnswerWarrant: Command {
  package enum Answer: Sendable, Hashable {
    case confirm
    case dispute(reason: String)
  }

  package static let action = "warrant.answer"
  package var staffDuty: Duty? { nil }
  package let warrantID: WarrantID
  package let answer: Answer
  package let ifVersion: Int64?

  package init(warrantID: WarrantID, answer: Answer, ifVersion: Int64?) {
    self.warrantID = warrantID
    self.answer = answer
    self.ifVersion = ifVersion
  }

  package func needs(_ state: BatchState) -> Set<Need> {
    var needs: Set<Need> = [.warrant(warrantID)]
    if let warrant = state.shelves.warrants[warrantID] { needs.insert(.loan(warrant.loanID)) }
    return needs
  }

  package func heads(_ state: BatchState) -> Set<OrganizationID> { WarrantDesk.heads(warrantID, state) }

  package func decide(_ draft: inout Draft, by principal: Principal) throws -> Warrant {
    var warrant = try WarrantDesk.find(warrantID, in: draft, by: principal)
    guard warrant.borrowerID == principal.organizationID else { throw PartiesRefusal.notYours("warrant") }
    try principal.require(.startup)
    let person = try principal.requirePerson()
    try checkVersion(ifVersion, warrant.version)
    switch answer {
    case .dispute(let reason):
      try warrant.dispute()
      return WarrantDesk.keep(warrant, "warrant.disputed", [("reason", .text(reason))], in: &draft)
    case .confirm:
      try warrant.confirm(by: person, on: draft.today)
      try WarrantDesk.post(warrant, in: &draft)
      return WarrantDesk.keep(warrant, "warrant.exercised", in: &draft)
    }
  }
}

/// Warrants whose time is over lapse. Done twice, the second does nothing.
package struct LapseWarrant: Command {
  package static let action = "warrant.lapse"
  package var staffDuty: Duty? { .operations }
  package let warrantID: WarrantID

  package init(warrantID: WarrantID) { self.warrantID = warrantID }

  package func needs(_ state: BatchState) -> Set<Need> { [.warrant(warrantID)] }
  package func heads(_ state: BatchState) -> Set<OrganizationID> { WarrantDesk.heads(warrantID, state) }

  /// - Returns: whether they lapsed now.
  package func decide(_ draft: inout Draft, by principal: Principal) throws -> Bool {
    try principal.require(.admin)
    guard var warrant = draft.find(\.warrants, warrantID) else { throw PartiesRefusal.notFound("warrant") }
    draft.made.subject = warrantID.value
    guard warrant.state == .outstanding, draft.today > warrant.expiresOn else { return false }
    try warrant.lapse(on: draft.today)
    _ = WarrantDesk.keep(warrant, "warrant.lapsed", in: &draft)
    return true
  }
}

/// What issuing, exercising and ending warrants share.
enum WarrantDesk {
  static func heads(_ id: WarrantID, _ state: BatchState) -> Set<OrganizationID> {
    state.shelves.warrants[id].map { [$0.borrowerID, $0.lenderID] } ?? []
  }

  /// - Throws: `parties.not_found` for whoever is no side of it.
  static func find(_ id: WarrantID, in draft: Draft, by principal: Principal) throws -> Warrant {
    guard let warrant = draft.find(\.warrants, id),
      [warrant.borrowerID, warrant.lenderID].contains(principal.organizationID)
    else { throw PartiesRefusal.notFound("warrant") }
    return warrant
  }

  static func keep(
    _ warrant: Warrant, _ event: String, _ more: [(StaticString, EventFact)] = [], in draft: inout Draft
  ) -> Warrant {
    let warrant = draft.put(\.warrants, warrant)
    draft.made.subject = warrant.id.value
    var facts: [(StaticString, EventFact)] = [
      ("loan_id", .text(warrant.loanID.description)), ("state", .text(warrant.state.rawValue)),
      ("count", warrant.count.map { .number($0) } ?? .absent),
    ]
    if let exercise = warrant.exercise {
      facts += [("exercise", .text(exercise.kind.rawValue)), ("shares", .number(exercise.shares))]
    }
    draft.happen(
      event, warrant.id, version: warrant.version, to: (warrant.borrowerID, warrant.lenderID), facts + more)
    return warrant
  }

  /// The warrants that come with a loan, where its listing asks for them.
  static func issue(with loan: Loan, in draft: inout Draft) throws {
    guard let terms = draft.base.listingWarrants[loan.terms.listingID] else { return }
    try issue(terms, coverage: terms.coverage, with: loan, in: &draft)
  }

  @discardableResult
  static func issue(
    _ terms: ListingWarrants, coverage: BasisPoints, with loan: Loan, in draft: inout Draft
  ) throws -> Warrant {
    let subject = draft.made.subject
    let warrant = keep(
      try Warrant(
        draft.ids.next(), of: loan.terms.principal, by: terms, coverage: coverage, to: loan.terms.lenderID,
        from: loan.terms.borrowerID, with: loan.id, on: draft.today, at: draft.now), "warrant.issued", in: &draft)
    draft.made.subject = subject
    return warrant
  }

  /// Gives warrants that wait for it the strike of a priced round that was verified just now.
  static func fixStrikes(by round: FundingRound, in draft: inout Draft) throws {
    guard round.kind == .priced, let price = round.pricing?.price else { return }
    let subject = draft.made.subject
    for id in draft.base.warrantsOf[round.borrowerID] ?? [] {
      guard var warrant = draft.find(\.warrants, id),
        try warrant.take(price, of: round.id, in: round.currency, on: draft.today)
      else { continue }
      _ = keep(
        warrant, "warrant.strike_fixed", [("funding_round_id", .text(round.id.description))], in: &draft)
    }
    draft.made.subject = subject
  }

  /// Shares that were paid for, outside of the platform: what they cost is equity in both books, against an account that
  /// sums to zero over the two.
  static func post(_ warrant: Warrant, in draft: inout Draft) throws {
    guard let cost = warrant.exercise?.cost, cost > 0 else { return }
    let entry: JournalEntryID = draft.ids.next()
    let asset = Asset.currency(warrant.covered.currency)
    let books: [(OrganizationID, [(AccountCode, Int64)])] = [
      (warrant.lenderID, [(.investmentEquity, cost), (.clearingEquity, -cost)]),
      (warrant.borrowerID, [(.equityIssued, -cost), (.clearingEquity, cost)]),
    ]
    for (book, lines) in books.sorted(by: { $0.0 < $1.0 }) {
      try draft.post(
        EntryDraft(
          id: entry, book: book, kind: .warrantsExercised, businessDate: draft.today, subject: warrant.id.value,
          lines: lines.map { code, amount in
            JournalLine(AccountRef(book, code, warrant.loanID.value, asset: asset), amount)
          }))
    }
  }
}
