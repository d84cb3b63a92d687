import Lending
import Parties
import Persistence
import Primitives
import Repayment

/// Loans and rounds as sweeps, previews and divisions of money see them: one translation for what is done and for what is
/// only shown.
package enum SweepDesk {
  /// The verified rounds of a startup with their closings, for cumulative amounts.
  /// - Parameter round: the round itself, where it takes part.
  static func rounds(
    _ closings: [FundingClosing], _ round: (FundingRoundID) -> FundingRound?
  ) -> [SweepRound] {
    let groups = Dictionary(grouping: closings.filter { $0.state != .reported }, by: \.roundID)
    return groups.compactMap { id, group -> SweepRound? in
      guard let round = round(id), round.state == .verified else { return nil }
      return SweepRound(id: id, facts: facts(of: round, group))
    }.sorted { $0.id < $1.id }
  }

  private static func facts(of round: FundingRound, _ closings: [FundingClosing]) -> FundingRoundFacts {
    FundingRoundFacts(
      kind: round.kind,
      closings: closings.map { FundingRoundFacts.Closing(closedOn: $0.closedOn, netNewCash: $0.netNewCash) },
      postMoney: round.postMoney.map { Money($0, round.currency) })
  }

  /// A startup as previews need it, from rows.
  package struct Book: Sendable {
    private let loans: [Loan]
    private let rounds: [FundingRound]
    private let closings: [FundingClosing]
    private let today: CalendarDate
    private let waterfalls: [StartupWaterfalls]
    private let rates: FXTable
    private let taxes: FeeTaxTable
    private let options: [ListingID: ListingOptions]
    private let conversions: [LoanConversion]

    /// - Parameters:
    ///   - loans: those that have not ended.
    ///   - rounds: those that were not rejected.
    ///   - waterfalls: of the startup's lenders; those in effect today are taken.
    ///   - rates: of the days of its closings and of today; a day to come is shown at today's, which its lines name.
    ///   - taxes: the rules as they are known, for loans whose fee bears sales tax.
    ///   - options: of the loans' listings.
    ///   - conversions: of the loans.
    ///   - today: fees are accrued to this day at least, as a sweep of today would.
    package init(
      loans: [Loan], rounds: [FundingRound], closings: [FundingClosing], waterfalls: [StartupWaterfalls],
      rates: FXTable = .empty, taxes: FeeTaxTable = .empty, options: [ListingOptions] = [],
      conversions: [LoanConversion] = [], today: CalendarDate
    ) {
      self.taxes = taxes
      self.options = Dictionary(options.map { ($0.listingID, $0) }, uniquingKeysWith: { first, _ in first })
      self.conversions = conversions
      self.rates = rates.held(after: today)
      self.waterfalls = waterfalls
      self.today = today
      self.loans = loans
      self.rounds = rounds
      self.closings = closings
    }

    /// A lender that is shown nothing is not told that there is anything.
    package func isExposed(_ lender: OrganizationID) -> Bool { loans.contains { $0.terms.lenderID == lender } }

    private func positions() throws -> [LoanPosition] {
      try loans.compactMap { loan in
        var position = try LoanPosition(Penalties.charged(loan, through: today), by: agreed, taxes: taxes)
        try position?.accrue(through: today)
        return position
      }
    }

    private var agreed: IntercreditorTerms { waterfalls.terms(on: today) }

    private func history(without previewed: Set<ClosingID> = []) -> [SweepRound] {
      SweepDesk.rounds(closings.filter { !previewed.contains($0.id) }) { id in rounds.first { $0.id == id } }
    }

    /// The lenders' right to decline a part of a sweep, as of today; nil where they have none.
    package var declineRule: WaterfallDefinition.DeclineRule? { agreed.waterfalls[.round].decline }

    /// What the closings of a round that are not swept yet would do.
    /// - Throws: `RoundRefusal.nothingToSweep` where there is none.
    package func preview(of round: FundingRound) throws -> SweepPreview {
      let open = closings.filter { $0.roundID == round.id && $0.state != .swept }
      guard round.state != .rejected, !open.isEmpty else { throw RoundRefusal.nothingToSweep(round.state.rawValue) }
      return try SweepPreview(
        HypotheticalRound(
          kind: round.kind,
          closings: open.map { FundingRoundFacts.Closing(closedOn: $0.closedOn, netNewCash: $0.netNewCash) },
          postMoney: round.postMoney.map { Money($0, round.currency) }),
        history: history(without: Set(open.map(\.id))), loans: try positions(),
        waterfall: agreed.waterfalls[.round], rates: rates)
    }

    /// What lenders might take shares for, as of today: it is for them to decide, so no preview assumes it.
    /// - Parameter round: nil for one that is only thought of, which has no price.
    package func convertible(in round: FundingRound?) throws -> [EquityDesk.Outlook] {
      let owed = Dictionary(
        try positions().map { ($0.loanID, $0.owed) }, uniquingKeysWith: { first, _ in first })
      return try loans.sorted { $0.id < $1.id }.compactMap { loan in
        guard let options = options[loan.terms.listingID]?.lifted(for: loan), let steps = owed[loan.id] else {
          return nil
        }
        let debt = try EquityDesk.convertible(
          owed: steps.total(), principal: steps.principal, options,
          before: conversions.filter { $0.loanID == loan.id }, in: round?.id)
        guard let round else {
          return EquityDesk.Outlook(
            loan: loan, options: options, debt: debt, bar: nil, pricing: nil, conversion: nil)
        }
        do throws(EquityRefusal) {
          let pricing = try EquityDesk.pricing(of: round, for: loan, options)
          if let verifiedOn = round.decidedOn, round.state == .verified, loan.terms.tradeOn > verifiedOn {
            throw .tradedAfter(loan.terms.tradeOn, verifiedOn: verifiedOn)
          }
          return EquityDesk.Outlook(
            loan: loan, options: options, debt: debt, bar: nil, pricing: pricing,
            conversion: try? LoanConversion.compute(debt.most, options: options, pricing: pricing))
        } catch {
          return EquityDesk.Outlook(
            loan: loan, options: options, debt: debt, bar: error, pricing: nil, conversion: nil)
        }
      }
    }

    /// What rounds of several sizes and days would do.
    package func grid(_ asked: SweepQuestion) throws -> SweepGrid {
      try SweepGrid(
        kind: asked.kind, currency: asked.currency, sizes: asked.sizes, dates: asked.dates, preMoney: asked.preMoney,
        history: history(), loans: try positions(),
        waterfall: agreed.waterfalls[.round], rates: rates)
    }
  }
}

