import Primitives
import StrictJSON

/// Reads the members of one case. Members that no computation asks for are let be: case files carry notes and the
/// answers that are expected.
struct CaseReader {
  let node: JSONNode

  /// List lengths and text lengths that are taken from a file, so that a hostile one costs no more than its size.
  private static let mostElements = 100_000

  init(_ node: JSONNode) throws(CaseFault) {
    guard node.kind == .object else { throw CaseFault(field: "", detail: "must be an object") }
    self.node = node
  }

  private func value(_ name: String) throws(CaseFault) -> JSONNode {
    guard let value = node[name] else { throw CaseFault(field: name, detail: "is required") }
    return value
  }

  func text(_ name: String) throws(CaseFault) -> String {
    try Self.text(try value(name), name)
  }

  func date(_ name: String) throws(CaseFault) -> CalendarDate { try Self.date(try value(name), name) }

  func decimal(_ name: String) throws(CaseFault) -> DecimalNumeral { try Self.decimal(try value(name), name) }

  func currency(_ name: String) throws(CaseFault) -> Currency {
    guard let currency = Currency(try text(name)) else {
      throw CaseFault(field: name, detail: "must be the code of an ISO 4217 currency")
    }
    return currency
  }

  /// One of the type's words.
  func word<Word: RawRepresentable & CaseIterable>(
    _ name: String, as type: Word.Type
  ) throws(CaseFault) -> Word where Word.RawValue == String {
    let value = try value(name)
    if let word = type.allCases.first(where: { value.isText($0.rawValue) }) { return word }
    throw CaseFault(
      field: name, detail: "must be one of " + type.allCases.map { $0.rawValue }.joined(separator: ", "))
  }

  /// An integer that fits; a missing one is `absent` where that is given.
  func integer(_ name: String, absent: Int? = nil) throws(CaseFault) -> Int {
    if let absent, node[name].map(\.isNull) ?? true { return absent }
    guard let value = try value(name).asInteger else { throw CaseFault(field: name, detail: "must be an integer") }
    return Int(value)
  }

  /// A list, each element read with the name of its place.
  func list<Element>(
    _ name: String, _ read: (JSONNode, String) throws(CaseFault) -> Element
  ) throws(CaseFault) -> [Element] {
    let value = try value(name)
    guard let elements = value.asArray else { throw CaseFault(field: name, detail: "must be a list") }
    guard elements.count <= Self.mostElements else {
      throw CaseFault(field: name, detail: "must have at most \(Self.mostElements) elements")
    }
    var found: [Element] = []
    for element in elements { found.append(try read(element, "\(name)/\(found.count)")) }
    return found
  }

  /// A list of pairs: a date and an exact decimal.
  func datedDecimals(_ name: String) throws(CaseFault) -> [(date: CalendarDate, value: DecimalNumeral)] {
    try list(name) { node, place throws(CaseFault) in
      let pair = node.asArray.map(Array.init) ?? []
      guard pair.count == 2 else { throw CaseFault(field: place, detail: "must be a pair of a date and a number") }
      return (try Self.date(pair[0], place + "/0"), try Self.decimal(pair[1], place + "/1"))
    }
  }

  /// Annual rates by date.
  func rates(_ name: String) throws(CaseFault) -> RateHistory {
    var steps: [RateHistory.Step] = []
    for (index, pair) in try datedDecimals(name).enumerated() {
      do throws(InterestRefusal) {
        let rate = try InterestBounds.rate(pair.value, "\(name)/\(index)/1")
        steps.append(RateHistory.Step(from: pair.date, value: rate))
      } catch { throw CaseFault(error) }
    }
    do throws(InterestRefusal) { return try RateHistory(steps) } catch { throw CaseFault(error) }
  }

  // MARK: One value

  static func text(_ node: JSONNode, _ field: String) throws(CaseFault) -> String {
    guard let text = node.asString, (1...200).contains(text.utf8.count) else {
      throw CaseFault(field: field, detail: "must be a text of at most 200 bytes")
    }
    return text
  }

  static func date(_ node: JSONNode, _ field: String) throws(CaseFault) -> CalendarDate {
    guard let date = node.asString.flatMap({ CalendarDate($0) }) else {
      throw CaseFault(field: field, detail: "must be a calendar date YYYY-MM-DD")
    }
    return date
  }

  /// A number, or a text that holds one: exact in either, since JSON numbers are read as they are written.
  static func decimal(_ node: JSONNode, _ field: String) throws(CaseFault) -> DecimalNumeral {
    guard let text = node.asString ?? node.rawNumber else { throw CaseFault(field: field, detail: "must be a number") }
    guard let value = DecimalNumeral(text) else {
      throw CaseFault(
        field: field, detail: "must be a decimal number of at most \(DecimalNumeral.maxDigits) digits")
    }
    return value
  }
}
