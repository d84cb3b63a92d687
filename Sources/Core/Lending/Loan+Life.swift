import Primitives

// What can happen to a loan between its delivery and its end, beside payments and returns. Each act refuses with the
// present state named, and changes nothing then.
extension Loan {
  /// The lender calls the chips back. The fee goes on; what is due stays due.
  /// - Parameters:
  ///   - noticeDays: at least what the listing promised.
  ///   - adjusted: where the end of the notice goes that is no business day: never before it.
  package mutating func recall(
    on date: CalendarDate, noticeDays: Int64, adjusted: CalendarDate? = nil
  ) throws(LendingRefusal) {
    try require(.recall)
    guard life.recall == nil else {
      throw .illegalState(object: "loan", state: LoanState.recalled.rawValue, act: Act.recall.rawValue)
    }
    guard let least = terms.recallNoticeDays else { throw .loan(.recallNotContracted) }
    guard noticeDays >= least else { throw .loan(.noticeTooShort(noticeDays, least: least)) }
    try requireNotBeforeDelivery(date)
    guard let dueOn = date.adding(days: noticeDays) else { throw .overflow }
    life.recall = LoanLife.Recall(on: date, dueOn: max(dueOn, adjusted ?? dueOn))
    state = standing
  }

  /// The lender calls the recall off.
  package mutating func withdrawRecall() throws(LendingRefusal) {
    try require(.withdrawRecall)
    guard life.recall != nil else {
      throw .illegalState(object: "loan", state: state.rawValue, act: Act.withdrawRecall.rawValue)
    }
    life.recall = nil
    state = standing
  }

  /// A recall whose notice ran out with chips still out: everything is due, and overdue at once.
  /// - Returns: whether it did anything.
  package mutating func escalateRecall(on date: CalendarDate) throws(LendingRefusal) -> Bool {
    guard let recall = life.recall, recall.dueOn < date, unitsOut > 0, life.overdueSince == nil,
      Act.becomeDue.from.contains(state)
    else { return false }
    try becomeDue(LoanDue(cause: .recall, causeID: id.value, since: recall.dueOn, amount: nil))
    if state == .due { try fallOverdue(since: recall.dueOn) } else { life.overdueSince = recall.dueOn }
    return true
  }

  /// What is due was not paid within its grace.
  package mutating func fallOverdue(since date: CalendarDate) throws(LendingRefusal) {
    try require(.fallOverdue)
    life.overdueSince = date
    state = standing
  }

  /// The day from which what is due would be overdue; nil while nothing is.
  package var overdueFrom: CalendarDate? {
    guard let due, let graceEnds = due.since.adding(days: Self.graceDays) else { return nil }
    guard let paused = life.pausedUntil else { return graceEnds }
    return max(graceEnds, paused)
  }

  // MARK: amendments

  /// Another rate from a day on, over whatever was agreed for later days before. Fees already posted for such days are
  /// restated apart, by `restateFee`.
  package mutating func reRate(_ change: RateChange) throws(LendingRefusal) {
    try require(.reRate)
    try requireNotBeforeDelivery(change.from, pointer: "/from_on")
    let kept = life.rates.filter { $0.from < change.from }
    guard kept.count < Self.mostRateChanges else { throw .loan(.tooManyChanges(Self.mostRateChanges)) }
    let rates = kept + [change]
    let before = ratePeriods(from: change.from, to: .latest)
    guard Self.periods(rates, before: terms.rate, from: change.from, to: .latest) != before else {
      throw .loan(.nothingChanges(pointer: "/rate_bps"))
    }
    life.rates = rates
  }

  /// A backdated rate: the fee of its days as it was posted goes out, as it should have been comes in. What the lower
  /// rate gives back beyond the fee still unpaid is taken off the principal, then off the charges.
  /// - Returns: what was taken off principal and charges.
  package mutating func restateFee(
    reversed: Int64, restated: Int64, residue: Int64
  ) throws(LendingRefusal) -> Debt {
    try require(.reRate)
    let (fee, total): (Int64, Int64)
    do throws(ArithmeticOverflow) {
      let change = try restated.subtracting(reversed)
      fee = try outstanding.fee.adding(change)
      total = try feeAccruedTotal.adding(change)
      if change > 0 { _ = try outstanding.total().adding(change) }
    } catch { throw .overflow }
    let excess = max(0, -fee)
    let others = outstanding.principal + outstanding.charges
    guard excess <= others else { throw .loan(.givesBackMoreThanOwed(excess, owed: others)) }
    var taken = outstanding.ofCharges(max(0, excess - outstanding.principal))
    taken.principal = min(excess, outstanding.principal)
    feeAccruedTotal = total
    accrualResidue = residue
    outstanding.fee = max(0, fee)
    outstanding.charges -= taken.charges
    outstanding.tax -= taken.tax
    takePrincipal(taken.principal)
    trimDue()
    return taken
  }

