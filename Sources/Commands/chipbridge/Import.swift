import ArgumentParser
import Foundation
import Operations
import Parties
import Persistence
import Postgres
import Primitives
import ServiceAssembly
import StrictCSV
import StrictJSON
import Valuation
import WebSupport

/// Takes files of rounds, of chip prices and of cap tables in.
struct Import: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Import what is known of valuations: rounds, chip prices, cap tables.",
    discussion: """
      A file is imported in batches of lines, each with its record in one transaction: ended on the way, the same command goes
      on at the next line, and done again it changes nothing. A line at fault is refused with its field and reason, the others
      are taken. Rounds propose marks: nothing is valued by them before a second person has approved the import
      (POST /v1/valuation-imports/{id}/approve).
      """,
    subcommands: [ImportRoundsFile.self, ImportChipPricesFile.self, ImportCapTable.self])
}

/// Of every import: the database, and who does it.
struct ImportOptions: ParsableArguments {
  @OptionGroup var database: DatabaseOptions
  @Option(help: "The file of keys bootstrap, or any JSON object of names and keys.") var keys: String
  @Option(name: .customLong("as"), help: "Whose key of that file: a person of the platform's staff.")
  var name = "admin"
  @Option(help: "Lines a transaction.") var batch = 100
  @Flag(help: "Show what the file comes to; change nothing.") var dryRun = false
  @Flag(help: "One JSON object.") var json = false

  func validate() throws {
    guard (1...1_000).contains(batch) else { throw ValidationError("--batch is from 1 to 1000.") }
  }
}

struct ImportRoundsFile: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "rounds", abstract: "Funding rounds, as press and data sets told of them.",
    discussion: "Columns: \(RoundReport.columns.joined(separator: ", ")); pre_money may stand besides.")
  @Argument(help: "The CSV file.") var file: String
  @OptionGroup var options: ImportOptions

  func run() async throws {
    let source = try ImportSource([file])
    let lines = try source.lines { try RoundReport.read(csv: $0[0]) }
    try await options.run(source, .rounds, lines) { file, from, lines in
      ImportRounds(digest: file.digest, fileName: file.name, total: file.total, from: from, lines: lines)
    }
  }
}

struct ImportChipPricesFile: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "chip-prices", abstract: "Dated prices and hourly rates of chips, kept as quotes.",
    discussion: "Columns: \(ChipQuote.columns.joined(separator: ", ")); seller and region may stand besides.")
  @Argument(help: "The CSV file.") var file: String
  @OptionGroup var options: ImportOptions

  func run() async throws {
    let source = try ImportSource([file])
    let lines = try source.lines { try ChipQuote.read(csv: $0[0]) }
    try await options.run(source, .chipPrices, lines) { file, from, lines in
      ImportChipPrices(digest: file.digest, fileName: file.name, total: file.total, from: from, lines: lines)
    }
  }
}

struct ImportCapTable: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "ocf", abstract: "A startup's cap table in the Open Cap Format: financings and caps of convertibles.",
    discussion: """
      Takes files of these types, all of one startup: \(CapTableFile.fileTypes.joined(separator: ", ")). A financing's issuances
      may stand in another of the files. Lines are items, counted over all files in their order.
      """)
  @Argument(help: "The JSON files.") var files: [String]
  @Option(help: "The startup by its legal name; it is recorded here already.") var startup: String
  @OptionGroup var options: ImportOptions

  func run() async throws {
    let source = try ImportSource(files, salt: startup)
    let found = try await options.database.writerPool().closing { pool in
      let deadline = ContinuousClock.now + .seconds(30)
      let rows = try await pool.withConnection(deadline: deadline) {
        try await $0.run(MarkSQL.organizations(named: startup), deadline: deadline)
      }
      return try Tables.organizations.decode(rows)
    }
    guard let organization = found.first, found.count == 1 else {
      throw Failure("\(found.count) organisations are named \(startup).")
    }
    let lines = try source.lines { bytes in
      try CapTableFile(parsing: bytes, company: startup, jurisdiction: organization.jurisdiction).lines
    }
    try await options.run(source, .ocf, lines) { file, from, lines in
      ImportRounds(kind: .ocf, digest: file.digest, fileName: file.name, total: file.total, from: from, lines: lines)
    }
  }
}

