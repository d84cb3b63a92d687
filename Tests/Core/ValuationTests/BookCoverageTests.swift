import Primitives
import PropertyKit
import Testing
import Valuation

@Suite("Coverage of a book")
struct BookCoverageTests {
  private func line(
    _ units: Int64, owed: Int64, _ currency: Currency = .usd, deposits: Int64 = 0, mark: Int64? = nil,
    reason: String = "no_mark"
  ) -> BookCoverage.Line {
    BookCoverage.Line(
      units: units, outstanding: Money(owed, currency), deposits: deposits,
      mark: mark.map { .usable($0) } ?? .unusable(reason: reason))
  }

  @Test("by currency: marked value and deposits over all debt, and loans without a mark named with their debt")
  func hand() throws {
    let books = try BookCoverage.byCurrency([
      line(10, owed: 900, mark: 100), line(5, owed: 300, deposits: 50, reason: "stale_mark"),
      line(7, owed: 100, reason: "no_mark"), line(2, owed: 50, reason: "stale_mark"), line(0, owed: 10),
      line(3, owed: 0, .cny, mark: 9),
    ])
    #expect(books.map(\.currency) == [.cny, .usd])
    #expect(try books[0].ratio() == nil)
    let usd = books[1]
    #expect(usd.loans == 5 && usd.units == 24 && usd.markedValue == 1_000 && usd.deposits == 50)
    #expect(usd.outstanding == 1_360)
    // 1,050 / 1,360, rounded down.
    #expect(try usd.ratio() == BasisPoints(7_720))
    // A loan of which no chip is out needs no mark.
    #expect(usd.unmarked.map(\.reason) == ["no_mark", "stale_mark"])
    #expect(usd.unmarked.map(\.loans) == [1, 2] && usd.unmarked.map(\.units) == [7, 7])
    #expect(usd.unmarked.map(\.outstanding) == [100, 350])
    #expect(throws: ValuationRefusal.overflow) {
      try BookCoverage.byCurrency([line(2, owed: 1, mark: .max)])
    }
  }

  @Test("no mark that is lost makes the ratio better")
  func monotone() throws {
    var random = SplitMix64(seed: 77)
    for _ in 0..<500 {
      let marked = (0..<random.int64(in: 1...6)).map { _ in
        line(
          random.int64(in: 0...64), owed: random.int64(in: 1...10_000), deposits: random.int64(in: 0...100),
          mark: random.int64(in: 0...500))
      }
      let lost = Int(random.int64(in: 0...Int64(marked.count - 1)))
      var other = marked
      other[lost] = BookCoverage.Line(
        units: marked[lost].units, outstanding: marked[lost].outstanding, deposits: marked[lost].deposits,
        mark: .unusable(reason: "stale_mark"))
      let (whole, less) = (try BookCoverage.byCurrency(marked)[0], try BookCoverage.byCurrency(other)[0])
      let (before, after) = (try #require(try whole.ratio()), try #require(try less.ratio()))
      #expect(after <= before && less.outstanding == whole.outstanding && less.loans == whole.loans)
    }
  }
}
