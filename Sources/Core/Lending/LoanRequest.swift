import Catalogue
import Parties
import Primitives

/// What the chips are for.
package enum Workload: String, Sendable, Hashable, CaseIterable {
  case training, inference
}

/// Life cycle of a request.
package enum LoanRequestState: String, Sendable, Hashable, CaseIterable {
  /// -> held, partlyMatched, matched, cancelled, expired
  case open
  /// A verdict holds every chip it would take -> open, partlyMatched, matched, cancelled, expired
  case held
  /// -> matched, open, cancelled, expired
  case partlyMatched = "partly_matched"
  /// -> partlyMatched, open (an offer lapsed)
  case matched
  /// Final.
  case cancelled
  /// Final.
  case expired
}

/// A chip that a request would take, by model or by capability, with the most it would pay.
package struct AcceptableChip: Sendable, Hashable {
  /// Least capability, in thousandths of a unit so that published decimals stay exact.
  package struct Capability: Sendable, Hashable {
    package let memoryMilliGB: Int64?
    package let bf16MilliTflopsDense: Int64?
    package let interconnectMilliGBs: Int64?

    package init(memoryMilliGB: Int64?, bf16MilliTflopsDense: Int64?, interconnectMilliGBs: Int64?) {
      self.memoryMilliGB = memoryMilliGB
      self.bf16MilliTflopsDense = bf16MilliTflopsDense
      self.interconnectMilliGBs = interconnectMilliGBs
    }
  }

  package enum Choice: Sendable, Hashable {
    case model(ChipModelID)
    case capability(Capability)
  }

  package let choice: Choice
  package let maxRate: BasisPoints

  package init(choice: Choice, maxRate: BasisPoints) {
    self.choice = choice
    self.maxRate = maxRate
  }
}

/// When a funding round makes the loan due, as the startup proposes and the loan fixes it.
package struct RepaymentTerms: Sendable, Hashable {
  package let pattern: RepaymentPattern
  /// Least cumulative net new cash within twelve months.
  package let leastAmount: Money?
  package let leastPostMoney: Money?
  /// Share of net new cash that is swept.
  package let sweep: BasisPoints

  package init(pattern: RepaymentPattern, leastAmount: Money?, leastPostMoney: Money?, sweep: BasisPoints) {
    self.pattern = pattern
    self.leastAmount = leastAmount
    self.leastPostMoney = leastPostMoney
    self.sweep = sweep
  }
}

/// What a startup needs.
package struct LoanRequest: Sendable, Hashable {
  package let id: LoanRequestID
  package let borrowerID: OrganizationID
  package let workload: Workload
  package let endUse: String
  package let quantity: Int64
  /// Smallest useful quantity; equal to `quantity` means all or none.
  package let minQuantity: Int64
  package let multipleOf: Int64
  package let sameModel: Bool
  package let sameSite: Bool
  package let maxLenders: Int64?
  /// In order of preference.
  package let acceptable: [AcceptableChip]
  package let regions: [String]
  package let termDays: Int64
  package let startOn: CalendarDate
  package let startByOn: CalendarDate
  package let deliveryMode: DeliveryMode
  package let repayment: RepaymentTerms
  /// Offers are accepted as they are made.
  package let autoAccept: Bool
  package let validUntil: Instant?
  /// Order of arrival among all orders of the market.
  package let sequence: Int64
  /// Units in offers that are still pending.
  package internal(set) var offered: Int64
  /// Units of accepted offers.
  package internal(set) var matched: Int64
  package internal(set) var state: LoanRequestState
  package var version: Int64
  package let createdAt: Instant
  package var updatedAt: Instant

  package init(
    id: LoanRequestID, borrowerID: OrganizationID, workload: Workload, endUse: String, quantity: Int64,
    minQuantity: Int64, multipleOf: Int64, sameModel: Bool, sameSite: Bool, maxLenders: Int64?,
    acceptable: [AcceptableChip], regions: [String], termDays: Int64, startOn: CalendarDate, startByOn: CalendarDate,
    deliveryMode: DeliveryMode, repayment: RepaymentTerms, autoAccept: Bool, validUntil: Instant?, sequence: Int64,
    offered: Int64 = 0, matched: Int64 = 0, state: LoanRequestState = .open, version: Int64 = 1, createdAt: Instant,
    updatedAt: Instant
  ) {
    self.id = id
    self.borrowerID = borrowerID
    self.workload = workload
    self.endUse = endUse
    self.quantity = quantity
    self.minQuantity = minQuantity
    self.multipleOf = multipleOf
    self.sameModel = sameModel
    self.sameSite = sameSite
    self.maxLenders = maxLenders
    self.acceptable = acceptable
    self.regions = regions
    self.termDays = termDays
    self.startOn = startOn
    self.startByOn = startByOn
    self.deliveryMode = deliveryMode
    self.repayment = repayment
    self.autoAccept = autoAccept
    self.validUntil = validUntil
    self.sequence = sequence
    self.offered = offered
    self.matched = matched
    self.state = state
    self.version = version
    self.createdAt = createdAt
    self.updatedAt = updatedAt
  }

  /// Units still looked for.
  package var remaining: Int64 { max(0, quantity - offered - matched) }
}

extension LoanRequest {
  /// Takes part in a round at that moment. A held request does: another round may find a chip that is clear.
  package func isOpen(at now: Instant) -> Bool {
    switch state {
    case .open, .held, .partlyMatched:
      guard remaining > 0 else { return false }
      if let validUntil { return now < validUntil }
      return true
    case .matched, .cancelled, .expired: return false
    }
  }

  /// The state that follows from the quantities, where the request is still alive.
  private var settledState: LoanRequestState {
    if matched + offered >= quantity { return .matched }
    return matched + offered > 0 ? .partlyMatched : .open
  }

  /// An offer was made for units of it.
  package mutating func offer(_ count: Int64, at now: Instant) throws(LendingRefusal) {
    guard isOpen(at: now) else { throw .illegalState(object: "loan request", state: state.rawValue, act: "offer") }
    guard count > 0, count <= remaining else { throw .moreThanWanted(count, remaining: remaining) }
    offered += count
    state = settledState
  }

  /// A pending offer was accepted.
  package mutating func match(_ count: Int64) {
    offered -= count
    matched += count
    if state != .cancelled, state != .expired { state = settledState }
  }

  /// A pending offer was declined or lapsed.
  package mutating func release(_ count: Int64) {
    offered -= count
    if state != .cancelled, state != .expired { state = settledState }
  }

  /// Every chip it would take is held by a verdict, or no longer.
  package mutating func setHeld(_ held: Bool) {
    switch (state, held) {
    case (.open, true): state = .held
    case (.held, false): state = settledState
    default: break
    }
  }

  /// Ends the search. Loans already agreed go on.
  package mutating func cancel() throws(LendingRefusal) {
    switch state {
    case .open, .held, .partlyMatched:
      guard offered == 0 else { throw .offersPending(offered) }
      state = .cancelled
    case .matched, .cancelled, .expired:
      throw .illegalState(object: "loan request", state: state.rawValue, act: "cancel")
    }
  }

  /// Its validity is over.
  package mutating func expire() {
    switch state {
    case .open, .held, .partlyMatched: state = .expired
    case .matched, .cancelled, .expired: break
    }
  }
}
