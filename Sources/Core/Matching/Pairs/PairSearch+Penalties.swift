/// Penalties make the flow keep limits that it knows nothing of, where it can.
extension PairSearch {
  /// Looks for penalties that lower the bound and keeps the best; the best bound found, nil where nothing better than
  /// the best allocation is left.
  mutating func penalize(_ bound: Int128, steps: Int) -> Int128? {
    if penalties.isEmpty || penalties.isSuspended { return bound }
    var bound = bound
    var kept = penalties
    var (part, failures, isKept): (Int128, Int, Bool) = (1, 0, true)
    for _ in 0..<steps {
      let gap = settled.objective - bestObjective * fineness
      if gap <= 0 { return nil }
      penalties.measure(component, network.most, network.flow, required: required, isMixed: true)
      if !penalties.step(against: network.flow, gap: gap / part) {
        // Weighed anew all the same.
        isKept = false
        break
      }
      applyPenalties()
      guard let found = settledBound(atMost: Int128.max) else { return nil }
      isKept = false
      if found < bound {
        (bound, kept, failures, isKept) = (found, penalties, 0, true)
        if bound <= bestObjective { return nil }
        guard fix() else { return nil }
      } else {
        failures += 1
        if failures % 3 == 0 { part *= 2 }
      }
    }
    if isKept { return bound }
    penalties = kept
    applyPenalties()
    guard settledBound(atMost: bound) != nil else { return nil }
    return bound
  }

  mutating func applyPenalties() {
    count(pairCount)
    for pair in 0..<pairCount {
      let scaled = penalties.margins[pair] * chipScale + (chipScale > 1 ? 1 : 0)
      network.costs[pair] = Cost(-scaled)
    }
  }
}

/// What chips are charged for their use of joint limits and for the variety they add to a request. Any penalties give a
/// valid bound: no allocation pays more than the allowance.
struct Penalties: Sendable {
  /// A limit on the sum of quantity x weight.
  private struct Row: Sendable {
    let pairs: [Int32]
    /// Below 2^31, rounded down, so that less is charged than could be.
    var weights: [Int128]
    var limit: Int128
    /// The weight of the lightest pair.
    var unit: Int128
    /// Position of the variety it stands for; -1 for a joint limit.
    let variety: Int
  }

  /// For each row the penalty on a chip of its lightest pair, in fractions of a unit of surplus, at least 0.
  private(set) var multipliers: [Int128]
  /// Surplus less penalties by pair, in fractions of a unit of surplus: charges are rounded down, and in whole units what
  /// is lost by that can keep a bound just above an optimum for thousands of markets.
  private(set) var margins: [Int128]
  /// The most that an allocation within the limits pays in all.
  private(set) var allowance: Int128 = 0
  private(set) var isSuspended = false
  private var rows: [Row]
  private let surplus: [Int128]
  private let highest: Int128
  /// A used group of a variety weighs this at most.
  private static var groupWeight: Int128 { 1 << 30 }

  var isEmpty: Bool { rows.isEmpty }

  init(_ component: PairComponent, fineness: Int128) {
    surplus = component.pairs.map { $0.surplus * fineness }
    margins = surplus
    highest = max(1, surplus.max() ?? 1)
    rows = component.joints.map { joint in
      let shift = max(0, Int64.bitWidth - (joint.weights.max() ?? 1).leadingZeroBitCount - 31)
      let weights = joint.weights.map { Int128($0 >> shift) }
      return Row(
        pairs: joint.pairs, weights: weights, limit: joint.limit >> Int128(shift),
        unit: weights.filter { $0 > 0 }.min() ?? 1, variety: -1)
    }
    for (position, variety) in component.varieties.enumerated() {
      let pairs = variety.groups.flatMap { $0 }
      rows.append(
        Row(
          pairs: pairs, weights: pairs.map { _ in 0 }, limit: Int128(variety.most) * Self.groupWeight,
          unit: max(1, Self.groupWeight / Int128(component.requestMost[Int(variety.request)] + 1)), variety: position))
    }
    // What a row allows stays below 2^112, and the sum over so many rows below 2^124.
    let ceiling = (Int128(1) << 112) / (highest << 3)
    rows.removeAll { $0.limit / $0.unit >= ceiling || $0.limit >= Int128(1) << 80 }
    if rows.count > 4_096 { rows = [] }
    multipliers = [Int128](repeating: 0, count: rows.count)
  }

