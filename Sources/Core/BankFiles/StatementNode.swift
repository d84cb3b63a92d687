import Primitives
import StrictXML

/// An element of a statement with the way that leads to it, and the questions that a reader asks it.
struct StatementNode: Sendable {
  let node: XMLNode
  /// `Document/BkToCstmrStmt/Stmt/Ntry`.
  let path: String

  init(_ node: XMLNode, path: String) {
    self.node = node
    self.path = path
  }

  func fault(_ reason: StatementFault.Reason, _ what: String) -> StatementFault {
    StatementFault(reason, line: node.line, element: path, what)
  }

  // MARK: Members

  func all(_ name: String) -> [StatementNode] { node.all(name).map { StatementNode($0, path: "\(path)/\(name)") } }

  /// - Throws: `repeated` when there is more than one.
  func optional(_ name: String) throws(StatementFault) -> StatementNode? {
    let found = all(name)
    if found.count > 1 { throw found[1].fault(.repeated, "stands more than once") }
    return found.first
  }

  /// - Throws: `missing` when there is none, `repeated` when there is more than one.
  func required(_ name: String) throws(StatementFault) -> StatementNode {
    guard let found = try optional(name) else { throw fault(.missing, "\(name) is missing") }
    return found
  }

  /// A chain of members that may each be absent.
  func optional(path names: String...) throws(StatementFault) -> StatementNode? {
    var node: StatementNode? = self
    for name in names { node = try node?.optional(name) }
    return node
  }

  // MARK: Values

  /// The text with runs of white space as one space and none at the ends: how a file is laid out is no part of it.
  /// - Throws: `missing` when nothing is left.
  func text() throws(StatementFault) -> String {
    let words = node.text.split(whereSeparator: \.isWhitespace)
    guard !words.isEmpty else { throw fault(.missing, "is empty") }
    return words.joined(separator: " ")
  }

  /// The text of a member that may be absent, and must not be empty when it is there.
  func text(_ name: String) throws(StatementFault) -> String? {
    guard let member = try optional(name) else { return nil }
    return try member.text()
  }

  func whole() throws(StatementFault) -> Int64 {
    let text = try text()
    guard text.utf8.allSatisfy({ $0 >= 0x30 && $0 <= 0x39 }), let value = Int64(text) else {
      throw fault(.badValue, "is no whole number: \(text)")
    }
    return value
  }

  /// `true`, `false`, `1` or `0`.
  func truth() throws(StatementFault) -> Bool {
    switch try text() {
    case "true", "1": return true
    case "false", "0": return false
    case let other: throw fault(.badValue, "is neither true nor false: \(other)")
    }
  }

  /// The date of `Dt` or `DtTm`: of a moment the day that the bank's own clock showed.
  func date() throws(StatementFault) -> CalendarDate {
    let (day, moment) = (try optional("Dt"), try optional("DtTm"))
    if day != nil, moment != nil { throw fault(.repeated, "has Dt and DtTm") }
    guard let member = day ?? moment else { throw fault(.missing, "Dt is missing") }
    let text = try member.text()
    let rest = text.dropFirst(10)
    guard let date = CalendarDate(text.prefix(10)),
      day != nil ? Self.isZone(rest) : rest.first == "T" && Self.isTime(rest.dropFirst())
    else { throw member.fault(.badDate, "is no date: \(text)") }
    return date
  }

  /// `CRDT` is money in.
  func isCredit() throws(StatementFault) -> Bool {
    let indicator = try required("CdtDbtInd")
    switch try indicator.text() {
    case "CRDT": return true
    case "DBIT": return false
    case let other: throw indicator.fault(.badValue, "is neither CRDT nor DBIT: \(other)")
    }
  }

  /// An amount as an element with the attribute `Ccy`; nil where that is another currency than the one asked for.
  func amountIfSame(_ currency: Currency) throws(StatementFault) -> Int64? {
    guard let code = node.tag[attribute: "Ccy"] else { throw fault(.missing, "the attribute Ccy is missing") }
    guard let own = Currency(code) else { throw fault(.badValue, "is in an unknown currency: \(code)") }
    guard own == currency else { return nil }
    return try amount(currency)
  }

  /// An amount that must be of the account's currency.
  func amount(of currency: Currency) throws(StatementFault) -> Int64 {
    guard let amount = try amountIfSame(currency) else {
      throw fault(
        .currencyDiffers, "is in \(node.tag[attribute: "Ccy"] ?? "") where the account is in \(currency)")
    }
    return amount
  }

  /// The text as an amount of the currency.
  func amount(_ currency: Currency) throws(StatementFault) -> Int64 {
    let text = try text()
    do { return try DecimalAmount.parse(text, currency) } catch {
      switch error {
      case .notANumber: throw fault(.badAmount, "is no amount: \(text)")
      case .negative: throw fault(.negativeAmount, "is negative: \(text)")
      case .tooLarge: throw fault(.amountTooLarge, "is too large: \(text)")
      case .tooManyDecimals(let allowed):
        throw fault(.tooManyDecimals, "has more than the \(allowed) decimals of \(currency): \(text)")
      }
    }
  }

  /// `IBAN` or `Othr/Id` below `Id`. What is no IBAN by its check is refused, not passed on as something else.
  func account() throws(StatementFault) -> BankAccount {
    let id = try required("Id")
    if let iban = try id.optional("IBAN") {
      let text = try iban.text()
      guard let parsed = IBAN(text) else { throw iban.fault(.badValue, "is no IBAN: \(text)") }
      return .iban(parsed)
    }
    let other = try id.required("Othr").required("Id")
    let text = try other.text()
    guard let account = BankAccount(other: text) else { throw other.fault(.badValue, "is no account: \(text)") }
    return account
  }

  /// Nothing, `Z`, or `+08:00`.
  private static func isZone(_ text: Substring) -> Bool {
    if text.isEmpty || text == "Z" { return true }
    let bytes = Array(text.utf8)
    return bytes.count == 6 && (bytes[0] == 0x2B || bytes[0] == 0x2D) && isClock(bytes[1...])
  }

  /// `hh:mm:ss`, a fraction, a zone.
  private static func isTime(_ text: Substring) -> Bool {
    let bytes = Array(text.utf8)
    guard bytes.count >= 8, bytes[5] == 0x3A, isClock(bytes[..<5]), let seconds = Int(text.dropFirst(6).prefix(2)),
      (0..<60).contains(seconds)
    else { return false }
    var rest = text.dropFirst(8)
    if rest.first == "." {
      let digits = rest.dropFirst().prefix { $0.isASCII && $0.isNumber }
      guard !digits.isEmpty else { return false }
      rest = rest.dropFirst(1 + digits.count)
    }
    return isZone(rest)
  }

  /// `hh:mm`.
  private static func isClock(_ bytes: ArraySlice<UInt8>) -> Bool {
    let parts = bytes.split(separator: 0x3A, omittingEmptySubsequences: false)
    guard parts.count == 2, parts.allSatisfy({ $0.count == 2 && $0.allSatisfy { $0 >= 0x30 && $0 <= 0x39 } }) else {
      return false
    }
    return Int(String(decoding: parts[0], as: UTF8.self)) ?? 24 < 24
      && Int(String(decoding: parts[1], as: UTF8.self)) ?? 60 < 60
  }
}
