import Primitives
import Repayment

/// The waterfall again, written from the contract's words without sight of the product: a purse and a table of debts,
/// one unit handed out after the other where shares do not come out even.
struct NaiveWaterfall {
  struct Key: Hashable {
    let loan: LoanID
    let step: String
  }

  private(set) var paid: [Key: Int64] = [:]
  private(set) var purse: Int64

  /// Pays everything in the purse by rank, then charges, fee, principal (or step first, with `stepFirst`).
  init(purse: Int64, claims: [Claim], stepFirst: Bool = false) {
    self.purse = purse
    let ranks = Set(claims.map(\.rank)).sorted()
    let steps = ["charges", "fee", "principal"]
    let pairs =
      stepFirst
      ? steps.flatMap { step in ranks.map { (rank: $0, step: step) } }
      : ranks.flatMap { rank in steps.map { (rank: rank, step: $0) } }
    for pair in pairs {
      var debts: [LoanID: Int64] = [:]
      for claim in claims where claim.rank == pair.rank {
        let amounts = ["charges": claim.due.charges, "fee": claim.due.fee, "principal": claim.due.principal]
        debts[claim.loanID] = amounts[pair.step]
      }
      pay(debts, step: pair.step)
    }
  }

  private mutating func pay(_ debts: [LoanID: Int64], step: String) {
    let total = debts.values.reduce(Int128(0)) { $0 + Int128($1) }
    if total == 0 { return }
    if Int128(purse) >= total {
      for (loan, debt) in debts where debt > 0 { give(debt, to: loan, step) }
      return
    }
    let toShare = Int128(purse)
    // What each would get to the fraction of a unit, as a numerator over `total`; whole units are given, then one each
    // to whoever lacks most of the next unit.
    var wanting = debts.mapValues { Int128($0) * toShare }
    for loan in debts.keys {
      let whole = Int64((wanting[loan] ?? 0) / total)
      wanting[loan] = (wanting[loan] ?? 0) - Int128(whole) * total
      if whole > 0 { give(whole, to: loan, step) }
    }
    while purse > 0 {
      var best: LoanID?
      for (loan, lack) in wanting {
        guard let other = best, let most = wanting[other] else {
          best = loan
          continue
        }
        if lack > most || (lack == most && loan < other) { best = loan }
      }
      guard let best else { return }
      wanting[best] = -1
      give(1, to: best, step)
    }
  }

  private mutating func give(_ amount: Int64, to loan: LoanID, _ step: String) {
    paid[Key(loan: loan, step: step), default: 0] += amount
    purse -= amount
  }
}
