import ArgumentParser
import AsyncHTTPClient
import Foundation
import NIOCore
import NIOHTTP1
import Parties
import Persistence
import Postgres
import Primitives
import ServiceAssembly
import WebSupport

/// Reads and writes over HTTP, and what each part of a read costs.
struct HTTPBench: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "http",
    abstract:
      "Reads of a loan and of a page of loans against a bare handler with the same bytes; writes as in `writes`.",
    discussion: """
      A lender reads its loans. Each rung does one part more than the one above it: a bare handler of the framework that
      answers the same bytes; the service's guards and middleware; the key and its quotas; the rows, without row security;
      with it; and the route itself, which also decodes the rows and writes the JSON. Beside requests a second it tells the
      processor time of service and database for each request, in which the difference of two rungs is the price of that
      part. The other reference is the same statement by pgbench -M prepared. The rungs are run one after the other, round
      by round; ratios are taken within a round. Without DATABASE_URL a private server is started.
      """)
  @Option(help: "Rounds of all runs.") var rounds = 5
  @Option(help: "Seconds of each run.") var seconds = 4
  @Option(help: "Connections of the load generator.") var connections = 64
  @Option(help: "Loans in the book.") var loans = 20_000
  @Flag(inversion: .prefixedNo, help: "The writes too.") var writes = true
  @Flag(help: "Ends within two minutes.") var quick = false
  @Flag(help: "One JSON object.") var json = false

  func validate() throws {
    guard (1...50).contains(rounds), (1...60).contains(seconds), (1...1_000).contains(connections),
      (20_000...2_000_000).contains(loans)
    else {
      throw ValidationError(
        "--rounds is 1 to 50, --seconds 1 to 60, --connections 1 to 1000, --loans 20000 to 2000000.")
    }
  }

  func run() async throws {
    let (rounds, seconds) = quick ? (2, 2) : (rounds, seconds)
    var report = try await reads(rounds: rounds, seconds: seconds)
    if writes {
      report.writes = try await Writes.parse(["--rounds", "\(rounds)", "--seconds", "\(seconds)"]).measure()
    }
    print(json ? report.json : report.text)
  }

  private func reads(rounds: Int, seconds: Int) async throws -> HTTPReport {
    let wrk = Wrk(program: try Tools.find("wrk", package: "wrk"), connections: connections, seconds: seconds)
    let pgbench = try Tools.find("pgbench", package: "postgresql-contrib")
    let database = try BenchDatabase()
    defer { database.remove() }
    let book = try await LoanBookBench(database, loans: loans, shard: 1_000)
    await book.stop()
    let folder = FileManager.default.temporaryDirectory.appendingPathComponent(UUID().uuidString)
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    let lender = try await Lender(database)
    let files = try await record(lender, database, folder)
    let bare = try BenchService(
      [Tools.beside("chipbridge-bench"), "serve-bare", "--object", files.object, "--page", files.page], folder: folder)
    defer { bare.stop() }
    let service = try BenchService(
      rungs(database) + ["--object", files.object, "--page", files.page], folder: folder)
    defer { service.stop() }
    var report = HTTPReport(
      settings: try database.settings(), rounds: rounds, seconds: seconds, connections: connections, loans: loans,
      objectBytes: files.objectBytes, pageBytes: files.pageBytes)
    for isPage in [false, true] {
      let statement = lender.script(isPage: isPage)
      for step in HTTPReport.Step.allCases {
        let script = try script(step, isPage, lender, folder)
        try await check(step, isPage, lender, files, bare: bare.port, service: service.port)
        _ = try Wrk(program: wrk.program, connections: connections, seconds: 1).run(
          script: script, port: step == .bare ? bare.port : service.port)
      }
      for _ in 0..<rounds {
        var round = HTTPReport.Round()
        round.statement = try transactions(pgbench, statement, database, folder, seconds)
        for step in HTTPReport.Step.allCases {
          let server = step == .bare ? bare : service
          let backends = try database.backends()
          let before = (server.processorSeconds, backends.map(Tools.processorSeconds(of:)).reduce(0, +))
          let result = try wrk.run(script: try script(step, isPage, lender, folder), port: server.port)
          guard result.refused == 0 else { throw BenchFailure("\(step): \(result.refused) answers were no 200") }
          let count = Double(max(result.answered, 1))
          round.steps[step] = HTTPReport.Measure(
            result: result, service: (server.processorSeconds - before.0) / count * 1_000_000,
            database: (backends.map(Tools.processorSeconds(of:)).reduce(0, +) - before.1) / count * 1_000_000)
        }
        if isPage { report.pages.append(round) } else { report.objects.append(round) }
      }
    }
    report.residentMiB = service.residentMiB
    return report
  }

  private func rungs(_ database: BenchDatabase) -> [String] {
    [Tools.beside("chipbridge-bench"), "serve-rungs", "--database-url", database.url]
  }

  // MARK: requests

  private func path(_ step: HTTPReport.Step, _ isPage: Bool, id: String) -> String {
    guard let rung = step.rung else { return isPage ? "/v1/loans" : "/v1/loans/\(id)" }
    return rung.template(isPage: isPage).replacing("{id}", with: id)
  }

  /// A script for the load generator that asks for one loan after the other.
  private func script(_ step: HTTPReport.Step, _ isPage: Bool, _ lender: Lender, _ folder: URL) throws -> String {
    let paths = isPage ? [path(step, true, id: "")] : lender.loans.map { path(step, false, id: $0) }
    let file = folder.appendingPathComponent("\(step)-\(isPage).lua")
    let script = """
      local paths = {\(paths.map { "\"\($0)\"" }.joined(separator: ","))}
      local headers = {["Authorization"] = "Bearer \(lender.key)"}
      local n = 0
      request = function()
        n = n % #paths + 1
        return wrk.format("GET", paths[n], headers)
      end
      """
    try script.write(to: file, atomically: true, encoding: .utf8)
    return file.path
  }

  private struct Files {
    let object: String
    let page: String
    let objectBytes: Int
    let pageBytes: Int
  }

  /// What the service itself answers: the bytes that everything is compared with.
  private func record(_ lender: Lender, _ database: BenchDatabase, _ folder: URL) async throws -> Files {
    let service = try BenchService(rungs(database), folder: folder)
    defer { service.stop() }
    let object = try await body("/v1/loans/\(lender.loans[0])", lender, service.port)
    let page = try await body("/v1/loans", lender, service.port)
    let files = (folder.appendingPathComponent("object.json"), folder.appendingPathComponent("page.json"))
    try Data(object).write(to: files.0)
    try Data(page).write(to: files.1)
    return Files(object: files.0.path, page: files.1.path, objectBytes: object.count, pageBytes: page.count)
  }

  private func body(_ path: String, _ lender: Lender, _ port: Int) async throws -> [UInt8] {
    var request = HTTPClientRequest(url: "http://127.0.0.1:\(port)\(path)")
    request.headers.add(name: "Authorization", value: "Bearer \(lender.key)")
    let response = try await HTTPClient.shared.execute(request, timeout: .seconds(10))
    let body = try await response.body.collect(upTo: 4_000_000)
    guard response.status == .ok else { throw BenchFailure("\(path) was answered \(response.status)") }
    return Array(body.readableBytesView)
  }

  /// Every step answers the very bytes.
  private func check(
    _ step: HTTPReport.Step, _ isPage: Bool, _ lender: Lender, _ files: Files, bare: Int, service: Int
  ) async throws {
    let answered = try await body(
      path(step, isPage, id: lender.loans[0]), lender, step == .bare ? bare : service)
    let recorded = FileManager.default.contents(atPath: isPage ? files.page : files.object) ?? Data()
    guard answered == Array(recorded) else { throw BenchFailure("\(step) answers other bytes than the route") }
  }

  /// Transactions a second of so many clients as the service has connections for reads.
  private func transactions(
    _ pgbench: String, _ script: String, _ database: BenchDatabase, _ folder: URL, _ seconds: Int
  ) throws -> Double {
    let file = folder.appendingPathComponent("statement.sql").path
    try script.write(toFile: file, atomically: true, encoding: .utf8)
    return try Tools.transactions([
      pgbench, "-n", "-M", "prepared", "-c", "8", "-j", "2", "-T", "\(seconds)", "-f", file, database.url,
    ])
  }
}

