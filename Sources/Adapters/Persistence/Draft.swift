import Ledger
import Lending
import Parties
import Primitives
import Repayment
import Valuation

/// A fact of an event, by allow-list: what the parties of the event may see.
package enum EventFact: Sendable, Hashable {
  case text(String)
  case number(Int64)
  case absent
}

/// Something that happened, for the feed of the organisations it concerns.
package struct EventDraft: Sendable {
  /// `loan.closed`: noun and past tense.
  package let type: String
  package let subject: String
  package let subjectVersion: Int64
  package let organizations: (OrganizationID, OrganizationID?)
  package let facts: [(StaticString, EventFact)]
  /// The loan it happened to: such events are kept with the loan. Their organisations are borrower and lender, in order.
  package let loanID: LoanID?
  /// The loan's version then.
  package let loanVersion: Int64
  /// What its object was before and after the command.
  package var images: EventImages?
}

/// A verdict that was taken for an act.
package struct VerdictRow: Sendable, Hashable {
  package let id: VerdictID
  package let borrowerID: OrganizationID
  package let lenderID: OrganizationID
  package let act: String
  package let on: CalendarDate
  package let subject: UUIDValue
  package let chipModelID: ChipModelID
  package let quantity: Int64
  package let effect: String
  package let licenceID: LicenceID?
  /// JSON array of findings.
  package let findings: [UInt8]
  /// The act was done on the strength of it.
  package let acted: Bool
  package let recordedAt: Instant

  package init(
    id: VerdictID, borrowerID: OrganizationID, lenderID: OrganizationID, act: String, on: CalendarDate,
    subject: UUIDValue, chipModelID: ChipModelID, quantity: Int64, effect: String, licenceID: LicenceID?,
    findings: [UInt8], acted: Bool, recordedAt: Instant
  ) {
    self.id = id
    self.borrowerID = borrowerID
    self.lenderID = lenderID
    self.act = act
    self.on = on
    self.subject = subject
    self.chipModelID = chipModelID
    self.quantity = quantity
    self.effect = effect
    self.licenceID = licenceID
    self.findings = findings
    self.acted = acted
    self.recordedAt = recordedAt
  }
}

/// What one command made: everything but the state it was decided on.
package struct Made: Sendable {
  package fileprivate(set) var overlay = Shelves()
  package fileprivate(set) var entries: [EntryDraft] = []
  package fileprivate(set) var balanceChanges: [AccountRef: Int64] = [:]
  package fileprivate(set) var events: [(draft: EventDraft, id: UUIDValue)] = []
  package fileprivate(set) var newHeads: [Head] = []
  package var allocations: [AllocationRow] = []
  package var explanations: [ExplanationRow] = []
  package var corrections: [ClosingCorrection] = []
  package var declines: [PrepaymentDecline] = []
  package var waterfalls: [StartupWaterfalls] = []
  package var payouts: [Payout] = []
  package var clawbackLines: [ClawbackLine] = []
  package var penalties: [PenaltyRow] = []
  package var taxLines: [TaxLineRow] = []
  package var statements: [StatementRow] = []
  package var invoices: [PlatformInvoice] = []
  package var invoiceLines: [InvoiceLine] = []
  /// Processes are to load the reference data again: some of it was adopted.
  package var isReferenceChanged = false
  package var listingOptions: [ListingOptions] = []
  package var loanConversions: [LoanConversion] = []
  package var listingWarrants: [ListingWarrants] = []
  package var listingFavours: [ListingFavour] = []
  package var favouredClaims: [FavouredClaim] = []
  package var verdicts: [VerdictRow] = []
  package var unitEvents: [UnitEventRow] = []
  package var marks: [ValuationMark] = []
  package var valuation = ValuationChanges()
  package var marginTests: [MarginTestRow] = []
  /// Long work that workers take up after the commit.
  package var runs: [PlannedRun] = []
  package var matchRounds: [PlannedMatchRound] = []
  /// That the shard which the command does is done.
  package var shard: ShardCompletion?
  package var runActs: [RunAct] = []
  package var closedDay: ClosedDay?
  package var bank = BankChanges()
  /// With the wall time of each.
  package var webhookActs: [(act: WebhookAct, at: Instant)] = []
  /// Reference data that is in force from the next batch on.
  package var documents: [ReferenceDocument] = []
  /// Where a sandbox's business clock moves to.
  package var clock: Instant?
  /// What the audit row names.
  package var subject: UUIDValue?

  package init() {}

  /// Whether some of it is seen by commands of later batches only.
  package var holdsFromNextBatch: Bool {
    isReferenceChanged || !documents.isEmpty || clock != nil || closedDay != nil || shard != nil
  }

  /// Keeps with each event what its object was on the shelves before the command, and what it is now.
  package mutating func attachImages(before: Shelves) {
    for index in events.indices {
      events[index].draft.images = EventImages(events[index].draft.subject, before: before, changed: overlay)
    }
  }
}

