import Primitives

/// All that the effect of an act depends on, given a catalogue and a rule pack: acts with equal keys have equal
/// effects. For callers that judge many pairs of orders, of which most ask the same few questions.
package struct RuleKey: Sendable, Hashable {
  private let chip: ChipModelID
  private let date: CalendarDate
  private let deliveryMode: DeliveryMode
  private let from: CountryCode
  private let to: CountryCode
  private let parties: Set<PartyKey>
  private let endUse: String

  /// Kind of act, quantity, regions and who the parties are do not enter: rules ask for none of them.
  package init(_ act: ExportAct) {
    chip = act.chip.id
    date = act.date
    deliveryMode = act.deliveryMode
    from = act.from.country
    to = act.to.country
    parties = Set(act.parties.map(PartyKey.init))
    endUse = act.endUse.lowercased()
  }
}

/// All that a party brings into the effect of an act.
package struct PartyKey: Sendable, Hashable {
  private let isLender: Bool
  private let jurisdiction: CountryCode
  private let parent: CountryCode?
  private let listedShare: BasisPoints
  private let letters: Set<String>
  /// The strictest of what lists of parties do to it.
  private let held: RuleEffect?

  package init(_ party: ExportParty) {
    isLender = party.role == .lender
    jurisdiction = party.jurisdiction
    parent = party.ultimateParentJurisdiction
    listedShare = party.listedShare
    letters = party.letterRuleIDs
    held = party.holds.map(\.effect).max()
  }
}
