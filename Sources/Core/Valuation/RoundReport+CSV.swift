import Primitives
import StrictCSV

/// What is wrong with one line of a file.
package struct LineFault: Error, Sendable, Hashable {
  /// From 1, the header included.
  package let line: Int
  /// The column, or the member's path.
  package let field: String
  /// Stable, for programs.
  package let code: String
  package let detail: String

  package init(line: Int, field: String, code: String, detail: String) {
    self.line = line
    self.field = field
    self.code = code
    self.detail = detail
  }
}

/// One line of a file: what it says, or everything that is wrong with it.
package struct ImportLine<Value: Sendable>: Sendable {
  package let line: Int
  package let value: Value?
  package let faults: [LineFault]

  package init(line: Int, value: Value?, faults: [LineFault]) {
    self.line = line
    self.value = faults.isEmpty ? value : nil
    self.faults = faults
  }
}

/// Reads the fields of one row, and keeps every fault, not the first alone.
struct RowFields {
  let row: CSVTable.Row
  private(set) var faults: [LineFault] = []

  init(_ row: CSVTable.Row) { self.row = row }

  mutating func fault(_ field: String, _ code: String, _ detail: String) {
    faults.append(LineFault(line: row.line, field: field, code: code, detail: detail))
  }

  /// The text of a column; nil when empty.
  func text(_ column: String) -> String? {
    guard let text = row[column], !text.isEmpty else { return nil }
    return text
  }

  mutating func text(_ column: String, bytes: ClosedRange<Int>) -> String? {
    guard let text = text(column) else {
      if bytes.lowerBound > 0 { fault(column, "field.missing", "is required") }
      return nil
    }
    guard bytes.contains(text.utf8.count), text.utf8.allSatisfy({ $0 >= 0x20 && $0 != 0x7F }) else {
      fault(column, "field.malformed", "is \(bytes.lowerBound) to \(bytes.upperBound) bytes without control characters")
      return nil
    }
    return text
  }

  mutating func parsed<Value>(_ column: String, _ expected: String, _ parse: (String) -> Value?) -> Value? {
    guard let text = text(column) else {
      fault(column, "field.missing", "is required: \(expected)")
      return nil
    }
    guard let value = parse(text) else {
      fault(column, "field.malformed", "is not \(expected)")
      return nil
    }
    return value
  }

  mutating func enumeration<Value: RawRepresentable & CaseIterable>(
    _ column: String, as type: Value.Type = Value.self
  ) -> Value? where Value.RawValue == String {
    let known = Value.allCases.map(\.rawValue).joined(separator: ", ")
    return parsed(column, "one of \(known)") { Value(rawValue: $0) }
  }

  /// An amount of a currency as minor units; nil when empty.
  mutating func amount(_ column: String, _ currency: Currency?) -> Int64? {
    guard let text = text(column) else { return nil }
    guard let currency else { return nil }
    guard let minor = MinorUnits.exact(text, currency), (1...Money.largestAccepted).contains(minor) else {
      fault(
        column, "field.out_of_range",
        "is not an amount above zero with at most \(currency.minorUnitDigits) decimals and \(Money.largestAccepted) minor units"
      )
      return nil
    }
    return minor
  }
}

/// Decimal text and minor units.
package enum MinorUnits {
  /// - Returns: nil for what is no plain decimal, has more decimals than the currency, or does not fit.
  package static func exact(_ text: String, _ currency: Currency) -> Int64? {
    guard let number = DecimalNumeral(text)?.trimmed, number.places <= currency.minorUnitDigits else { return nil }
    return (number.unscaled * .powerOfTen(currency.minorUnitDigits - number.places)).int64
  }
}

extension RoundReport {
  /// The columns of the file, all required to be there; some may be empty in a row. `pre_money` may be a column besides.
  package static let columns = [
    "company", "jurisdiction", "round", "announced_date", "date_precision", "amount", "currency", "post_money",
    "lead_investors", "kind", "acquirer", "status", "certainty", "source", "notes",
  ]

  /// Every line of a file of rounds.
  /// - Throws: `CSVFailure` for what is no table of this kind.
  package static func read(csv bytes: [UInt8]) throws(CSVFailure) -> [ImportLine<RoundReport>] {
    let table = try CSVTable(parsing: bytes)
    let missing = table.missing(columns)
    guard missing.isEmpty else {
      throw CSVFailure(line: 1, reason: "the header lacks \(missing.joined(separator: ", "))")
    }
    let unknown = table.header.filter { $0 != "pre_money" && !columns.contains($0) }
    guard unknown.isEmpty else {
      throw CSVFailure(line: 1, reason: "the header has unknown columns: \(unknown.joined(separator: ", "))")
    }
    var seen: [SHA256Digest: Int] = [:]
    return table.rows.map { row in
      var fields = RowFields(row)
      let report = read(&fields)
      if let report, let earlier = seen.updateValue(row.line, forKey: report.fingerprint) {
        fields.fault("company", "line.repeated", "says what line \(earlier) says")
      }
      return ImportLine(line: row.line, value: report, faults: fields.faults)
    }
  }

  private static func read(_ fields: inout RowFields) -> RoundReport? {
    let company = fields.text("company", bytes: 1...200)
    let jurisdiction = fields.parsed("jurisdiction", "a country by its two capital letters") { CountryCode($0) }
    let name = fields.text("round", bytes: 1...200)
    let announced = fields.parsed("announced_date", "a day, a month or a year of ISO 8601") { ReportedDate($0) }
    let precision = fields.enumeration("date_precision", as: ReportedDate.Precision.self)
    if let announced, let precision, announced.precision != precision {
      fields.fault("date_precision", "field.conflict", "is not that of announced_date")
    }
    let currency = fields.parsed("currency", "a currency by its three capital letters") { Currency($0) }
    let amount = fields.amount("amount", currency)
    let preMoney = fields.amount("pre_money", currency)
    let postMoney = fields.amount("post_money", currency)
    if let preMoney, let postMoney, preMoney > postMoney {
      fields.fault("pre_money", "field.conflict", "is above post_money")
    }
    let investors = fields.text("lead_investors", bytes: 0...1_000).map(names) ?? []
    let kind = fields.enumeration("kind", as: Kind.self)
    let acquirer = fields.text("acquirer", bytes: 0...200)
    if kind == .acquisition, acquirer == nil { fields.fault("acquirer", "field.missing", "an acquisition names it") }
    let status = fields.enumeration("status", as: Status.self)
    let certainty = fields.enumeration("certainty", as: Certainty.self)
    let source = fields.text("source", bytes: 1...500)
    let notes = fields.text("notes", bytes: 0...1_000)
    guard let company, let jurisdiction, let name, let announced, let currency, let kind, let status, let certainty,
      let source
    else { return nil }
    return RoundReport(
      company: company, jurisdiction: jurisdiction, name: name, announced: announced, currency: currency,
      amount: amount, preMoney: preMoney, postMoney: postMoney, investors: investors, kind: kind, acquirer: acquirer,
      status: status, certainty: certainty, source: source, notes: notes)
  }

  /// `Google, Salesforce (participants)` names two.
  static func names(_ text: String) -> [String] {
    var plain = ""
    var depth = 0
    for character in text {
      switch character {
      case "(": depth += 1
      case ")": depth = max(0, depth - 1)
      default: if depth == 0 { plain.append(character) }
      }
    }
    return plain.split(separator: ",").map { part in
      var words = part.split(separator: " ")
      if words.first == "and" { words.removeFirst() }
      return words.joined(separator: " ")
    }.filter { !$0.isEmpty }
  }
}
