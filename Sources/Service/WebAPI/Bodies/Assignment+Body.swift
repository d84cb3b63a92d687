import Lending
import Operations
import Parties
import Primitives
import StrictJSON

extension ProposeAssignment {
  /// `buyer_organization_id`, `price`, `quantity` or `serials`? (all units that are out without them), `effective_on`?,
  /// `valid_days`?, `reason`?
  package static func parse(_ reader: inout ObjectReader, loanID: LoanID, ifVersion: Int64?) -> ProposeAssignment? {
    let buyer = reader.id("buyer_organization_id", of: OrganizationNoun.self)
    let (quantity, serials) = reader.units(isRequired: false)
    let price = reader.money("price", BodyBounds.price)
    let effectiveOn = reader.optionalDate("effective_on")
    let days = reader.optionalInt("valid_days", 1...90)
    let reason = reader.optionalString("reason", bytes: BodyBounds.reason)
    guard let buyer, let price else { return nil }
    return ProposeAssignment(
      loanID: loanID, buyerID: buyer, quantity: quantity, serials: serials, price: price, effectiveOn: effectiveOn,
      validDays: days, reason: reason, ifVersion: ifVersion)
  }
}

extension AnswerAssignment {
  /// `accedes`: true where the sale is accepted, since the buyer enters into the seller's place among the lenders; no
  /// other act has words.
  package static func parse(
    _ reader: inout ObjectReader, _ id: LoanAssignmentID, _ act: Act, ifVersion: Int64?
  ) -> AnswerAssignment? {
    if act == .accept {
      guard let accedes = reader.bool("accedes") else { return nil }
      if !accedes {
        reader.fault(
          "accedes", code: BodyFaultCode.conflict,
          detail: "must be true: who buys a loan takes its place among the lenders")
        return nil
      }
    }
    return AnswerAssignment(assignmentID: id, act: act, ifVersion: ifVersion)
  }
}

extension LoanAssignment {
  /// - Parameters:
  ///   - viewer: who reads; nil for those who read everything. The borrower is not told the price.
  ///   - claim: what the buyer would get today, where that was computed.
  package func write(to writer: inout JSONWriter, for viewer: OrganizationID?, claim: Debt? = nil) {
    writer.object { writer in
      writer.field("id", id)
      writer.field("state", state)
      writer.field("loan_id", loanID)
      writer.field("borrower_id", borrowerID)
      writer.field("seller_organization_id", sellerID)
      writer.field("buyer_organization_id", buyerID)
      writer.field("quantity", quantity)
      writer.field("serials", serials)
      if viewer != borrowerID {
        writer.field("price", price)
        writer.field("reason", reason)
      }
      // Where and how the price is paid is the lenders' own affair.
      writer.field("settlement", "outside")
      writer.field("proposed_on", proposedOn)
      writer.field("valid_until", validUntil)
      writer.field("effective_on", effectiveOn)
      writer.rawField("offered", offered)
      writer.field("accepted_on", acceptedOn)
      writer.field("consent_by", consentBy)
      writer.field("consented_on", consentedOn)
      writer.field("settle_by", settleBy)
      writer.field("ended_on", endedOn)
      writer.field("assigned_loan_id", assignedLoanID)
      writer.object("claim", settledClaim ?? claim ?? acceptedClaim) { writer, claim in
        writer.field("principal", Money(claim.principal, price.currency))
        writer.field("fee", Money(claim.fee, price.currency))
        writer.field("charges", Money(claim.otherCharges, price.currency))
        writer.field("tax", Money(claim.tax, price.currency))
      }
      writer.history(version: version, createdAt: createdAt, updatedAt: updatedAt)
    }
  }
}

extension AssignmentDesk.Answered {
  package func write(to writer: inout JSONWriter) { assignment.write(to: &writer, for: viewer, claim: claim) }
}
