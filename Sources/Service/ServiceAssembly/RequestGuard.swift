import HTTPTypes
import NIOCore
import NIOHTTP1
import WebSupport

#if canImport(Glibc)
  import Glibc
#else
  import Darwin
#endif

/// Stands between the parser and the framework: what is no request of this interface is answered here, a client that takes
/// too long is told so or cut, and every answer that ends a connection is one that the client can read.
///
/// The framework's own idle timeout runs anew with each piece of a body, and it closes without a word on a parser's fault.
final class RequestGuard: ChannelDuplexHandler {
  typealias InboundIn = HTTPServerRequestPart
  typealias InboundOut = HTTPServerRequestPart
  typealias OutboundIn = HTTPServerResponsePart
  typealias OutboundOut = HTTPServerResponsePart

  /// What is read now.
  enum Reading: Equatable {
    case nothing
    case head(since: NIODeadline)
    case body(since: NIODeadline, bytes: Int)
    /// Nothing more is taken of this connection.
    case ended
  }

  let limits: ConnectionLimits
  private let connections: OpenConnections
  /// Sent with every answer that is made here.
  private let standing: [(String, String)]

  var reading = Reading.nothing
  /// Requests that were passed on and whose answer has not ended.
  private(set) var unanswered = 0
  /// Whether the oldest of them has the beginning of its answer.
  private(set) var isAnswerBegun = false
  /// Since when the oldest of them, whole, is worked on; or since when nothing is asked.
  private var since = NIODeadline.uptimeNanoseconds(0)
  private var passedOn = 0
  /// No answer after those that are owed.
  private var isLast = false
  /// What the last answer will be, once those before it are written.
  private var refusal: (problem: Problem, ofPassedOn: Bool)?
  private(set) var drainingSince: NIODeadline?
  var isDraining: Bool { drainingSince != nil }
  var isReadingHead: Bool { if case .head = reading { true } else { false } }
  /// Tells, while bytes are parsed, whether the first line of the head is whole: what is too long is then no target.
  var lineBroken: (() -> Bool)?
  private var clock: Scheduled<Void>?
  private weak var wire: WireGuard?

  init(limits: ConnectionLimits, connections: OpenConnections, standing: [(String, String)]) {
    self.limits = limits
    self.connections = connections
    self.standing = standing
  }

  // MARK: the connection

  func watch(_ wire: WireGuard) { self.wire = wire }

  func handlerAdded(context: ChannelHandlerContext) {
    connections.opened()
    since = context.eventLoop.now
    tickLater(context)
  }

  func handlerRemoved(context: ChannelHandlerContext) {
    connections.closed()
    clock?.cancel()
    clock = nil
  }

  /// The shortest limit that is tested by the clock decides how often it is looked at.
  private func tickLater(_ context: ChannelHandlerContext) {
    let bound = NIOLoopBound((self, context), eventLoop: context.eventLoop)
    clock = context.eventLoop.scheduleTask(in: .milliseconds(500)) {
      let (handler, context) = bound.value
      handler.tick(context)
    }
  }

  /// Ticks for as long as it is in the pipeline. A connection is handed from loop to loop before it is active, which takes
  /// longer than a tick where many come at once: a clock that stopped then would leave such a one to its client for ever.
  private func tick(_ context: ChannelHandlerContext) {
    if context.channel.isActive { judge(at: context.eventLoop.now, context) }
    if clock != nil { tickLater(context) }
  }

