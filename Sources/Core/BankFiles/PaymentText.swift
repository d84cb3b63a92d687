import Primitives

/// Texts as payment systems carry them: the Latin set of SWIFT and SEPA, `a-z A-Z 0-9 / - ? : ( ) . , ' +` and space.
///
/// Ids are taken as they are or refused, since changing one breaks what is found by it. Names and remittance text are
/// transliterated, letter by letter, after the table of the European Payments Council (EPC217-08): the base letter for a
/// letter with a mark. A script that the table does not have (Chinese, Cyrillic, Greek) is refused with its field: a
/// romanisation is a fact about a name, to be recorded with the payee, not made up here.
enum PaymentText {
  /// Lengths that ISO 20022 gives its text types, and the 70 that payment systems take of a name.
  static let idLength = 35
  static let nameLength = 70
  static let remittanceLength = 140

  /// An id: 1 to `idLength` characters of the set, no slash at the ends, no two in a row.
  static func id(_ text: String, field: String) throws(PaymentFault) -> String {
    try hold(text, length: idLength, field: field)
    for scalar in text.unicodeScalars where !isCarried(scalar) { throw refused(scalar, field: field) }
    guard !text.hasPrefix("/"), !text.hasSuffix("/"), !text.contains("//"), !text.hasPrefix(" "), !text.hasSuffix(" ")
    else { throw PaymentFault(.slashes, field: field, "has a slash or a space where none may be") }
    return text
  }

  /// A name or remittance text, transliterated, with single spaces.
  static func words(_ text: String, length: Int, field: String) throws(PaymentFault) -> String {
    var written = ""
    for scalar in text.unicodeScalars {
      if scalar.properties.isWhitespace {
        if !written.isEmpty, !written.hasSuffix(" ") { written += " " }
      } else if isCarried(scalar) {
        written.unicodeScalars.append(scalar)
      } else if let replacement = table[scalar] {
        written += replacement
      } else if !(0x300...0x36F).contains(scalar.value) {
        // The marks above are those of decomposed letters: the letter itself stands before them.
        throw refused(scalar, field: field)
      }
    }
    if written.hasSuffix(" ") { written.removeLast() }
    try hold(written, length: length, field: field)
    return written
  }

  private static func hold(_ text: String, length: Int, field: String) throws(PaymentFault) {
    guard !text.isEmpty else { throw PaymentFault(.empty, field: field, "is empty") }
    // Cut by nobody: what does not fit is for a person to shorten.
    guard text.unicodeScalars.count <= length else {
      throw PaymentFault(.tooLong, field: field, "has \(text.unicodeScalars.count) characters, \(length) are carried")
    }
  }

  private static func refused(_ scalar: Unicode.Scalar, field: String) -> PaymentFault {
    let number = String(scalar.value, radix: 16, uppercase: true)
    let padded = String(repeating: "0", count: max(0, 4 - number.utf8.count)) + number
    return PaymentFault(.character, field: field, "has the character U+\(padded), which payment systems do not carry")
  }

  private static func isCarried(_ scalar: Unicode.Scalar) -> Bool {
    switch scalar {
    case "a"..."z", "A"..."Z", "0"..."9", "/", "-", "?", ":", "(", ")", ".", ",", "'", "+", " ": true
    default: false
    }
  }

