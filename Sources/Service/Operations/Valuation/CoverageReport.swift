import Catalogue
import Ledger
import Lending
import Parties
import Persistence
import Postgres
import Primitives
import Valuation

/// What stands behind a loan as of a day, as it was known at a moment, with each input: the mark of one chip with both its
/// dates, chips and debt from the borrower's book, and the margin test where the loan states terms.
package struct CoverageReport: Sendable {
  package let loan: Loan
  package let on: CalendarDate
  package let knownAt: Instant
  /// nil where none was known.
  package let mark: ValuationMark?
  package let inputs: MarginTestRow.Inputs
  /// Whether the mark can be gone by, as a test would find it.
  package let outcome: MarginTestRow.Outcome
  /// Marked value of the chips and deposits over the debt; nil where nothing is owed, or the mark cannot be gone by.
  package let coverage: BasisPoints?
  /// nil without terms, before they begin, and where the mark cannot be gone by.
  package let test: MarginTest?
  /// What is taken off the value of the chips; nil without terms.
  package let haircut: TakenHaircut?
  /// The last test that was kept, of the day or before it.
  package let stored: MarginTestRow?

  /// What one chip was expected to be worth, in millionths of the currency's unit; nil without terms, or before them.
  package var expectedMicros: Int64? { loan.terms.margin?.curve.micros(on: on) }

  /// - Parameters:
  ///   - loan: as the principal may see it.
  ///   - reference: of which the least haircuts count that were adopted by the moment.
  package static func read(
    _ loan: Loan, on date: CalendarDate, knownAt moment: Instant, reference: ReferenceData, as principal: Principal,
    _ reader: Reader
  ) async throws -> CoverageReport {
    let (day, known): (Bind, Bind) = (.date(date.dayNumber), .timestamptz(moment.microseconds))
    let chip = loan.terms.chipModelID
    let key: [Bind] = [.uuid(loan.terms.borrowerID.value.bits), .uuid(loan.id.value.bits), day, known]
    // Chips and debt of a loan are known to both its sides; the book that has them both is the borrower's.
    let books = try await reader.run(
      [Query(MarginSQL.standing, key), Query(MarginSQL.repaidThen, key)], as: .automation)
    let results = try await reader.run(
      [
        MarkQueries.of(.chipModel(chip), .perChip, on: date, knownAt: moment),
        Query(MarkQueries.disputedOfChips, [.textArray([chip.value])]),
        Query(MarginSQL.upheldOfLoan, [.uuid(loan.id.value.bits), known]),
        Query(MarginSQL.testsOfLoan, [reader.scope(principal), .uuid(loan.id.value.bits), day, known]),
      ], as: principal)
    let mark = try Tables.chipMarks.decode(results[0]).first
    let wrong = try Set((Array(results[1]) + Array(results[2])).map { ValuationID(try $0.uuid(0).value) })
    return try CoverageReport(
      loan, on: date, knownAt: moment, mark: mark, isDisputed: mark.map { wrong.contains($0.id) } ?? false,
      inputs: inputs(books[0], repaid: books[1].single().int8(0), loan.currency),
      haircut: loan.terms.margin.map { terms in
        reference.haircut(agreed: terms.haircut, chip: chip, on: date, knownAt: moment)
      },
      stored: Tables.marginTests.decode(results[3]).first)
  }

  private static func inputs(
    _ sums: ResultSet, repaid: Int64, _ currency: Currency
  ) throws -> MarginTestRow.Inputs {
    var (units, owed, deposits): (Int64, Int64, Int64) = (0, 0, 0)
    for row in sums {
      let amount = try row.int8(2)
      switch AccountCode(rawValue: try row.text(0)) {
      case .holdingsOnLoan: units = try units.adding(amount)
      // Debts stand on the credit side.
      case .payablePrincipal, .payableFee, .payableCharges: owed = try owed.subtracting(amount)
      case .depositPledged: deposits = try deposits.adding(amount)
      default: continue
      }
    }
    return MarginTestRow.Inputs(
      units: units, outstanding: Money(owed, currency), deposits: deposits, repaid: max(0, repaid))
  }

  private init(
    _ loan: Loan, on date: CalendarDate, knownAt moment: Instant, mark: ValuationMark?, isDisputed: Bool,
    inputs: MarginTestRow.Inputs, haircut: TakenHaircut?, stored: MarginTestRow?
  ) throws {
    self.loan = loan
    on = date
    knownAt = moment
    self.mark = mark
    self.inputs = inputs
    self.haircut = haircut
    self.stored = stored
    outcome = MarginTestRow.Outcome(mark, in: loan.currency, on: date, isDisputed: isDisputed)
    guard let mark, outcome == .tested else {
      (coverage, test) = (nil, nil)
      return
    }
    let value = try Int128(mark.amount.amount).multiplied(by: Int128(inputs.units)).adding(Int128(inputs.deposits))
    coverage = try Coverage.ratio(value: Money(value.asInt64(), loan.currency), outstanding: inputs.outstanding)
    guard let terms = loan.terms.margin, date >= terms.curve.firstPriceOn else {
      test = nil
      return
    }
    test = try MarginTest(
      terms, on: date, units: inputs.units, mark: mark.amount, deposits: Money(inputs.deposits, loan.currency),
      outstanding: inputs.outstanding, repaid: Money(inputs.repaid, loan.currency), haircut: haircut?.haircut)
  }
}

extension MarginTestRow.Outcome {
  /// Whether a mark can be gone by, of whichever day it is.
  init(_ mark: ValuationMark?, in currency: Currency, on date: CalendarDate, isDisputed: Bool) {
    guard let mark else {
      self = .noMark
      return
    }
    if mark.amount.currency != currency {
      self = .otherCurrency
    } else if StalenessRule.of(mark.method).isStale(mark, on: date) {
      self = .staleMark
    } else {
      self = isDisputed ? .disputedMark : .tested
    }
  }
}
