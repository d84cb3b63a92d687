/// Clears a flow market at the optimum, by an auction over classes in which equal goods move together.
///
/// A price stands at every class. At all times, exactly: each request holds chips of classes that are best for it at
/// these prices, or lacks chips where the best is worth no more than nothing; each class has sold what is asked below
/// its price and nothing asked above it. What may differ meanwhile is how much of a class is held and how much of it is
/// sold: its *excess*. Two moves bring excess to zero without ever giving up the rest:
///
/// - chips change hands along *ties*: a holder that would as soon have chips of another class takes those;
/// - where no tie leads to a place that wants them, the price of all classes that ties lead to moves, together and in
///   one step, to where just enough holders or listings come or go. Moving tied classes one by one instead, as auctions
///   do, is a price war: measured, forty times the work.
///
/// Excess all zero is primal feasibility; the rest is complementary slackness; together the optimum. Each price move
/// lowers the dual objective, an integer, and between two of them total excess only falls, so it ends.
///
/// It begins at the prices at which a quarter of the orders clear, found the same way: the work of the last step is
/// then what the sample got wrong, which grows with the square root of the market. Time is near-linear in the orders
/// and independent of how many pairs they make.
struct FlowAuction {
  /// Chips of one class in the hands of one request.
  struct Holding {
    let request: Int32
    let claim: Int32
    let classIndex: Int32
    /// Where it stands in its class's list of holdings.
    var slot: Int32
    /// The next holding of the same request, -1 for none.
    var next: Int32
    var quantity: Int64
  }

  /// Something that a price move of the classes reached brings about.
  struct Shift {
    /// How far the prices move until then, at least 0.
    let distance: Int64
    let quantity: Int64
    /// The holding that moves; `Shift.lack` for a request that lacks chips; below 0 a listing of class `-1 - holding`.
    let holding: Int32
    /// The claim under which it will be held, -1 for none.
    let claim: Int32

    static let lack = Int32.max
  }

  /// A holder of chips of `from` would as soon have, under `claim`, those of the class that the tie is listed with.
  struct Tie {
    let from: Int32
    let holding: Int32
    let request: Int32
    let claim: Int32
  }

  let market: FlowMarket
  var prices: [Int64]
  /// Held less sold.
  var excess: [Int64]

  // The listings of a class, the cheapest first: what is sold is a prefix.
  let ladderStart: [Int]
  let ladder: [Int32]
  let asks: [Int64]
  let quantities: [Int64]
  /// For each class the first place in the ladder that is not wholly sold, and the chips of it that are.
  var rung: [Int]
  var soldOfRung: [Int64]

  var holdings: [Holding] = []
  private var spareHoldings: [Int32] = []
  var holdingsOfClass: [[Int32]]
  var firstHolding: [Int32]
  var lacking: [Int64]

  // Lists seen from classes, claims seen from lists.
  let listsOfClass: [Int32]
  let firstList: [Int]
  let requestOfClaim: [Int32]
  let claimsOfList: [Int32]
  let firstClaimOfList: [Int]
  private var cheapest: [Int64]
  private var isStale: [Bool]

  // Of the search under way: classes reached, and how each was.
  var reached: [Int32] = []
  var isReached: [Bool]
  var cameFrom: [Int32]
  var cameBy: [Int32]
  var cameUnder: [Int32]
  var stamp: Int32 = 0
  var listSeen: [Int32]
  var sideSeen: [Int32]
  var sidePrice: [Int64]
  var sideClass: [Int32]
  var shifts: [Shift] = []
  var ties: [[Tie]]
  var tiesSeen: PairSet
  private var cursor = 0
  /// For each list a place in `claimsOfList`, -1 for none.
  var lackers: [Int]
  /// The value of that claim, and the greatest of those of a class's lists.
  var lackerValues: [Int64]
  var lackerValuesOfClass: [Int64]

  /// More than any price, and small enough to be added to one.
  static let unreachable = Int64.max / 4
  /// Passes after which no price falls on ties that may be out of date; by then the excess left is small.
  private static let loosePasses = 40

