import Catalogue
import Ledger
import Lending
import Matching
import Parties
import Postgres
import Primitives
import Repayment
import Valuation

extension Loader {
  /// Needs by kind.
  struct Wanted {
    var organizations: [UUIDValue] = []
    var apiKeys: [UUIDValue] = []
    var identityBindings: [UUIDValue] = []
    var bindingsOf: [(issuer: String, subject: String)] = []
    var lots: [UUIDValue] = []
    var listings: [UUIDValue] = []
    var requests: [UUIDValue] = []
    var offers: [UUIDValue] = []
    var loans: [UUIDValue] = []
    var rounds: [UUIDValue] = []
    var returns: [UUIDValue] = []
    var lendersOf: [OrganizationID] = []
    var loansOf: [OrganizationID] = []
    var closingsOfRound: [FundingRoundID] = []
    var closingsOf: [OrganizationID] = []
    var sweepsOf: [ClosingID] = []
    var declinesOf: [ClosingID] = []
    var waterfallsOf: [OrganizationID] = []
    var returnsOf: [LoanID] = []
    var units: [UnitKey] = []
    var unitsOf: [LoanID] = []
    var amendments: [UUIDValue] = []
    var amendmentsOf: [LoanID] = []
    var assignments: [UUIDValue] = []
    var assignmentsOf: [LoanID] = []
    var principalOf: [(borrower: OrganizationID, loan: LoanID)] = []
    var listingsOf: [LotID] = []
    var plansOf: [OrganizationID] = []
    var lotsOf: [OrganizationID] = []
    var accounts: [(OrganizationID, AccountCode)] = []
    var chipMarks: [ChipModelID] = []
    var licencesOf: [OrganizationID] = []
    var leases: Set<MatchSegment> = []
    var shards: [ShardLease] = []
    var settlementRuns: [SettlementRunID] = []
    var bankBook = false
    var settledItems: Set<String> = []
    var clientMoney: Set<CalendarDate> = []
    var breaks: [UUIDValue] = []
    var payees: [UUIDValue] = []
    var payeesOf: [OrganizationID] = []
    var webhooks: [UUIDValue] = []
    var webhooksOf: [OrganizationID] = []
    var clawbacks: [UUIDValue] = []
    var divisions: [CashReceiptID] = []
    var topUps: [UUIDValue] = []
    var receipts: [UUIDValue] = []
    var rulePacks: [UUIDValue] = []
    var waitingRulePacks = false
    var complianceItems: [UUIDValue] = []
    var openSubjects: Set<UUIDValue> = []
    var openRequestsOf: [OrganizationID] = []
    var pendingOffersOf: [OrganizationID] = []
    var fxRateIDs: [UUIDValue] = []
    var fxRates: Set<FXSpan> = []
    var cashConversions: [UUIDValue] = []
    var referenceEntries: [UUIDValue] = []
    var heldActs: [UUIDValue] = []
    var adoptedTaxRules = false
    var taxCertificates: [UUIDValue] = []
    var taxCertificatesOf: [OrganizationID] = []
    var penaltiesOf: [OrganizationID] = []
    var statementKeys: Set<StatementKey> = []
    var valuation: Set<ValuationNeed> = []
    var margin: Set<MarginNeed> = []
    var controlChoices: [UUIDValue] = []
    var listingOptions: [ListingID] = []
    var conversionsOf: [LoanID] = []
    var listingWarrants: [ListingID] = []
    var warrants: [UUIDValue] = []
    var listingFavours: [ListingID] = []
    var tradedLoansOf: [OrganizationID] = []
    var warrantsOf: [OrganizationID] = []
    var controlChoicesOf: [OrganizationID] = []
    var invoicesOf: [(OrganizationID, CalendarDate)] = []

