/// A market on the level of pairs of a listing and a request, as dense integers, with every constraint that keeps
/// quantities from being split at will.
///
/// Made for small markets in which the best allocation is wanted with proof: memory grows with the pairs, and the time
/// to prove an optimum can grow much faster.
package struct PairMarket: Sendable {
  /// A listing that fits a request, and what a chip moved between them is worth.
  package struct Pair: Sendable, Hashable {
    package let listing: Int32
    package let request: Int32
    /// Unit value x (limit - ask), minor units x basis points for one chip, at least 0; up to 10^21.
    package let surplus: Int128
    /// The quantity is 0 or at least this; at least 1.
    package let least: Int64
    /// The quantity is a multiple of this (boards); at least 1.
    package let step: Int64
    /// Equal numbers are one lender, one chip model, one site.
    package let lender: Int32
    package let model: Int32
    package let site: Int32

    package init(
      listing: Int32, request: Int32, surplus: Int128, least: Int64 = 1, step: Int64 = 1, lender: Int32,
      model: Int32 = 0, site: Int32 = 0
    ) {
      self.listing = listing
      self.request = request
      self.surplus = surplus
      self.least = least
      self.step = step
      self.lender = lender
      self.model = model
      self.site = site
    }
  }

  package struct Request: Sendable, Hashable {
    /// Chips wanted, at least 0.
    package let quantity: Int64
    /// The total is 0 or at least this; equal to `quantity` it means all or none.
    package let least: Int64
    /// The most lenders; `Int32.max` is no limit.
    package let maxLenders: Int32
    package let sameModel: Bool
    package let sameSite: Bool

    package init(
      quantity: Int64, least: Int64 = 1, maxLenders: Int32 = .max, sameModel: Bool = false, sameSite: Bool = false
    ) {
      self.quantity = quantity
      self.least = least
      self.maxLenders = maxLenders
      self.sameModel = sameModel
      self.sameSite = sameSite
    }
  }

  /// A limit that several pairs share: the exposure of one lender to one startup (a chip weighs its principal), or a
  /// licence quota (a chip weighs 1).
  package struct JointLimit: Sendable, Hashable {
    package struct Share: Sendable, Hashable {
      package let pair: Int32
      /// What one chip takes of the limit, at least 0.
      package let weight: Int64

      package init(pair: Int32, weight: Int64) {
        self.pair = pair
        self.weight = weight
      }
    }

    package let shares: [Share]
    /// The sum of quantity x weight is at most this, at least 0.
    package let limit: Int128

    package init(shares: [Share], limit: Int128) {
      self.shares = shares
      self.limit = limit
    }
  }

  /// Chips of each listing, at least 0.
  package let listingQuantity: [Int64]
  package let pairs: [Pair]
  package let requests: [Request]
  package let jointLimits: [JointLimit]

  package init(listingQuantity: [Int64], pairs: [Pair], requests: [Request], jointLimits: [JointLimit] = []) {
    self.listingQuantity = listingQuantity
    self.pairs = pairs
    self.requests = requests
    self.jointLimits = jointLimits
  }
}

/// What clearing a pair market decided, and how good that is proved to be.
package struct PairClearing: Sendable, Hashable {
  /// Chips by pair.
  package let quantities: [Int64]
  /// Sum of surplus x quantity.
  package let objective: Int128
  /// No allocation has a higher objective than this; equal to `objective` when optimal.
  package let bound: Int128
  /// Steps taken, the same on every machine.
  package let work: Int
  /// Markets solved on the way: nodes of the search trees.
  package let nodes: Int

  package var isOptimal: Bool { bound == objective }

  package init(quantities: [Int64], objective: Int128, bound: Int128, work: Int, nodes: Int) {
    self.quantities = quantities
    self.objective = objective
    self.bound = bound
    self.work = work
    self.nodes = nodes
  }
}

extension PairMarket {
  /// Whether every number lies within what the arithmetic is proved for: no sum of quantities reaches 2^60, no
  /// surplus 2^80, no objective 2^110, no use of a joint limit 2^120, and every index points at something.
  var isWithinRange: Bool {
    let ceiling = Int64(1) << 60
    var listed: Int64 = 0
    for quantity in listingQuantity {
      guard quantity >= 0, quantity < ceiling - listed else { return false }
      listed += quantity
    }
    var wanted: Int64 = 0
    for request in requests {
      guard request.quantity >= 0, request.quantity < ceiling - wanted else { return false }
      wanted += request.quantity
    }
    var highest: Int128 = 1
    for pair in pairs {
      guard listingQuantity.indices.contains(Int(pair.listing)), requests.indices.contains(Int(pair.request)),
        pair.surplus >= 0, pair.surplus < Int128(1) << 80, pair.least >= 1, pair.step >= 1
      else { return false }
      highest = max(highest, pair.surplus)
    }
    for joint in jointLimits {
      guard joint.limit >= 0 else { return false }
      var use: Int128 = 0
      for share in joint.shares {
        guard pairs.indices.contains(Int(share.pair)), share.weight >= 0 else { return false }
        // Below 2^60 x 2^63, added to what is below 2^120.
        let pair = pairs[Int(share.pair)]
        let most = min(listingQuantity[Int(pair.listing)], requests[Int(pair.request)].quantity)
        use += Int128(most) * Int128(share.weight)
        if use >= Int128(1) << 120 { return false }
      }
    }
    let product = highest.multipliedReportingOverflow(by: Int128(max(1, min(listed, wanted))))
    return !product.overflow && product.partialValue < Int128(1) << 110
  }

  /// The objective of an allocation; nil when it breaks a constraint. Asked only of a market within range.
  func objective(of quantities: [Int64]) -> Int128? {
    guard quantities.count == pairs.count else { return nil }
    var listed = listingQuantity
    var wanted = requests.map(\.quantity)
    var kinds = [(lenders: Set<Int32>, models: Set<Int32>, sites: Set<Int32>)](
      repeating: ([], [], []), count: requests.count)
    var objective: Int128 = 0
    for (pair, quantity) in zip(pairs, quantities) where quantity != 0 {
      let (listing, request) = (Int(pair.listing), Int(pair.request))
      guard quantity >= pair.least, quantity % pair.step == 0, quantity <= listed[listing], quantity <= wanted[request]
      else { return nil }
      listed[listing] -= quantity
      wanted[request] -= quantity
      kinds[request].lenders.insert(pair.lender)
      kinds[request].models.insert(pair.model)
      kinds[request].sites.insert(pair.site)
      objective += pair.surplus * Int128(quantity)
    }
    for (position, request) in requests.enumerated() {
      let total = request.quantity - wanted[position]
      let kinds = kinds[position]
      guard total == 0 || total >= request.least, kinds.lenders.count <= max(0, Int(request.maxLenders)),
        !request.sameModel || kinds.models.count <= 1, !request.sameSite || kinds.sites.count <= 1
      else { return nil }
    }
    for joint in jointLimits {
      var left = joint.limit
      for share in joint.shares {
        // Below 2^60 x 2^63.
        left -= Int128(share.weight) * Int128(quantities[Int(share.pair)])
        if left < 0 { return nil }
      }
    }
    return objective
  }
}
