import Glibc
import Postgres
import Synchronization

/// A database of its own for a suite or a test, on the server that all tests of the process share.
///
/// The server is the one `CHIPBRIDGE_TEST_DATABASE_URL` names (its role must be allowed to create databases), else a
/// throw-away one started at the first use.
package struct TestDatabase: Sendable {
  /// The database's name on its server.
  package let name: String
  /// Where to connect.
  package let url: String

  /// A configuration for this database, with short timeouts fit for tests.
  package func configuration() throws -> PostgresConfiguration {
    var configuration = try PostgresConfiguration(url: url)
    configuration.applicationName = name
    configuration.connectTimeout = .seconds(10)
    return configuration
  }

  /// A fresh database, empty or a copy of `template` (which nobody may be connected to).
  package static func create(template: String? = nil) async throws -> TestDatabase {
    let server = try await SharedServer.get()
    let name = server.freshName()
    try await server.run(
      "create database \"\(name)\"" + (template.map { " template \"\($0)\"" } ?? " template template0"))
    return TestDatabase(name: name, url: server.url(name))
  }

  /// Removes the database, ending whatever is still connected to it.
  package func drop() async throws {
    try await SharedServer.get().run("drop database if exists \"\(name)\" with (force)")
  }

  /// Runs `body` with a fresh database and drops it afterwards.
  package static func with<R>(
    template: String? = nil, isolation: isolated (any Actor)? = #isolation, _ body: (TestDatabase) async throws -> R
  ) async throws -> R {
    let database = try await create(template: template)
    do {
      let value = try await body(database)
      try await database.drop()
      return value
    } catch {
      try? await database.drop()
      throw error
    }
  }
}

/// A database prepared once in a process, of which each test takes a copy: about 50 ms instead of all migrations.
package final class TemplateDatabase: Sendable {
  private let prepare: @Sendable (PostgresConfiguration) async throws -> Void
  private let task = Mutex<Task<TestDatabase, any Error>?>(nil)

  /// `prepare` fills the template; it must close its connections before it returns.
  package init(prepare: @escaping @Sendable (PostgresConfiguration) async throws -> Void) {
    self.prepare = prepare
  }

  /// The prepared database. Do not connect to it: copying needs it idle.
  package func template() async throws -> TestDatabase {
    let prepare = prepare
    let task = task.withLock { task in
      if let task { return task }
      let fresh = Task<TestDatabase, any Error> {
        let database = try await TestDatabase.create()
        try await prepare(database.configuration())
        return database
      }
      task = fresh
      return fresh
    }
    return try await task.value
  }

  /// A copy for one test.
  package func clone() async throws -> TestDatabase {
    try await TestDatabase.create(template: template().name)
  }

  /// Runs `body` with a copy and drops it afterwards.
  package func with<R>(
    isolation: isolated (any Actor)? = #isolation, _ body: (TestDatabase) async throws -> R
  ) async throws -> R {
    try await TestDatabase.with(template: template().name, body)
  }
}

/// The server that the process's tests share.
final class SharedServer: Sendable {
  private static let shared = Mutex<Task<SharedServer, any Error>?>(nil)

  private let server: PostgresServer?
  private let baseURL: String
  private let reactor: Reactor
  private let counter = Atomic<Int>(0)

  static func get() async throws -> SharedServer {
    let task = shared.withLock { shared in
      if let shared { return shared }
      let fresh = Task<SharedServer, any Error> {
        if let named = PostgresServer.environment("CHIPBRIDGE_TEST_DATABASE_URL") {
          return try SharedServer(baseURL: named, server: nil)
        }
        let server = try await PostgresServer.launch()
        return try SharedServer(baseURL: server.url(), server: server)
      }
      shared = fresh
      return fresh
    }
    return try await task.value
  }

  private init(baseURL: String, server: PostgresServer?) throws {
    self.baseURL = baseURL
    self.server = server
    reactor = try Reactor()
  }

  /// A name that no other test process on the same server takes.
  func freshName() -> String {
    "cbtest_\(getpid())_\(UInt32.random(in: 0 ... .max))_\(counter.add(1, ordering: .relaxed).newValue)"
  }

  /// The base URL with another database.
  func url(_ database: String) -> String {
    if let server { return server.url(database: database) }
    guard baseURL.hasPrefix("postgres") else { return baseURL + " dbname=\(database)" }
    let parts = baseURL.split(separator: "?", maxSplits: 1, omittingEmptySubsequences: false)
    let address = parts[0]
    let slashes = address.indices.filter { address[$0] == "/" }
    let path = slashes.count > 2 ? address[..<slashes[2]] : address
    return "\(path)/\(database)" + (parts.count > 1 ? "?\(parts[1])" : "")
  }

  /// Runs one statement on the base database, one connection each time.
  func run(_ text: String) async throws {
    let deadline = ContinuousClock.now + .seconds(60)
    var configuration = try PostgresConfiguration(url: baseURL)
    configuration.connectTimeout = .seconds(20)
    let script = try MigrationScript(name: "0000_harness.sql", bytes: text.utf8)
    // Copying a template fails while the last connection to it is still going away.
    for attempt in 1... {
      let connection = try await PostgresConnection.connect(configuration, reactor: reactor, deadline: deadline)
      do {
        try await connection.run(script: script, deadline: deadline)
        await connection.close()
        return
      } catch let error as PostgresError where error.sqlState == "55006" && attempt < 100 {
        await connection.close()
        try await Task.sleep(for: .milliseconds(50))
      }
    }
  }
}
