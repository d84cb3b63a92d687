import Primitives

/// A preview for each size of a round and each day of its closing.
package struct SweepGrid: Sendable, Hashable {
  package struct Cell: Sendable, Hashable {
    package let netNewCash: Int64
    package let closedOn: CalendarDate
    package let preview: SweepPreview
  }

  /// By size, then by day, in the order in which they were given.
  package let cells: [Cell]

  /// A grid of at most so many cells: each is a sweep over all loans.
  package static let mostCells = 400

  /// Rounds of one closing each.
  /// - Parameters:
  ///   - sizes: net new cash in minor units of `currency`, at least 0.
  ///   - preMoney: post-money is this plus the size; nil where no post-money is known.
  /// - Throws: `RepaymentRefusal` for a grid that is too large, and as a preview does.
  package init(
    kind: FundingRoundKind, currency: Currency, sizes: [Int64], dates: [CalendarDate], preMoney: Int64?,
    isInsider: Bool = false, history: [SweepRound] = [], loans: [LoanPosition],
    waterfall: WaterfallDefinition = .standard(for: .round), rates: FXTable? = nil
  ) throws(RepaymentRefusal) {
    let (count, overflow) = sizes.count.multipliedReportingOverflow(by: dates.count)
    guard !overflow, count <= Self.mostCells else { throw .gridTooLarge(cells: count, most: Self.mostCells) }
    var cells: [Cell] = []
    for size in sizes {
      let postMoney = try preMoney.map { pre throws(RepaymentRefusal) in
        try checked { () throws(ArithmeticOverflow) in try pre.adding(size) }
      }
      for date in dates {
        let round = HypotheticalRound(
          kind: kind, closings: [FundingRoundFacts.Closing(closedOn: date, netNewCash: Money(size, currency))],
          postMoney: postMoney.map { Money($0, currency) }, isInsider: isInsider)
        let preview = try SweepPreview(round, history: history, loans: loans, waterfall: waterfall, rates: rates)
        cells.append(Cell(netNewCash: size, closedOn: date, preview: preview))
      }
    }
    self.cells = cells
  }
}
