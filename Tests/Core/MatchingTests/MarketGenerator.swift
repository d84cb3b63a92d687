import Matching
import Primitives

/// Random markets from a seed. Small numbers and few names, so that orders meet, collide and fail at everything.
struct MarketGenerator {
  /// Which constraints are in play.
  enum Kind {
    /// One class, no combinations: price and time only.
    case plain
    /// Everything.
    case everything
  }

  private var random: SplitMix64
  private let kind: Kind

  init(seed: UInt64, _ kind: Kind) {
    random = SplitMix64(seed: seed)
    self.kind = kind
  }

  mutating func market(listings: ClosedRange<Int64>, requests: ClosedRange<Int64>) throws -> MatchSnapshot {
    let listings = (0..<random.int(listings)).map { self.listing(Int($0) + 1) }
    let requests = (0..<random.int(requests)).map { self.request(Int($0) + 1) }
    let licences: [Int: Int64] = kind == .plain ? [:] : [1: random.int(0...15), 2: random.int(0...15)]
    return try MatchSnapshot(
      businessDate: day(0), unitValues: marks, listings: listings, requests: requests, licenceRoom: room(licences))
  }

  /// Lines in another order, equal otherwise.
  mutating func permuted(_ snapshot: MatchSnapshot) throws -> MatchSnapshot {
    try MatchSnapshot(
      businessDate: snapshot.businessDate, unitValues: snapshot.unitValues,
      listings: random.shuffled(snapshot.listings), requests: random.shuffled(snapshot.requests),
      licenceRoom: snapshot.licenceRoom)
  }

  private mutating func listing(_ number: Int) -> ListingLine {
    let (quantity, ask) = (random.int(0...12), random.int(10...20) * 100)
    // Sequences collide, so that ids break ties.
    let sequence = random.int(1...6)
    if kind == .plain { return MatchingTests.listing(number, quantity, ask: ask, sequence: sequence) }
    return MatchingTests.listing(
      number, quantity, ask: ask, lender: Int(random.int(1...5)), group: random.once(in: 12) ? 5_001 : nil,
      model: random.pick(["alpha", "alpha", "beta", "gamma"]), region: random.pick(["north", "north", "south"]),
      site: random.pick(["a", "b"]), least: random.once(in: 3) ? random.int(1...6) : 1,
      boards: random.once(in: 3) ? random.int(2...4) : 1, terms: random.once(in: 8) ? 100...150 : 1...1_000,
      availableOn: random.int(0...10), legalForm: random.pick(["secured_sale", "secured_sale", "lease"]),
      modes: random.once(in: 6) ? ["physical"] : ["physical", "hosted"],
      advanceRateBps: random.pick([10_000, 8_333]),
      patterns: random.once(in: 6) ? ["bullet"] : ["bullet", "instalments"],
      grades: random.once(in: 8) ? ["a"] : nil, jurisdictions: random.once(in: 10) ? ["FR"] : nil,
      exposure: random.once(in: 3) ? random.int(0...9_000) : nil, sequence: sequence,
      verdictGroup: Int(random.int(1...3)), verified: !random.once(in: 15))
  }

  private mutating func request(_ number: Int) -> RequestLine {
    let (quantity, limit, sequence) = (random.int(0...12), random.int(11...22) * 100, random.int(1...6))
    if kind == .plain {
      return MatchingTests.request(number, quantity, takes: [("alpha", limit)], sequence: sequence)
    }
    var acceptable: [AcceptableChip] = [.model(chip(random.pick(["alpha", "beta"])), maxRateBps: limit)]
    if random.once(in: 2) {
      acceptable.append(.model(chip(random.pick(["beta", "gamma"])), maxRateBps: random.int(10...22) * 100))
    }
    if random.once(in: 3) {
      let minimum = ChipCapability(memoryGB: random.pick([40_000, 60_000, nil]), interconnect: random.pick([nil, 1]))
      acceptable.append(.capability(minimum, maxRateBps: random.int(10...20) * 100))
    }
    return MatchingTests.request(
      number, quantity, acceptable: acceptable, startup: random.once(in: 10) ? 2 : Int(random.int(1_001...1_006)),
      group: random.once(in: 8) ? 5_001 : nil, jurisdiction: random.pick(["SG", "FR"]),
      grade: random.pick(["a", "a", "b", nil]), least: random.once(in: 3) ? random.int(1...12) : 1,
      boards: random.once(in: 4) ? random.int(2...4) : 1, sameModel: random.once(in: 5), sameSite: random.once(in: 5),
      lenders: random.once(in: 4) ? Int(random.int(1...2)) : nil,
      regions: random.pick([["north"], ["north", "south"]]), term: random.pick([120, 120, 200]), startOn: 9,
      startByOn: random.once(in: 2) ? 12 : nil, mode: random.pick(["physical", "hosted"]),
      pattern: random.pick(["bullet", "instalments"]), sequence: sequence, verified: !random.once(in: 12),
      held: random.once(in: 6) ? [1: "hold_licence", 2: random.pick(["hold_review", "clear"])] : [:],
      licences: random.once(in: 3) ? [1: Int(random.int(1...2)), 3: Int(random.int(1...2))] : [:],
      blocked: random.once(in: 6) ? [Int(random.int(1...5))] : [],
      exposures: random.once(in: 4) ? [Int(random.int(1...5)): random.int(0...5_000)] : [:])
  }
}
