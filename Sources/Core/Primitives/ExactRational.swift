/// A fraction of whole numbers of any size, in lowest terms: what interest is before it is rounded, once.
///
/// Equal values are equal bit for bit. Sums and products reduce, which costs a greatest common divisor each; a power
/// does not need to.
package struct ExactRational: Sendable, Hashable, Comparable, CustomStringConvertible {
  package let numerator: WideInteger
  /// Above zero.
  package let denominator: WideInteger

  package static let zero = ExactRational(WideInteger.zero)
  package static let one = ExactRational(WideInteger.one)

  package init(_ value: WideInteger) { self.init(reduced: value, over: .one) }

  package init(_ value: some BinaryInteger) { self.init(WideInteger(value)) }

  /// - Throws: `ArithmeticOverflow` when the denominator is zero.
  package init(_ numerator: WideInteger, over denominator: WideInteger) throws(ArithmeticOverflow) {
    guard !denominator.isZero else { throw ArithmeticOverflow() }
    self.init(numerator, overNonZero: denominator)
  }

  /// Reduces, and moves the sign to the numerator. The denominator is a product of such as are not zero.
  private init(_ numerator: WideInteger, overNonZero denominator: WideInteger) {
    let divisor = numerator.greatestCommonDivisor(with: denominator)
    let sign: WideInteger = denominator.isNegative ? -1 : 1
    // The divisor divides both exactly, so neither quotient has anything to round.
    guard divisor != .one, let top = try? (numerator * sign).divided(by: divisor, rounding: .down),
      let bottom = try? (denominator * sign).divided(by: divisor, rounding: .down)
    else {
      self.init(reduced: numerator * sign, over: denominator * sign)
      return
    }
    self.init(reduced: top, over: bottom)
  }

  private init(reduced numerator: WideInteger, over denominator: WideInteger) {
    self.numerator = numerator
    self.denominator = denominator
  }

  package var isZero: Bool { numerator.isZero }
  package var isNegative: Bool { numerator.isNegative }
  package var magnitude: ExactRational { ExactRational(reduced: numerator.magnitude, over: denominator) }

  package static func + (left: ExactRational, right: ExactRational) -> ExactRational {
    if left.denominator == right.denominator {
      return ExactRational(left.numerator + right.numerator, overNonZero: left.denominator)
    }
    return ExactRational(
      left.numerator * right.denominator + right.numerator * left.denominator,
      overNonZero: left.denominator * right.denominator)
  }

  package static func - (left: ExactRational, right: ExactRational) -> ExactRational { left + -right }

  package static func * (left: ExactRational, right: ExactRational) -> ExactRational {
    ExactRational(left.numerator * right.numerator, overNonZero: left.denominator * right.denominator)
  }

  package static prefix func - (operand: ExactRational) -> ExactRational {
    ExactRational(reduced: -operand.numerator, over: operand.denominator)
  }

  package static func < (left: ExactRational, right: ExactRational) -> Bool {
    left.numerator * right.denominator < right.numerator * left.denominator
  }

  /// - Throws: `ArithmeticOverflow` when the divisor is zero.
  package func divided(by divisor: ExactRational) throws(ArithmeticOverflow) -> ExactRational {
    try ExactRational(numerator * divisor.denominator, over: denominator * divisor.numerator)
  }

  /// The power; an exponent below 0 counts as 0. Coprime stays coprime, so nothing is reduced.
  package func power(_ exponent: Int) -> ExactRational {
    ExactRational(reduced: numerator.power(exponent), over: denominator.power(exponent))
  }

  /// The decimal with exactly so many places under the named rounding; places below 0 count as 0.
  package func rounded(places: Int, rounding: Rounding) -> DecimalNumeral {
    let places = max(0, places)
    let scaled = numerator * .powerOfTen(places)
    // The denominator is above zero, the only thing that a division refuses.
    let unscaled = (try? scaled.divided(by: denominator, rounding: rounding)) ?? scaled
    return DecimalNumeral(unscaled: unscaled, places: places)
  }

  /// `7/3`, or `7` for a whole number.
  package var description: String { denominator == .one ? "\(numerator)" : "\(numerator)/\(denominator)" }
}
