import Foundation
import Glibc

/// Programs that the bench starts, and stops by their process ids.
enum Tools {
  /// Where a program is.
  /// - Parameter package: what to install when it is missing.
  static func find(_ name: String, package: String) throws -> String {
    let folders = (ProcessInfo.processInfo.environment["PATH"] ?? "").split(separator: ":").map(String.init)
    let servers = (try? FileManager.default.contentsOfDirectory(atPath: "/usr/lib/postgresql")) ?? []
    for folder in servers.sorted().reversed().map({ "/usr/lib/postgresql/\($0)/bin" }) + folders {
      let path = "\(folder)/\(name)"
      if FileManager.default.isExecutableFile(atPath: path) { return path }
    }
    throw BenchFailure("\(name) is missing; install it with: apt-get install \(package)")
  }

  /// Runs a program to its end.
  /// - Throws: `BenchFailure` with its last words when it fails.
  @discardableResult
  static func run(_ arguments: [String], input: String? = nil) throws -> String {
    // Files, not pipes: a server that is started here inherits what is open, and would hold a pipe open for ever.
    let scratch = FileManager.default.temporaryDirectory.appendingPathComponent(UUID().uuidString)
    try FileManager.default.createDirectory(at: scratch, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: scratch) }
    func file(_ name: String, _ content: String = "") throws -> URL {
      let url = scratch.appendingPathComponent(name)
      try content.write(to: url, atomically: false, encoding: .utf8)
      return url
    }
    let (output, errors, input) = (try file("out"), try file("err"), try file("in", input ?? ""))
    let status = try wait(spawn(arguments, input: input.path, output: output.path, errors: errors.path))
    let text = try String(contentsOf: output, encoding: .utf8)
    guard status == 0 else {
      let words = try String(contentsOf: errors, encoding: .utf8)
      throw BenchFailure(
        "\(arguments.prefix(3).joined(separator: " ")) failed: \(words.suffix(600))\(text.suffix(300))")
    }
    return text
  }

  /// Starts a program. Foundation's own way waits for all that the program started, a server among them.
  static func spawn(_ arguments: [String], input: String, output: String, errors: String) throws -> pid_t {
    var actions = posix_spawn_file_actions_t()
    posix_spawn_file_actions_init(&actions)
    defer { posix_spawn_file_actions_destroy(&actions) }
    posix_spawn_file_actions_addopen(&actions, 0, input, O_RDONLY, 0)
    posix_spawn_file_actions_addopen(&actions, 1, output, O_WRONLY | O_CREAT | O_APPEND, 0o600)
    posix_spawn_file_actions_addopen(&actions, 2, errors, O_WRONLY | O_CREAT | O_APPEND, 0o600)
    // A thread of the runtime blocks signals; pgbench would never hear the alarm that ends its run.
    var attributes = posix_spawnattr_t()
    posix_spawnattr_init(&attributes)
    defer { posix_spawnattr_destroy(&attributes) }
    var none = sigset_t()
    sigemptyset(&none)
    posix_spawnattr_setsigmask(&attributes, &none)
    posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETSIGMASK))
    var words: [UnsafeMutablePointer<CChar>?] = arguments.map { strdup($0) } + [nil]
    defer { for word in words { free(word) } }
    var pid: pid_t = 0
    let failure = posix_spawnp(&pid, arguments.first ?? "", &actions, &attributes, &words, environ)
    guard failure == 0 else { throw BenchFailure("\(arguments.first ?? "") cannot be started: error \(failure)") }
    return pid
  }

  /// Its exit status; 128 and more for a signal.
  static func wait(_ pid: pid_t) -> Int32 {
    var status: Int32 = 0
    while waitpid(pid, &status, 0) < 0, errno == EINTR {}
    return status & 0x7F == 0 ? (status >> 8) & 0xFF : 128 + (status & 0x7F)
  }

  /// Seconds of processor time that a process has used; 0 for one that is gone.
  static func processorSeconds(of pid: pid_t) -> Double {
    let text = (try? String(contentsOfFile: "/proc/\(pid)/stat", encoding: .utf8)) ?? ""
    // After the name, which stands in parentheses and may hold anything: utime and stime are the 14th and 15th field.
    let fields = text[(text.lastIndex(of: ")") ?? text.startIndex)...].split(separator: " ")
    guard fields.count > 13, let user = Double(fields[12]), let system = Double(fields[13]) else { return 0 }
    return (user + system) / Double(sysconf(Int32(_SC_CLK_TCK)))
  }

  /// Transactions a second, as pgbench tells them.
  static func transactions(_ arguments: [String]) throws -> Double {
    let text = try run(arguments)
    guard let line = text.split(separator: "\n").first(where: { $0.hasPrefix("tps = ") }),
      let value = Double(line.split(separator: " ")[2])
    else { throw BenchFailure("pgbench told no figure: \(text.suffix(400))") }
    return value
  }

  /// A program that was built with this one.
  static func beside(_ name: String) -> String {
    URL(fileURLWithPath: CommandLine.arguments[0]).resolvingSymlinksInPath().deletingLastPathComponent()
      .appendingPathComponent(name).path
  }

  /// As the user that PostgreSQL may run as.
  static func asServerUser(_ arguments: [String]) -> [String] {
    geteuid() == 0 ? ["runuser", "-u", "postgres", "--"] + arguments : arguments
  }
}

