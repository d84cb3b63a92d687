import Lending
import Persistence
import Primitives
import Repayment

/// How late loans are: Core's rules on a loan's own facts.
package enum Lateness {
  /// The platform's rules of lateness: the grace of a loan, and the buckets that banks report.
  private static func rules() throws -> DelinquencyRules {
    try DelinquencyRules(graceDays: Loan.graceDays, defaultMargin: BasisPoints(0))
  }

  /// How late a loan is at the end of a date, as its dues stand now.
  package static func of(_ loan: Loan, on date: CalendarDate) throws -> Delinquency {
    Delinquency(
      on: date, oldestDue: loan.isRunning ? loan.due?.since : nil,
      pauses: try loan.life.pauses.map { try DelinquencyPause(from: $0.from, through: $0.through) }, rules: try rules())
  }

  /// Keeps with the loan how late it is, and tells both sides when it comes into another bucket.
  static func record(_ loan: Loan, on date: CalendarDate, in draft: inout Draft) throws {
    let found = try of(loan, on: date)
    let before = loan.life.lateness
    let now = LoanLife.Lateness(
      on: date, daysPastDue: found.daysPastDue, bucket: found.bucket.description)
    if before == now || (found.daysPastDue == 0 && (before?.daysPastDue ?? 0) == 0) { return }
    // A date before the last that was looked at says nothing new.
    if let before, date < before.on { return }
    var loan = loan
    loan.found(now)
    loan = draft.put(\.loans, loan)
    let last = before?.bucket ?? Delinquency.current
    guard now.bucket != last else { return }
    LoanDesk.announce(
      "loan.lateness_changed", loan,
      [
        ("bucket", .text(now.bucket)), ("bucket_before", .text(last)), ("days_past_due", .number(now.daysPastDue)),
        ("business_date", .text(date.description)),
      ], in: &draft)
  }
}

extension Delinquency {
  /// The name of the bucket of those who are not late.
  package static let current = "current"
}

/// Lateness of loans with something due, summed by lender, startup, currency and bucket.
package struct LatenessReport: Sendable {
  package struct Key: Sendable, Hashable {
    package let lenderID: OrganizationID
    package let borrowerID: OrganizationID
    package let currency: Currency
    /// The first day past due of the bucket; 0 for those who are not late.
    package let firstDay: Int64
  }

  package struct Line: Sendable, Hashable {
    package let key: Key
    package let bucket: String
    package var loans: Int64
    package var mostDaysPastDue: Int64
    /// What is due now, and all that is owed on these loans, minor units.
    package var due: Int64
    package var owed: Int64
    package var nonAccrual: Int64
  }

  package let on: CalendarDate
  /// By lender, startup, currency and bucket.
  package let lines: [Line]

  /// - Throws: `ArithmeticOverflow` when sums leave the range of the books.
  package init(_ loans: [Loan], on date: CalendarDate) throws {
    var lines: [Key: Line] = [:]
    for loan in loans where loan.due != nil {
      let found = try Lateness.of(loan, on: date)
      let key = Key(
        lenderID: loan.terms.lenderID, borrowerID: loan.terms.borrowerID, currency: loan.currency,
        firstDay: found.bucket.first)
      var line =
        lines[key]
        ?? Line(
          key: key, bucket: found.bucket.description, loans: 0, mostDaysPastDue: 0, due: 0, owed: 0, nonAccrual: 0)
      line.loans += 1
      line.mostDaysPastDue = max(line.mostDaysPastDue, found.daysPastDue)
      line.due = try line.due.adding(loan.collectable.total())
      line.owed = try line.owed.adding(loan.outstanding.total())
      line.nonAccrual += found.isNonAccrual ? 1 : 0
      lines[key] = line
    }
    on = date
    self.lines = lines.values.sorted { one, other in
      let (a, b) = (one.key, other.key)
      if a.lenderID != b.lenderID { return a.lenderID < b.lenderID }
      if a.borrowerID != b.borrowerID { return a.borrowerID < b.borrowerID }
      if a.currency != b.currency { return a.currency < b.currency }
      return a.firstDay < b.firstDay
    }
  }
}
