import Matching
import Primitives
import Testing

/// One market in plain words and what it clears to.
struct MarketCase: Sendable, CustomTestStringConvertible {
  let name: String
  let listings: [ListingLine]
  let requests: [RequestLine]
  let expected: [String]

  init(_ name: String, _ listings: [ListingLine], _ requests: [RequestLine], _ expected: [String]) {
    self.name = name
    self.listings = listings
    self.requests = requests
    self.expected = expected
  }

  var testDescription: String { name }
}

@Suite("A match round clears a market") struct ClearingTableTests {
  @Test("by price, then time", arguments: priceTime)
  func priceThenTime(_ row: MarketCase) throws { try check(row) }

  @Test("with pieces that suit both sides", arguments: pieces)
  func piecesSuit(_ row: MarketCase) throws { try check(row) }

  @Test("and leaves out what cannot reach its least", arguments: minima)
  func leastTotals(_ row: MarketCase) throws { try check(row) }

  @Test("within exposure limits", arguments: exposures)
  func exposureLimits(_ row: MarketCase) throws { try check(row) }

  @Test("at one rate for each class", arguments: rates)
  func oneRate(_ row: MarketCase) throws { try check(row) }

  private func check(_ row: MarketCase) throws {
    let result = clearByPriceAndTime(try market(row.listings, row.requests))
    #expect(text(result) == row.expected)
  }

  static let priceTime: [MarketCase] = [
    MarketCase(
      "an ask within the limit trades halfway", [listing(1, 10, ask: 1_000)], [request(1, 10)],
      ["r1 takes 10 of l1 at 1500"]),
    MarketCase(
      "half a point is rounded down", [listing(1, 10, ask: 1_001)], [request(1, 10)],
      ["r1 takes 10 of l1 at 1500"]),
    MarketCase(
      "an ask at the limit trades there", [listing(1, 10, ask: 2_000)], [request(1, 10)],
      ["r1 takes 10 of l1 at 2000"]),
    MarketCase("an ask above the limit does not", [listing(1, 10, ask: 2_001)], [request(1, 10)], []),
    MarketCase(
      "the cheaper ask is taken first, though it came later",
      [listing(1, 10, ask: 1_200), listing(2, 10, ask: 1_100)], [request(1, 10)], ["r1 takes 10 of l2 at 1550"]),
    MarketCase(
      "the earlier of equal asks is taken first",
      [listing(1, 10, ask: 1_200, sequence: 9), listing(2, 10, ask: 1_200, sequence: 8)], [request(1, 10)],
      ["r1 takes 10 of l2 at 1600"]),
    MarketCase(
      "the higher limit goes first, though it came later", [listing(1, 10, ask: 1_000)],
      [request(1, 10, takes: [("alpha", 1_800)]), request(2, 10, takes: [("alpha", 1_900)])],
      ["r2 takes 10 of l1 at 1450"]),
    MarketCase(
      "the earlier of equal limits goes first", [listing(1, 10, ask: 1_000)],
      [request(1, 10, sequence: 7), request(2, 10, sequence: 6)], ["r2 takes 10 of l1 at 1500"]),
    MarketCase(
      "a request fills from several lenders, the last in part",
      [listing(1, 4, ask: 1_000), listing(2, 10, ask: 1_200)], [request(1, 10)],
      ["r1 takes 4 of l1 at 1600", "r1 takes 6 of l2 at 1600"]),
    MarketCase(
      "a substitute is taken for what the preferred chip leaves",
      [listing(1, 4, ask: 1_000), listing(2, 10, ask: 800, model: "beta")],
      [request(1, 10, takes: [("alpha", 2_000), ("beta", 1_000)])],
      ["r1 takes 4 of l1 at 1500", "r1 takes 6 of l2 at 900"]),
    MarketCase(
      "the stated order decides, not the cheaper chip",
      [listing(1, 10, ask: 1_000), listing(2, 10, ask: 10, model: "beta")],
      [request(1, 10, takes: [("alpha", 2_000), ("beta", 1_000)])], ["r1 takes 10 of l1 at 1500"]),
    MarketCase(
      "for a substitute one queues at the substitute's limit", [listing(1, 10, ask: 800, model: "beta")],
      [
        request(1, 10, takes: [("alpha", 3_000), ("beta", 1_000)]), request(2, 10, takes: [("beta", 1_100)]),
      ], ["r2 takes 10 of l1 at 950"]),
    MarketCase(
      "a higher limit for a substitute does not jump its queue", [listing(1, 10, ask: 800, model: "beta")],
      [request(1, 10, takes: [("alpha", 900), ("beta", 3_000)]), request(2, 10, takes: [("beta", 1_100)])],
      ["r2 takes 10 of l1 at 950"]),
    MarketCase(
      "by capability any chip that reaches the figures, the cheapest first",
      [listing(1, 4, ask: 1_500), listing(2, 10, ask: 900, model: "beta"), listing(3, 9, ask: 1, model: "gamma")],
      [request(1, 8, acceptable: [.capability(ChipCapability(memoryGB: 48_000), maxRateBps: 1_600)])],
      ["r1 takes 8 of l2 at 1250"]),
    MarketCase(
      "a minimum above a chip's figure excludes it, and so does an unknown figure",
      [listing(1, 4, ask: 1_500), listing(2, 10, ask: 900, model: "beta"), listing(3, 9, ask: 1, model: "gamma")],
      [request(1, 8, acceptable: [.capability(ChipCapability(bf16Dense: 181_501), maxRateBps: 1_600)])],
      ["r1 takes 4 of l1 at 1550"]),
    MarketCase(
      "one of the listed regions is enough", [listing(1, 4, ask: 1_000, region: "south")],
      [request(1, 4, regions: ["north", "south"])], ["r1 takes 4 of l1 at 1500"]),
    MarketCase(
      "chips on order are in time until the last day to start", [listing(1, 4, ask: 1_000, availableOn: 30)],
      [request(1, 4, startByOn: 30), request(2, 4, startByOn: 29)], ["r1 takes 4 of l1 at 1500"]),
  ]

