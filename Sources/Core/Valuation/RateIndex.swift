import Primitives

/// What chips were lent at, by class, from trades that were cleared here and from nothing else.
package struct RateIndex: Sendable, Hashable {
  /// Terms that are one class.
  package enum TermBucket: String, Sendable, Hashable, CaseIterable, Comparable {
    case upTo90 = "up_to_90"
    case upTo180 = "up_to_180"
    case upTo365 = "up_to_365"
    case over365 = "over_365"

    package init(days: Int64) {
      self = days <= 90 ? .upTo90 : days <= 180 ? .upTo180 : days <= 365 ? .upTo365 : .over365
    }

    package static func < (left: TermBucket, right: TermBucket) -> Bool {
      guard let a = allCases.firstIndex(of: left), let b = allCases.firstIndex(of: right) else { return false }
      return a < b
    }
  }

  /// One trade: the class, the rate, and how many chips.
  package struct Trade: Sendable, Hashable {
    package let region: String
    package let termDays: Int64
    package let rate: BasisPoints
    /// Above zero.
    package let quantity: Int64
    package let lender: OrganizationID
    package let borrower: OrganizationID

    package init(
      region: String, termDays: Int64, rate: BasisPoints, quantity: Int64, lender: OrganizationID,
      borrower: OrganizationID
    ) {
      self.region = region
      self.termDays = termDays
      self.rate = rate
      self.quantity = quantity
      self.lender = lender
      self.borrower = borrower
    }
  }

  package struct Entry: Sendable, Hashable {
    package let region: String
    package let bucket: TermBucket
    /// Weighted by chips, rounded half to even to the basis point; nil where there were too few trades or parties.
    package let rate: BasisPoints?
    package let trades: Int64
    /// Chips; nil where the rate is.
    package let quantity: Int64?
  }

  /// Days up to the date, itself included.
  package static let windowDays: Int64 = 30
  package static let leastTrades: Int64 = 3
  /// Of lenders, and of borrowers: with fewer, one of them could tell the others' rate from its own.
  package static let leastParties = 3

  package static let method =
    "Mean of the rates of the loans traded on this market in the 30 days up to and with the date, weighted by chips, by chip "
    + "model, region of the lot and term (90, 180, 365 days and more); rounded half to even to the basis point. A class "
    + "with fewer than three trades, three lenders or three borrowers shows no rate. Nothing is estimated, and nothing "
    + "comes from outside. The figure of a day is provisional until that day is closed."

  package let entries: [Entry]

  /// - Throws: `ValuationRefusal.overflow` past the range.
  package init(_ trades: [Trade]) throws(ValuationRefusal) {
    struct Class: Hashable {
      let region: String
      let bucket: TermBucket
    }
    let groups = Dictionary(grouping: trades) { trade in
      Class(region: trade.region, bucket: TermBucket(days: trade.termDays))
    }
    var entries: [Entry] = []
    for (key, group) in groups.sorted(by: { ($0.key.region, $0.key.bucket) < ($1.key.region, $1.key.bucket) }) {
      let count = Int64(group.count)
      let isShown =
        count >= Self.leastTrades && Set(group.map(\.lender)).count >= Self.leastParties
        && Set(group.map(\.borrower)).count >= Self.leastParties
      do {
        var (weighted, quantity): (Int128, Int128) = (0, 0)
        for trade in group {
          weighted = try weighted.adding(Int128(trade.rate.value) * Int128(trade.quantity))
          quantity = try quantity.adding(Int128(trade.quantity))
        }
        let rate = isShown ? try weighted.divided(by: quantity, rounding: .halfEven).asInt64() : nil
        entries.append(
          Entry(
            region: key.region, bucket: key.bucket, rate: rate.map { BasisPoints($0) }, trades: count,
            quantity: isShown ? try quantity.asInt64() : nil))
      } catch {
        throw .overflow
      }
    }
    self.entries = entries
  }
}