  init(_ market: FlowMarket) {
    self.market = market
    let classes = market.classCount
    prices = [Int64](repeating: 0, count: classes)
    excess = [Int64](repeating: 0, count: classes)
    (ladderStart, ladder) = Self.grouped(market.listings.map(\.classIndex), count: classes) { left, right in
      let (first, second) = (market.listings[Int(left)].ask, market.listings[Int(right)].ask)
      return first != second ? first < second : left < right
    }
    asks = ladder.map { market.listings[Int($0)].ask }
    quantities = ladder.map { market.listings[Int($0)].quantity }
    rung = Array(ladderStart.dropLast())
    soldOfRung = [Int64](repeating: 0, count: classes)

    holdingsOfClass = [[Int32]](repeating: [], count: classes)
    firstHolding = [Int32](repeating: -1, count: market.requestCount)
    lacking = market.wanted

    var owners = [Int32](repeating: 0, count: market.claims.count)
    for request in 0..<market.requestCount {
      for claim in market.firstClaim[request]..<market.firstClaim[request + 1] {
        owners[claim] = Int32(truncatingIfNeeded: request)
      }
    }
    requestOfClaim = owners
    (firstClaimOfList, claimsOfList) = Self.grouped(market.claims.map(\.list), count: market.listCount)
    var listOfMember = [Int32](repeating: 0, count: market.members.count)
    for list in 0..<market.listCount {
      for place in market.firstMember[list]..<market.firstMember[list + 1] {
        listOfMember[place] = Int32(truncatingIfNeeded: list)
      }
    }
    let (starts, places) = Self.grouped(market.members, count: classes)
    firstList = starts
    listsOfClass = places.map { listOfMember[Int($0)] }
    cheapest = [Int64](repeating: 0, count: market.listCount)
    isStale = [Bool](repeating: true, count: market.listCount)

    isReached = [Bool](repeating: false, count: classes)
    cameFrom = [Int32](repeating: -1, count: classes)
    cameBy = [Int32](repeating: -1, count: classes)
    cameUnder = [Int32](repeating: -1, count: classes)
    listSeen = [Int32](repeating: 0, count: market.listCount)
    sideSeen = [Int32](repeating: 0, count: market.listCount)
    sidePrice = [Int64](repeating: 0, count: market.listCount)
    sideClass = [Int32](repeating: -1, count: market.listCount)
    ties = [[Tie]](repeating: [], count: classes)
    tiesSeen = PairSet(side: classes)
    lackers = [Int](repeating: -1, count: market.listCount)
    lackerValues = [Int64](repeating: .min, count: market.listCount)
    lackerValuesOfClass = [Int64](repeating: .min, count: classes)
  }

  /// Positions by the key each has: those of key `k` are `places[starts[k]..<starts[k + 1]]`, ascending or as ordered.
  private static func grouped(
    _ keys: [Int32], count: Int, by precedes: ((Int32, Int32) -> Bool)? = nil
  ) -> (starts: [Int], places: [Int32]) {
    var starts = [Int](repeating: 0, count: count + 1)
    for key in keys { starts[Int(key) + 1] += 1 }
    for index in 0..<count { starts[index + 1] += starts[index] }
    var places = [Int32](repeating: 0, count: keys.count)
    var fill = starts
    for (position, key) in keys.enumerated() {
      places[fill[Int(key)]] = Int32(truncatingIfNeeded: position)
      fill[Int(key)] += 1
    }
    if let precedes {
      for index in 0..<count { places[starts[index]..<starts[index + 1]].sort(by: precedes) }
    }
    return (starts, places)
  }

  // MARK: the whole

  /// - Parameter start: prices to begin at, one a class; nil begins where each class's cheapest listing is asked.
  mutating func run(from start: [Int64]?) {
    if let start {
      prices = start
    } else {
      for index in prices.indices {
        // Nothing is listed in the class: nobody can want it.
        prices[index] = ladderStart[index] < ladderStart[index + 1] ? asks[ladderStart[index]] : Self.unreachable / 2
      }
    }
    place()
    var passes = 0
    while true {
      while let index = nextWithExcess() { settle(index) }
      if !excess.contains(where: { $0 < 0 }) { break }
      passes += 1
      relieve(onFreshTiesOnly: passes > Self.loosePasses)
    }
  }

