extension MarketFileReader {
  private static let chipFields: [MarketField] = [.type, .chipModel, .unitValue]
  private static let listingFields: [MarketField] = [
    .type, .id, .lender, .chipModel, .region, .quantity, .askRateBps, .minTermDays, .maxTermDays, .sequence,
    .minQuantity,
  ]
  private static let requestFields: [MarketField] = [
    .type, .id, .startup, .quantity, .acceptable, .regions, .termDays, .sequence, .minQuantity, .maxLenders,
  ]

  mutating func readChip(_ source: UnsafeBufferPointer<UInt8>) throws(MarketFileFault) {
    try allowOnly(Self.chipFields, "a chip")
    guard line.withBytes(of: try text(.chipModel), in: source, { market.chipNames.intern($0) }).isNew else {
      throw fault(.chipModel, "this chip has been given before")
    }
    let unitValue = try integer(.unitValue, from: 1, to: MarketFile.Bounds.unitValue)
    market.chips.append(MarketFile.Chip(unitValue: unitValue))
    lastNamed.append(0)
  }

  mutating func readListing(_ source: UnsafeBufferPointer<UInt8>) throws(MarketFileFault) {
    try allowOnly(Self.listingFields, "a listing")
    guard line.withBytes(of: try text(.id), in: source, { market.listingIDs.intern($0) }).isNew else {
      throw fault(.id, "this listing has been given before")
    }
    let lender = line.withBytes(of: try text(.lender), in: source, { market.lenderNames.intern($0) }).number
    guard let chip = line.withBytes(of: try text(.chipModel), in: source, { market.chipNames.number(of: $0) }) else {
      throw fault(.chipModel, "no chip of this name has been given")
    }
    let region = line.withBytes(of: try text(.region), in: source, { market.regionNames.intern($0) }).number
    let quantity = try integer(.quantity, from: 1, to: MarketFile.Bounds.quantity)
    supply = try total(supply, quantity, "listings")
    let rate = try integer(.askRateBps, from: 0, to: MarketFile.Bounds.rateBps)
    try checkPrice(chip: chip, rateBps: rate, fault(.askRateBps, Self.priceTooHigh))
    let minTerm = try integer(.minTermDays, from: 0, to: Int64(Int32.max))
    let maxTerm = try integer(.maxTermDays, from: 0, to: Int64(Int32.max))
    guard minTerm <= maxTerm else { throw fault(.maxTermDays, "must not be below min_term_days") }
    let sequence = try integer(.sequence, from: 0, to: Int64.max)
    let minQuantity = try leastQuantity(quantity)
    market.listings.append(
      MarketFile.Listing(
        chip: chip, region: region, lender: lender, askRateBps: Int32(rate), minTermDays: Int32(minTerm),
        maxTermDays: Int32(maxTerm), quantity: quantity, minQuantity: minQuantity, sequence: sequence))
  }

  mutating func readRequest(_ source: UnsafeBufferPointer<UInt8>) throws(MarketFileFault) {
    try allowOnly(Self.requestFields, "a request")
    guard line.withBytes(of: try text(.id), in: source, { market.requestIDs.intern($0) }).isNew else {
      throw fault(.id, "this request has been given before")
    }
    let startup = line.withBytes(of: try text(.startup), in: source, { market.startupNames.intern($0) }).number
    let quantity = try integer(.quantity, from: 1, to: MarketFile.Bounds.quantity)
    demand = try total(demand, quantity, "requests")
    try readAcceptable(source)
    let regionSet = try readRegions(source)
    let term = try integer(.termDays, from: 1, to: Int64(Int32.max))
    let sequence = try integer(.sequence, from: 0, to: Int64.max)
    let minQuantity = try leastQuantity(quantity)
    let maxLenders = try integer(.maxLenders, from: 1, to: Int64(Int32.max), absent: 0)
    market.requests.append(
      MarketFile.Request(
        startup: startup, termDays: Int32(term), regionSet: regionSet,
        maxLenders: maxLenders == 0 ? nil : Int32(maxLenders), quantity: quantity, minQuantity: minQuantity,
        sequence: sequence))
  }

