import Primitives
import StrictCSV

/// Bank statements as comma-separated values (RFC 4180, UTF-8), for banks that give no camt.053.
///
/// The header names exactly these columns, in any order:
///
/// | column | meaning |
/// | --- | --- |
/// | `record` | `opening`, `entry`, `closing`, and `end` as the very last |
/// | `statement_id` | the bank's name for the statement; empty for `end` |
/// | `account` | IBAN, or the bank's own identification; empty for `end` |
/// | `currency` | ISO 4217; empty for `end` |
/// | `booking_date` | `YYYY-MM-DD`; the date of the balance for `opening` and `closing`; empty for `end` |
/// | `value_date` | `YYYY-MM-DD` or empty; entries only, as all that follow but the amount |
/// | `amount` | decimal in the currency's decimals, money in positive, out with a minus; for `end` the number of entries |
/// | `status` | `BOOK`, `PDNG`, `FUTR` or `INFO` |
/// | `reversal` | `true`, `false` or empty |
/// | `bank_reference` | the bank's own, unique within the statement, or empty |
/// | `end_to_end_id` | or empty |
/// | `creditor_reference` | or empty |
/// | `counterparty_name` | or empty |
/// | `counterparty_account` | or empty |
/// | `remittance` | free text, or empty |
///
/// A statement is an `opening`, its entries, and a `closing` record, all of one `statement_id`, account and currency; then
/// the next follows, and `end` with the number of entries of the whole file. So a file that was cut is told from a whole
/// one wherever it was cut. A batch is written as one entry a payment: this form has no details below an entry.
package enum StatementCSV {
  package static let columns = [
    "record", "statement_id", "account", "currency", "booking_date", "value_date", "amount", "status", "reversal",
    "bank_reference", "end_to_end_id", "creditor_reference", "counterparty_name", "counterparty_account", "remittance",
  ]

  /// Every statement of the file, in its order.
  /// - Throws: the first fault; nothing is to be taken from such a file.
  package static func read(_ bytes: [UInt8]) throws(StatementFault) -> [BankStatement] {
    let table: CSVTable
    do {
      var limits = CSVTable.Limits()
      limits.maxBytes = 64 << 20
      limits.maxRows = 1_000_000
      table = try CSVTable(parsing: bytes, limits: limits)
    } catch {
      throw StatementFault(.malformed, line: error.line, element: "", error.reason)
    }
    for name in table.missing(columns) { throw StatementFault(.missing, line: 1, element: name, "is missing") }
    if let extra = table.header.first(where: { !columns.contains($0) }) {
      throw StatementFault(.wrongMessage, line: 1, element: extra, "is no column of a bank statement")
    }
    return try statements(table)
  }

  private static func statements(_ table: CSVTable) throws(StatementFault) -> [BankStatement] {
    var statements: [BankStatement] = []
    var known: Set<String> = []
    var open: CSVStatement?
    var count: Int64 = 0
    for (index, row) in table.rows.enumerated() {
      let row = CSVRecord(row: row)
      switch try row.text("record") {
      case "opening":
        if let open { throw row.fault(.missing, "record", "statement \(open.id) has no closing record") }
        open = try CSVStatement(opening: row)
      case "entry":
        guard open != nil else { throw row.fault(.missing, "record", "an entry before an opening record") }
        try open?.take(row)
        count += 1
      case "closing":
        guard let whole = try open?.finish(row) else {
          throw row.fault(.missing, "record", "a closing record before an opening one")
        }
        guard known.insert("\(whole.account) \(whole.id)").inserted else {
          throw row.fault(.duplicateStatement, "statement_id", "statement \(whole.id) of the account stands twice")
        }
        statements.append(whole)
        open = nil
      case "end":
        if let open { throw row.fault(.missing, "record", "statement \(open.id) has no closing record") }
        guard let stated = Int64(try row.text("amount")), stated == count else {
          throw row.fault(.totalsDiffer, "amount", "says \(try row.text("amount")) entries, and \(count) are there")
        }
        guard index == table.rows.count - 1 else { throw row.fault(.malformed, "record", "something follows the end") }
        guard !statements.isEmpty else { throw row.fault(.missing, "record", "there is no statement") }
        return statements
      case let other: throw row.fault(.badValue, "record", "is no record: \(other)")
      }
    }
    throw StatementFault(
      .truncated, line: (table.rows.last?.line ?? 1) + 1, element: "record", "the file ends without its end record")
  }
}

/// One record, and the questions that a reader asks it.
private struct CSVRecord {
  let row: CSVTable.Row

  func fault(_ reason: StatementFault.Reason, _ column: String, _ what: String) -> StatementFault {
    StatementFault(reason, line: row.line, element: column, what)
  }

  func optional(_ column: String) -> String? {
    // White space as in the other form, so that both have one fingerprint.
    let words = (row[column] ?? "").split(whereSeparator: \.isWhitespace)
    return words.isEmpty ? nil : words.joined(separator: " ")
  }

