import Foundation
import Interest
import Primitives
import PropertyKit
import StrictJSON
import Testing

func day(_ text: String) throws -> CalendarDate { try #require(CalendarDate(text)) }

func amount(_ text: String) throws -> DecimalNumeral { try #require(DecimalNumeral(text)) }

func fraction(_ numerator: Int64, _ denominator: Int64 = 1) throws -> ExactRational {
  try ExactRational(WideInteger(numerator), over: WideInteger(denominator))
}

/// Rates by date, as texts.
func rateHistory(_ steps: (String, String)...) throws -> RateHistory {
  try RateHistory(
    steps.map { RateHistory.Step(from: try day($0.0), value: try amount($0.1).rational) })
}

/// A file of the known answers that every finance package is held to.
func financeFixture(_ name: String) throws -> [UInt8] {
  let file = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "../../Fixtures/finance/\(name)")
  return Array(try Data(contentsOf: file))
}

/// A value as compact text, so that members can be compared whole.
func compact(_ node: JSONNode) -> String {
  switch node.kind {
  case .null: "null"
  case .boolean: node.asBool == true ? "true" : "false"
  case .number: node.rawNumber ?? ""
  case .string: "\"" + (node.asString ?? "") + "\""
  case .array: "[" + node.elements.map(compact).joined(separator: ",") + "]"
  case .object: "{" + node.members.map { "\"\($0.name)\":" + compact($0.value) }.joined(separator: ",") + "}"
  }
}

/// What a computation of one case, given as JSON text, prints; or the fault in its place.
func answer(_ kind: CaseKind, _ text: String) throws -> String {
  let file = try CaseFile(parsing: Array("[\(text)]".utf8), kind: kind)
  switch file.answer(at: 0).result {
  case .success(let line): return String(decoding: line.bytes, as: UTF8.self)
  case .failure(let fault): return fault.description
  }
}

extension SplitMix64 {
  /// A date from 1990 to 2060.
  mutating func date() throws -> CalendarDate { try #require(CalendarDate(dayNumber: int64(in: 7_305...32_872))) }

  /// A rate of at most 25 %, in steps of a thousandth of a percent, now and then 0 or below it.
  mutating func rate() -> DecimalNumeral {
    DecimalNumeral(unscaled: WideInteger(oneIn(8) ? 0 : int64(in: -1_000...25_000)), places: 5)
  }

  /// Rates that cover everything from a date on, changing every few weeks.
  mutating func rates(from start: CalendarDate, _ count: Int) throws -> RateHistory {
    var steps: [RateHistory.Step] = []
    var date = start
    for _ in 0..<count {
      steps.append(RateHistory.Step(from: date, value: rate().rational))
      date = try #require(date.adding(days: int64(in: 1...120)))
    }
    return try RateHistory(steps)
  }
}
