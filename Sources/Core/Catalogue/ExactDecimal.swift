import Primitives

/// A published chip figure (18.7 TFLOPS, 5.92 per mm2) exactly as printed: an integer over a power of ten, never
/// binary.
///
/// Kept without trailing zeros, so that equal values are equal bit for bit.
package struct ExactDecimal: Sendable, Hashable, Comparable, CustomStringConvertible {
  /// The value is `coefficient / 10^scale`.
  package let coefficient: Int128
  /// Digits after the point, 0 when the value is a whole number.
  package let scale: Int

  /// Significant digits taken from outside. A figure, a bit length and a threshold multiply without leaving Int128.
  package static let maxDigits = 18

  package static let zero = ExactDecimal(0)

  package init(_ value: Int64) { self.init(coefficient: Int128(value), scale: 0) }

  /// Strips trailing zeros. `scale` is not negative.
  private init(coefficient: Int128, scale: Int) {
    var (coefficient, scale) = (coefficient, scale)
    while scale > 0, coefficient % 10 == 0 {
      coefficient /= 10
      scale -= 1
    }
    self.coefficient = coefficient
    self.scale = scale
  }

  /// Parses `-?digits(.digits)?` with at most 18 digits in all, without leading zeros, signs of plus, spaces or
  /// exponents: one spelling less to mistake in a hostile file. Anything else is nil.
  package init?(_ text: some StringProtocol) {
    var bytes = Array(text.utf8)[...]
    let isNegative = bytes.first == 0x2D
    if isNegative { bytes = bytes.dropFirst() }
    let point = bytes.firstIndex(of: 0x2E)
    let whole = bytes[..<(point ?? bytes.endIndex)]
    let fraction = point.map { bytes[($0 + 1)...] } ?? []
    guard !whole.isEmpty, point == nil || !fraction.isEmpty, whole.count + fraction.count <= Self.maxDigits,
      whole.count == 1 || whole.first != 0x30
    else { return nil }
    var coefficient: Int128 = 0
    for byte in whole + fraction {
      guard byte >= 0x30, byte <= 0x39 else { return nil }
      coefficient = coefficient * 10 + Int128(byte - 0x30)
    }
    self.init(coefficient: isNegative ? -coefficient : coefficient, scale: fraction.count)
  }

  package var isNegative: Bool { coefficient < 0 }

  /// The exact product.
  /// - Throws: `ArithmeticOverflow` when it does not fit in 128 bits.
  package func multiplied(by other: ExactDecimal) throws(ArithmeticOverflow) -> ExactDecimal {
    ExactDecimal(coefficient: try coefficient.multiplied(by: other.coefficient), scale: scale + other.scale)
  }

  /// The exact sum.
  /// - Throws: `ArithmeticOverflow` when it does not fit in 128 bits.
  package func adding(_ other: ExactDecimal) throws(ArithmeticOverflow) -> ExactDecimal {
    let common = max(scale, other.scale)
    guard let left = Self.scaledUp(coefficient, by: common - scale),
      let right = Self.scaledUp(other.coefficient, by: common - other.scale)
    else { throw ArithmeticOverflow() }
    return ExactDecimal(coefficient: try left.adding(right), scale: common)
  }

  /// The quotient to `digits` places after the point, for display only: tests compare products.
  /// - Throws: `ArithmeticOverflow` when the divisor is not positive or an intermediate value does not fit.
  package func divided(
    by divisor: ExactDecimal, digits: Int, rounding: Rounding
  ) throws(ArithmeticOverflow) -> ExactDecimal {
    guard digits >= 0, divisor.coefficient > 0,
      let numerator = Self.scaledUp(coefficient, by: divisor.scale + digits),
      let denominator = Self.scaledUp(divisor.coefficient, by: scale)
    else { throw ArithmeticOverflow() }
    return ExactDecimal(coefficient: try numerator.divided(by: denominator, rounding: rounding), scale: digits)
  }

  package static func < (left: ExactDecimal, right: ExactDecimal) -> Bool {
    if left.scale == right.scale { return left.coefficient < right.coefficient }
    // The coarser side is brought to the finer scale. When that leaves 128 bits, its magnitude is above whatever the
    // other side holds, and its sign alone decides: the comparison is exact for all values.
    if left.scale < right.scale {
      guard let scaled = scaledUp(left.coefficient, by: right.scale - left.scale) else { return left.coefficient < 0 }
      return scaled < right.coefficient
    }
    guard let scaled = scaledUp(right.coefficient, by: left.scale - right.scale) else { return right.coefficient > 0 }
    return left.coefficient < scaled
  }

  /// Plain digits, no exponent and no trailing zeros: `300.8`, `4800`.
  package var description: String {
    guard scale > 0 else { return String(coefficient) }
    var digits = String(coefficient.magnitude)
    if digits.utf8.count <= scale { digits = String(repeating: "0", count: scale + 1 - digits.utf8.count) + digits }
    return "\(coefficient < 0 ? "-" : "")\(digits.dropLast(scale)).\(digits.suffix(scale))"
  }

  /// `value * 10^places`, nil past 128 bits.
  private static func scaledUp(_ value: Int128, by places: Int) -> Int128? {
    var value = value
    for _ in 0..<places {
      let (product, overflow) = value.multipliedReportingOverflow(by: 10)
      if overflow { return nil }
      if product == 0 { return 0 }
      value = product
    }
    return value
  }
}
