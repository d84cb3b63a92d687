import Primitives
import PropertyKit
import Testing
import Valuation

@Suite("Marks from quotes")
struct MarkSeriesTests {
  private func series(least: Int64 = 2, window: Int64 = 30, curve: DepreciationCurve? = nil) throws -> MarkSeries {
    let chip = try #require(ChipModelID("nvidia-h100-sxm5-80"))
    return try #require(
      MarkSeries(
        chip: chip, kind: .unitPrice, quoteBasis: "list", currency: .usd, leastQuotes: least, windowDays: window,
        curve: curve))
  }

  private func quote(
    _ number: UInt64, _ dollars: Int64, on date: String, source: String? = nil, basis: String = "list"
  ) throws -> (id: ChipQuoteID, quote: ChipQuote) {
    (
      ChipQuoteID(UUIDValue(high: 0, low: number)),
      ChipQuote(
        chip: try #require(ChipModelID("nvidia-h100-sxm5-80")), quotedOn: try day(date), kind: .unitPrice,
        currency: .usd, micros: dollars * 1_000_000, basis: basis, sample: nil, isEstimate: false, seller: nil,
        region: nil, source: source ?? "dealer \(number)", notes: nil)
    )
  }

  @Test("the mark is the median of one basis alone, of the latest quote of each source in the window")
  func median() throws {
    let found = try #require(
      MarkDerivation(
        series(), on: day("2026-03-31"),
        quotes: [
          quote(1, 30_000, on: "2026-03-10"), quote(2, 31_000, on: "2026-03-20"), quote(3, 33_000, on: "2026-03-30"),
          quote(4, 10, on: "2026-03-30", basis: "rental"), quote(5, 99_000, on: "2026-03-01"),
          quote(6, 30_500, on: "2026-03-25", source: "dealer 1"), quote(7, 40_000, on: "2026-04-01"),
        ]))
    #expect(found.method == .index)
    #expect(found.amount == Money(3_100_000, .usd))
    let fates = Dictionary(uniqueKeysWithValues: found.entries.map { ($0.id.value.low, $0.fate) })
    // The basis, the first day before the window and the day after the date are no part of the series.
    #expect(fates == [1: .replaced, 2: .used, 3: .used, 6: .used])
  }

  @Test("an even number takes the mean of the middle two, half to even")
  func even() throws {
    #expect(MarkDerivation.median([1, 4]) == 2)
    #expect(MarkDerivation.median([3, 4]) == 4)
    #expect(MarkDerivation.median([]) == nil)
  }

  @Test("an outlier is left out, and told")
  func outlier() throws {
    // Ratios to the median 101: 1, 1.0099, 1.0198, 1.0202 and 1.485. The median of them is 1.0198, its fifth power 1.103.
    #expect(MarkDerivation.outliers([100, 101, 99, 103, 150]) == [false, false, false, false, true])
    // Closer than a tenth is never one, however close the others are.
    #expect(MarkDerivation.outliers([100, 100, 100, 109]) == [false, false, false, false])
    #expect(MarkDerivation.outliers([100, 100, 100, 111]) == [false, false, false, true])
    // Where prices are spread, far is not out.
    #expect(MarkDerivation.outliers([50, 100, 200, 150]) == [false, false, false, false])
    #expect(MarkDerivation.outliers([1, 1_000_000]) == [false, false], "of two nobody knows which is wrong")
  }

  @Test("the rule does not know the unit: all prices times ten are judged alike")
  func scale() throws {
    var random = SplitMix64(seed: 7)
    for _ in 0..<500 {
      let prices = (0..<Int.random(in: 3...12, using: &random)).map { _ in
        Int64.random(in: 1...1_000_000, using: &random)
      }
      #expect(MarkDerivation.outliers(prices) == MarkDerivation.outliers(prices.map { $0 * 10 }))
    }
  }

  @Test("with too few quotes the curve speaks, as a model; without a curve nothing does")
  func curve() throws {
    let points = ["12:6000", "24:4000"].compactMap { DepreciationCurve.Point($0) }
    let start = try day("2024-01-01")
    let curve = try #require(
      DepreciationCurve(points: points, firstPriceMicros: 30_000_000_000, firstPriceOn: start, source: "assumed"))
    let one = try [quote(1, 20_000, on: "2026-01-01")]
    #expect(try MarkDerivation(series(), on: day("2026-01-02"), quotes: one) == nil)
    let modelled = try #require(MarkDerivation(try series(curve: curve), on: try day("2026-01-02"), quotes: one))
    #expect(modelled.method == .model)
    // Past two years 40 % is left.
    #expect(modelled.amount == Money(1_200_000, .usd))
    #expect(curve.micros(on: try day("2023-12-31")) == nil)
    #expect(curve.micros(on: try day("2024-01-01")) == 30_000_000_000)
    // 183 of 366 days: half way from all to 60 %.
    #expect(curve.micros(on: try day("2024-07-02")) == 24_000_000_000)
    #expect(curve.micros(on: try day("2025-01-01")) == 18_000_000_000)
    #expect(
      DepreciationCurve(
        points: points.reversed(), firstPriceMicros: 1, firstPriceOn: start, source: "x") == nil)
  }

  @Test("every quote of the shared file is read; a mark of the retail series follows by hand")
  func sharedFile() throws {
    let lines = try ChipQuote.read(csv: Array(seedFile("chip-prices.csv")))
    #expect(lines.count == 726)
    #expect(lines.allSatisfy { $0.faults.isEmpty && $0.value != nil })
    let quotes = lines.compactMap(\.value).enumerated().map { (ChipQuoteID(UUIDValue(high: 1, low: UInt64($0))), $1) }
    let chip = try #require(ChipModelID("nvidia-a100-pcie-40"))
    let series = try #require(
      MarkSeries(
        chip: chip, kind: .unitPrice, quoteBasis: "retail marketplace, median of price changes in the month",
        currency: .usd, leastQuotes: 1, windowDays: 31, curve: nil))
    let found = try #require(
      MarkDerivation(series, on: try day("2024-11-20"), quotes: quotes.map { (id: $0, quote: $1) }))
    // The line of 15 November 2024 says 7,694.99.
    #expect(found.amount == Money(769_499, .usd))
  }
}

@Suite("The index of rates")
struct RateIndexTests {
  private func trade(_ number: UInt64, rate: Int64, quantity: Int64, days: Int64 = 180) -> RateIndex.Trade {
    RateIndex.Trade(
      region: "US-west", termDays: days, rate: BasisPoints(rate), quantity: quantity,
      lender: OrganizationID(UUIDValue(high: 1, low: number)), borrower: OrganizationID(UUIDValue(high: 2, low: number))
    )
  }

  @Test("is the mean weighted by chips, of a class of region and term, half to even")
  func weighted() throws {
    let index = try RateIndex([
      trade(1, rate: 1_000, quantity: 100), trade(2, rate: 1_200, quantity: 300), trade(3, rate: 901, quantity: 2),
      trade(4, rate: 5_000, quantity: 1, days: 400),
    ])
    // (100,000 + 360,000 + 1,802) / 402 = 1,148.76
    #expect(index.entries.map(\.rate) == [BasisPoints(1_149), nil])
    #expect(index.entries.map(\.trades) == [3, 1])
    #expect(index.entries.map(\.quantity) == [402, nil])
  }

  @Test("shows nothing where one lender or borrower could work out another's rate")
  func fewParties() throws {
    let same = (0..<5).map { _ in trade(1, rate: 1_000, quantity: 8) }
    #expect(try RateIndex(same).entries.map(\.rate) == [nil])
  }
}
