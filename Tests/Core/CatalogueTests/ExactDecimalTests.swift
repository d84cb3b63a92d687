import Primitives
import Testing

@testable import Catalogue

@Suite("Exact decimals")
struct ExactDecimalTests {
  @Test(
    "a figure is read as printed and written without trailing zeros",
    arguments: [
      ("18.7", "18.7"), ("0", "0"), ("0.50", "0.5"), ("4800.000", "4800"), ("-3.20", "-3.2"), ("-0", "0"),
      ("123456789012345678", "123456789012345678"), ("0.00000000000000001", "0.00000000000000001"),
    ])
  func reads(_ text: String, _ expected: String) throws {
    #expect(try decimal(text).description == expected)
  }

  @Test(
    "what is no plain decimal is refused",
    arguments: [
      "", " ", "1e3", "1E3", "+5", ".5", "5.", "1,000", "00", "01.5", "--1", "-", "1.2.3", " 1", "1 ", "0x10", "NaN",
      "inf", "1234567890123456789", "0.000000000000000001", "\u{0661}", "1_000", "-.5", "1.-2",
    ])
  func refuses(_ text: String) {
    #expect(ExactDecimal(text) == nil)
  }

  @Test("equal values are equal however they are printed, and hash alike")
  func equality() throws {
    #expect(try decimal("5.920") == decimal("5.92"))
    #expect(try Set([decimal("1600"), decimal("1600.0"), decimal("1600.00")]).count == 1)
  }

  @Test("comparison is exact across scales, signs and the ends of the range")
  func comparison() throws {
    let ascending = try [
      "-123456789012345678", "-1.1", "-1.09999999999999999", "-0.00000000000000001", "0", "0.00000000000000001",
      "1.09999999999999999", "1.1", "123456789012345678",
    ].map { try decimal($0) }
    for (index, left) in ascending.enumerated() {
      for (other, right) in ascending.enumerated() {
        #expect((left < right) == (index < other))
        #expect((left == right) == (index == other))
      }
    }
  }

  @Test("a product too fine to be brought to another scale still compares")
  func comparesPast128Bits() throws {
    let huge = try decimal("999999999999999999").multiplied(by: decimal("999999999999999999"))
    let fine = try decimal("0.00000000000000001").multiplied(by: decimal("0.00000000000000001"))
    #expect(fine < huge)
    #expect(!(huge < fine))
    let negative = try huge.multiplied(by: decimal("-1"))
    #expect(negative < fine)
    #expect(!(fine < negative))
  }

  @Test("products and sums are exact, and overflow is an error")
  func arithmetic() throws {
    #expect(try decimal("5.92").multiplied(by: decimal("814")) == decimal("4818.88"))
    #expect(try decimal("112.5").adding(decimal("64")) == decimal("176.5"))
    #expect(try decimal("0.1").adding(decimal("0.2")) == decimal("0.3"))
    let large = try decimal("999999999999999999").multiplied(by: decimal("999999999999999999"))
    #expect(throws: ArithmeticOverflow.self) { try large.multiplied(by: decimal("999")) }
    #expect(throws: ArithmeticOverflow.self) { try large.adding(decimal("0.00000000000000001")) }
  }

  @Test("a displayed quotient names its rounding and refuses a divisor of zero")
  func quotient() throws {
    #expect(try decimal("1").divided(by: decimal("8"), digits: 2, rounding: .halfEven) == decimal("0.12"))
    #expect(try decimal("1").divided(by: decimal("8"), digits: 2, rounding: .halfUp) == decimal("0.13"))
    #expect(throws: ArithmeticOverflow.self) {
      try decimal("1").divided(by: .zero, digits: 2, rounding: .halfEven)
    }
  }
}
