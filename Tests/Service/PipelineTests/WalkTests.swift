import DomainFixtures
import Lending
import Operations
import Parties
import Persistence
import Postgres
import Primitives
import PropertyKit
import Repayment
import SchemaFixtures
import Testing

/// A random market, driven by commands alone: it remembers ids, never states, so that most commands meet rows in states
/// that refuse them.
private struct Walk {
  let market: Marketplace
  var random: SplitMix64
  var lenders: [Party] = []
  var startups: [Party] = []
  var lots: [(Lot, Party)] = []
  var listings: [(Listing, Party)] = []
  var requests: [(LoanRequest, Party)] = []
  var offers: [Offer] = []
  var loans: [Loan] = []
  var rounds: [(FundingRoundID, ClosingID, OrganizationID)] = []
  var done: [String: Int] = [:]
  var refused: [String: Int] = [:]

  init(_ market: Marketplace, seed: UInt64) async throws {
    self.market = market
    random = SplitMix64(seed: seed)
    for index in 0..<2 { lenders.append(try await market.lender("Lender \(index)")) }
    for index in 0..<2 { startups.append(try await market.startup("Startup \(index)")) }
    try await market.mark()
    // Each lender may decline its part of a sweep; what it declines goes elsewhere, as each startup's terms say.
    for (startup, goesTo) in zip(startups, [WaterfallDefinition.DeclinedTo.sameRank, .borrower]) {
      let standard = WaterfallDefinition.standard(for: .round)
      let round = try WaterfallDefinition(
        source: .round, rules: standard.rules, order: standard.order, ownLoansFirst: false,
        decline: WaterfallDefinition.DeclineRule(goesTo: goesTo, deadlineDays: 5))
      _ = try await market.run(
        SetWaterfalls(
          startupID: startup.id, effectiveOn: market.clock.now().date, terms: IntercreditorTerms([round], places: []),
          evidence: "agreement"), by: Marketplace.staff())
    }
    // Enough to begin with, so that the walk soon has loans.
    for lender in lenders {
      let lot = try await market.lot(of: lender, quantity: 256)
      lots.append((lot, lender))
      let listing = market.listingCommand(
        of: lot, quantity: 128, recallNoticeDays: 3,
        penalty: PenaltyTerms(
          rate: BasisPoints(1_700), graceDays: 2, cap: BasisPoints(seed.isMultiple(of: 2) ? 90 : 900)))
      listings.append((try await market.run(listing, by: lender.principal), lender))
    }
  }

  private mutating func attempt<C: Command>(_ command: C, by principal: Principal) async throws -> C.Outcome? {
    let decided = try await market.submit(command, by: principal)
    if let code = decided.refusalCode {
      refused[code, default: 0] += 1
      return nil
    }
    done[C.action, default: 0] += 1
    return try decided.get()
  }

  private func party(_ id: OrganizationID) -> Principal {
    (lenders + startups).first { $0.id == id }?.principal ?? .automation
  }

  private mutating func eights(_ most: Int64) -> Int64 { random.int64(in: 1...most) * 8 }

  /// - Parameter isLively: half of what is tried are acts of a loan's life.
  mutating func step(isLively: Bool) async throws {
    switch random.int(in: 0...(isLively ? 45 : 23)) {
    case 0, 1: try await inventory()
    case 2, 3: try await ask()
    case 4, 5, 6, 7: try await offer()
    case 8, 9, 10: try await answer()
    case 11, 12, 13, 14: try await move()
    case 15: try await settle()
    case 16: try await raise()
    case 17: try await pay()
    case 18, 19:
      // Mostly within the three days that an offer lives, now and then past them.
      market.clock.advance(
        days: random.int64(in: random.oneIn(8) ? 3...40 : 0...1), seconds: random.int64(in: 0...3_600))
    default: try await live()
    }
  }