  private func judge(at now: NIODeadline, _ context: ChannelHandlerContext) {
    func isPast(_ seconds: Int64, since start: NIODeadline) -> Bool { now - start > .seconds(seconds) }
    if let drainingSince, isPast(limits.lingerSeconds, since: drainingSince) { return context.close(promise: nil) }
    if let wire, let place = try? context.pipeline.syncOperations.context(handler: wire),
      wire.isStalled(at: now, context: place)
    {
      // By a reset: what the client does not take would else stay with the kernel, minutes after the connection.
      _ = (context.channel as? any SocketOptionProvider)?.setSoLinger(linger(l_onoff: 1, l_linger: 0))
      return context.close(promise: nil)
    }
    guard !isDraining else { return }
    switch reading {
    case .head(let start) where unanswered == 0 && isPast(limits.headSeconds, since: start):
      refuse(Self.late(limits.headSeconds, "the head"), ofPassedOn: false, context)
    case .body(let start, _) where unanswered == 1 && isPast(limits.requestSeconds, since: start):
      refuse(Self.late(limits.requestSeconds, "the request"), ofPassedOn: true, context)
    case .body where unanswered < 2, .head where unanswered == 0: break
    default:
      if unanswered > 0 {
        guard !isAnswerBegun, isPast(limits.answerSeconds, since: since) else { return }
        refuse(Self.unanswered(limits.answerSeconds), ofPassedOn: true, context)
      } else {
        let idle = connections.isCrowded ? limits.idleSecondsWhenCrowded : limits.idleSeconds
        if isPast(idle, since: since) { context.close(promise: nil) }
      }
    }
  }

  // MARK: requests

