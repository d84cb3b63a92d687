import Primitives

/// How interest adds up. Raw values are the words of contracts and case files.
package enum AccrualMethod: String, Sendable, Hashable, CaseIterable {
  /// Interest bears no interest.
  case simple
  /// Interest joins the balance every calendar day, weekends included.
  case compoundDaily = "compound_daily"
  /// Interest joins the balance on the start's day of each month, clamped to the month's end.
  case compoundMonthly = "compound_monthly"
}

/// Interest not yet rounded.
package enum ExactInterest: Sendable {
  case fraction(ExactRational)
  case compounded(GrowthPath)

  /// The amount in so many decimal places: the one rounding it gets.
  /// - Throws: `InterestRefusal.overflow` for amounts past 2^512.
  package func rounded(places: Int, rounding: Rounding) throws(InterestRefusal) -> DecimalNumeral {
    switch self {
    case .fraction(let amount): amount.rounded(places: places, rounding: rounding)
    case .compounded(let path): try path.interest(places: places, rounding: rounding)
    }
  }
}

/// What a balance earns: a method, a day count, and rates by date.
package struct InterestTerms: Sendable {
  package let method: AccrualMethod
  package let convention: DayCountConvention
  package let rates: RateHistory

  /// - Throws: `InterestRefusal.noDailyBase` for daily compounding by a 30/360 convention.
  package init(
    method: AccrualMethod, convention: DayCountConvention, rates: RateHistory
  ) throws(InterestRefusal) {
    switch convention {
    case .thirty360Bond, .thirty360US, .thirtyE360:
      if method == .compoundDaily { throw .noDailyBase(convention) }
    case .act360, .act365F, .actActISDA: break
    }
    self.method = method
    self.convention = convention
    self.rates = rates
  }

  /// Interest of a period: the first day counts, the last does not.
  /// - Parameter principal: outstanding by date, interest apart; each value at least 0.
  /// - Throws: `InterestRefusal` for a reversed period or a history that starts after it.
  package func interest(
    on principal: StepHistory<ExactRational>, from start: CalendarDate, to end: CalendarDate
  ) throws(InterestRefusal) -> ExactInterest {
    let outstanding = try principal.pieces(from: start, to: end)
    _ = try rates.pieces(from: start, to: end)
    switch method {
    case .simple:
      var sum = ExactRational.zero
      for piece in outstanding where !piece.value.isZero {
        sum = sum + piece.value * (try rates.accruedFraction(from: piece.start, to: piece.end, by: convention))
      }
      return .fraction(sum)
    case .compoundDaily: return .compounded(try daily(outstanding))
    case .compoundMonthly: return .compounded(try monthly(outstanding, from: start, to: end))
    }
  }

  /// Interest of a period on a principal that does not change.
  /// - Throws: as with a history of principal.
  package func interest(
    on principal: ExactRational, from start: CalendarDate, to end: CalendarDate
  ) throws(InterestRefusal) -> ExactInterest {
    try interest(on: StepHistory(constant: principal), from: start, to: end)
  }

  /// Balance times 1 + rate / base for every calendar day.
  private func daily(_ outstanding: [StepHistory<ExactRational>.Piece]) throws(InterestRefusal) -> GrowthPath {
    var path = GrowthPath()
    var earlier = ExactRational.zero
    for piece in outstanding {
      path.deposit(piece.value - earlier)
      earlier = piece.value
      for rate in try rates.pieces(from: piece.start, to: piece.end) {
        var from = rate.start
        while from < rate.end {
          let (until, base) = Self.baseStretch(from: from, to: rate.end, convention)
          let part = ExactRational(WideInteger(1)) + rate.value * Self.inverse(base)
          path.grow(by: part, times: Int(from.days(to: until)))
          from = until
        }
      }
    }
    return path
  }

  /// The days from a date on that have one base, and the base: 360, 365, or that of the calendar year.
  private static func baseStretch(
    from start: CalendarDate, to end: CalendarDate, _ convention: DayCountConvention
  ) -> (until: CalendarDate, base: Int) {
    switch convention {
    case .act360: return (end, 360)
    case .actActISDA:
      let year = start.components.year
      let newYear = CalendarDate(year: year + 1, month: 1, day: 1) ?? end
      return (min(newYear, end), CalendarDate.isLeap(year) ? 366 : 365)
    case .act365F, .thirty360Bond, .thirty360US, .thirtyE360: return (end, 365)
    }
  }

  private static func inverse(_ days: Int) -> ExactRational {
    // Days of a year are never zero.
    (try? ExactRational(.one, over: WideInteger(days))) ?? .one
  }

  /// Months are counted from the start, so a clamped day does not stay clamped. What joins within a month earns simply
  /// until the month's end, as the last, partial month does.
  private func monthly(
    _ outstanding: [StepHistory<ExactRational>.Piece], from start: CalendarDate, to end: CalendarDate
  ) throws(InterestRefusal) -> GrowthPath {
    var path = GrowthPath()
    var earlier = ExactRational.zero
    var changes = outstanding[...]
    var (month, from) = (0, start)
    while from < end {
      month += 1
      let next = start.adding(months: month).map { min($0, end) } ?? end
      while let change = changes.first, change.start == from {
        path.deposit(change.value - earlier)
        earlier = change.value
        changes.removeFirst()
      }
      path.grow(by: .one + (try rates.accruedFraction(from: from, to: next, by: convention)))
      while let change = changes.first, change.start < next {
        let added = change.value - earlier
        let factor = .one + (try rates.accruedFraction(from: change.start, to: next, by: convention))
        path.deposit(added, grownTo: added * factor)
        earlier = change.value
        changes.removeFirst()
      }
      from = next
    }
    return path
  }
}
