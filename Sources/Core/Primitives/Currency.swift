/// An ISO 4217 currency by its alphabetic code, kept as three packed ASCII letters.
package struct Currency: Sendable, Hashable, Comparable, CustomStringConvertible {
  private let packed: UInt32

  /// Parses three upper-case ASCII letters that name a currency of the published list; anything else is nil.
  package init?(_ code: some StringProtocol) { self.init(String(code)) }

  /// As above.
  package init?(_ code: String) {
    guard let packed = Self.pack(code), Self.minorUnits[packed] != nil else { return nil }
    self.packed = packed
  }

  /// Three upper-case ASCII letters in the low bytes; nil for anything else.
  private static func pack(_ code: String) -> UInt32? {
    var code = code
    return code.withUTF8 { letters in
      guard letters.count == 3, letters.allSatisfy({ $0 >= 65 && $0 <= 90 }) else { return nil }
      return UInt32(letters[0]) << 16 | UInt32(letters[1]) << 8 | UInt32(letters[2])
    }
  }

  private init(a: UInt8, b: UInt8, c: UInt8) {
    self.packed = UInt32(a) << 16 | UInt32(b) << 8 | UInt32(c)
  }

  /// US dollar, the currency of the chip marks that ship with the product.
  package static let usd = Currency(a: 0x55, b: 0x53, c: 0x44)
  /// Chinese yuan.
  package static let cny = Currency(a: 0x43, b: 0x4E, c: 0x59)

  /// The alphabetic code, for example `USD`.
  package var code: String {
    String(unsafeUninitializedCapacity: 3) { letters in
      for (index, shift) in [16, 8, 0].enumerated() { letters[index] = UInt8(packed >> UInt32(shift) & 0xFF) }
      return 3
    }
  }

  package var description: String { code }

  /// Digits after the decimal point: 2 for USD, 0 for JPY, 3 for KWD (ISO 4217, list one).
  package var minorUnitDigits: Int { Self.minorUnits[packed] ?? 2 }

  package static func < (left: Currency, right: Currency) -> Bool { left.packed < right.packed }

  /// ISO 4217 active national currencies and their minor units. Funds codes and metals are left out: no loan is in them.
  private static let minorUnits: [UInt32: Int] = {
    var table: [UInt32: Int] = [:]
    func add(_ codes: String, _ digits: Int) {
      for code in codes.split(separator: " ") {
        if let packed = pack(String(code)) { table[packed] = digits }
      }
    }
    add(
      "AED AFN ALL AMD ANG AOA ARS AUD AWG AZN BAM BBD BDT BGN BMD BND BOB BRL BSD BTN BWP BYN BZD CAD CDF CHF CNY COP "
        + "CRC CUP CVE CZK DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GTQ GYD HKD HNL HTG HUF IDR ILS INR IRR "
        + "JMD KES KGS KHR KPW KYD KZT LAK LBP LKR LRD LSL MAD MDL MGA MKD MMK MNT MOP MRU MUR MVR MWK MXN MYR MZN NAD NGN "
        + "NIO NOK NPR NZD PAB PEN PGK PHP PKR PLN QAR RON RSD RUB SAR SBD SCR SDG SEK SGD SHP SLE SOS SRD SSP STN SVC SYP "
        + "SZL THB TJS TMT TOP TRY TTD TWD TZS UAH USD UYU UZS VED VES WST XCD YER ZAR ZMW ZWG", 2)
    add("BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX VND VUV XAF XOF XPF", 0)
    add("BHD IQD JOD KWD LYD OMR TND", 3)
    return table
  }()
}
