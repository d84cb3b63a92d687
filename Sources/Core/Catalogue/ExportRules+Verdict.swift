import Primitives

extension ExportRules {
  /// Judges one act by the rules in force on its date.
  ///
  /// - Parameters:
  ///   - act: what is to be done, by whom, from where to where.
  ///   - licences: those that might cover it; one with enough quota left clears what only a licence was wanting.
  package func verdict(on act: ExportAct, licences: [Licence] = []) -> Verdict {
    let assessment = assess(act)
    var findings = assessment.hits.map { finding(for: $0, assessment, act) }
    if assessment.classEffect != .clear, let held = classFinding(assessment, act) { findings.append(held) }
    let holds = act.parties.flatMap(\.holds)
    findings += holds.map { finding(for: $0) }
    // A stable order: strictest first, then as in the pack.
    let ordered = findings.enumerated().sorted { left, right in
      left.element.effect != right.element.effect
        ? left.element.effect > right.element.effect : left.offset < right.offset
    }
    let verdict = Verdict(
      kind: act.kind, date: act.date, chip: act.chip.id, quantity: act.quantity, deliveryMode: act.deliveryMode,
      regulatoryAct: act.regulatoryAct, effect: assessment.effect, classification: assessment.classification,
      findings: ordered.map(\.element), measured: reviewFacts(of: act), licenceUse: nil)
    if licences.isEmpty { return verdict }
    let partyRules = licenceRules.filter { $0.applies.listedOwnersAtLeast != nil }.map(\.header.id)
    return verdict.covered(by: licences, act: act, partyRules: Set(partyRules + holds.map(\.ruleID)))
  }

  /// A list of parties says what it says of somebody, and not of chips.
  private func finding(for hold: PartyHold) -> RuleFinding {
    RuleFinding(
      ruleID: hold.ruleID, citation: hold.citation, source: hold.source, effect: hold.effect, statedEffect: hold.effect,
      measured: hold.measured, threshold: hold.threshold, reviewPolicy: nil, certainty: RuleGrade.primary.rawValue,
      status: nil, note: hold.note, informationOnly: false, validFrom: hold.listedOn, validTo: hold.delistedOn,
      replacedBy: nil, licenceID: nil, notificationDays: nil)
  }

  private func finding(for hit: RuleHit, _ assessment: Assessment, _ act: ExportAct) -> RuleFinding {
    let rule = licenceRules[hit.rule]
    let exception = hit.replacedBy.map { licenceRules[$0] }
    var threshold = rule.threshold
    if rule.applies.isByClass, let paragraph = paragraphText(assessment.classification) {
      threshold += "; " + paragraph
    }
    return RuleFinding(
      ruleID: rule.header.id, citation: rule.header.citation, source: rule.header.source, effect: hit.effect,
      statedEffect: rule.effect, measured: measured(by: rule, hit, assessment, act), threshold: threshold,
      reviewPolicy: hit.review, certainty: rule.header.certainty, status: rule.header.status,
      note: exception?.note ?? rule.note, informationOnly: hit.isInformation, validFrom: rule.header.validity.from,
      validTo: rule.header.validity.to, replacedBy: exception?.header.id, licenceID: nil,
      notificationDays: hit.effect == .holdNotification ? (exception ?? rule).notificationDays : nil)
  }

  private func measured(
    by rule: LicenceRule, _ hit: RuleHit, _ assessment: Assessment, _ act: ExportAct
  ) -> [MeasuredValue] {
    let scope = rule.applies
    let classification = assessment.classification
    var values: [MeasuredValue] = []
    var fields: [RuleField] = []
    if scope.isByClass {
      let paragraph = classification.paragraph.isEmpty ? "" : " (\(classification.paragraph))"
      values.append(MeasuredValue("class", classification.exportClass.rawValue + paragraph))
      fields = classificationRule(on: act.date)?.fields ?? []
    }
    for field in scope.condition?.fields ?? [] where !fields.contains(field) { fields.append(field) }
    values += fields.map { act.chip.measured($0) }
    if !scope.chips.isEmpty { values.append(MeasuredValue("chip", act.chip.id.value)) }
    if !scope.vendors.isEmpty { values.append(MeasuredValue("vendor", act.chip.vendor)) }
    values.append(MeasuredValue("destination", hit.destination.country.value))
    if scope.origins != nil { values.append(MeasuredValue("origin", act.from.country.value)) }
    if scope.partyIn != nil || scope.orPartyIn != nil || scope.notPartyIn != nil {
      let places = assessment.parties.map(\.country.value).joined(separator: ", ")
      values.append(MeasuredValue("headquarters", places))
    }
    if scope.listedOwnersAtLeast != nil {
      let share = act.parties.map(\.listedShare).max() ?? BasisPoints(0)
      values.append(MeasuredValue("listed_owners_bps", String(share.value)))
    }
    if !scope.endUseWords.isEmpty { values.append(MeasuredValue("end_use", act.endUse)) }
    return values
  }

  /// The paragraph that gave the class, with its test.
  private func paragraphText(_ classification: Classification) -> String? {
    guard let rule = classificationRule(on: classification.date),
      let candidate = rule.candidates.first(where: {
        $0.exportClass == classification.exportClass && $0.paragraph == classification.paragraph
      })
    else { return nil }
    return "\(candidate.paragraph): \(candidate.condition.description)"
  }

  /// The class is unknown, or nobody may rely on "not controlled": said by the classification rule itself.
  private func classFinding(_ assessment: Assessment, _ act: ExportAct) -> RuleFinding? {
    guard let rule = classificationRule(on: act.date) else { return nil }
    let header = rule.header
    let tests = rule.candidates.map { "\($0.exportClass.rawValue) (\($0.paragraph)): \($0.condition.description)" }
    let note: String
    if assessment.classification.exportClass == .unknown {
      note = "a figure that the class needs is unknown"
    } else if assessment.classification.needsReview {
      note = "no die on a non-planar process: performance density has no defined value"
    } else {
      note = "the classification rule is not approved, so it clears nothing"
    }
    return RuleFinding(
      ruleID: header.id, citation: header.citation, source: header.source, effect: .holdReview,
      statedEffect: .holdReview,
      measured: [MeasuredValue("class", assessment.classification.exportClass.rawValue)]
        + rule.fields.map { act.chip.measured($0) },
      threshold: tests.joined(separator: "; "), reviewPolicy: nil, certainty: header.certainty, status: header.status,
      note: note, informationOnly: false, validFrom: header.validity.from, validTo: header.validity.to,
      replacedBy: nil, licenceID: nil, notificationDays: nil)
  }

  private func reviewFacts(of act: ExportAct) -> [MeasuredValue] {
    var facts = [
      MeasuredValue("from", act.from.country.value), MeasuredValue("to", act.to.country.value),
      MeasuredValue("delivery_mode", act.deliveryMode.rawValue), MeasuredValue("end_use", act.endUse),
    ]
    if let aggregate = act.aggregateTPPAtSite {
      facts.append(MeasuredValue("aggregate_tpp_at_site", aggregate.description))
    }
    return facts
  }
}
