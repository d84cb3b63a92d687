import Delivery
import DomainFixtures
import HTTPTypes
import Hummingbird
import HummingbirdTesting
import Identity
import Logging
import NIOCore
import Operations
import Parties
import Persistence
import Postgres
import PostgresHarness
import Primitives
import SchemaFixtures
import StrictJSON
import Telemetry
import WebAPI
import WebSupport

/// The JSON interface over a marketplace, asked without sockets.
struct HTTPMarket: Sendable {
  let market: Marketplace
  let client: any TestClientProtocol
  let routes: RouteTable
  let reader: Reader
  let authenticator: Authenticator

  /// - Parameters:
  ///   - filtersTenants: whether the reads' own tenant filter stands before row security.
  ///   - tokens: what verifies tokens of an outside issuer.
  ///   - asksSecondPerson: whether acts of staff are held for one.
  static func with(
    filtersTenants: Bool = true, tokens: TokenVerifier? = nil, rateLimits: RateLimiter.Limits = .init(),
    asksSecondPerson: Bool = false, _ body: @escaping @Sendable (HTTPMarket) async throws -> Void
  ) async throws {
    try await Marketplace.with { market in
      try await on(
        market, filtersTenants: filtersTenants, tokens: tokens, rateLimits: rateLimits,
        asksSecondPerson: asksSecondPerson, body)
    }
  }

  /// Streams have no end: where who may open one is asked, all seats are taken.
  private static var noStreams: EventFeed.Limits {
    var limits = EventFeed.Limits()
    limits.streamsPerKey = 0
    return limits
  }

  private static let desk = WebhookDesk(
    secrets: WebhookSecrets(root: [UInt8](repeating: 9, count: 32)), guard: WebhookGuard(allowsLoopback: true),
    counters: DeliveryCounters())

  /// Another process of the service on the same marketplace.
  static func on(
    _ market: Marketplace, filtersTenants: Bool = true, tokens: TokenVerifier? = nil,
    rateLimits: RateLimiter.Limits = .init(), asksSecondPerson: Bool = false,
    _ body: @escaping @Sendable (HTTPMarket) async throws -> Void
  ) async throws {
    var configuration = try market.database.configuration()
    configuration.role = "chipbridge_reader"
    let readers = try PostgresPool(configuration: configuration, size: 3, waiters: 100)
    let authenticator = Authenticator(pool: market.pool, clock: market.clock, tokens: tokens)
    let reader = Reader(pool: readers, filtersTenants: filtersTenants)
    let gateway = Gateway(
      pipeline: market.pipeline, reader: reader,
      authenticator: authenticator, cursors: PageCursor(secret: [UInt8](repeating: 7, count: 32)),
      secondPerson: asksSecondPerson ? Approval.held : nil)
    let api = WebAPI(
      gateway: gateway, reference: market.reference, clock: market.clock, writer: market.pool,
      metrics: MetricsRegistry(), feed: EventFeed(pool: market.pool, limits: Self.noStreams), webhooks: Self.desk,
      isSandbox: true, standing: StandingHeaders(), limiter: RateLimiter(rateLimits),
      workPlanned: {})
    let (router, routes) = api.build()
    var logger = Logger(label: "access")
    logger.logLevel = .error
    let application = Application(router: router, logger: logger)
    do {
      try await application.test(.router) { client in
        try await body(
          HTTPMarket(market: market, client: client, routes: routes, reader: reader, authenticator: authenticator))
      }
      await readers.shutdown()
    } catch {
      await readers.shutdown()
      throw error
    }
  }

  /// A key, put into the database as `keys bootstrap` does.
  func key(
    of organization: OrganizationID, _ roles: Set<Role>, duties: Set<Duty> = [], scopes: Set<KeyScope> = [],
    person: UInt64
  ) async throws -> String {
    let (high, low) = market.clock.randomBits()
    var ids = IdentifierSource(milliseconds: UInt64(market.clock.now().microseconds / 1_000), seed: (high, low))
    let secret = APIKeySecret(keyID: ids.next())
    let key = APIKey(
      id: secret.keyID, organizationID: organization, roles: roles, duties: duties, scopes: scopes,
      personID: PersonID(UUIDValue(high: 21, low: person)), secretDigest: secret.digest, expiresAt: nil,
      createdAt: market.clock.now())
    try await Bootstrap.addKeys([key], pool: market.pool, deadline: soon())
    return secret.text
  }

  /// A key of the platform's staff.
  func staff(_ duties: Set<Duty> = Set(Duty.allCases), person: UInt64 = 1) async throws -> String {
    try await key(of: .platform, [.admin], duties: duties, person: person)
  }

  func get(_ target: String, as key: String?) async throws -> HTTPAnswer {
    try await send(.get, target, as: key)
  }

  /// - Parameter idempotency: the key of the request; a fresh one when nil.
  func post(
    _ target: String, as key: String?, _ body: String = "{}", key idempotency: String? = nil
  ) async throws -> HTTPAnswer {
    try await send(.post, target, as: key, body: body, idempotency: idempotency)
  }

  func send(
    _ method: HTTPRequest.Method, _ target: String, as key: String?, body: String? = nil,
    type: String = "application/json", idempotency: String? = nil
  ) async throws -> HTTPAnswer {
    var headers: HTTPFields = [:]
    if let key { headers[.authorization] = "Bearer \(key)" }
    if body != nil {
      headers[.contentType] = type
      let (high, low) = market.clock.randomBits()
      headers[.idempotencyKey] = idempotency ?? "\(high)-\(low)"
    }
    let response = try await client.execute(
      uri: target, method: method, headers: headers, body: body.map { ByteBuffer(string: $0) })
    return HTTPAnswer(
      status: Int(response.status.code), headers: response.headers, text: String(buffer: response.body))
  }
}

struct HTTPAnswer: Sendable {
  let status: Int
  let headers: HTTPFields
  let text: String

  func json() throws -> JSONNode { try JSONDocument(parsing: Array(text.utf8)).root }

  /// The elements of a member that is an array.
  func list(_ name: String) throws -> [JSONNode] { try json()[name].map { Array($0.elements) } ?? [] }

  /// A text member of the body; empty when there is none.
  func member(_ name: String) -> String { (try? json())?[name]?.asString ?? "" }

  var code: String { member("code") }

  /// The body without what names this request.
  var anonymous: String {
    let id = member("request_id")
    return id.isEmpty ? text : text.replacing(id, with: "")
  }
}
