import Primitives

/// Runs a recorded round again and says how the record differs, in words; empty when it is the same to the bit.
///
/// Also compares the record's digest with its own parts, so that an altered record shows even where a reader would not
/// look.
package func replay(_ snapshot: MatchSnapshot, expecting recorded: MatchRoundResult) -> [String] {
  let fresh = clear(snapshot)
  var differences: [String] = []
  func compare<Value: Equatable>(_ name: String, _ recorded: Value, _ fresh: Value) {
    if recorded != fresh { differences.append("\(name): recorded \(recorded), replayed \(fresh)") }
  }
  compare("engine version", recorded.engineVersion, fresh.engineVersion)
  compare("snapshot digest", recorded.snapshotDigest, fresh.snapshotDigest)
  differences += differencesByKey(
    "allocation", recorded.allocations, fresh.allocations, key: { "\($0.listing) to \($0.request)" },
    value: { "\($0.quantity) of \($0.chipModel) at \($0.rateBps) bps, ask \($0.ask), limit \($0.limit)" })
  differences += differencesByKey(
    "class", recorded.classes, fresh.classes,
    key: {
      "\($0.chipModel), \($0.region), \($0.deliveryMode), \($0.legalForm), \($0.termBucket.rawValue), "
        + "\($0.creditGrade ?? "no grade")"
    }, value: { "\($0.quantity) at \($0.clearingRateBps) bps" })
  differences += differencesByKey(
    "leftover", recorded.leftovers, fresh.leftovers, key: { $0.order.text },
    value: { leftover in
      let reasons = leftover.reasons.map { reason in
        "\(reason.constraint.rawValue)\(reason.effect.map { " (\($0.rawValue))" } ?? "") \(reason.count)"
      }
      return "\(leftover.remaining) left: \(reasons.joined(separator: ", "))"
    })
  compare("objective", recorded.objective, fresh.objective)
  compare("bound", recorded.bound, fresh.bound)
  compare("method", recorded.method.rawValue, fresh.method.rawValue)
  compare("certificate", recorded.certificate.rawValue, fresh.certificate.rawValue)
  compare("fairness", recorded.fairnessBps, fresh.fairnessBps)
  compare("matched quantity", recorded.matchedQuantity, fresh.matchedQuantity)
  compare("matched pairs", recorded.matchedPairs, fresh.matchedPairs)
  if !recorded.isWhole { differences.append("digest: the record's digest is not that of its own parts") }
  // Equal parts in another order, or parties that the texts above do not show, still differ in their bytes.
  compare("digest", recorded.digest, fresh.digest)
  return differences
}

/// Members of two lists by key: what is missing, what is new, what changed.
private func differencesByKey<Member: Equatable>(
  _ name: String, _ recorded: [Member], _ fresh: [Member], key: (Member) -> String, value: (Member) -> String
) -> [String] {
  var differences: [String] = []
  var pending: [String: Member] = [:]
  for member in fresh { pending[key(member)] = member }
  for member in recorded {
    let text = key(member)
    guard let again = pending.removeValue(forKey: text) else {
      differences.append("\(name) \(text): recorded \(value(member)), not replayed")
      continue
    }
    if again != member {
      differences.append("\(name) \(text): recorded \(value(member)), replayed \(value(again))")
    }
  }
  for member in fresh where pending[key(member)] != nil {
    differences.append("\(name) \(key(member)): not recorded, replayed \(value(member))")
  }
  return differences
}

extension Leftover.Order {
  var text: String {
    switch self {
    case .listing(let id): id.description
    case .request(let id): id.description
    }
  }
}
