import BankFiles
import Catalogue
import Interest
import Ledger
import Lending
import Parties
import Primitives
import Repayment

@testable import Persistence

/// One row of each table, related as the foreign keys ask: fully populated, or with every optional left out. Both
/// variants of one seed have the same ids, so that one can be rewritten into the other.
struct RowSet {
  let full: Bool
  let seed: UInt64
  let lender: OrganizationID
  let borrower: OrganizationID
  let chip: ChipModelID
  let china: CountryCode
  let day: CalendarDate
  let now: Instant
  let later: Instant

  /// Text that a careless array literal or a careless quoting would break.
  static let nasty = #"a "quoted", {braced}, back\slashed and NULL 芯片"#

  init(full: Bool, seed: UInt64, lender: OrganizationID? = nil, borrower: OrganizationID? = nil) throws {
    self.full = full
    self.seed = seed
    self.lender = lender ?? OrganizationID(UUIDValue(high: seed << 32, low: 1))
    self.borrower = borrower ?? OrganizationID(UUIDValue(high: seed << 32, low: 2))
    chip = try required(ChipModelID("nvidia-a800-sxm4-80"))
    china = try required(CountryCode("CN"))
    day = try required(CalendarDate(year: 2026, month: 2, day: 28))
    now = try required(Instant(microseconds: 1_800_000_000_123_456))
    later = try required(Instant(microseconds: 1_800_000_000_123_457))
  }

  func id<Noun>(_ number: UInt64) -> Identifier<Noun> { Identifier(uuid(number)) }
  func uuid(_ number: UInt64) -> UUIDValue { UUIDValue(high: seed << 32, low: 1_000 + number) }
  /// The value in the full variant, nil in the other.
  func some<Value>(_ value: Value) -> Value? { full ? value : nil }
  var version: Int64 { full ? 2 : 1 }
  var updatedAt: Instant { full ? later : now }
  var site: Site { Site(country: china, region: "CN-north") }

  var organization: Organization {
    Organization(
      id: borrower, legalName: Self.nasty, jurisdiction: china, ultimateParentJurisdiction: some(china),
      groupID: full ? lender : borrower, roles: full ? [.lender, .startup] : [],
      owners: full ? [BeneficialOwner(name: Self.nasty, share: .whole, jurisdiction: china, listed: true)] : [],
      sites: full ? [site, Site(country: china, region: "CN-south")] : [],
      verification: Verification(
        state: full ? .verified : .unverified, evidence: some("register extract"), verifiedOn: some(day),
        expiresOn: some(day), verifiedBy: some(id(1)), reason: some("renewed")),
      creditGrade: some("BB"), version: version, createdAt: now, updatedAt: updatedAt)
  }

  var head: Head {
    Head(
      organizationID: borrower, version: version, journalSequence: full ? 7 : 0, chainNumber: full ? 3 : 0,
      chainHash: full ? SHA256Digest(of: [1]) : .zero)
  }

  var apiKey: APIKey {
    APIKey(
      id: id(2), organizationID: borrower, roles: full ? [.startup, .admin] : [],
      duties: full ? [.risk, .treasury] : [], scopes: full ? [KeyScope(.write), KeyScope(.read, of: "loans")] : [],
      personID: some(id(1)), secretDigest: SHA256Digest(of: [full ? 2 : 3]), expiresAt: some(later),
      revokedAt: some(now), replaces: some(id(3)), replacedBy: some(id(4)), version: version, createdAt: now)
  }

  func licence() throws -> LicenceRecord {
    LicenceRecord(
      licence: try Licence(
        id: id(3), holder: lender, consignee: some(borrower),
        subject: full ? .chip(chip) : .exportClass(.eccn3A090a), destination: china, quota: 512, used: full ? 512 : 0,
        validFrom: day, validTo: some(try required(day.adding(days: 365)))),
      reference: Self.nasty, version: version, createdAt: now, updatedAt: updatedAt)
  }

  var lot: Lot {
    // Every state of custody its own number, so that two columns that change places are noticed.
    var custody: [CustodyState: Int64] = [:]
    for (index, state) in CustodyState.allCases.enumerated() { custody[state] = Int64(index) * 8 + 8 }
    let sum = custody.values.reduce(0, +)
    return Lot(
      id: id(4), lenderID: lender, chipModelID: chip, quantity: sum, site: site, availableOn: day,
      multipleOf: 8, serials: full ? [Self.nasty, "", "SN-2"] : [], unitCost: some(Money(1_300_000, .usd)),
      custody: full ? custody : [.available: sum], listed: full ? 9 : 0, version: version, createdAt: now,
      updatedAt: updatedAt)
  }