  private mutating func inventory() async throws {
    let (lot, lender) = try random.pick(lots)
    switch random.int(in: 0...5) {
    case 0, 1:
      let quantity = eights(16)
      let command = try market.lotCommand(of: lender, quantity: quantity)
      if let made = try await attempt(command, by: lender.principal) { lots.append((made, lender)) }
    case 2, 3, 4:
      let command = market.listingCommand(
        of: lot, quantity: eights(12), penalty: PenaltyTerms(rate: BasisPoints(2_900), graceDays: 0, cap: nil))
      if let made = try await attempt(command, by: lender.principal) { listings.append((made, lender)) }
    default:
      let (listing, owner) = try random.pick(listings)
      let act: Listing.Act = try random.pick([.pause, .resume, .resume, .resume, .withdraw])
      _ = try await attempt(
        ChangeListing(listingID: listing.id, act: act, ifVersion: nil), by: owner.principal)
    }
  }

  private mutating func ask() async throws {
    let startup = try random.pick(startups)
    let quantity = eights(6)
    let command = try market.requestCommand(quantity: quantity)
    if let made = try await attempt(command, by: startup.principal) { requests.append((made, startup)) }
    if random.oneIn(6), let (request, owner) = try? random.pick(requests) {
      _ = try await attempt(CancelLoanRequest(requestID: request.id, ifVersion: nil), by: owner.principal)
    }
  }

  private mutating func offer() async throws {
    guard let (request, _) = requests.suffix(4).randomElement(using: &random) else { return }
    guard let (listing, _) = listings.suffix(6).randomElement(using: &random) else { return }
    let command = market.offerCommand(request.id, listing.id, quantity: eights(6))
    if let made = try await attempt(command, by: .automation) { offers.append(made) }
  }

  private mutating func answer() async throws {
    guard let offer = offers.suffix(6).randomElement(using: &random) else { return }
    switch random.int(in: 0...4) {
    case 0:
      let who = random.oneIn(2) ? offer.lenderID : offer.borrowerID
      _ = try await attempt(EndOffer(offerID: offer.id, outcome: .declined, ifVersion: nil), by: party(who))
    case 1: _ = try await attempt(EndOffer(offerID: offer.id, outcome: .lapsed, ifVersion: nil), by: .automation)
    default:
      let command = AcceptOffer(offerID: offer.id, ifVersion: nil)
      guard let taken = try await attempt(command, by: party(offer.borrowerID)), let id = taken.loanID else { return }
      let found = try await market.database.withConnection { connection in
        try Tables.loans.decode(await connection.run(Tables.loans.rows(by: [id.value]), deadline: soon()))
      }
      loans += found
    }
  }

  private mutating func move() async throws {
    guard let loan = loans.suffix(8).randomElement(using: &random) else { return }
    let today = market.clock.now().date
    let on = random.oneIn(8) ? today.adding(days: -2) ?? today : today
    let (lender, borrower) = (party(loan.terms.lenderID), party(loan.terms.borrowerID))
    if random.oneIn(2) {
      let command = RecordDelivery(loanID: loan.id, quantity: nil, occurredOn: on, ifVersion: nil)
      if try await attempt(command, by: lender) == nil { _ = try await attempt(command, by: borrower) }
      return
    }
    let units = random.oneIn(3) ? loan.terms.quantity : random.int64(in: 1...loan.terms.quantity)
    let charge = random.oneIn(3) ? random.int64(in: 1...5_000_000) : 0
    func command(_ condition: ReturnCondition?) -> RecordReturn {
      RecordReturn(
        loanID: loan.id, quantity: units, occurredOn: on, condition: condition,
        conditionCharge: condition == nil ? nil : Money(charge, .usd))
    }
    guard try await attempt(command(nil), by: borrower) != nil else { return }
    if try await attempt(command(nil), by: lender) != nil {
      _ = try await attempt(command(random.oneIn(3) ? .damaged : .good), by: lender)
    }
  }

