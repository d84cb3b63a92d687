import Primitives
import Testing

@Suite("Currencies")
struct CurrencyTests {
  @Test(
    "a published code has its minor units",
    arguments: [
      ("USD", 2), ("CNY", 2), ("EUR", 2), ("HKD", 2), ("SGD", 2), ("TWD", 2), ("AED", 2), ("GBP", 2), ("INR", 2),
      ("HUF", 2), ("MRU", 2), ("BIF", 0), ("CLP", 0), ("DJF", 0), ("GNF", 0), ("ISK", 0), ("JPY", 0), ("KMF", 0),
      ("KRW", 0), ("PYG", 0), ("RWF", 0), ("UGX", 0), ("VND", 0), ("VUV", 0), ("XAF", 0), ("XOF", 0), ("XPF", 0),
      ("BHD", 3), ("IQD", 3), ("JOD", 3), ("KWD", 3), ("LYD", 3), ("OMR", 3), ("TND", 3),
    ])
  func published(code: String, digits: Int) throws {
    let currency = try #require(Currency(code))
    #expect(currency.code == code)
    #expect(currency.description == code)
    #expect(currency.minorUnitDigits == digits)
  }

  @Test(
    "codes that are not a national currency, or not in capitals, are refused",
    arguments: [
      "usd", "Usd", "US", "USDT", "", "XXX", "XTS", "XAU", "CLF", "DEM", "HRK", "AAA", "U D", "US\u{0}", "ＵＳＤ", "12A",
      "US$", "ÙSD",
    ])
  func refused(code: String) {
    #expect(Currency(code) == nil)
  }

  @Test("the named currencies are the parsed ones")
  func named() {
    #expect(Currency("USD") == .usd)
    #expect(Currency("CNY") == .cny)
    #expect(Currency.usd != .cny)
  }

  @Test("currencies are ordered as their codes are")
  func order() {
    let codes = ["AED", "CHF", "CNY", "JPY", "USD", "UYU", "ZMW"]
    #expect(codes.reversed().compactMap { Currency($0) }.sorted().map(\.code) == codes)
  }

  @Test("the kinds of refusals are the names that the interface maps")
  func refusalKinds() {
    #expect(RefusalKind.allCases.map(\.rawValue) == ["invalid", "not_found", "forbidden", "conflict", "stale"])
  }
}
