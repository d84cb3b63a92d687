import Primitives

extension FundingRoundKind {
  /// Whether money of it reaches the company at all: in a secondary the holders sell.
  package var bringsCash: Bool { self != .secondary }

  /// Whether what it brings is equity, or turns into it. A licence fee is income; the price of an acquisition goes to
  /// the holders.
  package var bringsEquity: Bool {
    switch self {
    case .priced, .safe, .note, .strategic, .bridge, .ipo: true
    case .secondary, .acquisition, .licenceAndHire: false
    }
  }

  /// Whether shares have a price on the day, so that pre-money, money and post-money must add up. A SAFE or a note is
  /// priced later, at best under a cap.
  package var isPriced: Bool {
    switch self {
    case .priced, .strategic, .ipo: true
    case .safe, .note, .bridge, .secondary, .acquisition, .licenceAndHire: false
    }
  }
}

/// What a round says of the one before.
package enum RoundDirection: String, Sendable, Hashable, CaseIterable {
  case up, flat, down

  /// New shares are priced at the pre-money; the last ones were at the last post-money. nil where either is not known.
  /// - Throws: `RepaymentRefusal.currencyDiffers`: a fall in a currency is not a fall in value.
  package init?(preMoney: Money?, lastPostMoney: Money?) throws(RepaymentRefusal) {
    guard let preMoney, let lastPostMoney else { return nil }
    guard preMoney.currency == lastPostMoney.currency else {
      throw .currencyDiffers(expected: lastPostMoney.currency, found: preMoney.currency)
    }
    self =
      preMoney.amount > lastPostMoney.amount ? .up : preMoney.amount < lastPostMoney.amount ? .down : .flat
  }
}

/// What one closing is made of, in minor units of the round's currency, at least 0 each. Only the cash that is left after
/// all the others is new to the company; a sweep is taken of nothing else.
package struct ClosingFigures: Sendable, Hashable {
  package let closedOn: CalendarDate
  /// All that investors are said to have put in.
  package let subscribed: Int64
  /// Of it, earlier SAFEs, notes and loans that turned into shares: they bring no cash.
  package let converted: Int64
  /// Of it, paid to holders who sold.
  package let secondary: Int64
  /// Of it, kept back for costs of the issue.
  package let costs: Int64

  package init(
    closedOn: CalendarDate, subscribed: Int64, converted: Int64 = 0, secondary: Int64 = 0, costs: Int64 = 0
  ) {
    self.closedOn = closedOn
    self.subscribed = subscribed
    self.converted = converted
    self.secondary = secondary
    self.costs = costs
  }

  /// `subscribed` less conversions, sales by holders and costs.
  /// - Throws: `RepaymentRefusal` for a part below zero, and when the parts are more than what was subscribed.
  package func netNewCash() throws(RepaymentRefusal) -> Int64 {
    let subscribed = try nonNegative(subscribed, "subscribed amount")
    let parts = (
      try nonNegative(converted, "converted amount"), try nonNegative(secondary, "secondary amount"),
      try nonNegative(costs, "costs of the issue")
    )
    let taken = try checked { () throws(ArithmeticOverflow) in try parts.0.adding(parts.1).adding(parts.2) }
    guard taken <= subscribed else { throw .partsExceedClosing(subscribed: subscribed, parts: taken) }
    return subscribed - taken
  }
}

/// The figures of a round as reported, in minor units of one currency.
package struct RoundFigures: Sendable, Hashable {
  /// Where conversions count. Before the money: old SAFEs dilute only the old holders, and the pre-money holds them.
  package enum ConversionsIn: String, Sendable, Hashable, CaseIterable {
    case preMoney = "pre_money"
    case postMoney = "post_money"
  }

  package let kind: FundingRoundKind
  package let preMoney: Int64?
  package let postMoney: Int64?
  /// The headline.
  package let amount: Int64?
  package let conversionsIn: ConversionsIn
  package let closings: [ClosingFigures]

  package init(
    kind: FundingRoundKind, preMoney: Int64?, postMoney: Int64?, amount: Int64?,
    conversionsIn: ConversionsIn = .preMoney, closings: [ClosingFigures]
  ) {
    self.kind = kind
    self.preMoney = preMoney
    self.postMoney = postMoney
    self.amount = amount
    self.conversionsIn = conversionsIn
    self.closings = closings
  }

  /// Holds the figures against each other. A round may close in part, so closings may stay below the headline, never
  /// pass it; the valuation is that of the whole round, so it is held against the headline.
  ///
  /// For a priced round with all three figures: post-money = pre-money + shares sold for money (+ conversions, where
  /// these count in the post-money). Sales by holders move no share of the company's and are in neither.
  /// - Returns: net new cash by closing, in their order.
  /// - Throws: `RepaymentRefusal` with the figures that disagree.
  package func netNewCash() throws(RepaymentRefusal) -> [Int64] {
    var cash: [Int64] = []
    var sums = (subscribed: Int64(0), converted: Int64(0), secondary: Int64(0))
    for closing in closings {
      let net = try closing.netNewCash()
      guard net == 0 || kind.bringsCash else { throw .bringsNoCash(kind) }
      let before = sums
      sums = try checked { () throws(ArithmeticOverflow) in
        (
          try before.subscribed.adding(closing.subscribed), try before.converted.adding(closing.converted),
          try before.secondary.adding(closing.secondary)
        )
      }
      cash.append(net)
    }
    if let amount {
      guard sums.subscribed <= (try nonNegative(amount, "amount of the round")) else {
        throw .closingsExceedRound(amount: amount, closings: sums.subscribed)
      }
    }
    try checkValuation(sums.converted, secondary: sums.secondary)
    return cash
  }

  private func checkValuation(_ converted: Int64, secondary: Int64) throws(RepaymentRefusal) {
    if let preMoney { _ = try nonNegative(preMoney, "pre-money") }
    if let postMoney { _ = try nonNegative(postMoney, "post-money") }
    guard let preMoney, let postMoney else { return }
    guard preMoney <= postMoney else { throw .preMoneyAbovePostMoney(pre: preMoney, post: postMoney) }
    guard kind.isPriced, let amount else { return }
    // What was sold for money: the headline less what brought none.
    let outside = conversionsIn == .preMoney ? converted : 0
    let expected = try checked { () throws(ArithmeticOverflow) in
      try preMoney.adding(amount).subtracting(secondary).subtracting(outside)
    }
    guard expected == postMoney else {
      throw .valuationDoesNotAddUp(pre: preMoney, post: postMoney, expected: expected)
    }
  }
}
