import Postgres
import PostgresHarness
import SchemaFixtures
import Testing

@testable import Persistence

@Suite("The horizon of the outbox", .timeLimit(.minutes(2)))
struct EventHorizonTests {
  @Test("passes over what is there, and waits at what is missing until whoever may have it has ended")
  func pure() {
    var horizon = EventHorizon(position: 10)
    horizon.take([11, 12], isAll: true, oldestRunning: 100, lastGiven: 12, nextTransaction: 100)
    #expect(horizon.position == 12)
    // 13 was taken by a transaction that runs; 14 and 15 are committed.
    horizon.take([14, 15], isAll: true, oldestRunning: 100, lastGiven: 15, nextTransaction: 103)
    #expect(horizon.position == 12)
    horizon.take([14, 15, 16], isAll: true, oldestRunning: 102, lastGiven: 16, nextTransaction: 110)
    #expect(horizon.position == 12)
    // It has rolled back: 13 never comes; 17 is another's who runs.
    horizon.take([14, 15, 16, 18], isAll: true, oldestRunning: 103, lastGiven: 18, nextTransaction: 120)
    #expect(horizon.position == 16)
    horizon.take([17, 18], isAll: true, oldestRunning: 104, lastGiven: 18, nextTransaction: 121)
    #expect(horizon.position == 18)
    // All that was given was rolled back.
    horizon.take([], isAll: true, oldestRunning: 130, lastGiven: 20, nextTransaction: 130)
    horizon.take([], isAll: true, oldestRunning: 130, lastGiven: 20, nextTransaction: 130)
    #expect(horizon.position == 20)
    // A page is not all there is: nothing beyond it is passed over.
    horizon.take([], isAll: true, oldestRunning: 130, lastGiven: 30, nextTransaction: 131)
    horizon.take([21, 22], isAll: false, oldestRunning: 131, lastGiven: 30, nextTransaction: 131)
    #expect(horizon.position == 22)
  }

  private static func insert(_ subject: String) -> String {
    """
    insert into outbox (id, transaction_id, type, org_a, subject, subject_version, business_at, body)
    values (gen_random_uuid(), pg_current_xact_id(), 'x.happened', gen_random_uuid(), '\(subject)', 1, now(), '{}')
    """
  }

  @Test("lets nothing pass that a transaction may still precede, on a real database")
  func real() async throws {
    try await MigratedDatabase.with { database in
      let (slow, fast) = (try await database.connect(), try await database.connect())
      let reader = try await database.connect(as: "chipbridge_writer")
      var horizon = try await EventHorizon.present(on: reader, deadline: soon())
      #expect(horizon.position == 0)
      // The one that has the later number begins first, and takes the earlier position.
      try await fast.execute("begin; select pg_current_xact_id()")
      try await slow.execute("begin; " + Self.insert("slow"))
      try await fast.execute(Self.insert("fast") + "; commit")
      try await horizon.advance(on: reader, deadline: soon())
      #expect(horizon.position == 0, "the first position is not decided")
      try await slow.execute("commit")
      try await horizon.advance(on: reader, deadline: soon())
      #expect(horizon.position == 2)
      try await slow.execute("begin; " + Self.insert("slow") + "; rollback")
      try await fast.execute(Self.insert("fast"))
      try await horizon.advance(on: reader, deadline: soon())
      try await horizon.advance(on: reader, deadline: soon())
      #expect(horizon.position == 4, "what was rolled back holds nobody up")
      for connection in [slow, fast, reader] { await connection.close() }
    }
  }
}
