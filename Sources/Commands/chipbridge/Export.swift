import ArgumentParser
import Foundation
import LedgerExport
import Operations
import Postgres
import Primitives

/// The books in files that programs other than ours read.
struct Export: AsyncParsableCommand {
  /// What is written.
  enum Format: String, ExpressibleByArgument, CaseIterable {
    /// The journal in plain text, for hledger.
    case hledger
    /// The chart of accounts, comma-separated. Needs no database.
    case accounts
  }

  static let configuration = CommandConfiguration(
    abstract: "Write the books as a journal for hledger, or the chart of accounts.",
    discussion: "hledger --file books.journal check --strict holds of what is written, and hledger balance is ours.")
  @OptionGroup var database: DatabaseOptions
  @Option(help: "hledger or accounts.") var format: Format
  @Option(help: "The file to write; standard output when left out.") var output: String?
  @Option(help: "The last business date, YYYY-MM-DD; all when left out.") var asOf: String?
  @Option(help: "Nothing recorded later than this moment, as 2023-11-06T09:00:00Z; all when left out.")
  var knownAt: String?
  @Option(help: "Seconds the whole export may take.") var seconds = 3_600

  func validate() throws {
    guard (1...86_400).contains(seconds) else { throw ValidationError("--seconds is 1 to 86400.") }
    if let asOf, CalendarDate(asOf) == nil { throw ValidationError("--as-of is a date, YYYY-MM-DD.") }
    if let knownAt, Instant(knownAt) == nil {
      throw ValidationError("--known-at is a moment, such as 2023-11-06T09:00:00Z.")
    }
    if format == .accounts, asOf != nil || knownAt != nil {
      throw ValidationError("The chart of accounts has no date: leave out --as-of and --known-at.")
    }
  }

  func run() async throws {
    let sink = try ExportSink(path: output)
    do {
      switch format {
      case .accounts: try sink.write(Array(ChartOfAccounts.csv.utf8))
      case .hledger: try await hledger(to: sink)
      }
      try sink.finish()
    } catch {
      sink.abandon()
      throw error
    }
  }

  private func hledger(to sink: ExportSink) async throws {
    let limit = Duration.seconds(seconds)
    var configuration = try database.configuration()
    configuration.statementTimeout = limit
    configuration.requiresWritable = false
    // As in verify: row security binds the owner too, and the transaction is read-only.
    configuration.role = "chipbridge_writer"
    let pool = try PostgresPool(configuration: configuration, size: 1, waiters: 4)
    let summary = try await pool.closing {
      try await BookExporter(pool: $0).hledger(
        asOf: asOf.flatMap { CalendarDate($0) }, knownAt: knownAt.flatMap { Instant($0) }, deadline: .now + limit
      ) { try sink.write($0) }
    }
    if let output { print("\(grouped(Int64(summary.entries))) entries are in \(output).") }
  }
}

/// Where an export goes. A file appears under its name when it is whole, and not before: a half of a journal would look
/// like books.
private final class ExportSink: Sendable {
  private let path: String?
  private let partial: String
  private let handle: FileHandle

  init(path: String?) throws {
    self.path = path
    guard let path else {
      partial = ""
      handle = .standardOutput
      return
    }
    partial = "\(path).\(ProcessInfo.processInfo.processIdentifier).partial"
    guard FileManager.default.createFile(atPath: partial, contents: nil, attributes: [.posixPermissions: 0o600]),
      let handle = FileHandle(forWritingAtPath: partial)
    else { throw Failure("The file \(path) cannot be written.") }
    self.handle = handle
  }

  func write(_ bytes: [UInt8]) throws {
    do { try handle.write(contentsOf: Data(bytes)) } catch {
      throw Failure("\(path ?? "Standard output") cannot be written: \(error.localizedDescription)")
    }
  }

  func finish() throws {
    guard let path else { return }
    do {
      try handle.synchronize()
      try handle.close()
    } catch { throw Failure("\(path) cannot be written: \(error.localizedDescription)") }
    guard rename(partial, path) == 0 else { throw Failure("\(path) cannot be replaced (errno \(errno)).") }
  }

  /// Removes what was begun.
  func abandon() {
    guard path != nil else { return }
    try? handle.close()
    try? FileManager.default.removeItem(atPath: partial)
  }
}
