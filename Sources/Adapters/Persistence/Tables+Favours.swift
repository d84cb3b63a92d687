import Lending
import Postgres
import Primitives
import Repayment

extension Tables {
  /// Never updated: what a listing asks is its own from the first day.
  package static let listingFavours = Table<ListingFavour>(
    "listing_favours", sql: "listing_favours", key: ["lender_id", "listing_id"], idColumn: "listing_id",
    columns: [
      .uuid("lender_id") { $0.lenderID.value },
      .uuid("listing_id") { $0.listingID.value },
      .text("extent") { $0.clause.extent.rawValue },
      .date("through_on") { $0.clause.through },
    ],
    names: ("listing_favours_by_listing", "listing_favours_insert", nil)
  ) { row in
    let lender: OrganizationID = try row.id()
    return ListingFavour(
      listingID: try row.id(), lenderID: lender,
      clause: MostFavouredNation(extent: try row.value(), through: try row.dateOrNull()))
  }

  /// Never updated: what was lifted stays lifted.
  package static let favouredClaims = Table<FavouredClaim>(
    "favoured_claims", sql: "favoured_claims", key: ["borrower_id", "id"], idColumn: "id",
    columns: [
      .uuid("borrower_id") { $0.borrowerID.value },
      .uuid("id") { $0.id.value },
      .uuid("lender_id") { $0.lenderID.value },
      .uuid("loan_id") { $0.loanID.value },
      .uuid("claimed_by") { $0.claimedBy.value },
      .date("claimed_on") { $0.claimedOn },
      .int8("rate_bps") { $0.rate?.value },
      .int8("sweep_bps") { $0.sweep?.value },
      .int8("discount_bps") { $0.discount?.value },
      .int8("cap") { $0.cap },
      .int8("coverage_bps") { $0.coverage?.value },
      .uuidOrNull("warrant_id") { $0.warrantID?.value },
      .bytes("digest") { $0.digest.bytes },
      .bytes("bytes") { $0.bytes },
      .instant("recorded_at") { $0.recordedAt },
    ],
    names: ("favoured_claims_by_id", "favoured_claims_insert", nil)
  ) { row in
    let borrower: OrganizationID = try row.id()
    let id: FavouredClaimID = try row.id()
    let (lender, loan, by): (OrganizationID, LoanID, PersonID) = (try row.id(), try row.id(), try row.id())
    let on = try row.date()
    func share(_ row: inout RowReader) throws -> BasisPoints? { try row.intOrNull().map { BasisPoints($0) } }
    let (rate, sweep, discount) = (try share(&row), try share(&row), try share(&row))
    let (cap, coverage) = (try row.intOrNull(), try share(&row))
    return FavouredClaim(
      id: id, borrowerID: borrower, lenderID: lender, loanID: loan, claimedBy: by, claimedOn: on, rate: rate,
      sweep: sweep, discount: discount, cap: cap, coverage: coverage, warrantID: try row.idOrNull(),
      digest: try row.digest(), bytes: try row.bytes(), recordedAt: try row.instant())
  }

  /// The columns of `loans` for what later loans lifted.
  static let loanLiftColumns: [Column<Loan>] = [
    .int8("lifted_sweep_bps") { $0.life.lifted.sweep?.value },
    .int8("lifted_discount_bps") { $0.life.lifted.discount?.value },
    .int8("lifted_cap") { $0.life.lifted.cap },
    .int8("lifted_coverage_bps") { $0.life.lifted.coverage?.value },
  ]

  static func readLifts(_ row: inout RowReader) throws -> LoanLife.Lifted {
    LoanLife.Lifted(
      sweep: try row.intOrNull().map { BasisPoints($0) }, discount: try row.intOrNull().map { BasisPoints($0) },
      cap: try row.intOrNull(), coverage: try row.intOrNull().map { BasisPoints($0) })
  }
}

/// Statements on most-favoured-nation clauses beside those of the tables.
package enum FavourSQL {
  private static let ofListings = Statement(
    "listing_favours_of_listings", Tables.listingFavours.selectList + "where listing_id = any($1) order by listing_id",
    parameters: [.uuidArray], columns: Tables.listingFavours.types)
  /// All loans that startups ever traded, whatever became of them: what was better once counts.
  static let loansOf = Statement(
    "loans_traded_by_borrowers", Tables.loans.selectList + "where borrower_id = any($1) order by id",
    parameters: [.uuidArray], columns: Tables.loans.types)
  /// Of one lender or borrower, or of all.
  private static let claimsOfLoan = Statement(
    "favoured_claims_of_loan",
    Tables.favouredClaims.selectList
      + "where ($1::uuid is null or borrower_id = $1 or lender_id = $1) and loan_id = $2 order by recorded_at, id",
    parameters: [.uuid, .uuid], columns: Tables.favouredClaims.types)
  private static let claimsAfter = Statement(
    "favoured_claims_after", Tables.favouredClaims.selectList + "where id > $1 order by id limit $2",
    parameters: [.uuid, .int8], columns: Tables.favouredClaims.types)

  package static var statements: [Statement] { [ofListings, loansOf, claimsOfLoan, claimsAfter] }

  package static func clauses(of listings: [ListingID]) -> Query {
    Query(ofListings, [.uuidArray(listings.sorted().map(\.value.bits))])
  }

  package static func loans(of borrower: OrganizationID) -> Query {
    Query(loansOf, [.uuidArray([borrower.value.bits])])
  }

  /// - Parameter scope: see `Details`.
  package static func claims(of loan: LoanID, scope: Bind) -> Query {
    Query(claimsOfLoan, [scope, .uuid(loan.value.bits)])
  }

  package static func claims(after id: UUIDValue, limit: Int64) -> Query {
    Query(claimsAfter, [.uuid(id.bits), .int8(limit)])
  }

  static func lookups(clauses listings: [ListingID]) -> [Loader.Lookup] {
    if listings.isEmpty { return [] }
    return [
      Loader.Lookup(query: clauses(of: listings)) { result, state in
        for row in try Tables.listingFavours.decode(result) { state.listingFavours[row.listingID] = row }
      }
    ]
  }
}
