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
  /// Chips that each licence still clears, 0 to 10^9: what is left of its quota less what pending offers and loans not
  /// yet handed over will take. A round takes no more of it, over all its pairs.
  package let licenceRoom: [LicenceID: Int64]
  /// Verdicts were taken for every listing, and not for those only whose chip a request takes: then a further chip may
  /// be named to a request as what would have matched it.
  package let isScreenedWhole: Bool

  /// - Throws: `MatchRefusal` for the first line, in canonical order, that holds an id twice or a number out of range.
  package init(
    businessDate: CalendarDate, unitValues: [ChipModelID: Int64], listings: [ListingLine], requests: [RequestLine],
    licenceRoom: [LicenceID: Int64] = [:], isScreenedWhole: Bool = true
  ) throws(MatchRefusal) {
    self.businessDate = businessDate
    self.unitValues = unitValues
    self.listings = listings.sorted { ($0.sequence, $0.id) < ($1.sequence, $1.id) }
    self.requests = requests.sorted { ($0.sequence, $0.id) < ($1.sequence, $1.id) }
    self.licenceRoom = licenceRoom
    self.isScreenedWhole = isScreenedWhole
    try checkRanges()
  }

  /// This market with one request in the place of its namesake, or added to it.
  /// - Throws: `MatchRefusal` for a number of the request that is out of range.
  package func replacing(_ request: RequestLine) throws(MatchRefusal) -> MatchSnapshot {
    try MatchSnapshot(
      businessDate: businessDate, unitValues: unitValues, listings: listings,
      requests: requests.filter { $0.id != request.id } + [request], licenceRoom: licenceRoom,
      isScreenedWhole: isScreenedWhole)
  }

  /// SHA-256 over the canonical bytes: independent of the order in which lines and set members were given.
  package func digest() -> SHA256Digest { SHA256Digest(of: canonicalBytes) }
}
