import Ledger
import Lending
import Parties
import Persistence
import Primitives
import Repayment
import Screening

/// Does a part of a stage: everything for its subjects, and that it is done, in one transaction.
package struct SettleShard: Command {
  package static let action = "settlement.shard"
  package var staffDuty: Duty? { .operations }
  package let plan: ShardPlan
  package let runID: SettlementRunID
  /// nil for a preview, which holds nothing.
  package let lease: ShardLease?
  private let parts: [Part]

  /// What it came to.
  package struct Settled: Sendable {
    package let totals: [String: Int64]
    package let effects: DigestSum
    package let entries: [EntryDraft]

    /// An entry as it is shown before it is posted: without the id that it will get.
    package struct Entry: Sendable, Hashable {
      package let book: OrganizationID
      package let kind: EntryKind
      package let businessDate: CalendarDate
      package let lines: [JournalLine]
    }

    package var shown: [Entry] {
      entries.map { Entry(book: $0.book, kind: $0.kind, businessDate: $0.businessDate, lines: $0.lines) }
    }
  }

  /// One subject's command.
  private struct Part: Sendable {
    let needs: @Sendable (BatchState) -> Set<Need>
    let heads: @Sendable (BatchState) -> Set<OrganizationID>
    let foresees: Bool
    let settle: @Sendable (inout Draft, Principal) throws -> [String: Int64]

    init<C: Command>(_ command: C, sums: @escaping @Sendable (C.Outcome) -> [String: Int64]) {
      self.init(command) { outcome, _ in sums(outcome) }
    }

    /// With sums that also need what the command was decided on.
    init<C: Command>(_ command: C, sums: @escaping @Sendable (C.Outcome, Draft) throws -> [String: Int64]) {
      needs = { command.needs($0) }
      heads = { command.heads($0) }
      foresees = command.foresees
      settle = { draft, principal in
        let outcome = try command.decide(&draft, by: principal)
        return try sums(outcome, draft)
      }
    }
  }

  /// - Throws: `StoredValueError` for a plan that this program cannot read: a newer one made it.
  package init(_ plan: ShardPlan, of runID: SettlementRunID, lease: ShardLease?) throws {
    self.plan = plan
    self.runID = runID
    self.lease = lease
    guard let step = SettlementStep(rawValue: plan.step) else {
      throw StoredValueError(column: "step", value: plan.step)
    }
    parts = try plan.subjects.enumerated().map { position, subject in
      try Self.part(step, plan, subject, detail: position < plan.details.count ? plan.details[position] : nil, runID)
    }
  }

  private static func part(
    _ step: SettlementStep, _ plan: ShardPlan, _ subject: UUIDValue, detail: String?, _ run: SettlementRunID
  ) throws -> Part {
    let party = OrganizationID(subject)
    switch step {
    case .accrual: return Part(AccrueBorrower(borrowerID: party, through: plan.on), sums: Self.sums)
    case .dayAccrual:
      guard let next = plan.on.adding(days: 1) else { throw StoredValueError(column: "on_date", value: "last day") }
      return Part(AccrueBorrower(borrowerID: party, through: next, booked: plan.on), sums: Self.sums)
    case .sweep:
      return Part(SweepBorrower(borrowerID: party, on: plan.on)) { swept in
        var sums: [String: Int64] = ["closings": Int64(swept.count)]
        for closing in swept {
          sums["loans_due", default: 0] += Int64(closing.lines.count { $0.amount > 0 })
          for line in closing.lines {
            // Each amount is at most what a loan owes; the sum of one borrower's stays far inside Int64.
            sums["due.\(line.currency)", default: 0] &+= line.amount
          }
        }
        return sums
      }
    case .maturity: return Part(MatureLoans(borrowerID: party, on: plan.on)) { ["loans_due": $0] }
    case .recalls: return Part(EscalateRecalls(borrowerID: party, on: plan.on)) { ["loans_overdue": $0] }
    case .delinquency: return Part(AgeDelinquency(borrowerID: party, on: plan.on)) { ["loans_overdue": $0] }
    case .payout:
      guard let currency = detail.flatMap({ Currency($0) }) else {
        throw StoredValueError(column: "details", value: detail ?? "")
      }
      let pay = PayOutLender(lenderID: party, currency: currency, runID: run, on: plan.on)
      return Part(pay) { payout, draft in
        guard let payout else { return pay.paymentBlock(draft) == nil ? [:] : ["payouts_held": 1] }
        var sums = ["payouts": 1, "net.\(currency)": payout.net, "platform_fee.\(currency)": payout.platformFee]
        if payout.netting.netted > 0 { sums["clawback_netted.\(currency)"] = payout.netting.netted }
        return sums
      }
    case .reconcile: return Part(ReconcileBank(on: plan.on)) { $0 }
    case .fees:
      return Part(InvoiceFees(lenderID: party, through: plan.on, runID: run)) { invoices in
        var sums: [String: Int64] = ["invoices": Int64(invoices.count)]
        for invoice in invoices { sums["platform_fee.\(invoice.currency)", default: 0] += invoice.platformFee }
        return sums
      }
    case .statements:
      return Part(IssueStatement(organizationID: party, monthEnd: plan.on, runID: run)) { issued in
        [issued.isNew ? "statements" : "statements_before": 1]
      }
    case .marks: return Part(DeriveMarks(on: plan.on)) { $0 }
    case .margin: return Part(TestMargins(borrowerID: party, on: plan.on)) { $0 }
    case .close: return Part(CloseDay(date: plan.on, runID: run)) { _ in ["days": 1] }
    }
  }

  private static func sums(_ accrued: AccrueBorrower.Accrued) -> [String: Int64] {
    var sums: [String: Int64] = ["loans": accrued.loans]
    for (currency, amount) in accrued.posted { sums["fee.\(currency)"] = amount }
    for (currency, amount) in accrued.penalties { sums["penalty.\(currency)"] = amount }
    if accrued.heldForTax > 0 { sums["loans_without_tax_rule"] = accrued.heldForTax }
    return sums
  }

  package func needs(_ state: BatchState) -> Set<Need> {
    var needs: Set<Need> = []
    if let lease { needs.insert(.shard(lease)) }
    for part in parts { needs.formUnion(part.needs(state)) }
    return needs
  }

  package func heads(_ state: BatchState) -> Set<OrganizationID> {
    parts.reduce(into: []) { $0.formUnion($1.heads(state)) }
  }

  package var foresees: Bool { parts.allSatisfy(\.foresees) }

  package func decide(_ draft: inout Draft, by principal: Principal) throws -> Settled {
    try principal.require(.admin)
    if let lease {
      guard let row = draft.base.shards[lease], row.holds(lease, at: draft.wallTime) else { throw LeaseLost() }
    }
    var totals: [String: Int64] = [:]
    for part in parts { try totals.add(part.settle(&draft, principal)) }
    let effects = draft.made.effects
    if let expected = plan.expected, expected != effects { throw SettlementRefusal.previewDiffers }
    draft.made.subject = runID.value
    let entries = draft.made.entries
    if let lease {
      draft.made.shard = ShardCompletion(lease: lease, totals: totals.jsonBytes, effects: effects)
    }
    return Settled(totals: totals, effects: effects, entries: entries)
  }
}

