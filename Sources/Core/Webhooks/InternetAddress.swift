/// An address of the internet protocol, read from its canonical text alone: what programs take besides (`127.1`, `0x7f.1`,
/// `2130706433`, a zone, an embedded dotted quad that is not at the end) is no address here.
package enum InternetAddress: Sendable, Hashable {
  case v4(UInt32)
  case v6(high: UInt64, low: UInt64)

  package init?(_ text: some StringProtocol) {
    if text.contains(":") {
      guard let words = Self.words(text) else { return nil }
      func half(_ part: ArraySlice<UInt16>) -> UInt64 { part.reduce(0) { $0 << 16 | UInt64($1) } }
      self = .v6(high: half(words[0..<4]), low: half(words[4..<8]))
    } else {
      guard let address = Self.dotted(text) else { return nil }
      self = .v4(address)
    }
  }

  /// Four decimal numbers without leading zeros.
  private static func dotted(_ text: some StringProtocol) -> UInt32? {
    let parts = text.split(separator: ".", omittingEmptySubsequences: false)
    guard parts.count == 4 else { return nil }
    var address: UInt32 = 0
    for part in parts {
      guard (1...3).contains(part.utf8.count), part.utf8.allSatisfy({ (0x30...0x39).contains($0) }),
        part.utf8.count == 1 || part.utf8.first != 0x30, let value = UInt8(part)
      else { return nil }
      address = address << 8 | UInt32(value)
    }
    return address
  }

  /// Eight groups; one `::` stands for those left out, and the last two may be a dotted quad (RFC 4291, 2.2).
  private static func words(_ text: some StringProtocol) -> [UInt16]? {
    guard text.utf8.count <= 45 else { return nil }
    let halves = String(text).split(separator: "::", omittingEmptySubsequences: false)
    guard halves.count <= 2 else { return nil }
    func groups(_ half: Substring) -> [UInt16]? {
      if half.isEmpty { return [] }
      var found: [UInt16] = []
      let parts = half.split(separator: ":", omittingEmptySubsequences: false)
      for (index, part) in parts.enumerated() {
        if part.contains("."), index == parts.count - 1, let quad = dotted(part) {
          found += [UInt16(quad >> 16), UInt16(quad & 0xFFFF)]
        } else if (1...4).contains(part.utf8.count), let value = UInt16(part, radix: 16), part.first != "+" {
          found.append(value)
        } else {
          return nil
        }
      }
      return found
    }
    guard let first = groups(halves[0]) else { return nil }
    guard halves.count == 2 else { return first.count == 8 ? first : nil }
    // A quad in the first half would not be at the end.
    guard !halves[0].contains("."), let last = groups(halves[1]), first.count + last.count < 8 else { return nil }
    return first + Array(repeating: 0, count: 8 - first.count - last.count) + last
  }

  package var isLoopback: Bool {
    switch self {
    case .v4(let address): address >> 24 == 127
    case .v6(let high, let low): high == 0 && low == 1
    }
  }

  /// Whether it can be a host anywhere on the public internet. Of version 6 only what is given out as unicast (2000::/3) counts,
  /// so that mapped and translated forms of version 4 (::ffff:0:0/96, 64:ff9b::/96), local, link and group addresses fall
  /// away together; of those, what carries version 4 addresses or is set aside is left out too.
  package var isGlobal: Bool {
    switch self {
    case .v4(let address):
      return !Self.notGlobal4.contains { address >> (32 - $0.bits) == $0.prefix >> (32 - $0.bits) }
    case .v6(let high, _):
      return high >> 61 == 1 && !Self.notGlobal6.contains { high >> (64 - $0.bits) == $0.prefix >> (64 - $0.bits) }
    }
  }

  /// The registries of special-purpose addresses (RFC 6890 and what changed since), and groups.
  private static let notGlobal4: [(prefix: UInt32, bits: UInt32)] = [
    (0x0000_0000, 8),  // this network
    (0x0A00_0000, 8),  // private
    (0x6440_0000, 10),  // shared by carriers
    (0x7F00_0000, 8),  // loopback
    (0xA9FE_0000, 16),  // link, and where clouds keep their metadata
    (0xAC10_0000, 12),  // private
    (0xC000_0000, 24),  // protocol assignments
    (0xC000_0200, 24),  // documentation
    (0xC01F_C400, 24),  // AS112
    (0xC034_C100, 24),  // automatic multicast tunnels
    (0xC058_6300, 24),  // 6to4 relays
    (0xC0A8_0000, 16),  // private
    (0xC0AF_3000, 24),  // AS112
    (0xC612_0000, 15),  // benchmarks
    (0xC633_6400, 24),  // documentation
    (0xCB00_7100, 24),  // documentation
    (0xE000_0000, 4),  // groups
    (0xF000_0000, 4),  // reserved, and the broadcast address
  ]
  private static let notGlobal6: [(prefix: UInt64, bits: UInt64)] = [
    (0x2001_0000_0000_0000, 23),  // protocol assignments: Teredo, benchmarks, ORCHID
    (0x2001_0DB8_0000_0000, 32),  // documentation
    (0x2002_0000_0000_0000, 16),  // 6to4
    (0x2620_004F_8000_0000, 48),  // AS112
    (0x3FFF_0000_0000_0000, 20),  // documentation
  ]
}

extension InternetAddress: CustomStringConvertible {
  /// As it is given to connect to; of version 6 all eight groups.
  package var description: String {
    switch self {
    case .v4(let address):
      return [24, 16, 8, 0].map { String(address >> UInt32($0) & 0xFF) }.joined(separator: ".")
    case .v6(let high, let low):
      return [high, low].flatMap { half in
        [48, 32, 16, 0].map { String(half >> UInt64($0) & 0xFFFF, radix: 16) }
      }.joined(separator: ":")
    }
  }
}
