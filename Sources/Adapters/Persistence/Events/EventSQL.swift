import Parties
import Postgres
import Primitives

/// An event as it is stored, with its number among those of its object.
package struct StoredEvent: Sendable {
  /// Order of the feed: of one object as it happened, over all objects as it was written.
  package let position: Int64
  package let id: EventID
  package let type: String
  package let subject: String
  package let subjectVersion: Int64
  package let businessAt: Instant
  /// JSON.
  package let data: [UInt8]
  package let before: [UInt8]?
  package let after: [UInt8]?
  package let organizations: (OrganizationID, OrganizationID?)
  /// Its number among the events of its object that were read with it, and that each organisation is told: 1, 2, 3 without
  /// gaps. An organisation counts what it is told, so that what it is not told leaves no trace.
  private let numbers: (ofAll: Int64, ofFirst: Int64, ofSecond: Int64)

  package init(_ row: Row) throws {
    var reader = RowReader(row)
    position = try reader.int()
    id = try reader.id()
    (type, subject, subjectVersion) = (try reader.text(), try reader.text(), try reader.int())
    (businessAt, data) = (try reader.instant(), try reader.jsonBytes())
    (before, after) = (try reader.jsonBytesOrNull(), try reader.jsonBytesOrNull())
    organizations = (try reader.id(), try reader.idOrNull())
    numbers = (try reader.int(), try reader.int(), try reader.int())
  }

  package func concerns(_ organization: OrganizationID) -> Bool {
    organizations.0 == organization || organizations.1 == organization
  }

  /// - Parameter reader: nil for who is told everything.
  package func sequence(for reader: OrganizationID?) -> Int64 {
    guard let reader else { return numbers.ofAll }
    return organizations.0 == reader ? numbers.ofFirst : numbers.ofSecond
  }
}

/// Which events are wanted.
package struct EventFilter: Sendable, Hashable {
  /// `loan.paid`; or all of a noun, `loan.*`. None: all.
  package let types: [String]
  /// Events of one object only.
  package let subject: String?

  package static let all = EventFilter()

  package init(types: [String] = [], subject: String? = nil) {
    self.types = types
    self.subject = subject
  }

  /// `noun.past_tense` or `noun.*`, in lower case.
  package static func isType(_ text: some StringProtocol) -> Bool {
    let parts = text.split(separator: ".", omittingEmptySubsequences: false)
    guard parts.count == 2, text.utf8.count <= 100 else { return false }
    func isWord(_ part: some StringProtocol) -> Bool {
      !part.isEmpty && part.utf8.allSatisfy { (0x61...0x7A).contains($0) || $0 == 0x5F }
    }
    return isWord(parts[0]) && (parts[1] == "*" || isWord(parts[1]))
  }

  package func admits(_ event: StoredEvent) -> Bool {
    if let subject, subject != event.subject { return false }
    if types.isEmpty { return true }
    let noun = event.type.prefix { $0 != "." }
    return types.contains { $0 == event.type || ($0.hasSuffix(".*") && $0.dropLast(2) == noun) }
  }

  fileprivate var typeBinds: [Bind] {
    let whole = types.filter { !$0.hasSuffix(".*") }
    let nouns = types.filter { $0.hasSuffix(".*") }.map { String($0.dropLast(2)) }
    return [.textArray(whole), .textArray(nouns)]
  }
}

