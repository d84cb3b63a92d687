/// Branch and bound over one component: markets with tighter and tighter bounds on pairs and request totals, each
/// relaxed to a flow, until none is left that could beat the best allocation known.
///
/// The most promising market goes first; from there the search dives, so that good allocations come early.
struct PairSearch<Cost: FixedWidthInteger & SignedInteger & Sendable> {
  /// The quantity of an arc is held between these.
  struct Hold {
    let arc: Int32
    let least: Int64
    let most: Int64
  }

  /// What one branch adds to its market.
  struct Decision {
    var holds: [Hold] = []
    /// A group of a variety (as positions) that counts as used, whether or not it is.
    var required: (variety: Int32, group: Int32)?
    /// What was split, as a position in `trouble`; -1 for nothing.
    var subject: Int32 = -1
  }

  /// A market still to be searched, with the settled flow of the market it was branched from.
  struct Node {
    let decisions: [Decision]
    let bound: Int128
    let flow: [Int64]
    let prices: [Cost]
    let multipliers: [Int128]
  }

  let component: PairComponent
  let pairCount: Int
  let firstRequestArc: Int
  /// The quantity on an arc is 0 or at least this, and a multiple of the step.
  let floors: [Int64]
  let steps: [Int64]
  let pairsOfListing: [[Int32]]
  let pairsOfRequest: [[Int32]]
  let varietiesOfRequest: [[Int32]]
  /// Arcs of the links at an order.
  let linksOfListing: [[Int32]]
  let linksOfRequest: [[Int32]]
  /// Fractions of a unit of surplus that penalties are counted in.
  let fineness: Int128
  /// Costs are fractions of surplus x this, less 1 for each chip, so that among equal surpluses more chips are preferred; 1 where
  /// that does not fit, and then nothing is taken off.
  let chipScale: Int128
  let highestSurplus: Int128
  let workLimit: Int

  var network: PairNetwork<Cost>
  var required: [[Bool]]
  var penalties: Penalties
  /// Bounds that hold everywhere, or nothing better than the best is lost.
  var rootLeast: [Int64]
  var rootMost: [Int64]
  private(set) var best: [Int64]
  private(set) var bestObjective: Int128 = 0
  private(set) var bestChips: Int64 = 0
  var open = OpenNodes<Node>()
  private(set) var nodes = 0
  private var numbering = 0
  private(set) var otherWork = 0
  /// What the last settled flow was worth, in fractions of a unit, and its chips. The flow may be clipped since, and penalties weighed anew.
  private(set) var settled: (objective: Int128, chips: Int128) = (0, 0)
  /// The penalties to go back to where they are suspended.
  private var resumed: [Int128]?
  /// How often splitting an arc, a variety or a joint limit led to an end lately, in a unit that grows: where many
  /// allocations are worth the same, bounds tell nothing, and this says what the market is short of.
  var trouble: [Int64]
  private var troubleUnit: Int64 = 1_024
  /// Set when a bound changed since it was last cleared.
  var didTighten = false
  /// The bound of a market that could not be settled for its numbers; it is never searched.
  private var unsettled: Int128?

  private static var stepsPerNode: Int { 4 }

  var work: Int { network.work + otherWork }

  init(_ component: PairComponent, fineness: Int128, chipScale: Int128, incumbent: [Int64]?, workLimit: Int) {
    self.component = component
    self.fineness = fineness
    self.chipScale = chipScale
    self.workLimit = workLimit
    highestSurplus = component.pairs.reduce(0) { max($0, $1.surplus) }
    let (pairs, listings) = (component.pairs, component.listingMost.count)
    let requests = component.requestMost.count
    pairCount = pairs.count
    firstRequestArc = pairs.count + listings
    let links = component.links.links
    floors =
      pairs.map(\.least) + [Int64](repeating: 0, count: listings) + component.requestLeast
      + [Int64](repeating: 0, count: links.count)
    steps = pairs.map(\.step) + component.listingStep + component.requestStep + links.map(\.step)
    var (linked, linkedRequests) = (
      [[Int32]](repeating: [], count: listings), [[Int32]](repeating: [], count: requests)
    )
    for (position, link) in links.enumerated() {
      let arc = Int32(pairs.count + listings + requests + position)
      if link.isOfListing { linked[Int(link.order)].append(arc) } else { linkedRequests[Int(link.order)].append(arc) }
    }
    (linksOfListing, linksOfRequest) = (linked, linkedRequests)
    var (ofListing, ofRequest) = (
      [[Int32]](repeating: [], count: listings), [[Int32]](repeating: [], count: requests)
    )
    for (position, pair) in pairs.enumerated() {
      ofListing[Int(pair.listing)].append(Int32(position))
      ofRequest[Int(pair.request)].append(Int32(position))
    }
    (pairsOfListing, pairsOfRequest) = (ofListing, ofRequest)
    var varieties = [[Int32]](repeating: [], count: requests)
    for (position, variety) in component.varieties.enumerated() {
      varieties[Int(variety.request)].append(Int32(position))
    }
    varietiesOfRequest = varieties
    required = component.varieties.map { $0.groups.map { _ in false } }
    rootMost = pairs.map(\.most) + component.listingMost
    rootMost += zip(component.requestMost, component.requestLeast).map { $0 < $1 ? 0 : $0 }
    rootMost += links.map(\.most)
    rootLeast = [Int64](repeating: 0, count: rootMost.count)
    penalties = Penalties(component, fineness: fineness)
    network = PairNetwork(component, least: rootLeast, most: rootMost)
    best = [Int64](repeating: 0, count: pairs.count)
    trouble = [Int64](repeating: 0, count: rootMost.count + component.varieties.count + component.joints.count)
    applyPenalties()
    if let incumbent { offer(incumbent[...]) }
  }

