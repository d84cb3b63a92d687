import ArgumentParser
import Foundation
import Parties
import Persistence
import Postgres
import Primitives
import Schema
import ServiceAssembly
import WebSupport

/// Accepted loan requests a second over HTTP, against pgbench writing the same rows.
struct Writes: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Accepted loan requests a second over HTTP, against pgbench -M prepared writing the same rows.",
    discussion: """
      One request is one durable commit's share: authenticated, validated, with an idempotency key of its own, and stored
      with its answer, audit row and outbox row. The reference writes the same rows into twins of the same tables, as
      separate statements in one transaction, and as one statement. All run on one server, interleaved; ratios are taken
      within a round. Without DATABASE_URL a private server is started.
      """)
  @Option(help: "Rounds of all four runs.") var rounds = 5
  @Option(help: "Seconds of each run.") var seconds = 5
  @Flag(help: "Ends within half a minute.") var quick = false
  @Flag(help: "One JSON object.") var json = false
  @Option(help: "The chipbridge binary; the one beside this program when left out.") var chipbridge: String?

  func validate() throws {
    guard (1...50).contains(rounds), (1...60).contains(seconds) else {
      throw ValidationError("--rounds is 1 to 50, --seconds 1 to 60.")
    }
  }

  func run() async throws {
    let report = try await measure()
    print(json ? report.json : report.text)
  }

  func measure() async throws -> WritesReport {
    let binary = chipbridge ?? Tools.beside("chipbridge")
    guard FileManager.default.isExecutableFile(atPath: binary) else {
      throw BenchFailure("\(binary) is not there; build it, or name it with --chipbridge.")
    }
    let wrk = try Tools.find("wrk", package: "wrk")
    let pgbench = try Tools.find("pgbench", package: "postgresql-contrib")
    let database = try BenchDatabase()
    defer { database.remove() }
    let settings = try durability(database)
    let key = try await prepare(database)
    let folder = FileManager.default.temporaryDirectory.appendingPathComponent(UUID().uuidString)
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    let service = try BenchService(
      [binary, "serve", "--database-url", database.url, "--port", "0", "--no-workers", "--log-level", "error"],
      folder: folder)
    defer { service.stop() }
    let load = HTTPLoad(wrk: wrk, folder: folder, port: service.port, key: key)
    _ = try load.run(connections: 4, seconds: 1, badEvery: 0)
    let reference = try Reference(database)
    let (rounds, seconds) = quick ? (2, 2) : (rounds, seconds)
    var report = WritesReport(
      settings: settings, rounds: rounds, seconds: seconds, startMilliseconds: service.startMilliseconds,
      binaryBytes: (try? FileManager.default.attributesOfItem(atPath: binary)[.size] as? Int) ?? 0)
    for _ in 0..<rounds {
      var round = WritesReport.Round()
      round.separate = try bench(pgbench, reference.separate, database, folder, seconds)
      round.single = try bench(pgbench, reference.single, database, folder, seconds)
      round.at64 = try checked(load, database, connections: 64, seconds: seconds)
      round.at256 = try checked(load, database, connections: 256, seconds: seconds)
      report.measured.append(round)
    }
    try mixed(load, database, &report)
    report.residentMiB = service.residentMiB
    return report
  }

  /// What the server promises; a run that is not durable is no figure.
  private func durability(_ database: BenchDatabase) throws -> [String] {
    try ["fsync", "synchronous_commit", "full_page_writes", "shared_buffers", "server_version"].map { name in
      let value = try database.rows("show \(name)").first ?? ""
      if ["fsync", "synchronous_commit", "full_page_writes"].contains(name), value != "on" {
        throw BenchFailure("\(name) is \(value): the figures would not be of durable writes.")
      }
      return "\(name) \(value)"
    }
  }

  /// Schema, reference data, one startup and its key.
  private func prepare(_ database: BenchDatabase) async throws -> String {
    let deadline = ContinuousClock.now + .seconds(60)
    let migrator = try Migrator(Schema.migrations.map { try MigrationScript(name: $0.name, bytes: $0.sql) })
    let pool = try PostgresPool(configuration: PostgresConfiguration(url: database.url), size: 2, waiters: 8)
    _ = try await pool.withConnection(deadline: deadline) { try await migrator.migrate($0, deadline: deadline) }
    let clock = SystemClock()
    let documents = [
      ReferenceDocument(name: .chipModels, content: Schema.chipModels, source: "seed", approvedBy: "seed"),
      ReferenceDocument(name: .exportRules, content: Schema.exportRules, source: "seed", approvedBy: "seed"),
      ReferenceDocument(name: .countryScope, content: Schema.countryScope, source: "seed", approvedBy: "seed"),
    ]
    _ = try await Bootstrap.seed(documents, pool: pool, now: clock.now(), deadline: deadline)
    var ids = IdentifierSource(milliseconds: UInt64(clock.now().microseconds / 1_000), seed: clock.randomBits())
    guard let country = CountryCode("US") else { throw BenchFailure("US is a country code") }
    let id: OrganizationID = ids.next()
    let startup = Organization(
      id: id, legalName: "Bench startup", jurisdiction: country, ultimateParentJurisdiction: nil, groupID: id,
      roles: [.startup], owners: [], sites: [], verification: Verification(state: .unverified), creditGrade: nil,
      createdAt: clock.now(), updatedAt: clock.now())
    let secret = APIKeySecret(keyID: ids.next())
    let key = APIKey(
      id: secret.keyID, organizationID: id, roles: [.startup], scopes: [], personID: nil, secretDigest: secret.digest,
      expiresAt: nil, createdAt: clock.now())
    _ = try await pool.transaction(deadline: deadline) { transaction in
      try await transaction.pipeline([
        Tables.organizations.inserting([startup]), Tables.heads.inserting([Head(organizationID: id)]),
        Tables.apiKeys.inserting([key]),
      ])
    }
    await pool.shutdown()
    return secret.text
  }

  private func empty(_ database: BenchDatabase) throws {
    // The audit log is never emptied, but by whoever owns the database and says so.
    _ = try database.rows("alter table public.audit_log disable trigger audit_log_kept")
    _ = try database.rows(
      "truncate public.idempotency, public.loan_requests, public.audit_log, public.outbox, twin.idempotency, "
        + "twin.loan_requests, twin.audit_log, twin.outbox cascade")
  }

  /// Transactions a second of 32 clients.
  private func bench(
    _ pgbench: String, _ script: String, _ database: BenchDatabase, _ folder: URL, _ seconds: Int
  ) throws -> Double {
    try empty(database)
    let file = folder.appendingPathComponent("reference.sql").path
    try script.write(toFile: file, atomically: true, encoding: .utf8)
    return try Tools.transactions([
      pgbench, "-n", "-M", "prepared", "-c", "32", "-j", "2", "-T", "\(seconds)", "-f", file, database.url,
    ])
  }

  /// One HTTP run, whose answers must all be there afterwards.
  private func checked(
    _ load: HTTPLoad, _ database: BenchDatabase, connections: Int, seconds: Int
  ) throws -> Wrk.Result {
    try empty(database)
    let result = try load.run(connections: connections, seconds: seconds, badEvery: 0)
    let stored = Int(try database.rows("select count(*) from public.loan_requests").first ?? "") ?? 0
    guard result.refused == 0 else { throw BenchFailure("\(result.refused) requests were not answered 201") }
    guard stored >= result.answered else {
      throw BenchFailure("\(result.answered) answers, and \(stored) rows are stored: something acknowledged is lost")
    }
    return result
  }

  /// Every 50th request is bad: it is refused alone, and nothing else is.
  private func mixed(_ load: HTTPLoad, _ database: BenchDatabase, _ report: inout WritesReport) throws {
    try empty(database)
    let result = try load.run(connections: 64, seconds: min(seconds, 2), badEvery: 50)
    let stored = Int(try database.rows("select count(*) from public.loan_requests").first ?? "") ?? 0
    let expected = result.answered / 50
    guard abs(result.refused - expected) <= 64 + expected / 20, stored >= result.answered - result.refused else {
      throw BenchFailure("of \(result.answered) requests \(result.refused) were refused and \(stored) stored")
    }
    report.mixedAnswered = result.answered
    report.mixedRefused = result.refused
  }
}
