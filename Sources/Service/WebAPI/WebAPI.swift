import HTTPTypes
import Hummingbird
import NIOCore
import Operations
import Persistence
import Postgres
import Primitives
import StrictJSON
import Telemetry
import WebSupport

/// The JSON interface: routes, and what each needs.
package struct WebAPI: Sendable {
  let gateway: Gateway
  let reference: ReferenceStore
  let clock: any WallClock
  let writer: PostgresPool
  let metrics: MetricsRegistry
  let isSandbox: Bool
  /// Told when a command planned work for the workers of this process.
  let workPlanned: @Sendable () -> Void
  let replayer = RoundReplayer()
  let adviser = MatchAdviser()

  package init(
    gateway: Gateway, reference: ReferenceStore, clock: any WallClock, writer: PostgresPool, metrics: MetricsRegistry,
    isSandbox: Bool, workPlanned: @escaping @Sendable () -> Void
  ) {
    self.gateway = gateway
    self.reference = reference
    self.clock = clock
    self.writer = writer
    self.metrics = metrics
    self.isSandbox = isSandbox
    self.workPlanned = workPlanned
  }

  /// The router, and the table of its routes.
  package func build() -> (Router<ChipBridgeContext>, RouteTable) {
    var table = Routes()
    addOperatorRoutes(&table)
    addPartyRoutes(&table)
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
    let router = Router(context: ChipBridgeContext.self)
    router.add(middleware: MetricsCollector(metrics: metrics))
    router.add(middleware: ProblemMiddleware(routes: table.table))
    for route in table.handlers {
      router.on(RouterPath(route.template), method: route.method, use: route.handler)
    }
    return (router, table.table)
  }
}

/// Collects routes, so that one list makes both the router and the table of methods.
struct Routes {
  typealias Handler = @Sendable (Request, ChipBridgeContext) async throws -> Response

  private(set) var table = RouteTable()
  private(set) var handlers: [(method: HTTPRequest.Method, template: String, handler: Handler)] = []

  mutating func get(_ template: String, _ handler: @escaping Handler) { add(.get, template, handler) }
  mutating func post(_ template: String, _ handler: @escaping Handler) { add(.post, template, handler) }

  private mutating func add(_ method: HTTPRequest.Method, _ template: String, _ handler: @escaping Handler) {
    table.add(method, template)
    handlers.append((method, template, handler))
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
