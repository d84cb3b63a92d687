import Delivery
import Hummingbird
import HummingbirdCore
import Logging
import NIOPosix
import Operations
import Persistence
import Postgres
import Primitives
import ServiceLifecycle
import Settlement
import Telemetry
import UnixSignals
import WebAPI
import WebSupport

/// The whole service, built from its configuration.
package struct ChipBridgeService {
  package let writer: PostgresPool
  package let readerPool: PostgresPool
  package let pipeline: CommandPipeline
  package let router: Router<ChipBridgeContext>
  package let routes: RouteTable
  private let worker: RunWorker
  private let feed: EventFeed
  private let deliverer: WebhookWorker
  private let hints: AsyncStream<Void>
  private let configuration: ServiceConfiguration
  private let logger: Logger

  /// Connects, loads the reference data, and builds the routes.
  /// - Throws: what the database answers; `ReferenceDataError` when it was not seeded.
  package init(_ configuration: ServiceConfiguration, clock: any WallClock = SystemClock(), logger: Logger) async throws
  {
    let deadline = ContinuousClock.now + .seconds(30)
    writer = try configuration.pool(role: "chipbridge_writer", size: configuration.writerConnections)
    readerPool = try configuration.pool(role: "chipbridge_reader", size: configuration.readerConnections)
    let reference = try await ReferenceStore.load(from: writer, deadline: deadline)
    let secret = try await Bootstrap.cursorSecret(pool: writer, deadline: deadline)
    pipeline = CommandPipeline(pool: writer, reference: reference, clock: clock, limits: configuration.limits)
    let gateway = Gateway(
      pipeline: pipeline, reader: Reader(pool: readerPool),
      authenticator: Authenticator(pool: writer, clock: clock), cursors: PageCursor(secret: secret))
    let metrics = MetricsRegistry()
    let (hints, hint) = AsyncStream.makeStream(of: Void.self, bufferingPolicy: .bufferingNewest(1))
    self.hints = hints
    feed = EventFeed(pool: writer, limits: configuration.events)
    let desk = WebhookDesk(
      secrets: WebhookSecrets(root: configuration.webhookKey ?? secret),
      guard: WebhookGuard(allowsLoopback: configuration.allowsLoopbackWebhooks && configuration.isSandbox),
      counters: DeliveryCounters())
    var limits = WebhookWorker.Limits()
    limits.leaseSeconds = configuration.leaseSeconds
    deliverer = WebhookWorker(
      feed: feed, store: DeliveryStore(pool: writer), sender: WebhookSender(guard: desk.guard), secrets: desk.secrets,
      pipeline: pipeline, clock: clock, logger: logger, limits: limits, counters: desk.counters)
    let api = WebAPI(
      gateway: gateway, reference: reference, clock: clock, writer: writer, metrics: metrics, feed: feed,
      webhooks: desk,
      isSandbox: configuration.isSandbox, workPlanned: { hint.yield() })
    (router, routes) = api.build()
    worker = RunWorker(
      pool: writer, pipeline: pipeline, reference: reference, clock: clock, logger: logger,
      schedule: configuration.rounds, leaseSeconds: configuration.leaseSeconds)
    self.configuration = configuration
    self.logger = logger
  }

  /// Serves until the process is told to stop: then no new requests, those under way end, what is queued is decided.
  /// - Parameter whenListening: told the port once requests are taken.
  package func run(whenListening: @escaping @Sendable (Int) async -> Void = { _ in }) async throws {
    let port = configuration.port
    let http = HTTP1Channel.Configuration(idleTimeout: .seconds(60))
    let loops = MultiThreadedEventLoopGroup.singleton
    let application = Application(
      router: router,
      server: HTTPServerBuilder { LoopBoundChannel(responder: $0, configuration: http, loops: loops) },
      configuration: ApplicationConfiguration(
        address: .hostname(configuration.host, port: configuration.port), serverName: "chipbridge",
        reuseAddress: true, availableConnectionsDelegate: nil),
      onServerRunning: { channel in
        await whenListening(channel.localAddress?.port ?? port)
      }, eventLoopGroupProvider: .shared(loops), logger: logger)
    var services: [ServiceGroupConfiguration.ServiceConfiguration] = [
      .init(service: PoolService(pools: [writer, readerPool])), .init(service: PipelineService(pipeline: pipeline)),
    ]
    if configuration.runsWorkers {
      services.append(.init(service: WorkerService(worker: worker, hints: hints)))
      services.append(.init(service: DelivererService(deliverer: deliverer)))
    }
    services.append(.init(service: application))
    // The last to start is the first to stop: open streams end at once, so that the server has none to wait for.
    services.append(.init(service: FeedService(feed: feed)))
    var group = ServiceGroupConfiguration(
      services: services, gracefulShutdownSignals: [.sigterm, .sigint], logger: logger)
    group.maximumGracefulShutdownDuration = .seconds(30)
    try await ServiceGroup(configuration: group).run()
  }
}

/// Closes the pools after everything that uses them has ended.
private struct PoolService: Service {
  let pools: [PostgresPool]

  func run() async throws {
    try? await gracefulShutdown()
    for pool in pools { await pool.shutdown() }
  }
}

/// Runs the pipeline; on shutdown what is queued is still decided.
private struct PipelineService: Service {
  let pipeline: CommandPipeline

  func run() async throws {
    await withGracefulShutdownHandler {
      await pipeline.run()
    } onGracefulShutdown: {
      pipeline.close()
    }
  }
}

/// Runs the worker; on shutdown it stops claiming, and a run it holds is taken up again by whoever comes next.
private struct WorkerService: Service {
  let worker: RunWorker
  let hints: AsyncStream<Void>

  func run() async throws {
    await cancelWhenGracefulShutdown { await worker.run(hints: hints) }
  }
}

/// Feeds the streams; on shutdown they end.
private struct FeedService: Service {
  let feed: EventFeed

  func run() async throws {
    await cancelWhenGracefulShutdown { await feed.run() }
  }
}

/// Tells webhooks; on shutdown what is under way is left to whoever comes next.
private struct DelivererService: Service {
  let deliverer: WebhookWorker

  func run() async throws {
    await cancelWhenGracefulShutdown { await deliverer.run() }
  }
}