extension Made {
  /// A digest of what was posted and of what happened, whatever ids it got: equal for a preview and for the run itself.
  package var effects: DigestSum {
    var sum = DigestSum()
    for entry in entries {
      var bytes = CanonicalBytes()
      bytes.append("entry")
      bytes.append(entry.book.value)
      bytes.append(entry.kind.rawValue)
      bytes.append(Int64(entry.businessDate.dayNumber))
      bytes.append(Int64(entry.lines.count))
      for line in entry.lines {
        bytes.append(line.account.code.rawValue)
        bytes.append(line.account.subject)
        bytes.append(line.account.asset.description)
        bytes.append(line.amount)
      }
      sum.add(bytes.digest)
    }
    for (event, _) in events {
      var bytes = CanonicalBytes()
      bytes.append("event")
      bytes.append(event.type)
      // What is new has an id that only this draft gave it.
      bytes.append(event.subjectVersion > 1 ? event.subject : "")
      bytes.append(event.organizations.0.value)
      bytes.append(optional: event.organizations.1) { $0.append($1.value) }
      for (name, fact) in event.facts {
        bytes.append("\(name)")
        switch fact {
        case .text(let text): bytes.append(text)
        case .number(let number): bytes.append(number)
        case .absent: bytes.append(Int64(-1))
        }
      }
      sum.add(bytes.digest)
    }
    return sum
  }
}

