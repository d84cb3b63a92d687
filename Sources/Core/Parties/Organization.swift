import Primitives
import Screening

/// What an organisation, or a key that acts for it, may do here.
package enum Role: String, Sendable, Hashable, CaseIterable {
  /// Records lots, lists them, delivers, receives payouts.
  case lender
  /// Requests chips, accepts offers, reports rounds, repays.
  case startup
  /// Platform staff.
  case admin
  /// Reads everything, changes nothing.
  case auditor
}

/// Whether an organisation has been verified. Unverified or suspended, it can draft, but nothing of it is matched.
package enum VerificationState: String, Sendable, Hashable, CaseIterable {
  /// -> verified
  case unverified
  /// -> suspended, verified (renewed)
  case verified
  /// -> verified
  case suspended
}

/// Verification with its evidence.
package struct Verification: Sendable, Hashable {
  package var state: VerificationState
  /// What the verifier saw, as a reference or a hash.
  package var evidence: String?
  package var verifiedOn: CalendarDate?
  /// First day on which it no longer holds.
  package var expiresOn: CalendarDate?
  /// The person of the platform who verified.
  package var verifiedBy: PersonID?
  /// Why it was suspended.
  package var reason: String?

  package init(
    state: VerificationState, evidence: String? = nil, verifiedOn: CalendarDate? = nil,
    expiresOn: CalendarDate? = nil, verifiedBy: PersonID? = nil, reason: String? = nil
  ) {
    self.state = state
    self.evidence = evidence
    self.verifiedOn = verifiedOn
    self.expiresOn = expiresOn
    self.verifiedBy = verifiedBy
    self.reason = reason
  }

  /// Verified, and not expired on that day.
  package func holds(on date: CalendarDate) -> Bool {
    guard state == .verified else { return false }
    if let expiresOn { return date < expiresOn }
    return true
  }
}

/// A beneficial owner. Shares of all owners never exceed the whole.
package struct BeneficialOwner: Sendable, Hashable {
  package var name: String
  package var share: BasisPoints
  package var jurisdiction: CountryCode
  /// Named on a screening list that the platform has loaded.
  package var listed: Bool

  package init(name: String, share: BasisPoints, jurisdiction: CountryCode, listed: Bool = false) {
    self.name = name
    self.share = share
    self.jurisdiction = jurisdiction
    self.listed = listed
  }
}

/// A place where chips stand.
package struct Site: Sendable, Hashable {
  package var country: CountryCode
  /// A market region, for example `CN-north`: 1 to 64 of `A-Z a-z 0-9 - _`.
  package var region: String

  package init(country: CountryCode, region: String) {
    self.country = country
    self.region = region
  }
}

/// A party: lender, startup, both, or the platform itself.
package struct Organization: Sendable, Hashable {
  package let id: OrganizationID
  package var legalName: String
  /// Where it is headquartered.
  package var jurisdiction: CountryCode
  package var ultimateParentJurisdiction: CountryCode?
  /// The group it belongs to, itself when it has no parent; affiliates never lend to each other.
  package var groupID: OrganizationID
  package var roles: Set<Role>
  package var owners: [BeneficialOwner]
  package var sites: [Site]
  package var verification: Verification
  /// The platform's grade of it as a debtor, for lenders that ask for one.
  package var creditGrade: String?
  /// On names of it that were found on a list, oldest first.
  package var screeningDecisions: [ScreeningDecision]
  package var version: Int64
  package var createdAt: Instant
  package var updatedAt: Instant

  package init(
    id: OrganizationID, legalName: String, jurisdiction: CountryCode, ultimateParentJurisdiction: CountryCode?,
    groupID: OrganizationID, roles: Set<Role>, owners: [BeneficialOwner], sites: [Site], verification: Verification,
    creditGrade: String?, screeningDecisions: [ScreeningDecision] = [], version: Int64 = 1, createdAt: Instant,
    updatedAt: Instant
  ) {
    self.id = id
    self.legalName = legalName
    self.jurisdiction = jurisdiction
    self.ultimateParentJurisdiction = ultimateParentJurisdiction
    self.groupID = groupID
    self.roles = roles
    self.owners = owners
    self.sites = sites
    self.verification = verification
    self.creditGrade = creditGrade
    self.screeningDecisions = screeningDecisions
    self.version = version
    self.createdAt = createdAt
    self.updatedAt = updatedAt
  }
}

extension Organization {
  /// Its own name and its owners', asked of lists on a day.
  package func screening(by lists: ScreeningLists, on date: CalendarDate) -> PartyScreening {
    let names =
      [PartyScreening.Name(legalName, jurisdiction, .party)]
      + owners.enumerated().map { number, owner in
        PartyScreening.Name(owner.name, owner.jurisdiction, .owner(owner.share), number: number)
      }
    return PartyScreening(names, decisions: screeningDecisions, lists: lists, on: date)
  }
}

extension Identifier where Noun == OrganizationNoun {
  /// The platform's own organisation: its books hold client money, suspense and fee income. A fixed id, so that every
  /// process and every migration names the same one.
  package static let platform = OrganizationID(UUIDValue(high: 0x0000_0000_0000_7000, low: 0x8000_0000_0000_0001))
}
