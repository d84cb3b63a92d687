import Primitives

/// Whether a test is met, when a figure that it needs may be unknown (Kleene's three-valued logic).
package enum Truth: Int, Sendable, Hashable, Comparable {
  case no, unknown, yes

  package init(_ value: Bool) { self = value ? .yes : .no }

  package static func < (left: Truth, right: Truth) -> Bool { left.rawValue < right.rawValue }
}

/// A fact of a chip that a rule tests.
package enum RuleField: String, Sendable, Hashable, CaseIterable {
  case tpp
  /// TPP over die area; tested as TPP against value x area.
  case pd
  case ioTotalGBs = "io_total_gbs"
  case interconnectGBs = "interconnect_gbs"
  case memoryBandwidthGBs = "memory_bandwidth_gbs"
  /// The same figure under the name that the 2026 rule gives it.
  case totalDRAMBandwidthGBs = "total_dram_bandwidth_gbs"
  /// Designed or marketed for use in data centres.
  case datacentre

  package var isFlag: Bool { self == .datacentre }
}

package enum RuleComparison: String, Sendable, Hashable, CaseIterable {
  case atLeast = ">="
  case above = ">"
  case atMost = "<="
  case below = "<"
  case equal = "=="
}

/// A test over the facts of a chip, as the rule pack states it.
package indirect enum RuleCondition: Sendable, Hashable {
  case all([RuleCondition])
  case any([RuleCondition])
  case figure(RuleField, RuleComparison, ExactDecimal)
  case flag(RuleField, Bool)

  package func truth(for chip: ChipModel) -> Truth {
    switch self {
    case .all(let parts):
      var result = Truth.yes
      for part in parts where result != .no { result = min(result, part.truth(for: chip)) }
      return result
    case .any(let parts):
      var result = Truth.no
      for part in parts where result != .yes { result = max(result, part.truth(for: chip)) }
      return result
    case .figure(let field, let comparison, let threshold):
      return Self.test(chip, field, comparison, threshold)
    case .flag(_, let expected):
      return chip.isDatacentre.map { Truth($0 == expected) } ?? .unknown
    }
  }

  private static func test(
    _ chip: ChipModel, _ field: RuleField, _ comparison: RuleComparison, _ threshold: ExactDecimal
  ) -> Truth {
    let measured: ExactDecimal?
    var bound = threshold
    switch field {
    case .tpp: measured = chip.tpp
    case .pd:
      guard let area = chip.facts.dieAreaMM2 else { return .unknown }
      // No die on a non-planar process: density has no defined value, and no test of it is met. A person looks at it.
      guard area > .zero else { return .no }
      guard let product = try? threshold.multiplied(by: area) else { return .unknown }
      measured = chip.tpp
      bound = product
    case .ioTotalGBs:
      guard let total = chip.ioTotalGBs else { return lowerBoundTest(chip.ioAtLeastGBs, comparison, bound) }
      measured = total
    case .interconnectGBs: measured = chip.facts.interconnectGBs
    case .memoryBandwidthGBs, .totalDRAMBandwidthGBs: measured = chip.facts.memoryBandwidthGBs
    case .datacentre: return .unknown
    }
    guard let measured else { return .unknown }
    return switch comparison {
    case .atLeast: Truth(measured >= bound)
    case .above: Truth(measured > bound)
    case .atMost: Truth(measured <= bound)
    case .below: Truth(measured < bound)
    case .equal: Truth(measured == bound)
    }
  }

  /// The total is unknown and at least `known`: one part alone may settle the test.
  private static func lowerBoundTest(
    _ known: ExactDecimal, _ comparison: RuleComparison, _ bound: ExactDecimal
  ) -> Truth {
    switch comparison {
    case .atLeast: known >= bound ? .yes : .unknown
    case .above: known > bound ? .yes : .unknown
    case .atMost, .equal: known > bound ? .no : .unknown
    case .below: known >= bound ? .no : .unknown
    }
  }

  /// The facts it looks at, in the order of their first mention.
  package var fields: [RuleField] {
    switch self {
    case .all(let parts), .any(let parts):
      parts.flatMap(\.fields).reduce(into: []) { if !$0.contains($1) { $0.append($1) } }
    case .figure(let field, _, _), .flag(let field, _): [field]
    }
  }

  /// For people: `tpp >= 1600 and pd >= 5.92`.
  package var description: String {
    switch self {
    case .all(let parts): parts.map(\.description).joined(separator: " and ")
    case .any(let parts): "(" + parts.map(\.description).joined(separator: " or ") + ")"
    case .figure(let field, let comparison, let threshold): "\(field.rawValue) \(comparison.rawValue) \(threshold)"
    case .flag(let field, let expected): "\(field.rawValue) == \(expected)"
    }
  }
}

/// A fact that was looked at, as text: `tpp`, `4992`.
package struct MeasuredValue: Sendable, Hashable {
  package let field: String
  package let value: String

  package init(_ field: String, _ value: String) {
    self.field = field
    self.value = value
  }
}

extension ChipModel {
  /// The fact as text; `unknown` where it is.
  package func measured(_ field: RuleField) -> MeasuredValue {
    let text: String?
    switch field {
    case .tpp: text = tpp?.description
    case .pd:
      // Rounded for display; the area beside it is what the test used.
      text = displayedPerformanceDensity.map { "\($0) (\(tpp?.description ?? "?") / \(dieAreaText) mm2)" }
    case .ioTotalGBs:
      text = ioTotalGBs?.description ?? (ioAtLeastGBs > .zero ? "at least \(ioAtLeastGBs)" : nil)
    case .interconnectGBs: text = facts.interconnectGBs?.description
    case .memoryBandwidthGBs, .totalDRAMBandwidthGBs: text = facts.memoryBandwidthGBs?.description
    case .datacentre: text = isDatacentre.map(\.description)
    }
    return MeasuredValue(field.rawValue, text ?? "unknown")
  }

  private var dieAreaText: String { facts.dieAreaMM2?.description ?? "unknown" }
}
