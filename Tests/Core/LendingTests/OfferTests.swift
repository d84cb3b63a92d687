import Lending
import Primitives
import PropertyKit
import Testing

private typealias F = LendingFixtures

@Suite("Offers")
struct OfferTests {
  @Test("each outcome ends a pending offer in its time, and is refused otherwise with nothing changed")
  func table() throws {
    let expiresAt = try F.time("2026-02-01T12:00:00Z")
    let moments = try [expiresAt.adding(seconds: -1), expiresAt, expiresAt.adding(seconds: 1)].map { try #require($0) }
    for state in OfferState.allCases {
      for outcome in OfferState.allCases {
        for now in moments {
          var offer = try F.offer(state: state, expiresAt: expiresAt)
          let before = offer
          let refusal: LendingRefusal? =
            if state != .pending || outcome == .pending {
              .illegalState(object: "offer", state: state.rawValue, act: outcome.rawValue)
            } else if outcome == .lapsed {
              now < expiresAt ? .offerNotExpired(expiresAt) : nil
            } else {
              now < expiresAt ? nil : .offerLapsed(expiresAt)
            }
          if let refusal {
            #expect(throws: refusal, "\(state) \(outcome) \(now)") { try offer.conclude(outcome, at: now) }
            #expect(offer == before)
          } else {
            try offer.conclude(outcome, at: now)
            #expect(offer.state == outcome, "\(state) \(outcome) \(now)")
          }
        }
      }
    }
  }

  /// Quantity, mark, advance rate in basis points, principal in minor units.
  static let principals: [(Int64, Int64, Int64, Int64)] = [
    (512, 1_000_000, 8_000, 409_600_000), (1, 1, 10_000, 1), (1, 1, 5_000, 0), (1, 3, 5_000, 2), (1, 5, 5_000, 2),
    (3, 5, 5_000, 8), (1, 1, 5_001, 1), (7, 999, 3_333, 2_331), (1, 0, 8_000, 0), (512, 1_000_000, 0, 0),
    // Rounded once over all units: 1,000 chips of half a cent each are five dollars, not zero.
    (1_000, 1, 5_000, 500), (10_000_000, 100_000_000, 10_000, 1_000_000_000_000_000),
    (10_000_000, 100_000_000, 9_999, 999_900_000_000_000),
  ]

  @Test("the principal is quantity x mark x advance rate, rounded half-even once", arguments: principals)
  func principal(quantity: Int64, mark: Int64, advance: Int64, principal: Int64) throws {
    let offer = try F.offer(
      quantity: quantity, mark: mark, advanceRate: BasisPoints(advance), expiresAt: .epoch)
    #expect(try offer.principal() == Money(principal, .usd))
  }

  @Test("a principal past 64 bits is refused, not trapped")
  func principalOverflow() throws {
    let sizes: [(Int64, Int64, Int64)] = [
      (.max, 2, 1), (10_000_000, Money.largestAccepted, 10_000), (2, .max, 10_000), (1, .max, 10_001),
    ]
    for (quantity, mark, advance) in sizes {
      let offer = try F.offer(quantity: quantity, mark: mark, advanceRate: BasisPoints(advance), expiresAt: .epoch)
      #expect(throws: ArithmeticOverflow()) { try offer.principal() }
    }
    let largest = try F.offer(quantity: 1, mark: .max, advanceRate: .whole, expiresAt: .epoch)
    #expect(try largest.principal() == Money(.max, .usd))
  }

  @Test("the principal lies within half a minor unit of the exact product")
  func principalProperty() throws {
    try forAll(seeds: 1...1_000) { random in
      let (quantity, mark) = (random.int64(in: 1...10_000_000), random.int64(in: 0...100_000_000))
      let advance = random.int64(in: 0...10_000)
      let offer = try F.offer(quantity: quantity, mark: mark, advanceRate: BasisPoints(advance), expiresAt: .epoch)
      let principal = try offer.principal()
      let exact = Int128(quantity) * Int128(mark) * Int128(advance)
      let off = Int128(principal.amount) * 10_000 - exact
      try hold(
        abs(off) < 5_000 || (abs(off) == 5_000 && principal.amount % 2 == 0), "\(quantity) x \(mark) x \(advance)")
      try hold(principal.currency == .usd, "the currency of the mark")
    }
  }
}
