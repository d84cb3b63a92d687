import Ledger
import Lending
import Parties
import Persistence
import Primitives
import Repayment

/// Proposes to record that money of a receipt was taken back. Nothing is booked before another person approves; the answer
/// shows who would lose what.
package struct ProposeClawback: Command {
  package static let action = "claw_back.propose"
  package var staffDuty: Duty? { .treasury }
  package let receiptID: CashReceiptID
  package let amount: Money
  package let takenBackOn: CalendarDate
  package let reason: ReceiptClawback.Reason
  /// What the bank shows of it, where that is not the receipt's own reference.
  package let reference: String?
  package let order: Clawback.Order
  package let ifVersion: Int64?

  package init(
    receiptID: CashReceiptID, amount: Money, takenBackOn: CalendarDate, reason: ReceiptClawback.Reason,
    reference: String?, order: Clawback.Order = .lastLineFirst, ifVersion: Int64?
  ) {
    self.receiptID = receiptID
    self.amount = amount
    self.takenBackOn = takenBackOn
    self.reason = reason
    self.reference = reference
    self.order = order
    self.ifVersion = ifVersion
  }

  /// A claw-back, and who loses what by it.
  package struct Shown: Sendable {
    package let clawback: ReceiptClawback
    /// As it would be now; as it is once approved.
    package let lines: [ClawbackLine]
    /// nil for one that was rejected.
    package let booking: ReceiptClawback.Booking?
    /// Of the record; nil until it is kept.
    package let digest: SHA256Digest?
    /// The record itself, where it was asked for.
    package let bytes: [UInt8]?

    package init(
      clawback: ReceiptClawback, lines: [ClawbackLine], booking: ReceiptClawback.Booking?, digest: SHA256Digest?,
      bytes: [UInt8]? = nil
    ) {
      self.bytes = bytes
      self.clawback = clawback
      self.lines = lines
      self.booking = booking
      self.digest = digest
    }
  }

  package func needs(_ state: BatchState) -> Set<Need> { ClawbackDesk.needs(of: receiptID, state) }
  package func heads(_ state: BatchState) -> Set<OrganizationID> { ClawbackDesk.heads(of: receiptID, state) }

  package func decide(_ draft: inout Draft, by principal: Principal) throws -> Shown {
    try principal.require(.admin)
    let person = try principal.requirePerson()
    guard let receipt = draft.find(\.receipts, receiptID) else { throw PartiesRefusal.notFound("cash receipt") }
    try checkVersion(ifVersion, receipt.version)
    guard takenBackOn >= receipt.receivedOn else {
      throw ClawbackRefusal.beforeReceipt(takenBackOn, received: receipt.receivedOn)
    }
    guard takenBackOn <= draft.today else { throw ClawbackRefusal.notYet(takenBackOn, today: draft.today) }
    let clawback = ReceiptClawback(
      id: draft.ids.next(), organizationID: receipt.organizationID, receiptID: receiptID,
      payerID: receipt.startup(platform: .platform), amount: amount, takenBackOn: takenBackOn, reason: reason,
      reference: reference, order: order, proposedBy: person, createdAt: draft.now, updatedAt: draft.now)
    // Tried on a draft of its own, which nobody keeps.
    var trial = draft
    let effect = try ClawbackDesk.takeBack(clawback, of: receipt, in: &trial)
    let row = draft.put(\.clawbacks, clawback)
    draft.made.subject = row.id.value
    draft.happen(
      "claw_back.proposed", row.id, version: row.version, to: (.platform, nil),
      [("cash_receipt_id", .text(receiptID.description)), ("amount", .number(amount.amount))])
    return Shown(clawback: row, lines: effect.lines, booking: effect.booking, digest: nil)
  }
}

