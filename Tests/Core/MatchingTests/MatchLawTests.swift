import Primitives
import Testing

@testable import Matching

@Suite("Whatever the market, a match round keeps its laws") struct MatchLawTests {
  @Test("with every constraint in play, on small markets")
  func everything() throws {
    var matched: Int64 = 0
    for seed in 1...1_500 as ClosedRange<UInt64> {
      var generator = MarketGenerator(seed: seed, .everything)
      let snapshot = try generator.market(listings: 0...9, requests: 0...9)
      let result = clearHastily(snapshot)
      matched += result.matchedPairs
      #expect(MatchLaws(snapshot: snapshot, result: result).violations() == [], "seed \(seed)")
      let plain = clearByPriceAndTime(snapshot)
      #expect(MatchLaws(snapshot: snapshot, result: plain).violations() == [], "seed \(seed)")
      #expect(result.objective >= plain.objective && result.bound >= result.objective, "seed \(seed)")
    }
    // Markets in which nothing trades would keep every law.
    #expect(matched > 1_200)
  }

  @Test("where the flow's optimum is repaired, as in markets too large to be searched")
  func repaired() throws {
    var methods: Set<ClearingMethod> = []
    for seed in 1...400 as ClosedRange<UInt64> {
      var generator = MarketGenerator(seed: seed, .everything)
      let snapshot = try generator.market(listings: 6...14, requests: 6...14)
      let book = MatchBook(snapshot, fittingLimit: 0)
      let result = MatchRoundResult(book, Optimum(book, pairLimit: 0).settle())
      methods.insert(result.method)
      #expect(MatchLaws(snapshot: snapshot, result: result).violations() == [], "seed \(seed)")
      #expect(result.objective >= clearByPriceAndTime(snapshot).objective, "seed \(seed)")
      #expect(result.bound >= result.objective, "seed \(seed)")
    }
    #expect(methods.isSuperset(of: [.flow, .repair, .priceTime]))
  }

