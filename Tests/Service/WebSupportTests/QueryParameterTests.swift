import Testing
import WebSupport

@Suite("Parameters of a query")
struct QueryParameterTests {
  @Test("a list of names takes those it knows, and no more than there are")
  func names() {
    let parameter = QueryParameter("expand", .names(["lot", "lender"]), "")
    for good in ["lot", "lender", "lot,lender", "lender,lot", "lot,lot"] { #expect(parameter.takes(good), "\(good)") }
    for bad in ["", ",", "lot,", ",lot", "lots", "Lot", "lot lender", "lot;lender", "lot,lender,lot", "lot,nothing"] {
      #expect(!parameter.takes(bad), "\(bad)")
    }
  }
}
