import ArgumentParser
import Foundation
import Parties
import Persistence
import Postgres
import Primitives
import Schema
import ServiceAssembly
import StrictJSON
import WebSupport

/// Brings the database to the schema that this program carries.
struct Migrate: AsyncParsableCommand {
  static let configuration = CommandConfiguration(abstract: "Apply the schema's migrations, forward only.")
  @OptionGroup var database: DatabaseOptions

  func run() async throws {
    let migrator = try Migrator(Schema.migrations.map { try MigrationScript(name: $0.name, bytes: $0.sql) })
    let applied = try await database.ownerPool().closing { pool in
      let deadline = ContinuousClock.now + .seconds(120)
      return try await pool.withConnection(deadline: deadline) { try await migrator.migrate($0, deadline: deadline) }
    }
    print(applied.isEmpty ? "The schema is current." : "Applied \(applied.joined(separator: ", ")).")
  }
}

/// Loads the reference data that this program carries.
struct Seed: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Load chip models, export rules, country scopes and calendars; done again it changes nothing.")
  @OptionGroup var database: DatabaseOptions

  func run() async throws {
    let documents = [
      ReferenceDocument(
        name: .chipModels, content: Schema.chipModels, source: "schema/seed/chip-models.csv", approvedBy: "seed"),
      ReferenceDocument(
        name: .exportRules, content: Schema.exportRules, source: "schema/seed/export-rules.json", approvedBy: "seed"),
      ReferenceDocument(
        name: .countryScope, content: Schema.countryScope, source: "schema/seed/country-scope.csv",
        approvedBy: "seed"),
      ReferenceDocument(
        name: .holidayCalendars, content: Schema.holidayCalendars, source: "schema/seed/holiday-calendars.json",
        approvedBy: "seed"),
    ]
    // What cannot be read is refused before it reaches the database.
    let data = try ReferenceSQL.parse(
      chipModels: Schema.chipModels, exportRules: Schema.exportRules, countryScope: Schema.countryScope,
      calendars: Schema.holidayCalendars, version: 0)
    let added = try await database.writerPool().closing { pool in
      try await Bootstrap.seed(documents, pool: pool, now: SystemClock().now(), deadline: .now + .seconds(30))
    }
    print(
      added == 0
        ? "The reference data is current: \(data.chips.count) chip models."
        : "Loaded \(added) documents: \(data.chips.count) chip models, rules, scopes and calendars.")
  }
}

/// Keys of the platform's own staff.
struct Keys: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Keys of platform staff.", subcommands: [BootstrapKeys.self])
}

/// The first keys: two persons, so that one can check what the other made, and an auditor.
struct BootstrapKeys: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "bootstrap", abstract: "Make the first staff keys, once, and write them to a file of mode 0600.")
  @OptionGroup var database: DatabaseOptions
  @Option(help: "The JSON file to write; left alone when it exists.") var file: String

  func run() async throws {
    if FileManager.default.fileExists(atPath: file) {
      print("\(file) exists; its keys are kept.")
      return
    }
    let clock = SystemClock()
    var ids = IdentifierSource(
      milliseconds: UInt64(clock.now().microseconds / 1_000), seed: clock.randomBits())
    var keys: [APIKey] = []
    var writer = JSONWriter()
    writer.beginObject()
    for (name, roles) in [("admin", [Role.admin]), ("checker", [.admin]), ("auditor", [.auditor])] {
      let secret = APIKeySecret(keyID: ids.next())
      let person: PersonID = ids.next()
      keys.append(
        APIKey(
          id: secret.keyID, organizationID: .platform, roles: Set(roles),
          duties: roles.contains(.admin) ? Set(Duty.allCases) : [], scopes: [], personID: person,
          secretDigest: secret.digest, expiresAt: nil, createdAt: clock.now()))
      writer.key(dynamic: name)
      writer.string(secret.text)
    }
    writer.endObject()
    // The file takes its name only after the keys are in the database: one that is there always works.
    let unfinished = file + ".new"
    try? FileManager.default.removeItem(atPath: unfinished)
    try SecretFile.write(writer.bytes, to: unfinished)
    let made = keys
    try await database.writerPool().closing { pool in
      try await Bootstrap.addKeys(made, pool: pool, deadline: .now + .seconds(30))
    }
    try FileManager.default.moveItem(atPath: unfinished, toPath: file)
    print("Wrote keys of two persons and an auditor to \(file).")
  }
}

/// Files with secrets: readable by their owner only, from the moment they exist.
enum SecretFile {
  static func write(_ bytes: [UInt8], to path: String) throws {
    let attributes: [FileAttributeKey: Any] = [.posixPermissions: 0o600]
    guard FileManager.default.createFile(atPath: path, contents: Data(bytes), attributes: attributes) else {
      throw Failure("\(path) cannot be written.")
    }
  }
}
