import Primitives

/// A book as a flow market: listings that no request can tell apart but by price are one class, the kinds of chip that a
/// request takes are its claims.
///
/// What a flow cannot say (boards, least pieces, least useful quantities, one model or site, numbers of lenders,
/// exposure, one rate for equal chips) is left out, so its optimum bounds every allocation of the book.
struct ClassNetwork {
  let market: FlowMarket
  /// Positions in the book of the market's listings, and of its requests.
  let listings: [Int]
  let requests: [Int]
  /// A listing of the class stands for all of it, as far as requests can tell.
  let examples: [Int]
  /// The limit of each claim of the market, basis points.
  let limits: [Int64]

  /// Values beyond this could leave 64 bits in sums of prices.
  private static let largestValue = Int64(1) << 58

  /// - Returns: nil when a chip's value, unit value x rate, is beyond 2^58: hundreds of times what any chip costs.
  init?(_ book: MatchBook) {
    var builder = Builder(book)
    guard builder.addListings() else { return nil }
    for request in book.requests.indices { builder.add(request) }
    guard builder.isWithinRange else { return nil }
    market = builder.market
    listings = builder.listings
    requests = builder.requests
    examples = builder.examples
    limits = builder.limits
  }

  /// What a request may see of a listing, price and quantity apart.
  private struct ClassTraits: Hashable {
    let kind: Int
    let region: Int
    let deliveryModes: Membership
    let patterns: Membership
    let creditGrades: Membership
    let jurisdictions: Membership
    let legalForm: Int
    let minTermDays: Int64
    let maxTermDays: Int64
    let availableOn: Int32
    /// -1 where no verdict of the round tells the group from others.
    let verdictGroup: Int
    /// The lender, where a request of the round may refuse it or belong to its family; -1 elsewhere.
    let lender: Int
  }

  /// What a listing may see of a request, limits and quantity apart.
  private struct RequestTraits: Hashable {
    let deliveryMode: Int
    let pattern: Int
    let creditGrade: Int
    let jurisdiction: Int
    let regions: Membership
    let termDays: Int64
    let latestStart: Int32
    let heldEffects: [Int: ExportEffect]
    let blocked: Set<Int>
    /// -1 where no lender of the round belongs to its family.
    let startup: Int
  }

  private struct ListKey: Hashable {
    let traits: Int
    let model: Int
    let minimum: ChipCapability
  }

  private struct Builder {
    let book: MatchBook
    var listings: [Int] = []
    var requests: [Int] = []
    var examples: [Int] = []
    var limits: [Int64] = []
    private var lines: [FlowMarket.Listing] = []
    private var claims: [FlowMarket.Claim] = []
    private var firstClaim = [0]
    private var wanted: [Int64] = []
    private var members: [Int32] = []
    private var firstMember = [0]
    private var listOfMembers: [[Int32]: Int32] = [:]
    private var traits = Interner<RequestTraits>()
    /// By request traits and chip: for each unit value the list of classes.
    private var known: [ListKey: [(unitValue: Int64, list: Int32)]] = [:]
    private(set) var isWithinRange = true

    init(_ book: MatchBook) { self.book = book }

    var market: FlowMarket {
      FlowMarket(
        classCount: examples.count, listings: lines, claims: claims, firstClaim: firstClaim, wanted: wanted,
        members: members, firstMember: firstMember)
    }

    mutating func addListings() -> Bool {
      var parties: Set<Int> = []
      var groups: Set<Int> = []
      for (position, request) in book.requests.enumerated() {
        parties.insert(request.startup)
        parties.insert(request.family)
        if request.hasBlockedLenders { parties.formUnion(book.blockedLenders[position] ?? []) }
        groups.formUnion(book.heldEffects[position].keys)
      }
      var classes = Interner<ClassTraits>()
      for position in book.listings.indices {
        let listing = book.listings[position]
        guard listing.verified, listing.unitValue > 0, listing.quantity > 0 else { continue }
        let isKnown = parties.contains(listing.lender) || parties.contains(listing.family)
        let index = classes.index(
          of: ClassTraits(
            kind: listing.kind, region: listing.region, deliveryModes: listing.deliveryModes,
            patterns: listing.patterns, creditGrades: listing.creditGrades, jurisdictions: listing.jurisdictions,
            legalForm: listing.legalForm, minTermDays: listing.minTermDays, maxTermDays: listing.maxTermDays,
            availableOn: listing.availableOn,
            verdictGroup: groups.contains(listing.verdictGroup) ? listing.verdictGroup : -1,
            lender: isKnown ? listing.lender : -1))
        if index == examples.count { examples.append(position) }
        guard let ask = value(listing.unitValue, listing.ask) else { return false }
        listings.append(position)
        lines.append(
          FlowMarket.Listing(
            classIndex: Int32(truncatingIfNeeded: index), ask: ask, quantity: listing.quantity))
      }
      return true
    }

    private func value(_ unitValue: Int64, _ rate: Int64) -> Int64? {
      let (product, overflow) = unitValue.multipliedReportingOverflow(by: rate)
      return overflow || product > ClassNetwork.largestValue ? nil : product
    }

