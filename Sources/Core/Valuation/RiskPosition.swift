import Primitives

/// A live loan as a risk officer looks at it: what is owed, and what stands behind it.
package struct RiskPosition: Sendable, Hashable {
  package let loanID: LoanID
  package let borrowerID: OrganizationID
  /// The borrower's group; the borrower itself where it has no parent.
  package let groupID: OrganizationID
  package let lenderID: OrganizationID
  package let chip: ChipModelID
  /// Where the chips stand.
  package let region: String
  /// Chips that are out, at least 0.
  package let units: Int64
  /// At least 0.
  package let outstanding: Money
  /// Of one chip, in the currency of the loan; nil where none is known, and then the chips count for nothing.
  package let mark: Money?
  /// Of the startup, in the currency of the loan; nil where none is known.
  package let valuation: Money?
  /// A rule or a list holds or refuses every further act on the chips: nobody could bring them to a buyer.
  package let isHeld: Bool

  package init(
    loanID: LoanID, borrowerID: OrganizationID, groupID: OrganizationID, lenderID: OrganizationID, chip: ChipModelID,
    region: String, units: Int64, outstanding: Money, mark: Money?, valuation: Money?, isHeld: Bool
  ) {
    self.loanID = loanID
    self.borrowerID = borrowerID
    self.groupID = groupID
    self.lenderID = lenderID
    self.chip = chip
    self.region = region
    self.units = units
    self.outstanding = outstanding
    self.mark = mark
    self.valuation = valuation
    self.isHeld = isHeld
  }

  /// What the chips are worth after a loss of value and after what their sale costs, rounded down; zero without a mark.
  /// - Throws: `ValuationRefusal.overflow` past the range of money.
  package func chipValue(
    loss: BasisPoints, haircut: BasisPoints, recovery: BasisPoints = .whole
  ) throws(ValuationRefusal) -> Int64 {
    guard let mark else { return 0 }
    let kept = Int128(10_000 - loss.value) * Int128(10_000 - haircut.value) * Int128(recovery.value)
    do {
      let value = try (WideInteger(mark.amount) * WideInteger(units) * WideInteger(kept))
        .divided(by: WideInteger(1_000_000_000_000), rounding: .down)
      guard let amount = value.int64 else { throw ArithmeticOverflow() }
      return amount
    } catch {
      throw .overflow
    }
  }
}

/// How much of a book lies with one startup, group, chip model, lender or region.
package struct Concentration: Sendable, Hashable {
  package enum Dimension: String, Sendable, Hashable, CaseIterable {
    case startup, group, lender, region
    case chip = "chip_model"
  }

  /// The id or the name of what is added up.
  package let key: String
  package let currency: Currency
  package let loans: Int64
  package let units: Int64
  /// Minor units.
  package let outstanding: Int64
  /// Marked value of the chips, without haircut; minor units.
  package let chipValue: Int64
  /// Of everything outstanding in that currency, in basis points, rounded up.
  package let share: BasisPoints
  /// Chip value over outstanding, rounded down; nil when nothing is outstanding.
  package let coverage: BasisPoints?
  /// Loans of which no mark of the chip is known: their chips count for nothing.
  package let unmarked: Int64

  /// The book by one dimension, the largest share of each currency first.
  /// - Throws: `ValuationRefusal.overflow` for sums past the range of money.
  package static func by(
    _ dimension: Dimension, of book: [RiskPosition]
  ) throws(ValuationRefusal) -> [Concentration] {
    struct Sum {
      var (loans, units, outstanding, chipValue, unmarked): (Int64, Int64, Int64, Int64, Int64) = (0, 0, 0, 0, 0)
    }
    var sums: [Currency: [String: Sum]] = [:]
    var totals: [Currency: Int64] = [:]
    do {
      for position in book {
        let currency = position.outstanding.currency
        let value = try position.chipValue(loss: BasisPoints(0), haircut: BasisPoints(0))
        var sum = sums[currency]?[dimension.key(of: position)] ?? Sum()
        sum.loans += 1
        sum.units = try sum.units.adding(position.units)
        sum.outstanding = try sum.outstanding.adding(position.outstanding.amount)
        sum.chipValue = try sum.chipValue.adding(value)
        sum.unmarked += position.mark == nil && position.units > 0 ? 1 : 0
        sums[currency, default: [:]][dimension.key(of: position)] = sum
        totals[currency] = try totals[currency, default: 0].adding(position.outstanding.amount)
      }
    } catch let error as ValuationRefusal {
      throw error
    } catch {
      throw .overflow
    }
    var found: [Concentration] = []
    for (currency, parts) in sums.sorted(by: { $0.key < $1.key }) {
      let whole = Money(totals[currency, default: 0], currency)
      var rows: [Concentration] = []
      for (key, sum) in parts {
        let outstanding = Money(sum.outstanding, currency)
        rows.append(
          Concentration(
            key: key, currency: currency, loans: sum.loans, units: sum.units, outstanding: sum.outstanding,
            chipValue: sum.chipValue,
            share: try Coverage.debtOverValuation(debt: outstanding, valuation: whole) ?? BasisPoints(0),
            coverage: try Coverage.ratio(value: Money(sum.chipValue, currency), outstanding: outstanding),
            unmarked: sum.unmarked))
      }
      found += rows.sorted { ($1.outstanding, $0.key) < ($0.outstanding, $1.key) }
    }
    return found
  }
}

extension Concentration.Dimension {
  fileprivate func key(of position: RiskPosition) -> String {
    switch self {
    case .startup: position.borrowerID.description
    case .group: position.groupID.description
    case .lender: position.lenderID.description
    case .region: position.region
    case .chip: position.chip.value
    }
  }
}
