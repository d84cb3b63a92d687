import Primitives

extension Loan {
  /// What can happen to a loan, with the states from which it can.
  package enum Act: String, Sendable, Hashable, CaseIterable {
    case dispatch
    case acceptDelivery = "accept delivery"
    case accrue
    case charge
    case becomeDue = "become due"
    case withdrawDue = "withdraw what is due"
    case pay
    case startReturn = "start a return"
    case finishReturn = "finish a return"
    case passTitle = "pass title"
    case recall
    case withdrawRecall = "withdraw the recall"
    case fallOverdue = "fall overdue"
    case reRate = "re-rate"
    case extend
    case pause = "pause payments"
    case declareDefault = "declare a default"
    case cure
    case accelerate
    case writeOff = "write off"
    case forgive
    case loseUnits = "lose units"
    case repossess
    case dispose
    case freeze
    case unfreeze
    case reportDevice = "report a device event"
    case substitute
    case reinstate
    case assign
    case assume = "take over"

    package var from: Set<LoanState> {
      switch self {
      case .dispatch: [.agreed]
      case .acceptDelivery: [.inTransit]
      case .accrue: [.active, .due, .overdue, .recalled, .frozen, .reinstated]
      case .charge: [.active, .due, .overdue, .defaulted, .recalled, .frozen, .reinstated]
      case .becomeDue: [.active, .due, .overdue, .defaulted, .recalled, .frozen, .reinstated]
      case .withdrawDue: [.due, .overdue, .defaulted, .frozen]
      case .pay: [.active, .due, .overdue, .defaulted, .recalled, .frozen, .reinstated]
      case .startReturn: [.active, .due, .overdue, .defaulted, .recalled]
      case .finishReturn: [.active, .due, .overdue, .defaulted, .recalled, .frozen, .titlePending]
      case .passTitle: [.titlePending]
      case .recall: [.active, .due]
      case .withdrawRecall: [.recalled, .due]
      case .fallOverdue: [.due, .reinstated]
      case .reRate, .extend, .pause, .substitute: [.active, .due, .overdue, .recalled]
      case .assign: [.active, .due, .overdue, .defaulted, .recalled]
      case .declareDefault: [.active, .due, .overdue, .recalled, .reinstated]
      case .cure, .accelerate, .repossess: [.defaulted]
      case .writeOff, .forgive: [.active, .due, .overdue, .defaulted, .recalled, .frozen, .reinstated]
      case .loseUnits: [.active, .due, .overdue, .defaulted, .recalled, .frozen]
      case .freeze: [.active, .due, .overdue, .defaulted, .recalled, .reinstated]
      case .dispose: [.defaulted, .closed]
      case .unfreeze: [.frozen, .titlePending]
      // What is due, late or called back is settled between those whom it concerns.
      case .assume: [.active]
      case .reportDevice: [.active, .due, .overdue, .defaulted, .recalled, .frozen]
      case .reinstate:
        [.active, .due, .overdue, .defaulted, .recalled, .frozen, .titlePending, .closed, .reinstated]
      }
    }
  }

  package func require(_ act: Act) throws(LendingRefusal) {
    guard act.from.contains(state) else {
      throw .illegalState(object: "loan", state: state.rawValue, act: act.rawValue)
    }
  }

  /// The lender hands the chips to a carrier, or opens them for hosted use.
  package mutating func dispatch(on date: CalendarDate) throws(LendingRefusal) {
    try require(.dispatch)
    guard date >= terms.tradeOn else { throw .dateOutOfOrder(given: date, earliest: terms.tradeOn) }
    state = .inTransit
    possession = .inTransit
    dispatchedOn = date
  }

