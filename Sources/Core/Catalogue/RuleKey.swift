import Primitives

/// All that the effect of an act depends on, given a catalogue and a rule pack: acts with equal keys have equal
/// effects. For callers that judge many pairs of orders, of which most ask the same few questions.
package struct RuleKey: Sendable, Hashable {
  private struct Place: Sendable, Hashable {
    let isLender: Bool
    let jurisdiction: CountryCode
    let parent: CountryCode?
  }

  private let chip: ChipModelID
  private let date: CalendarDate
  private let deliveryMode: DeliveryMode
  private let from: CountryCode
  private let to: CountryCode
  private let parties: Set<Place>
  private let listedShare: BasisPoints
  private let letters: Set<String>
  private let endUse: String

  /// Kind of act, quantity, regions and who the parties are do not enter: rules ask for none of them.
  package init(_ act: ExportAct) {
    chip = act.chip.id
    date = act.date
    deliveryMode = act.deliveryMode
    from = act.from.country
    to = act.to.country
    parties = Set(
      act.parties.map { party in
        Place(
          isLender: party.role == .lender, jurisdiction: party.jurisdiction, parent: party.ultimateParentJurisdiction)
      })
    listedShare = act.parties.map(\.listedShare).max() ?? BasisPoints(0)
    letters = act.parties.reduce(into: []) { $0.formUnion($1.letterRuleIDs) }
    endUse = act.endUse.lowercased()
  }
}
