import Primitives

/// How late a loan is told apart, and from when it matters: data of the product or of the contract.
package struct DelinquencyRules: Sendable, Hashable {
  /// Days after the due day on which a payment is still not late; at least 0. They are forgiven only to who pays within
  /// them: from the day after, lateness counts from the due day.
  package let graceDays: Int64
  /// The first day of each bucket after `current`, rising, from 1 on: 1, 30, 60, 90 for 1-29, 30-59, 60-89 and 90 or more.
  package let bounds: [Int64]
  /// From so many days past due on no fee is taken as income, at least 1.
  package let nonAccrualDays: Int64
  /// On top of the loan's rate, a year, on what is overdue; at least 0.
  package let defaultMargin: BasisPoints

  /// 1-29, 30-59, 60-89, 90+, as banks report, with non-accrual from 90.
  package static let usualBounds: [Int64] = [1, 30, 60, 90]

  /// - Throws: `RepaymentRefusal` for days or a margin below zero, and bounds that do not rise.
  package init(
    graceDays: Int64, bounds: [Int64] = DelinquencyRules.usualBounds, nonAccrualDays: Int64 = 90,
    defaultMargin: BasisPoints
  ) throws(RepaymentRefusal) {
    self.graceDays = try nonNegative(graceDays, "grace in days")
    guard let first = bounds.first, first >= 1, zip(bounds, bounds.dropFirst()).allSatisfy({ $0 < $1 }) else {
      throw .boundsNotRising
    }
    self.bounds = bounds
    guard nonAccrualDays >= 1 else { throw .notPositive(what: "days to non-accrual", nonAccrualDays) }
    self.nonAccrualDays = nonAccrualDays
    guard defaultMargin.value >= 0 else { throw .negativeAmount(what: "default margin", defaultMargin.value) }
    self.defaultMargin = defaultMargin
  }
}

/// A time in which lateness does not grow: a moratorium, a stay, a dispute.
package struct DelinquencyPause: Sendable, Hashable {
  package let from: CalendarDate
  /// The last day of it.
  package let through: CalendarDate

  /// - Throws: `RepaymentRefusal.periodReversed`.
  package init(from: CalendarDate, through: CalendarDate) throws(RepaymentRefusal) {
    guard from <= through else { throw .periodReversed(start: from, end: through) }
    self.from = from
    self.through = through
  }
}

/// How late a loan is.
package struct Delinquency: Sendable, Hashable {
  /// The first and last day past due of a class of lateness.
  package struct Bucket: Sendable, Hashable, CustomStringConvertible {
    /// 0 for `current`.
    package let first: Int64
    /// nil for the last one, which has no end.
    package let last: Int64?

    /// `current`, `1-29`, `90+`.
    package var description: String {
      if first == 0 { return "current" }
      return last.map { $0 == first ? "\(first)" : "\(first)-\($0)" } ?? "\(first)+"
    }
  }

  /// Days since the due day, without paused ones; 0 within the grace days, and where nothing is overdue.
  package let daysPastDue: Int64
  package let bucket: Bucket
  package let isNonAccrual: Bool

  /// - Parameters:
  ///   - oldestDue: the day on which the oldest amount that is unpaid fell due; nil where nothing is.
  ///   - pauses: in any order; days in two of them count once.
  package init(
    on date: CalendarDate, oldestDue: CalendarDate?, pauses: [DelinquencyPause] = [], rules: DelinquencyRules
  ) {
    let late = oldestDue.map { Self.days(from: $0, to: date, without: pauses) } ?? 0
    let days = late > rules.graceDays ? late : 0
    self.daysPastDue = days
    self.bucket = Self.bucket(of: days, rules.bounds)
    self.isNonAccrual = days >= rules.nonAccrualDays
  }

  /// Days after the first up to and with the last, without those in a pause.
  private static func days(
    from start: CalendarDate, to end: CalendarDate, without pauses: [DelinquencyPause]
  ) -> Int64 {
    guard start < end else { return 0 }
    var counted = start.days(to: end)
    // The last day that is looked at already.
    var seen = start
    for pause in pauses.sorted(by: { $0.from < $1.from }) {
      guard pause.through > seen, pause.from <= end else { continue }
      let last = min(pause.through, end)
      counted -= pause.from > seen ? pause.from.days(to: last) + 1 : seen.days(to: last)
      seen = last
    }
    return counted
  }

  private static func bucket(of days: Int64, _ bounds: [Int64]) -> Bucket {
    guard let index = bounds.lastIndex(where: { $0 <= days }) else {
      return Bucket(first: 0, last: (bounds.first ?? 1) - 1)
    }
    return Bucket(first: bounds[index], last: index + 1 < bounds.count ? bounds[index + 1] - 1 : nil)
  }
}

extension DelinquencyRules {
  /// The penalty for a time in which an amount was overdue: the margin alone, since the loan's own fee runs on principal
  /// anyway. Rounded half to even once.
  /// - Parameters:
  ///   - overdue: minor units, at least 0, the same over the whole time.
  ///   - from: the first day counts, `to` does not.
  ///   - yearDays: 360 or 365, as the loan's day count has it.
  ///   - pauses: days in them bear no penalty.
  /// - Throws: `RepaymentRefusal` for a negative amount, a time that ends before it begins, and past Int64.
  package func penalty(
    on overdue: Int64, from: CalendarDate, to end: CalendarDate, yearDays: Int64, pauses: [DelinquencyPause] = []
  ) throws(RepaymentRefusal) -> Int64 {
    guard from <= end else { throw .periodReversed(start: from, end: end) }
    guard yearDays > 0 else { throw .notPositive(what: "days of a year", yearDays) }
    let overdue = try nonNegative(overdue, "overdue amount")
    let days = Delinquency.daysCounted(from: from, before: end, without: pauses)
    return try checked { () throws(ArithmeticOverflow) in
      let earned = try (Int128(overdue) * Int128(defaultMargin.value)).multiplied(by: Int128(days))
      return try earned.divided(by: 10_000 * Int128(yearDays), rounding: .halfEven).asInt64()
    }
  }
}

extension Delinquency {
  /// Days from the first, which counts, to the end, which does not, without those in a pause.
  fileprivate static func daysCounted(
    from start: CalendarDate, before end: CalendarDate, without pauses: [DelinquencyPause]
  ) -> Int64 {
    guard start < end, let before = start.adding(days: -1), let last = end.adding(days: -1) else {
      return start < end ? start.days(to: end) : 0
    }
    return days(from: before, to: last, without: pauses)
  }
}
