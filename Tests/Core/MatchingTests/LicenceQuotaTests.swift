import Primitives
import Testing

@testable import Matching

@Suite("A licence quota holds jointly over a whole round") struct LicenceQuotaTests {
  @Test("within one listing and request it caps the piece")
  func capsPiece() throws {
    let result = clear(try market([listing(1, 10, ask: 1_000)], [request(1, 10, licences: [1: 1])], licences: [1: 4]))
    #expect(text(result) == ["r1 takes 4 of l1 at 1500"])
    #expect(result.certificate == .valid && result.bound == result.objective)
    #expect(reasons(.request(requestID(1)), result) == "licence_quota 1")
  }

  @Test("over the listings of one request, and over requests that share it: the better limit has it")
  func joint() throws {
    let listings = [listing(1, 3, ask: 1_000), listing(2, 5, ask: 1_100), listing(3, 5, ask: 1_000, verdictGroup: 2)]
    let requests = [
      request(1, 6, takes: [("alpha", 1_900)], licences: [1: 1]),
      request(2, 6, takes: [("alpha", 2_000)], licences: [1: 1], blocked: [3]),
    ]
    let result = clear(try market(listings, requests, licences: [1: 5]))
    // Request 1 needs none for what lender 3 has; what the licence clears goes where it is worth most.
    #expect(MatchLaws(snapshot: try market(listings, requests, licences: [1: 5]), result: result).violations() == [])
    #expect(result.allocations.filter { $0.request == requestID(2) }.reduce(0) { $0 + $1.quantity } == 5)
    #expect(result.allocations.filter { $0.request == requestID(1) }.map(\.listing) == [listingID(3)])
  }

  @Test("two licences are two quotas, and what needs none is not counted")
  func severalLicences() throws {
    let snapshot = try market(
      [
        listing(1, 10, ask: 1_000), listing(2, 10, ask: 1_000, verdictGroup: 2),
        listing(3, 4, ask: 1_000, verdictGroup: 3),
      ],
      [request(1, 30, licences: [1: 1, 2: 2])], licences: [1: 2, 2: 3])
    let result = clear(snapshot)
    #expect(result.allocations.map(\.quantity).sorted() == [2, 3, 4])
  }

  @Test("one that is used up lets nothing through, and boards are kept within it")
  func exhausted() throws {
    let request = request(1, 16, licences: [1: 1])
    #expect(clear(try market([listing(1, 16, ask: 10)], [request], licences: [1: 0])).allocations == [])
    let boards = clear(try market([listing(1, 16, ask: 10, boards: 8)], [request], licences: [1: 15]))
    #expect(boards.allocations.map(\.quantity) == [8])
  }

  /// All quantities of every pair of a tiny market, tried one by one.
  @Test("the best split of a quota agrees with trying every allocation")
  func exhaustive() throws {
    var withQuotaBinding = 0
    for seed in 1...1_500 as ClosedRange<UInt64> {
      var random = SplitMix64(seed: seed)
      let listings = (1...2).map { number in
        listing(number, random.int(1...4), ask: random.int(10...14) * 100, verdictGroup: Int(random.int(1...2)))
      }
      let requests = (1...3).map { number in
        request(
          number, random.int(1...4), takes: [("alpha", random.int(14...18) * 100)],
          licences: random.once(in: 4) ? [:] : [1: Int(random.int(1...2)), 2: 1])
      }
      let room: [Int: Int64] = [1: random.int(0...5), 2: random.int(0...5)]
      let snapshot = try market(listings, requests, licences: room)
      let best = exhaustiveOptimum(listings, requests, room)
      let result = clear(snapshot)
      #expect(result.objective == best, "seed \(seed)")
      #expect(result.bound == best, "seed \(seed)")
      let free = try market(
        listings,
        requests.map { request in
          MatchingTests.request(Int(request.id.value.low), request.quantity, acceptable: request.acceptable)
        })
      withQuotaBinding += clear(free).objective > best ? 1 : 0
    }
    #expect(withQuotaBinding > 200)
  }

  private func exhaustiveOptimum(_ listings: [ListingLine], _ requests: [RequestLine], _ room: [Int: Int64]) -> Int128 {
    let pairs = listings.flatMap { listing in requests.map { (listing, $0) } }
    var supply = listings.map(\.quantity)
    var wanted = requests.map(\.quantity)
    var left = Dictionary(uniqueKeysWithValues: room.map { (licenceID($0), $1) })
    func best(from position: Int) -> Int128 {
      guard position < pairs.count else { return 0 }
      let (listing, request) = pairs[position]
      let (source, target) = (position / requests.count, position % requests.count)
      let licence = request.licences[listing.verdictGroup]
      let most = min(supply[source], wanted[target], licence.map { left[$0] ?? 0 } ?? .max)
      var optimum: Int128 = 0
      for quantity in 0...most {
        supply[source] -= quantity
        wanted[target] -= quantity
        if let licence { left[licence, default: 0] -= quantity }
        let gain = Int128(1_000 * (request.acceptable[0].maxRateBps - listing.askRateBps) * quantity)
        optimum = max(optimum, gain + best(from: position + 1))
        supply[source] += quantity
        wanted[target] += quantity
        if let licence { left[licence, default: 0] += quantity }
      }
      return optimum
    }
    return best(from: 0)
  }
}
