import DomainFixtures
import HTTPTypes
import HummingbirdTesting
import Lending
import NIOCore
import Operations
import Parties
import Persistence
import Postgres
import PostgresHarness
import Primitives
import SchemaFixtures
import StrictJSON
import Synchronization
import Testing
import WebSupport

@Suite("Batches of commands", .timeLimit(.minutes(3)))
struct BatchRouteTests {
  @Test("equal as many single posts: rows, versions, events in their order, audit rows and journal")
  func equalsSinglePosts() async throws {
    let told = Mutex<[[String]]>([])
    for isBatch in [false, true] {
      try await HTTPMarket.with { http in
        let desk = try await BatchDesk(http)
        let operations = try await desk.everyKind()
        if isBatch {
          let answer = try await desk.post(operations)
          #expect(answer.status == 200, "\(answer.text)")
        } else {
          for operation in operations {
            let answer = try await http.post(operation.path, as: desk.key, operation.body)
            #expect(answer.status < 300, "\(answer.text)")
          }
        }
        let breaches = try await http.market.database.withConnection { connection in
          try await BookLaws.breaches(connection) + BookLaws.chainBreaches(connection)
        }
        #expect(breaches == [])
        let lines = try await desk.tell()
        told.withLock { $0.append(lines) }
      }
    }
    let (single, together) = told.withLock { ($0[0], $0[1]) }
    #expect(single.count > 40)
    #expect(single == together)
  }

  @Test("tell of each operation what its own post would: status, location, etag and body, which reads back")
  func results() async throws {
    try await HTTPMarket.with { http in
      let desk = try await BatchDesk(http)
      let answer = try await desk.post([try desk.lot, desk.act("pause", ifMatch: "\"v1\""), desk.act("resume")])
      #expect(answer.status == 200 && answer.headers[.rateLimit] != nil, "\(answer.text)")
      let results = try answer.list("results")
      let id = results[0]["body"]?["id"]?.asString ?? ""
      #expect(results.map { $0["status"]?.asInteger } == [201, 200, 200])
      #expect(results[0]["location"]?.asString == "/v1/lots/\(id)" && results[0]["etag"]?.asString == "\"v1\"")
      #expect(results[1]["etag"]?.asString == "\"v2\"" && results[1]["body"]?["state"]?.asString == "paused")
      #expect(results[2]["etag"]?.asString == "\"v3\"" && results[2]["body"]?["state"]?.asString == "open")
      let read = try await http.get("/v1/lots/\(id)", as: desk.key)
      #expect(read.status == 200 && answer.text.contains(read.text))
      // In the order in which they were asked for.
      let many = try await desk.post(Array(repeating: try desk.lot, count: 20)).list("results")
      let ids = many.compactMap { $0["body"]?["id"]?.asString }
      #expect(ids == ids.sorted() && Set(ids).count == 20)
    }
  }

  @Test("with an operation that is refused, wherever it stands, change nothing and say which it was")
  func allOrNothing() async throws {
    try await HTTPMarket.with { http in
      let desk = try await BatchDesk(http)
      let stranger = try await http.market.listing(of: try await http.market.lender("Other"), 64)
      let unknown = "/v1/listings/lst_01920000-0000-7000-8000-000000000009/pause"
      let bad: [(BatchDesk.Operation, Int)] = [
        (desk.act("resume"), 409), (BatchDesk.Operation(unknown), 404), (desk.act("pause", ifMatch: "\"v9\""), 412),
        (BatchDesk.Operation("/v1/listings/\(stranger.id)/pause"), 404),
      ]
      for round in 0..<12 {
        let (operation, status) = bad[round % bad.count]
        let count = 1 + Int(http.market.clock.randomBits().0 % 9)
        let position = Int(http.market.clock.randomBits().0 % UInt64(count))
        var operations = Array(repeating: try desk.lot, count: count)
        operations[position] = operation
        let before = try await desk.digests()
        let audited = try await desk.audit()
        for isDry in [true, false] {
          let answer = try await desk.post(operations, query: isDry ? "?validate_only=true" : "")
          #expect(answer.status == status && answer.code == "batch.refused", "\(answer.text)")
          let results = try answer.list("results")
          let statuses = results.map { Int($0["status"]?.asInteger ?? 0) }
          #expect(statuses == (0..<count).map { $0 == position ? status : 424 })
          #expect(results[position]["body"]?["status"]?.asInteger == Int64(status))
          let pointers = try answer.list("errors").compactMap { $0["pointer"]?.asString }
          #expect(pointers == ["/operations/\(position)"])
        }
        #expect(try await desk.digests() == before)
        #expect(try await desk.audit() == audited + 1, "the refusal alone is kept")
      }
    }
  }

