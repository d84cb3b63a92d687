/// How the remainder of a division is treated. Every division of money names one.
package enum Rounding: String, Sendable, Hashable, CaseIterable {
  /// To the nearest; a tie goes to the even neighbour (IEEE 754 roundTiesToEven, ISO 80000-1 B.3 rule A).
  case halfEven = "half_even"
  /// To the nearest; a tie goes away from zero.
  case halfUp = "half_up"
  /// Toward negative infinity.
  case down
  /// Toward positive infinity.
  case up
}

/// A sum or product left the range of its type, or a divisor was not positive. A defect of the input, never a trap.
package struct ArithmeticOverflow: Error, Sendable, Hashable {
  package init() {}
}

extension Int128 {
  /// The quotient of `self / divisor` under the named rounding.
  /// - Throws: `ArithmeticOverflow` when the divisor is not positive.
  package func divided(by divisor: Int128, rounding: Rounding) throws(ArithmeticOverflow) -> Int128 {
    guard divisor > 0 else { throw ArithmeticOverflow() }
    var (quotient, remainder) = quotientAndRemainder(dividingBy: divisor)
    if remainder < 0 {
      quotient -= 1
      remainder += divisor
    }
    // From here on 0 <= remainder < divisor and self == quotient * divisor + remainder.
    let roundsUp: Bool
    switch rounding {
    case .down: roundsUp = false
    case .up: roundsUp = remainder > 0
    case .halfEven, .halfUp:
      let complement = divisor - remainder
      if remainder == complement {
        roundsUp = rounding == .halfEven ? quotient % 2 != 0 : self >= 0
      } else {
        roundsUp = remainder > complement
      }
    }
    return roundsUp ? quotient + 1 : quotient
  }

  /// `self` as minor units, or an overflow error.
  package func asInt64() throws(ArithmeticOverflow) -> Int64 {
    guard let value = Int64(exactly: self) else { throw ArithmeticOverflow() }
    return value
  }
}

extension FixedWidthInteger {
  /// The sum, or an error in place of a trap.
  package func adding(_ other: Self) throws(ArithmeticOverflow) -> Self {
    let (value, overflow) = addingReportingOverflow(other)
    if overflow { throw ArithmeticOverflow() }
    return value
  }

  /// The difference, or an error in place of a trap.
  package func subtracting(_ other: Self) throws(ArithmeticOverflow) -> Self {
    let (value, overflow) = subtractingReportingOverflow(other)
    if overflow { throw ArithmeticOverflow() }
    return value
  }

  /// The product, or an error in place of a trap.
  package func multiplied(by other: Self) throws(ArithmeticOverflow) -> Self {
    let (value, overflow) = multipliedReportingOverflow(by: other)
    if overflow { throw ArithmeticOverflow() }
    return value
  }
}
