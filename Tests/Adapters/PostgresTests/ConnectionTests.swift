import Postgres
import PostgresHarness
import Testing

@Suite("A connection", .timeLimit(.minutes(1)))
struct ConnectionTests {
  @Test("answers a statement with typed values")
  func answers() async throws {
    try await withConnection { connection in
      let result = try await connection.run(Query(Probe.add, [.int8(40), .int8(2)]), deadline: soon())
      #expect(try result.single().int8(0) == 42)
      #expect(result.commandTag == "SELECT 1")
      #expect(result.columnNames == ["?column?"])
    }
  }

  @Test("runs a pipeline in order, and again with the prepared statements")
  func pipeline() async throws {
    try await withConnection { connection in
      for _ in 0..<3 {
        let results = try await connection.pipeline(
          (0..<64).map { Query(Probe.add, [.int8($0), .int8(1)]) }, deadline: soon())
        #expect(try results.map { try $0.single().int8(0) } == Array(1...64))
      }
      let empty = try await connection.pipeline([], deadline: soon())
      #expect(empty.isEmpty)
    }
  }

  @Test("undoes a whole pipeline at the first error, names the statement, and stays usable")
  func pipelineError() async throws {
    try await withConnection { connection in
      _ = try await connection.run(Query(Probe.create), deadline: soon())
      let error = await failure {
        try await connection.pipeline(
          [Probe.insert([1]), Probe.insert([2]), Probe.insert([1]), Probe.insert([3])], deadline: soon())
      }
      #expect(error?.kind == .server)
      #expect(error?.sqlState == "23505")
      #expect(error?.constraint == "loans_key")
      #expect(error?.table == "loans")
      #expect(error?.statementIndex == 2)
      #expect(error?.statementName == "probe_insert")
      #expect(error.map { "\($0)" } == "postgres server 23505 (loans_key)")
      let count = try await connection.run(Query(Probe.count), deadline: soon())
      #expect(try count.single().int8(0) == 0)
    }
  }

  @Test("prepares a statement again after its first preparation was undone by another's failure")
  func prepareAfterFailure() async throws {
    try await withConnection { connection in
      let error = await failure {
        try await connection.pipeline(
          [Query(Probe.divide, [.int4(0)]), Query(Probe.add, [.int8(1), .int8(1)])], deadline: soon())
      }
      #expect(error?.sqlState == "22012")
      let result = try await connection.run(Query(Probe.add, [.int8(1), .int8(1)]), deadline: soon())
      #expect(try result.single().int8(0) == 2)
    }
  }

  @Test("refuses misuse before anything is sent")
  func misuse() async throws {
    try await withConnection { connection in
      let wrongCount = await failure { try await connection.run(Query(Probe.add, [.int8(1)]), deadline: soon()) }
      #expect(wrongCount?.kind == .statementMisuse)
      let wrongType = await failure {
        try await connection.run(Query(Probe.add, [.int8(1), .int4(1)]), deadline: soon())
      }
      #expect(wrongType?.kind == .statementMisuse)
      _ = try await connection.run(Query(Probe.one), deadline: soon())
      let clash = Statement("probe_one", "select 2::int8", columns: [.int8])
      let twice = await failure { try await connection.run(Query(clash), deadline: soon()) }
      #expect(twice?.kind == .statementMisuse)
      let same = Statement("probe_one", "select 1::int8", columns: [.int8])
      let again = try await connection.run(Query(same), deadline: soon())
      #expect(try again.single().int8(0) == 1)
    }
  }

  @Test("compares the columns of a result with the declared ones")
  func columnTypes() async throws {
    try await withConnection { connection in
      let wrong = Statement("wrong_columns", "select 1::int4, 'a'::text", columns: [.int8, .text])
      let error = await failure { try await connection.run(Query(wrong), deadline: soon()) }
      #expect(error?.kind == .decoding)
      let fewer = Statement("fewer_columns", "select 1::int4, 'a'::text", columns: [.int4])
      let short = await failure { try await connection.run(Query(fewer), deadline: soon()) }
      #expect(short?.kind == .decoding)
      let one = try await connection.run(Query(Probe.one), deadline: soon())
      #expect(one.count == 1)
    }
  }

  @Test("carries 10 MB values both ways, several in one pipeline")
  func bigRows() async throws {
    try await withConnection { connection in
      let echo = Statement("echo_bytes", "select $1, $1", parameters: [.bytea], columns: [.bytea, .bytea])
      let blob = [UInt8](unsafeUninitializedCapacity: 10_000_000) { buffer, count in
        for index in 0..<10_000_000 { buffer.initializeElement(at: index, to: UInt8(truncatingIfNeeded: index &* 31)) }
        count = 10_000_000
      }
      let results = try await connection.pipeline(
        [Query](repeating: Query(echo, [.bytea(blob)]), count: 4), deadline: soon(50))
      #expect(results.count == 4)
      for result in results {
        let row = try result.single()
        #expect(try row.bytea(0) == blob)
        #expect(try row.bytea(1) == blob)
      }
    }
  }