/// A lender with a key, and some of its loans.
private struct Lender {
  let key: String
  let organization: String
  let loans: [String]
  private let ids: [String]

  init(_ database: BenchDatabase) async throws {
    let found = try database.rows("select lender_id from loans group by 1 having count(*) > 50 order by 1 limit 1")
    guard let organization = found.first, let id = UUIDValue(organization) else {
      throw BenchFailure("no lender has more than a page of loans")
    }
    self.organization = organization
    ids = try database.rows("select id from loans where lender_id = '\(organization)' order by id limit 100")
    loans = ids.compactMap { UUIDValue($0).map { LoanID($0).description } }
    let clock = SystemClock()
    var source = IdentifierSource(milliseconds: UInt64(clock.now().microseconds / 1_000), seed: clock.randomBits())
    let secret = APIKeySecret(keyID: source.next())
    let row = APIKey(
      id: secret.keyID, organizationID: OrganizationID(id), roles: [.lender], scopes: [], personID: nil,
      secretDigest: secret.digest, expiresAt: nil, createdAt: clock.now())
    let pool = try PostgresPool(configuration: PostgresConfiguration(url: database.url), size: 1, waiters: 1)
    _ = try await pool.transaction(deadline: .now + .seconds(10)) {
      try await $0.pipeline([Tables.apiKeys.inserting([row])])
    }
    await pool.shutdown()
    key = secret.text
  }

  /// What the route reads, as plain SQL.
  func script(isPage: Bool) -> String {
    if isPage { return "select * from loans where lender_id = '\(organization)' order by created_at, id limit 51;\n" }
    let list = ids.map { "'\($0)'" }.joined(separator: ",")
    return "\\set n random(1, \(ids.count))\nselect * from loans where id = (array[\(list)]::uuid[])[:n];\n"
  }
}
