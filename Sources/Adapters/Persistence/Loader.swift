import Catalogue
import Ledger
import Lending
import Matching
import Parties
import Postgres
import Primitives
import Repayment
import Valuation

/// Looks up what commands need: one statement a kind, all of them in one round trip.
package enum Loader {
  private static let lendersOfBorrower = Statement(
    "lenders_of_borrowers",
    "select distinct borrower_id, lender_id from loans where borrower_id = any($1) and state <> 'closed'",
    parameters: [.uuidArray], columns: [.uuid, .uuid])
  private static let loansOfBorrower = Statement(
    "loans_running_of_borrowers",
    Tables.loans.selectList + "where borrower_id = any($1) and state not in ('closed') order by id",
    parameters: [.uuidArray], columns: Tables.loans.types)
  private static let closingsOfRound = Statement(
    "closings_of_rounds", Tables.fundingClosings.selectList + "where round_id = any($1) order by closed_on, id",
    parameters: [.uuidArray], columns: Tables.fundingClosings.types)
  private static let closingsOfBorrower = Statement(
    "closings_of_borrowers", Tables.fundingClosings.selectList + "where borrower_id = any($1) order by closed_on, id",
    parameters: [.uuidArray], columns: Tables.fundingClosings.types)
  private static let sweepsOfClosing = Statement(
    "sweeps_of_closings",
    Tables.repaymentExplanations.selectList
      + """
      where kind = 'sweep' and subject_id = any($1) or kind = 'correction' and subject_id in (
        select id from closing_corrections where closing_id = any($1))
      order by recorded_at, subject_id
      """,
    parameters: [.uuidArray], columns: Tables.repaymentExplanations.types)
  private static let declinesOfClosing = Statement(
    "declines_of_closings",
    Tables.prepaymentDeclines.selectList + "where closing_id = any($1) order by recorded_at, id",
    parameters: [.uuidArray], columns: Tables.prepaymentDeclines.types)
  private static let waterfallsOf = Statement(
    "waterfalls_of_borrowers",
    Tables.startupWaterfalls.selectList + "where borrower_id = any($1) order by effective_on, recorded_at, id",
    parameters: [.uuidArray], columns: Tables.startupWaterfalls.types)
  private static let paidSinceSweep = Statement(
    "paid_since_sweeps",
    """
    select e.subject_id, a.loan_id, (sum(a.amount) - sum(coalesce(b.cash, 0)))::bigint
    from repayment_explanations e
    join cash_receipts r on r.org_id = e.borrower_id and r.created_at >= e.recorded_at
    join allocations a on a.borrower_id = r.org_id and a.receipt_id = r.id
    left join (
      select borrower_id, receipt_id, loan_id, step, sum(cash) as cash from claw_back_lines group by 1, 2, 3, 4) b
      on b.borrower_id = a.borrower_id and b.receipt_id = a.receipt_id and b.loan_id = a.loan_id and b.step = a.step
    where e.kind = 'sweep' and e.subject_id = any($1)
    group by e.subject_id, a.loan_id order by e.subject_id, a.loan_id
    """, parameters: [.uuidArray], columns: [.uuid, .uuid, .int8])
  private static let returnsOfLoan = Statement(
    "returns_of_loans", Tables.loanReturns.selectList + "where loan_id = any($1) order by id",
    parameters: [.uuidArray], columns: Tables.loanReturns.types)
  private static let amendmentsOfLoan = Statement(
    "amendments_of_loans", Tables.loanAmendments.selectList + "where loan_id = any($1) order by id",
    parameters: [.uuidArray], columns: Tables.loanAmendments.types)
  private static let assignmentsOfLoan = Statement(
    "assignments_of_loans", Tables.loanAssignments.selectList + "where loan_id = any($1) order by id",
    parameters: [.uuidArray], columns: Tables.loanAssignments.types)
  private static let unitsOfLoan = Statement(
    "units_of_loans", Tables.chipUnits.selectList + "where loan_id = any($1) order by id",
    parameters: [.uuidArray], columns: Tables.chipUnits.types)
  private static let unitsBySerial = Statement(
    "units_by_serial",
    Tables.chipUnits.selectList
      + """
      where (lender_id, chip_model_id, serial) in (
        select w.lender_id, w.chip_model_id, w.serial
        from unnest($1::uuid[], $2::text[], $3::text[]) as w (lender_id, chip_model_id, serial))
      order by id
      """, parameters: [.uuidArray, .textArray, .textArray], columns: Tables.chipUnits.types)
  private static let principalMoves = Statement(
    "principal_moves_of_loans",
    """
    select l.subject_id, e.business_date, (-sum(l.amount))::bigint
    from unnest($1::uuid[], $2::uuid[]) as w (org_id, loan_id)
    join journal_lines l on l.org_id = w.org_id and l.account_code = 'payable.principal' and l.subject_id = w.loan_id
    join journal_entries e on e.org_id = l.org_id and e.id = l.entry_id
    group by l.subject_id, e.business_date order by l.subject_id, e.business_date
    """, parameters: [.uuidArray, .uuidArray], columns: [.uuid, .date, .int8])
  private static let listingsOfLot = Statement(
    "listings_of_lots", Tables.listings.selectList + "where lot_id = any($1) order by id",
    parameters: [.uuidArray], columns: Tables.listings.types)
  private static let plansOfLender = Statement(
    "reserve_plans_of_lenders", Tables.reservePlans.selectList + "where lender_id = any($1) order by id",
    parameters: [.uuidArray], columns: Tables.reservePlans.types)
  private static let lotsOfLender = Statement(
    "lots_of_lenders", Tables.lots.selectList + "where lender_id = any($1) order by id",
    parameters: [.uuidArray], columns: Tables.lots.types)
  private static let licencesOfHolder = Statement(
    "licences_of_holders", Tables.licences.selectList + "where lender_id = any($1) order by id",
    parameters: [.uuidArray], columns: Tables.licences.types)
  private static let marksOfChips = Statement(
    "chip_marks_of_models", Tables.chipMarks.selectList + "where chip_model_id = any($1) order by effective_on, id",
    parameters: [.textArray], columns: Tables.chipMarks.types)
  private static let penaltiesOf = Statement(
    "penalties_of_borrowers",
    Tables.penalties.selectList
      + """
      where borrower_id = any($1) and loan_id in (
        select l.id from loans l where l.borrower_id = any($1) and l.state <> 'closed' and l.penalty_total > 0)
      order by recorded_at, id
      """, parameters: [.uuidArray], columns: Tables.penalties.types)
  private static let lockHeads = Statement(
    "heads_lock", Tables.heads.selectList + "where org_id = any($1) order by org_id for update",
    parameters: [.uuidArray], columns: Tables.heads.types)

  package static var statements: [Statement] {
    [
      SeenLoans.versions, lendersOfBorrower, loansOfBorrower, closingsOfRound, closingsOfBorrower, returnsOfLoan,
      amendmentsOfLoan,
      assignmentsOfLoan, declinesOfClosing,
      principalMoves, unitsOfLoan, unitsBySerial, sweepsOfClosing, paidSinceSweep, waterfallsOf, penaltiesOf,
      listingsOfLot, plansOfLender, lotsOfLender, licencesOfHolder, marksOfChips, lockHeads, AccountSQL.byCode,
    ] + ClawbackSQL.statements
  }

  /// Locks heads in id order, in one statement: with all locks taken this way there is no deadlock to find.
  package static func lockingHeads(_ ids: Set<OrganizationID>) -> Query {
    Query(lockHeads, [.uuidArray(ids.sorted().map(\.value.bits))])
  }

  /// One lookup: a query, and what its result adds to the state.
  package struct Lookup: Sendable {
    package let query: Query
    package let take: @Sendable (ResultSet, inout BatchState) throws -> Void
  }

  /// The lookups for these needs, in a fixed order of kinds.
  package static func lookups(for needs: Set<Need>) -> [Lookup] {
    var wanted = Wanted()
    for need in needs { wanted.add(need) }
    var lookups: [Lookup] = []
    func byID<Row: Stored>(
      _ ids: [UUIDValue], _ table: Table<Row>, _ shelf: any WritableKeyPath<Shelves, Shelf<Row>> & Sendable
    ) {
      guard !ids.isEmpty else { return }
      lookups.append(
        Lookup(query: table.rows(by: ids.sorted())) { result, state in
          for row in try table.decode(result) { state.shelves[keyPath: shelf].load(row) }
        })
    }
    byID(wanted.organizations, Tables.organizations, \.organizations)
    byID(wanted.apiKeys, Tables.apiKeys, \.apiKeys)
    byID(wanted.identityBindings, Tables.identityBindings, \.identityBindings)
    lookups += wanted.bindingsOf.map { BindingSQL.lookup(issuer: $0.issuer, subject: $0.subject) }
    byID(wanted.lots, Tables.lots, \.lots)
    byID(wanted.listings, Tables.listings, \.listings)
    byID(wanted.requests, Tables.loanRequests, \.requests)
    byID(wanted.offers, Tables.offers, \.offers)
    byID(wanted.loans, Tables.loans, \.loans)
    byID(wanted.rounds, Tables.fundingRounds, \.rounds)
    byID(wanted.returns, Tables.loanReturns, \.returns)
    byID(wanted.amendments, Tables.loanAmendments, \.amendments)
    byID(wanted.assignments, Tables.loanAssignments, \.assignments)
    byID(wanted.receipts, Tables.cashReceipts, \.receipts)
    byID(wanted.payees, Tables.payees, \.payees)
    byID(wanted.webhooks, Tables.webhooks, \.webhooks)
    byID(wanted.clawbacks, Tables.clawbacks, \.clawbacks)
    byID(wanted.topUps, Tables.topUps, \.topUps)
    byID(wanted.breaks, Tables.reconciliationBreaks, \.breaks)
    byID(wanted.rulePacks, Tables.rulePacks, \.rulePacks)
    byID(wanted.complianceItems, Tables.complianceItems, \.complianceItems)
    byID(wanted.fxRateIDs, Tables.fxRates, \.fxRates)
    byID(wanted.cashConversions, Tables.cashConversions, \.cashConversions)
    byID(wanted.taxCertificates, Tables.taxCertificates, \.taxCertificates)
    byID(wanted.referenceEntries, Tables.referenceEntries, \.referenceEntries)
    byID(wanted.heldActs, Tables.heldActs, \.heldActs)
    byID(wanted.warrants, Tables.warrants, \.warrants)
    byID(wanted.controlChoices, Tables.controlChoices, \.controlChoices)

    /// Rows of a set: kept on their shelf, and listed under what they belong to.
    func bySet<Row: Stored, Owner: IdentifiedNoun>(
      _ owners: [Identifier<Owner>], _ statement: Statement, _ table: Table<Row>,
      _ shelf: any WritableKeyPath<Shelves, Shelf<Row>> & Sendable,
      _ index: any WritableKeyPath<BatchState, [Identifier<Owner>: [Identifier<Row.Noun>]]> & Sendable,
      _ owner: @escaping @Sendable (Row) -> Identifier<Owner>
    ) {
      guard !owners.isEmpty else { return }
      let sorted = owners.sorted()
      lookups.append(
        Lookup(query: Query(statement, [.uuidArray(sorted.map(\.value.bits))])) { result, state in
          for id in sorted { state[keyPath: index][id] = [] }
          for row in try table.decode(result) {
            state.shelves[keyPath: shelf].load(row)
            state[keyPath: index][owner(row), default: []].append(row.id)
          }
        })
    }
    if !wanted.lendersOf.isEmpty {
      let borrowers = wanted.lendersOf.sorted()
      lookups.append(
        Lookup(query: Query(lendersOfBorrower, [.uuidArray(borrowers.map(\.value.bits))])) { result, state in
          for borrower in borrowers { state.lendersOfBorrower[borrower] = [] }
          for row in result {
            let borrower = OrganizationID(try row.uuid(0).value)
            state.lendersOfBorrower[borrower, default: []].insert(OrganizationID(try row.uuid(1).value))
          }
        })
    }
    bySet(wanted.loansOf, loansOfBorrower, Tables.loans, \.loans, \.loansOfBorrower) { $0.terms.borrowerID }
    bySet(wanted.closingsOfRound, closingsOfRound, Tables.fundingClosings, \.closings, \.closingsOfRound) {
      $0.roundID
    }
    bySet(wanted.closingsOf, closingsOfBorrower, Tables.fundingClosings, \.closings, \.closingsOfBorrower) {
      $0.borrowerID
    }
    bySet(wanted.returnsOf, returnsOfLoan, Tables.loanReturns, \.returns, \.returnsOfLoan) { $0.loanID }
    bySet(wanted.amendmentsOf, amendmentsOfLoan, Tables.loanAmendments, \.amendments, \.amendmentsOfLoan) {
      $0.loanID
    }
    bySet(wanted.assignmentsOf, assignmentsOfLoan, Tables.loanAssignments, \.assignments, \.assignmentsOfLoan) {
      $0.loanID
    }
    bySet(wanted.listingsOf, listingsOfLot, Tables.listings, \.listings, \.listingsOfLot) { $0.lotID }
    bySet(wanted.plansOf, plansOfLender, Tables.reservePlans, \.reservePlans, \.reservePlans) { $0.lenderID }
    bySet(wanted.lotsOf, lotsOfLender, Tables.lots, \.lots, \.lotsOfLender) { $0.lenderID }
    bySet(
      wanted.controlChoicesOf, ControlSQL.ofBorrower, Tables.controlChoices, \.controlChoices, \.controlChoicesOf
    ) { $0.borrowerID }
    bySet(wanted.licencesOf, licencesOfHolder, Tables.licences, \.licences, \.licencesOf) { $0.licence.holder }
    lookups += accountAndMarkLookups(wanted) + principalLookups(wanted) + unitLookups(wanted) + sweepLookups(wanted)
    lookups += complianceLookups(wanted)
    lookups += runLookups(wanted) + bankLookups(wanted) + FXSQL.lookups(wanted.fxRates) + penaltyLookups(wanted)
    lookups += ClawbackSQL.lookups(of: wanted.divisions) + ClawbackSQL.payees(of: wanted.payeesOf)
    lookups += MarkSQL.lookups(wanted.valuation)
    lookups += WebhookSQL.lookups(of: wanted.webhooksOf)
    lookups += MarginSQL.lookups(wanted.margin)
    for (lender, date) in wanted.invoicesOf { lookups += InvoiceSQL.lookups(lender, through: date) }
    for key in wanted.statementKeys.sorted() { lookups += StatementSQL.lookups(key) }
    lookups += TaxSQL.lookups(wanted.adoptedTaxRules) + TaxSQL.certificateLookups(wanted.taxCertificatesOf)
    lookups += EquitySQL.lookups(options: wanted.listingOptions, conversions: wanted.conversionsOf)
    bySet(wanted.openRequestsOf, OrderSQL.openRequests, Tables.loanRequests, \.requests, \.openRequests) {
      $0.borrowerID
    }
    bySet(wanted.pendingOffersOf, OrderSQL.pendingOffers, Tables.offers, \.offers, \.pendingOffers) { $0.borrowerID }
    bySet(wanted.tradedLoansOf, FavourSQL.loansOf, Tables.loans, \.loans, \.tradedLoansOf) { $0.terms.borrowerID }
    lookups += FavourSQL.lookups(clauses: wanted.listingFavours)
    lookups += WarrantSQL.lookups(terms: wanted.listingWarrants, outstandingOf: wanted.warrantsOf)
    if !wanted.leases.isEmpty {
      lookups.append(
        Lookup(query: RoundSQL.sharing(wanted.leases)) { result, state in
          for row in result {
            let lease = try RoundSQL.decodeLease(row)
            state.leases[lease.segment] = lease
          }
        })
    }
    return lookups
  }

  private static func runLookups(_ wanted: Wanted) -> [Lookup] {
    let shards = wanted.shards.map { lease in
      Lookup(query: ShardSQL.holding(lease)) { result, state in
        state.shards[lease] = try result.first.map(ShardSQL.decode)
      }
    }
    let runs = wanted.settlementRuns.sorted().map { run in
      Lookup(query: Query(ShardSQL.lockRun, [.uuid(run.value.bits)])) { result, state in
        state.settlementRuns[run] = try result.first.map(RunSQL.decodeRun)
      }
    }
    return shards + runs
  }

  private static func bankLookups(_ wanted: Wanted) -> [Lookup] {
    (wanted.bankBook ? BankSQL.lookups : [])
      + (wanted.settledItems.isEmpty ? [] : [BankSQL.settled(wanted.settledItems)])
      + wanted.clientMoney.sorted().map { BankSQL.clientMoney(on: $0) }
  }

  private static func complianceLookups(_ wanted: Wanted) -> [Lookup] {
    var lookups: [Lookup] = []
    if wanted.waitingRulePacks {
      lookups.append(
        Lookup(query: Query(ComplianceSQL.waitingPacks)) { result, state in
          for pack in try Tables.rulePacks.decode(result) {
            state.shelves.rulePacks.load(pack)
            state.waitingRulePacks.append(pack.id)
          }
        })
    }
    if !wanted.openSubjects.isEmpty {
      let binds: [Bind] = [.uuidArray(wanted.openSubjects.sorted().map(\.bits))]
      lookups.append(
        Lookup(query: Query(ComplianceSQL.openSubjects, binds)) { result, state in
          for row in result {
            var reader = RowReader(row)
            state.openComplianceSubjects.insert(
              ComplianceItem.Key(subject: try reader.uuid(), borrowerID: try reader.idOrNull()))
          }
        })
    }
    return lookups
  }

  private static func penaltyLookups(_ wanted: Wanted) -> [Lookup] {
    if wanted.penaltiesOf.isEmpty { return [] }
    let query = Query(penaltiesOf, [.uuidArray(wanted.penaltiesOf.sorted().map(\.value.bits))])
    return [
      Lookup(query: query) { result, state in
        for row in try Tables.penalties.decode(result) { state.penaltiesOfLoan[row.loanID, default: []].append(row) }
      }
    ]
  }

  private static func unitLookups(_ wanted: Wanted) -> [Lookup] {
    var lookups: [Lookup] = []
    let loans = wanted.unitsOf.sorted()
    if !loans.isEmpty {
      lookups.append(
        Lookup(query: Query(unitsOfLoan, [.uuidArray(loans.map(\.value.bits))])) { result, state in
          for loan in loans { state.unitsOfLoan[loan] = [] }
          for unit in try Tables.chipUnits.decode(result) {
            state.shelves.units.load(unit)
            if let loan = unit.loanID { state.unitsOfLoan[loan, default: []].append(unit.id) }
          }
        })
    }
    let keys = wanted.units
    if !keys.isEmpty {
      let query = Query(
        unitsBySerial,
        [
          .uuidArray(keys.map(\.lenderID.value.bits)), .textArray(keys.map(\.chipModelID.value)),
          .textArray(keys.map(\.serial)),
        ])
      lookups.append(
        Lookup(query: query) { result, state in
          for unit in try Tables.chipUnits.decode(result) {
            state.shelves.units.load(unit)
            let key = UnitKey(lenderID: unit.lenderID, chipModelID: unit.chipModelID, serial: unit.serial)
            state.unitBySerial[key] = unit.id
          }
        })
    }
    return lookups
  }

  private static func principalLookups(_ wanted: Wanted) -> [Lookup] {
    if wanted.principalOf.isEmpty { return [] }
    let pairs = wanted.principalOf.sorted { left, right in left.loan < right.loan }
    let query = Query(
      principalMoves, [.uuidArray(pairs.map(\.borrower.value.bits)), .uuidArray(pairs.map(\.loan.value.bits))])
    return [
      Lookup(query: query) { result, state in
        for (_, loan) in pairs { state.principalMoves[loan] = [:] }
        for row in result {
          var reader = RowReader(row)
          let (loan, date): (LoanID, CalendarDate) = (try reader.id(), try reader.date())
          state.principalMoves[loan, default: [:]][date] = try reader.int()
        }
      }
    ]
  }

  private static func sweepLookups(_ wanted: Wanted) -> [Lookup] {
    var lookups: [Lookup] = []
    if !wanted.waterfallsOf.isEmpty {
      let borrowers = wanted.waterfallsOf.sorted()
      lookups.append(
        Lookup(query: Query(waterfallsOf, [.uuidArray(borrowers.map(\.value.bits))])) { result, state in
          for borrower in borrowers { state.waterfallsOf[borrower] = [] }
          for row in try Tables.startupWaterfalls.decode(result) { state.waterfallsOf[row.borrowerID]?.append(row) }
        })
    }
    if !wanted.declinesOf.isEmpty {
      let closings = wanted.declinesOf.sorted()
      lookups.append(
        Lookup(query: Query(declinesOfClosing, [.uuidArray(closings.map(\.value.bits))])) { result, state in
          for closing in closings { state.declinesOfClosing[closing] = [] }
          for row in try Tables.prepaymentDeclines.decode(result) {
            state.declinesOfClosing[row.closingID]?.append(row)
          }
        })
    }
    if wanted.sweepsOf.isEmpty { return lookups }
    let closings = wanted.sweepsOf.sorted()
    let binds: [Bind] = [.uuidArray(closings.map(\.value.bits))]
    return lookups + [
      Lookup(query: Query(sweepsOfClosing, binds)) { result, state in
        for closing in closings { state.sweepsOfClosing[closing] = [] }
        for row in try Tables.repaymentExplanations.decode(result) {
          let closing =
            row.kind == .sweep ? ClosingID(row.subjectID) : try SweepExplanation(canonicalBytes: row.bytes).closing.id
          state.sweepsOfClosing[closing]?.append(row)
        }
      },
      Lookup(query: Query(paidSinceSweep, binds)) { result, state in
        for closing in closings { state.paidSinceSweep[closing] = [:] }
        for row in result {
          var reader = RowReader(row)
          let (closing, loan): (ClosingID, LoanID) = (try reader.id(), try reader.id())
          state.paidSinceSweep[closing]?[loan] = try reader.int()
        }
      },
    ]
  }

  private static func accountAndMarkLookups(_ wanted: Wanted) -> [Lookup] {
    var lookups: [Lookup] = []
    if !wanted.accounts.isEmpty {
      let pairs = wanted.accounts
      lookups.append(
        Lookup(
          query: Query(
            AccountSQL.byCode, [.uuidArray(pairs.map(\.0.value.bits)), .textArray(pairs.map(\.1.rawValue))])
        ) { result, state in
          for row in result {
            let (account, balance) = try AccountSQL.decode(row)
            state.balances[account] = balance
          }
        })
    }
    if !wanted.chipMarks.isEmpty {
      let models = wanted.chipMarks.sorted()
      lookups.append(
        Lookup(query: Query(marksOfChips, [.textArray(models.map(\.value))])) { result, state in
          for model in models { state.chipMarks[model] = [] }
          for mark in try Tables.chipMarks.decode(result) {
            if let model = mark.subject.chipModel { state.chipMarks[model, default: []].append(mark) }
          }
        })
    }
    return lookups
  }
}
