import Parties
import Persistence
import Primitives
import Repayment
import Valuation

/// A startup reports a round or its acquisition.
package struct ReportFundingRound: Command {
  /// What is reported.
  package struct Report: Sendable {
    package var kind: FundingRoundKind
    package var name: String
    package var announcedOn: CalendarDate
    package var currency: Currency
    package var amount: Int64?
    package var preMoney: Int64?
    package var postMoney: Int64?
    package var acquirer: String?
    /// The acquirer as an organisation here.
    package var acquirerID: OrganizationID?
    /// Until when the startup may choose what becomes of each loan; nil makes all of them due at once.
    package var chooseBy: CalendarDate?
    /// Of a priced round.
    package var pricing: RoundPricing?
    package var evidence: String?
    /// Closing dates with the net new cash of each, in the round's currency.
    package var closings: [(closedOn: CalendarDate, netNewCash: Int64)]

    package init(
      kind: FundingRoundKind, name: String, announcedOn: CalendarDate, currency: Currency, amount: Int64?,
      preMoney: Int64?, postMoney: Int64?, acquirer: String?,
      acquirerID: OrganizationID? = nil, chooseBy: CalendarDate? = nil, pricing: RoundPricing? = nil,
      evidence: String?,
      closings: [(closedOn: CalendarDate, netNewCash: Int64)]
    ) {
      self.kind = kind
      self.name = name
      self.announcedOn = announcedOn
      self.currency = currency
      self.amount = amount
      self.preMoney = preMoney
      self.postMoney = postMoney
      self.acquirer = acquirer
      self.acquirerID = acquirerID
      self.chooseBy = chooseBy
      self.pricing = pricing
      self.evidence = evidence
      self.closings = closings
    }
  }

  /// A round with its closings.
  package struct Reported: Sendable {
    package let round: FundingRound
    package let closings: [FundingClosing]

    package init(round: FundingRound, closings: [FundingClosing]) {
      self.round = round
      self.closings = closings
    }
  }

  package static let action = "funding_round.report"
  package var staffDuty: Duty? { nil }
  package let report: Report

  package init(report: Report) { self.report = report }

  package func needs(_ state: BatchState) -> Set<Need> { Set(report.acquirerID.map { [.organization($0)] } ?? []) }

  package func decide(_ draft: inout Draft, by principal: Principal) throws -> Reported {
    try principal.require(.startup)
    let person = try principal.requirePerson()
    if report.kind == .acquisition, report.acquirer == nil {
      throw RoundRefusal.acquirerMissing
    }
    if report.pricing != nil, report.kind != .priced { throw RoundRefusal.priceOfNoShares }
    if report.chooseBy != nil || report.acquirerID != nil {
      guard report.kind == .acquisition else { throw ControlRefusal.onlyOfAcquisitions }
      if let id = report.acquirerID, draft.find(\.organizations, id)?.roles.contains(.startup) != true {
        throw ControlRefusal.acquirerUnknown
      }
    }
    if let chooseBy = report.chooseBy, let last = report.closings.map(\.closedOn).max(), chooseBy < last {
      throw ControlRefusal.deadlineBeforeClosing(chooseBy, closing: last)
    }
    if let pre = report.preMoney, let post = report.postMoney, pre > post { throw RoundRefusal.preAbovePost }
    if report.kind == .secondary, report.closings.contains(where: { $0.netNewCash > 0 }) {
      throw RoundRefusal.secondaryBringsNoCash
    }
    let id: FundingRoundID = draft.ids.next()
    let borrower = principal.organizationID
    let round = draft.put(
      \.rounds,
      FundingRound(
        id: id, borrowerID: borrower, kind: report.kind, name: report.name, announcedOn: report.announcedOn,
        currency: report.currency, amount: report.amount, preMoney: report.preMoney, postMoney: report.postMoney,
        acquirer: report.acquirer, acquirerID: report.acquirerID, chooseBy: report.chooseBy, pricing: report.pricing,
        evidence: report.evidence,
        reportedBy: person, createdAt: draft.now,
        updatedAt: draft.now))
    let closings = report.closings.map { closing in
      draft.put(
        \.closings,
        FundingClosing(
          id: draft.ids.next(), borrowerID: borrower, roundID: id, closedOn: closing.closedOn,
          netNewCash: Money(closing.netNewCash, report.currency)))
    }
    draft.made.subject = id.value
    draft.happen("funding_round.reported", id, version: 1, to: (borrower, nil), [("kind", .text(report.kind.rawValue))])
    return Reported(round: round, closings: closings)
  }
}

