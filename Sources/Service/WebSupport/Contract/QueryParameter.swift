import Primitives

/// A parameter of the query of a route: what it may be, told to clients and held before the route runs.
package struct QueryParameter: Sendable, Hashable {
  package enum Kind: Sendable, Hashable {
    /// UTF-8 bytes, without control characters.
    case text(ClosedRange<Int>)
    case integer(ClosedRange<Int64>)
    case boolean
    /// `YYYY-MM-DD`.
    case date
    /// `YYYY-MM`.
    case month
    /// RFC 3339.
    case instant
    /// ISO 4217.
    case currency
    /// An id, by its prefix.
    case identifier(String)
    case chipModel
    case words([String])
    /// Some of these words, parted by commas.
    case names([String])
    /// Integers, or dates, parted by commas: at most so many.
    case integers(ClosedRange<Int64>, most: Int)
    case dates(most: Int)
  }

  package let name: String
  package let kind: Kind
  package let detail: String
  package let isRequired: Bool

  package init(_ name: String, _ kind: Kind, _ detail: String, isRequired: Bool = false) {
    self.name = name
    self.kind = kind
    self.detail = detail
    self.isRequired = isRequired
  }

  /// One of an enumeration's words.
  package static func words<Word: RawRepresentable & CaseIterable>(
    _ name: String, _ type: Word.Type, _ detail: String
  ) -> QueryParameter where Word.RawValue == String {
    QueryParameter(name, .words(type.allCases.map(\.rawValue)), detail)
  }

  /// What a text has to be, as a sentence's end: "limit is an integer from 1 to 200".
  package var expectation: String {
    switch kind {
    case .text(let bytes): "a text of \(bytes.lowerBound) to \(bytes.upperBound) bytes without control characters"
    case .integer(let range): "an integer from \(range.lowerBound) to \(range.upperBound)"
    case .boolean: "true or false"
    case .date: "a date, YYYY-MM-DD"
    case .month: "a month, YYYY-MM"
    case .instant: "an instant of RFC 3339"
    case .currency: "a currency of ISO 4217, such as USD"
    case .identifier(let prefix): "an id: \(prefix)_ and a UUID in lower case"
    case .chipModel: "the id of a chip model"
    case .words(let words): "one of \(words.joined(separator: ", "))"
    case .names(let names): "some of \(names.joined(separator: ", ")), parted by commas"
    case .integers(let range, let most):
      "integers from \(range.lowerBound) to \(range.upperBound) parted by commas, at most \(most)"
    case .dates(let most): "dates, YYYY-MM-DD, parted by commas, at most \(most)"
    }
  }

  package func takes(_ text: some StringProtocol) -> Bool {
    switch kind {
    case .text(let bytes):
      bytes.contains(text.utf8.count) && text.utf8.allSatisfy { $0 >= 0x20 && $0 != 0x7F }
    case .integer(let range): Self.integer(text).map(range.contains) ?? false
    case .boolean: text == "true" || text == "false"
    case .date: CalendarDate(String(text)) != nil
    case .month: text.utf8.count == 7 && CalendarDate(text + "-01") != nil
    case .instant: text.utf8.count <= 64 && Instant(String(text)) != nil
    case .currency: Currency(String(text)) != nil
    case .identifier(let prefix):
      text.utf8.starts(with: "\(prefix)_".utf8) && UUIDValue(text.dropFirst(prefix.count + 1)) != nil
    case .chipModel: ChipModelText.takes(text)
    case .words(let words): words.contains { $0.utf8.elementsEqual(text.utf8) }
    case .names(let names):
      Self.parts(text, most: names.count) { part in names.contains { $0.utf8.elementsEqual(part.utf8) } }
    case .integers(let range, let most):
      Self.parts(text, most: most) { Self.integer($0).map(range.contains) ?? false }
    case .dates(let most): Self.parts(text, most: most) { CalendarDate(String($0)) != nil }
    }
  }

  private static func parts(_ text: some StringProtocol, most: Int, _ takes: (Substring) -> Bool) -> Bool {
    let parts = String(text).split(separator: ",", maxSplits: most, omittingEmptySubsequences: false)
    return parts.count <= most && parts.allSatisfy(takes)
  }

  /// Digits alone, with a minus where it is below nothing: `+1` and `1e3` are no integers of ours.
  private static func integer(_ text: some StringProtocol) -> Int64? {
    text.utf8.first == UInt8(ascii: "+") ? nil : Int64(text)
  }

  private enum ChipModelText {
    static func takes(_ text: some StringProtocol) -> Bool {
      (1...64).contains(text.utf8.count)
        && text.utf8.allSatisfy { byte in
          switch byte {
          case 0x30...0x39, 0x61...0x7A, 0x2D, 0x2E: true
          default: false
          }
        }
    }
  }
}

extension QueryParameter {
  package static let limit = QueryParameter("limit", .integer(1...200), "How many items a page has at most; 50.")
  package static let cursor = QueryParameter(
    "cursor", .text(1...512), "The `next_cursor` of the page before. Opaque, signed, good for its own list only.")
  /// What every list takes.
  package static let page = [limit, cursor]
  package static let validateOnly = QueryParameter(
    "validate_only", .boolean, "With `true`: the same checks and the same answer, nothing changed, no key needed.")
  package static let on = QueryParameter("on", .date, "The business date that is asked about; today.")
  package static let knownAt = QueryParameter(
    "known_at", .instant, "What was known at that moment; now. With the same two dates the answer stays the same.")
}
