import Primitives

@testable import Matching

/// Small numbers to ids: 7 is the listing `...0007`.
func listingID(_ number: Int) -> ListingID { ListingID(UUIDValue(high: 0, low: UInt64(number))) }
func requestID(_ number: Int) -> LoanRequestID { LoanRequestID(UUIDValue(high: 0, low: UInt64(number))) }
func licenceID(_ number: Int) -> LicenceID { LicenceID(UUIDValue(high: 2, low: UInt64(number))) }

/// Chips left of licences, by number.
func room(_ licences: [Int: Int64]) -> [LicenceID: Int64] {
  Dictionary(uniqueKeysWithValues: licences.map { (licenceID($0), $1) })
}

/// Lenders are 1...999, startups 1,001 and up, parents 5,001 and up, by custom of these tests.
func organization(_ number: Int) -> OrganizationID { OrganizationID(UUIDValue(high: 1, low: UInt64(number))) }

func chip(_ name: String) -> ChipModelID {
  guard let model = ChipModelID(name) else { preconditionFailure("not a chip model: \(name)") }
  return model
}

func country(_ code: String) -> CountryCode {
  guard let country = CountryCode(code) else { preconditionFailure("not a country: \(code)") }
  return country
}

/// The day that the tests' rounds run, and days after it.
func day(_ offset: Int64) -> CalendarDate {
  guard let date = CalendarDate(dayNumber: 20_500 + offset) else { preconditionFailure("no such day: \(offset)") }
  return date
}

/// A listing with nothing unusual about it; a row of a table names only what matters to it.
func listing(
  _ number: Int, _ quantity: Int64, ask: Int64, lender: Int? = nil, group: Int? = nil, model: String = "alpha",
  capability: ChipCapability? = nil, region: String = "north", site: String = "site-1", least: Int64 = 1,
  boards: Int64 = 1, terms: ClosedRange<Int64> = 1...1_000, availableOn: Int64 = 0,
  legalForm: String = "secured_sale", modes: Set<String> = ["physical", "hosted"], advanceRateBps: Int64 = 10_000,
  patterns: Set<String> = ["bullet"], grades: Set<String>? = nil, jurisdictions: Set<String>? = nil,
  exposure: Int64? = nil, sequence: Int64? = nil, verdictGroup: Int = 1, verified: Bool = true
) -> ListingLine {
  ListingLine(
    id: listingID(number), lender: organization(lender ?? number), lenderGroup: group.map { organization($0) },
    chipModel: chip(model), capability: capability ?? figures[model] ?? ChipCapability(), region: region,
    country: country("SG"), site: site, quantity: quantity, minQuantity: least, multipleOf: boards, askRateBps: ask,
    minTermDays: terms.lowerBound, maxTermDays: terms.upperBound, availableOn: day(availableOn),
    legalForm: legalForm, deliveryModes: modes, advanceRateBps: advanceRateBps, patterns: patterns,
    creditGrades: grades, jurisdictions: jurisdictions.map { Set($0.map { country($0) }) }, maxExposure: exposure,
    sequence: sequence ?? Int64(number), verdictGroup: verdictGroup, verified: verified)
}

/// A request with nothing unusual about it. `takes` lists models with their limits, the preferred first.
func request(
  _ number: Int, _ quantity: Int64, takes: [(String, Int64)] = [("alpha", 2_000)], acceptable: [AcceptableChip]? = nil,
  startup: Int? = nil, group: Int? = nil, jurisdiction: String = "SG", grade: String? = nil, least: Int64 = 1,
  boards: Int64 = 1, sameModel: Bool = false, sameSite: Bool = false, lenders: Int? = nil,
  regions: [String] = ["north"], term: Int64 = 200, startOn: Int64 = 10, startByOn: Int64? = nil,
  mode: String = "physical", pattern: String = "bullet", sequence: Int64? = nil, verified: Bool = true,
  held: [Int: String] = [:], licences: [Int: Int] = [:], blocked: [Int] = [], exposures: [Int: Int64] = [:]
) -> RequestLine {
  RequestLine(
    id: requestID(number), startup: organization(startup ?? 1_000 + number),
    startupGroup: group.map { organization($0) }, jurisdiction: country(jurisdiction), creditGrade: grade,
    quantity: quantity, minQuantity: least, multipleOf: boards, sameModel: sameModel, sameSite: sameSite,
    maxLenders: lenders, acceptable: acceptable ?? takes.map { .model(chip($0), maxRateBps: $1) }, regions: regions,
    termDays: term, startOn: day(startOn), startByOn: startByOn.map { day($0) }, deliveryMode: mode,
    pattern: pattern, sequence: sequence ?? Int64(number), verified: verified, heldVerdicts: held,
    licences: licences.mapValues { licenceID($0) }, blockedLenders: Set(blocked.map { organization($0) }),
    exposureByLender: Dictionary(uniqueKeysWithValues: exposures.map { (organization($0), $1) }))
}

