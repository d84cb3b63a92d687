import BankFiles
import Catalogue
import DomainFixtures
import Lending
import Operations
import Parties
import Persistence
import Postgres
import Primitives
import Reconciliation
import Repayment
import SchemaFixtures
import Testing
import Valuation

@testable import Settlement

/// A startup with two loans of sixteen chips, a quarter of a round's cash to be swept on each: 144,000.00 USD from one
/// lender and 1,008,000.00 CNY from another, which at 7.0000 is the same.
private struct BorrowedAbroad {
  let startup: Party
  let home: LoanID
  let abroad: LoanID
}

extension Marketplace {
  fileprivate func borrowAbroad() async throws -> BorrowedAbroad {
    let borrowed = try await borrow(from: 1)
    // The later recorded of two marks of one day is taken.
    clock.advance(seconds: 1)
    _ = try await mark(
      RecordValuation(
        subject: .chipModel(Self.plainChip()), method: .marketQuote, amount: Money(7_000_000, .cny), basis: .perChip,
        effectiveOn: today, source: "quote in Shanghai", supersedes: nil))
    let id = try await lend(from: lender("Lender abroad"), to: borrowed.startup)
    return BorrowedAbroad(startup: borrowed.startup, home: borrowed.loans[0], abroad: id)
  }

  private func lend(from lender: Party, to startup: Party) async throws -> LoanID {
    let listing = try await listing(of: lot(of: lender, quantity: 16), by: lender, quantity: 16)
    let offer = try await offer(request(of: startup), listing, quantity: 16)
    let id = try #require(try await run(AcceptOffer(offerID: offer.id, ifVersion: nil), by: startup.principal).loanID)
    let delivery = RecordDelivery(loanID: id, quantity: nil, occurredOn: today, ifVersion: nil)
    _ = try await run(delivery, by: lender.principal)
    _ = try await run(delivery, by: startup.principal)
    return id
  }

  fileprivate func proposal(
    _ price: String, on date: CalendarDate? = nil, supersedes: FXRateID? = nil
  ) throws -> ProposeFXRates {
    ProposeFXRates([
      .init(
        rate: try FXRate(base: .usd, quote: .cny, price: price, on: date ?? today, source: "CFETS"),
        supersedes: supersedes)
    ])
  }

  /// A rate of today that two persons have seen.
  @discardableResult
  func rate(
    _ price: String, on date: CalendarDate? = nil, supersedes: FXRateID? = nil
  ) async throws -> RecordedFXRate {
    let proposed = try await run(proposal(price, on: date, supersedes: supersedes), by: Self.staff())
    let approved = try await run(
      DecideFXRates(ids: proposed.map(\.id), decision: .approve), by: Self.staff(2))
    return try #require(approved.first)
  }

  fileprivate func receive(_ money: Money, from startup: Party) async throws -> RecordCashReceipt.Received {
    try await run(
      RecordCashReceipt(receivedOn: today, amount: money, source: .round, payerID: startup.id, reference: nil),
      by: Self.staff())
  }

  /// The rates that a preview of today is given.
  fileprivate func bookAbroad(of startup: Party) async throws -> SweepDesk.Book {
    let binds: [Bind] = [.uuid(nil), .uuid(startup.id.value.bits)]
    return try await database.withConnection { connection in
      func rows(_ statement: Statement) async throws -> ResultSet {
        try await connection.run(Query(statement, binds), deadline: soon())
      }
      let loans = try Tables.loans.decode(await rows(Details.loansOfStartup))
      let closings = try Tables.fundingClosings.decode(await rows(Details.closingsOfStartup))
      let spans = FXDesk.spans(
        loans: loans, cash: Set(closings.map(\.netNewCash.currency)), days: closings.map(\.closedOn) + [today])
      let rates = try Tables.fxRates.decode(await connection.run(FXSQL.querying(spans), deadline: soon()))
      return SweepDesk.Book(
        loans: loans, rounds: try Tables.fundingRounds.decode(await rows(Details.roundsOfStartup)), closings: closings,
        waterfalls: [], rates: try FXTable(rates.map(\.rate), maxStalenessDays: 5), today: today)
    }
  }
}

