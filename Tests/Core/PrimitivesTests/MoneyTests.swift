import Primitives
import PropertyKit
import Testing

@Suite("Money and basis points")
struct MoneyTests {
  @Test("money adds, subtracts and multiplies within its currency")
  func arithmetic() throws {
    #expect(try Money(150, .usd).adding(Money(-50, .usd)) == Money(100, .usd))
    #expect(try Money(150, .usd).subtracting(Money(200, .usd)) == Money(-50, .usd))
    #expect(try Money(2_499_900, .usd).multiplied(by: 512) == Money(1_279_948_800, .usd))
    #expect(try Money(-3, .cny).multiplied(by: 7) == Money(-21, .cny))
    #expect(Money.zero(.cny) == Money(0, .cny))
    #expect(Money(1, .usd) != Money(1, .cny))
  }

  @Test("sums across currencies are refused, and so are sums past 64 bits")
  func refusedArithmetic() {
    #expect(throws: ArithmeticOverflow()) { try Money(1, .usd).adding(Money(1, .cny)) }
    #expect(throws: ArithmeticOverflow()) { try Money(1, .usd).subtracting(Money(1, .cny)) }
    #expect(throws: ArithmeticOverflow()) { try Money(.max, .usd).adding(Money(1, .usd)) }
    #expect(throws: ArithmeticOverflow()) { try Money(.min, .usd).subtracting(Money(1, .usd)) }
    #expect(throws: ArithmeticOverflow()) { try Money(.max, .usd).multiplied(by: 2) }
    #expect(throws: ArithmeticOverflow()) { try Money(.min, .usd).multiplied(by: -1) }
  }

  @Test("checked arithmetic answers exactly when 128 bits say that the result fits in 64")
  func checkedAgainstWide() throws {
    try forAll(seeds: 1...2_000) { random in
      let (left, right) = (random.edgyInt64(), random.edgyInt64())
      let (a, b) = (Int128(left), Int128(right))
      try hold((try? left.adding(right)) == Int64(exactly: a + b), "\(left) + \(right)")
      try hold((try? left.subtracting(right)) == Int64(exactly: a - b), "\(left) - \(right)")
      try hold((try? left.multiplied(by: right)) == Int64(exactly: a * b), "\(left) * \(right)")
      try hold((try? (a * b).asInt64()) == Int64(exactly: a * b), "\(a * b) as 64 bits")
    }
  }

  @Test("a share in basis points is rounded once, as the caller names it")
  func scaled() throws {
    // 14 % of 0.75 USD is 10.5 cents.
    #expect(try Money(75, .usd).scaled(by: BasisPoints(1_400), rounding: .halfEven) == Money(10, .usd))
    #expect(try Money(75, .usd).scaled(by: BasisPoints(1_400), rounding: .halfUp) == Money(11, .usd))
    #expect(try Money(75, .usd).scaled(by: BasisPoints(1_400), rounding: .down) == Money(10, .usd))
    #expect(try Money(75, .usd).scaled(by: BasisPoints(1_400), rounding: .up) == Money(11, .usd))
    #expect(try Money(-75, .usd).scaled(by: BasisPoints(1_400), rounding: .down) == Money(-11, .usd))
    #expect(try Money(123_456, .usd).scaled(by: .whole, rounding: .down) == Money(123_456, .usd))
  }

  @Test("a share of the largest amount needs no more than 64 bits in the end, or is refused")
  func scaledExtremes() throws {
    #expect(try Money(.max, .usd).scaled(by: .whole, rounding: .halfEven) == Money(.max, .usd))
    #expect(try Money(.min, .usd).scaled(by: .whole, rounding: .halfEven) == Money(.min, .usd))
    #expect(throws: ArithmeticOverflow()) { try Money(.max, .usd).scaled(by: BasisPoints(10_001), rounding: .down) }
    #expect(throws: ArithmeticOverflow()) { try Money(.min, .usd).scaled(by: BasisPoints(.min), rounding: .down) }
  }

  @Test(
    "an amount is shown with its currency, its digits, and thousands apart",
    arguments: [
      (Int64(1_234_567), Currency.usd, "USD 12,345.67"), (0, .usd, "USD 0.00"), (5, .usd, "USD 0.05"),
      (-5, .usd, "USD -0.05"), (100_000, .usd, "USD 1,000.00"), (99_999, .cny, "CNY 999.99"),
      (-100_000_000, .cny, "CNY -1,000,000.00"), (.max, .usd, "USD 92,233,720,368,547,758.07"),
      (.min, .usd, "USD -92,233,720,368,547,758.08"),
    ])
  func description(amount: Int64, currency: Currency, text: String) {
    #expect(Money(amount, currency).description == text)
  }

  @Test("yen have no digits after the point, dinars three")
  func otherDigits() throws {
    let (jpy, kwd) = (try #require(Currency("JPY")), try #require(Currency("KWD")))
    #expect(Money(1_234, jpy).description == "JPY 1,234")
    #expect(Money(0, jpy).description == "JPY 0")
    #expect(Money(-999, jpy).description == "JPY -999")
    #expect(Money(5, kwd).description == "KWD 0.005")
    #expect(Money(1_000_000_000, kwd).description == "KWD 1,000,000.000")
  }

  @Test("the largest amount taken from outside leaves room for thousands of them in a sum")
  func largestAccepted() throws {
    #expect(try Money(Money.largestAccepted, .usd).multiplied(by: 9_000).amount == 9_000 * Money.largestAccepted)
  }

  @Test(
    "basis points read as percent",
    arguments: [
      (Int64(1_400), "14.00 %"), (0, "0.00 %"), (5, "0.05 %"), (-5, "-0.05 %"), (10_000, "100.00 %"),
      (-12_345, "-123.45 %"), (.min, "-92233720368547758.08 %"),
    ])
  func basisPoints(value: Int64, text: String) {
    #expect(BasisPoints(value).description == text)
  }

  @Test("basis points are ordered by value")
  func basisPointsOrder() {
    #expect(BasisPoints(-1) < BasisPoints(0))
    #expect(BasisPoints(900) < BasisPoints(1_400))
    #expect(!(BasisPoints.whole < BasisPoints(10_000)))
  }
}
