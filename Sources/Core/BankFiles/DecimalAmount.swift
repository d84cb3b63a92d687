import Primitives

/// Amounts as files write them, `1234.50`, and as the books count them, 123450 minor units.
package enum DecimalAmount {
  /// Why a text is no amount of a currency.
  package enum Fault: Error, Sendable, Hashable {
    case notANumber
    case negative
    /// More digits after the point than the currency has; zeros beyond them are counted too, since whoever writes them
    /// may mean another currency.
    case tooManyDecimals(allowed: Int)
    /// Above `Money.largestAccepted`.
    case tooLarge
  }

  /// Parses digits with at most one decimal point, no sign and no exponent (`xs:decimal` of an ISO 20022 amount).
  /// - Parameter allowsSign: takes a leading minus, as the comma-separated form writes debits.
  /// - Returns: minor units.
  package static func parse(
    _ text: some StringProtocol, _ currency: Currency, allowsSign: Bool = false
  ) throws(Fault) -> Int64 {
    var bytes = Array(text.utf8)[...]
    let isNegative = bytes.first == 0x2D
    if isNegative {
      bytes = bytes.dropFirst()
      guard allowsSign else { throw .negative }
    }
    var (value, decimals, digits): (Int64, Int?, Int) = (0, nil, 0)
    for byte in bytes {
      if byte == 0x2E, decimals == nil, digits > 0 {
        decimals = 0
      } else if byte >= 0x30, byte <= 0x39 {
        digits += 1
        decimals? += 1
        guard value <= Money.largestAccepted else { throw .tooLarge }
        value = value * 10 + Int64(byte - 0x30)
      } else {
        throw .notANumber
      }
    }
    guard digits > 0, decimals != 0 else { throw .notANumber }
    let allowed = currency.minorUnitDigits
    guard decimals ?? 0 <= allowed else { throw .tooManyDecimals(allowed: allowed) }
    for _ in (decimals ?? 0)..<allowed {
      guard value <= Money.largestAccepted else { throw .tooLarge }
      value *= 10
    }
    guard value <= Money.largestAccepted else { throw .tooLarge }
    return isNegative ? -value : value
  }

  /// The amount with exactly the currency's decimals: `1234.50`, `-0.05`, `1234` for JPY.
  package static func text(_ amount: Int64, _ currency: Currency) -> String {
    text(Int128(amount), decimals: currency.minorUnitDigits)
  }

  static func text(_ amount: Int128, decimals: Int) -> String {
    var digits = String(amount.magnitude)
    while digits.utf8.count <= decimals { digits = "0" + digits }
    let sign = amount < 0 ? "-" : ""
    return decimals == 0 ? sign + digits : "\(sign)\(digits.dropLast(decimals)).\(digits.suffix(decimals))"
  }
}