  /// The borrower accepts the delivery: the principal is owed from here on, and the fee accrues.
  package mutating func acceptDelivery(on date: CalendarDate) throws(LendingRefusal) {
    try require(.acceptDelivery)
    let earliest = dispatchedOn ?? terms.tradeOn
    guard date >= earliest else { throw .dateOutOfOrder(given: date, earliest: earliest) }
    state = .active
    possession = .borrower
    deliveredOn = date
    accruedThrough = date
    unitsOut = terms.quantity
    outstanding.principal = terms.principal.amount
    securityInterest = SecurityInterest(
      registry: "chipbridge", number: "SI-\(id.value)", filedOn: date)
  }

  /// Adds a fee that was accrued to the debt.
  /// - Throws: `overflow` when the debt in all would pass Int64; nothing is changed then.
  package mutating func addFee(_ amount: Int64) throws(LendingRefusal) {
    try require(.accrue)
    do throws(ArithmeticOverflow) {
      var debt = outstanding
      debt.fee = try debt.fee.adding(amount)
      _ = try debt.total()
      feeAccruedTotal = try feeAccruedTotal.adding(amount)
      outstanding = debt
    } catch { throw .overflow }
    settle()
  }

  /// Adds a charge, for example for the condition of returned chips.
  /// - Throws: `overflow` when the debt in all would pass Int64; nothing is changed then.
  package mutating func addCharge(_ amount: Int64) throws(LendingRefusal) {
    try require(.charge)
    do throws(ArithmeticOverflow) {
      var debt = outstanding
      debt.charges = try debt.charges.adding(amount)
      _ = try debt.total()
      outstanding = debt
    } catch { throw .overflow }
    settle()
  }

  /// All of it, or an amount of it, is due. A larger claim replaces a smaller one; two amounts add up to at most all.
  package mutating func becomeDue(_ claim: LoanDue) throws(LendingRefusal) {
    try require(.becomeDue)
    var claim = claim
    if let present = due {
      switch (present.amount, claim.amount) {
      case (nil, _): return
      case (_, nil): break
      case (let old?, let new?):
        do throws(ArithmeticOverflow) { claim.amount = min(try old.adding(new), try outstanding.total()) } catch {
          throw .overflow
        }
        claim.since = min(claim.since, present.since)
      }
    }
    due = claim
    // A loan that is overdue or in default stays so, and a hold stays on what becomes due under it.
    switch state {
    case .overdue, .defaulted, .frozen: break
    default: state = .due
    }
  }

  /// A round turned out smaller: an amount is not due any more. The debt itself stays.
  /// - Parameter amount: above 0; more than is due withdraws all of it.
  /// - Throws: `illegalState` also where nothing is due, or for another reason than a round.
  package mutating func withdrawDue(_ amount: Int64) throws(LendingRefusal) {
    try require(.withdrawDue)
    guard let present = due, present.cause == .fundingRound, amount > 0 else {
      throw .illegalState(object: "loan", state: state.rawValue, act: Act.withdrawDue.rawValue)
    }
    // The parts sum within Int64: a loan never lets them pass it.
    let collectable = present.amount ?? outstanding.principal + outstanding.fee + outstanding.charges
    if amount < collectable { due?.amount = collectable - amount } else { due = nil }
    settle()
  }

  /// Takes a payment on the three parts of the debt.
  /// - Throws: `moreThanOwed` as a `termsDisagree` when a part exceeds what is outstanding.
  package mutating func pay(_ payment: Debt) throws(LendingRefusal) {
    try require(.pay)
    guard payment.charges >= payment.tax, payment.tax >= 0, payment.fee >= 0, payment.principal >= 0,
      payment.tax <= outstanding.tax, payment.otherCharges <= outstanding.otherCharges,
      payment.fee <= outstanding.fee, payment.principal <= outstanding.principal
    else { throw .termsDisagree(pointer: "/amount", detail: "A payment exceeds what is outstanding.") }
    outstanding.charges -= payment.charges
    outstanding.tax -= payment.tax
    outstanding.fee -= payment.fee
    if terms.tax?.withholding != nil {
      // Fee that was paid was accrued, on this loan or on the one that it came of; both fit.
      life.tax.feePaid = life.tax.feePaid.addingReportingOverflow(payment.fee).partialValue
    }
    takePrincipal(payment.principal)
    if let amount = due?.amount {
      // The parts are at most what was outstanding, and a loan never lets that, summed, past Int64.
      let left = amount - payment.charges - payment.fee - payment.principal
      if left > 0 { due?.amount = left } else { due = nil }
    }
    settle()
  }

