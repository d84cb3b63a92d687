import Catalogue
import Lending
import Parties
import Persistence
import Postgres
import Primitives

/// An offer that nobody has answered, with what its act is told from: neither its request nor its listing need be open
/// any more.
struct PendingOffer: Sendable {
  let offer: Offer
  let request: LoanRequest
  let listing: Listing

  /// All of them, in the order of their ids.
  static func read(
    pool: PostgresPool, pageSize: Int64, deadline: ContinuousClock.Instant
  ) async throws -> [PendingOffer] {
    var found: [PendingOffer] = []
    var last = UUIDValue(high: 0, low: 0)
    while true {
      let query = Query(ComplianceSQL.pendingOffers, [.uuid(last.bits), .int8(pageSize)])
      let offers = try await pool.withConnection(deadline: deadline) {
        try await Tables.offers.decode($0.run(query, deadline: deadline))
      }
      let more = [
        Tables.loanRequests.rows(by: Set(offers.map(\.requestID.value)).sorted()),
        Tables.listings.rows(by: Set(offers.map(\.listingID.value)).sorted()),
      ]
      let results = try await pool.withConnection(deadline: deadline) {
        try await $0.pipeline(more, deadline: deadline)
      }
      let requests = Dictionary(
        try Tables.loanRequests.decode(results[0]).map { ($0.id, $0) }, uniquingKeysWith: { first, _ in first })
      let listings = Dictionary(
        try Tables.listings.decode(results[1]).map { ($0.id, $0) }, uniquingKeysWith: { first, _ in first })
      for offer in offers {
        // The database keeps what an offer points to.
        guard let request = requests[offer.requestID], let listing = listings[offer.listingID] else { continue }
        found.append(PendingOffer(offer: offer, request: request, listing: listing))
      }
      guard let end = offers.last, offers.count == Int(pageSize) else { return found }
      last = end.id.value
    }
  }

  /// The act of offering, as ``OfferDesk`` judges it.
  func act(by lender: Organization, to borrower: Organization, on date: CalendarDate) -> ExportDesk.Act {
    let to = request.deliveryMode == .hosted ? listing.site : ExportDesk.destination(of: borrower, from: listing.site)
    return ExportDesk.Act(
      kind: .offer, date: date, chip: offer.chipModelID, quantity: offer.quantity, lender: lender, borrower: borrower,
      from: listing.site, to: to, deliveryMode: request.deliveryMode, endUse: request.endUse)
  }
}
