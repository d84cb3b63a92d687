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
        if relaxedObjective() <= bestObjective { break }
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

  /// Looks for penalties on joint limits that lower the bound; the best bound found at the root.
  mutating func penalize() -> Int128 {
    var bound = relaxedObjective()
    dive()
    if component.joints.isEmpty || bound <= bestObjective { return bound }
    var kept = penalties
    var (part, failures): (Int128, Int) = (1, 0)
    for _ in 0..<80 {
      let gap = relaxedObjective() - bestObjective
      if gap <= 0 || !penalties.step(against: network.flow, component, gap: gap / part) { break }
      applyPenalties()
      guard network.settle() == .settled else { break }
      let found = relaxedObjective()
      if found < bound {
        (bound, kept, failures) = (found, penalties, 0)
      } else {
        failures += 1
        if failures % 4 == 0 { part *= 2 }
        if failures > 30 { break }
      }
    }
    penalties = kept
    applyPenalties()
    guard network.settle() == .settled else { return bound }
    dive()
    return bound
  }
}

/// What chips are charged for their use of joint limits, so that the flow, which knows nothing of these limits, keeps
/// them where it can. Any penalties give a valid bound: no allocation pays more than the allowance.
struct Penalties: Sendable {
  /// For each joint limit the penalty on a chip of its heaviest pair, units of surplus, at least 0.
  private(set) var multipliers: [Int128]
  /// Surplus less penalties by pair.
  private(set) var margins: [Int128]
  /// The most that an allocation within the joint limits pays in all.
  private(set) var allowance: Int128 = 0
  /// Weights and limits rounded down to 31 bits, which loosens no bound's validity: less is charged.
  private let weights: [[Int128]]
  private let limits: [Int128]
  private let heaviest: [Int128]
  private let joints: [PairComponent.Joint]
  private let surplus: [Int128]
  private let highest: Int128

  init(_ component: PairComponent) {
    joints = component.joints
    surplus = component.pairs.map(\.surplus)
    margins = surplus
    highest = max(1, surplus.max() ?? 1)
    multipliers = [Int128](repeating: 0, count: component.joints.count)
    let shifts = component.joints.map { joint in
      max(0, Int64.bitWidth - (joint.weights.max() ?? 1).leadingZeroBitCount - 31)
    }
    weights = zip(component.joints, shifts).map { joint, shift in joint.weights.map { Int128($0 >> shift) } }
    limits = zip(component.joints, shifts).map { joint, shift in joint.limit >> Int128(shift) }
    heaviest = weights.map { max(1, $0.max() ?? 1) }
  }

  /// Charges nothing.
  mutating func suspend() {
    for joint in multipliers.indices { multipliers[joint] = 0 }
    spread()
  }

  /// Moves the penalties along what the flow uses beyond, or leaves of, each limit; false when they stay as they are.
  mutating func step(against flow: [Int64], _ component: PairComponent, gap: Int128) -> Bool {
    if joints.count > 4_096 { return false }
    // In sixteenths of a chip of the heaviest pair.
    var beyond: [Int128] = []
    var squares: Int128 = 0
    for (position, joint) in joints.enumerated() {
      var use = -limits[position]
      for (pair, weight) in zip(joint.pairs, weights[position]) { use += Int128(flow[Int(pair)]) * weight }
      var chips = use * 16 / heaviest[position]
      if chips < 0 && multipliers[position] == 0 { chips = 0 }
      chips = min(max(chips, -(Int128(1) << 50)), Int128(1) << 50)
      beyond.append(chips)
      squares += chips * chips
    }
    if squares == 0 { return false }
    var moved = false
    for position in joints.indices {
      let move = gap / squares * 16 * beyond[position] + gap % squares * 16 / squares * beyond[position]
      let next = min(max(0, multipliers[position] + move), highest << 3)
      if next != multipliers[position] { moved = true }
      multipliers[position] = next
    }
    spread()
    return moved
  }

  private mutating func spread() {
    margins = surplus
    allowance = 0
    for (position, joint) in joints.enumerated() where multipliers[position] > 0 {
      let multiplier = multipliers[position]
      let whole = heaviest[position]
      allowance += multiplier * (limits[position] / whole) + multiplier * (limits[position] % whole) / whole
      for (pair, weight) in zip(joint.pairs, weights[position]) {
        let charge = multiplier * weight / whole
        margins[Int(pair)] = max(margins[Int(pair)] - charge, -2 * highest)
      }
    }
  }
}
