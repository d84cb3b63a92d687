import Ledger
import Postgres
import Primitives
import Repayment
import StrictJSON
import Valuation

/// What a whole batch changes. Only `ChangeWriter` turns it into statements.
package struct BatchChanges: Sendable {
  package var entries: [EntryDraft] = []
  package var balanceChanges: [AccountRef: Int64] = [:]
  package var events: [(draft: EventDraft, id: UUIDValue)] = []
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
  package var isReferenceChanged = false
  package var listingOptions: [ListingOptions] = []
  package var loanConversions: [LoanConversion] = []
  package var listingWarrants: [ListingWarrants] = []
  package var listingFavours: [ListingFavour] = []
  package var favouredClaims: [FavouredClaim] = []
  package var webhookActs: [(act: WebhookAct, at: Instant)] = []
  package var verdicts: [VerdictRow] = []
  package var marks: [ValuationMark] = []
  package var valuation = ValuationChanges()
  package var marginTests: [MarginTestRow] = []
  package var newHeads: [Head] = []
  package var runs: [PlannedRun] = []
  package var matchRounds: [PlannedMatchRound] = []
  package var shards: [ShardCompletion] = []
  package var runActs: [RunAct] = []
  package var closedDays: [ClosedDay] = []
  package var bank = BankChanges()
  package var documents: [ReferenceDocument] = []
  package var clock: Instant?
  package var loanEvents: [LoanEventRow] = []
  package var unitEvents: [UnitEventRow] = []
  package var audit: [AuditRow] = []
  package var answers: [AnswerRow] = []

  package init() {}

  /// Adds what a command did.
  package mutating func absorb(_ made: Made) throws(ArithmeticOverflow) {
    var sums = balanceChanges
    for (account, amount) in made.balanceChanges {
      sums[account] = try sums[account, default: 0].adding(amount)
    }
    balanceChanges = sums
    entries += made.entries
    events += made.events
    allocations += made.allocations
    explanations += made.explanations
    corrections += made.corrections
    declines += made.declines
    waterfalls += made.waterfalls
    payouts += made.payouts
    clawbackLines += made.clawbackLines
    penalties += made.penalties
    taxLines += made.taxLines
    statements += made.statements
    invoices += made.invoices
    invoiceLines += made.invoiceLines
    isReferenceChanged = isReferenceChanged || made.isReferenceChanged
    listingOptions += made.listingOptions
    loanConversions += made.loanConversions
    listingWarrants += made.listingWarrants
    listingFavours += made.listingFavours
    favouredClaims += made.favouredClaims
    webhookActs += made.webhookActs
    verdicts += made.verdicts
    unitEvents += made.unitEvents
    marks += made.marks
    valuation.absorb(made.valuation)
    marginTests += made.marginTests
    newHeads += made.newHeads
    runs += made.runs
    matchRounds += made.matchRounds
    if let shard = made.shard { shards.append(shard) }
    runActs += made.runActs
    if let day = made.closedDay { closedDays.append(day) }
    bank.absorb(made.bank)
    documents += made.documents
    if let moved = made.clock { clock = max(moved, clock ?? moved) }
  }
}

/// An entry was posted to a book whose head the batch does not hold. A defect of a command's `heads`.
package struct HeadNotHeld: Error, Sendable {
  package let book: OrganizationID

  package init(book: OrganizationID) { self.book = book }
}

