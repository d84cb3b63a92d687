import Primitives
import PropertyKit
import Testing

@Suite("Whole numbers, fractions and decimals of any size")
struct ExactNumberTests {
  @Test("within 128 bits, whole numbers agree with the built-in ones, in every rounding")
  func againstInt128() throws {
    try forAll(seeds: 1...400) { random in
      let (left, right) = (random.edgyInt64(), random.edgyInt64())
      let (wideLeft, wideRight) = (WideInteger(left), WideInteger(right))
      let (a, b) = (Int128(left), Int128(right))
      try hold((wideLeft + wideRight).description == "\(a + b)", "\(a) + \(b)")
      try hold((wideLeft - wideRight).description == "\(a - b)", "\(a) - \(b)")
      try hold((wideLeft * wideRight).description == "\(a * b)", "\(a) * \(b)")
      try hold((wideLeft < wideRight) == (a < b), "\(a) < \(b)")
      let bits = random.int(in: 0...60)
      try hold((wideLeft >> bits).description == "\(a >> Int128(bits))", "\(a) >> \(bits)")
      try hold((wideLeft << bits).description == "\(a << Int128(bits))", "\(a) << \(bits)")
      try hold(wideLeft.isOdd == (a % 2 != 0) && wideLeft.isNegative == (a < 0), "parity and sign of \(a)")
      try hold(wideLeft.int64 == left, "\(a) back in 64 bits")
      guard right > 0 else { return }
      for rounding in Rounding.allCases {
        let (found, expected) = (
          try wideLeft.divided(by: wideRight, rounding: rounding), try a.divided(by: b, rounding: rounding)
        )
        try hold(found.description == "\(expected)", "\(a) / \(b) \(rounding)")
      }
    }
  }

  @Test("the greatest common divisor divides both, and leaves nothing in common")
  func commonDivisors() throws {
    func draw(_ random: inout SplitMix64) -> WideInteger {
      (0..<random.int(in: 0...4)).reduce(WideInteger(random.edgyInt64())) { product, _ in
        product * WideInteger(random.edgyInt64())
      }
    }
    try forAll(seeds: 1...200) { random in
      let (common, a, b) = (draw(&random), draw(&random), draw(&random))
      let divisor = (a * common).greatestCommonDivisor(with: b * common)
      try hold(divisor == (b * common).greatestCommonDivisor(with: a * common), "order")
      guard !divisor.isZero else {
        try hold((a * common).isZero && (b * common).isZero, "zero")
        return
      }
      let (left, right) = (
        try (a * common).divided(by: divisor, rounding: .down), try (b * common).divided(by: divisor, rounding: .down)
      )
      try hold(left * divisor == a * common && right * divisor == b * common, "divides")
      try hold(left.greatestCommonDivisor(with: right) == 1, "nothing left")
    }
  }

  @Test("what cannot be divided is refused")
  func refused() {
    #expect(throws: ArithmeticOverflow.self) { try WideInteger(1).divided(by: 0, rounding: .down) }
    #expect(throws: ArithmeticOverflow.self) { try WideInteger(1).divided(by: -2, rounding: .down) }
    #expect(throws: ArithmeticOverflow.self) { try ExactRational(1, over: 0) }
    #expect(throws: ArithmeticOverflow.self) { try ExactRational.one.divided(by: .zero) }
    #expect(WideInteger(digits: "") == nil && WideInteger(digits: "-1") == nil && WideInteger(digits: "1 ") == nil)
    #expect(WideInteger(Int128.max).int64 == nil)
  }

  @Test("fractions keep to lowest terms and to the laws of arithmetic")
  func fractions() throws {
    func draw(_ random: inout SplitMix64) throws -> ExactRational {
      let divisor = random.int64(in: 1...1_000) * (random.oneIn(2) ? 1 : -1)
      return try ExactRational(WideInteger(random.int64(in: -1_000...1_000)), over: WideInteger(divisor))
    }
    try forAll(seeds: 1...200) { random in
      let (a, b, c) = (try draw(&random), try draw(&random), try draw(&random))
      try hold(a + b == b + a && a * b == b * a, "order")
      try hold((a + b) * c == a * c + b * c, "distribution")
      try hold(a - a == .zero && a - b == -(b - a), "difference")
      try hold(a.denominator > 0, "the sign is the numerator's")
      try hold(a.numerator.greatestCommonDivisor(with: a.denominator) == 1, "lowest terms of \(a)")
      try hold(a.power(3) == a * a * a && a.power(0) == .one, "power")
      if !b.isZero { try hold(try (a * b).divided(by: b) == a, "quotient") }
      try hold((a < b) == (a - b).isNegative, "comparison")
    }
  }

  @Test(
    "a fraction becomes a decimal in the places asked for",
    arguments: [
      (1, 8, 2, "0.12"), (3, 8, 2, "0.38"), (-1, 8, 2, "-0.12"), (2, 3, 4, "0.6667"), (-2, 3, 0, "-1"), (1, 2, 0, "0"),
      (3, 2, 0, "2"), (999, 1_000, 2, "1.00"), (-1, 1_000, 2, "0.00"), (7, 1, 3, "7.000"),
    ])
  func rounded(_ numerator: Int64, _ denominator: Int64, _ places: Int, _ text: String) throws {
    let value = try ExactRational(WideInteger(numerator), over: WideInteger(denominator))
    #expect(value.rounded(places: places, rounding: .halfEven).description == text)
  }

  @Test("a decimal is printed as it was written, and sums keep the larger number of places")
  func decimals() throws {
    for text in ["0", "250000.50", "-0.5", "1000000", "0.00", "12345678901234567890.123456789"] {
      #expect(DecimalNumeral(text)?.description == text)
    }
    let (a, b) = (try #require(DecimalNumeral("1000000")), try #require(DecimalNumeral("0.50")))
    #expect((a + b).description == "1000000.50")
    #expect((b - a).description == "-999999.50")
    #expect((b + b).description == "1.00")
    #expect((b + b).trimmed.description == "1")
    #expect(a.atMost(b) == b)
    let whole = try #require(DecimalNumeral("1"))
    #expect(whole.atMost(b + b) == whole && (b + b).atMost(whole) == b + b)
    #expect(DecimalNumeral("0.250")?.significantPlaces == 2)
    #expect(DecimalNumeral("-0")?.description == "0")
  }

  @Test("exponents are resolved", arguments: [("1e3", "1000"), ("12.5E-2", "0.125"), ("-1.5e+1", "-15"), ("0e9", "0")])
  func exponents(_ text: String, _ expected: String) {
    #expect(DecimalNumeral(text)?.description == expected)
  }

  @Test(
    "what is no number of the JSON grammar, or has too many digits, is nil",
    arguments: [
      "", "-", "+1", "01", "1.", ".5", "1e", "1e+", "1e1.5", "1 ", " 1", "0x1", "1,000", "NaN", "١", "1e61", "1e-61",
      "1e999999999999999999999", String(repeating: "9", count: 61), "0." + String(repeating: "1", count: 60),
    ])
  func notDecimals(_ text: String) {
    #expect(DecimalNumeral(text) == nil)
  }
}