/// Staff other than the reporter verify a round and its closings, or reject it. A post-money becomes a valuation mark.
package struct DecideFundingRound: Command {
  package enum Decision: Sendable {
    case verify(evidence: String?)
    case reject(reason: String)
  }

  package static let action = "funding_round.decide"
  package var staffDuty: Duty? { .operations }
  package let roundID: FundingRoundID
  package let decision: Decision
  package let ifVersion: Int64?

  package init(roundID: FundingRoundID, decision: Decision, ifVersion: Int64?) {
    self.roundID = roundID
    self.decision = decision
    self.ifVersion = ifVersion
  }

  package func needs(_ state: BatchState) -> Set<Need> {
    var needs: Set<Need> = [.round(roundID), .closingsOfRound(roundID)]
    if let round = state.rounds[roundID] { needs.insert(.warrants(round.borrowerID)) }
    return needs.union(ValuationFall.needs(state.rounds[roundID]?.borrowerID, state))
  }

  /// The platform's too: of two marks that tell of a fall one opens what waits for a person.
  package func heads(_ state: BatchState) -> Set<OrganizationID> {
    Set([OrganizationID.platform, state.rounds[roundID]?.borrowerID].compactMap { $0 })
  }

  package func decide(_ draft: inout Draft, by principal: Principal) throws -> ReportFundingRound.Reported {
    guard var round = draft.find(\.rounds, roundID),
      principal.isStaff || principal.organizationID == round.borrowerID
    else { throw PartiesRefusal.notFound("funding round") }
    try principal.require(.admin)
    let person = try principal.requirePerson()
    guard person != round.reportedBy else { throw PartiesRefusal.samePerson("reported the round") }
    try checkVersion(ifVersion, round.version)
    guard round.state == .reported else { throw RoundRefusal.alreadyDecided(round.state.rawValue) }
    var closings = (draft.base.closingsOfRound[roundID] ?? []).compactMap { draft.find(\.closings, $0) }
    switch decision {
    case .reject(let reason):
      round.state = .rejected
      round.reason = reason
    case .verify(let evidence):
      let future = closings.filter { $0.closedOn > draft.today }
      if let first = future.first { throw RoundRefusal.closingInFuture(first.closedOn, today: draft.today) }
      round.state = .verified
      round.reason = evidence
      closings = closings.map { closing in
        var closing = closing
        closing.state = .verified
        return draft.put(\.closings, closing)
      }
      if let mark = mark(of: round, closings, by: person, &draft) {
        draft.made.marks.append(mark)
        try ValuationFall.note(mark, in: &draft)
      }
    }
    round.verifiedBy = person
    round.decidedOn = draft.today
    round = draft.put(\.rounds, round)
    draft.made.subject = roundID.value
    if round.state == .verified { try WarrantDesk.fixStrikes(by: round, in: &draft) }
    draft.happen("funding_round.\(round.state.rawValue)", roundID, version: round.version, to: (round.borrowerID, nil))
    return ReportFundingRound.Reported(round: round, closings: closings)
  }

  /// The post-money as a mark of the startup, effective on the last closing, or on the announcement where none is named.
  private func mark(
    of round: FundingRound, _ closings: [FundingClosing], by person: PersonID, _ draft: inout Draft
  ) -> ValuationMark? {
    guard let postMoney = round.postMoney, postMoney > 0 else { return nil }
    let method: ValuationMethod? =
      switch round.kind {
      // A licence fee prices no share.
      case .licenceAndHire: nil
      case .safe, .note: .safeCap
      case .strategic: .strategic
      case .secondary: .secondary
      case .priced, .bridge, .ipo, .acquisition: .pricedRound
      }
    guard let method else { return nil }
    return ValuationMark(
      id: draft.ids.next(), subject: .startup(round.borrowerID), method: method,
      amount: Money(postMoney, round.currency), basis: .postMoney,
      effectiveOn: closings.map(\.closedOn).max() ?? round.announcedOn, recordedAt: draft.now,
      source: "\(round.name) (\(round.id))", supersedes: nil, approvedBy: person, evidence: round.id.description,
      confidence: .documented, recordedBy: round.reportedBy)
  }
}