  static let pieces: [MarketCase] = [
    MarketCase(
      "boards of 8 are not broken", [listing(1, 20, ask: 1_000, boards: 8)], [request(1, 20)],
      ["r1 takes 16 of l1 at 1500"]),
    MarketCase(
      "boards of 8 for a request in sixes go in 24s", [listing(1, 60, ask: 1_000, boards: 8)],
      [request(1, 60, boards: 6)], ["r1 takes 48 of l1 at 1500"]),
    MarketCase("a piece below the least is not lent", [listing(1, 20, ask: 1_000, least: 6)], [request(1, 5)], []),
    MarketCase(
      "room is made for the least piece of the next lender",
      [listing(1, 5, ask: 1_000), listing(2, 8, ask: 1_100, least: 8)], [request(1, 10)],
      ["r1 takes 2 of l1 at 1550", "r1 takes 8 of l2 at 1550"]),
    MarketCase(
      "the cheapest is passed over where only one lender is wanted and it has too few",
      [listing(1, 5, ask: 1_000), listing(2, 10, ask: 1_100)], [request(1, 10, lenders: 1)],
      ["r1 takes 10 of l2 at 1550"]),
    MarketCase(
      "two listings of one lender are one lender",
      [listing(1, 5, ask: 1_000, lender: 3), listing(2, 5, ask: 1_100, lender: 3)], [request(1, 10, lenders: 1)],
      ["r1 takes 5 of l1 at 1550", "r1 takes 5 of l2 at 1550"]),
    MarketCase(
      "the two lenders that fill it, not the two cheapest",
      [listing(1, 2, ask: 1_000), listing(2, 3, ask: 1_001), listing(3, 7, ask: 1_100), listing(4, 9, ask: 1_300)],
      [request(1, 10, lenders: 2)], ["r1 takes 3 of l2 at 1550", "r1 takes 7 of l3 at 1550"]),
    MarketCase(
      "same model: the first stated that has any",
      [listing(1, 4, ask: 1_000), listing(2, 10, ask: 800, model: "beta")],
      [request(1, 10, takes: [("alpha", 2_000), ("beta", 1_000)], sameModel: true)], ["r1 takes 4 of l1 at 1500"]),
    MarketCase(
      "same model: the next where the first does not reach the least",
      [listing(1, 4, ask: 1_000), listing(2, 10, ask: 800, model: "beta")],
      [request(1, 10, takes: [("alpha", 2_000), ("beta", 1_000)], least: 5, sameModel: true)],
      ["r1 takes 10 of l2 at 900"]),
    MarketCase(
      "same model by capability: the one that gives most",
      [listing(1, 4, ask: 1_000), listing(2, 3, ask: 800, model: "beta")],
      [
        request(
          1, 10, acceptable: [.capability(ChipCapability(memoryGB: 1), maxRateBps: 2_000)], sameModel: true)
      ], ["r1 takes 4 of l1 at 1500"]),
    MarketCase(
      "same site: the one that gives most",
      [
        listing(1, 4, ask: 1_000), listing(2, 3, ask: 1_100, site: "site-2"),
        listing(3, 3, ask: 1_200, site: "site-2"),
      ], [request(1, 10, sameSite: true)], ["r1 takes 3 of l2 at 1600", "r1 takes 3 of l3 at 1600"]),
    MarketCase(
      "same site: substitutes count",
      [
        listing(1, 4, ask: 1_000), listing(2, 3, ask: 1_100, site: "site-2"),
        listing(3, 5, ask: 900, model: "beta", site: "site-2"),
      ], [request(1, 10, takes: [("alpha", 2_000), ("beta", 1_000)], sameSite: true)],
      ["r1 takes 3 of l2 at 1550", "r1 takes 5 of l3 at 950"]),
    MarketCase(
      "same site and model",
      [
        listing(1, 4, ask: 1_000), listing(2, 3, ask: 1_100, site: "site-2"),
        listing(3, 5, ask: 900, model: "beta", site: "site-2"), listing(4, 6, ask: 1_300, site: "site-3"),
      ],
      [
        request(
          1, 10, acceptable: [.capability(ChipCapability(memoryGB: 1), maxRateBps: 2_000)], sameModel: true,
          sameSite: true)
      ], ["r1 takes 6 of l4 at 1650"]),
  ]

