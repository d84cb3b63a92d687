import Foundation
import PostgresHarness
import Synchronization

/// The service's binary: `CHIPBRIDGE_BIN`, else the one built beside the test bundle.
package func chipbridgeBinary() throws -> String {
  if let named = ProcessInfo.processInfo.environment["CHIPBRIDGE_BIN"], !named.isEmpty { return named }
  var folder = URL(fileURLWithPath: CommandLine.arguments[0]).resolvingSymlinksInPath().deletingLastPathComponent()
  var candidates: [URL] = [folder, Bundle.main.bundleURL, Bundle.main.bundleURL.deletingLastPathComponent()]
  for _ in 0..<4 {
    folder.deleteLastPathComponent()
    candidates.append(folder)
  }
  for candidate in candidates {
    let path = candidate.appendingPathComponent("chipbridge").path
    var isFolder: ObjCBool = false
    if FileManager.default.fileExists(atPath: path, isDirectory: &isFolder), !isFolder.boolValue { return path }
  }
  throw HarnessError(
    "the binary chipbridge is not beside the tests: swift build --product chipbridge, or CHIPBRIDGE_BIN")
}

/// A child process, by its id.
package final class Child: Sendable {
  package let pid: pid_t
  /// What it prints.
  package let log: String
  private let ended = Mutex<Int32?>(nil)

  package init(_ arguments: [String], environment: [String: String], log: String) throws {
    var actions = posix_spawn_file_actions_t()
    posix_spawn_file_actions_init(&actions)
    defer { posix_spawn_file_actions_destroy(&actions) }
    posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0)
    posix_spawn_file_actions_addopen(&actions, 1, log, O_WRONLY | O_CREAT | O_TRUNC, 0o600)
    posix_spawn_file_actions_adddup2(&actions, 1, 2)
    var attributes = posix_spawnattr_t()
    posix_spawnattr_init(&attributes)
    defer { posix_spawnattr_destroy(&attributes) }
    var none = sigset_t()
    sigemptyset(&none)
    posix_spawnattr_setsigmask(&attributes, &none)
    posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETSIGMASK))
    let words = arguments.map { strdup($0) } + [nil]
    defer { for word in words { free(word) } }
    let variables = ["PATH=/usr/local/bin:/usr/bin:/bin"] + environment.map { "\($0.key)=\($0.value)" }
    let pairs = variables.map { strdup($0) } + [nil]
    defer { for pair in pairs { free(pair) } }
    var child = pid_t()
    let code = posix_spawn(&child, arguments[0], &actions, &attributes, words, pairs)
    guard code == 0 else { throw HarnessError("cannot start \(arguments[0]): errno \(code)") }
    pid = child
    self.log = log
    Children.shared.add(self)
  }

  /// The wait status once it has ended; nil while it runs.
  package func status() -> Int32? {
    ended.withLock { ended in
      if let ended { return ended }
      var code: Int32 = 0
      if waitpid(pid, &code, WNOHANG) == pid { ended = code }
      return ended
    }
  }

  package var isRunning: Bool { status() == nil }

  /// Signals it, unless it has ended and its id may be another's.
  package func signal(_ signal: Int32) { if isRunning { kill(pid, signal) } }

  /// Waits for its end.
  /// - Returns: the exit status, 128 + the signal that ended it, or nil when it still runs after `seconds`.
  package func wait(seconds: Double) -> Int32? {
    guard eventually(within: seconds, { status() != nil }), let code = status() else { return nil }
    return code & 0x7f == 0 ? (code >> 8) & 0xff : 128 + (code & 0x7f)
  }

  package var output: String { (try? String(contentsOfFile: log, encoding: .utf8)) ?? "" }
}

/// The children of this process, ended by their ids when it ends.
private final class Children: Sendable {
  static let shared = Children()
  private let held = Mutex<[Child]>([])

  private init() {
    atexit {
      for child in Children.shared.held.withLock({ $0 }) {
        child.signal(SIGKILL)
        _ = child.wait(seconds: 2)
      }
    }
  }

  func add(_ child: Child) { held.withLock { $0.append(child) } }
}
