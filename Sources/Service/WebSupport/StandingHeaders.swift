import HTTPTypes

/// Header fields of every answer: this interface shows nothing in a browser, and says so.
package struct StandingHeaders: Sendable {
  package let fields: [HTTPField]

  /// - Parameter strictTransportSeconds: for how long browsers are to come by TLS only (RFC 6797); nil says nothing, as
  ///   behind a plain port.
  package init(strictTransportSeconds: Int64? = nil) {
    var fields = [
      HTTPField(name: .xContentTypeOptions, value: "nosniff"),
      HTTPField(name: .cacheControl, value: "no-store"),
      HTTPField(name: .contentSecurityPolicy, value: "default-src 'none'; frame-ancestors 'none'"),
      HTTPField(name: Self.known("Referrer-Policy"), value: "no-referrer"),
      HTTPField(name: Self.known("Cross-Origin-Resource-Policy"), value: "same-origin"),
    ]
    if let strictTransportSeconds {
      fields.append(
        HTTPField(name: .strictTransportSecurity, value: "max-age=\(strictTransportSeconds); includeSubDomains"))
    }
    self.fields = fields
  }

  /// As names and values.
  package var texts: [(String, String)] { fields.map { ($0.name.rawName, $0.value) } }

  /// A name of ours; that it is a token is a fact of this source.
  private static func known(_ text: String) -> HTTPField.Name {
    guard let name = HTTPField.Name(text) else { preconditionFailure("\(text) is not a field name") }
    return name
  }
}
