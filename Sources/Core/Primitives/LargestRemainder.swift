/// Splits a total into integer shares in proportion to weights; the shares always sum to the total.
///
/// Largest remainder (Hamilton): each gets the floor of its exact quota, the units left go one each to the largest
/// remainders, ties to the earlier position (the caller orders positions, by loan id for a waterfall).
/// - Parameters:
///   - total: units to split, at least 0.
///   - weights: at least 0 each; their sum may be anything above 0 when the total is above 0.
/// - Returns: one share a weight; a weight of 0 gets 0.
/// - Throws: `ArithmeticOverflow` for negative input, or a positive total over weights that sum to 0.
package func largestRemainderShares(
  of total: Int64, weights: [Int64]
) throws(ArithmeticOverflow) -> [Int64] {
  guard total >= 0, weights.allSatisfy({ $0 >= 0 }) else { throw ArithmeticOverflow() }
  let sum = weights.reduce(Int128(0)) { $0 + Int128($1) }
  if total == 0 { return weights.map { _ in 0 } }
  guard sum > 0 else { throw ArithmeticOverflow() }
  var shares: [Int64] = []
  var remainders: [(position: Int, remainder: Int128)] = []
  var left = Int128(total)
  shares.reserveCapacity(weights.count)
  for (position, weight) in weights.enumerated() {
    let (floor, remainder) = (Int128(total) * Int128(weight)).quotientAndRemainder(dividingBy: sum)
    shares.append(try floor.asInt64())
    left -= floor
    remainders.append((position, remainder))
  }
  remainders.sort { $0.remainder != $1.remainder ? $0.remainder > $1.remainder : $0.position < $1.position }
  // The sum of the fractional parts is `left`, so `left` is below the number of positive remainders.
  for entry in remainders.prefix(Int(left)) { shares[entry.position] += 1 }
  return shares
}
