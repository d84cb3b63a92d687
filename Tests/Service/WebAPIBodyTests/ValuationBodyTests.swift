import Foundation
import Operations
import Persistence
import Primitives
import StrictJSON
import Testing
import Valuation
import WebAPI

@Suite("Bodies of mark series and proposals")
struct ValuationBodyTests {
  private static let curve =
    "{\"points\":[{\"age_months\":12,\"residual_bps\":6000},{\"age_months\":24,\"residual_bps\":4000}],"
    + "\"first_price_micros\":30000000000,\"first_price_on\":\"2024-01-01\",\"source\":\"assumed\"}"

  private let sample = Sample([
    "kind": "\"unit_price\"", "quote_basis": "\"list\"", "currency": "\"USD\"", "least_quotes": "2",
    "window_days": "30", "curve": curve,
  ])

  @Test("a series is read member by member, its curve falling with age")
  func series() throws {
    let chip = try #require(ChipModelID("h20"))
    func rising(_ text: String) -> String { Self.curve.replacingOccurrences(of: "4000", with: text) }
    let changes: [[Change]] = [
      requiredChanges("kind", "quote_basis", "currency", "least_quotes", "window_days"), optionalChanges("curve"),
      textChanges("quote_basis", 200), Change.bad("kind", "enum", "\"tea\""),
      Change.good("least_quotes", "1", "1000"), Change.bad("least_quotes", "range", "0", "1001"),
      Change.good("window_days", "1", "400"), Change.bad("window_days", "range", "0", "401"),
      Change.bad("curve", "conflict", at: "/curve/points", rising("6001")), Change.good("curve", rising("6000")),
    ]
    check(sample, changes) { ProposeSeries.parse(&$0, chip: chip) }
    let read = try read(sample) { ProposeSeries.parse(&$0, chip: chip) }.series
    #expect(read.curve?.points.map(\.description) == ["12:6000", "24:4000"])
    #expect(read.chip == chip && read.windowDays == 30 && read.leastQuotes == 2)
  }

  @Test("a proposal tells who stated it and what became of it, and is known from its approval on")
  func proposal() throws {
    let chip = ValuationSubject.chipModel(try #require(ChipModelID("h20")))
    var proposal = MarkProposal(
      id: ValuationID(uuid(1)), subject: chip, method: .marketQuote, basis: .perChip, amount: Money(5, .usd),
      effectiveOn: try date("2024-01-01"), source: "broker", evidence: nil, confidence: .documented, supersedes: nil,
      proposedBy: PersonID(uuid(2)), createdAt: try instant("2024-01-02T00:00:00Z"),
      updatedAt: try instant("2024-01-02T00:00:00Z"))
    func member(_ name: String) throws -> JSONNode? {
      try JSONDocument(parsing: Array(try written { proposal.write(to: &$0) }.utf8)).root[name]
    }
    #expect(try member("state")?.asString == "proposed" && member("recorded_at")?.isNull == true)
    proposal.state = .approved
    proposal.decidedBy = PersonID(uuid(3))
    proposal.decidedAt = try instant("2024-01-03T00:00:00Z")
    #expect(try member("recorded_at")?.asString == "2024-01-03T00:00:00Z")
    #expect(try member("approved_by") == nil && member("decided_by")?.asString == "\(PersonID(uuid(3)))")
  }
}
