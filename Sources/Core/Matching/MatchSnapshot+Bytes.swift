import Primitives

extension MatchSnapshot {
  private static let version = "match-snapshot-2"

  /// The one spelling of this snapshot, as hashed and as stored.
  package var canonicalBytes: [UInt8] {
    var bytes = CanonicalBytes()
    bytes.append(Self.version)
    bytes.append(Int64(businessDate.dayNumber))
    bytes.append(Int64(unitValues.count))
    for (model, value) in unitValues.sorted(by: { $0.key < $1.key }) {
      bytes.append(model.value)
      bytes.append(value)
    }
    bytes.append(Int64(listings.count))
    for listing in listings { listing.write(to: &bytes) }
    bytes.append(Int64(requests.count))
    for request in requests { request.write(to: &bytes) }
    bytes.append(Int64(licenceRoom.count))
    for (licence, room) in licenceRoom.sorted(by: { $0.key < $1.key }) {
      bytes.append(licence.value)
      bytes.append(room)
    }
    bytes.append(isScreenedWhole ? 1 : 0)
    return bytes.bytes
  }

  /// The snapshot that has these bytes.
  /// - Throws: `CanonicalBytesError` for bytes that no snapshot has, `MatchRefusal` for lines that are no market.
  package init(canonicalBytes: [UInt8]) throws {
    var reader = CanonicalReader(canonicalBytes)
    try reader.expect(version: Self.version)
    let businessDate = try reader.date()
    var unitValues: [ChipModelID: Int64] = [:]
    for _ in 0..<(try reader.count(ofAtLeast: 16)) {
      let model = try reader.chipModel()
      unitValues[model] = try reader.int64()
    }
    let listings = try reader.list(ofAtLeast: ListingLine.leastBytes) { reader throws(CanonicalBytesError) in
      try ListingLine(from: &reader)
    }
    let requests = try reader.list(ofAtLeast: RequestLine.leastBytes) { reader throws(CanonicalBytesError) in
      try RequestLine(from: &reader)
    }
    var licenceRoom: [LicenceID: Int64] = [:]
    for _ in 0..<(try reader.count(ofAtLeast: 24)) {
      let licence: LicenceID = try reader.id()
      licenceRoom[licence] = try reader.int64()
    }
    let isScreenedWhole = try reader.bool()
    try reader.finish()
    try self.init(
      businessDate: businessDate, unitValues: unitValues, listings: listings, requests: requests,
      licenceRoom: licenceRoom, isScreenedWhole: isScreenedWhole)
    // Members of sets in another order, keys twice, lines out of order: all that is left is caught by writing it again.
    guard self.canonicalBytes == canonicalBytes else { throw CanonicalBytesError.notCanonical }
  }
}

extension CanonicalReader {
  /// - Throws: `wrongVersion` unless this very text comes next.
  mutating func expect(version: String) throws(CanonicalBytesError) {
    let found: String
    do { found = try text() } catch { throw .wrongVersion(found: "", expected: version) }
    guard found == version else { throw .wrongVersion(found: found, expected: version) }
  }

  mutating func chipModel() throws(CanonicalBytesError) -> ChipModelID {
    try parsed("chip model") { ChipModelID($0) }
  }

  mutating func country() throws(CanonicalBytesError) -> CountryCode { try parsed("country") { CountryCode($0) } }

  mutating func capability() throws(CanonicalBytesError) -> ChipCapability {
    ChipCapability(
      memoryGB: try optionalNumber(), bf16Dense: try optionalNumber(), interconnect: try optionalNumber())
  }

  mutating func optionalNumber() throws(CanonicalBytesError) -> Int64? {
    try optional { reader throws(CanonicalBytesError) in try reader.int64() }
  }

  mutating func optionalID<Noun>() throws(CanonicalBytesError) -> Identifier<Noun>? {
    try optional { reader throws(CanonicalBytesError) in try reader.id() }
  }

  mutating func number() throws(CanonicalBytesError) -> Int {
    guard let number = Int(exactly: try int64()) else { throw invalid("number") }
    return number
  }
}

extension ListingLine {
  /// Fewer than any listing takes; bounds what a wrong count may reserve.
  static let leastBytes = 64

