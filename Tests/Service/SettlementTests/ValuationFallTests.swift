import Catalogue
import DomainFixtures
import Lending
import Operations
import Parties
import Persistence
import Postgres
import Primitives
import Schema
import SchemaFixtures
import Testing
import Valuation

@testable import Settlement

/// Chips at 1,000,000 minor units and 90 %: sixteen of them are lent at 14,400,000.
@Suite("Falls in valuation", .timeLimit(.minutes(5)))
struct ValuationFallTests {
  /// A lender's listing, of 160 chips.
  private func listing(
    _ market: Marketplace, _ eligibility: Listing.Eligibility = Listing.Eligibility()
  ) async throws -> (lender: Party, listing: Listing) {
    let lender = try await market.lender("Lender with limits")
    let lot = try await market.lot(of: lender, quantity: 160)
    var terms = market.listingCommand(of: lot, quantity: 160).terms
    terms.eligibility = eligibility
    return (
      lender, try await market.run(CreateListing(terms: terms, lenderID: lender.id), by: lender.principal)
    )
  }

  /// A startup's request for 32 chips.
  private func request(
    _ market: Marketplace, _ startup: Party, leastPostMoney: Int64? = nil, acceptable: [AcceptableChip]? = nil
  ) async throws -> LoanRequest {
    var terms = try market.requestCommand(quantity: 32).terms
    terms.repayment = RepaymentTerms(
      pattern: .roundSweep, leastAmount: nil, leastPostMoney: leastPostMoney.map { Money($0, .usd) },
      sweep: BasisPoints(2_500))
    if let acceptable { terms.acceptable = acceptable }
    return try await market.run(CreateLoanRequest(terms: terms), by: startup.principal)
  }

  /// Records what a startup is worth today, by a source of its own.
  private func worth(_ market: Marketplace, _ startup: Party, _ amount: Int64) async throws {
    // Of two marks of one day the later one counts.
    market.clock.advance(seconds: 1)
    let staff = Marketplace.staff()
    let stated = RecordValuation(
      subject: .startup(startup.id), method: .pricedRound, amount: Money(amount, .usd), basis: .postMoney,
      effectiveOn: market.today, source: "round at \(amount)", supersedes: nil, evidence: "share register")
    _ = try await market.run(RecordMark(stated, person: staff.personID), by: staff)
  }

  /// Somebody looks at everything that waits.
  private func settle(_ market: Marketplace) async throws {
    for item in try await market.items() {
      _ = try await market.run(
        ResolveComplianceItem(itemID: item.id, resolution: .accept, note: "looked at", ifVersion: nil),
        by: Marketplace.staff())
    }
  }

