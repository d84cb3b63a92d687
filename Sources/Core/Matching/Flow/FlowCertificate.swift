import Primitives

/// Proof that a clearing is an optimum: one price for a chip of each class. Checked by what follows from linear
/// programming duality alone, in exact integers; it shares no code with any solver and trusts none.
package struct FlowCertificate: Sendable, Hashable {
  /// By class, minor units x basis points.
  package let prices: [Int64]

  package init(prices: [Int64]) { self.prices = prices }

  /// The first reason why these prices do not prove that the clearing is feasible and an optimum, or nil: they do.
  package func failure(of clearing: FlowClearing, in market: FlowMarket) -> String? {
    guard prices.count == market.classCount else { return "\(prices.count) prices for \(market.classCount) classes" }
    do throws(ArithmeticOverflow) {
      var flow = [Int128](repeating: 0, count: market.classCount)
      var objective: Int128 = 0
      if let reason = try listingFailure(clearing, market, &flow, &objective) { return reason }
      if let reason = try requestFailure(clearing, market, &flow, &objective) { return reason }
      if let position = flow.firstIndex(where: { $0 != 0 }) {
        return "class \(position): \(flow[position]) more chips are sold than filled"
      }
      guard clearing.objective == objective else {
        return "objective: \(clearing.objective) is stated, \(objective) is what the fills are worth"
      }
      let bound = try bound(of: market)
      guard bound == objective else { return "bound: the prices allow \(bound), the clearing reaches \(objective)" }
      return nil
    } catch {
      return "a sum leaves 128 bits"
    }
  }

  /// What no allocation of this market can exceed, whatever the prices are (weak duality): what all listings and all
  /// requests would gain if each could trade at these prices.
  package func bound(of market: FlowMarket) throws(ArithmeticOverflow) -> Int128 {
    var sum: Int128 = 0
    for listing in market.listings {
      let gain = Int128(prices[Int(listing.classIndex)]) - Int128(listing.ask)
      if gain > 0 { sum = try sum.adding(product(gain, listing.quantity)) }
    }
    let cheapest = cheapestPrices(market)
    for request in 0..<market.requestCount {
      if let best = bestGain(request, market, cheapest), best > 0 {
        sum = try sum.adding(product(best, market.wanted[request]))
      }
    }
    return sum
  }

  /// Every listing lends what it has at most; all of it below the price of its class, none of it above.
  private func listingFailure(
    _ clearing: FlowClearing, _ market: FlowMarket, _ flow: inout [Int128], _ objective: inout Int128
  ) throws(ArithmeticOverflow) -> String? {
    guard clearing.sold.count == market.listings.count else {
      return "\(clearing.sold.count) quantities sold for \(market.listings.count) listings"
    }
    for (position, listing) in market.listings.enumerated() {
      let (sold, price) = (clearing.sold[position], prices[Int(listing.classIndex)])
      guard sold >= 0, sold <= listing.quantity else {
        return "listing \(position): \(sold) chips of \(listing.quantity) are sold"
      }
      if sold > 0, listing.ask > price { return "listing \(position): sells at \(price), which is below its ask" }
      if sold < listing.quantity, listing.ask < price {
        return "listing \(position): is not sold out at \(price), which is above its ask"
      }
      flow[Int(listing.classIndex)] = try flow[Int(listing.classIndex)].adding(Int128(sold))
      objective = try objective.subtracting(product(Int128(listing.ask), sold))
    }
    return nil
  }

  /// Every request gets at most what it wants, from classes on its lists, each chip as good for it as any; all it wants
  /// where a chip is a gain.
  private func requestFailure(
    _ clearing: FlowClearing, _ market: FlowMarket, _ flow: inout [Int128], _ objective: inout Int128
  ) throws(ArithmeticOverflow) -> String? {
    let cheapest = cheapestPrices(market)
    var next = 0
    for request in 0..<market.requestCount {
      let best = bestGain(request, market, cheapest)
      var filled: Int128 = 0
      while next < clearing.fills.count, clearing.fills[next].request == request {
        let fill = clearing.fills[next]
        guard next == 0 || Self.precedes(clearing.fills[next - 1], fill) else {
          return "fill \(next): not behind the one before it in order of request, claim, class"
        }
        guard fill.claim >= market.firstClaim[request], fill.claim < market.firstClaim[request + 1] else {
          return "fill \(next): claim \(fill.claim) is not one of request \(request)"
        }
        let claim = market.claims[Int(fill.claim)]
        guard Self.has(market, claim.list, fill.classIndex) else {
          return "fill \(next): class \(fill.classIndex) is not on list \(claim.list)"
        }
        guard fill.quantity > 0 else { return "fill \(next): \(fill.quantity) chips" }
        let gain = Int128(claim.value) - Int128(prices[Int(fill.classIndex)])
        guard gain >= 0, gain == best else {
          return "fill \(next): gains \(gain) a chip, the best of request \(request) is \(best ?? 0)"
        }
        filled = try filled.adding(Int128(fill.quantity))
        flow[Int(fill.classIndex)] = try flow[Int(fill.classIndex)].subtracting(Int128(fill.quantity))
        objective = try objective.adding(product(Int128(claim.value), fill.quantity))
        next += 1
      }
      guard filled <= market.wanted[request] else {
        return "request \(request): gets \(filled) chips of \(market.wanted[request])"
      }
      if filled < market.wanted[request], let best, best > 0 {
        return "request \(request): is not filled though a chip gains it \(best)"
      }
    }
    return next == clearing.fills.count ? nil : "fill \(next): its request is unknown or out of order"
  }

  /// The price of the cheapest class of each list; nil for a list without classes.
  private func cheapestPrices(_ market: FlowMarket) -> [Int64?] {
    (0..<market.listCount).map { list in
      market.members[market.firstMember[list]..<market.firstMember[list + 1]].lazy.map { prices[Int($0)] }.min()
    }
  }

  /// The most that one more chip gains a request, below 0 for a loss; nil when no class is on its lists.
  private func bestGain(_ request: Int, _ market: FlowMarket, _ cheapest: [Int64?]) -> Int128? {
    var best: Int128?
    for claim in market.claims[market.firstClaim[request]..<market.firstClaim[request + 1]] {
      guard let price = cheapest[Int(claim.list)] else { continue }
      let gain = Int128(claim.value) - Int128(price)
      if best.map({ gain > $0 }) ?? true { best = gain }
    }
    return best
  }

  private func product(_ price: Int128, _ quantity: Int64) throws(ArithmeticOverflow) -> Int128 {
    let (value, overflow) = price.multipliedReportingOverflow(by: Int128(quantity))
    if overflow { throw ArithmeticOverflow() }
    return value
  }

  private static func precedes(_ left: FlowClearing.Fill, _ right: FlowClearing.Fill) -> Bool {
    (left.request, left.claim, left.classIndex) < (right.request, right.claim, right.classIndex)
  }

  /// Whether a class is on a list, by bisection.
  private static func has(_ market: FlowMarket, _ list: Int32, _ wanted: Int32) -> Bool {
    var (low, high) = (market.firstMember[Int(list)], market.firstMember[Int(list) + 1])
    while low < high {
      let middle = low + (high - low) / 2
      if market.members[middle] < wanted { low = middle + 1 } else { high = middle }
    }
    return low < market.firstMember[Int(list) + 1] && market.members[low] == wanted
  }
}
