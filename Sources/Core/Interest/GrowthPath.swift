import Primitives

/// A balance that grows by exact factors, between deposits: compound interest before it is rounded.
///
/// Thirty years of days make a fraction of a hundred thousand bits or more, whose division costs more than all the
/// rest. The path is therefore followed in bounds that are certain, low and high, and finer ones are taken until both
/// round to the same digits, as Ziv does for elementary functions ("Fast evaluation of elementary mathematical
/// functions with correctly rounded last bit", 1991). Only a tie cannot be settled that way, and a tie needs few
/// factors: it is worked out as a fraction. Either way the answer is the exact amount rounded once.
package struct GrowthPath: Sendable {
  /// One thing that happens to the balance.
  package enum Step: Sendable, Hashable {
    /// Adds an amount, which may be negative.
    case deposit(ExactRational)
    /// Multiplies by a factor above zero, so many times; never by a factor of one.
    case growth(ExactRational, times: Int)
  }

  package private(set) var steps: [Step] = []
  /// All that was put in less what was taken out: what the balance would be without growth.
  private(set) var deposited = ExactRational.zero

  package init() {}

  package mutating func deposit(_ amount: ExactRational) {
    deposit(amount, grownTo: amount)
  }

  /// An amount that has grown to another by the time it joins the balance.
  package mutating func deposit(_ amount: ExactRational, grownTo grown: ExactRational) {
    deposited = deposited + amount
    if !grown.isZero { steps.append(.deposit(grown)) }
  }

  /// Repeats of one factor are counted, not listed.
  package mutating func grow(by factor: ExactRational, times: Int = 1) {
    guard times > 0, factor != .one else { return }
    guard case .growth(factor, let earlier) = steps.last else {
      steps.append(.growth(factor, times: times))
      return
    }
    steps[steps.count - 1] = .growth(factor, times: earlier + times)
  }

  /// Final balance less deposits, rounded once.
  /// - Throws: `InterestRefusal.overflow` when the balance passes 2^512.
  package func interest(places: Int, rounding: Rounding) throws(InterestRefusal) -> DecimalNumeral {
    for bits in [256, 1_024] {
      if let settled = try interest(places: places, rounding: rounding, bits: bits) { return settled }
    }
    if exactBits <= Self.mostExactBits { return exactInterest(places: places, rounding: rounding) }
    for bits in [4_096, 16_384, 65_536] {
      if let settled = try interest(places: places, rounding: rounding, bits: bits) { return settled }
    }
    throw .overflow
  }

  /// Above this the fraction is not written out: 2^20 bits divide in seconds.
  private static let mostExactBits = 1 << 20

  /// What numerator and denominator of the fraction may come to, about.
  private var exactBits: Int {
    steps.reduce(0) { sum, step in
      switch step {
      case .deposit(let amount): sum + max(amount.numerator.bitCount, amount.denominator.bitCount)
      case .growth(let factor, let times):
        sum + times * max(factor.numerator.bitCount, factor.denominator.bitCount)
      }
    }
  }

  /// The amount as one fraction, divided once.
  func exactInterest(places: Int, rounding: Rounding) -> DecimalNumeral {
    // Not reduced on the way: a divisor of numbers this long costs more than carrying them.
    var (numerator, denominator) = (WideInteger.zero, WideInteger.one)
    for step in steps {
      switch step {
      case .deposit(let amount):
        numerator = numerator * amount.denominator + amount.numerator * denominator
        denominator = denominator * amount.denominator
      case .growth(let factor, let times):
        numerator = numerator * factor.numerator.power(times)
        denominator = denominator * factor.denominator.power(times)
      }
    }
    numerator = numerator * deposited.denominator - deposited.numerator * denominator
    denominator = denominator * deposited.denominator
    let scaled = numerator * .powerOfTen(places)
    // A product of denominators, all above zero.
    return DecimalNumeral(
      unscaled: (try? scaled.divided(by: denominator, rounding: rounding)) ?? scaled, places: places)
  }

  /// The amount when bounds of so many fraction bits settle it.
  private func interest(
    places: Int, rounding: Rounding, bits: Int
  ) throws(InterestRefusal) -> DecimalNumeral? {
    var balance = Enclosure(.zero, bits: bits)
    for step in steps {
      switch step {
      case .deposit(let amount): balance = balance.adding(Enclosure(amount, bits: bits))
      case .growth(let factor, let times):
        balance = balance.multiplied(by: try Enclosure(factor, bits: bits).power(times))
      }
      try balance.checkRange()
    }
    func rounded(_ bound: WideInteger) -> WideInteger {
      let numerator = bound * deposited.denominator - deposited.numerator << bits
      let scaled = numerator * .powerOfTen(places)
      return (try? scaled.divided(by: deposited.denominator << bits, rounding: rounding)) ?? scaled
    }
    let low = rounded(balance.low)
    return low == rounded(balance.high) ? DecimalNumeral(unscaled: low, places: places) : nil
  }
}

/// A value known to lie between two binary fractions of the same number of bits, both ends included.
struct Enclosure {
  let low: WideInteger
  let high: WideInteger
  /// Fraction bits of both bounds.
  let bits: Int

  private init(low: WideInteger, high: WideInteger, bits: Int) {
    self.low = low
    self.high = high
    self.bits = bits
  }

  init(_ value: ExactRational, bits: Int) {
    let scaled = value.numerator << bits
    // The denominator is above zero.
    low = (try? scaled.divided(by: value.denominator, rounding: .down)) ?? scaled
    high = (try? scaled.divided(by: value.denominator, rounding: .up)) ?? scaled
    self.bits = bits
  }

  func adding(_ other: Enclosure) -> Enclosure {
    Enclosure(low: low + other.low, high: high + other.high, bits: bits)
  }

  /// The product with a factor whose bounds are above zero. A balance may be negative: then the larger factor makes it
  /// the less.
  func multiplied(by factor: Enclosure) -> Enclosure {
    let lowFactor = low.isNegative ? factor.high : factor.low
    let highFactor = high.isNegative ? factor.low : factor.high
    return Enclosure(low: (low * lowFactor) >> bits, high: -(-(high * highFactor) >> bits), bits: bits)
  }

  /// The power of bounds above zero, by squaring.
  /// - Throws: `InterestRefusal.overflow` past 2^512.
  func power(_ exponent: Int) throws(InterestRefusal) -> Enclosure {
    var result = Enclosure(.one, bits: bits)
    var square = self
    var rest = exponent
    while true {
      if rest & 1 == 1 { result = result.multiplied(by: square) }
      rest >>= 1
      try result.checkRange()
      if rest == 0 { return result }
      square = square.multiplied(by: square)
      try square.checkRange()
    }
  }

  /// - Throws: `InterestRefusal.overflow` past 2^512, where amounts mean nothing and digits cost much.
  func checkRange() throws(InterestRefusal) {
    guard high.bitCount <= bits + 512, low.bitCount <= bits + 512 else { throw .overflow }
  }
}
