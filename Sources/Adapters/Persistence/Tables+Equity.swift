import Postgres
import Primitives
import Repayment

extension Tables {
  /// Never updated: a listing's options are its own from the first day.
  package static let listingOptions = Table<ListingOptions>(
    "listing_options", sql: "listing_options", key: ["lender_id", "listing_id"], idColumn: "listing_id",
    columns: [
      .uuid("lender_id") { $0.lenderID.value },
      .uuid("listing_id") { $0.listingID.value },
      .int8("cap") { $0.cap?.amount },
      .text("cap_currency") { $0.cap?.currency.code },
      .int8("discount_bps") { $0.discount.value },
      .int8("share_bps") { $0.share.value },
    ],
    names: ("listing_options_by_listing", "listing_options_insert", nil)
  ) { row in
    let lender: OrganizationID = try row.id()
    return ListingOptions(
      listingID: try row.id(), lenderID: lender, cap: try row.moneyOrNull(), discount: try row.bps(),
      share: try row.bps())
  }

  /// Never updated: shares that were taken stay taken.
  package static let loanConversions = Table<LoanConversion>(
    "loan_conversions", sql: "loan_conversions", key: ["borrower_id", "id"], idColumn: "id",
    columns: [
      .uuid("borrower_id") { $0.borrowerID.value },
      .uuid("id") { $0.id.value },
      .uuid("lender_id") { $0.lenderID.value },
      .uuid("loan_id") { $0.loanID.value },
      .uuid("round_id") { $0.roundID.value },
      .uuid("listing_id") { $0.options.listingID.value },
      .int8("cap") { $0.options.cap?.amount },
      .text("cap_currency") { $0.options.cap?.currency.code },
      .int8("discount_bps") { $0.options.discount.value },
      .int8("share_bps") { $0.options.share.value },
      .int8("share_price") { $0.pricing.price.minorUnits },
      .int8("share_price_shares") { $0.pricing.price.shares },
      .int8("capitalisation") { $0.pricing.capitalisation },
      .int8("amount") { $0.amount },
      .text("currency") { $0.currency.code },
      .int8("shares") { $0.shares },
      .int8("converted") { $0.converted },
      .text("basis") { $0.basis.rawValue },
      .uuid("converted_by") { $0.convertedBy.value },
      .date("converted_on") { $0.convertedOn },
      .instant("recorded_at") { $0.recordedAt },
    ],
    names: ("loan_conversions_by_id", "loan_conversions_insert", nil)
  ) { row in
    let borrower: OrganizationID = try row.id()
    let id: LoanConversionID = try row.id()
    let (lender, loan, round): (OrganizationID, LoanID, FundingRoundID) = (
      try row.id(), try row.id(), try row.id()
    )
    let options = ListingOptions(
      listingID: try row.id(), lenderID: lender, cap: try row.moneyOrNull(), discount: try row.bps(),
      share: try row.bps())
    let price = try SharePrice(try row.int(), for: try row.int())
    let pricing = try RoundPricing(price: price, capitalisation: try row.int())
    let (amount, currency) = (try row.int(), try row.currency())
    return LoanConversion(
      id: id, borrowerID: borrower, lenderID: lender, loanID: loan, roundID: round, options: options,
      pricing: pricing, currency: currency, amount: amount, shares: try row.int(), converted: try row.int(),
      basis: try row.value(), convertedBy: try row.id(), convertedOn: try row.date(), recordedAt: try row.instant())
  }
}

/// Statements on options and conversions beside those of the tables.
package enum EquitySQL {
  private static let optionsOfListings = Statement(
    "listing_options_of_listings", Tables.listingOptions.selectList + "where listing_id = any($1) order by listing_id",
    parameters: [.uuidArray], columns: Tables.listingOptions.types)
  private static let conversionsOfLoans = Statement(
    "loan_conversions_of_loans",
    Tables.loanConversions.selectList + "where loan_id = any($1) order by recorded_at, id",
    parameters: [.uuidArray], columns: Tables.loanConversions.types)
  private static let all = Statement(
    "loan_conversions_after", Tables.loanConversions.selectList + "where id > $1 order by id limit $2",
    parameters: [.uuid, .int8], columns: Tables.loanConversions.types)

  private static let recordsOf = Statement(
    "loan_conversion_records",
    Tables.repaymentExplanations.selectList + "where kind = 'conversion' and subject_id = any($1) order by subject_id",
    parameters: [.uuidArray], columns: Tables.repaymentExplanations.types)
  /// Of one lender or borrower, or of all.
  private static let conversionsOfRound = Statement(
    "loan_conversions_of_round",
    Tables.loanConversions.selectList
      + "where ($1::uuid is null or borrower_id = $1 or lender_id = $1) and round_id = $2 order by recorded_at, id",
    parameters: [.uuid, .uuid], columns: Tables.loanConversions.types)

  package static var statements: [Statement] {
    [optionsOfListings, conversionsOfLoans, all, recordsOf, conversionsOfRound]
  }

  package static func records(of conversions: [LoanConversionID]) -> Query {
    Query(recordsOf, [.uuidArray(conversions.sorted().map(\.value.bits))])
  }

  /// - Parameter scope: see `Details`.
  package static func conversions(in round: FundingRoundID, scope: Bind) -> Query {
    Query(conversionsOfRound, [scope, .uuid(round.value.bits)])
  }

  package static func options(of listings: [ListingID]) -> Query {
    Query(optionsOfListings, [.uuidArray(listings.sorted().map(\.value.bits))])
  }

  package static func conversions(of loans: [LoanID]) -> Query {
    Query(conversionsOfLoans, [.uuidArray(loans.sorted().map(\.value.bits))])
  }

  package static func conversions(after id: LoanConversionID, limit: Int64) -> Query {
    Query(all, [.uuid(id.value.bits), .int8(limit)])
  }

  static func lookups(options listings: [ListingID], conversions loans: [LoanID]) -> [Loader.Lookup] {
    var lookups: [Loader.Lookup] = []
    if !listings.isEmpty {
      lookups.append(
        Loader.Lookup(query: options(of: listings)) { result, state in
          for row in try Tables.listingOptions.decode(result) { state.listingOptions[row.listingID] = row }
        })
    }
    if !loans.isEmpty {
      lookups.append(
        Loader.Lookup(query: conversions(of: loans)) { result, state in
          for loan in loans { state.conversionsOf[loan] = [] }
          for row in try Tables.loanConversions.decode(result) { state.conversionsOf[row.loanID]?.append(row) }
        })
    }
    return lookups
  }
}
