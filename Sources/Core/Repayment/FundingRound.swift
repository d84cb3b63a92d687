import Primitives

/// The instrument of a funding round, or of what takes a round's place. What each brings is in `RoundInstrument.swift`.
package enum FundingRoundKind: String, Sendable, Hashable, CaseIterable {
  /// Shares at a price.
  case priced
  /// A simple agreement for future equity.
  case safe
  /// A convertible note.
  case note
  /// Shares to a customer or supplier.
  case strategic
  /// Holders sell their shares: no cash to the company.
  case secondary
  /// Money meant to last until the next round.
  case bridge
  case ipo
  /// The company is bought: a change of control.
  case acquisition
  /// The buyer licenses the technology and hires the people, and the shell stays (Microsoft and Inflection, March 2024).
  /// The licence fee is cash to the company, but no share passes; each loan's covenant says what it is to that loan.
  case licenceAndHire = "licence_and_hire"
}

/// Life cycle of a reported round.
package enum FundingRoundState: String, Sendable, Hashable, CaseIterable {
  /// -> verified, rejected
  case reported
  /// Final; its closings go on.
  case verified
  /// Final.
  case rejected
}

/// Life cycle of a closing.
package enum FundingClosingState: String, Sendable, Hashable, CaseIterable {
  /// -> verified
  case reported
  /// -> swept
  case verified
  /// Final: the loans it makes due are due.
  case swept
}

/// One closing of a round: the day cash came, and how much of it is new.
package struct FundingClosing: Sendable, Hashable {
  package let id: ClosingID
  package let borrowerID: OrganizationID
  package let roundID: FundingRoundID
  package let closedOn: CalendarDate
  /// Conversions and secondaries bring none.
  /// Only ever corrected downward.
  package var netNewCash: Money
  package var state: FundingClosingState
  package var sweptOn: CalendarDate?
  package var version: Int64

  package init(
    id: ClosingID, borrowerID: OrganizationID, roundID: FundingRoundID, closedOn: CalendarDate, netNewCash: Money,
    state: FundingClosingState = .reported, sweptOn: CalendarDate? = nil, version: Int64 = 1
  ) {
    self.id = id
    self.borrowerID = borrowerID
    self.roundID = roundID
    self.closedOn = closedOn
    self.netNewCash = netNewCash
    self.state = state
    self.sweptOn = sweptOn
    self.version = version
  }
}

/// A funding round or acquisition as its startup reports it and the platform verifies it.
package struct FundingRound: Sendable, Hashable {
  package let id: FundingRoundID
  package let borrowerID: OrganizationID
  package let kind: FundingRoundKind
  package let name: String
  package let announcedOn: CalendarDate
  package let currency: Currency
  package let amount: Int64?
  package let preMoney: Int64?
  package let postMoney: Int64?
  package let acquirer: String?
  /// The acquirer as an organisation here: it can take loans over.
  package let acquirerID: OrganizationID?
  /// The last day on which the startup may choose what becomes of a loan; nil where all is due at once.
  package let chooseBy: CalendarDate?
  /// Of a priced round, where its startup states it.
  package let pricing: RoundPricing?
  package let evidence: String?
  package var state: FundingRoundState
  package let reportedBy: PersonID?
  package var verifiedBy: PersonID?
  package var decidedOn: CalendarDate?
  package var reason: String?
  package var version: Int64
  package let createdAt: Instant
  package var updatedAt: Instant

  package init(
    id: FundingRoundID, borrowerID: OrganizationID, kind: FundingRoundKind, name: String, announcedOn: CalendarDate,
    currency: Currency, amount: Int64?, preMoney: Int64?, postMoney: Int64?, acquirer: String?,
    acquirerID: OrganizationID? = nil, chooseBy: CalendarDate? = nil, pricing: RoundPricing? = nil,
    evidence: String?,
    state: FundingRoundState = .reported, reportedBy: PersonID?, verifiedBy: PersonID? = nil,
    decidedOn: CalendarDate? = nil, reason: String? = nil, version: Int64 = 1, createdAt: Instant, updatedAt: Instant
  ) {
    self.id = id
    self.borrowerID = borrowerID
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
    self.state = state
    self.reportedBy = reportedBy
    self.verifiedBy = verifiedBy
    self.decidedOn = decidedOn
    self.reason = reason
    self.version = version
    self.createdAt = createdAt
    self.updatedAt = updatedAt
  }
}

extension FundingRound {
  /// Whether a sweep on a day leaves the acquisition alone: the startup may still choose.
  package func isOpenToChoice(on date: CalendarDate) -> Bool { chooseBy.map { date <= $0 } ?? false }
}
