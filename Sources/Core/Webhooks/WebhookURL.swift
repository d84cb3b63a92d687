/// Where a webhook is sent, as far as its text tells: an `https` address by name on a port that is for the web.
///
/// Addresses by number are refused, in whatever form programs take them: nobody has a certificate for one, and the forms are
/// how filters are got round. The one exception is a loopback address where a sandbox allows it.
package struct WebhookURL: Sendable, Hashable {
  package let text: String
  package let isSecure: Bool
  /// In lower case; of an address of version 6 without its brackets.
  package let host: String
  package let port: Int
  /// With the query; at least `/`.
  package let target: String

  /// What is wrong with a text; each is a sentence.
  package enum Fault: String, Error, Sendable, Hashable {
    case malformed = "It is no URL of printable ASCII characters, at most 2048 bytes, without a fragment."
    case scheme = "Its scheme is https."
    case userInfo = "It carries no user name and no password."
    case port = "Its port is 443, 4443, 8443 or 9443."
    case address = "Its host is a name, not an address."
    case internalName = "Its host is a name of the public internet."
  }

  package static let ports: Set<Int> = [443, 4_443, 8_443, 9_443]
  /// Ends of names that no public resolver knows (RFC 6761, 6762, 7686, 8375, 9476), and those that clouds and clusters use
  /// inside.
  private static let internalEnds: Set<Substring> = [
    "localhost", "local", "internal", "intranet", "lan", "home", "corp", "private", "test", "invalid", "example",
    "onion", "alt", "arpa", "localdomain", "cluster",
  ]

  /// - Parameter allowsLoopback: `http` and any port are taken too, where the host is a loopback address in canonical form.
  package init(_ text: String, allowsLoopback: Bool = false) throws(Fault) {
    guard text.utf8.count <= 2_048, text.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F }),
      !text.utf8.contains(where: {
        [
          UInt8(ascii: "\\"), UInt8(ascii: "#"), UInt8(ascii: "<"), UInt8(ascii: ">"),
          UInt8(ascii: "\""), UInt8(ascii: "^"), UInt8(ascii: "`"), UInt8(ascii: "{"), UInt8(ascii: "}"),
          UInt8(ascii: "|"),
        ].contains($0)
      })
    else { throw .malformed }
    let parts = text.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
    guard parts.count == 2, parts[1].hasPrefix("//") else { throw .malformed }
    let scheme = parts[0].lowercased()
    let rest = parts[1].dropFirst(2)
    let authority = rest.prefix { $0 != "/" && $0 != "?" }
    guard scheme == "https" || (scheme == "http" && allowsLoopback) else { throw .scheme }
    guard !authority.contains("@") else { throw .userInfo }
    let (name, given) = try Self.split(authority)
    let isLoopback = allowsLoopback && (InternetAddress(name)?.isLoopback ?? false)
    guard isLoopback || scheme == "https" else { throw .scheme }
    isSecure = scheme == "https"
    port = given ?? (isSecure ? 443 : 80)
    guard isLoopback ? (1...65_535).contains(port) : Self.ports.contains(port) else { throw .port }
    if !isLoopback { try Self.check(name: name) }
    host = name
    let path = rest.dropFirst(authority.count)
    target = path.isEmpty ? "/" : path.hasPrefix("?") ? "/" + path : String(path)
    self.text = text
  }

  private static func split(_ authority: Substring) throws(Fault) -> (name: String, port: Int?) {
    var name = authority
    var port: Int?
    if authority.hasPrefix("[") {
      guard let end = authority.firstIndex(of: "]") else { throw .malformed }
      name = authority[authority.index(after: authority.startIndex)..<end]
      guard name.contains(":") else { throw .malformed }
      let after = authority[authority.index(after: end)...]
      if !after.isEmpty { port = try number(after.dropFirst(), hasColon: after.hasPrefix(":")) }
    } else if let colon = authority.firstIndex(of: ":") {
      name = authority[..<colon]
      port = try number(authority[authority.index(after: colon)...], hasColon: true)
    }
    guard !name.isEmpty else { throw .malformed }
    return (name.lowercased(), port)
  }

  private static func number(_ text: Substring, hasColon: Bool) throws(Fault) -> Int {
    guard hasColon, (1...5).contains(text.utf8.count), text.utf8.allSatisfy({ (0x30...0x39).contains($0) }),
      let value = Int(text)
    else { throw .malformed }
    return value
  }

  /// A name of at least two labels, the last of which is no number in any notation and none of the internal ends.
  private static func check(name: String) throws(Fault) {
    guard !name.contains(":") else { throw .address }
    // A last dot only says that the name is whole.
    let labels = (name.hasSuffix(".") ? name.dropLast() : name[...]).split(
      separator: ".", omittingEmptySubsequences: false)
    guard let last = labels.last, !last.isEmpty else { throw .malformed }
    if last.utf8.allSatisfy({ (0x30...0x39).contains($0) }) || last.hasPrefix("0x") { throw .address }
    guard labels.count >= 2, !internalEnds.contains(last) else { throw .internalName }
    for label in labels {
      guard (1...63).contains(label.utf8.count), !label.hasPrefix("-"), !label.hasSuffix("-"),
        label.utf8.allSatisfy({ (0x61...0x7A).contains($0) || (0x30...0x39).contains($0) || $0 == 0x2D })
      else { throw .malformed }
    }
    guard name.utf8.count <= 253 else { throw .malformed }
  }
}
