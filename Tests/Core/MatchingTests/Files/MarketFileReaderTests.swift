import PropertyKit
import Testing

@testable import Matching

@Suite("A market file is read") struct MarketFileReaderTests {
  static let whole = [MarketText.chip, MarketText.otherChip, MarketText.listing, MarketText.request]

  @Test("with every member where it belongs")
  func members() throws {
    let market = try MarketText.market(Self.whole)
    #expect(market.chips == [MarketFile.Chip(unitValue: 100), MarketFile.Chip(unitValue: 7)])
    #expect(
      market.listings == [
        MarketFile.Listing(
          chip: 0, region: 0, lender: 0, askRateBps: 10, minTermDays: 30, maxTermDays: 180, quantity: 5, minQuantity: 1,
          sequence: 0)
      ])
    #expect(
      market.requests == [
        MarketFile.Request(
          startup: 0, termDays: 90, regionSet: 0, maxLenders: nil, quantity: 4, minQuantity: 1, sequence: 0)
      ])
    #expect(
      market.acceptable == [
        MarketFile.Acceptable(chip: 0, maxRateBps: 40), MarketFile.Acceptable(chip: 1, maxRateBps: 9),
      ])
    #expect(market.firstAcceptable == [0, 2])
    #expect(market.regionSets == [[0, 1]])
    #expect(market.regionNames[1] == "south")
    #expect(market.listingIDs[0] == "L0" && market.requestIDs[0] == "R0" && market.lenderNames[0] == "x")
    #expect(market.kind == .plain)
  }

  @Test("in pieces of any size")
  func pieces() throws {
    let bytes = MarketText.bytes(Self.whole)
    for size in 1...bytes.count {
      var reader = MarketFileReader()
      for start in stride(from: 0, to: bytes.count, by: size) {
        try reader.read(Array(bytes[start..<min(start + size, bytes.count)]))
      }
      let market = try reader.finish()
      #expect(market.listings.count == 1 && market.requests.count == 1 && market.acceptable.count == 2)
    }
  }

  @Test("with blank lines, white space, carriage returns and no last line end")
  func blank() throws {
    let spaced = Self.whole.map { $0.replacing(":", with: " :\t").replacing(",", with: " , ") }
    let text = "\n  \t\n" + spaced.joined(separator: "\r\n\r\n")
    let market = try MarketFileReader.market(of: Array(text.utf8))
    #expect(market.listings.count == 1 && market.requests.count == 1)
    #expect(throws: MarketFileFault.self) {
      try MarketFileReader.market(of: Array(("\n\n" + MarketText.chip + "\n" + MarketText.chip).utf8))
    }
  }

  @Test("with one side or both empty", arguments: [0, 2, 3])
  func empty(_ count: Int) throws {
    for lines in [Array(Self.whole.prefix(count)), Array(Self.whole.prefix(2)) + [MarketText.request]] {
      let flow = try MarketFlow(try MarketText.market(lines))
      #expect(flow.arcCount == 0 && flow.market.claims.isEmpty)
    }
  }

  @Test("with a thousand million chips in one listing")
  func large() throws {
    let listing = MarketText.listing.replacing(#""quantity":5"#, with: #""quantity":1000000000"#)
    #expect(try MarketText.market([MarketText.chip, listing]).listings[0].quantity == 1_000_000_000)
  }

  @Test("with texts in other scripts and with escapes, which name the same as without")
  func texts() throws {
    let listing = MarketText.listing.replacing(#""L0""#, with: #""Lü\"\n""#).replacing(#""a""#, with: #""\u0061""#)
    let market = try MarketText.market([MarketText.chip, listing])
    #expect(market.listingIDs[0] == "Lü\"\n" && market.listings[0].chip == 0)
    var line: [UInt8] = []
    MarketAllocation(listing: 0, request: 0, quantity: 3, rateBps: 7).write(
      of: try MarketText.market([MarketText.chip, MarketText.otherChip, listing, MarketText.request]), to: &line)
    let expected = #"{"listing":"Lü\"\n","request":"R0","quantity":3,"rate_bps":7}"# + "\n"
    #expect(String(decoding: line, as: UTF8.self) == expected)
  }

  @Test("as a side file only where a least quantity or a limit on lenders can bind")
  func kind() throws {
    func kind(_ listing: String, _ request: String, second: String = "x") throws -> MarketFile.Kind {
      let lines =
        Self.whole.prefix(2) + [
          MarketText.listing.replacing("}", with: listing + "}"),
          MarketText.listing.replacing("L0", with: "L1").replacing(#""x""#, with: "\"\(second)\""),
          MarketText.request.replacing(#""sequence""#, with: request + #""sequence""#),
        ]
      return try MarketText.market(Array(lines)).kind
    }
    #expect(try kind("", "") == .plain)
    #expect(try kind(#","min_quantity":1"#, #""min_quantity":1,"#) == .plain)
    #expect(try kind(#","min_quantity":2"#, "") == .side)
    #expect(try kind("", #""min_quantity":4,"#) == .side)
    #expect(try kind("", #""max_lenders":1,"#, second: "y") == .side)
    #expect(try kind("", #""max_lenders":1,"#) == .plain)
    #expect(try kind("", #""max_lenders":2,"#, second: "y") == .plain)
  }

  /// What a reader makes of a text.
  private func outcome(_ bytes: [UInt8], isQuick: Bool) -> String {
    var reader = MarketFileReader(isQuick: isQuick)
    do throws(MarketFileFault) {
      try reader.read(bytes)
      let market = try reader.finish()
      let names = (0..<market.regionNames.count).map { market.regionNames[Int32($0)] }
      let ids = (0..<market.listingIDs.count).map { market.listingIDs[Int32($0)] }
      return "\(market.chips)\(market.listings)\(market.requests)\(market.acceptable)\(market.regionSets)\(names)\(ids)"
    } catch { return error.description }
  }

  @Test("by the quick reader exactly as by the strict one, whatever bytes are changed")
  func quickIsStrict() throws {
    let good = MarketText.bytes(Self.whole)
    let inserted = Array(#"{}[]":,0159.-eE \"abc"#.utf8) + [0, 10, 13, 0x7F, 0x80, 0xC3, 0xA9]
    try forAll(seeds: 1...3_000) { random in
      var bytes = good
      for _ in 0..<random.int(in: 1...3) {
        let place = random.int(in: 0...bytes.count - 1)
        switch random.int(in: 0...2) {
        case 0: bytes[place] = try random.pick(inserted)
        case 1: bytes.insert(try random.pick(inserted), at: place)
        default: bytes.remove(at: place)
        }
      }
      let (quick, strict) = (outcome(bytes, isQuick: true), outcome(bytes, isQuick: false))
      try hold(quick == strict, "\(String(decoding: bytes, as: UTF8.self))\n\(quick)\n\(strict)")
    }
  }

  @Test("with names by number, however many")
  func names() {
    var table = NameTable()
    for round in 0..<2 {
      for number in 0..<5_000 {
        let found = Array("name-\(number)".utf8).withUnsafeBufferPointer { table.intern($0) }
        #expect(found.number == Int32(number) && found.isNew == (round == 0))
      }
    }
    #expect(table[4_999] == "name-4999")
    #expect(Array("name-5000".utf8).withUnsafeBufferPointer { table.number(of: $0) } == nil)
  }
}