/// Reads of the outbox. Nothing past the horizon is read: below it no running transaction has a position.
package enum EventSQL {
  private static let members: SQL = """
    o.position, o.id, o.type, o.subject, o.subject_version, o.business_at, o.body, o.before_image, o.after_image,
    o.org_a, o.org_b
    """
  /// The rows of `o`, each with its numbers among those of its object.
  private static func numbered(_ rows: SQL) -> SQL {
    "select" + members + ", n.of_all, n.of_first, n.of_second from" + rows
      + """
      o cross join lateral (
        select count(*) as of_all, count(*) filter (where p.org_a = o.org_a or p.org_b = o.org_a) as of_first,
          count(*) filter (where p.org_a = o.org_b or p.org_b = o.org_b) as of_second
        from outbox p where p.subject = o.subject and p.position <= o.position) n
      """
  }
  /// `$1` is the organisation, null for who is told everything.
  private static let told: SQL = "where ($1::uuid is null or o.org_a = $1 or o.org_b = $1)"
  private static let types: [PostgresType] = [
    .int8, .uuid, .text, .text, .int8, .timestamptz, .jsonb, .jsonb, .jsonb, .uuid, .uuid, .int8, .int8, .int8,
  ]

  /// Of the types `$3` and the nouns `$4`.
  private static let wanted: SQL = """
    and ((cardinality($3::text[]) = 0 and cardinality($4::text[]) = 0) or o.type = any($3)
      or split_part(o.type, '.', 1) = any($4))
    """
  /// Past `$1` and up to `$2`, at most `$5`.
  private static let inOrder: SQL = "and o.position > $1 and o.position <= $2" + wanted + "order by o.position limit $5"
  private static let wantedTypes: [PostgresType] = [.int8, .int8, .textArray, .textArray, .int8]
  private static let pageOfAll = Statement(
    "events_page_of_all",
    numbered("(select" + members + "from outbox o where true" + inOrder + ")") + "order by o.position",
    parameters: wantedTypes, columns: types)

  /// The events on one side of `$6`, as a range of the index of that side. With `org_a = $6` the planner may as well walk
  /// the whole outbox by position, which it does for an organisation that few of its events concern: it does not know which
  /// one will be asked for.
  private static func side(_ column: SQL, _ rest: SQL) -> SQL {
    let key = ("(o." as SQL).glued(column).glued(", o.position)")
    return "(select" + members + "from outbox o where" + key + "> ($6, $1) and" + key + "<= ($6, $2)" + rest + wanted
      + "order by" + ("o." as SQL).glued(column) + ", o.position limit $5)"
  }
  private static let pageOfOne = Statement(
    "events_page_of_one",
    numbered(
      "(select * from (" + side("org_a", "") + "union all"
        + side("org_b", "and o.org_b is not null and o.org_a <> $6") + ") o order by o.position limit $5)")
      + "order by o.position",
    parameters: wantedTypes + [.uuid], columns: types)
  private static let pageOfSubject = Statement(
    "events_page_of_subject",
    numbered(
      "(select" + members
        + "from outbox o where o.subject = $7 and ($6::uuid is null or o.org_a = $6 or o.org_b = $6)" + inOrder + ")")
      + "order by o.position",
    parameters: wantedTypes + [.uuid, .text], columns: types)
  private static let one = Statement(
    "events_by_id", numbered("outbox") + told + "and o.id = $2 and o.position <= $3",
    parameters: [.uuid, .uuid, .int8], columns: types)
  static let atPositions = Statement(
    "events_at_positions", numbered("outbox") + told + "and o.position = any($2) order by o.position",
    parameters: [.uuid, .int8Array],
    columns: types)

  package static func page(
    _ organization: OrganizationID?, after: Int64, through horizon: Int64, _ filter: EventFilter, limit: Int64
  ) -> Query {
    let binds = [Bind.int8(after), .int8(horizon)] + filter.typeBinds + [.int8(limit)]
    let tenant = Bind.uuid(organization?.value.bits)
    if let subject = filter.subject { return Query(pageOfSubject, binds + [tenant, .text(subject)]) }
    return organization == nil ? Query(pageOfAll, binds) : Query(pageOfOne, binds + [tenant])
  }

  package static func one(_ organization: OrganizationID?, _ id: EventID, through horizon: Int64) -> Query {
    Query(one, [.uuid(organization?.value.bits), .uuid(id.value.bits), .int8(horizon)])
  }

  // MARK: the horizon

  static let oldestRunning = Statement(
    "outbox_oldest_running", "select pg_snapshot_xmin(pg_current_snapshot())::text::bigint", columns: [.int8])
  static let positionsAfter = Statement(
    "outbox_positions_after", "select position from outbox where position > $1 order by position limit $2",
    parameters: [.int8, .int8], columns: [.int8])
  static let lastGiven = Statement(
    "outbox_last_position", "select case when is_called then last_value else 0 end from outbox_position_seq",
    columns: [.int8])
  /// A number above that of every transaction that has one. It is taken, since nothing else tells it: a snapshot ends with the
  /// last that has ended, and leaves out those that run above it.
  static let nextTransaction = Statement(
    "outbox_next_transaction", "select pg_current_xact_id()::text::bigint", columns: [.int8])

  package static var statements: [Statement] {
    [
      pageOfAll, pageOfOne, pageOfSubject, one, atPositions, oldestRunning, positionsAfter, lastGiven, nextTransaction,
    ]
  }
}