  /// What happens to a loan beside payments and returns, most of it refused.
  private mutating func live() async throws {
    guard let loan = loans.suffix(24).randomElement(using: &random) else { return }
    let (id, today, units) = (loan.id, market.clock.now().date, random.int64(in: 1...8))
    let (lender, borrower) = (party(loan.terms.lenderID), party(loan.terms.borrowerID))
    let some = Money(random.int64(in: 1...5_000_000), .usd)
    switch random.int(in: 0...14) {
    case 0:
      let recall = RecallLoan(loanID: id, noticeDays: nil, reason: nil, ifVersion: nil)
      _ = try await attempt(recall, by: lender)
    case 1: _ = try await attempt(WithdrawRecall(loanID: id, ifVersion: nil), by: lender)
    case 2:
      let cause: DefaultCause = try random.pick(DefaultCause.allCases)
      let declare = DeclareDefault(loanID: id, cause: cause, cureDays: nil, reason: nil, ifVersion: nil)
      if try await attempt(declare, by: lender) != nil, random.oneIn(2) {
        _ = try await attempt(CureDefault(loanID: id, reason: nil, ifVersion: nil), by: lender)
      }
    case 3: _ = try await attempt(CureDefault(loanID: id, reason: nil, ifVersion: nil), by: lender)
    case 4: _ = try await attempt(AccelerateLoan(loanID: id, ifVersion: nil), by: lender)
    case 5:
      let off = WriteOffLoan(loanID: id, amount: random.oneIn(2) ? nil : some, reason: nil, ifVersion: nil)
      _ = try await attempt(off, by: lender)
    case 6:
      let forgive = ForgiveDebt(
        loanID: id, charges: nil, fee: nil, principal: some, reason: nil, ifVersion: nil)
      _ = try await attempt(forgive, by: lender)
    case 7:
      let casualty = RecordCasualty(
        loanID: id, quantity: units, occurredOn: today, cause: .fire, reason: nil, ifVersion: nil)
      _ = try await attempt(casualty, by: borrower)
    case 8:
      let freeze = FreezeLoan(loanID: id, reason: "list", ifVersion: nil)
      _ = try await attempt(freeze, by: Marketplace.staff())
    case 9, 10: _ = try await attempt(UnfreezeLoan(loanID: id, ifVersion: nil), by: Marketplace.staff())
    case 11:
      let take = RepossessChips(loanID: id, quantity: units, occurredOn: today, ifVersion: nil)
      if try await attempt(take, by: lender) != nil, random.oneIn(2) {
        let outcome: Disposal = random.oneIn(2) ? .sold : .kept
        let dispose = DisposeChips(
          loanID: id, quantity: units, outcome: outcome, occurredOn: today, ifVersion: nil)
        _ = try await attempt(dispose, by: lender)
      }
    case 12, 13: try await sell(loan, by: lender, borrower: borrower)
    default: try await amend(loan, lender: lender, borrower: borrower)
    }
  }

  /// To the other lender, all of what is out or some boards of it; now and then the next step is not taken.
  private mutating func sell(_ loan: Loan, by lender: Principal, borrower: Principal) async throws {
    guard let buyer = lenders.first(where: { $0.id != loan.terms.lenderID }) else { return }
    let propose = ProposeAssignment(
      loanID: loan.id, buyerID: buyer.id, quantity: random.oneIn(3) ? nil : eights(4), price: Money(1, .usd))
    guard let sale = try await attempt(propose, by: lender)?.assignment.id, !random.oneIn(6) else { return }
    let accept = AnswerAssignment(assignmentID: sale, act: random.oneIn(8) ? .reject : .accept)
    guard try await attempt(accept, by: buyer.principal) != nil, !random.oneIn(6) else { return }
    let answer = AnswerAssignment(assignmentID: sale, act: random.oneIn(8) ? .refuse : .consent)
    _ = try await attempt(answer, by: borrower)
    if random.oneIn(4) { market.clock.advance(days: random.int64(in: 0...12)) }
    if let bought = try await attempt(SettleAssignment(assignmentID: sale), by: lender)?.loan { loans.append(bought) }
  }

  private mutating func amend(_ loan: Loan, lender: Principal, borrower: Principal) async throws {
    let today = market.clock.now().date
    let days = random.int64(in: -30...30)
    let from = today.adding(days: days) ?? today
    let later = today.adding(days: random.int64(in: 1...300)) ?? today
    let rate = BasisPoints(random.int64(in: 0...2_000))
    let terms: AmendmentTerms = try random.pick([
      .reRate(from: from, rate: rate), .reRate(from: loan.deliveredOn ?? loan.terms.tradeOn, rate: rate),
      .extend(to: later), .paymentPause(until: later),
      .restructure(from: from, rate: rate, maturity: later, pause: later),
    ])
    let propose = ProposeAmendment(loanID: loan.id, terms: terms, reason: nil, validDays: nil, ifVersion: nil)
    guard let proposed = try await attempt(propose, by: lender) else { return }
    let act: LoanAmendment.Act = random.oneIn(5) ? .reject : .accept
    _ = try await attempt(
      AnswerAmendment(loanID: loan.id, amendmentID: proposed.amendment.id, act: act, ifVersion: nil), by: borrower)
  }

