import Hummingbird
import Lending
import Operations
import Parties
import Persistence
import Primitives
import Repayment
import StrictJSON
import WebSupport

/// What a lender may have lifted by a most-favoured-nation clause, and what it had.
extension WebAPI {
  func addFavourRoutes(_ routes: inout Routes) {
    routes.get("/v1/loans/{id}/most-favoured-nation") { request, context in
      let principal = try await gateway.principal(of: request)
      let loan = try await self.loan(context, as: principal)
      let comparison = try await comparison(of: loan)
      let claims = try await Tables.favouredClaims.decode(
        gateway.reader.run([FavourSQL.claims(of: loan.id, scope: gateway.reader.scope(principal))], as: principal)[0]
      ).map { (claim: $0, made: try FavourComparison(canonicalBytes: $0.bytes)) }
      let isWhole = principal.readsEverything || principal.organizationID == loan.terms.borrowerID
      return gateway.object(request, version: loan.version) { writer in
        writer.object { writer in
          writer.field("loan_id", loan.id)
          writer.object("most_favoured_nation", comparison?.clause) { $1.writeMembers(to: &$0) }
          if let comparison {
            comparison.writeLifts(to: &writer)
          } else {
            writer.array("lifts", [String]()) { $0.string($1) }
            writer.array("left_out", [String]()) { $0.string($1) }
          }
          writer.array("claims", claims) { $1.claim.write($1.made, to: &$0, isWhole: isWhole) }
        }
      }
    }
    routes.post("/v1/loans/{id}/most-favoured-nation/claim") { request, context in
      let id: LoanID = try Gateway.pathID(context, noun: "loan")
      return try await gateway.post(
        request, context,
        render: Gateway.Rendering<ClaimMostFavoured.Claimed>(version: { $0.loan.version }) { claimed, writer in
          writer.object { writer in
            writer.key("claim")
            claimed.claim.write(claimed.comparison, to: &writer, isWhole: false)
            writer.key("loan")
            claimed.loan.write(to: &writer)
          }
        }
      ) { _, posted in ClaimMostFavoured(loanID: id, ifVersion: posted.ifVersion) }
    }
  }

  /// What the loan's lender might have lifted now; nil for a loan without the clause. Other lenders' loans are read for it
  /// and not shown.
  private func comparison(of loan: Loan) async throws -> FavourComparison? {
    let results = try await gateway.reader.run(
      [FavourSQL.clauses(of: [loan.terms.listingID]), FavourSQL.loans(of: loan.terms.borrowerID)], as: .automation)
    guard let favour = try Tables.listingFavours.decode(results[0]).first else { return nil }
    let traded = try Tables.loans.decode(results[1])
    let listings = Array(Set(traded.map(\.terms.listingID)))
    let lists = try await gateway.reader.run(
      [EquitySQL.options(of: listings), WarrantSQL.terms(of: listings)], as: .automation)
    let today = try await MarketTime.read(pool: writer, clock: clock, deadline: .now + .seconds(5)).now.date
    return FavourDesk.compare(
      loan, favour.clause, with: traded,
      FavourDesk.Lists(
        options: try Tables.listingOptions.decode(lists[0]), warrants: try Tables.listingWarrants.decode(lists[1])),
      on: today)
  }
}
