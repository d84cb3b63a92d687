import Glibc
import PostgresHarness
import Testing

@testable import Postgres

/// A TCP listener on the loopback that says what it is told and no more.
final class Impostor: Sendable {
  let port: Int
  private let descriptor: Int32

  /// `reply` is sent to each client that connects; an empty one is silence. The connection is then kept open, or ended
  /// if `hangsUp`.
  init(reply: [UInt8], hangsUp: Bool = false) throws {
    descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
    var length = socklen_t(MemoryLayout<sockaddr_in>.size)
    let listener = descriptor
    let isListening = withUnsafeMutablePointer(to: &address) { pointer in
      pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { raw in
        bind(listener, raw, length) == 0 && listen(listener, 16) == 0 && getsockname(listener, raw, &length) == 0
      }
    }
    guard isListening else { throw HarnessError("no listener") }
    port = Int(UInt16(bigEndian: address.sin_port))
    let started = BlockingThreads.spawn {
      while true {
        let client = accept(listener, nil, nil)
        guard client >= 0 else { return }
        var request = [UInt8](repeating: 0, count: 1_024)
        _ = read(client, &request, request.count)
        _ = reply.withUnsafeBytes { send(client, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL)) }
        if hangsUp { close(client) }
      }
    }
    guard started else { throw HarnessError("no thread") }
  }

  deinit {
    shutdown(descriptor, Int32(SHUT_RDWR))
    close(descriptor)
  }

  /// Without TLS, so that the first bytes are the protocol's own.
  var url: String { "postgresql://u@127.0.0.1:\(port)/d?sslmode=disable" }
}

@Suite("A peer that is no server", .timeLimit(.minutes(1)))
struct PeerTests {
  private func connect(_ url: String, _ limit: Duration = .seconds(3)) async -> PostgresError? {
    await failure {
      var configuration = try PostgresConfiguration(url: url)
      configuration.connectTimeout = limit
      return try await PostgresConnection.connect(configuration, reactor: Reactor(), deadline: soon(30))
    }
  }

  /// A type byte, a length that counts itself, and the body.
  private static func message(_ type: Character, _ body: [UInt8]) -> [UInt8] {
    let length = UInt32(body.count + 4).bigEndian
    return [type.asciiValue ?? 0] + withUnsafeBytes(of: length) { Array($0) } + body
  }

  /// Authentication granted and ready for queries, and then whatever follows.
  private static let welcome = message("R", [0, 0, 0, 0]) + message("Z", [UInt8(ascii: "I")])

  @Test("a refused connection is no connection, at once")
  func refused() async throws {
    let port = try PostgresServer.freePort()
    let start = ContinuousClock.now
    let error = await connect("postgresql://u@127.0.0.1:\(port)/d", .seconds(20))
    #expect(error?.kind == .connectFailed)
    #expect(ContinuousClock.now - start < .seconds(8))
    let socket = await connect("postgresql:///d?host=/nonexistent&user=u")
    #expect(socket?.kind == .connectFailed)
  }

  @Test("a peer that never answers is given up at the deadline")
  func silent() async throws {
    let impostor = try Impostor(reply: [])
    let start = ContinuousClock.now
    let error = await connect(impostor.url, .milliseconds(400))
    #expect(error?.kind == .deadlineExceeded)
    #expect(ContinuousClock.now - start < .seconds(8))
  }

  @Test("connecting ends with its task")
  func cancelled() async throws {
    let impostor = try Impostor(reply: [])
    let url = impostor.url
    let task = Task { await connect(url, .seconds(25)) }
    try await Task.sleep(for: .milliseconds(150))
    task.cancel()
    let start = ContinuousClock.now
    #expect(await task.value?.kind == .cancelled)
    #expect(ContinuousClock.now - start < .seconds(8))
  }

  @Test("garbage instead of the protocol fails and neither hangs nor crashes", arguments: 0..<24 as Range<UInt64>)
  func garbage(_ seed: UInt64) async throws {
    var random = Splitmix(state: seed)
    var bytes = (0..<Int(random.next() % 600)).map { _ in UInt8(truncatingIfNeeded: random.next()) }
    // Half of them get beyond authentication first.
    if seed % 2 == 0 { bytes = Self.welcome + bytes }
    let impostor = try Impostor(reply: bytes, hangsUp: seed % 3 == 0)
    let error = await connect(impostor.url, .milliseconds(700))
    #expect(error != nil)
  }

