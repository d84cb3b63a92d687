import ArgumentParser
import Foundation
import Postgres

/// Where the database is.
struct DatabaseOptions: ParsableArguments {
  @Option(name: .customLong("database-url"), help: "libpq URL or key=value string; DATABASE_URL when left out.")
  var databaseURL: String?

  func configuration() throws -> PostgresConfiguration {
    guard let url = databaseURL ?? ProcessInfo.processInfo.environment["DATABASE_URL"], !url.isEmpty else {
      throw Failure("DATABASE_URL is not set: name the database, or start with deploy/run.")
    }
    do { return try PostgresConfiguration(url: url) } catch {
      throw Failure("DATABASE_URL cannot be read: \(error.detail)")
    }
  }

  /// A small pool as the database's owner, for the schema.
  func ownerPool() throws -> PostgresPool {
    try PostgresPool(configuration: configuration(), size: 2, waiters: 8)
  }

  /// A small pool in the writer's role, for commands that write rows once: row security binds the owner too.
  func writerPool() throws -> PostgresPool {
    var configuration = try configuration()
    configuration.role = "chipbridge_writer"
    return try PostgresPool(configuration: configuration, size: 2, waiters: 8)
  }
}

extension PostgresPool {
  /// Runs, and closes the pool whatever happens; a failure is told in one sentence.
  func closing<R>(_ body: (PostgresPool) async throws -> R) async throws -> R {
    do {
      let value = try await body(self)
      await shutdown()
      return value
    } catch {
      await shutdown()
      if let error = error as? PostgresError { throw Failure("The database refused: \(error.debugDescription)") }
      throw error
    }
  }
}
