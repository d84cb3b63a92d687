import Primitives

/// Cash and what is spent of it, as a startup says: bitemporal like marks, and never looked up by anybody else.
package struct RunwayReport: Sendable, Hashable {
  package let id: RunwayReportID
  package let startupID: OrganizationID
  /// The day that the figures are of.
  package let on: CalendarDate
  /// At the bank, at least 0.
  package let cash: Money
  /// Spent a month beyond what comes in, at least 0, in the currency of the cash; 0 for a company that earns its keep.
  package let monthlyBurn: Int64
  /// What shows it: an account statement, management accounts.
  package let evidence: String
  /// The report that this one corrects.
  package let supersedes: RunwayReportID?
  package let reportedBy: PersonID
  /// Business time at which it became known here.
  package let recordedAt: Instant

  package init(
    id: RunwayReportID, startupID: OrganizationID, on: CalendarDate, cash: Money, monthlyBurn: Int64, evidence: String,
    supersedes: RunwayReportID?, reportedBy: PersonID, recordedAt: Instant
  ) {
    self.id = id
    self.startupID = startupID
    self.on = on
    self.cash = cash
    self.monthlyBurn = monthlyBurn
    self.evidence = evidence
    self.supersedes = supersedes
    self.reportedBy = reportedBy
    self.recordedAt = recordedAt
  }

  /// Months that the cash lasts, in hundredths, rounded down; nil where nothing is burnt.
  package var monthsInHundredths: Int64? {
    guard monthlyBurn > 0 else { return nil }
    let hundredths = Int128(cash.amount) * 100 / Int128(monthlyBurn)
    return Int64(min(hundredths, Int128(Int64.max)))
  }
}

extension RunwayReport {
  /// The report that was known at a moment of the latest day up to a date.
  package static func standing(
    _ reports: [RunwayReport], on date: CalendarDate, knownAt moment: Instant
  ) -> RunwayReport? {
    let known = reports.filter { $0.recordedAt <= moment }
    let corrected = Set(known.compactMap(\.supersedes))
    return known.filter { $0.on <= date && !corrected.contains($0.id) }
      .max { ($0.on, $0.recordedAt, $0.id) < ($1.on, $1.recordedAt, $1.id) }
  }
}

/// How much more a startup may borrow by the platform's measure: a limit for the risk officer's eye, which no act waits for.
/// [ours] The three measures are those that lenders of venture debt state: a share of the value of the company, what the
/// goods bring, and months of cash.
package struct BorrowingPower: Sendable, Hashable {
  package struct Policy: Sendable, Hashable {
    /// Of a post-money valuation, in basis points.
    package let valuationShare: BasisPoints
    /// Of the marked value of chips out, in basis points.
    package let chipAdvance: BasisPoints
    /// Months of cash, in hundredths, up to which nothing counts of the valuation.
    package let leastMonths: Int64
    /// And from which all of it counts; between the two in a straight line. Above `leastMonths`.
    package let fullMonths: Int64
    /// Days for which a report of cash is good.
    package let reportDays: Int64

    package init(
      valuationShare: BasisPoints, chipAdvance: BasisPoints, leastMonths: Int64, fullMonths: Int64, reportDays: Int64
    ) {
      self.valuationShare = valuationShare
      self.chipAdvance = chipAdvance
      self.leastMonths = leastMonths
      self.fullMonths = fullMonths
      self.reportDays = reportDays
    }

    /// A tenth of the valuation, from 6 to 12 months of cash reported within 100 days; seven tenths of the chips.
    package static let standard = Policy(
      valuationShare: BasisPoints(1_000), chipAdvance: BasisPoints(7_000), leastMonths: 600, fullMonths: 1_200,
      reportDays: 100)
  }

  /// Why an input counts for nothing.
  package enum Lack: String, Sendable, Hashable, CaseIterable {
    case noValuation = "no_valuation"
    case staleValuation = "stale_valuation"
    case disputedValuation = "disputed_valuation"
    case noRunwayReport = "no_runway_report"
    case staleRunwayReport = "stale_runway_report"
    case currencyDiffers = "currency_differs"
    /// Chips are out of which no mark in the currency is known.
    case unmarkedChips = "unmarked_chips"
  }

  package let currency: Currency
  /// Share of the valuation, before the runway, in minor units, rounded down.
  package let valuationLimit: Int64
  /// What of that counts by the months of cash, in basis points, rounded down.
  package let runwayFactor: BasisPoints
  /// Advance on the chips, rounded down.
  package let chipLimit: Int64
  package let debt: Int64
  /// What is left, at least 0.
  package let power: Int64
  /// By how much the debt is over the limits; 0 where it is not.
  package let excess: Int64
  package let lacks: [Lack]

  /// - Parameters:
  ///   - valuation: nil where none is known.
  ///   - isStale: as its method's rule says on the day.
  ///   - chipValue: marked value of chips out in the currency, at least 0, without haircut.
  ///   - hasUnmarked: some chips are out of which no mark in the currency is known.
  ///   - debt: at least 0; its currency is the one of the answer.
  /// - Throws: `ValuationRefusal.overflow` past the range of money.
  package init(
    on date: CalendarDate, valuation: Money?, isStale: Bool, isDisputed: Bool, chipValue: Int64, hasUnmarked: Bool,
    runway: RunwayReport?, debt: Money, policy: Policy = .standard
  ) throws(ValuationRefusal) {
    currency = debt.currency
    self.debt = debt.amount
    var lacks: [Lack] = []
    var limit: Int64 = 0
    if let valuation {
      if valuation.currency != debt.currency {
        lacks.append(.currencyDiffers)
      } else if isDisputed {
        lacks.append(.disputedValuation)
      } else if isStale {
        lacks.append(.staleValuation)
      } else {
        limit = try Self.share(policy.valuationShare, of: valuation.amount)
      }
    } else {
      lacks.append(.noValuation)
    }
    var factor = BasisPoints(0)
    if let runway {
      if runway.on.days(to: date) > policy.reportDays {
        lacks.append(.staleRunwayReport)
      } else {
        factor = policy.factor(months: runway.monthsInHundredths)
      }
    } else {
      lacks.append(.noRunwayReport)
    }
    if hasUnmarked { lacks.append(.unmarkedChips) }
    valuationLimit = limit
    runwayFactor = factor
    chipLimit = try Self.share(policy.chipAdvance, of: chipValue)
    let counted = try Self.share(factor, of: limit)
    let left: Int64
    do {
      left = try counted.adding(chipLimit).subtracting(debt.amount)
    } catch {
      throw .overflow
    }
    power = max(0, left)
    excess = max(0, 0 - left)
    self.lacks = lacks
  }

  private static func share(_ share: BasisPoints, of amount: Int64) throws(ValuationRefusal) -> Int64 {
    do {
      return try (Int128(amount) * Int128(share.value)).divided(by: 10_000, rounding: .down).asInt64()
    } catch {
      throw .overflow
    }
  }
}

extension BorrowingPower.Policy {
  /// - Parameter months: in hundredths; nil where nothing is burnt, and then all counts.
  func factor(months: Int64?) -> BasisPoints {
    guard let months, months < fullMonths else { return .whole }
    guard months > leastMonths, fullMonths > leastMonths else { return BasisPoints(0) }
    // Both differences are below `fullMonths`.
    return BasisPoints(Int64(Int128(months - leastMonths) * 10_000 / Int128(fullMonths - leastMonths)))
  }
}