  @Test(
    "open a line for each loan, request, unanswered offer and listing that is no more met, once, and change nothing")
  func lines() async throws {
    try await Marketplace.with { market in
      let lent = try #require(try await market.lend(1).first)
      let startup = lent.startup
      let limited = try await listing(market, .init(maxExposure: Money(20_000_000, .usd)))
      // A request by capability, and two with offers that only together pass the lender's limit.
      let capability = AcceptableChip.Capability(
        memoryMilliGB: 40_000, bf16MilliTflopsDense: nil, interconnectMilliGBs: nil)
      let bare = try await request(
        market, startup, acceptable: [AcceptableChip(choice: .capability(capability), maxRate: BasisPoints(1_500))])
      let bound = try await request(market, startup, leastPostMoney: 100)
      let plain = try await request(market, startup)
      let whole = try await market.request(of: startup)
      let first = try await market.offer(bound, limited.listing, quantity: 16)
      let second = try await market.offer(plain, limited.listing, quantity: 16)
      let third = try await market.offer(whole, limited.listing, quantity: 16)
      let other = try await market.startup("Other")
      let others = try await request(market, other)
      _ = try await market.offer(others, limited.listing, quantity: 16)
      try await worth(market, startup, 90)
      try await worth(market, startup, 250)
      #expect(try await market.items().isEmpty)
      let before = try await market.open(startup)
      try await worth(market, startup, 80)
      #expect(try await market.open(startup) == before)

      let items = try await market.items()
      var found = Dictionary(items.map { ($0.finding.subject, $0.finding) }, uniquingKeysWith: { first, _ in first })
      func expect(
        _ subject: UUIDValue, _ kind: ComplianceItem.SubjectKind, _ suggestion: ComplianceItem.Suggestion,
        _ lost: [String] = [], quantity: Int64 = 16, by lender: Party?, hasModel: Bool = true
      ) throws {
        let line = found.removeValue(forKey: subject)
        let finding = try #require(line, "\(kind)")
        #expect(finding.kind == kind && finding.suggestion == suggestion && finding.quantity == quantity)
        #expect(finding.rules.first == "valuation.fell" && Array(finding.rules.dropFirst(3)) == lost, "\(kind)")
        #expect(finding.borrowerID == startup.id && finding.lenderID == lender?.id)
        #expect((finding.chipModelID != nil) == hasModel && finding.effect == .holdReview)
        #expect(finding.since == market.today)
      }
      let (least, limit) = ("repayment.least_post_money", "eligibility.max_exposure")
      try expect(lent.id.value, .loan, .review, by: lent.lender)
      try expect(bare.id.value, .loanRequest, .hold, quantity: 32, by: nil, hasModel: false)
      try expect(bound.id.value, .loanRequest, .freeze, [least], by: nil)
      try expect(plain.id.value, .loanRequest, .hold, by: nil)
      try expect(first.id.value, .offer, .unwind, [least, limit], by: limited.lender)
      try expect(second.id.value, .offer, .unwind, [limit], by: limited.lender)
      try expect(third.id.value, .offer, .unwind, [limit], by: limited.lender)
      try expect(limited.listing.id.value, .listing, .hold, [least, limit], quantity: 96, by: limited.lender)
      #expect(found.isEmpty, "a request that is wholly offered looks for nothing, and others' are left alone")

      try await worth(market, startup, 70)
      #expect(try await market.items().count == items.count, "each waits once")
      // Of another startup the same listing waits too, where that owes too much.
      _ = try await market.offer(others, limited.listing, quantity: 16)
      try await worth(market, other, 50)
      try await worth(market, other, 40)
      let waiting = try await market.items().filter { $0.finding.subject == limited.listing.id.value }
      #expect(Set(waiting.map(\.finding.borrowerID)) == [startup.id, other.id])
      // Decided on, it is opened again by the next fall; the threshold of the request was missed before.
      let mine = try #require(waiting.first { $0.finding.borrowerID == startup.id })
      _ = try await market.run(
        ResolveComplianceItem(itemID: mine.id, resolution: .hold, note: "looked at", ifVersion: nil),
        by: Marketplace.staff())
      try await worth(market, startup, 60)
      let again = try await market.items().filter { $0.finding.key == mine.finding.key }
      #expect(again.map { Array($0.finding.rules.dropFirst(3)) } == [[limit]])
      #expect(try await market.lawBreaches() == [])
    }
  }

  @Test("freeze an offer whose terms are all met, and unwind one whose lender takes no debtor of the grade it now has")
  func grades() async throws {
    try await Marketplace.with { market in
      try await market.mark()
      let startup = try await market.startup()
      let graded = try await listing(
        market, .init(creditGrades: ["A"], jurisdictions: [startup.organization.jurisdiction]))
      let request = try await request(market, startup)
      let offer = try await market.offer(request, graded.listing, quantity: 16)
      try await worth(market, startup, 200)
      try await worth(market, startup, 190)
      let frozen = try #require(try await market.items().first { $0.finding.kind == .offer })
      #expect(frozen.finding.subject == offer.id.value && frozen.finding.suggestion == .freeze)
      #expect(frozen.finding.rules.count == 3)
      #expect(try await market.items().allSatisfy { $0.finding.kind != .listing })
      try await settle(market)
      _ = try await market.run(
        DecideVerification(
          organizationID: startup.id, act: .verify(evidence: "register", expiresOn: nil, creditGrade: "B"),
          ifVersion: nil), by: Marketplace.staff())
      try await worth(market, startup, 180)
      let items = try await market.items()
      #expect(items.map(\.finding.kind.rawValue).sorted() == ["listing", "loan_request", "offer"])
      for item in items where item.finding.kind != .loanRequest {
        #expect(Array(item.finding.rules.dropFirst(3)) == ["eligibility.credit_grade"])
        #expect(item.finding.suggestion == (item.finding.kind == .offer ? .unwind : .hold))
      }
      // An offer that nobody can take any more is left alone.
      market.clock.advance(days: 30)
      try await worth(market, startup, 170)
      #expect(try await market.items().count == items.count)
    }
  }

