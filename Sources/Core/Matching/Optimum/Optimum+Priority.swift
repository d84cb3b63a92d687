import Primitives

extension Optimum {
  /// Among requests that could trade with the same listings on the same terms the better price goes first, then the
  /// earlier: where a search has given one of them less than another that it goes before, the two change places, if no
  /// surplus is lost and no constraint broken by it.
  func inOrder(_ state: RoundState) -> RoundState {
    let book = state.book
    var groups: [Likeness: [Int]] = [:]
    for request in book.requests.indices { groups[Likeness(book, request), default: []].append(request) }
    var best = state
    for group in groups.values.sorted(by: { $0[0] < $1[0] }) where group.count > 1 && group.count <= Self.largestGroup {
      var isChanged = true
      while isChanged {
        isChanged = false
        for first in group {
          for second in group where goesFirst(first, second, book) && wronged(first, second, best) {
            guard let changed = changingPlaces(first, second, best) else { continue }
            best = changed
            isChanged = true
          }
        }
      }
    }
    return best
  }

  private static let largestGroup = 64

  private struct Likeness: Hashable {
    let numbers: [Int64]
    let regions: Membership
    let flags: [Bool]
    let chips: [ChipCapability]
    let heldEffects: [Int: ExportEffect]
    let licences: [Int: Int]
    let blocked: Set<Int>

    init(_ book: MatchBook, _ position: Int) {
      let line = book.requests[position]
      let claims = book.claims[line.firstClaim..<line.endClaim]
      numbers =
        [
          line.quantity, line.minQuantity, line.multipleOf, Int64(line.deliveryMode), Int64(line.pattern),
          Int64(line.creditGrade), Int64(line.jurisdiction), line.termDays, Int64(line.latestStart),
          Int64(clamping: line.maxLenders),
        ] + claims.map { Int64($0.model ?? -2) }
      regions = line.regions
      flags = [line.sameModel, line.sameSite, line.verified]
      chips = claims.map(\.minimum)
      heldEffects = book.heldEffects[position]
      licences = book.licences[position] ?? [:]
      blocked = book.blockedLenders[position] ?? []
    }
  }

  private func goesFirst(_ first: Int, _ second: Int, _ book: MatchBook) -> Bool {
    let (left, right) = (book.requests[first], book.requests[second])
    let limits = zip(book.claims[left.firstClaim..<left.endClaim], book.claims[right.firstClaim..<right.endClaim])
    if limits.allSatisfy({ $0.limit == $1.limit }) { return first < second }
    return limits.allSatisfy { $0.limit >= $1.limit }
  }

  /// Of several chips the better may have chosen fewer of what it likes better; nothing at all it has not chosen.
  private func wronged(_ first: Int, _ second: Int, _ state: RoundState) -> Bool {
    let line = state.book.requests[first]
    if line.endClaim - line.firstClaim == 1 { return state.filled[first] < state.filled[second] }
    return state.filled[first] == 0 && state.filled[second] > 0
  }

  private func changingPlaces(_ first: Int, _ second: Int, _ state: RoundState) -> RoundState? {
    let book = state.book
    var changed = RoundState(book)
    for (request, pieces) in state.pieces.enumerated() {
      let owner = request == first ? second : request == second ? first : request
      for piece in pieces {
        guard book.partyFailure(piece.listing, owner) == nil, let limit = book.bestLimit(piece.listing, owner),
          limit >= book.listings[piece.listing].ask
        else { return nil }
        changed.take(
          Piece(
            listing: piece.listing, request: owner, quantity: piece.quantity, limit: limit, principal: piece.principal))
      }
    }
    guard changed.objective >= state.objective, changed.requestsInBreach.isEmpty,
      changed.ratesOfClashingClasses().isEmpty
    else { return nil }
    return changed
  }
}
