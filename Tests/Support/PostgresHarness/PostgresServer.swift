import Glibc
import Postgres
import Synchronization

/// A throw-away PostgreSQL server in a directory of its own, reachable by its unix socket only.
///
/// When the process runs as root the server runs as the user `postgres`, since PostgreSQL refuses root. It is stopped
/// and its directory removed when the process ends.
package final class PostgresServer: Sendable {
  /// How a server is set up.
  package struct Options: Sendable {
    /// False is faster and loses nothing as long as only processes die, not the machine.
    package var fsync = false
    /// Further `postgresql.conf` lines, as `max_connections = 20`.
    package var settings: [String] = []
    /// Also listen on a free port of 127.0.0.1; the port is in `port`.
    package var listensOnLoopback = false

    package init() {}
  }

  /// The directory of data, socket and log.
  package let directory: String
  /// The port: part of the socket's name, and a TCP port when asked for.
  package let port: Int
  private let binaries: String
  private let options: Options
  private let process = Mutex<pid_t>(0)

  /// Initialises and starts a server on a thread of its own: it takes a second or more, and a test that blocks one of
  /// the few shared threads for that long makes others miss their deadlines.
  package static func launch(_ options: Options = Options()) async throws -> PostgresServer {
    try await withUnsafeThrowingContinuation { continuation in
      let body = ThreadBody { continuation.resume(with: Result { try PostgresServer(options) }) }
      var thread = pthread_t()
      let box = Unmanaged.passRetained(body)
      let code = pthread_create(
        &thread, nil,
        { argument in
          if let argument { Unmanaged<ThreadBody>.fromOpaque(argument).takeRetainedValue().run() }
          return nil
        }, box.toOpaque())
      guard code == 0 else {
        box.release()
        return continuation.resume(throwing: HarnessError("no thread to start a server"))
      }
      pthread_detach(thread)
    }
  }

  /// As `launch`, blocking.
  package init(_ options: Options = Options()) throws {
    self.options = options
    binaries = try Self.findBinaries()
    directory = try Self.makeDirectory()
    port = options.listensOnLoopback ? try Self.freePort() : 5_432
    try Self.run(
      [binaries + "/initdb", "-D", directory + "/data", "-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C"]
        + (options.fsync ? [] : ["--no-sync"]), log: directory + "/initdb.log", directory: directory)
    try start()
    ServerRegistry.shared.add(self)
  }

  /// A URL of one database of this server.
  package func url(database: String = "postgres") -> String {
    "postgresql:///\(database)?host=\(directory)&port=\(port)&user=postgres"
  }

  /// The postmaster, for tests that kill it.
  package var pid: pid_t { process.withLock { $0 } }

  /// Starts the server on the same data, as after a crash.
  package func start() throws {
    var arguments = [
      binaries + "/postgres", "-D", directory + "/data", "-k", directory, "-p", "\(port)",
      "-c", options.listensOnLoopback ? "listen_addresses=127.0.0.1" : "listen_addresses=",
      "-c", "fsync=\(options.fsync ? "on" : "off")", "-c", "full_page_writes=\(options.fsync ? "on" : "off")",
      "-c", "max_connections=100", "-c", "shared_buffers=64MB",
    ]
    for setting in options.settings { arguments += ["-c", setting] }
    // The backends of a postmaster that was killed hold its shared memory until they notice: a start before that is refused.
    for _ in 0..<40 {
      if try answers(try Self.spawn(arguments, log: directory + "/server.log", directory: directory)) { return }
      usleep(250_000)
    }
    throw HarnessError("the server ended at its start; see \(directory)/server.log")
  }

  /// Waits until this process answers; false when it ended instead.
  private func answers(_ started: pid_t) throws -> Bool {
    process.withLock { $0 = started }
    for _ in 0..<600 {
      let status = try? Self.run(
        [binaries + "/pg_isready", "-q", "-h", directory, "-p", "\(port)"], log: "/dev/null", directory: directory)
      if status != nil { return true }
      var code: Int32 = 0
      guard waitpid(started, &code, WNOHANG) == 0 else {
        process.withLock { $0 = 0 }
        return false
      }
      usleep(50_000)
    }
    throw HarnessError("the server does not answer; see \(directory)/server.log")
  }

  /// Sends a signal to the postmaster and, for SIGKILL, waits until it is gone.
  package func signal(_ signal: Int32) {
    let pid = process.withLock { $0 }
    guard pid > 0 else { return }
    kill(pid, signal)
    guard signal == SIGKILL else { return }
    var code: Int32 = 0
    waitpid(pid, &code, 0)
    process.withLock { $0 = 0 }
  }

  /// Stops the server at once and waits for it.
  package func stop() {
    let pid = process.withLock { pid in
      defer { pid = 0 }
      return pid
    }
    guard pid > 0 else { return }
    kill(pid, SIGCONT)
    kill(pid, SIGQUIT)
    var code: Int32 = 0
    for _ in 0..<100 {
      if waitpid(pid, &code, WNOHANG) != 0 { return }
      usleep(50_000)
    }
    kill(pid, SIGKILL)
    waitpid(pid, &code, 0)
  }

  /// Stops the server and removes its directory.
  package func remove() {
    stop()
    _ = try? Self.run(["/bin/rm", "-rf", directory], log: "/dev/null", directory: directory)
  }
}

/// What a thread runs.
private final class ThreadBody: Sendable {
  let run: @Sendable () -> Void

  init(_ run: @escaping @Sendable () -> Void) {
    self.run = run
  }
}

/// What the harness could not do.
package struct HarnessError: Error, CustomStringConvertible {
  package let description: String

  package init(_ description: String) {
    self.description = description
  }
}

/// The servers of this process, stopped by their ids when it ends.
final class ServerRegistry: Sendable {
  static let shared = ServerRegistry()
  private let servers = Mutex<[PostgresServer]>([])

  private init() {
    atexit { ServerRegistry.shared.removeAll() }
  }

  func add(_ server: PostgresServer) {
    servers.withLock { $0.append(server) }
  }

  func removeAll() {
    let all = servers.withLock { servers in
      defer { servers = [] }
      return servers
    }
    for server in all { server.remove() }
  }
}
