import HummingbirdCore
import NIOCore
import NIOEmbedded
import NIOHTTP1
import NIOPosix
import Testing

@testable import ServiceAssembly

/// One connection under its guards, on a loop whose time the test moves. The framework above is a handler that answers what
/// it is told to.
private final class GuardedConnection {
  let channel = EmbeddedChannel()
  let limits: ConnectionLimits

  init(_ change: (inout ConnectionLimits) -> Void = { _ in }) throws {
    var limits = ConnectionLimits()
    (limits.headSeconds, limits.requestSeconds, limits.answerSeconds) = (4, 6, 8)
    (limits.idleSeconds, limits.idleSecondsWhenCrowded, limits.stalledSeconds) = (5, 2, 3)
    change(&limits)
    self.limits = limits
    try channel.pipeline.syncOperations.configureHTTPServerPipeline(
      withPipeliningAssistance: false, withErrorHandling: false)
    try LoopBoundChannel(
      responder: { _, _, _ in }, limits: limits, connections: OpenConnections(most: 100),
      standing: [("X-Standing", "1")],
      loops: MultiThreadedEventLoopGroup.singleton
    ).guardConnection(channel)
  }

  /// What a loop does with a connection that was handed to it.
  func activate() throws { try channel.connect(to: SocketAddress(ipAddress: "127.0.0.1", port: 1)).wait() }

  func send(_ text: String) throws { try channel.writeInbound(ByteBuffer(string: text)) }

  func pass(_ milliseconds: Int64) { channel.embeddedEventLoop.advanceTime(by: .milliseconds(milliseconds)) }

  /// The framework's answer to the oldest request.
  func answer() throws {
    let head = HTTPResponseHead(version: .http1_1, status: .ok, headers: ["Content-Length": "0"])
    try channel.writeOutbound(HTTPServerResponsePart.head(head))
    try channel.writeOutbound(HTTPServerResponsePart.end(nil))
  }

  /// What went out since it was last asked.
  func sent() throws -> String {
    var text = ""
    while let data = try channel.readOutbound(as: IOData.self) {
      if case .byteBuffer(let bytes) = data { text += String(buffer: bytes) }
    }
    return text
  }

  /// Ends it whatever it is in the middle of, so that no task of its loop is left.
  func end() { _ = try? channel.finish(acceptAlreadyClosed: true) }
}

@Suite("The guards of a connection")
struct ConnectionGuardTests {
  private static let get = "GET /livez HTTP/1.1\r\nHost: a\r\n\r\n"

  /// How long after its setup a connection becomes active, in milliseconds: at once, and after several looks at the clock, as
  /// it is where a thousand come at once and each is handed from one loop to another.
  private static let handOvers: [Int64] = [0, 400, 600, 1_700]

  @Test("one without a request is closed when its time is up, however late it became active", arguments: handOvers)
  func idle(handOver: Int64) throws {
    let connection = try GuardedConnection()
    defer { connection.end() }
    connection.pass(handOver)
    try connection.activate()
    connection.pass(4_900 - handOver)
    #expect(connection.channel.isActive)
    connection.pass(700)
    #expect(!connection.channel.isActive)
    #expect(try connection.sent() == "")
  }

  @Test("half a head is told that it is late, and is closed, however late it became active", arguments: handOvers)
  func half(handOver: Int64) throws {
    let connection = try GuardedConnection()
    defer { connection.end() }
    connection.pass(handOver)
    try connection.activate()
    try connection.send("GET /livez HTTP/1.1\r\nHost: a\r\nX-A: b")
    connection.pass(3_900)
    #expect(try connection.sent() == "")
    connection.pass(700)
    let answer = try connection.sent()
    #expect(answer.hasPrefix("HTTP/1.1 408 ") && answer.contains("X-Standing: 1\r\n"), "\(answer)")
    connection.pass(1_600)
    #expect(!connection.channel.isActive)
  }

  @Test("a head in drops has no longer than one that stops")
  func drip() throws {
    let connection = try GuardedConnection()
    defer { connection.end() }
    try connection.activate()
    try connection.send("GET /livez HTTP/1.1\r\n")
    for index in 0..<8 {
      connection.pass(500)
      try connection.send("X-\(index): a\r\n")
    }
    connection.pass(600)
    #expect(try connection.sent().hasPrefix("HTTP/1.1 408 "))
  }

  @Test("a body in drops has the time of its request, and the framework's answer is then not sent")
  func body() throws {
    let connection = try GuardedConnection()
    defer { connection.end() }
    try connection.activate()
    try connection.send("POST /v1/lots HTTP/1.1\r\nHost: a\r\nContent-Length: 1000\r\n\r\n{")
    for _ in 0..<11 {
      connection.pass(500)
      try connection.send(" ")
    }
    #expect(try connection.sent() == "")
    connection.pass(1_000)
    #expect(try connection.sent().hasPrefix("HTTP/1.1 408 "))
    #expect(throws: ChannelError.self) { try connection.answer() }
    #expect(try connection.sent() == "")
  }

  @Test("a request without an answer is told so when its time is up; the time of what follows counts from its answer")
  func unanswered() throws {
    let connection = try GuardedConnection()
    defer { connection.end() }
    try connection.activate()
    try connection.send(Self.get)
    connection.pass(7_900)
    try connection.answer()
    #expect(try connection.sent().hasPrefix("HTTP/1.1 200 "))
    connection.pass(4_500)
    #expect(connection.channel.isActive)
    try connection.send(Self.get)
    connection.pass(7_900)
    #expect(try connection.sent() == "")
    connection.pass(700)
    let late = try connection.sent()
    #expect(late.hasPrefix("HTTP/1.1 503 ") && late.lowercased().contains("retry-after: 2\r\n"), "\(late)")
    connection.pass(1_600)
    #expect(!connection.channel.isActive)
  }

  @Test("a head that came behind a slow answer has its whole time from that answer on")
  func behind() throws {
    let connection = try GuardedConnection()
    defer { connection.end() }
    try connection.activate()
    try connection.send(Self.get)
    try connection.send("GET /livez HTTP/1.1\r\n")
    connection.pass(7_500)
    try connection.answer()
    _ = try connection.sent()
    connection.pass(3_900)
    #expect(try connection.sent() == "")
    connection.pass(700)
    #expect(try connection.sent().hasPrefix("HTTP/1.1 408 "))
  }

  @Test("what waits for a client that takes nothing is cut; one that takes it in time is not")
  func stalled() throws {
    for takes in [false, true] {
      let connection = try GuardedConnection()
      defer { connection.end() }
      try connection.activate()
      try connection.send(Self.get)
      // Written and not flushed: as bytes are that the socket does not take.
      connection.channel.write(
        HTTPServerResponsePart.head(HTTPResponseHead(version: .http1_1, status: .ok)), promise: nil)
      connection.pass(2_900)
      #expect(connection.channel.isActive)
      if takes { connection.channel.flush() }
      connection.pass(1_200)
      #expect(connection.channel.isActive == takes)
    }
  }
}
