import Catalogue
import Lending
import Parties
import Persistence
import Postgres
import Primitives
import Valuation

/// The live loans of a lender, or of the whole platform, with what stood behind each as it was known at a moment.
package struct RiskBook: Sendable {
  package let on: CalendarDate
  package let knownAt: Instant
  private let loans: [Loan]
  private let organizations: [OrganizationID: Organization]
  private let chipMarks: [ChipModelID: ValuationMark]
  private let startupMarks: [OrganizationID: ValuationMark]
  private let reference: ReferenceData

  /// Rows that one statement reads.
  private static let pageSize: Int64 = 5_000

  /// Reads everything in one snapshot: what is added up was true together.
  /// - Parameters:
  ///   - lender: nil for the whole platform.
  ///   - date: of marks and verdicts; debts are as they are now.
  package static func read(
    of lender: OrganizationID?, on date: CalendarDate, knownAt moment: Instant, pool: PostgresPool,
    reference: ReferenceData, deadline: ContinuousClock.Instant
  ) async throws -> RiskBook {
    try await pool.transaction(.repeatableRead, access: .readOnly, deadline: deadline) { transaction in
      var loans: [Loan] = []
      var last = UUIDValue(high: 0, low: 0)
      while true {
        let query = Query(ComplianceSQL.liveLoans, [.uuid(last.bits), .int8(pageSize)])
        let page = try await Tables.loans.decode(transaction.run(query))
        loans += page.filter { lender == nil || $0.terms.lenderID == lender }
        guard let end = page.last, page.count == Int(pageSize) else { break }
        last = end.id.value
      }
      let parties = Set(loans.flatMap { [$0.terms.lenderID, $0.terms.borrowerID] })
      let rows = try await Tables.organizations.decode(
        transaction.run(Tables.organizations.rows(by: parties.map(\.value).sorted())))
      let models = Set(loans.map(\.terms.chipModelID)).sorted()
      let chips = try await Tables.chipMarks.decode(
        transaction.run(MarkQueries.ofChips(models, .perChip, on: date, knownAt: moment)))
      let borrowers = Set(loans.map(\.terms.borrowerID)).sorted()
      let valued = Query(
        MarkQueries.ofTheseStartups,
        [
          .uuidArray(borrowers.map(\.value.bits)), .text(ValuationBasis.postMoney.rawValue), .date(date.dayNumber),
          .timestamptz(moment.microseconds),
        ])
      var startups: [OrganizationID: ValuationMark] = [:]
      for mark in try await Tables.startupMarks.decode(transaction.run(valued)) {
        if let startup = mark.subject.startup { startups[startup] = mark }
      }
      var byChip: [ChipModelID: ValuationMark] = [:]
      for mark in chips { if case .chipModel(let chip) = mark.subject { byChip[chip] = mark } }
      return RiskBook(
        on: date, knownAt: moment, loans: loans,
        organizations: Dictionary(rows.map { ($0.id, $0) }, uniquingKeysWith: { first, _ in first }),
        chipMarks: byChip, startupMarks: startups, reference: reference)
    }
  }

  /// Marks that were used, by chip model and by startup.
  package var marks: [ValuationMark] {
    chipMarks.values.sorted { $0.id < $1.id } + startupMarks.values.sorted { $0.id < $1.id }
  }

  /// The positions by rules of a day: those in force on `on` unless others are given.
  package func positions(
    by other: ReferenceData? = nil, rulesOn date: CalendarDate? = nil
  ) throws -> [RiskPosition] {
    let (rules, day) = (other ?? reference, date ?? on)
    return try loans.compactMap { loan in
      guard let lender = organizations[loan.terms.lenderID], let borrower = organizations[loan.terms.borrowerID] else {
        return nil
      }
      let act = ComplianceScreen.nextAct(on: loan, lender: lender, borrower: borrower, date: day)
      let isHeld = try !ExportDesk.verdict(on: act, reference: rules).isClear
      func amount(_ mark: ValuationMark?) -> Money? {
        mark.flatMap { $0.amount.currency == loan.currency ? $0.amount : nil }
      }
      return RiskPosition(
        loanID: loan.id, borrowerID: borrower.id, groupID: borrower.groupID, lenderID: lender.id,
        chip: loan.terms.chipModelID, region: act.to.region, units: loan.unitsOut,
        outstanding: Money(try loan.outstanding.total(), loan.currency),
        mark: amount(chipMarks[loan.terms.chipModelID]),
        valuation: amount(startupMarks[borrower.id]), isHeld: isHeld)
    }
  }
}
