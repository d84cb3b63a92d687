import Primitives
import StrictJSON

/// Bounds of what clients send. Every number, text and array of a body has one.
enum BodyBounds {
  static let quantity: ClosedRange<Int64> = 1...10_000_000
  static let rateBps: ClosedRange<Int64> = 0...100_000
  static let shareBps: ClosedRange<Int64> = 0...10_000
  static let days: ClosedRange<Int64> = 1...3_650
  /// Minor units, where nothing is a possible amount.
  static let amount: ClosedRange<Int64> = 0...Money.largestAccepted
  /// Minor units of a price or a payment.
  static let price: ClosedRange<Int64> = 1...Money.largestAccepted
  // Texts, in UTF-8 bytes.
  static let name = 1...200
  static let endUse = 1...500
  static let reference = 1...200
  static let source = 1...500
  static let evidence = 1...500
  static let reason = 1...1_000
  static let serial = 1...64
  static let serials = 1...100_000
}

/// Codes of this module's own faults, beside those of StrictJSON.
enum BodyFaultCode {
  /// Two members that do not go together.
  static let conflict = "field.conflict"
}

extension JSONLimits {
  /// For bodies that carry serial numbers: a hundred thousand of 64 bytes each, and the rest.
  package static let withSerials = JSONLimits(maxBytes: 8 << 20, maxMembers: 101_000)
}

/// From the bytes of a request to a command.
package enum RequestBody {
  /// Parses a whole body and reads it.
  /// - Parameter mayBeEmpty: no bytes at all count as `{}`, for acts that need no words.
  /// - Throws: what is wrong with the text (`isSyntax`), or with its content.
  package static func read<Value>(
    _ bytes: [UInt8], limits: JSONLimits = .request, mayBeEmpty: Bool = false,
    _ parse: (inout ObjectReader) -> Value?
  ) throws(JSONFaults) -> Value {
    let text = mayBeEmpty && bytes.isEmpty ? Array("{}".utf8) : bytes
    return try ObjectReader.read(try JSONDocument(parsing: text, limits: limits).root, parse)
  }
}

/// The body of an act that needs no words, such as accepting an offer: nothing, or `{}`.
package struct EmptyBody: Sendable, Hashable {
  package static func parse(_ reader: inout ObjectReader) -> EmptyBody? { EmptyBody() }
}
