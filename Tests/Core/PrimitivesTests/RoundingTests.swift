import Primitives
import PropertyKit
import Testing

@Suite("Rounding")
struct RoundingTests {
  /// Numerator over ten, and what half-even, half-up, down and up make of it.
  static let table: [(Int128, Int128, Int128, Int128, Int128)] = [
    (-25, -2, -3, -3, -2), (-21, -2, -2, -3, -2), (-20, -2, -2, -2, -2), (-19, -2, -2, -2, -1),
    (-15, -2, -2, -2, -1), (-14, -1, -1, -2, -1), (-6, -1, -1, -1, 0), (-5, 0, -1, -1, 0), (-4, 0, 0, -1, 0),
    (-1, 0, 0, -1, 0), (0, 0, 0, 0, 0), (1, 0, 0, 0, 1), (4, 0, 0, 0, 1), (5, 0, 1, 0, 1), (6, 1, 1, 0, 1),
    (14, 1, 1, 1, 2), (15, 2, 2, 1, 2), (16, 2, 2, 1, 2), (20, 2, 2, 2, 2), (24, 2, 2, 2, 3), (25, 2, 3, 2, 3),
    (26, 3, 3, 2, 3), (35, 4, 4, 3, 4),
  ]

  @Test("tenths round as the table says, negative ones and ties among them", arguments: table)
  func tenths(numerator: Int128, halfEven: Int128, halfUp: Int128, down: Int128, up: Int128) throws {
    #expect(try numerator.divided(by: 10, rounding: .halfEven) == halfEven)
    #expect(try numerator.divided(by: 10, rounding: .halfUp) == halfUp)
    #expect(try numerator.divided(by: 10, rounding: .down) == down)
    #expect(try numerator.divided(by: 10, rounding: .up) == up)
  }

  @Test("every small quotient meets the definition of its rounding", arguments: Rounding.allCases)
  func definition(rounding: Rounding) throws {
    for divisor in Int128(1)...24 {
      for numerator in Int128(-240)...240 {
        let quotient = try numerator.divided(by: divisor, rounding: rounding)
        let rest = numerator - quotient * divisor
        let meets =
          switch rounding {
          case .down: rest >= 0 && rest < divisor
          case .up: rest <= 0 && rest > -divisor
          case .halfEven: 2 * abs(rest) < divisor || (2 * abs(rest) == divisor && quotient % 2 == 0)
          case .halfUp:
            2 * abs(rest) < divisor || (2 * abs(rest) == divisor && abs(quotient * divisor) > abs(numerator))
          }
        #expect(meets, "\(numerator) / \(divisor) = \(quotient)")
      }
    }
  }

  @Test("a divisor that is not positive is refused", arguments: Rounding.allCases)
  func badDivisor(rounding: Rounding) {
    #expect(throws: ArithmeticOverflow()) { try Int128(1).divided(by: 0, rounding: rounding) }
    #expect(throws: ArithmeticOverflow()) { try Int128(1).divided(by: -1, rounding: rounding) }
    #expect(throws: ArithmeticOverflow()) { try Int128.min.divided(by: -1, rounding: rounding) }
  }

  @Test("the ends of 128 bits divide without a trap", arguments: Rounding.allCases)
  func extremes(rounding: Rounding) throws {
    #expect(try Int128.max.divided(by: 1, rounding: rounding) == Int128.max)
    #expect(try Int128.min.divided(by: 1, rounding: rounding) == Int128.min)
    #expect(try Int128.min.divided(by: 2, rounding: rounding) == -(Int128(1) << 126))
    #expect(try Int128.max.divided(by: .max, rounding: rounding) == 1)
    let nearlyMinusOne = try Int128.min.divided(by: .max, rounding: rounding)
    #expect(nearlyMinusOne == (rounding == .down ? -2 : -1))
    // 2^127 - 1 over 2 is a tie between 2^126 - 1, odd, and 2^126.
    let half = try Int128.max.divided(by: 2, rounding: rounding)
    #expect(half == (rounding == .down ? (Int128(1) << 126) - 1 : Int128(1) << 126))
  }

  @Test("results outside 64 bits are refused, the ends are not")
  func asInt64() throws {
    #expect(try Int128(Int64.max).asInt64() == .max)
    #expect(try Int128(Int64.min).asInt64() == .min)
    #expect(throws: ArithmeticOverflow()) { try (Int128(Int64.max) + 1).asInt64() }
    #expect(throws: ArithmeticOverflow()) { try (Int128(Int64.min) - 1).asInt64() }
  }

