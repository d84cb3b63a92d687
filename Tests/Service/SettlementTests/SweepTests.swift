import DomainFixtures
import Lending
import Operations
import Parties
import Persistence
import Postgres
import Primitives
import Repayment
import SchemaFixtures
import Testing

@testable import Settlement

/// A startup with a loan of sixteen chips from each of several lenders: 14,400,000 minor units each, a quarter of a
/// round's cash to be swept, 4,000 a day.
struct Borrowed: Sendable {
  let startup: Party
  let lenders: [Party]
  let loans: [LoanID]
}

extension Marketplace {
  func borrow(from count: Int) async throws -> Borrowed {
    try await mark()
    let startup = try await startup()
    var (lenders, loans): ([Party], [LoanID]) = ([], [])
    for number in 0..<count {
      let lender = try await lender("Lender \(number)")
      let listing = try await listing(of: lot(of: lender, quantity: 16), by: lender, quantity: 16)
      let offer = try await offer(request(of: startup), listing, quantity: 16)
      let id = try #require(
        try await run(AcceptOffer(offerID: offer.id, ifVersion: nil), by: startup.principal).loanID)
      let delivery = RecordDelivery(loanID: id, quantity: nil, occurredOn: today, ifVersion: nil)
      _ = try await run(delivery, by: lender.principal)
      _ = try await run(delivery, by: startup.principal)
      lenders.append(lender)
      loans.append(id)
    }
    return Borrowed(startup: startup, lenders: lenders, loans: loans)
  }

  /// Reports a round of closings today.
  func report(_ cash: [Int64], by startup: Party) async throws -> ReportFundingRound.Reported {
    let report = ReportFundingRound.Report(
      kind: .priced, name: "Series A", announcedOn: today, currency: .usd, amount: nil, preMoney: nil, postMoney: nil,
      acquirer: nil, evidence: nil, closings: cash.map { (closedOn: today, netNewCash: $0) })
    return try await run(ReportFundingRound(report: report), by: startup.principal)
  }

  @discardableResult
  func verify(_ round: FundingRound) async throws -> FundingRound {
    try await run(
      DecideFundingRound(roundID: round.id, decision: .verify(evidence: "filing"), ifVersion: nil), by: Self.staff()
    ).round
  }

  func sweepBook(of startup: Party) async throws -> SweepDesk.Book {
    let binds: [Bind] = [.uuid(nil), .uuid(startup.id.value.bits)]
    return try await database.withConnection { connection in
      func rows(_ statement: Statement) async throws -> ResultSet {
        try await connection.run(Query(statement, binds), deadline: soon())
      }
      return SweepDesk.Book(
        loans: try Tables.loans.decode(await rows(Details.loansOfStartup)),
        rounds: try Tables.fundingRounds.decode(await rows(Details.roundsOfStartup)),
        closings: try Tables.fundingClosings.decode(await rows(Details.closingsOfStartup)),
        waterfalls: try Tables.startupWaterfalls.decode(await rows(Details.waterfallsOfStartup)), today: today)
    }
  }

  func records(of subject: UUIDValue) async throws -> [ExplanationRow] {
    try await database.withConnection { connection in
      try Tables.repaymentExplanations.decode(
        await connection.run(Tables.repaymentExplanations.rows(by: [subject]), deadline: soon()))
    }
  }
}