/// The database that is measured: a private server, or a database of its own on the server that DATABASE_URL names.
final class BenchDatabase {
  let url: String
  private let name = "chipbridge_bench_\(ProcessInfo.processInfo.processIdentifier)"
  private let serverURL: String
  private let folder: String?

  init() throws {
    if let given = ProcessInfo.processInfo.environment["DATABASE_URL"], !given.isEmpty {
      folder = nil
      serverURL = given
    } else {
      let made = "/tmp/cbbench-\(ProcessInfo.processInfo.processIdentifier)"
      try Tools.run(Tools.asServerUser(["mkdir", "-m", "0700", made]))
      folder = made
      let initdb = try Tools.find("initdb", package: "postgresql")
      try Tools.run(Tools.asServerUser([initdb, "-D", made + "/data", "-A", "trust", "-U", "postgres", "-k"]))
      let options =
        "-c listen_addresses='' -c unix_socket_directories='\(made)' -c shared_buffers=512MB -c max_wal_size=4GB "
        + "-c max_connections=200"
      let control = try Tools.find("pg_ctl", package: "postgresql")
      try Tools.run(
        Tools.asServerUser([control, "-D", made + "/data", "-o", options, "-l", made + "/log", "-w", "-s", "start"]))
      serverURL = "postgres://postgres@/postgres?host=\(made)"
    }
    url = Self.url(serverURL, database: name)
    try Tools.run(["psql", "-Xqc", "create database \(name)", serverURL])
  }

  /// The same server, another database.
  private static func url(_ url: String, database: String) -> String {
    guard let scheme = url.range(of: "://") else { return "\(url) dbname=\(database)" }
    let rest = url[scheme.upperBound...]
    let query = rest.firstIndex(of: "?") ?? rest.endIndex
    let path = rest[..<query].firstIndex(of: "/") ?? query
    return "\(url[..<path])/\(database)\(rest[query...])"
  }

  /// Rows of a query, columns parted by tabs.
  func rows(_ sql: String) throws -> [String] {
    try Tools.run(["psql", "-XqAtF", "\t", "-v", "ON_ERROR_STOP=1", "-c", sql, url]).split(separator: "\n").map(
      String.init)
  }

  /// The processes that serve connections to this database, on a server of this machine.
  func backends() throws -> [pid_t] {
    try rows("select pid from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()")
      .compactMap { pid_t($0) }
  }

  /// What the server promises, for the report.
  func settings() throws -> [String] {
    try ["fsync", "synchronous_commit", "shared_buffers", "server_version"].map { name in
      "\(name) \(try rows("show \(name)").first ?? "")"
    }
  }

  func remove() {
    _ = try? Tools.run(["psql", "-Xqc", "drop database if exists \(name) with (force)", serverURL])
    guard let folder else { return }
    if let control = try? Tools.find("pg_ctl", package: "postgresql") {
      _ = try? Tools.run(Tools.asServerUser([control, "-D", folder + "/data", "-m", "fast", "-w", "-s", "stop"]))
    }
    _ = try? Tools.run(Tools.asServerUser(["rm", "-rf", folder]))
  }
}

/// A service process under load.
final class BenchService {
  let port: Int
  /// From exec to its first line, when it takes requests.
  let startMilliseconds: Int
  private let pid: pid_t

  /// - Parameter arguments: a program whose first line ends with its port.
  init(_ arguments: [String], folder: URL) throws {
    let log = folder.appendingPathComponent("\(UUID().uuidString).log").path
    let began = ContinuousClock.now
    let pid = try Tools.spawn(arguments, input: "/dev/null", output: log, errors: log)
    self.pid = pid
    var text = ""
    for _ in 0..<30_000 where !text.contains("\n") {
      usleep(1_000)
      text = (try? String(contentsOfFile: log, encoding: .utf8)) ?? ""
    }
    let (seconds, attoseconds) = (ContinuousClock.now - began).components
    startMilliseconds = Int(seconds) * 1_000 + Int(attoseconds / 1_000_000_000_000_000)
    guard let digits = text.split(separator: "\n").first?.split(separator: ":").last, let port = Int(digits) else {
      kill(pid, SIGKILL)
      _ = Tools.wait(pid)
      throw BenchFailure("the service did not start: \(text)")
    }
    self.port = port
  }

  /// Seconds of processor time that it has used.
  var processorSeconds: Double { Tools.processorSeconds(of: pid) }

  /// Resident memory in MiB.
  var residentMiB: Int {
    let status = (try? String(contentsOfFile: "/proc/\(pid)/status", encoding: .utf8)) ?? ""
    let line = status.split(separator: "\n").first { $0.hasPrefix("VmRSS") } ?? ""
    return (line.split(whereSeparator: { !$0.isNumber }).first.flatMap { Int($0) } ?? 0) / 1_024
  }

  func stop() {
    kill(pid, SIGTERM)
    _ = Tools.wait(pid)
  }
}
