import Primitives

extension MatchRoundResult {
  /// The digest of a result with these parts.
  static func digest(
    engineVersion: String, snapshotDigest: SHA256Digest, allocations: [Allocation], classes: [ClassRate],
    leftovers: [Leftover], objective: Int128, matchedQuantity: Int64, matchedPairs: Int64
  ) -> SHA256Digest {
    var bytes = CanonicalBytes()
    bytes.append("match-result-1")
    bytes.append(engineVersion)
    bytes.append(snapshotDigest)
    bytes.append(Int64(allocations.count))
    for allocation in allocations { allocation.write(to: &bytes) }
    bytes.append(Int64(classes.count))
    for rate in classes { rate.write(to: &bytes) }
    bytes.append(Int64(leftovers.count))
    for leftover in leftovers { leftover.write(to: &bytes) }
    bytes.append(Int64(truncatingIfNeeded: objective >> 64))
    bytes.append(Int64(truncatingIfNeeded: objective))
    bytes.append(matchedQuantity)
    bytes.append(matchedPairs)
    return bytes.digest
  }

  /// Whether `digest` is that of the parts: false for a record that was altered.
  package var isWhole: Bool {
    digest
      == Self.digest(
        engineVersion: engineVersion, snapshotDigest: snapshotDigest, allocations: allocations, classes: classes,
        leftovers: leftovers, objective: objective, matchedQuantity: matchedQuantity, matchedPairs: matchedPairs)
  }
}

extension Allocation {
  func write(to bytes: inout CanonicalBytes) {
    for id in [listing.value, request.value, lender.value, startup.value] { bytes.append(id) }
    bytes.append(chipModel.value)
    for number in [quantity, rateBps, ask, limit] { bytes.append(number) }
  }
}

extension ClassRate {
  func write(to bytes: inout CanonicalBytes) {
    for text in [chipModel.value, region, deliveryMode, legalForm, termBucket.rawValue] { bytes.append(text) }
    bytes.append(optional: creditGrade) { $0.append($1) }
    bytes.append(clearingRateBps)
    bytes.append(quantity)
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
}
