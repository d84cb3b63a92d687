import Primitives
import StrictJSON

/// Sums by name: what a run, or a part of one, comes to.
extension [String: Int64] {
  /// A JSON object, names sorted.
  package var jsonBytes: [UInt8] {
    var writer = JSONWriter(capacity: 64)
    writer.beginObject()
    for (name, value) in sorted(by: { $0.key < $1.key }) {
      writer.key(dynamic: name)
      writer.int(value)
    }
    writer.endObject()
    return writer.bytes
  }

  package mutating func add(_ other: [String: Int64]) throws(ArithmeticOverflow) {
    for (name, value) in other { self[name] = try self[name, default: 0].adding(value) }
  }
}