  /// Called before bytes are parsed.
  /// - Returns: whether they are taken at all.
  func readsMore(at now: NIODeadline) -> Bool {
    if reading == .nothing { reading = .head(since: now) }
    return reading != .ended
  }

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    switch unwrapInboundIn(data) {
    case .head(let head): read(head, data, context)
    case .body(let bytes):
      guard case .body(let start, let count) = reading else { return }
      reading = .body(since: start, bytes: count + bytes.readableBytes)
      if count + bytes.readableBytes > limits.bodyBytes {
        return refuse(Self.tooLarge(limits.bodyBytes), ofPassedOn: true, context)
      }
      context.fireChannelRead(data)
    case .end:
      guard case .body = reading else { return }
      reading = isLast ? .ended : .nothing
      if unanswered == 1 { since = context.eventLoop.now }
      // Trailers are no header fields: what they say was judged by nobody.
      context.fireChannelRead(wrapInboundOut(.end(nil)))
    }
  }

  private func read(_ head: HTTPRequestHead, _ data: NIOAny, _ context: ChannelHandlerContext) {
    guard reading != .ended else { return }
    var start = context.eventLoop.now
    if case .head(let since) = reading { start = since }
    let facts: RequestHead
    do { facts = try RequestHead(head, limits: limits) } catch {
      return refuse(error, ofPassedOn: false, context)
    }
    reading = .body(since: start, bytes: 0)
    unanswered += 1
    passedOn += 1
    // The parser stops after a request that would change the protocol, which nobody here does.
    if !head.isKeepAlive || facts.asksForAnotherProtocol || passedOn >= limits.requestCount { isLast = true }
    if facts.expectsContinue, unanswered == 1 {
      context.writeAndFlush(
        wrapOutboundOut(.head(HTTPResponseHead(version: .http1_1, status: .continue))), promise: nil)
    }
    context.fireChannelRead(data)
  }

  /// A fault of the framing, which the parser found.
  func errorCaught(context: ChannelHandlerContext, error: any Error) {
    guard reading != .ended, let fault = error as? HTTPParserError else {
      if !(error is HTTPParserError) { context.fireErrorCaught(error) }
      return
    }
    let isOfBody = if case .body = reading { true } else { false }
    let problem: Problem =
      switch fault {
      case .headerOverflow where lineBroken?() == false: Self.targetTooLong(limits.targetBytes)
      case .headerOverflow:
        Problem(
          .requestHeaderFieldsTooLarge, "request.head_too_large",
          "A head is at most \(limits.headBytes) bytes in \(limits.fieldCount) fields of \(limits.fieldBytes) bytes.")
      default: Problem(.badRequest, "request.framing_malformed", "The request is not well-formed HTTP/1.1.")
      }
    refuse(problem, ofPassedOn: isOfBody, context)
  }

  // MARK: answers

  func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
    guard !isDraining else {
      promise?.fail(ChannelError.ioOnClosedChannel)
      return
    }
    switch unwrapOutboundIn(data) {
    case .head(var head) where head.status.code >= 200:
      isAnswerBegun = true
      // An answer that did not wait for the end of the request ends the connection: nobody reads what else is sent.
      if unanswered == 1, case .body = reading { isLast = true }
      if unanswered == 1, isLast {
        head.headers.replaceOrAdd(name: "Connection", value: "close")
        context.write(wrapOutboundOut(.head(head)), promise: promise)
      } else {
        context.write(data, promise: promise)
      }
    case .end:
      isAnswerBegun = false
      unanswered -= 1
      since = context.eventLoop.now
      if unanswered == 0, isLast {
        drainingSince = since
        reading = .ended
        context.writeAndFlush(data, promise: promise)
        return endOutput(context)
      }
      restartReading()
      context.write(data, promise: promise)
      if let refusal, unanswered == (refusal.ofPassedOn ? 1 : 0) { answer(refusal.problem, context) }
    default: context.write(data, promise: promise)
    }
  }

  /// The time of a request that came while others were answered counts from now on.
  private func restartReading() {
    switch reading {
    case .head where unanswered == 0: reading = .head(since: since)
    case .body(_, let bytes) where unanswered == 1: reading = .body(since: since, bytes: bytes)
    default: break
    }
  }

  /// Ends the connection with a problem, after the answers that are owed before it.
  /// - Parameter ofPassedOn: whether the framework has the request and may answer it too.
  private func refuse(_ problem: Problem, ofPassedOn: Bool, _ context: ChannelHandlerContext) {
    reading = .ended
    guard unanswered == (ofPassedOn ? 1 : 0) || (ofPassedOn && !isReadingLater(problem)) else {
      refusal = (problem, ofPassedOn)
      return
    }
    answer(problem, context)
  }

  /// Whether a problem is of the newest request, and not of the oldest, which has no answer in time.
  private func isReadingLater(_ problem: Problem) -> Bool { problem.status != .serviceUnavailable }

  private func answer(_ problem: Problem, _ context: ChannelHandlerContext) {
    refusal = nil
    drainingSince = context.eventLoop.now
    // Half an answer cannot be made another one.
    guard !isAnswerBegun else { return context.close(promise: nil) }
    let body = context.channel.allocator.buffer(bytes: problem.body(requestID: nil))
    var headers = HTTPHeaders([
      ("Content-Type", "application/problem+json"), ("Content-Length", "\(body.readableBytes)"),
      ("Connection", "close"),
    ])
    for (name, value) in problem.headers { headers.add(name: name.canonicalName, value: value) }
    headers.add(contentsOf: standing)
    let head = HTTPResponseHead(
      version: .http1_1,
      status: .init(statusCode: problem.status.code, reasonPhrase: problem.status.reasonPhrase), headers: headers)
    context.write(wrapOutboundOut(.head(head)), promise: nil)
    context.write(wrapOutboundOut(.body(.byteBuffer(body))), promise: nil)
    context.writeAndFlush(wrapOutboundOut(.end(nil)), promise: nil)
    endOutput(context)
  }

  /// Says that no more comes, and lets the client read what came.
  private func endOutput(_ context: ChannelHandlerContext) {
    context.close(mode: .output, promise: nil)
    context.read()
  }

  func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
    if isDraining, event as? ChannelEvent == .inputClosed { return context.close(promise: nil) }
    context.fireUserInboundEventTriggered(event)
  }

  // MARK: problems

  private static func late(_ seconds: Int64, _ part: String) -> Problem {
    Problem(.requestTimeout, "request.too_slow", "After \(seconds) seconds \(part) had not come whole.")
  }

  private static func unanswered(_ seconds: Int64) -> Problem {
    var problem = Problem(
      .serviceUnavailable, "service.too_slow",
      "There was no answer within \(seconds) seconds. "
        + "Repeat the request with the same Idempotency-Key to learn what became of it.")
    problem.headers = [(.retryAfter, "2")]
    return problem
  }

  static func tooLarge(_ bytes: Int) -> Problem {
    Problem(.contentTooLarge, "request.too_large", "A body is at most \(bytes) bytes.")
  }

  static func targetTooLong(_ bytes: Int) -> Problem {
    Problem(.uriTooLong, "request.target_too_long", "A request target is at most \(bytes) bytes.")
  }
}
