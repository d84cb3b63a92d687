import Delivery
import HTTPTypes
import Hummingbird
import NIOCore
import Operations
import Persistence
import Postgres
import Primitives
import StrictJSON
import Telemetry
import Traces
import WebSupport

/// The JSON interface: routes, and what each needs.
package struct WebAPI: Sendable {
  let gateway: Gateway
  let reference: ReferenceStore
  let clock: any WallClock
  let writer: PostgresPool
  let metrics: MetricsRegistry
  let feed: EventFeed
  let webhooks: WebhookDesk
  let isSandbox: Bool
  let standing: StandingHeaders
  let limiter: RateLimiter
  let logs: LogOutputs
  /// Begins the spans of requests; nil where none are exported.
  let tracer: Tracer?
  /// Told when a command planned work for the workers of this process.
  let workPlanned: @Sendable () -> Void
  let replayer = RoundReplayer()
  let adviser = MatchAdviser()
  let described = DescriptionCache()

  package init(
    gateway: Gateway, reference: ReferenceStore, clock: any WallClock, writer: PostgresPool, metrics: MetricsRegistry,
    feed: EventFeed, webhooks: WebhookDesk, isSandbox: Bool, standing: StandingHeaders, limiter: RateLimiter,
    logs: LogOutputs = LogOutputs(), tracer: Tracer? = nil, workPlanned: @escaping @Sendable () -> Void
  ) {
    self.gateway = gateway
    self.reference = reference
    self.clock = clock
    self.writer = writer
    self.metrics = metrics
    self.feed = feed
    self.webhooks = webhooks
    self.isSandbox = isSandbox
    self.standing = standing
    self.limiter = limiter
    self.logs = logs
    self.tracer = tracer
    self.workPlanned = workPlanned
  }

  /// The router, and the table of its routes.
  package func build() -> (Router<ChipBridgeContext>, RouteTable) {
    var table = Routes(gateway: gateway)
    addOperatorRoutes(&table)
    addPartyRoutes(&table)
    addBindingRoutes(&table)
    addCatalogueRoutes(&table)
    addComplianceRoutes(&table)
    addScreeningRoutes(&table)
    addRiskRoutes(&table)
    addBorrowingRoutes(&table)
    addInventoryRoutes(&table)
    addRequestRoutes(&table)
    addLoanRoutes(&table)
    addLoanLifeRoutes(&table)
    addAssignmentRoutes(&table)
    addFundingRoutes(&table)
    addSweepRoutes(&table)
    addFXRoutes(&table)
    addControlRoutes(&table)
    addEquityRoutes(&table)
    addWarrantRoutes(&table)
    addFavourRoutes(&table)
    addLienRoutes(&table)
    addWaterfallRoutes(&table)
    addValuationRoutes(&table)
    addMarkSeriesRoutes(&table)
    addMarginRoutes(&table)
    addSettlementRoutes(&table)
    addBankRoutes(&table)
    addPayeeRoutes(&table)
    addClawbackRoutes(&table)
    addCalendarRoutes(&table)
    addTaxRoutes(&table)
    addHaircutRoutes(&table)
    addLatenessRoutes(&table)
    addExplainRoutes(&table)
    addStatementRoutes(&table)
    addClearingRoutes(&table)
    addInvoiceRoutes(&table)
    addLedgerRoutes(&table)
    addEventRoutes(&table)
    addWebhookRoutes(&table)
    addAuditRoutes(&table)
    addApprovalRoutes(&table)
    addBatchRoutes(&table)
    addDescriptionRoutes(&table)
    precondition(table.handlers.count == Contract.operations.count, "a line of the contract has no route")
    let router = Router(context: ChipBridgeContext.self)
    if let tracer { router.add(middleware: RequestSpans(tracer: tracer)) }
    router.add(middleware: MetricsCollector(metrics: metrics))
    if let lines = logs.requests {
      router.add(middleware: AccessLog(lines: lines, authenticator: gateway.authenticator, clock: clock))
    }
    router.add(middleware: ProblemMiddleware(routes: table.table, standing: standing))
    router.add(
      middleware: RateLimitMiddleware(limiter: limiter, authenticator: gateway.authenticator, routes: table.table))
    for route in table.handlers {
      let (path, method) = (RouterPath(route.contract.template), route.contract.method)
      router.on(path, method: method, use: route.handler)
      // The answer to HEAD loses its body on its way out.
      if method == .get { router.on(path, method: .head, use: route.handler) }
    }
    return (router, table.table)
  }
}

/// Collects routes, so that one list makes both the router and the table of methods.
struct Routes {
  typealias Handler = @Sendable (Request, ChipBridgeContext) async throws -> Response

  let gateway: Gateway
  private(set) var table = RouteTable()
  private(set) var handlers: [Registered] = []

  init(gateway: Gateway) { self.gateway = gateway }

  /// A route with its promise.
  struct Registered: Sendable {
    let contract: OperationContract
    let gateway: Gateway
    /// As it was written, without the check of its query.
    let bare: Handler

    @Sendable func handler(_ request: Request, _ context: ChipBridgeContext) async throws -> Response {
      if request.uri.query != nil || contract.needsQuery {
        do { try contract.check(request) } catch {
          // Who has no key is told that, and nothing of the query.
          if contract.kind != .probe { _ = try await gateway.principal(of: request) }
          throw error
        }
      }
      return try await bare(request, context)
    }
  }

  mutating func get(_ template: String, _ handler: @escaping Handler) { add(.get, template, handler) }
  mutating func post(_ template: String, _ handler: @escaping Handler) { add(.post, template, handler) }

  private mutating func add(_ method: HTTPRequest.Method, _ template: String, _ handler: @escaping Handler) {
    guard let contract = Contract.index[Contract.Key(method: method, template: template)] else {
      preconditionFailure("\(method) \(template) is promised nowhere: it needs a line in the contract")
    }
    table.add(method, template)
    handlers.append(Registered(contract: contract, gateway: gateway, bare: handler))
  }
}

/// Counts each request under its route's template.
struct MetricsCollector: RouterMiddleware {
  typealias Context = ChipBridgeContext
  let metrics: MetricsRegistry

  func handle(
    _ request: Request, context: Context, next: (Request, Context) async throws -> Response
  ) async throws -> Response {
    let started = ContinuousClock.now
    let response = try await next(request, context)
    metrics.observe(
      MetricsRegistry.RequestLabels(
        method: request.method.rawValue, route: context.endpointPath ?? "none", status: response.status.code),
      ContinuousClock.now - started)
    return response
  }
}
