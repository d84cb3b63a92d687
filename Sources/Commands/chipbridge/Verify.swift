import ArgumentParser
import Foundation
import Operations
import Postgres
import ServiceAssembly
import StrictJSON

/// Recomputes the laws of the books, independently of the service.
struct Verify: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Recompute every law of the books from the rows, read-only; exit status 1 on any breach.")
  @OptionGroup var database: DatabaseOptions
  @Flag(help: "One JSON object a check.") var json = false
  @Option(help: "Seconds the whole verification may take.") var seconds = 600

  @Option(
    help: "File of checkpoints of the audit log, as `serve --audit-checkpoints` writes it: each must be there still.")
  var auditCheckpoints: String?

  @Option(
    help: "Public key that may have signed them: 64 hexadecimal digits, as noted from a checkpoint. Once for each key.")
  var auditKey: [String] = []

  func validate() throws {
    guard (1...86_400).contains(seconds) else { throw ValidationError("--seconds is 1 to 86400.") }
    guard auditKey.allSatisfy({ AuditSigner.seed($0) != nil }) else {
      throw ValidationError("--audit-key is 64 hexadecimal digits.")
    }
    guard auditKey.isEmpty || auditCheckpoints != nil else {
      throw ValidationError("--audit-key is of --audit-checkpoints.")
    }
  }

  func run() async throws {
    let limit = Duration.seconds(seconds)
    var configuration = try database.configuration()
    configuration.statementTimeout = limit
    configuration.requiresWritable = false
    // Row security binds the owner too; the writer's policies show every row, and the transaction changes none.
    configuration.role = "chipbridge_writer"
    let pool = try PostgresPool(configuration: configuration, size: 1, waiters: 4)
    let lines = try checkpointLines()
    let (reports, lost) = try await pool.closing { pool in
      let reports = try await BookVerifier(pool: pool).verify(deadline: .now + limit)
      let faults = try await AuditCheckpoint.faults(
        of: lines, signedBy: auditKey.compactMap(AuditSigner.seed), pool: pool, deadline: .now + limit)
      return (reports, faults)
    }
    for report in reports { print(json ? line(report) : text(report)) }
    let broken = reports.filter { !$0.breaches.isEmpty }
    if auditCheckpoints != nil, !json {
      let head = lost.isEmpty ? "ok    " : "BREACH"
      print("\(head) law  7  the checkpoints that left the database are in it still (\(grouped(Int64(lines.count))))")
      for fault in lost.prefix(20) { print("              \(fault)") }
      if auditKey.isEmpty { print("              no --audit-key: each was taken for what it says of its own key") }
    }
    guard lost.isEmpty else { throw ExitCode(1) }
    guard broken.isEmpty else {
      if !json { print("\(broken.count) of \(reports.count) checks found a breach.") }
      throw ExitCode(1)
    }
    if !json { print("All \(reports.count) checks hold.") }
  }

  private func checkpointLines() throws -> [String] {
    guard let auditCheckpoints else { return [] }
    guard let text = try? String(contentsOfFile: auditCheckpoints, encoding: .utf8) else {
      throw Failure("The file of --audit-checkpoints cannot be read.")
    }
    return text.split(separator: "\n").map(String.init)
  }

  private func text(_ report: BookVerifier.Report) -> String {
    let number = report.law < 10 ? " \(report.law)" : "\(report.law)"
    let head = report.breaches.isEmpty ? "ok    " : "BREACH"
    return "\(head) law \(number)  \(report.title) (\(grouped(report.checked)))"
      + report.breaches.map { "\n              \($0)" }.joined()
  }

  private func line(_ report: BookVerifier.Report) -> String {
    var writer = JSONWriter()
    writer.beginObject()
    writer.field("law", Int64(report.law))
    writer.field("title", report.title)
    writer.field("checked", report.checked)
    writer.array("breaches", report.breaches) { $0.string($1) }
    writer.endObject()
    return String(decoding: writer.bytes, as: UTF8.self)
  }
}
