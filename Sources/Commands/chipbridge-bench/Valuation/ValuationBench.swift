import ArgumentParser
import Foundation
import Operations
import Parties
import Persistence
import Postgres
import Primitives
import Schema
import Valuation

/// "As of D as known at T" at size, against the server's own prepared statement.
struct ValuationBench: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "valuation",
    abstract: "What a subject was worth as of a day as known at a moment, of one and of all, at size.",
    discussion: """
      Marks are made by SQL: one a day for each subject, each tenth of them corrected a hundred days later. Latency is that of
      the product's statement through its own binding as the reader role under row security, one connection, random
      subjects, days and moments; the reference is pgbench -M prepared with the same text on the same rows as the owner. Then the same
      for one subject with a hundred times the history, and all subjects in one statement beside `distinct on`.
      """)
  @Option(help: "Subjects.") var subjects = 100_000
  @Option(help: "Marks of each.") var marks = 100
  @Option(help: "Questions timed.") var questions = 20_000
  @Flag(help: "Ends within half a minute: 5,000 subjects of 40 marks.") var quick = false
  @Flag(help: "One JSON object.") var json = false

  func validate() throws {
    guard (100...1_000_000).contains(subjects), (10...1_000).contains(marks), (100...1_000_000).contains(questions)
    else {
      throw ValidationError("--subjects is 100 to 1000000, --marks 10 to 1000, --questions 100 to 1000000.")
    }
  }

  func run() async throws {
    let database = try BenchDatabase()
    defer { database.remove() }
    let book = try await MarkBookBench(
      database, subjects: quick ? 5_000 : subjects, marks: quick ? 40 : marks,
      questions: quick ? 4_000 : questions)
    do {
      let report = try await book.measure()
      await book.stop()
      print(json ? try report.json() : report.text)
    } catch {
      await book.stop()
      throw error
    }
  }
}

/// A database full of marks.
struct MarkBookBench {
  private let database: BenchDatabase
  private let subjects: Int
  private let marks: Int
  private let questions: Int
  private let pool: PostgresPool
  private let reader: Reader
  private static let first = "2000-01-01"
  /// Subject `n` has this id; the one with the long history is number 0.
  private static let subjectID = "('00000000-0000-7000-8000-' || lpad(to_hex(%), 12, '0'))::uuid"

  init(_ database: BenchDatabase, subjects: Int, marks: Int, questions: Int) async throws {
    self.database = database
    self.subjects = subjects
    self.marks = marks
    self.questions = questions
    let deadline = ContinuousClock.now + .seconds(60)
    var configuration = try PostgresConfiguration(url: database.url)
    let setup = try PostgresPool(configuration: configuration, size: 1, waiters: 4)
    let migrator = try Migrator(Schema.migrations.map { try MigrationScript(name: $0.name, bytes: $0.sql) })
    _ = try await setup.withConnection(deadline: deadline) { try await migrator.migrate($0, deadline: deadline) }
    await setup.shutdown()
    configuration.role = "chipbridge_reader"
    pool = try PostgresPool(configuration: configuration, size: 1, waiters: 4)
    reader = Reader(pool: pool)
    try Self.fill(database, subjects: subjects, marks: marks)
  }

  func stop() async { await pool.shutdown() }

  private static func id(_ number: String) -> String { subjectID.replacingOccurrences(of: "%", with: number) }

  /// Marks of day 1, 2, ...; the tenth of each ten is corrected a hundred days after it was recorded.
  private static func fill(_ database: BenchDatabase, subjects: Int, marks: Int) throws {
    let long = marks * 100
    _ = try database.rows(
      """
      insert into organizations (org_id, legal_name, jurisdiction, group_id, roles, owners, sites, screening_decisions,
        verification_state, version, created_at, updated_at)
      select \(id("n")), 'Startup ' || n, 'US', \(id("n")), array['startup'], '[]', '[]', '[]', 'unverified', 1,
        now(), now()
      from generate_series(0, \(subjects)) as n;
      create temporary table made as
      select \(id("s")) as subject, d, gen_random_uuid() as id from generate_series(0, \(subjects)) as s
      cross join lateral generate_series(1, case when s = 0 then \(long) else \(marks) end) as d;
      insert into startup_marks (borrower_id, id, method, basis, amount, currency, effective_on, recorded_at, source,
        confidence, superseded_at)
      select subject, id, 'admin_mark', 'post_money', d, 'USD', '\(first)'::date + d,
        '\(first) 12:00Z'::timestamptz + d * interval '1 day', 'bench', 'estimated',
        case when d % 10 = 0 then '\(first) 12:00Z'::timestamptz + (d + 100) * interval '1 day' end from made;
      insert into startup_marks (borrower_id, id, method, basis, amount, currency, effective_on, recorded_at, source,
        confidence, supersedes)
      select subject, gen_random_uuid(), 'admin_mark', 'post_money', d + 1, 'USD', '\(first)'::date + d,
        '\(first) 12:00Z'::timestamptz + (d + 100) * interval '1 day', 'bench', 'estimated', id
      from made where d % 10 = 0;
      """)
    _ = try database.rows("vacuum analyze startup_marks")
    _ = try database.rows("vacuum analyze organizations")
  }

