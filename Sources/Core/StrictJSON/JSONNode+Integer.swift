/// What a number is when an integer is asked for.
enum IntegerReading: Sendable, Equatable {
  case exact(Int64)
  case fractional
  /// An integer, but past what `Int64` holds.
  case tooLarge
}

extension JSONNode {
  /// The number when it is an integer within Int64, in any notation: `14460`, `14460.0` and `1e3` are integers to JSON
  /// Schema and to peers that write all numbers as floating point. Nil for `1.5`, for larger ones and for other kinds.
  /// Exact: reads the decimal digits, in time linear in their number.
  package var asInteger: Int64? {
    guard case .exact(let value) = integerReading else { return nil }
    return value
  }

  /// Nil for other kinds.
  var integerReading: IntegerReading? {
    let entry = tape.entries[index]
    guard entry.kind == .number else { return nil }
    return tape.withText(index) { text in
      // 18 digits and a sign cannot overflow; nearly every number met is one of these.
      entry.flag || text.count > 18 ? readDecimal(text) : .exact(readShortInteger(text))
    }
  }
}

/// At most 18 digits, or 17 and a sign.
private func readShortInteger(_ text: UnsafeBufferPointer<UInt8>) -> Int64 {
  var value: Int64 = 0
  for byte in text where byte != UInt8(ascii: "-") { value = value &* 10 &+ Int64(byte &- UInt8(ascii: "0")) }
  return text.first == UInt8(ascii: "-") ? -value : value
}

/// A number of the JSON grammar, in any length and notation. Keeps the digits up to the last one that is not zero as an
/// integer and counts the power of ten left over; an integer is what has no negative power.
private func readDecimal(_ text: UnsafeBufferPointer<UInt8>) -> IntegerReading {
  var magnitude: UInt64 = 0
  var isPastUInt64 = false
  var trailingZeros = 0
  var fractionDigits = 0
  var inFraction = false
  var offset = 0
  digits: while offset < text.count {
    let byte = text[offset]
    offset += 1
    switch byte {
    case UInt8(ascii: "-"): continue
    case UInt8(ascii: "."):
      inFraction = true
      continue
    case UInt8(ascii: "e"), UInt8(ascii: "E"): break digits
    default: break
    }
    if inFraction { fractionDigits += 1 }
    if byte == UInt8(ascii: "0") {
      // Zeros before the first digit that counts are nothing; later ones wait for a digit behind them.
      if magnitude > 0 || isPastUInt64 { trailingZeros += 1 }
      continue
    }
    if !isPastUInt64 {
      if let next = scaled(magnitude, by: magnitude == 0 ? 0 : trailingZeros + 1, adding: byte &- UInt8(ascii: "0")) {
        magnitude = next
      } else {
        isPastUInt64 = true
      }
    }
    trailingZeros = 0
  }
  guard magnitude > 0 || isPastUInt64 else { return .exact(0) }
  let power = readExponent(text, from: offset) - fractionDigits + trailingZeros
  if power < 0 { return .fractional }
  guard !isPastUInt64, let absolute = scaled(magnitude, by: power, adding: 0) else { return .tooLarge }
  if text.first == UInt8(ascii: "-") {
    return absolute <= Int64.min.magnitude ? .exact(Int64(truncatingIfNeeded: 0 &- absolute)) : .tooLarge
  }
  return absolute <= Int64.max.magnitude ? .exact(Int64(truncatingIfNeeded: absolute)) : .tooLarge
}

/// `value` times ten to the `power`, plus `digit`; nil past UInt64.
private func scaled(_ value: UInt64, by power: Int, adding digit: UInt8) -> UInt64? {
  guard power <= 20 else { return nil }
  var value = value
  for _ in 0..<power {
    let (product, overflow) = value.multipliedReportingOverflow(by: 10)
    if overflow { return nil }
    value = product
  }
  let (sum, overflow) = value.addingReportingOverflow(UInt64(digit))
  return overflow ? nil : sum
}

/// The exponent whose optional sign stands at `offset`. Held at 2^40: past any number of digits a text may have, so
/// the comparisons come out the same, and sums with it cannot overflow.
private func readExponent(_ text: UnsafeBufferPointer<UInt8>, from offset: Int) -> Int {
  let ceiling = 1 << 40
  var exponent = 0
  for byte in text[min(offset, text.count)...] where byte != UInt8(ascii: "+") && byte != UInt8(ascii: "-") {
    exponent = min(exponent * 10 + Int(byte &- UInt8(ascii: "0")), ceiling)
  }
  return offset < text.count && text[offset] == UInt8(ascii: "-") ? -exponent : exponent
}
