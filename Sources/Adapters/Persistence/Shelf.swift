import Catalogue
import Lending
import Parties
import Primitives
import Repayment

/// A row that the pipeline loads, decides on, and writes back: it has an id of its own and a version.
package protocol Stored: Sendable {
  associatedtype Noun: IdentifiedNoun
  var id: Identifier<Noun> { get }
  var version: Int64 { get set }
  /// Takes the business time of the change.
  mutating func stamp(_ now: Instant)
}

extension Stored {
  package mutating func stamp(_ now: Instant) {}
}

extension Organization: Stored {
  package mutating func stamp(_ now: Instant) { updatedAt = now }
}
extension APIKey: Stored {}
extension IdentityBinding: Stored {}
extension Lot: Stored {
  package mutating func stamp(_ now: Instant) { updatedAt = now }
}
extension ReservePlan: Stored {
  package mutating func stamp(_ now: Instant) { updatedAt = now }
}
extension Listing: Stored {
  package mutating func stamp(_ now: Instant) { updatedAt = now }
}
extension LoanRequest: Stored {
  package mutating func stamp(_ now: Instant) { updatedAt = now }
}
extension Offer: Stored {
  package mutating func stamp(_ now: Instant) { updatedAt = now }
}
extension Loan: Stored {
  package mutating func stamp(_ now: Instant) { updatedAt = now }
}
extension LoanReturn: Stored {
  package mutating func stamp(_ now: Instant) { updatedAt = now }
}
extension LoanAmendment: Stored {
  package mutating func stamp(_ now: Instant) { updatedAt = now }
}
extension ChipUnit: Stored {
  package mutating func stamp(_ now: Instant) { updatedAt = now }
}
extension FundingRound: Stored {
  package mutating func stamp(_ now: Instant) { updatedAt = now }
}
extension FundingClosing: Stored {}
extension CashReceipt: Stored {}
extension RecordedFXRate: Stored {
  package mutating func stamp(_ now: Instant) { updatedAt = now }
}

/// The rows of one kind that a batch has loaded, made or changed.
package struct Shelf<Row: Stored>: Sendable {
  package typealias Key = Identifier<Row.Noun>

  private struct Content: Sendable {
    var rows: [Key: Row] = [:]
    /// Rows made here, in order; not yet in the database.
    var inserted: [Key] = []
    /// Rows changed here, in order, with the version they had in the database.
    var updated: [(key: Key, loadedVersion: Int64)] = []
    /// These rows as the database has them, where they were loaded.
    var loaded: [Key: Row] = [:]
    var dirty: Set<Key> = []
  }

  /// One content, or none while nothing was put here. A state and a draft hold a dozen shelves each, nearly all of them
  /// empty, and are handed about for every command: as an array a shelf costs one reference to copy instead of four.
  private var content: [Content] = []

  package init() {}

  package subscript(id: Key) -> Row? { content.isEmpty ? nil : content[0].rows[id] }

  package var isUntouched: Bool { content.isEmpty || (content[0].inserted.isEmpty && content[0].updated.isEmpty) }

  /// A row as the database has it; never over one that this batch already changed.
  package mutating func load(_ row: Row) {
    if content.isEmpty { content.append(Content()) }
    guard !content[0].dirty.contains(row.id) else { return }
    content[0].rows[row.id] = row
  }

  /// A row that is new, or a later state of one that is here.
  package mutating func keep(_ row: Row, isNew: Bool, loadedVersion: Int64) {
    if content.isEmpty { content.append(Content()) }
    if content[0].dirty.insert(row.id).inserted {
      if isNew {
        content[0].inserted.append(row.id)
      } else {
        content[0].updated.append((row.id, loadedVersion))
        content[0].loaded[row.id] = content[0].rows[row.id]
      }
    }
    content[0].rows[row.id] = row
  }

  /// Takes over what a command made and changed.
  package mutating func absorb(_ overlay: Shelf<Row>) {
    guard let made = overlay.content.first else { return }
    for key in made.inserted {
      if let row = made.rows[key] { keep(row, isNew: true, loadedVersion: 0) }
    }
    for (key, loadedVersion) in made.updated {
      if let row = made.rows[key] { keep(row, isNew: false, loadedVersion: loadedVersion) }
    }
  }

  package var insertedRows: [Row] {
    guard let content = content.first else { return [] }
    return content.inserted.compactMap { content.rows[$0] }
  }

  /// Rows to rewrite, each with the version and, where it was loaded here, the state that it had.
  package var updatedRows: [(row: Row, loadedVersion: Int64, loaded: Row?)] {
    guard let content = content.first else { return [] }
    return content.updated.compactMap { key, version in
      content.rows[key].map { ($0, version, content.loaded[key]) }
    }
  }
}

