/// Boards of several sizes at one order.
extension PairComponent {
  /// What the pairs of a listing, or of a request, whose steps are multiples of `step` may carry together: at most the
  /// order's quantity rounded down to that step. Without this a flow fills 50 chips from two boards of 8 by halves.
  struct Link: Sendable {
    /// A listing, or else a request.
    let isOfListing: Bool
    let order: Int32
    /// A link of a smaller step that this one is part of; -1 for the order itself.
    let parent: Int32
    let step: Int64
    let most: Int64
  }

  /// The links of all orders, and for each pair its link at the listing and at the request; -1 for the order itself.
  struct Links: Sendable {
    private(set) var links: [Link] = []
    private(set) var ofListing: [Int32]
    private(set) var ofRequest: [Int32]

    init(_ pairs: [Pair], listingMost: [Int64], listingStep: [Int64], requestMost: [Int64], requestStep: [Int64]) {
      ofListing = [Int32](repeating: -1, count: pairs.count)
      ofRequest = ofListing
      var members = [[Int]](repeating: [], count: listingMost.count)
      for (position, pair) in pairs.enumerated() { members[Int(pair.listing)].append(position) }
      for listing in listingMost.indices {
        let added = add(pairs, members[listing], Int32(listing), true, listingMost[listing], listingStep[listing])
        for (pair, link) in zip(members[listing], added) { ofListing[pair] = link }
      }
      members = [[Int]](repeating: [], count: requestMost.count)
      for (position, pair) in pairs.enumerated() { members[Int(pair.request)].append(position) }
      for request in requestMost.indices {
        let added = add(pairs, members[request], Int32(request), false, requestMost[request], requestStep[request])
        for (pair, link) in zip(members[request], added) { ofRequest[pair] = link }
      }
    }

    private mutating func add(
      _ pairs: [Pair], _ members: [Int], _ order: Int32, _ isOfListing: Bool, _ most: Int64, _ base: Int64
    ) -> [Int32] {
      var known: [(step: Int64, link: Int32)] = []
      for step in Set(members.map { pairs[$0].step }).sorted() where step != base {
        let parent = known.last { step % $0.step == 0 }?.link ?? -1
        known.append((step, Int32(links.count)))
        links.append(
          Link(isOfListing: isOfListing, order: order, parent: parent, step: step, most: most / step * step))
      }
      return members.map { member in known.first { $0.step == pairs[member].step }?.link ?? -1 }
    }
  }
}