/// Sweeps all verified closings of a borrower up to a date, in the order of their days: a later one finds due what an
/// earlier one made due.
package struct SweepBorrower: Command {
  package static let action = "settlement.sweep"
  package var staffDuty: Duty? { .operations }
  package let borrowerID: OrganizationID
  package let on: CalendarDate

  package init(borrowerID: OrganizationID, on: CalendarDate) {
    self.borrowerID = borrowerID
    self.on = on
  }

  package func needs(_ state: BatchState) -> Set<Need> {
    var needs: Set<Need> = [
      .loansOfBorrower(borrowerID), .closingsOfBorrower(borrowerID), .waterfalls(borrowerID),
    ]
    for id in state.closingsOfBorrower[borrowerID] ?? [] {
      if let closing = state.shelves.closings[id] {
        needs.insert(.round(closing.roundID))
        if state.rounds[closing.roundID]?.chooseBy != nil { needs.insert(.controlChoices(borrowerID)) }
      }
    }
    return needs.union(FXDesk.needs(ofBorrower: borrowerID, state))
  }

  package func heads(_ state: BatchState) -> Set<OrganizationID> { LoanBook.heads(of: borrowerID, state) }

  package func decide(_ draft: inout Draft, by principal: Principal) throws -> [SweepClosing.Swept] {
    let closings = (draft.base.closingsOfBorrower[borrowerID] ?? []).compactMap { draft.find(\.closings, $0) }
      .filter { $0.state == .verified && $0.closedOn <= on }
      .sorted { ($0.closedOn, $0.id) < ($1.closedOn, $1.id) }
    var swept: [SweepClosing.Swept] = []
    for closing in closings {
      guard let round = draft.find(\.rounds, closing.roundID), round.state == .verified,
        !round.isOpenToChoice(on: on)
      else { continue }
      let sweep = SweepClosing(closingID: closing.id, roundID: closing.roundID, borrowerID: borrowerID, on: on)
      swept.append(try sweep.decide(&draft, by: principal))
    }
    return swept
  }
}

/// Ends a business date: nothing is posted to it any more. Client money is covered on it in every currency, or it does not
/// end.
package struct CloseDay: Command {
  package static let action = "settlement.close_day"
  package var staffDuty: Duty? { .operations }
  package let date: CalendarDate
  package let runID: SettlementRunID

  package init(date: CalendarDate, runID: SettlementRunID) {
    self.date = date
    self.runID = runID
  }

  package func needs(_ state: BatchState) -> Set<Need> {
    [
      .accounts(.platform, .bankClient), .accounts(.platform, .payableBank), .accounts(.platform, .clientMoney),
      .accounts(.platform, .suspense), .accounts(.platform, .depositHeld),
    ]
  }

  package func heads(_ state: BatchState) -> Set<OrganizationID> { [.platform] }

  package func decide(_ draft: inout Draft, by principal: Principal) throws -> ClosedDay {
    try principal.require(.admin)
    if let closed = draft.closedThrough, let next = closed.adding(days: 1), date != next {
      throw SettlementRefusal.daysOutOfOrder(date, next: next)
    }
    var held: [Asset: Int64] = [:]
    var owed: [Asset: Int64] = [:]
    // What banks took beyond what was there is missing from what is held.
    for code in [AccountCode.bankClient, .payableBank] {
      for (account, balance) in draft.base.accounts(.platform, code) {
        held[account.asset] = try held[account.asset, default: 0].adding(balance)
      }
    }
    for code in AccountCode.owedToClients {
      // What is owed to clients stands on the credit side.
      for (account, balance) in draft.base.accounts(.platform, code) {
        owed[account.asset] = try owed[account.asset, default: 0].subtracting(balance)
      }
    }
    for asset in Set(held.keys).union(owed.keys).sorted() {
      let amount = owed[asset, default: 0]
      guard held[asset, default: 0] < amount else { continue }
      throw SettlementRefusal.clientMoneyShort(
        currency: asset.description, held: held[asset, default: 0], owed: amount)
    }
    let day = ClosedDay(date: date, runID: runID, closedAt: draft.now)
    draft.made.closedDay = day
    planScreening(&draft)
    draft.made.subject = runID.value
    draft.happen(
      "business_day.closed", date, version: 1, to: (.platform, nil), [("business_date", .text(date.description))])
    return day
  }

  /// The new day begins with a screening by the lists that are in force: a party may be on one from that day. Days that
  /// are replayed need none of their own, the one of the present day sees what they would have seen.
  private func planScreening(_ draft: inout Draft) {
    guard !draft.reference.screening.isEmpty, let next = date.adding(days: 1), next >= draft.today else { return }
    draft.made.runs.append(
      PlannedRun(
        id: draft.ids.next(), job: SettlementJob.rescreen.rawValue, businessDate: next, requestedBy: nil,
        createdAt: draft.wallTime))
  }
}
