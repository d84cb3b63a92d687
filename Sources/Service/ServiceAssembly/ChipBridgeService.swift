import Delivery
import Hummingbird
import HummingbirdCore
import Identity
import Logging
import NIOPosix
import Operations
import Persistence
import Postgres
import Primitives
import ServiceLifecycle
import Settlement
import Synchronization
import Telemetry
import TraceExport
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
  private let authenticator: Authenticator
  private let worker: RunWorker
  private let sealer: AuditSealer
  private let feed: EventFeed
  private let deliverer: WebhookWorker
  private let hints: AsyncStream<Void>
  /// Nil where no spans are exported.
  private let exporter: SpanExporter?
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
    let tokens = configuration.issuer.map { issuer in
      TokenVerifier(
        rules: issuer.rules, keys: IssuerKeys(source: issuer.source, timing: issuer.timing, logger: logger))
    }
    authenticator = Authenticator(pool: writer, clock: clock, tokens: tokens)
    let gateway = Gateway(
      pipeline: pipeline, reader: Reader(pool: readerPool), authenticator: authenticator,
      cursors: PageCursor(secret: secret),
      secondPerson: configuration.isSandbox && !configuration.asksSecondPersonInSandbox ? nil : Approval.held)
    let metrics = MetricsRegistry()
    let exporter = configuration.export.map { SpanExporter($0, logger: logger) }
    self.exporter = exporter
    let tracer = exporter?.tracer
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
      pipeline: pipeline, clock: clock, logger: logger, limits: limits, counters: desk.counters, tracer: tracer)
    let api = WebAPI(
      gateway: gateway, reference: reference, clock: clock, writer: writer, metrics: metrics, feed: feed,
      webhooks: desk, isSandbox: configuration.isSandbox,
      standing: StandingHeaders(strictTransportSeconds: configuration.strictTransportSeconds),
      limiter: RateLimiter(configuration.quotas),
      logs: configuration.logs, tracer: tracer, workPlanned: { hint.yield() })
    (router, routes) = api.build()
    worker = RunWorker(
      pool: writer, pipeline: pipeline, reference: reference, clock: clock, logger: logger,
      schedule: configuration.rounds, leaseSeconds: configuration.leaseSeconds, tracer: tracer)
    sealer = AuditSealer(
      pool: writer,
      signer: configuration.sealing?.seed.flatMap(AuditSigner.init(seed:)) ?? AuditSigner(platformSecret: secret),
      clock: clock)
    self.configuration = configuration
    self.logger = logger
  }

  /// Connections that wait to be accepted; the kernel bounds it by its own limit. Past it a client that believes that it is
  /// connected is dropped in silence and tries for half a minute: a burst of a thousand overflowed the framework's 256.
  private static let backlog = 4_096

  /// Serves until the process is told to stop: then no new requests, those under way end, what is queued is decided.
  /// - Parameter whenListening: told the port once requests are taken.
  package func run(whenListening: @escaping @Sendable (Int) async -> Void = { _ in }) async throws {
    let port = configuration.port
    let most = Descriptors.connections(wanted: configuration.maximumConnections)
    let (limits, connections) = (configuration.connectionLimits, OpenConnections(most: most))
    let standing = StandingHeaders(strictTransportSeconds: configuration.strictTransportSeconds)
    let loops = MultiThreadedEventLoopGroup.singleton
    let application = Application(
      router: router,
      server: HTTPServerBuilder {
        LoopBoundChannel(
          responder: $0, limits: limits, connections: connections, standing: standing.texts, loops: loops)
      },
      configuration: ApplicationConfiguration(
        address: .hostname(configuration.host, port: configuration.port), serverName: "chipbridge",
        backlog: Self.backlog, reuseAddress: true, availableConnectionsDelegate: .maximum(most, logger: logger)),
      onServerRunning: { channel in
        await whenListening(channel.localAddress?.port ?? port)
      }, eventLoopGroupProvider: .shared(loops), logger: logger)
    var services: [ServiceGroupConfiguration.ServiceConfiguration] = []
    // The first to start is the last to stop: by then every span has ended.
    if let exporter { services.append(.init(service: ExporterService(exporter: exporter))) }
    services += [
      .init(service: PoolService(pools: [writer, readerPool])), .init(service: PipelineService(pipeline: pipeline)),
      .init(service: KeyUseService(authenticator: authenticator)),
    ]
    if configuration.runsWorkers {
      services.append(.init(service: WorkerService(worker: worker, hints: hints)))
      services.append(.init(service: DelivererService(deliverer: deliverer)))
    }
    if let sealing = configuration.sealing {
      let pipeline = pipeline
      services.append(
        .init(
          service: SealerService(sealer: sealer, sealing: sealing, logger: logger) {
            pipeline.counters.commands.load(ordering: .relaxed)
          }))
    }
    if let keys = authenticator.tokens?.keys { services.append(.init(service: IssuerService(keys: keys))) }
    services.append(.init(service: application))
    // The last to start is the first to stop: open streams end at once, so that the server has none to wait for.
    services.append(.init(service: FeedService(feed: feed)))
    var group = ServiceGroupConfiguration(
      services: services, gracefulShutdownSignals: [.sigterm, .sigint], logger: logger)
    group.maximumGracefulShutdownDuration = .seconds(30)
    try await ServiceGroup(configuration: group).run()
  }
}