  var reservePlan: ReservePlan {
    ReservePlan(
      id: id(5), lenderID: lender, chipModelID: chip,
      months: full ? [ReservePlan.Month(month: day, quantity: Int64.max)] : [], version: version, createdAt: now,
      updatedAt: updatedAt)
  }

  var listing: Listing {
    Listing(
      id: id(6), lenderID: lender, lotID: id(4), chipModelID: chip, site: site, quantity: 64, remaining: full ? 16 : 64,
      minQuantity: 8, multipleOf: 4, askRate: BasisPoints(1_050), minTermDays: 30, maxTermDays: 720,
      legalForm: .leasePurchaseOption, deliveryModes: full ? [.physical, .hosted] : [.hosted],
      advanceRate: BasisPoints(9_000), repaymentPatterns: full ? [.roundSweep, .bullet] : [],
      recallNoticeDays: some(60),
      eligibility: Listing.Eligibility(
        creditGrades: some(["A", Self.nasty]), jurisdictions: some([china]), maxExposure: some(Money(1, .cny))),
      validUntil: some(later), availableOn: day, sequence: 11, state: full ? .paused : .open, version: version,
      createdAt: now, updatedAt: updatedAt, returnCredit: full ? .schedule : .proRataOutstanding,
      assignability: full ? .freely : .withConsent, penalty: full ? penaltyTerms : .none,
      businessDay: full ? .modifiedFollowing : .unadjusted, tax: taxTerms, margin: listedMargin)
  }

  private var repayment: RepaymentTerms {
    RepaymentTerms(
      pattern: full ? .roundSweep : .bullet, leastAmount: some(Money(5, .usd)), leastPostMoney: some(Money(6, .usd)),
      sweep: BasisPoints(2_500))
  }

  var request: LoanRequest {
    LoanRequest(
      id: id(7), borrowerID: borrower, workload: .inference, endUse: Self.nasty, quantity: 64, minQuantity: 8,
      multipleOf: 4, sameModel: full, sameSite: !full, maxLenders: some(3),
      acceptable: full
        ? [
          AcceptableChip(choice: .model(chip), maxRate: BasisPoints(1_200)),
          AcceptableChip(
            choice: .capability(
              AcceptableChip.Capability(memoryMilliGB: 80_000, bf16MilliTflopsDense: nil, interconnectMilliGBs: 1)),
            maxRate: BasisPoints(900)),
        ] : [], regions: full ? ["CN-north", "CN-south"] : [], termDays: 180, startOn: day,
      startByOn: day, deliveryMode: .physical, repayment: repayment, autoAccept: full, validUntil: some(later),
      sequence: 12, offered: full ? 8 : 0, matched: full ? 16 : 0, state: full ? .partlyMatched : .open,
      version: version, createdAt: now, updatedAt: updatedAt)
  }

  var offer: Offer {
    Offer(
      id: id(8), borrowerID: borrower, lenderID: lender, requestID: id(7), listingID: id(6), lotID: id(4),
      roundID: id(9), chipModelID: chip, quantity: 16, rate: BasisPoints(1_100), markID: id(10),
      markAmount: Money(1_250_000, .usd), markSource: Self.nasty, advanceRate: BasisPoints(9_000), expiresAt: later,
      state: full ? .accepted : .pending, loanID: some(id(11)), version: version, createdAt: now, updatedAt: updatedAt)
  }

  private func terms(offer: UInt64) -> Loan.Terms {
    Loan.Terms(
      borrowerID: borrower, lenderID: lender, lotID: id(4), listingID: id(6), requestID: id(7), offerID: id(offer),
      chipModelID: chip, site: site, endUse: Self.nasty, deliveryMode: .hosted, legalForm: .securedSale, quantity: 16,
      markID: id(10), markAmount: Money(1_250_000, .usd), advanceRate: BasisPoints(9_000),
      principal: Money(18_000_000, .usd), rate: BasisPoints(1_100), dayCount: .thirtyE360,
      returnCredit: .lowerOfMark, repayment: repayment, rank: 2, tradeOn: day, termDays: 180, maturesOn: day,
      recallNoticeDays: some(60), assignability: full ? .never : .withConsent, penalty: full ? penaltyTerms : .none,
      businessDay: full ? .preceding : .unadjusted, tax: taxTerms,
      margin: listedMargin?.frozen(mark: Money(1_250_000, .usd), on: day, of: id(6)))
  }

