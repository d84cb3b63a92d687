import Primitives

extension FillPlan {
  /// The best choice found by trying the quantities of every candidate, the larger first, within a bound of steps; at
  /// least as good as `best`.
  func searchQuantities(_ candidates: [Candidate], startingFrom best: Choice, _ work: inout Int) -> Choice {
    var walk = QuantityWalk(plan: self, candidates: candidates, best: best)
    walk.descend(0, left: target)
    work += walk.steps
    return walk.best
  }
}

/// Depth first over quantities; as deep as there are candidates, which are few.
private struct QuantityWalk {
  let plan: FillPlan
  let candidates: [Candidate]
  private(set) var best: FillPlan.Choice
  private var parts: [(candidate: Candidate, quantity: Int64)] = []
  private var spent = Spent()
  private var lenders: [Int] = []
  private(set) var steps = 0
  /// The most that the candidates from each position on can give.
  private let rest: [Int64]

  init(plan: FillPlan, candidates: [Candidate], best: FillPlan.Choice) {
    self.plan = plan
    self.candidates = candidates
    self.best = best
    // Ten candidates of at most 10^9 chips.
    rest = candidates.indices.map { candidates[$0...].reduce(0) { $0 + $1.most } } + [0]
  }

  mutating func descend(_ position: Int, left: Int64) {
    steps += 1
    if position == candidates.count || left == 0 {
      let choice = FillPlan.Choice(parts: parts, total: plan.target - left)
      if choice.isBetter(than: best) { best = choice }
      return
    }
    guard plan.target - left + min(left, rest[position]) > best.total else { return }
    let candidate = candidates[position]
    let isNew = !plan.usedLenders.contains(candidate.lender) && !lenders.contains(candidate.lender)
    if !isNew || lenders.count < plan.freeSlots {
      let before = spent
      if isNew { lenders.append(candidate.lender) }
      var quantity = plan.most(candidate, left: left, spent)
      while quantity >= candidate.least, steps < FillPlan.quantitySteps {
        plan.spend(candidate, quantity, &spent)
        parts.append((candidate, quantity))
        descend(position + 1, left: left - quantity)
        parts.removeLast()
        spent = before
        quantity -= candidate.step
      }
      if isNew { lenders.removeLast() }
    }
    if steps < FillPlan.quantitySteps { descend(position + 1, left: left) }
  }
}
