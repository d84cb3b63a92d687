import Primitives

/// Runs checked arithmetic; what leaves the range becomes a refusal of this module.
func checked<Value>(
  _ compute: () throws(ArithmeticOverflow) -> Value
) throws(RepaymentRefusal) -> Value {
  do {
    return try compute()
  } catch {
    throw .overflow
  }
}

/// The amount, or a refusal that names it when it is below zero.
func nonNegative(_ amount: Int64, _ what: String) throws(RepaymentRefusal) -> Int64 {
  guard amount >= 0 else { throw .negativeAmount(what: what, amount) }
  return amount
}

/// A share of something: 0 to 100 %.
func properShare(_ share: BasisPoints, _ what: String) throws(RepaymentRefusal) -> BasisPoints {
  guard share.value >= 0, share <= .whole else { throw .shareOutOfRange(what: what, share) }
  return share
}

/// Refuses two entries of one loan: its debt would be counted twice.
func refuseDuplicates(_ loans: some Sequence<LoanID>) throws(RepaymentRefusal) {
  var seen: Set<LoanID> = []
  for id in loans where !seen.insert(id).inserted { throw .duplicateLoan(id) }
}
