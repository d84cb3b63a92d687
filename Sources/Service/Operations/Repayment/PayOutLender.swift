import Ledger
import Lending
import Parties
import Persistence
import Primitives
import Repayment
import Screening

/// Pays a lender what the platform holds for it in one currency, less the platform's fee on fee income, and less what the
/// lender owes for money that was taken back after it had been paid out.
package struct PayOutLender: Command {
  package static let action = "settlement.pay_out"
  package var staffDuty: Duty? { .operations }
  package let lenderID: OrganizationID
  package let currency: Currency
  package let runID: SettlementRunID
  package let on: CalendarDate

  package init(lenderID: OrganizationID, currency: Currency, runID: SettlementRunID, on: CalendarDate) {
    self.lenderID = lenderID
    self.currency = currency
    self.runID = runID
    self.on = on
  }

  /// All client money only while lenders owe for money that was taken back, or a bank is owed for it: then it may be short.
  package func needs(_ state: BatchState) -> Set<Need> {
    var needs: Set<Need> = [
      .organization(lenderID), .accounts(lenderID, .cashAtPlatform), .accounts(lenderID, .payableClawback),
      .accounts(.platform, .bankClient),
      .accounts(.platform, .payableBank), .accounts(.platform, .receivableClawback),
    ]
    if mayBeShort(state) { needs.formUnion(AccountCode.owedToClients.map { .accounts(.platform, $0) }) }
    return needs
  }

  package func heads(_ state: BatchState) -> Set<OrganizationID> { [lenderID, .platform] }

  /// On whatever day: a bank is told to pay on the next on which money of the currency is settled (`PayoutOrders`).
  /// - Returns: nil where there is nothing to pay, or the lender is on a list that nothing is paid to.
  package func decide(_ draft: inout Draft, by principal: Principal) throws -> Payout? {
    try principal.require(.admin)
    let rest = try draft.balance(account(.cashAtPlatform, AccountRef.principalPart))
    let feePart = try draft.balance(account(.cashAtPlatform, AccountRef.feePart))
    let shares = try PlatformFee.split(
      StepAmounts(charges: 0, fee: feePart, principal: rest), rate: draft.reference.parameters.platformFee)
    guard shares.received > 0 else { return nil }
    if let hit = paymentBlock(draft), let lender = draft.find(\.organizations, lenderID) {
      // The platform's own event: whoever is on a list is not told so by it.
      draft.happen(
        "payout.held", lenderID, version: lender.version, to: (.platform, nil),
        [("rule", .text(hit.ruleID)), ("held", .number(shares.received)), ("currency", .text(currency.code))])
      return nil
    }
    // Held beyond what is owed to clients; below zero where it is short.
    let spare = mayBeShort(draft.base) ? try cover.spare(draft) : nil
    let netting = try netting(against: shares, spare: spare, draft)
    let payout = Payout(
      id: draft.ids.next(), lenderID: lenderID, businessDate: on, gross: Money(shares.received, currency),
      platformFee: shares.platformFee, netting: netting, runID: runID, recordedAt: draft.now)
    try requireCover(payout, spare: spare, draft)
    draft.made.payouts.append(payout)
    try post(payout, rest: rest, feePart: feePart, in: &draft)
    draft.made.subject = payout.id.value
    var facts: [(StaticString, EventFact)] = [("net", .number(payout.net)), ("currency", .text(currency.code))]
    if netting.netted > 0 { facts.append(("clawback_netted", .number(netting.netted))) }
    draft.happen("payout.made", payout.id, version: 1, to: (lenderID, nil), facts)
    return payout
  }

  /// The hit for which nothing may be paid to the lender on the date; what it is owed stays on its account.
  func paymentBlock(_ draft: Draft) -> PartyScreening.Hit? {
    draft.find(\.organizations, lenderID)?.screening(by: draft.reference.screening, on: on).paymentBlock
  }

  private var asset: Asset { .currency(currency) }

  private func account(_ code: AccountCode, _ part: UUIDValue = AccountRef.noSubject) -> AccountRef {
    AccountRef(lenderID, code, part, asset: asset)
  }

  private func platform(_ code: AccountCode, _ subject: UUIDValue = AccountRef.noSubject) -> AccountRef {
    AccountRef(.platform, code, subject, asset: asset)
  }

  private func mayBeShort(_ state: BatchState) -> Bool {
    [AccountCode.receivableClawback, .payableBank].contains { code in
      state.accounts(.platform, code).contains { $0.0.asset == asset }
    }
  }

  private var cover: ClientCover { ClientCover(asset: asset) }

  /// What the lender owes goes off its net, never below zero. Of that, what the client accounts are covered without goes
  /// back to the platform's own account, which had put it there; the rest stays and covers them.
  private func netting(against shares: PayoutShares, spare: Int64?, _ draft: Draft) throws -> Payout.Netting {
    guard let spare else { return .none }
    let owed = try Int64(0).subtracting(draft.balance(account(.payableClawback)))
    let repayment = try ClawbackRepayment(of: shares.net, owed: owed, spare: spare)
    return Payout.Netting(netted: repayment.paid, repaid: repayment.returned)
  }

  /// While clients' money is short nobody is paid at the cost of the others: money leaves only where what is left covers
  /// all that is owed after it.
  private func requireCover(_ payout: Payout, spare: Int64?, _ draft: Draft) throws {
    let leaving = try payout.net.adding(payout.platformFee).adding(payout.netting.repaid)
    guard leaving > 0 else { return }
    let held = try cover.held(draft)
    guard let spare else {
      guard leaving <= held else {
        throw SettlementRefusal.clientMoneyShort(currency: currency.code, held: held, owed: leaving)
      }
      return
    }
    // What is netted is owed no more, and did not leave.
    let after = try spare.adding(payout.gross.amount).subtracting(leaving)
    guard after >= 0 else {
      throw SettlementRefusal.clientMoneyShort(
        currency: currency.code, held: held, owed: try held.subtracting(spare))
    }
  }

  /// The client account pays the lender its net; the platform's fee, and what is repaid of its advances, move to the
  /// platform's own account.
  private func post(_ payout: Payout, rest: Int64, feePart: Int64, in draft: inout Draft) throws {
    let (netted, own) = (payout.netting.netted, try payout.platformFee.adding(payout.netting.repaid))
    let entry: JournalEntryID = draft.ids.next()
    let books: [(OrganizationID, [JournalLine])] = [
      (
        lenderID,
        [
          JournalLine(account(.cashAtPlatform, AccountRef.principalPart), -rest),
          JournalLine(account(.cashAtPlatform, AccountRef.feePart), -feePart),
          JournalLine(account(.expensePlatformFee), payout.platformFee), JournalLine(account(.paidOut), payout.net),
          JournalLine(account(.payableClawback), netted),
        ]
      ),
      (
        .platform,
        [
          JournalLine(platform(.clientMoney, lenderID.value), payout.gross.amount),
          JournalLine(platform(.bankClient), -(try payout.net.adding(own))),
          JournalLine(platform(.bankOwn), own), JournalLine(platform(.incomePlatformFee), -payout.platformFee),
          JournalLine(platform(.receivableClawback, lenderID.value), -netted),
        ]
      ),
    ]
    for (book, lines) in books {
      try draft.post(
        EntryDraft(
          id: entry, book: book, kind: .payoutMade, businessDate: on, subject: payout.id.value,
          lines: lines.filter { $0.amount != 0 }))
    }
  }
}