/// A round that a startup thinks about, in several sizes and on several days.
package struct SweepQuestion: Sendable, Hashable {
  package let kind: FundingRoundKind
  package let currency: Currency
  /// Net new cash in minor units.
  package let sizes: [Int64]
  package let dates: [CalendarDate]
  /// nil where no post-money is thought of; else a size more is a post-money higher by as much.
  package let preMoney: Int64?

  package init(
    kind: FundingRoundKind, currency: Currency, sizes: [Int64], dates: [CalendarDate], preMoney: Int64?
  ) {
    self.kind = kind
    self.currency = currency
    self.sizes = sizes
    self.dates = dates
    self.preMoney = preMoney
  }
}

extension LoanPosition {
  /// A running loan, as it stands by the terms among lenders; nil before its delivery.
  /// - Parameter taxes: the rules as they are known, where it is accrued to days that are not posted yet.
  init?(_ loan: Loan, by agreed: IntercreditorTerms, taxes: FeeTaxTable = .empty) throws {
    // A buyer has the place of the seller, unless the lenders agreed on another since.
    let place = ([loan.id] + (loan.life.acquired?.lineage ?? [])).lazy.compactMap { agreed.place(of: $0) }.first
    guard loan.isRunning, let through = loan.accruedThrough else { return nil }
    let due: Due = loan.due.map { $0.amount.map { .amount($0) } ?? .all } ?? .nothing
    // In default the fee stands still.
    let standsStill = loan.life.default != nil
    let terms = loan.terms
    self.init(
      loanID: loan.id, lenderID: terms.lenderID, currency: loan.currency, rank: place?.rank ?? terms.rank,
      covenant: Covenant(loan),
      rate: standsStill ? BasisPoints(0) : terms.rate, accrual: try LoanFee.state(of: loan, through: through),
      owed: loan.outstanding.steps, due: due, hasAcceded: place?.hasAcceded ?? true,
      rateChanges: standsStill ? [] : loan.life.rates.map { RateChange(from: $0.from, rate: $0.rate) },
      tax: standsStill || !loan.bearsTax
        ? nil
        : try loan.terms.tax?.sales.map { sales in
          FeeTax(table: taxes, jurisdiction: sales.jurisdiction, accrual: try LoanTaxes.state(of: loan))
        })
  }
}

extension Covenant {
  /// nil: no round makes the loan due.
  init?(_ loan: Loan) {
    let terms = loan.terms
    guard terms.repayment.pattern == .roundSweep else { return nil }
    self.init(
      leastAmount: terms.repayment.leastAmount, leastPostMoney: terms.repayment.leastPostMoney,
      sweep: loan.sweep, firstDay: terms.tradeOn, excludedKinds: [])
  }
}

extension Debt {
  /// As the waterfall counts it.
  var steps: StepAmounts { StepAmounts(charges: otherCharges, fee: fee, principal: principal, tax: tax) }
}
