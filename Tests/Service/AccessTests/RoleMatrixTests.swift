import DomainFixtures
import HTTPTypes
import Lending
import Operations
import Parties
import Persistence
import Postgres
import PostgresHarness
import Primitives
import SchemaFixtures
import StrictJSON
import Testing
import TokenMint
import WebSupport

@testable import RowFixtures

/// Every route, asked by everybody. What each may do is declared in `RoleMatrix`; a route that is not there fails, so a new
/// one is open to nobody until somebody has said to whom.
@Suite("The role matrix", .serialized, .timeLimit(.minutes(5)))
struct RoleMatrixTests {
  @Test(
    "gives each caller exactly the routes that are declared, and tells outsiders nothing of what is not theirs",
    arguments: [false, true])
  func matrix(byToken: Bool) async throws {
    // A token's holder has the rights of the binding, and nothing else is different.
    let issuer = byToken ? try TestIssuer() : nil
    defer { issuer?.server.stop() }
    try await HTTPMarket.with(tokens: issuer?.verifier()) { http in
      let book = try await MatrixBook(http, issuer: issuer)
      let table = RoleMatrix.rows
      let declared = Set(table.map(\.key))
      let present = Set(http.routes.routes.map { "\($0.method.rawValue.lowercased()) \($0.template)" })
      let (missing, stale) = (present.subtracting(declared).sorted(), declared.subtracting(present).sorted())
      #expect(missing == [], "routes without a row: nobody may use them")
      #expect(stale == [], "rows without a route")
      for row in table where present.contains(row.key) { try await book.check(row) }
    }
  }

  @Test("holds for reads by row security alone, without the filter that statements have")
  func rowSecurity() async throws {
    try await HTTPMarket.with(filtersTenants: false) { http in
      let book = try await MatrixBook(http)
      for row in RoleMatrix.rows where row.method == .get { try await book.check(row) }
    }
  }

  @Test(
    "leaves every object as it was where a write is refused, one that waits for a second person too",
    arguments: [false, true])
  func refusedWrites(asksSecondPerson: Bool) async throws {
    try await HTTPMarket.with(asksSecondPerson: asksSecondPerson) { http in
      let book = try await MatrixBook(http)
      let before = try await book.fingerprints()
      for row in RoleMatrix.rows where row.method == .post { try await book.sendRefused(row) }
      let after = try await book.fingerprints()
      let changed = before.keys.filter { before[$0] != after[$0] }.sorted()
      #expect(changed == [])
    }
  }

  @Test("says of every act of staff how many persons it takes, and describes those that are held as they are")
  func persons() async throws {
    try await HTTPMarket.with { http in
      let staffs = Set(
        RoleMatrix.rows.filter { row in
          row.method == .post && zip(RoleMatrix.Caller.allCases, row.classes).contains { $0.isStaff && $1 == "+" }
        }.map(\.template))
      typealias Persons = RoleMatrix.Persons
      let groups = [
        Persons.held, Persons.ofTheirOwn, Persons.reportedByTheParty, Persons.stops, Set(Persons.one.keys),
      ]
      let sorted = groups.reduce(into: Set<String>()) { $0.formUnion($1) }
      #expect(sorted.count == groups.reduce(0) { $0 + $1.count }, "in two groups at once")
      #expect(staffs.subtracting(sorted).sorted() == [], "acts of staff that nobody thought about")
      let posts = Set(RoleMatrix.rows.filter { $0.method == .post }.map(\.template))
      #expect(sorted.subtracting(posts).sorted() == [], "no route")
      let described = try await http.get("/v1/openapi.json", as: nil)
      let limits = JSONLimits(maxBytes: 16 << 20, maxMembers: 1_000_000)
      let paths = try #require(try JSONDocument(parsing: Array(described.text.utf8), limits: limits).root["paths"])
      let held = paths.members.filter { path in
        let answer = path.value["post"]?["responses"]?["202"]?["content"]?["application/json"]?["schema"]?["$ref"]
        return answer?.asString == "#/components/schemas/Approval"
      }
      #expect(Set(held.map { String($0.name) }) == Persons.held)
    }
  }

  @Test("names every family of routes that a scope can name")
  func families() async throws {
    try await HTTPMarket.with { http in
      let families = Set(
        http.routes.routes.compactMap { route -> String? in
          let parts = route.template.split(separator: "/")
          return parts.first == "v1" && parts.count > 1 ? String(parts[1]) : nil
        })
      // The description is read without a key.
      #expect(families.subtracting(KeyScope.families) == ["openapi.json"])
    }
  }
}

/// One object of every kind, of a lender and a startup, and everybody who may ask for it.
struct MatrixBook: Sendable {
  let http: HTTPMarket
  let keys: [RoleMatrix.Caller: String]
  let names: MatrixNames