/// Invented models: alpha is the strong one, beta weaker, gamma has no published figures.
let figures: [String: ChipCapability] = [
  "alpha": ChipCapability(memoryGB: 80_000, bf16Dense: 312_000, interconnect: 600_000),
  "beta": ChipCapability(memoryGB: 48_000, bf16Dense: 181_500, interconnect: 64_000),
]

/// Marks of the invented models, minor units.
let marks: [ChipModelID: Int64] = [chip("alpha"): 1_000, chip("beta"): 400, chip("gamma"): 150]

func market(
  _ listings: [ListingLine], _ requests: [RequestLine], marks: [ChipModelID: Int64] = marks,
  licences: [Int: Int64] = [:]
) throws -> MatchSnapshot {
  try MatchSnapshot(
    businessDate: day(0), unitValues: marks, listings: listings, requests: requests,
    licenceRoom: room(licences))
}

/// Allocations as people write them: `r1 takes 8 of l2 at 1450`.
func text(_ result: MatchRoundResult) -> [String] {
  result.allocations.map {
    "r\($0.request.value.low) takes \($0.quantity) of l\($0.listing.value.low) at \($0.rateBps)"
  }
}

/// Reasons of one order as people write them: `rate 2, export_verdict hold_licence 1`; nil when it is not left over.
func reasons(_ order: Leftover.Order, _ result: MatchRoundResult) -> String? {
  result.leftovers.first { $0.order == order }?.reasons
    .map { "\($0.constraint.rawValue)\($0.effect.map { " \($0.rawValue)" } ?? "") \($0.count)" }
    .joined(separator: ", ")
}

/// SplitMix64 (Steele, Lea, Flood 2014): small, seeded, the same everywhere.
struct SplitMix64 {
  private var state: UInt64

  init(seed: UInt64) { state = seed }

  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var mixed = state
    mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
    mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
    return mixed ^ (mixed >> 31)
  }

  /// Uniform enough for tests: the bias of the remainder is below 2^-50 for these ranges.
  mutating func int(_ range: ClosedRange<Int64>) -> Int64 {
    range.lowerBound + Int64(next() % UInt64(range.upperBound - range.lowerBound + 1))
  }

  /// True once in `times`.
  mutating func once(in times: UInt64) -> Bool { next() % times == 0 }

  mutating func pick<Value>(_ values: [Value]) -> Value { values[Int(next() % UInt64(values.count))] }

  mutating func shuffled<Value>(_ values: [Value]) -> [Value] {
    var shuffled = values
    for position in shuffled.indices.dropFirst().reversed() {
      shuffled.swapAt(position, Int(next() % UInt64(position + 1)))
    }
    return shuffled
  }
}

/// The market cleared by price, then time, and by nothing else.
func clearByPriceAndTime(_ snapshot: MatchSnapshot) -> MatchRoundResult {
  let book = MatchBook(snapshot)
  return MatchRoundResult(book, Settlement(Clearing(book).settle(), bound: 0))
}

/// The market cleared as a round clears it, with less search: what keeps the laws must not depend on how far it goes.
func clearHastily(_ snapshot: MatchSnapshot) -> MatchRoundResult {
  let book = MatchBook(snapshot, fittingLimit: 0)
  return MatchRoundResult(book, Optimum(book, searchLimit: 30_000).settle())
}