@Suite("Sweeps of rounds", .timeLimit(.minutes(5)))
struct SweepTests {
  @Test("what a round's preview shows is what its sweep and the startup's money then do, by loan and step")
  func preview() async throws {
    try await Marketplace.with { market in
      let borrowed = try await market.borrow(from: 3)
      market.clock.advance(days: 20)
      let reported = try await market.report([30_000_001], by: borrowed.startup)
      let preview = try await market.sweepBook(of: borrowed.startup).preview(of: reported.round)
      // A quarter of the cash, rounded down, in three equal parts; the odd cents go by loan id.
      #expect(preview.loans.map(\.due) == [2_500_000, 2_500_000, 2_500_000])
      #expect(preview.loans.map(\.before.fee) == [80_000, 80_000, 80_000])
      #expect(preview.spent == 7_500_000)
      #expect(preview.netCash == 22_500_001)

      let verified = try await market.verify(reported.round)
      let swept = try await market.run(
        SweepBorrower(borrowerID: borrowed.startup.id, on: market.today), by: .automation)
      #expect(swept.flatMap(\.lines).map(\.amount) == preview.loans.map(\.due))
      let paid = try await market.run(
        RecordCashReceipt(
          receivedOn: market.today, amount: Money(preview.spent, .usd), source: .round, payerID: borrowed.startup.id,
          reference: nil), by: Marketplace.staff())
      #expect(paid.receipt.remainder == 0)
      for outcome in preview.loans {
        for step in WaterfallStep.allCases {
          let rows = paid.allocations.filter { $0.loanID == outcome.loanID && $0.step == step.rawValue }
          #expect(rows.reduce(0) { $0 + $1.amount.amount } == outcome.paid[step])
        }
        let loan = try await market.loan(outcome.loanID)
        let after = StepAmounts(
          charges: loan.outstanding.charges, fee: loan.outstanding.fee, principal: loan.outstanding.principal)
        #expect(after == outcome.after)
      }

      // Both left their records, and the record of the sweep is the preview's but for the ids.
      let sweep = try #require(try await market.records(of: reported.closings[0].id.value).first)
      let record = try SweepExplanation(canonicalBytes: sweep.bytes)
      #expect(record.isReproduced)
      #expect(record.digest == sweep.digest)
      #expect(record.dues == preview.steps[0].sweep.dues)
      let division = try #require(try await market.records(of: paid.receipt.id.value).first)
      let divided = try AllocationExplanation(canonicalBytes: division.bytes)
      #expect(divided.allocation == preview.steps[0].payments[0].allocation)
      #expect(divided.sentences.count == paid.allocations.count)
      let broken = try await market.lawBreaches()
      #expect(broken == [])
      // Nothing is left to sweep.
      let later = try await market.sweepBook(of: borrowed.startup)
      #expect(throws: RoundRefusal.nothingToSweep("verified")) { try later.preview(of: verified) }
    }
  }

  @Test("closings of one go never make the same debt due twice: a later one finds due what an earlier one made due")
  func severalClosings() async throws {
    try await Marketplace.with { market in
      let borrowed = try await market.borrow(from: 2)
      let reported = try await market.report([8_000_000, 400_000_000], by: borrowed.startup)
      try await market.verify(reported.round)
      let swept = try await market.run(
        SweepBorrower(borrowerID: borrowed.startup.id, on: market.today), by: .automation)
      #expect(swept.count == 2)
      // Both close on one day, so that the smaller id goes first; in sum each loan is due exactly once.
      var sums: [LoanID: Int64] = [:]
      for line in swept.flatMap(\.lines) { sums[line.loanID, default: 0] += line.amount }
      #expect(sums.values.sorted() == [14_400_000, 14_400_000])
      for id in borrowed.loans {
        let loan = try await market.loan(id)
        #expect(loan.state == .due)
        #expect(loan.due?.amount ?? 14_400_000 == 14_400_000)
      }
      let again = try await market.run(
        SweepBorrower(borrowerID: borrowed.startup.id, on: market.today), by: .automation)
      #expect(again.isEmpty)
      let broken = try await market.lawBreaches()
      #expect(broken == [])
    }
  }

  @Test("a grid shows each size on each day, its fees accrued to that day at the rates agreed for its days")
  func grid() async throws {
    try await Marketplace.with { market in
      let borrowed = try await market.borrow(from: 1)
      let later = try #require(market.today.adding(days: 10))
      let book = try await market.sweepBook(of: borrowed.startup)
      let question = SweepQuestion(
        kind: .priced, currency: .usd, sizes: [0, 4_000_000, 400_000_000], dates: [market.today, later], preMoney: nil)
      let cells = try book.grid(question).cells
      #expect(cells.map(\.preview.spent) == [0, 0, 1_000_000, 1_000_000, 14_400_000, 14_440_000])
      #expect(cells.map { $0.preview.loans[0].isPaidOff } == [false, false, false, false, true, true])
      #expect(book.isExposed(borrowed.lenders[0].id))
      #expect(!book.isExposed(borrowed.startup.id))
      let tooMany = SweepQuestion(
        kind: .priced, currency: .usd, sizes: Array(repeating: 1, count: 201), dates: [market.today, later],
        preMoney: nil)
      #expect(throws: RepaymentRefusal.gridTooLarge(cells: 402, most: 400)) { try book.grid(tooMany) }
    }
  }
}

