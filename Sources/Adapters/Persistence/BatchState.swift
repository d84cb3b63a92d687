import Catalogue
import Ledger
import Lending
import Parties
import Primitives
import Repayment
import Valuation

/// What a batch has loaded so far, with the effects of the commands that were already decided.
package struct BatchState: Sendable {
  package var shelves = Shelves()
  /// Needs that were looked up, found or not.
  package var satisfied: Set<Need> = []
  package var lendersOfBorrower: [OrganizationID: Set<OrganizationID>] = [:]
  package var loansOfBorrower: [OrganizationID: [LoanID]] = [:]
  package var closingsOfRound: [FundingRoundID: [ClosingID]] = [:]
  package var closingsOfBorrower: [OrganizationID: [ClosingID]] = [:]
  /// Records of the sweep and of corrections, in the order in which they were written.
  package var sweepsOfClosing: [ClosingID: [ExplanationRow]] = [:]
  /// Allocated from receipts that were recorded since a closing was swept, at that instant included, in minor units.
  package var paidSinceSweep: [ClosingID: [LoanID: Int64]] = [:]
  /// In the order in which they were decided.
  package var declinesOfClosing: [ClosingID: [PrepaymentDecline]] = [:]
  package var waterfallsOf: [OrganizationID: [StartupWaterfalls]] = [:]
  package var returnsOfLoan: [LoanID: [LoanEventID]] = [:]
  package var amendmentsOfLoan: [LoanID: [AmendmentID]] = [:]
  package var assignmentsOfLoan: [LoanID: [LoanAssignmentID]] = [:]
  /// Minor units by business date, an increase positive.
  package var principalMoves: [LoanID: [CalendarDate: Int64]] = [:]
  /// In the order in which they were charged and taken back.
  package var penaltiesOfLoan: [LoanID: [PenaltyRow]] = [:]
  /// In the order in which they were adopted.
  package var adoptedTaxRules: [ReferenceEntryID] = []
  package var taxCertificatesOf: [OrganizationID: [TaxCertificateID]] = [:]
  package var invoiceBooks: [OrganizationID: InvoiceBook] = [:]
  package var statementSources: [StatementKey: StatementSource] = [:]
  package var unitBySerial: [UnitKey: UnitID] = [:]
  /// Units that were in the loan when it was looked up, or came into it since; some may have left.
  package var unitsOfLoan: [LoanID: [UnitID]] = [:]
  package var listingsOfLot: [LotID: [ListingID]] = [:]
  package var reservePlans: [OrganizationID: [ReservePlanID]] = [:]
  package var lotsOfLender: [OrganizationID: [LotID]] = [:]
  package var licencesOf: [OrganizationID: [LicenceID]] = [:]
  package var balances: [AccountRef: Int64] = [:]
  package var chipMarks: [ChipModelID: [ValuationMark]] = [:]
  /// Lease rows by the name of their segment, share-locked by this batch.
  package var leases: [String: MatchLeaseRow] = [:]
  /// Rows of shards and of runs, locked by this batch.
  package var shards: [ShardLease: ShardRow] = [:]
  package var settlementRuns: [SettlementRunID: SettlementRun] = [:]
  /// What banks said, once it was asked for.
  package var bank: BankBook?
  /// Items that earlier lines settled, by reference, for the references that were asked for.
  package var settledItems: [String: [BankItem]] = [:]
  package var clientMoney: [CalendarDate: ClientMoneyDay] = [:]
  /// Rates that were in use when their pair was looked up, or came into use since; some may not be any more.
  package var fxRatesOf: [FXPair: Set<FXRateID>] = [:]
  /// Packs that wait for a decision, once they were asked for.
  package var waitingRulePacks: [RulePackID] = []
  /// Subjects that have an open item, of those that were asked about.
  package var openComplianceSubjects: Set<ComplianceItem.Key> = []
  /// Requests that looked for chips when they were looked up, or were made since; some may not any more.
  package var openRequests: [OrganizationID: [LoanRequestID]] = [:]
  /// Offers to a startup that nobody had answered when they were looked up, or were made since.
  package var pendingOffers: [OrganizationID: [OfferID]] = [:]
  /// How receipts were divided, and what was taken back of them.
  package var divisions: [CashReceiptID: DividedReceipt] = [:]
  package var payeesOf: [OrganizationID: [PayeeID]] = [:]
  /// What was asked for of marks, their proposals and their sources.
  package var valuation = ValuationState()
  package var margin = MarginState()
  package var listingOptions: [ListingID: ListingOptions] = [:]
  package var conversionsOf: [LoanID: [LoanConversion]] = [:]
  package var listingWarrants: [ListingID: ListingWarrants] = [:]
  package var listingFavours: [ListingID: ListingFavour] = [:]
  /// All loans of a borrower, those that have ended too.
  package var tradedLoansOf: [OrganizationID: [LoanID]] = [:]
  /// Warrants on a startup's shares that were outstanding when they were looked up, or were issued since.
  package var warrantsOf: [OrganizationID: [WarrantID]] = [:]
  package var controlChoicesOf: [OrganizationID: [ControlChoiceID]] = [:]
  /// The binding in force for a subject of an issuer, where there was one when it was looked up, or made since.
  package var bindingsOf: [String: [String: IdentityBindingID]] = [:]
  /// Webhooks of an organisation that are not closed.
  package var webhooksOf: [OrganizationID: [WebhookID]] = [:]
  /// The heads this batch holds locked.
  package var heads: [OrganizationID: Head] = [:]

  package init() {}

  package var organizations: Shelf<Parties.Organization> { shelves.organizations }
  package var lots: Shelf<Lot> { shelves.lots }
  package var listings: Shelf<Listing> { shelves.listings }
  package var requests: Shelf<LoanRequest> { shelves.requests }
  package var offers: Shelf<Offer> { shelves.offers }
  package var loans: Shelf<Loan> { shelves.loans }
  package var rounds: Shelf<FundingRound> { shelves.rounds }

  /// Balances of all accounts of a book with this code that are not zero, in a fixed order.
  package func accounts(_ book: OrganizationID, _ code: AccountCode) -> [(AccountRef, Int64)] {
    balances.filter { $0.key.book == book && $0.key.code == code && $0.value != 0 }
      .sorted { $0.key < $1.key }.map { ($0.key, $0.value) }
  }

  /// Takes over what a command made, so that the next one sees it.
  package mutating func absorb(_ made: Made) throws(ArithmeticOverflow) {
    for (account, amount) in made.balanceChanges {
      balances[account] = try balances[account, default: 0].adding(amount)
    }
    for head in made.newHeads { heads[head.organizationID] = head }
    for loan in made.overlay.loans.insertedRows { loansOfBorrower[loan.terms.borrowerID]?.append(loan.id) }
    for closing in made.overlay.closings.insertedRows {
      closingsOfRound[closing.roundID]?.append(closing.id)
      closingsOfBorrower[closing.borrowerID]?.append(closing.id)
    }
    for record in made.explanations where record.kind == .sweep {
      sweepsOfClosing[ClosingID(record.subjectID)]?.append(record)
    }
    for correction in made.corrections where correction.isAfterSweep {
      sweepsOfClosing[correction.closingID]? += made.explanations.filter { $0.subjectID == correction.id.value }
    }
    for closing in paidSinceSweep.keys where sweepsOfClosing[closing]?.isEmpty == false {
      for row in made.allocations {
        let before = paidSinceSweep[closing]?[row.loanID] ?? 0
        paidSinceSweep[closing]?[row.loanID] = try before.adding(row.amount.amount)
      }
      // What was taken back of a receipt that counts is not paid.
      let swept = sweepsOfClosing[closing]?.first { $0.kind == .sweep }?.recordedAt ?? .epoch
      for line in made.clawbackLines {
        guard let receipt = made.overlay.receipts[line.receiptID], receipt.createdAt >= swept else { continue }
        let before = paidSinceSweep[closing]?[line.loanID] ?? 0
        paidSinceSweep[closing]?[line.loanID] = try before.subtracting(line.cash.amount)
      }
    }
    for row in made.declines { declinesOfClosing[row.closingID]?.append(row) }
    for row in made.waterfalls { waterfallsOf[row.borrowerID]?.append(row) }
    for entry in made.overlay.returns.insertedRows { returnsOfLoan[entry.loanID]?.append(entry.id) }
    for amendment in made.overlay.amendments.insertedRows {
      amendmentsOfLoan[amendment.loanID]?.append(amendment.id)
    }
    for assignment in made.overlay.assignments.insertedRows {
      assignmentsOfLoan[assignment.loanID]?.append(assignment.id)
    }
    // By the account: the entry of a sale moves principal from one loan to another.
    for entry in made.entries where !principalMoves.isEmpty {
      for line in entry.lines where line.account.code == .payablePrincipal {
        let loan = LoanID(line.account.subject)
        let moves = principalMoves[loan]?[entry.businessDate] ?? 0
        principalMoves[loan]?[entry.businessDate] = try moves.subtracting(line.amount)
      }
    }
    for unit in made.overlay.units.insertedRows + made.overlay.units.updatedRows.map(\.row) {
      unitBySerial[UnitKey(lenderID: unit.lenderID, chipModelID: unit.chipModelID, serial: unit.serial)] = unit.id
      if let loan = unit.loanID, unitsOfLoan[loan]?.contains(unit.id) == false { unitsOfLoan[loan]?.append(unit.id) }
    }
    for invoice in made.invoices { invoiceBooks[invoice.lenderID]?.lastNumber = invoice.number }
    let invoiced = Set(made.invoiceLines.map(\.payoutID))
    for lender in Set(made.invoices.map(\.lenderID)) {
      invoiceBooks[lender]?.payouts.removeAll { invoiced.contains($0.payoutID) }
    }
    for row in made.statements {
      let key = StatementKey(organizationID: row.organizationID, from: row.month, through: row.through)
      statementSources[key]?.issued = row
    }
    adoptedTaxRules += made.overlay.referenceEntries.updatedRows.map(\.row).filter(\.isAdoptedTaxRule).map(\.id)
    for row in made.overlay.taxCertificates.insertedRows { taxCertificatesOf[row.borrowerID]?.append(row.id) }
    for row in made.penalties { penaltiesOfLoan[row.loanID, default: []].append(row) }
    for listing in made.overlay.listings.insertedRows { listingsOfLot[listing.lotID]?.append(listing.id) }
    for plan in made.overlay.reservePlans.insertedRows { reservePlans[plan.lenderID]?.append(plan.id) }
    for record in made.overlay.licences.insertedRows { licencesOf[record.licence.holder]?.append(record.id) }
    for lot in made.overlay.lots.insertedRows { lotsOfLender[lot.lenderID]?.append(lot.id) }
    for mark in made.marks {
      if let model = mark.subject.chipModel { chipMarks[model]?.append(mark) }
    }
    for rate in made.overlay.fxRates.insertedRows + made.overlay.fxRates.updatedRows.map(\.row) {
      fxRatesOf[rate.rate.pair]?.insert(rate.id)
    }
    waitingRulePacks += made.overlay.rulePacks.insertedRows.map(\.id)
    openComplianceSubjects.formUnion(made.overlay.complianceItems.insertedRows.map(\.finding.key))
    for request in made.overlay.requests.insertedRows { openRequests[request.borrowerID]?.append(request.id) }
    for offer in made.overlay.offers.insertedRows { pendingOffers[offer.borrowerID]?.append(offer.id) }
    valuation.absorb(made)
    try margin.absorb(made)
    for row in made.listingOptions { listingOptions[row.listingID] = row }
    for row in made.listingFavours { listingFavours[row.listingID] = row }
    for loan in made.overlay.loans.insertedRows { tradedLoansOf[loan.terms.borrowerID]?.append(loan.id) }
    for row in made.listingWarrants { listingWarrants[row.listingID] = row }
    for warrant in made.overlay.warrants.insertedRows { warrantsOf[warrant.borrowerID]?.append(warrant.id) }
    for row in made.loanConversions { conversionsOf[row.loanID]?.append(row) }
    for choice in made.overlay.controlChoices.insertedRows { controlChoicesOf[choice.borrowerID]?.append(choice.id) }
    for binding in made.overlay.identityBindings.insertedRows {
      bindingsOf[binding.issuer, default: [:]][binding.subject] = binding.id
    }
    for webhook in made.overlay.webhooks.insertedRows { webhooksOf[webhook.organizationID]?.append(webhook.id) }
    try absorbBank(made)
    try absorbClawbacks(made)
    shelves.absorb(made.overlay)
  }

  private mutating func absorbBank(_ made: Made) throws(ArithmeticOverflow) {
    if bank != nil { try bank?.absorb(made) }
    for match in made.bank.matches { settledItems[match.item.reference]?.append(match.item) }
    if clientMoney.isEmpty { return }
    for entry in made.entries where entry.book == .platform {
      for date in clientMoney.keys.sorted() where entry.businessDate <= date {
        for line in entry.lines {
          guard case .currency(let currency) = line.account.asset else { continue }
          try clientMoney[date]?.add(line.account.code, currency, line.amount)
        }
      }
    }
  }

  /// Forgets every row but keeps the locked heads: what was read before the locks may be old.
  package mutating func forgetRows() {
    let held = heads
    self = BatchState()
    heads = held
  }
}