  private var taxTerms: TaxTerms? {
    full
      ? TaxTerms(
        sales: TaxTerms.Sales(treatment: .reverseCharge, jurisdiction: china), withholding: .grossUp) : nil
  }

  private var penaltyTerms: PenaltyTerms { PenaltyTerms(rate: BasisPoints(500), graceDays: 3, cap: BasisPoints(1_000)) }

  /// A closed loan, and a due one that still owes: no single loan has both an ending and a debt.
  var loans: [Loan] {
    let due = LoanDue(cause: .changeOfControl, causeID: uuid(12), since: day, amount: 4_711)
    let lien = SecurityInterest(registry: Self.nasty, number: "7", filedOn: day, releasedOn: some(day))
    return [
      Loan(
        id: id(11), terms: terms(offer: 8), state: full ? .closed : .agreed, closedAs: some(.mixed),
        unitsOut: 0, unitsReturning: 0, unitsReturned: full ? 5 : 0, unitsOwned: full ? 9 : 0, outstanding: .none,
        feeAccruedTotal: full ? 31 : 0, accrualResidue: full ? 32 : 0, accruedThrough: some(day),
        due: some(LoanDue(cause: .maturity, causeID: uuid(11), since: day, amount: nil)),
        possession: full ? .borrower : .lender, title: full ? .borrower : .lender, securityInterest: some(lien),
        dispatchedOn: some(day), deliveredOn: some(day), closedOn: some(day),
        life: LoanLife(
          rates: full ? [RateChange(from: day, rate: BasisPoints(700))] : [], extendedTo: some(day),
          pausedUntil: some(day), hold: some(LoanLife.Hold(on: day, reason: Self.nasty)), forgiven: full ? 33 : 0,
          acquired: some(LoanLife.Acquisition(on: day, lineage: [id(62), id(63)])), unitsAssigned: full ? 2 : 0,
          principalAssigned: full ? 34 : 0, pauses: full ? [LoanLife.Pause(from: day, through: day)] : [],
          penalty: full ? LoanLife.Penalty(through: day, total: 47, residue: -48, most: 49) : LoanLife.Penalty(),
          lateness: some(LoanLife.Lateness(on: day, daysPastDue: 49, bucket: "30-59")),
          tax: full ? LoanLife.Tax(total: 50, residue: -51, feePaid: 52, feeCertified: 53) : LoanLife.Tax(),
          lifted: full
            ? LoanLife.Lifted(
              sweep: BasisPoints(2_600), discount: BasisPoints(51), cap: 52, coverage: BasisPoints(53))
            : LoanLife.Lifted()),
        version: version, createdAt: now, updatedAt: updatedAt),
      Loan(
        id: id(13), terms: terms(offer: 14), state: full ? .due : .inTransit, closedAs: nil,
        unitsOut: full ? 1 : 0, unitsReturning: full ? 2 : 0, unitsReturned: full ? 3 : 0, unitsOwned: full ? 1 : 0,
        outstanding: full ? Debt(charges: 41, fee: 42, principal: 43, tax: 40) : .none, feeAccruedTotal: full ? 44 : 0,
        accrualResidue: 0, accruedThrough: nil, due: some(due), possession: .inTransit, title: .pending,
        securityInterest: full ? SecurityInterest(registry: "r", number: "n", filedOn: day) : nil,
        dispatchedOn: day, deliveredOn: nil, closedOn: nil,
        life: full
          ? LoanLife(
            recall: LoanLife.Recall(on: day, dueOn: day), overdueSince: day,
            default: LoanLife.Default(cause: .insolvency, on: day, cureUntil: day, acceleratedOn: day), writtenOff: 45,
            forgiven: 46, unitsLost: 4, unitsRepossessed: 5, unitsResold: 2, unitsKept: 3, casualtyPrincipal: 42)
          : LoanLife(),
        version: version, createdAt: now, updatedAt: updatedAt),
    ]
  }