@Suite("Rounds that turn out smaller", .timeLimit(.minutes(5)))
struct CorrectionTests {
  private func correct(
    _ reported: ReportFundingRound.Reported, to cash: Int64, of closing: Int = 0
  ) -> CorrectFundingRound {
    CorrectFundingRound(
      roundID: reported.round.id, closingID: reported.closings[closing].id, netNewCash: Money(cash, .usd),
      reason: "the investor paid less", ifVersion: nil)
  }

  @Test("a closing cut before its sweep is swept for what it is")
  func beforeSweep() async throws {
    try await Marketplace.with { market in
      let borrowed = try await market.borrow(from: 2)
      let reported = try await market.report([8_000_000], by: borrowed.startup)
      let early = try await market.submit(correct(reported, to: 1), by: Marketplace.staff())
      #expect(early.refusalCode == "repayment.round_not_verified")
      try await market.verify(reported.round)
      let cut = try await market.run(correct(reported, to: 4_000_000), by: Marketplace.staff())
      #expect(cut.lines.isEmpty)
      #expect(!cut.correction.isAfterSweep)
      #expect(cut.reported.closings.map(\.netNewCash.amount) == [4_000_000])
      let swept = try await market.run(
        SweepBorrower(borrowerID: borrowed.startup.id, on: market.today), by: .automation)
      #expect(swept.flatMap(\.lines).map(\.amount) == [500_000, 500_000])
      let broken = try await market.lawBreaches()
      #expect(broken == [])
    }
  }

  @Test("a closing cut after its sweep withdraws what is not paid, and asks back nothing that is")
  func afterSweep() async throws {
    try await Marketplace.with { market in
      let borrowed = try await market.borrow(from: 2)
      let reported = try await market.report([40_000_000], by: borrowed.startup)
      try await market.verify(reported.round)
      _ = try await market.run(SweepBorrower(borrowerID: borrowed.startup.id, on: market.today), by: .automation)
      // Ten million are due, five on each; six of them are paid.
      try await market.pay(6_000_000, by: borrowed.startup)
      let shown = try await market.submit(
        correct(reported, to: 20_000_000), by: Marketplace.staff(), validateOnly: true)
      #expect(try shown.get().lines.map(\.withdrawn.amount) == [2_000_000, 2_000_000])
      #expect(try await market.loan(borrowed.loans[0]).due?.amount == 2_000_000)

      let cut = try await market.run(correct(reported, to: 20_000_000), by: Marketplace.staff())
      // Two and a half million each are still due of the smaller round; three are paid, so half a million is kept.
      #expect(cut.lines.map(\.withdrawn.amount) == [2_000_000, 2_000_000])
      #expect(cut.lines.map(\.kept.amount) == [500_000, 500_000])
      for id in borrowed.loans {
        let loan = try await market.loan(id)
        #expect(loan.due == nil)
        #expect(loan.state == .active)
        #expect(loan.outstanding.principal == 11_400_000)
      }
      let again = try await market.run(correct(reported, to: 0), by: Marketplace.staff())
      #expect(again.lines.map(\.withdrawn.amount) == [0, 0])
      #expect(again.lines.map(\.kept.amount) == [2_500_000, 2_500_000])
      #expect(try await market.records(of: again.correction.id.value).map(\.kind) == [.correction])
      let broken = try await market.lawBreaches()
      #expect(broken == [])
    }
  }

