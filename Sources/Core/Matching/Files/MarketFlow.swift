/// A market file as a flow problem, and the way back from its positions to those of the file.
package struct MarketFlow: Sendable {
  /// What listings have in common that every request sees alike.
  package struct Class: Sendable, Hashable {
    package let chip: Int32
    package let region: Int32
    package let minTermDays: Int32
    package let maxTermDays: Int32
  }

  package let market: FlowMarket
  /// By class, in order of chip, region and terms.
  package let classes: [Class]
  /// By position in the flow market, the position in the file. The flow market is in order of sequence.
  package let listings: [Int32]
  package let requests: [Int32]
  /// Arcs from a class to a request: the size of the same market without lists.
  package let arcCount: Int

  /// Ignores least quantities and limits on lenders: for a file that has them the optimum is an upper bound.
  /// - Throws: when the file's terms differ so much that their lists would fill the memory.
  package init(_ file: MarketFile) throws(MarketFileFault) {
    listings = Self.order(file.listings.count) { file.listings[$0].sequence }
    requests = Self.order(file.requests.count) { file.requests[$0].sequence }
    let classOf = Self.classes(of: file)
    classes = classOf.classes
    var builder = ListBuilder(file, classes)
    var claims: [FlowMarket.Claim] = []
    claims.reserveCapacity(file.acceptable.count)
    var firstClaim = [0]
    firstClaim.reserveCapacity(requests.count + 1)
    var arcs = 0
    for position in requests {
      let request = file.requests[Int(position)]
      let interval = builder.interval(of: request.termDays)
      for entry in file.acceptable[file.firstAcceptable[Int(position)]..<file.firstAcceptable[Int(position) + 1]] {
        let list = try builder.list(chip: entry.chip, regionSet: request.regionSet, interval: interval)
        guard let list else { continue }
        let value = file.chips[Int(entry.chip)].unitValue * Int64(entry.maxRateBps)
        claims.append(FlowMarket.Claim(list: list, value: value))
        arcs += builder.firstMember[Int(list) + 1] - builder.firstMember[Int(list)]
      }
      firstClaim.append(claims.count)
    }
    arcCount = arcs
    market = FlowMarket(
      classCount: classes.count,
      listings: listings.map { position in
        let listing = file.listings[Int(position)]
        return FlowMarket.Listing(
          classIndex: classOf.number[Int(position)],
          ask: file.chips[Int(listing.chip)].unitValue * Int64(listing.askRateBps), quantity: listing.quantity)
      },
      claims: claims, firstClaim: firstClaim, wanted: requests.map { file.requests[Int($0)].quantity },
      members: builder.members, firstMember: builder.firstMember)
  }

  /// Positions in order of sequence, then of the file. Files mostly are in this order already.
  private static func order(_ count: Int, _ sequence: (Int) -> Int64) -> [Int32] {
    var order = (0..<Int32(count)).map { $0 }
    let isSorted = (0..<max(count - 1, 0)).allSatisfy { sequence($0) <= sequence($0 + 1) }
    if !isSorted { order.sort { (sequence(Int($0)), $0) < (sequence(Int($1)), $1) } }
    return order
  }

  private static func classes(of file: MarketFile) -> (classes: [Class], number: [Int32]) {
    var seen: [Class: Int32] = [:]
    var found: [Class] = []
    var number: [Int32] = []
    number.reserveCapacity(file.listings.count)
    for listing in file.listings {
      let key = Class(
        chip: listing.chip, region: listing.region, minTermDays: listing.minTermDays, maxTermDays: listing.maxTermDays)
      if let known = seen[key] {
        number.append(known)
      } else {
        number.append(Int32(found.count))
        seen[key] = Int32(found.count)
        found.append(key)
      }
    }
    let order = found.indices.sorted {
      let (left, right) = (found[$0], found[$1])
      return (left.chip, left.region, left.minTermDays, left.maxTermDays)
        < (right.chip, right.region, right.minTermDays, right.maxTermDays)
    }
    var rank = [Int32](repeating: 0, count: found.count)
    for (position, index) in order.enumerated() { rank[index] = Int32(position) }
    for index in number.indices { number[index] = rank[Int(number[index])] }
    return (order.map { found[$0] }, number)
  }
}

