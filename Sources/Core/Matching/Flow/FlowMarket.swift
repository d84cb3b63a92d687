/// A market in which quantities may be split at will, as dense integers: the flow problem at the heart of a round.
///
/// Listings that every request sees alike form a *class*. A request does not see classes one by one but through
/// *lists* of classes, each with one value for a chip from any of them; markets have far fewer lists than requests.
/// So memory and time grow with the orders, not with their pairs.
package struct FlowMarket: Sendable {
  package struct Listing: Sendable {
    /// 0 up to `classCount`.
    package let classIndex: Int32
    /// What the lender asks for one chip: unit value x ask rate, minor units x basis points, at least 0.
    package let ask: Int64
    /// Chips, at least 0.
    package let quantity: Int64

    package init(classIndex: Int32, ask: Int64, quantity: Int64) {
      self.classIndex = classIndex
      self.ask = ask
      self.quantity = quantity
    }
  }

  /// What a request pays for a chip of any class on a list.
  package struct Claim: Sendable {
    package let list: Int32
    /// Unit value x limit, minor units x basis points, at least 0.
    package let value: Int64

    package init(list: Int32, value: Int64) {
      self.list = list
      self.value = value
    }
  }

  package let classCount: Int
  /// Among equal asks of a class the earlier position goes first.
  package let listings: [Listing]
  /// The claims of request `r` are `claims[firstClaim[r]..<firstClaim[r + 1]]`.
  package let claims: [Claim]
  package let firstClaim: [Int]
  /// Chips wanted, at least 0. Among requests that are alike the earlier position goes first.
  package let wanted: [Int64]
  /// The classes of list `l`, ascending, are `members[firstMember[l]..<firstMember[l + 1]]`.
  package let members: [Int32]
  package let firstMember: [Int]

  package var requestCount: Int { wanted.count }
  package var listCount: Int { firstMember.count - 1 }

  package init(
    classCount: Int, listings: [Listing], claims: [Claim], firstClaim: [Int], wanted: [Int64], members: [Int32],
    firstMember: [Int]
  ) {
    self.classCount = classCount
    self.listings = listings
    self.claims = claims
    self.firstClaim = firstClaim
    self.wanted = wanted
    self.members = members
    self.firstMember = firstMember
  }
}

/// What an optimal clearing of a flow market decides.
package struct FlowClearing: Sendable {
  /// Chips of one class for one request.
  package struct Fill: Sendable, Hashable {
    package let request: Int32
    /// Position in `FlowMarket.claims`.
    package let claim: Int32
    package let classIndex: Int32
    /// Chips, above 0.
    package let quantity: Int64

    package init(request: Int32, claim: Int32, classIndex: Int32, quantity: Int64) {
      self.request = request
      self.claim = claim
      self.classIndex = classIndex
      self.quantity = quantity
    }
  }

  /// Chips lent from each listing.
  package let sold: [Int64]
  /// By request, then claim, then class.
  package let fills: [Fill]
  /// The dual interval: for each class the least and the greatest price of one chip, minor units x basis points, at
  /// which this clearing is an optimum. Each bound taken for all classes at once is a certificate.
  package let lowPrices: [Int64]
  package let highPrices: [Int64]
  /// Sum over the fills of value less ask, minor units x basis points.
  package let objective: Int128

  package init(sold: [Int64], fills: [Fill], lowPrices: [Int64], highPrices: [Int64], objective: Int128) {
    self.sold = sold
    self.fills = fills
    self.lowPrices = lowPrices
    self.highPrices = highPrices
    self.objective = objective
  }
}