  /// Sells what is asked below the price, and gives every request the best there is; where several classes are equally
  /// good, the one with the most chips left.
  private mutating func place() {
    for index in prices.indices {
      while rung[index] < ladderStart[index + 1], asks[rung[index]] < prices[index] {
        excess[index] -= quantities[rung[index]]
        rung[index] += 1
      }
    }
    for request in 0..<market.requestCount {
      let claims = market.firstClaim[request]..<market.firstClaim[request + 1]
      var gain: Int64 = 0
      for claim in claims {
        gain = max(gain, market.claims[claim].value - cheapestPrice(of: Int(market.claims[claim].list)))
      }
      if gain == 0 { continue }
      while lacking[request] > 0 {
        var (best, under) = (Int32(-1), 0)
        var least = Int64.max
        for claim in claims {
          let list = Int(market.claims[claim].list)
          let level = market.claims[claim].value - gain
          if cheapestPrice(of: list) != level { continue }
          for place in market.firstMember[list]..<market.firstMember[list + 1] {
            let member = market.members[place]
            if prices[Int(member)] == level, excess[Int(member)] < least {
              (best, under, least) = (member, claim, excess[Int(member)])
            }
          }
        }
        let quantity = least < 0 ? min(lacking[request], -least) : lacking[request]
        lacking[request] -= quantity
        hold(Int32(truncatingIfNeeded: request), Int32(truncatingIfNeeded: under), best, quantity)
      }
    }
  }

  /// The next class, round and round, of which more is held than sold.
  private mutating func nextWithExcess() -> Int? {
    for _ in prices.indices {
      if excess[cursor] > 0 { return cursor }
      cursor = cursor + 1 == prices.count ? 0 : cursor + 1
    }
    return nil
  }

  // MARK: prices

  func value(_ claim: Int32) -> Int64 { market.claims[Int(claim)].value }

  mutating func cheapestPrice(of list: Int) -> Int64 {
    if isStale[list] {
      isStale[list] = false
      var least = Self.unreachable
      for place in market.firstMember[list]..<market.firstMember[list + 1] {
        least = min(least, prices[Int(market.members[place])])
      }
      cheapest[list] = least
    }
    return cheapest[list]
  }

  /// Moves the prices of all classes reached.
  mutating func movePrices(by change: Int64) {
    for node in reached {
      let index = Int(node)
      prices[index] += change
      for place in firstList[index]..<firstList[index + 1] { isStale[Int(listsOfClass[place])] = true }
    }
  }

  mutating func beginSearch(at index: Int) {
    for node in reached { isReached[Int(node)] = false }
    reached.removeAll(keepingCapacity: true)
    reached.append(Int32(truncatingIfNeeded: index))
    isReached[index] = true
    cameFrom[index] = -1
  }

  // MARK: who holds what

  mutating func hold(_ request: Int32, _ claim: Int32, _ classIndex: Int32, _ quantity: Int64) {
    let index = Int(classIndex)
    excess[index] += quantity
    var position = firstHolding[Int(request)]
    while position >= 0 {
      if holdings[Int(position)].classIndex == classIndex && holdings[Int(position)].claim == claim {
        holdings[Int(position)].quantity += quantity
        return
      }
      position = holdings[Int(position)].next
    }
    let holding = Holding(
      request: request, claim: claim, classIndex: classIndex,
      slot: Int32(truncatingIfNeeded: holdingsOfClass[index].count), next: firstHolding[Int(request)],
      quantity: quantity)
    let place = spareHoldings.popLast() ?? Int32(truncatingIfNeeded: holdings.count)
    if Int(place) == holdings.count { holdings.append(holding) } else { holdings[Int(place)] = holding }
    firstHolding[Int(request)] = place
    holdingsOfClass[index].append(place)
  }