/// The bytes of the files of one import.
struct ImportSource: Sendable {
  let bytes: [[UInt8]]
  let digest: SHA256Digest
  /// Of the first.
  let name: String

  /// - Parameter salt: what else tells this import from another of the same files.
  init(_ files: [String], salt: String? = nil) throws {
    bytes = try files.map { file in
      guard let content = FileManager.default.contents(atPath: file) else { throw Failure("\(file) cannot be read.") }
      return Array(content)
    }
    if let salt {
      var all = CanonicalBytes()
      all.append(salt)
      for file in bytes { all.append(SHA256Digest(of: file)) }
      digest = all.digest
    } else {
      digest = SHA256Digest(of: bytes.first ?? [])
    }
    name = String((files.first?.split(separator: "/").last ?? "").prefix(200))
  }

  /// What the files say. What is no such file at all is refused before anything is recorded.
  func lines<Value>(_ read: ([[UInt8]]) throws -> [ImportLine<Value>]) throws -> [ImportLine<Value>] {
    let lines: [ImportLine<Value>]
    do { lines = try read(bytes) } catch let failure as CSVFailure { throw Failure("\(name): \(failure)") } catch let
      failure as CapTableFailure
    { throw Failure("\(name): \(failure)") }
    guard !lines.isEmpty else { throw Failure("\(name) says nothing that could be imported.") }
    return lines
  }
}

/// The file as its import is told of it.
struct ImportedFile: Sendable {
  let digest: SHA256Digest
  let name: String
  /// Lines after the header.
  let total: Int64
}

extension ImportOptions {
  func run<Value: Sendable, Batch: Command>(
    _ source: ImportSource, _ kind: ValuationImport.Kind, _ lines: [ImportLine<Value>],
    command: @escaping @Sendable (ImportedFile, Int64, [ImportLine<Value>]) -> Batch
  ) async throws where Batch.Outcome == ImportProgress {
    let imported = ImportedFile(digest: source.digest, name: source.name, total: Int64(lines.count))
    let secret = try secret()
    let summary = try await database.writerPool().closing { pool in
      let desk = try await ImportBench(pool: pool)
      do {
        let summary = try await work(desk, imported, kind, lines, secret: secret, command)
        await desk.stop()
        return summary
      } catch {
        await desk.stop()
        throw error
      }
    }
    print(json ? summary.json : summary.text)
    if summary.refused > 0 { throw Failure("\(summary.refused) of \(lines.count) lines were refused.") }
  }

  private func secret() throws -> String {
    guard let content = FileManager.default.contents(atPath: keys) else { throw Failure("\(keys) cannot be read.") }
    guard let secret = try JSONDocument(parsing: Array(content)).root[name]?.asString else {
      throw Failure("\(keys) has no key named \(name).")
    }
    return secret
  }

  private func work<Value: Sendable, Batch: Command>(
    _ desk: ImportBench, _ file: ImportedFile, _ kind: ValuationImport.Kind, _ lines: [ImportLine<Value>],
    secret: String,
    _ command: (ImportedFile, Int64, [ImportLine<Value>]) -> Batch
  ) async throws -> ImportSummary where Batch.Outcome == ImportProgress {
    let principal = try await desk.principal(secret)
    var record = try await desk.record(kind, file.digest)
    var made: Int64 = 0
    let began = record?.linesDone ?? 0
    var bar = json ? nil : ProgressBar.ifTerminal()
    let clock = ContinuousClock.now
    while record.map({ $0.linesDone < file.total }) ?? true {
      let from = record?.linesDone ?? 0
      // A dry run leaves nothing behind that a second batch could go on from.
      let size = dryRun ? lines.count : batch
      let part = Array(lines[Int(from)..<min(lines.count, Int(from) + size)])
      let progress: ImportProgress
      do {
        progress = try await desk.pipeline.outcome(
          of: command(file, from, part), by: principal, validateOnly: dryRun, weight: .heavy)
      } catch let refusal as any Refusal { throw Failure(refusal.detail) }
      record = progress.record
      made += Int64(progress.startups.count)
      bar?.show(
        Self.line(progress.record, since: began, elapsed: ContinuousClock.now - clock))
    }
    bar?.clear()
    guard let record else { throw Failure("Nothing was imported.") }
    return ImportSummary(record: record, startups: made, began: began, isDry: dryRun)
  }

