import BankFiles
import Ledger
import Lending
import Parties
import Persistence
import Primitives
import Repayment

/// Treasury states that a bank turned what was left of a receipt into another currency.
package struct ProposeConversion: Command {
  package static let action = "cash_conversion.propose"
  package var staffDuty: Duty? { .treasury }
  package let receiptID: CashReceiptID
  package let amount: Money
  package let into: Money
  package let convertedOn: CalendarDate
  package let evidence: String

  package init(receiptID: CashReceiptID, amount: Money, into: Money, convertedOn: CalendarDate, evidence: String) {
    self.receiptID = receiptID
    self.amount = amount
    self.into = into
    self.convertedOn = convertedOn
    self.evidence = evidence
  }

  package func needs(_ state: BatchState) -> Set<Need> {
    guard amount.currency != into.currency else { return [.receipt(receiptID)] }
    let pair = FXPair(amount.currency, into.currency)
    return [.receipt(receiptID), .fxRates(FXDesk.span(pair, from: convertedOn, through: convertedOn))]
  }

  package func decide(_ draft: inout Draft, by principal: Principal) throws -> CashConversion {
    try principal.require(.admin)
    let person = try principal.requirePerson()
    guard let receipt = draft.find(\.receipts, receiptID) else { throw PartiesRefusal.notFound("cash receipt") }
    guard let payer = receipt.payerID else { throw ConversionRefusal.inSuspense }
    // What a lender paid beyond its claim is on an account of its own, and leaves with its next payout.
    guard receipt.source != .clawBack else { throw ConversionRefusal.paidAClaim }
    guard amount.currency == receipt.amount.currency else {
      throw ConversionRefusal.otherCurrency(amount.currency, receipt: receipt.amount.currency)
    }
    guard into.currency != amount.currency else { throw ConversionRefusal.sameCurrency(into.currency) }
    guard convertedOn <= draft.today else { throw ConversionRefusal.dateAhead(convertedOn, today: draft.today) }
    guard convertedOn >= receipt.receivedOn else {
      throw ConversionRefusal.beforeReceipt(convertedOn, receivedOn: receipt.receivedOn)
    }
    try receipt.checkLeft(amount)
    let rate = try FXDesk.table(in: draft).rate(between: amount.currency, and: into.currency, asOf: convertedOn)
    _ = try CashConversion.expected(of: amount, into: into, at: rate)
    let conversion = draft.put(
      \.cashConversions,
      CashConversion(
        id: draft.ids.next(), organizationID: payer, receiptID: receiptID, amount: amount, into: into,
        convertedOn: convertedOn, marketRate: rate.description, evidence: evidence, proposedBy: person,
        createdAt: draft.now, updatedAt: draft.now))
    draft.made.subject = conversion.id.value
    draft.happen("cash_conversion.proposed", conversion)
    return conversion
  }
}

