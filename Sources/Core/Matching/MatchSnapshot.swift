import Primitives

/// Everything one match round sees, checked: the whole input of `clear`, and enough to replay it.
///
/// Lines are kept in canonical order (sequence, then id), whatever order they came in, so that equal markets are equal
/// values with equal digests.
package struct MatchSnapshot: Sendable, Hashable {
  package let businessDate: CalendarDate
  /// The mark of one chip of each model, minor units of the market's currency, 1 to 10^15. A model without a mark is
  /// not matched.
  package let unitValues: [ChipModelID: Int64]
  package let listings: [ListingLine]
  package let requests: [RequestLine]

  /// - Throws: `MatchRefusal` for the first line, in canonical order, that holds an id twice or a number out of range.
  package init(
    businessDate: CalendarDate, unitValues: [ChipModelID: Int64], listings: [ListingLine], requests: [RequestLine]
  ) throws(MatchRefusal) {
    self.businessDate = businessDate
    self.unitValues = unitValues
    self.listings = listings.sorted { ($0.sequence, $0.id) < ($1.sequence, $1.id) }
    self.requests = requests.sorted { ($0.sequence, $0.id) < ($1.sequence, $1.id) }
    try checkRanges()
  }

  /// SHA-256 over the canonical bytes: independent of the order in which lines and set members were given.
  package func digest() -> SHA256Digest { SHA256Digest(of: canonicalBytes) }
}
