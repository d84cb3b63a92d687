/// What a settled flow breaks, and how a market is split so that neither part allows it.
extension PairSearch {
  enum Violation {
    /// An arc that carries less than its least, or no multiple of its step.
    case quantity(arc: Int)
    case variety(position: Int)
    case joint(position: Int)
  }

  enum Branch {
    /// The other part is empty or cannot beat the best.
    case only(Decision)
    /// The first is the more promising; the bound is that of the second.
    case either(Decision, Decision, Int128)
  }

  /// Violations with a rough measure of what mending them costs, the most costly first.
  mutating func violations() -> [(violation: Violation, weight: Int128)] {
    count(pairCount)
    var found: [(violation: Violation, weight: Int128)] = []
    // A link takes the place of several pairs: before any one of them.
    let linkSurplus = highestSurplus + 1
    for pair in 0..<pairCount {
      let (amount, floor) = (network.flow[pair], floors[pair])
      if amount == 0 { continue }
      let surplus = component.pairs[pair].surplus + 1
      if amount < floor {
        found.append((.quantity(arc: pair), surplus * Int128(min(amount, floor - amount))))
      } else if steps[pair] != 1, amount % steps[pair] != 0 {
        let rest = amount % steps[pair]
        found.append((.quantity(arc: pair), surplus * Int128(min(rest, steps[pair] - rest))))
      }
    }
    for request in pairsOfRequest.indices {
      let arc = firstRequestArc + request
      let amount = network.flow[arc]
      if amount == 0 { continue }
      if amount < floors[arc] {
        let short = min(amount, floors[arc] - amount)
        found.append((.quantity(arc: arc), (meanSurplus(request) + 1) * Int128(short)))
      } else if amount % steps[arc] != 0 {
        let rest = amount % steps[arc]
        found.append((.quantity(arc: arc), (meanSurplus(request) + 1) * Int128(min(rest, steps[arc] - rest))))
      }
    }
    for order in [linksOfListing, linksOfRequest] {
      for arc in order.joined() where network.flow[Int(arc)] % steps[Int(arc)] != 0 {
        let rest = network.flow[Int(arc)] % steps[Int(arc)]
        found.append((.quantity(arc: Int(arc)), linkSurplus * Int128(min(rest, steps[Int(arc)] - rest))))
      }
    }
    for (position, variety) in component.varieties.enumerated() {
      let amounts = groupAmounts(variety)
      if amounts.count(where: { $0 > 0 }) <= variety.most { continue }
      let beyond = amounts.sorted(by: >)[variety.most...].reduce(0, +)
      found.append((.variety(position: position), (meanSurplus(Int(variety.request)) + 1) * Int128(beyond)))
    }
    for (position, joint) in component.joints.enumerated() {
      let excess = joint.use(of: network.flow[..<pairCount]) - joint.limit
      if excess <= 0 { continue }
      let heaviest = joint.weights.max() ?? 1
      let highest = joint.pairs.reduce(Int128(0)) { max($0, component.pairs[Int($1)].surplus) }
      found.append((.joint(position: position), (highest + 1) * (excess / Int128(heaviest) + 1)))
    }
    found.sort { $0.weight > $1.weight }
    return found
  }

  /// Surplus of a chip of the request in the present flow, on average, rounded down.
  private func meanSurplus(_ request: Int) -> Int128 {
    var (sum, total): (Int128, Int128) = (0, 0)
    for pair in pairsOfRequest[request] where network.flow[Int(pair)] > 0 {
      sum += component.pairs[Int(pair)].surplus * Int128(network.flow[Int(pair)])
      total += Int128(network.flow[Int(pair)])
    }
    return total == 0 ? 0 : sum / total
  }

  func groupAmounts(_ variety: PairComponent.Variety) -> [Int64] {
    variety.groups.map { $0.reduce(Int64(0)) { $0 + network.flow[Int($1)] } }
  }

  /// The split to go on with; nil when neither part can beat the best.
  mutating func chooseBranch(
    among violations: [(violation: Violation, weight: Int128)], _ bound: Int128
  ) -> Branch? {
    var choice: Branch?
    var highest: (score: Int128, trouble: Int64) = (-1, 0)
    for violation in candidates(violations) {
      let subject = subject(violation)
      let (first, second) = split(violation, subject)
      let (firstBound, secondBound) = (trial(of: first, bound), trial(of: second, bound))
      let isFirstAlive = (firstBound ?? bestObjective) > bestObjective
      let isSecondAlive = (secondBound ?? bestObjective) > bestObjective
      if !isFirstAlive || !isSecondAlive { blame(subject) }
      if !isFirstAlive && !isSecondAlive { return nil }
      if !isFirstAlive { return .only(second) }
      if !isSecondAlive { return .only(first) }
      guard let firstBound, let secondBound else { continue }
      let score = (Self.score(bound - firstBound, bound - secondBound), trouble[Int(subject)])
      if score <= highest { continue }
      highest = score
      choice =
        firstBound >= secondBound ? .either(first, second, secondBound) : .either(second, first, firstBound)
    }
    return choice
  }

