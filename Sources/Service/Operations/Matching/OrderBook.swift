import Catalogue
import Lending
import Matching
import Persistence
import Postgres
import Primitives
import StrictJSON

/// Depth of both sides by chip model, region and rate, without names.
package struct OrderBook: Sendable, Hashable {
  package enum Side: String, Sendable, Hashable, CaseIterable {
    /// Listings, at what they ask.
    case ask
    /// Requests, at what they would pay at most, rounded down. A request stands at each chip and region it would take.
    case bid
  }

  package struct Level: Sendable, Hashable {
    package let chipModelID: ChipModelID
    package let region: String
    package let side: Side
    /// Nil for the side as a whole.
    package let rateBps: Int64?
    package private(set) var quantity: Int64
    /// The most that one request could get of one listing, or that one request wants.
    package private(set) var largestBlock: Int64

    fileprivate mutating func add(_ other: Level) throws(ArithmeticOverflow) {
      quantity = try quantity.adding(other.quantity)
      largestBlock = max(largestBlock, other.largestBlock)
    }

    fileprivate var asWhole: Level {
      Level(
        chipModelID: chipModelID, region: region, side: side, rateBps: nil, quantity: quantity,
        largestBlock: largestBlock)
    }
  }

  /// The best rates of each class first, at most so many.
  package let levels: [Level]
  /// One a class and side.
  package let totals: [Level]
  private static let shown = 4_000

  /// What to ask the database, and what `init` takes the answers of.
  package static func queries(chipModel: String?, region: String?) -> [Query] {
    [OrderBookSQL.asks, OrderBookSQL.bids].map { Query($0, [.text(chipModel), .text(region)]) }
  }

  package init(_ answers: [ResultSet], chipModel: String?, reference: ReferenceData) throws {
    var book: [Key: Level] = [:]
    var sides: [Key: Level] = [:]
    func add(_ level: Level) throws {
      try Self.add(level, to: &book)
      try Self.add(level.asWhole, to: &sides)
    }
    for row in answers[0] {
      var reader = RowReader(row)
      try add(
        Level(
          chipModelID: try reader.chipModel(), region: try reader.text(), side: .ask, rateBps: try reader.int(),
          quantity: try reader.int(), largestBlock: try reader.int()))
    }
    for row in answers[1] {
      var reader = RowReader(row)
      let named = try reader.parsedOrNull { ChipModelID($0) }
      let capability = try reader.jsonBytesOrNull().map(Self.capability)
      let (region, rate) = (try reader.text(), try reader.int())
      let (quantity, largest) = (try reader.int(), try reader.int())
      let chips = named.map { [$0] } ?? capability.map { reference.chips(meeting: $0) } ?? []
      for chip in chips where chipModel.map({ $0 == chip.value }) ?? true {
        try add(
          Level(
            chipModelID: chip, region: region, side: .bid, rateBps: rate, quantity: quantity, largestBlock: largest))
      }
    }
    levels = Array(book.sorted { $0.key < $1.key }.map(\.value).prefix(Self.shown))
    totals = Array(sides.sorted { $0.key < $1.key }.map(\.value).prefix(Self.shown))
  }

  private static func add(_ level: Level, to levels: inout [Key: Level]) throws {
    let key = Key(level)
    if levels[key] == nil { levels[key] = level } else { try levels[key]?.add(level) }
  }

  private static func capability(_ bytes: [UInt8]) throws -> ChipCapability {
    let node = try JSONDocument(parsing: bytes, limits: .stored).root
    return ChipCapability(
      memoryGB: node["memory_milli_gb"]?.asInteger, bf16Dense: node["bf16_milli_tflops_dense"]?.asInteger,
      interconnect: node["interconnect_milli_gbs"]?.asInteger)
  }

  /// Asks from the lowest, bids from the highest.
  private struct Key: Hashable, Comparable {
    let chip: ChipModelID
    let region: String
    let side: Side
    let rate: Int64

    init(_ level: Level) {
      chip = level.chipModelID
      region = level.region
      side = level.side
      rate = level.rateBps ?? 0
    }

    private var rank: Int64 { side == .ask ? rate : -rate }

    static func < (left: Key, right: Key) -> Bool {
      (left.chip, left.region, left.side.rawValue, left.rank)
        < (right.chip, right.region, right.side.rawValue, right.rank)
    }
  }
}

extension ReferenceData {
  /// Models whose published figures reach these minimums.
  fileprivate func chips(meeting least: ChipCapability) -> [ChipModelID] {
    chips.filter { ChipCapability(of: $0.value).meets(least) }.keys.sorted()
  }
}