  /// `rounds [######..................] 40 of 92 lines, 0:01 left`
  private static func line(_ record: ValuationImport, since began: Int64, elapsed: Duration) -> String {
    let filled = Int(24 * record.linesDone / max(1, record.lines))
    var text = "\(record.kind.rawValue) [\(String(repeating: "#", count: filled))"
    text +=
      "\(String(repeating: ".", count: 24 - filled))] \(grouped(record.linesDone)) of \(grouped(record.lines)) lines"
    let done = record.linesDone - began
    if done > 0 {
      let milliseconds = elapsed.components.seconds * 1_000 + elapsed.components.attoseconds / 1_000_000_000_000_000
      let seconds = milliseconds * (record.lines - record.linesDone) / done / 1_000
      text += ", \(seconds / 60):\(seconds % 60 < 10 ? "0" : "")\(seconds % 60) left"
    }
    return text
  }
}

/// A pipeline of this process, and who may use it.
struct ImportBench {
  private let pool: PostgresPool
  private let clock = SystemClock()
  private let running: Task<Void, Never>
  let pipeline: CommandPipeline

  init(pool: PostgresPool) async throws {
    self.pool = pool
    let reference = try await ReferenceStore.load(from: pool, deadline: .now + .seconds(30))
    let pipeline = CommandPipeline(pool: pool, reference: reference, clock: clock)
    self.pipeline = pipeline
    running = Task { await pipeline.run() }
  }

  func stop() async {
    pipeline.close()
    await running.value
  }

  /// The person whose key it is: the audit log names who imported.
  func principal(_ secret: String) async throws -> Principal {
    do {
      return try await Authenticator(pool: pool, clock: clock).principal(authorization: "Bearer \(secret)")
    } catch let problem as Problem { throw Failure(problem.detail) }
  }

  func record(_ kind: ValuationImport.Kind, _ digest: SHA256Digest) async throws -> ValuationImport? {
    let deadline = ContinuousClock.now + .seconds(30)
    let query = MarkSQL.importOfFile(kind, digest)
    let rows = try await pool.withConnection(deadline: deadline) { try await $0.run(query, deadline: deadline) }
    return try Tables.valuationImports.decode(rows).first
  }
}

/// What an import came to, for people and for programs.
struct ImportSummary {
  let record: ValuationImport
  /// That were made by this run.
  let startups: Int64
  /// Lines that an earlier run had done.
  let began: Int64
  let isDry: Bool

  var refused: Int64 { record.refused }

  var text: String {
    var head = "\(record.id): \(grouped(record.linesDone)) of \(grouped(record.lines)) lines"
    if isDry { head = "Dry run, nothing was changed: \(grouped(record.lines)) lines" }
    var lines = [
      head + ", \(grouped(record.recorded)) recorded, \(grouped(record.unchanged)) known already, "
        + "\(grouped(record.proposed)) marks proposed, \(grouped(record.refused)) refused"
    ]
    if began > 0 { lines.append("  an earlier run had done \(grouped(began)) of them") }
    if startups > 0 { lines.append("  \(grouped(startups)) startups were recorded, unverified") }
    lines += record.findings.map { "  line \($0.line), \($0.field): \($0.detail) (\($0.code))" }
    if record.proposed > 0, !isDry {
      lines.append("The marks wait for a second person: POST /v1/valuation-imports/\(record.id)/approve.")
    }
    return lines.joined(separator: "\n")
  }

  var json: String {
    var writer = JSONWriter(capacity: 1_024)
    writer.object { writer in
      writer.field("id", record.id.description)
      writer.field("dry_run", isDry)
      writer.field("kind", record.kind.rawValue)
      writer.field("file_digest", record.fileDigest.description)
      writer.field("lines", record.lines)
      writer.field("lines_done", record.linesDone)
      writer.field("lines_done_before", began)
      writer.field("recorded", record.recorded)
      writer.field("unchanged", record.unchanged)
      writer.field("proposed", record.proposed)
      writer.field("refused", record.refused)
      writer.field("startups", startups)
      writer.array("findings", record.findings) { writer, finding in
        writer.object { writer in
          writer.field("line", Int64(finding.line))
          writer.field("field", finding.field)
          writer.field("code", finding.code)
          writer.field("detail", finding.detail)
        }
      }
    }
    return String(decoding: writer.bytes, as: UTF8.self)
  }
}
