import Postgres
import PostgresHarness
import Testing

@Suite("The pool", .timeLimit(.minutes(1)))
struct PoolTests {
  @Test("serves many tasks with few connections")
  func sharing() async throws {
    try await withPool(size: 3, waiters: 500) { pool in
      let pids = try await withThrowingTaskGroup(of: Int32.self) { group in
        for _ in 0..<300 {
          group.addTask {
            try await pool.withConnection(deadline: soon()) { connection in
              try await connection.run(Query(Probe.pid), deadline: soon()).single().int4(0)
            }
          }
        }
        return try await group.reduce(into: Set<Int32>()) { $0.insert($1) }
      }
      #expect((1...3).contains(pids.count))
      #expect(pool.stats.inUse == 0)
      #expect(pool.stats.waiting == 0)
    }
  }

  @Test("bounds its queue, and each wait by its own deadline")
  func bounded() async throws {
    try await withPool(size: 1, waiters: 2) { pool in
      try await pool.withConnection(deadline: soon()) { _ in
        let slow = Task {
          await failure { try await pool.withConnection(deadline: .now + .milliseconds(400)) { _ in } }
        }
        let other = Task { await failure { try await pool.withConnection(deadline: soon()) { _ in } } }
        while pool.stats.waiting < 2 { try await Task.sleep(for: .milliseconds(5)) }
        let full = await failure { try await pool.withConnection(deadline: soon()) { _ in } }
        #expect(full?.kind == .poolExhausted)
        #expect(await slow.value?.kind == .poolExhausted)
        #expect(pool.stats.waiting == 1)
        other.cancel()
        #expect(await other.value?.kind == .cancelled)
        #expect(pool.stats.waiting == 0)
      }
    }
  }

  @Test("does not lend a connection again that came back in a block, in use, or altered")
  func dirty() async throws {
    try await withPool(size: 1) { pool in
      func pid() async throws -> Int32 {
        try await pool.withConnection(deadline: soon()) { connection in
          try await connection.run(Query(Probe.pid), deadline: soon()).single().int4(0)
        }
      }
      let first = try await pid()
      #expect(try await pid() == first)
      try await pool.withConnection(deadline: soon()) { connection in
        _ = try await connection.run(Query(Statement("open_block", "begin")), deadline: soon())
      }
      let second = try await pid()
      #expect(second != first)
      let leaked = try await pool.withConnection(deadline: soon()) { connection in
        Task { try await connection.run(Query(Probe.sleep), deadline: soon()) }
      }
      // The leaked task may not have begun; let it.
      try await Task.sleep(for: .milliseconds(50))
      leaked.cancel()
      _ = await failure { try await leaked.value }
      try await pool.withConnection(deadline: soon()) { connection in
        _ = try await connection.listen("offers", deadline: soon())
      }
      let last = try await pid()
      #expect(last != second)
    }
  }

  @Test("replaces connections that the server ended while they were idle")
  func terminated() async throws {
    try await TestDatabase.with { database in
      let pool = try PostgresPool(configuration: database.configuration(), size: 2, waiters: 10)
      let pid = try await pool.withConnection(deadline: soon()) { connection in
        try await connection.run(Query(Probe.pid), deadline: soon()).single().int4(0)
      }
      let other = try await PostgresConnection.connect(database.configuration(), reactor: Reactor(), deadline: soon())
      let end = Statement("end", "select pg_terminate_backend($1)", parameters: [.int4])
      _ = try await other.run(Query(end, [.int4(pid)]), deadline: soon())
      while pool.stats.open > 0 { try await Task.sleep(for: .milliseconds(5)) }
      let fresh = try await pool.withConnection(deadline: soon()) { connection in
        try await connection.run(Query(Probe.pid), deadline: soon()).single().int4(0)
      }
      #expect(fresh != pid)
      await other.close()
      await pool.shutdown()
    }
  }

