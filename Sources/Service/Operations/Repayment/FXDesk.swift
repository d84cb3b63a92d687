import Lending
import Parties
import Persistence
import Primitives
import Repayment

/// Which rates commands over a startup's rounds and loans must see, and the table they make.
package enum FXDesk {
  /// The rates that were in use when the batch looked, each pair as far as somebody asked for it.
  /// - Throws: `RepaymentRefusal` as the table does.
  static func table(in draft: Draft) throws -> FXTable {
    let ids = draft.base.fxRatesOf.values.reduce(into: Set<FXRateID>()) { $0.formUnion($1) }
    return try FXTable(
      ids.compactMap { draft.find(\.fxRates, $0) }.filter { $0.state == .approved }.map(\.rate),
      maxStalenessDays: draft.reference.parameters.oldestRateDays)
  }

  /// What a sweep of a startup's closings must see; nothing where all is in one currency. Its loans, closings and rounds
  /// are in the state.
  /// - Parameter also: loans beside those that have not ended.
  static func needs(ofBorrower borrower: OrganizationID, also: [LoanID] = [], _ state: BatchState) -> Set<Need> {
    let closings = (state.closingsOfBorrower[borrower] ?? []).compactMap { state.shelves.closings[$0] }
    let loans = ((state.loansOfBorrower[borrower] ?? []) + also).compactMap { state.loans[$0] }
    return Set(
      spans(loans: loans, cash: Set(closings.map(\.netNewCash.currency)), days: closings.map(\.closedOn)).map {
        Need.fxRates($0)
      })
  }

  /// The rates between each currency of cash and each that a loan or its covenant is in, on and shortly before some days.
  package static func spans(loans: [Loan], cash: Set<Currency>, days: [CalendarDate]) -> Set<FXSpan> {
    var owed: Set<Currency> = []
    for loan in loans {
      owed.insert(loan.currency)
      for threshold in [loan.terms.repayment.leastAmount, loan.terms.repayment.leastPostMoney] {
        if let threshold { owed.insert(threshold.currency) }
      }
    }
    guard let first = days.min(), let last = days.max() else { return [] }
    let pairs = Set(cash.flatMap { paid in owed.filter { $0 != paid }.map { FXPair(paid, $0) } })
    return Set(pairs.map { span($0, from: first, through: last) })
  }

  /// What a lender's limit for one startup needs where some of its loans are in another currency than the limit: the rates
  /// since the last of them was traded, of which today's is taken.
  static func needs(ofExposure listing: Listing, of borrower: OrganizationID, _ state: BatchState) -> Set<Need> {
    guard let limit = listing.eligibility.maxExposure?.currency else { return [] }
    let loans = (state.loansOfBorrower[borrower] ?? []).compactMap { state.loans[$0] }
      .filter { $0.terms.lenderID == listing.lenderID && $0.currency != limit }
    return Set(
      loans.map { loan in
        let traded = loan.terms.tradeOn
        return Need.fxRates(
          span(FXPair(loan.currency, limit), from: traded, through: traded.adding(days: mostDaysOfLoan) ?? traded))
      })
  }

  /// What that limit needs for offers in another currency that wait for an answer.
  static func needs(of pending: [Offer], against listing: Listing) -> Set<Need> {
    guard let limit = listing.eligibility.maxExposure?.currency else { return [] }
    return Set(
      pending.filter { $0.lenderID == listing.lenderID && $0.markAmount.currency != limit }.map { offer in
        let made = offer.createdAt.date
        return Need.fxRates(
          span(
            FXPair(offer.markAmount.currency, limit), from: made, through: made.adding(days: mostDaysOfLoan) ?? made))
      })
  }

  /// Far more than any term with its extensions.
  private static let mostDaysOfLoan: Int64 = 36_525

  /// The parameters say how old a rate may be; what is looked up reaches back further than any would allow.
  private static let mostDaysBack: Int64 = 31

  /// What the rates of some days may be found in.
  package static func span(_ pair: FXPair, from first: CalendarDate, through last: CalendarDate) -> FXSpan {
    FXSpan(pair, from: first.adding(days: -mostDaysBack) ?? first, through: last)
  }
}
