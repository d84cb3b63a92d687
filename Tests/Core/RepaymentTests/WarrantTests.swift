import Primitives
import PropertyKit
import Repayment
import Testing

@Suite("Warrants")
struct WarrantTests {
  private let lender = OrganizationID(UUIDValue(high: 1, low: 1))
  private let startup = OrganizationID(UUIDValue(high: 1, low: 2))
  private let holder = PersonID(UUIDValue(high: 2, low: 1))
  private let founder = PersonID(UUIDValue(high: 2, low: 2))
  private let round = FundingRoundID(UUIDValue(high: 3, low: 1))

  private func terms(
    _ coverage: Int64, strike: SharePrice?, days: Int64 = 100, occasion: WarrantOccasion = .anyTime
  ) -> ListingWarrants {
    ListingWarrants(
      listingID: ListingID(UUIDValue(high: 4, low: 1)), lenderID: lender, coverage: BasisPoints(coverage),
      strike: strike.map { ListingWarrants.Strike(price: $0, currency: .usd) }, expiresAfterDays: days,
      occasion: occasion)
  }

  private func issue(_ terms: ListingWarrants, principal: Int64 = 14_400_000) throws -> Warrant {
    try Warrant(
      WarrantID(UUIDValue(high: 5, low: 1)), of: Money(principal, .usd), by: terms, coverage: terms.coverage,
      to: lender, from: startup, with: loanID(6), on: day("2024-01-01"), at: .epoch)
  }