  @Test("keeps its minimum open, over several reactors")
  func minimum() async throws {
    try await TestDatabase.with { database in
      let pool = try PostgresPool(
        configuration: database.configuration(), size: 4, waiters: 10, reactors: 2, minimum: 3)
      while pool.stats.idle < 3 { try await Task.sleep(for: .milliseconds(5)) }
      #expect(pool.stats.open == 3)
      await pool.shutdown()
      #expect(pool.stats.open == 0)
    }
  }

  @Test("a shutdown waits for who is at work and refuses who comes later")
  func shutdown() async throws {
    try await withPool(size: 2) { pool in
      let nap = Statement("nap", "select 1 from pg_sleep(0.5)", columns: [.int4])
      let working = Task {
        try await pool.withConnection(deadline: soon()) { connection in
          try await connection.run(Query(nap), deadline: soon()).count
        }
      }
      while pool.stats.inUse == 0 { try await Task.sleep(for: .milliseconds(5)) }
      await pool.shutdown()
      #expect(try await working.value == 1)
      let late = await failure { try await pool.withConnection(deadline: soon()) { _ in } }
      #expect(late?.kind == .poolClosed)
      await pool.shutdown()
    }
  }
}

@Suite("A transaction", .timeLimit(.minutes(1)))
struct TransactionTests {
  @Test("commits in two round trips, and in one when there is nothing to read first")
  func commits() async throws {
    try await withPool { pool in
      _ = try await pool.transaction(deadline: soon()) { tx in try await tx.commit(after: [Query(Probe.create)]) }
      let results = try await pool.transaction(deadline: soon()) { tx in
        let counts = try await tx.pipeline([Query(Probe.one), Query(Probe.count)])
        #expect(counts.count == 2)
        #expect(try counts[1].single().int8(0) == 0)
        return try await tx.commit(after: [Probe.insert([1, 2]), Probe.insert([3])])
      }
      #expect(results.map(\.affectedRows) == [2, 1])
      let count = try await pool.transaction(access: .readOnly, deadline: soon()) { tx in
        try await tx.run(Query(Probe.count)).single().int8(0)
      }
      #expect(count == 3)
      #expect(pool.stats.open == 1)
    }
  }

  @Test("a batch that reads is a transaction by itself: what it sets ends with it, also when it fails")
  func readsInOneBatch() async throws {
    try await withPool(size: 1) { pool in
      let set = Statement(
        "probe_set", "select set_config('app.org', $1, true)", parameters: [.text], columns: [.text])
      let told = Statement("probe_told", "select coalesce(current_setting('app.org', true), '')", columns: [.text])
      let results = try await pool.read([Query(set, [.text("mine")]), Query(told)], deadline: soon())
      #expect(try results[1].single().text(0) == "mine")
      #expect(try await pool.read([Query(told)], deadline: soon())[0].single().text(0) == "")
      let error = await failure {
        try await pool.read([Query(set, [.text("mine")]), Query(Probe.divide, [.int4(0)])], deadline: soon())
      }
      #expect(error?.sqlState == "22012" && error?.statementIndex == 1)
      #expect(try await pool.read([Query(told)], deadline: soon())[0].single().text(0) == "")
      #expect(pool.stats.open == 1, "the connection is lent again")
    }
  }

