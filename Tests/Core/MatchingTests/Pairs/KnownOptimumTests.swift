import Foundation
import Matching
import Testing

/// Markets of a separate generator, with optima of a separate solver: see `Tests/Fixtures/pair-matching/README.md`.
@Suite("Known optima of pair markets")
struct KnownOptimumTests {
  private static let folder = URL(filePath: #filePath).deletingLastPathComponent()
    .appending(path: "../../../Fixtures/pair-matching")

  private struct Expected: Decodable {
    let file: String
    let listings: Int
    let requests: Int
    let pairs: Int
    let optimum: Int64
  }

  @Test("every fixture clears at its optimum, with proof")
  func optima() throws {
    let data = try Data(contentsOf: Self.folder.appending(path: "expected.json"))
    let expected = try JSONDecoder().decode([Expected].self, from: data)
    try #require(expected.count >= 12)
    for row in expected {
      let market = try MarketFile(Self.folder.appending(path: row.file)).market()
      #expect(market.listingQuantity.count == row.listings && market.requests.count == row.requests, "\(row.file)")
      #expect(market.pairs.count == row.pairs, "\(row.file)")
      let clearing = clear(pairs: market, workLimit: 20_000_000)
      #expect(breach(of: market, by: clearing.quantities) == nil, "\(row.file)")
      #expect(clearing.objective == Int128(row.optimum), "\(row.file)")
      #expect(clearing.isOptimal, "\(row.file): bound \(clearing.bound)")
      let early = clear(pairs: market, workLimit: 100_000)
      #expect(breach(of: market, by: early.quantities) == nil, "\(row.file)")
      #expect(early.bound >= Int128(row.optimum) && early.objective <= Int128(row.optimum), "\(row.file)")
    }
  }
}

/// One object a line: chips, listings, requests.
private struct MarketFile {
  private struct Line: Decodable {
    struct Acceptable: Decodable {
      let chipModel: String
      let maxRateBps: Int64
    }

    let type: String
    let chipModel: String?
    let unitValue: Int64?
    let lender: String?
    let startup: String?
    let region: String?
    let site: String?
    let quantity: Int64?
    let askRateBps: Int64?
    let minTermDays: Int64?
    let maxTermDays: Int64?
    let minQuantity: Int64?
    let multipleOf: Int64?
    let maxExposure: Int64?
    let acceptable: [Acceptable]?
    let regions: [String]?
    let termDays: Int64?
    let maxLenders: Int32?
    let sameModel: Bool?
    let sameSite: Bool?
  }

  private let lines: [Line]

  init(_ file: URL) throws {
    let decoder = JSONDecoder()
    decoder.keyDecodingStrategy = .convertFromSnakeCase
    lines = try String(contentsOf: file, encoding: .utf8).split(separator: "\n").map {
      try decoder.decode(Line.self, from: Data($0.utf8))
    }
  }

  func market() throws -> PairMarket {
    var marks: [String: Int64] = [:]
    for line in lines where line.type == "chip" { marks[try #require(line.chipModel)] = line.unitValue }
    let listings = lines.filter { $0.type == "listing" }
    let requests = lines.filter { $0.type == "request" }
    var numbers: [String: Int32] = [:]
    func number(_ name: String) -> Int32 {
      let number = numbers[name] ?? Int32(numbers.count)
      numbers[name] = number
      return number
    }
    var pairs: [PairMarket.Pair] = []
    var principals: [Int64] = []
    for (requestNumber, request) in requests.enumerated() {
      for (listingNumber, listing) in listings.enumerated() {
        let model = try #require(listing.chipModel)
        guard let limit = request.acceptable?.first(where: { $0.chipModel == model })?.maxRateBps else { continue }
        let (ask, term) = (try #require(listing.askRateBps), try #require(request.termDays))
        let region = try #require(listing.region)
        guard limit >= ask, request.regions?.contains(region) == true, term >= listing.minTermDays ?? 0,
          term <= listing.maxTermDays ?? .max
        else { continue }
        let mark = try #require(marks[model])
        let (one, other) = (listing.multipleOf ?? 1, request.multipleOf ?? 1)
        let step = try #require((1...(one * other)).first { $0 % one == 0 && $0 % other == 0 })
        pairs.append(
          PairMarket.Pair(
            listing: Int32(listingNumber), request: Int32(requestNumber), surplus: Int128(mark) * Int128(limit - ask),
            least: listing.minQuantity ?? 1, step: step, lender: number("lender \(listing.lender ?? "")"),
            model: number("model \(model)"), site: number("site \(region) \(listing.site ?? "")")))
        principals.append(mark * 10_000)
      }
    }
    return PairMarket(
      listingQuantity: listings.map { $0.quantity ?? 0 }, pairs: pairs,
      requests: requests.map {
        PairMarket.Request(
          quantity: $0.quantity ?? 0, least: $0.minQuantity ?? 1, maxLenders: $0.maxLenders ?? .max,
          sameModel: $0.sameModel ?? false, sameSite: $0.sameSite ?? false)
      }, jointLimits: exposures(pairs, principals, listings, requests))
  }

  /// Of the limits that the fitting listings of a lender set for one startup the least holds for all it lends to it.
  private func exposures(
    _ pairs: [PairMarket.Pair], _ principals: [Int64], _ listings: [Line], _ requests: [Line]
  ) -> [PairMarket.JointLimit] {
    var byParties: [String: [Int]] = [:]
    for (position, pair) in pairs.enumerated() {
      let parties = "\(pair.lender) \(requests[Int(pair.request)].startup ?? "")"
      byParties[parties, default: []].append(position)
    }
    return byParties.sorted { $0.key < $1.key }.compactMap { _, members in
      guard let limit = members.compactMap({ listings[Int(pairs[$0].listing)].maxExposure }).min() else { return nil }
      return PairMarket.JointLimit(
        shares: members.map { .init(pair: Int32($0), weight: principals[$0]) }, limit: Int128(limit) * 10_000)
    }
  }
}