  /// - Parameter issuer: whose tokens everybody holds in the place of keys.
  init(_ http: HTTPMarket, issuer: TestIssuer? = nil) async throws {
    self.http = http
    let rows = try RowSet(full: false, seed: MatrixNames.seed)
    names = try MatrixNames(rows)
    let (lenderB, startupB) = (try await http.market.lender("Lender B"), try await http.market.startup("Startup B"))
    let suspended = try await http.market.lender("Suspended")
    _ = try await http.market.run(
      DecideVerification(organizationID: suspended.id, act: .suspend(reason: "test"), ifVersion: nil),
      by: Marketplace.staff())
    let lenderA = Organization(
      id: rows.lender, legalName: "Lender A", jurisdiction: rows.china, ultimateParentJurisdiction: nil,
      groupID: rows.lender, roles: [.lender], owners: [], sites: [rows.site],
      verification: Verification(state: .unverified), creditGrade: nil, createdAt: rows.now, updatedAt: rows.now)
    try await http.market.database.withConnection { connection in
      // The records of allocations and claims are bytes of nothing in these rows; to show them would be to read them.
      for trip in try Trip.all(rows) where !MatrixNames.unreadable.contains(trip.table) {
        _ = try await connection.run(trip.insert, deadline: soon())
      }
      _ = try await connection.run(Tables.organizations.inserting([lenderA]), deadline: soon())
      _ = try await connection.run(Tables.heads.inserting([Head(organizationID: lenderA.id)]), deadline: soon())
      try await connection.execute(MatrixNames.runs(rows))
    }
    func credential(
      _ organization: OrganizationID, _ roles: Set<Role>, _ duties: Set<Duty> = [], person: UInt64
    ) async throws -> String {
      if let issuer {
        return try await issuer.holder(http, of: organization, roles, duties: duties, person: person)
      }
      return try await http.key(of: organization, roles, duties: duties, person: person)
    }
    keys = [
      .lenderA: try await credential(rows.lender, [.lender], person: 11),
      .lenderB: try await credential(lenderB.id, [.lender], person: 12),
      .startupA: try await credential(rows.borrower, [.startup], person: 13),
      .startupB: try await credential(startupB.id, [.startup], person: 14),
      .operations: try await credential(.platform, [.admin], [.operations], person: 15),
      .risk: try await credential(.platform, [.admin], [.risk], person: 16),
      .compliance: try await credential(.platform, [.admin], [.compliance], person: 17),
      .treasury: try await credential(.platform, [.admin], [.treasury], person: 18),
      .auditor: try await credential(.platform, [.auditor], person: 19),
      .suspended: try await credential(suspended.id, [.lender], person: 20),
    ]
  }

  /// Asks a route as everybody.
  func check(_ row: RoleMatrix.Row) async throws {
    let body = try await body(for: row)
    let target = names.filled(row.target) + (row.method == .post && !row.isCalculation ? "?validate_only=true" : "")
    let stranger = try await ask(row, target, body, as: nil)
    let wrong = try await ask(row, target, body, as: String(repeating: "x", count: 110))
    let isOpen = row.classes.isEmpty
    #expect((stranger.status == 401) == !isOpen && (wrong.status == 401) == !isOpen, "\(row.key) without a good key")
    if isOpen { return }
    var seen = ""
    for caller in RoleMatrix.Caller.allCases {
      let answer = try await ask(row, target, body, as: keys[caller])
      let symbol = RoleMatrix.symbol(of: answer, to: row)
      seen.append(symbol)
      if symbol == "!" || symbol == "?" {
        Issue.record("\(row.key) as \(caller): \(answer.status) \(answer.text.prefix(300)) to \(body ?? "")")
      }
      if symbol == "0", !caller.readsEverything, row.target.contains("{"), row.isThere {
        let unknown = try await ask(
          row, names.unknown(row.target) + target.suffix(from: target.firstIndex(of: "?") ?? target.endIndex), body,
          as: keys[caller])
        #expect(unknown.anonymous == answer.anonymous, "\(row.key) as \(caller) tells what is there")
      }
      if caller.isOutsider, answer.status < 300, !RoleMatrix.isPublic(row) {
        #expect(!answer.text.contains(MatrixNames.mark), "\(row.key) as \(caller) shows what is another's")
      }
    }
    #expect(seen == row.classes, "\(row.key)")
    // An act of staff needs one duty; whatever any of them may do changes nothing, and is named.
    let duties = zip(RoleMatrix.Caller.allCases, seen).filter { $0.0.isStaff && $0.1 == "+" }.count
    if row.method == .post, duties > 1 { #expect(RoleMatrix.forAnyStaff.contains(row.template), "\(row.key)") }
  }

  /// Sends, for good, what must be refused.
  func sendRefused(_ row: RoleMatrix.Row) async throws {
    if row.classes.isEmpty { return }
    let body = try await body(for: row)
    for (caller, symbol) in zip(RoleMatrix.Caller.allCases, row.classes) where symbol != "+" {
      let answer = try await ask(row, names.filled(row.target), body, as: keys[caller])
      #expect(RoleMatrix.symbol(of: answer, to: row) == symbol, "\(row.key) as \(caller), sent for good")
    }
  }

  private func ask(
    _ row: RoleMatrix.Row, _ target: String, _ body: String?, as key: String?
  ) async throws -> HTTPAnswer {
    try await http.send(row.method, target, as: key, body: body, type: row.mediaType)
  }

  /// A body that the route takes.
  private func body(for row: RoleMatrix.Row) async throws -> String? {
    guard row.method == .post else { return nil }
    if let file = row.file { return file }
    var filler = BodyFiller(samples: names.samples.merging(RoleMatrix.overrides[row.template] ?? [:]) { $1 })
    for _ in 0..<12 {
      let answer = try await ask(
        row, names.filled(row.target) + (row.isCalculation ? "" : "?validate_only=true"), filler.value.json,
        as: keys[row.filler])
      guard answer.status == 422, answer.code == "request.invalid" else { break }
      let unknown = try filler.fill(answer)
      if !unknown.isEmpty {
        Issue.record("\(row.key): no sample for \(unknown)")
        break
      }
    }
    return filler.value.json
  }

  /// What every table holds, but for the records of the refusals themselves.
  func fingerprints() async throws -> [String: String] {
    try await http.market.database.withConnection { connection in
      var found: [String: String] = [:]
      for row in try await connection.run(Query(TableDigests.all), deadline: soon()) {
        found[try row.text(0)] = try row.text(1)
      }
      return found
    }
  }
}
