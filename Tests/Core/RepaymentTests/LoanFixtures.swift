import Catalogue
import Lending
import Parties
import Primitives
import Repayment
import Testing

/// A loan of lending, with what it takes to move it as the service does.
struct LivingLoan {
  var loan: Loan
  let covenant: Covenant
  let prepayment: PrepaymentTerms?

  init(
    _ number: UInt64, principal: Int64, rateBps: Int64 = 1_400, sweepBps: Int64 = 10_000, rank: Int64 = 1,
    quantity: Int64 = 8, leastAmount: Int64? = nil, dayCount: DayCountConvention = .act365F,
    tradeOn: CalendarDate, prepayment: PrepaymentTerms? = nil
  ) throws {
    let sweep = BasisPoints(sweepBps)
    let least = leastAmount.map { Money($0, .usd) }
    let none = UUIDValue(high: 0, low: number)
    let terms = Loan.Terms(
      borrowerID: lenderID(99), lenderID: lenderID(number % 3), lotID: LotID(none), listingID: ListingID(none),
      requestID: LoanRequestID(none), offerID: OfferID(none), chipModelID: try #require(ChipModelID("nvidia-a800")),
      site: Site(country: try #require(CountryCode("SG")), region: "SG"), endUse: "training", deliveryMode: .physical,
      legalForm: .leasePurchaseOption, quantity: quantity, markID: ValuationID(none), markAmount: Money(1, .usd),
      advanceRate: .whole, principal: Money(principal, .usd), rate: BasisPoints(rateBps), dayCount: dayCount,
      returnCredit: .proRataOutstanding,
      repayment: RepaymentTerms(pattern: .roundSweep, leastAmount: least, leastPostMoney: nil, sweep: sweep),
      rank: rank,
      tradeOn: tradeOn, termDays: 720, maturesOn: try #require(tradeOn.adding(days: 720)), recallNoticeDays: nil)
    self.loan = Loan(id: loanID(number), terms: terms, createdAt: try #require(Instant("2024-01-01T00:00:00Z")))
    self.covenant = Covenant(leastAmount: least, leastPostMoney: nil, sweep: sweep, firstDay: tradeOn)
    self.prepayment = prepayment
  }

  mutating func deliver(on date: CalendarDate) throws {
    try loan.dispatch(on: date)
    try loan.acceptDelivery(on: date)
  }

  var accrual: FeeAccrual {
    get throws {
      try FeeAccrual(
        dayCount: loan.terms.dayCount, accruedThrough: #require(loan.accruedThrough),
        accruedTotal: loan.feeAccruedTotal, residue: loan.accrualResidue)
    }
  }

  /// Posts the fee up to a day, and returns it.
  @discardableResult
  mutating func accrue(through date: CalendarDate) throws -> Int64 {
    let state = try accrual
    guard date > state.accruedThrough else { return 0 }
    let (amount, after) = try state.accrue(
      principal: loan.outstanding.principal, rate: loan.terms.rate, through: date)
    if amount > 0 { try loan.addFee(amount) }
    loan.accruedThrough = after.accruedThrough
    loan.accrualResidue = after.residue
    return amount
  }

  var owed: StepAmounts { steps(loan.outstanding) }

  var position: LoanPosition {
    get throws {
      let due: LoanPosition.Due =
        switch loan.due {
        case nil: .nothing
        case let due?: due.amount.map { .amount($0) } ?? .all
        }
      return LoanPosition(
        loanID: loan.id, lenderID: loan.terms.lenderID, currency: loan.currency, rank: loan.terms.rank,
        covenant: covenant, rate: loan.terms.rate, accrual: try accrual, owed: owed, due: due, prepayment: prepayment)
    }
  }
}

func steps(_ debt: Debt) -> StepAmounts { StepAmounts(charges: debt.charges, fee: debt.fee, principal: debt.principal) }

func debt(_ steps: StepAmounts) -> Debt { Debt(charges: steps.charges, fee: steps.fee, principal: steps.principal) }

/// Verified rounds of one startup and how the service sweeps them: loan by loan, with the transitions of lending. Shares no
/// code with the preview but the functions that the service itself calls.
struct RealRounds {
  var loans: [LivingLoan]
  private(set) var dues: [LoanID: Int64] = [:]
  private(set) var paid: [LoanID: StepAmounts] = [:]
  private(set) var spent: Int64 = 0
  private(set) var cash: Int64 = 0

  init(_ loans: [LivingLoan]) { self.loans = loans }

  /// A closing is swept, then the startup pays what is collectable as far as its cash reaches.
  mutating func close(_ facts: FundingRoundFacts, on date: CalendarDate, cash amount: Int64) throws {
    var candidates: [SweepCandidate] = []
    for index in loans.indices where loans[index].loan.isRunning {
      try loans[index].accrue(through: date)
      let loan = loans[index].loan
      let isChange = facts.kind == .acquisition
      guard try isChange || loans[index].covenant.test(closingOn: date, of: facts).met else { continue }
      let before = loan.due.map { $0.amount ?? Int64.max } ?? 0
      candidates.append(
        SweepCandidate(
          loanID: loan.id, lenderID: loan.terms.lenderID, rank: loan.terms.rank, owed: loans[index].owed,
          sweep: loan.terms.repayment.sweep, alreadyDue: before))
    }
    let found = try Sweep.dues(kind: facts.kind, netNewCash: amount, candidates: candidates)
    for line in found.lines where line.amount > 0 {
      let index = try #require(loans.firstIndex { $0.loan.id == line.loanID })
      let whole = try line.cause == .changeOfControl || line.amount == loans[index].loan.outstanding.total()
      try loans[index].loan.becomeDue(
        LoanDue(cause: .fundingRound, causeID: line.loanID.value, since: date, amount: whole ? nil : line.amount))
      dues[line.loanID, default: 0] += line.amount
    }
    cash += amount
    try pay(on: date)
  }

  private mutating func pay(on date: CalendarDate) throws {
    let running = loans.filter { $0.loan.isRunning && !$0.loan.collectable.isZero }
    let claims = running.map {
      Claim(
        loanID: $0.loan.id, lenderID: $0.loan.terms.lenderID, rank: $0.loan.terms.rank, due: steps($0.loan.collectable))
    }
    let owed = claims.reduce(Int64(0)) { $0 + $1.due.charges + $1.due.fee + $1.due.principal }
    let amount = min(owed, cash - spent)
    guard amount > 0 else { return }
    let allocation = try WaterfallDefinition.standard(for: .round).allocate(amount, claims: claims)
    spent += amount
    for claim in claims {
      let part = allocation.paid(on: claim.loanID)
      let index = try #require(loans.firstIndex { $0.loan.id == claim.loanID })
      if part != .none { try loans[index].loan.pay(debt(part)) }
      paid[claim.loanID] = try (paid[claim.loanID] ?? .none).adding(part)
      if loans[index].loan.completion != .running { loans[index].loan.close(on: date, titlePasses: true) }
    }
  }
}
