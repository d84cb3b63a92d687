import DomainFixtures
import Lending
import Operations
import Parties
import Persistence
import Postgres
import PostgresHarness
import Primitives
import SchemaFixtures
import Testing

@Suite("Reads", .timeLimit(.minutes(2)))
struct ReadTests {
  static let statements: [Statement] =
    Resources.statements + KeySQL.reads + BindingSQL.reads + ApprovalSQL.statements
    + Details.statements + Reader.statements + RoundReasons.statements + MarketSQL.statements
    + RunQueries.statements + MarkQueries.statements + [QuoteSQL.seriesOfModel]

  @Test("are allowed to the reader, and show a tenant its own rows only, an auditor all of them")
  func asReader() async throws {
    try await Marketplace.with { market in
      let lender = try await market.lender("Lender")
      let rival = try await market.lender("Rival")
      let startup = try await market.startup()
      try await market.mark()
      let listing = try await market.stockedListing(of: lender)
      let request = try await market.request(of: startup)
      let offer = try await market.offer(request, listing, quantity: 8)
      let auditor = Principal(
        organizationID: .platform, roles: [.auditor], personID: nil, credential: Marketplace.staff().credential)
      var configuration = try market.database.configuration()
      configuration.role = "chipbridge_reader"
      let pool = try PostgresPool(configuration: configuration, size: 2, waiters: 10)
      let reader = Reader(pool: pool)
      func sees<Row>(_ resource: ResourceQuery<Row>, _ id: UUIDValue, _ principal: Principal) async throws -> Bool {
        do {
          _ = try await reader.one(resource, id, as: principal, noun: "row")
          return true
        } catch PartiesRefusal.notFound {
          return false
        }
      }
      for (principal, lot, own, deal) in [
        (lender.principal, true, false, true), (rival.principal, false, false, false),
        (startup.principal, false, true, true), (auditor, true, true, true),
      ] {
        let lotSeen = try await sees(Resources.lots, listing.lotID.value, principal)
        let listingSeen = try await sees(Resources.listings, listing.id.value, principal)
        let requestSeen = try await sees(Resources.loanRequests, request.id.value, principal)
        let offerSeen = try await sees(Resources.offers, offer.id.value, principal)
        #expect([lotSeen, listingSeen, requestSeen, offerSeen] == [lot, lot, own, deal], "\(principal.roles)")
      }
      // Every read runs as the reader.
      for statement in Self.statements {
        let nothing = statement.parameters.map { Self.nothing(of: $0) }
        await #expect(throws: Never.self, "\(statement.name)") {
          _ = try await reader.run([Query(statement, nothing)], as: auditor)
        }
      }
      await pool.shutdown()
    }
  }

  /// A value of the type that matches little.
  private static func nothing(of type: PostgresType) -> Bind {
    switch type {
    case .text: .text("")
    case .uuid: .uuid(UUIDBits(hi: 0, lo: 0))
    case .uuidArray: .uuidArray([])
    case .textArray: .textArray([])
    case .date: .date(0)
    case .timestamptz: .timestamptz(0)
    default: .int8(1)
    }
  }
}
