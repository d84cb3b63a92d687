import Primitives

/// A market file as a round would see it: for side markets of so many pairs that they are not searched.
extension MarketFile {
  /// Positions become ids, names become numbers; what the format does not have stands at what binds nobody.
  ///
  /// - Throws: `MatchRefusal` for a number beyond what a round takes: more than 10^9 chips in an order, say.
  package func snapshot() throws(MatchRefusal) -> MatchSnapshot {
    guard let epoch = CalendarDate(year: 2000, month: 1, day: 1), let country = CountryCode("ZZ") else {
      preconditionFailure("a date and a code that exist")
    }
    var models: [ChipModelID] = []
    var unitValues: [ChipModelID: Int64] = [:]
    for (position, chip) in chips.enumerated() {
      guard let model = ChipModelID("chip-\(position)") else { preconditionFailure("a name that is allowed") }
      models.append(model)
      unitValues[model] = chip.unitValue
    }
    let listingLines = listings.enumerated().map { position, listing in
      ListingLine(
        id: Self.listingID(position), lender: OrganizationID(UUIDValue(high: 1, low: UInt64(listing.lender))),
        chipModel: models[Int(listing.chip)], region: "\(listing.region)", country: country,
        site: "\(listing.lender) \(listing.region)", quantity: listing.quantity, minQuantity: listing.minQuantity,
        askRateBps: Int64(listing.askRateBps), minTermDays: Int64(listing.minTermDays),
        maxTermDays: Int64(listing.maxTermDays), availableOn: epoch, legalForm: "any", deliveryModes: ["any"],
        advanceRateBps: 0, patterns: ["any"], sequence: listing.sequence, verdictGroup: 0, verified: true)
    }
    let requestLines = requests.enumerated().map { position, request in
      RequestLine(
        id: LoanRequestID(UUIDValue(high: 3, low: UInt64(position))),
        startup: OrganizationID(UUIDValue(high: 2, low: UInt64(request.startup))), jurisdiction: country,
        quantity: request.quantity, minQuantity: request.minQuantity, maxLenders: request.maxLenders.map { Int($0) },
        acceptable: acceptable[firstAcceptable[position]..<firstAcceptable[position + 1]].map {
          .model(models[Int($0.chip)], maxRateBps: Int64($0.maxRateBps))
        }, regions: regionSets[Int(request.regionSet)].map { "\($0)" }, termDays: Int64(request.termDays),
        startOn: epoch, deliveryMode: "any", pattern: "any", sequence: request.sequence, verified: true)
    }
    return try MatchSnapshot(
      businessDate: epoch, unitValues: unitValues, listings: listingLines, requests: requestLines)
  }

  private static func listingID(_ position: Int) -> ListingID {
    ListingID(UUIDValue(high: 3, low: UInt64(position)))
  }

  /// The allocations of a round over `snapshot()`, by positions in the file.
  package func allocations(of result: MatchRoundResult) -> [MarketAllocation] {
    result.allocations.map { allocation in
      MarketAllocation(
        listing: Int32(truncatingIfNeeded: allocation.listing.value.low),
        request: Int32(truncatingIfNeeded: allocation.request.value.low), quantity: allocation.quantity,
        rateBps: allocation.rateBps)
    }
  }

  /// The first rule of the file that these allocations break, or nil; and what they are worth. Shares no code with any
  /// engine.
  package func failure(of allocations: [MarketAllocation], objective: inout Int128) -> String? {
    var lent = [Int64](repeating: 0, count: listings.count)
    var filled = [Int64](repeating: 0, count: requests.count)
    var lenders = [Set<Int32>](repeating: [], count: requests.count)
    objective = 0
    for allocation in allocations {
      let listing = listings[Int(allocation.listing)]
      let request = requests[Int(allocation.request)]
      let place = "listing \(listingIDs[allocation.listing]), request \(requestIDs[allocation.request])"
      let chips = acceptable[firstAcceptable[Int(allocation.request)]..<firstAcceptable[Int(allocation.request) + 1]]
      guard let limit = chips.first(where: { $0.chip == listing.chip })?.maxRateBps, limit >= listing.askRateBps,
        regionSets[Int(request.regionSet)].contains(listing.region), request.termDays >= listing.minTermDays,
        request.termDays <= listing.maxTermDays
      else { return "\(place): do not fit each other" }
      guard allocation.rateBps >= Int64(listing.askRateBps), allocation.rateBps <= Int64(limit) else {
        return "\(place): the rate is below the ask or above the limit"
      }
      guard allocation.quantity >= listing.minQuantity, allocation.quantity > 0 else {
        return "\(place): \(allocation.quantity) is less than the listing lends"
      }
      lent[Int(allocation.listing)] += allocation.quantity
      filled[Int(allocation.request)] += allocation.quantity
      lenders[Int(allocation.request)].insert(listing.lender)
      objective +=
        Int128(self.chips[Int(listing.chip)].unitValue) * Int128(limit - listing.askRateBps)
        * Int128(allocation.quantity)
    }
    for (position, listing) in listings.enumerated() where lent[position] > listing.quantity {
      return "listing \(listingIDs[Int32(position)]): lends more than it has"
    }
    for (position, request) in requests.enumerated() where filled[position] > 0 {
      let place = "request \(requestIDs[Int32(position)])"
      if filled[position] > request.quantity { return "\(place): gets more than it wants" }
      if filled[position] < request.minQuantity { return "\(place): gets less than is worth having" }
      if let most = request.maxLenders, lenders[position].count > most { return "\(place): has too many lenders" }
    }
    return nil
  }
}
