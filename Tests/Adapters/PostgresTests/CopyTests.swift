import Postgres
import PostgresHarness
import Synchronization
import Testing

@Suite("COPY", .timeLimit(.minutes(1)))
struct CopyTests {
  private static let into = Statement("copy_into", "copy loans (id, note) from stdin")
  private static let out = Statement("copy_out", "copy (select id, note from loans order by id) to stdout")

  struct Broken: Error {}

  private func chunks(_ rows: Range<Int>, note: String = "x") -> AsyncStream<[UInt8]> {
    AsyncStream { continuation in
      for row in rows { continuation.yield(Array("\(row)\t\(note)\n".utf8)) }
      continuation.finish()
    }
  }

  @Test("carries many rows in and out again")
  func bothWays() async throws {
    try await withConnection { connection in
      _ = try await connection.run(Query(Probe.create), deadline: soon())
      let note = String(repeating: "n", count: 100)
      let taken = try await connection.copyIn(Self.into, rows: chunks(0..<50_000, note: note), deadline: soon(50))
      #expect(taken == 50_000)
      let bytes = Mutex(0)
      let given = try await connection.copyOut(Self.out, deadline: soon(50)) { chunk in
        bytes.withLock { $0 += chunk.count }
      }
      #expect(given == 50_000)
      let digits = (0..<50_000).reduce(0) { $0 + "\($1)".utf8.count }
      #expect(bytes.withLock { $0 } == digits + 50_000 * 102)
      let count = try await connection.run(Query(Probe.count), deadline: soon()).single()
      #expect(try count.int8(0) == 50_000)
    }
  }

  @Test("undoes a copy whose source fails, and keeps the connection")
  func brokenSource() async throws {
    try await withConnection { connection in
      _ = try await connection.run(Query(Probe.create), deadline: soon())
      let broken = AsyncThrowingStream<[UInt8], any Error> { continuation in
        continuation.yield(Array("1\tx\n".utf8))
        continuation.finish(throwing: Broken())
      }
      await #expect(throws: Broken.self) {
        try await connection.copyIn(Self.into, rows: broken, deadline: soon())
      }
      let count = try await connection.run(Query(Probe.count), deadline: soon()).single()
      #expect(try count.int8(0) == 0)
    }
  }

  @Test("undoes a copy whose task is cancelled while the source stalls")
  func cancelledSource() async throws {
    try await withConnection { connection in
      _ = try await connection.run(Query(Probe.create), deadline: soon())
      let (stream, continuation) = AsyncStream.makeStream(of: [UInt8].self)
      continuation.yield(Array("1\tx\n".utf8))
      let task = Task { try await connection.copyIn(Self.into, rows: stream, deadline: soon()) }
      try await Task.sleep(for: .milliseconds(200))
      task.cancel()
      #expect(await failure { try await task.value }?.kind == .cancelled)
      let count = try await connection.run(Query(Probe.count), deadline: soon()).single()
      #expect(try count.int8(0) == 0)
    }
  }

  @Test("reports a bad row, a wrong statement and the wrong direction")
  func refusals() async throws {
    try await withConnection { connection in
      _ = try await connection.run(Query(Probe.create), deadline: soon())
      let twice = await failure {
        _ = try await connection.copyIn(Self.into, rows: chunks(0..<10), deadline: soon())
        return try await connection.copyIn(Self.into, rows: chunks(5..<50_000), deadline: soon())
      }
      #expect(twice?.sqlState == "23505")
      #expect(twice?.constraint == "loans_key")
      let noCopy = await failure {
        try await connection.copyIn(Probe.one, rows: chunks(0..<1), deadline: soon())
      }
      #expect(noCopy?.kind == .statementMisuse)
      let noTable = Statement("copy_nowhere", "copy nowhere from stdin")
      let missing = await failure { try await connection.copyIn(noTable, rows: chunks(0..<1), deadline: soon()) }
      #expect(missing?.sqlState == "42P01")
      let count = try await connection.run(Query(Probe.count), deadline: soon()).single()
      #expect(try count.int8(0) == 10)
      let backwards = await failure {
        try await connection.copyOut(Self.into, deadline: soon()) { _ in }
      }
      #expect(backwards?.kind == .statementMisuse)
    }
  }

  @Test("stops a copy whose reader fails, and keeps the connection")
  func brokenReader() async throws {
    try await withConnection { connection in
      let endless = Statement("copy_endless", "copy (select generate_series(1, 100000000)) to stdout")
      let start = ContinuousClock.now
      await #expect(throws: Broken.self) {
        try await connection.copyOut(endless, deadline: soon()) { _ in throw Broken() }
      }
      #expect(ContinuousClock.now - start < .seconds(10))
      let one = try await connection.run(Query(Probe.one), deadline: soon())
      #expect(one.count == 1)
    }
  }

  @Test("a COPY sent as a query is refused without a hang")
  func asQuery() async throws {
    try await withConnection { connection in
      _ = try await connection.run(Query(Probe.create), deadline: soon())
      let error = await failure { try await connection.run(Query(Self.into), deadline: soon(5)) }
      #expect(error != nil)
    }
  }
}
