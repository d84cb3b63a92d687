import Primitives

/// Jain's index of the filled shares of the requests that crossed with a listing, in basis points, rounded down.
///
/// With x the share of a request that was filled, the index is (sum of x)^2 / (n x sum of x^2): it does not depend on
/// the size of requests. A request that no price or rule let near a listing is not counted: nobody treated it unevenly.
/// Without any request the market is even: 10,000.
func fairness(_ allocations: [Allocation], _ leftovers: [Leftover]) -> Int64 {
  var filled: [LoanRequestID: Int128] = [:]
  for allocation in allocations { filled[allocation.request, default: 0] += Int128(allocation.quantity) }
  // Shares in basis points: with 10^7 requests the square of their sum stays within 10^22.
  var sum: Int128 = 0
  var squares: Int128 = 0
  var count: Int128 = 0
  for leftover in leftovers {
    guard case .request(let id) = leftover.order else { continue }
    let got = filled.removeValue(forKey: id) ?? 0
    let crossed = leftover.reasons.contains { $0.constraint.comesAfterPrice }
    guard got > 0 || crossed else { continue }
    let wanted = got + Int128(max(0, leftover.remaining))
    let share = wanted > 0 ? got * 10_000 / wanted : 10_000
    sum += share
    squares += share * share
    count += 1
  }
  let whole = Int128(filled.count)
  sum += whole * 10_000
  squares += whole * 100_000_000
  count += whole
  return squares == 0 ? (count == 0 ? 10_000 : 0) : Int64(sum * sum * 10_000 / (count * squares))
}

extension MatchConstraint {
  /// Whether a pair that failed here had crossed in price and in every term.
  fileprivate var comesAfterPrice: Bool {
    rank > MatchConstraint.rate.rank && self != .noCounterOrders
  }
}