  /// Searches until the optimum is proved or the work is used up; the proven upper bound.
  mutating func run() -> Int128 {
    network.resetPrices()
    guard tighten() else { return bestObjective }
    guard let relaxed = settledBound(atMost: Int128.max) else { return max(bestObjective, unsettled ?? 0) }
    dive()
    penalties.measure(component, network.most, network.flow, required: required, isMixed: false)
    guard let bound = penalize(relaxed, steps: 100), bound > bestObjective else { return bestObjective }
    dive()
    guard fix(), tighten() else { return bestObjective }
    rootLeast = network.least
    rootMost = network.most
    push(branched([], bound))
    var unfinished: Int128?
    while unfinished == nil, let node = open.popBest(), node.bound > bestObjective {
      unfinished = plunge(from: node)
    }
    var proven = bestObjective
    for bound in [unfinished, unsettled, open.best?.bound] {
      if let bound { proven = max(proven, bound) }
    }
    return proven
  }

  /// Follows the better branch from a node down to its end; the bound reached when the work was used up before.
  private mutating func plunge(from node: Node) -> Int128? {
    var decisions = node.decisions
    let unfinished = follow(node, &decisions)
    if unfinished == nil { for decision in decisions.suffix(4) { blame(decision.subject) } }
    return unfinished
  }

  /// Counts an end that a split led to. The unit grows by a 64th each time, so that old ends fade.
  mutating func blame(_ subject: Int32) {
    if subject < 0 { return }
    trouble[Int(subject)] += troubleUnit
    troubleUnit += troubleUnit >> 6
    if troubleUnit > 1 << 50 {
      for position in trouble.indices { trouble[position] >>= 40 }
      troubleUnit >>= 40
    }
  }

  private mutating func follow(_ node: Node, _ decisions: inout [Decision]) -> Int128? {
    guard enter(node) else { return nil }
    var limit = node.bound
    var depth = 0
    while true {
      if work >= workLimit { return limit }
      nodes += 1
      guard let bound = settleAndFix(atMost: limit) else { return nil }
      limit = bound
      var violations = self.violations()
      if violations.isEmpty {
        offer(network.flow[..<pairCount])
        if bound <= bestObjective { return nil }
        // Only penalties keep the bound above what the flow is worth: without them it is exact, or breaks something.
        if penalties.isSuspended { return nil }
        resumed = penalties.multipliers
        penalties.suspend()
        applyPenalties()
        guard let plain = settledBound(atMost: bound), plain > bestObjective else { return nil }
        limit = plain
        violations = self.violations()
        if violations.isEmpty {
          offer(network.flow[..<pairCount])
          return nil
        }
      }
      if depth == 0 && (nodes < 40 || nodes % 8 == 0) {
        dive()
        if bound <= bestObjective { return nil }
      }
      guard let branch = chooseBranch(among: violations, limit) else { return nil }
      if let multipliers = resumed {
        // Penalties are back for the branches.
        penalties.set(multipliers)
        applyPenalties()
      }
      switch branch {
      case .only(let decision):
        decisions.append(decision)
        guard apply(decision) else { return nil }
      case .either(let first, let second, let secondBound):
        if secondBound > bestObjective {
          push(branched(decisions + [second], min(limit, secondBound)))
        }
        decisions.append(first)
        guard apply(first) else { return nil }
        depth += 1
      }
      resumed = nil
    }
  }

  /// A market still to be searched, branched from the present one.
  private func branched(_ decisions: [Decision], _ bound: Int128) -> Node {
    Node(
      decisions: decisions, bound: bound, flow: network.flow, prices: network.prices,
      multipliers: resumed ?? penalties.multipliers)
  }

  private mutating func push(_ node: Node) {
    numbering += 1
    open.insert(node, bound: node.bound, number: numbering)
  }

