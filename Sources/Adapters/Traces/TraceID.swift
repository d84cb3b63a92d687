/// 128 bits that name a trace; never zero.
package struct TraceID: Sendable, Hashable, CustomStringConvertible {
  package let high: UInt64
  package let low: UInt64

  init(high: UInt64, low: UInt64) {
    self.high = high
    self.low = low
  }

  /// 32 digits.
  package var description: String { hexadecimal(high) + hexadecimal(low) }
}

/// The 16 digits of 64 bits: how the identity of a span is written.
package func hexadecimal(_ value: UInt64) -> String {
  String(unsafeUninitializedCapacity: 16) { bytes in
    for index in 0..<16 {
      let digit = UInt8(truncatingIfNeeded: value >> UInt64(60 - 4 * index)) & 0xF
      bytes[index] = digit < 10 ? 0x30 + digit : 0x57 + digit
    }
    return 16
  }
}

/// The caller's trace, as W3C Trace Context names it in the header `traceparent`.
package struct TraceParent: Sendable, Hashable {
  package let trace: TraceID
  /// The caller's span; never zero.
  package let parent: UInt64
  package let isSampled: Bool

  /// 32 digits.
  package var traceID: String { trace.description }

  package init(trace: TraceID, parent: UInt64, isSampled: Bool) {
    self.trace = trace
    self.parent = parent
    self.isSampled = isSampled
  }

  /// - Returns: nil for what the specification calls invalid; such a header is as good as none.
  package init?(_ text: String) {
    let bytes = Array(text.utf8)
    // Later versions may add to the end, behind a dash.
    guard bytes.count >= 55, bytes[2] == 0x2D, bytes[35] == 0x2D, bytes[52] == 0x2D,
      let version = Self.number(bytes[0..<2]), version != 0xFF,
      version == 0 ? bytes.count == 55 : bytes.count == 55 || bytes[55] == 0x2D,
      let high = Self.number(bytes[3..<19]), let low = Self.number(bytes[19..<35]), high != 0 || low != 0,
      let parent = Self.number(bytes[36..<52]), parent != 0, let flags = Self.number(bytes[53..<55])
    else { return nil }
    self.init(trace: TraceID(high: high, low: low), parent: parent, isSampled: flags & 1 == 1)
  }

  /// Up to 16 digits; capitals are none here.
  private static func number(_ digits: ArraySlice<UInt8>) -> UInt64? {
    var value: UInt64 = 0
    for digit in digits {
      switch digit {
      case 0x30...0x39: value = value << 4 | UInt64(digit - 0x30)
      case 0x61...0x66: value = value << 4 | UInt64(digit - 0x57)
      default: return nil
      }
    }
    return value
  }

  /// As the header says it.
  package var header: String { "00-\(trace)-\(hexadecimal(parent))-\(isSampled ? "01" : "00")" }
}

/// What the header `tracestate` carries for the tracing systems of others: passed on as it came, or not at all.
package struct TraceState: Sendable, Hashable {
  package let text: String

  private static let mostBytes = 512
  private static let mostMembers = 32

  /// - Returns: nil past 512 bytes or 32 members, and for what is no list of `key=value` in visible ASCII.
  package init?(_ text: String) {
    guard (1...Self.mostBytes).contains(text.utf8.count) else { return nil }
    let members = text.split(separator: ",", omittingEmptySubsequences: false)
    guard members.count <= Self.mostMembers else { return nil }
    for member in members {
      let pair = member.drop { $0 == " " }.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
      guard pair.count == 2, !pair[0].isEmpty, !pair[1].isEmpty,
        pair[0].utf8.allSatisfy({ byte in
          (0x61...0x7A).contains(byte) || (0x30...0x39).contains(byte) || [0x5F, 0x2D, 0x2A, 0x2F, 0x40].contains(byte)
        }), pair[1].utf8.allSatisfy({ (0x20...0x7E).contains($0) && $0 != 0x3D })
      else { return nil }
    }
    self.text = text
  }
}