@Suite("Rounds in several currencies", .timeLimit(.minutes(5)))
struct CurrencyTests {
  @Test("without a rate nothing is swept: the startup waits on the run's list with the reason, and a rate frees it")
  func parked() async throws {
    try await Marketplace.with { market in
      let borrowed = try await market.borrowAbroad()
      let reported = try await market.report([8_000_000], by: borrowed.startup)
      try await market.verify(reported.round)
      let book = try await market.bookAbroad(of: borrowed.startup)
      #expect(throws: RepaymentRefusal.noFXRate(from: .cny, to: .usd, on: market.today, lastKnown: nil)) {
        try book.preview(of: reported.round)
      }
      let failed = try await market.settle(.sweep)
      #expect(failed.state == .failed)
      let dead = try await market.deadShards(failed.id)
      #expect(dead.map(\.subjects) == [[borrowed.startup.id.value]])
      #expect(dead.first?.error == "repayment.no_rate: There is no rate from CNY to USD for \(market.today).")
      #expect(try await market.loan(borrowed.home).due == nil)

      // A rate that nobody else has seen is none.
      let proposed = try await market.run(market.proposal("7.0000"), by: Marketplace.staff())
      _ = try await market.run(
        ActOnSettlementRun(runID: failed.id, act: .resume, ifVersion: nil), by: Marketplace.staff())
      try await market.worker(shardWeight: RunPlanner.usualShardWeight).workToEnd()
      #expect(try await market.run(failed.id).state == .failed)
      _ = try await market.run(
        DecideFXRates(ids: proposed.map(\.id), decision: .approve), by: Marketplace.staff(2))
      _ = try await market.run(
        ActOnSettlementRun(runID: failed.id, act: .resume, ifVersion: nil), by: Marketplace.staff())
      try await market.worker(shardWeight: RunPlanner.usualShardWeight).workToEnd()
      let done = try await market.run(failed.id)
      #expect(done.state == .succeeded)
      // A quarter of the cash, half each: in each loan's own currency.
      #expect(try done.sums["due.USD"] == 1_000_000)
      #expect(try done.sums["due.CNY"] == 7_000_000)
      #expect(try await market.loan(borrowed.home).due?.amount == 1_000_000)
      #expect(try await market.loan(borrowed.abroad).due?.amount == 7_000_000)
      let broken = try await market.lawBreaches()
      #expect(broken == [])
    }
  }

  @Test("the preview is the sweep, its record names the rate with day and source, and a forged rate is found")
  func record() async throws {
    try await Marketplace.with { market in
      let borrowed = try await market.borrowAbroad()
      market.clock.advance(days: 3)
      // That of the day before: a weekend has none.
      let before = try #require(market.today.adding(days: -1))
      try await market.rate("7.1234", on: before)
      let reported = try await market.report([8_000_001], by: borrowed.startup)
      let preview = try await market.bookAbroad(of: borrowed.startup).preview(of: reported.round)
      try await market.verify(reported.round)
      let swept = try await market.run(
        SweepBorrower(borrowerID: borrowed.startup.id, on: market.today), by: .automation)
      #expect(
        swept.flatMap(\.lines).map { Money($0.amount, $0.currency) } == preview.loans.map { Money($0.due, $0.currency) }
      )
      let row = try #require(try await market.records(of: reported.closings[0].id.value).first)
      let record = try SweepExplanation(canonicalBytes: row.bytes)
      #expect(record.isReproduced)
      #expect(record.dues == preview.steps[0].sweep.dues)
      #expect(record.ratesUsed.map(\.description) == ["USD/CNY 7.1234 on \(before) (CFETS)"])
      #expect(record.dues.lines.reduce(0) { $0 + $1.amount } == record.dues.pool)
      #expect(try await market.lawBreaches() == [])
      // What the preview would spend pays all of it, in two currencies.
      #expect(preview.spent <= 2_000_000)
      try await market.execute(Forge.price)
      let broken = try await market.lawBreaches()
      #expect(broken.contains { $0.contains("was never in use") }, "\(broken)")
    }
  }

  @Test("money of another currency stays on account, and is turned only as two persons say and near the day's rate")
  func conversion() async throws {
    try await Marketplace.with { market in
      let borrowed = try await market.borrowAbroad()
      try await market.rate("7.0000")
      let reported = try await market.report([8_000_000], by: borrowed.startup)
      try await market.verify(reported.round)
      _ = try await market.run(SweepBorrower(borrowerID: borrowed.startup.id, on: market.today), by: .automation)
      let received = try await market.receive(Money(2_500_000, .usd), from: borrowed.startup)
      #expect(received.allocations.map(\.loanID) == [borrowed.home])
      #expect(received.receipt.remainder == 1_500_000)
      #expect(received.receipt.remainderReason == .otherCurrency)

      func convert(_ amount: Money, _ into: Money) -> ProposeConversion {
        ProposeConversion(
          receiptID: received.receipt.id, amount: amount, into: into, convertedOn: market.today, evidence: "advice 1")
      }
      for (command, code) in [
        (convert(Money(1_500_001, .usd), Money(10_500_000, .cny)), "conversion.more_than_left"),
        (convert(Money(1, .cny), Money(1, .usd)), "conversion.other_currency"),
        (convert(Money(1, .usd), Money(1, .usd)), "conversion.same_currency"),
        (convert(Money(1_000_000, .usd), Money(7_300_000, .cny)), "conversion.rate_too_far"),
        (convert(Money(1_000_000, .usd), Money(900_000, try #require(Currency("EUR")))), "repayment.no_rate"),
      ] { #expect(try await market.submit(command, by: Marketplace.staff()).refusalCode == code) }
      let command = convert(Money(1_000_000, .usd), Money(6_990_000, .cny))
      #expect(try await market.submit(command, by: borrowed.startup.principal).refusalCode == "parties.role_required")
      let stated = try await market.run(command, by: Marketplace.staff())
      #expect(stated.marketRate == "USD/CNY 7.0000 on \(market.today) (CFETS)")
      let second = try await market.run(command, by: Marketplace.staff())
      let approve = DecideConversion(conversionID: stated.id, decision: .approve, ifVersion: nil)
      #expect(try await market.submit(approve, by: Marketplace.staff()).refusalCode == "parties.same_person")
      let booked = try await market.run(approve, by: Marketplace.staff(2))
      #expect(booked.received?.allocations.map(\.loanID) == [borrowed.abroad])
      #expect(booked.received?.receipt.amount == Money(6_990_000, .cny))
      #expect(try await market.loan(borrowed.abroad).due?.amount == 10_000)
      // The other one finds too little left, and is turned down.
      let late = DecideConversion(conversionID: second.id, decision: .approve, ifVersion: nil)
      #expect(try await market.submit(late, by: Marketplace.staff(2)).refusalCode == "conversion.more_than_left")
      let rejected = try await market.run(
        DecideConversion(conversionID: second.id, decision: .reject(reason: "stated twice"), ifVersion: nil),
        by: Marketplace.staff(2))
      #expect(rejected.conversion.state == .rejected)
      #expect(try await market.submit(approve, by: Marketplace.staff(2)).refusalCode == "conversion.illegal_state")
      // The bank shows both movements under the conversion's reference, and the startup's money under its own.
      let reference = EndToEndReference.of(stated.id)
      let home = BankSheet(
        name: "D1", on: market.today,
        lines: [.init(2_500_000, received.receipt.id.description), .init(-1_000_000, reference)])
      let abroad = BankSheet(
        name: "Y1", on: market.today, lines: [.init(6_990_000, reference)], currency: "CNY", account: "CLIENTS-CNY")
      let taken = try await market.take(home, abroad)
      #expect(taken.matched == 3)
      #expect(taken.breaks == [])
      #expect(taken.reviews.flatMap(\.drifts).allSatisfy { $0.drift == 0 })
      let broken = try await market.lawBreaches()
      #expect(broken == [])
      try await market.execute(Forge.conversion)
      let found = try await market.lawBreaches()
      #expect(found.contains { $0.contains("the receipt is of") }, "\(found)")
    }
  }

  @Test("a closing cut after its sweep takes back at the rate of its sweep, whatever was corrected since")
  func correction() async throws {
    try await Marketplace.with { market in
      let borrowed = try await market.borrowAbroad()
      let wrong = try await market.rate("7.0000")
      let reported = try await market.report([8_000_000], by: borrowed.startup)
      try await market.verify(reported.round)
      _ = try await market.run(SweepBorrower(borrowerID: borrowed.startup.id, on: market.today), by: .automation)
      try await market.rate("6.0000", supersedes: wrong.id)
      let cut = try await market.run(
        CorrectFundingRound(
          roundID: reported.round.id, closingID: reported.closings[0].id, netNewCash: Money(4_000_000, .usd),
          reason: "the investor paid less", ifVersion: nil), by: Marketplace.staff())
      let withdrawn = Dictionary(uniqueKeysWithValues: cut.lines.map { ($0.loanID, $0.withdrawn) })
      #expect(withdrawn == [borrowed.home: Money(500_000, .usd), borrowed.abroad: Money(3_500_000, .cny)])
      #expect(try await market.loan(borrowed.abroad).due?.amount == 3_500_000)
      let broken = try await market.lawBreaches()
      #expect(broken == [])
    }
  }

  @Test("a covenant in another currency than the round is measured in its own")
  func covenant() async throws {
    try await Marketplace.with { market in
      let borrowed = try await market.borrowAbroad()
      try await market.rate("7.0000")
      let report = ReportFundingRound.Report(
        kind: .priced, name: "A, in yuan", announcedOn: market.today, currency: .cny, amount: nil, preMoney: nil,
        postMoney: nil, acquirer: nil, evidence: nil, closings: [(closedOn: market.today, netNewCash: 56_000_000)])
      let reported = try await market.run(ReportFundingRound(report: report), by: borrowed.startup.principal)
      try await market.verify(reported.round)
      let swept = try await market.run(
        SweepBorrower(borrowerID: borrowed.startup.id, on: market.today), by: .automation)
      let amounts = Dictionary(
        uniqueKeysWithValues: swept.flatMap(\.lines).map { ($0.loanID, Money($0.amount, $0.currency)) })
      #expect(amounts == [borrowed.home: Money(1_000_000, .usd), borrowed.abroad: Money(7_000_000, .cny)])
      let broken = try await market.lawBreaches()
      #expect(broken == [])
    }
  }

  @Test(
    "a lender's limit for one startup counts loans of other currencies at today's rate, and without one lends no more")
  func exposure() async throws {
    try await Marketplace.with { market in
      let startup = try await market.startup()
      let lender = try await market.lender()
      try await market.mark()
      func listing(limit: Money) async throws -> Listing {
        let lot = try await market.lot(of: lender, quantity: 16)
        let command = CreateListing(
          terms: CreateListing.Terms(
            lotID: lot.id, quantity: 16, askRate: BasisPoints(900), minTermDays: 30, maxTermDays: 720,
            minQuantity: nil, legalForm: .leasePurchaseOption, deliveryModes: [.physical],
            advanceRate: BasisPoints(9_000), repaymentPatterns: [.roundSweep], recallNoticeDays: nil,
            eligibility: Listing.Eligibility(maxExposure: limit), validUntil: nil,
            returnCredit: .proRataOutstanding), lenderID: lender.id)
        return try await market.run(command, by: lender.principal)
      }
      let first = try await market.offer(
        market.request(of: startup), listing(limit: Money(14_400_000, .usd)), quantity: 16)
      _ = try await market.run(AcceptOffer(offerID: first.id, ifVersion: nil), by: startup.principal)
      market.clock.advance(seconds: 1)
      _ = try await market.mark(
        RecordValuation(
          subject: .chipModel(Marketplace.plainChip()), method: .marketQuote, amount: Money(7_000_000, .cny),
          basis: .perChip, effectiveOn: market.today, source: "quote", supersedes: nil))
      // 100,800,000 fen each at 7.0000.
      let request = try await market.request(of: startup)
      let tight = try await market.offerCommand(
        request.id, listing(limit: Money(201_599_999, .cny)).id, quantity: 16)
      let wide = try await market.offerCommand(request.id, listing(limit: Money(201_600_000, .cny)).id, quantity: 16)
      #expect(try await market.submit(wide, by: .automation).refusalCode == "repayment.no_rate")
      try await market.rate("7.0000")
      #expect(try await market.submit(tight, by: .automation).refusalCode == "lending.stale_order")
      _ = try await market.run(wide, by: .automation)
    }
  }
}

@Suite("Rates between currencies", .timeLimit(.minutes(5)))
struct FXRateCommandTests {
  @Test("a rate is used on a second person's word, and corrected by one that names it; each answer stays what it was")
  func life() async throws {
    try await Marketplace.with { market in
      let proposed = try await market.run(market.proposal("7.1000"), by: Marketplace.staff())
      let id = proposed[0].id
      let approve = DecideFXRates(ids: [id], decision: .approve)
      #expect(try await market.submit(approve, by: Marketplace.staff()).refusalCode == "parties.same_person")
      let startup = try await market.startup()
      #expect(try await market.submit(approve, by: startup.principal).refusalCode == "parties.role_required")
      _ = try await market.run(approve, by: Marketplace.staff(2))
      #expect(try await market.submit(approve, by: Marketplace.staff(2)).refusalCode == "fx.rate_exists")
      #expect(try await market.submit(market.proposal("7.2"), by: Marketplace.staff()).refusalCode == "fx.rate_exists")
      let other = try await market.run(
        ProposeFXRates([
          .init(
            rate: try FXRate(
              base: .cny, quote: .usd, price: "0.14", on: #require(market.today.adding(days: -1)), source: "x"))
        ]), by: Marketplace.staff())
      for (wrong, code) in [
        (other[0].id, "fx.supersedes_another"), (FXRateID(UUIDValue(high: 1, low: 1)), "fx.superseded_unknown"),
      ] {
        let refused = try await market.submit(market.proposal("7.2", supersedes: wrong), by: Marketplace.staff())
        #expect(refused.refusalCode == code)
      }
      let tomorrow = try #require(market.today.adding(days: 1))
      #expect(
        try await market.submit(market.proposal("7.2", on: tomorrow), by: Marketplace.staff()).refusalCode
          == "fx.rate_ahead")
      // Two corrections of one rate: whoever is approved first stands, the other is of a rate that is not in use any more.
      let corrections = try await [
        market.run(market.proposal("7.2", supersedes: id), by: Marketplace.staff()),
        market.run(market.proposal("7.3", supersedes: id), by: Marketplace.staff()),
      ].map { $0[0].id }
      market.clock.advance(days: 1)
      let both = try await market.submit(
        DecideFXRates(ids: corrections, decision: .approve), by: Marketplace.staff(2))
      #expect(both.refusalCode == "fx.illegal_state")
      _ = try await market.run(DecideFXRates(ids: [corrections[1]], decision: .approve), by: Marketplace.staff(2))
      _ = try await market.run(
        DecideFXRates(ids: [corrections[0]], decision: .reject(reason: "a slip")), by: Marketplace.staff(2))
      let rows = try await market.database.withConnection { connection in
        try Tables.fxRates.decode(
          await connection.run(Tables.fxRates.rows(by: [id.value] + corrections.map(\.value)), deadline: soon()))
      }
      let states = Dictionary(uniqueKeysWithValues: rows.map { ($0.id, $0.state) })
      #expect(states == [id: .superseded, corrections[0]: .rejected, corrections[1]: .approved])
      let broken = try await market.lawBreaches()
      #expect(broken == [])
    }
  }

  @Test("a file is taken whole or not at all, and approved at once")
  func files() async throws {
    try await Marketplace.with { market in
      let lines = (0..<30).map { "USD,CNY,2026-05-\($0 < 9 ? "0" : "")\($0 + 1),7.\(1_000 + $0),CFETS" }
      let rates = try FXRate.rates(fromCSV: Array((["base,quote,on,rate,source"] + lines).joined(separator: "\n").utf8))
      let proposed = try await market.run(ProposeFXRates(rates.map { .init(rate: $0) }), by: Marketplace.staff())
      #expect(proposed.count == 30)
      let shown = try await market.submit(
        DecideFXRates(ids: proposed.map(\.id), decision: .approve), by: Marketplace.staff(2), validateOnly: true)
      #expect(try shown.get().allSatisfy { $0.state == .approved })
      _ = try await market.run(DecideFXRates(ids: proposed.map(\.id), decision: .approve), by: Marketplace.staff(2))
      let twice = DecideFXRates(ids: [proposed[0].id, proposed[0].id], decision: .reject(reason: "x"))
      #expect(try await market.submit(twice, by: Marketplace.staff(2)).refusalCode == "fx.illegal_state")
      // One that stands already refuses all of them.
      let again = ProposeFXRates(
        [try FXRate(base: .usd, quote: .cny, price: "7", on: market.today, source: "x"), rates[3]].map {
          .init(rate: $0)
        })
      #expect(try await market.submit(again, by: Marketplace.staff()).refusalCode == "fx.rate_exists")
      #expect(try await market.number(Forge.rates) == 30)
      let broken = try await market.lawBreaches()
      #expect(broken == [])
    }
  }
}

private enum Forge {
  static let price = Statement("test_forge_rate", "update fx_rates set mantissa = mantissa + 1")
  static let conversion = Statement(
    "test_forge_conversion", "update cash_conversions set into_amount = into_amount + 1 where state = 'approved'")
  static let rates = Statement("test_fx_rates", "select count(*) from fx_rates", columns: [.int8])
}
