import Postgres
import PostgresHarness
import Schema

/// Databases of this binary's schema, empty of data, each a copy of one template of the process.
package enum MigratedDatabase {
  private static let template = TemplateDatabase { configuration in _ = try await migrate(configuration) }

  /// The migrations that the binary carries, in order.
  package static func scripts() throws -> [MigrationScript] {
    try Schema.migrations.map { try MigrationScript(name: $0.name, bytes: $0.sql) }
  }

  /// Migrates a database with a connection of its own, and says which scripts this call applied.
  package static func migrate(_ configuration: PostgresConfiguration) async throws -> [String] {
    let connection = try await PostgresConnection.connect(configuration, reactor: Reactor(), deadline: soon())
    let applied = try await Migrator(scripts()).migrate(connection, deadline: soon(60))
    await connection.close()
    return applied
  }

  /// Runs `body` with a database of its own and drops it afterwards.
  package static func with<R>(
    isolation: isolated (any Actor)? = #isolation, _ body: (TestDatabase) async throws -> R
  ) async throws -> R {
    try await template.with(isolation: isolation, body)
  }

  /// The template's name, for templates that are built on it.
  package static func templateName() async throws -> String { try await template.template().name }
}

/// Now plus so many seconds.
package func soon(_ seconds: Int = 20) -> ContinuousClock.Instant { .now + .seconds(seconds) }

extension TestDatabase {
  /// A connection of its own; as the server's superuser unless a role is named.
  package func connect(as role: String? = nil) async throws -> PostgresConnection {
    var configuration = try configuration()
    configuration.role = role
    return try await PostgresConnection.connect(configuration, reactor: Reactor(), deadline: soon())
  }

  /// Runs `body` with a connection and closes it.
  package func withConnection<R>(
    as role: String? = nil, isolation: isolated (any Actor)? = #isolation,
    _ body: (PostgresConnection) async throws -> R
  ) async throws -> R {
    let connection = try await connect(as: role)
    do {
      let value = try await body(connection)
      await connection.close()
      return value
    } catch {
      await connection.close()
      throw error
    }
  }
}

extension PostgresConnection {
  /// Runs SQL text that a test wrote, several statements allowed, as one implicit transaction.
  package nonisolated func execute(_ text: String) async throws {
    try await run(script: MigrationScript(name: "0000_test.sql", bytes: text.utf8), deadline: soon())
  }
}