/// Makes the lists of classes that requests see, equal ones once.
private struct ListBuilder {
  private struct Key: Hashable {
    let chip: Int32
    let regionSet: Int32
    let interval: Int32
  }

  private let classes: [MarketFlow.Class]
  private let regionSets: [[Int32]]
  /// The classes of chip `c` are `firstOfChip[c]..<firstOfChip[c + 1]`.
  private var firstOfChip: [Int]
  /// Terms at which some class begins or ceases to fit, ascending: terms between two of them see the same classes.
  private let bounds: [Int32]
  /// -1 for a list without classes.
  private var known: [Key: Int32] = [:]
  private var numbers: [[Int32]: Int32] = [:]
  private(set) var members: [Int32] = []
  private(set) var firstMember = [0]
  /// Classes looked at.
  private var work = 0
  /// Work and memory that an honest market is far below: 100,000 x 100,000 orders take less than a million.
  private static let mostWork = 4_000_000_000
  private static let mostMembers = 400_000_000

  init(_ file: MarketFile, _ classes: [MarketFlow.Class]) {
    self.classes = classes
    regionSets = file.regionSets
    firstOfChip = [Int](repeating: 0, count: file.chips.count + 1)
    for entry in classes { firstOfChip[Int(entry.chip) + 1] += 1 }
    for chip in file.chips.indices { firstOfChip[chip + 1] += firstOfChip[chip] }
    let ends = classes.map(\.maxTermDays).filter { $0 < Int32.max }.map { $0 + 1 }
    bounds = Set(classes.map(\.minTermDays) + ends).sorted()
  }

  /// Between which bounds a term lies.
  func interval(of term: Int32) -> Int32 {
    var (low, high) = (0, bounds.count)
    while low < high {
      let middle = low + (high - low) / 2
      if bounds[middle] <= term { low = middle + 1 } else { high = middle }
    }
    return Int32(low)
  }

  /// The list of the classes of a chip in these regions that fit a term of the interval; nil when there are none.
  mutating func list(chip: Int32, regionSet: Int32, interval: Int32) throws(MarketFileFault) -> Int32? {
    let key = Key(chip: chip, regionSet: regionSet, interval: interval)
    if let number = known[key] { return number < 0 ? nil : number }
    var fitting: [Int32] = []
    if interval > 0 {
      let term = bounds[Int(interval) - 1]
      for region in regionSets[Int(regionSet)] { append(to: &fitting, chip: chip, region: region, term: term) }
    }
    guard work <= Self.mostWork, members.count + fitting.count <= Self.mostMembers else {
      throw MarketFileFault(line: nil, "terms and regions differ too much among the orders of this market")
    }
    let number = fitting.isEmpty ? -1 : number(of: fitting)
    known[key] = number
    return number < 0 ? nil : number
  }

  /// Classes are in order of chip and region: those of one region are found by bisection.
  private mutating func append(to fitting: inout [Int32], chip: Int32, region: Int32, term: Int32) {
    let end = firstOfChip[Int(chip) + 1]
    var (low, high) = (firstOfChip[Int(chip)], end)
    while low < high {
      let middle = low + (high - low) / 2
      if classes[middle].region < region { low = middle + 1 } else { high = middle }
    }
    while low < end, classes[low].region == region {
      if classes[low].minTermDays <= term, term <= classes[low].maxTermDays { fitting.append(Int32(low)) }
      low += 1
      work += 1
    }
    work += 1
  }

  private mutating func number(of fitting: [Int32]) -> Int32 {
    if let number = numbers[fitting] { return number }
    let number = Int32(firstMember.count - 1)
    numbers[fitting] = number
    members.append(contentsOf: fitting)
    firstMember.append(members.count)
    return number
  }
}
