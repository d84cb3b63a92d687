import Ledger
import Postgres
import Primitives

/// What settlement runs work through, in a fixed order, so that a run taken up again goes the same way.
package enum RunQueries {
  private static let runningBorrowers = Statement(
    "run_borrowers",
    """
    select distinct borrower_id from loans
    where state in ('active', 'due', 'overdue', 'recalled', 'frozen', 'reinstated') order by borrower_id
    """, columns: [.uuid])
  private static let verifiedClosings = Statement(
    "run_closings",
    """
    select c.id, c.round_id, c.borrower_id from funding_closings c
    join funding_rounds r on r.borrower_id = c.borrower_id and r.id = c.round_id
    where c.state = 'verified' and r.state = 'verified' and c.closed_on <= $1 order by c.closed_on, c.id
    """, parameters: [.date], columns: [.uuid, .uuid, .uuid])
  private static let maturedBorrowers = Statement(
    "run_matured",
    """
    select distinct borrower_id from loans
    where state in ('active', 'due', 'overdue', 'recalled', 'frozen', 'defaulted')
      and coalesce(extended_to, matures_on) <= $1 order by borrower_id
    """, parameters: [.date], columns: [.uuid])
  private static let lendersWithProceeds = Statement(
    "run_proceeds",
    """
    select distinct org_id, asset from accounts
    where account_code = 'cash_at_platform' and subject_id = any($1) and balance > 0 order by org_id, asset
    """, parameters: [.uuidArray], columns: [.uuid, .text])
  private static let liveLoans = Statement(
    "run_live_loans", "select id from loans where state <> 'closed' order by id", columns: [.uuid])
  private static let lapsedOffers = Statement(
    "run_lapsed_offers",
    "select id from offers where state = 'pending' and expires_at <= $1 order by expires_at, id limit 500",
    parameters: [.timestamptz], columns: [.uuid])

  package static var statements: [Statement] {
    [runningBorrowers, verifiedClosings, maturedBorrowers, lendersWithProceeds, liveLoans, lapsedOffers]
  }

  private static func rows(_ pool: PostgresPool, _ query: Query, _ deadline: ContinuousClock.Instant) async throws
    -> ResultSet
  {
    try await pool.withConnection(deadline: deadline) { try await $0.run(query, deadline: deadline) }
  }

  package static func borrowersWithRunningLoans(
    _ pool: PostgresPool, deadline: ContinuousClock.Instant
  ) async throws -> [OrganizationID] {
    try await rows(pool, Query(runningBorrowers), deadline).map { OrganizationID(try $0.uuid(0).value) }
  }

  package static func borrowersWithMaturedLoans(
    on date: CalendarDate, _ pool: PostgresPool, deadline: ContinuousClock.Instant
  ) async throws -> [OrganizationID] {
    try await rows(pool, Query(maturedBorrowers, [.date(date.dayNumber)]), deadline).map {
      OrganizationID(try $0.uuid(0).value)
    }
  }

  /// Verified closings that are not swept.
  package static func closings(
    through date: CalendarDate, _ pool: PostgresPool, deadline: ContinuousClock.Instant
  ) async throws -> [(ClosingID, FundingRoundID, OrganizationID)] {
    try await rows(pool, Query(verifiedClosings, [.date(date.dayNumber)]), deadline).map {
      (ClosingID(try $0.uuid(0).value), FundingRoundID(try $0.uuid(1).value), OrganizationID(try $0.uuid(2).value))
    }
  }

  /// Lenders for whom the platform holds proceeds, by currency.
  package static func lendersToPay(
    _ pool: PostgresPool, deadline: ContinuousClock.Instant
  ) async throws -> [(OrganizationID, Currency)] {
    let parts = [AccountRef.feePart.bits, AccountRef.principalPart.bits]
    return try await rows(pool, Query(lendersWithProceeds, [.uuidArray(parts)]), deadline).compactMap { row in
      guard let currency = Currency(try row.text(1)) else { return nil }
      return (OrganizationID(try row.uuid(0).value), currency)
    }
  }

  package static func liveLoans(
    _ pool: PostgresPool, deadline: ContinuousClock.Instant
  ) async throws -> [LoanID] {
    try await rows(pool, Query(liveLoans), deadline).map { LoanID(try $0.uuid(0).value) }
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
