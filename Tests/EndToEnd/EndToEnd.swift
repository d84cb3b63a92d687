import Foundation
import HledgerHarness
import PostgresHarness
import ServiceHarness
import Synchronization
import Testing

/// The built binary on a private PostgreSQL, over HTTP. One suite after the other: they share two cores, and each judges
/// what happens within seconds.
@Suite("the service through its binary", .serialized)
struct EndToEnd {}

/// Runs a test on a thread of its own with a fresh deployment, which is stopped whatever happens.
func withDeployment(
  fsync: Bool = false, _ body: @escaping @Sendable (Deployment) throws -> Void
) async throws {
  var options = PostgresServer.Options()
  options.fsync = fsync
  let server = try await PostgresServer.launch(options)
  try await onThread {
    defer { server.remove() }
    let deployment = try Deployment(server: server, database: "chipbridge")
    defer { deployment.stop() }
    try body(deployment)
  }
}

/// Fails with a few of what should not be, not with all of it.
func expectNone(_ found: [String], _ what: String) {
  let count = found.count
  #expect(count == 0, "\(what): \(found.prefix(4).map { $0.prefix(300) })")
}

/// What a writer wanted, and the answer it holds if one came whole.
struct Intent: Sendable {
  let path: String
  let party: Party
  let body: String
  let key: String
  /// The bytes of the acknowledged 201.
  var acknowledged: [UInt8]?
}

/// Writers that keep posting until told to stop, one connection each, and remember everything they asked for.
final class WriteLoad: Sendable {
  let lender: Party
  let startup: Party
  private let name: String
  private let stopping = Flag()
  private let gathered = Gathered<Intent>()
  /// Answers that no client should see: neither 201 nor 503.
  let strange = Gathered<String>()
  let half = Gathered<String>()

  init(_ name: String, lender: Party, startup: Party) {
    self.name = name
    self.lender = lender
    self.startup = startup
  }

  var intents: [Intent] { gathered.all }

  func stop() { stopping.raise() }

  /// Writes on `count` connections until `stop`; every fourth one creates lots, so that the ledger moves too.
  func run(writers count: Int, port: Int) throws {
    try concurrently(count) { [self] writer in
      let http = RawHTTP(port: port, isDescribed: false)
      var number = 0
      while !stopping.isUp {
        number += 1
        let marker = "\(name)-\(writer)-\(number)"
        var intent =
          writer % 4 == 3
          ? Intent(path: "/v1/lots", party: lender, body: Goods.lot(marker), key: marker)
          : Intent(path: "/v1/loan-requests", party: startup, body: Goods.request(marker), key: marker)
        do {
          let answer = try http.post(intent.path, as: intent.party.key, intent.body, idempotency: intent.key)
          switch answer.status {
          case 201: intent.acknowledged = answer.body
          case 503: usleep(20_000)
          default: strange.append("\(answer.status) \(answer.text)")
          }
        } catch HTTPFault.half(let bytes) {
          half.append("\(intent.key): \(bytes) bytes")
        } catch {
          // Nobody answers for the moment: what was asked may or may not have happened.
          usleep(20_000)
        }
        gathered.append(intent)
      }
    }
  }
}

/// What is left of a load, judged by reading back, by retrying, and in the tables.
struct Reckoning {
  var acknowledged = 0
  var unacknowledged = 0
  var lost: [String] = []
  var duplicated: [String] = []
  var half: [String] = []

  /// Reads back every acknowledged object, retries the others twice, then counts rows.
  init(_ load: WriteLoad, _ deployment: Deployment, port: Int) throws {
    let intents = load.intents
    acknowledged = intents.count { $0.acknowledged != nil }
    unacknowledged = intents.count - acknowledged
    let (lost, duplicated, half) = (Gathered<String>(), Gathered<String>(), Gathered<String>())
    try concurrently(8) { worker in
      let http = RawHTTP(port: port, isDescribed: false)
      for index in stride(from: worker, to: intents.count, by: 8) {
        let intent = intents[index]
        let first = try http.post(intent.path, as: intent.party.key, intent.body, idempotency: intent.key)
        let second = try http.post(intent.path, as: intent.party.key, intent.body, idempotency: intent.key)
        guard first.status == 201, first.body == second.body, second.headers["idempotency-replayed"] == "true" else {
          half.append("\(intent.key): a retry answers \(first.status), then \(second.status)")
          continue
        }
        if let bytes = intent.acknowledged, first.body != bytes { duplicated.append("\(intent.key): another answer") }
        let present = try http.get("\(intent.path)/\(first.text("id"))", as: intent.party.key)
        if present.status != 200 || present.body != first.body {
          lost.append("\(intent.key): \(present.status) \(present.text)")
        }
      }
    }
    self.lost = lost.all
    self.duplicated = duplicated.all
    self.half = half.all
    try count(intents, deployment.console())
  }

