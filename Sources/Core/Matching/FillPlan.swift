import Primitives

/// A listing that could give chips to the request being served, and how many.
struct Candidate {
  let listing: Int
  let lender: Int
  let ask: Int64
  /// The least and the most it can give, multiples of `step`.
  let least: Int64
  let most: Int64
  let step: Int64
  /// Set where an exposure limit may bind it: what its lender has out before this fill, and the limit with it.
  let exposure: Spending?
  /// The licence that its chips take of, as a position in the round's; nil where none is needed.
  let licence: Int?
}

/// Chooses pieces for one request under one claim.
///
/// Cheapest first, as many chips as wanted. Where least pieces, multiples, exposure or the number of lenders keep the
/// cheapest prefix from filling the request, subsets are searched in order of price, and then in order of what a lender
/// can give, each within a bound of steps; the most chips win, then the cheapest. Few candidates that still leave a gap
/// have every quantity tried, boards and exposures being what subsets alone cannot settle. Exact for few candidates and
/// small quantities, a bounded repair otherwise: choosing pieces is a knapsack.
struct FillPlan {
  /// Chips to choose; already a multiple of what all candidates share.
  let target: Int64
  private let state: RoundState
  private let request: Int
  let usedLenders: [Int]
  let freeSlots: Int
  private static let searchSteps = 300
  /// Candidates up to which every quantity of every one is tried where subsets did not do, and the bound on that.
  private static let smallCount = 10
  static let quantitySteps = 1_000

  struct Choice {
    var parts: [(candidate: Candidate, quantity: Int64)] = []
    var total: Int64 = 0
    /// Sum of ask x quantity: the tie-break between equal totals.
    var cost: Int128 { parts.reduce(0) { $0 + Int128($1.candidate.ask) * Int128($1.quantity) } }

    /// More chips, or as many for less.
    func isBetter(than other: Choice) -> Bool {
      total > other.total || (total == other.total && total > 0 && cost < other.cost)
    }
  }

  /// The pieces for what the request still wants. Adds the steps it took to `work`.
  static func choose(
    _ candidates: [Candidate], for request: Int, in state: RoundState, work: inout Int
  ) -> Choice {
    var used: [Int] = []
    let limit = state.book.requests[request].maxLenders
    if limit != Int.max {
      for piece in state.pieces[request] {
        let lender = state.book.listings[piece.listing].lender
        if !used.contains(lender) { used.append(lender) }
      }
    }
    let shared = candidates.reduce(Int64(0)) { greatestCommonDivisor($0, $1.step) }
    let wanted = state.wanted(request)
    guard shared > 0, wanted >= shared else { return Choice() }
    let plan = FillPlan(
      target: wanted / shared * shared, state: state, request: request, usedLenders: used,
      freeSlots: max(0, limit == Int.max ? limit : limit - used.count))
    let ceiling = plan.ceiling(candidates)
    let byPrice = plan.search(candidates, upTo: ceiling, &work)
    if byPrice.total == ceiling { return byPrice }
    let byCapacity = plan.search(plan.largestLendersFirst(candidates), upTo: ceiling, &work)
    let best = byCapacity.isBetter(than: byPrice) ? byCapacity : byPrice
    if best.total == ceiling || candidates.count > smallCount { return best }
    return plan.searchQuantities(candidates, startingFrom: best, &work)
  }

  private init(target: Int64, state: RoundState, request: Int, usedLenders: [Int], freeSlots: Int) {
    self.target = target
    self.state = state
    self.request = request
    self.usedLenders = usedLenders
    self.freeSlots = freeSlots
  }

  /// No choice gives more than this: all there is, or what the largest lenders have where their number is limited.
  private func ceiling(_ candidates: [Candidate]) -> Int64 {
    if freeSlots >= candidates.count {
      return Int64(clamping: min(Int128(target), candidates.reduce(Int128(0)) { $0 + Int128($1.most) }))
    }
    var capacity: [Int: Int64] = [:]
    var sum: Int64 = 0
    for candidate in candidates {
      if usedLenders.contains(candidate.lender) {
        sum = min(target, sum + candidate.most)
      } else {
        capacity[candidate.lender] = min(target, capacity[candidate.lender, default: 0] + candidate.most)
      }
    }
    for most in capacity.values.sorted(by: >).prefix(freeSlots) { sum = min(target, sum + most) }
    return sum
  }

