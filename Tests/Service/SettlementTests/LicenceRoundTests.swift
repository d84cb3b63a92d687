import Catalogue
import DomainFixtures
import Lending
import Operations
import Parties
import Persistence
import Postgres
import Primitives
import Testing

@testable import Settlement

@Suite("Licences in match rounds", .timeLimit(.minutes(3)))
struct LicenceRoundTests {
  @Test("one quota is shared out over a round, promises count against the next, and hand-overs use it up")
  func quota() async throws {
    try await Marketplace.with { market in
      try await market.mark()
      let lender = try await market.lender()
      let lot = try await market.lot(of: lender)
      _ = try await market.listing(of: lot, by: lender, quantity: 64)
      let licence = try await market.run(
        AddLicence(
          holderID: lender.id, consigneeID: nil, subject: .exportClass(.eccn3A090a),
          destination: try Marketplace.country("VN"), quota: 24, validFrom: market.clock.now().date, validTo: nil,
          reference: "D-1234"), by: Marketplace.staff())
      let (first, second) = (try await market.abroad("First"), try await market.abroad("Second"))
      _ = try await market.request(of: first)
      let waiting = try await market.request(of: second)

      var round = try await market.clearOnce()
      #expect(round.offersMade == 2 && round.offersRefused == 0)
      #expect(try await market.offers(of: first.id).map(\.quantity) == [16])
      #expect(try await market.offers(of: second.id).map(\.quantity) == [8])
      #expect(String(decoding: round.result ?? [], as: UTF8.self).contains("licence_quota"))
      // Nothing is left of the quota while both offers are pending, though none of it is used.
      round = try await market.clearOnce()
      #expect(round.offersMade == 0)
      #expect(String(decoding: round.result ?? [], as: UTF8.self).contains("hold_licence"))
      #expect(try await market.number(Self.used) == 0)

      // An offer declined gives its part back to the next round; the request that was held is open again.
      let declined = try #require(try await market.offers(of: first.id).first)
      _ = try await market.run(EndOffer(offerID: declined.id, outcome: .declined, ifVersion: nil), by: first.principal)
      _ = try await market.run(CancelLoanRequest(requestID: declined.requestID, ifVersion: nil), by: first.principal)
      round = try await market.clearOnce()
      #expect(round.offersMade == 1)
      #expect(try await market.offers(of: second.id).map(\.quantity).sorted() == [8, 8])

      // The hand-over takes of the licence what the round counted.
      for offer in try await market.offers(of: second.id) {
        let accepted = try await market.run(AcceptOffer(offerID: offer.id, ifVersion: nil), by: second.principal)
        let loan = try #require(accepted.loanID)
        _ = try await market.run(
          RecordDelivery(loanID: loan, quantity: nil, occurredOn: market.clock.now().date, ifVersion: nil),
          by: lender.principal)
      }
      #expect(try await market.number(Self.used) == 16)
      #expect(licence.licence.quota == 24)
      #expect(waiting.quantity == 16)
      #expect(try await market.breaches() == [])
      let laws = try await BookVerifier(pool: market.pool).verify(deadline: .now + .seconds(20))
      #expect(laws.flatMap(\.breaches) == [])
    }
  }

  @Test("without a licence nothing is offered, and a licence to elsewhere or to another consignee is none")
  func uncovered() async throws {
    try await Marketplace.with { market in
      try await market.mark()
      let lender = try await market.lender()
      _ = try await market.listing(of: market.lot(of: lender), by: lender, quantity: 64)
      let (startup, other) = (try await market.abroad("Startup"), try await market.abroad("Other"))
      _ = try await market.request(of: startup)
      let today = market.clock.now().date
      for (destination, consignee) in [("SG", nil), ("VN", other.id)] as [(String, OrganizationID?)] {
        _ = try await market.run(
          AddLicence(
            holderID: lender.id, consigneeID: consignee, subject: .exportClass(.eccn3A090a),
            destination: try Marketplace.country(destination), quota: 64, validFrom: today, validTo: nil,
            reference: "D-\(destination)"), by: Marketplace.staff())
      }
      let round = try await market.clearOnce()
      #expect(round.offersMade == 0)
      #expect(try await market.number(Counts.offers) == 0)
      #expect(String(decoding: round.result ?? [], as: UTF8.self).contains("hold_licence"))
    }
  }

  private static let used = Statement("test_used", "select sum(used)::bigint from licences", columns: [.int8])
}

extension Marketplace {
  /// A verified startup that takes delivery in a country to which the strongest chips need a licence.
  fileprivate func abroad(_ name: String) async throws -> Party {
    try await party(name, [.startup], sites: [Site(country: Self.country("VN"), region: "VN-south")])
  }

  fileprivate func clearOnce() async throws -> MatchRoundRow {
    let id = try await plan()
    let worker = worker()
    await worker.clear(try #require(try await worker.claimRound()))
    return try await round(id)
  }
}