  @Test("what is due for another reason stays due, and a part that is left stays what it is")
  func partly() async throws {
    try await Marketplace.with { market in
      let borrowed = try await market.borrow(from: 1)
      let reported = try await market.report([40_000_000], by: borrowed.startup)
      try await market.verify(reported.round)
      _ = try await market.run(SweepBorrower(borrowerID: borrowed.startup.id, on: market.today), by: .automation)
      let cut = try await market.run(correct(reported, to: 12_000_000), by: Marketplace.staff())
      #expect(cut.lines.map(\.withdrawn.amount) == [7_000_000])
      #expect(try await market.loan(borrowed.loans[0]).due?.amount == 3_000_000)
      market.clock.advance(days: 200)
      _ = try await market.run(MatureLoans(borrowerID: borrowed.startup.id, on: market.today), by: .automation)
      let late = try await market.run(correct(reported, to: 0), by: Marketplace.staff())
      #expect(late.lines.map(\.withdrawn.amount) == [0])
      #expect(late.lines.map(\.kept.amount) == [3_000_000])
      let loan = try await market.loan(borrowed.loans[0])
      #expect(loan.due?.cause == .maturity)
      #expect(loan.due?.amount == nil)
      let broken = try await market.lawBreaches()
      #expect(broken == [])
    }
  }

  @Test("what was paid on dues and taken back since is not paid: a cut withdraws it")
  func afterClawback() async throws {
    try await Marketplace.with { market in
      let borrowed = try await market.borrow(from: 2)
      let reported = try await market.report([40_000_000], by: borrowed.startup)
      try await market.verify(reported.round)
      _ = try await market.run(SweepBorrower(borrowerID: borrowed.startup.id, on: market.today), by: .automation)
      let receipt = try await market.receive(6_000_000, "WIRE", from: borrowed.startup)
      try await market.takeBack(6_000_000, of: receipt)
      #expect(try await market.loan(borrowed.loans[0]).due?.amount == 5_000_000)
      let cut = try await market.run(correct(reported, to: 0), by: Marketplace.staff())
      #expect(cut.lines.map(\.withdrawn.amount) == [5_000_000, 5_000_000])
      #expect(cut.lines.map(\.kept.amount) == [0, 0])
      let broken = try await market.lawBreaches()
      #expect(broken == [])
    }
  }

  @Test("nobody corrects what he reported, nothing is raised, and a refusal changes nothing")
  func refusals() async throws {
    try await Marketplace.with { market in
      let borrowed = try await market.borrow(from: 1)
      let reported = try await market.report([8_000_000], by: borrowed.startup)
      try await market.verify(reported.round)
      let command = correct(reported, to: 1)
      #expect(try await market.submit(command, by: borrowed.startup.principal).refusalCode == "parties.role_required")
      #expect(try await market.submit(command, by: borrowed.lenders[0].principal).refusalCode == "parties.not_found")
      let reporter = Principal(
        organizationID: .platform, roles: [.admin], personID: reported.round.reportedBy,
        keyID: APIKeyID(UUIDValue(high: 10, low: 77)), duties: Set(Duty.allCases))
      #expect(try await market.submit(command, by: reporter).refusalCode == "parties.same_person")
      for (cash, code) in [
        (Money(8_000_000, .usd), "repayment.correction_not_lower"), (Money(1, .cny), "repayment.other_currency"),
      ] {
        let refused = CorrectFundingRound(
          roundID: reported.round.id, closingID: reported.closings[0].id, netNewCash: cash, reason: "x", ifVersion: nil)
        #expect(try await market.submit(refused, by: Marketplace.staff()).refusalCode == code)
      }
      let foreign = CorrectFundingRound(
        roundID: reported.round.id, closingID: ClosingID(UUIDValue(high: 1, low: 1)), netNewCash: Money(1, .usd),
        reason: "x", ifVersion: nil)
      #expect(try await market.submit(foreign, by: Marketplace.staff()).refusalCode == "parties.not_found")
      let preview = try await market.sweepBook(of: borrowed.startup).preview(of: reported.round)
      #expect(preview.cash == 8_000_000)
    }
  }
}