  /// Weighs the pairs of varieties so that the present flow uses as much variety as can be argued for within these
  /// bounds: a group that gives all it can counts as one, one that gives half as half, and a group with one pair at its
  /// most counts as one as well. Any mixture of such weights is valid, so half of the weights so far may stay.
  /// Groups required already count as one each without any weight.
  mutating func measure(
    _ component: PairComponent, _ most: [Int64], _ flow: [Int64], required: [[Bool]], isMixed: Bool
  ) {
    let firstTotal = component.pairs.count + component.listingMost.count
    for position in rows.indices where rows[position].variety >= 0 {
      let variety = component.varieties[rows[position].variety]
      let total = most[firstTotal + Int(variety.request)]
      let isRequired = required[rows[position].variety]
      var place = 0
      rows[position].limit = Int128(variety.most) * Self.groupWeight
      for (number, group) in variety.groups.enumerated() {
        if isRequired[number] {
          rows[position].limit = max(0, rows[position].limit - Self.groupWeight)
          for _ in group {
            rows[position].weights[place] = 0
            place += 1
          }
          continue
        }
        var (sum, capacity): (Int64, Int64) = (0, 0)
        var (full, fullFlow, fullMost): (Int, Int64, Int64) = (-1, 0, 1)
        for (offset, pair) in group.enumerated() {
          let (flow, most) = (flow[Int(pair)], most[Int(pair)])
          sum += flow
          capacity += most
          if most > 0, Int128(flow) * Int128(fullMost) > Int128(fullFlow) * Int128(most) {
            (full, fullFlow, fullMost) = (offset, flow, most)
          }
        }
        capacity = max(1, min(total, capacity))
        let isTogether = Int128(sum) * Int128(fullMost) >= Int128(fullFlow) * Int128(capacity)
        for offset in group.indices {
          var weight: Int128 = 0
          if isTogether {
            weight = Self.groupWeight / Int128(capacity)
          } else if offset == full {
            weight = Self.groupWeight / Int128(fullMost)
          }
          rows[position].weights[place] = isMixed ? (rows[position].weights[place] + weight) / 2 : weight
          place += 1
        }
      }
    }
    spread()
  }

  /// Charges nothing until set again.
  mutating func suspend() {
    for row in multipliers.indices { multipliers[row] = 0 }
    isSuspended = true
    spread()
  }

  mutating func set(_ values: [Int128]) {
    multipliers = values
    isSuspended = false
    spread()
  }

  /// Moves the penalties along what the flow uses beyond, or leaves of, each limit; false when they stay as they are.
  mutating func step(against flow: [Int64], gap: Int128) -> Bool {
    // In sixteenths of a chip of the lightest pair.
    var beyond: [Int128] = []
    var squares: Int128 = 0
    for (position, row) in rows.enumerated() {
      var use = -row.limit
      for (pair, weight) in zip(row.pairs, row.weights) { use += Int128(flow[Int(pair)]) * weight }
      var chips = use * 16 / row.unit
      if chips < 0 && multipliers[position] == 0 { chips = 0 }
      chips = min(max(chips, -(Int128(1) << 50)), Int128(1) << 50)
      beyond.append(chips)
      squares += chips * chips
    }
    if squares == 0 { return false }
    var moved = false
    for position in rows.indices where beyond[position] != 0 {
      // Below 2^60 x 2^4 x 2^50; a greater gap leaves no doubt about its quotient.
      let move =
        gap < Int128(1) << 60 ? gap * 16 * beyond[position] / squares : gap / squares * 16 * beyond[position]
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
    for (position, row) in rows.enumerated() where multipliers[position] > 0 {
      let multiplier = multipliers[position]
      allowance += multiplier * (row.limit / row.unit) + multiplier * (row.limit % row.unit) / row.unit
      for (pair, weight) in zip(row.pairs, row.weights) {
        margins[Int(pair)] = max(margins[Int(pair)] - multiplier * weight / row.unit, -2 * highest)
      }
    }
  }
}
