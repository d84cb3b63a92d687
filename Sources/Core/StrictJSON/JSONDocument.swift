/// A JSON text that passed every check of RFC 8259, and more: UTF-8 without a byte order mark, no member name twice in
/// one object, no unpaired surrogate, within its limits. General decoders let these through, and two readers of one
/// body then see two different amounts.
///
/// Linear in the size of the text whatever its content, and never traps. Numbers stay text until asked for: nothing
/// goes through binary floating point.
package struct JSONDocument: Sendable {
  /// The one value that the text holds.
  package let root: JSONNode

  /// - Throws: exactly one fault, the first one met, with `isSyntax` set; its detail names the byte offset.
  package init(parsing bytes: [UInt8], limits: JSONLimits = .request) throws(JSONFaults) {
    do throws(JSONFault) {
      guard bytes.count <= limits.maxBytes else {
        let detail = "the text has \(bytes.count) bytes; at most \(limits.maxBytes) are taken"
        throw JSONFault(pointer: "", code: JSONFaultCode.tooLarge, detail: detail)
      }
      let tape = try bytes.withUnsafeBufferPointer { source throws(JSONFault) in
        var parser = TapeParser(source: source, limits: limits)
        try parser.parse()
        return Tape(bytes: bytes, unescaped: parser.unescaped, entries: parser.entries)
      }
      root = JSONNode(tape: tape, index: 0)
    } catch {
      throw JSONFaults(faults: [error], isSyntax: true)
    }
  }
}
