import Primitives
import PropertyKit
import Repayment
import Testing

@Suite("A lender's options")
struct LenderOptionsTests {
  private func conversion(
    _ amount: Int64, cap: Int64?, discountBps: Int64, price: Int64 = 200, capitalisation: Int64 = 1_000_000
  ) throws -> Conversion {
    try Conversion(
      amount, terms: ConversionTerms(cap: cap, discount: BasisPoints(discountBps)), roundPrice: SharePrice(price),
      capitalisation: capitalisation)
  }

  @Test(
    "the lower of cap price and discounted price converts; shares are rounded down, the fraction is paid in money",
    arguments: [
      // The round is at 2.00. A cap of 1,500,000.00 over 1,000,000 shares is 1.50; a fifth off is 1.60.
      (100_000, 150_000_000, 2_000, .cap, 666, 99_900, 100),
      // A cap of 1,700,000.00 is 1.70: the discount is lower. 1,000.00 / 1.60 = 625 shares.
      (100_000, 170_000_000, 2_000, .discount, 625, 100_000, 0),
      // No terms that bite: the round's price.
      (100_050, nil, 0, .round, 500, 100_000, 50), (100_000, 900_000_000, 0, .round, 500, 100_000, 0),
      // Nothing is converted for less than a share.
      (199, nil, 0, .round, 0, 0, 199), (0, 150_000_000, 2_000, .cap, 0, 0, 0),
    ] as [(Int64, Int64?, Int64, Conversion.Basis, Int64, Int64, Int64)])
  func conversions(
    amount: Int64, cap: Int64?, discountBps: Int64, basis: Conversion.Basis, shares: Int64, converted: Int64,
    cash: Int64
  ) throws {
    let found = try conversion(amount, cap: cap, discountBps: discountBps)
    #expect(found.basis == basis)
    #expect(found.shares == shares)
    #expect(found.converted == converted)
    #expect(found.cashInLieu == cash)
    #expect((found.capPrice == nil) == (cap == nil))
  }

  @Test("a price that is no whole number of cents stays exact")
  func fractions() throws {
    // 10,000.00 over 3,000,000 shares: a third of a cent. 1.00 buys 300 shares, and nothing is left.
    let third = try conversion(100, cap: 1_000_000, discountBps: 0, capitalisation: 3_000_000)
    #expect(third.shares == 300)
    #expect(third.cashInLieu == 0)
    #expect(try SharePrice(1, for: 3) == SharePrice(2, for: 6))
    #expect(Set([try SharePrice(1, for: 3), try SharePrice(2, for: 6)]).count == 1)
    #expect(try SharePrice(1, for: 3) < SharePrice(1, for: 2))
    // 7 off a third: 1/3 x 0.93 = 0.31.
    #expect(try SharePrice(1, for: 3).discounted(by: BasisPoints(700)) == SharePrice(31, for: 100))
  }

  @Test("no amount buys more than it pays for, nor a share less than it could")
  func laws() throws {
    try forAll(seeds: 1...20_000) { random in
      let found = try conversion(
        random.int64(in: 0...1_000_000_000_000), cap: random.oneIn(3) ? nil : random.int64(in: 1...1_000_000_000),
        discountBps: random.int64(in: 0...9_999), price: random.int64(in: 1...100_000),
        capitalisation: random.int64(in: 1...100_000_000))
      try hold(found.converted + found.cashInLieu == found.amount && found.cashInLieu >= 0, "\(found)")
      for other in [found.roundPrice, found.discountPrice] + [found.capPrice].compactMap({ $0 }) {
        try hold(!(other < found.price), "\(other) is lower")
      }
      let (units, per) = (Int128(found.price.minorUnits), Int128(found.price.shares))
      try hold(Int128(found.shares) * units <= Int128(found.amount) * per, "too many shares")
      try hold(Int128(found.shares + 1) * units > Int128(found.amount) * per, "one share more")
      let exact = Int128(found.shares) * units
      try hold(Int128(found.converted) * per >= exact && Int128(found.converted - 1) * per < exact, "its cost")
    }
  }

