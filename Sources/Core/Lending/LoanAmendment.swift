import Primitives

/// Where a change of a loan's terms stands. Both sides must want it: one proposes, the other accepts.
package enum LoanAmendmentState: String, Sendable, Hashable, CaseIterable {
  /// -> accepted, rejected, withdrawn, lapsed
  case proposed
  /// The loan is changed. Final.
  case accepted
  /// The other side does not want it. Final.
  case rejected
  /// The proposing side took it back. Final.
  case withdrawn
  /// Nobody answered in time. Final.
  case lapsed
}

/// What an amendment changes.
package enum AmendmentTerms: Sendable, Hashable {
  /// Another rate from a day on, which may be past: then the fee is restated.
  case reRate(from: CalendarDate, rate: BasisPoints)
  /// A later maturity.
  case extend(to: CalendarDate)
  /// A payment holiday until a day.
  case paymentPause(until: CalendarDate)
  /// Several of these at once, as one agreement.
  case restructure(from: CalendarDate?, rate: BasisPoints?, maturity: CalendarDate?, pause: CalendarDate?)

  /// Numbered units out, as many others of the same lot in: like for like, so that principal and fee stay as they are.
  case substitution(out: [String], with: [String])

  package enum Kind: String, Sendable, Hashable, CaseIterable {
    case reRate = "re_rate"
    case extend
    case paymentPause = "payment_pause"
    case restructure
    case substitution
  }

  package var kind: Kind {
    switch self {
    case .reRate: .reRate
    case .extend: .extend
    case .paymentPause: .paymentPause
    case .restructure: .restructure
    case .substitution: .substitution
    }
  }

  package var rateChange: RateChange? {
    switch self {
    case .reRate(let from, let rate): return RateChange(from: from, rate: rate)
    case .restructure(let from?, let rate?, _, _): return RateChange(from: from, rate: rate)
    default: return nil
    }
  }

  package var serials: (out: [String], with: [String])? {
    if case .substitution(let out, let with) = self { (out, with) } else { nil }
  }

  package var maturity: CalendarDate? {
    switch self {
    case .extend(let date): date
    case .restructure(_, _, let date, _): date
    default: nil
    }
  }

  package var pause: CalendarDate? {
    switch self {
    case .paymentPause(let date): date
    case .restructure(_, _, _, let date): date
    default: nil
    }
  }
}

/// What a backdated rate changed, in minor units of the loan's currency: one reversal, one posting anew.
package struct FeeRestatement: Sendable, Hashable {
  /// The fee of the days concerned as it had been posted.
  package let reversed: Int64
  /// The same days at the agreed rate.
  package let restated: Int64
  /// What a lower rate gave back beyond the unpaid fee, taken off principal and charges.
  package let credited: Int64

  package init(reversed: Int64, restated: Int64, credited: Int64) {
    self.reversed = reversed
    self.restated = restated
    self.credited = credited
  }
}

/// A change of a loan's terms, proposed by one side and answered by the other.
package struct LoanAmendment: Sendable, Hashable {
  /// What can be done with a proposed amendment.
  package enum Act: String, Sendable, Hashable, CaseIterable {
    case accept, reject, withdraw, lapse
  }

  /// How long an amendment can be accepted, in days, where its maker names no other time.
  package static let defaultValidDays: Int64 = 14

  package let id: AmendmentID
  package let borrowerID: OrganizationID
  package let lenderID: OrganizationID
  package let loanID: LoanID
  package let terms: AmendmentTerms
  package let proposedBy: OrganizationID
  package let proposedOn: CalendarDate
  /// The last day on which it can be accepted.
  package let validUntil: CalendarDate
  package let reason: String?
  package internal(set) var state: LoanAmendmentState
  package internal(set) var decidedOn: CalendarDate?
  package internal(set) var restatement: FeeRestatement?
  package var version: Int64
  package let createdAt: Instant
  package var updatedAt: Instant

  package init(
    id: AmendmentID, borrowerID: OrganizationID, lenderID: OrganizationID, loanID: LoanID, terms: AmendmentTerms,
    proposedBy: OrganizationID, proposedOn: CalendarDate, validUntil: CalendarDate, reason: String?,
    state: LoanAmendmentState = .proposed, decidedOn: CalendarDate? = nil, restatement: FeeRestatement? = nil,
    version: Int64 = 1, createdAt: Instant, updatedAt: Instant
  ) {
    self.id = id
    self.borrowerID = borrowerID
    self.lenderID = lenderID
    self.loanID = loanID
    self.terms = terms
    self.proposedBy = proposedBy
    self.proposedOn = proposedOn
    self.validUntil = validUntil
    self.reason = reason
    self.state = state
    self.decidedOn = decidedOn
    self.restatement = restatement
    self.version = version
    self.createdAt = createdAt
    self.updatedAt = updatedAt
  }

  /// Answers it.
  /// - Parameter party: who answers; nil for the lapse, which nobody does.
  /// - Throws: `illegalState` unless it is proposed; `loan.own_proposal` and `loan.not_own_proposal` for the wrong side;
  ///   `loan.amendment_lapsed` for an acceptance too late.
  package mutating func conclude(
    _ act: Act, by party: OrganizationID?, on date: CalendarDate
  ) throws(LendingRefusal) {
    guard state == .proposed else {
      throw .illegalState(object: "amendment", state: state.rawValue, act: act.rawValue)
    }
    switch act {
    case .accept:
      guard party != proposedBy else { throw .loan(.ownProposal) }
      guard date <= validUntil else { throw .loan(.amendmentLapsed(validUntil)) }
      state = .accepted
    case .reject:
      guard party != proposedBy else { throw .loan(.ownProposal) }
      state = .rejected
    case .withdraw:
      guard party == proposedBy else { throw .loan(.notOwnProposal) }
      state = .withdrawn
    case .lapse:
      guard date > validUntil else {
        throw .illegalState(object: "amendment", state: state.rawValue, act: act.rawValue)
      }
      state = .lapsed
    }
    decidedOn = date
  }

  /// Keeps what its acceptance restated.
  package mutating func record(_ restatement: FeeRestatement) { self.restatement = restatement }
}