  @Test(
    "test a lender's limit over loans and offers of other currencies at the day's rate, and without one say nothing of it"
  )
  func currencies() async throws {
    try await Marketplace.with { market in
      try await market.mark()
      let startup = try await market.startup()
      let lender = try await market.lender()
      func lent(_ limit: Money) async throws -> (Listing, Offer) {
        let lot = try await market.lot(of: lender, quantity: 16)
        var terms = market.listingCommand(of: lot, quantity: 16).terms
        terms.eligibility.maxExposure = limit
        let listing = try await market.run(CreateListing(terms: terms, lenderID: lender.id), by: lender.principal)
        return (listing, try await market.offer(market.request(of: startup), listing, quantity: 16))
      }
      func accept(_ offer: Offer) async throws {
        _ = try await market.run(AcceptOffer(offerID: offer.id, ifVersion: nil), by: startup.principal)
      }
      try await accept(lent(Money(100_000_000, .usd)).1)
      market.clock.advance(seconds: 1)
      _ = try await market.mark(
        RecordValuation(
          subject: .chipModel(Marketplace.plainChip()), method: .marketQuote, amount: Money(7_000_000, .cny),
          basis: .perChip, effectiveOn: market.today, source: "quote", supersedes: nil))
      // 14,400,000 cents and 100,800,000 fen, which at 7.0000 are just the limit.
      try await market.rate("7.0000")
      let (listing, offer) = try await lent(Money(201_600_000, .cny))
      func lost(_ amount: Int64) async throws -> [String: [String]] {
        try await settle(market)
        try await worth(market, startup, amount)
        let found = try await market.items().map(\.finding).filter { $0.kind == .listing || $0.kind == .offer }
        return Dictionary(
          uniqueKeysWithValues: found.map { ("\($0.kind) \($0.subject)", Array($0.rules.dropFirst(3))) })
      }
      let (ofOffer, ofListing) = ("offer \(offer.id.value)", "listing \(listing.id.value)")
      try await worth(market, startup, 200)
      #expect(try await lost(190) == [ofOffer: []])
      market.clock.advance(days: 1)
      try await market.rate("7.1000")
      let limit = ["eligibility.max_exposure"]
      #expect(try await lost(180) == [ofOffer: limit, ofListing: limit])
      try await accept(offer)
      #expect(try await lost(170) == [ofListing: limit])
      market.clock.advance(days: 8)
      #expect(try await lost(160).isEmpty)
      #expect(try await market.items().map(\.finding.kind) == [.loan, .loan])
    }
  }

  @Test("a rule pack that is switched on is put to offers that nobody has answered too")
  func rulePack() async throws {
    try await Marketplace.with { market in
      try await market.mark()
      let startup = try await market.startup()
      let lent = try await listing(market)
      let asked = try await market.request(of: startup)
      // The request is wholly offered: it looks for nothing any more.
      let offer = try await market.offer(asked, lent.listing, quantity: 16)
      let answered = try await market.offer(request(market, startup), lent.listing, quantity: 16)
      _ = try await market.run(
        EndOffer(offerID: answered.id, outcome: .declined, ifVersion: nil), by: startup.principal)

      let rule = """
        {"id":"test-a100-at-home","valid_from":"\(market.today)","certainty":"P",
        "applies":{"chips":["\(try Marketplace.plainChip())"],"destinations":["US"]},"effect":"hold_licence",
        "review":"presumption_of_denial","binds":"all","source":"a test","approval":{"by":"a test","on":"2026-06-01"}},
        """
      let seed = String(decoding: Schema.exportRules, as: UTF8.self)
      let opening = "\"licence\": ["
      let parts = seed.split(separator: opening, omittingEmptySubsequences: false)
      try #require(parts.count == 2)
      let pack = Array("\(parts[0])\(opening)\(rule)\(parts[1])".utf8)
      let meaning = try LoadRulePack.Meaning(.exportRules, parsing: pack, reference: market.reference.current)
      let loaded = try await market.run(
        LoadRulePack(content: pack, meaning: meaning, source: "a test"), by: Marketplace.staff())
      _ = try await market.run(
        DecideRulePack(packID: loaded.pack.id, act: .switchOn, ifVersion: nil), by: Marketplace.staff(2))
      try await market.worker(shardWeight: RunPlanner.usualShardWeight).workToEnd()
      let found = try await market.items().filter { $0.finding.kind == .offer }
      let item = try #require(found.first)
      #expect(found.count == 1 && item.finding.subject == offer.id.value && item.finding.quantity == 16)
      #expect(item.finding.rules.first == "test-a100-at-home" && item.finding.suggestion == .hold)
      #expect(item.finding.borrowerID == startup.id && item.finding.lenderID == lent.lender.id)
      #expect(item.runID != nil && item.finding.since == market.today)
      #expect(try await market.open(startup).offers.contains { $0.id == offer.id && $0.state == .pending })
    }
  }