  /// The violations worth a trial: the costliest, and those that led to most ends.
  private func candidates(_ violations: [(violation: Violation, weight: Int128)]) -> [Violation] {
    if violations.count <= 8 { return violations.map(\.violation) }
    let rest = violations[4...].map(\.violation).enumerated().sorted { left, right in
      let (one, other) = (trouble[Int(subject(left.element))], trouble[Int(subject(right.element))])
      return one != other ? one > other : left.offset < right.offset
    }
    return violations[..<4].map(\.violation) + rest[..<4].map(\.element)
  }

  private func subject(_ violation: Violation) -> Int32 {
    switch violation {
    case .quantity(let arc): Int32(arc)
    case .variety(let position): Int32(rootMost.count + position)
    case .joint(let position): Int32(rootMost.count + component.varieties.count + position)
    }
  }

  /// Product of the two losses, each at least 1, in a common unit that keeps the product within range.
  private static func score(_ left: Int128, _ right: Int128) -> Int128 {
    let shift = max(0, 128 - max(left, right).leadingZeroBitCount - 60)
    return ((left >> shift) + 1) * ((right >> shift) + 1)
  }

  /// The bound of the present market with one more decision; nil where that leaves nothing. Changes nothing.
  private mutating func trial(of decision: Decision, _ bound: Int128) -> Int128? {
    let (least, most, flow, prices) = (network.least, network.most, network.flow, network.prices)
    let before = required
    defer {
      network.least = least
      network.most = most
      network.flow = flow
      network.prices = prices
      required = before
    }
    guard apply(decision), tighten() else { return nil }
    if !isFlowOutside() { return bound }
    return settledBound(atMost: bound)
  }

  private func split(_ violation: Violation, _ subject: Int32) -> (Decision, Decision) {
    var (first, second) =
      switch violation {
      case .quantity(let arc): splitOfQuantity(arc)
      case .variety(let position): splitOfVariety(position)
      case .joint(let position): splitOfExcess(position)
      }
    (first.subject, second.subject) = (subject, subject)
    return (first, second)
  }

  private func hold(_ arc: Int, least: Int64? = nil, most: Int64? = nil) -> Hold {
    Hold(arc: Int32(arc), least: least ?? 0, most: most ?? rootMost[arc])
  }

  private func splitOfQuantity(_ arc: Int) -> (Decision, Decision) {
    let amount = network.flow[arc]
    if amount < floors[arc] {
      return (Decision(holds: [hold(arc, most: 0)]), Decision(holds: [hold(arc, least: floors[arc])]))
    }
    let whole = amount / steps[arc] * steps[arc]
    return (Decision(holds: [hold(arc, most: whole)]), Decision(holds: [hold(arc, least: whole + steps[arc])]))
  }

  /// One group allowed: half of the groups against the other half, the two largest apart. More allowed: the largest not
  /// yet required is forbidden or required.
  private func splitOfVariety(_ position: Int) -> (Decision, Decision) {
    let variety = component.varieties[position]
    let amounts = groupAmounts(variety)
    func forbid(_ groups: [Int]) -> Decision {
      Decision(
        holds: groups.flatMap { variety.groups[$0].filter { network.most[Int($0)] > 0 }.map { hold(Int($0), most: 0) } }
      )
    }
    let undecided = variety.groups.indices.filter { group in
      !required[position][group] && variety.groups[group].contains { network.most[Int($0)] > 0 }
    }.sorted { (amounts[$0], $1) > (amounts[$1], $0) }
    if variety.most == 1 {
      return (
        forbid(undecided.indices.filter { $0 % 2 == 1 }.map { undecided[$0] }),
        forbid(undecided.indices.filter { $0 % 2 == 0 }.map { undecided[$0] })
      )
    }
    guard let largest = undecided.first else { return (Decision(), Decision()) }
    return (Decision(holds: [], required: (Int32(position), Int32(largest))), forbid([largest]))
  }

  /// A joint limit is broken: the pair that could take away most of the excess does so, or gives up less.
  private func splitOfExcess(_ position: Int) -> (Decision, Decision) {
    let joint = component.joints[position]
    let excess = joint.use(of: network.flow[..<pairCount]) - joint.limit
    var (chosen, taken, cut): (Int, Int128, Int64) = (-1, 0, 0)
    for (pair, weight) in zip(joint.pairs, joint.weights) {
      let pair = Int(pair)
      let give = network.flow[pair] - network.least[pair]
      if give <= 0 { continue }
      let needed = Int64(clamping: (excess + Int128(weight) - 1) / Int128(weight))
      let share = Int128(min(give, needed)) * Int128(weight)
      if share > taken { (chosen, taken, cut) = (pair, share, min(give, needed)) }
    }
    guard chosen >= 0 else { return (Decision(), Decision()) }
    let most = network.flow[chosen] - cut
    return (Decision(holds: [hold(chosen, least: most + 1)]), Decision(holds: [hold(chosen, most: most)]))
  }
}
