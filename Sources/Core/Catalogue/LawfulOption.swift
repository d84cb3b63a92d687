import Primitives

/// What a party may lawfully do about an act that is held. Never a way round a rule: no other region, entity, split,
/// date or delivery mode is ever among them.
package enum LawfulOption: Sendable, Hashable {
  /// Apply for a licence, or name one that is held; with the review that an application meets.
  case licence(ruleIDs: [String], reviewPolicies: [String])
  /// Notify the authority and wait so many days.
  case notification(ruleIDs: [String], days: Int)
  /// A chip that no rule controls, to which the same act is clear: a choice of product.
  case substitute(ChipModelID, name: String)
}

extension ExportRules {
  /// The options for an act that is not clear. What is refused has none but another product; what waits for a review
  /// waits.
  ///
  /// - Parameters:
  ///   - verdict: of `act`.
  ///   - catalogue: chips from which substitutes are named, the strongest first.
  ///   - substituteLimit: how many at most.
  package func lawfulOptions(
    for verdict: Verdict, of act: ExportAct, catalogue: [ChipModel], substituteLimit: Int = 5
  ) -> [LawfulOption] {
    guard !verdict.isClear else { return [] }
    var options: [LawfulOption] = []
    let held = verdict.findings.filter { !$0.informationOnly }
    if verdict.effect == .holdLicence {
      let rules = held.filter { $0.effect == .holdLicence }
      let policies = distinct(rules.compactMap(\.reviewPolicy))
      options.append(.licence(ruleIDs: rules.map(\.ruleID), reviewPolicies: policies))
    }
    if verdict.effect == .holdNotification {
      let rules = held.filter { $0.effect == .holdNotification }
      let days = rules.compactMap(\.notificationDays).max() ?? 0
      options.append(.notification(ruleIDs: distinct(rules.map { $0.replacedBy ?? $0.ruleID }), days: days))
    }
    let substitutes = catalogue.filter { isSubstitute($0, for: act) }
      .sorted { left, right in
        let (leftTPP, rightTPP) = (left.tpp ?? .zero, right.tpp ?? .zero)
        return leftTPP != rightTPP ? leftTPP > rightTPP : left.id < right.id
      }
    options += substitutes.prefix(max(0, substituteLimit)).map { .substitute($0.id, name: $0.model) }
    return options
  }

  /// Released for certain by then, uncontrolled, no stronger than what was asked for, and clear for the very same act.
  private func isSubstitute(_ chip: ChipModel, for act: ExportAct) -> Bool {
    guard chip.id != act.chip.id, let released = chip.facts.releasedOn, released.latest <= act.date,
      classify(chip, on: act.date).exportClass == .notControlled
    else { return false }
    var other = act
    other.chip = chip
    return effect(of: other) == .clear
  }
}

/// The texts in their order, each once.
private func distinct(_ texts: [String]) -> [String] {
  texts.reduce(into: []) { if !$0.contains($1) { $0.append($1) } }
}
