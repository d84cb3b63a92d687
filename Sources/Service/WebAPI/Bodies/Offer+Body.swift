import Lending
import Operations
import Primitives
import StrictJSON

extension AcceptOffer {
  /// No words: nothing, or `{}`.
  package static func parse(_ reader: inout ObjectReader, offerID: OfferID, ifVersion: Int64?) -> AcceptOffer? {
    EmptyBody.parse(&reader).map { _ in AcceptOffer(offerID: offerID, ifVersion: ifVersion) }
  }
}

extension EndOffer {
  /// To decline takes no words: nothing, or `{}`.
  package static func parseDecline(_ reader: inout ObjectReader, offerID: OfferID, ifVersion: Int64?) -> EndOffer? {
    EmptyBody.parse(&reader).map { _ in EndOffer(offerID: offerID, outcome: .declined, ifVersion: ifVersion) }
  }
}

extension Offer {
  /// As both its sides see it.
  package func write(to writer: inout JSONWriter) {
    writer.object { writer in
      writer.field("id", id)
      writer.field("state", state)
      writer.field("borrower_id", borrowerID)
      writer.field("lender_id", lenderID)
      writer.field("loan_request_id", requestID)
      writer.field("listing_id", listingID)
      writer.field("lot_id", lotID)
      writer.field("match_round_id", roundID)
      writer.field("chip_model_id", chipModelID)
      writer.field("quantity", quantity)
      writer.field("rate_bps", rate)
      writer.field("advance_rate_bps", advanceRate)
      writer.object("mark") { writer in
        writer.field("id", markID)
        writer.field("amount", markAmount)
        writer.field("source", markSource)
      }
      writer.field("expires_at", expiresAt)
      writer.field("loan_id", loanID)
      writer.history(version: version, createdAt: createdAt, updatedAt: updatedAt)
    }
  }
}