  @Test("say alike of what is another's and of what is not there")
  func outsiders() async throws {
    try await HTTPMarket.with { http in
      let desk = try await BatchDesk(http)
      let theirs = try await http.market.listing(of: try await http.market.lender("Other"), 64)
      var texts: Set<String> = []
      for id in ["\(theirs.id)", "lst_01920000-0000-7000-8000-000000000009"] {
        let answer = try await desk.post([try desk.lot, BatchDesk.Operation("/v1/listings/\(id)/withdraw")])
        #expect(answer.status == 404)
        texts.insert(answer.text)
      }
      #expect(texts.count == 1)
    }
  }

  @Test("name every fault of every operation at once, by pointers into the batch, and are not decided then")
  func faults() async throws {
    try await HTTPMarket.with { http in
      let desk = try await BatchDesk(http)
      let answer = try await desk.post([
        BatchDesk.Operation("/v1/lots", #"{"quantity":0,"colour":"red"}"#), try desk.lot,
        BatchDesk.Operation("/v1/lots"),
        BatchDesk.Operation("/v1/nowhere"), BatchDesk.Operation("/v1/batches", #"{"operations":[]}"#),
        BatchDesk.Operation("/v1/api-keys", "{}"), BatchDesk.Operation("/v1/export-checks"),
        BatchDesk.Operation("/v1/cash-receipts"), BatchDesk.Operation("/v1/sandbox/clock", #"{"now":"x"}"#),
        BatchDesk.Operation("/v1/fx-rates/import"), BatchDesk.Operation("/v1/webhooks"),
        BatchDesk.Operation("/v1/lots", "[]"),
      ])
      #expect(answer.status == 422 && answer.code == "request.invalid")
      let named = try answer.list("errors").map { "\($0["pointer"]?.asString ?? "") \($0["code"]?.asString ?? "")" }
      for expected in [
        "/operations/0/body/quantity field.range", "/operations/0/body/colour field.unknown",
        "/operations/0/body/site field.missing", "/operations/2/body/quantity field.missing",
        "/operations/3/path batch.not_combinable", "/operations/4/path batch.not_combinable",
        "/operations/5/path batch.not_combinable", "/operations/6/path batch.not_combinable",
        "/operations/7/path batch.not_combinable", "/operations/8/path batch.not_combinable",
        "/operations/9/path batch.not_combinable", "/operations/10/path batch.not_combinable",
        "/operations/11/body field.type",
      ] {
        #expect(named.contains(expected), "\(expected) in \(named)")
      }
      #expect(!named.contains { $0.hasPrefix("/operations/1/") })
      for body in [
        "{}", #"{"operations":[]}"#, #"{"operations":{}}"#, #"{"operations":[{"path":"/v1/lots?validate_only=true"}]}"#,
        #"{"operations":[{"path":"/v1/%6cots"}]}"#, #"{"operations":[{"path":"/v1/lots","method":"POST"}]}"#,
        #"{"operations":[{"path":"/v1/listings/x/pause","if_match":"v1"}]}"#,
        "{\"operations\":[" + Array(repeating: try desk.lot.json, count: 101).joined(separator: ",") + "]}",
      ] {
        let status = try await http.post("/v1/batches", as: desk.key, body).status
        #expect(status == 422 || status == 404 || status == 412, "\(body.prefix(80))")
      }
      #expect(try await http.get("/v1/lots", as: desk.key).list("data").count == 1)
    }
  }

  @Test("answer one key once, at once from eight clients and later, and another body under it not at all")
  func idempotency() async throws {
    try await HTTPMarket.with { http in
      let desk = try await BatchDesk(http)
      let operations = Array(repeating: try desk.lot, count: 7)
      let answers = try await withThrowingTaskGroup(of: HTTPAnswer.self) { group in
        for _ in 0..<8 { group.addTask { try await desk.post(operations, key: "once") } }
        return try await group.reduce(into: []) { $0.append($1) }
      }
      #expect(answers.allSatisfy { $0.status == 200 } && Set(answers.map(\.text)).count == 1)
      #expect(answers.count { $0.headers[.idempotencyReplayed] == nil } == 1)
      #expect(try await http.get("/v1/lots?limit=200", as: desk.key).list("data").count == 8)
      let other = try await desk.post(Array(operations.dropLast()), key: "once")
      #expect(other.status == 422 && other.code == "idempotency.key_reused")
      // A refusal is kept as well.
      let refused = try await desk.post([desk.act("resume")], key: "refused")
      _ = try await http.post("/v1/listings/\(desk.listing)/pause", as: desk.key)
      let again = try await desk.post([desk.act("resume")], key: "refused")
      #expect(refused.status == 409 && again.text == refused.text && again.headers[.idempotencyReplayed] == "true")
      let without = try await http.client.execute(
        uri: "/v1/batches", method: .post,
        headers: [.authorization: "Bearer \(desk.key)", .contentType: "application/json"],
        body: .init(string: BatchDesk.body(operations)))
      #expect(without.status == .badRequest)
    }
  }

  @Test("ask of a confined key the scope of each operation, and do nothing where one is missing")
  func scopes() async throws {
    try await HTTPMarket.with { http in
      let desk = try await BatchDesk(http)
      func key(_ scopes: [KeyScope]) async throws -> String {
        try await http.key(of: desk.lender.id, [.lender], scopes: Set(scopes), person: 31)
      }
      let (batches, lots) = (KeyScope(.write, of: "batches"), KeyScope(.write, of: "lots"))
      let narrow = try await key([batches, lots])
      #expect(try await desk.post([try desk.lot, try desk.lot], as: narrow).status == 200)
      let refused = try await desk.post([try desk.lot, desk.act("pause")], as: narrow)
      #expect(refused.status == 403 && refused.code == "auth.scope_required", "\(refused.text)")
      #expect(try refused.list("errors").compactMap { $0["pointer"]?.asString } == ["/operations/1"])
      #expect(try await desk.post([try desk.lot], as: key([lots])).status == 403)
      #expect(try await desk.post([try desk.lot], as: key([KeyScope(.read)])).status == 403)
      #expect(try await http.get("/v1/lots", as: desk.key).list("data").count == 3)
    }
  }

  @Test("that lock the same books in opposite order both end")
  func opposite() async throws {
    try await HTTPMarket.with { http in
      let market = http.market
      try await market.mark()
      let lenders = [try await market.lender("A"), try await market.lender("B")]
      let startups = [try await market.startup("S"), try await market.startup("T")]
      let listings = [
        try await market.listing(of: lenders[0], 512), try await market.listing(of: lenders[1], 512),
      ]
      var keys: [String] = []
      for (number, startup) in startups.enumerated() {
        keys.append(try await http.key(of: startup.id, [.startup], person: UInt64(41 + number)))
      }
      for _ in 0..<4 {
        var batches: [[BatchDesk.Operation]] = []
        for (number, startup) in startups.enumerated() {
          var operations: [BatchDesk.Operation] = []
          for listing in number == 0 ? listings : listings.reversed() {
            let request = try await market.request(of: startup, quantity: 8)
            let offer = try await market.offer(request, listing, quantity: 8)
            operations.append(BatchDesk.Operation("/v1/offers/\(offer.id)/accept"))
          }
          batches.append(operations)
        }
        let answers = try await withThrowingTaskGroup(of: HTTPAnswer.self) { group in
          for (operations, key) in zip(batches, keys) {
            group.addTask { try await http.post("/v1/batches", as: key, BatchDesk.body(operations)) }
          }
          return try await group.reduce(into: []) { $0.append($1) }
        }
        #expect(answers.allSatisfy { $0.status == 200 }, "\(answers.map(\.text))")
      }
      let breaches = try await market.database.withConnection { try await BookLaws.breaches($0) }
      #expect(breaches == [])
    }
  }

  @Test("count as many requests as they have operations")
  func quotas() async throws {
    var limits = RateLimiter.Limits()
    limits.key = .init(10, per: 3_600)
    try await HTTPMarket.with(rateLimits: limits) { http in
      let desk = try await BatchDesk(http)
      let first = try await desk.post(Array(repeating: try desk.lot, count: 6))
      #expect(first.status == 200 && first.headers[.rateLimit]?.hasPrefix("\"key\";r=4;") == true)
      let second = try await desk.post(Array(repeating: try desk.lot, count: 6))
      #expect(second.status == 429 && second.headers[.retryAfter] != nil, "\(second.text)")
      #expect(try await desk.post(Array(repeating: try desk.lot, count: 3)).status == 200)
    }
  }
}

/// A lender with a lot and a listing of it, who posts batches.
struct BatchDesk: Sendable {
  struct Operation: Sendable {
    let path: String
    let body: String
    let ifMatch: String?

    init(_ path: String, _ body: String = "{}", ifMatch: String? = nil) {
      self.path = path
      self.body = body
      self.ifMatch = ifMatch
    }

    var json: String {
      let match = ifMatch.map { ",\"if_match\":\"\($0.replacing("\"", with: "\\\""))\"" } ?? ""
      return body == "{}" ? "{\"path\":\"\(path)\"\(match)}" : "{\"path\":\"\(path)\",\"body\":\(body)\(match)}"
    }
  }

  let http: HTTPMarket
  let lender: Party
  let key: String
  let stock: Lot
  let listing: ListingID

  init(_ http: HTTPMarket) async throws {
    self.http = http
    lender = try await http.market.lender()
    key = try await http.key(of: lender.id, [.lender], person: 30)
    stock = try await http.market.lot(of: lender, quantity: 512)
    listing = try await http.market.listing(of: stock, by: lender, quantity: 64).id
  }

  var lot: Operation {
    get throws {
      Operation(
        "/v1/lots",
        """
        {"chip_model_id":"\(try Marketplace.plainChip())","quantity":8,"site":{"country":"US","region":"US-west"},\
        "available_on":"2026-06-02"}
        """)
    }
  }

  func act(_ verb: String, ifMatch: String? = nil) -> Operation {
    Operation("/v1/listings/\(listing)/\(verb)", ifMatch: ifMatch)
  }

  /// One of each kind of a lender's commands that needs nobody else, several of them on one object.
  func everyKind() async throws -> [Operation] {
    let listed =
      #"{"lot_id":"\#(stock.id)","quantity":64,"ask_rate_bps":900,"min_term_days":30,"max_term_days":720}"#
    return [
      try lot, Operation("/v1/listings", listed), act("pause"), try lot, act("resume"),
      Operation("/v1/listings", listed), act("withdraw"),
      Operation(
        "/v1/lots/\(stock.id)/device-events",
        #"{"kind":"sent_to_repair","quantity":8,"occurred_on":"2026-06-02"}"#),
    ]
  }

  static func body(_ operations: [Operation]) -> String {
    "{\"operations\":[" + operations.map(\.json).joined(separator: ",") + "]}"
  }

  func post(
    _ operations: [Operation], as key: String? = nil, query: String = "", key idempotency: String? = nil
  ) async throws -> HTTPAnswer {
    try await http.post("/v1/batches" + query, as: key ?? self.key, Self.body(operations), key: idempotency)
  }

  /// What every table holds, but for what is kept of refusals.
  func digests() async throws -> [String: String] {
    var found: [String: String] = [:]
    try await http.market.database.withConnection { connection in
      for row in try await connection.run(Query(TableDigests.all), deadline: soon()) {
        found[try row.text(0)] = try row.text(1)
      }
    }
    return found
  }

  func audit() async throws -> Int64 {
    try await http.market.database.withConnection { try await RowCounts.of($0)["audit_log"] ?? 0 }
  }

  private static let story = Statement(
    "batch_story",
    """
    select line from (
      select 1 as part, row_number() over (order by position) as n, type || ' v' || subject_version || ' ' ||
        coalesce(before_image->>'state', '-') || ' ' || coalesce(after_image->>'state', '-') as line from outbox
      union all
      select 2, row_number() over (order by action, outcome), action || ' ' || outcome from audit_log
      union all
      select 3, row_number() over (order by account_code, asset, amount), account_code || ' ' || asset || ' ' || amount
      from journal_lines
      union all
      select 4, row_number() over (order by quantity, state, version), quantity || ' ' || state || ' v' || version
      from listings
      union all
      select 5, row_number() over (order by quantity, version), quantity || ' v' || version from lots
      union all
      select 6, row_number() over (order by sequence), kind || ' ' || sequence from journal_entries
    ) as lines order by part, n
    """, columns: [.text])

  /// Everything that happened, without the ids of it.
  func tell() async throws -> [String] {
    try await http.market.database.withConnection { connection in
      var lines = try await connection.run(Query(Self.story), deadline: soon()).map { try $0.text(0) }
      // A batch has one stored answer, and of each book one link of the chain.
      for (table, count) in try await RowCounts.of(connection).sorted(by: { $0.key < $1.key })
      where table != "idempotency" && table != "chain_links" {
        lines.append("\(table) \(count)")
      }
      return lines
    }
  }
}

extension Marketplace {
  /// A listing of a whole new lot.
  fileprivate func listing(of lender: Party, _ quantity: Int64) async throws -> Listing {
    try await listing(of: try await lot(of: lender, quantity: quantity), by: lender, quantity: quantity)
  }
}

/// A digest of every table, but for the records of refusals themselves.
enum TableDigests {
  static let all = Statement(
    "table_digests",
    """
    select relname::text, (xpath('/row/n/text()', query_to_xml(
      format('select md5(coalesce(string_agg(t::text, '''' order by t::text), '''')) as n from %I t', relname),
      false, true, '')))[1]::text
    from pg_class where relnamespace = 'public'::regnamespace and relkind = 'r'
      and relname not in ('audit_log', 'idempotency')
    """, columns: [.text, .text])
}