  static let minima: [MarketCase] = [
    MarketCase(
      "all or none: all", [listing(1, 6, ask: 1_000), listing(2, 4, ask: 1_100)],
      [request(1, 10, least: 10)], ["r1 takes 6 of l1 at 1550", "r1 takes 4 of l2 at 1550"]),
    MarketCase(
      "all or none: none", [listing(1, 6, ask: 1_000), listing(2, 3, ask: 1_100)],
      [request(1, 10, least: 10)], []),
    MarketCase(
      "those behind one that cannot be filled get its chips", [listing(1, 6, ask: 1_000)],
      [request(1, 10, takes: [("alpha", 3_000)], least: 10), request(2, 6)], ["r2 takes 6 of l1 at 1500"]),
    MarketCase(
      "the least may be reached with substitutes",
      [listing(1, 6, ask: 1_000), listing(2, 6, ask: 500, model: "beta")],
      [request(1, 10, takes: [("alpha", 2_000), ("beta", 1_000)], least: 10)],
      ["r1 takes 6 of l1 at 1500", "r1 takes 4 of l2 at 750"]),
    // r1 could reach its 10 when it took the alphas; then r2 went first at the betas. What r1 held goes to r3, which
    // stood between the two claims of r1 and would have been turned away.
    MarketCase(
      "one that falls short only later gives back, and the round runs again without it",
      [listing(1, 6, ask: 1_000), listing(2, 6, ask: 500, model: "beta")],
      [
        request(1, 10, takes: [("alpha", 2_000), ("beta", 900)], least: 10),
        request(2, 6, takes: [("beta", 1_000)]), request(3, 6, takes: [("alpha", 1_500)]),
      ], ["r2 takes 6 of l2 at 750", "r3 takes 6 of l1 at 1250"]),
    // r1 falls short since r2 holds the betas; then r2 falls short of its own gammas, and r1 is tried again.
    MarketCase(
      "one left out before another is tried again",
      [listing(1, 5, ask: 100), listing(2, 5, ask: 100, model: "beta"), listing(3, 4, ask: 100, model: "gamma")],
      [
        request(1, 10, takes: [("alpha", 2_000), ("beta", 900)], least: 10),
        request(2, 9, takes: [("beta", 1_000), ("gamma", 300)], least: 9),
        request(3, 1, takes: [("gamma", 400)]),
      ], ["r1 takes 5 of l1 at 1050", "r1 takes 5 of l2 at 500", "r3 takes 1 of l3 at 250"]),
    MarketCase(
      "a least above the quantity is never reached", [listing(1, 9, ask: 1_000)],
      [request(1, 5, least: 6)], []),
  ]

