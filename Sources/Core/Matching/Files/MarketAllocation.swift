import StrictJSON

/// Chips of one listing lent to one request.
package struct MarketAllocation: Sendable, Hashable {
  /// Position in the file's listings.
  package let listing: Int32
  /// Position in the file's requests.
  package let request: Int32
  package let quantity: Int64
  package let rateBps: Int64

  package init(listing: Int32, request: Int32, quantity: Int64, rateBps: Int64) {
    self.listing = listing
    self.request = request
    self.quantity = quantity
    self.rateBps = rateBps
  }

  /// One JSON object with its line end, as `--allocations` writes it.
  package func write(of file: MarketFile, to buffer: inout [UInt8]) {
    buffer.append(contentsOf: "{\"listing\":".utf8)
    Self.quote(file.listingIDs[listing], &buffer)
    buffer.append(contentsOf: ",\"request\":".utf8)
    Self.quote(file.requestIDs[request], &buffer)
    buffer.append(contentsOf: ",\"quantity\":\(quantity),\"rate_bps\":\(rateBps)}\n".utf8)
  }

  private static func quote(_ text: String, _ buffer: inout [UInt8]) {
    var writer = JSONWriter(capacity: 32)
    writer.string(text)
    buffer.append(contentsOf: writer.bytes)
  }
}

extension MarketFlow {
  /// Who gets whose chips at which rate, by class. An optimum says only how many chips each listing lends and each
  /// request gets of a class; within it those who pay more, then the earlier, get the cheaper asks, then the earlier.
  /// - Parameter clearing: one whose certificate holds.
  package func allocations(of clearing: FlowClearing, in file: MarketFile) -> [MarketAllocation] {
    let sellers = Self.grouped(market.listings.count, classes.count) {
      clearing.sold[$0] > 0 ? Int(market.listings[$0].classIndex) : nil
    }
    let buyers = Self.grouped(clearing.fills.count, classes.count) { Int(clearing.fills[$0].classIndex) }
    var allocations: [MarketAllocation] = []
    allocations.reserveCapacity(sellers.items.count + buyers.items.count)
    for number in classes.indices {
      var asks = Array(sellers.items[sellers.first[number]..<sellers.first[number + 1]])
      asks.sort { (market.listings[Int($0)].ask, $0) < (market.listings[Int($1)].ask, $1) }
      var bids = Array(buyers.items[buyers.first[number]..<buyers.first[number + 1]])
      // Fills are in order of requests, and those in order of sequence.
      bids.sort { (-value(clearing, $0), $0) < (-value(clearing, $1), $1) }
      guard let dearest = asks.last, let lowest = bids.last else { continue }
      let rate = rate(
        of: number, clearing, file, highestAsk: market.listings[Int(dearest)].ask, lowestValue: value(clearing, lowest))
      var next = 0
      var left = clearing.sold[Int(asks[0])]
      for bid in bids {
        let fill = clearing.fills[Int(bid)]
        var wanted = fill.quantity
        while wanted > 0, next < asks.count {
          let quantity = min(wanted, left)
          allocations.append(
            MarketAllocation(
              listing: listings[Int(asks[next])], request: requests[Int(fill.request)], quantity: quantity,
              rateBps: rate))
          wanted -= quantity
          left -= quantity
          if left == 0 {
            next += 1
            left = next < asks.count ? clearing.sold[Int(asks[next])] : 0
          }
        }
      }
    }
    return allocations
  }

  private func value(_ clearing: FlowClearing, _ fill: Int32) -> Int64 {
    market.claims[Int(clearing.fills[Int(fill)].claim)].value
  }

  /// The one rate of a class: the middle of its dual interval, to the nearest basis point and half down, held between
  /// the highest ask and the lowest limit matched in it.
  private func rate(
    of number: Int, _ clearing: FlowClearing, _ file: MarketFile, highestAsk: Int64, lowestValue: Int64
  ) -> Int64 {
    let unitValue = file.chips[Int(classes[number].chip)].unitValue
    let (least, most) = (highestAsk / unitValue, lowestValue / unitValue)
    let low = Int128(max(clearing.lowPrices[number], highestAsk))
    let high = Int128(min(clearing.highPrices[number], lowestValue))
    // (low + high) / 2 unit values, half down: the ceiling of that less one half. All terms are at least 0.
    let twice = low + high - Int128(unitValue)
    let middle = twice <= 0 ? 0 : (twice + 2 * Int128(unitValue) - 1) / (2 * Int128(unitValue))
    return min(max(Int64(middle), least), most)
  }

  /// Items by class, in order: a counting sort.
  private static func grouped(
    _ count: Int, _ classCount: Int, _ classOf: (Int) -> Int?
  ) -> (first: [Int], items: [Int32]) {
    var first = [Int](repeating: 0, count: classCount + 1)
    for item in 0..<count { if let number = classOf(item) { first[number + 1] += 1 } }
    for number in 0..<classCount { first[number + 1] += first[number] }
    var next = first
    var items = [Int32](repeating: 0, count: first[classCount])
    for item in 0..<count {
      guard let number = classOf(item) else { continue }
      items[next[number]] = Int32(item)
      next[number] += 1
    }
    return (first, items)
  }
}