  /// Sets the bounds of a node; false where they contradict each other.
  private mutating func enter(_ node: Node) -> Bool {
    network.least = rootLeast
    network.most = rootMost
    network.flow = node.flow
    network.prices = node.prices
    for variety in required.indices {
      for group in required[variety].indices { required[variety][group] = false }
    }
    for decision in node.decisions where !apply(decision) { return false }
    guard tighten() else { return false }
    resumed = nil
    penalties.set(node.multipliers)
    penalties.measure(component, network.most, network.flow, required: required, isMixed: false)
    applyPenalties()
    return true
  }

  /// Adds a decision to the present bounds; false where they contradict each other.
  mutating func apply(_ decision: Decision) -> Bool {
    if let (variety, group) = decision.required { required[Int(variety)][Int(group)] = true }
    for hold in decision.holds {
      guard raise(Int(hold.arc), to: hold.least), lower(Int(hold.arc), to: hold.most) else { return false }
    }
    return true
  }

  /// Tightens, settles, and tightens again by what the prices prove; the bound, nil where nothing better is left.
  private mutating func settleAndFix(atMost limit: Int128) -> Int128? {
    var bound = limit
    for _ in 0..<4 {
      guard tighten(), let found = settledBound(atMost: bound) else { return nil }
      bound = found
      if bound <= bestObjective { return nil }
      didTighten = false
      guard fix() else { return nil }
      if !didTighten { break }
      if !isFlowOutside() {
        guard tighten() else { return nil }
        if !isFlowOutside() { break }
      }
    }
    if let penalized = penalize(bound, steps: Self.stepsPerNode) {
      return penalized
    }
    return nil
  }

  /// The bound of the present market; nil where it has no allocation.
  mutating func settledBound(atMost limit: Int128) -> Int128? {
    switch network.settle() {
    case .infeasible: return nil
    case .outOfRange:
      unsettled = max(unsettled ?? limit, limit)
      return nil
    case .settled:
      settled = (relaxedObjective(), chipScale > 1 ? network.flow[..<pairCount].reduce(0) { $0 + Int128($1) } : 0)
      return min(limit, settled.objective >= 0 ? settled.objective / fineness : 0)
    }
  }

  func isFlowOutside() -> Bool {
    for arc in network.flow.indices
    where network.flow[arc] < network.least[arc] || network.flow[arc] > network.most[arc] { return true }
    return false
  }

  /// What the settled flow proves, in fractions of a unit: its objective less the penalties, plus what the limits allow
  /// of them.
  func relaxedObjective() -> Int128 {
    var objective = penalties.allowance
    for pair in 0..<pairCount where network.flow[pair] != 0 {
      objective += penalties.margins[pair] * Int128(network.flow[pair])
    }
    return objective
  }

  /// Takes an allocation that keeps every constraint and beats the best.
  mutating func offer(_ quantities: ArraySlice<Int64>) {
    otherWork += pairCount
    guard let worth = component.worth(of: quantities) else { return }
    if (worth.objective, worth.chips) > (bestObjective, bestChips) {
      best = Array(quantities)
      (bestObjective, bestChips) = worth
    }
  }

  mutating func count(_ steps: Int) { otherWork += steps }

  /// The greatest loss, in scaled cost, at which a change of the settled flow still beats the best; nil where that is
  /// out of range. Measured from the flow's own worth: a bound known from elsewhere may be lower and proves nothing here.
  func slack() -> Cost? {
    let spare = settled.objective - (bestObjective + 1) * fineness
    if spare < 0 { return 0 }
    let (product, overflow) = spare.multipliedReportingOverflow(by: chipScale)
    if overflow || product > Int128(1) << 120 { return nil }
    return Cost(clamping: product + settled.chips)
  }
}

/// Markets still to be searched, the highest bound first, then the earliest.
struct OpenNodes<Node> {
  private var entries: [(bound: Int128, number: Int, node: Node)] = []

  var best: Node? { entries.first?.node }
  var count: Int { entries.count }

  private static func precedes(
    _ left: (bound: Int128, number: Int, node: Node), _ right: (bound: Int128, number: Int, node: Node)
  ) -> Bool {
    left.bound != right.bound ? left.bound > right.bound : left.number < right.number
  }

  mutating func insert(_ node: Node, bound: Int128, number: Int) {
    let entry = (bound: bound, number: number, node: node)
    entries.append(entry)
    var child = entries.count - 1
    while child > 0 {
      let parent = (child - 1) / 2
      if !Self.precedes(entry, entries[parent]) { break }
      entries[child] = entries[parent]
      child = parent
    }
    entries[child] = entry
  }

  mutating func popBest() -> Node? {
    guard let top = entries.first, let last = entries.popLast() else { return nil }
    if entries.isEmpty { return top.node }
    var parent = 0
    while true {
      var child = parent * 2 + 1
      if child >= entries.count { break }
      if child + 1 < entries.count && Self.precedes(entries[child + 1], entries[child]) { child += 1 }
      if !Self.precedes(entries[child], last) { break }
      entries[parent] = entries[child]
      parent = child
    }
    entries[parent] = last
    return top.node
  }
}
