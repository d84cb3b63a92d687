import Logging
import StrictJSON
import Traces

/// Writes what the service tells of itself as lines of JSON, one an event, with the names that the log of requests has:
/// `time`, `level`, `message`, then `label` and `source`, the request and the trace where there is one, and what else the
/// event says in `metadata`.
///
/// A line is an object and nothing else, whatever it is told: control characters and others that nobody sees are encoded, long
/// texts are cut, and so is a long line.
package struct JSONLogHandler: LogHandler {
  package var metadata: Logger.Metadata = [:]
  package var metadataProvider: Logger.MetadataProvider?
  package var logLevel: Logger.Level
  private let label: String
  private let lines: LineWriter
  private let time: @Sendable () -> String

  /// Bytes of one text.
  private static let longestText = 4_096
  /// Bytes of the members of `metadata` together.
  private static let longestMetadata = 16_384
  /// The framework's name for the request.
  private static let requestID = "hb.request.id"
  private static let traceID = "trace_id"

  /// - Parameter time: wall time now, as RFC 3339 has it, in UTC.
  package init(
    label: String, level: Logger.Level, metadataProvider: Logger.MetadataProvider? = nil, to lines: LineWriter,
    time: @escaping @Sendable () -> String
  ) {
    self.label = label
    self.logLevel = level
    self.metadataProvider = metadataProvider
    self.lines = lines
    self.time = time
  }

  package subscript(metadataKey key: String) -> Logger.Metadata.Value? {
    get { metadata[key] }
    set { metadata[key] = newValue }
  }

  package func log(event: LogEvent) {
    var told = metadata
    if let provided = metadataProvider?.get() { told.merge(provided) { $1 } }
    if let own = event.metadata { told.merge(own) { $1 } }
    let request = told.removeValue(forKey: Self.requestID)
    let trace = Span.current.map { $0.record.trace.description } ?? told[Self.traceID].map { "\($0)" }
    told[Self.traceID] = nil
    if let error = event.error { told["error"] = told["error"] ?? "\(error)" }
    var writer = JSONWriter(capacity: 512)
    writer.beginObject()
    writer.field("time", time())
    writer.field("level", event.level)
    writer.rawField("message", Self.quoted(event.message.description))
    writer.rawField("label", Self.quoted(label))
    writer.rawField("source", Self.quoted(event.source))
    if let request { writer.rawField("request_id", Self.quoted("\(request)")) }
    if let trace { writer.rawField("trace_id", Self.quoted(trace)) }
    if !told.isEmpty { Self.write(told, to: &writer) }
    writer.endObject()
    lines.add(writer.bytes)
  }

  /// Members in the order of their names; those past the bound are left out, and the line says so.
  private static func write(_ metadata: Logger.Metadata, to writer: inout JSONWriter) {
    var flat: [String: String] = [:]
    flatten(metadata, under: "", depth: 0, to: &flat)
    var left = longestMetadata
    var isCut = false
    writer.key("metadata")
    writer.beginObject()
    for (name, value) in flat.sorted(by: { $0.key < $1.key }) {
      let text = quoted(value)
      left -= name.utf8.count + text.count
      guard left >= 0, name.utf8.count <= 128 else {
        isCut = true
        continue
      }
      writer.key(dynamic: name)
      writer.raw(text)
    }
    writer.endObject()
    if isCut { writer.field("is_cut", true) }
  }

  /// What stands in another object gets its name in front, with a dot.
  private static func flatten(
    _ metadata: Logger.Metadata, under prefix: String, depth: Int, to flat: inout [String: String]
  ) {
    for (name, value) in metadata {
      let name = prefix + String(decoding: name.utf8.filter { (0x21...0x7E).contains($0) }, as: UTF8.self)
      switch value {
      case .dictionary(let inner) where depth < 4: flatten(inner, under: name + ".", depth: depth + 1, to: &flat)
      default: flat[name] = "\(value)"
      }
    }
  }

  /// A JSON string of the text, cut with an ellipsis where it is too long. Characters that a terminal obeys or nobody sees
  /// (controls, format characters such as those that turn the direction of text, separators of lines) are written as
  /// their numbers.
  static func quoted(_ text: String, most: Int = longestText) -> [UInt8] {
    var bytes: [UInt8] = [UInt8(ascii: "\"")]
    bytes.reserveCapacity(min(text.utf8.count, most) + 16)
    for scalar in text.unicodeScalars {
      if bytes.count > most {
        bytes += Array("…".utf8)
        break
      }
      switch scalar.value {
      case 0x22, 0x5C: bytes += [UInt8(ascii: "\\"), UInt8(scalar.value)]
      case 0x20...0x7E: bytes.append(UInt8(scalar.value))
      default:
        switch scalar.properties.generalCategory {
        case .control, .format, .lineSeparator, .paragraphSeparator, .privateUse, .unassigned, .surrogate:
          for unit in UTF16.encode(scalar) ?? UTF16.encodedReplacementCharacter {
            bytes += Array("\\u".utf8)
            for shift in [12, 8, 4, 0] {
              let digit = UInt8(unit >> UInt16(shift) & 0xF)
              bytes.append(digit < 10 ? 0x30 + digit : 0x57 + digit)
            }
          }
        default: bytes += Array(String(scalar).utf8)
        }
      }
    }
    bytes.append(UInt8(ascii: "\""))
    return bytes
  }
}
