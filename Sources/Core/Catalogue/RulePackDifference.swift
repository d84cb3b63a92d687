import Primitives

/// How one rule pack differs from another, by the ids of rules.
package struct RulePackDifference: Sendable, Hashable {
  package let added: [String]
  package let removed: [String]
  /// Of the same id and not the same content.
  package let changed: [String]

  package var isEmpty: Bool { added.isEmpty && removed.isEmpty && changed.isEmpty }

  package init(added: [String], removed: [String], changed: [String]) {
    self.added = added
    self.removed = removed
    self.changed = changed
  }

  package init(from old: ExportRules, to new: ExportRules) {
    let (before, after) = (Self.rules(of: old), Self.rules(of: new))
    added = after.keys.filter { before[$0] == nil }.sorted()
    removed = before.keys.filter { after[$0] == nil }.sorted()
    changed = after.keys.filter { id in before[id].map { $0 != after[id] } ?? false }.sorted()
  }

  private enum Rule: Hashable {
    case classification(ClassificationRule)
    case licence(LicenceRule)
  }

  /// A pack names no rule twice.
  private static func rules(of pack: ExportRules) -> [String: Rule] {
    var rules: [String: Rule] = [:]
    for rule in pack.classificationRules { rules[rule.header.id] = .classification(rule) }
    for rule in pack.licenceRules { rules[rule.header.id] = .licence(rule) }
    return rules
  }
}
