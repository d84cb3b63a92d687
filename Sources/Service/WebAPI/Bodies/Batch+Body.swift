import StrictJSON

private let expectedPath: StaticString = "the path of a POST of this interface without a query, such as /v1/lots"

extension JSONLimits {
  /// For a batch: as long as one body, and as many values as its operations may have between them.
  package static let batch = JSONLimits(maxBytes: 1 << 20, maxMembers: 50_000)
}

/// Operations that are done together: all of them, or none.
package struct BatchBody: Sendable {
  package struct Operation: Sendable {
    package let path: String
    /// Judged by the route of the path.
    package let body: JSONNode?
    /// As the header field of that name.
    package let ifMatch: String?
  }

  package static let mostOperations = 100
  package let operations: [Operation]

  package static func parse(_ reader: inout ObjectReader) -> BatchBody? {
    let operations = reader.objects("operations", count: 1...mostOperations) { reader -> Operation? in
      let path = reader.parsed("path", expected: expectedPath, bytes: 1...200) { isPath($0) ? $0 : nil }
      let body = reader.optional("body")
      let ifMatch = reader.optionalString("if_match", bytes: 1...32)
      return path.map { Operation(path: $0, body: body, ifMatch: ifMatch) }
    }
    return operations.map { BatchBody(operations: $0) }
  }

  /// The characters that paths of ours are made of; nothing escaped, so that it reads one way only.
  private static func isPath(_ text: String) -> Bool {
    text.hasPrefix("/v1/")
      && isWord(text) { byte in
        byte == UInt8(ascii: "/") || byte == UInt8(ascii: "-") || byte == UInt8(ascii: "_") || byte == UInt8(ascii: ".")
      }
  }
}
