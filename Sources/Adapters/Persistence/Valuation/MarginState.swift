import Lending
import Postgres
import Primitives
import Repayment
import Valuation

/// Something of margin calls that a command must see.
package enum MarginNeed: Sendable, Hashable {
  case call(MarginCallID)
  /// Calls of a borrower that run or of which a dispute was upheld, and principal that was paid for calls.
  case calls(of: OrganizationID)
  /// On which days a borrower's loans were tested.
  case tested(MarginDay)
  case depositAct(DepositActID)
  /// What was proposed for a deposit.
  case depositActs(of: CashReceiptID)
}

/// A borrower on a day.
package struct MarginDay: Sendable, Hashable, Comparable {
  package let borrowerID: OrganizationID
  package let on: CalendarDate

  package init(_ borrowerID: OrganizationID, on date: CalendarDate) {
    self.borrowerID = borrowerID
    on = date
  }

  package static func < (left: Self, right: Self) -> Bool {
    (left.borrowerID, left.on) < (right.borrowerID, right.on)
  }
}

/// What was looked up of it.
package struct MarginState: Sendable {
  /// On which days a loan was looked at.
  package struct TestedDays: Sendable, Hashable {
    /// The last of them.
    package var latest: CalendarDate
    /// Whether the day that was asked about is one.
    package var hasDay: Bool
  }

  /// Calls that run, and those of which a dispute was upheld.
  package var callsOf: [OrganizationID: [MarginCallID]] = [:]
  package var tested: [MarginDay: [LoanID: TestedDays]] = [:]
  /// Principal that was paid for calls and not taken back, in minor units.
  package var repaid: [LoanID: Int64] = [:]
  package var depositActsOf: [CashReceiptID: [DepositActID]] = [:]

  package init() {}

  mutating func absorb(_ made: Made) throws(ArithmeticOverflow) {
    for row in made.overlay.marginCalls.insertedRows { callsOf[row.borrowerID]?.append(row.id) }
    for row in made.marginTests {
      for day in tested.keys where day.borrowerID == row.borrowerID {
        let before = tested[day]?[row.loanID]
        tested[day]?[row.loanID] = TestedDays(
          latest: max(before?.latest ?? row.on, row.on), hasDay: before?.hasDay == true || row.on == day.on)
      }
    }
    for row in made.overlay.depositActs.insertedRows { depositActsOf[row.receiptID]?.append(row.id) }
    if callsOf.isEmpty { return }
    func isBrought(_ receipt: CashReceiptID, for loan: LoanID) -> Bool {
      guard let row = made.overlay.receipts[receipt] else { return false }
      return row.deposit.map { $0.loanID == loan } ?? (row.marginCallID != nil)
    }
    for row in made.allocations
    where row.step == WaterfallStep.principal.rawValue && isBrought(row.receiptID, for: row.loanID) {
      repaid[row.loanID] = try repaid[row.loanID, default: 0].adding(row.amount.amount)
    }
    for line in made.clawbackLines
    where line.step == WaterfallStep.principal.rawValue && isBrought(line.receiptID, for: line.loanID) {
      repaid[line.loanID] = try repaid[line.loanID, default: 0].subtracting(line.cash.amount)
    }
  }
}

