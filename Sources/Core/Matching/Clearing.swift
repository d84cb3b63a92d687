import Primitives

/// The rule of this engine by name and version; a record replays only under the rule that made it.
package let matchEngineVersion = "optimum-2"

/// Clears the market: a pure function of the snapshot, the same bytes on every machine and for every order of input.
///
/// **The most surplus.** Chips go where the sum over all of unit value x (limit - ask) is greatest under every
/// constraint (`Optimum`); the result says how far that is proved. Of equal optima one that lends the most chips is
/// taken, and of orders that see and offer the same, the better price goes first, then the earlier. Fills may be
/// partial and come from several lenders; no pair is matched twice. A request whose least useful quantity is out of
/// reach takes nothing.
///
/// **One rate for each class** (chip model, region, delivery mode, legal form, term bucket, credit grade): the
/// midpoint, half down, of the rates at which the class would trade just as it does: at least every ask matched, at
/// most every limit, and within the dual interval, the prices that support the optimum. So a class with chips left
/// over clears at the ask of what is left, and nobody pays for a scarcity that is not there.
package func clear(_ snapshot: MatchSnapshot) -> MatchRoundResult {
  let book = MatchBook(snapshot, fittingLimit: 0)
  return MatchRoundResult(book, Optimum(book).settle())
}

/// Clears by price, then time, until a pass stands: the allocation to beat, and the answer where nothing better is
/// found.
///
/// For each chip the request with the higher limit goes first, then the earlier; it takes the cheapest asks first, then
/// the earlier. A request tries its acceptable chips in the order it states them, each at that chip's own limit, and
/// queues for a substitute never ahead of where it queued for what it prefers. One that falls short of its least useful
/// quantity only later, since others went first at its substitutes, gives everything back: the round runs again without
/// it, so that those behind it get what they would have got. One left out before others is tried once more. `same_model`
/// takes the first stated chip, `same_site` the site that gives most. Where the cheapest prefix cannot fill a request
/// for its pieces, multiples, exposure or lenders, a bounded search looks for a set that can (`FillPlan`).
///
/// Where constraints have let a dear ask and a low limit into one class that cannot share a rate, the class is held to
/// the rate at which the most surplus trades, as in a call auction, the pairs that do not embrace it are left out
/// there, and the round runs again.
///
/// Rerunning is bounded, by passes and by work counted in pairs and steps; the last pass admits to a class only what
/// can share a rate with what is in it. Every result, whichever pass it comes from, keeps every constraint; only the
/// fairness of what is given back late is bounded.
struct Clearing {
  private let book: MatchBook
  private static let passLimit = 64
  /// So few that fall short are left out one at a time, the first first: without it the others may do. Of more, half
  /// are left out at once, or each would cost a pass.
  private static let singleExclusions = 4
  private static let readmissions = 8
  /// Work, over all passes, after which the next pass is the last: well under a second.
  static let usualWorkLimit = 2_500_000
  private let workLimit: Int

  init(_ book: MatchBook, workLimit: Int = usualWorkLimit) {
    self.book = book
    self.workLimit = workLimit
  }

  func settle() -> RoundPass {
    var heldRates: [ClassKey: Int64] = [:]
    var leftOut: [Int] = []
    var readmitted: Set<Int> = []
    var work = 0
    for _ in 0..<Self.passLimit where work < workLimit {
      let pass = run(heldRates, leftOut, isLast: false)
      work += pass.work
      let clashing = pass.state.ratesOfClashingClasses()
      let short = pass.fallenShort
      if !clashing.isEmpty {
        heldRates.merge(clashing) { held, _ in held }
      } else if !short.isEmpty {
        leftOut += short.prefix(short.count <= Self.singleExclusions ? 1 : short.count / 2)
      } else if readmitted.count < Self.readmissions,
        let again = leftOut.dropLast().firstIndex(where: { !readmitted.contains($0) })
      {
        // Left out before another was, whose chips may be what it lacked.
        readmitted.insert(leftOut.remove(at: again))
      } else {
        return pass
      }
    }
    return run(heldRates, leftOut, isLast: true)
  }

  private func run(_ heldRates: [ClassKey: Int64], _ leftOut: [Int], isLast: Bool) -> RoundPass {
    var pass = RoundPass(book, heldRates: heldRates, leftOut: Set(leftOut), isLast: isLast)
    pass.run()
    return pass
  }
}

/// Chips of one class that would trade between an ask and a limit, `ask <= limit`.
struct ClassTrade {
  let ask: Int64
  let limit: Int64
  let quantity: Int64
}

/// The rate that the most surplus embraces; between equals the lowest such ask decides. The midpoint, half down, of the
/// highest ask and lowest limit that embrace it.
///
/// Surplus within a class is quantity x (limit - ask): all its chips have one unit value. It can only rise at an ask,
/// so asks are the only candidates. `trades` is not empty.
func callAuctionRate(_ trades: [ClassTrade]) -> Int64 {
  let byAsk = trades.sorted { $0.ask < $1.ask }
  let byLimit = trades.sorted { $0.limit < $1.limit }
  func surplus(_ trade: ClassTrade) -> Int128 { Int128(trade.quantity) * Int128(trade.limit - trade.ask) }
  var best: (ask: Int64, surplus: Int128, quantity: Int128) = (0, -1, -1)
  var (entered, left) = (0, 0)
  var (surplusIn, quantityIn): (Int128, Int128) = (0, 0)
  while entered < byAsk.count {
    let ask = byAsk[entered].ask
    while entered < byAsk.count, byAsk[entered].ask == ask {
      surplusIn += surplus(byAsk[entered])
      quantityIn += Int128(byAsk[entered].quantity)
      entered += 1
    }
    while left < byLimit.count, byLimit[left].limit < ask {
      surplusIn -= surplus(byLimit[left])
      quantityIn -= Int128(byLimit[left].quantity)
      left += 1
    }
    if (surplusIn, quantityIn) > (best.surplus, best.quantity) { best = (ask, surplusIn, quantityIn) }
  }
  let limits = trades.lazy.filter { $0.ask <= best.ask && $0.limit >= best.ask }.map(\.limit)
  return midpoint(best.ask, limits.min() ?? best.ask)
}

/// Halfway between two rates of at most 10^6, a half rounded down.
func midpoint(_ ask: Int64, _ limit: Int64) -> Int64 { ask + (limit - ask) / 2 }
