import Primitives

/// Whether the value behind a loan is what was agreed, on a day. A fall along the expected curve is no breach, however deep;
/// nor is any fall while what is there covers the debt.
package struct MarginTest: Sendable, Hashable {
  package let on: CalendarDate
  /// What the chips out were expected to be worth after the haircut, rounded up: against the borrower's comfort.
  package let expected: Money
  /// The share of it that must be there, rounded up, less what was repaid for calls; never more than is owed.
  package let required: Money
  /// Marked value after the haircut, rounded down, and deposits.
  package let held: Money
  /// What is missing; zero where nothing is.
  package let shortfall: Money

  package var isBreach: Bool { shortfall.amount > 0 }

  /// - Parameters:
  ///   - units: chips that are out, at least 0.
  ///   - mark: of one chip, not stale and not disputed.
  ///   - deposits: at least 0.
  ///   - outstanding: at least 0.
  ///   - repaid: principal that was paid for calls before it was due, at least 0; all of these in one currency. It is off
  ///     the debt, and so it comes off what must stand behind the debt: what is called for is enough, brought as a deposit
  ///     or as principal.
  ///   - haircut: taken off expected and marked value alike, 0 to below the whole; nil for what the parties agreed on.
  /// - Throws: `ValuationRefusal` across currencies, below zero, before the curve begins, or past the range.
  package init(
    _ terms: MarginTerms, on date: CalendarDate, units: Int64, mark: Money, deposits: Money, outstanding: Money,
    repaid: Money? = nil, haircut: BasisPoints? = nil
  ) throws(ValuationRefusal) {
    let currency = outstanding.currency
    let repaid = repaid ?? .zero(currency)
    for money in [mark, deposits, outstanding, repaid] {
      guard money.currency == currency else { throw .currencyDiffers(money.currency, currency) }
      guard money.amount >= 0 else { throw .negativeAmount(money) }
    }
    guard units >= 0 else { throw .negativeAmount(Money(units, currency)) }
    guard let micros = terms.curve.micros(on: date) else { throw .beforeTheCurve(date) }
    let haircut = haircut ?? terms.haircut
    guard (0..<10_000).contains(haircut.value) else { throw .overflow }
    let kept = Int128(10_000 - haircut.value)
    // 10 to the sixth for millionths over the minor units of the currency.
    let scale = WideInteger.powerOfTen(currency.minorUnitDigits)
    do {
      let value = WideInteger(micros) * WideInteger(units) * WideInteger(kept) * scale
      let expected = try Self.minor(value, over: WideInteger(1_000_000) * 10_000, .up)
      let share = WideInteger(expected) * WideInteger(terms.threshold.value)
      let required = min(outstanding.amount, max(0, try Self.minor(share, over: 10_000, .up) - repaid.amount))
      let marked = try Self.minor(
        WideInteger(mark.amount) * WideInteger(units) * WideInteger(kept), over: 10_000, .down)
      let held = try marked.adding(deposits.amount)
      on = date
      self.expected = Money(expected, currency)
      self.required = Money(required, currency)
      self.held = Money(held, currency)
      shortfall = Money(max(0, required - held), currency)
    } catch {
      throw .overflow
    }
  }

  private static func minor(
    _ value: WideInteger, over divisor: WideInteger, _ rounding: Rounding
  ) throws(ArithmeticOverflow) -> Int64 {
    guard let amount = try value.divided(by: divisor, rounding: rounding).int64 else { throw ArithmeticOverflow() }
    return amount
  }
}
