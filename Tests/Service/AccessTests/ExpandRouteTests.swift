import DomainFixtures
import HTTPTypes
import HummingbirdTesting
import Lending
import Operations
import Parties
import Persistence
import PostgresHarness
import Primitives
import StrictJSON
import Testing
import WebSupport

@Suite("Expanded reads", .timeLimit(.minutes(3)))
struct ExpandRouteTests {
  @Test("give each object once and byte for byte as its own read does, to either side what it may read by itself")
  func sides() async throws {
    try await HTTPMarket.with { http in
      let lent = try await LentPair(http)
      let all = "lot,listing,startup,lender,offer,request"
      let sides = [
        (lent.lenderKey, ["lots", "listings", "organizations", "offers"], 4),
        (lent.startupKey, ["organizations", "offers", "loan-requests"], 3),
        (try await http.staff(), ["lots", "listings", "organizations", "offers", "loan-requests"], 6),
        (
          try await http.key(of: .platform, [.auditor], person: 72),
          ["lots", "listings", "organizations", "offers", "loan-requests"], 6
        ),
      ]
      for (key, families, count) in sides {
        let plain = try await http.get("/v1/loans/\(lent.loan)", as: key)
        let answer = try await http.get("/v1/loans/\(lent.loan)?expand=\(all)", as: key)
        #expect(answer.status == 200 && answer.text.hasPrefix(plain.text.dropLast()), "nothing that is there changes")
        let found = try #require(answer.json()["expanded"]).members.map(\.name)
        #expect(found.count == count && Set(found).count == count, "\(found)")
        for id in found {
          let family = try #require(LentPair.family(of: id))
          #expect(families.contains(family))
          let own = try await http.get("/v1/\(family)/\(id)", as: key)
          #expect(own.status == 200 && answer.text.contains("\"\(id)\":\(own.text)"), "\(id)")
        }
        // The list says the same once for all rows.
        let list = try await http.get("/v1/loans?expand=\(all)", as: key)
        #expect(try #require(list.json()["expanded"]).members.map(\.name) == found)
        let none = try await http.get("/v1/loans?state=closed&expand=\(all)", as: key)
        #expect(none.text == #"{"data":[],"next_cursor":null,"expanded":{}}"#)
      }
    }
  }