  private func largestLendersFirst(_ candidates: [Candidate]) -> [Candidate] {
    var capacity: [Int: Int64] = [:]
    var firstPosition: [Int: Int] = [:]
    for (position, candidate) in candidates.enumerated() {
      // Each is at most 10^9 and there are fewer than 2^32 of them.
      capacity[candidate.lender] = min(target, capacity[candidate.lender, default: 0] + candidate.most)
      if firstPosition[candidate.lender] == nil { firstPosition[candidate.lender] = position }
    }
    func rank(_ position: Int) -> (Int64, Int, Int) {
      let lender = candidates[position].lender
      return (-capacity[lender, default: 0], firstPosition[lender, default: 0], position)
    }
    return candidates.indices.sorted { rank($0) < rank($1) }.map { candidates[$0] }
  }

  /// Depth first over subsets, including before excluding, so that the first complete one is the earliest in order.
  private func search(_ candidates: [Candidate], upTo ceiling: Int64, _ work: inout Int) -> Choice {
    var best = Choice()
    var rest = [Int128](repeating: 0, count: candidates.count + 1)
    for position in candidates.indices.reversed() {
      rest[position] = rest[position + 1] + Int128(candidates[position].most)
    }
    var subset = Subset(freeSlots: freeSlots, usedLenders: usedLenders)
    var (position, steps) = (0, 0)
    defer { work += steps }
    var isPrefix = true
    let stepLimit = Self.searchSteps + 2 * candidates.count
    while true {
      while position < candidates.count, subset.most < target {
        steps += 1
        let candidate = candidates[position]
        let canInclude = subset.least + candidate.least <= target && subset.hasSlot(candidate.lender)
        if !canInclude || !include(candidate, position, in: &subset) { isPrefix = false }
        position += 1
      }
      steps += subset.entries.count
      let choice = fill(subset.entries.map { candidates[$0.position] })
      if choice.isBetter(than: best) { best = choice }
      // The whole prefix in order of price is the cheapest there is; with gaps a later subset may be cheaper.
      if steps > stepLimit || (isPrefix && best.total == ceiling) { return best }
      isPrefix = false
      // Back to the last inclusion whose exclusion can still lead to as much as the best.
      repeat {
        guard let last = subset.removeLast(candidates) else { return best }
        position = last + 1
      } while Int128(subset.most) + rest[position] < Int128(best.total)
    }
  }

  /// Adds the candidate with what it can give beside those included, less where they share an exposure limit; false
  /// where that is below its least piece.
  private func include(_ candidate: Candidate, _ position: Int, in subset: inout Subset) -> Bool {
    let most = most(candidate, left: candidate.most, subset.spent)
    guard most >= candidate.least else { return false }
    let before = candidate.exposure.map { subset.spent.byLender[candidate.lender] ?? $0 }
    var after = subset.spent
    spend(candidate, most, &after)
    subset.append(.init(position: position, most: most, spentBefore: before), candidate, after)
    return true
  }

  /// Every chosen candidate gives its least, in order of price; the rest of the target goes to the cheapest.
  private func fill(_ chosen: [Candidate]) -> Choice {
    let ordered = chosen.sorted { ($0.ask, $0.listing) < ($1.ask, $1.listing) }
    var parts: [(candidate: Candidate, quantity: Int64)] = []
    var spent = Spent()
    var left = target
    for candidate in ordered where candidate.least <= left {
      guard most(candidate, left: candidate.least, spent) == candidate.least else { continue }
      spend(candidate, candidate.least, &spent)
      parts.append((candidate, candidate.least))
      left -= candidate.least
    }
    for position in parts.indices where left > 0 {
      let (candidate, quantity) = parts[position]
      takeBack(candidate, quantity, &spent)
      let raised = max(quantity, most(candidate, left: quantity + left, spent))
      spend(candidate, raised, &spent)
      parts[position].quantity = raised
      left -= raised - quantity
    }
    return Choice(parts: parts, total: target - left)
  }

