import CLibPQ
import Glibc
import Postgres
import PostgresHarness
import Synchronization

/// Stands between a process and its database on a unix socket, and loses a commit or its answer when it is told to.
final class CommitProxy: Sendable {
  enum Fault: Sendable {
    /// The commit reaches the database; the answer does not come back.
    case loseAnswer
    /// The commit does not reach the database.
    case loseCommit
  }

  private struct State {
    var armed: [Fault] = []
    var strikes = 0
    var isClosed = false
  }

  private let state = Mutex(State())
  private let directory: String
  private let listener: Int32
  private let upstream: (host: String, port: String)
  private let database: TestDatabase

  init(to database: TestDatabase) throws {
    self.database = database
    upstream = try Self.address(of: database.url)
    var template = "/tmp/cbpx.XXXXXX".utf8CString.map { $0 }
    guard mkdtemp(&template) != nil else { throw HarnessError("no directory for the proxy") }
    directory = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
    listener = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0)
    let path = directory + "/.s.PGSQL.5432"
    guard listener >= 0, Self.withAddress(path, { bind(listener, $0, $1) }) == 0, listen(listener, 16) == 0 else {
      throw HarnessError("the proxy cannot listen")
    }
    Self.thread { [self] in accept() }
  }

  /// How to reach the database through the proxy.
  func configuration() throws -> PostgresConfiguration {
    var configuration = try PostgresConfiguration(
      url: "host=\(directory) port=5432 user=\(Self.option("user", of: database.url) ?? "postgres") dbname="
        + "\(database.name) password=\(Self.option("password", of: database.url) ?? "''")")
    configuration.connectTimeout = .seconds(5)
    return configuration
  }

  /// The next commit that passes, after those armed before, is struck.
  func arm(_ fault: Fault) { state.withLock { $0.armed.append(fault) } }
  func disarm() { state.withLock { $0.armed = [] } }

  /// How many commits were struck.
  var strikes: Int { state.withLock { $0.strikes } }

  func close() {
    state.withLock { $0.isClosed = true }
    shutdown(listener, Int32(SHUT_RDWR))
    Glibc.close(listener)
    unlink(directory + "/.s.PGSQL.5432")
    rmdir(directory)
  }

  private func strike(_ fault: Fault) -> Bool {
    state.withLock { state in
      guard state.armed.first == fault else { return false }
      state.armed.removeFirst()
      state.strikes += 1
      return true
    }
  }

  private func accept() {
    while true {
      let client = Glibc.accept(listener, nil, nil)
      guard client >= 0 else { return }
      guard let server = connectUpstream() else {
        Glibc.close(client)
        continue
      }
      // Each direction reads until its side ends; then both sockets are shut, and closed by the last.
      let open = Atomic2()
      Self.thread { [self] in
        forward(client, server, unless: { [self] in Self.holds($0, "postgres_commit") && strike(.loseCommit) })
        open.leave(client, server)
      }
      Self.thread { [self] in
        forward(server, client, unless: { [self] in Self.holds($0, "COMMIT\0") && strike(.loseAnswer) })
        open.leave(client, server)
      }
    }
  }

  /// Two threads share a pair of sockets; the second to leave closes them.
  private final class Atomic2: Sendable {
    private let left = Mutex(false)

    func leave(_ one: Int32, _ other: Int32) {
      shutdown(one, Int32(SHUT_RDWR))
      shutdown(other, Int32(SHUT_RDWR))
      let isLast = left.withLock { left in
        defer { left = true }
        return left
      }
      if isLast {
        Glibc.close(one)
        Glibc.close(other)
      }
    }
  }

  private func forward(_ from: Int32, _ to: Int32, unless lost: (ArraySlice<UInt8>) -> Bool) {
    var buffer = [UInt8](repeating: 0, count: 65_536)
    while true {
      let count = read(from, &buffer, buffer.count)
      guard count > 0, !lost(buffer[..<count]) else { return }
      var sent = 0
      while sent < count {
        let wrote = buffer.withUnsafeBytes { send(to, $0.baseAddress?.advanced(by: sent), count - sent, 0x4000) }
        guard wrote > 0 else { return }
        sent += wrote
      }
    }
  }

  private static func holds(_ bytes: ArraySlice<UInt8>, _ text: String) -> Bool {
    let wanted = Array(text.utf8)
    guard bytes.count >= wanted.count else { return false }
    return (bytes.startIndex...(bytes.endIndex - wanted.count)).contains { at in
      bytes[at..<at + wanted.count].elementsEqual(wanted)
    }
  }

  // MARK: Sockets

  private func connectUpstream() -> Int32? {
    guard upstream.host.hasPrefix("/") else { return connectTCP() }
    let server = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0)
    let path = upstream.host + "/.s.PGSQL." + upstream.port
    if Self.withAddress(path, { connect(server, $0, $1) }) == 0 { return server }
    Glibc.close(server)
    return nil
  }

  private func connectTCP() -> Int32? {
    var hints = addrinfo()
    hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
    var found: UnsafeMutablePointer<addrinfo>?
    guard getaddrinfo(upstream.host, upstream.port, &hints, &found) == 0, let first = found else { return nil }
    defer { freeaddrinfo(found) }
    let server = socket(first.pointee.ai_family, first.pointee.ai_socktype, 0)
    if connect(server, first.pointee.ai_addr, first.pointee.ai_addrlen) == 0 { return server }
    Glibc.close(server)
    return nil
  }

  private static func withAddress(
    _ path: String, _ body: (UnsafePointer<sockaddr>, socklen_t) -> Int32
  ) -> Int32 {
    var address = sockaddr_un()
    address.sun_family = sa_family_t(AF_UNIX)
    let bytes = Array(path.utf8)
    guard bytes.count < MemoryLayout.size(ofValue: address.sun_path) else { return -1 }
    withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: bytes) }
    return withUnsafePointer(to: &address) { pointer in
      pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        body($0, socklen_t(MemoryLayout<sockaddr_un>.size))
      }
    }
  }

  private static func address(of url: String) throws -> (host: String, port: String) {
    (option("host", of: url) ?? "/var/run/postgresql", option("port", of: url) ?? "5432")
  }

  private static func option(_ name: String, of url: String) -> String? {
    guard let options = PQconninfoParse(url, nil) else { return nil }
    defer { PQconninfoFree(options) }
    var option = options
    while let keyword = option.pointee.keyword {
      if String(cString: keyword) == name { return option.pointee.val.map { String(cString: $0) } }
      option += 1
    }
    return nil
  }

  private static func thread(_ body: @escaping @Sendable () -> Void) {
    let box = Unmanaged.passRetained(Box(body))
    var thread = pthread_t()
    pthread_create(
      &thread, nil,
      { raw in
        guard let raw else { return nil }
        Unmanaged<Box>.fromOpaque(raw).takeRetainedValue().body()
        return nil
      }, box.toOpaque())
    pthread_detach(thread)
  }

  private final class Box: Sendable {
    let body: @Sendable () -> Void
    init(_ body: @escaping @Sendable () -> Void) { self.body = body }
  }
}