    mutating func add(_ need: Need) {
      switch need {
      case .organization(let id): organizations.append(id.value)
      case .apiKey(let id): apiKeys.append(id.value)
      case .identityBinding(let id): identityBindings.append(id.value)
      case .bindingOf(let issuer, let subject): bindingsOf.append((issuer, subject))
      case .lot(let id): lots.append(id.value)
      case .listing(let id): listings.append(id.value)
      case .request(let id): requests.append(id.value)
      case .offer(let id): offers.append(id.value)
      case .loan(let id): loans.append(id.value)
      case .round(let id): rounds.append(id.value)
      case .loanReturn(let id): returns.append(id.value)
      case .lendersOfBorrower(let id): lendersOf.append(id)
      case .loansOfBorrower(let id): loansOf.append(id)
      case .closingsOfRound(let id): closingsOfRound.append(id)
      case .closingsOfBorrower(let id): closingsOf.append(id)
      case .sweepOfClosing(let id): sweepsOf.append(id)
      case .declinesOfClosing(let id): declinesOf.append(id)
      case .waterfalls(let id): waterfallsOf.append(id)
      case .returnsOfLoan(let id): returnsOf.append(id)
      case .unit(let key): units.append(key)
      case .unitsOfLoan(let id): unitsOf.append(id)
      case .amendment(let id): amendments.append(id.value)
      case .amendmentsOfLoan(let id): amendmentsOf.append(id)
      case .assignment(let id): assignments.append(id.value)
      case .assignmentsOfLoan(let id): assignmentsOf.append(id)
      case .principalMoves(let borrower, let id): principalOf.append((borrower, id))
      case .listingsOfLot(let id): listingsOf.append(id)
      case .reservePlans(let id): plansOf.append(id)
      case .lotsOfLender(let id): lotsOf.append(id)
      case .accounts(let id, let code): accounts.append((id, code))
      case .chipMarks(let id): chipMarks.append(id)
      case .licencesOf(let id): licencesOf.append(id)
      case .lease(let segment): leases.insert(segment)
      case .shard(let lease): shards.append(lease)
      case .settlementRun(let id): settlementRuns.append(id)
      case .bankBook: bankBook = true
      case .settledItems(let references): settledItems.formUnion(references)
      case .clientMoney(let date): clientMoney.insert(date)
      case .receipt(let id): receipts.append(id.value)
      case .fxRate(let id): fxRateIDs.append(id.value)
      case .fxRates(let span): fxRates.insert(span)
      case .cashConversion(let id): cashConversions.append(id.value)
      case .listingOptions(let id): listingOptions.append(id)
      case .conversionsOfLoan(let id): conversionsOf.append(id)
      case .listingWarrants(let id): listingWarrants.append(id)
      case .listingFavour(let id): listingFavours.append(id)
      case .tradedLoans(let id): tradedLoansOf.append(id)
      case .warrant(let id): warrants.append(id.value)
      case .warrants(let id): warrantsOf.append(id)
      case .controlChoice(let id): controlChoices.append(id.value)
      case .controlChoices(let id): controlChoicesOf.append(id)
      case .payee(let id): payees.append(id.value)
      case .payees(let id): payeesOf.append(id)
      case .webhook(let id): webhooks.append(id.value)
      case .webhooks(let id): webhooksOf.append(id)
      case .clawback(let id): clawbacks.append(id.value)
      case .division(let id): divisions.append(id)
      case .topUp(let id): topUps.append(id.value)
      case .referenceEntry(let id): referenceEntries.append(id.value)
      case .heldAct(let id): heldActs.append(id.value)
      case .adoptedTaxRules: adoptedTaxRules = true
      case .taxCertificate(let id): taxCertificates.append(id.value)
      case .taxCertificates(let id): taxCertificatesOf.append(id)
      case .penalties(let id): penaltiesOf.append(id)
      case .invoices(let id, let date): invoicesOf.append((id, date))
      case .statement(let key): statementKeys.insert(key)
      case .reconciliationBreak(let id): breaks.append(id.value)
      case .rulePack(let id): rulePacks.append(id.value)
      case .waitingRulePacks: waitingRulePacks = true
      case .complianceItem(let id): complianceItems.append(id.value)
      case .openComplianceSubjects(let ids): openSubjects.formUnion(ids)
      case .openRequests(let id): openRequestsOf.append(id)
      case .pendingOffers(let id): pendingOffersOf.append(id)
      case .valuation(let need): valuation.insert(need)
      case .margin(let need): margin.insert(need)
      }
    }
  }
}
