import Foundation
import PostgresHarness
import StrictJSON
import Synchronization

/// A database with schema, reference data and staff keys, and service processes of the built binary on it.
package final class Deployment: Sendable {
  package let server: PostgresServer
  package let databaseURL: String
  package let admin: String
  package let checker: String
  private let folder: String
  private let binary: String
  private let services = Mutex<[Service]>([])

  /// Blocking: call it on a thread of its own.
  package init(server: PostgresServer, database: String) throws {
    self.server = server
    binary = try chipbridgeBinary()
    var template = "/tmp/cbe2e.XXXXXX".utf8CString.map { $0 }
    guard mkdtemp(&template) != nil else { throw HarnessError("no temporary folder") }
    folder = String(decoding: template.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    _ = try SQLConsole(url: server.url()).rows("create database \"\(database)\"")
    databaseURL = server.url(database: database)
    let environment = ["DATABASE_URL": databaseURL]
    let keys = folder + "/keys.json"
    for arguments in [["migrate"], ["seed"], ["keys", "bootstrap", "--file", keys]] {
      let child = try Child([binary] + arguments, environment: environment, log: folder + "/\(arguments[0]).log")
      guard child.wait(seconds: 60) == 0 else { throw HarnessError("\(arguments) failed: \(child.output)") }
    }
    let document = try JSONDocument(parsing: Array(Data(contentsOf: URL(fileURLWithPath: keys)))).root
    guard let admin = document["admin"]?.asString, let checker = document["checker"]?.asString else {
      throw HarnessError("bootstrap wrote no staff keys")
    }
    self.admin = admin
    self.checker = checker
  }

  /// Where `keys bootstrap` wrote the staff keys.
  package var keysFile: String { folder + "/keys.json" }

  /// Runs a command of the binary to its end.
  package func run(_ arguments: [String]) throws -> (status: Int32?, output: String) {
    let name = UUID().uuidString
    let child = try Child(
      [binary] + arguments, environment: ["DATABASE_URL": databaseURL], log: folder + "/\(name).log")
    let status = child.wait(seconds: 60)
    if status == nil { child.signal(SIGKILL) }
    return (status, child.output)
  }

  /// Starts a service and waits until it is ready.
  /// - Parameters:
  ///   - port: 0 takes a free one.
  ///   - isSandbox: whether its clock may be moved, and one person is enough.
  ///   - options: more of the command line.
  ///   - environment: more variables.
  package func serve(
    port: Int = 0, isSandbox: Bool = true, options: [String] = [], environment: [String: String] = [:]
  ) throws -> Service {
    let log = folder + "/serve-\(UUID().uuidString).log"
    let child = try Child(
      [binary, "serve", "--port", "\(port)"] + (isSandbox ? ["--sandbox"] : []) + options,
      environment: environment.merging(["DATABASE_URL": databaseURL]) { $1 }, log: log)
    var listening = 0
    let started = eventually(within: 30) {
      let mark = "listens on http://127.0.0.1:"
      if let line = child.output.components(separatedBy: "\n").first(where: { $0.contains(mark) }),
        let text = line.components(separatedBy: mark).last, let number = Int(text)
      {
        listening = number
      }
      return listening > 0 || !child.isRunning
    }
    guard started, listening > 0 else {
      child.signal(SIGKILL)
      throw HarnessError("the service did not start: \(child.output)")
    }
    let service = Service(child: child, port: listening)
    guard service.becomesReady(within: 10) else { throw HarnessError("the service is not ready: \(child.output)") }
    services.withLock { $0.append(service) }
    return service
  }

  package func console() throws -> SQLConsole { try SQLConsole(url: databaseURL) }

  /// Ends every service that was started here and removes the folder.
  package func stop() {
    for service in services.withLock({ $0 }) {
      service.child.signal(SIGKILL)
      _ = service.child.wait(seconds: 5)
    }
    try? FileManager.default.removeItem(atPath: folder)
  }
}

/// A running service process.
package struct Service: Sendable {
  package let child: Child
  package let port: Int

  /// Whether `/readyz` answers 200 within that time.
  package func becomesReady(within seconds: Double) -> Bool {
    eventually(within: seconds) {
      (try? RawHTTP(port: port, timeoutSeconds: 5).send("GET", "/readyz"))?.status == 200
    }
  }

  /// kill -9, and waits until it is gone.
  package func kill() throws {
    child.signal(SIGKILL)
    guard child.wait(seconds: 10) == 128 + SIGKILL else { throw HarnessError("the service outlived kill -9") }
  }
}