  /// The most the candidate can give of `left` beside what its lender has spent: a multiple of its step, at least 0.
  func most(_ candidate: Candidate, left: Int64, _ spent: Spent) -> Int64 {
    var most = min(candidate.most, left)
    if let licence = candidate.licence {
      most = min(most, state.licenceRoom[licence] - spent.byLicence[licence, default: 0])
    }
    if let exposure = candidate.exposure {
      let before = spent.byLender[candidate.lender] ?? exposure
      let room = Int128(min(before.limit, exposure.limit)) - before.principal
      most = min(most, state.book.units(within: room, from: candidate.listing))
    }
    return candidate.step == 1 ? most : most / candidate.step * candidate.step
  }

  /// Counts what the candidate gives where a limit that it shares with others can bind.
  func spend(_ candidate: Candidate, _ quantity: Int64, _ spent: inout Spent) {
    if let licence = candidate.licence { spent.byLicence[licence, default: 0] += quantity }
    guard let exposure = candidate.exposure else { return }
    let before = spent.byLender[candidate.lender] ?? exposure
    spent.byLender[candidate.lender] = Spending(
      principal: before.principal + state.book.principal(of: quantity, from: candidate.listing),
      limit: min(before.limit, exposure.limit))
  }

  /// Takes back what `spend` counted; the least limit stays.
  private func takeBack(_ candidate: Candidate, _ quantity: Int64, _ spent: inout Spent) {
    if let licence = candidate.licence { spent.byLicence[licence, default: 0] -= quantity }
    if candidate.exposure != nil {
      spent.byLender[candidate.lender]?.principal -= state.book.principal(of: quantity, from: candidate.listing)
    }
  }
}

/// What a choice of candidates takes of the limits that they share.
struct Spent {
  var byLender: [Int: Spending] = [:]
  /// Chips, by licence.
  var byLicence: [Int: Int64] = [:]
}

/// Principal of one lender to the startup being served, with the least limit of the listings that take part.
struct Spending {
  var principal: Int128
  var limit: Int64
}

/// A growing and shrinking choice of candidates.
private struct Subset {
  struct Entry {
    let position: Int
    let most: Int64
    /// What its lender had spent before it; nil where no limit can bind.
    let spentBefore: Spending?
  }

  private(set) var entries: [Entry] = []
  private(set) var least: Int64 = 0
  private(set) var most: Int64 = 0
  private(set) var spent = Spent()
  /// Entries of each lender new to the request; kept only where the number of lenders is limited.
  private var newLenders: [Int: Int] = [:]
  private let freeSlots: Int
  private let usedLenders: [Int]

  init(freeSlots: Int, usedLenders: [Int]) {
    self.freeSlots = freeSlots
    self.usedLenders = usedLenders
  }

  private func counts(_ lender: Int) -> Bool { freeSlots != Int.max && !usedLenders.contains(lender) }

  func hasSlot(_ lender: Int) -> Bool {
    !counts(lender) || newLenders[lender] != nil || newLenders.count < freeSlots
  }

  /// - Parameter after: what is spent with the entry.
  mutating func append(_ entry: Entry, _ candidate: Candidate, _ after: Spent) {
    entries.append(entry)
    least += candidate.least
    most += entry.most
    spent = after
    if counts(candidate.lender) { newLenders[candidate.lender, default: 0] += 1 }
  }

  /// The position of the entry removed; nil when there was none.
  mutating func removeLast(_ candidates: [Candidate]) -> Int? {
    guard let entry = entries.popLast() else { return nil }
    let candidate = candidates[entry.position]
    least -= candidate.least
    most -= entry.most
    if let before = entry.spentBefore { spent.byLender[candidate.lender] = before }
    if let licence = candidate.licence { spent.byLicence[licence, default: 0] -= entry.most }
    if let count = newLenders[candidate.lender], counts(candidate.lender) {
      newLenders[candidate.lender] = count == 1 ? nil : count - 1
    }
    return entry.position
  }
}
