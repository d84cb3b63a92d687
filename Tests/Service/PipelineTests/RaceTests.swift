import DomainFixtures
import Ledger
import Lending
import Operations
import Parties
import Persistence
import Postgres
import PostgresHarness
import Primitives
import SchemaFixtures
import Synchronization
import Testing

/// A command whose heads follow from a row: it posts to the book of whoever heads the organisation's group.
private struct PostToGroup: Command {
  static let action = "test.post_to_group"
  var staffDuty: Duty? { nil }
  let member: OrganizationID

  func needs(_ state: BatchState) -> Set<Need> { [.organization(member)] }
  func heads(_ state: BatchState) -> Set<OrganizationID> {
    Set([member, state.organizations[member]?.groupID].compactMap { $0 })
  }

  func decide(_ draft: inout Draft, by principal: Principal) throws -> OrganizationID {
    guard let group = draft.find(\.organizations, member)?.groupID else { throw PartiesRefusal.notFound("group") }
    _ = try PostUnlocked(book: group).decide(&draft, by: principal)
    return group
  }
}

/// The turns of events that chance brings too rarely, each brought about on purpose.
@Suite("In an unlucky moment", .timeLimit(.minutes(2)))
struct RaceTests {
  @Test("a command whose heads changed while it waited for them is resolved again")
  func headsMoved() async throws {
    try await Marketplace.with { market in
      let member = try await market.lender("Member")
      let parent = try await market.lender("Parent")
      let held = try await HeldHead(member.id, in: market.database)
      async let decided = market.submit(PostToGroup(member: member.id), by: member.principal, key: "k")
      try await held.waitUntilWaitedFor()
      try await held.run("update organizations set group_id = '\(parent.id.value)' where org_id = '\(member.id.value)'")
      try await held.release()
      #expect(try await decided.get() == parent.id)
      let entries = Statement("test_entries", "select count(*) from journal_entries", columns: [.int8])
      #expect(try await market.number(entries) == 1)
      #expect(try await market.breaches().filter { !$0.contains("client_money") } == [])
    }
  }

  @Test("a key that another process is just deciding is waited for, and its answer is replayed")
  func keyBeingDecided() async throws {
    try await Marketplace.with { market in
      let startup = try await market.startup()
      let other = AnswerRow(
        organizationID: startup.id, key: "k", fingerprint: SHA256Digest(of: []),
        answer: StoredAnswer(status: 201, headers: [], body: Array("theirs".utf8)), createdAt: Marketplace.start)
      let held = try await HeldHead(startup.id, in: market.database)
      try await held.run(Tables.idempotency.inserting([other]))
      // It locks no head: it waits for the key alone.
      let command = try market.requestCommand()
      async let came = market.came(command, by: startup.principal, key: "k")
      try await held.waitUntilWaitedFor()
      try await held.release()
      #expect(await came.came == .replayed)
      #expect(await came.answer == other.answer)
      #expect(try await market.number(Counts.requests) == 0)
    }
  }

  @Test("a key that another process was deciding, and gave up, is decided here")
  func keyGivenUp() async throws {
    try await Marketplace.with { market in
      let startup = try await market.startup()
      let other = AnswerRow(
        organizationID: startup.id, key: "k", fingerprint: SHA256Digest(of: []),
        answer: StoredAnswer(status: 201, headers: [], body: []), createdAt: Marketplace.start)
      let held = try await HeldHead(startup.id, in: market.database)
      try await held.run(Tables.idempotency.inserting([other]))
      let command = try market.requestCommand()
      async let came = market.came(command, by: startup.principal, key: "k")
      try await held.waitUntilWaitedFor()
      try await held.giveUp()
      #expect(await came.came == .done)
      #expect(try await market.number(Counts.requests) == 1)
    }
  }

  @Test("duplicates in one batch need no second transaction")
  func duplicatesInOneBatch() async throws {
    try await Marketplace.with { market in
      let blocker = try await market.lender()
      let startup = try await market.startup()
      let command = try market.requestCommand()
      let counters = market.pipeline.counters
      let batches = counters.batches.load(ordering: .relaxed)
      let came = try await market.gathered(behind: blocker, count: 20) { _ in
        await market.came(command, by: startup.principal, key: "k").came
      }
      #expect(came.filter { $0 == .done }.count == 1)
      #expect(came.filter { $0 == .replayed }.count == 19)
      #expect(counters.batches.load(ordering: .relaxed) == batches + 2)
      #expect(counters.repeats.load(ordering: .relaxed) == 0)
      #expect(counters.splits.load(ordering: .relaxed) == 0)
    }
  }

  @Test("a command that posts where it holds no lock fails before anything is written, so its batch is not split")
  func unlockedBook() async throws {
    try await Marketplace.with { market in
      let blocker = try await market.lender("Blocker")
      let other = try await market.lender("Other")
      let startup = try await market.startup()
      let command = try market.requestCommand()
      let came = try await market.gathered(behind: blocker, count: 10) { index in
        index == 4
          ? await market.came(PostUnlocked(book: other.id), by: startup.principal).came
          : await market.came(command, by: startup.principal).came
      }
      #expect(came[4].isDefect)
      #expect(came.filter { $0 == .done }.count == 9)
      #expect(market.pipeline.counters.splits.load(ordering: .relaxed) == 0)
    }
  }

  @Test("commands of one batch that move one balance add up")
  func sharedBalance() async throws {
    try await Marketplace.with { market in
      let blocker = try await market.lender("Blocker")
      let lender = try await market.lender("Lender")
      let startup = try await market.startup()
      try await market.mark()
      let listing = try await market.stockedListing(64, of: lender)
      var requests: [LoanRequest] = []
      for _ in 0..<10 { requests.append(try await market.request(of: startup, quantity: 8)) }
      let commands = requests.map { market.offerCommand($0.id, listing.id, quantity: 8) }
      let came = try await market.gathered(behind: blocker, count: 10) { index in
        await market.came(commands[index], by: .automation).came
      }
      #expect(came.filter { $0 == .done }.count == 8)
      #expect(came.filter { $0 == .refused }.count == 2)
      #expect(try await market.breaches() == [])
    }
  }

  @Test("a row that did not take its change takes the whole command with it")
  func rowsMoved() async throws {
    try await Marketplace.with { market in
      let lender = try await market.lender()
      let listing = try await market.stockedListing(of: lender)
      try await market.database.withConnection { connection in
        try await connection.execute(
          """
          create function swallow() returns trigger language plpgsql as 'begin return null; end';
          create trigger listings_swallow before update on listings for each row execute function swallow()
          """)
      }
      let before = try await market.rowCounts()
      let command = ChangeListing(listingID: listing.id, act: .pause, ifVersion: nil)
      #expect(await market.came(command, by: lender.principal, key: "k").came.isDefect)
      #expect(try await market.rowCounts() == before)
    }
  }
}
