/// Brings a database to the schema that this binary carries, forward only.
///
/// Each script runs in a transaction of its own behind one locked row, with its history row written first, so that
/// migrators of several replicas may race: each script runs once. A history that was edited, reordered or is ahead of
/// this binary is refused before anything is changed.
package struct Migrator: Sendable {
  /// Where a database stands against this binary.
  package enum Standing: Sendable, Hashable {
    /// At exactly this binary's version.
    case current
    /// These scripts are not applied yet.
    case behind([String])
    /// These scripts were applied by a newer binary.
    case ahead([String])
    /// An applied script has another text than this binary's.
    case edited(String)
    /// The history holds this script at another place than this binary.
    case reordered(String)
  }

  /// One line of the history.
  struct Applied: Sendable, Hashable {
    let name: String
    let checksum: String
  }

  let scripts: [MigrationScript]
  /// How long one attempt waits for a lock. Short, because whoever queues behind a waiting ALTER waits with it.
  let lockTimeout: Duration
  /// How often a script that finds its tables locked is tried.
  let maximumAttempts: Int

  /// A migrator of these scripts, which must be in ascending order of their names.
  ///
  /// - Throws: `.migration` if they are not.
  package init(
    _ scripts: [MigrationScript], lockTimeout: Duration = .seconds(2), maximumAttempts: Int = 30
  ) throws(PostgresError) {
    for (before, after) in zip(scripts, scripts.dropFirst())
    where before.name.utf8.prefix(4).lexicographicallyPrecedes(
      after.name.utf8.prefix(4)) == false
    {
      throw PostgresError(.migration, "\(after.name) does not follow \(before.name)")
    }
    self.scripts = scripts
    self.lockTimeout = lockTimeout
    self.maximumAttempts = maximumAttempts
  }

  /// Applies what is missing and returns the names applied by this call.
  ///
  /// - Throws: `.migration` for a history that does not fit, else what the failing script or the connection threw; what
  ///   was applied before stays, and a later call goes on from there.
  package func migrate(
    _ connection: PostgresConnection, deadline: ContinuousClock.Instant
  ) async throws -> [String] {
    try await retrying(deadline: deadline) { try await prepare(connection, deadline: deadline) }
    try Self.refuse(try await standing(connection, deadline: deadline))
    var applied: [String] = []
    for script in scripts {
      let isNew = try await retrying(deadline: deadline) {
        try await apply(script, connection, deadline: deadline)
      }
      if isNew { applied.append(script.name) }
    }
    let standing = try await standing(connection, deadline: deadline)
    guard standing == .current else { throw PostgresError(.migration, "after migrating: \(standing)") }
    return applied
  }

  /// Compares the database with this binary and changes nothing.
  package func standing(
    _ connection: PostgresConnection, deadline: ContinuousClock.Instant
  ) async throws -> Standing {
    let exists = try await connection.run(Query(MigrationStatements.historyExists), deadline: deadline)
    guard try exists.single().bool(0) else { return scripts.isEmpty ? .current : .behind(scripts.map(\.name)) }
    let answers = try await connection.pipeline(
      [Query(MigrationStatements.history), checksumQuery], deadline: deadline)
    return try Self.compare(answers, scripts)
  }

  private var checksumQuery: Query {
    Query(MigrationStatements.checksums, [.byteaArray(scripts.map { Array($0.text.utf8) })])
  }

  private static func compare(_ answers: [ResultSet], _ scripts: [MigrationScript]) throws(PostgresError) -> Standing {
    guard answers.count == 2 else { throw PostgresError(.protocolViolation, "the history was not answered") }
    var history: [Applied] = []
    for row in answers[0] { history.append(Applied(name: try row.text(0), checksum: try row.text(1))) }
    var own: [Applied] = []
    for (script, row) in zip(scripts, answers[1]) {
      own.append(Applied(name: script.name, checksum: try row.text(0)))
    }
    return compare(history: history, own: own)
  }

  /// The pure comparison; both in ascending order of names.
  static func compare(history: [Applied], own: [Applied]) -> Standing {
    for (applied, script) in zip(history, own) where applied != script {
      if applied.name == script.name { return .edited(applied.name) }
      let isKnown = own.contains { $0.name == applied.name }
      return isKnown ? .reordered(applied.name) : .ahead([applied.name])
    }
    if history.count > own.count { return .ahead(history.dropFirst(own.count).map(\.name)) }
    if history.count < own.count { return .behind(own.dropFirst(history.count).map(\.name)) }
    return .current
  }

  private static func refuse(_ standing: Standing) throws(PostgresError) {
    switch standing {
    case .current, .behind: return
    case .ahead(let names):
      throw PostgresError(.migration, "the database is newer than this binary: \(names.joined(separator: ", "))")
    case .edited(let name):
      throw PostgresError(.migration, "\(name) was edited after it was applied")
    case .reordered(let name):
      throw PostgresError(.migration, "\(name) is not where this binary has it")
    }
  }

  // MARK: Steps

  /// Makes the history and the lock row, once.
  private func prepare(_ connection: PostgresConnection, deadline: ContinuousClock.Instant) async throws {
    _ = try await inBlock(connection, deadline: deadline) {
      _ = try await connection.pipeline(
        [
          Query(MigrationStatements.createLock), Query(MigrationStatements.fillLock),
          Query(MigrationStatements.createHistory),
        ], deadline: deadline)
      return true
    }
  }

  /// Applies one script; false if it has been applied already.
  private func apply(
    _ script: MigrationScript, _ connection: PostgresConnection, deadline: ContinuousClock.Instant
  ) async throws -> Bool {
    try await inBlock(connection, deadline: deadline) {
      // The history is read in statements after the lock: only those see what another migrator has committed meanwhile.
      let answers = try await connection.pipeline(
        [Query(MigrationStatements.lock), Query(MigrationStatements.history), checksumQuery], deadline: deadline)
      let standing = try Self.compare(Array(answers.dropFirst()), scripts)
      try Self.refuse(standing)
      guard case .behind(let missing) = standing, missing.contains(script.name) else { return false }
      guard missing.first == script.name else {
        throw PostgresError(.migration, "\(missing.first ?? "") must be applied before \(script.name)")
      }
      _ = try await connection.run(
        Query(MigrationStatements.record, [.text(script.name), .bytea(Array(script.text.utf8))]), deadline: deadline)
      let isInBlock = try await connection.runInBlock(script, deadline: deadline)
      guard isInBlock else { throw PostgresError(.migration, "\(script.name) ends the transaction by itself") }
      return true
    }
  }

  /// Runs `body` in a block with short lock waits; commits if it returns true, else rolls back.
  private func inBlock(
    _ connection: PostgresConnection, deadline: ContinuousClock.Instant, _ body: () async throws -> Bool
  ) async throws -> Bool {
    do {
      _ = try await connection.pipeline(
        [
          Query(TransactionStatements.begin(.readCommitted, .readWrite)),
          Query(MigrationStatements.limits, [.text("\(lockTimeout.wholeMilliseconds)")]),
        ], deadline: deadline)
      guard try await body() else {
        try await rollBack(connection)
        return false
      }
      let result = try await connection.run(Query(TransactionStatements.commit), deadline: deadline)
      guard result.commandTag == "COMMIT" else {
        throw PostgresError(.migration, "the commit was answered by \(result.commandTag)")
      }
      return true
    } catch {
      try? await rollBack(connection)
      throw error
    }
  }

  private func rollBack(_ connection: PostgresConnection) async throws {
    _ = try await connection.exchange(
      EncodedBatch([Query(TransactionStatements.rollback)]), deadline: .now + .seconds(5), shielded: true)
  }

  /// Repeats what failed only because somebody else was at it.
  private func retrying<R>(
    deadline: ContinuousClock.Instant, _ body: () async throws -> R
  ) async throws -> R {
    var attempt = 1
    while true {
      do {
        return try await body()
      } catch let error as PostgresError {
        guard Self.isContention(error), attempt < maximumAttempts else { throw error }
        let pause = Duration.milliseconds(min(50 << min(attempt, 5), 1_000)) * Double.random(in: 0.5..<1)
        guard .now + pause < deadline else { throw error }
        try await Task.sleep(for: pause)
        attempt += 1
      }
    }
  }

  /// Locked tables, deadlocks, and the errors by which two `create table if not exists` at once are known to fail.
  static func isContention(_ error: PostgresError) -> Bool {
    if error.isRetryable { return true }
    guard error.kind == .server, let state = error.sqlState else { return false }
    if state == "55P03" { return true }
    return error.statementName?.hasPrefix("migrator_create") == true
      && ["23505", "42P07", "42710", "XX000"].contains(state)
  }
}

