import Matching
import Testing

@Suite("A market file becomes a flow problem and its clearing becomes pairs") struct MarketFlowTests {
  static let chips = [MarketText.chip, MarketText.otherChip]

  static func listing(
    _ id: String, chip: String = "a", region: String = "north", quantity: Int = 5, ask: Int = 10,
    terms: ClosedRange<Int> = 30...180, sequence: Int = 0
  ) -> String {
    """
    {"type":"listing","id":"\(id)","lender":"x","chip_model":"\(chip)","region":"\(region)","quantity":\(quantity),\
    "ask_rate_bps":\(ask),"min_term_days":\(terms.lowerBound),"max_term_days":\(terms.upperBound),"sequence":\(sequence)}
    """
  }

  static func request(
    _ id: String, quantity: Int = 4, limits: [(String, Int)] = [("a", 40)], regions: [String] = ["north"],
    term: Int = 90, sequence: Int = 0
  ) -> String {
    let acceptable = limits.map { "{\"chip_model\":\"\($0.0)\",\"max_rate_bps\":\($0.1)}" }.joined(separator: ",")
    return """
      {"type":"request","id":"\(id)","startup":"s","quantity":\(quantity),"acceptable":[\(acceptable)],\
      "regions":[\(regions.map { "\"\($0)\"" }.joined(separator: ","))],"term_days":\(term),"sequence":\(sequence)}
      """
  }

  /// The names of the classes that each claim of a request sees.
  private func seen(_ request: String, _ listings: [String]) throws -> [[String]] {
    let file = try MarketText.market(Self.chips + listings + [request])
    let flow = try MarketFlow(file)
    return flow.market.claims.map { claim in
      let (first, end) = (flow.market.firstMember[Int(claim.list)], flow.market.firstMember[Int(claim.list) + 1])
      return flow.market.members[first..<end].map { number in
        let entry = flow.classes[Int(number)]
        let name = "\(file.chipNames[entry.chip]) \(file.regionNames[entry.region])"
        return "\(name) \(entry.minTermDays)-\(entry.maxTermDays)"
      }
    }
  }

  @Test("a claim sees the classes of its chip, in the request's regions, whose terms hold the request's")
  func fitting() throws {
    let listings = [
      Self.listing("1"), Self.listing("2", region: "south"), Self.listing("3", region: "west"),
      Self.listing("4", terms: 91...180), Self.listing("5", terms: 0...90), Self.listing("6", chip: "b"),
      Self.listing("7", terms: 90...2_147_483_647), Self.listing("8", terms: 30...89), Self.listing("9", ask: 41),
    ]
    let request = Self.request("r", limits: [("b", 1), ("a", 40)], regions: ["south", "north", "east"])
    #expect(
      try seen(request, listings) == [
        ["b north 30-180"], ["a north 0-90", "a north 30-180", "a north 90-2147483647", "a south 30-180"],
      ])
    #expect(try seen(Self.request("r", term: 29), listings) == [["a north 0-90"]])
    #expect(try seen(Self.request("r", term: 181), listings) == [["a north 90-2147483647"]])
    #expect(try seen(Self.request("r", regions: ["east"]), listings) == [])
  }

  @Test("requests that see the same classes share one list")
  func sharing() throws {
    let listings = [Self.listing("1"), Self.listing("2", region: "south"), Self.listing("3", chip: "b")]
    let requests = [
      Self.request("r0", regions: ["north", "south"], term: 90),
      Self.request("r1", regions: ["south", "east", "north"], term: 31), Self.request("r2"),
    ]
    let flow = try MarketFlow(try MarketText.market(Self.chips + listings + requests))
    #expect(flow.market.claims.map(\.list) == [0, 0, 1])
    #expect(flow.market.listCount == 2 && flow.arcCount == 5)
  }

  @Test("values and asks are unit value times rate, in order of sequence")
  func order() throws {
    let file = try MarketText.market(
      Self.chips + [
        Self.listing("1", quantity: 7, ask: 3, sequence: 9), Self.listing("2", chip: "b", ask: 4, sequence: 8),
        Self.listing("3", ask: 5, sequence: 9),
        Self.request("r0", quantity: 6, limits: [("a", 11)], sequence: 2),
        Self.request("r1", quantity: 8, limits: [("b", 12)], sequence: 1),
      ])
    let flow = try MarketFlow(file)
    #expect(flow.listings == [1, 0, 2] && flow.requests == [1, 0])
    #expect(flow.market.listings.map(\.ask) == [28, 300, 500])
    #expect(flow.market.listings.map(\.quantity) == [5, 7, 5] && flow.market.wanted == [8, 6])
    #expect(flow.market.claims.map(\.value) == [84, 1_100])
  }

  /// Two listings and two requests of one class: the cheaper ask came later, and the higher limit too.
  private func paired(low: Int64, high: Int64) throws -> [String] {
    let file = try MarketText.market(
      Self.chips + [
        Self.listing("L1", ask: 10, sequence: 1), Self.listing("L2", ask: 20, sequence: 0),
        Self.request("R1", limits: [("a", 40)], sequence: 5), Self.request("R2", limits: [("a", 30)], sequence: 1),
      ])
    let clearing = FlowClearing(
      sold: [3, 5],
      fills: [
        FlowClearing.Fill(request: 0, claim: 0, classIndex: 0, quantity: 4),
        FlowClearing.Fill(request: 1, claim: 1, classIndex: 0, quantity: 4),
      ], lowPrices: [low], highPrices: [high], objective: 17_000)
    let flow = try MarketFlow(file)
    return flow.allocations(of: clearing, in: file).map {
      "\(file.requestIDs[$0.request]) \($0.quantity) of \(file.listingIDs[$0.listing]) at \($0.rateBps)"
    }
  }

  @Test("the higher limit takes the cheaper ask, at one rate")
  func northWest() throws {
    #expect(try paired(low: 2_000, high: 2_000) == ["R1 4 of L1 at 20", "R2 1 of L1 at 20", "R2 3 of L2 at 20"])
  }

  @Test(
    "the rate is the middle of the dual interval, half down, between the highest ask and the lowest limit",
    arguments: [
      (2_000, 2_900, 24), (2_000, 2_950, 25), (2_000, 9_999, 25), (0, 3_000, 25), (0, 99_999, 25), (2_999, 3_000, 30),
      (2_000, 2_099, 20), (2_000, 2_101, 21),
    ])
  func rate(low: Int64, high: Int64, expected: Int64) throws {
    #expect(try paired(low: low, high: high).allSatisfy { $0.hasSuffix(" at \(expected)") })
  }
}