/// Another person approves a claw-back, which books it, or rejects it.
package struct DecideClawback: Command {
  package enum Act: Sendable, Hashable {
    case approve
    case reject(note: String)
  }

  package static let action = "claw_back.decide"
  package var staffDuty: Duty? { .treasury }
  package let clawbackID: ClawbackID
  package let act: Act
  package let ifVersion: Int64?

  package init(clawbackID: ClawbackID, act: Act, ifVersion: Int64?) {
    self.clawbackID = clawbackID
    self.act = act
    self.ifVersion = ifVersion
  }

  package func needs(_ state: BatchState) -> Set<Need> {
    guard let row = state.shelves.clawbacks[clawbackID] else { return [.clawback(clawbackID)] }
    return ClawbackDesk.needs(of: row.receiptID, state).union([.clawback(clawbackID)])
  }

  package func heads(_ state: BatchState) -> Set<OrganizationID> {
    guard let row = state.shelves.clawbacks[clawbackID] else { return [] }
    return ClawbackDesk.heads(of: row.receiptID, state)
  }

  package func decide(_ draft: inout Draft, by principal: Principal) throws -> ProposeClawback.Shown {
    try principal.require(.admin)
    let person = try principal.requirePerson()
    guard var row = draft.find(\.clawbacks, clawbackID), let receipt = draft.find(\.receipts, row.receiptID) else {
      throw PartiesRefusal.notFound("claw-back")
    }
    try checkVersion(ifVersion, row.version)
    guard row.state == .proposed else { throw ClawbackRefusal.notProposed(what: "claw-back", state: row.state) }
    draft.made.subject = row.id.value
    row.decision = SecondPersonDecision(by: person, at: draft.now)
    guard act == .approve else {
      if case .reject(let note) = act { row.note = note }
      row.state = .rejected
      row = draft.put(\.clawbacks, row)
      draft.happen(
        "claw_back.rejected", row.id, version: row.version, to: (.platform, nil),
        [("cash_receipt_id", .text(receipt.id.description))])
      return ProposeClawback.Shown(clawback: row, lines: [], booking: nil, digest: nil)
    }
    guard person != row.proposedBy else { throw PartiesRefusal.samePerson("proposed the claw-back") }
    let effect = try ClawbackDesk.takeBack(row, of: receipt, in: &draft)
    row.state = .approved
    row.payerID = receipt.startup(platform: .platform)
    row.booking = effect.booking
    row = draft.put(\.clawbacks, row)
    draft.happen(
      "cash_receipt.clawed_back", receipt.id, version: draft.find(\.receipts, receipt.id)?.version ?? receipt.version,
      to: (row.payerID ?? .platform, nil),
      [
        ("claw_back_id", .text(row.id.description)), ("amount", .number(row.amount.amount)),
        ("from_remainder", .number(effect.booking.fromRemainder)), ("reason_code", .text(row.reason.rawValue)),
      ])
    return ProposeClawback.Shown(
      clawback: row, lines: effect.lines, booking: effect.booking, digest: effect.explanation?.digest)
  }
}

/// Proposes to put own means of the platform into the client accounts.
package struct ProposeTopUp: Command {
  package static let action = "client_money_top_up.propose"
  package var staffDuty: Duty? { .treasury }
  package let amount: Money
  package let fundedOn: CalendarDate
  /// What the bank shows of it.
  package let reference: String

  package init(amount: Money, fundedOn: CalendarDate, reference: String) {
    self.amount = amount
    self.fundedOn = fundedOn
    self.reference = reference
  }

  package func heads(_ state: BatchState) -> Set<OrganizationID> { [.platform] }

  package func decide(_ draft: inout Draft, by principal: Principal) throws -> ClientMoneyTopUp {
    try principal.require(.admin)
    let person = try principal.requirePerson()
    guard fundedOn <= draft.today else { throw TopUpRefusal.notYet(fundedOn, today: draft.today) }
    let row = draft.put(
      \.topUps,
      ClientMoneyTopUp(
        id: draft.ids.next(), amount: amount, fundedOn: fundedOn, reference: reference, proposedBy: person,
        createdAt: draft.now, updatedAt: draft.now))
    draft.made.subject = row.id.value
    draft.happen(
      "client_money_top_up.proposed", row.id, version: row.version, to: (.platform, nil),
      [("amount", .number(amount.amount)), ("currency", .text(amount.currency.code))])
    return row
  }
}

