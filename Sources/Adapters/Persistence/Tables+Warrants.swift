import Postgres
import Primitives
import Repayment

extension Warrant: Stored {
  package mutating func stamp(_ now: Instant) { updatedAt = now }
}

/// nil where one of its columns is: the table holds that both are, or none.
private func sharePrice(_ row: inout RowReader) throws -> SharePrice? {
  let (units, shares) = (try row.intOrNull(), try row.intOrNull())
  guard let units, let shares else { return nil }
  return try SharePrice(units, for: shares)
}

extension Tables {
  /// Never updated: what a listing asks is its own from the first day.
  package static let listingWarrants = Table<ListingWarrants>(
    "listing_warrants", sql: "listing_warrants", key: ["lender_id", "listing_id"], idColumn: "listing_id",
    columns: [
      .uuid("lender_id") { $0.lenderID.value },
      .uuid("listing_id") { $0.listingID.value },
      .int8("coverage_bps") { $0.coverage.value },
      .int8("strike") { $0.strike?.price.minorUnits },
      .int8("strike_shares") { $0.strike?.price.shares },
      .text("strike_currency") { $0.strike?.currency.code },
      .int8("expires_after_days") { $0.expiresAfterDays },
      .text("occasion") { $0.occasion.rawValue },
    ],
    names: ("listing_warrants_by_listing", "listing_warrants_insert", nil)
  ) { row in
    let lender: OrganizationID = try row.id()
    let (listing, coverage): (ListingID, BasisPoints) = (try row.id(), try row.bps())
    let (price, currency) = (try sharePrice(&row), try row.parsedOrNull { Currency($0) })
    var strike: ListingWarrants.Strike?
    if let price, let currency { strike = ListingWarrants.Strike(price: price, currency: currency) }
    return ListingWarrants(
      listingID: listing, lenderID: lender, coverage: coverage, strike: strike, expiresAfterDays: try row.int(),
      occasion: try row.value())
  }

  package static let warrants = Table<Warrant>(
    "warrants", sql: "warrants", key: ["borrower_id", "id"], idColumn: "id",
    columns: warrantColumns + exerciseColumns + [
      .date("ended_on") { $0.endedOn },
      .int8("version") { $0.version },
      .instant("created_at") { $0.createdAt },
      .instant("updated_at") { $0.updatedAt },
    ],
    names: ("warrants_by_id", "warrants_insert", "warrants_update"), read: readWarrant)

  private static let warrantColumns: [Column<Warrant>] = [
    .uuid("borrower_id") { $0.borrowerID.value },
    .uuid("id") { $0.id.value },
    .uuid("lender_id") { $0.lenderID.value },
    .uuid("loan_id") { $0.loanID.value },
    .uuid("listing_id") { $0.listingID.value },
    .int8("coverage_bps") { $0.coverage.value },
    .int8("covered") { $0.covered.amount },
    .text("currency") { $0.covered.currency.code },
    .int8("strike") { $0.strike?.price.minorUnits },
    .int8("strike_shares") { $0.strike?.price.shares },
    .uuidOrNull("strike_round_id") { $0.strike?.roundID?.value },
    .int8("count") { $0.count },
    .text("occasion") { $0.occasion.rawValue },
    .date("issued_on") { $0.issuedOn },
    .date("expires_on") { $0.expiresOn },
    .text("state") { $0.state.rawValue },
  ]

  private static let exerciseColumns: [Column<Warrant>] = [
    .text("exercise_kind") { $0.exercise?.kind.rawValue },
    .uuidOrNull("round_id") { $0.exercise?.roundID?.value },
    .int8("share_price") { $0.exercise?.price?.minorUnits },
    .int8("share_price_shares") { $0.exercise?.price?.shares },
    .int8("shares") { $0.exercise?.shares },
    .int8("cost") { $0.exercise?.cost },
    .text("evidence") { $0.exercise?.evidence },
    .uuidOrNull("exercised_by") { $0.exercise?.by.value },
    .date("exercised_on") { $0.exercise?.on },
    .uuidOrNull("confirmed_by") { $0.exercise?.confirmedBy?.value },
    .date("confirmed_on") { $0.exercise?.confirmedOn },
  ]

