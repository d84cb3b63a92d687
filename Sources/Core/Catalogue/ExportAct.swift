import Primitives

/// The acts on which a verdict is taken, each on its own date.
package enum ActKind: String, Sendable, Hashable, CaseIterable {
  case offer
  case handOver = "hand_over"
  case changeOfEndUser = "change_of_end_user"
  /// Chips going back to their own lender: the rules know no way home, so it is judged like any other act.
  case `return`
  case repossession
  case assumption
  /// Title passing where the chips stand. Taken as a transfer in country between the parties even where nothing moves
  /// and the end user stays the same: conservative, since who may direct their use changes.
  case titleTransfer = "title_transfer"
}

package enum DeliveryMode: String, Sendable, Hashable, CaseIterable {
  /// The chips go to the borrower.
  case physical
  /// The chips stay with the lender; the borrower reaches them over a network.
  case hosted
}

package enum PartyRole: String, Sendable, Hashable, CaseIterable {
  case lender
  case borrower
  case endUser = "end_user"
}

/// A share of a party, and whether its holder is on a list whose weight passes to what it owns.
package struct PartyOwner: Sendable, Hashable {
  package let share: BasisPoints
  package let jurisdiction: CountryCode
  package let isListed: Bool

  package init(share: BasisPoints, jurisdiction: CountryCode, isListed: Bool) {
    self.share = share
    self.jurisdiction = jurisdiction
    self.isListed = isListed
  }
}

/// A name on a list of parties that holds every act of whoever bears it.
package struct PartyHold: Sendable, Hashable {
  /// `list/entry`: it stands in a verdict as a rule does.
  package let ruleID: String
  package let effect: RuleEffect
  package let measured: [MeasuredValue]
  package let threshold: String
  package let citation: String?
  package let source: String
  package let note: String?
  package let listedOn: CalendarDate
  package let delistedOn: CalendarDate?

  package init(
    ruleID: String, effect: RuleEffect, measured: [MeasuredValue], threshold: String, citation: String?,
    source: String, note: String?, listedOn: CalendarDate, delistedOn: CalendarDate?
  ) {
    self.ruleID = ruleID
    self.effect = effect
    self.measured = measured
    self.threshold = threshold
    self.citation = citation
    self.source = source
    self.note = note
    self.listedOn = listedOn
    self.delistedOn = delistedOn
  }
}

/// A party to the act, as far as rules ask.
package struct ExportParty: Sendable, Hashable {
  package let organizationID: OrganizationID
  package let role: PartyRole
  /// Headquarters.
  package let jurisdiction: CountryCode
  /// Headquarters of the ultimate parent; nil when the party has none.
  package let ultimateParentJurisdiction: CountryCode?
  package let owners: [PartyOwner]
  /// Ids of letters that were sent to this party: for it they bind, for others they inform.
  package let letterRuleIDs: Set<String>
  /// What lists of parties say of it on the day of the act, the strictest first.
  package let holds: [PartyHold]

  package init(
    organizationID: OrganizationID, role: PartyRole, jurisdiction: CountryCode,
    ultimateParentJurisdiction: CountryCode? = nil, owners: [PartyOwner] = [], letterRuleIDs: Set<String> = [],
    holds: [PartyHold] = []
  ) {
    self.organizationID = organizationID
    self.role = role
    self.jurisdiction = jurisdiction
    self.ultimateParentJurisdiction = ultimateParentJurisdiction
    self.owners = owners
    self.letterRuleIDs = letterRuleIDs
    self.holds = holds
  }

  /// What listed owners hold together, in basis points, from 0 to 10,000. Owners nobody has told of are not guessed at:
  /// verification establishes who they are before anything is matched.
  package var listedShare: BasisPoints {
    var sum: Int64 = 0
    for owner in owners where owner.isListed {
      sum = min(sum + max(0, min(owner.share.value, 10_000)), 10_000)
    }
    return BasisPoints(sum)
  }
}

/// Where chips stand or go.
package struct ActSite: Sendable, Hashable {
  package let country: CountryCode
  /// A region of the market, for the record: rules know countries.
  package let region: String

  package init(country: CountryCode, region: String) {
    self.country = country
    self.region = region
  }
}

/// One act to be judged. A verdict looks at nothing else but the rule pack, so it can be repeated from the record.
package struct ExportAct: Sendable, Hashable {
  package let kind: ActKind
  /// The day of the act itself: of the offer, of the hand-over, of the return.
  package let date: CalendarDate
  package var chip: ChipModel
  /// Chips, at least 1.
  package let quantity: Int64
  package let from: ActSite
  package let to: ActSite
  package let deliveryMode: DeliveryMode
  /// As the borrower declared it.
  package let endUse: String
  package let parties: [ExportParty]
  /// Total processing performance at the site with these chips in place, where known: shown, no rule of the pack tests
  /// it.
  package let aggregateTPPAtSite: ExactDecimal?

  /// - Throws: `invalidQuantity` below 1; `noParty` when nobody is named.
  package init(
    kind: ActKind, date: CalendarDate, chip: ChipModel, quantity: Int64, from: ActSite, to: ActSite,
    deliveryMode: DeliveryMode, endUse: String, parties: [ExportParty], aggregateTPPAtSite: ExactDecimal? = nil
  ) throws(CatalogueRefusal) {
    guard quantity >= 1 else { throw .invalidQuantity(quantity) }
    guard !parties.isEmpty else { throw .noParty }
    self.kind = kind
    self.date = date
    self.chip = chip
    self.quantity = quantity
    self.from = from
    self.to = to
    self.deliveryMode = deliveryMode
    self.endUse = endUse
    self.parties = parties
    self.aggregateTPPAtSite = aggregateTPPAtSite
  }

  private static let unitedStates = CountryCode("US")

  /// What moving the chips from one country to the other is. Hong Kong and Macau are customs territories of their own,
  /// so that to or from the mainland is a reexport. Inside one country, the United States included, it is a transfer:
  /// where the regulation is silent on a domestic act, the stricter reading stands until a person says otherwise.
  package static func movement(from: CountryCode, to: CountryCode) -> RegulatoryAct {
    if from == to { return .transferInCountry }
    return from == unitedStates ? .export : .reexport
  }

  package var regulatoryAct: RegulatoryAct {
    deliveryMode == .hosted ? .hostedAccess : Self.movement(from: from.country, to: to.country)
  }
}
