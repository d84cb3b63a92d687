import Lending
import Parties
import Persistence
import Postgres
import Primitives
import Valuation

/// What stands behind live loans now, and what each startup owes here over what it is worth. Six statements in two round
/// trips beside the loans', whatever their number.
package struct ExposureReport: Sendable {
  /// What a startup owes on these loans in one currency, over its valuation.
  package struct Valued: Sendable {
    /// Why there is no ratio.
    package enum Lack: String, Sendable, CaseIterable {
      case noValuation = "no_valuation"
      case staleValuation = "stale_valuation"
      case disputedValuation = "disputed_valuation"
      case currencyDiffers = "currency_differs"
    }

    package let startupID: OrganizationID
    package let debt: Money
    /// nil where none is known.
    package let mark: ValuationMark?
    /// Rounded up; nil where the mark cannot be gone by, or is zero.
    package let ratio: BasisPoints?
    package let lack: Lack?
  }

  package let on: CalendarDate
  package let knownAt: Instant
  /// By currency, with value over debt.
  package let coverage: [(book: BookCoverage, ratio: BasisPoints?)]
  /// By startup and currency.
  package let valued: [Valued]

  /// - Parameter loans: live ones, as the principal may see them.
  package static func read(
    _ loans: [Loan], on date: CalendarDate, knownAt moment: Instant, as principal: Principal, _ reader: Reader
  ) async throws -> ExposureReport {
    let models = Set(loans.map(\.terms.chipModelID)).sorted()
    let borrowers = Set(loans.map(\.terms.borrowerID)).sorted().map(\.value.bits)
    let loanKeys: [Bind] = [.uuidArray(borrowers), .uuidArray(loans.map(\.id.value.bits))]
    let marks = try await reader.run(
      [
        MarkQueries.ofChips(models, .perChip, on: date, knownAt: moment),
        Query(
          MarkQueries.ofTheseStartups,
          [
            .uuidArray(borrowers), .text(ValuationBasis.postMoney.rawValue), .date(date.dayNumber),
            .timestamptz(moment.microseconds),
          ]),
      ], as: principal)
    // Both sides of a loan know what is pledged for it and what is disputed; the book that has it is the borrower's.
    let facts = try await reader.run(
      [
        Query(ExposureSQL.deposits, loanKeys), Query(ExposureSQL.upheld, loanKeys),
        Query(MarkQueries.disputedOfChips, [.textArray(models.map(\.value))]),
        Query(MarkQueries.disputedOfStartups, [.uuidArray(borrowers)]),
      ], as: .automation)
    var chips: [ChipModelID: ValuationMark] = [:]
    for mark in try Tables.chipMarks.decode(marks[0]) {
      if case .chipModel(let chip) = mark.subject { chips[chip] = mark }
    }
    var startups: [OrganizationID: ValuationMark] = [:]
    for mark in try Tables.startupMarks.decode(marks[1]) {
      if let startup = mark.subject.startup { startups[startup] = mark }
    }
    var deposits: [LoanID: Int64] = [:]
    for row in facts[0] { deposits[LoanID(try row.uuid(0).value)] = try row.int8(1) }
    var upheld: [LoanID: Set<ValuationID>] = [:]
    for row in facts[1] {
      upheld[LoanID(try row.uuid(0).value), default: []].insert(ValuationID(try row.uuid(1).value))
    }
    let disputed = try Set((Array(facts[2]) + Array(facts[3])).map { ValuationID(try $0.uuid(0).value) })
    let lines = try loans.map { loan in
      let mark = chips[loan.terms.chipModelID]
      let isDisputed = mark.map { disputed.contains($0.id) || upheld[loan.id]?.contains($0.id) == true } ?? false
      let outcome = MarginTestRow.Outcome(mark, in: loan.currency, on: date, isDisputed: isDisputed)
      let usable = outcome == .tested ? mark.map { BookCoverage.Mark.usable($0.amount.amount) } : nil
      return BookCoverage.Line(
        units: loan.unitsOut, outstanding: Money(try loan.outstanding.total(), loan.currency),
        deposits: deposits[loan.id] ?? 0, mark: usable ?? .unusable(reason: outcome.rawValue))
    }
    return ExposureReport(
      on: date, knownAt: moment, coverage: try BookCoverage.byCurrency(lines).map { ($0, try $0.ratio()) },
      valued: try valued(loans, startups, disputed: disputed, on: date))
  }

  private static func valued(
    _ loans: [Loan], _ marks: [OrganizationID: ValuationMark], disputed: Set<ValuationID>, on date: CalendarDate
  ) throws -> [Valued] {
    var debts: [OrganizationID: [Currency: Int64]] = [:]
    for loan in loans {
      let sum = debts[loan.terms.borrowerID]?[loan.currency] ?? 0
      debts[loan.terms.borrowerID, default: [:]][loan.currency] = try sum.adding(loan.outstanding.total())
    }
    return try debts.sorted { $0.key < $1.key }.flatMap { startup, sums in
      try sums.sorted { $0.key < $1.key }.map { currency, sum in
        let debt = Money(sum, currency)
        guard let mark = marks[startup] else {
          return Valued(startupID: startup, debt: debt, mark: nil, ratio: nil, lack: .noValuation)
        }
        var lack: Valued.Lack?
        if mark.amount.currency != currency {
          lack = .currencyDiffers
        } else if disputed.contains(mark.id) {
          lack = .disputedValuation
        } else if StalenessRule.of(mark.method).isStale(mark, on: date) {
          lack = .staleValuation
        }
        let ratio = lack == nil ? try Coverage.debtOverValuation(debt: debt, valuation: mark.amount) : nil
        return Valued(startupID: startup, debt: debt, mark: mark, ratio: ratio, lack: lack)
      }
    }
  }
}
