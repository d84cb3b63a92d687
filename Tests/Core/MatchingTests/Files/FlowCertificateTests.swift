import Matching
import Testing

/// A clearing and prices of the market below, mostly with one thing wrong.
struct Doctored: Sendable, CustomTestStringConvertible {
  var sold: [Int64] = [5, 1, 4]
  var fills = [
    FlowClearing.Fill(request: 0, claim: 0, classIndex: 0, quantity: 6),
    FlowClearing.Fill(request: 1, claim: 2, classIndex: 1, quantity: 4),
  ]
  var objective: Int128 = 122
  var prices: [Int64] = [20, 18]
  let reason: String

  init(_ reason: String, _ change: (inout Doctored) -> Void) {
    self.reason = reason
    change(&self)
  }

  var testDescription: String { reason }

  /// Class 0: 5 chips at 10 and 5 at 20; class 1: 4 at 15. One request wants 6, at 30 from class 0 or at 25 from
  /// class 1; one wants 6 at 18 from either. The optimum is 5 x 20 + 10 + 4 x 3.
  static let market = FlowMarket(
    classCount: 2,
    listings: [
      FlowMarket.Listing(classIndex: 0, ask: 10, quantity: 5), FlowMarket.Listing(classIndex: 0, ask: 20, quantity: 5),
      FlowMarket.Listing(classIndex: 1, ask: 15, quantity: 4),
    ],
    claims: [
      FlowMarket.Claim(list: 0, value: 30), FlowMarket.Claim(list: 1, value: 25), FlowMarket.Claim(list: 2, value: 18),
    ], firstClaim: [0, 2, 3], wanted: [6, 6], members: [0, 1, 0, 1], firstMember: [0, 1, 2, 4])

  var failure: String? {
    let clearing = FlowClearing(sold: sold, fills: fills, lowPrices: prices, highPrices: prices, objective: objective)
    return FlowCertificate(prices: prices).failure(of: clearing, in: Self.market)
  }
}

@Suite("A certificate proves an optimum") struct FlowCertificateTests {
  private typealias Fill = FlowClearing.Fill

  static let all: [Doctored] = [
    Doctored("1 prices for 2 classes") { $0.prices = [20] },
    Doctored("2 quantities sold for 3 listings") { $0.sold = [5, 1] },
    Doctored("listing 0: 6 chips of 5") { $0.sold[0] = 6 },
    Doctored("listing 1: -1 chips of 5") { $0.sold[1] = -1 },
    Doctored("listing 1: sells at 19, which is below its ask") { $0.prices[0] = 19 },
    Doctored("listing 1: is not sold out at 21, which is above its ask") { $0.prices[0] = 21 },
    Doctored("listing 0: is not sold out at 20") { $0.sold = [4, 2, 4] },
    Doctored("listing 2: is not sold out at 18") { $0.sold = [5, 1, 3] },
    Doctored("class 0: -1 more chips are sold than filled") { $0.sold[1] = 0 },
    Doctored("class 0: 1 more chips are sold than filled") { $0.sold[1] = 2 },
    Doctored("request 0: gets 7 chips of 6") {
      $0.fills[0] = FlowClearing.Fill(request: 0, claim: 0, classIndex: 0, quantity: 7)
    },
    Doctored("request 0: is not filled though a chip gains it 10") {
      $0.fills[0] = FlowClearing.Fill(request: 0, claim: 0, classIndex: 0, quantity: 5)
    },
    Doctored("request 0: is not filled though a chip gains it 10") { $0.fills.removeFirst() },
    Doctored("class 1: 4 more chips are sold than filled") { $0.fills.removeLast() },
    Doctored("fill 1: gains 8 a chip, the best of request 0 is 10") {
      $0.prices[1] = 17; $0.fills[1] = FlowClearing.Fill(request: 0, claim: 1, classIndex: 1, quantity: 1)
    },
    Doctored("fill 1: gains -1 a chip") { $0.prices[1] = 19 },
    Doctored("request 1: is not filled though a chip gains it 1") { $0.prices[1] = 17 },
    Doctored("fill 1: class 0 is not on list 1") {
      $0.fills.insert(FlowClearing.Fill(request: 0, claim: 1, classIndex: 0, quantity: 1), at: 1)
    },
    Doctored("fill 1: claim 1 is not one of request 1") {
      $0.fills[1] = FlowClearing.Fill(request: 1, claim: 1, classIndex: 1, quantity: 4)
    },
    Doctored("fill 1: -4 chips") {
      $0.fills[1] = FlowClearing.Fill(request: 1, claim: 2, classIndex: 1, quantity: -4)
    },
    Doctored("fill 1: not behind the one before it") { $0.fills.insert($0.fills[0], at: 1) },
    Doctored("request 0: is not filled though a chip gains it 10") { $0.fills.swapAt(0, 1) },
    Doctored("fill 2: its request is unknown or out of order") {
      $0.fills.append(FlowClearing.Fill(request: 2, claim: 2, classIndex: 1, quantity: 1))
    },
    Doctored("objective: 123 is stated, 122 is what the fills are worth") { $0.objective = 123 },
  ]

  @Test("and a doctored one is refused with its reason", arguments: all)
  func refused(_ doctored: Doctored) throws {
    let failure = try #require(doctored.failure)
    #expect(failure.hasPrefix(doctored.reason), "\(failure)")
  }

  @Test("and a true one stands")
  func stands() throws {
    #expect(Doctored("", { _ in }).failure == nil)
    #expect(try FlowCertificate(prices: [20, 18]).bound(of: Doctored.market) == 122)
  }

  @Test("whatever the prices, no objective is above their bound")
  func weakDuality() throws {
    for first in stride(from: Int64(-5), through: 40, by: 3) {
      for second in stride(from: Int64(-5), through: 40, by: 3) {
        #expect(try FlowCertificate(prices: [first, second]).bound(of: Doctored.market) >= 122)
      }
    }
  }

  @Test("sums beyond 128 bits are refused, not wrapped")
  func wide() {
    let market = FlowMarket(
      classCount: 1,
      listings: (0..<3).map { _ in FlowMarket.Listing(classIndex: 0, ask: .max, quantity: .max) }, claims: [],
      firstClaim: [0], wanted: [], members: [], firstMember: [0])
    let clearing = FlowClearing(
      sold: [.max, .max, .max], fills: [], lowPrices: [], highPrices: [], objective: 0)
    #expect(FlowCertificate(prices: [.max]).failure(of: clearing, in: market) == "a sum leaves 128 bits")
  }
}
