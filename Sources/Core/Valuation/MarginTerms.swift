import Primitives

/// What a loan asks of the value behind it, as its parties agreed at trade.
package struct MarginTerms: Sendable, Hashable {
  /// What is called for when the value falls short, and not cured.
  package enum Consequence: String, Sendable, Hashable, CaseIterable {
    /// All of the loan falls due.
    case due
    /// The chips are called back, with the notice that the loan's own terms give.
    case recall
  }

  /// How the chips were expected to lose value from the trade on; its first price is the frozen mark of one chip.
  package let curve: DepreciationCurve
  /// Share of the expected value that must be there, 1 to 10,000: 8,000 takes a fall of a fifth below the curve.
  package let threshold: BasisPoints
  /// Taken off every value of these chips, expected and marked alike, for what a sale would cost; below the whole.
  package let haircut: BasisPoints
  /// Days from the call to its deadline, 1 to 90.
  package let cureDays: Int64
  package let consequence: Consequence

  /// - Returns: nil outside of these bounds.
  package init?(
    curve: DepreciationCurve, threshold: BasisPoints, haircut: BasisPoints, cureDays: Int64, consequence: Consequence
  ) {
    guard (1...10_000).contains(threshold.value), (0..<10_000).contains(haircut.value), (1...90).contains(cureDays)
    else {
      return nil
    }
    self.curve = curve
    self.threshold = threshold
    self.haircut = haircut
    self.cureDays = cureDays
    self.consequence = consequence
  }
}

extension MarginTerms {
  /// What a listing asks, before a trade gives the expected curve its first price and its first day.
  package struct Listed: Sendable, Hashable {
    /// What is expected to be left of the price at trade, by age.
    package let points: [DepreciationCurve.Point]
    package let threshold: BasisPoints
    package let haircut: BasisPoints
    package let cureDays: Int64
    package let consequence: Consequence

    /// - Returns: nil outside of the bounds of ``MarginTerms`` or of ``DepreciationCurve``.
    package init?(
      points: [DepreciationCurve.Point], threshold: BasisPoints, haircut: BasisPoints, cureDays: Int64,
      consequence: Consequence
    ) {
      self.points = points
      self.threshold = threshold
      self.haircut = haircut
      self.cureDays = cureDays
      self.consequence = consequence
      guard frozen(priceMicros: 1, on: .earliest, source: "") != nil else { return nil }
    }

    /// The terms of a loan.
    /// - Parameters:
    ///   - mark: of one chip, frozen at trade.
    ///   - source: what the curve was agreed in.
    /// - Returns: nil where a curve takes no such price.
    package func frozen(mark: Money, on date: CalendarDate, source: String) -> MarginTerms? {
      let scale = WideInteger.powerOfTen(mark.currency.minorUnitDigits)
      // Exact: no currency has more than six decimals.
      guard
        let micros = try? (WideInteger(mark.amount) * WideInteger(1_000_000)).divided(by: scale, rounding: .up).int64
      else { return nil }
      return frozen(priceMicros: micros, on: date, source: source)
    }

    private func frozen(priceMicros: Int64, on date: CalendarDate, source: String) -> MarginTerms? {
      guard
        let curve = DepreciationCurve(
          points: points, firstPriceMicros: priceMicros, firstPriceOn: date, source: source)
      else { return nil }
      return MarginTerms(
        curve: curve, threshold: threshold, haircut: haircut, cureDays: cureDays, consequence: consequence)
    }

    /// A curve that loses the same share of what is left each year, for twenty years; rounded up, against the borrower's
    /// comfort.
    /// - Parameter loss: a year, 0 to below the whole.
    /// - Returns: nil outside of that.
    package static func points(annualLoss loss: BasisPoints) -> [DepreciationCurve.Point]? {
      guard (0..<10_000).contains(loss.value) else { return nil }
      var left: Int64 = 10_000
      var points: [DepreciationCurve.Point] = []
      for year in 1...20 {
        // At most 10,000 times 10,000.
        left = (left * (10_000 - loss.value) + 9_999) / 10_000
        guard let point = DepreciationCurve.Point(ageMonths: 12 * year, residual: BasisPoints(left)) else { return nil }
        points.append(point)
      }
      return points
    }
  }

  /// What the listing said of it.
  package var listed: Listed? {
    Listed(
      points: curve.points, threshold: threshold, haircut: haircut, cureDays: cureDays, consequence: consequence)
  }
}
