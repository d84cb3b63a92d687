import Primitives

/// Chips of one listing taken by one request under one claim, while the round runs.
struct Piece: Hashable {
  let listing: Int
  let request: Int
  let quantity: Int64
  /// Of the claim it was taken under, basis points.
  let limit: Int64
  /// Minor units, as the loan would freeze it.
  let principal: Int128
}

/// Lender and startup: exposure is kept by this pair, over all their orders.
struct ExposureKey: Hashable {
  let lender: Int
  let startup: Int
}

/// What one lender has out to one startup, and the limits of the listings that took part.
struct Exposure {
  var principal: Int128
  /// Only of listings that have a limit. The least of them binds everything between the two, so that the outcome does
  /// not depend on which listing was drawn first.
  var limits: [Int64] = []

  var limit: Int64 { limits.min() ?? Int64.max }
}

/// How far one class has been bound by what was matched in it.
struct ClassBounds: Hashable {
  /// The highest ask matched.
  var ask: Int64
  /// The lowest limit matched.
  var limit: Int64
}

/// Everything that changes while a round runs.
struct RoundState {
  let book: MatchBook
  private(set) var remaining: [Int64]
  private(set) var filled: [Int64]
  /// Pieces of each request, in the order taken.
  private(set) var pieces: [[Piece]]
  private(set) var bounds: [ClassKey: ClassBounds] = [:]
  private var exposures: [ExposureKey: Exposure]
  /// Chips that each licence still clears; below zero only in an allocation that is not asked to keep the quotas.
  private(set) var licenceRoom: [Int64]
  /// Bounds as they were, while something is only tried.
  private var replacedBounds: [(key: ClassKey, bounds: ClassBounds?)] = []
  private(set) var isTrial = false

  init(_ book: MatchBook) {
    self.book = book
    remaining = book.listings.map(\.quantity)
    filled = book.requests.map { _ in 0 }
    pieces = book.requests.map { _ in [] }
    exposures = [:]
    licenceRoom = book.licenceRoom
    for (position, line) in book.snapshot.requests.enumerated() {
      let startup = book.requests[position].startup
      for (lender, amount) in line.exposureByLender {
        guard let lender = book.organizations.known(lender) else { continue }
        // Lines of one startup should agree on what is out; where they do not, the larger is the prudent one.
        let key = ExposureKey(lender: lender, startup: startup)
        exposures[key] = Exposure(principal: max(exposures[key]?.principal ?? 0, Int128(amount)))
      }
    }
  }

  /// Chips the request still wants.
  func wanted(_ request: Int) -> Int64 { book.requests[request].quantity - filled[request] }

  func exposure(_ key: ExposureKey) -> Exposure { exposures[key] ?? Exposure(principal: 0) }

  mutating func take(_ piece: Piece) {
    let listing = book.listings[piece.listing]
    let request = book.requests[piece.request]
    remaining[piece.listing] -= piece.quantity
    filled[piece.request] += piece.quantity
    pieces[piece.request].append(piece)
    if let licence = book.licence(piece.listing, piece.request) { licenceRoom[licence] -= piece.quantity }
    let key = ExposureKey(lender: listing.lender, startup: request.startup)
    exposures[key, default: Exposure(principal: 0)].principal += piece.principal
    if listing.maxExposure != Int64.max {
      exposures[key, default: Exposure(principal: 0)].limits.append(listing.maxExposure)
    }
    let classKey = ClassKey(listing, request)
    let before = bounds[classKey]
    if isTrial { replacedBounds.append((classKey, before)) }
    var bound = before ?? ClassBounds(ask: listing.ask, limit: piece.limit)
    bound.ask = max(bound.ask, listing.ask)
    bound.limit = min(bound.limit, piece.limit)
    bounds[classKey] = bound
  }

  /// Gives back the request's pieces from position `first` on. The bounds of their classes stay as narrow as they were,
  /// which is prudent; a caller that only tried restores them itself.
  mutating func giveBack(_ request: Int, from first: Int) {
    while pieces[request].count > first, let piece = pieces[request].popLast() {
      let listing = book.listings[piece.listing]
      remaining[piece.listing] += piece.quantity
      filled[request] -= piece.quantity
      if let licence = book.licence(piece.listing, request) { licenceRoom[licence] += piece.quantity }
      let key = ExposureKey(lender: listing.lender, startup: book.requests[request].startup)
      exposures[key]?.principal -= piece.principal
      if listing.maxExposure != Int64.max, let limits = exposures[key]?.limits,
        let last = limits.lastIndex(of: listing.maxExposure)
      {
        exposures[key]?.limits.remove(at: last)
      }
    }
  }

  /// From here until `endTrial`, what the request takes is only tried. Trials do not nest.
  mutating func beginTrial(_ request: Int) -> Int {
    isTrial = true
    return pieces[request].count
  }

  /// Takes back what was tried, bounds included.
  mutating func endTrial(_ request: Int, _ mark: Int) {
    isTrial = false
    giveBack(request, from: mark)
    while let (key, before) = replacedBounds.popLast() { bounds[key] = before }
  }
}

extension MatchBook {
  /// Principal of a piece: quantity x unit value x advance rate, rounded half to even, in minor units.
  func principal(of quantity: Int64, from listing: Int) -> Int128 {
    let product = Int128(quantity) * principalPerChip(listing)
    let (whole, rest) = product.quotientAndRemainder(dividingBy: 10_000)
    return rest > 5_000 || (rest == 5_000 && whole % 2 != 0) ? whole + 1 : whole
  }

  /// The most chips of the listing whose principal is at most `room`; `Int64.max` when any number is.
  func units(within room: Int128, from listing: Int) -> Int64 {
    if room < 0 { return 0 }
    let perChip = principalPerChip(listing)
    if perChip == 0 { return Int64.max }
    // Half to even: a tie above an even `room` still rounds to it, above an odd one it rounds past it.
    let units = (room * 10_000 + (room % 2 == 0 ? 5_000 : 4_999)) / perChip
    return Int64(clamping: units)
  }

  /// In ten-thousandths of a minor unit.
  private func principalPerChip(_ listing: Int) -> Int128 {
    Int128(listings[listing].unitValue) * Int128(listings[listing].advanceRateBps)
  }
}
