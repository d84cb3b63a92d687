import Matching

extension MatchSolve {
  /// Pairs up to which the combinatorial solver is asked.
  static let mostPairs = 200_000
  /// Steps that it may take.
  static let workLimit = 2_000_000_000

  /// Where orders have least quantities or limits on lenders.
  static func solveSide(_ market: MarketFile, _ flow: MarketFlow) throws -> MarketSolution {
    guard let pairs = MarketPairs(market, flow, limit: mostPairs) else {
      throw Failure("more than \(mostPairs) pairs in a market with least quantities or limits on lenders")
    }
    let clearing = clear(pairs: pairs.market(of: market), workLimit: workLimit)
    return MarketSolution(pairs, quantities: clearing.quantities, bound: clearing.bound, market)
  }
}
