/// What `chipbridge match solve` answers about a market file.
package struct MarketSolution: Sendable {
  package let objective: Int128
  /// What no allocation can exceed.
  package let bound: Int128
  /// "valid", "gap" where the bound was not reached, or "invalid: " and why.
  package let certificate: String
  package let allocations: [MarketAllocation]

  package var matchedQuantity: Int64 { allocations.reduce(0) { $0 + $1.quantity } }
  package var isInvalid: Bool { certificate.hasPrefix("invalid") }

  /// Of a plain file. Both ends of the dual interval must prove the clearing.
  package init(_ clearing: FlowClearing, _ flow: MarketFlow, _ file: MarketFile) {
    let (low, high) = (FlowCertificate(prices: clearing.lowPrices), FlowCertificate(prices: clearing.highPrices))
    let reason =
      low.failure(of: clearing, in: flow.market).map { "at the low prices, \($0)" }
      ?? high.failure(of: clearing, in: flow.market).map { "at the high prices, \($0)" }
    objective = clearing.objective
    certificate = reason.map { "invalid: \($0)" } ?? "valid"
    // An invalid clearing may not even have prices for all classes, or chips for all fills.
    bound = reason == nil ? clearing.objective : Int128.max
    allocations = reason == nil ? flow.allocations(of: clearing, in: file) : []
  }

  /// Of a side file: "valid" where the solver has closed the gap between objective and bound.
  /// - Parameter quantities: by pair.
  package init(_ pairs: MarketPairs, quantities: [Int64], bound: Int128, _ file: MarketFile) {
    let reason = pairs.failure(of: quantities, in: file)
    objective = reason == nil ? pairs.objective(of: quantities) : 0
    self.bound = bound
    if let reason {
      certificate = "invalid: \(reason)"
    } else if objective > bound {
      certificate = "invalid: the objective \(objective) is above the bound \(bound)"
    } else {
      certificate = objective == bound ? "valid" : "gap"
    }
    allocations = reason == nil ? pairs.allocations(of: quantities) : []
  }

  /// Of a side file of too many pairs to be searched, cleared as a round.
  package init(_ result: MatchRoundResult, _ file: MarketFile) {
    let allocations = file.allocations(of: result)
    var objective: Int128 = 0
    let reason = file.failure(of: allocations, objective: &objective)
    self.objective = reason == nil ? objective : 0
    bound = result.bound
    self.allocations = reason == nil ? allocations : []
    if let reason {
      certificate = "invalid: \(reason)"
    } else if objective > bound {
      certificate = "invalid: the objective \(objective) is above the bound \(bound)"
    } else {
      certificate = objective == bound ? "valid" : "gap"
    }
  }
}
