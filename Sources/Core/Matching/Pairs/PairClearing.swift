/// Clears a pair market at the highest sum of surplus that its constraints allow, and proves it.
///
/// - Parameters:
///   - incumbent: an allocation known already, by pair; ignored when it breaks a constraint.
///   - workLimit: steps after which the best so far is returned with the bound proved so far. Steps are counted, not
///     timed, so the same market gives the same answer on every machine.
/// - Returns: For a market with numbers beyond `PairMarket.isWithinRange`, nothing matched and `Int128.max` as bound.
package func clear(
  pairs market: PairMarket, startingFrom incumbent: [Int64]? = nil, workLimit: Int
) -> PairClearing {
  var quantities = [Int64](repeating: 0, count: market.pairs.count)
  guard market.isWithinRange else {
    return PairClearing(quantities: quantities, objective: 0, bound: .max, work: 0, nodes: 0)
  }
  let known = incumbent.flatMap { market.objective(of: $0) == nil ? nil : $0 }
  let components = PairComponent.components(of: market)
  var (bound, work, nodes): (Int128, Int, Int) = (0, 0, 0)
  // The smaller ones first: what they leave of the work is for the larger.
  let order = components.indices.sorted { (components[$0].pairs.count, $0) < (components[$1].pairs.count, $1) }
  for (rank, position) in order.enumerated() {
    let component = components[position]
    let share = max(0, workLimit - work) / (order.count - rank)
    let result = component.clear(known.map(component.own), workLimit: share)
    for (pair, quantity) in zip(component.pairs, result.quantities) {
      quantities[Int(pair.origin)] = quantity * component.chipUnit
    }
    // No bound of a component, in the market's units, is above what `isWithinRange` allows, but for the ceiling.
    let ceiling = component.ceiling
    bound += min(result.bound, ceiling) * component.surplusUnit * Int128(component.chipUnit)
    work += result.work
    nodes += result.nodes
  }
  let objective = market.objective(of: quantities) ?? 0
  return PairClearing(quantities: quantities, objective: objective, bound: bound, work: work, nodes: nodes)
}

extension PairComponent {
  /// What all chips at the highest surplus would make: no objective is above it.
  var ceiling: Int128 {
    let highest = pairs.reduce(Int128(0)) { max($0, $1.surplus) }
    let (listed, wanted) = (listingMost.reduce(0, +), requestMost.reduce(0, +))
    return highest * Int128(min(listed, wanted))
  }

  /// The component's part of a market's allocation, in its own units.
  func own(_ quantities: [Int64]) -> [Int64] { pairs.map { quantities[Int($0.origin)] / chipUnit } }

  /// Searches with the narrowest numbers that hold the prices for certain, with a preference for more chips among equal
  /// surpluses where that fits too.
  func clear(_ incumbent: [Int64]?, workLimit: Int) -> PairClearing {
    let highest = pairs.reduce(Int128(1)) { max($0, $1.surplus) }
    let paths = Int128(4 * (listingMost.count + requestMost.count + links.links.count + 4))
    let scale = Int128(min(listingMost.reduce(0, +), requestMost.reduce(0, +))) + 1
    // Surplus below 2^80, scale at most 2^60: only the count of nodes can take the product beyond 2^127.
    func fits(_ scale: Int128, _ limit: Int128) -> Bool {
      let product = ((highest + 1) * paths).multipliedReportingOverflow(by: scale)
      return !product.overflow && product.partialValue < limit
    }
    // What penalties are counted in: as fine as narrow numbers allow. Without limits to charge for it does not matter.
    var fineness = varieties.isEmpty && joints.isEmpty ? Int128(1) : 1 << 16
    while fineness > 1, !fits(scale * fineness, 1 << 57) { fineness /= 2 }
    if fits(scale * fineness, 1 << 57) {
      return search(Int64.self, fineness, scale, incumbent, workLimit)
    } else if fits(scale * fineness, 1 << 120) {
      return search(Int128.self, fineness, scale, incumbent, workLimit)
    }
    return search(Int128.self, 1, 1, incumbent, workLimit)
  }

  private func search<Cost: FixedWidthInteger & SignedInteger & Sendable>(
    _: Cost.Type, _ fineness: Int128, _ scale: Int128, _ incumbent: [Int64]?, _ workLimit: Int
  ) -> PairClearing {
    var search = PairSearch<Cost>(
      self, fineness: fineness, chipScale: scale, incumbent: incumbent, workLimit: workLimit)
    let bound = search.run()
    return PairClearing(
      quantities: search.best, objective: search.bestObjective, bound: bound, work: search.work, nodes: search.nodes)
  }
}
