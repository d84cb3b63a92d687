import Catalogue
import DomainFixtures
import Lending
import Operations
import Parties
import Persistence
import Postgres
import Primitives
import SchemaFixtures
import Testing

@testable import Settlement

@Suite("A lot on order", .timeLimit(.minutes(3)))
struct ForwardLotTests {
  @Test("is matched with who can wait for it, delivered only once it is here, and given back when declined")
  func forward() async throws {
    try await Marketplace.with { market in
      try await market.mark()
      let today = market.clock.now().date
      let due = try #require(today.adding(days: 30))
      let lender = try await market.lender()
      let lot = try await market.run(
        CreateLot(
          chipModelID: try Marketplace.plainChip(), quantity: 64, site: try Marketplace.site(), availableOn: due,
          multipleOf: 8, serials: [], unitCost: Money(1_200_000, .usd), lenderID: lender.id), by: lender.principal)
      #expect(lot.custody == [.onOrder: 64])
      _ = try await market.listing(of: lot, by: lender, quantity: 64)
      let (hasty, patient, unsure) = (
        try await market.startup("Hasty"), try await market.startup("Patient"), try await market.startup("Unsure")
      )
      _ = try await market.run(request(market, startBy: today.adding(days: 29)), by: hasty.principal)
      _ = try await market.run(request(market, startBy: due), by: patient.principal)
      _ = try await market.run(request(market, startBy: today.adding(days: 60)), by: unsure.principal)
      let id = try await market.plan()
      let worker = market.worker()
      await worker.clear(try #require(try await worker.claimRound()))
      let round = try await market.round(id)
      #expect(round.offersMade == 2 && round.offersRefused == 0)
      #expect(String(decoding: round.result ?? [], as: UTF8.self).contains("start_window"))
      #expect(try await market.number(Self.promised) == 32)
      #expect(try await market.number(Counts.reserved) == 0)
      // Patient accepts; nothing can be dispatched before the chips are here.
      let offer = try #require(try await market.offers(of: patient.id).first)
      let accepted = try await market.run(AcceptOffer(offerID: offer.id, ifVersion: nil), by: patient.principal)
      let loan = try #require(accepted.loanID)
      let dispatch = RecordDelivery(loanID: loan, quantity: nil, occurredOn: today, ifVersion: nil)
      let early = try await market.submit(dispatch, by: lender.principal)
      #expect(early.refusalCode == "lending.insufficient_chips")
      #expect(try await market.breaches() == [])
      let laws = try await BookVerifier(pool: market.pool).verify(deadline: soon())
      #expect(laws.flatMap(\.breaches) == [])
      // Part of the lot arrives: it goes to those who wait.
      _ = try await market.run(ReceiveLot(lotID: lot.id, quantity: 24), by: lender.principal)
      #expect(try await market.number(Counts.reserved) == 24)
      #expect(try await market.number(Self.promised) == 8)
      _ = try await market.run(dispatch, by: lender.principal)
      #expect(try await market.number(Counts.reserved) == 8)
      // The other declines: what waited is on order again, what was here is on hand.
      let other = try #require(try await market.offers(of: unsure.id).first)
      _ = try await market.run(EndOffer(offerID: other.id, outcome: .declined, ifVersion: nil), by: unsure.principal)
      #expect(try await market.number(Self.promised) == 0)
      #expect(try await market.number(Counts.reserved) == 0)
      #expect(try await market.breaches() == [])
    }
  }

  private static let promised = Statement("test_promised", "select sum(promised)::bigint from lots", columns: [.int8])

  private func request(_ market: Marketplace, startBy: CalendarDate?) throws -> CreateLoanRequest {
    var terms = try market.requestCommand().terms
    terms.startByOn = startBy
    return CreateLoanRequest(terms: terms)
  }
}

extension Marketplace {
  /// The offers to a startup, the oldest first.
  func offers(of startup: OrganizationID) async throws -> [Offer] {
    let statement = Statement(
      "test_offers_of", Tables.offers.selectList + "where borrower_id = $1 order by created_at, id",
      parameters: [.uuid], columns: Tables.offers.types)
    return try await database.withConnection { connection in
      try Tables.offers.decode(
        await connection.run(Query(statement, [.uuid(startup.value.bits)]), deadline: .now + .seconds(20)))
    }
  }
}