/// The texts of the migrator. Plain tables, so that they stay local to the coordinator when others are distributed.
enum MigrationStatements {
  static let createLock = Statement(
    "migrator_create_lock",
    """
    create table if not exists schema_lock (
      id int2 not null, constraint schema_lock_key primary key (id), constraint schema_lock_one_row check (id = 1))
    """)

  static let fillLock = Statement(
    "migrator_create_lock_row", "insert into schema_lock (id) values (1) on conflict do nothing")

  static let createHistory = Statement(
    "migrator_create_history",
    """
    create table if not exists schema_versions (
      name text not null, checksum text not null, applied_at timestamptz not null default now(),
      constraint schema_versions_key primary key (name))
    """)

  static let historyExists = Statement(
    "migrator_history_exists", "select to_regclass('schema_versions') is not null", columns: [.bool])

  static let lock = Statement(
    "migrator_lock", "select id from schema_lock where id = 1 for update", columns: [.int2])

  static let history = Statement(
    "migrator_history", "select name, checksum from schema_versions order by name collate \"C\"",
    columns: [.text, .text])

  static let checksums = Statement(
    "migrator_checksums",
    """
    select encode(sha256(script.bytes), 'hex')
    from unnest($1) with ordinality as script (bytes, place) order by script.place
    """, parameters: [.byteaArray], columns: [.text])

  static let record = Statement(
    "migrator_record", "insert into schema_versions (name, checksum) values ($1, encode(sha256($2), 'hex'))",
    parameters: [.text, .bytea])

  static let limits = Statement(
    "migrator_limits",
    "select set_config('lock_timeout', $1, true), set_config('statement_timeout', '0', true)", parameters: [.text])
}
