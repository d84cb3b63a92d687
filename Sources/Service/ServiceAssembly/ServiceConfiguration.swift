import Delivery
import Identity
import Operations
import Postgres
import Settlement
import Telemetry
import Tokens
import TraceExport
import WebSupport

/// What the service is told from outside, checked as a whole before anything starts.
package struct ServiceConfiguration: Sendable {
  package var database: PostgresConfiguration
  package var host: String
  package var port: Int
  /// The business clock may be moved.
  package var isSandbox: Bool
  package var writerConnections: Int
  package var readerConnections: Int
  /// Whether this process does settlement runs and match rounds.
  package var runsWorkers: Bool
  /// When match rounds are planned by themselves.
  package var rounds: RoundSchedule
  /// How long a worker keeps a run or a shard that it says nothing of, in seconds.
  package var leaseSeconds: Int64
  package var limits: CommandPipeline.Limits
  /// Connections open at once; past it others wait to be accepted.
  package var maximumConnections: Int
  package var connectionLimits = ConnectionLimits()
  package var quotas = RateLimiter.Limits()
  /// Where lines of the log go.
  package var logs = LogOutputs()
  /// Where spans are exported to; nil for nowhere, and then there are none.
  package var export: ExportConfiguration?
  /// How the audit log is sealed; nil leaves it to other processes.
  package var sealing: AuditSealing? = AuditSealing()
  /// Whether acts that move money or change compliance are of two persons in a sandbox too; elsewhere they always are.
  package var asksSecondPersonInSandbox = false
  /// For how many seconds browsers are told to come by TLS only; nil where TLS does not end in front of this service.
  package var strictTransportSeconds: Int64?
  /// How many streams of events are taken, and how often they say that they are there.
  package var events = EventFeed.Limits()
  /// Webhooks may be sent to loopback addresses without TLS: in a sandbox only.
  package var allowsLoopbackWebhooks = false
  /// What the secrets of webhooks are sealed with, at least 32 bytes; the deployment's own secret when nil.
  package var webhookKey: [UInt8]?
  /// Whose tokens are taken in the place of keys; nil for nobody's.
  package var issuer: OutsideIssuer?

  package init(
    database: PostgresConfiguration, host: String = "127.0.0.1", port: Int = 8_080, isSandbox: Bool = false,
    writerConnections: Int = 6, readerConnections: Int = 8, runsWorkers: Bool = true,
    rounds: RoundSchedule = .never, leaseSeconds: Int64 = RunWorker.usualLeaseSeconds,
    limits: CommandPipeline.Limits = CommandPipeline.Limits(), maximumConnections: Int = 2_048
  ) {
    self.database = database
    self.host = host
    self.port = port
    self.isSandbox = isSandbox
    self.writerConnections = writerConnections
    self.readerConnections = readerConnections
    self.runsWorkers = runsWorkers
    self.rounds = rounds
    self.leaseSeconds = leaseSeconds
    self.limits = limits
    self.maximumConnections = maximumConnections
  }

  /// As a role that owns nothing; with `role` as the application name's suffix, so that operators tell them apart.
  func pool(role: String, size: Int) throws -> PostgresPool {
    var configuration = database
    configuration.role = role
    configuration.applicationName = role.replacing("_", with: "-")
    return try PostgresPool(configuration: configuration, size: size, waiters: 4_096, minimum: 1)
  }
}

/// An outside issuer of tokens: what its tokens must say, and where its keys are.
package struct OutsideIssuer: Sendable {
  package var rules: TokenRules
  package var source: KeySetSource
  package var timing: IssuerKeys.Timing

  package init(rules: TokenRules, source: KeySetSource, timing: IssuerKeys.Timing = IssuerKeys.Timing()) {
    self.rules = rules
    self.source = source
    self.timing = timing
  }
}
