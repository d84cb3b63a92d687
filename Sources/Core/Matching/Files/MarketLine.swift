/// The members that the format knows.
enum MarketField: Int, CaseIterable {
  case type, id, chipModel, unitValue, lender, region, quantity, askRateBps, minTermDays, maxTermDays, sequence
  case minQuantity, startup, acceptable, regions, termDays, maxLenders, maxRateBps

  var name: StaticString {
    switch self {
    case .type: "type"
    case .id: "id"
    case .chipModel: "chip_model"
    case .unitValue: "unit_value"
    case .lender: "lender"
    case .region: "region"
    case .quantity: "quantity"
    case .askRateBps: "ask_rate_bps"
    case .minTermDays: "min_term_days"
    case .maxTermDays: "max_term_days"
    case .sequence: "sequence"
    case .minQuantity: "min_quantity"
    case .startup: "startup"
    case .acceptable: "acceptable"
    case .regions: "regions"
    case .termDays: "term_days"
    case .maxLenders: "max_lenders"
    case .maxRateBps: "max_rate_bps"
    }
  }

  enum Shape { case text, integer, texts, objects }

  var shape: Shape {
    switch self {
    case .type, .id, .chipModel, .lender, .region, .startup: .text
    case .regions: .texts
    case .acceptable: .objects
    default: .integer
    }
  }

  /// The field of a name, or nil.
  static func named(_ name: UnsafeBufferPointer<UInt8>) -> MarketField? {
    allCases.first { field in field.name.withUTF8Buffer { $0.elementsEqual(name) } }
  }
}

/// The members of one line as they stand there, before anyone has judged them. Two readers fill it in: a quick one for
/// lines as programs write them, and the strict one for all others, whose word counts. One is kept for all lines, so
/// that a line costs no allocation.
struct MarketLine {
  /// Where a text stands: in the line itself, or in `unescaped`.
  struct Text {
    var start = 0
    var count = 0
    var isUnescaped = false
    /// Stands for an element of `regions` that is no text.
    var isWrong = false
  }

  enum Presence: UInt8 {
    case absent, present
    /// Another kind of value than the field has, or a number that is not whole or past Int64.
    case wrong
  }

  /// One entry of `acceptable`.
  struct Claim {
    var chip = Text()
    var hasChip = Presence.absent
    var rate: Int64 = 0
    var hasRate = Presence.absent
    /// Stands for an element that is no object.
    var isWrong = false
    /// A member that no entry has, or none.
    var unknown: String?
  }

  var presence = [Presence](repeating: .absent, count: MarketField.allCases.count)
  var texts = [Text](repeating: Text(), count: MarketField.allCases.count)
  var integers = [Int64](repeating: 0, count: MarketField.allCases.count)
  var claims: [Claim] = []
  var regions: [Text] = []
  /// The first member that the format does not know.
  var unknown: String?
  /// Texts that had escapes, end to end.
  var unescaped: [UInt8] = []
  /// The fields of the line before, in its order: programs write all lines alike.
  var expected: [MarketField] = []

  mutating func clear() {
    for index in presence.indices { presence[index] = .absent }
    claims.removeAll(keepingCapacity: true)
    regions.removeAll(keepingCapacity: true)
    unescaped.removeAll(keepingCapacity: true)
    unknown = nil
  }

  /// Gives the bytes of a text of the line `source`.
  func withBytes<Result, Failure: Error>(
    of text: Text, in source: UnsafeBufferPointer<UInt8>,
    _ body: (UnsafeBufferPointer<UInt8>) throws(Failure) -> Result
  ) throws(Failure) -> Result {
    let range = text.start..<(text.start + text.count)
    if text.isUnescaped {
      return try unescaped.withUnsafeBufferPointer { buffer throws(Failure) in
        try body(UnsafeBufferPointer(rebasing: buffer[range]))
      }
    }
    return try body(UnsafeBufferPointer(rebasing: source[range]))
  }
}
