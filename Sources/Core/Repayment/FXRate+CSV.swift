import Primitives
import StrictCSV

extension FXRate {
  /// The columns of a file of rates, in any order and no others: `EUR,USD,2024-05-02,1.0850,ECB`.
  package enum Column: String, CaseIterable {
    /// The currency of which one major unit is priced.
    case base
    /// The currency of the price.
    case quote
    /// `YYYY-MM-DD`
    case on
    /// The price as published, plain digits with at most one point.
    case rate
    /// Who published it, 1 to 500 bytes.
    case source
  }

  /// Days of ten currencies over two years.
  package static let mostInFile = 5_000

  /// Reads a whole file of rates, in its order.
  /// - Throws: `RepaymentRefusal.unreadableRates` with the line of the first fault; `rateTwice` for two prices of a pair and
  ///   day. Nothing is to be taken from such a file.
  package static func rates(fromCSV bytes: [UInt8]) throws(RepaymentRefusal) -> [FXRate] {
    let table: CSVTable
    var limits = CSVTable.Limits()
    limits.maxRows = mostInFile
    do { table = try CSVTable(parsing: bytes, limits: limits) } catch {
      throw .unreadableRates(line: error.line, reason: error.reason)
    }
    let missing = table.missing(Column.allCases.map(\.rawValue))
    guard missing.isEmpty else {
      throw .unreadableRates(line: 1, reason: "the header lacks \(missing.joined(separator: ", "))")
    }
    guard table.header.count == Column.allCases.count else {
      let names = Column.allCases.map(\.rawValue).joined(separator: ", ")
      throw .unreadableRates(line: 1, reason: "the columns are \(names), and no others")
    }
    guard !table.rows.isEmpty else { throw .unreadableRates(line: 1, reason: "there is no rate") }
    var rates: [FXRate] = []
    for row in table.rows { rates.append(try rate(row)) }
    // Two of one day, whichever way round, are found as a table finds them.
    _ = try FXTable(rates, maxStalenessDays: 0)
    return rates
  }

  private static func rate(_ row: CSVTable.Row) throws(RepaymentRefusal) -> FXRate {
    func value<Value>(
      _ column: Column, _ expected: String, _ parse: (String) -> Value?
    ) throws(RepaymentRefusal) -> Value {
      guard let value = row[column.rawValue].flatMap(parse) else {
        throw .unreadableRates(line: row.line, reason: "\(column.rawValue) must be \(expected)")
      }
      return value
    }
    let base = try value(.base, "a currency of ISO 4217") { Currency($0) }
    let quote = try value(.quote, "a currency of ISO 4217") { Currency($0) }
    let on = try value(.on, "of the form YYYY-MM-DD") { CalendarDate($0) }
    let source = try value(.source, "1 to 500 bytes") { (1...500).contains($0.utf8.count) ? $0 : nil }
    do {
      return try FXRate(base: base, quote: quote, price: row[Column.rate.rawValue] ?? "", on: on, source: source)
    } catch {
      throw .unreadableRates(
        line: row.line,
        reason: "rate must be a decimal above 0 of at most \(mostDigits) digits, \(mostPlaces) of them places, between "
          + "two currencies")
    }
  }
}
