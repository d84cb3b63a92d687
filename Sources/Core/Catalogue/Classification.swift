import Primitives

/// The export class of a chip on a date, with the paragraph that put it there.
package struct Classification: Sendable, Hashable {
  package let chip: ChipModelID
  package let date: CalendarDate
  package let exportClass: ExportClass
  /// `a.1`, `b.2`, `Note 2`, `3A090.a` (of 2022); empty when no paragraph applies.
  package let paragraph: String
  package let tpp: ExactDecimal?
  /// The rule that classified; nil before the first one (21 Oct 2022), when nothing was classified and nothing
  /// controlled by this measure.
  package let ruleID: String?
  package let citation: String?
  /// Whether an exception (NAC, ACA) in force names such a chip; nil when its class or its market is unknown.
  package let nacAcaEligible: Bool?
  /// Logic dies of no non-planar process: density is undefined, its tests count as not met, and a person looks at it.
  package let needsReview: Bool
}

extension ExportRules {
  /// The rule that classifies on that date; nil before the first.
  package func classificationRule(on date: CalendarDate) -> ClassificationRule? {
    classificationRules.indices.first { classificationRules[$0].header.validity.contains(date) }
      .map { classificationRules[$0] }
  }

  /// Computed from the figures alone, exactly; whether an item is subject to the regulation is another question.
  package func classify(_ chip: ChipModel, on date: CalendarDate) -> Classification {
    let rule = classificationRule(on: date)
    let (exportClass, paragraph) = rule.map { outcome(of: $0, for: chip) } ?? (.notControlled, "")
    return Classification(
      chip: chip.id, date: date, exportClass: exportClass, paragraph: paragraph, tpp: chip.tpp,
      ruleID: rule?.header.id, citation: rule?.header.citation,
      nacAcaEligible: exceptionEligibility(chip, exportClass, on: date),
      needsReview: rule.map { needsReview(chip, exportClass, $0) } ?? false)
  }

  /// The first candidate that matches decides. While one before it might match, the class is known only if all that
  /// might be the answer agree.
  private func outcome(of rule: ClassificationRule, for chip: ChipModel) -> (ExportClass, String) {
    for field in rule.needs where !chip.knows(field) { return (.unknown, "") }
    var possible: ExportClass?
    for candidate in rule.candidates {
      switch candidate.condition.truth(for: chip) {
      case .no: continue
      case .yes:
        if let possible, possible != candidate.exportClass { return (.unknown, "") }
        return (candidate.exportClass, candidate.paragraph)
      case .unknown:
        if let possible, possible != candidate.exportClass { return (.unknown, "") }
        possible = candidate.exportClass
      }
    }
    if let possible, possible != rule.otherwise { return (.unknown, "") }
    return (rule.otherwise, "")
  }

  /// Only where density could have mattered: an uncontrolled chip with TPP above some density paragraph's own bound.
  private func needsReview(_ chip: ChipModel, _ exportClass: ExportClass, _ rule: ClassificationRule) -> Bool {
    guard exportClass == .notControlled, chip.facts.dieAreaMM2 == .zero else { return false }
    var draft = chip.facts
    draft.dieAreaMM2 = nil
    guard let blind = try? ChipModel(draft) else { return true }
    return outcome(of: rule, for: blind).0 == .unknown
  }

  /// An exception names classes together with a market.
  private func exceptionEligibility(
    _ chip: ChipModel, _ exportClass: ExportClass, on date: CalendarDate
  ) -> Bool? {
    var answer: Bool? = false
    for index in licenceRules.indices
    where licenceRules[index].isException && licenceRules[index].header.validity.contains(date) {
      switch licenceRules[index].applies.classTruth(exportClass, chip) {
      case .yes: return true
      case .unknown: answer = nil
      case .no: continue
      }
    }
    return answer
  }
}

extension RuleScope {
  /// Whether the chip's class is one of those named; `unknown` when the class, or the market it asks for, is.
  func classTruth(_ exportClass: ExportClass, _ chip: ChipModel) -> Truth {
    guard isByClass else { return .yes }
    if exportClass == .unknown { return .unknown }
    if classes.contains(exportClass) { return .yes }
    var result = Truth.no
    for choice in choices where choice.exportClass == exportClass {
      result = max(result, chip.isDatacentre.map { Truth($0 == choice.datacentre) } ?? .unknown)
    }
    return result
  }
}

extension ChipModel {
  /// True when the fact is known well enough for any test of it.
  func knows(_ field: RuleField) -> Bool {
    switch field {
    case .tpp: tpp != nil
    case .pd: tpp != nil && facts.dieAreaMM2 != nil
    case .ioTotalGBs: ioTotalGBs != nil
    case .interconnectGBs: facts.interconnectGBs != nil
    case .memoryBandwidthGBs, .totalDRAMBandwidthGBs: facts.memoryBandwidthGBs != nil
    case .datacentre: isDatacentre != nil
    }
  }
}