/// What one command does, kept apart until it is decided: a refusal drops it whole and its neighbours never see it.
package struct Draft: Sendable {
  package let base: BatchState
  package let reference: ReferenceData
  package var made = Made()
  package var ids: IdentifierSource
  /// Business time.
  package let now: Instant
  /// Business time is a sandbox's own, and only moves forward.
  package let clockIsSet: Bool
  /// Wall time: keys and retention go by it.
  package let wallTime: Instant
  /// Order of arrival for orders made by this command.
  package let sequence: Int64
  /// The last day that is closed; nil before the first.
  package let closedThrough: CalendarDate?

  package init(
    base: BatchState, reference: ReferenceData, ids: IdentifierSource, now: Instant, clockIsSet: Bool = false,
    wallTime: Instant, sequence: Int64, closedThrough: CalendarDate? = nil
  ) {
    self.closedThrough = closedThrough
    self.clockIsSet = clockIsSet
    self.base = base
    self.reference = reference
    self.ids = ids
    self.now = now
    self.wallTime = wallTime
    self.sequence = sequence
  }

  package var today: CalendarDate { now.date }

  /// The present state of a row, this command's own changes included.
  package func find<Row: Stored>(
    _ shelf: KeyPath<Shelves, Shelf<Row>>, _ id: Identifier<Row.Noun>
  ) -> Row? {
    made.overlay[keyPath: shelf][id] ?? base.shelves[keyPath: shelf][id]
  }

  /// Makes or changes a row: its version goes up by one, once a command.
  @discardableResult
  package mutating func put<Row: Stored>(
    _ shelf: WritableKeyPath<Shelves, Shelf<Row>>, _ row: Row
  ) -> Row {
    var row = row
    let before = base.shelves[keyPath: shelf][row.id]
    row.version = before.map { $0.version + 1 } ?? 1
    row.stamp(now)
    made.overlay[keyPath: shelf].keep(row, isNew: before == nil, loadedVersion: before?.version ?? 0)
    return row
  }

  /// Adds an entry to the journal.
  /// - Throws: `DayClosed` for a business date that is closed, `ArithmeticOverflow` for sums past Int64.
  package mutating func post(_ entry: EntryDraft) throws {
    if let closedThrough, entry.businessDate <= closedThrough {
      throw DayClosed(date: entry.businessDate, through: closedThrough)
    }
    for line in entry.lines {
      made.balanceChanges[line.account] = try made.balanceChanges[line.account, default: 0].adding(line.amount)
    }
    made.entries.append(entry)
  }

  /// The balance of an account whose code was asked for as a need, this command's own entries included.
  package func balance(_ account: AccountRef) throws(ArithmeticOverflow) -> Int64 {
    try base.balances[account, default: 0].adding(made.balanceChanges[account, default: 0])
  }

  /// Opens the book of a new organisation.
  package mutating func open(_ head: Head) { made.newHeads.append(head) }

  package mutating func happen(
    _ type: String, _ subject: some CustomStringConvertible, version: Int64,
    to organizations: (OrganizationID, OrganizationID?), _ facts: [(StaticString, EventFact)] = []
  ) {
    let event = EventDraft(
      type: type, subject: subject.description, subjectVersion: version, organizations: organizations, facts: facts,
      loanID: subject as? LoanID, loanVersion: version, images: nil)
    made.events.append((event, ids.nextValue()))
  }

  /// Something that happened to a thing of a loan: both its sides are told, and it is kept with the loan.
  package mutating func happen(
    _ type: String, _ subject: some CustomStringConvertible, version: Int64, of loan: Loan,
    _ facts: [(StaticString, EventFact)]
  ) {
    let event = EventDraft(
      type: type, subject: subject.description, subjectVersion: version,
      organizations: (loan.terms.borrowerID, loan.terms.lenderID), facts: facts, loanID: loan.id,
      loanVersion: loan.version, images: nil)
    made.events.append((event, ids.nextValue()))
  }
}