  private mutating func settle() async throws {
    let startup = try random.pick(startups)
    let today = market.clock.now().date
    _ = try await attempt(AccrueBorrower(borrowerID: startup.id, through: today), by: .automation)
    _ = try await attempt(MatureLoans(borrowerID: startup.id, on: today), by: .automation)
    _ = try await attempt(EscalateRecalls(borrowerID: startup.id, on: today), by: .automation)
    _ = try await attempt(AgeDelinquency(borrowerID: startup.id, on: today), by: .automation)
    _ = try await attempt(LapseAmendments(borrowerID: startup.id, on: today), by: .automation)
    if random.oneIn(2) {
      let lender = try random.pick(lenders)
      _ = try await attempt(
        PayOutLender(
          lenderID: lender.id, currency: .usd, runID: SettlementRunID(UUIDValue(high: 14, low: random.next())),
          on: today), by: .automation)
    }
  }

  private mutating func raise() async throws {
    let startup = try random.pick(startups)
    let today = market.clock.now().date
    let report = ReportFundingRound.Report(
      kind: .priced, name: "Series", announcedOn: today, currency: .usd, amount: 900_000_000, preMoney: nil,
      postMoney: 100_000_000_000, acquirer: nil, evidence: nil,
      closings: [(closedOn: today, netNewCash: random.int64(in: 0...900_000_000))])
    guard
      let made = try await attempt(ReportFundingRound(report: report), by: startup.principal),
      let closing = made.closings.first
    else { return }
    _ = try await attempt(
      DecideFundingRound(roundID: made.round.id, decision: .verify(evidence: nil), ifVersion: nil),
      by: Marketplace.staff())
    _ = try await attempt(
      SweepClosing(closingID: closing.id, roundID: made.round.id, borrowerID: startup.id, on: today), by: .automation)
    for loan in loans where loan.terms.borrowerID == startup.id && random.oneIn(4) {
      let decline = DeclinePrepayment(loanID: loan.id, closingID: closing.id)
      _ = try await attempt(decline, by: party(loan.terms.lenderID))
    }
    guard random.oneIn(3), closing.netNewCash.amount > 0 else { return }
    let less = Money(random.int64(in: 0...(closing.netNewCash.amount - 1)), .usd)
    _ = try await attempt(
      CorrectFundingRound(
        roundID: made.round.id, closingID: closing.id, netNewCash: less, reason: "came short", ifVersion: nil),
      by: Marketplace.staff())
  }

  private mutating func pay() async throws {
    let startup = try random.pick(startups)
    let payer = random.oneIn(8) ? nil : startup.id
    // Now and then money is recorded days after it came.
    let today = market.clock.now().date
    let on = random.oneIn(3) ? today.adding(days: -random.int64(in: 1...30)) ?? today : today
    _ = try await attempt(
      RecordCashReceipt(
        receivedOn: on, amount: Money(random.int64(in: 1...60_000_000), .usd), source: .round,
        payerID: payer, reference: nil), by: Marketplace.staff())
  }
}

@Suite("A market left to chance", .timeLimit(.minutes(2)))
struct WalkTests {
  @Test("keeps every law of the books after each command")
  func laws() async throws {
    var done: [String: Int] = [:]
    for seed in UInt64(1)...6 { done.merge(try await walk(seed: seed), uniquingKeysWith: +) }
    // Walks that never get anywhere would keep the laws too.
    for action in [
      "offer.make", "offer.accept", "offer.end", "loan.deliver", "loan.return", "settlement.sweep",
      "cash_receipt.record", "settlement.pay_out", "allocations", "closed loans", "loan.casualty", "loan.freeze",
      "loan.unfreeze", "penalties", "loan.default", "loan.cure", "loan.write_off", "loan.forgive",
      "loan_amendment.answer", "loan_assignment.settle", "loan.decline_prepayment", "funding_round.correct",
    ] {
      #expect(done[action, default: 0] > 0, "\(action): \(done)")
    }
  }

