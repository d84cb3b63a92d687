import Matching

extension MatchSolve {
  /// Pairs up to which a market is searched whole for as long as it takes, or for some seconds; and up to which it is
  /// searched in parts. Beyond, a round repairs the relaxed optimum.
  private static let pairsAtLeisure = 20_000
  private static let pairsInSeconds = 60_000
  private static let pairsInParts = 6_000_000
  /// Steps of a search.
  private static let leisure = 1_000_000_000
  private static let seconds = 60_000_000

  /// Where orders have least quantities or limits on lenders.
  static func solveSide(_ market: MarketFile, _ flow: MarketFlow) throws -> MarketSolution {
    guard let pairs = MarketPairs(market, flow, limit: pairsInParts) else {
      do { return MarketSolution(clear(try market.snapshot()), market) } catch { throw Failure(error.detail) }
    }
    if pairs.pairs.count <= pairsInSeconds {
      let clearing = clear(
        pairs: pairs.market(of: market), workLimit: pairs.pairs.count <= pairsAtLeisure ? leisure : seconds)
      return MarketSolution(pairs, quantities: clearing.quantities, bound: clearing.bound, market)
    }
    let relaxed = clear(flow: flow.market)
    let quantities = pairs.searchedInParts(guidedBy: flow.allocations(of: relaxed, in: market), market)
    return MarketSolution(pairs, quantities: quantities, bound: relaxed.objective, market)
  }
}
