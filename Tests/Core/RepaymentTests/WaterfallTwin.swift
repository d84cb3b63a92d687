import Primitives
import Repayment

/// The waterfall once more, minor unit by minor unit, from the contract's words: for small amounts and every feature. No
/// share is computed by division: coins are dripped, prices are searched for, ties are looked at one by one.
struct WaterfallTwin {
  struct Paid: Hashable {
    let loan: LoanID
    let step: WaterfallStep
  }

  private(set) var paid: [Paid: Int64] = [:]
  private(set) var declinedParts: [Paid: Int64] = [:]
  private(set) var premiums: [LoanID: Int64] = [:]
  private(set) var purse: Int64

  private let receipt: Int64
  private let rules: WaterfallDefinition
  private let declined: Set<LoanID>
  private var waiting: Int64 = 0
  private var toBorrower: Int64 = 0
  private var principalGone: [LoanID: Int64] = [:]
  private var takenByStep: [WaterfallStep: Int64] = [:]
  private var takenByRank: [Int64: Int64] = [:]

  init(_ receipt: Int64, _ rules: WaterfallDefinition, _ claims: [Claim], own: Set<LoanID>, declined: Set<LoanID>) {
    self.purse = receipt
    self.receipt = receipt
    self.rules = rules
    self.declined = declined
    let isAbsent = { (claim: Claim) in rules.decline?.goesTo == .sameRank && declined.contains(claim.loanID) }
    // A place in the queue: own chips or not, acceded or not, rank.
    var places: [[Int64]: [Claim]] = [:]
    for claim in claims where !isAbsent(claim) {
      let isOwn = rules.ownLoansFirst && own.contains(claim.loanID)
      places[[isOwn ? 0 : 1, claim.hasAcceded ? 0 : 1, claim.rank], default: []].append(claim)
    }
    for tier in [0, 1] as [Int64] {
      let keys = places.keys.filter { $0[0] == tier }.sorted { ($0[1], $0[2]) < ($1[1], $1[2]) }
      if rules.order == .rankThenStep {
        for key in keys {
          for rule in rules.rules { pay(rule, places[key] ?? []) }
          passOn()
        }
      } else {
        for rule in rules.rules {
          for key in keys {
            pay(rule, places[key] ?? [])
            passOn()
          }
        }
      }
    }
    purse += toBorrower
    if rules.rules.contains(where: { $0.step == .prepayment }) {
      for claim in claims where !declined.contains(claim.loanID) {
        let premium = premium(claim)
        if premium > 0 { premiums[claim.loanID] = premium }
      }
    }
  }

  private mutating func passOn() {
    purse += waiting
    waiting = 0
  }

  private mutating func pay(_ rule: WaterfallDefinition.StepRule, _ claims: [Claim]) {
    guard let first = claims.first else { return }
    var budget = purse
    if let cap = rule.cap { budget = min(budget, most(cap) - takenByStep[rule.step, default: 0]) }
    if first.hasAcceded, let cap = rules.rankCaps.first(where: { $0.rank == first.rank })?.cap {
      budget = min(budget, most(cap) - takenByRank[first.rank, default: 0])
    }
    let wants = claims.map { (claim: $0, amount: want(rule.step, $0)) }.filter { $0.amount > 0 }
    var bowls: [LoanID: Int64] = [:]
    if rule.sharing == .sequential {
      let queue = wants.sorted { ($0.claim.sequence, $0.claim.loanID) < ($1.claim.sequence, $1.claim.loanID) }
      for want in queue {
        while budget > 0, bowls[want.claim.loanID, default: 0] < want.amount {
          bowls[want.claim.loanID, default: 0] += 1
          budget -= 1
        }
      }
    } else {
      bowls = drip(min(budget, wants.reduce(0) { $0 + $1.amount }), wants)
    }
    for want in wants { hand(bowls[want.claim.loanID] ?? 0, of: want.amount, rule.step, want.claim) }
  }

  /// For each coin, everyone's counter rises by what it wants; a counter that reaches the sum of wants is one coin. Coins
  /// that are left go to the highest counters.
  private func drip(_ coins: Int64, _ wants: [(claim: Claim, amount: Int64)]) -> [LoanID: Int64] {
    let sum = wants.reduce(0) { $0 + $1.amount }
    var counters: [LoanID: Int64] = [:]
    var bowls: [LoanID: Int64] = [:]
    var left = coins
    for _ in 0..<max(0, coins) {
      for want in wants {
        counters[want.claim.loanID, default: 0] += want.amount
        if counters[want.claim.loanID, default: 0] >= sum {
          counters[want.claim.loanID, default: 0] -= sum
          bowls[want.claim.loanID, default: 0] += 1
          left -= 1
        }
      }
    }
    while left > 0 {
      var best: LoanID?
      for want in wants {
        let id = want.claim.loanID
        guard let present = best else {
          best = id
          continue
        }
        let (mine, other) = (counters[id, default: 0], counters[present, default: 0])
        if mine > other || (mine == other && id < present) { best = id }
      }
      guard let best else { break }
      counters[best] = -1
      bowls[best, default: 0] += 1
      left -= 1
    }
    return bowls
  }

  private mutating func hand(_ coins: Int64, of wanted: Int64, _ step: WaterfallStep, _ claim: Claim) {
    guard coins > 0 else { return }
    purse -= coins
    takenByStep[step, default: 0] += coins
    if claim.hasAcceded { takenByRank[claim.rank, default: 0] += coins }
    if step == .principal {
      // The most principal that the coins pay.
      var principal = claim.due.principal
      while price(principal, claim) > coins { principal -= 1 }
      principalGone[claim.loanID] = principal
    }
    let key = Paid(loan: claim.loanID, step: step)
    if declined.contains(claim.loanID) {
      declinedParts[key] = coins
      if rules.decline?.goesTo == .nextRank { waiting += coins } else { toBorrower += coins }
    } else {
      paid[key] = coins
    }
  }

  private func most(_ cap: WaterfallDefinition.Cap) -> Int64 {
    switch cap {
    case .amount(let amount): return amount
    case .share(let share):
      var coins: Int64 = 0
      while (coins + 1) * 10_000 <= receipt * share.value { coins += 1 }
      return coins
    }
  }

  private func want(_ step: WaterfallStep, _ claim: Claim) -> Int64 {
    switch step {
    case .charges: claim.due.charges
    case .tax: claim.due.tax
    case .fee: claim.due.fee
    case .principal: price(claim.due.principal, claim)
    case .prepayment: claim.due.prepayment + premium(claim)
    }
  }

  private func price(_ principal: Int64, _ claim: Claim) -> Int64 {
    guard claim.prepayment.value < 0, rules.rules.contains(where: { $0.step == .prepayment }) else { return principal }
    var rebate: Int64 = 0
    while (rebate + 1) * 10_000 <= principal * -claim.prepayment.value { rebate += 1 }
    return principal - rebate
  }

  private func premium(_ claim: Claim) -> Int64 {
    guard claim.prepayment.value > 0 else { return 0 }
    let exact = principalGone[claim.loanID, default: 0] * claim.prepayment.value
    var premium: Int64 = 0
    while (premium + 1) * 10_000 <= exact { premium += 1 }
    let rest = exact - premium * 10_000
    if rest > 5_000 || (rest == 5_000 && premium % 2 == 1) { premium += 1 }
    return premium
  }
}