/// Why an act on a funding round is refused.
package enum RoundRefusal: Refusal, Hashable {
  case alreadyDecided(String)
  case acquirerMissing
  case preAbovePost
  case secondaryBringsNoCash
  case closingInFuture(CalendarDate, today: CalendarDate)
  case closingNotVerified(String)
  case notYetClosed(CalendarDate, on: CalendarDate)
  case notVerified(String)
  case otherCurrency(Currency, round: Currency)
  case notLower(Int64, present: Int64)
  case effectiveInPast(CalendarDate, today: CalendarDate)
  /// Nothing was made due by the closing yet.
  case notSwept(String)
  /// The loan's part of the closing was declined before.
  case alreadyDeclined
  /// Some of the money was divided.
  case alreadyDivided
  /// No part of the closing is due on the loan, or it is due for another reason too.
  case nothingToDecline
  /// Part of the loan was sold since the sweep: what is due on that part is another lender's to have.
  case soldSince
  /// The closing was swept before records were kept.
  case noRecord
  case priceOfNoShares
  case choicesOpen(until: CalendarDate)
  /// The round's state: it was rejected, or all its closings are swept.
  case nothingToSweep(String)

  package var kind: RefusalKind {
    switch self {
    case .priceOfNoShares, .acquirerMissing, .preAbovePost, .secondaryBringsNoCash, .otherCurrency, .effectiveInPast:
      .invalid
    case .choicesOpen, .alreadyDecided, .closingInFuture, .closingNotVerified, .notYetClosed, .nothingToSweep,
      .notVerified, .notLower, .noRecord, .notSwept, .alreadyDeclined, .alreadyDivided, .nothingToDecline,
      .soldSince:
      .conflict
    }
  }

  package var code: String {
    switch self {
    case .alreadyDecided: "repayment.round_already_decided"
    case .acquirerMissing: "repayment.acquirer_missing"
    case .preAbovePost: "repayment.pre_money_above_post_money"
    case .secondaryBringsNoCash: "repayment.secondary_brings_no_cash"
    case .closingInFuture: "repayment.closing_in_future"
    case .closingNotVerified: "repayment.closing_not_verified"
    case .notYetClosed: "repayment.not_yet_closed"
    case .notVerified: "repayment.round_not_verified"
    case .otherCurrency: "repayment.other_currency"
    case .effectiveInPast: "repayment.effective_in_past"
    case .notLower: "repayment.correction_not_lower"
    case .soldSince: "repayment.sold_since"
    case .noRecord: "repayment.no_record"
    case .notSwept: "repayment.not_swept"
    case .alreadyDeclined: "repayment.already_declined"
    case .alreadyDivided: "repayment.already_divided"
    case .nothingToDecline: "repayment.nothing_to_decline"
    case .priceOfNoShares: "repayment.price_of_no_shares"
    case .choicesOpen: "repayment.choices_open"
    case .nothingToSweep: "repayment.nothing_to_sweep"
    }
  }

  package var detail: String {
    switch self {
    case .alreadyDecided(let state): "The round is \(state); it cannot be decided again."
    case .acquirerMissing: "An acquisition names its acquirer."
    case .preAbovePost: "The pre-money is above the post-money."
    case .secondaryBringsNoCash: "A secondary sale brings the company no cash; net_new_cash must be 0."
    case .closingInFuture(let date, let today): "A closing on \(date) cannot be verified on \(today)."
    case .closingNotVerified(let state): "The closing is \(state); only a verified one is swept."
    case .notYetClosed(let date, let on): "The closing is of \(date), after the business date \(on)."
    case .notVerified(let state): "The round is \(state); only a verified one is corrected."
    case .otherCurrency(let given, let round): "The round is in \(round), not in \(given)."
    case .notLower(let given, let present):
      "A correction lowers what a closing brought; it stands at \(present) minor units, and \(given) is not below that."
    case .effectiveInPast(let date, let today):
      "Terms hold from today, \(today), at the earliest, not from \(date): what was divided stays divided."
    case .notSwept(let state): "The closing is \(state); there is nothing to decline before its sweep."
    case .alreadyDeclined: "The loan's part of this closing was declined before."
    case .alreadyDivided: "Money of this closing was divided already; a part is declined before that."
    case .nothingToDecline: "This closing made no part of the loan due that could be declined."
    case .soldSince: "Part of the loan was sold since the sweep; its dues cannot be declined as one any more."
    case .noRecord: "The closing was swept before records of sweeps were kept; nothing tells what to withdraw."
    case .priceOfNoShares: "Only a priced round has a price of a share."
    case .choicesOpen(let date):
      "The startup may choose until \(date) what becomes of its loans; it is swept after that."
    case .nothingToSweep(let state): "The round is \(state) and has no closing that is still to be swept."
    }
  }

  package var pointer: String? {
    switch self {
    case .acquirerMissing: "/acquirer"
    case .priceOfNoShares: "/share_price"
    case .preAbovePost: "/pre_money"
    case .secondaryBringsNoCash: "/closings"
    case .otherCurrency, .notLower: "/net_new_cash"
    case .effectiveInPast: "/effective_on"
    default: nil
    }
  }
}