  @Test("rolls back when its body throws, also a cancelled one, and lends the connection again")
  func rollsBack() async throws {
    struct Refused: Error {}
    try await withPool(size: 1) { pool in
      _ = try await pool.transaction(deadline: soon()) { tx in try await tx.run(Query(Probe.create)) }
      await #expect(throws: Refused.self) {
        try await pool.transaction(deadline: soon()) { tx in
          _ = try await tx.run(Probe.insert([1]))
          throw Refused()
        }
      }
      let task = Task {
        try await pool.transaction(deadline: soon()) { tx in
          _ = try await tx.run(Probe.insert([2]))
          _ = try await tx.run(Query(Probe.sleep))
        }
      }
      try await Task.sleep(for: .milliseconds(200))
      task.cancel()
      #expect(await failure { try await task.value }?.kind == .cancelled)
      let row = try await pool.transaction(deadline: soon()) { tx in try await tx.run(Query(Probe.count)).single() }
      #expect(try row.int8(0) == 0)
      #expect(pool.stats.open == 1)
    }
  }

  @Test("reports a failure that its body passed over, and commits nothing")
  func swallowed() async throws {
    try await withPool { pool in
      _ = try await pool.transaction(deadline: soon()) { tx in try await tx.run(Query(Probe.create)) }
      let error = await failure {
        try await pool.transaction(deadline: soon()) { tx in
          _ = try await tx.run(Probe.insert([1]))
          _ = await failure { try await tx.run(Query(Probe.divide, [.int4(0)])) }
        }
      }
      #expect(error?.sqlState == "22012")
      let late = await failure {
        try await pool.transaction(deadline: soon()) { tx in
          try await tx.commit()
          _ = try await tx.run(Query(Probe.one))
        }
      }
      #expect(late?.kind == .statementMisuse)
      let count = try await pool.transaction(deadline: soon()) { tx in try await tx.run(Query(Probe.count)).single() }
      #expect(try count.int8(0) == 0)
    }
  }

  @Test("a commit that the server answers by ROLLBACK is an error")
  func commitTag() async throws {
    try await withPool { pool in
      let error = await failure {
        try await pool.transaction(deadline: soon()) { tx in
          // Behind the transaction's back, so that only the tag tells.
          _ = try await tx.run(Query(Probe.one))
          _ = await failure {
            try await tx.connection.run(Query(Probe.divide, [.int4(0)]), deadline: soon())
          }
          try await tx.commit()
        }
      }
      #expect(error?.kind == .statementMisuse)
      #expect(error?.sqlState == "25P02")
    }
  }

  @Test("names the caller's own statement in an error, not counting begin")
  func errorIndex() async throws {
    try await withPool { pool in
      let error = await failure {
        try await pool.transaction(deadline: soon()) { tx in
          try await tx.pipeline([Query(Probe.one), Query(Probe.divide, [.int4(0)])])
        }
      }
      #expect(error?.statementIndex == 1)
      let encoding = await failure {
        try await pool.transaction(deadline: soon()) { tx in try await tx.run(Query(Probe.add, [.text("x")])) }
      }
      #expect(encoding?.kind == .statementMisuse)
      #expect(pool.stats.open == 1)
    }
  }

  @Test("repeats a serialization failure until it succeeds, and gives up after the last attempt")
  func serialization() async throws {
    try await withPool { pool in
      _ = try await pool.transaction(deadline: soon()) { tx in try await tx.run(Query(Probe.create)) }
      _ = try await pool.transaction(deadline: soon()) { tx in try await tx.run(Probe.insert([1], "")) }
      let append = Statement("append", "update loans set note = note || 'x' where id = 1")
      let attempts = Tally()
      try await withThrowingTaskGroup(of: Void.self) { group in
        for _ in 0..<4 {
          group.addTask {
            for _ in 0..<5 {
              try await pool.transaction(.serializable, deadline: soon(), maxAttempts: 50) { tx in
                attempts.add()
                _ = try await tx.run(Query(Probe.count))
                try await Task.sleep(for: .milliseconds(3))
                try await tx.commit(after: [Query(append)])
              }
            }
          }
        }
        try await group.waitForAll()
      }
      let note = Statement("note", "select note from loans where id = 1", columns: [.text])
      let row = try await pool.transaction(deadline: soon()) { tx in try await tx.run(Query(note)).single() }
      #expect(try row.text(0).count == 20)
      #expect(attempts.value > 20)

      let always = Statement("always_40001", "do $$ begin raise exception 'no' using errcode = '40001'; end $$")
      let tries = Tally()
      let error = await failure {
        try await pool.transaction(deadline: soon(), maxAttempts: 3) { tx in
          tries.add()
          _ = try await tx.run(Query(always))
        }
      }
      #expect(error?.isRetryable == true)
      #expect(tries.value == 3)
    }
  }
}
