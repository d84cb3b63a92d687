import Primitives

/// What a lender received, divided between the platform and the lender, in minor units.
package struct PayoutShares: Sendable, Hashable {
  /// Charges, fee and principal together.
  package let received: Int64
  package let platformFee: Int64
  /// `received` less `platformFee`: what is paid out.
  package let net: Int64
}

/// What the platform takes.
package enum PlatformFee {
  /// A share of fee income received, rounded half to even once for the whole payout; none of principal and charges,
  /// which are the lender's own money coming back.
  /// - Parameter rate: 0 to 100 %.
  /// - Throws: `RepaymentRefusal` for negative amounts, a rate outside its range, and sums past Int64.
  package static func split(_ received: StepAmounts, rate: BasisPoints) throws(RepaymentRefusal) -> PayoutShares {
    let rate = try properShare(rate, "platform fee rate")
    let total = try received.total()
    let fee = try checked { () throws(ArithmeticOverflow) in
      try (Int128(received.fee) * Int128(rate.value)).divided(by: 10_000, rounding: .halfEven).asInt64()
    }
    return PayoutShares(received: total, platformFee: fee, net: total - fee)
  }
}
