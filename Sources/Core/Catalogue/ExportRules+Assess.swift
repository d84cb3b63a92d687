import Primitives

/// A rule that reaches an act, before it is put into words.
struct RuleHit: Sendable {
  /// Index into the pack's licence rules.
  let rule: Int
  var effect: RuleEffect
  let isInformation: Bool
  /// The destination it was found for; in hosted delivery one that physical delivery would have.
  let destination: ResolvedPlace
  var review: String?
  /// Index of the exception that replaced its effect.
  var replacedBy: Int?
}

/// All that the rules make of an act, before it is put into words.
struct Assessment: Sendable {
  let classification: Classification
  let parties: [ResolvedPlace]
  var hits: [RuleHit]
  /// What the classification itself does: holds when the class is unknown or its rule may not clear.
  let classEffect: RuleEffect
  /// What lists of parties do, whatever the chip and wherever it goes.
  let partyEffect: RuleEffect

  var effect: VerdictEffect {
    var strictest = max(VerdictEffect(classEffect), VerdictEffect(partyEffect))
    for hit in hits where !hit.isInformation { strictest = max(strictest, VerdictEffect(hit.effect)) }
    return strictest
  }
}

/// One movement from place to place, as the rules see it.
struct Movement: Sendable {
  let date: CalendarDate
  let chip: ChipModel
  let exportClass: ExportClass
  /// Headquarters and ultimate parents of all parties.
  let parties: [ResolvedPlace]
  let listedShare: BasisPoints
  /// Letters that were sent to a party.
  let letters: [Set<String>]
  /// UTF-8 in lower case.
  let endUse: [UInt8]
  let from: ResolvedPlace
  let to: ResolvedPlace
  let acts: RegulatedActs

  /// Whether the rule reaches it. Cheap tests first: most rules fall at the destination.
  func reach(of scope: RuleScope) -> Truth {
    guard !scope.acts.isDisjoint(with: acts) else { return .no }
    if let origins = scope.origins, !origins.contains(from, on: date) { return .no }
    if !reachesPlace(scope) { return .no }
    if let needed = scope.partyIn, !parties.contains(where: { needed.contains($0, on: date) }) { return .no }
    if let barred = scope.notPartyIn, parties.contains(where: { barred.contains($0, on: date) }) { return .no }
    if let least = scope.listedOwnersAtLeast, listedShare < least { return .no }
    if !scope.vendors.isEmpty, !scope.vendors.contains(chip.vendor) { return .no }
    if !scope.chips.isEmpty, !names(scope) { return .no }
    if !scope.endUseWords.isEmpty, !scope.endUseWords.contains(where: { $0.occurs(in: endUse) }) { return .no }
    let byClass = scope.classTruth(exportClass, chip)
    guard byClass != .no, let condition = scope.condition else { return byClass }
    return min(byClass, condition.truth(for: chip))
  }

  private func reachesPlace(_ scope: RuleScope) -> Bool {
    guard scope.destinations != nil || scope.orPartyIn != nil else { return true }
    if let destinations = scope.destinations, destinations.contains(to, on: date) {
      if scope.exceptDestinations?.contains(to, on: date) != true { return true }
    }
    guard let alternative = scope.orPartyIn else { return false }
    return parties.contains { alternative.contains($0, on: date) }
  }

  private func names(_ scope: RuleScope) -> Bool {
    if scope.includesGP10Named, chip.facts.gp10Named { return true }
    return scope.chips.contains { $0.matches(chip.id) }
  }
}

extension ExportRules {
  /// The effect alone, for callers that judge many pairs: the same walk as `verdict`, without the words.
  package func effect(of act: ExportAct) -> VerdictEffect { assess(act).effect }

  func assess(_ act: ExportAct) -> Assessment {
    let classification = classify(act.chip, on: act.date)
    let parties = headquarters(of: act)
    let from = resolve(act.from.country, on: act.date)
    let listedShare = act.parties.map(\.listedShare).max() ?? BasisPoints(0)
    let letters = act.parties.lazy.map(\.letterRuleIDs).filter { !$0.isEmpty }
    let endUse = Array(act.endUse.lowercased().utf8)
    func hits(to: ResolvedPlace, _ acts: RegulatedActs) -> [RuleHit] {
      self.hits(
        Movement(
          date: act.date, chip: act.chip, exportClass: classification.exportClass, parties: parties,
          listedShare: listedShare, letters: Array(letters), endUse: endUse, from: from, to: to, acts: acts))
    }
    let to = resolve(act.to.country, on: act.date)
    var found: [RuleHit]
    switch act.deliveryMode {
    case .physical:
      let movement = ExportAct.movement(from: act.from.country, to: act.to.country)
      found = hits(to: to, RegulatedActs(movement).union(.commercial))
    case .hosted:
      found = hits(to: to, .commercial)
      for place in physicalDestinations(act) {
        let movement = ExportAct.movement(from: act.from.country, to: place.country)
        for var hit in hits(to: place, RegulatedActs(movement)) {
          // Hosting is no way round: what would hold or refuse delivery to the same parties goes to a person.
          if !hit.isInformation, hit.effect > .clear { hit.effect = .holdReview }
          if let index = found.firstIndex(where: { $0.rule == hit.rule }) {
            if found[index].effect < hit.effect { found[index] = hit }
          } else {
            found.append(hit)
          }
        }
      }
    }
    return Assessment(
      classification: classification, parties: parties, hits: found,
      classEffect: classEffect(classification, on: act.date),
      partyEffect: act.parties.lazy.flatMap(\.holds).map(\.effect).max() ?? .clear)
  }

