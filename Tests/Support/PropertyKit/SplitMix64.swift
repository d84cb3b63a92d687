/// A seeded generator: SplitMix64 (Steele, Lea and Flood, "Fast splittable pseudorandom number generators", 2014).
/// The same seed gives the same values on every machine, so a seed is all that a failure report needs.
package struct SplitMix64: RandomNumberGenerator, Sendable {
  private var state: UInt64

  package init(seed: UInt64) { self.state = seed }

  package mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var mixed = state
    mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
    mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
    return mixed ^ (mixed >> 31)
  }
}

extension SplitMix64 {
  /// A value of the range, each with the same chance.
  package mutating func int64(in range: ClosedRange<Int64>) -> Int64 { Int64.random(in: range, using: &self) }

  /// A value of the range, each with the same chance.
  package mutating func int(in range: ClosedRange<Int>) -> Int { Int.random(in: range, using: &self) }

  /// True once in `count` times on average; `count` is at least 1.
  package mutating func oneIn(_ count: UInt64) -> Bool { next() % count == 0 }

  /// One of the elements.
  /// - Throws: `PropertyViolation` when there are none.
  package mutating func pick<Element>(_ elements: [Element]) throws -> Element {
    guard let element = elements.randomElement(using: &self) else {
      throw PropertyViolation("nothing to pick from")
    }
    return element
  }

  /// An integer whose magnitude is spread over all bit lengths, and now and then an extreme: uniform values of 64 bits
  /// are nearly all huge, and miss both the small numbers and the ends where arithmetic breaks.
  package mutating func edgyInt64() -> Int64 {
    switch next() % 8 {
    case 0: return 0
    case 1: return oneIn(2) ? Int64.max : Int64.min
    case 2: return oneIn(2) ? 1 : -1
    default:
      let magnitude = Int64(bitPattern: next() >> (1 + next() % 63))
      return oneIn(2) ? magnitude : -magnitude
    }
  }

  /// As `edgyInt64`, at least 0.
  package mutating func edgyNatural() -> Int64 { edgyInt64() & Int64.max }
}
