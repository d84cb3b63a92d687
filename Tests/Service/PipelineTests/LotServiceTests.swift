import DomainFixtures
import Lending
import Operations
import Parties
import Persistence
import Postgres
import PostgresHarness
import Primitives
import SchemaFixtures
import Testing

/// What a lender does with chips that no loan has.
@Suite("Chips at their lender's own hands", .timeLimit(.minutes(2)))
struct LotServiceTests {
  private func service(
    _ lot: LotID, _ act: LotServiceAct, _ quantity: Int64, _ serials: [String] = [], on date: CalendarDate
  ) -> ServiceChips {
    ServiceChips(
      lotID: lot, act: act, quantity: quantity, serials: serials, occurredOn: date, note: nil, ifVersion: nil)
  }

  @Test("go to repair, come back and can be lent again; what is beyond repair is lost; none is made or forgotten")
  func unnumbered() async throws {
    try await Marketplace.with { market in
      let lender = try await market.lender()
      let lot = try await market.lot(of: lender, quantity: 64)
      let today = market.clock.now().date
      let sent = try await market.run(service(lot.id, .sentToRepair, 10, on: today), by: lender.principal)
      #expect(sent.lot.units(.available) == 54 && sent.lot.units(.inRepair) == 10 && sent.units.isEmpty)
      let back = try await market.run(service(lot.id, .backFromRepair, 7, on: today), by: lender.principal)
      #expect(back.lot.units(.available) == 61 && back.lot.units(.inRepair) == 3)
      let lost = try await market.run(service(lot.id, .lost, 1, on: today), by: lender.principal)
      #expect(lost.lot.units(.lost) == 1 && lost.lot.units(.inRepair) == 2)
      for (act, count) in [(LotServiceAct.backFromRepair, Int64(3)), (.lost, 3), (.sentToRepair, 62)] {
        let refused = try await market.submit(service(lot.id, act, count, on: today), by: lender.principal)
        #expect(refused.refusalCode == "lending.insufficient_chips", "\(act)")
      }
      #expect(try await market.breaches() == [])
    }
  }

  @Test("a listing keeps what it offers: it shrinks before its chips go to repair")
  func listed() async throws {
    try await Marketplace.with { market in
      let lender = try await market.lender()
      let lot = try await market.lot(of: lender, quantity: 64)
      let today = market.clock.now().date
      _ = try await market.run(market.listingCommand(of: lot, quantity: 56), by: lender.principal)
      let refused = try await market.submit(service(lot.id, .sentToRepair, 9, on: today), by: lender.principal)
      #expect(refused.refusalCode == "lending.insufficient_chips")
      let sent = try await market.run(service(lot.id, .sentToRepair, 8, on: today), by: lender.principal)
      #expect(sent.lot.units(.available) == 56)
    }
  }

  @Test("by their numbers: what came back damaged from a loan is whole after repair, and is lent again")
  func numbered() async throws {
    try await Marketplace.with { market in
      let lent = try await LentChips(market, isDelivered: false)
      let (lender, startup) = (lent.lender.principal, lent.startup.principal)
      let out = (0..<16).map { "SN-\($0)" }
      for party in [lender, startup] {
        _ = try await market.run(
          RecordDelivery(loanID: lent.id, quantity: 16, serials: out, occurredOn: lent.today, ifVersion: nil),
          by: party)
      }
      func giveBack(_ condition: ReturnCondition?) -> RecordReturn {
        RecordReturn(
          loanID: lent.id, quantity: 2, serials: ["SN-0", "SN-1"], occurredOn: lent.today, condition: condition,
          conditionCharge: condition == nil ? nil : Money(0, .usd))
      }
      for (condition, party) in [(nil, startup), (nil, lender), (ReturnCondition.damaged, lender)] {
        _ = try await market.run(giveBack(condition), by: party)
      }
      let unnamed = try await market.submit(service(lent.lotID, .backFromRepair, 1, on: lent.today), by: lender)
      #expect(unnamed.refusalCode == "loan.serials_required")
      let strange = try await market.submit(
        service(lent.lotID, .backFromRepair, 1, ["SN-99"], on: lent.today), by: lender)
      #expect(strange.refusalCode == "loan.unknown_serial")
      let back = try await market.run(
        service(lent.lotID, .backFromRepair, 1, ["SN-0"], on: lent.today), by: lender)
      #expect(back.units.map(\.condition) == [.inService] && back.lot.units(.inRepair) == 1)
      let twice = try await market.submit(
        service(lent.lotID, .backFromRepair, 1, ["SN-0"], on: lent.today), by: lender)
      #expect(twice.refusalCode == "lending.illegal_state")
      let scrapped = try await market.run(service(lent.lotID, .lost, 1, ["SN-1"], on: lent.today), by: lender)
      #expect(scrapped.units.map(\.condition) == [.lost] && scrapped.lot.units(.lost) == 1)
      #expect(try await lent.breaches() == [])
    }
  }

  @Test("a unit that was never lent is known by its number from then on, and cannot go out while it is away")
  func neverLent() async throws {
    try await Marketplace.with { market in
      let lender = try await market.lender()
      let lot = try await market.run(
        market.lotCommand(of: lender, quantity: 8, serials: (0..<8).map { "SN-\($0)" }), by: lender.principal)
      let today = market.clock.now().date
      let sent = try await market.run(service(lot.id, .sentToRepair, 1, ["SN-4"], on: today), by: lender.principal)
      #expect(sent.units.map(\.condition) == [.inRepair])
      let again = try await market.submit(service(lot.id, .sentToRepair, 1, ["SN-4"], on: today), by: lender.principal)
      #expect(again.refusalCode == "lending.illegal_state")
      let back = try await market.run(service(lot.id, .backFromRepair, 1, ["SN-4"], on: today), by: lender.principal)
      #expect(back.units.map(\.id) == sent.units.map(\.id) && back.lot.units(.available) == 8)
      #expect(try await market.breaches() == [])
    }
  }

  @Test("another lender's lot is not there, and the future has not happened")
  func refused() async throws {
    try await Marketplace.with { market in
      let (lender, other) = (try await market.lender("One"), try await market.lender("Other"))
      let lot = try await market.lot(of: lender, quantity: 8)
      let today = market.clock.now().date
      let foreign = try await market.submit(service(lot.id, .sentToRepair, 1, on: today), by: other.principal)
      #expect(foreign.refusalCode == "parties.not_found")
      let tomorrow = try #require(today.adding(days: 1))
      let early = try await market.submit(service(lot.id, .sentToRepair, 1, on: tomorrow), by: lender.principal)
      #expect(early.refusalCode == "lending.future_date")
    }
  }
}
