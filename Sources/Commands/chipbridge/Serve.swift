import ArgumentParser
import Foundation
import Operations
import Persistence
import Postgres
import Primitives
import ServiceAssembly
import Settlement
import Telemetry
import TraceExport

/// Serves the interface until told to stop.
struct Serve: AsyncParsableCommand {
  static let configuration = CommandConfiguration(abstract: "Serve the HTTP interface until SIGTERM or SIGINT.")
  @OptionGroup var database: DatabaseOptions
  @OptionGroup(title: "Connections") var connections: ConnectionOptions
  @OptionGroup(title: "Quotas") var quotas: QuotaOptions
  @OptionGroup(title: "Audit log") var audit: AuditOptions
  @OptionGroup(title: "Logs") var logs: LogOptions
  @OptionGroup(title: "Tokens of an outside issuer") var tokens: TokenOptions
  @Option(help: "Address to listen on.") var host = "127.0.0.1"
  @Option(help: "Port to listen on; 0 takes a free one.") var port = 8_080
  @Flag(help: "A sandbox: the business clock may be moved.") var sandbox = false
  @Flag(help: "In a sandbox: ask for two persons as elsewhere, for acts that move money or change compliance.")
  var twoPersons = false
  @Flag(inversion: .prefixedNo, help: "Do settlement runs and match rounds in this process.") var workers = true
  @Option(help: "Plan a match round once in so many seconds (5 to 86400); by hand only when absent.")
  var matchEvery: Int64?
  @Option(help: "Plan a match round so many seconds after the newest order (1 to 3600); by hand only when absent.")
  var matchAfter: Int64?
  @Option(help: "Seconds after which another worker takes up what one that fell silent has (3 to 600).")
  var leaseSeconds = RunWorker.usualLeaseSeconds
  @Option(help: "Connections for the command pipeline.") var writerConnections = 6
  @Option(help: "Connections for reads.") var readerConnections = 8
  @Flag(help: "In a sandbox: webhooks may be sent to loopback addresses, without TLS.") var webhookLoopback = false
  @Option(help: "Streams of events that are taken at a time (1 to 10000).") var streams = 500
  @Option(help: "Seconds without news after which a stream says that it is there (1 to 60).") var streamHeartbeat = 15

  func validate() throws {
    guard (0...65_535).contains(port) else { throw ValidationError("--port is 0 to 65535.") }
    guard (1...200).contains(writerConnections), (1...200).contains(readerConnections) else {
      throw ValidationError("--writer-connections and --reader-connections are 1 to 200.")
    }
    guard matchEvery.map({ (5...86_400).contains($0) }) ?? true, matchAfter.map({ (1...3_600).contains($0) }) ?? true
    else { throw ValidationError("--match-every is 5 to 86400 seconds, --match-after 1 to 3600.") }
    guard (3...600).contains(leaseSeconds) else { throw ValidationError("--lease-seconds is 3 to 600.") }
    guard sandbox || !webhookLoopback else { throw ValidationError("--webhook-loopback is for a --sandbox.") }
    guard (1...10_000).contains(streams), (1...60).contains(streamHeartbeat) else {
      throw ValidationError("--streams is 1 to 10000, --stream-heartbeat 1 to 60 seconds.")
    }
  }

  /// What the secrets of webhooks are sealed with: 64 hexadecimal digits; they never stand on a command line.
  private static func webhookKey() throws -> [UInt8]? {
    guard let text = ProcessInfo.processInfo.environment["CHIPBRIDGE_WEBHOOK_KEY"], !text.isEmpty else { return nil }
    guard let digest = SHA256Digest(hexadecimal: text) else {
      throw Failure("CHIPBRIDGE_WEBHOOK_KEY is 64 hexadecimal digits.")
    }
    return digest.bytes
  }

  func run() async throws {
    var configuration = ServiceConfiguration(
      database: try database.configuration(), host: host, port: port, isSandbox: sandbox,
      writerConnections: writerConnections, readerConnections: readerConnections, runsWorkers: workers,
      rounds: RoundSchedule(everySeconds: matchEvery, afterSeconds: matchAfter), leaseSeconds: leaseSeconds)
    connections.apply(to: &configuration)
    quotas.apply(to: &configuration)
    try audit.apply(to: &configuration)
    try tokens.apply(to: &configuration)
    configuration.events.streams = streams
    configuration.allowsLoopbackWebhooks = webhookLoopback
    configuration.asksSecondPersonInSandbox = twoPersons
    configuration.webhookKey = try Self.webhookKey()
    configuration.events.heartbeat = .seconds(streamHeartbeat)
    configuration.export = try ExportConfiguration(environment: ProcessInfo.processInfo.environment)
    let logger = try logs.open(for: &configuration)
    let service: ChipBridgeService
    do { service = try await ChipBridgeService(configuration, logger: logger) } catch let error as PostgresError {
      throw Failure("The database does not serve: \(error.debugDescription)")
    } catch let error as ReferenceDataError {
      throw Failure(error.description)
    }
    let (host, outputs) = (host, configuration.logs)
    do {
      try await service.run { port in
        print("ChipBridge listens on http://\(host):\(port)")
        fflush(nil)
      }
    } catch {
      await outputs.flush()
      throw error
    }
    await outputs.flush()
  }
}
