import Postgres
import Primitives

/// What stands behind many loans, each in one statement.
package enum ExposureSQL {
  /// `$1` borrowers, `$2` loans: cash that is pledged for each, in minor units of the loan's currency.
  package static let deposits = Statement(
    "exposure_deposits",
    """
    select subject_id, sum(balance)::bigint from accounts
    where org_id = any($1) and account_code = 'deposit.pledged' and subject_id = any($2)
    group by subject_id order by subject_id
    """, parameters: [.uuidArray, .uuidArray], columns: [.uuid, .int8])
  /// `$1` borrowers, `$2` loans: marks that a dispute of a call on the loan was upheld against.
  package static let upheld = Statement(
    "exposure_upheld",
    """
    select loan_id, mark_id from margin_calls where borrower_id = any($1) and loan_id = any($2) and is_upheld
    order by loan_id, mark_id
    """, parameters: [.uuidArray, .uuidArray], columns: [.uuid, .uuid])

  package static var statements: [Statement] { [deposits, upheld] }
}