@Suite("Terms among lenders", .timeLimit(.minutes(5)))
struct WaterfallTests {
  @Test("ranks and waterfalls that lenders agreed on are those of sweeps, previews and receipts from their day on")
  func agreed() async throws {
    try await Marketplace.with { market in
      let borrowed = try await market.borrow(from: 3)
      let places = [
        IntercreditorTerms.Place(loanID: borrowed.loans[0], rank: 2, hasAcceded: true),
        IntercreditorTerms.Place(loanID: borrowed.loans[1], rank: 1, hasAcceded: false),
        IntercreditorTerms.Place(loanID: borrowed.loans[2], rank: 1, hasAcceded: true),
      ]
      let tomorrow = try #require(market.today.adding(days: 1))
      func set(_ terms: IntercreditorTerms, from date: CalendarDate) -> SetWaterfalls {
        SetWaterfalls(startupID: borrowed.startup.id, effectiveOn: date, terms: terms, evidence: "agreement of May")
      }
      // Principal of all ranks before any fee.
      let byStep = try WaterfallDefinition(
        source: .round, rules: [.init(.principal), .init(.fee)], order: .stepThenRank, ownLoansFirst: false)
      _ = try await market.run(
        set(try IntercreditorTerms([], places: places), from: market.today), by: Marketplace.staff())
      _ = try await market.run(
        set(try IntercreditorTerms([byStep], places: places), from: tomorrow), by: Marketplace.staff())

      // Today the third loan comes first, and the one that did not accede last.
      let reported = try await market.report([80_000_000], by: borrowed.startup)
      let preview = try await market.sweepBook(of: borrowed.startup).preview(of: reported.round)
      try await market.verify(reported.round)
      _ = try await market.run(SweepBorrower(borrowerID: borrowed.startup.id, on: market.today), by: .automation)
      var dues: [Int64?] = []
      for id in borrowed.loans { dues.append(try await market.loan(id).collectable.principal) }
      #expect(dues == [5_600_000, 0, 14_400_000])
      #expect(
        Dictionary(uniqueKeysWithValues: preview.loans.map { ($0.loanID, $0.due) })[borrowed.loans[0]] == 5_600_000)
      let first = try await market.run(
        RecordCashReceipt(
          receivedOn: market.today, amount: Money(15_000_000, .usd), source: .round, payerID: borrowed.startup.id,
          reference: nil), by: Marketplace.staff())
      let paid = Dictionary(
        uniqueKeysWithValues: first.allocations.map { ($0.loanID, $0.amount.amount) })
      #expect(paid == [borrowed.loans[2]: 14_400_000, borrowed.loans[0]: 600_000])

      // Tomorrow the fee waits for the principal.
      market.clock.advance(days: 1)
      let second = try await market.run(
        RecordCashReceipt(
          receivedOn: market.today, amount: Money(1_000_000, .usd), source: .round, payerID: borrowed.startup.id,
          reference: nil), by: Marketplace.staff())
      #expect(second.allocations.map(\.step) == ["principal"])
      let record = try #require(try await market.records(of: second.receipt.id.value).first)
      #expect(try AllocationExplanation(canonicalBytes: record.bytes).waterfall == byStep)
      let broken = try await market.lawBreaches()
      #expect(broken == [])
    }
  }

  @Test("terms are of the startup's own loans, set by staff, and never for days gone by")
  func refusals() async throws {
    try await Marketplace.with { market in
      let borrowed = try await market.borrow(from: 1)
      func set(
        _ place: LoanID, on date: CalendarDate, of startup: OrganizationID
      ) throws -> SetWaterfalls {
        SetWaterfalls(
          startupID: startup, effectiveOn: date,
          terms: try IntercreditorTerms([], places: [.init(loanID: place, rank: 1, hasAcceded: true)]), evidence: "x")
      }
      let (id, loan, today) = (borrowed.startup.id, borrowed.loans[0], market.today)
      let yesterday = try #require(today.adding(days: -1))
      let unknown = LoanID(UUIDValue(high: 1, low: 1))
      for (command, principal, code) in [
        (try set(unknown, on: today, of: id), Marketplace.staff(), "repayment.unknown_loan"),
        (try set(loan, on: yesterday, of: id), Marketplace.staff(), "repayment.effective_in_past"),
        (try set(loan, on: today, of: id), borrowed.startup.principal, "parties.role_required"),
        (try set(loan, on: today, of: id), borrowed.lenders[0].principal, "parties.not_found"),
        (try set(loan, on: today, of: borrowed.lenders[0].id), Marketplace.staff(), "parties.not_found"),
      ] { #expect(try await market.submit(command, by: principal).refusalCode == code) }
      #expect(throws: RepaymentRefusal.duplicateLoan(loan)) {
        let place = IntercreditorTerms.Place(loanID: loan, rank: 1, hasAcceded: true)
        return try IntercreditorTerms([], places: [place, place])
      }
    }
  }
}
