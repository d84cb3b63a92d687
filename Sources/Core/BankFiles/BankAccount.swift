import Primitives

/// An account at a bank, as files of ISO 20022 name it: by IBAN, or by what the bank itself calls it.
package enum BankAccount: Sendable, Hashable, Comparable, CustomStringConvertible {
  case iban(IBAN)
  /// 1 to 34 characters without white space at their ends: where there is no IBAN, as in China or the United States.
  case other(String)

  /// A text that starts as an IBAN and passes its check is one; any other of 1 to 34 characters is the bank's own.
  package init?(_ text: some StringProtocol) {
    if let iban = IBAN(text) {
      self = .iban(iban)
    } else {
      self.init(other: text)
    }
  }

  /// The bank's own identification; nil when it is empty, longer than 34, or has control characters.
  package init?(other text: some StringProtocol) {
    let scalars = text.unicodeScalars
    guard (1...34).contains(scalars.count), scalars.allSatisfy({ !$0.properties.isControl }),
      scalars.first?.properties.isWhitespace == false, scalars.last?.properties.isWhitespace == false
    else { return nil }
    self = .other(String(text))
  }

  package var description: String {
    switch self {
    case .iban(let iban): iban.description
    case .other(let text): text
    }
  }

  package static func < (left: BankAccount, right: BankAccount) -> Bool { left.description < right.description }
}

extension Unicode.Scalar.Properties {
  /// General category Cc.
  fileprivate var isControl: Bool { generalCategory == .control }
}

/// An international bank account number (ISO 13616): country, two check digits, 11 to 30 further characters.
///
/// The check (ISO 7064 mod 97-10) is held; the length that each country fixes is not: the check already finds a lost or
/// doubled character with a chance of 96 in 97, and the registry changes.
package struct IBAN: Sendable, Hashable, CustomStringConvertible {
  package let value: String

  /// Parses the electronic form: upper-case letters and digits, no spaces.
  package init?(_ text: some StringProtocol) {
    let bytes = Array(text.utf8)
    guard (15...34).contains(bytes.count), bytes[..<2].allSatisfy(Self.isLetter), bytes[2..<4].allSatisfy(Self.isDigit),
      bytes.allSatisfy({ Self.isLetter($0) || Self.isDigit($0) }), Self.remainder(bytes) == 1
    else { return nil }
    self.value = String(text)
  }

  package var description: String { value }

  private static func isLetter(_ byte: UInt8) -> Bool { byte >= 0x41 && byte <= 0x5A }
  private static func isDigit(_ byte: UInt8) -> Bool { byte >= 0x30 && byte <= 0x39 }

  /// The number with the first four characters moved to the end and letters as 10 to 35, modulo 97.
  private static func remainder(_ bytes: [UInt8]) -> Int {
    (bytes[4...] + bytes[..<4]).reduce(0) { rest, byte in
      isDigit(byte) ? (rest * 10 + Int(byte - 0x30)) % 97 : (rest * 100 + Int(byte - 0x41) + 10) % 97
    }
  }
}

/// A business identifier code (ISO 9362): eight or eleven characters, of which only the shape can be checked.
package struct BIC: Sendable, Hashable, CustomStringConvertible {
  package let value: String

  /// Parses `AAAABBCC` or `AAAABBCCDDD`: party prefix of letters and digits, country, suffix, and perhaps a branch.
  package init?(_ text: some StringProtocol) {
    let bytes = Array(text.utf8)
    func letter(_ byte: UInt8) -> Bool { byte >= 0x41 && byte <= 0x5A }
    guard bytes.count == 8 || bytes.count == 11, bytes.allSatisfy({ letter($0) || ($0 >= 0x30 && $0 <= 0x39) }),
      letter(bytes[4]), letter(bytes[5])
    else { return nil }
    self.value = String(text)
  }

  package var description: String { value }
}
