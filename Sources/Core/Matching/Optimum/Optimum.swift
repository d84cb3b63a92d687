import Primitives

/// Finds the best allocation of a book that it can prove, or bound.
///
/// 1. The flow of the book, without the constraints that a flow cannot say, has an optimum that bounds everything.
///    Where it keeps those constraints anyway it is the answer: the rule in large markets of whole boards.
/// 2. Otherwise a book of few pairs is searched, from the price-time allocation as first incumbent.
/// 3. A larger one keeps what breaks no constraint and has the rest searched, or served by price and time, with what
///    the kept pieces leave. The better of that and plain price-time stands.
///
/// In 2 and 3 equal chips must still cost the same: a class in which what would trade cannot share a rate is held to
/// the rate that the most surplus embraces, and what does not embrace it is left out there.
struct Optimum {
  /// Without lists of what fits: the flow needs none, and they are most of the cost of a large book.
  private let bare: MatchBook
  /// Pairs up to which a book is searched.
  static let usualPairLimit = 12_000
  /// Steps of the search: a fraction of a second; what is larger is left with its gap.
  static let usualSearchLimit = 8_000_000
  private static let ratePasses = 8
  private let pairLimit: Int
  private let searchLimit: Int

  init(_ book: MatchBook, pairLimit: Int = usualPairLimit, searchLimit: Int = usualSearchLimit) {
    bare = book
    self.pairLimit = pairLimit
    self.searchLimit = searchLimit
  }

  func settle() -> Settlement {
    var flowBound: Int128?
    var prices: DualPrices?
    var relaxed: RoundState?
    if let network = ClassNetwork(bare) {
      let clearing = clear(flow: network.market)
      var state = RoundState(bare)
      for piece in network.pieces(of: clearing, bare) { state.take(piece) }
      prices = DualPrices(network, clearing, bare)
      let certificate = FlowCertificate(prices: clearing.highPrices)
      precondition(certificate.failure(of: clearing, in: network.market) == nil, "the flow's optimum proves itself")
      if state.requestsInBreach.isEmpty, state.ratesOfClashingClasses().isEmpty {
        return Settlement(
          state: state, heldRates: [:], method: .flow, bound: clearing.objective, prices: prices)
      }
      flowBound = clearing.objective
      relaxed = state
    }
    let book = MatchBook(bare.snapshot)
    let greedy = Settlement(Clearing(book).settle(), bound: flowBound ?? ceiling(book), prices: prices)
    if let pairs = PairBook(book, limit: pairLimit) {
      return search(book, pairs, greedy)
    }
    guard let relaxed else { return greedy }
    let repaired = repair(book, relaxed, greedy)
    return repaired.objective > greedy.objective ? repaired : greedy
  }

  /// What no allocation exceeds, each request on its own.
  private func ceiling(_ book: MatchBook) -> Int128 {
    var sum: Int128 = 0
    for request in book.requests.indices {
      var best: Int128 = 0
      for claim in book.claims[book.requests[request].firstClaim..<book.requests[request].endClaim] {
        for listing in book.order(for: claim) where book.fits(listing, claim) {
          let surplus = Int128(book.listings[listing].unitValue) * Int128(claim.limit - book.listings[listing].ask)
          best = max(best, surplus)
        }
      }
      sum += best * Int128(book.requests[request].quantity)
    }
    return sum
  }

  // MARK: small books

  private func search(_ book: MatchBook, _ pairs: PairBook, _ greedy: Settlement) -> Settlement {
    var held: [ClassKey: Int64] = [:]
    var bound = greedy.bound
    for pass in 0..<Self.ratePasses {
      let market = pairs.market(book, heldRates: held)
      let clearing = clear(
        pairs: market, startingFrom: pass == 0 ? pairs.quantities(of: greedy.state) : nil, workLimit: searchLimit)
      // The first pass holds no class to a rate: its bound is that of the round.
      if pass == 0, pairs.isExact { bound = min(bound, clearing.bound) }
      var state = RoundState(book)
      for piece in pairs.pieces(of: clearing.quantities, book) { state.take(piece) }
      guard state.requestsInBreach.isEmpty else { break }
      let clashing = state.ratesOfClashingClasses()
      if clashing.isEmpty {
        let found = Settlement(
          state: inOrder(state), heldRates: held, method: .search, bound: bound, prices: greedy.prices)
        if found.objective >= greedy.objective { return found }
        break
      }
      held.merge(clashing) { held, _ in held }
    }
    return Settlement(
      state: greedy.state, heldRates: greedy.heldRates, method: .priceTime, bound: bound, prices: greedy.prices)
  }

  // MARK: large books

  /// Keeps what is sound of the flow's optimum and serves the other requests with the rest.
  private func repair(_ book: MatchBook, _ relaxed: RoundState, _ greedy: Settlement) -> Settlement {
    var unsound = relaxed.requestsInBreach
    let rates = relaxed.ratesOfClashingClasses()
    if !rates.isEmpty {
      for piece in relaxed.pieces.joined() {
        let listing = book.listings[piece.listing]
        let key = ClassKey(listing, book.requests[piece.request])
        if let rate = rates[key], listing.ask > rate || piece.limit < rate { unsound.insert(piece.request) }
      }
    }
    var kept = relaxed
    for request in unsound { kept.giveBack(request, from: 0) }
    var sound = RoundState(book)
    for piece in kept.pieces.joined() { sound.take(piece) }
    var pass = RoundPass(book, heldRates: rates, leftOut: [], isLast: true, keeping: sound)
    pass.run()
    return Settlement(
      state: pass.state, heldRates: rates, method: .repair, bound: greedy.bound, prices: greedy.prices)
  }
}