/// One shelf for each kind of row that commands change.
package struct Shelves: Sendable {
  package var organizations = Shelf<Organization>()
  package var apiKeys = Shelf<APIKey>()
  package var identityBindings = Shelf<IdentityBinding>()
  package var lots = Shelf<Lot>()
  package var reservePlans = Shelf<ReservePlan>()
  package var listings = Shelf<Listing>()
  package var requests = Shelf<LoanRequest>()
  package var offers = Shelf<Offer>()
  package var loans = Shelf<Loan>()
  package var returns = Shelf<LoanReturn>()
  package var amendments = Shelf<LoanAmendment>()
  package var assignments = Shelf<LoanAssignment>()
  package var units = Shelf<ChipUnit>()
  package var rounds = Shelf<FundingRound>()
  package var closings = Shelf<FundingClosing>()
  package var receipts = Shelf<CashReceipt>()
  package var licences = Shelf<LicenceRecord>()
  package var payees = Shelf<Payee>()
  package var clawbacks = Shelf<ReceiptClawback>()
  package var topUps = Shelf<ClientMoneyTopUp>()
  package var breaks = Shelf<ReconciliationBreakRow>()
  package var rulePacks = Shelf<RulePack>()
  package var complianceItems = Shelf<ComplianceItem>()
  package var fxRates = Shelf<RecordedFXRate>()
  package var cashConversions = Shelf<CashConversion>()
  package var referenceEntries = Shelf<ReferenceEntry>()
  package var heldActs = Shelf<HeldAct>()
  package var markProposals = Shelf<MarkProposal>()
  package var markDisputes = Shelf<MarkDispute>()
  package var valuationImports = Shelf<ValuationImport>()
  package var markSeries = Shelf<MarkSeriesRow>()
  package var controlChoices = Shelf<ControlChoice>()
  package var marginCalls = Shelf<MarginCallRow>()
  package var depositActs = Shelf<DepositAct>()
  package var warrants = Shelf<Warrant>()
  package var taxCertificates = Shelf<TaxCertificate>()
  package var webhooks = Shelf<Webhook>()

  package init() {}

  package mutating func absorb(_ overlay: Shelves) {
    organizations.absorb(overlay.organizations)
    apiKeys.absorb(overlay.apiKeys)
    identityBindings.absorb(overlay.identityBindings)
    lots.absorb(overlay.lots)
    reservePlans.absorb(overlay.reservePlans)
    listings.absorb(overlay.listings)
    requests.absorb(overlay.requests)
    offers.absorb(overlay.offers)
    loans.absorb(overlay.loans)
    returns.absorb(overlay.returns)
    amendments.absorb(overlay.amendments)
    assignments.absorb(overlay.assignments)
    units.absorb(overlay.units)
    rounds.absorb(overlay.rounds)
    closings.absorb(overlay.closings)
    receipts.absorb(overlay.receipts)
    licences.absorb(overlay.licences)
    payees.absorb(overlay.payees)
    clawbacks.absorb(overlay.clawbacks)
    topUps.absorb(overlay.topUps)
    breaks.absorb(overlay.breaks)
    rulePacks.absorb(overlay.rulePacks)
    complianceItems.absorb(overlay.complianceItems)
    fxRates.absorb(overlay.fxRates)
    cashConversions.absorb(overlay.cashConversions)
    referenceEntries.absorb(overlay.referenceEntries)
    heldActs.absorb(overlay.heldActs)
    markProposals.absorb(overlay.markProposals)
    markDisputes.absorb(overlay.markDisputes)
    valuationImports.absorb(overlay.valuationImports)
    markSeries.absorb(overlay.markSeries)
    controlChoices.absorb(overlay.controlChoices)
    marginCalls.absorb(overlay.marginCalls)
    depositActs.absorb(overlay.depositActs)
    warrants.absorb(overlay.warrants)
    taxCertificates.absorb(overlay.taxCertificates)
    webhooks.absorb(overlay.webhooks)
  }
}