  mutating func release(_ position: Int32, _ quantity: Int64) {
    let holding = holdings[Int(position)]
    let index = Int(holding.classIndex)
    excess[index] -= quantity
    holdings[Int(position)].quantity -= quantity
    if quantity < holding.quantity { return }
    if let last = holdingsOfClass[index].popLast(), last != position {
      holdingsOfClass[index][Int(holding.slot)] = last
      holdings[Int(last)].slot = holding.slot
    }
    let request = Int(holding.request)
    if firstHolding[request] == position {
      firstHolding[request] = holding.next
    } else {
      var before = firstHolding[request]
      while before >= 0, holdings[Int(before)].next != position { before = holdings[Int(before)].next }
      if before >= 0 { holdings[Int(before)].next = holding.next }
    }
    spareHoldings.append(position)
  }

  mutating func sell(_ index: Int, _ quantity: Int64) {
    excess[index] -= quantity
    var left = quantity
    while left > 0 {
      let sold = min(left, quantities[rung[index]] - soldOfRung[index])
      left -= sold
      soldOfRung[index] += sold
      if soldOfRung[index] == quantities[rung[index]] {
        rung[index] += 1
        soldOfRung[index] = 0
      }
    }
  }

  mutating func takeBack(_ index: Int, _ quantity: Int64) {
    excess[index] += quantity
    var left = quantity
    while left > 0 {
      if soldOfRung[index] == 0 {
        rung[index] -= 1
        soldOfRung[index] = quantities[rung[index]]
      }
      let back = min(left, soldOfRung[index])
      left -= back
      soldOfRung[index] -= back
    }
  }

  /// The place in the ladder of the dearest listing of which chips are sold, and how many of its chips are.
  func lastSold(_ index: Int) -> (place: Int, quantity: Int64)? {
    if soldOfRung[index] > 0 { return (rung[index], soldOfRung[index]) }
    // A listing of no chips is passed over: nothing of it is sold.
    var place = rung[index]
    while place > ladderStart[index] {
      place -= 1
      if quantities[place] > 0 { return (place, quantities[place]) }
    }
    return nil
  }

  // MARK: the outcome

  var fills: [FlowClearing.Fill] {
    var fills: [FlowClearing.Fill] = []
    for holding in holdings where holding.quantity > 0 {
      fills.append(
        FlowClearing.Fill(
          request: holding.request, claim: holding.claim, classIndex: holding.classIndex, quantity: holding.quantity))
    }
    fills.sort { ($0.request, $0.claim, $0.classIndex) < ($1.request, $1.claim, $1.classIndex) }
    return fills
  }

  var sold: [Int64] {
    var sold = [Int64](repeating: 0, count: market.listings.count)
    for index in prices.indices {
      for place in ladderStart[index]..<rung[index] { sold[Int(ladder[place])] = quantities[place] }
      if soldOfRung[index] > 0 { sold[Int(ladder[rung[index]])] = soldOfRung[index] }
    }
    return sold
  }
}

/// Pairs of indices below one bound: bits where these fit, a hash set where they do not.
struct PairSet {
  private let side: Int
  private var bits: [UInt64]
  private var rest: Set<Int> = []
  /// 32 MiB of bits: 16,384 on a side.
  private static let largestBits = 1 << 22

  init(side: Int) {
    self.side = side
    let words = (side * side + 63) / 64
    bits = [UInt64](repeating: 0, count: words <= Self.largestBits ? words : 0)
  }

  mutating func removeAll() {
    rest.removeAll(keepingCapacity: true)
    for index in bits.indices { bits[index] = 0 }
  }

  /// Adds a pair; false where it was there.
  mutating func insert(_ first: Int, _ second: Int) -> Bool {
    let place = first * side + second
    if bits.isEmpty { return rest.insert(place).inserted }
    let bit = UInt64(1) << UInt64(truncatingIfNeeded: place & 63)
    if bits[place >> 6] & bit != 0 { return false }
    bits[place >> 6] |= bit
    return true
  }
}
