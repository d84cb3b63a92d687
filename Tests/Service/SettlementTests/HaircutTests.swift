import Catalogue
import DomainFixtures
import Operations
import Parties
import Persistence
import Postgres
import PostgresHarness
import SchemaFixtures
import Primitives
import Testing
import Valuation

@testable import Settlement

@Suite("Least haircuts", .timeLimit(.minutes(2)))
struct LeastHaircutTests {
  private static let forget = Statement(
    "test_forget_haircut", "update margin_tests set haircut_entry_id = null where haircut_entry_id is not null")

  private func propose(
    _ market: Marketplace, _ chips: LeastHaircut.Chips, _ haircut: Int64, days: Int64 = 1
  ) async throws -> Decided<ReferenceEntry> {
    let from = try #require(market.today.adding(days: days))
    let least = try #require(
      LeastHaircut(chips: chips, from: from, haircut: BasisPoints(haircut), source: "sales"))
    return try await market.submit(ProposeReference(fact: .leastHaircut(least)), by: Marketplace.staff())
  }

  private func adopt(
    _ market: Marketplace, _ entry: ReferenceEntry, by number: UInt64 = 2
  ) async throws -> Decided<ReferenceEntry> {
    try await market.submit(
      DecideReference(entryID: entry.id, kind: .leastHaircut, act: .adopt, ifVersion: nil),
      by: Marketplace.staff(number))
  }

  @Test("a test takes off what the platform asks for where it is more, says by which entry, and is made again so")
  func taken() async throws {
    try await Marketplace.with { market in
      let loan = try await market.lendOnMargin(haircut: 100)
      let model = LeastHaircut.Chips.model(try Marketplace.plainChip())
      let ofModel = try await propose(market, model, 2_000).get()
      let ofClass = try await propose(market, .vendorClass(.dataCentre), 500).get()
      #expect(try await adopt(market, ofModel, by: 1).refusalCode == "parties.same_person")
      for entry in [ofModel, ofClass] { _ = try await adopt(market, entry).get() }
      _ = try await market.settle(.margin)
      try await market.pass(days: 1)
      try await market.mark(850_000)
      #expect(try await market.settle(.margin).sums == ["loans_tested": 1, "calls_opened": 1])
      // Nothing from the next day on: what is asked for of the class is the greater then.
      _ = try await adopt(market, try await propose(market, model, 0).get()).get()
      try await market.pass(days: 1)
      _ = try await market.settle(.margin)
      let tests = try await market.marginTests(loan)
      #expect(tests.map(\.haircut.haircut.value) == [100, 2_000, 500])
      #expect(tests.map(\.haircut.by) == [nil, ofModel.id, ofClass.id])
      #expect(tests.allSatisfy { $0.haircut.vendorClass == .dataCentre })
      // A fifth off 16,000,000 and off 16 x 850,000; nine tenths of the first are required.
      #expect(
        tests[1].result
          == MarginTestRow.Result(expected: 12_800_000, required: 11_520_000, held: 10_880_000, shortfall: 640_000))
      #expect(try await market.lawBreaches() == [])
      try await market.database.withConnection { connection in
        _ = try await connection.run(Query(Self.forget), deadline: soon())
      }
      let breaches = try await market.lawBreaches()
      #expect(breaches.count == 2 && breaches.allSatisfy { $0.contains("were to be taken off on its day") })
    }
  }

  @Test("what is asked for is ahead when it is proposed and when it is adopted: no day that was tested comes under it")
  func ahead() async throws {
    try await Marketplace.with { market in
      let model = LeastHaircut.Chips.model(try Marketplace.plainChip())
      #expect(try await propose(market, model, 1, days: 0).refusalCode == "reference.not_ahead")
      let unknown = LeastHaircut.Chips.model(try #require(ChipModelID("no-such-chip")))
      #expect(try await propose(market, unknown, 1).refusalCode == "parties.not_found")
      let entry = try await propose(market, model, 1).get()
      try await market.pass(days: 1)
      #expect(try await adopt(market, entry).refusalCode == "reference.not_ahead")
      #expect(try await market.lawBreaches() == [])
    }
  }
}
