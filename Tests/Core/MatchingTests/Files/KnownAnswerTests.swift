import Matching
import Testing

@Suite("Known optima of market files") struct KnownAnswerTests {
  /// The gzip one is for the command.
  private static let plainFiles = ["plain-1-20.jsonl", "plain-2-200.jsonl"]
  private static let sideFiles = ["side-11-8.jsonl", "side-12-15.jsonl", "side-13-30.jsonl", "side-14-60.jsonl"]

  private func optimum(_ kind: String, _ name: String) throws -> Int128 {
    try #require(try MarketText.cases(kind).first { $0.file == name }).optimum
  }

  @Test("the flow solver reaches them with a valid certificate", arguments: plainFiles)
  func plain(name: String) throws {
    let file = try MarketFileReader.market(of: try MarketText.fixture(name))
    let flow = try MarketFlow(file)
    let solution = MarketSolution(clear(flow: flow.market), flow, file)
    #expect(solution.objective == (try optimum("plain", name)))
    #expect(solution.certificate == "valid" && solution.bound == solution.objective)
    try expectAllowed(solution, file)
  }

  @Test("the pair solver reaches them and closes the gap", arguments: sideFiles)
  func side(name: String) throws {
    let file = try MarketFileReader.market(of: try MarketText.fixture(name))
    #expect(file.kind == .side)
    let pairs = try #require(MarketPairs(file, try MarketFlow(file), limit: 10_000))
    let clearing = clear(pairs: pairs.market(of: file), workLimit: 500_000_000)
    let solution = MarketSolution(pairs, quantities: clearing.quantities, bound: clearing.bound, file)
    #expect(solution.objective == (try optimum("side", name)))
    #expect(solution.certificate == "valid")
    try expectAllowed(solution, file)
  }

  @Test("what larger markets get, in parts or as a round, keeps every rule and comes near them", arguments: sideFiles)
  func largeWays(name: String) throws {
    let file = try MarketFileReader.market(of: try MarketText.fixture(name))
    let flow = try MarketFlow(file)
    let pairs = try #require(MarketPairs(file, flow, limit: 10_000))
    let relaxed = clear(flow: flow.market)
    let optimum = try optimum("side", name)
    let parts = pairs.searchedInParts(guidedBy: flow.allocations(of: relaxed, in: file), file, requestsOfPart: 5)
    for solution in [
      MarketSolution(pairs, quantities: parts, bound: relaxed.objective, file),
      MarketSolution(clear(try file.snapshot()), file),
    ] {
      #expect(!solution.isInvalid, "\(solution.certificate)")
      #expect(solution.objective <= optimum && solution.bound >= optimum)
      #expect(solution.objective * 10 >= optimum * 8, "\(solution.objective) of \(optimum)")
      try expectAllowed(solution, file)
    }
  }

  @Test("a doctored answer to a side file is called invalid")
  func doctored() throws {
    let file = try MarketFileReader.market(of: try MarketText.fixture("side-11-8.jsonl"))
    let pairs = try #require(MarketPairs(file, try MarketFlow(file), limit: 10_000))
    let optimum = try optimum("side", "side-11-8.jsonl")
    for pair in pairs.pairs.indices {
      var quantities = [Int64](repeating: 0, count: pairs.pairs.count)
      quantities[pair] = 1_000_000
      #expect(MarketSolution(pairs, quantities: quantities, bound: optimum, file).isInvalid)
    }
    let nothing = [Int64](repeating: 0, count: pairs.pairs.count)
    #expect(MarketSolution(pairs, quantities: nothing, bound: optimum, file).certificate == "gap")
    #expect(MarketSolution(pairs, quantities: nothing, bound: -1, file).isInvalid)
  }

  @Test("a limit on pairs is kept")
  func pairLimit() throws {
    let file = try MarketFileReader.market(of: try MarketText.fixture("side-11-8.jsonl"))
    let flow = try MarketFlow(file)
    let count = try #require(MarketPairs(file, flow, limit: 10_000)).pairs.count
    #expect(MarketPairs(file, flow, limit: count) != nil)
    #expect(MarketPairs(file, flow, limit: count - 1) == nil)
  }

  /// The allocations, against the words of the format: each fits, none is double, and they sum to the objective.
  private func expectAllowed(_ solution: MarketSolution, _ file: MarketFile) throws {
    var lent = [Int64](repeating: 0, count: file.listings.count)
    var got = [Int64](repeating: 0, count: file.requests.count)
    var objective: Int128 = 0
    var seen: Set<[Int32]> = []
    for allocation in solution.allocations {
      let listing = file.listings[Int(allocation.listing)]
      let request = file.requests[Int(allocation.request)]
      let own = file.firstAcceptable[Int(allocation.request)]..<file.firstAcceptable[Int(allocation.request) + 1]
      let limit = try #require(file.acceptable[own].first { $0.chip == listing.chip }).maxRateBps
      #expect(file.regionSets[Int(request.regionSet)].contains(listing.region))
      #expect((listing.minTermDays...listing.maxTermDays).contains(request.termDays))
      #expect((Int64(listing.askRateBps)...Int64(limit)).contains(allocation.rateBps))
      #expect(seen.insert([allocation.listing, allocation.request]).inserted)
      lent[Int(allocation.listing)] += allocation.quantity
      got[Int(allocation.request)] += allocation.quantity
      let surplus = file.chips[Int(listing.chip)].unitValue * Int64(limit - listing.askRateBps)
      objective += Int128(surplus) * Int128(allocation.quantity)
    }
    #expect(zip(lent, file.listings).allSatisfy { $0 <= $1.quantity })
    #expect(zip(got, file.requests).allSatisfy { $0 <= $1.quantity })
    #expect(objective == solution.objective)
  }
}
