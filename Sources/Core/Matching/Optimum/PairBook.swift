import Primitives

/// The pairs of a book that fit each other, as the combinatorial solver takes them.
struct PairBook {
  private struct Pair {
    let listing: Int
    let request: Int
    let limit: Int64
  }

  private let pairs: [Pair]
  /// Whether the pair market allows all that the book allows. It does not where listings of one lender limit exposure
  /// differently (there the least limit is kept throughout, although a dearer listing alone may go further), nor where
  /// the principal of a chip is no whole number (there half a unit a piece is set aside for rounding).
  let isExact: Bool

  /// - Returns: nil when there are more pairs than `limit`.
  init?(_ book: MatchBook, limit: Int) {
    var pairs: [Pair] = []
    for request in book.requests.indices {
      let line = book.requests[request]
      guard line.quantity >= line.minQuantity, line.quantity > 0 else { continue }
      var best: [Int: Int64] = [:]
      for claim in line.firstClaim..<line.endClaim {
        guard let fitting = book.fitting[claim] else { return nil }
        for listing in fitting where book.listings[Int(listing)].quantity > 0 {
          best[Int(listing)] = max(best[Int(listing)] ?? 0, book.claims[claim].limit)
        }
      }
      guard pairs.count + best.count <= limit else { return nil }
      pairs += best.sorted { $0.key < $1.key }.map { Pair(listing: $0.key, request: request, limit: $0.value) }
    }
    self.pairs = pairs
    var limits: [Int: Set<Int64>] = [:]
    for pair in pairs {
      let listing = book.listings[pair.listing]
      guard book.limitedLenders.contains(listing.lender) else { continue }
      limits[listing.lender, default: []].insert(listing.maxExposure)
    }
    isExact =
      limits.values.allSatisfy { $0.count == 1 }
      && pairs.allSatisfy { pair in
        let listing = book.listings[pair.listing]
        return !book.limitedLenders.contains(listing.lender) || Self.weight(listing) % 10_000 == 0
      }
  }

  /// - Parameter heldRates: pairs that do not embrace the rate of their class are left out: they may trade nothing.
  func market(_ book: MatchBook, heldRates: [ClassKey: Int64]) -> PairMarket {
    let state = RoundState(book)
    var shares: [ExposureKey: [PairMarket.JointLimit.Share]] = [:]
    var limits: [ExposureKey: Int64] = [:]
    var quotas: [Int: [PairMarket.JointLimit.Share]] = [:]
    let lines = pairs.enumerated().map { position, pair in
      let (listing, request) = (book.listings[pair.listing], book.requests[pair.request])
      if book.limitedLenders.contains(listing.lender) {
        let key = ExposureKey(lender: listing.lender, startup: request.startup)
        shares[key, default: []].append(
          .init(pair: Int32(truncatingIfNeeded: position), weight: Self.weight(listing)))
        limits[key] = min(limits[key] ?? .max, listing.maxExposure)
      }
      if let licence = book.licence(pair.listing, pair.request) {
        quotas[licence, default: []].append(.init(pair: Int32(truncatingIfNeeded: position), weight: 1))
      }
      let rate = heldRates[ClassKey(listing, request)]
      let isOut = rate.map { listing.ask > $0 || pair.limit < $0 } ?? false
      let step = leastCommonMultiple(listing.multipleOf, request.multipleOf)
      return PairMarket.Pair(
        listing: Int32(truncatingIfNeeded: pair.listing), request: Int32(truncatingIfNeeded: pair.request),
        surplus: Int128(listing.unitValue) * Int128(pair.limit - listing.ask),
        // More than any listing has: out.
        least: isOut ? 2_000_000_000 : max(listing.minQuantity, 1), step: isOut ? 1 : max(step, 1),
        lender: Int32(truncatingIfNeeded: listing.lender), model: Int32(truncatingIfNeeded: listing.model),
        site: Int32(truncatingIfNeeded: listing.site))
    }
    let exposures = shares.sorted { ($0.key.lender, $0.key.startup) < ($1.key.lender, $1.key.startup) }
      .compactMap { key, shares -> PairMarket.JointLimit? in
        guard let limit = limits[key], limit != Int64.max else { return nil }
        let exposure = state.exposure(key)
        // A piece's principal is rounded to the unit, by half a unit at most; whole ones are not, and may fill the limit
        // to the last unit. What is out already may be beyond it.
        let rounded = shares.count { $0.weight % 10_000 != 0 }
        let room = (Int128(limit) - exposure.principal) * 10_000 - 5_000 * Int128(rounded)
        return PairMarket.JointLimit(shares: shares, limit: max(0, room))
      }
    let licences = quotas.sorted { $0.key < $1.key }.map { licence, shares in
      PairMarket.JointLimit(shares: shares, limit: Int128(book.licenceRoom[licence]))
    }
    return PairMarket(
      listingQuantity: book.listings.map(\.quantity), pairs: lines,
      requests: book.requests.map { request in
        PairMarket.Request(
          quantity: request.quantity, least: max(1, request.minQuantity),
          maxLenders: Int32(clamping: request.maxLenders), sameModel: request.sameModel, sameSite: request.sameSite)
      }, jointLimits: exposures + licences)
  }

  /// Principal of one chip in ten-thousandths of a minor unit.
  private static func weight(_ listing: MatchBook.Listing) -> Int64 {
    Int64(clamping: Int128(listing.unitValue) * Int128(listing.advanceRateBps))
  }

  func quantities(of state: RoundState) -> [Int64] {
    pairs.map { pair in
      state.pieces[pair.request].first { $0.listing == pair.listing }?.quantity ?? 0
    }
  }

  func pieces(of quantities: [Int64], _ book: MatchBook) -> [Piece] {
    zip(pairs, quantities).compactMap { pair, quantity in
      guard quantity > 0 else { return nil }
      return Piece(
        listing: pair.listing, request: pair.request, quantity: quantity, limit: pair.limit,
        principal: book.principal(of: quantity, from: pair.listing))
    }
  }
}
