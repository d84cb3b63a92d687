import Ledger
import Lending
import Parties
import Persistence
import Postgres
import Primitives
import Repayment

/// Makes out the certificate that a lien is released. The same rows give the same text at any time: it is dated on the day
/// of the release.
package enum LienDesk {
  /// What was paid on a loan, from the rows of `Details.paymentsOfLoan`.
  package static func payments(_ rows: ResultSet, on loan: Loan) throws -> [LienRelease.PaidEntry] {
    try rows.map { row in
      var reader = RowReader(row)
      let (entry, date): (JournalEntryID, CalendarDate) = (try reader.id(), try reader.date())
      let code: AccountCode = try reader.value()
      let step: WaterfallStep =
        switch code {
        case .payableCharges: .charges
        case .payableTax: .tax
        case .payableFee: .fee
        case .payablePrincipal: .principal
        default: throw StoredValueError(column: "account_code", value: code.rawValue)
        }
      // A payment is a debit of what is owed, and one that was taken back a credit.
      return LienRelease.PaidEntry(
        entryID: entry, on: date, step: step, amount: Money(try reader.int(), loan.currency))
    }
  }

  /// What was paid later, on debt that was reinstated, is no part of it: the certificate says what was true on its day.
  /// The lender named is the one that has the interest at the release; a filing keeps its number when a loan is sold.
  /// - Throws: `RepaymentRefusal.notReleasable` with the loan's present state before it has closed.
  package static func certificate(
    of loan: Loan, lender: Parties.Organization, borrower: Parties.Organization, paid: [LienRelease.PaidEntry]
  ) throws -> LienRelease {
    if loan.closedAs == .assigned {
      throw RepaymentRefusal.notReleasable("the loan was sold, and the interest is the buyer's")
    }
    if loan.closedAs == .assumed {
      throw RepaymentRefusal.notReleasable("it went over to the acquirer's loan")
    }
    guard let interest = loan.securityInterest, let released = interest.releasedOn else {
      throw RepaymentRefusal.notReleasable("the loan is \(loan.state.rawValue)")
    }
    return try LienRelease(
      loanID: loan.id, lender: LienRelease.Party(id: lender.id, name: lender.legalName),
      borrower: LienRelease.Party(id: borrower.id, name: borrower.legalName), quantity: loan.terms.quantity,
      chipModelID: loan.terms.chipModelID, registry: interest.registry, number: interest.number,
      filedOn: interest.filedOn, releasedOn: released, owed: .none, paid: paid, datedOn: released)
  }
}
