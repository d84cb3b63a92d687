import Matching
import Primitives
import Testing

/// One request against a handful of listings, every way to fill it tried.
@Suite("One request gets the most chips that its constraints allow") struct FillOracleTests {
  @Test("as many as the best of all possible fills, and in plain markets as cheap")
  func mostChips() throws {
    var (filled, combined) = (0, 0)
    for seed in 1...3_000 as ClosedRange<UInt64> {
      var random = SplitMix64(seed: seed)
      let snapshot = try market(random: &random)
      let request = snapshot.requests[0]
      let result = clearByPriceAndTime(snapshot)
      #expect(MatchLaws(snapshot: snapshot, result: result).violations() == [], "seed \(seed)")
      let best = BestFill(snapshot, request).find()
      let least = best.quantity >= request.minQuantity ? best.quantity : 0
      #expect(result.matchedQuantity == least, "seed \(seed)")
      filled += least > 0 ? 1 : 0
      let isPlain = snapshot.listings.allSatisfy {
        $0.minQuantity == 1 && $0.multipleOf == 1 && $0.maxExposure == nil
      }
      if isPlain, request.maxLenders == nil, !request.sameSite, !request.sameModel, least > 0 {
        let cost = result.allocations.reduce(Int64(0)) { $0 + $1.ask * $1.quantity }
        #expect(cost == best.cost, "seed \(seed)")
      } else {
        combined += 1
      }
    }
    #expect(filled > 1_500 && combined > 1_500)
  }

  private func market(random: inout SplitMix64) throws -> MatchSnapshot {
    let isPlain = random.once(in: 3)
    let listings = (1...Int(random.int(1...5))).map { number in
      listing(
        number, random.int(1...7), ask: random.int(10...22) * 100, lender: Int(random.int(1...3)),
        model: random.pick(["alpha", "beta"]), site: random.pick(["a", "b"]),
        least: isPlain || random.once(in: 2) ? 1 : random.int(1...5),
        boards: isPlain || random.once(in: 2) ? 1 : random.int(2...4),
        exposure: isPlain || random.once(in: 2) ? nil : random.int(0...9_000))
    }
    let accepted = AcceptableChip.capability(ChipCapability(memoryGB: 1), maxRateBps: 2_000)
    let wanted = request(
      1, random.int(1...14), acceptable: [accepted], least: random.once(in: 3) ? random.int(1...12) : 1,
      boards: !isPlain && random.once(in: 4) ? 2 : 1, sameModel: random.once(in: 4), sameSite: random.once(in: 4),
      lenders: random.once(in: 3) ? Int(random.int(1...2)) : nil,
      exposures: random.once(in: 4) ? [1: random.int(0...3_000)] : [:])
    return try MatchingTests.market(listings, [wanted])
  }
}

/// Exhaustive search over the quantity of each listing.
private struct BestFill {
  let snapshot: MatchSnapshot
  let request: RequestLine
  let laws: MatchLaws

  init(_ snapshot: MatchSnapshot, _ request: RequestLine) {
    self.snapshot = snapshot
    self.request = request
    laws = MatchLaws(snapshot: snapshot, result: clearByPriceAndTime(snapshot))
  }

  /// The most chips, and the least sum of ask x chips for that many.
  func find() -> (quantity: Int64, cost: Int64) {
    var best: (quantity: Int64, cost: Int64) = (0, 0)
    var taken: [Int64] = []
    func walk() {
      if taken.count == snapshot.listings.count {
        let quantity = taken.reduce(0, +)
        guard quantity <= request.quantity, isAllowed(taken) else { return }
        let cost = zip(taken, snapshot.listings).reduce(Int64(0)) { $0 + $1.0 * $1.1.askRateBps }
        if quantity > best.quantity || (quantity == best.quantity && cost < best.cost) { best = (quantity, cost) }
        return
      }
      let line = snapshot.listings[taken.count]
      for quantity in 0...line.quantity {
        let isPiece =
          quantity >= line.minQuantity && quantity % line.multipleOf == 0 && quantity % request.multipleOf == 0
          && laws.apart(line, request) == nil
        guard quantity == 0 || isPiece else { continue }
        taken.append(quantity)
        walk()
        taken.removeLast()
      }
    }
    walk()
    return best
  }

  private func isAllowed(_ taken: [Int64]) -> Bool {
    let used = zip(taken, snapshot.listings).filter { $0.0 > 0 }
    if request.sameModel, Set(used.map(\.1.chipModel)).count > 1 { return false }
    if request.sameSite, Set(used.map(\.1.site)).count > 1 { return false }
    let lenders = Set(used.map(\.1.lender))
    if lenders.count > request.maxLenders ?? Int.max { return false }
    return lenders.allSatisfy { lender in
      let pieces = used.filter { $0.1.lender == lender }
      guard let limit = pieces.compactMap(\.1.maxExposure).min() else { return true }
      let out = pieces.reduce(Int128(request.exposureByLender[lender] ?? 0)) { $0 + laws.principal($1.0, $1.1) }
      return out <= Int128(limit)
    }
  }
}
