import DomainFixtures
import Lending
import Operations
import Parties
import Persistence
import Postgres
import PostgresHarness
import Primitives
import SchemaFixtures
import Testing
import Valuation

@testable import Settlement

@Suite("Marks", .timeLimit(.minutes(4)))
struct MarkTests {
  private func command(
    _ startup: Party, _ amount: Int64, on date: CalendarDate, supersedes: ValuationID? = nil,
    source: String = "round A"
  ) -> RecordValuation {
    RecordValuation(
      subject: .startup(startup.id), method: .pricedRound, amount: Money(amount, .usd), basis: .postMoney,
      effectiveOn: date, source: source, supersedes: supersedes, evidence: "share register")
  }

  private func decide(
    _ id: ValuationID, _ principal: Principal, _ decision: DecideValuation.Decision = .approve
  ) -> DecideValuation {
    DecideValuation(id: id, decision: decision, person: principal.personID, ifVersion: nil)
  }

  @Test("become known when a second person approves them, and by nobody who earns on one")
  func secondPerson() async throws {
    try await Marketplace.with { market in
      let startup = try await market.startup()
      let (maker, checker) = (Marketplace.staff(), Marketplace.staff(2))
      let proposal = try await market.run(command(startup, 100, on: market.today), by: maker)
      #expect(try await market.marks(of: startup).isEmpty)
      #expect(try await market.submit(decide(proposal.id, maker), by: maker).refusalCode == "parties.same_person")
      // A person of the platform who also has a key of a lender is not independent.
      let lender = try await market.lender()
      let key = CreateAPIKey(
        keyID: APIKeyID(UUIDValue(high: 13, low: 1)), organizationID: lender.id, roles: [.lender], scopes: [],
        expiresAt: nil, personID: checker.personID, secretDigest: SHA256Digest(of: "a lender's"))
      _ = try await market.run(key, by: maker)
      let interested = try await market.submit(decide(proposal.id, checker), by: checker)
      #expect(interested.refusalCode == "valuation.approver_interested")
      let third = Marketplace.staff(3)
      market.clock.advance(days: 1)
      let approved = try await market.run(decide(proposal.id, third), by: third)
      let mark = try #require(try await market.marks(of: startup).first)
      #expect(mark.approvedBy == third.personID && mark.recordedBy == maker.personID)
      #expect(mark.recordedAt == approved.decidedAt && mark.recordedAt > proposal.createdAt)
      #expect(try await market.submit(decide(proposal.id, third), by: third).refusalCode == "valuation.already_decided")
      #expect(try await market.lawBreaches() == [])
    }
  }

  @Test("of a source outside are recorded at once by one person who earns on none, and nobody here stated them")
  func vouchedFor() async throws {
    try await Marketplace.with { market in
      let (lender, startup) = (try await market.lender(), try await market.startup())
      let (maker, checker) = (Marketplace.staff(), Marketplace.staff(2))
      func record(_ principal: Principal) -> RecordMark {
        RecordMark(command(startup, 100, on: market.clock.now().date), person: principal.personID)
      }
      let key = CreateAPIKey(
        keyID: APIKeyID(UUIDValue(high: 13, low: 2)), organizationID: lender.id, roles: [.lender], scopes: [],
        expiresAt: nil, personID: checker.personID, secretDigest: SHA256Digest(of: "a lender's"))
      _ = try await market.run(key, by: maker)
      #expect(try await market.submit(record(checker), by: checker).refusalCode == "valuation.approver_interested")
      #expect(try await market.submit(record(maker), by: startup.principal).refusalCode != nil)
      let mark = try await market.run(record(maker), by: maker)
      #expect(mark.approvedBy == maker.personID && mark.recordedBy == nil)
      #expect(try await market.marks(of: startup).map(\.id) == [mark.id])
      #expect(try await market.submit(record(maker), by: maker).refusalCode == "valuation.already_stands")
      #expect(try await market.lawBreaches() == [])
    }
  }

