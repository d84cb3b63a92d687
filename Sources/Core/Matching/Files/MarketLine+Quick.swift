extension MarketLine {
  /// Reads a line as programs write it: known members once each, plain ASCII texts without escapes, whole numbers of at
  /// most 18 digits. Anything else, right or wrong, it hands back.
  /// - Returns: false for the strict reader to look at.
  mutating func readQuickly(_ source: UnsafeBufferPointer<UInt8>) -> Bool {
    clear()
    var cursor = QuickCursor(source: source)
    guard cursor.take(UInt8(ascii: "{")) else { return false }
    var ordinal = 0
    repeat {
      guard let field = name(&cursor, ordinal), presence[field.rawValue] == .absent else { return false }
      ordinal += 1
      presence[field.rawValue] = .present
      let isRead: Bool
      switch field.shape {
      case .text: isRead = cursor.text(&texts[field.rawValue])
      case .integer: isRead = cursor.integer(&integers[field.rawValue])
      case .texts: isRead = readRegions(&cursor)
      case .objects: isRead = readClaims(&cursor)
      }
      guard isRead else { return false }
    } while cursor.take(UInt8(ascii: ","))
    return cursor.take(UInt8(ascii: "}")) && cursor.isAtEnd
  }

  /// The field whose name and colon stand next.
  private mutating func name(_ cursor: inout QuickCursor, _ ordinal: Int) -> MarketField? {
    guard cursor.take(UInt8(ascii: "\"")) else { return nil }
    if ordinal < expected.count, cursor.takeName(expected[ordinal].name) {
      return cursor.take(UInt8(ascii: ":")) ? expected[ordinal] : nil
    }
    expected.removeSubrange(min(ordinal, expected.count)...)
    for field in MarketField.allCases where cursor.takeName(field.name) {
      expected.append(field)
      return cursor.take(UInt8(ascii: ":")) ? field : nil
    }
    return nil
  }

  private mutating func readRegions(_ cursor: inout QuickCursor) -> Bool {
    guard cursor.take(UInt8(ascii: "[")) else { return false }
    repeat {
      var text = Text()
      guard cursor.text(&text) else { return false }
      regions.append(text)
    } while cursor.take(UInt8(ascii: ","))
    return cursor.take(UInt8(ascii: "]"))
  }

  private mutating func readClaims(_ cursor: inout QuickCursor) -> Bool {
    guard cursor.take(UInt8(ascii: "[")) else { return false }
    repeat {
      var claim = Claim()
      claim.hasChip = .present
      claim.hasRate = .present
      let isRead =
        cursor.take(UInt8(ascii: "{")) && cursor.take(UInt8(ascii: "\"")) && cursor.takeName("chip_model")
        && cursor.take(UInt8(ascii: ":")) && cursor.text(&claim.chip) && cursor.take(UInt8(ascii: ","))
        && cursor.take(UInt8(ascii: "\"")) && cursor.takeName("max_rate_bps") && cursor.take(UInt8(ascii: ":"))
        && cursor.integer(&claim.rate) && cursor.take(UInt8(ascii: "}"))
      guard isRead else { return false }
      claims.append(claim)
    } while cursor.take(UInt8(ascii: ","))
    return cursor.take(UInt8(ascii: "]"))
  }
}

/// A place in a line.
private struct QuickCursor {
  let source: UnsafeBufferPointer<UInt8>
  var position = 0

  init(source: UnsafeBufferPointer<UInt8>) { self.source = source }

  var isAtEnd: Bool {
    mutating get {
      skipSpace()
      return position == source.count
    }
  }

  @inline(__always)
  private mutating func skipSpace() {
    while position < source.count, source[position] <= 0x20 {
      switch source[position] {
      case 0x20, 0x09, 0x0D: position += 1
      default: return
      }
    }
  }

  /// Passes over white space and then `byte`, if that is next.
  @inline(__always)
  mutating func take(_ byte: UInt8) -> Bool {
    skipSpace()
    guard position < source.count, source[position] == byte else { return false }
    position += 1
    return true
  }

  /// Passes over a name and the quote behind it.
  @inline(__always)
  mutating func takeName(_ name: StaticString) -> Bool {
    let end = position + name.utf8CodeUnitCount
    guard end < source.count, source[end] == UInt8(ascii: "\"") else { return false }
    let start = name.utf8Start
    for offset in 0..<name.utf8CodeUnitCount where source[position + offset] != start[offset] { return false }
    position = end + 1
    return true
  }

  @inline(__always)
  mutating func text(_ text: inout MarketLine.Text) -> Bool {
    guard take(UInt8(ascii: "\"")) else { return false }
    let start = position
    while position < source.count {
      let byte = source[position]
      if byte == UInt8(ascii: "\"") {
        text = MarketLine.Text(start: start, count: position - start, isUnescaped: false)
        position += 1
        return true
      }
      guard byte >= 0x20, byte < 0x80, byte != UInt8(ascii: "\\") else { return false }
      position += 1
    }
    return false
  }

  @inline(__always)
  mutating func integer(_ value: inout Int64) -> Bool {
    skipSpace()
    let start = position
    var sum: Int64 = 0
    while position < source.count, position - start < 19 {
      let digit = source[position] &- UInt8(ascii: "0")
      guard digit < 10 else { break }
      sum = sum &* 10 &+ Int64(digit)
      position += 1
    }
    let count = position - start
    guard count > 0, count < 19, count == 1 || source[start] != UInt8(ascii: "0"), position < source.count else {
      return false
    }
    value = sum
    // A point or an exponent, and any other letter, is for the strict reader.
    switch source[position] {
    case UInt8(ascii: ","), UInt8(ascii: "}"), 0x20, 0x09, 0x0D: return true
    default: return false
    }
  }
}