  func measure() async throws -> ValuationReport {
    var report = ValuationReport(
      subjects: subjects, marks: marks, settings: try database.settings(),
      rows: Int(try database.rows("select count(*) from startup_marks").first ?? "") ?? 0)
    report.one = try await latency(days: marks) { Int.random(in: 1...subjects) }
    report.pgbench = try pgbench()
    report.long = try await latency(days: marks * 100) { 0 }
    report.all = try await all()
    let began = ContinuousClock.now
    _ = try database.rows(
      """
      select count(*) from (select distinct on (borrower_id) borrower_id, amount from startup_marks
      where basis = 'post_money' and effective_on <= '\(first(plus: marks / 2))'
        and recorded_at <= '\(first(plus: marks)) 12:00Z'
        and (superseded_at is null or superseded_at > '\(first(plus: marks)) 12:00Z')
      order by borrower_id, effective_on desc, recorded_at desc, id desc) as found
      """)
    report.distinctOn = (ContinuousClock.now - began).seconds
    return report
  }

  private func date(plus days: Int) throws -> CalendarDate {
    guard let date = CalendarDate(Self.first)?.adding(days: Int64(days)) else {
      throw BenchFailure("the bench's days do not fit")
    }
    return date
  }

  private func first(plus days: Int) -> String { (try? date(plus: days).description) ?? Self.first }

  private func moment(plus days: Int) throws -> Instant {
    guard let instant = Instant(startOf: try date(plus: days))?.adding(seconds: 12 * 3_600) else {
      throw BenchFailure("the bench's days do not fit")
    }
    return instant
  }

  /// Microseconds of single questions through the product's own binding, one after the other.
  private func latency(days: Int, subject: () -> Int) async throws -> [Double] {
    var times: [Double] = []
    let deadline = ContinuousClock.now + .seconds(600)
    return try await pool.withConnection(deadline: deadline) { connection in
      // The whole of what a read is: who asks, and the question; the connection's own transaction around both.
      _ = try await connection.run(
        Query(Self.seesAll, []), deadline: deadline)
      for number in 0..<questions {
        let id = OrganizationID(UUIDValue(high: 0x7000, low: 0x8000_0000_0000_0000 | UInt64(subject())))
        let day = Int.random(in: 1...days)
        let query = MarkQueries.of(
          .startup(id), .postMoney, on: try date(plus: day),
          knownAt: try moment(plus: min(days + 100, day + Int.random(in: 0...120))))
        let began = ContinuousClock.now
        let rows = try await connection.run(query, deadline: deadline)
        let took = (ContinuousClock.now - began).seconds * 1_000_000
        guard rows.count == 1 else { throw BenchFailure("question \(number) has no answer") }
        times.append(took)
      }
      return times.sorted()
    }
  }

  private static let seesAll = Statement(
    "bench_sees_all", "select set_config('app.sees_all', 'on', false)", columns: [.text])