  @Test("stand once for a day, method and source; a correction closes what it corrects, and is the only one")
  func corrections() async throws {
    try await Marketplace.with { market in
      let startup = try await market.startup()
      let first = try await market.mark(command(startup, 100, on: market.today))
      let again = try await market.submit(command(startup, 101, on: market.today), by: Marketplace.staff())
      #expect(again.refusalCode == "valuation.already_stands")
      let ahead = try #require(market.today.adding(days: 1))
      #expect(
        try await market.submit(command(startup, 1, on: ahead), by: Marketplace.staff()).refusalCode
          == "valuation.effective_ahead")
      // Two corrections are stated before either is approved: one of them comes too late.
      let corrected = command(startup, 95, on: market.today, supersedes: first.id)
      let one = try await market.run(corrected, by: Marketplace.staff())
      let two = try await market.run(corrected, by: Marketplace.staff())
      market.clock.advance(days: 1)
      let checker = Marketplace.staff(2)
      let mark = try await market.run(decide(one.id, checker), by: checker)
      #expect(
        try await market.submit(decide(two.id, checker), by: checker).refusalCode == "valuation.already_superseded")
      let marks = try await market.marks(of: startup)
      #expect(marks.map(\.amount.amount) == [100, 95])
      #expect(marks[0].supersededAt == mark.decidedAt)
      // Of another startup no mark can be corrected.
      let other = try await market.startup("Other")
      let crossed = command(other, 5, on: market.today, supersedes: marks[1].id)
      #expect(
        try await market.submit(crossed, by: Marketplace.staff()).refusalCode == "valuation.superseded_unknown")
    }
  }

  @Test("the database itself refuses a second correction, one of another subject, and two marks that stand for one day")
  func constraints() async throws {
    try await Marketplace.with { market in
      let startup = try await market.startup()
      let other = try await market.startup("Other")
      let first = try await market.mark(command(startup, 100, on: market.today))
      func insert(_ mark: ValuationMark) async -> String? {
        do {
          _ = try await market.database.withConnection {
            try await $0.run(Tables.startupMarks.inserting([mark]), deadline: soon())
          }
          return nil
        } catch { return (error as? PostgresError)?.constraint ?? "\(error)" }
      }
      func mark(_ number: UInt64, _ startup: Party, corrects: ValuationID?, source: String) -> ValuationMark {
        ValuationMark(
          id: ValuationID(UUIDValue(high: 5, low: number)), subject: .startup(startup.id), method: .pricedRound,
          amount: Money(7, .usd), basis: .postMoney, effectiveOn: first.effectiveOn, recordedAt: first.recordedAt,
          source: source, supersedes: corrects, approvedBy: nil)
      }
      #expect(await insert(mark(1, startup, corrects: nil, source: "round A")) == "startup_marks_one_stands")
      #expect(await insert(mark(2, other, corrects: first.id, source: "b")) == "startup_marks_corrects")
      #expect(await insert(mark(3, startup, corrects: first.id, source: "c")) == nil)
      #expect(await insert(mark(4, startup, corrects: first.id, source: "d")) == "startup_marks_corrected_once")
    }
  }

  @Test("no offer is made on a mark that is disputed, nor on one that is stale")
  func trading() async throws {
    try await Marketplace.with { market in
      let mark = try await market.mark()
      let lender = try await market.lender()
      let startup = try await market.startup()
      let lot = try await market.lot(of: lender)
      let listing = try await market.listing(of: lot, by: lender, quantity: 64)
      let request = try await market.request(of: startup)
      func offer() async throws -> String? {
        let command = MakeOffer(
          roundID: MatchRoundID(UUIDValue(high: 3, low: 3)), requestID: request.id, listingID: listing.id,
          quantity: 16, rate: BasisPoints(1_000))
        return try await market.submit(command, by: .automation, validateOnly: true).refusalCode
      }
      #expect(try await offer() == nil)
      // A startup has no lot of the chip: to it there is nothing to dispute.
      func dispute(_ party: Principal) -> DisputeMark {
        DisputeMark(markID: mark.id, reason: "a quote of a friend", organizationID: party.organizationID)
      }
      #expect(
        try await market.submit(dispute(startup.principal), by: startup.principal).refusalCode == "parties.not_found")
      let raised = try await market.run(dispute(lender.principal), by: lender.principal)
      #expect(
        try await market.submit(dispute(lender.principal), by: lender.principal).refusalCode
          == "valuation.disputed_already")
      #expect(try await offer() == "valuation.mark_disputed")
      func close(_ act: CloseDispute.Act) -> CloseDispute { CloseDispute(id: raised.id, act: act, ifVersion: nil) }
      #expect(
        try await market.submit(close(.withdraw), by: startup.principal).refusalCode == "parties.not_found")
      _ = try await market.run(close(.withdraw), by: lender.principal)
      #expect(try await offer() == nil)
      // What staff raise, somebody else dismisses.
      let staff = try await market.run(dispute(Marketplace.staff()), by: Marketplace.staff())
      let dismiss = CloseDispute(id: staff.id, act: .dismiss(reason: "the quote stands"), ifVersion: nil)
      #expect(try await market.submit(dismiss, by: Marketplace.staff()).refusalCode == "parties.same_person")
      #expect(try await offer() == "valuation.mark_disputed")
      _ = try await market.run(dismiss, by: Marketplace.staff(2))
      #expect(try await offer() == nil)
      let read = try await MarketReader.read(
        pool: market.pool, reference: market.reference, clock: market.clock, deadline: soon())
      #expect(read.marks.count == 1)
      market.clock.advance(days: 366)
      #expect(try await offer() == "valuation.mark_stale")
      let later = try await MarketReader.read(
        pool: market.pool, reference: market.reference, clock: market.clock, deadline: soon())
      #expect(later.marks.isEmpty)
    }
  }

  @Test("of all startups at once are shown to those who lend them something, to themselves, and to staff")
  func readers() async throws {
    try await Marketplace.with { market in
      let loans = try await market.lend(2)
      let other = try await market.startup("Other")
      for (index, startup) in (loans.map(\.startup) + [other]).enumerated() {
        _ = try await market.mark(command(startup, Int64(100 + index), on: market.today))
      }
      let rival = try await market.lender("Rival")
      var configuration = try market.database.configuration()
      configuration.role = "chipbridge_reader"
      let pool = try PostgresPool(configuration: configuration, size: 1, waiters: 10)
      let reader = Reader(pool: pool)
      let now = market.clock.now()
      func seen(_ principal: Principal) async throws -> [Int64] {
        let query = Query(
          MarkQueries.ofStartups,
          [
            .uuid(UUIDValue(high: 0, low: 0).bits), .text(ValuationBasis.postMoney.rawValue),
            .date(now.date.dayNumber), .timestamptz(now.microseconds), reader.scope(principal), .int8(10),
          ])
        let marks = try await Tables.startupMarks.decode(reader.run([query], as: principal)[0])
        // Row security alone, whatever the statement says of who asks.
        for startup in loans.map(\.startup) + [other] {
          let one = MarkQueries.of(.startup(startup.id), .postMoney, on: now.date, knownAt: now)
          let isSeen = try await !reader.run([one], as: principal)[0].isEmpty
          #expect(isSeen == marks.contains { $0.subject == .startup(startup.id) })
        }
        return marks.map(\.amount.amount).sorted()
      }
      #expect(try await seen(Marketplace.staff()) == [100, 101, 102])
      #expect(try await seen(loans[0].lender.principal) == [100, 101])
      #expect(try await seen(loans[1].startup.principal) == [101])
      #expect(try await seen(rival.principal) == [])
      await pool.shutdown()
    }
  }

  @Test("are derived for a business date from the declared quotes, once; quotes that come later correct them")
  func derived() async throws {
    try await Marketplace.with { market in
      let chip = try Marketplace.plainChip()
      let date = market.today
      let series = try #require(
        MarkSeries(
          chip: chip, kind: .unitPrice, quoteBasis: "list", currency: .usd, leastQuotes: 2, windowDays: 30, curve: nil))
      let proposed = try await market.run(ProposeSeries(series: series), by: Marketplace.staff())
      func approve(_ principal: Principal) -> ApproveSeries {
        ApproveSeries(id: proposed.id, person: principal.personID, ifVersion: nil)
      }
      let (maker, checker) = (Marketplace.staff(), Marketplace.staff(2))
      #expect(try await market.submit(approve(maker), by: maker).refusalCode == "parties.same_person")
      _ = try await market.run(approve(checker), by: checker)
      #expect(try await market.derive(on: date) == ["marks": 0, "unchanged": 0, "without_quotes": 1])
      func quote(_ dollars: Int64, _ source: String) -> ImportLine<ChipQuote> {
        ImportLine(
          line: 2,
          value: ChipQuote(
            chip: chip, quotedOn: date, kind: .unitPrice, currency: .usd, micros: dollars * 1_000_000, basis: "list",
            sample: nil, isEstimate: false, seller: nil, region: nil, source: source, notes: nil), faults: [])
      }
      func add(_ lines: [ImportLine<ChipQuote>], _ name: String) async throws {
        _ = try await market.run(
          ImportChipPrices(
            digest: SHA256Digest(of: name), fileName: name, total: Int64(lines.count), from: 0, lines: lines),
          by: maker)
      }
      try await add([quote(10_000, "a"), quote(10_200, "b")], "first")
      #expect(try await market.derive(on: date)["marks"] == 1)
      #expect(try await market.derive(on: date)["unchanged"] == 1, "done again it changes nothing")
      market.clock.advance(days: 1)
      try await add([quote(10_400, "c"), quote(90_000, "d")], "second")
      let corrected = try await market.derive(on: date)
      #expect(corrected["corrected"] == 1 && corrected["outliers"] == 1)
      let marks = try await market.marks(of: chip).filter { $0.method == .index }
      #expect(marks.map(\.amount.amount) == [1_010_000, 1_020_000])
      #expect(marks[1].supersedes == marks[0].id && marks[0].supersededAt == marks[1].recordedAt)
      // The run does what the command does, and what its preview showed.
      let preview = try await market.planner().preview(.marks, on: market.today, closedThrough: nil)
      #expect(preview.totals["marks"] == 1)
      let run = try await market.settle(.marks, previewHash: preview.hash)
      #expect(run.state == .succeeded)
      // A day later the window still holds them, and nothing else is known: a mark of that day.
      #expect(try run.sums["marks"] == 1)
      #expect(try await market.settle(.marks).sums["unchanged"] == 1)
      #expect(try await market.lawBreaches() == [])
    }
  }
}

extension Marketplace {
  func marks(of startup: Party) async throws -> [ValuationMark] {
    let query = Query(Details.startupMarks, [.uuid(nil), .uuid(startup.id.value.bits)])
    return try await database.withConnection {
      try Tables.startupMarks.decode(await $0.run(query, deadline: soon()))
    }
  }

  func marks(of chip: ChipModelID) async throws -> [ValuationMark] {
    let query = Query(Details.chipMarks, [.text(chip.value)])
    return try await database.withConnection { try Tables.chipMarks.decode(await $0.run(query, deadline: soon())) }
  }

  func derive(on date: CalendarDate) async throws -> [String: Int64] {
    try await run(DeriveMarks(on: date), by: .automation)
  }

  /// What a startup was worth, as the interface asks.
  func asOf(_ subject: ValuationSubject, _ date: String, knownAt: Instant) async throws -> ValuationMark? {
    let day = try #require(CalendarDate(date))
    let basis: ValuationBasis = subject.startup == nil ? .perChip : .postMoney
    let query = MarkQueries.of(subject, basis, on: day, knownAt: knownAt)
    return try await database.withConnection {
      try MarkQueries.table(of: subject).decode(await $0.run(query, deadline: soon())).first
    }
  }
}
