import Parties
import Postgres
import PostgresHarness
import Primitives
import PropertyKit
import SchemaFixtures
import Testing
import Valuation

@testable import Persistence

@Suite("Marks as of a day as known at a moment, in SQL", .timeLimit(.minutes(3)))
struct MarkHistorySQLTests {
  private static let start: Int64 = 1_700_000_000_000_000

  private func startup(_ number: Int) -> OrganizationID {
    OrganizationID(UUIDValue(high: 4, low: UInt64(number)))
  }

  /// A random history of one startup: two bases, many marks of one day, marks recorded at one moment, and a third of them
  /// corrections.
  private func history(_ number: Int, _ count: Int, _ random: inout SplitMix64) throws -> [ValuationMark] {
    let base = try #require(CalendarDate("2024-01-01"))
    var marks: [ValuationMark] = []
    var clock = Self.start
    for index in 0..<count {
      clock += random.int64(in: 0...2) * 1_000_000
      let basis: ValuationBasis = random.oneIn(4) ? .preMoney : .postMoney
      let open = marks.indices.filter { marks[$0].supersededAt == nil && marks[$0].basis == basis }
      let now = try #require(Instant(microseconds: clock))
      var supersedes: ValuationID?
      if random.oneIn(3), let wrong = open.randomElement(using: &random) {
        supersedes = marks[wrong].id
        marks[wrong] = marks[wrong].superseded(at: now)
      }
      marks.append(
        ValuationMark(
          id: ValuationID(UUIDValue(high: UInt64(number) << 32 | random.next() >> 40, low: UInt64(index))),
          subject: .startup(startup(number)), method: .adminMark, amount: Money(Int64(index + 1), .usd), basis: basis,
          effectiveOn: try #require(base.adding(days: random.int64(in: 0...20))), recordedAt: now,
          source: "source \(index)", supersedes: supersedes, approvedBy: nil))
    }
    return marks
  }

  /// A batch of questions in one statement: what one startup's asks, for many at once.
  private static let questions = Statement(
    "test_as_of",
    """
    select q.number, (
      select m.id from startup_marks m where m.borrower_id = q.startup and m.basis = q.basis
        and m.effective_on <= q.day and m.recorded_at <= q.moment
        and (m.superseded_at is null or m.superseded_at > q.moment)
      order by m.effective_on desc, m.recorded_at desc, m.id desc limit 1)
    from unnest($1::bigint[], $2::uuid[], $3::text[], $4::date[], $5::timestamptz[])
      as q (number, startup, basis, day, moment)
    order by q.number
    """, parameters: [.int8Array, .uuidArray, .textArray, .dateArray, .timestamptzArray], columns: [.int8, .uuid])

  @Test("agrees with the history in memory over forty thousand random questions, asked one by one and of all at once")
  func random() async throws {
    var random = SplitMix64(seed: 20_261_126)
    let histories = try (0..<40).map { try history($0, random.int(in: 1...60), &random) }
    let models = try histories.enumerated().map { try MarkHistory(subject: .startup(startup($0)), marks: $1) }
    let base = try #require(CalendarDate("2023-12-30"))
    try await MigratedDatabase.with { database in
      try await database.withConnection { connection in
        for marks in histories {
          _ = try await connection.run(Tables.startupMarks.inserting(marks), deadline: soon())
        }
        for round in 0..<40 {
          var asked: [(Int, ValuationBasis, CalendarDate, Instant)] = []
          for _ in 0..<1_000 {
            let number = random.int(in: 0...39)
            // Half of the questions are asked at the very moment of a recording.
            let any = Instant(microseconds: Self.start + random.int64(in: -1...130) * 1_000_000)
            let moment = random.oneIn(2) ? histories[number].randomElement(using: &random)?.recordedAt : any
            asked.append(
              (
                number, random.oneIn(3) ? .preMoney : .postMoney,
                try #require(base.adding(days: random.int64(in: 0...25))), try #require(moment)
              ))
          }
          let answers = try await connection.run(
            Query(
              Self.questions,
              [
                .int8Array(asked.indices.map { Int64($0) }),
                .uuidArray(asked.map { startup($0.0).value.bits }), .textArray(asked.map(\.1.rawValue)),
                .dateArray(asked.map(\.2.dayNumber)), .timestamptzArray(asked.map(\.3.microseconds)),
              ]), deadline: soon())
          for (question, answer) in zip(asked, answers) {
            let expected = models[question.0].asOf(question.2, knownAt: question.3, basis: question.1)
            let found = try answer.uuidOrNull(1).map { ValuationID($0.value) }
            #expect(found == expected?.id, "startup \(question.0) on \(question.2) at \(question.3)")
          }
          // The statements of the product say the same of the first question, of one and of all.
          let (_, basis, date, moment) = asked[round]
          let rows = try await connection.run(
            Query(
              MarkQueries.ofStartups,
              [
                .uuid(UUIDValue(high: 0, low: 0).bits), .text(basis.rawValue), .date(date.dayNumber),
                .timestamptz(moment.microseconds), .uuid(nil), .int8(1_000),
              ]), deadline: soon())
          #expect(rows.isEmpty, "no organisation is recorded here")
          for number in 0..<40 {
            let query = MarkQueries.of(.startup(startup(number)), basis, on: date, knownAt: moment)
            let found = try Tables.startupMarks.decode(await connection.run(query, deadline: soon())).first
            #expect(found == models[number].asOf(date, knownAt: moment, basis: basis))
          }
        }
      }
    }
  }