  @Test("are there on every route that has them, and refuse names that it has not")
  func routes() async throws {
    try await HTTPMarket.with { http in
      let lent = try await LentPair(http)
      let (lender, startup) = (lent.lenderKey, lent.startupKey)
      for (target, key, kinds) in [
        ("/v1/offers/\(lent.offer)?expand=request,listing,lot,loan,startup,lender", startup, ["loan", "org", "req"]),
        ("/v1/offers/\(lent.offer)?expand=loan,lot,lender", lender, ["loan", "lot", "org"]),
        ("/v1/offers?expand=loan", startup, ["loan"]), ("/v1/listings/\(lent.listing)?expand=lot,lot", lender, ["lot"]),
        ("/v1/listings?expand=lot,lender", lender, ["lot", "org"]), ("/v1/lots?expand=lender", lender, ["org"]),
        ("/v1/lots/\(lent.lot)?expand=lender", lender, ["org"]),
        ("/v1/loan-requests?expand=startup", startup, ["org"]),
        ("/v1/loan-requests/\(lent.request)?expand=startup", startup, ["org"]),
        ("/v1/margin-calls?expand=loan,lender", lender, []), ("/v1/margin-tests?expand=loan", lender, []),
        ("/v1/deposit-acts?expand=loan", lender, []), ("/v1/warrants?expand=loan,startup", lender, []),
        ("/v1/payouts?expand=lender", lender, []), ("/v1/platform-invoices?expand=lender", lender, []),
      ] {
        let answer = try await http.get(target, as: key)
        #expect(answer.status == 200, "\(target): \(answer.text)")
        let found = try #require(answer.json()["expanded"], "\(target)").members.map { member in
          member.name.split(separator: "_").first.map { String($0) } ?? ""
        }
        #expect(found.sorted() == kinds, "\(target)")
      }
      for query in ["lots", "", "lot,", ",lot", "lot,lender,nothing", "Lot", "loan", "lot%2Clots", "lot&expand=lot"] {
        let answer = try await http.get("/v1/loans?expand=\(query)", as: lender)
        #expect(answer.status == 422 && answer.code == "request.invalid", "\(query): \(answer.text)")
        #expect(try answer.list("errors").first?["pointer"]?.asString == "?expand")
      }
      #expect(try await http.get("/v1/organizations?expand=lender", as: lender).status == 422)
    }
  }

  @Test("show an outsider nothing, and a confined key no more than its scopes")
  func outsiders() async throws {
    try await HTTPMarket.with { http in
      let lent = try await LentPair(http)
      let outsider = try await http.market.lender("Outsider")
      let key = try await http.key(of: outsider.id, [.lender], person: 73)
      let foreign = try await http.get("/v1/loans/\(lent.loan)?expand=lot,startup", as: key)
      let nobodys = "loan_01920000-0000-7000-8000-000000000009"
      let unknown = try await http.get("/v1/loans/\(nobodys)?expand=lot,startup", as: key)
      #expect(foreign.status == 404 && foreign.anonymous == unknown.anonymous)
      let confined = try await http.key(
        of: lent.lender, [.lender], scopes: [KeyScope(.read, of: "loans"), KeyScope(.read, of: "offers")], person: 74)
      let answer = try await http.get("/v1/loans/\(lent.loan)?expand=lot,offer,lender,listing", as: confined)
      #expect(try #require(answer.json()["expanded"]).members.map(\.name) == ["\(lent.offer)"])
    }
  }

  @Test("hold by row security alone, without the filter that statements have")
  func rowSecurity() async throws {
    try await HTTPMarket.with(filtersTenants: false) { http in
      let lent = try await LentPair(http)
      let answer = try await http.get(
        "/v1/loans/\(lent.loan)?expand=lot,listing,startup,lender,offer,request", as: lent.startupKey)
      let found = try #require(answer.json()["expanded"]).members.compactMap { LentPair.family(of: $0.name) }
      #expect(found.sorted() == ["loan-requests", "offers", "organizations"])
    }
  }

  @Test("have no entity tag, and a caller's old tag gets the whole answer")
  func tags() async throws {
    try await HTTPMarket.with { http in
      let lent = try await LentPair(http)
      let plain = try await http.get("/v1/loans/\(lent.loan)", as: lent.lenderKey)
      let tag = try #require(plain.headers[.eTag])
      let answer = try await http.get("/v1/loans/\(lent.loan)?expand=lot", as: lent.lenderKey)
      #expect(answer.status == 200 && answer.headers[.eTag] == nil)
      let headers: HTTPFields = [.authorization: "Bearer \(lent.lenderKey)", .ifNoneMatch: tag]
      let same = try await http.client.execute(uri: "/v1/loans/\(lent.loan)", method: .get, headers: headers)
      let whole = try await http.client.execute(
        uri: "/v1/loans/\(lent.loan)?expand=lot", method: .get, headers: headers)
      #expect(same.status == .notModified && whole.status == .ok)
    }
  }

  @Test("cost a page as many statements with thirty rows as with one")
  func statements() async throws {
    try await HTTPMarket.with { http in
      let lent = try await LentPair(http)
      let staff = try await http.staff()
      func cost(_ target: String) async throws -> (statements: Int, objects: Int) {
        let before = http.reader.statements.count
        let answer = try await http.get(target, as: staff)
        return (http.reader.statements.count - before, try answer.json()["expanded"]?.members.count ?? 0)
      }
      let target = "/v1/loans?limit=200&expand=lot,listing,startup,lender,offer,request"
      let (one, few) = try await cost(target)
      #expect(few == 6)
      for number in 0..<29 { try await lent.lendAgain(number) }
      let (thirty, many) = try await cost(target)
      #expect(many == 2 + 30 * 4)
      // The page, one a kind, the marks of the listings and the verdicts of the requests.
      #expect(one == 8 && thirty == one)
      #expect(try await cost("/v1/loans?limit=200").statements == 1)
    }
  }
}

/// A loan of a lender to a startup, with all that came before it.
struct LentPair: Sendable {
  let http: HTTPMarket
  private let lenderParty: Party
  private let startupParty: Party
  let lenderKey: String
  let startupKey: String
  let lot: LotID
  let listing: ListingID
  let request: LoanRequestID
  let offer: OfferID
  let loan: LoanID

  var lender: OrganizationID { lenderParty.id }

  init(_ http: HTTPMarket) async throws {
    self.http = http
    let market = http.market
    try await market.mark()
    lenderParty = try await market.lender()
    startupParty = try await market.startup()
    lenderKey = try await http.key(of: lenderParty.id, [.lender], person: 70)
    startupKey = try await http.key(of: startupParty.id, [.startup], person: 71)
    let offered = try await Self.offer(market, lenderParty, startupParty)
    (lot, listing, request, offer) = (offered.lotID, offered.listingID, offered.requestID, offered.id)
    loan = try #require(offered.loanID)
  }

  /// Another loan, of a lot, a listing and a request of its own.
  func lendAgain(_ number: Int) async throws { _ = try await Self.offer(http.market, lenderParty, startupParty) }

  private static func offer(_ market: Marketplace, _ lender: Party, _ startup: Party) async throws -> Offer {
    let lot = try await market.lot(of: lender, quantity: 8)
    let listing = try await market.listing(of: lot, by: lender, quantity: 8)
    let request = try await market.request(of: startup, quantity: 8)
    let offer = try await market.offer(request, listing, quantity: 8)
    return try await market.run(AcceptOffer(offerID: offer.id, ifVersion: nil), by: startup.principal)
  }

  /// The family of routes that reads the object of an id.
  static func family(of id: String) -> String? {
    let families = ["lot": "lots", "lst": "listings", "org": "organizations", "off": "offers", "req": "loan-requests"]
    return id.split(separator: "_").first.flatMap { families[String($0)] }
  }
}
