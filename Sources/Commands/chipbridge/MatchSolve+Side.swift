import Matching

extension MatchSolve {
  /// Pairs up to which the combinatorial solver is asked; beyond, a round repairs the relaxed optimum and says how far
  /// from it that may be.
  static let mostPairs = 20_000
  /// Steps that it may take.
  static let workLimit = 1_000_000_000

  /// Where orders have least quantities or limits on lenders.
  static func solveSide(_ market: MarketFile, _ flow: MarketFlow) throws -> MarketSolution {
    guard let pairs = MarketPairs(market, flow, limit: mostPairs) else {
      do { return MarketSolution(clear(try market.snapshot()), market) } catch { throw Failure(error.detail) }
    }
    let clearing = clear(pairs: pairs.market(of: market), workLimit: workLimit)
    return MarketSolution(pairs, quantities: clearing.quantities, bound: clearing.bound, market)
  }
}
