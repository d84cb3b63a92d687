import Foundation
import PostgresHarness
import ServiceHarness
import StrictJSON
import Testing

/// A request that must be refused, and how.
struct BadCase: Sendable {
  let name: String
  let status: Int
  let method: String
  let target: String
  let headers: [(String, String)]
  let body: [UInt8]?
  /// What the answer's text must name.
  var naming: String?
  /// The exact Allow of a 405.
  var allow: String?
}

/// The parties and objects that bad requests are about.
struct BadInputStage: Sendable {
  let startup: Party
  let other: Party
  let lender: Party
  let request: String
  let cancelled: String
  let revoked: String
  let expired: String

  init(_ deployment: Deployment, _ service: Service) throws {
    startup = try deployment.enrol(service, "Startup", role: "startup")
    other = try deployment.enrol(service, "Another startup", role: "startup")
    lender = try deployment.enrol(service, "Lender", role: "lender")
    request = try deployment.post(service, "/v1/loan-requests", as: startup.key, Goods.request("kept")).text("id")
    cancelled = try deployment.post(service, "/v1/loan-requests", as: startup.key, Goods.request("gone")).text("id")
    try deployment.post(service, "/v1/loan-requests/\(cancelled)/cancel", as: startup.key)
    let made = try deployment.post(
      service, "/v1/api-keys", as: deployment.admin,
      #"{"organization_id":"\#(startup.id)","roles":["startup"]}"#)
    revoked = try made.text("secret")
    try deployment.post(service, "/v1/api-keys/\(made.text("id"))/revoke", as: deployment.admin)
    expired = try deployment.post(
      service, "/v1/api-keys", as: deployment.admin,
      #"{"organization_id":"\#(startup.id)","roles":["startup"],"expires_at":"2020-01-01T00:00:00Z"}"#
    ).text("secret")
  }

  // MARK: making cases

  func post(
    _ name: String, _ status: Int, _ target: String = "/v1/loan-requests", as key: String? = nil,
    type: String? = "application/json", idempotency: String? = UUID().uuidString, headers: [(String, String)] = [],
    body: [UInt8], naming: String? = nil
  ) -> BadCase {
    var all = headers
    let key = key ?? startup.key
    if !key.isEmpty { all.append(("Authorization", "Bearer \(key)")) }
    if let type { all.append(("Content-Type", type)) }
    if let idempotency { all.append(("Idempotency-Key", idempotency)) }
    return BadCase(
      name: name, status: status, method: "POST", target: target, headers: all, body: body, naming: naming)
  }

  func request(
    _ name: String, _ status: Int, replacing old: String = "", with new: String = "", naming: String? = nil
  ) -> BadCase {
    post(name, status, body: Array(Goods.request("bad").replacing(old, with: new).utf8), naming: naming)
  }

  func lot(_ name: String, replacing old: String, with new: String, naming: String) -> BadCase {
    post(
      name, 422, "/v1/lots", as: lender.key, body: Array(Goods.lot("bad").replacing(old, with: new).utf8),
      naming: naming)
  }

  func plain(_ name: String, _ status: Int, _ method: String, _ target: String, allow: String? = nil) -> BadCase {
    BadCase(
      name: name, status: status, method: method, target: target,
      headers: [("Authorization", "Bearer \(startup.key)")], body: nil, allow: allow)
  }
}

extension BadInputStage {
  /// Not JSON as this interface takes it: 400.
  var malformed: [BadCase] {
    let good = Goods.request("bad")
    let utf16: [UInt8] = [0xFF, 0xFE] + good.utf16.flatMap { [UInt8($0 & 0xFF), UInt8($0 >> 8)] }
    return [
      post("cut off", 400, body: Array(good.utf8.dropLast(5))), post("no JSON at all", 400, body: Array("hello".utf8)),
      post("two values", 400, body: Array((good + good).utf8)),
      post("trailing comma", 400, body: Array((String(good.dropLast()) + ",}").utf8)),
      post("duplicate member", 400, body: Array((String(good.dropLast()) + #","quantity":8}"#).utf8)),
      post("byte order mark", 400, body: [0xEF, 0xBB, 0xBF] + Array(good.utf8)), post("UTF-16", 400, body: utf16),
      request("broken UTF-8", 400, replacing: "bad", with: "b\u{FFFD}d").replacingBytes(
        [0xEF, 0xBF, 0xBD], [0xC3, 0x28]),
      request("raw control character", 400, replacing: "bad", with: "b\u{07}d"),
      request("unpaired surrogate", 400, replacing: "bad", with: #"\ud800"#),
      post("deep nesting", 400, body: Array(String(repeating: "[", count: 100_000).utf8)),
      request("leading zero", 400, replacing: ":64,", with: ":064,"),
      request("NaN", 400, replacing: ":64,", with: ":NaN,"),
    ]
  }

  /// JSON, but never a valid request: 422 with the member named.
  var invalid: [BadCase] {
    var cases = [
      request(
        "unknown member", 422, replacing: #"{"workload""#, with: #"{"colour":"red","workload""#, naming: "/colour"),
      request("missing member", 422, replacing: #""term_days":180,"#, naming: "/term_days"),
      request("text for a number", 422, replacing: ":64,", with: #":"64","#, naming: "/quantity"),
      request("null", 422, replacing: ":64,", with: ":null,", naming: "/quantity"),
      request("unknown choice", 422, replacing: #""training""#, with: #""gambling""#, naming: "/workload"),
      request("no such date", 422, replacing: "2023-04-03", with: "2023-02-30", naming: "/start_on"),
      request("empty list", 422, replacing: #"["CN-north"]"#, with: "[]", naming: "/regions"),
      request("NUL in text", 422, replacing: "bad", with: #"a\u0000b"#, naming: "/end_use"),
      request("control character in text", 422, replacing: "bad", with: #"a\u001bb"#, naming: "/end_use"),
      request("long text", 422, replacing: "bad", with: String(repeating: "x", count: 10_000), naming: "/end_use"),
      request("unknown chip", 422, replacing: Goods.chip, with: "nvidia-none", naming: "chip_model_id"),
      post("empty body", 422, body: [], naming: "/quantity"), post("a list", 422, body: Array("[]".utf8)),
      post("a text", 422, body: Array(#""x""#.utf8)),
      post(
        "validate_only neither true nor false", 422, "/v1/loan-requests?validate_only=maybe",
        body: Array(Goods.request("bad").utf8)),
    ]
    let numbers = [
      "0", "-1", "1.5", "10000001", "9223372036854775807", "9223372036854775808", "-9223372036854775809", "1e400",
      "-1e400", "1E-400",
    ]
    for number in numbers {
      cases.append(request("quantity \(number)", 422, replacing: ":64,", with: ":\(number),", naming: "/quantity"))
      cases.append(
        request(
          "rate \(number)", 422, replacing: ":1400", with: ":\(number == "0" || number == "10000001" ? "-5" : number)",
          naming: "max_rate_bps"))
      cases.append(
        lot("price \(number)", replacing: "250000", with: number == "10000001" ? "-7" : number, naming: "/unit_cost"))
    }
    let good = Goods.lot("bad")
    for (name, operations, naming) in [
      ("batch of nothing", "[]", "/operations"), ("batch of texts", #"["/v1/lots"]"#, "/operations/0"),
      (
        "batch with a bad price", #"[{"path":"/v1/lots","body":\#(good.replacing("250000", with: "1e400"))}]"#,
        "/operations/0/body/unit_cost"
      ),
      ("batch in a batch", #"[{"path":"/v1/lots","body":\#(good)},{"path":"/v1/batches"}]"#, "/operations/1/path"),
      ("batch of nowhere", #"[{"path":"/v1/../../etc/passwd"}]"#, "/operations/0/path"),
      ("batch of a path with NUL", #"[{"path":"/v1/lots\u0000"}]"#, "/operations/0/path"),
      ("batch of a read", #"[{"path":"/v1/order-book"}]"#, "/operations/0/path"),
    ] {
      let body = Array("{\"operations\":\(operations)}".utf8)
      cases.append(post(name, 422, "/v1/batches", as: lender.key, body: body, naming: naming))
    }
    cases.append(lot("unknown currency", replacing: "USD", with: "usd", naming: "/unit_cost"))
    cases.append(lot("unknown country", replacing: #""CN""#, with: #""cn""#, naming: "/site"))
    return cases
  }

  /// What is wrong around the body.
  var envelope: [BadCase] {
    let good = Array(Goods.request("bad").utf8)
    let forged =
      startup.key.dropLast(9).dropLast() + (startup.key.dropLast(9).hasSuffix("0") ? "1" : "0") + startup.key.suffix(9)
    return [
      post("no idempotency key", 400, idempotency: nil, body: good),
      post("empty idempotency key", 400, idempotency: "", body: good),
      post("long idempotency key", 400, idempotency: String(repeating: "k", count: 256), body: good),
      post("idempotency key with a space", 400, idempotency: "a b", body: good),
      post("another media type", 415, type: "text/plain", body: good),
      post("no media type", 415, type: nil, body: good),
      post("compressed", 415, headers: [("Content-Encoding", "gzip")], body: good),
      post("no API key", 401, as: "", body: good), post("garbage as API key", 401, as: "garbage", body: good),
      post("forged API key", 401, as: String(forged), body: good),
      post("revoked API key", 401, as: revoked, body: good),
      post("expired API key", 401, as: expired, body: good),
      post("another scheme", 401, as: "", headers: [("Authorization", "Basic YTpi")], body: good),
      post("a lender requests chips", 403, as: lender.key, body: good),
      post(
        "a startup records an organisation", 403, "/v1/organizations",
        body: Array(#"{"legal_name":"X","jurisdiction":"CN","roles":["lender"]}"#.utf8)),
      post("cancelled twice", 409, "/v1/loan-requests/\(cancelled)/cancel", body: [], naming: "cancelled"),
      post("stale If-Match", 412, "/v1/loan-requests/\(request)/cancel", headers: [("If-Match", "\"v99\"")], body: []),
      post(
        "malformed If-Match", 412, "/v1/loan-requests/\(request)/cancel", headers: [("If-Match", "\"one\"")], body: []),
      plain("wrong method on a list", 405, "DELETE", "/v1/loan-requests", allow: "GET, HEAD, POST"),
      plain("wrong method on an object", 405, "PUT", "/v1/loan-requests/\(request)", allow: "GET, HEAD"),
      plain("wrong method on an act", 405, "GET", "/v1/loan-requests/\(request)/cancel", allow: "POST"),
      plain("wrong method on a probe", 405, "POST", "/livez", allow: "GET, HEAD"),
      plain("unknown path", 404, "GET", "/v1/nothing"), plain("path with dots", 404, "GET", "/v1/../../etc/passwd"),
      plain("malformed id", 404, "GET", "/v1/loan-requests/req_1"),
      plain("id of another noun", 404, "GET", "/v1/loan-requests/\(startup.id)"),
      plain("NUL in a path", 404, "GET", "/v1/loan-requests/%00"),
      plain("cursor made up", 422, "GET", "/v1/loan-requests?cursor=" + String(repeating: "0", count: 80)),
      plain("cursor of nonsense", 422, "GET", "/v1/loan-requests?cursor=%27%3B--"),
      plain("limit of nothing", 422, "GET", "/v1/loan-requests?limit=0"),
      plain("limit too high", 422, "GET", "/v1/loan-requests?limit=201"),
      plain("limit overflowing", 422, "GET", "/v1/loan-requests?limit=9223372036854775808"),
      plain("limit of words", 422, "GET", "/v1/loan-requests?limit=ten"),
      plain("filter with NUL", 422, "GET", "/v1/loan-requests?state=%00"),
    ]
  }
}

extension BadCase {
  fileprivate func replacingBytes(_ old: [UInt8], _ new: [UInt8]) -> BadCase {
    guard let body, let start = body.firstRange(of: old) else { return self }
    return BadCase(
      name: name, status: status, method: method, target: target, headers: headers,
      body: body[..<start.lowerBound] + new + body[start.upperBound...], naming: naming, allow: allow)
  }
}
