import Catalogue
import Primitives
import Screening

extension PartyScreening.Consequence {
  /// As it stands among the findings of a verdict.
  func hold(on organization: OrganizationID) -> PartyHold {
    let (list, entry) = (hit.match.list, hit.match.entry)
    var measured = [
      MeasuredValue("organization", organization.description), MeasuredValue("name", hit.name.text),
      MeasuredValue("listed_name", hit.match.listedName), MeasuredValue("match", hit.match.grade.rawValue),
    ]
    if let ownedShare { measured.append(MeasuredValue("listed_owners_bps", String(ownedShare.value))) }
    let threshold =
      switch hit.name.subject {
      case .party: "the name of a party on \(list.title)"
      case .owner:
        "owners on \(list.title) with \(list.ownedAtLeast.map { String($0.value) } ?? "any") bps together, or one nobody has looked at"
      }
    return PartyHold(
      ruleID: hit.ruleID, effect: effect.ruleEffect, measured: measured, threshold: threshold,
      citation: entry.citation, source: list.source,
      note: hit.isSame ? nil : "a person decides whether it is the same party", listedOn: entry.listedOn,
      delistedOn: entry.delistedOn)
  }
}

extension ScreeningList.Effect {
  package var ruleEffect: RuleEffect {
    switch self {
    case .holdReview: .holdReview
    case .holdLicence: .holdLicence
    case .refuse: .refuse
    }
  }
}
