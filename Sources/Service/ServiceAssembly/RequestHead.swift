import HTTPTypes
import NIOHTTP1
import WebSupport

/// The head of a request that is one of this interface: what the parser lets through and two programs may read differently
/// is refused, since that difference is what smuggling lives on (RFC 9112, 11.2).
struct RequestHead {
  /// The client waits for leave to send its body.
  let expectsContinue: Bool
  /// The client asks for another protocol on this connection, which is not given.
  let asksForAnotherProtocol: Bool

  /// Fields that a request has once: a second is a second opinion.
  private static let single: Set<String> = [
    "host", "content-length", "content-type", "content-encoding", "transfer-encoding", "authorization",
    "idempotency-key", "if-match", "if-none-match", "expect", "x-request-id",
  ]

  init(_ head: HTTPRequestHead, limits: ConnectionLimits) throws(Problem) {
    try Self.check(target: head, limits: limits)
    let isCurrent = head.version.major == 1 && head.version.minor >= 1
    var (hosts, expectation, coding, length, upgrade) = (0, nil as String?, nil as String?, nil as String?, false)
    var seen: Set<String> = []
    for (name, value) in head.headers {
      // Names of ours are ASCII; a field with another is passed on and read by nobody.
      let name = name.lowercased()
      guard Self.single.contains(name) || name == "upgrade" else { continue }
      if name != "upgrade", !seen.insert(name).inserted {
        throw Self.malformed("request.header_repeated", "The header \(name) is given once.")
      }
      switch name {
      case "host": hosts += value.isEmpty ? 0 : 1
      case "expect": expectation = value
      case "transfer-encoding": coding = value
      case "content-length": length = value
      case "upgrade": upgrade = true
      default: break
      }
    }
    if isCurrent, hosts == 0 {
      throw Self.malformed("request.host_missing", "A request of HTTP/1.1 names its host.")
    }
    if let coding {
      guard isCurrent, length == nil, coding.lowercased() == "chunked" else {
        throw Self.malformed("request.framing_malformed", "A body is of a stated length, or chunked and nothing else.")
      }
    }
    if let length {
      guard let bytes = Int64(length), bytes >= 0, length.utf8.allSatisfy({ (0x30...0x39).contains($0) }) else {
        throw Self.malformed("request.framing_malformed", "Content-Length is a number of bytes.")
      }
      guard bytes <= Int64(limits.bodyBytes) else { throw RequestGuard.tooLarge(limits.bodyBytes) }
    }
    if let expectation, expectation.lowercased() != "100-continue" {
      throw Problem(.expectationFailed, "request.expectation_unknown", "Only 100-continue is expected of this service.")
    }
    expectsContinue = expectation != nil && isCurrent && (coding != nil || (length ?? "0") != "0")
    asksForAnotherProtocol = upgrade || head.method == .CONNECT
  }

  /// A target is an absolute path, or an absolute URI of this protocol, of visible ASCII without a fragment.
  private static func check(target head: HTTPRequestHead, limits: ConnectionLimits) throws(Problem) {
    let target = head.uri.utf8
    guard target.count <= limits.targetBytes else { throw RequestGuard.targetTooLong(limits.targetBytes) }
    if head.method == .CONNECT {
      throw malformed("request.target_malformed", "This service is no proxy.")
    }
    guard head.uri.hasPrefix("/") || head.uri.hasPrefix("http://") || head.uri.hasPrefix("https://") || head.uri == "*",
      target.allSatisfy({ $0 > 0x20 && $0 < 0x7F && $0 != UInt8(ascii: "#") })
    else {
      throw malformed("request.target_malformed", "A request target is a path of visible ASCII characters.")
    }
  }

  private static func malformed(_ code: String, _ detail: String) -> Problem { Problem(.badRequest, code, detail) }
}