  /// What stands for a character outside of the set.
  private static let table: [Unicode.Scalar: String] = {
    var table: [Unicode.Scalar: String] = [
      "&": "+", "_": "-", "\"": "'", "`": "'", "´": "'", "’": "'", "‘": "'", "“": "'", "”": "'", "–": "-", "—": "-",
      "‐": "-", "‑": "-", "@": "(at)", "#": ".", "%": ".", "*": ".", "=": ".", "!": ".", ";": ",", "<": "(", ">": ")",
      "[": "(", "]": ")", "{": "(", "}": ")", "|": "/", "\\": "/", "~": "-", "^": ".", "€": "EUR", "£": "GBP",
      "$": "USD", "…": "...", "ß": "ss", "Æ": "AE", "æ": "ae", "Œ": "OE", "œ": "oe", "Ø": "O", "ø": "o", "Ð": "D",
      "ð": "d", "Þ": "TH", "þ": "th", "Ł": "L", "ł": "l", "Đ": "D", "đ": "d", "ı": "i", "ĸ": "k", "Ŋ": "N", "ŋ": "n",
    ]
    let bases: [(String, String)] = [
      ("A", "ÀÁÂÃÄÅĀĂĄ"), ("C", "ÇĆĈĊČ"), ("D", "Ď"), ("E", "ÈÉÊËĒĔĖĘĚ"), ("G", "ĜĞĠĢ"), ("H", "ĤĦ"),
      ("I", "ÌÍÎÏĨĪĬĮİ"),
      ("J", "Ĵ"), ("K", "Ķ"), ("L", "ĹĻĽĿ"), ("N", "ÑŃŅŇ"), ("O", "ÒÓÔÕÖŌŎŐ"), ("R", "ŔŖŘ"), ("S", "ŚŜŞŠȘ"),
      ("T", "ŢŤŦȚ"),
      ("U", "ÙÚÛÜŨŪŬŮŰŲ"), ("W", "Ŵ"), ("Y", "ÝŶŸ"), ("Z", "ŹŻŽ"),
    ]
    for (base, letters) in bases {
      for letter in letters.unicodeScalars { table[letter] = base }
      for letter in letters.lowercased().unicodeScalars where table[letter] == nil && letter.value > 0x7F {
        table[letter] = base.lowercased()
      }
    }
    return table
  }()
}

/// The end-to-end id under which a payout is sent, and found again on a statement: `CB` and the 32 hexadecimal digits of
/// its id, since the id as it is written elsewhere is longer than the 35 characters that payments carry.
package enum EndToEndReference {
  package static func of(_ payout: PayoutID) -> String {
    "CB" + payout.value.description.split(separator: "-").joined().uppercased()
  }

  /// What the bank is to show where the platform's fee of a payout leaves the client account: apart from the payout's
  /// own, so that the two movements of one payout are told from each other even when their amounts are the same.
  package static func ofFee(_ payout: PayoutID) -> String { "CF" + of(payout).dropFirst(2) }

  /// What the bank is to show where a lender's payout repays what the platform had advanced to the client account.
  package static func ofRepaidAdvance(_ payout: PayoutID) -> String { "CR" + of(payout).dropFirst(2) }

  /// As `ofRepaidAdvance`, where the lender paid in cash.
  package static func ofRepaidAdvance(_ receipt: CashReceiptID) -> String {
    ofRepaidAdvance(PayoutID(receipt.value))
  }

  /// What the bank is to show where the platform's own money goes into the client account, since clients' was taken back.
  package static func ofAdvance(_ clawback: ClawbackID) -> String { "CA" + of(PayoutID(clawback.value)).dropFirst(2) }
  /// What a bank is to show of both movements of a conversion: they are told from each other by their currencies.
  package static func of(_ conversion: CashConversionID) -> String {
    "CX" + conversion.value.description.split(separator: "-").joined().uppercased()
  }

  /// The payout that a reference names; nil for any other reference.
  package static func payout(_ reference: some StringProtocol) -> PayoutID? {
    let digits = Array(reference.utf8)
    guard digits.count == 34, digits.starts(with: [0x43, 0x42]),
      digits.allSatisfy({ ($0 >= 0x30 && $0 <= 0x39) || ($0 >= 0x41 && $0 <= 0x46) }),
      let high = UInt64(String(decoding: digits[2..<18], as: UTF8.self), radix: 16),
      let low = UInt64(String(decoding: digits[18...], as: UTF8.self), radix: 16)
    else { return nil }
    return PayoutID(UUIDValue(high: high, low: low))
  }
}