  @Test("takes operations of several tasks in turn")
  func turns() async throws {
    try await withConnection { connection in
      let sums = try await withThrowingTaskGroup(of: Int64.self) { group in
        for number in 0..<100 as Range<Int64> {
          group.addTask {
            let result = try await connection.run(Query(Probe.add, [.int8(number), .int8(0)]), deadline: soon())
            return try result.single().int8(0)
          }
        }
        return try await group.reduce(into: Set<Int64>()) { $0.insert($1) }
      }
      #expect(sums == Set(0..<100))
    }
  }

  @Test("cancels a statement with its task, and stays usable")
  func cancel() async throws {
    try await withConnection { connection in
      let clock = ContinuousClock()
      let start = clock.now
      let task = Task { try await connection.run(Query(Probe.sleep), deadline: soon()) }
      try await Task.sleep(for: .milliseconds(200))
      task.cancel()
      let error = await failure { try await task.value }
      #expect(error?.kind == .cancelled)
      #expect(clock.now - start < .seconds(10))
      for number in 0..<20 as Range<Int64> {
        let result = try await connection.run(Query(Probe.add, [.int8(number), .int8(0)]), deadline: soon())
        #expect(try result.single().int8(0) == number)
      }
    }
  }

  @Test("lets a write outside a block finish although its task is cancelled")
  func cancelledWrite() async throws {
    try await withConnection { connection in
      _ = try await connection.run(Query(Probe.create), deadline: soon())
      let slow = Statement("slow_insert", "insert into loans (id) select 1 from pg_sleep(0.5)")
      let task = Task { try await connection.run(Query(slow), deadline: soon()) }
      try await Task.sleep(for: .milliseconds(150))
      task.cancel()
      let result = try await task.value
      #expect(result.affectedRows == 1)
    }
  }

  @Test("closes at a deadline, and says so")
  func deadline() async throws {
    try await withConnection { connection in
      let start = ContinuousClock.now
      let error = await failure {
        try await connection.run(Query(Probe.sleep), deadline: .now + .milliseconds(300))
      }
      #expect(error?.kind == .deadlineExceeded)
      #expect(ContinuousClock.now - start < .seconds(10))
      let after = await failure { try await connection.run(Query(Probe.one), deadline: soon()) }
      #expect(after?.kind == .connectionLost)
    }
  }

  @Test("a passed deadline sends nothing and keeps the connection")
  func passedDeadline() async throws {
    try await withConnection { connection in
      let error = await failure { try await connection.run(Query(Probe.one), deadline: .now - .seconds(1)) }
      #expect(error?.kind == .deadlineExceeded)
      let result = try await connection.run(Query(Probe.one), deadline: soon())
      #expect(result.count == 1)
    }
  }

  @Test("fixes time zone, search path, timeouts and role of its session")
  func session() async throws {
    try await TestDatabase.with { database in
      var configuration = try database.configuration()
      configuration.statementTimeout = .milliseconds(1_500)
      configuration.lockTimeout = .milliseconds(700)
      configuration.searchPath = ["odd \"name", "public"]
      configuration.role = "pg_read_all_data"
      let connection = try await PostgresConnection.connect(configuration, reactor: Reactor(), deadline: soon())
      let show = Statement(
        "show",
        """
        select current_setting('TimeZone'), current_setting('search_path'), current_setting('statement_timeout'),
          current_setting('lock_timeout'), current_user::text, current_setting('client_encoding')
        """)
      let row = try await connection.run(Query(show), deadline: soon()).single()
      #expect(try row.text(0) == "UTC")
      #expect(try row.text(1) == #""odd ""name", "public", "pg_temp""#)
      #expect(try row.text(2) == "1500ms")
      #expect(try row.text(3) == "700ms")
      #expect(try row.text(4) == "pg_read_all_data")
      #expect(try row.text(5) == "UTF8")
      await connection.close()
    }
  }

  @Test("hears notifications, and its stream ends with it")
  func listen() async throws {
    try await withConnection { connection in
      let stream = try await connection.listen("loan \"events\"", deadline: soon())
      let notify = Statement("notify", "select pg_notify($1, $2)", parameters: [.text, .text])
      for number in 1...3 {
        _ = try await connection.run(
          Query(notify, [.text("loan \"events\""), .text("\(number)")]), deadline: soon())
      }
      var heard: [String] = []
      for await notification in stream {
        heard.append(notification.payload)
        if heard.count == 3 { break }
      }
      #expect(heard == ["1", "2", "3"])
      await connection.close()
      var rest = 0
      for await _ in stream { rest += 1 }
      #expect(rest == 0)
    }
  }

  @Test("hears notifications of others while idle")
  func listenIdle() async throws {
    try await TestDatabase.with { database in
      let reactor = try Reactor()
      let listener = try await PostgresConnection.connect(
        database.configuration(), reactor: reactor, deadline: soon())
      let sender = try await PostgresConnection.connect(database.configuration(), reactor: reactor, deadline: soon())
      let stream = try await listener.listen("offers", deadline: soon())
      let notify = Statement("notify", "select pg_notify('offers', 'lapsed')")
      _ = try await sender.run(Query(notify), deadline: soon())
      var iterator = stream.makeAsyncIterator()
      let first = await iterator.next()
      #expect(first?.payload == "lapsed")
      #expect(first?.channel == "offers")
      await listener.close()
      await sender.close()
    }
  }
}