  func text(_ column: String) throws(StatementFault) -> String {
    guard let text = optional(column) else { throw fault(.missing, column, "is empty") }
    return text
  }

  func date(_ column: String) throws(StatementFault) -> CalendarDate {
    let text = try text(column)
    guard let date = CalendarDate(text) else { throw fault(.badDate, column, "is no date: \(text)") }
    return date
  }

  func account(_ column: String) throws(StatementFault) -> BankAccount {
    let text = try text(column)
    guard let account = BankAccount(text) else { throw fault(.badValue, column, "is no account: \(text)") }
    return account
  }

  func currency() throws(StatementFault) -> Currency {
    let text = try text("currency")
    guard let currency = Currency(text) else { throw fault(.badValue, "currency", "is an unknown currency: \(text)") }
    return currency
  }

  func amount(_ currency: Currency) throws(StatementFault) -> Int64 {
    let text = try text("amount")
    do { return try DecimalAmount.parse(text, currency, allowsSign: true) } catch {
      switch error {
      case .notANumber, .negative: throw fault(.badAmount, "amount", "is no amount: \(text)")
      case .tooLarge: throw fault(.amountTooLarge, "amount", "is too large: \(text)")
      case .tooManyDecimals(let allowed):
        throw fault(.tooManyDecimals, "amount", "has more than the \(allowed) decimals of \(currency): \(text)")
      }
    }
  }
}

/// A statement as its records come in.
private struct CSVStatement {
  let id: String
  private let account: BankAccount
  private let currency: Currency
  private let opening: BankStatement.Balance
  private var entries: [StatementEntry] = []
  private var lines: [Int] = []

  init(opening row: CSVRecord) throws(StatementFault) {
    id = try row.text("statement_id")
    account = try row.account("account")
    currency = try row.currency()
    opening = BankStatement.Balance(
      amount: try row.amount(currency), date: try row.date("booking_date"), isInterim: false)
  }

  /// The record is of this statement.
  private func hold(_ row: CSVRecord) throws(StatementFault) {
    guard try row.text("statement_id") == id else {
      throw row.fault(.missing, "statement_id", "statement \(id) has no closing record")
    }
    guard try row.account("account") == account else { throw row.fault(.badValue, "account", "is another account") }
    guard try row.currency() == currency else {
      throw row.fault(.currencyDiffers, "currency", "is \(try row.currency()) where the account is in \(currency)")
    }
  }

  mutating func take(_ row: CSVRecord) throws(StatementFault) {
    try hold(row)
    let status = try row.text("status")
    guard let status = EntryStatus(rawValue: status) else {
      throw row.fault(.badValue, "status", "is an unknown status: \(status)")
    }
    let isReversal: Bool
    switch row.optional("reversal") {
    case nil, "false": isReversal = false
    case "true": isReversal = true
    case let other?: throw row.fault(.badValue, "reversal", "is neither true nor false: \(other)")
    }
    var detail = EntryDetail(amount: try row.amount(currency))
    let endToEnd = row.optional("end_to_end_id")
    detail.endToEndID = endToEnd == "NOTPROVIDED" ? nil : endToEnd
    detail.creditorReference = row.optional("creditor_reference")
    detail.counterpartyName = row.optional("counterparty_name")
    if row.optional("counterparty_account") != nil {
      detail.counterpartyAccount = try row.account("counterparty_account")
    }
    detail.remittance = row.optional("remittance").map { [$0] } ?? []
    entries.append(
      StatementEntry(
        number: entries.count + 1, amount: detail.amount, status: status, isReversal: isReversal,
        bookingDate: try row.date("booking_date"),
        valueDate: row.optional("value_date") == nil ? nil : try row.date("value_date"), reference: nil,
        bankReference: row.optional("bank_reference"), transactionCode: nil, details: [detail]))
    lines.append(row.row.line)
  }

  func finish(_ row: CSVRecord) throws(StatementFault) -> BankStatement {
    try hold(row)
    let closing = BankStatement.Balance(
      amount: try row.amount(currency), date: try row.date("booking_date"), isInterim: false)
    let statement = BankStatement(
      id: id, electronicSequence: nil, account: account, currency: currency, openingBalance: opening,
      closingBalance: closing, entries: entries)
    try StatementChecks.hold(statement) { number in
      number == 0 ? (row.row.line, "amount") : (lines[number - 1], "bank_reference")
    }
    return statement
  }
}

/// A file of bank statements in whichever form it is.
package enum StatementFile {
  /// A file that begins with `<` is XML; any other must be comma-separated values.
  /// - Throws: the first fault; nothing is to be taken from such a file.
  package static func read(_ bytes: [UInt8]) throws(StatementFault) -> [BankStatement] {
    let start = bytes.starts(with: [0xEF, 0xBB, 0xBF]) ? 3 : 0
    let first = bytes[start...].first { $0 != 0x20 && $0 != 0x0A && $0 != 0x0D && $0 != 0x09 }
    return first == 0x3C ? try Camt053.read(bytes) : try StatementCSV.read(bytes)
  }
}