/// Statements on margin calls and tests beside those of the tables.
package enum MarginSQL {
  private static let calls = Statement(
    "margin_calls_of_borrowers",
    Tables.marginCalls.selectList
      + "where borrower_id = any($1) and (ended_on is null or is_upheld) order by created_at, id",
    parameters: [.uuidArray], columns: Tables.marginCalls.types)
  private static let tested = Statement(
    "margin_tests_of_days",
    """
    select w.borrower_id, w.on_date, l.id, t.on_date, exists (
      select 1 from margin_tests d where d.borrower_id = l.borrower_id and d.loan_id = l.id and d.on_date = w.on_date)
    from unnest($1::uuid[], $2::date[]) as w (borrower_id, on_date)
    join loans l on l.borrower_id = w.borrower_id and l.margin_from is not null and l.state <> 'closed'
    cross join lateral (
      select on_date from margin_tests t where t.borrower_id = l.borrower_id and t.loan_id = l.id
      order by on_date desc limit 1) t
    order by w.borrower_id, w.on_date, l.id
    """, parameters: [.uuidArray, .dateArray], columns: [.uuid, .date, .uuid, .date, .bool])
  private static let repaid = Statement(
    "margin_repaid_of_borrowers",
    """
    select a.loan_id, (sum(a.amount) - coalesce(sum(b.cash), 0))::bigint
    from cash_receipts r
    join allocations a on a.borrower_id = r.org_id and a.receipt_id = r.id and a.step = 'principal'
    left join (
      select borrower_id, receipt_id, loan_id, sum(cash) as cash from claw_back_lines where step = 'principal'
      group by 1, 2, 3) b on b.borrower_id = a.borrower_id and b.receipt_id = a.receipt_id and b.loan_id = a.loan_id
    where r.org_id = any($1) and (r.margin_call_id is not null or r.deposit_loan_id is not null)
      and coalesce(r.deposit_loan_id, a.loan_id) = a.loan_id
    group by a.loan_id order by a.loan_id
    """, parameters: [.uuidArray], columns: [.uuid, .int8])
  /// Borrowers with loans that state margin terms, or with calls that run, and how many of both.
  package static let borrowers = Statement(
    "run_margin",
    """
    select borrower_id, count(*) from (
      select borrower_id from loans where margin_from is not null and state <> 'closed'
      union all
      select borrower_id from margin_calls where ended_on is null) x
    group by borrower_id order by borrower_id
    """, columns: [.uuid, .int8])
  /// Tests after one, with what their loans agreed on, in the order of their keys.
  package static let after = Statement(
    "margin_tests_after",
    Tables.marginTests.selectList + "where (borrower_id, id) > ($1, $2) order by borrower_id, id limit $3",
    parameters: [.uuid, .uuid, .int8], columns: Tables.marginTests.types)
  /// `$1` the organisation that asks, null for all; `$2` the loan; the latest first.
  package static let testsOfLoan = Statement(
    "margin_tests_of_loan",
    Tables.marginTests.selectList
      + """
      where loan_id = $2 and ($1::uuid is null or borrower_id = $1 or lender_id = $1) and on_date <= $3
        and recorded_at <= $4
      order by on_date desc limit 1
      """, parameters: [.uuid, .uuid, .date, .timestamptz], columns: Tables.marginTests.types)
  /// What a loan owed, which chips it had and what was deposited for it, by the borrower's own book: up to a day, as it was
  /// known at a moment.
  package static let standing = Statement(
    "margin_standing_of_loan",
    """
    select l.account_code, l.asset, sum(l.amount)::bigint from journal_lines l
    join journal_entries e on e.org_id = l.org_id and e.id = l.entry_id
    where l.org_id = $1 and l.subject_id = $2 and e.business_date <= $3 and e.recorded_at <= $4
    group by l.account_code, l.asset order by l.account_code, l.asset
    """, parameters: [.uuid, .uuid, .date, .timestamptz], columns: [.text, .text, .int8])
  /// Calls that run for an organisation's loans, borrowed or lent, by currency: how many, and what is undisputed and missing.
  package static let running = Statement(
    "margin_calls_running",
    """
    select currency, count(*), sum(greatest(0, called - disputed - cured))::bigint from margin_calls
    where ended_on is null and (borrower_id = $1 or lender_id = $1) group by currency order by currency
    """, parameters: [.uuid], columns: [.text, .int8, .int8])
  /// As ``repaid``, of one loan, up to a day and as known at a moment.
  package static let repaidThen = Statement(
    "margin_repaid_then",
    """
    select (coalesce(sum(a.amount), 0) - coalesce(sum(b.cash), 0))::bigint
    from cash_receipts r
    join allocations a on a.borrower_id = r.org_id and a.receipt_id = r.id and a.step = 'principal'
    left join (
      select l.borrower_id, l.receipt_id, l.loan_id, sum(l.cash) as cash from claw_back_lines l
      join journal_entries e on e.org_id = l.borrower_id and e.id = l.entry_id and e.recorded_at <= $4
      where l.step = 'principal' and l.booked_on <= $3 group by 1, 2, 3) b
      on b.borrower_id = a.borrower_id and b.receipt_id = a.receipt_id and b.loan_id = a.loan_id
    where r.org_id = $1 and (r.margin_call_id is not null or r.deposit_loan_id is not null)
      and coalesce(r.deposit_loan_id, a.loan_id) = a.loan_id and a.loan_id = $2 and a.allocated_on <= $3
      and r.created_at <= $4
    """, parameters: [.uuid, .uuid, .date, .timestamptz], columns: [.int8])

  /// Marks of calls on a loan of which a dispute was upheld by a moment.
  package static let upheldOfLoan = Statement(
    "margin_calls_upheld",
    "select mark_id from margin_calls where loan_id = $1 and is_upheld and updated_at <= $2 order by mark_id",
    parameters: [.uuid, .timestamptz], columns: [.uuid])

  package static var statements: [Statement] {
    [
      calls, tested, repaid, borrowers, after, testsOfLoan, standing, repaidThen, upheldOfLoan, depositActs,
      running,
    ]
  }

  private static let depositActs = Statement(
    "deposit_acts_of_receipts", Tables.depositActs.selectList + "where receipt_id = any($1) order by created_at, id",
    parameters: [.uuidArray], columns: Tables.depositActs.types)

  static func lookups(_ needs: Set<MarginNeed>) -> [Loader.Lookup] {
    var (ids, acts): ([UUIDValue], [UUIDValue]) = ([], [])
    var borrowers: [OrganizationID] = []
    var days: [MarginDay] = []
    var receipts: [CashReceiptID] = []
    for need in needs {
      switch need {
      case .call(let id): ids.append(id.value)
      case .calls(let id): borrowers.append(id)
      case .tested(let day): days.append(day)
      case .depositAct(let id): acts.append(id.value)
      case .depositActs(let id): receipts.append(id)
      }
    }
    var lookups: [Loader.Lookup] = []
    if !ids.isEmpty {
      lookups.append(
        Loader.Lookup(query: Tables.marginCalls.rows(by: ids.sorted())) { result, state in
          for row in try Tables.marginCalls.decode(result) { state.shelves.marginCalls.load(row) }
        })
    }
    if !acts.isEmpty {
      lookups.append(
        Loader.Lookup(query: Tables.depositActs.rows(by: acts.sorted())) { result, state in
          for row in try Tables.depositActs.decode(result) { state.shelves.depositActs.load(row) }
        })
    }
    if !receipts.isEmpty {
      let receipts = receipts.sorted()
      lookups.append(
        Loader.Lookup(query: Query(depositActs, [.uuidArray(receipts.map(\.value.bits))])) { result, state in
          for receipt in receipts { state.margin.depositActsOf[receipt] = [] }
          for row in try Tables.depositActs.decode(result) {
            state.shelves.depositActs.load(row)
            state.margin.depositActsOf[row.receiptID]?.append(row.id)
          }
        })
    }
    if !borrowers.isEmpty { lookups += callLookups(borrowers.sorted()) }
    if !days.isEmpty { lookups.append(testedLookup(days.sorted())) }
    return lookups
  }

  private static func callLookups(_ borrowers: [OrganizationID]) -> [Loader.Lookup] {
    let binds: [Bind] = [.uuidArray(borrowers.map(\.value.bits))]
    return [
      Loader.Lookup(query: Query(calls, binds)) { result, state in
        for borrower in borrowers { state.margin.callsOf[borrower] = [] }
        for row in try Tables.marginCalls.decode(result) {
          state.shelves.marginCalls.load(row)
          state.margin.callsOf[row.borrowerID]?.append(row.id)
        }
      },
      Loader.Lookup(query: Query(repaid, binds)) { result, state in
        for row in result {
          var reader = RowReader(row)
          let loan: LoanID = try reader.id()
          state.margin.repaid[loan] = try reader.int()
        }
      },
    ]
  }

  private static func testedLookup(_ days: [MarginDay]) -> Loader.Lookup {
    let binds: [Bind] = [.uuidArray(days.map(\.borrowerID.value.bits)), .dateArray(days.map(\.on.dayNumber))]
    return Loader.Lookup(query: Query(tested, binds)) { result, state in
      for day in days { state.margin.tested[day] = [:] }
      for row in result {
        var reader = RowReader(row)
        let day = MarginDay(try reader.id(), on: try reader.date())
        let loan: LoanID = try reader.id()
        state.margin.tested[day]?[loan] = MarginState.TestedDays(
          latest: try reader.date(), hasDay: try reader.bool())
      }
    }
  }
}
