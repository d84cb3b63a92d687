import Primitives

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
func cappedShares(of total: Int64, weights: [Int64], caps: [Int64]) throws(ArithmeticOverflow) -> [Int64] {
  guard total >= 0, weights.count == caps.count, zip(weights, caps).allSatisfy({ $1 >= 0 && $1 <= $0 }) else {
    throw ArithmeticOverflow()
  }
  let capacity = caps.reduce(Int128(0)) { $0 + Int128($1) }
  if Int128(total) >= capacity { return caps }
  var shares = [Int64](repeating: 0, count: weights.count)
  var open = caps.indices.filter { caps[$0] > 0 }
  var left = total
  while true {
    let weightOpen = open.reduce(Int128(0)) { $0 + Int128(weights[$1]) }
    var stillOpen: [Int] = []
    var spent: Int64 = 0
    for index in open {
      let part = Int128(left) * Int128(weights[index])
      if part > (try Int128(caps[index]).multiplied(by: weightOpen)) {
        shares[index] = caps[index]
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
  for (index, part) in zip(open, parts) { shares[index] = part }
  return shares
}