  private static func readWarrant(_ row: inout RowReader) throws -> Warrant {
    let borrower: OrganizationID = try row.id()
    let id: WarrantID = try row.id()
    let (lender, loan, listing): (OrganizationID, LoanID, ListingID) = (
      try row.id(), try row.id(), try row.id()
    )
    let (coverage, covered) = (try row.bps(), try row.money())
    let (price, round): (SharePrice?, FundingRoundID?) = (try sharePrice(&row), try row.idOrNull())
    let strike = price.map { Warrant.Strike(price: $0, roundID: round) }
    let (count, occasion): (Int64?, WarrantOccasion) = (try row.intOrNull(), try row.value())
    let (issuedOn, expiresOn) = (try row.date(), try row.date())
    let state: Warrant.State = try row.value()
    let exercise = try readExercise(&row)
    return Warrant(
      id: id, borrowerID: borrower, lenderID: lender, loanID: loan, listingID: listing, coverage: coverage,
      covered: covered, strike: strike, count: count, occasion: occasion, issuedOn: issuedOn, expiresOn: expiresOn,
      state: state, exercise: exercise, endedOn: try row.dateOrNull(), version: try row.int(),
      createdAt: try row.instant(), updatedAt: try row.instant())
  }

  private static func readExercise(_ row: inout RowReader) throws -> Warrant.Exercise? {
    let (kind, round): (Warrant.Exercise.Kind?, FundingRoundID?) = (try row.valueOrNull(), try row.idOrNull())
    let price = try sharePrice(&row)
    let (shares, cost, evidence) = (try row.intOrNull(), try row.intOrNull(), try row.textOrNull())
    let by: PersonID? = try row.idOrNull()
    let on = try row.dateOrNull()
    let confirmedBy: PersonID? = try row.idOrNull()
    let confirmedOn = try row.dateOrNull()
    guard let kind, let shares, let cost, let by, let on else { return nil }
    return Warrant.Exercise(
      kind: kind, roundID: round, price: price, shares: shares, cost: cost, evidence: evidence, by: by, on: on,
      confirmedBy: confirmedBy, confirmedOn: confirmedOn)
  }
}

/// Statements on warrants beside those of the tables.
package enum WarrantSQL {
  private static let ofListings = Statement(
    "listing_warrants_of_listings",
    Tables.listingWarrants.selectList + "where listing_id = any($1) order by listing_id",
    parameters: [.uuidArray], columns: Tables.listingWarrants.types)
  private static let outstandingOf = Statement(
    "warrants_outstanding_of_borrowers",
    Tables.warrants.selectList + "where borrower_id = any($1) and state = 'outstanding' order by id",
    parameters: [.uuidArray], columns: Tables.warrants.types)
  /// Of one lender or borrower, or of all.
  private static let ofLoan = Statement(
    "warrants_of_loan",
    Tables.warrants.selectList
      + "where ($1::uuid is null or borrower_id = $1 or lender_id = $1) and loan_id = $2 order by created_at, id",
    parameters: [.uuid, .uuid], columns: Tables.warrants.types)

  package static var statements: [Statement] { [ofListings, outstandingOf, ofLoan] }

  package static func terms(of listings: [ListingID]) -> Query {
    Query(ofListings, [.uuidArray(listings.sorted().map(\.value.bits))])
  }

  /// - Parameter scope: see `Details`.
  package static func warrants(of loan: LoanID, scope: Bind) -> Query {
    Query(ofLoan, [scope, .uuid(loan.value.bits)])
  }

  static func lookups(terms listings: [ListingID], outstandingOf borrowers: [OrganizationID]) -> [Loader.Lookup] {
    var lookups: [Loader.Lookup] = []
    if !listings.isEmpty {
      lookups.append(
        Loader.Lookup(query: terms(of: listings)) { result, state in
          for row in try Tables.listingWarrants.decode(result) { state.listingWarrants[row.listingID] = row }
        })
    }
    if !borrowers.isEmpty {
      let binds: [Bind] = [.uuidArray(borrowers.sorted().map(\.value.bits))]
      lookups.append(
        Loader.Lookup(query: Query(outstandingOf, binds)) { result, state in
          for borrower in borrowers { state.warrantsOf[borrower] = [] }
          for row in try Tables.warrants.decode(result) {
            state.shelves.warrants.load(row)
            state.warrantsOf[row.borrowerID]?.append(row.id)
          }
        })
    }
    return lookups
  }
}