    mutating func add(_ position: Int) {
      let request = book.requests[position]
      guard request.verified, request.quantity > 0, request.quantity >= request.minQuantity else { return }
      let own = traits.index(
        of: RequestTraits(
          deliveryMode: request.deliveryMode, pattern: request.pattern, creditGrade: request.creditGrade,
          jurisdiction: request.jurisdiction, regions: request.regions, termDays: request.termDays,
          latestStart: request.latestStart, heldEffects: book.heldEffects[position],
          blocked: book.blockedLenders[position] ?? [], startup: request.startup))
      for claim in book.claims[request.firstClaim..<request.endClaim] {
        let key = ListKey(traits: own, model: claim.model ?? -2, minimum: claim.minimum)
        if known[key] == nil { known[key] = lists(for: claim) }
        for (unitValue, list) in known[key] ?? [] {
          guard let value = value(unitValue, claim.limit) else {
            isWithinRange = false
            return
          }
          claims.append(FlowMarket.Claim(list: list, value: value))
          limits.append(claim.limit)
        }
      }
      requests.append(position)
      wanted.append(request.quantity)
      firstClaim.append(claims.count)
    }

    /// The classes that suit a claim, in a list for each unit value.
    private mutating func lists(for claim: MatchBook.Claim) -> [(unitValue: Int64, list: Int32)] {
      if claim.model == -1 { return [] }
      var byValue: [Int64: [Int32]] = [:]
      for (index, example) in examples.enumerated() where book.suits(example, claim) {
        byValue[book.listings[example].unitValue, default: []].append(Int32(truncatingIfNeeded: index))
      }
      return byValue.sorted { $0.key < $1.key }.map { unitValue, classes in (unitValue, list(of: classes)) }
    }

    private mutating func list(of classes: [Int32]) -> Int32 {
      if let list = listOfMembers[classes] { return list }
      let list = Int32(truncatingIfNeeded: listOfMembers.count)
      listOfMembers[classes] = list
      members += classes
      firstMember.append(members.count)
      return list
    }
  }
}

extension ClassNetwork {
  /// A clearing of the market as pieces of the book: within a class the request that pays more, then the earlier, takes
  /// from the cheapest, then the earliest listing, so that few lenders serve a request and few requests a lender.
  func pieces(of clearing: FlowClearing, _ book: MatchBook) -> [Piece] {
    var supply = [[Int]](repeating: [], count: market.classCount)
    for (position, sold) in clearing.sold.enumerated() where sold > 0 {
      supply[Int(market.listings[position].classIndex)].append(position)
    }
    for index in supply.indices {
      supply[index].sort { (market.listings[$0].ask, $0) < (market.listings[$1].ask, $1) }
    }
    let fills = clearing.fills.sorted { left, right in
      if left.classIndex != right.classIndex { return left.classIndex < right.classIndex }
      let (first, second) = (market.claims[Int(left.claim)].value, market.claims[Int(right.claim)].value)
      return first != second ? first > second : (left.request, left.claim) < (right.request, right.claim)
    }
    var taken: [Pairing: (quantity: Int64, limit: Int64)] = [:]
    var order: [Pairing] = []
    var (current, next, left) = (Int32(-1), 0, Int64(0))
    for fill in fills {
      if fill.classIndex != current {
        current = fill.classIndex
        next = 0
        left = supply[Int(current)].first.map { clearing.sold[$0] } ?? 0
      }
      var open = fill.quantity
      while open > 0, next < supply[Int(current)].count {
        if left == 0 {
          next += 1
          if next < supply[Int(current)].count { left = clearing.sold[supply[Int(current)][next]] }
          continue
        }
        let quantity = min(open, left)
        let pairing = Pairing(
          listing: listings[supply[Int(current)][next]], request: requests[Int(fill.request)])
        if taken[pairing] == nil { order.append(pairing) }
        // Two claims may meet at one listing: the pair is one piece, under the better limit.
        let before = taken[pairing] ?? (0, 0)
        taken[pairing] = (before.quantity + quantity, max(before.limit, limits[Int(fill.claim)]))
        open -= quantity
        left -= quantity
      }
    }
    return order.compactMap { pairing in
      guard let (quantity, limit) = taken[pairing] else { return nil }
      return Piece(
        listing: pairing.listing, request: pairing.request, quantity: quantity, limit: limit,
        principal: book.principal(of: quantity, from: pairing.listing))
    }
  }

  private struct Pairing: Hashable {
    let listing: Int
    let request: Int
  }
}

extension MatchBook {
  /// Whether a listing suits a claim, price apart.
  func suits(_ listing: Int, _ claim: Claim) -> Bool {
    isChip(listing, of: claim)
      && segmentFailure(
        verdictGroup: listings[listing].verdictGroup, region: listings[listing].region, claim.request) == nil
      && termsFailure(listing, claim.request) == nil && partyFailure(listing, claim.request) == nil
  }
}