  /// Mean milliseconds of the same text by pgbench, one client.
  private func pgbench() throws -> Double {
    let pgbench = try Tools.find("pgbench", package: "postgresql-contrib")
    let script = FileManager.default.temporaryDirectory.appendingPathComponent("\(UUID().uuidString).sql")
    defer { try? FileManager.default.removeItem(at: script) }
    try """
    \\set s random(1, \(subjects))
    \\set d random(1, \(marks))
    \\set k random(0, 120)
    select borrower_id, id, method, basis, amount, currency, effective_on, recorded_at, source, supersedes, approved_by,
      evidence, confidence, recorded_by, superseded_at
    from startup_marks where borrower_id = \(Self.id(":s::bigint")) and basis = 'post_money'
      and effective_on <= '\(Self.first)'::date + :d::integer
      and recorded_at <= '\(Self.first) 12:00Z'::timestamptz + (:d::integer + :k::integer) * interval '1 day'
      and (superseded_at is null or superseded_at > '\(Self.first) 12:00Z'::timestamptz + (:d::integer + :k::integer) * interval '1 day')
    order by effective_on desc, recorded_at desc, id desc limit 1;
    """.write(to: script, atomically: true, encoding: .utf8)
    try FileManager.default.setAttributes([.posixPermissions: 0o644], ofItemAtPath: script.path)
    let output = try Tools.run([
      pgbench, "-n", "-M", "prepared", "-c", "1", "-t", "\(questions)", "-f", script.path, database.url,
    ])
    guard let line = output.split(separator: "\n").first(where: { $0.contains("latency average") }),
      let number = line.split(separator: " ").compactMap({ Double($0) }).first
    else { throw BenchFailure("pgbench told no latency: \(output)") }
    return number
  }

  /// Seconds for all subjects in one statement, rows brought here and decoded.
  private func all() async throws -> Double {
    let query = Query(
      MarkQueries.ofStartups,
      [
        .uuid(UUIDValue(high: 0, low: 0).bits), .text(ValuationBasis.postMoney.rawValue),
        .date(try date(plus: marks / 2).dayNumber), .timestamptz(try moment(plus: marks).microseconds), .uuid(nil),
        .int8(Int64(subjects + 1)),
      ])
    let began = ContinuousClock.now
    let deadline = began + .seconds(600)
    let rows = try await pool.withConnection(deadline: deadline) { try await $0.run(query, deadline: deadline) }
    let found = try Tables.startupMarks.decode(rows)
    guard found.count == subjects + 1 else { throw BenchFailure("\(found.count) subjects have an answer") }
    return (ContinuousClock.now - began).seconds
  }
}

/// What `valuation` measured.
struct ValuationReport: Encodable {
  let subjects: Int
  let marks: Int
  let settings: [String]
  let rows: Int
  /// Microseconds, ascending.
  var one: [Double] = []
  var long: [Double] = []
  /// Milliseconds, mean.
  var pgbench = 0.0
  /// Seconds.
  var all = 0.0
  var distinctOn = 0.0

  private func at(_ share: Double, _ times: [Double]) -> Double {
    times.isEmpty ? 0 : times[min(times.count - 1, Int(Double(times.count) * share))]
  }

  private func mean(_ times: [Double]) -> Double { times.isEmpty ? 0 : times.reduce(0, +) / Double(times.count) }

  private func shown(_ number: Double, _ places: Int = 0) -> String { String(format: "%.\(places)f", number) }

  var text: String {
    """
    \(rows) marks: \(subjects) subjects with \(marks) each and one with \(marks * 100); a tenth corrected
    server: \(settings.joined(separator: ", "))
      one subject, as of and known at    median \(shown(at(0.5, one))) us, p99 \(shown(at(0.99, one))) us, mean \(shown(mean(one))) us
      pgbench -M prepared, same text     mean \(shown(pgbench * 1_000)) us; ratio \(shown(mean(one) / max(0.001, pgbench * 1_000), 2))
      with a hundred times the history   median \(shown(at(0.5, long))) us; ratio \(shown(at(0.5, long) / max(0.001, at(0.5, one)), 2))
      all subjects in one statement      \(shown(all, 2)) s; distinct on by plain SQL \(shown(distinctOn, 2)) s
    """
  }

  func json() throws -> String {
    struct Summary: Encodable {
      let subjects: Int
      let marks: Int
      let rows: Int
      let settings: [String]
      let oneMedianMicroseconds: Double
      let oneP99Microseconds: Double
      let oneMeanMicroseconds: Double
      let pgbenchMeanMicroseconds: Double
      let longMedianMicroseconds: Double
      let allSeconds: Double
      let distinctOnSeconds: Double
    }
    let encoder = JSONEncoder()
    encoder.keyEncodingStrategy = .convertToSnakeCase
    encoder.outputFormatting = [.sortedKeys]
    let summary = Summary(
      subjects: subjects, marks: marks, rows: rows, settings: settings, oneMedianMicroseconds: at(0.5, one),
      oneP99Microseconds: at(0.99, one), oneMeanMicroseconds: mean(one), pgbenchMeanMicroseconds: pgbench * 1_000,
      longMedianMicroseconds: at(0.5, long), allSeconds: all, distinctOnSeconds: distinctOn)
    return String(decoding: try encoder.encode(summary), as: UTF8.self)
  }
}