  private static let analyze = Statement("test_analyze", "analyze startup_marks")
  private static let fill = Statement(
    "test_fill_marks",
    """
    insert into startup_marks (borrower_id, id, method, basis, amount, currency, effective_on, recorded_at, source,
      confidence)
    select $1, gen_random_uuid(), 'admin_mark', 'post_money', n, 'USD', '2000-01-01'::date + n::integer,
      '2000-01-01T12:00:00Z'::timestamptz + n * interval '1 day', 'generated', 'estimated'
    from generate_series(1, $2) as n
    """, parameters: [.uuid, .int8])
  /// The plan of the product's own text, with its parameters as values.
  private static let explain = Statement(
    "test_explain",
    "explain (analyze, buffers, costs off, timing off, summary off)" + Tables.startupMarks.selectList
      + """
      where borrower_id = $1 and basis = $2 and effective_on <= $3 and recorded_at <= $4
        and (superseded_at is null or superseded_at > $4)
      order by effective_on desc, recorded_at desc, id desc limit 1
      """, parameters: [.uuid, .text, .date, .timestamptz], columns: [.text])

  @Test("one subject's answer is one step on the index, however long its history is")
  func plan() async throws {
    let date = try #require(CalendarDate("2000-03-01"))
    let moment = try #require(Instant("2000-03-10T00:00:00Z"))
    try await MigratedDatabase.with { database in
      try await database.withConnection { connection in
        var plans: [String] = []
        for count in [100, 20_000] as [Int64] {
          let startup = startup(Int(count))
          _ = try await connection.run(
            Query(Self.fill, [.uuid(startup.value.bits), .int8(count)]), deadline: soon())
          try await connection.execute("analyze startup_marks")
          let rows = try await connection.run(
            Query(
              Self.explain,
              [
                .uuid(startup.value.bits), .text("post_money"), .date(date.dayNumber),
                .timestamptz(moment.microseconds),
              ]), deadline: soon())
          plans.append(try rows.map { try $0.text(0) }.joined(separator: "\n"))
        }
        let plan = plans[1]
        #expect(plan.contains("Index Scan Backward using startup_marks_as_of"), "\(plan)")
        #expect(plan.contains("rows=1 loops=1"), "\(plan)")
        #expect(!plan.contains("Seq Scan") && !plan.contains("Sort") && !plan.contains("Rows Removed"), "\(plan)")
        // A descent of the tree and the row itself.
        let pages = plan.split(separator: "\n").first { $0.contains("shared") } ?? ""
        let touched = pages.split(whereSeparator: { !$0.isNumber }).compactMap { Int($0) }.reduce(0, +)
        #expect(touched <= 8, "\(plan)")
      }
    }
  }
}
