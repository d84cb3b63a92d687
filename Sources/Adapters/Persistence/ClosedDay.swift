import Postgres
import Primitives

/// A business date that ended: nothing is posted to it any more.
package struct ClosedDay: Sendable, Hashable {
  package let date: CalendarDate
  package let runID: SettlementRunID
  package let closedAt: Instant

  package init(date: CalendarDate, runID: SettlementRunID, closedAt: Instant) {
    self.date = date
    self.runID = runID
    self.closedAt = closedAt
  }

  private static let insert = Statement(
    "closed_days_insert",
    "insert into closed_days (business_date, run_id, closed_at) values ($1, $2, $3)",
    parameters: [.date, .uuid, .timestamptz])
  /// Days close one after the other.
  private static let advance = Statement(
    "platform_close_through",
    """
    update platform_state set closed_through = $1
    where id = 1 and (closed_through is null or closed_through = $1::date - 1)
    """, parameters: [.date])
  private static let between = Statement(
    "closed_days_between",
    """
    select business_date, run_id, closed_at from closed_days
    where business_date between $1 and $2 order by business_date
    """, parameters: [.date, .date], columns: [.date, .uuid, .timestamptz])

  static var statements: [Statement] { [insert, advance, between] }

  var queries: [Query] {
    [
      Query(
        Self.insert,
        [.date(date.dayNumber), .uuid(runID.value.bits), .timestamptz(closedAt.microseconds)]),
      Query(Self.advance, [.date(date.dayNumber)]),
    ]
  }

  /// The days of a span that are closed.
  package static func query(from first: CalendarDate, to last: CalendarDate) -> Query {
    Query(between, [.date(first.dayNumber), .date(last.dayNumber)])
  }

  package static func decode(_ row: Row) throws -> ClosedDay {
    var reader = RowReader(row)
    return ClosedDay(
      date: try reader.date(), runID: try reader.id(), closedAt: try reader.instant())
  }
}

/// A posting to a day that is closed.
package struct DayClosed: Refusal, Hashable {
  package let date: CalendarDate
  package let through: CalendarDate

  package init(date: CalendarDate, through: CalendarDate) {
    self.date = date
    self.through = through
  }

  package var kind: RefusalKind { .conflict }
  package var code: String { "settlement.day_closed" }
  package var detail: String {
    "Business dates through \(through) are closed; nothing is posted to \(date) any more. Post it to an open day."
  }
  package var pointer: String? { nil }
}