  init(from reader: inout CanonicalReader) throws(CanonicalBytesError) {
    let id: ListingID = try reader.id()
    let lender: OrganizationID = try reader.id()
    let lenderGroup: OrganizationID? = try reader.optionalID()
    let chipModel = try reader.chipModel()
    let capability = try reader.capability()
    let region = try reader.text()
    let country = try reader.country()
    let site = try reader.text()
    let legalForm = try reader.text()
    let quantity = try reader.int64()
    let minQuantity = try reader.int64()
    let multipleOf = try reader.int64()
    let askRateBps = try reader.int64()
    let minTermDays = try reader.int64()
    let maxTermDays = try reader.int64()
    let availableOn = try reader.date()
    let advanceRateBps = try reader.int64()
    let sequence = try reader.int64()
    let verdictGroup = try reader.number()
    let verified = try reader.bool()
    let deliveryModes = try reader.texts()
    let patterns = try reader.texts()
    let creditGrades = try reader.optional { reader throws(CanonicalBytesError) in try reader.texts() }
    let jurisdictions = try reader.optional { reader throws(CanonicalBytesError) in
      try reader.list(ofAtLeast: 8) { reader throws(CanonicalBytesError) in try reader.country() }
    }
    self.init(
      id: id, lender: lender, lenderGroup: lenderGroup, chipModel: chipModel, capability: capability, region: region,
      country: country, site: site, quantity: quantity, minQuantity: minQuantity, multipleOf: multipleOf,
      askRateBps: askRateBps, minTermDays: minTermDays, maxTermDays: maxTermDays, availableOn: availableOn,
      legalForm: legalForm, deliveryModes: Set(deliveryModes), advanceRateBps: advanceRateBps, patterns: Set(patterns),
      creditGrades: creditGrades.map { Set($0) }, jurisdictions: jurisdictions.map { Set($0) },
      maxExposure: try reader.optionalNumber(), sequence: sequence, verdictGroup: verdictGroup, verified: verified)
  }
}

extension AcceptableChip {
  init(from reader: inout CanonicalReader) throws(CanonicalBytesError) {
    let chip: Chip
    switch try reader.int64() {
    case 0: chip = .model(try reader.chipModel())
    case 1: chip = .capability(try reader.capability())
    default: throw reader.invalid("kind of acceptable chip")
    }
    self.init(chip: chip, maxRateBps: try reader.int64())
  }
}

extension RequestLine {
  /// Fewer than any request takes.
  static let leastBytes = 64

  init(from reader: inout CanonicalReader) throws(CanonicalBytesError) {
    let id: LoanRequestID = try reader.id()
    let startup: OrganizationID = try reader.id()
    let startupGroup: OrganizationID? = try reader.optionalID()
    let jurisdiction = try reader.country()
    let creditGrade = try reader.optional { reader throws(CanonicalBytesError) in try reader.text() }
    let quantity = try reader.int64()
    let minQuantity = try reader.int64()
    let multipleOf = try reader.int64()
    let sameModel = try reader.bool()
    let sameSite = try reader.bool()
    let termDays = try reader.int64()
    let startOn = try reader.date()
    let sequence = try reader.int64()
    let verified = try reader.bool()
    let maxLenders = try reader.optional { reader throws(CanonicalBytesError) in try reader.number() }
    let startByOn = try reader.optional { reader throws(CanonicalBytesError) in try reader.date() }
    let acceptable = try reader.list(ofAtLeast: 16) { reader throws(CanonicalBytesError) in
      try AcceptableChip(from: &reader)
    }
    let regions = try reader.texts()
    let deliveryMode = try reader.text()
    let pattern = try reader.text()
    var heldVerdicts: [Int: String] = [:]
    for _ in 0..<(try reader.count(ofAtLeast: 16)) {
      let group = try reader.number()
      heldVerdicts[group] = try reader.text()
    }
    var licences: [Int: LicenceID] = [:]
    for _ in 0..<(try reader.count(ofAtLeast: 24)) {
      let group = try reader.number()
      licences[group] = try reader.id()
    }
    let blocked: [OrganizationID] = try reader.list(ofAtLeast: 16) { reader throws(CanonicalBytesError) in
      try reader.id()
    }
    var exposures: [OrganizationID: Int64] = [:]
    for _ in 0..<(try reader.count(ofAtLeast: 24)) {
      let lender: OrganizationID = try reader.id()
      exposures[lender] = try reader.int64()
    }
    self.init(
      id: id, startup: startup, startupGroup: startupGroup, jurisdiction: jurisdiction, creditGrade: creditGrade,
      quantity: quantity, minQuantity: minQuantity, multipleOf: multipleOf, sameModel: sameModel, sameSite: sameSite,
      maxLenders: maxLenders, acceptable: acceptable, regions: regions, termDays: termDays, startOn: startOn,
      startByOn: startByOn, deliveryMode: deliveryMode, pattern: pattern, sequence: sequence, verified: verified,
      heldVerdicts: heldVerdicts, licences: licences, blockedLenders: Set(blocked), exposureByLender: exposures)
  }
}