  /// Walks 360 steps and says how often each act was done.
  private func walk(seed: UInt64) async throws -> [String: Int] {
    try await Marketplace.with(seed: seed) { market in
      var walk = try await Walk(market, seed: seed)
      try await market.database.withConnection { connection in
        for step in 0..<360 {
          try await walk.step(isLively: step >= 140)
          let breaches = try await BookLaws.breaches(connection)
          try #require(breaches == [], "step \(step) of seed \(seed)")
        }
        // Records of sweeps, divisions and decisions are computed again.
        let records = try await BookVerifier(pool: market.pool).verify(deadline: .now + .seconds(30))
        #expect(records.flatMap(\.breaches) == [], "seed \(seed)")
        let chains = try await BookLaws.chainBreaches(connection)
        #expect(chains == [], "seed \(seed)")
        for check in LawCheck.all {
          let found = try await connection.run(Query(check.breaches), deadline: soon()).map {
            "\(try $0.text(0)) \(try $0.text(1))"
          }
          #expect(found == [], "seed \(seed): \(check.title)")
        }
        try await explains(connection, seed: seed)
      }
      let paid = Statement("test_paid", "select count(*) from allocations", columns: [.int8])
      let closed = Statement("test_closed", "select count(*) from loans where state = 'closed'", columns: [.int8])
      let charged = Statement(
        "test_charged", "select count(*) from loan_penalties where reverses is null", columns: [.int8])
      walk.done["penalties"] = Int(try await market.number(charged))
      walk.done["allocations"] = Int(try await market.number(paid))
      walk.done["closed loans"] = Int(try await market.number(closed))
      return walk.done
    }
  }

  /// Every number of every loan is the sum of entries that have a rule, in the books of both its sides.
  private func explains(_ connection: PostgresConnection, seed: UInt64) async throws {
    let loans = try Tables.loans.decode(
      await connection.run(Query(Statement("test_all_loans", Tables.loans.selectList)), deadline: soon()))
    for loan in loans where loan.deliveredOn != nil {
      for book in [loan.terms.lenderID, loan.terms.borrowerID] {
        let results = try await connection.pipeline(
          LoanExplanation.queries(for: loan, of: book, scope: .uuid(nil)), deadline: soon())
        let explanation = try LoanExplanation(loan, results)
        let owed: [LoanExplanation.Field: Int64] = [
          .outstanding: loan.outstanding.principal, .accruedFee: loan.outstanding.fee,
          .charges: loan.outstanding.charges,
        ]
        for (field, amount) in owed {
          let parts = explanation.parts(of: field, on: .latest)
          let sum = try LoanExplanation.sum(parts)
          #expect(sum == amount, "seed \(seed): \(field) of \(loan.id)")
          for part in parts {
            if case .unexplained = part.rule { Issue.record("seed \(seed): \(part.kind) on \(part.on) of \(loan.id)") }
          }
        }
        #expect(explanation.fee?.accruedTotal == loan.feeAccruedTotal, "seed \(seed): the fee of \(loan.id)")
      }
    }
  }

  @Test("would be caught breaking a law: the checks see a changed row, a forged line and a broken chain")
  func lawsCanFail() async throws {
    try await Marketplace.with { market in
      let lender = try await market.lender()
      let listing = try await market.stockedListing(of: lender)
      #expect(listing.quantity == 64)
      #expect(try await market.breaches() == [])
      let tampering = [
        "update lots set available = available - 1, lost = lost + 1",
        "update listings set remaining = remaining - 8",
        "update heads set journal_sequence = journal_sequence + 1 where journal_sequence > 0",
        "update heads set chain_hash = sha256('forged') where chain_number > 0",
        "update accounts set balance = balance + 1 where account_code = 'custody.available'",
        "set session_replication_role = replica; update journal_entries set kind = 'payout_made'",
        "set session_replication_role = replica; update journal_lines set amount = amount * 2",
        "set session_replication_role = replica; delete from chain_links",
        "insert into accounts values ('\(lender.id.value)', 'cash_at_platform', '\(lender.id.value)', 'USD', 5)",
      ]
      for act in tampering {
        try await market.database.withConnection { connection in
          try await connection.execute("begin")
          try await connection.execute(act)
          let found = try await BookLaws.breaches(connection) + BookLaws.chainBreaches(connection)
          #expect(!found.isEmpty, "\(act)")
          try await connection.execute("rollback")
        }
      }
    }
  }
}