  @Test("an answer that fits no question is refused")
  func unasked() async throws {
    // A data row without its description, then a tag and readiness, as if a query had been answered.
    let row = Self.message("D", [0, 1, 0, 0, 0, 1, 49]) + Self.message("C", Array("SELECT 1".utf8) + [0])
    let impostor = try Impostor(reply: Self.welcome + row + Self.message("Z", [UInt8(ascii: "I")]))
    let error = await connect(impostor.url, .milliseconds(700))
    #expect(error != nil)
  }

  @Test("a wrong name is no host, and a right one is looked up")
  func names() async throws {
    let unknown = await connect("postgresql://u@no-such-host.invalid/d", .seconds(8))
    #expect(unknown?.kind == .connectFailed || unknown?.kind == .deadlineExceeded)
    var options = PostgresServer.Options()
    options.listensOnLoopback = true
    let server = try await PostgresServer.launch(options)
    defer { server.remove() }
    let dead = try PostgresServer.freePort()
    let url = "postgresql://postgres@127.0.0.1:\(dead),localhost:\(server.port)/postgres"
    let connection = try await PostgresConnection.connect(
      PostgresConfiguration(url: url), reactor: Reactor(), deadline: soon())
    #expect(connection.hostIndex == 1)
    let row = try await connection.run(Query(Probe.one), deadline: soon()).single()
    #expect(try row.int8(0) == 1)
    await connection.close()
  }

  @Test("a wrong database is refused, and the error's description tells no secret")
  func secrets() async throws {
    try await TestDatabase.with { database in
      let error = await connect(database.url.replacing(database.name, with: "nowhere"))
      #expect(error?.kind == .connectFailed)
      #expect(error.map { "\($0)" } == "postgres connectFailed")
    }
    let error = await connect("postgresql://u:hush@h:port/d")
    #expect(error?.kind == .connectFailed)
    #expect(error.map { "\($0)".contains("hush") } == false)
  }
}

@Suite("The configuration")
struct ConfigurationTests {
  @Test("understands URLs and key=value strings, several hosts, ports and socket directories")
  func hosts() throws {
    let url = try PostgresConfiguration(url: "postgres://a:b@one:1,two:2/db?application_name=x&connect_timeout=7")
    #expect(url.hosts.map(\.name) == ["one", "two"])
    #expect(url.hosts.map(\.port) == ["1", "2"])
    #expect(url.applicationName == "x")
    #expect(url.connectTimeout == .seconds(7))
    #expect(url.parameters["user"] == "a")
    #expect(url.requiresWritable)
    let words = try PostgresConfiguration(
      url: "host=one,two hostaddr=10.0.0.1,10.0.0.2 port=5 dbname=db target_session_attrs=any")
    #expect(words.hosts.map(\.address) == ["10.0.0.1", "10.0.0.2"])
    #expect(words.hosts.map(\.port) == ["5", "5"])
    #expect(!words.requiresWritable)
    let socket = try PostgresConfiguration(url: "postgresql:///db?host=/run/a,/run/b")
    #expect(socket.hosts.map(\.name) == ["/run/a", "/run/b"])
    let none = try PostgresConfiguration(url: "")
    #expect(none.hosts.map(\.name) == ["/var/run/postgresql"])
    let address = try PostgresConfiguration(url: "hostaddr=10.0.0.1")
    #expect(address.hosts.map(\.address) == ["10.0.0.1"])
  }

  @Test(
    "refuses what libpq refuses, and lists that do not pair",
    arguments: [
      "postgres://[::1", "nonsense", "host=a,b port=1,2,3", "host=a,b hostaddr=10.0.0.1", "host=a\0b", "unknown=1",
    ])
  func refusals(_ text: String) {
    #expect(throws: PostgresError.self) { try PostgresConfiguration(url: text) }
  }
}
