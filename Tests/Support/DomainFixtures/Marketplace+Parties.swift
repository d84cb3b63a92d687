import Catalogue
import Interest
import Lending
import Operations
import Parties
import Persistence
import Primitives
import Synchronization
import Valuation

/// An organisation and somebody who acts for it.
package struct Party: Sendable {
  package let organization: Organization
  package let principal: Principal

  package var id: OrganizationID { organization.id }
}

/// A value of the fixtures that does not parse: a defect of the test.
package struct FixtureError: Error, CustomStringConvertible {
  package let description: String

  package init(_ description: String) { self.description = description }
}

extension Marketplace {
  /// A named person of the platform; different numbers are different persons.
  package static func staff(_ number: UInt64 = 1, duties: Set<Duty> = Set(Duty.allCases)) -> Principal {
    Principal(
      organizationID: .platform, roles: [.admin], personID: PersonID(UUIDValue(high: 9, low: number)),
      keyID: APIKeyID(UUIDValue(high: 10, low: number)), duties: duties)
  }

  /// A model that no rule controls, lent within one country.
  package static func plainChip() throws -> ChipModelID {
    guard let chip = ChipModelID("nvidia-a100-sxm4-80") else { throw FixtureError("chip model") }
    return chip
  }

  package static func country(_ code: String = "US") throws -> CountryCode {
    guard let country = CountryCode(code) else { throw FixtureError("country \(code)") }
    return country
  }

  /// Where every lot of the fixtures stands and every startup takes delivery.
  package static func site() throws -> Site { Site(country: try country(), region: "US-west") }

  /// A verified organisation, made by the platform's staff.
  ///
  /// - Parameters:
  ///   - sites: where it takes delivery; the site of every lot when nil.
  ///   - jurisdiction: where it is seated, its parent's being the fixtures' own; that too when nil.
  package func party(
    _ name: String, _ roles: Set<Role>, sites: [Site]? = nil, jurisdiction: CountryCode? = nil
  ) async throws -> Party {
    let country = try Self.country()
    let created = try await run(
      CreateOrganization(
        legalName: name, jurisdiction: jurisdiction ?? country, ultimateParentJurisdiction: country, groupID: nil,
        roles: roles,
        owners: [BeneficialOwner(name: "Founder", share: .whole, jurisdiction: country)],
        sites: sites ?? [Self.site()]),
      by: Self.staff())
    let verified = try await run(
      DecideVerification(
        organizationID: created.id, act: .verify(evidence: "register", expiresOn: nil, creditGrade: "A"),
        ifVersion: created.version),
      by: Self.staff())
    return Party(
      organization: verified,
      principal: Principal(
        organizationID: created.id, roles: roles, personID: PersonID(UUIDValue(high: 11, low: created.id.value.low)),
        keyID: APIKeyID(UUIDValue(high: 12, low: created.id.value.low))))
  }

  package func lender(_ name: String = "Lender") async throws -> Party { try await party(name, [.lender]) }
  package func startup(_ name: String = "Startup") async throws -> Party { try await party(name, [.startup]) }

  /// The command that records a lot on hand.
  package func lotCommand(
    of lender: Party, quantity: Int64 = 64, multipleOf: Int64 = 8, serials: [String] = []
  ) throws -> CreateLot {
    CreateLot(
      chipModelID: try Self.plainChip(), quantity: quantity, site: try Self.site(), availableOn: clock.now().date,
      multipleOf: multipleOf, serials: serials, unitCost: Money(1_200_000, .usd), lenderID: lender.id)
  }

  package func lot(of lender: Party, quantity: Int64 = 64, multipleOf: Int64 = 8) async throws -> Lot {
    try await run(lotCommand(of: lender, quantity: quantity, multipleOf: multipleOf), by: lender.principal)
  }

  /// The command that lists part of a lot.
  package func listingCommand(
    of lot: Lot, quantity: Int64, recallNoticeDays: Int64? = nil,
    returnCredit: ReturnCreditRule = .proRataOutstanding, penalty: PenaltyTerms = .none,
    businessDay: BusinessDayConvention = .unadjusted
  ) -> CreateListing {
    CreateListing(
      terms: CreateListing.Terms(
        lotID: lot.id, quantity: quantity, askRate: BasisPoints(900), minTermDays: 30, maxTermDays: 720,
        minQuantity: nil, legalForm: .leasePurchaseOption, deliveryModes: [.physical], advanceRate: BasisPoints(9_000),
        repaymentPatterns: [.roundSweep], recallNoticeDays: recallNoticeDays,
        eligibility: Listing.Eligibility(), validUntil: nil, returnCredit: returnCredit, penalty: penalty,
        businessDay: businessDay),
      lenderID: lot.lenderID)
  }

  package func listing(of lot: Lot, by lender: Party, quantity: Int64) async throws -> Listing {
    try await run(listingCommand(of: lot, quantity: quantity), by: lender.principal)
  }

  /// What one chip is worth, in minor units of USD.
  @discardableResult
  package func mark(_ amount: Int64 = 1_000_000) async throws -> ValuationMark {
    try await mark(
      RecordValuation(
        subject: .chipModel(Self.plainChip()), method: .marketQuote, amount: Money(amount, .usd), basis: .perChip,
        effectiveOn: clock.now().date, source: "quote \(Self.quotes.add(1, ordering: .relaxed).newValue)",
        supersedes: nil))
  }

  /// Tells quotes apart: of one source and day there is one.
  private static let quotes = Atomic<Int>(0)

  /// Has one person of the staff state a mark, and another approve it.
  package func mark(_ command: RecordValuation) async throws -> ValuationMark {
    let proposal = try await run(command, by: Self.staff())
    let checker = Self.staff(2)
    let approved = try await run(
      DecideValuation(id: proposal.id, decision: .approve, person: checker.personID, ifVersion: nil), by: checker)
    guard let decidedAt = approved.decidedAt else { throw FixtureError("the mark was not decided") }
    return approved.mark(approvedBy: checker.personID, at: decidedAt)
  }

  /// The command that records what a startup needs.
  package func requestCommand(quantity: Int64 = 16, endUse: String = "language model training") throws
    -> CreateLoanRequest
  {
    CreateLoanRequest(
      terms: CreateLoanRequest.Terms(
        workload: .training, endUse: endUse, quantity: quantity, minQuantity: nil, multipleOf: 8, sameModel: true,
        sameSite: false, maxLenders: nil,
        acceptable: [AcceptableChip(choice: .model(try Self.plainChip()), maxRate: BasisPoints(1_500))],
        regions: ["US-west"], termDays: 180, startOn: clock.now().date, startByOn: nil, deliveryMode: .physical,
        repayment: RepaymentTerms(
          pattern: .roundSweep, leastAmount: nil, leastPostMoney: nil, sweep: BasisPoints(2_500)),
        autoAccept: false, validUntil: nil))
  }

  package func request(of startup: Party, quantity: Int64 = 16) async throws -> LoanRequest {
    try await run(requestCommand(quantity: quantity), by: startup.principal)
  }

  /// The command by which a match round makes an offer.
  package func offerCommand(_ request: LoanRequestID, _ listing: ListingID, quantity: Int64) -> MakeOffer {
    MakeOffer(
      roundID: MatchRoundID(UUIDValue(high: 13, low: 1)), requestID: request, listingID: listing, quantity: quantity,
      rate: BasisPoints(1_000))
  }

  package func offer(_ request: LoanRequest, _ listing: Listing, quantity: Int64) async throws -> Offer {
    try await run(offerCommand(request.id, listing.id, quantity: quantity), by: .automation)
  }
}
