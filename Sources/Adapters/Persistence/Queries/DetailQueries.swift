import Ledger
import Lending
import Parties
import Postgres
import Primitives
import Repayment
import Valuation

/// Further reads behind single resources, each with the tenant filter.
package enum Details {
  package static let verdictsOfSubject = Statement(
    "read_verdicts_of_subject",
    Tables.verdicts.selectList
      + "where ($1::uuid is null or borrower_id = $1 or lender_id = $1) and subject_id = $2 order by recorded_at, id",
    parameters: [.uuid, .uuid], columns: Tables.verdicts.types)
  package static let returnsOfLoan = Statement(
    "read_returns_of_loan",
    Tables.loanReturns.selectList
      + "where ($1::uuid is null or borrower_id = $1 or lender_id = $1) and loan_id = $2 order by created_at, id",
    parameters: [.uuid, .uuid], columns: Tables.loanReturns.types)
  package static let amendmentsOfLoan = Statement(
    "read_amendments_of_loan",
    Tables.loanAmendments.selectList
      + "where ($1::uuid is null or borrower_id = $1 or lender_id = $1) and loan_id = $2 order by created_at, id",
    parameters: [.uuid, .uuid], columns: Tables.loanAmendments.types)
  package static let assignmentsOfLoan = Statement(
    "read_assignments_of_loan",
    Tables.loanAssignments.selectList
      + """
      where ($1::uuid is null or seller_id = $1 or buyer_id = $1 or (borrower_id = $1 and accepted_on is not null))
        and (loan_id = $2 or assigned_loan_id = $2) order by created_at, id
      """,
    parameters: [.uuid, .uuid], columns: Tables.loanAssignments.types)
  /// How a loan began that took another's place: the day, and the residue of fee that it begins with.
  package static let assumptionOfLoan = Statement(
    "read_assumption_of_loan",
    """
    select done_on, handed_residue from control_choices
    where ($1::uuid is null or borrower_id = $1 or lender_id = $1 or acquirer_id = $1) and into_loan_id = $2
    """,
    parameters: [.uuid, .uuid], columns: [.date, .int8])
  package static let eventsOfLoan = Statement(
    "read_events_of_loan",
    Tables.loanEvents.selectList
      + """
      where ($1::uuid is null or borrower_id = $1 or lender_id = $1) and loan_id = $2
      order by at, loan_version, id limit 1000
      """,
    parameters: [.uuid, .uuid], columns: Tables.loanEvents.types)
  package static let unitEventsOfLoan = Statement(
    "read_unit_events_of_loan",
    Tables.unitEvents.selectList
      + """
      where ($1::uuid is null or borrower_id = $1 or lender_id = $1) and loan_id = $2
      order by recorded_at, id limit 100000
      """,
    parameters: [.uuid, .uuid], columns: Tables.unitEvents.types)
  package static let unitsOfLoan = Statement(
    "read_units_of_loan",
    Tables.chipUnits.selectList
      + """
      where ($1::uuid is null or borrower_id = $1 or lender_id = $1) and (loan_id = $2 or id in (
        select unit_id from unit_events where loan_id = $2 and unit_id is not null))
      order by serial, id
      """,
    parameters: [.uuid, .uuid], columns: Tables.chipUnits.types)
  /// A page of a lot's numbered units that were ever lent or serviced, after (created_at, id).
  package static let unitsOfLot = Statement(
    "read_units_of_lot",
    Tables.chipUnits.selectList
      + """
      where ($1::uuid is null or lender_id = $1) and lot_id = $2 and (created_at, id) > ($3, $4)
      order by created_at, id limit $5
      """,
    parameters: [.uuid, .uuid, .timestamptz, .uuid, .int8], columns: Tables.chipUnits.types)
  /// All that happened to these units, in whatever loan or outside of any.
  package static let eventsOfUnits = Statement(
    "read_events_of_units",
    Tables.unitEvents.selectList
      + """
      where ($1::uuid is null or lender_id = $1) and unit_id = any($2) order by recorded_at, id
      """,
    parameters: [.uuid, .uuidArray], columns: Tables.unitEvents.types)
  package static let closingsOfRound = Statement(
    "read_closings_of_round",
    Tables.fundingClosings.selectList
      + "where ($1::uuid is null or borrower_id = $1) and round_id = $2 order by closed_on, id",
    parameters: [.uuid, .uuid], columns: Tables.fundingClosings.types)
  package static let loansDueByRound = Statement(
    "read_loans_due_by_round",
    Tables.loans.selectList + "where ($1::uuid is null or borrower_id = $1) and due_cause_id = $2 order by id",
    parameters: [.uuid, .uuid], columns: Tables.loans.types)
  package static let allocationsOfReceipt = Statement(
    "read_allocations_of_receipt",
    Tables.allocations.selectList
      + "where ($1::uuid is null or borrower_id = $1 or lender_id = $1) and receipt_id = $2 order by loan_id, step",
    parameters: [.uuid, .uuid], columns: Tables.allocations.types)
  package static let allocationsOfLoan = Statement(
    "read_allocations_of_loan",
    Tables.allocations.selectList
      + """
      where ($1::uuid is null or borrower_id = $1 or lender_id = $1) and loan_id = $2
      order by allocated_on, receipt_id, step
      """,
    parameters: [.uuid, .uuid], columns: Tables.allocations.types)
  /// Records of sweeps and corrections of a round's closings; asked after the round was found, or filtered by lender after.
  package static let sweepsOfRound = Statement(
    "read_sweeps_of_round",
    Tables.repaymentExplanations.selectList
      + """
      where ($1::uuid is null or borrower_id = $1) and subject_id in (
        select id from funding_closings where round_id = $2
        union all select id from closing_corrections where round_id = $2)
      order by recorded_at, subject_id
      """,
    parameters: [.uuid, .uuid], columns: Tables.repaymentExplanations.types)
  package static let declinesOfRound = Statement(
    "read_declines_of_round",
    Tables.prepaymentDeclines.selectList
      + "where ($1::uuid is null or borrower_id = $1) and round_id = $2 order by recorded_at, id",
    parameters: [.uuid, .uuid], columns: Tables.prepaymentDeclines.types)
  package static let divisionOfReceipt = Statement(
    "read_division_of_receipt",
    Tables.repaymentExplanations.selectList
      + "where ($1::uuid is null or borrower_id = $1) and kind = 'allocation' and subject_id = $2",
    parameters: [.uuid, .uuid], columns: Tables.repaymentExplanations.types)
  package static let roundsOfStartup = Statement(
    "read_rounds_of_startup",
    Tables.fundingRounds.selectList
      + "where ($1::uuid is null or borrower_id = $1) and borrower_id = $2 and state <> 'rejected' order by id",
    parameters: [.uuid, .uuid], columns: Tables.fundingRounds.types)
  package static let closingsOfStartup = Statement(
    "read_closings_of_startup",
    Tables.fundingClosings.selectList
      + "where ($1::uuid is null or borrower_id = $1) and borrower_id = $2 order by closed_on, id",
    parameters: [.uuid, .uuid], columns: Tables.fundingClosings.types)
  package static let waterfallsOfStartup = Statement(
    "read_waterfalls_of_startup",
    Tables.startupWaterfalls.selectList
      + """
      where ($1::uuid is null or borrower_id = $1) and borrower_id = $2
      order by effective_on desc, recorded_at desc, id desc limit 1000
      """,
    parameters: [.uuid, .uuid], columns: Tables.startupWaterfalls.types)
  /// What was paid on a loan, and taken back again, as the borrower's journal has it: until its debt was paid off first.
  package static let paymentsOfLoan = Statement(
    "read_payments_of_loan",
    """
    select e.id, e.business_date, l.account_code, l.amount
    from journal_entries e join journal_lines l on l.org_id = e.org_id and l.entry_id = e.id
    where ($1::uuid is null or e.org_id = $1) and e.org_id = $2 and e.subject_id = $3
      and e.kind in ('debt_paid', 'debt_reinstated', 'tax_withheld')
      and l.account_code in ('payable.charges', 'payable.tax', 'payable.fee', 'payable.principal')
      and e.sequence < coalesce((
        select min(c.sequence) from claw_back_lines b
        join journal_entries c on c.org_id = b.borrower_id and c.id = b.entry_id
        where b.borrower_id = $2 and b.loan_id = $3 and b.reinstates), 9223372036854775807)
    order by e.business_date, e.id, l.line_no
    """, parameters: [.uuid, .uuid, .uuid], columns: [.uuid, .date, .text, .int8])
  /// The day on which a loan was reinstated last; none where it never was.
  package static let reinstatementOfLoan = Statement(
    "read_reinstatement_of_loan",
    """
    select max(booked_on) from claw_back_lines
    where ($1::uuid is null or borrower_id = $1) and borrower_id = $2 and loan_id = $3 and reinstates
    having count(*) > 0
    """, parameters: [.uuid, .uuid, .uuid], columns: [.date])
  package static let clawbacksOfReceipt = Statement(
    "read_claw_backs_of_receipt",
    Tables.clawbacks.selectList
      + "where ($1::uuid is null or org_id = $1 or payer_id = $1) and receipt_id = $2 order by created_at, id",
    parameters: [.uuid, .uuid], columns: Tables.clawbacks.types)
  package static let clawbackLinesOfReceipt = Statement(
    "read_claw_back_lines_of_receipt",
    Tables.clawbackLines.selectList
      + """
      where ($1::uuid is null or borrower_id = $1 or lender_id = $1) and receipt_id = $2
      order by claw_back_id, loan_id, step
      """,
    parameters: [.uuid, .uuid], columns: Tables.clawbackLines.types)
  package static let clawbackRecordsOfReceipt = Statement(
    "read_claw_back_records_of_receipt",
    Tables.repaymentExplanations.selectList
      + """
      where ($1::uuid is null or borrower_id = $1) and kind = 'claw_back' and subject_id in (
        select id from claw_backs where receipt_id = $2)
      order by recorded_at, subject_id
      """,
    parameters: [.uuid, .uuid], columns: Tables.repaymentExplanations.types)
  package static let startupMarks = Statement(
    "read_startup_marks",
    Tables.startupMarks.selectList
      + "where ($1::uuid is null or borrower_id = $1) and borrower_id = $2 order by effective_on, recorded_at, id",
    parameters: [.uuid, .uuid], columns: Tables.startupMarks.types)
  package static let chipMarks = Statement(
    "read_chip_marks", Tables.chipMarks.selectList + "where chip_model_id = $1 order by effective_on, recorded_at, id",
    parameters: [.text], columns: Tables.chipMarks.types)
  package static let linesOfEntry = Statement(
    "read_lines_of_entries",
    Tables.journalLines.selectList
      + "where ($1::uuid is null or org_id = $1) and entry_id = any($2) order by org_id, entry_id, line_no",
    parameters: [.uuid, .uuidArray], columns: Tables.journalLines.types)
  package static let entriesOfSubject = Statement(
    "read_entries_of_subject",
    Tables.journalEntries.selectList
      + "where ($1::uuid is null or org_id = $1) and subject_id = $2 order by recorded_at, org_id, sequence limit 1000",
    parameters: [.uuid, .uuid], columns: Tables.journalEntries.types)
  package static let accounts = Statement(
    "read_accounts",
    """
    select org_id, account_code, subject_id, asset, balance from accounts
    where ($1::uuid is null or org_id = $1) and ($2::uuid is null or org_id = $2)
    order by org_id, account_code, subject_id, asset limit 10000
    """,
    parameters: [.uuid, .uuid], columns: [.uuid, .text, .uuid, .text, .int8])
  /// Per-book sums by account and asset up to a date; each book's own, added up by the reader.
  package static let trialBalance = Statement(
    "read_trial_balance",
    """
    select l.account_code, l.asset, sum(l.amount)::bigint as balance,
      sum(case when l.amount > 0 then l.amount else 0 end)::bigint as debits,
      sum(case when l.amount < 0 then -l.amount else 0 end)::bigint as credits
    from journal_lines l join journal_entries e on e.org_id = l.org_id and e.id = l.entry_id
    where ($1::uuid is null or l.org_id = $1) and e.business_date <= $2
    group by l.account_code, l.asset order by l.account_code, l.asset
    """,
    parameters: [.uuid, .date], columns: [.text, .text, .int8, .int8, .int8])
  package static let loansOfStartup = Statement(
    "read_loans_of_startup",
    Tables.loans.selectList
      + "where ($1::uuid is null or borrower_id = $1 or lender_id = $1) and borrower_id = $2 and state <> 'closed' order by id",
    parameters: [.uuid, .uuid], columns: Tables.loans.types)
  package static let loansOfLender = Statement(
    "read_loans_of_lender",
    Tables.loans.selectList
      + "where ($1::uuid is null or lender_id = $1) and lender_id = $2 and state <> 'closed' order by id",
    parameters: [.uuid, .uuid], columns: Tables.loans.types)

  /// Loans of which something is due.
  package static let loansWithDues = Statement(
    "read_loans_with_dues",
    Tables.loans.selectList
      + """
      where ($1::uuid is null or borrower_id = $1 or lender_id = $1) and due_since is not null
        and state not in ('closed', 'title_pending')
      order by lender_id, borrower_id, id
      """,
    parameters: [.uuid], columns: Tables.loans.types)
  package static let penaltiesOfLoan = Statement(
    "read_penalties_of_loan",
    Tables.penalties.selectList
      + """
      where ($1::uuid is null or borrower_id = $1 or lender_id = $1) and loan_id = $2
      order by recorded_at, id limit 10000
      """,
    parameters: [.uuid, .uuid], columns: Tables.penalties.types)
  /// An entry in every book that has it.
  package static let entryByID = Statement(
    "read_entry_by_id",
    Tables.journalEntries.selectList + "where ($1::uuid is null or org_id = $1) and id = $2 order by org_id",
    parameters: [.uuid, .uuid], columns: Tables.journalEntries.types)
  /// Lines of a loan's debt in one side's book, in the book's order.
  package static let debtLinesOfLoan = Statement(
    "read_debt_lines_of_loan",
    """
    select e.id, e.kind, e.business_date, l.account_code, l.amount
    from journal_lines l join journal_entries e on e.org_id = l.org_id and e.id = l.entry_id
    where ($1::uuid is null or l.org_id = $1) and l.org_id = $2 and l.subject_id = $3
      and l.account_code in ('receivable.principal', 'receivable.fee', 'receivable.charges', 'payable.principal',
        'payable.fee', 'payable.charges', 'receivable.tax', 'payable.tax')
    order by e.sequence, l.line_no
    """, parameters: [.uuid, .uuid, .uuid], columns: [.uuid, .text, .date, .text, .int8])
  package static let payoutsOfRun = Statement(
    "read_payouts_of_run",
    Tables.payouts.selectList + "where ($1::uuid is null or lender_id = $1) and run_id = $2 order by id",
    parameters: [.uuid, .uuid], columns: Tables.payouts.types)
  /// Of the lenders that a run paid, and of the platform.
  package static let payeesOfRun = Statement(
    "read_payees_of_run",
    Tables.payees.selectList
      + """
      where ($1::uuid is null or org_id = $1) and (org_id = $3 or org_id in (
        select lender_id from payouts where run_id = $2))
      order by org_id, id
      """,
    parameters: [.uuid, .uuid, .uuid], columns: Tables.payees.types)
  package static let linesOfBankStatement = Statement(
    "read_lines_of_bank_statement",
    Tables.bankLines.selectList
      + "where ($1::uuid is null or org_id = $1) and statement_id = $2 order by entry, detail limit $3",
    parameters: [.uuid, .uuid, .int8], columns: Tables.bankLines.types)
  package static let matchesOfBankStatement = Statement(
    "read_matches_of_bank_statement",
    Tables.reconciliationMatches.selectList
      + "where ($1::uuid is null or org_id = $1) and statement_id = $2 order by entry, detail",
    parameters: [.uuid, .uuid], columns: Tables.reconciliationMatches.types)
  package static let breaksOfBankStatement = Statement(
    "read_breaks_of_bank_statement",
    Tables.reconciliationBreaks.selectList
      + "where ($1::uuid is null or org_id = $1) and statement_id = $2 order by created_at, id",
    parameters: [.uuid, .uuid], columns: Tables.reconciliationBreaks.types)

  package static var statements: [Statement] {
    [
      loansWithDues, penaltiesOfLoan, debtLinesOfLoan, entryByID,
      payoutsOfRun, payeesOfRun, linesOfBankStatement, matchesOfBankStatement, breaksOfBankStatement,
      verdictsOfSubject, returnsOfLoan, amendmentsOfLoan, assignmentsOfLoan, assumptionOfLoan, eventsOfLoan,
      unitEventsOfLoan,
      unitsOfLoan, unitsOfLot, eventsOfUnits, closingsOfRound,
      loansDueByRound,
      allocationsOfReceipt, allocationsOfLoan,
      startupMarks, chipMarks, linesOfEntry, entriesOfSubject, accounts, trialBalance,
      loansOfStartup, loansOfLender, sweepsOfRound, declinesOfRound, divisionOfReceipt, paymentsOfLoan,
      waterfallsOfStartup,
      roundsOfStartup,
      closingsOfStartup, reinstatementOfLoan, clawbacksOfReceipt, clawbackLinesOfReceipt, clawbackRecordsOfReceipt,
    ]
  }
}