  @Test("are issued whole at the trade, at a listed strike or at that of the next priced round, and only that once")
  func issued() throws {
    let listed = try issue(terms(1_000, strike: SharePrice(250)))
    #expect(listed.covered == Money(1_440_000, .usd) && listed.count == 5_760)
    #expect(try listed.expiresOn == day("2024-04-10") && listed.state == .outstanding)
    var open = try issue(terms(1_000, strike: nil))
    #expect(open.count == nil && open.strike == nil)
    #expect(throws: WarrantRefusal.noStrike) {
      try open.exercise(at: SharePrice(900), in: round, by: holder, on: day("2024-02-01"))
    }
    for (date, currency) in [("2023-12-31", Currency.usd), ("2024-02-01", .cny), ("2024-04-11", .usd)] {
      #expect(try !open.take(SharePrice(300), of: round, in: currency, on: day(date)), "\(date) \(currency)")
    }
    #expect(try open.take(SharePrice(300), of: round, in: .usd, on: day("2024-02-01")))
    #expect(try open.count == 4_800 && open.strike == Warrant.Strike(price: SharePrice(300), roundID: round))
    #expect(try !open.take(SharePrice(100), of: round, in: .usd, on: day("2024-02-02")))
    #expect(throws: WarrantRefusal.otherCurrency(.usd, loan: .cny)) {
      try Warrant(
        WarrantID(UUIDValue(high: 5, low: 1)), of: Money(1, .cny), by: terms(1, strike: SharePrice(1)),
        coverage: BasisPoints(1), to: lender, from: startup, with: loanID(6), on: day("2024-01-01"), at: .epoch)
    }
  }

  @Test("each act is possible in its states alone, and on no day after the last", arguments: Warrant.State.allCases)
  func table(state: Warrant.State) throws {
    let (last, after) = (try day("2024-04-10"), try day("2024-04-11"))
    func warrant() throws -> Warrant {
      var warrant = try issue(terms(1_000, strike: SharePrice(250)))
      switch state {
      case .outstanding: break
      case .claimed: try warrant.claim(evidence: "wire", in: nil, by: holder, on: last)
      case .exercised: try warrant.exercise(at: SharePrice(900), in: round, by: holder, on: last)
      case .lapsed: try warrant.lapse(on: after)
      }
      return warrant
    }
    func allowed(_ act: (inout Warrant) throws -> Void) throws -> Bool {
      var warrant = try warrant()
      let before = warrant
      do { try act(&warrant) } catch let refusal as WarrantRefusal {
        #expect(warrant == before, "\(refusal) changed it")
        return false
      }
      return true
    }
    #expect(try warrant().state == state)
    let isOpen = state == .outstanding
    #expect(try allowed { try $0.exercise(at: SharePrice(900), in: round, by: holder, on: last) } == isOpen)
    #expect(try !allowed { try $0.exercise(at: SharePrice(900), in: round, by: holder, on: after) })
    #expect(try !allowed { try $0.exercise(at: SharePrice(250), in: round, by: holder, on: last) })
    #expect(try allowed { try $0.claim(evidence: "wire", in: nil, by: holder, on: last) } == isOpen)
    #expect(try !allowed { try $0.claim(evidence: "wire", in: nil, by: holder, on: after) })
    #expect(try allowed { try $0.confirm(by: founder, on: after) } == (state == .claimed))
    #expect(try !allowed { try $0.confirm(by: holder, on: after) })
    #expect(try allowed { try $0.dispute() } == (state == .claimed))
    #expect(try allowed { try $0.lapse(on: after) } == isOpen)
    #expect(try !allowed { try $0.lapse(on: last) })
  }

  /// Counts shares one by one: no product is divided.
  private struct Twin {
    let covered: Int
    let count: Int
    let cost: Int

    init(principal: Int, coverage: Int, units: Int, per: Int) {
      var covered = 0
      while (covered + 1) * 10_000 <= principal * coverage { covered += 1 }
      var count = 0
      while (count + 1) * units <= covered * per { count += 1 }
      var cost = 0
      while cost * per < count * units { cost += 1 }
      (self.covered, self.count, self.cost) = (covered, count, cost)
    }

    /// The most shares that are worth no more, at the price, than the gain of all.
    func net(units: Int, per: Int, price: Int, shares: Int) -> Int {
      var net = 0
      // net x price / shares <= count x (price / shares - units / per), without a fraction.
      while (net + 1) * price * per <= count * (price * per - units * shares) { net += 1 }
      return net
    }
  }

  @Test("come to what counting share by share comes to: covered, count, cost, and shares without money")
  func twin() throws {
    try forAll { random in
      let (principal, coverage) = (random.int(in: 0...40_000), random.int(in: 1...2_000))
      let (units, per, price, shares) = (
        random.int(in: 1...60), random.int(in: 1...5), random.int(in: 1...200), random.int(in: 1...5)
      )
      let twin = Twin(principal: principal, coverage: coverage, units: units, per: per)
      let strike = try SharePrice(Int64(units), for: Int64(per))
      let warrant = try issue(terms(Int64(coverage), strike: strike), principal: Int64(principal))
      try hold(warrant.covered.amount == Int64(twin.covered), "covered \(warrant.covered), not \(twin.covered)")
      try hold(warrant.count == Int64(twin.count), "count \(warrant.count ?? -1), not \(twin.count)")
      var (paid, net) = (warrant, warrant)
      let last = warrant.expiresOn
      if (try? paid.claim(evidence: "wire", in: nil, by: holder, on: last)) != nil {
        try hold(paid.exercise?.cost == Int64(twin.cost) && twin.count > 0, "cost \(paid.exercise?.cost ?? -1)")
        try hold(Int64(twin.cost) <= warrant.covered.amount, "the shares cost more than is covered")
      } else {
        try hold(twin.count == 0, "refused \(twin.count) shares")
      }
      let gained = price * per <= units * shares ? 0 : twin.net(units: units, per: per, price: price, shares: shares)
      if (try? net.exercise(at: SharePrice(Int64(price), for: Int64(shares)), in: round, by: holder, on: last)) != nil {
        try hold(net.exercise?.shares == Int64(gained), "net \(net.exercise?.shares ?? -1), not \(gained)")
        try hold(gained < twin.count && net.exercise?.cost == 0, "shares without a gain")
      } else {
        try hold(gained == 0, "refused \(gained) shares")
      }
    }
  }
}
