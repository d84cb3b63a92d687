import Glibc

extension PostgresServer {
  /// The directory of initdb and postgres: what `pg_config` says, or the newest Debian version.
  static func findBinaries() throws -> String {
    if let named = environment("CHIPBRIDGE_TEST_POSTGRES_BIN") { return named }
    var candidates: [String] = []
    if let pipe = popen("pg_config --bindir 2>/dev/null", "r") {
      var line = [CChar](repeating: 0, count: 4_096)
      if fgets(&line, Int32(line.count), pipe) != nil { candidates.append(text(line)) }
      pclose(pipe)
    }
    for version in stride(from: 30, through: 15, by: -1) { candidates.append("/usr/lib/postgresql/\(version)/bin") }
    for candidate in candidates where access(candidate + "/initdb", X_OK) == 0 { return candidate }
    throw HarnessError("no PostgreSQL server binaries found")
  }

  static func environment(_ name: String) -> String? {
    getenv(name).map { String(cString: $0) }.flatMap { $0.isEmpty ? nil : $0 }
  }

  /// The first line of a C buffer.
  private static func text(_ buffer: [CChar]) -> String {
    String(decoding: buffer.prefix { $0 != 0 && $0 != 10 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
  }

  /// A fresh directory that the server's user owns.
  static func makeDirectory() throws -> String {
    let base = environment("TMPDIR") ?? "/tmp"
    var template = (base + "/cbpg.XXXXXX").utf8CString.map { $0 }
    guard mkdtemp(&template) != nil else { throw HarnessError("no temporary directory: errno \(errno)") }
    let directory = text(template)
    if getuid() == 0 {
      guard let user = getpwnam("postgres") else { throw HarnessError("root needs the user postgres to run a server") }
      guard chown(directory, user.pointee.pw_uid, user.pointee.pw_gid) == 0 else {
        throw HarnessError("cannot hand the directory to postgres")
      }
    }
    return directory
  }

  /// A TCP port that is free now.
  package static func freePort() throws -> Int {
    let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    guard descriptor >= 0 else { throw HarnessError("no socket") }
    defer { close(descriptor) }
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
    var length = socklen_t(MemoryLayout<sockaddr_in>.size)
    let bound = withUnsafeMutablePointer(to: &address) { pointer in
      pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { raw in
        bind(descriptor, raw, length) == 0 && getsockname(descriptor, raw, &length) == 0
      }
    }
    guard bound else { throw HarnessError("no free port") }
    return Int(UInt16(bigEndian: address.sin_port))
  }

  /// Starts a program, as the user postgres when this process is root.
  ///
  /// posix_spawn changes neither the directory nor the user; `env` and `setpriv` do and replace themselves, so the pid
  /// is the program's.
  static func spawn(_ arguments: [String], log: String, directory: String) throws -> pid_t {
    var words = ["env", "-C", directory]
    if getuid() == 0 { words += ["setpriv", "--reuid=postgres", "--regid=postgres", "--init-groups", "--"] }
    words += arguments
    var actions = posix_spawn_file_actions_t()
    posix_spawn_file_actions_init(&actions)
    defer { posix_spawn_file_actions_destroy(&actions) }
    posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0)
    posix_spawn_file_actions_addopen(&actions, 1, log, O_WRONLY | O_CREAT | O_APPEND, 0o644)
    posix_spawn_file_actions_adddup2(&actions, 1, 2)
    var attributes = posix_spawnattr_t()
    posix_spawnattr_init(&attributes)
    defer { posix_spawnattr_destroy(&attributes) }
    var none = sigset_t()
    sigemptyset(&none)
    posix_spawnattr_setsigmask(&attributes, &none)
    posix_spawnattr_setpgroup(&attributes, 0)
    posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETPGROUP))
    let argv = words.map { strdup($0) } + [nil]
    defer { for word in argv { free(word) } }
    let variables = ["PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL=C", "TZ=UTC"]
    let environment = variables.map { strdup($0) } + [nil]
    defer { for word in environment { free(word) } }
    var pid = pid_t()
    let code = posix_spawnp(&pid, words[0], &actions, &attributes, argv, environment)
    guard code == 0 else { throw HarnessError("cannot start \(words[0]): errno \(code)") }
    return pid
  }

  /// Runs a program to its end; a status other than 0 is an error.
  @discardableResult
  static func run(_ arguments: [String], log: String, directory: String) throws -> Int32 {
    let pid = try spawn(arguments, log: log, directory: directory)
    var code: Int32 = 0
    while waitpid(pid, &code, 0) < 0, errno == EINTR {}
    guard code == 0 else { throw HarnessError("\(arguments[0]) failed; see \(log)") }
    return code
  }
}
