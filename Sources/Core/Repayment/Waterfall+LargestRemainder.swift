import Primitives

/// One part of a division, with the exact part that it was rounded from.
struct ExactShare: Sendable, Hashable {
  let amount: Int64
  /// `numerator / denominator` is the part before rounding; the denominator is above 0. Not reduced: read so, it says
  /// what was divided by what.
  let numerator: Int128
  let denominator: Int128
  /// Whether the cap gave the amount, not the proportion.
  let isCapped: Bool
}

/// Splits a total in proportion to weights, but gives none more than its cap: water fills the vessels evenly until one
/// is full, then the others rise faster. The shares sum to the total, or to all caps when these are less.
///
/// The exact solution is `min(cap, level * weight)` for one common level; it is found by closing, as long as there are
/// any, the positions whose proportional part of what is left exceeds their cap (the level only rises by that, so
/// none has to be opened again). The rest is split by largest remainder, which cannot pass a cap either: it rounds an
/// exact part up only to the next integer, and the cap is an integer that is not below that part.
/// - Parameters:
///   - total: at least 0.
///   - weights: at least 0.
///   - caps: as many as weights; each at least 0 and at most its weight, so that a weight of 0 takes nothing.
/// - Throws: `ArithmeticOverflow` when these do not hold, or products pass Int128: not with a thousand parts below
///   10^17 each.
func cappedShares(of total: Int64, weights: [Int64], caps: [Int64]) throws(ArithmeticOverflow) -> [ExactShare] {
  guard total >= 0, weights.count == caps.count, zip(weights, caps).allSatisfy({ $1 >= 0 && $1 <= $0 }) else {
    throw ArithmeticOverflow()
  }
  var shares = caps.map { ExactShare(amount: $0, numerator: Int128($0), denominator: 1, isCapped: true) }
  let capacity = caps.reduce(Int128(0)) { $0 + Int128($1) }
  if Int128(total) >= capacity { return shares }
  var open = caps.indices.filter { caps[$0] > 0 }
  var left = total
  var weightOpen: Int128 = 0
  while true {
    weightOpen = open.reduce(Int128(0)) { $0 + Int128(weights[$1]) }
    var stillOpen: [Int] = []
    var spent: Int64 = 0
    for index in open {
      let part = Int128(left) * Int128(weights[index])
      if part > (try Int128(caps[index]).multiplied(by: weightOpen)) {
        spent += caps[index]
      } else {
        stillOpen.append(index)
      }
    }
    if stillOpen.count == open.count { break }
    // Each closed cap is below its part of `left`, so together they are too.
    left -= spent
    open = stillOpen
  }
  let parts = try largestRemainderShares(of: left, weights: open.map { weights[$0] })
  for (index, part) in zip(open, parts) {
    shares[index] = ExactShare(
      amount: part, numerator: Int128(left) * Int128(weights[index]), denominator: weightOpen, isCapped: false)
  }
  return shares
}
