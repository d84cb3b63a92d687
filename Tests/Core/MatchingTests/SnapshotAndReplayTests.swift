import Matching
import Primitives
import Testing

/// A market that is none, and the code that says so.
struct RefusedCase: Sendable, CustomTestStringConvertible {
  let name: String
  let listings: [ListingLine]
  let requests: [RequestLine]
  let marks: [ChipModelID: Int64]
  let refusal: MatchRefusal

  init(
    _ name: String, _ listings: [ListingLine], _ requests: [RequestLine] = [], marks: [ChipModelID: Int64] = [:],
    is refusal: MatchRefusal
  ) {
    self.name = name
    self.listings = listings
    self.requests = requests
    self.marks = marks
    self.refusal = refusal
  }

  var testDescription: String { name }
}

@Suite("A snapshot is checked before anything is matched") struct SnapshotTests {
  @Test("and refused with the line and field at fault", arguments: refused)
  func refusal(_ row: RefusedCase) {
    #expect(throws: row.refusal) { try market(row.listings, row.requests, marks: row.marks) }
    #expect(row.refusal.kind == .invalid && row.refusal.code.hasPrefix("matching.") && !row.refusal.detail.isEmpty)
  }

  static let refused: [RefusedCase] = [
    RefusedCase(
      "a listing twice", [listing(1, 5, ask: 10), listing(1, 6, ask: 10)], is: .duplicateListing(listingID(1))),
    RefusedCase("a request twice", [], [request(1, 5), request(1, 5)], is: .duplicateRequest(requestID(1))),
    RefusedCase(
      "a negative quantity", [listing(1, -1, ask: 10)],
      is: .listingOutOfRange(listingID(1), field: "quantity", value: -1)),
    RefusedCase(
      "more than 10^9 chips", [], [request(1, 1_000_000_001)],
      is: .requestOutOfRange(requestID(1), field: "quantity", value: 1_000_000_001)),
    RefusedCase(
      "boards of none", [listing(1, 5, ask: 10, boards: 0)],
      is: .listingOutOfRange(listingID(1), field: "multiple_of", value: 0)),
    RefusedCase(
      "a least piece of none", [listing(1, 5, ask: 10, least: 0)],
      is: .listingOutOfRange(listingID(1), field: "min_quantity", value: 0)),
    RefusedCase(
      "an ask below nothing", [listing(1, 5, ask: -1)],
      is: .listingOutOfRange(listingID(1), field: "ask_rate_bps", value: -1)),
    RefusedCase(
      "an exposure limit below nothing", [listing(1, 5, ask: 10, exposure: -1)],
      is: .listingOutOfRange(listingID(1), field: "max_exposure", value: -1)),
    RefusedCase(
      "no lenders at all", [], [request(1, 5, lenders: 0)],
      is: .requestOutOfRange(requestID(1), field: "max_lenders", value: 0)),
    RefusedCase(
      "a limit past every rate", [], [request(1, 5, takes: [("alpha", 1_000_001)])],
      is: .requestOutOfRange(requestID(1), field: "max_rate_bps", value: 1_000_001)),
    RefusedCase(
      "more than 64 acceptable chips", [],
      [request(1, 5, takes: Array(repeating: ("alpha", 10), count: 65))],
      is: .requestOutOfRange(requestID(1), field: "acceptable", value: 65)),
    RefusedCase(
      "an exposure below nothing", [], [request(1, 5, exposures: [1: -5])],
      is: .requestOutOfRange(requestID(1), field: "exposure_by_lender", value: -5)),
    RefusedCase(
      "a mark of nothing", [], marks: [chip("alpha"): 0],
      is: .unitValueOutOfRange(chip("alpha"), value: 0)),
    RefusedCase(
      "a licence that nobody knows", [], [request(1, 5, licences: [1: 7])],
      is: .unknownLicence(requestID(1), licenceID(7))),
    RefusedCase(
      "an effect no verdict has", [], [request(1, 5, held: [1: "maybe"])],
      is: .unknownExportEffect(requestID(1), "maybe")),
  ]

  @Test("the largest numbers it takes clear without overflow")
  func largestNumbers() throws {
    let chips: Int64 = 1_000_000_000
    let listings = (1...3).map {
      listing($0, chips, ask: 0, boards: 999_999_937, advanceRateBps: 100_000, exposure: Int64.max)
    }
    let requests = [
      request(1, chips, takes: [("alpha", 1_000_000)], boards: 999_999_929),
      request(2, chips, takes: [("alpha", 1_000_000)], exposures: [1: Int64.max]),
    ]
    let result = clear(try market(listings, requests, marks: [chip("alpha"): 1_000_000_000_000_000]))
    // No multiple of both primes fits; and 999,999,937 chips at ten times 10^15 are above any limit there is.
    #expect(result.allocations == [])
    let free = listings.map { listing(Int($0.id.value.low), chips, ask: 0) }
    let whole = clear(try market(free, [requests[1]], marks: [chip("alpha"): 1_000_000_000_000_000]))
    #expect(whole.objective == Int128(chips) * 1_000_000_000_000_000 * 1_000_000)
  }