/// Up to which position the outbox is complete: each position up to here is visible or will never be.
///
/// Positions are given before transactions commit, so that a later one may be seen before an earlier one. A reader that went by
/// what it sees would pass over the earlier one for good; one that went by transaction numbers would see two changes of one
/// object in the wrong order, since numbers are given when transactions begin to write. So positions are taken in order, and at
/// one that is missing the horizon waits until every transaction has ended that may have taken it.
package struct EventHorizon: Sendable {
  package private(set) var position: Int64
  /// Positions up to `through` were taken by transactions below `before`.
  private var awaited: (through: Int64, before: Int64)?
  private static let page: Int64 = 1_000

  package init(position: Int64 = 0) { self.position = position }

  /// Moves as far as can be told now. Each statement looks at the database anew, in this order: whoever was running before
  /// the rows were read has ended, if it is not running then.
  package mutating func advance(
    on connection: PostgresConnection, deadline: ContinuousClock.Instant
  ) async throws {
    while true {
      let results = try await connection.pipeline(
        [
          Query(EventSQL.oldestRunning), Query(EventSQL.positionsAfter, [.int8(position), .int8(Self.page)]),
          Query(EventSQL.lastGiven),
        ], deadline: deadline)
      let seen = try results[1].map { try $0.int8(0) }
      take(
        seen, isAll: seen.count < Self.page, oldestRunning: try results[0].single().int8(0),
        lastGiven: try results[2].single().int8(0), nextTransaction: nil)
      if awaited == nil, position < (try results[2].single().int8(0)) {
        let number = try await connection.run(Query(EventSQL.nextTransaction), deadline: deadline).single().int8(0)
        awaited = (try results[2].single().int8(0), number)
      }
      if seen.count < Self.page { return }
      if let last = seen.last, position < last { return }
    }
  }

  /// - Parameters:
  ///   - seen: the visible positions after this one, in order; all of them, or the first of them.
  ///   - oldestRunning: below it every transaction has ended; read before `seen`.
  ///   - lastGiven: the last position that was given; read after `seen`.
  ///   - nextTransaction: above every transaction that has a number; read after `lastGiven`; nil where it is not known yet.
  package mutating func take(
    _ seen: [Int64], isAll: Bool, oldestRunning: Int64, lastGiven: Int64, nextTransaction: Int64?
  ) {
    var decided = position
    if let awaited, awaited.before <= oldestRunning {
      decided = awaited.through
      self.awaited = nil
    }
    var isStopped = false
    for next in seen {
      // What lies between is missing: never to come if it is decided.
      isStopped = next - 1 > max(position, decided)
      if isStopped { break }
      position = next
    }
    if isAll || isStopped { position = max(position, decided) }
    if position < lastGiven, awaited == nil, let nextTransaction { awaited = (lastGiven, nextTransaction) }
  }

  /// Where it begins in a process: at the last position given, as soon as all transactions have ended that had one.
  package static func present(
    on connection: PostgresConnection, deadline: ContinuousClock.Instant
  ) async throws -> EventHorizon {
    let last = try await connection.run(Query(EventSQL.lastGiven), deadline: deadline).single().int8(0)
    let next = try await connection.run(Query(EventSQL.nextTransaction), deadline: deadline).single().int8(0)
    var pause = Duration.milliseconds(1)
    while true {
      let oldest = try await connection.run(Query(EventSQL.oldestRunning), deadline: deadline).single().int8(0)
      if oldest >= next { return EventHorizon(position: last) }
      try await Task.sleep(for: pause)
      pause = min(pause * 2, .milliseconds(100))
    }
  }
}
