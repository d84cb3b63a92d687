import Primitives

/// The value of a unit from a day on, as the parties stipulated it.
package struct StipulatedValue: Sendable, Hashable {
  package let from: CalendarDate
  /// Minor units a unit, at least 0.
  package let perUnit: Int64

  package init(from: CalendarDate, perUnit: Int64) {
    self.from = from
    self.perUnit = perUnit
  }
}

/// How much of the principal returned units discharge, with what the rule needs to know.
package enum ReturnCredit: Sendable, Hashable {
  /// Outstanding principal over units still out: the default.
  case proRataOutstanding
  /// Stipulated values, in any order; the last one that has begun holds.
  case schedule([StipulatedValue])
  /// The lower of that share and what the chip is worth on the day, in minor units a unit.
  case lowerOfMark(perUnit: Int64)
}

/// What a return does to the debt, in minor units.
package struct ReturnCreditAmount: Sendable, Hashable {
  /// By the loan's rule, at most the outstanding principal.
  package let gross: Int64
  /// What the inspection charges for the condition.
  package let conditionCharge: Int64

  /// What principal is reduced by: `gross` less the condition charge, not below zero.
  package var credit: Int64 { max(0, gross - conditionCharge) }

  /// The part of the condition charge that the credit does not cover; it is billed.
  package var chargeLeft: Int64 { max(0, conditionCharge - gross) }
}

extension ReturnCredit {
  /// The credit for units that come back.
  ///
  /// Under `proRataOutstanding` each unit's share is a whole number of minor units by largest remainder over the units
  /// still out (all weigh the same, so the earlier ones take the odd units): returning them one by one or together
  /// credits the same, and the last unit takes exactly what is left.
  /// - Parameters:
  ///   - units: 1 to `unitsOut`.
  ///   - unitsOut: those still part of the debt, these included.
  ///   - principal: outstanding, at least 0.
  ///   - conditionCharge: at least 0.
  /// - Throws: `RepaymentRefusal` for counts and amounts out of range, and for a day that no stipulated value covers.
  package func amount(
    units: Int64, of unitsOut: Int64, principal: Int64, on date: CalendarDate, conditionCharge: Int64 = 0
  ) throws(RepaymentRefusal) -> ReturnCreditAmount {
    guard units >= 1, units <= unitsOut else { throw .unitsOutOfRange(wanted: units, out: unitsOut) }
    let principal = try nonNegative(principal, "outstanding principal")
    let charge = try nonNegative(conditionCharge, "condition charge")
    let gross: Int64
    switch self {
    case .proRataOutstanding:
      gross = Self.proRata(units, of: unitsOut, principal: principal)
    case .schedule(let values):
      let perUnit = try Self.stipulated(values, on: date)
      gross = Self.atMost(principal, units: units, perUnit: perUnit)
    case .lowerOfMark(let perUnit):
      let share = Self.proRata(units, of: unitsOut, principal: principal)
      gross = Self.atMost(share, units: units, perUnit: try nonNegative(perUnit, "mark"))
    }
    return ReturnCreditAmount(gross: gross, conditionCharge: charge)
  }

  /// The first `units` of the largest-remainder shares of `principal` over `unitsOut` equal weights, in closed form: a
  /// loan can have a hundred thousand units.
  private static func proRata(_ units: Int64, of unitsOut: Int64, principal: Int64) -> Int64 {
    let (floor, odd) = principal.quotientAndRemainder(dividingBy: unitsOut)
    return floor * units + min(odd, units)
  }

  private static func stipulated(
    _ values: [StipulatedValue], on date: CalendarDate
  ) throws(RepaymentRefusal) -> Int64 {
    // Of two for one day the lower: no credit is given that one of the two does not give.
    let begun = values.filter { $0.from <= date }
    let holding = begun.max { $0.from != $1.from ? $0.from < $1.from : $0.perUnit > $1.perUnit }
    guard let holding else { throw .noStipulatedValue(on: date) }
    return try nonNegative(holding.perUnit, "stipulated value")
  }

  /// `units * perUnit`, or the limit when that is more.
  private static func atMost(_ limit: Int64, units: Int64, perUnit: Int64) -> Int64 {
    Int64(min(Int128(limit), Int128(units) * Int128(perUnit)))
  }
}