  @Test("the database lets a request alone name no chip model, and a subject wait once for each startup")
  func constraints() async throws {
    try await Marketplace.with { market in
      let startup = try await market.startup()
      func insert(_ kind: ComplianceItem.SubjectKind, _ number: UInt64, chip: ChipModelID?, quantity: Int64?) async
        -> String?
      {
        let finding = ComplianceItem.Finding(
          kind: kind, subject: UUIDValue(high: 7, low: number), borrowerID: kind == .organization ? nil : startup.id,
          lenderID: nil, chipModelID: chip, quantity: quantity, on: market.today, effect: .holdReview, rules: [],
          since: nil, suggestion: .hold)
        let item = ComplianceItem(
          id: ComplianceItemID(UUIDValue(high: market.clock.randomBits().0, low: number)), finding: finding, runID: nil,
          createdAt: market.clock.now(),
          updatedAt: market.clock.now())
        do {
          _ = try await market.database.withConnection {
            try await $0.run(Tables.complianceItems.inserting([item]), deadline: soon())
          }
          return nil
        } catch { return (error as? PostgresError)?.constraint ?? "\(error)" }
      }
      let chip = try Marketplace.plainChip()
      #expect(await insert(.loanRequest, 1, chip: nil, quantity: 8) == nil)
      #expect(await insert(.loanRequest, 2, chip: nil, quantity: nil) == "compliance_items_chips")
      for kind in [ComplianceItem.SubjectKind.loan, .offer, .listing] {
        #expect(await insert(kind, 3, chip: nil, quantity: 8) == "compliance_items_chips", "\(kind)")
      }
      #expect(await insert(.organization, 4, chip: chip, quantity: nil) == "compliance_items_chips")
      #expect(await insert(.organization, 4, chip: nil, quantity: nil) == nil)
      #expect(await insert(.organization, 4, chip: nil, quantity: nil) == "compliance_items_one_open")
      #expect(await insert(.offer, 5, chip: chip, quantity: 8) == nil)
      #expect(await insert(.offer, 5, chip: chip, quantity: 8) == "compliance_items_one_open")
    }
  }
}

/// What a startup has open, whole.
private struct OpenOrders: Equatable {
  let loans: [Loan]
  let requests: [LoanRequest]
  let offers: [Offer]
  let listings: [Listing]
}

extension Marketplace {
  /// What waits for a person, in the order in which it was found.
  func items() async throws -> [ComplianceItem] {
    let query = Query(
      Statement(
        "test_open_items", Tables.complianceItems.selectList + "where state = 'open' order by created_at, id",
        columns: Tables.complianceItems.types))
    return try await database.withConnection {
      try Tables.complianceItems.decode(await $0.run(query, deadline: soon()))
    }
  }

  fileprivate func open(_ startup: Party) async throws -> OpenOrders {
    func all<Row>(_ table: Table<Row>, _ name: StaticString, _ filter: SQL) -> Query {
      Query(
        Statement(name, table.selectList + filter, parameters: [.uuid], columns: table.types),
        [.uuid(startup.id.value.bits)])
    }
    let queries = [
      all(Tables.loans, "test_loans_of", "where borrower_id = $1 order by id"),
      all(Tables.loanRequests, "test_requests_of", "where borrower_id = $1 order by id"),
      all(Tables.offers, "test_offers_of", "where borrower_id = $1 order by id"),
      all(
        Tables.listings, "test_listings_of",
        "where id in (select listing_id from offers where borrower_id = $1) order by id"),
    ]
    return try await database.withConnection { connection in
      let results = try await connection.pipeline(queries, deadline: soon())
      return OpenOrders(
        loans: try Tables.loans.decode(results[0]), requests: try Tables.loanRequests.decode(results[1]),
        offers: try Tables.offers.decode(results[2]), listings: try Tables.listings.decode(results[3]))
    }
  }
}
