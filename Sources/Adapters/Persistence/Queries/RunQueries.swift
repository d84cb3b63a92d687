import Ledger
import Parties
import Postgres
import Primitives

/// What settlement runs work through, in a fixed order, so that a run taken up again goes the same way.
package enum RunQueries {
  /// Borrowers with loans whose fee accrues, or that can become due or late, and how many.
  private static let runningBorrowers = Statement(
    "run_borrowers",
    """
    select borrower_id, count(*) from loans
    where state in ('active', 'due', 'overdue', 'recalled', 'frozen', 'reinstated')
      -- In default the fee stands still, and a penalty goes on.
      or state = 'defaulted' and due_since is not null and penalty_rate_bps > 0
    group by borrower_id order by borrower_id
    """, columns: [.uuid, .int8])
  private static let borrowersToSweep = Statement(
    "run_sweeps",
    """
    select c.borrower_id, count(distinct l.id) + 1 from funding_closings c
    join funding_rounds r on r.borrower_id = c.borrower_id and r.id = c.round_id
    left join loans l on l.borrower_id = c.borrower_id and l.state <> 'closed'
    where c.state = 'verified' and r.state = 'verified' and c.closed_on <= $1
    group by c.borrower_id order by c.borrower_id
    """, parameters: [.date], columns: [.uuid, .int8])
  private static let maturedBorrowers = Statement(
    "run_matured",
    """
    select borrower_id, count(*) from loans
    where state in ('active', 'due', 'overdue', 'recalled', 'frozen', 'defaulted', 'reinstated')
      and coalesce(extended_to, matures_on) <= $1
    group by borrower_id order by borrower_id
    """, parameters: [.date], columns: [.uuid, .int8])
  private static let recalledBorrowers = Statement(
    "run_recalled",
    """
    select borrower_id, count(*) from loans where recall_due_on < $1 and state <> 'closed'
    group by borrower_id order by borrower_id
    """, parameters: [.date], columns: [.uuid, .int8])
  private static let dueBorrowers = Statement(
    "run_due",
    """
    select borrower_id, count(*) from loans
    where state not in ('closed', 'title_pending') and (due_since is not null or days_past_due > 0)
    group by borrower_id order by borrower_id
    """,
    columns: [.uuid, .int8])
  private static let lendersWithProceeds = Statement(
    "run_proceeds",
    """
    select org_id, asset, sum(balance)::bigint from accounts
    where account_code = 'cash_at_platform' and subject_id = any($1) and balance > 0
    group by org_id, asset order by org_id, asset
    """, parameters: [.uuidArray], columns: [.uuid, .text, .int8])
  private static let liveLoans = Statement(
    "run_live_loans", "select id from loans where state <> 'closed' order by id", columns: [.uuid])
  private static let lapsedOffers = Statement(
    "run_lapsed_offers",
    "select id from offers where state = 'pending' and expires_at <= $1 order by expires_at, id limit 500",
    parameters: [.timestamptz], columns: [.uuid])

  private static let lapsedAssignments = Statement(
    "run_lapsed_assignments",
    """
    select id from loan_assignments
    where (state = 'proposed' and valid_until < $1) or (state = 'accepted' and settle_by < $1) order by id limit 500
    """, parameters: [.date], columns: [.uuid])

  private static let lapsedWarrants = Statement(
    "run_lapsed_warrants",
    "select id from warrants where state = 'outstanding' and expires_on < $1 order by expires_on, id limit 500",
    parameters: [.date], columns: [.uuid])

  package static var statements: [Statement] {
    [
      runningBorrowers, borrowersToSweep, maturedBorrowers, recalledBorrowers, dueBorrowers, lendersWithProceeds,
      liveLoans,
      lapsedOffers, lapsedAssignments, lapsedWarrants,
    ]
  }

  private static func rows(_ pool: PostgresPool, _ query: Query, _ deadline: ContinuousClock.Instant) async throws
    -> ResultSet
  {
    try await pool.withConnection(deadline: deadline) { try await $0.run(query, deadline: deadline) }
  }

  /// A party that a step is about, and how many rows it works through for it.
  package typealias Weighted = (party: OrganizationID, weight: Int64)

  private static func parties(
    _ pool: PostgresPool, _ query: Query, _ deadline: ContinuousClock.Instant
  ) async throws -> [Weighted] {
    try await rows(pool, query, deadline).map { (OrganizationID(try $0.uuid(0).value), try $0.int8(1)) }
  }

  package static func borrowersWithRunningLoans(
    _ pool: PostgresPool, deadline: ContinuousClock.Instant
  ) async throws -> [Weighted] {
    try await parties(pool, Query(runningBorrowers), deadline)
  }

  /// Those with loans that state margin terms, or with margin calls that run.
  package static func borrowersToTest(
    _ pool: PostgresPool, deadline: ContinuousClock.Instant
  ) async throws -> [Weighted] {
    try await parties(pool, Query(MarginSQL.borrowers), deadline)
  }

  /// Those with verified closings that are not swept.
  package static func borrowersToSweep(
    through date: CalendarDate, _ pool: PostgresPool, deadline: ContinuousClock.Instant
  ) async throws -> [Weighted] {
    try await parties(pool, Query(borrowersToSweep, [.date(date.dayNumber)]), deadline)
  }

  package static func borrowersWithMaturedLoans(
    on date: CalendarDate, _ pool: PostgresPool, deadline: ContinuousClock.Instant
  ) async throws -> [Weighted] {
    try await parties(pool, Query(maturedBorrowers, [.date(date.dayNumber)]), deadline)
  }

  /// Those with a recall whose notice ran out before the date.
  package static func borrowersWithRecalls(
    on date: CalendarDate, _ pool: PostgresPool, deadline: ContinuousClock.Instant
  ) async throws -> [Weighted] {
    try await parties(pool, Query(recalledBorrowers, [.date(date.dayNumber)]), deadline)
  }

  package static func borrowersWithDues(
    _ pool: PostgresPool, deadline: ContinuousClock.Instant
  ) async throws -> [Weighted] {
    try await parties(pool, Query(dueBorrowers), deadline)
  }

  /// Lenders for whom the platform holds proceeds, by currency, in minor units.
  package static func lendersToPay(
    _ pool: PostgresPool, deadline: ContinuousClock.Instant
  ) async throws -> [(lender: OrganizationID, amount: Money)] {
    let parts = [AccountRef.feePart.bits, AccountRef.principalPart.bits]
    return try await rows(pool, Query(lendersWithProceeds, [.uuidArray(parts)]), deadline).compactMap { row in
      guard let currency = Currency(try row.text(1)) else { return nil }
      return (OrganizationID(try row.uuid(0).value), Money(try row.int8(2), currency))
    }
  }

  /// Lenders with payouts up to a day that no invoice tells of.
  package static func lendersToInvoice(
    through date: CalendarDate, _ pool: PostgresPool, deadline: ContinuousClock.Instant
  ) async throws -> [Weighted] {
    try await parties(pool, Query(InvoiceSQL.lenders, [.date(date.dayNumber)]), deadline)
  }

  /// Organisations whose book has entries up to a day, and how many since another.
  package static func booksToState(
    from first: CalendarDate, through last: CalendarDate, _ pool: PostgresPool, deadline: ContinuousClock.Instant
  ) async throws -> [Weighted] {
    let binds: [Bind] = [
      .date(first.dayNumber), .date(last.dayNumber), .uuid(OrganizationID.platform.value.bits),
    ]
    return try await parties(pool, Query(StatementSQL.books, binds), deadline)
  }

  package static func liveLoans(
    _ pool: PostgresPool, deadline: ContinuousClock.Instant
  ) async throws -> [LoanID] {
    try await rows(pool, Query(liveLoans), deadline).map { LoanID(try $0.uuid(0).value) }
  }

  /// Sales of loans that were neither answered nor settled before that day, at most 500.
  package static func lapsedAssignments(
    on date: CalendarDate, _ pool: PostgresPool, deadline: ContinuousClock.Instant
  ) async throws -> [LoanAssignmentID] {
    try await rows(pool, Query(lapsedAssignments, [.date(date.dayNumber)]), deadline).map {
      LoanAssignmentID(try $0.uuid(0).value)
    }
  }

  /// Outstanding warrants that could be exercised before that day, at most 500.
  package static func lapsedWarrants(
    on date: CalendarDate, _ pool: PostgresPool, deadline: ContinuousClock.Instant
  ) async throws -> [WarrantID] {
    try await rows(pool, Query(lapsedWarrants, [.date(date.dayNumber)]), deadline).map {
      WarrantID(try $0.uuid(0).value)
    }
  }

  /// Pending offers that expired by then, at most 500.
  package static func lapsedOffers(
    at now: Instant, _ pool: PostgresPool, deadline: ContinuousClock.Instant
  ) async throws -> [OfferID] {
    try await rows(pool, Query(lapsedOffers, [.timestamptz(now.microseconds)]), deadline).map {
      OfferID(try $0.uuid(0).value)
    }
  }
}