  static let exposures: [MarketCase] = [
    MarketCase(
      "principal stays within the lender's limit", [listing(1, 10, ask: 1_000, exposure: 7_999)],
      [request(1, 10)], ["r1 takes 7 of l1 at 1500"]),
    MarketCase(
      "what is out already counts", [listing(1, 10, ask: 1_000, exposure: 8_000)],
      [request(1, 10, exposures: [1: 5_000])], ["r1 takes 3 of l1 at 1500"]),
    MarketCase(
      "what is out with another lender does not", [listing(1, 10, ask: 1_000, exposure: 8_000)],
      [request(1, 10, exposures: [2: 5_000])], ["r1 takes 8 of l1 at 1500"]),
    MarketCase(
      "it binds over all listings of the lender",
      [
        listing(1, 5, ask: 1_000, lender: 7, exposure: 8_000), listing(2, 10, ask: 1_100, lender: 7, exposure: 8_000),
        listing(3, 1, ask: 1_200),
      ], [request(1, 10)],
      ["r1 takes 5 of l1 at 1600", "r1 takes 3 of l2 at 1600", "r1 takes 1 of l3 at 1600"]),
    MarketCase(
      "the least limit of the listings that take part binds, so the wider one is drawn alone",
      [listing(1, 10, ask: 1_000, lender: 7, exposure: 8_000), listing(2, 10, ask: 1_100, lender: 7, exposure: 9_000)],
      [request(1, 10)], ["r1 takes 9 of l2 at 1550"]),
    MarketCase(
      "it binds over all requests of the startup", [listing(1, 10, ask: 1_000, exposure: 8_000)],
      [request(1, 5, startup: 1_009), request(2, 5, startup: 1_009), request(3, 2)],
      ["r1 takes 5 of l1 at 1500", "r2 takes 3 of l1 at 1500", "r3 takes 2 of l1 at 1500"]),
    // 3 x 1,000 x 85 % = 2,550; 1 x 1,000 x 0.05 % = 0.5 rounds half to even, to 0.
    MarketCase(
      "principal is the advanced share of the mark",
      [listing(1, 10, ask: 1_000, advanceRateBps: 8_500, exposure: 2_550)], [request(1, 10)],
      ["r1 takes 3 of l1 at 1500"]),
    MarketCase(
      "half a minor unit rounds to even: 0.5 is 0 and fits",
      [listing(1, 10, ask: 1_000, advanceRateBps: 5, exposure: 0)], [request(1, 10)], ["r1 takes 1 of l1 at 1500"]),
    MarketCase(
      "half a minor unit rounds to even: 1.5 is 2 and does not fit 1",
      [listing(1, 10, ask: 1_000, advanceRateBps: 15, exposure: 1)], [request(1, 10)], []),
  ]

  static let rates: [MarketCase] = [
    MarketCase(
      "everyone in a class pays the margin's rate",
      [listing(1, 5, ask: 1_000), listing(2, 5, ask: 1_400)],
      [request(1, 5, takes: [("alpha", 3_000)]), request(2, 5, takes: [("alpha", 1_600)])],
      ["r1 takes 5 of l1 at 1500", "r2 takes 5 of l2 at 1500"]),
    MarketCase(
      "a marginal pair that does not cross stays out",
      [listing(1, 5, ask: 1_000), listing(2, 5, ask: 1_700)],
      [request(1, 5, takes: [("alpha", 3_000)]), request(2, 5, takes: [("alpha", 1_600)])],
      ["r1 takes 5 of l1 at 2000"]),
    MarketCase(
      "regions clear apart",
      [listing(1, 5, ask: 1_000), listing(2, 5, ask: 1_400, region: "south")],
      [request(1, 5), request(2, 5, regions: ["south"])], ["r1 takes 5 of l1 at 1500", "r2 takes 5 of l2 at 1700"]),
    MarketCase(
      "legal forms, terms, modes and grades clear apart",
      [
        listing(1, 1, ask: 1_000), listing(2, 1, ask: 1_100), listing(3, 1, ask: 1_200),
        listing(4, 1, ask: 1_300, legalForm: "lease_purchase_option"),
      ],
      [
        request(1, 1), request(2, 1, term: 400), request(3, 1, mode: "hosted"), request(4, 1, grade: "a"),
      ],
      [
        "r1 takes 1 of l1 at 1500", "r2 takes 1 of l2 at 1550", "r3 takes 1 of l3 at 1600",
        "r4 takes 1 of l4 at 1650",
      ]),
    // r1 deals with l2 only, whose ask is above r2's limit: one of the two must stay out. 5 x 100 against 5 x 600.
    MarketCase(
      "of pairs that cannot share a rate the larger surplus trades",
      [listing(1, 5, ask: 1_000), listing(2, 5, ask: 1_900)],
      [request(1, 5, blocked: [1]), request(2, 5, takes: [("alpha", 1_600)])], ["r2 takes 5 of l1 at 1300"]),
    MarketCase(
      "of pairs that cannot share a rate the larger surplus trades, the other way",
      [listing(1, 5, ask: 1_000), listing(2, 9, ask: 1_900)],
      [request(1, 9, takes: [("alpha", 9_000)], blocked: [1]), request(2, 5, takes: [("alpha", 1_600)])],
      ["r1 takes 9 of l2 at 5450"]),
  ]
}
