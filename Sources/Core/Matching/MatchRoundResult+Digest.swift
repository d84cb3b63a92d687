import Primitives

extension MatchRoundResult {
  private static let version = "match-result-2"

  /// Everything but the digest.
  private var partBytes: CanonicalBytes {
    var bytes = CanonicalBytes()
    bytes.append(Self.version)
    bytes.append(engineVersion)
    bytes.append(snapshotDigest)
    bytes.append(Int64(allocations.count))
    for allocation in allocations { allocation.write(to: &bytes) }
    bytes.append(Int64(classes.count))
    for rate in classes { rate.write(to: &bytes) }
    bytes.append(Int64(leftovers.count))
    for leftover in leftovers { leftover.write(to: &bytes) }
    bytes.append(wide: objective)
    bytes.append(wide: bound)
    bytes.append(method.rawValue)
    bytes.append(certificate.rawValue)
    bytes.append(fairnessBps)
    bytes.append(matchedQuantity)
    bytes.append(matchedPairs)
    return bytes
  }

  /// What `digest` is when nobody altered the parts.
  var digestOfParts: SHA256Digest { partBytes.digest }

  /// Whether `digest` is that of the parts: false for a record that was altered.
  package var isWhole: Bool { digest == digestOfParts }

  /// The one spelling of this result, its digest last.
  package var canonicalBytes: [UInt8] {
    var bytes = partBytes
    bytes.append(digest)
    return bytes.bytes
  }

  /// The result that has these bytes. Its digest is the recorded one: see `isWhole`.
  package init(canonicalBytes: [UInt8]) throws(CanonicalBytesError) {
    var reader = CanonicalReader(canonicalBytes)
    try reader.expect(version: Self.version)
    let engineVersion = try reader.text()
    let snapshotDigest = try reader.digest()
    let allocations = try reader.list(ofAtLeast: 104) { reader throws(CanonicalBytesError) in
      try Allocation(from: &reader)
    }
    let classes = try reader.list(ofAtLeast: 57) { reader throws(CanonicalBytesError) in
      try ClassRate(from: &reader)
    }
    let leftovers = try reader.list(ofAtLeast: 40) { reader throws(CanonicalBytesError) in
      try Leftover(from: &reader)
    }
    let objective = try reader.int128()
    let bound = try reader.int128()
    let method = try reader.parsed("method") { ClearingMethod(rawValue: $0) }
    let certificate = try reader.parsed("certificate") { RoundCertificate(rawValue: $0) }
    let fairnessBps = try reader.int64()
    let matchedQuantity = try reader.int64()
    let matchedPairs = try reader.int64()
    let digest = try reader.digest()
    try reader.finish()
    self.init(
      engineVersion: engineVersion, snapshotDigest: snapshotDigest, allocations: allocations, classes: classes,
      leftovers: leftovers, objective: objective, matchedQuantity: matchedQuantity, matchedPairs: matchedPairs,
      bound: bound, method: method, certificate: certificate, fairnessBps: fairnessBps, digest: digest)
  }
}

extension Allocation {
  func write(to bytes: inout CanonicalBytes) {
    for id in [listing.value, request.value, lender.value, startup.value] { bytes.append(id) }
    bytes.append(chipModel.value)
    for number in [quantity, rateBps, ask, limit] { bytes.append(number) }
  }

  init(from reader: inout CanonicalReader) throws(CanonicalBytesError) {
    self.init(
      listing: try reader.id(), request: try reader.id(), lender: try reader.id(), startup: try reader.id(),
      chipModel: try reader.chipModel(), quantity: try reader.int64(), rateBps: try reader.int64(),
      ask: try reader.int64(), limit: try reader.int64())
  }
}

extension ClassRate {
  func write(to bytes: inout CanonicalBytes) {
    for text in [chipModel.value, region, deliveryMode, legalForm, termBucket.rawValue] { bytes.append(text) }
    bytes.append(optional: creditGrade) { $0.append($1) }
    bytes.append(clearingRateBps)
    bytes.append(quantity)
  }

  init(from reader: inout CanonicalReader) throws(CanonicalBytesError) {
    self.init(
      chipModel: try reader.chipModel(), region: try reader.text(), deliveryMode: try reader.text(),
      legalForm: try reader.text(), termBucket: try reader.parsed("term bucket") { TermBucket(rawValue: $0) },
      creditGrade: try reader.optional { reader throws(CanonicalBytesError) in try reader.text() },
      clearingRateBps: try reader.int64(), quantity: try reader.int64())
  }
}

extension Leftover {
  func write(to bytes: inout CanonicalBytes) {
    switch order {
    case .listing(let id):
      bytes.append(0)
      bytes.append(id.value)
    case .request(let id):
      bytes.append(1)
      bytes.append(id.value)
    }
    bytes.append(remaining)
    bytes.append(Int64(reasons.count))
    for reason in reasons {
      bytes.append(reason.constraint.rawValue)
      bytes.append(optional: reason.effect) { $0.append($1.rawValue) }
      bytes.append(reason.count)
    }
  }

  init(from reader: inout CanonicalReader) throws(CanonicalBytesError) {
    let order: Order
    switch try reader.int64() {
    case 0: order = .listing(try reader.id())
    case 1: order = .request(try reader.id())
    default: throw reader.invalid("side")
    }
    let remaining = try reader.int64()
    let reasons = try reader.list(ofAtLeast: 17) { reader throws(CanonicalBytesError) in
      LeftoverReason(
        constraint: try reader.parsed("constraint") { MatchConstraint(rawValue: $0) },
        effect: try reader.optional { reader throws(CanonicalBytesError) in
          try reader.parsed("effect") { ExportEffect(rawValue: $0) }
        }, count: try reader.int64())
    }
    self.init(order: order, remaining: remaining, reasons: reasons)
  }
}