  @Test("an exposure limit that so many chips just fill is filled, and that is proved")
  func exactExposure() throws {
    let value = try #require(marks[chip("alpha")])
    for rate in [10_000, 5_001] as [Int64] {
      let snapshot = try market(
        [listing(1, 10, ask: 1_000, advanceRateBps: rate, exposure: 5 * value)], [request(1, 10)])
      let result = clear(snapshot)
      let chips: Int64 = rate == 10_000 ? 5 : 9
      #expect(result.matchedQuantity == chips, "\(rate)")
      #expect(result.bound >= result.objective)
      if rate == 10_000 { #expect(result.method == .search && result.certificate == .valid) }
    }
  }

  @Test("on crowded markets")
  func crowded() throws {
    for seed in 1...12 as ClosedRange<UInt64> {
      var generator = MarketGenerator(seed: seed &* 7_919, .everything)
      let snapshot = try generator.market(listings: 40...80, requests: 40...80)
      #expect(MatchLaws(snapshot: snapshot, result: clearHastily(snapshot)).violations() == [], "seed \(seed)")
    }
  }

  @Test("in one class without combinations it reaches the largest surplus there is")
  func plainMarketIsOptimal() throws {
    for seed in 1...600 as ClosedRange<UInt64> {
      var generator = MarketGenerator(seed: seed, .plain)
      let snapshot = try generator.market(listings: 0...8, requests: 0...8)
      let result = clearHastily(snapshot)
      #expect(MatchLaws(snapshot: snapshot, result: result).violations() == [], "seed \(seed)")
      // Chip by chip: the dearest wish against the cheapest offer, while that gains.
      let asks = snapshot.listings.flatMap { Array(repeating: $0.askRateBps, count: Int($0.quantity)) }.sorted(by: <)
      let limits = snapshot.requests.flatMap { line in
        Array(repeating: line.acceptable[0].maxRateBps, count: Int(line.quantity))
      }.sorted(by: >)
      let best = zip(limits, asks).reduce(Int64(0)) { $0 + max(0, $1.0 - $1.1) } * 1_000
      #expect(result.objective == Int128(best), "seed \(seed)")
    }
  }

  @Test("no two orders are left over that could still trade, where nothing combines")
  func nothingLeftCouldTrade() throws {
    for seed in 1...600 as ClosedRange<UInt64> {
      var generator = MarketGenerator(seed: seed, .everything)
      let snapshot = try simplified(generator.market(listings: 0...9, requests: 0...9))
      let result = clearHastily(snapshot)
      let vague = result.leftovers.filter { $0.reasons.contains { $0.constraint == .combination } }
      #expect(vague == [], "seed \(seed)")
    }
  }

  /// With several chips in a stated order the better of two may choose less of what it likes better: then the law is
  /// that the worse gets nothing where the better got nothing.
  @Test("of requests that are equal but for price and time the better goes first")
  func requestPriority() throws {
    var (compared, traded) = (0, 0)
    for seed in 1...2_000 as ClosedRange<UInt64> {
      var generator = MarketGenerator(seed: seed, .everything)
      let snapshot = try withTwins(generator.market(listings: 1...8, requests: 1...5), seed: seed)
      let result = clearHastily(snapshot)
      let laws = MatchLaws(snapshot: snapshot, result: result)
      for better in snapshot.requests {
        for worse in snapshot.requests where goesFirst(better, worse) {
          let (most, least) = (laws.matched(better.id), laws.matched(worse.id))
          compared += 1
          traded += least > 0 ? 1 : 0
          let holds = better.acceptable.count == 1 ? most >= least : most > 0 || least == 0
          #expect(holds, "seed \(seed): \(better.id) \(most), \(worse.id) \(least)")
        }
      }
    }
    #expect(compared > 2_000 && traded > 200)
  }

  @Test("of listings that are equal but for price and time the better never lends less, in one class")
  func listingPriority() throws {
    for seed in 1...400 as ClosedRange<UInt64> {
      var generator = MarketGenerator(seed: seed, .plain)
      let snapshot = try generator.market(listings: 1...8, requests: 1...8)
      let laws = MatchLaws(snapshot: snapshot, result: clearHastily(snapshot))
      for better in snapshot.listings {
        for worse in snapshot.listings {
          let (first, second) = (
            (better.askRateBps, better.sequence, better.id), (worse.askRateBps, worse.sequence, worse.id)
          )
          guard first < second, laws.matched(worse.id) > 0 else { continue }
          #expect(laws.matched(better.id) == better.quantity, "seed \(seed): \(better.id) before \(worse.id)")
        }
      }
    }
  }

  @Test("the order in which lines arrive changes no byte")
  func permutation() throws {
    for seed in 1...200 as ClosedRange<UInt64> {
      var generator = MarketGenerator(seed: seed, .everything)
      let snapshot = try generator.market(listings: 0...20, requests: 0...20)
      let again = try generator.permuted(snapshot)
      #expect(again.digest() == snapshot.digest())
      #expect(clearHastily(again) == clearHastily(snapshot), "seed \(seed)")
    }
  }

  // MARK: Markets with something added or taken away

  /// The market without minima, multiples, lender counts, and wishes for one model or site.
  private func simplified(_ snapshot: MatchSnapshot) throws -> MatchSnapshot {
    let requests = snapshot.requests.map { line in
      copy(line, quantity: line.quantity, combines: false)
    }
    let listings = snapshot.listings.enumerated().map { offset, line in
      listing(
        offset + 1, line.quantity, ask: line.askRateBps, model: line.chipModel.value, region: line.region,
        availableOn: line.availableOn < day(9) ? 0 : 12, legalForm: line.legalForm, modes: line.deliveryModes,
        patterns: line.patterns, grades: line.creditGrades, exposure: line.maxExposure, sequence: line.sequence,
        verdictGroup: line.verdictGroup)
    }
    return try MatchSnapshot(
      businessDate: snapshot.businessDate, unitValues: snapshot.unitValues, listings: listings, requests: requests,
      licenceRoom: snapshot.licenceRoom)
  }

  /// The market with a second of each request: another startup, the same wishes, other limits or another time.
  private func withTwins(_ snapshot: MatchSnapshot, seed: UInt64) throws -> MatchSnapshot {
    var random = SplitMix64(seed: seed ^ 0xABCD)
    var requests: [RequestLine] = []
    for (offset, line) in snapshot.requests.enumerated() {
      let lower = random.int(0...2) * 100
      let twin = copy(line, quantity: line.quantity, startup: 1_100 + offset)
      let other = copy(
        line, number: 50 + offset, quantity: line.quantity, startup: 1_200 + offset, lower: lower,
        sequence: random.int(1...6))
      requests += [twin, other]
    }
    return try MatchSnapshot(
      businessDate: snapshot.businessDate, unitValues: snapshot.unitValues, listings: snapshot.listings,
      requests: requests, licenceRoom: snapshot.licenceRoom)
  }

  private func copy(
    _ line: RequestLine, number: Int? = nil, quantity: Int64, combines: Bool = true, startup: Int? = nil,
    lower: Int64 = 0, sequence: Int64? = nil
  ) -> RequestLine {
    RequestLine(
      id: number.map { requestID($0) } ?? line.id, startup: startup.map { organization($0) } ?? line.startup,
      startupGroup: startup == nil ? line.startupGroup : nil, jurisdiction: line.jurisdiction,
      creditGrade: line.creditGrade, quantity: quantity, minQuantity: combines ? line.minQuantity : 1,
      multipleOf: combines ? line.multipleOf : 1, sameModel: combines && line.sameModel,
      sameSite: combines && line.sameSite, maxLenders: combines ? line.maxLenders : nil,
      acceptable: line.acceptable.map { AcceptableChip(chip: $0.chip, maxRateBps: $0.maxRateBps - lower) },
      regions: line.regions, termDays: line.termDays, startOn: line.startOn, startByOn: line.startByOn,
      deliveryMode: line.deliveryMode, pattern: line.pattern, sequence: sequence ?? line.sequence,
      verified: line.verified, heldVerdicts: line.heldVerdicts, licences: line.licences,
      blockedLenders: line.blockedLenders, exposureByLender: line.exposureByLender)
  }

  /// Whether the two could trade with the same listings on the same terms, and the first has the better price, or the
  /// same price earlier.
  private func goesFirst(_ better: RequestLine, _ worse: RequestLine) -> Bool {
    guard worse.id != better.id, better.quantity == worse.quantity else { return false }
    func shape(_ line: RequestLine) -> RequestLine {
      RequestLine(
        id: requestID(0), startup: organization(0), jurisdiction: line.jurisdiction, creditGrade: line.creditGrade,
        quantity: line.quantity, minQuantity: line.minQuantity, multipleOf: line.multipleOf, sameModel: line.sameModel,
        sameSite: line.sameSite, maxLenders: line.maxLenders,
        acceptable: line.acceptable.map { AcceptableChip(chip: $0.chip, maxRateBps: 0) }, regions: line.regions,
        termDays: line.termDays, startOn: line.startOn, startByOn: line.startByOn, deliveryMode: line.deliveryMode,
        pattern: line.pattern, sequence: 0, verified: line.verified, heldVerdicts: line.heldVerdicts,
        licences: line.licences, blockedLenders: line.blockedLenders, exposureByLender: line.exposureByLender)
    }
    guard shape(better) == shape(worse) else { return false }
    let (first, second) = (better.acceptable.map(\.maxRateBps), worse.acceptable.map(\.maxRateBps))
    if first == second { return (better.sequence, better.id) < (worse.sequence, worse.id) }
    return zip(first, second).allSatisfy { $0 >= $1 }
  }
}
