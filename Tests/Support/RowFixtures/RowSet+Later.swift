import BankFiles
import Catalogue
import Interest
import Ledger
import Lending
import Parties
import Primitives
import Repayment
@testable import Persistence

/// Rows of money that was taken back, of rates, choices and options, and those of answers, the audit log and the journal.
extension RowSet {
  var clawback: ReceiptClawback {
    ReceiptClawback(
      id: id(47), organizationID: borrower, receiptID: id(23), payerID: some(borrower), amount: Money(7, .usd),
      takenBackOn: day, reason: .bankRecall, reference: some(Self.nasty), order: .lastRankFirst,
      state: full ? .approved : .proposed, proposedBy: id(18),
      decision: some(SecondPersonDecision(by: id(19), at: later)),
      booking: some(ReceiptClawback.Booking(number: 1, on: day, fromRemainder: 3, advanced: 2, uncovered: 1)),
      version: version, createdAt: now, updatedAt: updatedAt)
  }

  var clawbackLine: ClawbackLine {
    ClawbackLine(
      borrowerID: borrower, clawbackID: id(47), loanID: id(11), step: "fee", lenderID: lender, receiptID: id(23),
      cash: Money(4, .usd), held: 1, feeReturned: full ? 1 : 0, reinstates: full, entryID: id(27), bookedOn: day)
  }

  var topUp: ClientMoneyTopUp {
    ClientMoneyTopUp(
      id: id(48), amount: Money(9, .usd), fundedOn: day, reference: Self.nasty, state: full ? .rejected : .proposed,
      proposedBy: id(18), decision: some(SecondPersonDecision(by: id(18), at: later)), note: some(Self.nasty),
      version: version, createdAt: now, updatedAt: updatedAt)
  }

  func payee() throws -> Payee {
    Payee(
      id: id(39), organizationID: borrower, currency: .usd,
      holder: try AccountHolder(
        name: "Müller & Söhne", account: .other("0200 9"), agent: some(try required(BIC("DEUTDEFF")))),
      state: full ? .withdrawn : .proposed, proposedBy: id(18), verifiedBy: some(id(19)), verifiedAt: some(now),
      usableFrom: some(later), withdrawnBy: some(id(18)), withdrawnAt: some(later), reason: some(Self.nasty),
      version: version, createdAt: now, updatedAt: updatedAt)
  }

  func fxRate() throws -> RecordedFXRate {
    RecordedFXRate(
      id: id(43),
      rate: try FXRate(
        base: .usd, quote: .cny, price: "7.23450", on: required(day.adding(days: Int64(seed))), source: Self.nasty),
      supersedes: some(id(45)), state: full ? .superseded : .proposed, proposedBy: id(18), decidedBy: some(id(19)),
      decidedAt: some(now), supersededAt: some(later), reason: some(Self.nasty), version: version, createdAt: now,
      updatedAt: updatedAt)
  }

  var conversion: CashConversion {
    CashConversion(
      id: id(44), organizationID: borrower, receiptID: id(23), amount: Money(1, .usd), into: Money(7, .cny),
      convertedOn: day, marketRate: Self.nasty, evidence: Self.nasty, state: full ? .approved : .proposed,
      proposedBy: id(18), decidedBy: some(id(19)), decidedAt: some(now), intoReceiptID: some(id(46)), version: version,
      createdAt: now, updatedAt: updatedAt)
  }

  var options: ListingOptions {
    ListingOptions(
      listingID: id(6), lenderID: lender, cap: some(Money(5, .usd)), discount: BasisPoints(full ? 2_000 : 0),
      share: BasisPoints(5_000))
  }

  private func pricing() throws -> RoundPricing {
    try RoundPricing(price: SharePrice(200, for: 3), capitalisation: 7)
  }

  func loanConversion() throws -> LoanConversion {
    LoanConversion(
      id: id(59), borrowerID: borrower, lenderID: lender, loanID: id(11), roundID: id(17), options: options,
      pricing: try pricing(), currency: .usd, amount: 9, shares: 4, converted: 8, basis: full ? .cap : .round,
      convertedBy: id(18), convertedOn: day, recordedAt: now)
  }

  func listingWarrants() throws -> ListingWarrants {
    ListingWarrants(
      listingID: id(6), lenderID: lender, coverage: BasisPoints(1_000),
      strike: some(ListingWarrants.Strike(price: try SharePrice(250, for: 3), currency: .usd)), expiresAfterDays: 365,
      occasion: full ? .qualifyingRound : .anyTime)
  }

  func warrant() throws -> Warrant {
    Warrant(
      id: id(66), borrowerID: borrower, lenderID: lender, loanID: id(11), listingID: id(6),
      coverage: BasisPoints(1_000), covered: Money(1_800_000, .usd),
      strike: some(Warrant.Strike(price: try SharePrice(250, for: 3), roundID: id(17))), count: some(21_600),
      occasion: full ? .changeOfControl : .anyTime, issuedOn: day, expiresOn: day,
      state: full ? .exercised : .outstanding,
      exercise: some(
        Warrant.Exercise(
          kind: .cash, roundID: id(17), price: nil, shares: 21_600, cost: 1_800_000, evidence: Self.nasty, by: id(18),
          on: day, confirmedBy: id(19), confirmedOn: day)), endedOn: some(day), version: version, createdAt: now,
      updatedAt: updatedAt)
  }

