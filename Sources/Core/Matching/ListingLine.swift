import Primitives

/// Published figures of a chip that a request may set minimums on, in thousandths of their unit so that 18.7 is exact.
/// As a fact of a chip nil means unknown (and meets no minimum); as a minimum nil means none is set.
package struct ChipCapability: Sendable, Hashable {
  /// Memory of one chip in thousandths of a gigabyte: 80 GB is 80,000.
  package let memoryGB: Int64?
  /// Dense bf16 throughput in thousandths of a TFLOPS: 312 TFLOPS is 312,000.
  package let bf16Dense: Int64?
  /// Chip-to-chip bandwidth in thousandths of a GB/s: 400 GB/s is 400,000.
  package let interconnect: Int64?

  package init(memoryGB: Int64? = nil, bf16Dense: Int64? = nil, interconnect: Int64? = nil) {
    self.memoryGB = memoryGB
    self.bf16Dense = bf16Dense
    self.interconnect = interconnect
  }

  /// Whether a chip with these facts reaches every minimum that is set.
  package func meets(_ minimum: ChipCapability) -> Bool {
    Self.reaches(memoryGB, minimum.memoryGB) && Self.reaches(bf16Dense, minimum.bf16Dense)
      && Self.reaches(interconnect, minimum.interconnect)
  }

  private static func reaches(_ fact: Int64?, _ minimum: Int64?) -> Bool {
    guard let minimum else { return true }
    guard let fact else { return false }
    return fact >= minimum
  }
}

/// One open listing as the round sees it. Operations maps a lender's listing to this; Matching knows no life cycle.
package struct ListingLine: Sendable, Hashable {
  package let id: ListingID
  package let lender: OrganizationID
  /// The ultimate parent, where there is one; orders of one group are never matched with each other.
  package let lenderGroup: OrganizationID?
  package let chipModel: ChipModelID
  /// What is known of the chip, for requests that ask by capability.
  package let capability: ChipCapability
  package let region: String
  package let country: CountryCode
  /// The place the chips stand at; equal keys are one site.
  package let site: String
  /// Chips not yet lent or reserved, 0 to 10^9.
  package let quantity: Int64
  /// The least piece lent to one request, at least 1.
  package let minQuantity: Int64
  /// Each piece is a multiple of this (boards), at least 1.
  package let multipleOf: Int64
  /// The least the lender takes, basis points a year on outstanding principal, 0 to 10^6.
  package let askRateBps: Int64
  package let minTermDays: Int64
  package let maxTermDays: Int64
  package let availableOn: CalendarDate
  package let legalForm: String
  package let deliveryModes: Set<String>
  /// Principal is this share of the chips' marked value, 0 to 10^5 basis points.
  package let advanceRateBps: Int64
  /// Patterns of repayment that the lender accepts.
  package let patterns: Set<String>
  /// Credit grades that may borrow; nil is any, including none assigned.
  package let creditGrades: Set<String>?
  /// Jurisdictions that may borrow; nil is any.
  package let jurisdictions: Set<CountryCode>?
  /// The most principal, in minor units, that the lender wants outstanding to one startup, everything it has with that
  /// lender counted; nil is no limit.
  package let maxExposure: Int64?
  /// Order of arrival among the listings.
  package let sequence: Int64
  /// Listings with one key have the same export verdict for any given request.
  package let verdictGroup: Int
  /// The lender is verified and passed screening.
  package let verified: Bool

  package init(
    id: ListingID, lender: OrganizationID, lenderGroup: OrganizationID? = nil, chipModel: ChipModelID,
    capability: ChipCapability = ChipCapability(), region: String, country: CountryCode, site: String, quantity: Int64,
    minQuantity: Int64 = 1, multipleOf: Int64 = 1, askRateBps: Int64, minTermDays: Int64, maxTermDays: Int64,
    availableOn: CalendarDate, legalForm: String, deliveryModes: Set<String>, advanceRateBps: Int64,
    patterns: Set<String>, creditGrades: Set<String>? = nil, jurisdictions: Set<CountryCode>? = nil,
    maxExposure: Int64? = nil, sequence: Int64, verdictGroup: Int, verified: Bool
  ) {
    self.id = id
    self.lender = lender
    self.lenderGroup = lenderGroup
    self.chipModel = chipModel
    self.capability = capability
    self.region = region
    self.country = country
    self.site = site
    self.quantity = quantity
    self.minQuantity = minQuantity
    self.multipleOf = multipleOf
    self.askRateBps = askRateBps
    self.minTermDays = minTermDays
    self.maxTermDays = maxTermDays
    self.availableOn = availableOn
    self.legalForm = legalForm
    self.deliveryModes = deliveryModes
    self.advanceRateBps = advanceRateBps
    self.patterns = patterns
    self.creditGrades = creditGrades
    self.jurisdictions = jurisdictions
    self.maxExposure = maxExposure
    self.sequence = sequence
    self.verdictGroup = verdictGroup
    self.verified = verified
  }
}

extension ListingLine {
  func write(to bytes: inout CanonicalBytes) {
    bytes.append(id.value)
    bytes.append(lender.value)
    bytes.append(optional: lenderGroup) { $0.append($1.value) }
    bytes.append(chipModel.value)
    capability.write(to: &bytes)
    for text in [region, country.value, site, legalForm] { bytes.append(text) }
    for number in [
      quantity, minQuantity, multipleOf, askRateBps, minTermDays, maxTermDays, Int64(availableOn.dayNumber),
      advanceRateBps, sequence, Int64(verdictGroup), verified ? 1 : 0,
    ] {
      bytes.append(number)
    }
    bytes.append(texts: deliveryModes.sorted())
    bytes.append(texts: patterns.sorted())
    bytes.append(optional: creditGrades) { $0.append(texts: $1.sorted()) }
    bytes.append(optional: jurisdictions) { $0.append(texts: $1.map(\.value).sorted()) }
    bytes.append(optional: maxExposure) { $0.append($1) }
  }
}

extension ChipCapability {
  func write(to bytes: inout CanonicalBytes) {
    for figure in [memoryGB, bf16Dense, interconnect] { bytes.append(optional: figure) { $0.append($1) } }
  }
}

extension CanonicalBytes {
  /// A list of texts in the given order, its length first.
  mutating func append(texts: [String]) {
    append(Int64(texts.count))
    for text in texts { append(text) }
  }
}
