internal import BigInt

/// A whole number of any size, for arithmetic that must stay exact where 128 bits do not hold it: powers of growth
/// factors, level payments, fixed point with hundreds of bits.
///
/// Work grows with the number of digits: callers bound what they take from outside (`DecimalNumeral.maxDigits`).
package struct WideInteger: Sendable, Hashable, Comparable, CustomStringConvertible, ExpressibleByIntegerLiteral {
  private let value: BigInt

  private init(_ value: BigInt) { self.value = value }

  package init(_ value: some BinaryInteger) { self.value = BigInt(value) }

  package init(integerLiteral value: Int64) { self.value = BigInt(value) }

  /// Decimal digits alone, without a sign; nil for anything else and for none.
  package init?(digits: some StringProtocol) {
    guard !digits.isEmpty, digits.utf8.allSatisfy({ $0 >= 0x30 && $0 <= 0x39 }), let value = BigInt(digits, radix: 10)
    else { return nil }
    self.value = value
  }

  package static let zero = WideInteger(0 as Int64)
  package static let one = WideInteger(1 as Int64)

  package var isZero: Bool { value.isZero }
  package var isNegative: Bool { value.sign == .minus && !value.isZero }
  package var isOdd: Bool { value.magnitude.words.first.map { $0 & 1 == 1 } ?? false }
  package var magnitude: WideInteger { WideInteger(BigInt(value.magnitude)) }

  /// Bits of the magnitude: 0 for zero, 3 for 5 and for -5.
  package var bitCount: Int { value.magnitude.bitWidth }

  /// The value when it fits in 64 bits.
  package var int64: Int64? { Int64(exactly: value) }

  /// Decimal digits, a minus sign before them when negative.
  package var description: String { value.description }

  package static func + (left: WideInteger, right: WideInteger) -> WideInteger { WideInteger(left.value + right.value) }
  package static func - (left: WideInteger, right: WideInteger) -> WideInteger { WideInteger(left.value - right.value) }
  package static func * (left: WideInteger, right: WideInteger) -> WideInteger { WideInteger(left.value * right.value) }
  package static prefix func - (operand: WideInteger) -> WideInteger { WideInteger(-operand.value) }
  package static func < (left: WideInteger, right: WideInteger) -> Bool { left.value < right.value }

  /// Times 2^bits; `bits` is at least 0.
  package static func << (left: WideInteger, bits: Int) -> WideInteger {
    let shifted = BigInt(left.value.magnitude << bits)
    return WideInteger(left.isNegative ? -shifted : shifted)
  }

  /// Over 2^bits, toward negative infinity; `bits` is at least 0.
  package static func >> (left: WideInteger, bits: Int) -> WideInteger {
    guard left.isNegative else { return WideInteger(BigInt(left.value.magnitude >> bits)) }
    let roundedUp = (left.value.magnitude + (BigUInt(1) << bits) - 1) >> bits
    return WideInteger(-BigInt(roundedUp))
  }

  /// The power; an exponent below 0 counts as 0.
  package func power(_ exponent: Int) -> WideInteger { WideInteger(value.power(max(0, exponent))) }

  /// 10^exponent; an exponent below 0 counts as 0.
  package static func powerOfTen(_ exponent: Int) -> WideInteger { WideInteger(10 as Int64).power(exponent) }

  /// The greatest common divisor of the magnitudes; 0 only when both are 0.
  ///
  /// Euclid's algorithm, and within a machine word as soon as one of the two fits in it: denominators are days of a
  /// year times powers of ten, and nearly always do. The library's own halves bit by bit.
  package func greatestCommonDivisor(with other: WideInteger) -> WideInteger {
    var (larger, smaller) = (value.magnitude, other.value.magnitude)
    if larger < smaller { swap(&larger, &smaller) }
    while smaller.bitWidth > UInt64.bitWidth { (larger, smaller) = (smaller, larger % smaller) }
    guard !smaller.isZero else { return WideInteger(BigInt(larger)) }
    var (a, b) = (UInt64(truncatingIfNeeded: smaller), UInt64(truncatingIfNeeded: larger % smaller))
    while b != 0 { (a, b) = (b, a % b) }
    return WideInteger(a)
  }

  /// The quotient under the named rounding, as `Int128.divided(by:rounding:)` does it.
  /// - Throws: `ArithmeticOverflow` when the divisor is not positive.
  package func divided(by divisor: WideInteger, rounding: Rounding) throws(ArithmeticOverflow) -> WideInteger {
    guard divisor.value > 0 else { throw ArithmeticOverflow() }
    var (quotient, remainder) = value.quotientAndRemainder(dividingBy: divisor.value)
    if remainder < 0 {
      quotient -= 1
      remainder += divisor.value
    }
    // From here on 0 <= remainder < divisor and value == quotient * divisor + remainder.
    let roundsUp: Bool
    switch rounding {
    case .down: roundsUp = false
    case .up: roundsUp = !remainder.isZero
    case .halfEven, .halfUp:
      let doubled = remainder * 2
      if doubled == divisor.value {
        roundsUp = rounding == .halfEven ? WideInteger(quotient).isOdd : !isNegative
      } else {
        roundsUp = doubled > divisor.value
      }
    }
    return WideInteger(roundsUp ? quotient + 1 : quotient)
  }
}
