import Ledger
import Parties
import Persistence
import Primitives
import Repayment

/// The client accounts of one currency, against what clients are owed.
struct ClientCover {
  let asset: Asset

  /// All client money: what a difference with what is held is found from.
  static let needs: Set<Need> = Set(
    ([.bankClient, .payableBank] + AccountCode.owedToClients).map { .accounts(.platform, $0) })

  /// What the client accounts hold, less what banks took beyond what was there.
  func held(_ draft: Draft) throws -> Int64 {
    try draft.balance(AccountRef(.platform, .bankClient, asset: asset))
      .adding(draft.balance(AccountRef(.platform, .payableBank, asset: asset)))
  }

  /// Held beyond what is owed to clients; below zero where it is short.
  func spare(_ draft: Draft) throws -> Int64 {
    // What is owed to clients stands on the credit side.
    var spare = try held(draft)
    for code in AccountCode.owedToClients {
      for (account, balance) in draft.base.accounts(.platform, code) where account.asset == asset {
        spare = try spare.adding(balance)
      }
    }
    for (account, change) in draft.made.balanceChanges
    where account.book == .platform && account.asset == asset && AccountCode.owedToClients.contains(account.code) {
      spare = try spare.adding(change)
    }
    return spare
  }
}

/// A lender gives back, in cash, what it owes the platform for money that was taken back after it had been paid out.
enum ClaimDesk {
  static func needs(of lender: OrganizationID) -> Set<Need> {
    ClientCover.needs.union([.organization(lender), .accounts(lender, .payableClawback)])
  }

  /// Off the claim goes what is owed and no more; what is above it stays on the lender's account, as with every receipt,
  /// and leaves with its next payout. What the platform had advanced goes back to its own account as when a payout is
  /// netted: as far as clients are covered without it.
  ///
  /// - Parameter source: of the platform's book, debited or credited by all of the amount: the bank, or suspense.
  static func repay(
    _ amount: Money, by lender: OrganizationID, _ receipt: CashReceiptID, from source: AccountRef,
    on date: CalendarDate, in draft: inout Draft
  ) throws -> ClawbackRepayment {
    let asset = Asset.currency(amount.currency)
    let owing = AccountRef(lender, .payableClawback, asset: asset)
    let owed = try Int64(0).subtracting(draft.balance(owing))
    guard owed > 0 else {
      let others = draft.base.accounts(lender, .payableClawback).compactMap { account, _ -> Currency? in
        guard case .currency(let currency) = account.asset else { return nil }
        return currency
      }
      throw others.isEmpty
        ? ClaimRefusal.nothingOwed
        : ClaimRefusal.otherCurrency(amount.currency, owes: others.sorted { $0.code < $1.code })
    }
    let repayment = try ClawbackRepayment(of: amount.amount, owed: owed, spare: ClientCover(asset: asset).spare(draft))
    let rest = amount.amount - repayment.paid
    let entry: JournalEntryID = draft.ids.next()
    let books: [(OrganizationID, [JournalLine])] = [
      (
        .platform,
        [
          JournalLine(source, amount.amount),
          JournalLine(AccountRef(.platform, .receivableClawback, lender.value, asset: asset), -repayment.paid),
          JournalLine(AccountRef(.platform, .clientMoney, lender.value, asset: asset), -rest),
        ]
      ),
      (
        lender,
        [
          JournalLine(owing, repayment.paid),
          JournalLine(AccountRef(lender, .cashAtPlatform, AccountRef.principalPart, asset: asset), rest),
          JournalLine(AccountRef(lender, .fundingReceived, asset: asset), -amount.amount),
        ]
      ),
    ]
    for (book, lines) in books {
      try draft.post(
        EntryDraft(
          id: entry, book: book, kind: .clawBackRepaid, businessDate: date, subject: receipt.value,
          lines: lines.filter { $0.amount != 0 }))
    }
    try returnAdvance(repayment.returned, asset, receipt, on: date, in: &draft)
    return repayment
  }

  private static func returnAdvance(
    _ amount: Int64, _ asset: Asset, _ receipt: CashReceiptID, on date: CalendarDate, in draft: inout Draft
  ) throws {
    if amount == 0 { return }
    try draft.post(
      EntryDraft(
        id: draft.ids.next(), book: .platform, kind: .clientMoneyAdvanced, businessDate: date, subject: receipt.value,
        lines: [
          JournalLine(AccountRef(.platform, .bankOwn, asset: asset), amount),
          JournalLine(AccountRef(.platform, .bankClient, asset: asset), -amount),
        ]))
  }
}

/// Why cash pays no claim of the platform.
package enum ClaimRefusal: Refusal, Hashable {
  case nothingOwed
  case otherCurrency(Currency, owes: [Currency])

  package var kind: RefusalKind {
    switch self {
    case .nothingOwed: .conflict
    case .otherCurrency: .invalid
    }
  }

  package var code: String {
    switch self {
    case .nothingOwed: "claw_back.nothing_owed"
    case .otherCurrency: "claw_back.owed_in_other_currency"
    }
  }

  package var detail: String {
    switch self {
    case .nothingOwed: "The organisation owes nothing for money that was taken back."
    case .otherCurrency(let currency, let owes):
      "Nothing is owed in \(currency); the organisation owes in \(owes.map(\.code).joined(separator: ", "))."
    }
  }

  package var pointer: String? {
    switch self {
    case .nothingOwed: "/payer_organization_id"
    case .otherCurrency: "/amount"
    }
  }
}