/// Staff other than who stated it approve a conversion, which books it and pays what is due in its currency; or reject it.
package struct DecideConversion: Command {
  package enum Decision: Sendable, Hashable {
    case approve
    case reject(reason: String)
  }

  package static let action = "cash_conversion.decide"
  package var staffDuty: Duty? { .treasury }
  package let conversionID: CashConversionID
  package let decision: Decision
  package let ifVersion: Int64?

  package init(conversionID: CashConversionID, decision: Decision, ifVersion: Int64?) {
    self.conversionID = conversionID
    self.decision = decision
    self.ifVersion = ifVersion
  }

  /// The conversion, and what its money became.
  package struct Decided: Sendable {
    package let conversion: CashConversion
    package let received: RecordCashReceipt.Received?
  }

  package func needs(_ state: BatchState) -> Set<Need> {
    guard let conversion = state.shelves.cashConversions[conversionID] else { return [.cashConversion(conversionID)] }
    let payer = conversion.organizationID
    return LoanBook.needs(of: payer, state)
      .union([.cashConversion(conversionID), .receipt(conversion.receiptID), .waterfalls(payer)])
  }

  package func heads(_ state: BatchState) -> Set<OrganizationID> {
    guard let conversion = state.shelves.cashConversions[conversionID] else { return [.platform] }
    return LoanBook.heads(of: conversion.organizationID, state).union([.platform])
  }

  package func decide(_ draft: inout Draft, by principal: Principal) throws -> Decided {
    try principal.require(.admin)
    let person = try principal.requirePerson()
    guard var conversion = draft.find(\.cashConversions, conversionID),
      var receipt = draft.find(\.receipts, conversion.receiptID)
    else { throw PartiesRefusal.notFound("cash conversion") }
    try checkVersion(ifVersion, conversion.version)
    draft.made.subject = conversionID.value
    guard decision == .approve else {
      if case .reject(let reason) = decision { try conversion.reject(by: person, reason: reason, at: draft.now) }
      conversion = draft.put(\.cashConversions, conversion)
      draft.happen("cash_conversion.rejected", conversion)
      return Decided(conversion: conversion, received: nil)
    }
    guard conversion.proposedBy != person else { throw PartiesRefusal.samePerson("stated the conversion") }
    let id: CashReceiptID = draft.ids.next()
    try conversion.approve(by: person, as: id, at: draft.now)
    // Others may have been booked since it was stated.
    try receipt.checkLeft(conversion.amount)
    receipt.remainder -= conversion.amount.amount
    receipt.converted = try receipt.converted.adding(conversion.amount.amount)
    draft.put(\.receipts, receipt)
    try post(conversion, as: id, &draft)
    conversion = draft.put(\.cashConversions, conversion)
    let received = try receive(conversion, as: id, from: receipt, &draft)
    draft.happen("cash_conversion.approved", conversion)
    return Decided(conversion: conversion, received: received)
  }

  /// The client account gives the one currency and gets the other, and so does what it owes the startup; each currency
  /// balances by itself, in both books.
  private func post(_ conversion: CashConversion, as id: CashReceiptID, _ draft: inout Draft) throws {
    let payer = conversion.organizationID
    let entry: JournalEntryID = draft.ids.next()
    var (platform, startup): ([JournalLine], [JournalLine]) = ([], [])
    for (money, sign) in [(conversion.amount, Int64(-1)), (conversion.into, 1)] {
      let (asset, amount) = (Asset.currency(money.currency), sign * money.amount)
      platform += [
        JournalLine(AccountRef(.platform, .bankClient, asset: asset), amount),
        JournalLine(AccountRef(.platform, .clientMoney, payer.value, asset: asset), -amount),
      ]
      startup += [
        JournalLine(AccountRef(payer, .cashAtPlatform, asset: asset), amount),
        JournalLine(AccountRef(payer, .fxPosition, asset: asset), -amount),
      ]
    }
    for (book, lines) in [(OrganizationID.platform, platform), (payer, startup)] {
      try draft.post(
        EntryDraft(
          id: entry, book: book, kind: .cashConverted, businessDate: conversion.convertedOn, subject: id.value,
          lines: lines))
    }
  }

  /// What it became is a receipt of the bank's day, and pays as one. Its reference is the
  /// conversion's: what treasury tells the bank to name.
  private func receive(
    _ conversion: CashConversion, as id: CashReceiptID, from receipt: CashReceipt, _ draft: inout Draft
  ) throws -> RecordCashReceipt.Received {
    let payer = conversion.organizationID
    let command = RecordCashReceipt(
      receivedOn: conversion.convertedOn, amount: conversion.into, source: receipt.source, payerID: payer,
      reference: EndToEndReference.of(conversion.id))
    let (allocations, remainder) = try command.allocate(id, payer, &draft)
    let into = draft.put(
      \.receipts,
      CashReceipt(
        id: id, organizationID: payer, receivedOn: conversion.convertedOn, amount: conversion.into,
        source: receipt.source, reference: EndToEndReference.of(conversion.id), remainder: remainder,
        remainderReason: RecordCashReceipt.reason(of: remainder, conversion.into.currency, payer, draft),
        createdAt: draft.now))
    draft.made.allocations += allocations
    draft.happen(
      "cash_receipt.recorded", id, version: 1, to: (payer, nil),
      [("amount", .number(into.amount.amount)), ("remainder", .number(remainder))])
    return RecordCashReceipt.Received(receipt: into, allocations: allocations)
  }
}

extension CashReceipt {
  /// nil while it is in suspense.
  fileprivate var payerID: OrganizationID? { organizationID == .platform ? assignment?.payerID : organizationID }

  fileprivate func checkLeft(_ amount: Money) throws(ConversionRefusal) {
    let left = Money(remainder, self.amount.currency)
    guard amount.amount <= remainder else { throw .moreThanLeft(amount, left: left) }
  }
}

extension Draft {
  fileprivate mutating func happen(_ type: String, _ conversion: CashConversion) {
    happen(
      type, conversion.id, version: conversion.version, to: (conversion.organizationID, nil),
      [
        ("amount", .number(conversion.amount.amount)), ("currency", .text(conversion.amount.currency.code)),
        ("into", .number(conversion.into.amount)), ("into_currency", .text(conversion.into.currency.code)),
      ])
  }
}
