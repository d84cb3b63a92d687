/// What follows from bounds without solving anything, and from prices once solved.
extension PairSearch {
  /// Lowers the most an arc may carry; false where nothing is left.
  mutating func lower(_ arc: Int, to value: Int64) -> Bool {
    if value >= network.most[arc] { return network.least[arc] <= network.most[arc] }
    if value < network.least[arc] { return false }
    var most = value < floors[arc] ? 0 : value
    let step = steps[arc]
    if step != 1 { most = most / step * step }
    if most < floors[arc] { most = 0 }
    if most < network.least[arc] { return false }
    network.most[arc] = most
    didTighten = true
    return true
  }

  /// Raises the least an arc must carry; false where nothing is left.
  mutating func raise(_ arc: Int, to value: Int64) -> Bool {
    if value <= network.least[arc] { return network.least[arc] <= network.most[arc] }
    if value > network.most[arc] { return false }
    let least = max(value, floors[arc]).roundedUp(to: steps[arc])
    if least > network.most[arc] { return false }
    network.least[arc] = least
    didTighten = true
    return true
  }

  /// Carries bounds from arcs to their neighbours until little changes; false where they contradict each other.
  mutating func tighten() -> Bool {
    for _ in 0..<6 {
      didTighten = false
      count(pairCount * 2)
      for request in pairsOfRequest.indices where !tightenRequest(request) { return false }
      for listing in pairsOfListing.indices where !tightenListing(listing) { return false }
      for joint in component.joints where !tighten(joint) { return false }
      if !didTighten { return true }
    }
    return true
  }

  private mutating func tightenRequest(_ request: Int) -> Bool {
    let total = firstRequestArc + request
    if !lower(total, to: network.most[total]) { return false }
    if network.most[total] == 0 {
      for pair in pairsOfRequest[request] where !lower(Int(pair), to: 0) { return false }
      return true
    }
    for variety in varietiesOfRequest[request] where !tightenVariety(Int(variety), total) { return false }
    var (least, most): (Int64, Int64) = (0, 0)
    for pair in pairsOfRequest[request] {
      least += network.least[Int(pair)]
      most += network.most[Int(pair)]
    }
    guard raise(total, to: least), lower(total, to: most) else { return false }
    let (totalLeast, totalMost) = (network.least[total], network.most[total])
    for link in linksOfRequest[request] where !lower(Int(link), to: totalMost) { return false }
    if totalMost == 0 { return true }
    for pair in pairsOfRequest[request] {
      let pair = Int(pair)
      if network.most[pair] == 0 { continue }
      let (before, after) = (network.least[pair], network.most[pair])
      guard lower(pair, to: totalMost - (least - before)) else { return false }
      guard raise(pair, to: totalLeast - (most - after)) else { return false }
      least += network.least[pair] - before
      most += network.most[pair] - after
    }
    return true
  }

  /// Forbids further groups where all that are allowed are used, holds the total to what the largest can give, and
  /// requires the groups without which the total cannot be reached.
  private mutating func tightenVariety(_ position: Int, _ total: Int) -> Bool {
    let variety = component.varieties[position]
    var (used, held): (Int, Int64) = (0, 0)
    var others: [(capacity: Int64, group: Int)] = []
    for (group, pairs) in variety.groups.enumerated() {
      var (least, capacity): (Int64, Int64) = (0, 0)
      for pair in pairs {
        least += network.least[Int(pair)]
        capacity += network.most[Int(pair)]
      }
      if least > 0 { required[position][group] = true }
      if required[position][group] {
        if capacity == 0 { return false }
        used += 1
        held += capacity
      } else if capacity > 0 {
        others.append((capacity, group))
      }
    }
    let free = variety.most - used
    if free < 0 { return false }
    if free == 0 {
      for (_, group) in others {
        for pair in variety.groups[group] where !lower(Int(pair), to: 0) { return false }
      }
      if !lower(total, to: held) { return false }
    } else if others.count > free {
      others.sort { ($0.capacity, $1.group) > ($1.capacity, $0.group) }
      let reach = others[..<free].reduce(held) { $0 + $1.capacity }
      if !lower(total, to: reach) { return false }
      let spare = reach - network.least[total]
      for (capacity, group) in others[..<free] where capacity - others[free].capacity > spare {
        required[position][group] = true
        didTighten = true
      }
    }
    for (group, pairs) in variety.groups.enumerated() where required[position][group] {
      var only = -1
      for pair in pairs where network.most[Int(pair)] > 0 { only = only == -1 ? Int(pair) : -2 }
      if only >= 0, !raise(only, to: 1) { return false }
    }
    return true
  }

  private mutating func tightenListing(_ listing: Int) -> Bool {
    let total = pairCount + listing
    var (least, most): (Int64, Int64) = (0, 0)
    for pair in pairsOfListing[listing] {
      least += network.least[Int(pair)]
      most += network.most[Int(pair)]
    }
    guard raise(total, to: least), lower(total, to: most) else { return false }
    let (totalLeast, totalMost) = (network.least[total], network.most[total])
    for link in linksOfListing[listing] where !lower(Int(link), to: totalMost) { return false }
    if least == 0 && totalLeast == 0 { return true }
    for pair in pairsOfListing[listing] {
      let pair = Int(pair)
      let (before, after) = (network.least[pair], network.most[pair])
      if after == 0 { continue }
      guard lower(pair, to: totalMost - (least - before)) else { return false }
      guard raise(pair, to: totalLeast - (most - after)) else { return false }
      least += network.least[pair] - before
      most += network.most[pair] - after
    }
    return true
  }

  private mutating func tighten(_ joint: PairComponent.Joint) -> Bool {
    var left = joint.limit
    for (pair, weight) in zip(joint.pairs, joint.weights) {
      left -= Int128(network.least[Int(pair)]) * Int128(weight)
    }
    if left < 0 { return false }
    for (pair, weight) in zip(joint.pairs, joint.weights) {
      let pair = Int(pair)
      let room = Int64(clamping: left / Int128(weight))
      if network.most[pair] - network.least[pair] > room {
        guard lower(pair, to: network.least[pair] + room) else { return false }
      }
    }
    return true
  }

  /// Tightens by reduced costs: what would lose more than the bound has over the best is left out. False where that
  /// leaves nothing.
  mutating func fix() -> Bool {
    guard let slack = slack() else { return true }
    count(pairCount)
    for arc in network.costs.indices {
      let (least, most) = (network.least[arc], network.most[arc])
      if least == most { continue }
      let reduced = network.reducedCost(arc)
      if reduced > 0 {
        let room = Int64(clamping: slack / reduced)
        if room < most - least, !lower(arc, to: least + room) { return false }
      } else if reduced < 0 {
        let room = Int64(clamping: slack / -reduced)
        if room < most - least, !raise(arc, to: most - room) { return false }
      }
    }
    return true
  }
}