  @Test("its digest depends on every member")
  func digestDepends() throws {
    let plain = try market([listing(1, 5, ask: 10)], [request(1, 5)])
    let others = [
      try market([listing(1, 5, ask: 11)], [request(1, 5)]),
      try market([listing(1, 5, ask: 10, region: "south")], [request(1, 5)]),
      try market([listing(1, 5, ask: 10, modes: ["hosted"])], [request(1, 5)]),
      try market([listing(1, 5, ask: 10, grades: [])], [request(1, 5)]),
      try market([listing(1, 5, ask: 10)], [request(1, 5, startByOn: 10)]),
      try market([listing(1, 5, ask: 10)], [request(1, 5, held: [1: "clear"])]),
      try market([listing(1, 5, ask: 10)], [request(1, 5, blocked: [1])]),
      try market([listing(1, 5, ask: 10)], [request(1, 5, exposures: [1: 0])]),
      try market([listing(1, 5, ask: 10)], [request(1, 5)], marks: [:]),
      try market([listing(1, 5, ask: 10)], [request(1, 5)], licences: [1: 4]),
      try market([listing(1, 5, ask: 10)], [request(1, 5)], licences: [1: 5]),
      try market([listing(1, 5, ask: 10)], [request(1, 5, licences: [1: 1])], licences: [1: 5]),
      try market([listing(1, 5, ask: 10)], [request(1, 5, licences: [2: 1])], licences: [1: 5]),
    ]
    #expect(Set((others + [plain]).map { $0.digest() }).count == others.count + 1)
  }

  @Test(
    "terms fall into the bucket whose end they reach",
    arguments: [
      (1, "up_to_30_days"), (30, "up_to_30_days"), (31, "up_to_90_days"), (180, "up_to_180_days"),
      (181, "up_to_365_days"), (365, "up_to_365_days"), (730, "up_to_730_days"), (731, "over_730_days"),
    ])
  func termBuckets(_ days: Int64, _ name: String) {
    #expect(TermBucket(termDays: days).rawValue == name)
  }
}

@Suite("A recorded round replays") struct ReplayTests {
  private let snapshot: MatchSnapshot
  private let record: MatchRoundResult

  init() throws {
    snapshot = try market(
      [listing(1, 4, ask: 1_000), listing(2, 10, ask: 1_200)], [request(1, 10), request(2, 9, held: [1: "refuse"])])
    record = clear(snapshot)
  }

  @Test("to the bit")
  func same() {
    #expect(record.matchedPairs == 2)
    #expect(replay(snapshot, expecting: record) == [])
  }

  @Test("and names an allocation that was changed")
  func changedAllocation() {
    let first = record.allocations[0]
    let forged = Allocation(
      listing: first.listing, request: first.request, lender: first.lender, startup: first.startup,
      chipModel: first.chipModel, quantity: first.quantity, rateBps: first.rateBps + 1, ask: first.ask,
      limit: first.limit)
    let differences = replay(snapshot, expecting: altered(allocations: [forged, record.allocations[1]]))
    #expect(differences.count == 2)
    #expect(
      differences.first
        == "allocation \(listingID(1)) to \(requestID(1)): recorded 4 of alpha at 1201 bps, ask 1000, limit 2000, "
        + "replayed 4 of alpha at 1200 bps, ask 1000, limit 2000")
  }

  @Test("and names what is missing, what is new, and parts in another order")
  func missing() {
    let missing = replay(snapshot, expecting: altered(allocations: [record.allocations[1]]))
    #expect(missing.first?.hasPrefix("allocation \(listingID(1)) to \(requestID(1)): not recorded") == true)
    let swapped = replay(snapshot, expecting: altered(allocations: record.allocations.reversed()))
    #expect(swapped.count == 1 && swapped[0].hasPrefix("digest: recorded"))
    let silent = replay(snapshot, expecting: altered(leftovers: []))
    #expect(silent.count { $0.hasPrefix("leftover") } == record.leftovers.count)
  }

  @Test("and names a bound or a certificate that was changed")
  func forgedProof() {
    let differences = replay(
      snapshot, expecting: altered(bound: record.bound + 1, certificate: record.certificate == .valid ? .gap : .valid))
    #expect(differences.map { $0.prefix { $0 != ":" } } == ["bound", "certificate", "digest"])
  }

  @Test("and says when the record's own digest does not fit")
  func digest() {
    let forged = altered(digest: SHA256Digest.zero)
    #expect(!forged.isWhole)
    #expect(replay(snapshot, expecting: forged).first == "digest: the record's digest is not that of its own parts")
  }

  @Test("and tells another engine or another market")
  func otherMarket() throws {
    let engine = replay(snapshot, expecting: altered(engineVersion: "price-time-0"))
    #expect(engine.first == "engine version: recorded price-time-0, replayed optimum-2")
    let market = try market([listing(1, 4, ask: 1_000)], [request(1, 10)])
    #expect(replay(market, expecting: record).first?.hasPrefix("snapshot digest") == true)
  }

  private func altered(
    engineVersion: String? = nil, allocations: [Allocation]? = nil, leftovers: [Leftover]? = nil,
    bound: Int128? = nil, certificate: RoundCertificate? = nil, digest: SHA256Digest? = nil
  ) -> MatchRoundResult {
    MatchRoundResult(
      engineVersion: engineVersion ?? record.engineVersion, snapshotDigest: record.snapshotDigest,
      allocations: allocations ?? record.allocations, classes: record.classes,
      leftovers: leftovers ?? record.leftovers, objective: record.objective,
      matchedQuantity: record.matchedQuantity, matchedPairs: record.matchedPairs, bound: bound ?? record.bound,
      method: record.method, certificate: certificate ?? record.certificate, fairnessBps: record.fairnessBps,
      digest: digest)
  }
}