  /// A loan that goes on with nothing due goes back to what its other facts say; one that is about to end stays as it is
  /// until it does.
  mutating func settle() {
    if due == nil { life.overdueSince = nil }
    if unitsInDebt == 0, life.recall != nil {
      life.recall = nil
      if state == .recalled { state = standing }
    }
    if state == .due || state == .overdue, due == nil, completion == .running { state = standing }
  }

  /// Principal goes down, that of lost units first: it alone is due for a reason of its own.
  mutating func takePrincipal(_ amount: Int64) {
    outstanding.principal -= amount
    life.casualtyPrincipal = max(0, life.casualtyPrincipal - amount)
  }

  /// Units leave the borrower on their way back.
  package mutating func startReturn(_ count: Int64) throws(LendingRefusal) {
    try require(.startReturn)
    guard count > 0 else { throw .quantityNotPositive }
    guard count <= unitsOut else { throw .moreThanOut(count, out: unitsOut) }
    unitsOut -= count
    unitsReturning += count
    settle()
  }

  /// Inspected units are credited against the principal.
  package mutating func finishReturn(_ count: Int64, credit: Int64) throws(LendingRefusal) {
    try require(.finishReturn)
    guard count > 0, count <= unitsReturning else { throw .moreThanOut(count, out: unitsReturning) }
    guard credit >= 0, credit <= principalOfUnits else {
      throw .termsDisagree(pointer: "/quantity", detail: "The credit exceeds the outstanding principal.")
    }
    unitsReturning -= count
    unitsReturned += count
    outstanding.principal -= credit
    if let amount = due?.amount {
      let left = min(amount, outstanding.principal + outstanding.fee + outstanding.charges)
      due?.amount = left
      if left == 0 { due = nil }
    }
    settle()
  }

  /// What a loan without debt still waits for.
  package enum Completion: Sendable, Hashable {
    /// Something is owed, or chips are on their way back.
    case running
    /// Chips stay with the borrower: title passes when a verdict lets it.
    case titleAct(units: Int64)
    /// Nothing is out: it can close.
    case closable
  }

  /// Where the loan stands once its debt may be zero.
  package var completion: Completion {
    guard isRunning, outstanding.isZero, unitsReturning == 0 else { return .running }
    return unitsOut > 0 ? .titleAct(units: unitsOut) : .closable
  }

  /// The debt is paid, and a verdict holds the title.
  package mutating func awaitTitle() {
    state = .titlePending
    title = .pending
    due = nil
    life.overdueSince = nil
  }

  /// Title to what stays passes, the lien is released, the loan ends.
  /// - Parameter forgiven: the last of the debt was forgiven, not paid.
  package mutating func close(on date: CalendarDate, titlePasses: Bool, forgiven: Bool = false) {
    if titlePasses {
      unitsOwned += unitsOut
      unitsOut = 0
      title = .borrower
    }
    closedAs = forgiven ? .forgiven : ending
    possession = unitsOwned == 0 ? .lender : .borrower
    // A loan that closes a second time has no lien any more: the release stands as it was given.
    if securityInterest?.releasedOn == nil { securityInterest?.releasedOn = date }
    state = .closed
    due = nil
    life.overdueSince = nil
    closedOn = date
  }

  /// How it ended, by where its units are.
  private var ending: LoanEnding {
    let back = unitsReturned > 0 || life.unitsRepossessed > 0
    switch (unitsOwned > 0, back, life.unitsLost > 0) {
    case (true, false, false): return .paidOff
    case (false, false, true): return .casualty
    case (false, _, false): return .returned
    default: return .mixed
    }
  }
}
