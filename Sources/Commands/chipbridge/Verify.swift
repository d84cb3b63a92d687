import ArgumentParser
import Operations
import Postgres
import StrictJSON

/// Recomputes the laws of the books, independently of the service.
struct Verify: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Recompute every law of the books from the rows, read-only; exit status 1 on any breach.")
  @OptionGroup var database: DatabaseOptions
  @Flag(help: "One JSON object a check.") var json = false
  @Option(help: "Seconds the whole verification may take.") var seconds = 600

  func validate() throws {
    guard (1...86_400).contains(seconds) else { throw ValidationError("--seconds is 1 to 86400.") }
  }

  func run() async throws {
    let limit = Duration.seconds(seconds)
    var configuration = try database.configuration()
    configuration.statementTimeout = limit
    configuration.requiresWritable = false
    // Row security binds the owner too; the writer's policies show every row, and the transaction changes none.
    configuration.role = "chipbridge_writer"
    let pool = try PostgresPool(configuration: configuration, size: 1, waiters: 4)
    let reports = try await pool.closing { try await BookVerifier(pool: $0).verify(deadline: .now + limit) }
    for report in reports { print(json ? line(report) : text(report)) }
    let broken = reports.filter { !$0.breaches.isEmpty }
    guard broken.isEmpty else {
      if !json { print("\(broken.count) of \(reports.count) checks found a breach.") }
      throw ExitCode(1)
    }
    if !json { print("All \(reports.count) checks hold.") }
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
