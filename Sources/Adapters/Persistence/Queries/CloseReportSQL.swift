import Postgres
import Primitives

/// What a report over closed days reads: money accounts with their movements, loans as they stand, what came and went.
package enum CloseReportSQL {
  package static let accounts = Statement(
    "report_accounts",
    """
    select l.account_code, l.asset,
      coalesce(sum(l.amount) filter (where e.business_date < $1), 0)::bigint,
      coalesce(sum(l.amount) filter (where e.business_date >= $1 and l.amount > 0), 0)::bigint,
      coalesce(-sum(l.amount) filter (where e.business_date >= $1 and l.amount < 0), 0)::bigint,
      sum(l.amount)::bigint
    from journal_lines l join journal_entries e on e.org_id = l.org_id and e.id = l.entry_id
    where e.business_date <= $2 and l.asset not like 'chip:%'
    group by l.account_code, l.asset order by l.asset, l.account_code
    """, parameters: [.date, .date], columns: [.text, .text, .int8, .int8, .int8, .int8])
  package static let loans = Statement(
    "report_loans",
    """
    select state, currency, count(*), sum(outstanding_principal)::bigint, sum(outstanding_fee)::bigint,
      sum(outstanding_charges)::bigint
    from loans where state <> 'closed' group by state, currency order by currency, state
    """, columns: [.text, .text, .int8, .int8, .int8, .int8])
  /// Loans with something due, by how many days it has been.
  package static let pastDue = Statement(
    "report_past_due",
    """
    select currency, bucket, count(*), sum(due)::bigint from (
      select currency, coalesce(due_amount, outstanding_principal + outstanding_fee + outstanding_charges) as due,
        case when $1 - due_since < 30 then 0 when $1 - due_since < 60 then 30 when $1 - due_since < 90 then 60 else 90 end
          as bucket
      from loans where state <> 'closed' and due_since is not null) d
    group by currency, bucket order by currency, bucket
    """, parameters: [.date], columns: [.text, .int4, .int8, .int8])
  package static let receipts = Statement(
    "report_receipts",
    """
    select currency, count(*), sum(amount)::bigint, sum(remainder)::bigint from cash_receipts
    where received_on between $1 and $2 group by currency order by currency
    """, parameters: [.date, .date], columns: [.text, .int8, .int8, .int8])
  package static let payouts = Statement(
    "report_payouts",
    """
    select currency, count(*), sum(gross)::bigint, sum(platform_fee)::bigint from payouts
    where business_date between $1 and $2 group by currency order by currency
    """, parameters: [.date, .date], columns: [.text, .int8, .int8, .int8])
  package static let entries = Statement(
    "report_entries", "select count(*) from journal_entries where business_date between $1 and $2",
    parameters: [.date, .date], columns: [.int8])

  package static let clawbacks = Statement(
    "report_claw_backs",
    """
    select currency, count(*), sum(amount)::bigint, sum(advanced)::bigint from claw_backs
    where booked_on between $1 and $2 group by currency order by currency
    """, parameters: [.date, .date], columns: [.text, .int8, .int8, .int8])

  package static var statements: [Statement] { [accounts, loans, pastDue, receipts, payouts, entries, clawbacks] }

  /// All of them, in the order in which they are declared, and the closed days last.
  package static func queries(from first: CalendarDate, to last: CalendarDate) -> [Query] {
    let span: [Bind] = [.date(first.dayNumber), .date(last.dayNumber)]
    return [
      Query(accounts, span), Query(loans), Query(pastDue, [.date(last.dayNumber)]), Query(receipts, span),
      Query(payouts, span), Query(entries, span), Query(clawbacks, span),
      ClosedDay.query(from: first, to: last),
    ]
  }
}
