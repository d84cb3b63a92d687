import Hummingbird
import Lending
import Operations
import Parties
import Persistence
import Primitives
import Repayment
import StrictJSON
import WebSupport

/// A lender's right to shares of a round, and what it took by it.
extension WebAPI {
  func addEquityRoutes(_ routes: inout Routes) {
    routes.get("/v1/listings/{id}/options") { request, context in
      let principal = try await gateway.principal(of: request)
      let id: ListingID = try Gateway.pathID(context, noun: "listing")
      let listing = try await gateway.reader.one(Resources.listings, id.value, as: principal, noun: "listing")
      return try await options(of: listing.id, request)
    }
    routes.get("/v1/offers/{id}/options") { request, context in
      let principal = try await gateway.principal(of: request)
      let id: OfferID = try Gateway.pathID(context, noun: "offer")
      let offer = try await gateway.reader.one(Resources.offers, id.value, as: principal, noun: "offer")
      return try await options(of: offer.listingID, request)
    }
    routes.get("/v1/loans/{id}/options") { request, context in
      let principal = try await gateway.principal(of: request)
      return try await options(of: try await self.loan(context, as: principal).terms.listingID, request)
    }
    routes.post("/v1/loans/{id}/conversions") { request, context in
      let id: LoanID = try Gateway.pathID(context, noun: "loan")
      return try await gateway.post(
        request, context,
        render: .init(
          status: .created, location: { _ in "/v1/loans/\(id)/conversions" }, version: { $0.loan.version },
          write: { $0.conversion.write(to: &$1, digest: $0.digest) })
      ) { reader, posted in ConvertLoan.parse(&reader, id, ifVersion: posted.ifVersion) }
    }
    routes.get("/v1/loans/{id}/conversions") { request, context in
      let principal = try await gateway.principal(of: request)
      let loan = try await self.loan(context, as: principal)
      let rows = try await Tables.loanConversions.decode(
        gateway.reader.run([EquitySQL.conversions(of: [loan.id])], as: principal)[0])
      let digests = try await digests(of: rows)
      return gateway.page(rows, next: nil) { $0.write(to: &$1, digest: digests[$0.id]) }
    }
  }

  func addWarrantRoutes(_ routes: inout Routes) {
    routes.get("/v1/warrants") { request, _ in
      try await gateway.list(
        request, Resources.warrants, name: "warrants", filter: "state",
        position: { PagePosition(createdAt: $0.createdAt, id: $0.id.value) },
        besides: expanding(request, Expansions.warrant), write: { $0.write(to: &$1) })
    }
    routes.get("/v1/warrants/{id}") { request, context in
      let principal = try await gateway.principal(of: request)
      let id: WarrantID = try Gateway.pathID(context, noun: "warrant")
      let row = try await gateway.reader.one(Resources.warrants, id.value, as: principal, noun: "warrant")
      let more = try await expanding(request, Expansions.warrant)?([row], principal)
      return gateway.object(request, version: row.version, besides: more) { row.write(to: &$0) }
    }
    routes.get("/v1/loans/{id}/warrants") { request, context in
      let principal = try await gateway.principal(of: request)
      let loan = try await self.loan(context, as: principal)
      // Who bought the loan did not buy the warrants, and does not see them.
      let rows = try await gateway.reader.run(
        [WarrantSQL.warrants(of: loan.id, scope: gateway.reader.scope(principal))], as: principal)[0]
      return gateway.page(try Tables.warrants.decode(rows), next: nil) { $0.write(to: &$1) }
    }
    let changed = Gateway.Rendering<Warrant>(version: { $0.version }, write: { $0.write(to: &$1) })
    routes.post("/v1/warrants/{id}/exercise") { request, context in
      let id: WarrantID = try Gateway.pathID(context, noun: "warrant")
      return try await gateway.post(request, context, render: changed) { reader, posted in
        ExerciseWarrant.parse(&reader, id, ifVersion: posted.ifVersion)
      }
    }
    routes.post("/v1/warrants/{id}/confirm") { request, context in
      let id: WarrantID = try Gateway.pathID(context, noun: "warrant")
      return try await gateway.post(request, context, render: changed) { _, posted in
        AnswerWarrant(warrantID: id, answer: .confirm, ifVersion: posted.ifVersion)
      }
    }
    routes.post("/v1/warrants/{id}/dispute") { request, context in
      let id: WarrantID = try Gateway.pathID(context, noun: "warrant")
      return try await gateway.post(request, context, render: changed) { reader, posted in
        AnswerWarrant.parseDispute(&reader, id, ifVersion: posted.ifVersion)
      }
    }
  }

  /// Of the records of conversions that the caller was found to see.
  func digests(of conversions: [LoanConversion]) async throws -> [LoanConversionID: SHA256Digest] {
    if conversions.isEmpty { return [:] }
    let rows = try await Tables.repaymentExplanations.decode(
      gateway.reader.run([EquitySQL.records(of: conversions.map(\.id))], as: .automation)[0])
    return Dictionary(
      rows.map { (LoanConversionID($0.subjectID), $0.digest) }, uniquingKeysWith: { first, _ in first })
  }

  /// Whoever sees the listing, an offer of it or a loan sees its options: it is the lender's row, read for both sides.
  private func options(of listing: ListingID, _ request: Request) async throws -> Response {
    let rows = try await gateway.reader.run(
      [EquitySQL.options(of: [listing]), WarrantSQL.terms(of: [listing]), FavourSQL.clauses(of: [listing])],
      as: .automation)
    let options = try Tables.listingOptions.decode(rows[0]).first
    let warrants = try Tables.listingWarrants.decode(rows[1]).first
    let favour = try Tables.listingFavours.decode(rows[2]).first
    return gateway.object(request, version: nil) { writer in
      writer.object { writer in
        writer.field("listing_id", listing)
        if let options {
          writer.object("conversion") { options.writeMembers(to: &$0) }
        } else {
          writer.nullField("conversion")
        }
        writer.object("warrants", warrants) { $1.writeMembers(to: &$0) }
        writer.object("most_favoured_nation", favour?.clause) { $1.writeMembers(to: &$0) }
      }
    }
  }
}
