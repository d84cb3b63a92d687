import Testing

@testable import Matching

/// A bad line, and what the reader says about it.
struct BadLine: Sendable, CustomTestStringConvertible {
  let line: String
  let reason: String

  /// A listing with one piece of its text replaced.
  static func listing(_ old: String, _ new: String, _ reason: String) -> BadLine {
    BadLine(line: MarketText.listing.replacing(old, with: new), reason: reason)
  }

  static func request(_ old: String, _ new: String, _ reason: String) -> BadLine {
    BadLine(line: MarketText.request.replacing(old, with: new), reason: reason)
  }

  var testDescription: String { reason }
}

@Suite("A market file is refused with line, field and reason") struct MarketFileRefusalTests {
  static let count = "must be a whole number of at least 1 and at most 1000000000000"
  static let rate = "must be a whole number of at least 0 and at most 1000000"
  static let day = "must be a whole number of at least 0 and at most 2147483647"

  static let chips: [BadLine] = [
    BadLine(line: "{", reason: "line 3: is not JSON as this format has it"),
    BadLine(line: "[]", reason: "line 3: is not a JSON object"),
    BadLine(line: "\u{FEFF}{}", reason: "line 3: is not JSON as this format has it"),
    BadLine(line: "{}", reason: "line 3, type: is required"),
    BadLine(line: #"{"type":7}"#, reason: "line 3, type: must be a text"),
    BadLine(line: #"{"type":"lot"}"#, reason: #"line 3, type: must be "chip", "listing" or "request""#),
    BadLine(line: MarketText.chip, reason: "line 3, chip_model: this chip has been given before"),
    BadLine(line: #"{"type":"chip","unit_value":1}"#, reason: "line 3, chip_model: is required"),
    BadLine(line: #"{"type":"chip","chip_model":""}"#, reason: "line 3, chip_model: must be a text of 1 to 200 bytes"),
    BadLine(line: #"{"type":"chip","chip_model":"c"}"#, reason: "line 3, unit_value: is required"),
    BadLine(line: #"{"type":"chip","chip_model":"c","unit_value":0}"#, reason: "line 3, unit_value: must be a whole"),
    BadLine(
      line: #"{"type":"chip","chip_model":"c","unit_value":1000000000000001}"#,
      reason: "line 3, unit_value: must be a whole number of at least 1 and at most 1000000000000000"),
    BadLine(
      line: #"{"type":"chip","chip_model":"c","unit_value":1,"quantity":1}"#,
      reason: "line 3, quantity: a chip has no such member"),
    BadLine(
      line: #"{"type":"chip","chip_model":"c","unit_value":1,"colour":1}"#,
      reason: "line 3, colour: a chip has no such member"),
    BadLine(line: #"{"type":"chip","type":"chip"}"#, reason: "line 3: is not JSON as this format has it"),
  ]

  static let listings: [BadLine] = [
    .listing(#""quantity":5"#, #""quantity":0"#, "line 3, quantity: \(count)"),
    .listing(#""quantity":5"#, #""quantity":-5"#, "line 3, quantity: \(count)"),
    .listing(#""quantity":5"#, #""quantity":5.5"#, "line 3, quantity: \(count)"),
    .listing(#""quantity":5"#, #""quantity":"5""#, "line 3, quantity: \(count)"),
    .listing(#""quantity":5"#, #""quantity":05"#, "line 3: is not JSON as this format has it"),
    .listing(#""quantity":5"#, #""quantity":1000000000001"#, "line 3, quantity: \(count)"),
    .listing(#""quantity":5"#, #""quantity":99999999999999999999999"#, "line 3, quantity: \(count)"),
    .listing(#""quantity":5,"#, "", "line 3, quantity: is required"),
    .listing(#""quantity":5"#, #""quantity":null"#, "line 3, quantity: is required"),
    .listing(#""a""#, #""z""#, "line 3, chip_model: no chip of this name has been given"),
    .listing(#""lender":"x","#, "", "line 3, lender: is required"),
    .listing(#""region":"north""#, #""region":[]"#, "line 3, region: must be a text"),
    .listing(#""id":"L0""#, #""id":7"#, "line 3, id: must be a text"),
    .listing(#""ask_rate_bps":10"#, #""ask_rate_bps":1000001"#, "line 3, ask_rate_bps: \(rate)"),
    .listing(#""ask_rate_bps":10"#, #""ask_rate_bps":-1"#, "line 3, ask_rate_bps: \(rate)"),
    .listing(#""min_term_days":30"#, #""min_term_days":-1"#, "line 3, min_term_days: \(day)"),
    .listing(#""min_term_days":30"#, #""min_term_days":181"#, "line 3, max_term_days: must not be below min_term_days"),
    .listing(#""max_term_days":180"#, #""max_term_days":2147483648"#, "line 3, max_term_days: \(day)"),
    .listing(#""sequence":0"#, #""sequence":-1"#, "line 3, sequence: must be a whole number of at least 0"),
    .listing(#""sequence":0"#, #""sequence":0,"min_quantity":6"#, "line 3, min_quantity: must not be above quantity"),
    .listing(#""sequence":0"#, #""sequence":0,"min_quantity":0"#, "line 3, min_quantity: \(count)"),
    .listing(#""sequence":0"#, #""sequence":0,"max_lenders":1"#, "line 3, max_lenders: a listing has no such member"),
    .listing("}", #","x\u0007y":1}"#, "line 3, x?y: a listing has no such member"),
  ]

  static let requests: [BadLine] = [
    .request(#""quantity":4"#, #""quantity":0"#, "line 4, quantity: \(count)"),
    .request(#""term_days":90"#, #""term_days":0"#, "line 4, term_days: must be a whole number of at least 1"),
    .request(#""regions":["north","south"]"#, #""regions":[]"#, "line 4, regions: must name at least one region"),
    .request(#""regions":["north","south"]"#, #""regions":"north""#, "line 4, regions: must be an array"),
    .request(#""south""#, "7", "line 4, regions[1]: must be a text of 1 to 200 bytes"),
    .request(#""south""#, #""north""#, "line 4, regions: names a region twice"),
    .request(#"{"chip_model":"b","max_rate_bps":9}"#, "7", "line 4, acceptable[1]: must be an object"),
    .request(#""chip_model":"b","#, "", "line 4, acceptable[1].chip_model: is required"),
    .request(#""chip_model":"b""#, #""chip_model":"z""#, "line 4, acceptable[1].chip_model: no chip of this name"),
    .request(#""chip_model":"b""#, #""chip_model":"a""#, "line 4, acceptable[1].chip_model: this request names this"),
    .request(#""max_rate_bps":9"#, #""max_rate_bps":1e9"#, "line 4, acceptable[1].max_rate_bps: \(rate)"),
    .request(#","max_rate_bps":9"#, "", "line 4, acceptable[1].max_rate_bps: is required"),
    .request(#""max_rate_bps":9"#, #""max_rate_bps":9,"x":1"#, "line 4, acceptable[1].x: an acceptable chip has no"),
    .request(#""sequence":0"#, #""sequence":0,"max_lenders":0"#, "line 4, max_lenders: must be a whole number of at"),
    .request(#""sequence":0"#, #""sequence":0,"min_quantity":5"#, "line 4, min_quantity: must not be above quantity"),
    .request(#""startup":"s""#, #""lender":"s""#, "line 4, lender: a request has no such member"),
    BadLine(
      line: #"{"type":"request","id":"R0","startup":"s","quantity":4,"acceptable":[]}"#,
      reason: "line 4, acceptable: must name at least one chip"),
    BadLine(line: MarketText.chip, reason: "line 4, type: a chip stands behind a listing"),
    BadLine(line: MarketText.listing, reason: "line 4, id: this listing has been given before"),
  ]

  private func check(_ lines: [String], _ reason: String) {
    for isQuick in [true, false] {
      var reader = MarketFileReader(isQuick: isQuick)
      do throws(MarketFileFault) {
        try reader.read(MarketText.bytes(lines))
        _ = try reader.finish()
        Issue.record("\(lines.last ?? "") is taken")
      } catch {
        #expect(error.description.hasPrefix(reason), "\(error)")
      }
    }
  }

  @Test("for its chips", arguments: chips)
  func badChip(_ bad: BadLine) { check([MarketText.chip, MarketText.otherChip, bad.line], bad.reason) }

  @Test("for its listings", arguments: listings)
  func badListing(_ bad: BadLine) { check([MarketText.chip, MarketText.otherChip, bad.line], bad.reason) }

  @Test("for its requests", arguments: requests)
  func badRequest(_ bad: BadLine) {
    check([MarketText.chip, MarketText.otherChip, MarketText.listing, bad.line], bad.reason)
  }

  @Test("a second request of the same id")
  func secondRequest() {
    let lines = [MarketText.chip, MarketText.otherChip, MarketText.request, MarketText.request]
    check(lines, "line 4, id: this request has been given before")
    check(lines + [MarketText.listing], "line 4, id")
    check(lines.dropLast() + [MarketText.listing], "line 4, type: a listing stands behind a request")
  }

  @Test("a price beyond what differences of prices leave room for")
  func price() {
    let chip = MarketText.chip.replacing("100", with: "1000000000000000")
    let listing = MarketText.listing.replacing(#":10,"#, with: ":4001,")
    check([chip, listing], "line 2, ask_rate_bps: times the chip's unit_value is more than 288230376151711744")
    let request = MarketText.request.replacing(#":40}"#, with: ":1000000}")
    check([chip, MarketText.otherChip, request], "line 3, acceptable[0].max_rate_bps: times the chip's unit_value")
  }

  @Test("a line longer than a mebibyte")
  func longLine() {
    check([MarketText.chip, String(repeating: " ", count: 1 << 20) + "{}"], "line 2: is longer than 1048576 bytes")
  }
}
