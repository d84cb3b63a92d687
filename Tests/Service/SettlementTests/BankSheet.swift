import BankFiles
import DomainFixtures

import Operations
import Parties
import Persistence
import Postgres
import PostgresHarness
import Primitives
import Repayment
import SchemaFixtures

/// A bank statement as a test writes it, in the comma-separated form.
struct BankSheet: Sendable {
  struct Line: Sendable {
    var amount: Int64
    var reference: String
    /// The day of the statement when nil.
    var on: CalendarDate?
    var status = "BOOK"
    var isReversal = false

    init(
      _ amount: Int64, _ reference: String, on: CalendarDate? = nil, status: String = "BOOK", isReversal: Bool = false
    ) {
      self.amount = amount
      self.reference = reference
      self.on = on
      self.status = status
      self.isReversal = isReversal
    }
  }

  var name: String
  var on: CalendarDate
  var opening: Int64 = 0
  var lines: [Line]
  var currency = "USD"
  var account = "CLIENTS-USD"

  /// Booked lines on top of the opening balance.
  var closing: Int64 { lines.reduce(opening) { $1.status == "BOOK" ? $0 + $1.amount : $0 } }

  /// Currencies of two decimals only.
  private static func decimal(_ amount: Int64) -> String {
    let (whole, rest) = amount.magnitude.quotientAndRemainder(dividingBy: 100)
    return "\(amount < 0 ? "-" : "")\(whole).\(rest < 10 ? "0" : "")\(rest)"
  }

  private var records: [String] {
    let head = "\(name),\(account),\(currency)"
    let entries = lines.enumerated().map { index, line in
      let amount = Self.decimal(line.amount)
      return "entry,\(head),\(line.on ?? on),,\(amount),\(line.status),\(line.isReversal),\(name)-\(index),"
        + "\(line.reference),,,,"
    }
    return ["opening,\(head),\(on),,\(Self.decimal(opening)),,,,,,,,"] + entries
      + ["closing,\(head),\(on),,\(Self.decimal(closing)),,,,,,,,"]
  }

  static func file(_ sheets: [BankSheet]) -> [UInt8] {
    let count = sheets.reduce(0) { $0 + $1.lines.count }
    let rows = [StatementCSV.columns.joined(separator: ",")] + sheets.flatMap(\.records) + ["end,,,,,,\(count),,,,,,,,"]
    return Array((rows.joined(separator: "\n") + "\n").utf8)
  }
}

struct NoSuchBreak: Error {}

extension Marketplace {
  /// The command that the sheets' file becomes.
  func importing(_ sheets: [BankSheet]) throws -> ImportBankStatements {
    let file = BankSheet.file(sheets)
    return ImportBankStatements(statements: try StatementFile.read(file), fileDigest: SHA256Digest(of: file))
  }

  @discardableResult
  func take(_ sheets: BankSheet...) async throws -> ImportBankStatements.Imported {
    try await run(importing(sheets), by: Self.staff())
  }

  /// Records money of a payer that nobody knows, or of a startup.
  @discardableResult
  func receive(_ amount: Int64, _ reference: String, from startup: Party? = nil) async throws -> CashReceipt {
    try await run(
      RecordCashReceipt(
        receivedOn: today, amount: Money(amount, .usd), source: .round, payerID: startup?.id, reference: reference),
      by: Self.staff()
    ).receipt
  }

  /// By lender and currency.
  func payouts() async throws -> [Payout] {
    let all = Statement(
      "test_payouts", Tables.payouts.selectList + "order by lender_id, currency", columns: Tables.payouts.types)
    return try await database.withConnection { connection in
      try Tables.payouts.decode(await connection.run(Query(all), deadline: soon()))
    }
  }

  func bankBreak(_ id: ReconciliationBreakID) async throws -> ReconciliationBreakRow {
    try await database.withConnection { connection in
      let rows = try Tables.reconciliationBreaks.decode(
        await connection.run(Tables.reconciliationBreaks.rows(by: [id.value]), deadline: soon()))
      guard let row = rows.first else { throw NoSuchBreak() }
      return row
    }
  }
}
