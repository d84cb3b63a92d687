import Catalogue
import Interest
import Postgres
import Primitives
import Repayment
import Screening

/// What every command and query may read without asking the database: chip models, export rules, calendars, taxes on fees,
/// least haircuts, market parameters.
/// A value of one version; a process swaps it whole when the version in the database moves.
package final class ReferenceData: Sendable {
  package let version: Int64
  package let chips: [ChipModelID: ChipModel]
  package let rules: ExportRules
  package let parameters: MarketParameters
  package let calendars: BusinessCalendars
  package let taxes: FeeTaxTable
  package let haircuts: HaircutTable
  /// Lists of parties.
  package let screening: ScreeningLists

  package init(
    version: Int64, chips: [ChipModel], rules: ExportRules, parameters: MarketParameters,
    calendars: BusinessCalendars = .none, taxes: FeeTaxTable = .empty, haircuts: HaircutTable = .empty,
    screening: ScreeningLists = .none
  ) {
    self.taxes = taxes
    self.haircuts = haircuts
    self.screening = screening
    self.calendars = calendars
    self.version = version
    self.chips = Dictionary(chips.map { ($0.id, $0) }, uniquingKeysWith: { first, _ in first })
    self.rules = rules
    self.parameters = parameters
  }

  private init(_ other: ReferenceData, rules: ExportRules, screening: ScreeningLists) {
    version = other.version
    chips = other.chips
    parameters = other.parameters
    calendars = other.calendars
    taxes = other.taxes
    haircuts = other.haircuts
    self.rules = rules
    self.screening = screening
  }

  /// What is taken off the value of chips of a model on a day, where this was agreed on.
  /// - Parameter moment: nil for all that is known; else what was adopted by then.
  package func haircut(
    agreed: BasisPoints, chip: ChipModelID, on date: CalendarDate, knownAt moment: Instant? = nil
  ) -> TakenHaircut {
    haircuts.taken(
      agreed: agreed, chip: chip, vendorClass: chips[chip]?.facts.vendorClass, on: date, knownAt: moment)
  }

  /// The same with other rules, for a look at what they would change.
  package func with(rules: ExportRules) -> ReferenceData {
    ReferenceData(self, rules: rules, screening: screening)
  }

  /// The same with other lists of parties.
  package func with(screening: ScreeningLists) -> ReferenceData {
    ReferenceData(self, rules: rules, screening: screening)
  }
}

/// What the platform fixes for every trade.
package struct MarketParameters: Sendable, Hashable {
  /// How long an offer stays open, in seconds of business time.
  package var offerSeconds: Int64
  /// The platform's share of fee income that lenders receive.
  package var platformFee: BasisPoints
  /// Of new loans.
  package var dayCount: DayCountConvention
  /// A payout run that pays more than this, in minor units of a currency, needs a second person.
  package var payoutApprovalLimit: Int64
  /// How long after it was verified an account is first paid on, in seconds of business time: whoever holds the account
  /// that was used before can object.
  package var payeeWaitSeconds: Int64
  /// Days that a rate between currencies may be older than the day it is used for: a weekend and two holidays are spanned,
  /// and what is older is no rate of that day.
  package var oldestRateDays: Int64
  /// Days after a round was verified in which lenders may take shares of it.
  package var conversionDays: Int64

  package init(
    offerSeconds: Int64 = 72 * 3_600, platformFee: BasisPoints = BasisPoints(500),
    dayCount: DayCountConvention = .act360, payoutApprovalLimit: Int64 = 1_000_000_000,
    payeeWaitSeconds: Int64 = 48 * 3_600, oldestRateDays: Int64 = 5, conversionDays: Int64 = 10
  ) {
    self.conversionDays = conversionDays
    self.oldestRateDays = oldestRateDays
    self.payeeWaitSeconds = payeeWaitSeconds
    self.payoutApprovalLimit = payoutApprovalLimit
    self.offerSeconds = offerSeconds
    self.platformFee = platformFee
    self.dayCount = dayCount
  }
}
