import Primitives

/// One kind of chip a request takes, with the most it pays for that kind.
package struct AcceptableChip: Sendable, Hashable {
  package enum Chip: Sendable, Hashable {
    case model(ChipModelID)
    /// Any model whose published figures reach these minimums.
    case capability(ChipCapability)
  }

  package let chip: Chip
  /// The most the startup pays for this kind, basis points a year, 0 to 10^6.
  package let maxRateBps: Int64

  package init(chip: Chip, maxRateBps: Int64) {
    self.chip = chip
    self.maxRateBps = maxRateBps
  }

  package static func model(_ model: ChipModelID, maxRateBps: Int64) -> AcceptableChip {
    AcceptableChip(chip: .model(model), maxRateBps: maxRateBps)
  }

  package static func capability(_ minimum: ChipCapability, maxRateBps: Int64) -> AcceptableChip {
    AcceptableChip(chip: .capability(minimum), maxRateBps: maxRateBps)
  }
}

/// One open loan request as the round sees it.
package struct RequestLine: Sendable, Hashable {
  package let id: LoanRequestID
  package let startup: OrganizationID
  /// The ultimate parent, where there is one.
  package let startupGroup: OrganizationID?
  package let jurisdiction: CountryCode
  package let creditGrade: String?
  /// Chips still wanted, 0 to 10^9.
  package let quantity: Int64
  /// The least total worth having from this round, at least 1; equal to `quantity` it means all or none.
  package let minQuantity: Int64
  /// Each piece is a multiple of this, at least 1.
  package let multipleOf: Int64
  /// All chips of one model.
  package let sameModel: Bool
  /// All chips at one site.
  package let sameSite: Bool
  /// The most lenders it deals with in this round; nil is any number.
  package let maxLenders: Int?
  /// What it takes, the most preferred first; 64 at most.
  package let acceptable: [AcceptableChip]
  package let regions: [String]
  package let termDays: Int64
  package let startOn: CalendarDate
  /// The latest start; nil means `startOn`.
  package let startByOn: CalendarDate?
  package let deliveryMode: String
  package let pattern: String
  /// Order of arrival among the requests.
  package let sequence: Int64
  /// The startup is verified and passed screening.
  package let verified: Bool
  /// The effect of the export verdict by verdict group, where it is not `clear`: see `ExportEffect`.
  package let heldVerdicts: [Int: String]
  /// By verdict group, where the verdict is clear only under a licence: the licence that its chips take of. Chips of one
  /// pair take of one licence, since a hand-over is cleared by one.
  package let licences: [Int: LicenceID]
  package let blockedLenders: Set<OrganizationID>
  /// Principal already outstanding from each lender to this startup, minor units, at least 0.
  package let exposureByLender: [OrganizationID: Int64]

  package init(
    id: LoanRequestID, startup: OrganizationID, startupGroup: OrganizationID? = nil, jurisdiction: CountryCode,
    creditGrade: String? = nil, quantity: Int64, minQuantity: Int64 = 1, multipleOf: Int64 = 1,
    sameModel: Bool = false, sameSite: Bool = false, maxLenders: Int? = nil, acceptable: [AcceptableChip],
    regions: [String], termDays: Int64, startOn: CalendarDate, startByOn: CalendarDate? = nil, deliveryMode: String,
    pattern: String, sequence: Int64, verified: Bool, heldVerdicts: [Int: String] = [:],
    licences: [Int: LicenceID] = [:], blockedLenders: Set<OrganizationID> = [],
    exposureByLender: [OrganizationID: Int64] = [:]
  ) {
    self.id = id
    self.startup = startup
    self.startupGroup = startupGroup
    self.jurisdiction = jurisdiction
    self.creditGrade = creditGrade
    self.quantity = quantity
    self.minQuantity = minQuantity
    self.multipleOf = multipleOf
    self.sameModel = sameModel
    self.sameSite = sameSite
    self.maxLenders = maxLenders
    self.acceptable = acceptable
    self.regions = regions
    self.termDays = termDays
    self.startOn = startOn
    self.startByOn = startByOn
    self.deliveryMode = deliveryMode
    self.pattern = pattern
    self.sequence = sequence
    self.verified = verified
    self.heldVerdicts = heldVerdicts
    self.licences = licences
    self.blockedLenders = blockedLenders
    self.exposureByLender = exposureByLender
  }

  /// The last day the chips may become available.
  package var latestStart: CalendarDate { startByOn ?? startOn }
}

/// The effects an export verdict can have on a pair; only `clear` lets it be matched.
package enum ExportEffect: String, Sendable, Hashable, CaseIterable {
  case clear
  case holdNotification = "hold_notification"
  case holdLicence = "hold_licence"
  case holdReview = "hold_review"
  case refuse
}

extension RequestLine {
  func write(to bytes: inout CanonicalBytes) {
    bytes.append(id.value)
    bytes.append(startup.value)
    bytes.append(optional: startupGroup) { $0.append($1.value) }
    bytes.append(jurisdiction.value)
    bytes.append(optional: creditGrade) { $0.append($1) }
    for number in [
      quantity, minQuantity, multipleOf, sameModel ? 1 : 0, sameSite ? 1 : 0, termDays, Int64(startOn.dayNumber),
      sequence, verified ? 1 : 0,
    ] {
      bytes.append(number)
    }
    bytes.append(optional: maxLenders) { $0.append(Int64($1)) }
    bytes.append(optional: startByOn) { $0.append(Int64($1.dayNumber)) }
    bytes.append(Int64(acceptable.count))
    for accepted in acceptable {
      switch accepted.chip {
      case .model(let model):
        bytes.append(0)
        bytes.append(model.value)
      case .capability(let minimum):
        bytes.append(1)
        minimum.write(to: &bytes)
      }
      bytes.append(accepted.maxRateBps)
    }
    bytes.append(texts: regions)
    bytes.append(deliveryMode)
    bytes.append(pattern)
    bytes.append(Int64(heldVerdicts.count))
    for (group, effect) in heldVerdicts.sorted(by: { $0.key < $1.key }) {
      bytes.append(Int64(group))
      bytes.append(effect)
    }
    bytes.append(Int64(licences.count))
    for (group, licence) in licences.sorted(by: { $0.key < $1.key }) {
      bytes.append(Int64(group))
      bytes.append(licence.value)
    }
    bytes.append(Int64(blockedLenders.count))
    for lender in blockedLenders.sorted() { bytes.append(lender.value) }
    bytes.append(Int64(exposureByLender.count))
    for (lender, exposure) in exposureByLender.sorted(by: { $0.key < $1.key }) {
      bytes.append(lender.value)
      bytes.append(exposure)
    }
  }
}
