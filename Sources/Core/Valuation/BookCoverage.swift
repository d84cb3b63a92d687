import Primitives

/// What stands behind all live loans in one currency. A loan of which the chips have no mark that can be gone by counts with
/// its debt and with no chips: nothing that is not known makes the ratio better.
package struct BookCoverage: Sendable, Hashable {
  /// One live loan.
  package struct Line: Sendable, Hashable {
    /// Chips with the borrower, at least 0.
    package let units: Int64
    /// All parts of the debt, at least 0.
    package let outstanding: Money
    /// Pledged for it, in minor units of its currency, at least 0.
    package let deposits: Int64
    /// Of one chip, in the loan's currency, or why there is none to go by.
    package let mark: Mark

    package init(units: Int64, outstanding: Money, deposits: Int64, mark: Mark) {
      self.units = units
      self.outstanding = outstanding
      self.deposits = deposits
      self.mark = mark
    }
  }

  package enum Mark: Sendable, Hashable {
    /// Minor units of the loan's currency.
    case usable(Int64)
    case unusable(reason: String)
  }

  /// Loans with chips out that have no usable mark, for one reason.
  package struct Unmarked: Sendable, Hashable {
    package let reason: String
    package fileprivate(set) var loans: Int64 = 0
    package fileprivate(set) var units: Int64 = 0
    /// Minor units.
    package fileprivate(set) var outstanding: Int64 = 0
  }

  package let currency: Currency
  package private(set) var loans: Int64 = 0
  package private(set) var units: Int64 = 0
  /// In minor units, as all below.
  package private(set) var markedValue: Int64 = 0
  package private(set) var deposits: Int64 = 0
  package private(set) var outstanding: Int64 = 0
  /// By reason, in the order of the words.
  package private(set) var unmarked: [Unmarked] = []

  /// Loans by currency, in the order of the codes.
  /// - Throws: `ValuationRefusal.overflow` past the range of money.
  package static func byCurrency(_ lines: some Sequence<Line>) throws(ValuationRefusal) -> [BookCoverage] {
    var books: [Currency: BookCoverage] = [:]
    do {
      for line in lines {
        try books[line.outstanding.currency, default: BookCoverage(currency: line.outstanding.currency)].add(line)
      }
    } catch {
      throw .overflow
    }
    return books.sorted { $0.key < $1.key }.map(\.value)
  }

  /// Marked value and deposits over debt, rounded down; nil where nothing is owed.
  /// - Throws: `ValuationRefusal.overflow` past the range of money.
  package func ratio() throws(ValuationRefusal) -> BasisPoints? {
    guard let value = try? markedValue.adding(deposits) else { throw .overflow }
    return try Coverage.ratio(value: Money(value, currency), outstanding: Money(outstanding, currency))
  }

  private init(currency: Currency) { self.currency = currency }

  private mutating func add(_ line: Line) throws(ArithmeticOverflow) {
    loans += 1
    units = try units.adding(line.units)
    deposits = try deposits.adding(line.deposits)
    outstanding = try outstanding.adding(line.outstanding.amount)
    guard line.units > 0 else { return }
    switch line.mark {
    case .usable(let amount): markedValue = try markedValue.adding(line.units.multiplied(by: amount))
    case .unusable(let reason):
      let known = unmarked.firstIndex { $0.reason == reason }
      if known == nil { unmarked.append(Unmarked(reason: reason)) }
      let index = known ?? unmarked.count - 1
      unmarked[index].loans += 1
      unmarked[index].units = try unmarked[index].units.adding(line.units)
      unmarked[index].outstanding = try unmarked[index].outstanding.adding(line.outstanding.amount)
      unmarked.sort { $0.reason < $1.reason }
    }
  }
}