  var favour: ListingFavour {
    ListingFavour(
      listingID: id(6), lenderID: lender,
      clause: MostFavouredNation(extent: full ? .wholePackage : .termByTerm, through: some(day)))
  }

  var favouredClaim: FavouredClaim {
    let bytes: [UInt8] = [3, 2, 0, 255]
    return FavouredClaim(
      id: id(67), borrowerID: borrower, lenderID: lender, loanID: id(11), claimedBy: id(18), claimedOn: day,
      rate: BasisPoints(1_300), sweep: some(BasisPoints(3_000)), discount: some(BasisPoints(2_500)), cap: some(4),
      coverage: some(BasisPoints(900)), warrantID: some(id(66)), digest: SHA256Digest(of: bytes), bytes: bytes,
      recordedAt: now)
  }

  var choice: ControlChoice {
    ControlChoice(
      id: id(57), borrowerID: borrower, roundID: id(17), loanID: id(11), lenderID: lender, acquirerID: some(id(58)),
      kind: full ? .assume : .return, quantity: full ? nil : 8, state: full ? .done : .lapsed, chosenBy: id(18),
      chosenOn: day, consentedBy: some(id(19)), consentedOn: some(day), assumedBy: some(id(1)), doneOn: some(day),
      intoLoanID: some(id(49)), handedResidue: some(50), version: version, createdAt: now, updatedAt: updatedAt)
  }

  /// `seed` is in what is unique over the platform's rows.
  var bankStatement: BankStatementRow {
    BankStatementRow(
      id: id(37), statement: "\(Self.nasty) \(seed)", account: .other("0200 \(seed)"), electronicSequence: some(7),
      opening: Money(-5, .usd), openedOn: day, closing: Money(86, .usd), closedOn: day,
      fingerprint: SHA256Digest(of: [37, UInt8(seed)]), fileDigest: SHA256Digest(of: [38]), lineCount: 1,
      importedBy: some(id(18)), createdAt: now)
  }

  var bankLine: BankLineRow {
    BankLineRow(
      place: BankPlace(statementID: id(37), entry: 1, detail: 2), amount: Money(91, .usd), bookedOn: day,
      valueOn: some(day), status: .booked, isReversal: full, endToEndID: some(Self.nasty),
      creditorReference: some("RF18"), bankReference: some("b"), transactionCode: some("PMNT/RCDT/ESCT"),
      counterpartyName: some(Self.nasty), counterpartyAccount: some(.other("9")),
      remittance: full ? [Self.nasty, "second"] : [], references: full ? [Self.nasty] : [])
  }

  var match: ReconciliationMatch {
    ReconciliationMatch(
      place: BankPlace(statementID: id(37), entry: 1, detail: 2),
      item: BankItem(kind: .receipt, id: uuid(23), reference: Self.nasty, amount: Money(91, .usd), on: day),
      matchedAt: now)
  }

  var bankBreak: ReconciliationBreakRow {
    ReconciliationBreakRow(
      id: id(38), reason: "amount_differs", place: full ? (id(37), 1, 2) : (id(37), nil, nil),
      item: full ? (.receipt, uuid(23)) : nil, reference: some(Self.nasty), amount: Money(91, .usd), on: day,
      measure: some(-3), expectedCurrency: some(.cny), candidates: full ? ["payout \(Self.nasty)"] : [],
      state: full ? .resolved : .open, note: some(Self.nasty), resolvedBy: some(id(18)), decidedAt: some(later),
      version: version, createdAt: now, updatedAt: updatedAt)
  }

  var answer: AnswerRow {
    AnswerRow(
      organizationID: borrower, key: Self.nasty, fingerprint: SHA256Digest(of: [9]),
      answer: StoredAnswer(
        status: 422, headers: full ? [("Content-Type", "application/problem+json"), ("X", Self.nasty)] : [],
        body: full ? Array(0...255) : []), createdAt: now)
  }

  var audit: AuditRow {
    AuditRow(
      organizationID: borrower, id: uuid(26), at: now, recordedAt: later,
      credential: full ? .binding(id(71)) : .key(id(2)),
      personID: some(id(1)), action: "lot.create", subject: some(uuid(4)), outcome: "done", requestID: some(Self.nasty))
  }

  var entry: JournalEntryRow {
    JournalEntryRow(
      book: borrower, id: id(27), sequence: 1, kind: .cashReceived, businessDate: day, subject: uuid(23),
      recordedAt: now)
  }

  var lines: [JournalLineRow] {
    let amounts: [(AccountCode, Asset, Int64)] = [
      (.cashAtPlatform, .currency(.usd), 91), (.fundingReceived, .currency(.usd), -91),
      (.holdingsOnLoan, .chip(chip), 16), (.holdingsSource, .chip(chip), -16),
    ]
    return amounts.enumerated().map { index, line in
      JournalLineRow(
        entryID: id(27), number: Int32(index + 1),
        line: JournalLine(AccountRef(borrower, line.0, uuid(11), asset: line.1), line.2))
    }
  }

  var link: ChainLink {
    ChainLink(
      book: borrower, number: 1, firstSequence: 1, lastSequence: 1, previous: .zero, hash: SHA256Digest(of: [8]))
  }
}