/// Another person approves a top-up, which books it, or rejects it. What is owed to banks is paid first.
package struct DecideTopUp: Command {
  package static let action = "client_money_top_up.decide"
  package var staffDuty: Duty? { .treasury }
  package let topUpID: TopUpID
  package let act: DecideClawback.Act
  package let ifVersion: Int64?

  package init(topUpID: TopUpID, act: DecideClawback.Act, ifVersion: Int64?) {
    self.topUpID = topUpID
    self.act = act
    self.ifVersion = ifVersion
  }

  package func needs(_ state: BatchState) -> Set<Need> { [.topUp(topUpID), .accounts(.platform, .payableBank)] }
  package func heads(_ state: BatchState) -> Set<OrganizationID> { [.platform] }

  package func decide(_ draft: inout Draft, by principal: Principal) throws -> ClientMoneyTopUp {
    try principal.require(.admin)
    let person = try principal.requirePerson()
    guard var row = draft.find(\.topUps, topUpID) else { throw PartiesRefusal.notFound("top-up") }
    try checkVersion(ifVersion, row.version)
    guard row.state == .proposed else { throw TopUpRefusal.notProposed(row.state) }
    row.decision = SecondPersonDecision(by: person, at: draft.now)
    switch act {
    case .approve:
      guard person != row.proposedBy else { throw PartiesRefusal.samePerson("proposed the top-up") }
      let isClosed = draft.closedThrough.map { row.fundedOn <= $0 } == true
      let date = isClosed ? draft.today : row.fundedOn
      try post(row, on: date, in: &draft)
      row.state = .approved
      row.bookedOn = date
    case .reject(let note):
      row.state = .rejected
      row.note = note
    }
    row = draft.put(\.topUps, row)
    draft.made.subject = row.id.value
    draft.happen(
      "client_money_top_up.\(row.state.rawValue)", row.id, version: row.version, to: (.platform, nil),
      [("amount", .number(row.amount.amount)), ("currency", .text(row.amount.currency.code))])
    return row
  }

  private func post(_ row: ClientMoneyTopUp, on date: CalendarDate, in draft: inout Draft) throws {
    let asset = Asset.currency(row.amount.currency)
    let bank = AccountRef(.platform, .payableBank, asset: asset)
    let owed = try Int64(0).subtracting(draft.balance(bank))
    let toBank = min(row.amount.amount, max(0, owed))
    let lines = [
      JournalLine(bank, toBank),
      JournalLine(AccountRef(.platform, .bankClient, asset: asset), row.amount.amount - toBank),
      JournalLine(AccountRef(.platform, .equityContributed, asset: asset), -row.amount.amount),
    ]
    try draft.post(
      EntryDraft(
        id: draft.ids.next(), book: .platform, kind: .clientMoneyToppedUp, businessDate: date, subject: row.id.value,
        lines: lines.filter { $0.amount != 0 }))
  }
}

/// Why a top-up is not taken.
package enum TopUpRefusal: Refusal, Hashable {
  case notYet(CalendarDate, today: CalendarDate)
  case notProposed(SecondPersonState)

  package var kind: RefusalKind {
    switch self {
    case .notYet: .invalid
    case .notProposed: .conflict
    }
  }

  package var code: String {
    switch self {
    case .notYet: "client_money.not_yet"
    case .notProposed: "client_money.not_proposed"
    }
  }

  package var detail: String {
    switch self {
    case .notYet(let date, let today): "\(date) is after today, \(today): only money that is there is recorded."
    case .notProposed(let state): "The top-up is \(state.rawValue); only a proposed one is decided."
    }
  }

  package var pointer: String? {
    switch self {
    case .notYet: "/on"
    case .notProposed: nil
    }
  }
}
