import Glibc
import Postgres
import PostgresHarness
import Testing

/// Each test breaks a server of its own.
@Suite("When the server fails", .timeLimit(.minutes(2)))
struct FailureTests {
  private func withServer<R>(
    settings: [String] = [], isolation: isolated (any Actor)? = #isolation,
    _ body: (PostgresServer, PostgresConfiguration) async throws -> R
  ) async throws -> R {
    var options = PostgresServer.Options()
    options.settings = settings
    let server = try await PostgresServer.launch(options)
    defer { server.remove() }
    var configuration = try PostgresConfiguration(url: server.url())
    configuration.connectTimeout = .seconds(5)
    return try await body(server, configuration)
  }

  private func pid(of connection: PostgresConnection) async throws -> pid_t {
    try await connection.run(Query(Probe.pid), deadline: soon()).single().int4(0)
  }

  /// Waits for a fact that another process brings about.
  private func until(_ isTrue: () async throws -> Bool) async throws {
    for _ in 0..<1_000 {
      if try await isTrue() { return }
      try await Task.sleep(for: .milliseconds(10))
    }
    Issue.record("it never came about")
  }

  @Test("kill -9 while idle: the pool notices by itself, and connects again when the server is back")
  func killedIdle() async throws {
    try await withServer { server, configuration in
      let pool = try PostgresPool(configuration: configuration, size: 2, waiters: 10)
      _ = try await pool.transaction(deadline: soon()) { tx in try await tx.run(Query(Probe.one)) }
      server.signal(SIGKILL)
      try await until { pool.stats.open == 0 }
      let down = await failure {
        try await pool.transaction(deadline: .now + .seconds(4)) { tx in try await tx.run(Query(Probe.one)) }
      }
      #expect(down?.kind == .connectFailed)
      try server.start()
      let row = try await pool.transaction(deadline: soon()) { tx in try await tx.run(Query(Probe.one)).single() }
      #expect(try row.int8(0) == 1)
      await pool.shutdown()
    }
  }

  @Test("kill -9 of a backend in a query: the read may be repeated, a write outside a block is ambiguous")
  func killedInQuery() async throws {
    try await withServer { _, configuration in
      let reactor = try Reactor()
      let reader = try await PostgresConnection.connect(configuration, reactor: reactor, deadline: soon())
      let readerPID = try await pid(of: reader)
      async let read = failure { try await reader.run(Query(Probe.sleep), deadline: soon()) }
      try await Task.sleep(for: .milliseconds(200))
      kill(readerPID, SIGKILL)
      let lost = await read
      #expect(lost?.kind == .connectionLost)
      #expect(lost?.statementName == "probe_sleep")

      // The whole server restarts after a killed backend.
      var writer: PostgresConnection?
      try await until {
        writer = try? await PostgresConnection.connect(configuration, reactor: reactor, deadline: soon(2))
        return writer != nil
      }
      let connection = try #require(writer)
      _ = try await connection.run(Query(Probe.create), deadline: soon())
      let writerPID = try await pid(of: connection)
      let slow = Statement("slow_write", "insert into loans (id) select 1 from pg_sleep(30)")
      async let write = failure { try await connection.run(Query(slow), deadline: soon()) }
      try await Task.sleep(for: .milliseconds(200))
      kill(writerPID, SIGKILL)
      #expect(await write?.kind == .commitOutcomeUnknown)
    }
  }

  @Test("kill -9 inside a transaction, before its commit: nothing is ambiguous")
  func killedInTransaction() async throws {
    try await withServer { server, configuration in
      let pool = try PostgresPool(configuration: configuration, size: 2, waiters: 10)
      _ = try await pool.transaction(deadline: soon()) { tx in try await tx.run(Query(Probe.create)) }
      let error = await failure {
        try await pool.transaction(deadline: soon(5)) { tx in
          _ = try await tx.run(Probe.insert([1]))
          server.signal(SIGKILL)
          try await until { pool.stats.open == 1 && tx.connection.isClosed }
          _ = try await tx.run(Probe.insert([2]))
        }
      }
      #expect(error?.kind == .connectionLost)
      try server.start()
      let row = try await pool.transaction(deadline: soon()) { tx in try await tx.run(Query(Probe.count)).single() }
      #expect(try row.int8(0) == 0)
      await pool.shutdown()
    }
  }

  @Test("kill -9 of a backend in a batch that reads: it is asked again")
  func killedInRead() async throws {
    try await withServer { _, configuration in
      let pool = try PostgresPool(configuration: configuration, size: 1, waiters: 10)
      let first = try await pool.withConnection(deadline: soon()) { try await pid(of: $0) }
      let pause = Statement("short_sleep", "select 1 from pg_sleep(1)", columns: [.int4])
      async let read = pool.read([Query(pause), Query(Probe.pid)], deadline: soon())
      try await Task.sleep(for: .milliseconds(200))
      kill(first, SIGKILL)
      let results = try await read
      #expect(try results[0].single().int4(0) == 1)
      #expect(try results[1].single().int4(0) != first)
      await pool.shutdown()
    }
  }

  /// A server whose commits wait for a standby that does not exist.
  private static let ghost = ["synchronous_standby_names=ghost"]

  /// Makes the table without waiting for the standby, which would never come.
  private func createTable(_ configuration: PostgresConfiguration) async throws {
    let connection = try await PostgresConnection.connect(configuration, reactor: Reactor(), deadline: soon())
    _ = try await connection.run(
      Query(Statement("no_sync", "select set_config('synchronous_commit', 'local', false)")), deadline: soon())
    _ = try await connection.run(Query(Probe.create), deadline: soon())
    await connection.close()
  }

