import StrictJSON
import Traces

/// The body of an export in the JSON of OTLP 1.x: identities in hexadecimal, integers of 64 bits as strings, enumerations as
/// numbers, names in lower camel case.
enum ExportRequest {
  /// Bytes of one text; what a statement or route is called is far shorter.
  private static let longestText = 512

  static func body(of spans: [SpanRecord], service: String) -> [UInt8] {
    var writer = JSONWriter(capacity: 256 + spans.count * 640)
    writer.object { writer in
      writer.array("resourceSpans", [spans]) { writer, spans in
        writer.object { writer in
          writer.object("resource") { writer in
            write(
              [SpanAttribute("service.name", service), SpanAttribute("telemetry.sdk.language", "swift")], to: &writer)
          }
          writer.array("scopeSpans", [spans]) { writer, spans in
            writer.object { writer in
              writer.object("scope") { $0.field("name", "chipbridge") }
              writer.array("spans", spans) { writer, span in writer.object { write(span, to: &$0) } }
            }
          }
        }
      }
    }
    return writer.bytes
  }

  private static func write(_ span: SpanRecord, to writer: inout JSONWriter) {
    writer.field("traceId", span.trace.description)
    writer.field("spanId", hexadecimal(span.id))
    if let parent = span.parent { writer.field("parentSpanId", hexadecimal(parent)) }
    if let state = span.state { writer.field("traceState", state.text) }
    // Sampled, as all that are exported are.
    writer.field("flags", 1)
    writer.field("name", cut(span.name))
    writer.field("kind", span.kind.rawValue)
    writer.field("startTimeUnixNano", String(span.began))
    writer.field("endTimeUnixNano", String(max(span.ended, span.began)))
    var attributes = span.attributes
    if let error = span.error { attributes.append(SpanAttribute("error.type", error)) }
    write(attributes, to: &writer)
    if !span.links.isEmpty {
      writer.array("links", span.links) { writer, link in
        writer.object { writer in
          writer.field("traceId", link.trace.description)
          writer.field("spanId", hexadecimal(link.span))
          if let state = link.state { writer.field("traceState", state.text) }
          writer.field("flags", 1)
        }
      }
    }
    // 2 is an error; a span that went well says nothing of it.
    if span.error != nil { writer.object("status") { $0.field("code", 2) } }
  }

  private static func write(_ attributes: [SpanAttribute], to writer: inout JSONWriter) {
    writer.array("attributes", attributes) { writer, attribute in
      writer.object { writer in
        writer.field("key", attribute.name)
        writer.object("value") { writer in
          switch attribute.value {
          case .text(let text): writer.field("stringValue", cut(text))
          case .integer(let integer): writer.field("intValue", String(integer))
          }
        }
      }
    }
  }

  private static func cut(_ text: String) -> String {
    text.utf8.count <= longestText ? text : String(decoding: text.utf8.prefix(longestText), as: UTF8.self)
  }
}
