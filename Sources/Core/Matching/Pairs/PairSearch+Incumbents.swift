/// Good allocations early, and the penalties of joint limits.
extension PairSearch {
  /// Rounds the settled flow step by step until it keeps every constraint, and offers it. Changes nothing else.
  mutating func dive() {
    let (least, most, flow, prices) = (network.least, network.most, network.flow, network.prices)
    let before = required
    defer {
      network.least = least
      network.most = most
      network.flow = flow
      network.prices = prices
      required = before
    }
    for isGenerous in [true, false] {
      network.least = least
      network.most = most
      network.flow = flow
      network.prices = prices
      required = before
      for _ in 0..<60 {
        let violations = self.violations()
        if violations.isEmpty {
          offer(network.flow[..<pairCount])
          break
        }
        guard round(violations.map(\.violation), isGenerous), tighten() else { break }
        if isFlowOutside(), network.settle() != .settled { break }
        if relaxedObjective() < (bestObjective + 1) * fineness { break }
      }
    }
  }

  /// Takes away what is broken; a generous rounding instead raises the costliest where that is nearer. False where that
  /// leaves nothing.
  private mutating func round(_ violations: [Violation], _ isGenerous: Bool) -> Bool {
    for (rank, violation) in violations.enumerated() {
      switch violation {
      case .quantity(let arc):
        let (amount, floor) = (network.flow[arc], floors[arc])
        let step = steps[arc]
        let below = amount < floor ? 0 : amount / step * step
        let above = amount < floor ? floor : below + step
        if isGenerous && (amount - below) * 2 >= above - below {
          if rank == 0 && !raise(arc, to: above) && !lower(arc, to: below) { return false }
        } else if (!isGenerous || rank < 3), !lower(arc, to: below), !raise(arc, to: above) {
          return false
        }
      case .variety(let position):
        let variety = component.varieties[position]
        let amounts = groupAmounts(variety)
        let isRequired = required[position]
        let order = variety.groups.indices.sorted {
          if isRequired[$0] != isRequired[$1] { return isRequired[$0] }
          return (amounts[$0], $1) > (amounts[$1], $0)
        }
        for group in order[variety.most...] {
          for pair in variety.groups[group] where !lower(Int(pair), to: 0) { return false }
        }
      case .joint(let position):
        if !cut(component.joints[position]) { return false }
      }
    }
    return true
  }

  /// Takes from the pairs with the least surplus for their weight until a joint limit holds.
  private mutating func cut(_ joint: PairComponent.Joint) -> Bool {
    var excess = joint.use(of: network.flow[..<pairCount]) - joint.limit
    let order = joint.pairs.indices.sorted { left, right in
      // Surplus below 2^80 and weights scaled below 2^31.
      let (first, second) = (Int(joint.pairs[left]), Int(joint.pairs[right]))
      let scale = max(0, Int64.bitWidth - (joint.weights.max() ?? 1).leadingZeroBitCount - 31)
      let one = component.pairs[first].surplus * Int128(joint.weights[right] >> scale)
      let other = component.pairs[second].surplus * Int128(joint.weights[left] >> scale)
      return one != other ? one < other : left < right
    }
    for position in order where excess > 0 {
      let (pair, weight) = (Int(joint.pairs[position]), Int128(joint.weights[position]))
      let give = network.flow[pair] - network.least[pair]
      let taken = min(give, Int64(clamping: (excess + weight - 1) / weight))
      if taken <= 0 { continue }
      let goal = network.flow[pair] - taken
      guard lower(pair, to: goal) else { continue }
      excess -= Int128(network.flow[pair] - min(network.most[pair], goal)) * weight
    }
    return true
  }
}