  @Test("warrants cover a share of principal at their strike, and may be exercised without cash")
  func warrants() throws {
    // 10 % of 1,000,050.00 at 2.50: 100,005.00 buys 40,002 shares.
    let terms = WarrantTerms(coverage: BasisPoints(1_000), strike: try SharePrice(250))
    let found = try terms.warrants(on: 100_005_000)
    #expect(found.covered == 10_000_500)
    #expect(found.shares == 40_002)
    // At 10.00 three quarters are gain.
    for (price, shares) in [(1_000, 30_001), (250, 0), (249, 0), (251, 159)] as [(Int64, Int64)] {
      #expect(try terms.netShares(40_002, at: SharePrice(price)) == shares)
    }
    #expect(throws: RepaymentRefusal.negativeAmount(what: "principal", -1)) { try terms.warrants(on: -1) }
    #expect(throws: RepaymentRefusal.negativeAmount(what: "count of warrants", -1)) {
      try terms.netShares(-1, at: SharePrice(1))
    }
  }

  @Test("prices and terms out of range, and numbers that do not fit, are refused")
  func refusals() throws {
    #expect(throws: RepaymentRefusal.notPositive(what: "price", 0)) { try SharePrice(0) }
    #expect(throws: RepaymentRefusal.notPositive(what: "count of shares", -3)) { try SharePrice(1, for: -3) }
    #expect(throws: RepaymentRefusal.shareOutOfRange(what: "discount", .whole)) {
      try conversion(1, cap: nil, discountBps: 10_000)
    }
    #expect(throws: RepaymentRefusal.notPositive(what: "price", 0)) { try conversion(1, cap: 0, discountBps: 0) }
    #expect(throws: RepaymentRefusal.negativeAmount(what: "amount", -1)) {
      try conversion(-1, cap: nil, discountBps: 0)
    }
    #expect(throws: RepaymentRefusal.overflow) {
      try conversion(.max, cap: 1, discountBps: 0, capitalisation: .max)
    }
  }

  // MARK: Most-favoured nation

  private func later(
    _ number: UInt64, _ date: String, _ terms: FavourableTerms
  ) throws -> MostFavouredNation.LaterLoan {
    .init(loanID: loanID(number), tradedOn: try day(date), terms: terms)
  }

  private let own = FavourableTerms(rate: BasisPoints(1_200), sweep: BasisPoints(5_000), rank: 2)

  @Test("term by term, each is lifted to the best, and the first loan that has it is named")
  func termByTerm() throws {
    var dearer = own
    dearer.rate = BasisPoints(1_400)
    dearer.rank = 3
    var better = own
    better.rate = BasisPoints(1_400)
    better.cap = 900
    better.warrantCoverage = BasisPoints(500)
    let clause = MostFavouredNation(extent: .termByTerm)
    let found = clause.lifted(
      own, tradedOn: try day("2024-01-01"),
      by: [try later(3, "2024-03-01", better), try later(2, "2024-02-01", dearer)])
    var expected = own
    expected.rate = BasisPoints(1_400)
    expected.cap = 900
    expected.warrantCoverage = BasisPoints(500)
    #expect(found.terms == expected)
    let lifts = found.lifts.map { "\($0.term) \($0.from ?? -1) \($0.to) \($0.because.value.low)" }
    #expect(lifts == ["rate 1200 1400 2", "cap -1 900 3", "warrantCoverage 0 500 3"])
  }

  @Test("as a whole, a loan that is worse in anything lifts nothing")
  func wholePackage() throws {
    let clause = MostFavouredNation(extent: .wholePackage)
    var mixed = own
    mixed.rate = BasisPoints(1_400)
    mixed.rank = 3
    let date = try day("2024-01-01")
    #expect(clause.lifted(own, tradedOn: date, by: [try later(2, "2024-02-01", mixed)]).lifts.isEmpty)
    mixed.rank = 1
    let found = clause.lifted(own, tradedOn: date, by: [try later(2, "2024-02-01", mixed)])
    #expect(found.terms == mixed)
    #expect(found.lifts.map(\.term) == [.rate, .rank])
  }

  @Test("only later loans count, and only while the promise holds")
  func times() throws {
    var better = own
    better.rate = BasisPoints(1_201)
    let clause = MostFavouredNation(extent: .termByTerm, through: try day("2024-06-30"))
    for (date, lifts) in [("2024-01-01", 0), ("2024-01-02", 1), ("2024-06-30", 1), ("2024-07-01", 0)] {
      let found = clause.lifted(own, tradedOn: try day("2024-01-01"), by: [try later(2, date, better)])
      #expect(found.lifts.count == lifts)
    }
  }
}