/// A service that is told of by its name. The group logs its services as they describe themselves, and left to itself a value
/// tells all that it holds, keys with it.
private protocol NamedService: Service, CustomStringConvertible {}

extension NamedService {
  var description: String { "\(Self.self)" }
}

/// Closes the pools after everything that uses them has ended.
private struct PoolService: NamedService {
  let pools: [PostgresPool]

  func run() async throws {
    try? await gracefulShutdown()
    for pool in pools { await pool.shutdown() }
  }
}

/// Exports spans; on shutdown those that wait, for a bounded time.
private struct ExporterService: NamedService {
  let exporter: SpanExporter

  func run() async throws {
    await cancelWhenGracefulShutdown { await exporter.run() }
    await exporter.finish()
  }
}

/// Runs the pipeline; on shutdown what is queued is still decided.
private struct PipelineService: NamedService {
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
private struct WorkerService: NamedService {
  let worker: RunWorker
  let hints: AsyncStream<Void>

  func run() async throws {
    await cancelWhenGracefulShutdown { await worker.run(hints: hints) }
  }
}

/// Seals the audit log; on shutdown it stops, and what is not sealed yet is sealed by whoever comes next.
private struct SealerService: NamedService {
  let sealer: AuditSealer
  let sealing: AuditSealing
  let logger: Logger
  let written: @Sendable () -> Int

  func run() async throws {
    await cancelWhenGracefulShutdown { await sealer.run(sealing, written: written, logger: logger) }
  }
}

/// Writes now and then which keys were used; once more at the end.
private struct KeyUseService: NamedService {
  let authenticator: Authenticator

  func run() async throws {
    await cancelWhenGracefulShutdown {
      while !Task.isCancelled {
        try? await Task.sleep(for: .seconds(30))
        if !Task.isCancelled { await authenticator.noteUses() }
      }
    }
    await authenticator.noteUses()
  }
}

/// Reads the outside issuer's keys again and again. Not waited for at the start: while the issuer is silent, keys of our own
/// are good.
private struct IssuerService: NamedService {
  let keys: IssuerKeys

  func run() async throws {
    await cancelWhenGracefulShutdown { await keys.run() }
  }
}

/// Feeds the streams; on shutdown they end.
private struct FeedService: NamedService {
  let feed: EventFeed

  func run() async throws {
    await cancelWhenGracefulShutdown { await feed.run() }
  }
}

/// Tells webhooks; on shutdown what is under way is left to whoever comes next.
private struct DelivererService: NamedService {
  let deliverer: WebhookWorker

  func run() async throws {
    await cancelWhenGracefulShutdown { await deliverer.run() }
  }
}
