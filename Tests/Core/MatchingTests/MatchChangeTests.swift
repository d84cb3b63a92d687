import Primitives
import Testing

@testable import Matching

@Suite("A request that got nothing is told the smallest change that would have matched it") struct MatchChangeTests {
  private func changes(
    _ listings: [ListingLine], _ requests: [RequestLine], of number: Int = 1, isHeldByRule: Bool = false
  ) throws -> [String] {
    let snapshot = try market(listings, requests)
    let line = try #require(snapshot.requests.first { $0.id == requestID(number) })
    var search = ChangeSearch(snapshot, line)
    return try search.changes(isHeldByRule: isHeldByRule).map { change in
      let what = [change.chipModel?.value, change.region, change.date.map { "\($0)" }].compactMap { $0 }
      return ([change.kind.rawValue] + what + ["\(change.number)", "for \(change.quantity)"]).joined(separator: " ")
    }
  }

  @Test("a limit one point below the only ask, named in steps of 25")
  func rate() throws {
    #expect(
      try changes([listing(1, 5, ask: 1_801)], [request(1, 5, takes: [("alpha", 1_800)])])
        == ["rate alpha 1825 for 5"])
  }

  @Test("where others pay more, the limit that takes their place")
  func rateOfOthers() throws {
    let found = try changes(
      [listing(1, 5, ask: 1_000)],
      [request(1, 5, takes: [("alpha", 1_500)], sequence: 2), request(2, 5, takes: [("alpha", 1_700)], sequence: 1)])
    // At 1,700 it would be later than the other and get nothing.
    #expect(found == ["rate alpha 1725 for 5"])
  }

  @Test("another chip, at the limit stated, where the chip wanted is not there")
  func chip() throws {
    #expect(
      try changes([listing(1, 5, ask: 900, model: "beta")], [request(1, 5, takes: [("alpha", 1_000)])])
        == ["chip beta 1000 for 5"])
  }

  @Test("a smaller least quantity, as small as what there is")
  func least() throws {
    #expect(try changes([listing(1, 3, ask: 900)], [request(1, 5, least: 4)]) == ["min_quantity 3 for 3"])
  }

  @Test("under an export rule nothing that would lead round it is named")
  func underRule() throws {
    let listings = [
      listing(1, 5, ask: 900, verdictGroup: 2), listing(2, 5, ask: 900, region: "south", verdictGroup: 1),
    ]
    let held = [request(1, 5, held: [2: "hold_licence"])]
    #expect(try changes(listings, held).contains { $0.hasPrefix("region") })
    #expect(try changes(listings, held, isHeldByRule: true).allSatisfy { !$0.hasPrefix("region") })
  }

  @Test("its place in the queue counts who pays more, and who pays as much and came first")
  func queue() throws {
    let snapshot = try market(
      [listing(1, 1, ask: 100)],
      [
        request(1, 5, takes: [("alpha", 1_500)], sequence: 3), request(2, 6, takes: [("alpha", 1_600)], sequence: 4),
        request(3, 7, takes: [("alpha", 1_500)], sequence: 1), request(4, 8, takes: [("beta", 9_000)], sequence: 1),
      ])
    let remaining = [requestID(1): Int64(5), requestID(2): 5, requestID(3): 7, requestID(4): 8]
    #expect(
      snapshot.queuePosition(of: requestID(1), remaining: remaining) == QueuePosition(position: 3, chipsAhead: 12))
  }
}