  /// Each object exactly once, with exactly one audit row, one event and one stored answer; each lot with its entry.
  private mutating func count(_ intents: [Intent], _ console: SQLConsole) throws {
    let tables = [
      "/v1/loan-requests": "select end_use, id from loan_requests", "/v1/lots": "select serials[1], id from lots",
    ]
    let events = try tally(console.rows("select substr(subject, 5), count(*) from outbox group by 1"))
    let audits = try tally(
      console.rows(
        "select subject_id, count(*) from audit_log where outcome = 'done' and action like '%.create' group by 1"))
    let answers = try tally(console.rows("select key, count(*) from idempotency group by 1"))
    let entries = try tally(console.rows("select subject_id, count(*) from journal_entries group by 1"))
    for (path, text) in tables {
      let wanted = Set(intents.filter { $0.path == path }.map(\.key))
      var seen: [String: Int] = [:]
      for row in try console.rows(text) where wanted.contains(row[0]) {
        seen[row[0], default: 0] += 1
        var parts = [events[row[1]] ?? 0, audits[row[1]] ?? 0, answers[row[0]] ?? 0]
        if path == "/v1/lots" { parts.append(entries[row[1]] ?? 0) }
        if parts.contains(where: { $0 != 1 }) { half.append("\(row[0]): event, audit, answer, entry \(parts)") }
      }
      for key in wanted {
        switch seen[key] ?? 0 {
        case 1: continue
        case 0: lost.append("\(key): no row")
        default: duplicated.append("\(key): \(seen[key] ?? 0) rows")
        }
      }
    }
  }

  private func tally(_ rows: [[String]]) -> [String: Int] {
    Dictionary(rows.map { ($0[0], Int($0[1]) ?? 0) }, uniquingKeysWith: +)
  }

  func report(_ what: String, trials: Int) {
    print(
      "\(what): trials \(trials), acknowledged \(acknowledged), unacknowledged \(unacknowledged), "
        + "lost \(lost.count), duplicated \(duplicated.count), half \(half.count)")
  }

  func expectClean() {
    expectNone(lost, "lost")
    expectNone(duplicated, "duplicated")
    expectNone(half, "half")
  }
}

/// The whole book as it stands, exported, is one that `hledger` accepts with strict accounts and commodities.
func expectHledgerChecks(_ deployment: Deployment) throws {
  let exported = try deployment.run(["export", "--format", "hledger"])
  let hledger = try Hledger(journal: exported.output)
  defer { hledger.remove() }
  let checked = try hledger.check()
  #expect(checked.status == 0, "\(checked.error)")
}

/// The laws of the books, read from the tables by other means than the service's own; and `verify` where the binary has it.
func expectBooksHold(_ deployment: Deployment) throws {
  let console = try deployment.console()
  let laws = [
    "entries that do not sum to zero":
      "select count(*) from (select 1 from journal_lines group by org_id, entry_id, asset having sum(amount) <> 0) as x",
    "entries without lines":
      """
    select count(*) from journal_entries e
    where not exists (select 1 from journal_lines l where l.org_id = e.org_id and l.entry_id = e.id)
    """,
    "balances other than the sum of their lines":
      """
    select count(*) from accounts a full join
      (select org_id, account_code, subject_id, asset, sum(amount) as total from journal_lines group by 1, 2, 3, 4) l
      using (org_id, account_code, subject_id, asset)
    where coalesce(a.balance, 0) <> coalesce(l.total, 0)
    """,
    "books whose sequence has a gap or a head that lies":
      """
    select count(*) from (select h.org_id from heads h left join journal_entries e on e.org_id = h.org_id
    group by h.org_id, h.journal_sequence
    having coalesce(max(e.sequence), 0) <> h.journal_sequence or count(e.id) <> h.journal_sequence) as x
    """,
    "chain links that do not follow each other":
      """
    select count(*) from (select first_sequence, previous_hash,
    lag(last_sequence, 1, 0::bigint) over w as before, lag(hash) over w as hash_before
    from chain_links window w as (partition by org_id order by number)) as x
    where first_sequence <> before + 1 or (hash_before is not null and hash_before <> previous_hash)
    """,
    "lots whose units are not all somewhere":
      """
    select count(*) from lots where on_order + promised + available + reserved + in_transit + on_loan + in_return
    + in_inspection + in_repair + frozen + repossessed + lost + sold <> quantity
    """,
  ]
  for (law, text) in laws {
    let breaches = try console.number(text)
    #expect(breaches == 0, "\(law)")
  }
  let entries = try console.number("select count(*) from journal_entries")
  #expect(entries > 0, "a book without entries proves nothing")
  if try deployment.run(["--help"]).output.contains("\n  verify ") {
    let verify = try deployment.run(["verify"])
    #expect(verify.status == 0, "\(verify.output)")
  }
}