  @Test("the names of roundings are those that contracts store")
  func names() {
    #expect(Rounding.allCases.map(\.rawValue) == ["half_even", "half_up", "down", "up"])
  }
}

@Suite("Largest remainder")
struct LargestRemainderTests {
  /// A total, its weights, and the shares.
  static let splits: [(Int64, [Int64], [Int64])] = [
    (100, [1, 1, 1], [34, 33, 33]), (2, [1, 1, 1], [1, 1, 0]), (0, [1, 2], [0, 0]), (10, [0, 3, 0], [0, 10, 0]),
    (7, [1, 2, 4], [1, 2, 4]), (1, [1, 2], [0, 1]), (5, [3, 3], [3, 2]), (10, [6, 6, 3], [4, 4, 2]),
    (1_000, [5_000, 3_333, 1_667], [500, 333, 167]),
  ]

  @Test("units left over go to the largest remainders, ties to the earlier position", arguments: splits)
  func known(total: Int64, weights: [Int64], shares: [Int64]) throws {
    #expect(try largestRemainderShares(of: total, weights: weights) == shares)
  }

  @Test("nothing is split among nobody; something is not")
  func empty() throws {
    #expect(try largestRemainderShares(of: 0, weights: []) == [])
    #expect(try largestRemainderShares(of: 0, weights: [0, 0]) == [0, 0])
    #expect(throws: ArithmeticOverflow()) { try largestRemainderShares(of: 1, weights: []) }
    #expect(throws: ArithmeticOverflow()) { try largestRemainderShares(of: 1, weights: [0, 0]) }
  }

  @Test("negative totals and weights are refused")
  func negative() {
    #expect(throws: ArithmeticOverflow()) { try largestRemainderShares(of: -1, weights: [1]) }
    #expect(throws: ArithmeticOverflow()) { try largestRemainderShares(of: 1, weights: [2, -1]) }
    #expect(throws: ArithmeticOverflow()) { try largestRemainderShares(of: .min, weights: [.min]) }
  }

  @Test("the largest totals over the largest weights are split without a trap")
  func extremes() throws {
    let all = [Int64](repeating: .max, count: 1_000)
    let shares = try largestRemainderShares(of: .max, weights: all)
    #expect(shares.reduce(0, +) == .max)
    #expect((shares.max() ?? 0) - (shares.min() ?? 0) == 1)
    #expect(try largestRemainderShares(of: .max, weights: [.max]) == [.max])
    #expect(try largestRemainderShares(of: .max, weights: [.max, 1]) == [.max - 1, 1])
    #expect(try largestRemainderShares(of: 1, weights: all) == [1] + [Int64](repeating: 0, count: 999))
  }

  @Test("shares sum to the total, stay within one unit of the quota, and follow the order of the weights")
  func properties() throws {
    try forAll(seeds: 1...1_500) { random in
      let small = random.oneIn(2)
      let weights = (0..<random.int(in: 1...12)).map { _ in
        small ? random.int64(in: 0...9) : random.edgyNatural()
      }
      let total = small ? random.int64(in: 0...60) : random.edgyNatural()
      let sum = weights.reduce(Int128(0)) { $0 + Int128($1) }
      guard sum > 0 else { return }
      let shares = try largestRemainderShares(of: total, weights: weights)
      let context = "\(total) over \(weights) gave \(shares)"
      try hold(shares.reduce(Int128(0)) { $0 + Int128($1) } == Int128(total), "sum: \(context)")
      for (share, weight) in zip(shares, weights) {
        let (claimed, overflow) = Int128(share).multipliedReportingOverflow(by: sum)
        try hold(!overflow && abs(claimed - Int128(total) * Int128(weight)) < sum, "quota: \(context)")
        try hold(weight > 0 || share == 0, "a weight of zero got units: \(context)")
      }
      for later in weights.indices {
        for earlier in weights.indices where earlier < later && weights[earlier] == weights[later] {
          try hold(shares[earlier] >= shares[later], "tie: \(context)")
        }
        for other in weights.indices where weights[other] > weights[later] {
          try hold(shares[other] >= shares[later], "order: \(context)")
        }
      }
    }
  }
}
