import Ledger
import Lending
import Parties
import Persistence
import Postgres
import PostgresHarness
import Primitives
import Repayment
import SchemaFixtures
import Testing
import Valuation

@testable import RowFixtures

@Suite("Rows", .timeLimit(.minutes(2)))
struct RoundTripTests {
  @Test("of every table come back as they went in, full or with every optional left out", arguments: [true, false])
  func roundTrip(full: Bool) async throws {
    let trips = try Trip.all(RowSet(full: full, seed: 1))
    #expect(Set(trips.map(\.table)) == Set(AnyTable.all.map(\.name)))
    try await MigratedDatabase.with { database in
      try await database.withConnection(as: "chipbridge_writer") { connection in
        for trip in trips {
          let result = try await connection.run(trip.insert, deadline: soon())
          #expect(result.affectedRows == trip.count, "\(trip.table)")
          let tripArrived = try await trip.arrived(connection)
          #expect(tripArrived, "\(trip.table)")
        }
      }
    }
  }

  @Test("are rewritten whole where the version is the loaded one, and not at all where it is another")
  func updates() async throws {
    let sparse = try Trip.all(RowSet(full: false, seed: 2))
    let full = try Trip.all(RowSet(full: true, seed: 2))
    try await MigratedDatabase.with { database in
      try await database.withConnection(as: "chipbridge_writer") { connection in
        for trip in sparse { _ = try await connection.run(trip.insert, deadline: soon()) }
        for (before, after) in zip(sparse, full) {
          guard let rewrite = after.rewrite, let first = rewrite(1) else { continue }
          // The sparse rows have version 1, the full ones 2.
          let early = try #require(rewrite(2))
          #expect(try await connection.run(early, deadline: soon()).affectedRows == 0, "\(after.table)")
          let beforeArrived = try await before.arrived(connection)
          #expect(beforeArrived, "\(after.table)")
          #expect(try await connection.run(first, deadline: soon()).affectedRows == after.count, "\(after.table)")
          let afterArrived = try await after.arrived(connection)
          #expect(afterArrived, "\(after.table)")
          let stale = try #require(before.rewrite?(1))
          #expect(try await connection.run(stale, deadline: soon()).affectedRows == 0, "\(after.table)")
          let back = try #require(before.rewrite?(2))
          #expect(try await connection.run(back, deadline: soon()).affectedRows == before.count, "\(after.table)")
          let backArrived = try await before.arrived(connection)
          #expect(backArrived, "\(after.table)")
        }
      }
    }
  }

  @Test("a value that no version of the program writes is an error, not a trap")
  func damagedRows() async throws {
    let set = try RowSet(full: true, seed: 3)
    try await MigratedDatabase.with { database in
      try await database.withConnection { connection in
        _ = try await connection.run(Tables.organizations.inserting([set.organization]), deadline: soon())
        for damage in ["roles = '{pirate}'", "owners = '[{\"name\": 1}]'", "verified_on = '0044-03-15 BC'"] {
          try await connection.execute("begin; update organizations set \(damage)")
          await #expect(throws: (any Error).self, "\(damage)") {
            let result = try await connection.run(
              Tables.organizations.rows(by: [set.borrower.value]), deadline: soon())
            _ = try Tables.organizations.decode(result)
          }
          try await connection.execute("rollback")
        }
      }
    }
  }
}
