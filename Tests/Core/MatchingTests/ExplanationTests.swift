import Matching
import Primitives
import Testing

/// A listing and a request that one thing keeps apart.
struct ApartCase: Sendable, CustomTestStringConvertible {
  let reason: String
  let listing: ListingLine
  let request: RequestLine

  init(_ reason: String, _ listing: ListingLine, _ request: RequestLine) {
    self.reason = reason
    self.listing = listing
    self.request = request
  }

  var testDescription: String { reason }
}

@Suite("Whatever is left over is told why") struct ExplanationTests {
  @Test("by the constraint that kept the two apart", arguments: apart)
  func constraintNamed(_ row: ApartCase) throws {
    let result = clear(try market([row.listing], [row.request], licences: [1: 3]))
    #expect(result.allocations == [])
    #expect(reasons(.listing(row.listing.id), result) == row.reason)
    #expect(reasons(.request(row.request.id), result) == row.reason)
  }

  static let apart: [ApartCase] = [
    ApartCase("verification 1", listing(1, 5, ask: 10, verified: false), request(1, 5)),
    ApartCase("verification 1", listing(1, 5, ask: 10), request(1, 5, verified: false)),
    ApartCase("same_organization 1", listing(1, 5, ask: 10, lender: 7), request(1, 5, startup: 7)),
    ApartCase("affiliate 1", listing(1, 5, ask: 10, group: 5_001), request(1, 5, group: 5_001)),
    ApartCase("affiliate 1", listing(1, 5, ask: 10, lender: 7), request(1, 5, group: 7)),
    ApartCase("affiliate 1", listing(1, 5, ask: 10, group: 1_001), request(1, 5, startup: 1_001)),
    ApartCase("blocked_lender 1", listing(1, 5, ask: 10, lender: 7), request(1, 5, blocked: [7])),
    ApartCase("chip 1", listing(1, 5, ask: 10, model: "beta"), request(1, 5)),
    ApartCase("chip 1", listing(1, 5, ask: 10), request(1, 5, takes: [])),
    ApartCase("unit_value 1", listing(1, 5, ask: 10, model: "delta"), request(1, 5, takes: [("delta", 100)])),
    ApartCase("export_verdict hold_licence 1", listing(1, 5, ask: 10), request(1, 5, held: [1: "hold_licence"])),
    ApartCase("export_verdict refuse 1", listing(1, 5, ask: 10, region: "south"), request(1, 5, held: [1: "refuse"])),
    ApartCase("region 1", listing(1, 5, ask: 10, region: "south"), request(1, 5)),
    ApartCase("delivery_mode 1", listing(1, 5, ask: 10, modes: ["hosted"]), request(1, 5)),
    ApartCase("pattern 1", listing(1, 5, ask: 10), request(1, 5, pattern: "instalments")),
    ApartCase("jurisdiction 1", listing(1, 5, ask: 10, jurisdictions: ["FR"]), request(1, 5)),
    ApartCase("credit_grade 1", listing(1, 5, ask: 10, grades: ["a"]), request(1, 5, grade: "b")),
    ApartCase("credit_grade 1", listing(1, 5, ask: 10, grades: ["a"]), request(1, 5)),
    ApartCase("term 1", listing(1, 5, ask: 10, terms: 30...60), request(1, 5, term: 61)),
    ApartCase("term 1", listing(1, 5, ask: 10, terms: 30...60), request(1, 5, term: 29)),
    ApartCase("start_window 1", listing(1, 5, ask: 10, availableOn: 11), request(1, 5, startOn: 10)),
    ApartCase("rate 1", listing(1, 5, ask: 2_001), request(1, 5)),
    ApartCase("multiple_of 1", listing(1, 7, ask: 10, boards: 8), request(1, 9)),
    ApartCase("listing_min_quantity 1", listing(1, 7, ask: 10, least: 6), request(1, 5)),
    ApartCase("exposure 1", listing(1, 7, ask: 10, exposure: 999), request(1, 5)),
    ApartCase("licence_quota 1", listing(1, 7, ask: 10, least: 4), request(1, 5, licences: [1: 1])),
    ApartCase("export_verdict refuse 1", listing(1, 7, ask: 10), request(1, 5, held: [1: "refuse"], licences: [1: 1])),
    ApartCase("request_min_quantity 1", listing(1, 4, ask: 10), request(1, 5, least: 5)),
  ]

  @Test("a verdict that is clear by name keeps nobody apart")
  func clearVerdict() throws {
    let result = clear(try market([listing(1, 5, ask: 2_000)], [request(1, 5, held: [1: "clear", 2: "refuse"])]))
    #expect(text(result) == ["r1 takes 5 of l1 at 2000"])
  }

  @Test("an empty other side is named as such")
  func noCounterOrders() throws {
    let onlyListing = clear(try market([listing(1, 5, ask: 10)], []))
    let onlyRequest = clear(try market([], [request(1, 5)]))
    #expect(reasons(.listing(listingID(1)), onlyListing) == "no_counter_orders 0")
    #expect(reasons(.request(requestID(1)), onlyRequest) == "no_counter_orders 0")
    #expect(clear(try market([], [])).leftovers == [])
  }

  @Test("who went first is what kept the others out")
  func alreadyFilled() throws {
    let result = clear(
      try market(
        [listing(1, 5, ask: 1_000), listing(2, 5, ask: 1_900)],
        [request(1, 5, takes: [("alpha", 1_800)]), request(2, 3, takes: [("alpha", 1_500)])]))
    #expect(text(result) == ["r1 takes 5 of l1 at 1650"])
    #expect(reasons(.request(requestID(2)), result) == "rate 1, already_filled 1")
    #expect(reasons(.listing(listingID(2)), result) == "rate 2")
  }

  @Test("what the pieces already taken rule out is named")
  func takenPieces() throws {
    let lenders = clear(
      try market([listing(1, 4, ask: 1_000), listing(2, 3, ask: 1_100)], [request(1, 10, lenders: 1)]))
    #expect(reasons(.request(requestID(1)), lenders) == "already_filled 1, max_lenders 1")
    let sites = clear(
      try market([listing(1, 4, ask: 1_000), listing(2, 1, ask: 1, site: "b")], [request(1, 10, sameSite: true)]))
    #expect(reasons(.listing(listingID(2)), sites) == "same_site 1")
    let models = clear(
      try market(
        [listing(1, 4, ask: 1_000), listing(2, 1, ask: 1, model: "beta")],
        [request(1, 10, takes: [("alpha", 2_000), ("beta", 2_000)], sameModel: true)]))
    #expect(reasons(.listing(listingID(2)), models) == "same_model 1")
  }

  @Test("a class that cannot share a rate is named as the cause")
  func clearingRate() throws {
    let result = clear(
      try market(
        [listing(1, 5, ask: 1_000), listing(2, 5, ask: 1_900)],
        [request(1, 5, blocked: [1]), request(2, 5, takes: [("alpha", 1_600)])]))
    #expect(reasons(.request(requestID(1)), result) == "blocked_lender 1, clearing_rate 1")
    #expect(reasons(.listing(listingID(2)), result) == "rate 1, clearing_rate 1")
  }
}