/// Turns a batch's changes into set-based statements: the one way into the journal, and the only place that numbers
/// entries and advances hash chains.
package enum ChangeWriter {
  /// The statements, in an order that foreign keys allow, and how many rows each must touch.
  package struct Plan: Sendable {
    package private(set) var queries: [Query] = []
    /// nil where a statement may touch any number.
    package private(set) var expectedRows: [Int?] = []
    /// Some statement rewrites rows: whether it touched all of them is known only after it ran.
    package private(set) var hasUpdates = false

    mutating func add(_ query: Query, rows: Int?, isUpdate: Bool = false) {
      queries.append(query)
      expectedRows.append(rows)
      hasUpdates = hasUpdates || isUpdate
    }

    mutating func insert<Row>(_ table: Table<Row>, _ rows: [Row]) {
      if !rows.isEmpty { add(table.inserting(rows), rows: rows.count) }
    }

    mutating func update<Row>(_ table: Table<Row>, _ rows: [Row], _ loadedVersions: [Int64]) {
      guard !rows.isEmpty, let query = table.updating(rows, loadedVersions: loadedVersions) else { return }
      add(query, rows: rows.count, isUpdate: true)
    }

    /// - Parameter endsFirst: what ends is written before what begins, where a constraint lets one be open at a time.
    mutating func write<Row>(_ table: Table<Row>, _ shelf: Shelf<Row>, endsFirst: Bool = false) {
      if !endsFirst { insert(table, shelf.insertedRows) }
      defer { if endsFirst { insert(table, shelf.insertedRows) } }
      var (whole, narrow): ([(Row, Int64)], [(Row, Int64)]) = ([], [])
      for (row, version, loaded) in shelf.updatedRows {
        if let loaded, table.narrow?.covers(row, loaded) == true {
          narrow.append((row, version))
        } else {
          whole.append((row, version))
        }
      }
      update(table, whole.map(\.0), whole.map(\.1))
      if let query = table.narrowing(narrow.map(\.0), loadedVersions: narrow.map(\.1)) {
        add(query, rows: narrow.count, isUpdate: true)
      }
    }
  }

  /// - Throws: `HeadNotHeld` for a book that was not locked.
  package static func plan(_ state: BatchState, _ changes: BatchChanges, recordedAt: Instant) throws -> Plan {
    var plan = Plan()
    let shelves = state.shelves
    plan.write(Tables.organizations, shelves.organizations)
    let journal = try number(state, changes, recordedAt: recordedAt)
    plan.insert(Tables.heads, journal.newHeads)
    plan.update(Tables.heads, journal.heads, journal.loadedVersions)
    plan.write(Tables.apiKeys, shelves.apiKeys)
    plan.write(Tables.identityBindings, shelves.identityBindings, endsFirst: true)
    plan.write(Tables.licences, shelves.licences)
    plan.write(Tables.lots, shelves.lots)
    plan.write(Tables.reservePlans, shelves.reservePlans)
    plan.write(Tables.listings, shelves.listings)
    plan.write(Tables.loanRequests, shelves.requests)
    plan.write(Tables.offers, shelves.offers)
    plan.write(Tables.loans, shelves.loans)
    plan.write(Tables.loanReturns, shelves.returns)
    plan.write(Tables.loanAmendments, shelves.amendments)
    plan.write(Tables.loanAssignments, shelves.assignments, endsFirst: true)
    plan.insert(Tables.loanEvents, changes.loanEvents)
    plan.write(Tables.chipUnits, shelves.units)
    plan.insert(Tables.unitEvents, changes.unitEvents)
    plan.write(Tables.fundingRounds, shelves.rounds)
    plan.write(Tables.fundingClosings, shelves.closings)
    plan.write(Tables.cashReceipts, shelves.receipts)
    plan.insert(Tables.allocations, changes.allocations)
    plan.insert(Tables.startupWaterfalls, changes.waterfalls)
    plan.insert(Tables.closingCorrections, changes.corrections)
    plan.insert(Tables.prepaymentDeclines, changes.declines)
    plan.insert(Tables.repaymentExplanations, changes.explanations)
    plan.insert(Tables.payouts, changes.payouts)
    plan.writeRates(shelves.fxRates)
    plan.write(Tables.cashConversions, shelves.cashConversions)
    plan.write(Tables.clawbacks, shelves.clawbacks)
    plan.insert(Tables.clawbackLines, changes.clawbackLines)
    plan.write(Tables.topUps, shelves.topUps)
    plan.insert(Tables.listingOptions, changes.listingOptions)
    plan.insert(Tables.loanConversions, changes.loanConversions)
    plan.insert(Tables.listingWarrants, changes.listingWarrants)
    plan.write(Tables.warrants, shelves.warrants)
    plan.insert(Tables.listingFavours, changes.listingFavours)
    plan.insert(Tables.favouredClaims, changes.favouredClaims)
    plan.writeChoices(shelves.controlChoices)
    plan.insert(Tables.bankStatements, changes.bank.statements)
    plan.insert(Tables.bankLines, changes.bank.lines)
    plan.insert(Tables.reconciliationMatches, changes.bank.matches)
    plan.write(Tables.payees, shelves.payees)
    plan.write(Tables.reconciliationBreaks, shelves.breaks)
    plan.write(Tables.rulePacks, shelves.rulePacks)
    plan.write(Tables.complianceItems, shelves.complianceItems)
    for document in changes.documents { plan.add(ReferenceSQL.adding(document, at: recordedAt), rows: nil) }
    if !changes.documents.isEmpty { plan.add(Query(ReferenceSQL.bump), rows: 1, isUpdate: true) }
    plan.insert(Tables.penalties, changes.penalties)
    plan.insert(Tables.taxLines, changes.taxLines)
    plan.write(Tables.taxCertificates, shelves.taxCertificates)
    plan.insert(Tables.statements, changes.statements)
    plan.insert(Tables.platformInvoices, changes.invoices)
    plan.insert(Tables.invoiceLines, changes.invoiceLines)
    plan.write(Tables.referenceEntries, shelves.referenceEntries)
    plan.write(Tables.heldActs, shelves.heldActs)
    if changes.isReferenceChanged { plan.add(Query(ReferenceSQL.bump), rows: 1, isUpdate: true) }
    plan.insert(Tables.verdicts, changes.verdicts)
    plan.write(Tables.markProposals, shelves.markProposals)
    plan.write(Tables.markDisputes, shelves.markDisputes)
    plan.write(Tables.valuationImports, shelves.valuationImports)
    plan.insert(Tables.roundReports, changes.valuation.reports)
    plan.insert(Tables.runwayReports, changes.valuation.runway)
    plan.insert(Tables.chipQuotes, changes.valuation.quotes)
    plan.write(Tables.markSeries, shelves.markSeries)
    let marks = NewMarks(changes.marks)
    for (query, rows) in marks.corrections { plan.add(query, rows: rows, isUpdate: true) }
    plan.insert(Tables.chipMarks, marks.ofChips)
    plan.insert(Tables.startupMarks, marks.ofStartups)
    plan.insert(Tables.markDerivations, changes.valuation.derivations)
    plan.insert(Tables.marginTests, changes.marginTests)
    plan.write(Tables.marginCalls, shelves.marginCalls, endsFirst: true)
    plan.write(Tables.depositActs, shelves.depositActs, endsFirst: true)
    if !journal.entries.isEmpty {
      plan.insert(Tables.journalEntries, journal.entries.map(\.row))
      plan.insert(Tables.journalLines, journal.entries.flatMap(\.lineRows))
      plan.insert(Tables.chainLinks, journal.links)
      if let earliest = changes.entries.map(\.businessDate).min() {
        plan.add(Query(PlatformSQL.requireOpen, [.date(earliest.dayNumber)]), rows: 1, isUpdate: true)
      }
      let sums = changes.balanceChanges.filter { $0.value != 0 }.sorted { $0.key < $1.key }.map { ($0.key, $0.value) }
      if !sums.isEmpty { plan.add(AccountSQL.advancing(sums), rows: sums.count) }
    }
    if !changes.events.isEmpty { plan.add(outbox(changes.events, at: recordedAt), rows: changes.events.count) }
    if !changes.runs.isEmpty { plan.add(RunSQL.planning(changes.runs), rows: changes.runs.count) }
    if !changes.matchRounds.isEmpty { plan.add(RunSQL.planning(changes.matchRounds), rows: changes.matchRounds.count) }
    for act in changes.runActs {
      for (query, rows) in act.queries(at: recordedAt) { plan.add(query, rows: rows, isUpdate: true) }
    }
    plan.write(Tables.webhooks, shelves.webhooks)
    for (act, time) in changes.webhookActs {
      for (query, rows) in act.queries(at: time) { plan.add(query, rows: rows, isUpdate: true) }
    }
    for day in changes.closedDays {
      for query in day.queries { plan.add(query, rows: 1, isUpdate: true) }
    }
    for shard in changes.shards { plan.add(ShardSQL.completing(shard, at: recordedAt), rows: 1, isUpdate: true) }
    if let clock = changes.clock {
      plan.add(Query(PlatformSQL.moveClock, [.timestamptz(clock.microseconds)]), rows: 1, isUpdate: true)
    }
    plan.insert(Tables.auditLog, changes.audit)
    plan.insert(Tables.idempotency, changes.answers)
    return plan
  }

  private struct Numbered {
    var entries: [JournalEntry] = []
    var links: [ChainLink] = []
    var newHeads: [Head] = []
    var heads: [Head] = []
    var loadedVersions: [Int64] = []
  }

  /// Numbers the entries of each book and links them into its chain.
  private static func number(
    _ state: BatchState, _ changes: BatchChanges, recordedAt: Instant
  ) throws -> Numbered {
    var result = Numbered()
    var newHeads: [OrganizationID: Head] = [:]
    for head in changes.newHeads { newHeads[head.organizationID] = head }
    var byBook: [OrganizationID: [EntryDraft]] = [:]
    for entry in changes.entries { byBook[entry.book, default: []].append(entry) }
    for (book, drafts) in byBook.sorted(by: { $0.key < $1.key }) {
      guard var head = newHeads[book] ?? state.heads[book] else { throw HeadNotHeld(book: book) }
      var entries: [JournalEntry] = []
      for draft in drafts {
        head.journalSequence += 1
        entries.append(JournalEntry(draft: draft, sequence: head.journalSequence, recordedAt: recordedAt))
      }
      head.chainNumber += 1
      let link = ChainLink(book: book, number: head.chainNumber, previous: head.chainHash, entries: entries)
      head.chainHash = link.hash
      result.entries += entries
      result.links.append(link)
      if newHeads[book] != nil {
        newHeads[book] = head
      } else {
        result.loadedVersions.append(head.version)
        head.version += 1
        result.heads.append(head)
      }
    }
    result.newHeads = changes.newHeads.compactMap { newHeads[$0.organizationID] }
    return result
  }

  /// The transaction's number is taken before the positions: who sees a position knows of the transaction that took it.
  private static let insertOutbox = Statement(
    "outbox_insert",
    """
    insert into outbox (id, transaction_id, type, org_a, org_b, subject, subject_version, business_at, body,
      before_image, after_image)
    select u.id, x.id, u.type, u.org_a, u.org_b, u.subject, u.subject_version, $7, u.body, u.before, u.after
    from (select pg_current_xact_id() as id offset 0) as x cross join
      unnest($1::uuid[], $2::text[], $3::uuid[], $4::uuid[], $5::text[], $6::bigint[], $8::jsonb[], $9::jsonb[],
        $10::jsonb[]) with ordinality as u (id, type, org_a, org_b, subject, subject_version, body, before, after, n)
    order by u.n
    """,
    parameters: [
      .uuidArray, .textArray, .uuidArray, .uuidArray, .textArray, .int8Array, .timestamptz, .jsonbArray, .jsonbArray,
      .jsonbArray,
    ])

  private static func outbox(_ events: [(draft: EventDraft, id: UUIDValue)], at now: Instant) -> Query {
    Query(
      insertOutbox,
      [
        .uuidArray(events.map(\.id.bits)), .textArray(events.map(\.draft.type)),
        .uuidArray(events.map(\.draft.organizations.0.value.bits)),
        .uuidArray(events.map(\.draft.organizations.1?.value.bits)), .textArray(events.map(\.draft.subject)),
        .int8Array(events.map(\.draft.subjectVersion)), .timestamptz(now.microseconds),
        .jsonbArray(events.map { $0.draft.body }), .jsonbArray(events.map { $0.draft.images?.before }),
        .jsonbArray(events.map { $0.draft.images?.after }),
      ])
  }

}

extension EventDraft {
  /// Its facts as a JSON object.
  var body: [UInt8] {
    var writer = JSONWriter(capacity: 128)
    writer.beginObject()
    for (name, fact) in facts {
      switch fact {
      case .text(let text): writer.field(name, text)
      case .number(let number): writer.field(name, number)
      case .absent: writer.nullField(name)
      }
    }
    writer.endObject()
    return writer.bytes
  }
}

extension JournalEntry {
  var row: JournalEntryRow {
    JournalEntryRow(
      book: draft.book, id: draft.id, sequence: sequence, kind: draft.kind, businessDate: draft.businessDate,
      subject: draft.subject, recordedAt: recordedAt)
  }

  var lineRows: [JournalLineRow] {
    draft.lines.enumerated().map { index, line in
      JournalLineRow(entryID: draft.id, number: Int32(truncatingIfNeeded: index + 1), line: line)
    }
  }
}

extension ChangeWriter {
  /// Every statement of the writer that is not of a table, for the test that prepares them all.
  package static var statements: [Statement] {
    [insertOutbox, AccountSQL.advance] + ShardSQL.statements + ClosedDay.statements
  }
}
