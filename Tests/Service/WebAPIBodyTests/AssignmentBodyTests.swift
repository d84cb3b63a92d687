import Lending
import Operations
import Parties
import Primitives
import StrictJSON
import Testing
import WebAPI

@Suite("Bodies of the sale of a loan")
struct AssignmentBodyTests {
  @Test("a proposal names its buyer and its price; units, days and reason are optional")
  func proposal() throws {
    let parse: Parse<ProposeAssignment> = { ProposeAssignment.parse(&$0, loanID: LoanID(uuid(11)), ifVersion: nil) }
    let buyer = OrganizationID(uuid(3))
    let sample = Sample([
      "buyer_organization_id": "\"\(buyer)\"", "price": "{\"amount\":900,\"currency\":\"USD\"}", "quantity": "8",
    ])
    check(
      sample,
      [
        requiredChanges("buyer_organization_id", "price"), optionalChanges("effective_on", "valid_days", "reason"),
        quantityChanges("quantity"), Change.bad("serials", "conflict", "[\"a\"]"),
        Change.bad("valid_days", "range", "0", "91"), Change.bad("why", "unknown", "1"),
      ], parse)
    let proposed = try read(sample, parse)
    #expect(proposed.buyerID == buyer && proposed.price == Money(900, .usd) && proposed.quantity == 8)
    let named = try read(sample.with("quantity", nil).with("serials", "[\"a\",\"b\"]"), parse)
    #expect(named.quantity == 2 && named.serials == ["a", "b"])
    #expect(try read(sample.with("quantity", nil), parse).quantity == nil)
  }

  @Test("who accepts says that it takes the seller's place; nobody else says anything")
  func answers() throws {
    for act in AnswerAssignment.Act.allCases {
      let parse: Parse<AnswerAssignment> = {
        AnswerAssignment.parse(&$0, LoanAssignmentID(uuid(4)), act, ifVersion: 2)
      }
      let isAcceptance = act == .accept
      #expect(faults(Sample(["accedes": "true"]), parse).isEmpty == isAcceptance, "\(act)")
      #expect(faults(Sample([:]), parse).isEmpty != isAcceptance, "\(act)")
      #expect(!faults(Sample(["accedes": "false"]), parse).isEmpty)
    }
  }
}