  /// The backends that wait for a standby.
  private static let waiting = Statement(
    "waiting", "select pid from pg_stat_activity where wait_event = 'SyncRep'", columns: [.int4])

  @Test("kill -9 in COMMIT: the outcome is unknown")
  func killedInCommit() async throws {
    try await withServer(settings: Self.ghost) { server, configuration in
      try await createTable(configuration)
      let pool = try PostgresPool(configuration: configuration, size: 2, waiters: 10)
      let observer = try await PostgresConnection.connect(configuration, reactor: Reactor(), deadline: soon())
      let task = Task {
        await failure {
          try await pool.transaction(deadline: soon()) { tx in try await tx.commit(after: [Probe.insert([1])]) }
        }
      }
      try await until { try await observer.run(Query(Self.waiting), deadline: soon()).count == 1 }
      server.signal(SIGKILL)
      #expect(await task.value?.kind == .commitOutcomeUnknown)
      await observer.close()
      await pool.shutdown()
    }
  }

  @Test(
    "a COMMIT without an answer is unknown at the deadline, is never cancelled, and ignores its task's cancellation")
  func silentCommit() async throws {
    try await withServer(settings: Self.ghost) { server, configuration in
      try await createTable(configuration)
      let pool = try PostgresPool(configuration: configuration, size: 2, waiters: 10)
      let observer = try await PostgresConnection.connect(configuration, reactor: Reactor(), deadline: soon())
      let start = ContinuousClock.now
      let task = Task {
        await failure {
          try await pool.transaction(deadline: .now + .milliseconds(1_500)) { tx in
            try await tx.commit(after: [Probe.insert([1])])
          }
        }
      }
      try await until { try await observer.run(Query(Self.waiting), deadline: soon()).count == 1 }
      task.cancel()
      #expect(await task.value?.kind == .commitOutcomeUnknown)
      #expect(ContinuousClock.now - start > .milliseconds(1_400))
      try await Task.sleep(for: .milliseconds(300))
      // A cancelled wait would have ended, and shown a row that no standby has.
      let stillWaiting = try await observer.run(Query(Self.waiting), deadline: soon())
      #expect(stillWaiting.count == 1)
      let count = try await observer.run(Query(Probe.count), deadline: soon()).single()
      #expect(try count.int8(0) == 0)
      await observer.close()
      await pool.shutdown()
    }
  }

  @Test("a COMMIT acknowledged without its standby is unknown, whoever broke off the wait")
  func unreplicatedCommit() async throws {
    try await withServer(settings: Self.ghost) { _, configuration in
      try await createTable(configuration)
      let pool = try PostgresPool(configuration: configuration, size: 2, waiters: 10)
      let observer = try await PostgresConnection.connect(configuration, reactor: Reactor(), deadline: soon())
      let task = Task {
        await failure {
          try await pool.transaction(deadline: soon()) { tx in try await tx.commit(after: [Probe.insert([1])]) }
        }
      }
      var backend: Int32 = 0
      try await until {
        backend = try await observer.run(Query(Self.waiting), deadline: soon()).first?.int4(0) ?? 0
        return backend != 0
      }
      let cancel = Statement("cancel_backend", "select pg_cancel_backend($1)", parameters: [.int4])
      _ = try await observer.run(Query(cancel, [.int4(backend)]), deadline: soon())
      #expect(await task.value?.kind == .commitOutcomeUnknown)
      await observer.close()
      await pool.shutdown()
    }
  }

  @Test("a frozen server is given up at the deadline, and the next one of the list is asked")
  func frozen() async throws {
    try await withServer { server, configuration in
      let other = try await PostgresServer.launch()
      defer { other.remove() }
      let both =
        "postgresql:///postgres?host=\(server.directory),\(other.directory)&port=\(server.port),\(other.port)&user=postgres"
      var list = try PostgresConfiguration(url: both)
      // Longer than the second caller waits: only by asking the other host first can it be answered.
      list.connectTimeout = .seconds(14)
      let pool = try PostgresPool(configuration: list, size: 1, waiters: 10)
      let socket = Statement("which", "select current_setting('unix_socket_directories')", columns: [.text])
      func ask(_ seconds: Int) async throws -> String {
        try await pool.withConnection(deadline: soon(seconds)) { connection in
          try await connection.run(Query(socket), deadline: soon(seconds)).single().text(0)
        }
      }
      #expect(try await ask(5) == server.directory)
      let backend = try await pool.withConnection(deadline: soon()) { try await pid(of: $0) }
      server.signal(SIGSTOP)
      kill(backend, SIGSTOP)
      let error = await failure { try await ask(1) }
      #expect(error?.kind == .deadlineExceeded)
      #expect(try await ask(8) == other.directory)
      kill(backend, SIGCONT)
      server.signal(SIGCONT)
      await pool.shutdown()
    }
  }

  @Test("a shutdown of the server while idle gives its reason to the next caller")
  func shutDownWhileIdle() async throws {
    try await withServer { server, configuration in
      let connection = try await PostgresConnection.connect(configuration, reactor: Reactor(), deadline: soon())
      _ = try await pid(of: connection)
      server.signal(SIGINT)
      try await until { connection.isClosed }
      let error = await failure { try await connection.run(Query(Probe.one), deadline: soon()) }
      #expect(error?.kind == .connectionLost)
      #expect(error?.sqlState == "57P01")
    }
  }
}