  /// One of each kind: each kind fills other columns.
  var amendments: [LoanAmendment] {
    let terms: [AmendmentTerms] = [
      .reRate(from: day, rate: BasisPoints(900)), .extend(to: day), .paymentPause(until: day),
      .restructure(from: some(day), rate: some(BasisPoints(800)), maturity: some(day), pause: day),
      .substitution(out: [Self.nasty], with: ["SN-2"]),
    ]
    return terms.enumerated().map { index, terms in
      LoanAmendment(
        id: id(50 + UInt64(index)), borrowerID: borrower, lenderID: lender, loanID: id(11), terms: terms,
        proposedBy: lender, proposedOn: day, validUntil: day, reason: some(Self.nasty),
        state: full ? .accepted : .proposed, decidedOn: some(day),
        restatement: some(FeeRestatement(reversed: 1, restated: -2, credited: 3)), version: version, createdAt: now,
        updatedAt: updatedAt)
    }
  }

  /// Settled, or proposed; the buyer is neither of the loan's parties.
  var assignment: LoanAssignment {
    let proposed = LoanAssignment(
      id: id(60), borrowerID: borrower, sellerID: lender, buyerID: id(61), loanID: id(11), quantity: 2,
      serials: full ? [Self.nasty, "SN-2"] : [], price: Money(71, .usd), effectiveOn: day, proposedOn: day,
      validUntil: day, reason: some(Self.nasty), offered: Array((full ? #"{"quantity": 8}"# : "{}").utf8),
      proposedBy: some(id(1)), createdAt: now, updatedAt: updatedAt)
    return LoanAssignment(
      proposed,
      LoanAssignment.Progress(
        state: full ? .settled : .proposed, acceptedOn: some(day), acceptedBy: some(id(18)),
        acceptedClaim: some(Debt(charges: 72, fee: 73, principal: 74, tax: 71)), consentBy: some(day),
        consentedOn: some(day),
        settleBy: some(day), endedOn: some(day), assignedLoanID: some(id(13)),
        settledClaim: some(Debt(charges: 75, fee: 76, principal: 77, tax: 70)), settledResidue: some(78)),
      version: version)
  }

  var decline: PrepaymentDecline {
    PrepaymentDecline(
      id: id(64), borrowerID: borrower, roundID: id(17), closingID: id(19), loanID: id(11), lenderID: lender,
      amount: Money(81, .usd), goesTo: full ? .nextRank : .borrower, returned: full ? 80 : 0, declinedOn: day,
      declinedBy: some(id(1)), digest: SHA256Digest(of: [1, 2]), bytes: [1, 2], recordedAt: now)
  }

  var loanEvent: LoanEventRow {
    LoanEventRow(
      id: id(34), borrowerID: borrower, lenderID: lender, loanID: id(11), loanVersion: 3, type: "loan.recalled",
      reason: some(Self.nasty), facts: Array((full ? #"{"quantity": 8}"# : "{}").utf8), actorID: lender,
      personID: some(id(1)), action: "loan.recall", at: now)
  }

  var unit: ChipUnit {
    ChipUnit(
      id: id(35), lenderID: lender, chipModelID: chip, lotID: id(4), serial: Self.nasty, loanID: some(id(11)),
      borrowerID: some(borrower), condition: full ? .banned : .inService, version: version, createdAt: now,
      updatedAt: updatedAt)
  }

  var unitEvent: UnitEventRow {
    UnitEventRow(
      id: id(36), lenderID: lender, borrowerID: some(borrower), loanID: some(id(11)), lotID: full ? nil : id(8),
      unitID: some(id(35)), quantity: 1,
      kind: full ? .sentToRepair : .accepted, occurredOn: day, note: some(Self.nasty), actorID: lender,
      personID: some(id(1)), recordedAt: now)
  }

  /// Only one pack may wait, so both are decided on.
  var rulePack: RulePack {
    let content = Array(Self.nasty.utf8) + [UInt8(truncatingIfNeeded: seed)]
    return RulePack(
      id: id(51), kind: full ? .screeningLists : .exportRules, content: content, digest: SHA256Digest(of: content),
      asOf: day, source: Self.nasty,
      state: full ? .switchedOn : .rejected, loadedBy: id(1), decidedBy: id(2), decidedAt: now,
      reason: full ? nil : Self.nasty, version: version, createdAt: now, updatedAt: updatedAt)
  }

  var complianceItem: ComplianceItem {
    ComplianceItem(
      id: id(52),
      finding: ComplianceItem.Finding(
        kind: .loan, subject: uuid(11), borrowerID: some(borrower), lenderID: some(lender), chipModelID: chip,
        quantity: 8, on: day, effect: .holdLicence, rules: full ? [Self.nasty, "b"] : [], since: some(day),
        suggestion: .hold),
      runID: some(id(53)),
      decision: full ? ComplianceItem.Decision(resolution: .hold, note: Self.nasty, by: id(1), at: now) : nil,
      version: version, createdAt: now, updatedAt: updatedAt)
  }

  var loanReturn: LoanReturn {
    LoanReturn(
      id: id(15), borrowerID: borrower, lenderID: lender, loanID: id(11), lotID: id(4), quantity: 8, startedOn: day,
      state: full ? .accepted : .held, arrivedOn: some(day), inspectedOn: some(day), condition: some(.damaged),
      conditionCharge: full ? 51 : 0, credit: full ? 52 : 0, version: version, createdAt: now, updatedAt: updatedAt)
  }

  var verdict: VerdictRow {
    VerdictRow(
      id: id(16), borrowerID: borrower, lenderID: lender, act: "hand_over", on: day, subject: uuid(11),
      chipModelID: chip, quantity: 16, effect: full ? "clear" : "hold_licence", licenceID: some(id(3)),
      // As the server writes jsonb: the bytes are kept by meaning, not letter by letter.
      findings: Array((full ? #"[{"id": "us-3a090-2023", "measured": []}]"# : "[]").utf8), acted: full, recordedAt: now)
  }

  var fundingRound: FundingRound {
    FundingRound(
      id: id(17), borrowerID: borrower, kind: full ? .acquisition : .safe, name: Self.nasty, announcedOn: day,
      currency: .usd, amount: some(61), preMoney: some(62), postMoney: some(63), acquirer: some("Acquirer"),
      acquirerID: some(id(48)), chooseBy: some(day), evidence: some("filing"), state: full ? .verified : .reported,
      reportedBy: some(id(1)),
      verifiedBy: some(id(18)), decidedOn: some(day), reason: some("seen"), version: version, createdAt: now,
      updatedAt: updatedAt)
  }

  var closing: FundingClosing {
    FundingClosing(
      id: id(19), borrowerID: borrower, roundID: id(17), closedOn: day, netNewCash: Money(71, .usd),
      state: full ? .swept : .reported, sweptOn: some(day), version: version)
  }

  var receipt: CashReceipt {
    CashReceipt(
      id: id(23), organizationID: borrower, receivedOn: day, amount: Money(91, .usd),
      source: full ? .deposit : .clawBack,
      reference: some(Self.nasty), remainder: full ? 89 : 91,
      assignment: some(CashReceipt.Assignment(payerID: borrower, by: id(18), on: day)), clawedBack: full ? 7 : 0,
      suspense: some(CashReceipt.Suspense(reason: .thirdPartyPayer, namedPayer: borrower)),
      payer: some(CashReceipt.Payer(name: Self.nasty, account: "0200 9")), remainderReason: some(.otherCurrency),
      converted: full ? 1 : 0, marginCallID: some(id(67)),
      deposit: some(CashReceipt.Deposit(loanID: id(11), held: 2)),
      claim: full ? .none : ClawbackRepayment(paid: 2, returned: 1), version: version, createdAt: now)
  }

  var waterfalls: StartupWaterfalls {
    get throws {
      let place = IntercreditorTerms.Place(loanID: id(11), rank: 2, hasAcceded: full)
      return StartupWaterfalls(
        id: id(42), borrowerID: borrower, effectiveOn: day,
        terms: try IntercreditorTerms(full ? [.standard(for: .insurance)] : [], places: [place]),
        evidence: Self.nasty, setBy: id(18), recordedAt: now)
    }
  }

  var correction: ClosingCorrection {
    ClosingCorrection(
      id: id(41), borrowerID: borrower, roundID: id(17), closingID: id(19), was: 2, becomes: Money(1, .usd),
      reason: Self.nasty, isAfterSweep: full, correctedOn: day, correctedBy: id(18), recordedAt: now)
  }

  var explanation: ExplanationRow {
    let bytes: [UInt8] = [1, 2, 0, 255]
    return ExplanationRow(
      borrowerID: borrower, subjectID: uuid(23), kind: .allocation, digest: SHA256Digest(of: bytes), bytes: bytes,
      recordedAt: now)
  }

  var allocation: AllocationRow {
    AllocationRow(
      borrowerID: borrower, receiptID: id(23), loanID: id(11), step: "principal", lenderID: lender,
      amount: Money(1, .usd), allocatedOn: day)
  }

  var invoice: PlatformInvoice {
    PlatformInvoice(
      id: id(46), lenderID: lender, number: 1, currency: .usd, from: day, through: day, feeIncome: 100, platformFee: 5,
      runID: id(25), createdAt: now)
  }

  var invoiceLine: InvoiceLine {
    InvoiceLine(
      lenderID: lender, payoutID: id(24), invoiceID: id(46), entryID: id(27), on: day, feeIncome: 100, platformFee: 5)
  }

  var statementDocument: StatementRow {
    let bytes = Array("{}".utf8)
    return StatementRow(
      id: id(45), organizationID: borrower, month: day, through: day, digest: SHA256Digest(of: bytes), bytes: bytes,
      runID: id(25), createdAt: now)
  }

  var penalty: PenaltyRow {
    PenaltyRow(
      id: id(43), borrowerID: borrower, lenderID: lender, loanID: id(11), reverses: nil, from: day,
      to: day.adding(days: 2) ?? day, days: 2, base: 1_000, rate: BasisPoints(500), yearDays: 360,
      amount: full ? 3 : 0, residueBefore: 1, residueAfter: -2, isCapped: full, entryID: some(id(27)), bookedOn: day,
      recordedAt: now)
  }

  var taxCertificate: TaxCertificate {
    TaxCertificate(
      id: id(67), borrowerID: borrower, lenderID: lender, loanID: id(11), jurisdiction: china, isGrossedUp: full,
      fee: Money(900, .usd), withheld: Money(100, .usd), paidOn: day, authority: Self.nasty, reference: Self.nasty,
      ruleID: id(44), rate: BasisPoints(1_000), state: full ? .confirmed : .proposed, recordedBy: some(id(1)),
      decidedBy: some(id(18)), decidedAt: some(later), reason: nil,
      booking: some(TaxCertificate.Booking(entryID: id(27), on: day, fee: 0, principal: 0)), version: version,
      createdAt: now,
      updatedAt: updatedAt)
  }

  var taxLine: TaxLineRow {
    TaxLineRow(
      id: id(66), borrowerID: borrower, lenderID: lender, loanID: id(11), treatment: full ? .standard : .exempt,
      jurisdiction: china, currency: .cny, ruleID: some(id(44)), rate: BasisPoints(full ? 1_300 : 0),
      rounding: full ? .halfUp : .down, from: day, to: day.adding(days: 1) ?? day, isRestated: full,
      fee: full ? -100 : 100, amount: full ? -13 : 0, residueBefore: 1, residueAfter: -2, entryID: some(id(27)),
      bookedOn: day, recordedAt: now)
  }

  var heldAct: HeldAct {
    HeldAct(
      id: id(73), action: "licence.add", duty: .compliance, path: "/v1/licences", body: #"{"reference":"BIS/1"}"#,
      ifVersion: full ? 3 : nil, state: full ? .rejected : .proposed, proposedBy: id(1), decidedBy: some(id(18)),
      decidedAt: some(later), reason: some(Self.nasty), version: version, createdAt: now, updatedAt: updatedAt)
  }

  func referenceEntry() throws -> ReferenceEntry {
    let calendar = try PublishedCalendar(
      code: try required(CalendarCode("TEST-1")), currencies: [.usd, .cny], from: day,
      through: try required(day.adding(days: 365)), weekend: [6, 7],
      holidays: full ? [Holiday(on: day, name: Self.nasty)] : [], source: Self.nasty)
    return ReferenceEntry(
      id: id(44), fact: .calendar(calendar), state: full ? .adopted : .proposed, proposedBy: id(1),
      decidedBy: some(id(18)), decidedAt: some(later), version: version, createdAt: now, updatedAt: updatedAt)
  }

  var payout: Payout {
    Payout(
      id: id(24), lenderID: lender, businessDate: day, gross: Money(100, .usd), platformFee: 5,
      netting: full ? Payout.Netting(netted: 30, repaid: 20) : .none, runID: id(25), recordedAt: now)
  }
}

/// A value of the fixtures that does not parse: a defect of the fixtures.
struct RowFixtureError: Error {}

/// - Throws: when there is none.
func required<Value>(_ value: Value?) throws(RowFixtureError) -> Value {
  guard let value else { throw RowFixtureError() }
  return value
}
