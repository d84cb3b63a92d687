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

@Suite("The chips of a loan", .timeLimit(.minutes(2)))
struct LoanUnitTests {
  private func serials(_ range: Range<Int>) -> [String] { range.map { "SN-\($0)" } }

  private func deliver(_ lent: LentChips, _ serials: [String]) -> RecordDelivery {
    RecordDelivery(
      loanID: lent.id, quantity: Int64(serials.count), serials: serials, occurredOn: lent.today, ifVersion: nil)
  }

  private func giveBack(_ lent: LentChips, _ serials: [String], _ condition: ReturnCondition?, quantity: Int64? = nil)
    -> RecordReturn
  {
    RecordReturn(
      loanID: lent.id, quantity: quantity ?? Int64(serials.count), serials: serials, occurredOn: lent.today,
      condition: condition, conditionCharge: condition == nil ? nil : Money(0, .usd))
  }

  private func units(_ lent: LentChips) async throws -> [ChipUnit] {
    try await lent.market.database.withConnection { connection in
      let rows = try await connection.run(
        Query(Details.unitsOfLoan, [.uuid(nil), .uuid(lent.id.value.bits)]), deadline: soon())
      return try Tables.chipUnits.decode(rows)
    }
  }

  @Test(
    "numbered units are dispatched from their lot, arrive, come back by their numbers, and are in one loan at a time")
  func numbered() async throws {
    try await Marketplace.with { market in
      let lent = try await LentChips(market, isDelivered: false)
      let (lender, startup) = (lent.lender.principal, lent.startup.principal)
      let strange = serials(0..<15) + ["SN-99"]
      #expect(try await market.submit(deliver(lent, strange), by: lender).refusalCode == "loan.unknown_serial")
      _ = try await market.run(deliver(lent, serials(0..<16)), by: lender)
      #expect(
        try await market.submit(deliver(lent, serials(1..<17)), by: startup).refusalCode == "loan.unit_not_in_loan")
      _ = try await market.run(deliver(lent, serials(0..<16)), by: startup)
      #expect(try await units(lent).filter { $0.loanID == lent.id }.count == 16)
      #expect(try await lent.breaches() == [])
      for (command, party) in [
        (giveBack(lent, serials(0..<2), nil), startup), (giveBack(lent, serials(0..<2), nil), lender),
      ] { _ = try await market.run(command, by: party) }
      let unnamed = giveBack(lent, [], .good, quantity: 2)
      #expect(try await market.submit(unnamed, by: lender).refusalCode == "loan.serials_required")
      _ = try await market.run(giveBack(lent, serials(0..<2), .damaged), by: lender)
      let after = try await units(lent)
      #expect(after.filter { $0.loanID == nil }.map(\.condition) == [.failed, .failed])
      #expect(after.count == 16)
      #expect(try await lent.breaches() == [])
    }
  }

  @Test("the database itself refuses a second row for one serial number")
  func oneRow() async throws {
    try await Marketplace.with { market in
      let lent = try await LentChips(market, isDelivered: false)
      _ = try await market.run(deliver(lent, serials(0..<16)), by: lent.lender.principal)
      try await market.database.withConnection { connection in
        let error = await #expect(throws: PostgresError.self) {
          try await connection.execute(
            """
            insert into chip_units select lender_id, gen_random_uuid(), chip_model_id, lot_id, serial, gen_random_uuid(),
              borrower_id, condition, version, created_at, updated_at from chip_units limit 1
            """)
        }
        #expect(error?.constraint == "chip_units_one_a_serial")
      }
    }
  }

  @Test("a failure, a repair and a ban are steps of a unit's own; the loan and its fee go on")
  func devices() async throws {
    try await Marketplace.with { market in
      let lent = try await LentChips(market, isDelivered: false)
      _ = try await market.run(deliver(lent, serials(0..<16)), by: lent.lender.principal)
      _ = try await market.run(deliver(lent, serials(0..<16)), by: lent.startup.principal)
      func event(_ kind: UnitEventKind, _ serials: [String], quantity: Int64 = 1) -> RecordDeviceEvent {
        RecordDeviceEvent(
          loanID: lent.id, kind: kind, quantity: serials.isEmpty ? quantity : Int64(serials.count), serials: serials,
          occurredOn: lent.today, note: "ECC", ifVersion: nil)
      }
      let startup = lent.startup.principal
      #expect(try await market.run(event(.failed, ["SN-3"]), by: startup).units.map(\.condition) == [.failed])
      let again = try await market.submit(event(.failed, ["SN-3"]), by: startup)
      #expect(again.refusalCode == "lending.illegal_state")
      _ = try await market.run(event(.sentToRepair, ["SN-3"]), by: startup)
      let back = try await market.run(event(.backFromRepair, ["SN-3"]), by: lent.lender.principal)
      #expect(back.units.map(\.condition) == [.inService] && back.loan.state == .active)
      _ = try await market.run(event(.banned, ["SN-4"]), by: startup)
      #expect(try await market.submit(event(.failed, []), by: startup).refusalCode == "loan.serials_required")
      #expect(
        try await market.submit(event(.failed, [], quantity: 17), by: startup).refusalCode == "lending.more_than_out")
      let lost = RecordCasualty(
        loanID: lent.id, quantity: 1, serials: ["SN-4"], occurredOn: lent.today, cause: .fire, reason: nil,
        ifVersion: nil)
      _ = try await market.run(lost, by: startup)
      #expect(try await units(lent).filter { $0.condition == .lost }.map(\.serial) == ["SN-4"])
      #expect(try await lent.breaches() == [])
    }
  }

  @Test("units are exchanged for others of the lot by consent; principal, fee and custody of the loan stay as they are")
  func substitution() async throws {
    try await Marketplace.with { market in
      let lent = try await LentChips(market, isDelivered: false)
      _ = try await market.run(deliver(lent, serials(0..<16)), by: lent.lender.principal)
      _ = try await market.run(deliver(lent, serials(0..<16)), by: lent.startup.principal)
      let failed = RecordDeviceEvent(
        loanID: lent.id, kind: .failed, quantity: 1, serials: ["SN-3"], occurredOn: lent.today, note: nil,
        ifVersion: nil)
      _ = try await market.run(failed, by: lent.startup.principal)
      let before = try await lent.loan()
      func propose(_ out: [String], _ new: [String]) async throws -> Decided<AmendmentDesk.Answered> {
        try await market.submit(
          ProposeAmendment(
            loanID: lent.id, terms: .substitution(out: out, with: new), reason: nil, validDays: nil, ifVersion: nil),
          by: lent.startup.principal)
      }
      #expect(try await propose(["SN-20"], ["SN-21"]).refusalCode == "loan.unit_not_in_loan")
      #expect(try await propose(["SN-3"], ["SN-4"]).refusalCode == "loan.unit_in_loan")
      #expect(try await propose(["SN-3"], ["SN-77"]).refusalCode == "loan.unknown_serial")
      let proposed = try await propose(["SN-3", "SN-5"], ["SN-20", "SN-21"]).get().amendment
      _ = try await lent.answer(proposed, .accept, by: lent.lender).get()
      let inLoan = try await units(lent).filter { $0.loanID == lent.id }.map(\.serial)
      #expect(inLoan.contains("SN-20") && inLoan.contains("SN-21") && !inLoan.contains("SN-3") && inLoan.count == 16)
      let (after, lot) = (try await lent.loan(), try await lent.lot())
      #expect(after.outstanding == before.outstanding && after.unitsOut == 16)
      #expect(lot.units(.inRepair) == 1 && lot.units(.onLoan) == 16 && lot.units(.available) == 47)
      #expect(try await lent.breaches() == [])
    }
  }

  @Test("a return is credited by the loan's rule: the mark of the day where that is lower, or the stipulated value")
  func credits() async throws {
    for (rule, credit) in [(ReturnCreditRule.lowerOfMark, Int64(500_000)), (.schedule, 750_000)] {
      try await Marketplace.with { market in
        let lent = try await LentChips(market, returnCredit: rule)
        // 180 days are six months: after one of them a sixth of the 900,000 a unit is gone. The mark has halved.
        market.clock.advance(days: 31)
        try await market.mark(500_000)
        for (condition, party) in [(nil, lent.startup), (nil, lent.lender), (ReturnCondition.good, lent.lender)] {
          _ = try await market.run(giveBack(lent, [], condition, quantity: 1), by: party.principal)
        }
        #expect(try await lent.loan().outstanding.principal == LentChips.principal - credit, "\(rule)")
        #expect(try await lent.breaches() == [])
      }
    }
  }
}
