/// Random markets in the format of market files: like real ones in that few chips make most of the trade, that requests
/// take substitutes, and that prices of both sides overlap. The same seed and size give the same bytes everywhere.
struct MarketGenerator {
  let listings: Int
  let requests: Int
  let chips: Int
  let regions: Int
  private var random: SplitMix64

  /// As many listings as requests; 20 chips, 8 regions and 3 ranges of terms from 100,000 on, fewer in small markets.
  init(size: Int, seed: UInt64) {
    listings = size
    requests = size
    chips = size < 100 ? 4 : size < 1_000 ? 8 : size < 10_000 ? 12 : size < 100_000 ? 16 : 20
    regions = size < 100 ? 4 : size < 1_000 ? 6 : 8
    random = SplitMix64(seed: seed)
  }

  /// Gives the lines in pieces.
  mutating func write(_ take: ([UInt8]) throws -> Void) rethrows {
    var buffer: [UInt8] = []
    buffer.reserveCapacity(1 << 20)
    for chip in 0..<chips {
      let value = number(400...4_000) * 1_000
      buffer += "{\"type\":\"chip\",\"chip_model\":\"\(Self.chip(chip))\",\"unit_value\":\(value)}\n".utf8
    }
    for position in 0..<listings {
      buffer += listing(position).utf8
      if buffer.count > 1 << 20 {
        try take(buffer)
        buffer.removeAll(keepingCapacity: true)
      }
    }
    for position in 0..<requests {
      buffer += request(position).utf8
      if buffer.count > 1 << 20 {
        try take(buffer)
        buffer.removeAll(keepingCapacity: true)
      }
    }
    try take(buffer)
  }

  private mutating func listing(_ position: Int) -> String {
    let chip = popularChip()
    let terms = [(30, 180), (30, 720), (180, 720)][number(0...2)]
    return """
      {"type":"listing","id":"L\(Self.padded(position))","lender":"lender-\(number(0...max(1, listings / 50 - 1)))",\
      "chip_model":"\(Self.chip(chip))","region":"region-\(number(0...regions - 1))",\
      "quantity":\(number(1...64) * [1, 1, 4, 8][number(0...3)]),"ask_rate_bps":\(number(200...1_400)),\
      "min_term_days":\(terms.0),"max_term_days":\(terms.1),"sequence":\(position)}

      """
  }

  private mutating func request(_ position: Int) -> String {
    var wanted = Set([popularChip()])
    for chip in sample(number(0...5), of: chips) { wanted.insert(chip) }
    let base = number(250...1_400)
    let acceptable = wanted.sorted().map { chip in
      "{\"chip_model\":\"\(Self.chip(chip))\",\"max_rate_bps\":\(base + number(-200...200))}"
    }
    let places = sample(number(1...regions), of: regions).sorted().map { "\"region-\($0)\"" }
    return """
      {"type":"request","id":"R\(Self.padded(position))","startup":"startup-\(number(0...max(1, requests / 3)))",\
      "quantity":\(number(1...64) * [1, 2, 4][number(0...2)]),"acceptable":[\(acceptable.joined(separator: ","))],\
      "regions":[\(places.joined(separator: ","))],"term_days":\([60, 90, 180, 365, 540][number(0...4)]),\
      "sequence":\(position)}

      """
  }

  /// The k-th chip has the weight 1/k.
  private mutating func popularChip() -> Int {
    // 232,792,560 is a multiple of every number up to 20: the weights are whole.
    let weights = (1...chips).map { 232_792_560 / $0 }
    var left = number(0...weights.reduce(0, +) - 1)
    for (chip, weight) in weights.enumerated() {
      if left < weight { return chip }
      left -= weight
    }
    return 0
  }

  /// Distinct numbers below `range`.
  private mutating func sample(_ count: Int, of range: Int) -> [Int] {
    var rest = Array(0..<range)
    return (0..<min(count, range)).map { _ in rest.remove(at: number(0...rest.count - 1)) }
  }

  private static func chip(_ number: Int) -> String { "chip-" + (number < 10 ? "0" : "") + String(number) }

  private static func padded(_ number: Int) -> String {
    let digits = String(number)
    return String(repeating: "0", count: max(0, 7 - digits.count)) + digits
  }

  private mutating func number(_ range: ClosedRange<Int>) -> Int { random.number(range) }
}
