import AsyncHTTPClient
import Logging
import NIOCore
import NIOHTTP1
import NIOPosix
import StrictJSON
import Synchronization
import Traces

/// Posts spans to a collector (OTLP/HTTP, JSON), a batch at a time, off the path of every request. A collector that is down,
/// slow or answers nonsense costs spans, which are counted, and nothing else.
package final class SpanExporter: Sendable {
  package let tracer: Tracer
  private let configuration: ExportConfiguration
  private let logger: Logger
  private let client: HTTPClient
  /// A batch whose export was broken off; the next to be sent.
  private let held = Mutex<[SpanRecord]>([])
  /// When a failure was logged last.
  private let complained = Mutex<ContinuousClock.Instant?>(nil)

  /// Tries of one batch.
  private static let tries = 6
  /// The longest pause between two of them, whatever the collector asks for.
  private static let longestPause = Duration.seconds(30)
  private static let shortestPause = Duration.milliseconds(500)
  /// For what still waits when the service stops.
  private static let finishing = Duration.seconds(5)
  private static let complainEvery = Duration.seconds(60)
  private static let longestAnswer = 64 << 10

  package init(_ configuration: ExportConfiguration, logger: Logger) {
    self.configuration = configuration
    self.logger = logger
    tracer = Tracer(ratio: configuration.ratio, limits: configuration.limits)
    var http = HTTPClient.Configuration(
      redirectConfiguration: .disallow, timeout: .init(connect: .seconds(5), read: .seconds(60)), proxy: nil,
      decompression: .disabled)
    http.httpVersion = .http1Only
    http.connectionPool.retryConnectionEstablishment = false
    client = HTTPClient(eventLoopGroup: MultiThreadedEventLoopGroup.singleton, configuration: http)
  }

  // MARK: running

  /// Exports until the task is cancelled: as soon as a batch is full, and what there is after each delay.
  package func run() async {
    await withTaskGroup(of: Void.self) { group in
      let (ticks, tick) = AsyncStream.makeStream(of: Void.self, bufferingPolicy: .bufferingNewest(1))
      group.addTask { [tracer] in
        for await _ in tracer.filled { tick.yield() }
      }
      group.addTask { [delay = configuration.delay] in
        while !Task.isCancelled {
          do { try await Task.sleep(for: delay) } catch { break }
          tick.yield()
        }
        tick.finish()
      }
      for await _ in ticks {
        repeat { await exportOne(until: nil) } while !Task.isCancelled && tracer.isFilled
      }
      group.cancelAll()
    }
  }

  /// Exports what waits, once the service has stopped, and closes its connections. What is left when time is over is lost.
  package func finish() async {
    let deadline = ContinuousClock.now + Self.finishing
    // Not bound by the task, which may be cancelled by now.
    await Task.detached { [self] in
      while ContinuousClock.now < deadline, await exportOne(until: deadline) {}
      var lost = held.withLock { $0.count }
      while case let batch = tracer.take(), !batch.isEmpty { lost += batch.count }
      tracer.counters.lost.add(lost, ordering: .relaxed)
      if lost > 0 { logger.warning("spans were lost at the end", metadata: ["spans": "\(lost)"]) }
      try? await client.shutdown()
    }.value
  }

  /// - Returns: whether there was anything to export.
  @discardableResult
  private func exportOne(until deadline: ContinuousClock.Instant?) async -> Bool {
    var batch = held.withLock { held in
      defer { held = [] }
      return held
    }
    if batch.isEmpty { batch = tracer.take() }
    if batch.isEmpty { return false }
    let body = ExportRequest.body(of: batch, service: configuration.serviceName)
    for number in 1...Self.tries {
      let left = deadline.map { $0 - .now } ?? configuration.timeout
      guard left > .zero else { break }
      // A try is let end: cancelled in the middle, nobody would know whether the collector has the spans.
      let answer = await Task { await post(body, within: min(left, configuration.timeout)) }.value
      switch answer {
      case .taken(let rejected):
        let rejected = min(max(rejected, 0), batch.count)
        tracer.counters.exported.add(batch.count - rejected, ordering: .relaxed)
        tracer.counters.lost.add(rejected, ordering: .relaxed)
        return true
      case .refused(let why):
        failed(why)
        tracer.counters.lost.add(batch.count, ordering: .relaxed)
        return true
      case .later(let why, let asked):
        failed(why)
        if number == Self.tries { break }
        let pause = Self.pause(after: number, asked: asked)
        if let deadline, .now + pause >= deadline { break }
        do { try await Task.sleep(for: pause) } catch {
          // The service stops: this batch is the first of those that are exported at the end.
          held.withLock { $0 = batch }
          return true
        }
        continue
      }
      break
    }
    tracer.counters.lost.add(batch.count, ordering: .relaxed)
    return true
  }

  /// Doubling from half a second, with jitter; what the collector asks for where that is longer.
  private static func pause(after tries: Int, asked: Int64?) -> Duration {
    let base = shortestPause * (1 << (tries - 1))
    let jittered = base * Double.random(in: 0.75...1.25)
    return min(max(jittered, asked.map { .seconds($0) } ?? .zero), longestPause)
  }

  private func failed(_ why: String) {
    tracer.counters.failedTries.add(1, ordering: .relaxed)
    let now = ContinuousClock.now
    let isTime = complained.withLock { last in
      guard last.map({ now - $0 > Self.complainEvery }) ?? true else { return false }
      last = now
      return true
    }
    if isTime { logger.warning("spans could not be exported", metadata: ["reason": "\(why)"]) }
  }

  // MARK: one try

  private enum TryOutcome: Sendable {
    /// - rejected: spans that the collector did not take, as it says.
    case taken(rejected: Int)
    case refused(String)
    /// Worth another try, after so many seconds if it says so.
    case later(String, after: Int64?)
  }

  private func post(_ body: [UInt8], within limit: Duration) async -> TryOutcome {
    var request = HTTPClientRequest(url: configuration.endpoint)
    request.method = .POST
    for (name, value) in configuration.headers { request.headers.add(name: name, value: value) }
    request.headers.replaceOrAdd(name: "content-type", value: "application/json")
    request.headers.replaceOrAdd(name: "user-agent", value: "chipbridge-otlp/1")
    request.body = .bytes(ByteBuffer(bytes: body))
    do {
      let (seconds, attoseconds) = limit.components
      let response = try await client.execute(
        request, deadline: .now() + .nanoseconds(seconds * 1_000_000_000 + attoseconds / 1_000_000_000))
      let status = Int(response.status.code)
      var answer: [UInt8] = []
      for try await part in response.body {
        // Past the bound it is no answer that says anything of spans.
        guard answer.count + part.readableBytes <= Self.longestAnswer else { break }
        answer += part.readableBytesView
      }
      switch status {
      case 200...299: return .taken(rejected: Self.rejected(answer))
      case 429, 502, 503, 504:
        let seconds = response.headers.first(name: "retry-after").flatMap { Int64($0) }
        return .later("status \(status)", after: seconds.flatMap { $0 < 0 ? nil : min($0, 3_600) })
      default: return .refused("status \(status)")
      }
    } catch let error as HTTPClientError where error == .connectTimeout {
      return .later("no connection", after: nil)
    } catch is NIOConnectionError {
      // Nothing was sent, so that nothing can be there twice.
      return .later("no connection", after: nil)
    } catch let error as HTTPClientError where error == .deadlineExceeded || error == .readTimeout {
      return .refused("no answer in time")
    } catch {
      return .refused("the connection broke")
    }
  }

  /// How many spans a collector says it did not take: `{"partialSuccess":{"rejectedSpans":"3"}}`. What is no such answer
  /// says nothing of it.
  package static func rejected(_ answer: [UInt8]) -> Int {
    guard let partial = (try? JSONDocument(parsing: answer))?.root["partialSuccess"] else { return 0 }
    let count = partial["rejectedSpans"]
    return Int(clamping: count?.asInteger ?? count?.asString.flatMap { Int64($0) } ?? 0)
  }
}