  /// A later maturity. A loan that is due because it matured is no longer.
  package mutating func extend(to date: CalendarDate, on today: CalendarDate) throws(LendingRefusal) {
    try require(.extend)
    try requireAfter(max(maturesOn, today), date, pointer: "/matures_on")
    life.extendedTo = date
    if due?.cause == .maturity {
      due = nil
      life.overdueSince = nil
    }
    state = standing
  }

  /// A payment holiday: nothing is overdue until it ends. The fee goes on.
  package mutating func pause(until date: CalendarDate, on today: CalendarDate) throws(LendingRefusal) {
    try require(.pause)
    try requireAfter(max(today, life.pausedUntil ?? today), date, pointer: "/until_on")
    life.pausedUntil = date
    life.pauses.append(LoanLife.Pause(from: today, through: date))
    life.overdueSince = nil
    state = standing
  }

  /// The longest that an amendment moves a date ahead: ten years.
  private static let mostDaysAhead: Int64 = 3_650

  private func requireAfter(
    _ bound: CalendarDate, _ date: CalendarDate, pointer: String
  ) throws(LendingRefusal) {
    let earliest = bound.adding(days: 1) ?? bound
    let latest = bound.adding(days: Self.mostDaysAhead) ?? .latest
    guard date >= earliest, date <= latest else {
      throw .loan(.dateOutOfRange(pointer: pointer, given: date, earliest: earliest, latest: latest))
    }
  }

  private func requireNotBeforeDelivery(
    _ date: CalendarDate, pointer: String? = nil
  ) throws(LendingRefusal) {
    // Days before it came to its lender are of the lender before.
    let earliest = max(deliveredOn ?? terms.tradeOn, life.acquired?.on ?? terms.tradeOn)
    if date >= earliest { return }
    guard let pointer else { throw .dateOutOfOrder(given: date, earliest: earliest) }
    throw .loan(.dateOutOfRange(pointer: pointer, given: date, earliest: earliest, latest: .latest))
  }

  private func owed() throws(LendingRefusal) -> Int64 {
    do throws(ArithmeticOverflow) { return try outstanding.total() } catch { throw .overflow }
  }

  /// What is due is at most what is owed.
  mutating func trimDue() {
    if let amount = due?.amount, let owed = try? outstanding.total() {
      due?.amount = min(amount, owed)
      if owed == 0 { due = nil }
    }
    settle()
  }

  // MARK: default

  /// The lender declares a default. The fee stops here, so it is to be posted up to that day first.
  package mutating func declareDefault(
    _ cause: DefaultCause, on date: CalendarDate, cureUntil: CalendarDate?
  ) throws(LendingRefusal) {
    try require(.declareDefault)
    if cause == .nonPayment, life.overdueSince == nil { throw .loan(.notOverdue(state)) }
    try requireNotBeforeDelivery(date)
    life.default = LoanLife.Default(cause: cause, on: date, cureUntil: cureUntil)
    state = standing
  }

  /// The default is cured: nothing is due any more. The fee of the days in default is posted with the next accrual, since
  /// the contract goes on as if it had never stopped.
  package mutating func cure() throws(LendingRefusal) {
    try require(.cure)
    if let due {
      let all = try owed()
      throw .loan(.stillDue(due.amount ?? all))
    }
    life.default = nil
    state = standing
  }

  /// Everything is due because of the default.
  package mutating func accelerate(on date: CalendarDate) throws(LendingRefusal) {
    try require(.accelerate)
    guard life.default?.acceleratedOn == nil else {
      throw .illegalState(object: "loan", state: "accelerated", act: Act.accelerate.rawValue)
    }
    try requireCureTimeOver(date)
    life.default?.acceleratedOn = date
    due = LoanDue(cause: .acceleration, causeID: id.value, since: due.map { min($0.since, date) } ?? date, amount: nil)
  }

  /// Remedies follow the declaration, and the time that was given to cure it.
  private func requireCureTimeOver(_ date: CalendarDate) throws(LendingRefusal) {
    guard let fault = life.default else { return }
    guard date >= fault.on else { throw .dateOutOfOrder(given: date, earliest: fault.on) }
    if let until = fault.cureUntil, date <= until { throw .loan(.cureTimeRunning(until: until)) }
  }

  /// The lender writes part of the claim off in its own accounting. The claim stands.
  package mutating func writeOff(_ amount: Int64) throws(LendingRefusal) {
    try require(.writeOff)
    guard amount > 0 else {
      throw .termsDisagree(pointer: "/amount/amount", detail: "The amount must be at least 1.")
    }
    let left = try owed() - life.writtenOff
    guard amount <= left else {
      throw .loan(.moreThanClaimed(pointer: "/amount/amount", wanted: amount, claimed: left))
    }
    life.writtenOff += amount
  }