  private mutating func readAcceptable(_ source: UnsafeBufferPointer<UInt8>) throws(MarketFileFault) {
    try require(.acceptable)
    guard !line.claims.isEmpty else { throw fault(.acceptable, "must name at least one chip") }
    let request = Int32(market.requests.count + 1)
    for (position, claim) in line.claims.enumerated() {
      guard !claim.isWrong else { throw fault(.acceptable, position, nil, "must be an object") }
      if let unknown = claim.unknown {
        let path = "acceptable[\(position)].\(Self.printable(unknown))"
        throw MarketFileFault(line: lineNumber, field: path, "an acceptable chip has no such member")
      }
      guard claim.hasChip != .absent else { throw fault(.acceptable, position, .chipModel, "is required") }
      guard claim.hasChip == .present, Self.hasGoodLength(claim.chip) else {
        throw fault(.acceptable, position, .chipModel, Self.textWanted)
      }
      guard let chip = line.withBytes(of: claim.chip, in: source, { market.chipNames.number(of: $0) }) else {
        throw fault(.acceptable, position, .chipModel, "no chip of this name has been given")
      }
      guard lastNamed[Int(chip)] != request else {
        throw fault(.acceptable, position, .chipModel, "this request names this chip twice")
      }
      lastNamed[Int(chip)] = request
      guard claim.hasRate != .absent else { throw fault(.acceptable, position, .maxRateBps, "is required") }
      guard claim.hasRate == .present, claim.rate >= 0, claim.rate <= MarketFile.Bounds.rateBps else {
        throw fault(.acceptable, position, .maxRateBps, Self.wanted(0, MarketFile.Bounds.rateBps))
      }
      try checkPrice(
        chip: chip, rateBps: claim.rate, fault(.acceptable, position, .maxRateBps, Self.priceTooHigh))
      market.acceptable.append(MarketFile.Acceptable(chip: chip, maxRateBps: Int32(claim.rate)))
    }
    market.firstAcceptable.append(market.acceptable.count)
  }

  /// The number of the request's set of regions.
  private mutating func readRegions(_ source: UnsafeBufferPointer<UInt8>) throws(MarketFileFault) -> Int32 {
    try require(.regions)
    guard !line.regions.isEmpty else { throw fault(.regions, "must name at least one region") }
    regionScratch.removeAll(keepingCapacity: true)
    for (position, text) in line.regions.enumerated() {
      guard !text.isWrong, Self.hasGoodLength(text) else {
        throw fault(.regions, position, nil, Self.textWanted)
      }
      let number = line.withBytes(of: text, in: source) { market.regionNames.intern($0).number }
      regionScratch.append(number)
    }
    regionScratch.sort()
    for position in regionScratch.indices.dropFirst() where regionScratch[position] == regionScratch[position - 1] {
      throw fault(.regions, "names a region twice")
    }
    if let number = setNumbers[regionScratch] { return number }
    let number = Int32(market.regionSets.count)
    setNumbers[regionScratch] = number
    market.regionSets.append(regionScratch)
    return number
  }

  private func leastQuantity(_ quantity: Int64) throws(MarketFileFault) -> Int64 {
    let least = try integer(.minQuantity, from: 1, to: MarketFile.Bounds.quantity, absent: 1)
    guard least <= quantity else { throw fault(.minQuantity, "must not be above quantity") }
    return least
  }

  private func total(_ sum: Int64, _ quantity: Int64, _ what: String) throws(MarketFileFault) -> Int64 {
    // Both are far below the half of Int64.
    guard sum + quantity <= MarketFile.Bounds.totalQuantity else {
      throw fault(.quantity, "the \(what) up to here hold more than \(MarketFile.Bounds.totalQuantity) chips together")
    }
    return sum + quantity
  }
}
