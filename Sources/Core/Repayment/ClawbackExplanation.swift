import Primitives

/// The record of one claw-back: what was left of the division of a receipt, what was taken back of it, and who lost what.
/// Whoever has its bytes can take back again and see the same.
///
/// Bytes, in the sense of `CanonicalBytes`: the version, currency, amount, order of loss, what was left of the remainder,
/// then the division as earlier claw-backs had left it (lines, premiums, remainder), and the loss (from the remainder,
/// lines and premiums withdrawn). The digest is SHA-256 over them.
package struct ClawbackExplanation: Sendable, Hashable {
  package let amount: Money
  package let order: Clawback.Order
  /// What of the remainder was still with the platform, minor units.
  package let remainderLeft: Int64
  /// The division, less what was taken back before.
  package let allocation: Allocation
  package let clawback: Clawback

  private static let version = "claw-back-1"

  /// - Throws: as `Clawback` does.
  package init(
    _ amount: Money, of allocation: Allocation, remainderLeft: Int64, order: Clawback.Order
  ) throws(RepaymentRefusal) {
    let clawback = try Clawback(amount.amount, of: allocation, remainderLeft: remainderLeft, order: order)
    self.init(
      amount: amount, order: order, remainderLeft: remainderLeft, allocation: allocation, clawback: clawback)
  }

  private init(
    amount: Money, order: Clawback.Order, remainderLeft: Int64, allocation: Allocation, clawback: Clawback
  ) {
    self.amount = amount
    self.order = order
    self.remainderLeft = remainderLeft
    self.allocation = allocation
    self.clawback = clawback
  }

  /// Whether taking back again gives what is recorded.
  package var isReproduced: Bool {
    let again = try? Clawback(amount.amount, of: allocation, remainderLeft: remainderLeft, order: order)
    return again == clawback
  }

  package var digest: SHA256Digest { SHA256Digest(of: canonicalBytes) }

  package var canonicalBytes: [UInt8] {
    var bytes = CanonicalBytes()
    bytes.append(Self.version)
    bytes.append(amount.currency.code)
    bytes.append(amount.amount)
    bytes.append(order.rawValue)
    bytes.append(remainderLeft)
    bytes.append(list: allocation.lines) { $1.write(to: &$0) }
    bytes.append(list: allocation.premiums) { bytes, premium in
      bytes.append(premium.loanID.value)
      for number in [premium.principal, premium.rate.value, premium.amount] { bytes.append(number) }
    }
    bytes.append(allocation.remainder)
    bytes.append(clawback.fromRemainder)
    bytes.append(list: clawback.lines) { bytes, line in
      bytes.append(line.loanID.value)
      bytes.append(line.lenderID.value)
      bytes.append(line.step.rawValue)
      bytes.append(line.cash)
      bytes.append(line.reinstated)
    }
    bytes.append(list: clawback.premiumsWithdrawn) { bytes, premium in
      bytes.append(premium.loanID.value)
      bytes.append(premium.amount)
    }
    return bytes.bytes
  }

  /// Reads what `canonicalBytes` wrote. Whether it is true is another question: see `isReproduced`.
  package init(canonicalBytes: [UInt8]) throws(CanonicalBytesError) {
    var reader = CanonicalReader(canonicalBytes)
    try reader.expect(Self.version)
    let currency = try reader.parsed("currency") { Currency($0) }
    let amount = Money(try reader.int64(), currency)
    let order: Clawback.Order = try reader.word("order of loss")
    let remainderLeft = try reader.int64()
    let lines = try reader.list(ofAtLeast: 120) { reader throws(CanonicalBytesError) in
      try Allocation.Line(from: &reader)
    }
    let premiums = try reader.list(ofAtLeast: 40) { reader throws(CanonicalBytesError) in
      Allocation.Premium(
        loanID: try reader.id(), principal: try reader.int64(), rate: BasisPoints(try reader.int64()),
        amount: try reader.int64())
    }
    let remainder = try reader.int64()
    let fromRemainder = try reader.int64()
    let lost = try reader.list(ofAtLeast: 56) { reader throws(CanonicalBytesError) in
      Clawback.Line(
        loanID: try reader.id(), lenderID: try reader.id(), step: try reader.word("step"), cash: try reader.int64(),
        reinstated: try reader.int64())
    }
    let withdrawn = try reader.list(ofAtLeast: 24) { reader throws(CanonicalBytesError) in
      Clawback.PremiumWithdrawn(loanID: try reader.id(), amount: try reader.int64())
    }
    try reader.finish()
    self.init(
      amount: amount, order: order, remainderLeft: remainderLeft,
      allocation: Allocation(lines: lines, declined: [], premiums: premiums, remainder: remainder),
      clawback: Clawback(fromRemainder: fromRemainder, lines: lost, premiumsWithdrawn: withdrawn))
    guard self.canonicalBytes == canonicalBytes else { throw .notCanonical }
  }
}

extension Allocation {
  /// Money that no claim has taken: it is the payer's, or nobody's yet.
  package init(unallocated amount: Int64) {
    self.init(lines: [], declined: [], premiums: [], remainder: amount)
  }

  /// What is left of a division once a claw-back of it is gone; what was declined has no part in it.
  /// - Parameter clawback: of this division, or read from a record: what does not fit it leaves less than nothing, which
  ///   is refused.
  /// - Throws: `RepaymentRefusal.takenBackMoreThanReceived`.
  package func less(_ clawback: Clawback) throws(RepaymentRefusal) -> Allocation {
    var lost: [LoanID: [WaterfallStep: Clawback.Line]] = [:]
    for line in clawback.lines { lost[line.loanID, default: [:]][line.step] = line }
    var kept: [Line] = []
    for line in lines {
      guard let loss = lost[line.loanID]?.removeValue(forKey: line.step) else {
        kept.append(line)
        continue
      }
      guard loss.cash <= line.amount, loss.reinstated <= line.discharged, loss.cash > 0, loss.reinstated >= 0 else {
        throw .takenBackMoreThanReceived(amount: loss.cash, received: line.amount)
      }
      if loss.cash < line.amount { kept.append(line.less(loss)) }
    }
    let stray = lost.values.flatMap(\.values).map(\.cash).max() ?? 0
    guard stray == 0 else { throw .takenBackMoreThanReceived(amount: stray, received: 0) }
    guard 0...remainder ~= clawback.fromRemainder else {
      throw .takenBackMoreThanReceived(amount: clawback.fromRemainder, received: remainder)
    }
    var left: [Premium] = []
    for premium in premiums {
      let back = clawback.lines.first { $0.loanID == premium.loanID && $0.step == .principal }?.reinstated ?? 0
      let gone = clawback.premiumsWithdrawn.first { $0.loanID == premium.loanID }?.amount ?? 0
      guard back <= premium.principal, gone <= premium.amount else {
        throw .takenBackMoreThanReceived(amount: gone, received: premium.amount)
      }
      if gone < premium.amount {
        left.append(
          Premium(
            loanID: premium.loanID, principal: premium.principal - back, rate: premium.rate,
            amount: premium.amount - gone))
      }
    }
    return Allocation(lines: kept, declined: [], premiums: left, remainder: remainder - clawback.fromRemainder)
  }
}

extension Allocation.Line {
  fileprivate func less(_ loss: Clawback.Line) -> Allocation.Line {
    Allocation.Line(
      loanID: loanID, lenderID: lenderID, step: step, amount: amount - loss.cash,
      discharged: discharged - loss.reinstated, isOwnLoan: isOwnLoan, hasAcceded: hasAcceded, rank: rank,
      weight: weight, numerator: numerator, denominator: denominator, limit: limit)
  }
}