  /// What was written off and is no longer claimed, because it was paid, credited or forgiven after all.
  /// - Returns: minor units, zero where the claim still covers it.
  package mutating func releaseWriteOff() throws(LendingRefusal) -> Int64 {
    let released = max(0, life.writtenOff - (try owed()))
    life.writtenOff -= released
    return released
  }

  /// The lender releases the borrower from part of the debt: it is gone in both books.
  package mutating func forgive(_ amounts: Debt) throws(LendingRefusal) {
    try require(.forgive)
    for (pointer, wanted, owed) in [
      ("/charges", amounts.otherCharges, outstanding.otherCharges), ("/tax", amounts.tax, outstanding.tax),
      ("/fee", amounts.fee, outstanding.fee), ("/principal", amounts.principal, outstanding.principal),
    ] where wanted < 0 || wanted > owed {
      throw .loan(.moreThanClaimed(pointer: pointer + "/amount", wanted: wanted, claimed: owed))
    }
    guard !amounts.isZero else { throw .loan(.nothingChanges(pointer: "/principal")) }
    do throws(ArithmeticOverflow) { life.forgiven = try life.forgiven.adding(amounts.total()) } catch {
      throw .overflow
    }
    outstanding.charges -= amounts.charges
    outstanding.tax -= amounts.tax
    outstanding.fee -= amounts.fee
    takePrincipal(amounts.principal)
    trimDue()
  }

  // MARK: chips

  /// Units are lost to a casualty: their principal is due, and the borrower bears it.
  /// - Parameter principal: their share of what is outstanding.
  package mutating func loseUnits(
    _ count: Int64, principal: Int64, on date: CalendarDate
  ) throws(LendingRefusal) {
    try require(.loseUnits)
    guard count > 0 else { throw .quantityNotPositive }
    guard count <= unitsOut else { throw .moreThanOut(count, out: unitsOut) }
    guard principal >= 0, principal <= principalOfUnits else {
      throw .termsDisagree(pointer: "/quantity", detail: "The value exceeds the outstanding principal.")
    }
    try requireNotBeforeDelivery(date)
    unitsOut -= count
    life.unitsLost += count
    life.casualtyPrincipal += principal
    if principal > 0 { claim(LoanDue(cause: .casualty, causeID: id.value, since: date, amount: principal)) }
    settle()
  }

  /// An amount more is due, in whatever state: a casualty asks nobody's leave.
  mutating func claim(_ more: LoanDue) {
    guard let present = due else {
      due = more
      if state == .active || state == .recalled { state = .due }
      return
    }
    guard let old = present.amount, let new = more.amount else { return }
    // Both are parts of a debt that fits.
    due?.amount = min(old.addingReportingOverflow(new).partialValue, (try? outstanding.total()) ?? Int64.max)
  }

  /// The lender takes units back in default. What they bring is credited when they are sold, not now.
  package mutating func repossess(_ count: Int64, on date: CalendarDate) throws(LendingRefusal) {
    try require(.repossess)
    try requireCureTimeOver(date)
    guard count > 0 else { throw .quantityNotPositive }
    guard count <= unitsOut else { throw .moreThanOut(count, out: unitsOut) }
    unitsOut -= count
    life.unitsRepossessed += count
  }

  /// What became of chips that were taken back: sold on, or kept by the lender. Their price is collateral money, booked
  /// when it comes.
  package mutating func dispose(_ count: Int64, _ outcome: Disposal) throws(LendingRefusal) {
    try require(.dispose)
    guard count > 0 else { throw .quantityNotPositive }
    guard count <= unitsToDispose else { throw .loan(.moreThanRepossessed(count, left: unitsToDispose)) }
    switch outcome {
    case .sold: life.unitsResold += count
    case .kept: life.unitsKept += count
    }
  }

  /// Compliance stops the chips and the title. Cash still discharges the debt.
  package mutating func freeze(on date: CalendarDate, reason: String) throws(LendingRefusal) {
    try require(.freeze)
    try requireNotBeforeDelivery(date)
    life.hold = LoanLife.Hold(on: date, reason: reason)
    state = standing
  }

  /// The hold ends, and the loan is what its other facts say. One whose debt was paid meanwhile waits for its title.
  package mutating func unfreeze() throws(LendingRefusal) {
    try require(.unfreeze)
    guard life.hold != nil else {
      throw .illegalState(object: "loan", state: state.rawValue, act: Act.unfreeze.rawValue)
    }
    life.hold = nil
    if state == .frozen { state = standing }
  }
}

/// What becomes of chips that a lender took back.
package enum Disposal: String, Sendable, Hashable, CaseIterable {
  /// To somebody else; they leave the market.
  case sold
  /// Available again, to be lent.
  case kept
}
