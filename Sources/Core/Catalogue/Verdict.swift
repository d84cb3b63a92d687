import Primitives

/// What one rule says of an act, with what was measured and against what.
package struct RuleFinding: Sendable, Hashable {
  package let ruleID: String
  package let citation: String?
  /// Where the rule's text was seen.
  package let source: String?
  /// What it does to this act, exceptions, licences and delivery mode taken into account.
  package internal(set) var effect: RuleEffect
  /// What the rule states for itself.
  package let statedEffect: RuleEffect
  package let measured: [MeasuredValue]
  package let threshold: String
  /// How an application for a licence is reviewed.
  package let reviewPolicy: String?
  package let certainty: String
  package let status: String?
  package let note: String?
  /// Shown without consequence: a letter to somebody else, or a rule that nobody enforces.
  package let informationOnly: Bool
  package let validFrom: CalendarDate
  package let validTo: CalendarDate?
  /// The exception that put its own effect in this rule's place.
  package let replacedBy: String?
  /// The licence that covers it.
  package internal(set) var licenceID: LicenceID?
  /// Days to wait after notifying, when the effect is to notify.
  package let notificationDays: Int?
}

/// The answer to one act on its own date. Allowed only when `clear`.
package struct Verdict: Sendable, Hashable {
  package let kind: ActKind
  package let date: CalendarDate
  package let chip: ChipModelID
  package let quantity: Int64
  package let deliveryMode: DeliveryMode
  package let regulatoryAct: RegulatoryAct
  package let effect: VerdictEffect
  package let classification: Classification
  /// Every rule that applies, the strictest first; rules of the same effect in the order of the pack.
  package let findings: [RuleFinding]
  /// Facts of the act that no rule tests and a reviewer asks for.
  package let measured: [MeasuredValue]
  /// What the act takes of a licence, when it is clear because of one. Nil while anything else holds it, even where a
  /// finding already names the licence that would do.
  package let licenceUse: LicenceUse?

  package var isClear: Bool { effect == .clear }

  /// Licences were asked for and one covers the act: clears what only a licence was wanting.
  /// - Returns: the verdict with the licence named, or itself when none covers it, or when something else holds the
  ///   act.
  func covered(by licences: [Licence], act: ExportAct, partyRules: Set<String>) -> Verdict {
    guard effect == .holdLicence else { return self }
    // A rule about a party is met only by a licence that names the party.
    let needsConsignee = findings.contains { $0.effect == .holdLicence && partyRules.contains($0.ruleID) }
    let usable = licences.filter { licence in
      licence.remaining >= quantity && licence.shortfall(for: act, of: classification.exportClass) == nil
        && (!needsConsignee || licence.consignee != nil)
    }
    // The one that ends first, then the smaller id: the same licence from the same record.
    let chosen = usable.min { left, right in
      let (leftEnd, rightEnd) = (left.validity.to ?? .latest, right.validity.to ?? .latest)
      return leftEnd != rightEnd ? leftEnd < rightEnd : left.id < right.id
    }
    guard let chosen else { return self }
    var findings = findings
    for index in findings.indices where findings[index].effect == .holdLicence {
      findings[index].effect = .clear
      findings[index].licenceID = chosen.id
    }
    let rest = findings.map { VerdictEffect($0.effect) }.max() ?? .clear
    return Verdict(
      kind: kind, date: date, chip: chip, quantity: quantity, deliveryMode: deliveryMode, regulatoryAct: regulatoryAct,
      effect: rest, classification: classification, findings: findings, measured: measured,
      licenceUse: rest == .clear ? LicenceUse(licenceID: chosen.id, quantity: quantity) : nil)
  }
}