  func resolve(_ country: CountryCode, on date: CalendarDate) -> ResolvedPlace {
    ResolvedPlace(country: country, groups: countries.groups(of: country, on: date))
  }

  /// Headquarters and ultimate parents of all parties, each place once.
  private func headquarters(of act: ExportAct) -> [ResolvedPlace] {
    var places: [ResolvedPlace] = []
    func add(_ country: CountryCode) {
      if !places.contains(where: { $0.country == country }) { places.append(resolve(country, on: act.date)) }
    }
    for party in act.parties {
      add(party.jurisdiction)
      if let parent = party.ultimateParentJurisdiction { add(parent) }
    }
    return places
  }

  /// Where the chips would have gone, had they been delivered: to the site named, or home with who uses them.
  private func physicalDestinations(_ act: ExportAct) -> [ResolvedPlace] {
    var countries = [act.to.country]
    for party in act.parties where party.role != .lender && !countries.contains(party.jurisdiction) {
      countries.append(party.jurisdiction)
    }
    return countries.map { resolve($0, on: act.date) }
  }

  private func classEffect(_ classification: Classification, on date: CalendarDate) -> RuleEffect {
    switch classification.exportClass {
    case .unknown: return .holdReview
    case .notControlled:
      guard let rule = classificationRule(on: date) else { return .clear }
      return classification.needsReview || !rule.header.mayClear ? .holdReview : .clear
    case .eccn3A090, .eccn3A090a, .eccn3A090b: return .clear
    }
  }

  private func hits(_ movement: Movement) -> [RuleHit] {
    var hits: [RuleHit] = []
    var exceptions: [Int] = []
    var reviews: [Int] = []
    // By index: to take a rule out of the array would retain and release each of its parts, which cost more than the
    // tests.
    for index in licenceRules.indices where licenceRules[index].header.validity.contains(movement.date) {
      let truth = movement.reach(of: licenceRules[index].applies)
      guard truth != .no else { continue }
      let rule = licenceRules[index]
      if rule.isException || rule.changesReviewOnly {
        // These loosen; what is unknown, unapproved or in doubt loosens nothing.
        guard truth == .yes, rule.header.mayClear else { continue }
        if rule.isException { exceptions.append(index) } else { reviews.append(index) }
        continue
      }
      let isAddressee = movement.letters.contains { $0.contains(rule.header.id) }
      let isInformation = rule.isInformation || (rule.bindsAddresseeOnly && !isAddressee)
      if isInformation, truth != .yes { continue }
      hits.append(
        RuleHit(
          rule: index,
          effect: isInformation ? .information : truth == .yes ? rule.effect : min(rule.effect, .holdReview),
          isInformation: isInformation, destination: movement.to, review: review(of: rule, movement)))
    }
    apply(exceptions, to: &hits, movement)
    apply(reviews: reviews, to: &hits, movement)
    return hits
  }

  /// Only a licence requirement that rests on the class, and on that class, is replaced. Of several exceptions the
  /// strictest counts.
  private func apply(_ exceptions: [Int], to hits: inout [RuleHit], _ movement: Movement) {
    guard let exception = exceptions.max(by: { licenceRules[$0].effect < licenceRules[$1].effect }) else { return }
    for index in hits.indices where hits[index].effect == .holdLicence {
      guard licenceRules[hits[index].rule].applies.isByClass else { continue }
      hits[index].effect = licenceRules[exception].effect
      hits[index].replacedBy = exception
    }
  }

  private func apply(reviews: [Int], to hits: inout [RuleHit], _ movement: Movement) {
    for review in reviews {
      guard let policy = self.review(of: licenceRules[review], movement) else { continue }
      var changed = false
      for index in hits.indices where hits[index].effect == .holdLicence {
        guard licenceRules[hits[index].rule].applies.isByClass else { continue }
        hits[index].review = policy
        changed = true
      }
      // The rule is named beside what it changed; it adds no effect of its own.
      if changed {
        hits.append(
          RuleHit(rule: review, effect: .information, isInformation: true, destination: movement.to, review: policy))
      }
    }
  }

  private func review(of rule: LicenceRule, _ movement: Movement) -> String? {
    switch rule.review {
    case nil: return nil
    case .always(let text): return text
    case .byPlace(let destinations, let headquarters, let then, let otherwise):
      let date = movement.date
      let isThere =
        destinations.contains(movement.to, on: date)
        || movement.parties.contains { headquarters.contains($0, on: date) }
      return isThere ? then : otherwise
    }
  }
}
