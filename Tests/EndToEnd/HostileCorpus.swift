import Foundation
import ServiceHarness

/// Bytes that a service must survive, and what it may answer.
struct HostileCase: Sendable {
  enum Verdict: Sendable {
    /// Refused: one answer from 400 to 499.
    case refused
    /// Refused with this status.
    case status(Int)
    /// Text of people may hold it: refused, or taken as it is.
    case taken
    /// Not HTTP as two programs would read it: at most one answer of 4xx, then the connection ends.
    case cut
    /// So many answers, none of them of the service's own failure.
    case answers(Int)
  }

  let name: String
  let bytes: [UInt8]
  let verdict: Verdict

  init(_ name: String, _ bytes: [UInt8], _ verdict: Verdict) {
    self.name = name
    self.bytes = bytes
    self.verdict = verdict
  }
}

/// What the corpus is about: keys and objects of a deployment.
struct HostileStage: Sendable {
  let admin: String
  let startup: Party
  let other: Party
  let lender: Party
  let lot: String
  let request: String
  /// A cursor of the list of loan requests that the other startup was given.
  let foreignCursor: String

  init(_ deployment: Deployment, _ service: Service) throws {
    admin = deployment.admin
    startup = try deployment.enrol(service, "Startup", role: "startup")
    other = try deployment.enrol(service, "Another startup", role: "startup")
    lender = try deployment.enrol(service, "Lender", role: "lender")
    lot = try deployment.post(service, "/v1/lots", as: lender.key, Goods.lot(of: 64)).text("id")
    request = try deployment.post(service, "/v1/loan-requests", as: startup.key, Goods.request("own")).text("id")
    for index in 0..<2 {
      try deployment.post(service, "/v1/loan-requests", as: other.key, Goods.request("foreign \(index)"))
    }
    foreignCursor = try RawHTTP(port: service.port).get("/v1/loan-requests?limit=1", as: other.key).text("next_cursor")
  }

  // MARK: making requests

  func raw(_ lines: [String], body: [UInt8] = []) -> [UInt8] {
    Array((lines.joined(separator: "\r\n") + "\r\n\r\n").utf8) + body
  }

  func post(
    _ path: String, as key: String, _ body: [UInt8], headers: [String] = [], type: String = "application/json"
  ) -> [UInt8] {
    raw(
      [
        "POST \(path) HTTP/1.1", "Host: test", "Authorization: Bearer \(key)", "Content-Type: \(type)",
        "Idempotency-Key: \(UUID().uuidString)", "Content-Length: \(body.count)",
      ] + headers, body: body)
  }

  func get(_ target: String, as key: String? = nil, headers: [String] = []) -> [UInt8] {
    raw(["GET \(target) HTTP/1.1", "Host: test", "Authorization: Bearer \(key ?? startup.key)"] + headers)
  }

  /// The ten bodies that matter most, as they would be taken.
  var bodies: [(path: String, key: String, text: String)] {
    let nobody = "00000000-0000-7000-8000-000000000000"
    return [
      ("/v1/loan-requests", startup.key, Goods.request("hostile")),
      ("/v1/lots", lender.key, Goods.lot(of: 64)),
      (
        "/v1/listings", lender.key,
        """
        {"lot_id":"\(lot)","quantity":8,"ask_rate_bps":900,"min_term_days":30,"max_term_days":730,"min_quantity":8,\
        "delivery_modes":["physical"],"advance_rate_bps":10000,"recall":{"notice_days":30}}
        """
      ),
      (
        "/v1/organizations", admin,
        """
        {"legal_name":"hostile","jurisdiction":"CN","roles":["lender"],\
        "owners":[{"name":"owner","share_bps":5000,"jurisdiction":"CN"}],"sites":[{"country":"CN","region":"CN-north"}]}
        """
      ),
      (
        "/v1/api-keys", admin,
        #"{"organization_id":"org_\#(nobody)","roles":["startup"],"expires_at":"2030-01-01T00:00:00Z"}"#
      ),
      (
        "/v1/reserve-plans", lender.key,
        #"{"chip_model_id":"\#(Goods.chip)","months":[{"month":"2023-05","quantity":8}]}"#
      ),
      (
        "/v1/funding-rounds", startup.key,
        """
        {"kind":"priced","name":"hostile","announced_on":"2023-04-01","amount":{"amount":100000,"currency":"USD"},\
        "pre_money":{"amount":900000,"currency":"USD"},"post_money":{"amount":1000000,"currency":"USD"},\
        "closings":[{"closed_on":"2023-04-01","net_new_cash":{"amount":100000,"currency":"USD"}}]}
        """
      ),
      (
        "/v1/cash-receipts", admin,
        """
        {"received_on":"2023-04-01","amount":{"amount":100000,"currency":"USD"},"source":"instalment",\
        "payer_organization_id":"org_\(nobody)","reference":"hostile"}
        """
      ),
      (
        "/v1/export-checks", startup.key,
        """
        {"chip_model_id":"\(Goods.chip)","quantity":8,"act":"lend","on":"2023-04-03",\
        "from_organization_id":"\(lender.id)","to_organization_id":"\(startup.id)",\
        "from_site":{"country":"CN","region":"CN-north"},"to_site":{"country":"CN","region":"CN-north"},\
        "delivery_mode":"physical","end_use":"hostile"}
        """
      ),
      ("/v1/settlement-runs", admin, #"{"job":"accrual","business_date":"2023-04-03"}"#),
    ]
  }
}

extension HostileStage {
  /// Each integer of each body, past what a machine word, or the field, holds.
  var integers: [HostileCase] {
    let numbers = [
      "9223372036854775808", "-9223372036854775808", "-9223372036854775809", "18446744073709551616",
      "340282366920938463463374607431768211456", "1e19", "1e308", "1e999999", "-1e999999", "0.5", "-1",
      String(repeating: "9", count: 4_000),
    ]
    return bodies.flatMap { path, key, text in
      text.matches(of: /:(\d+)/).flatMap { match in
        numbers.map { number in
          let body = text.replacingCharacters(in: match.output.1.startIndex..<match.output.1.endIndex, with: number)
          return HostileCase(
            "\(number.prefix(24)) at \(path) byte \(match.output.1.startIndex.utf16Offset(in: text))",
            post(path, as: key, Array(body.utf8)), .refused)
        }
      }
    }
  }

  /// Each of the ten bodies broken in the ways of JSON.
  var syntax: [HostileCase] {
    bodies.flatMap { path, key, text -> [HostileCase] in
      let good = Array(text.utf8)
      let broken: [(String, [UInt8])] = [
        ("cut off", good.dropLast(3)), ("comma at the end", good.dropLast() + Array(",}".utf8)),
        ("comment", good + Array("//".utf8)), ("two values", good + good),
        ("single quotes", Array(text.replacing("\"", with: "'").utf8)), ("byte order mark", [0xEF, 0xBB, 0xBF] + good),
        ("UTF-16", text.utf16.flatMap { [UInt8($0 & 0xFF), UInt8($0 >> 8)] }),
        ("UTF-32", text.unicodeScalars.flatMap { [UInt8($0.value & 0xFF), UInt8($0.value >> 8), 0, 0] }),
        ("NUL behind", good + [0]), ("deep lists", [UInt8](repeating: 0x5B, count: 200_000)),
        ("deep objects", Array(String(repeating: #"{"a":"#, count: 50_000).utf8)),
        (
          "first member twice",
          Array(text.replacing(/^\{("[a-z_]+":)/, with: { "{\($0.output.1)1,\($0.output.1)" }).utf8)
        ),
        ("member by an escaped name twice", Array((String(text.dropLast()) + #","\u0061":1,"a":2}"#).utf8)),
        ("no object", Array("[\(text)]".utf8)), ("null", Array("null".utf8)), ("NaN", Array("NaN".utf8)),
        ("Infinity", Array("-Infinity".utf8)), ("many members", Array(Self.manyMembers.utf8)),
        ("unknown privileged members", Array((String(text.dropLast()) + Self.privileged).utf8)),
        ("overlong encoding", Array(text.utf8.dropLast()) + Array(#","x":""#.utf8) + [0xC0, 0x80] + Array("\"}".utf8)),
        ("surrogates in UTF-8", Array(text.utf8.dropLast()) + Array(#","x":""#.utf8) + [0xED, 0xA0, 0x80, 0x22, 0x7D]),
      ]
      return broken.map { HostileCase("\($0.0) at \(path)", post(path, as: key, $0.1), .refused) }
    }
  }

  private static let privileged =
    #","id":"x","state":"verified","version":9,"organization_id":"org_x","verification":"verified","is_admin":true}"#
  private static let manyMembers = "{" + (0..<20_000).map { "\"m\($0)\":0" }.joined(separator: ",") + "}"

  /// Each text of each body replaced.
  var texts: [HostileCase] {
    let long = "e" + String(repeating: "\u{0301}", count: 100_000)
    let always: [(String, String)] = [
      ("NUL", #"a\u0000b"#), ("lone high surrogate", #"\ud800"#), ("lone low surrogate", #"\udc00x"#),
      ("surrogates reversed", #"\udc00\ud800"#), ("one grapheme of 200 KB", long), ("escape", #"\u001b[2J"#),
      ("line feed", #"a\nb"#), ("SQL", "'; drop table loans; --"),
      ("a number sign", String(repeating: "9", count: 30_000)),
    ]
    let perhaps: [(String, String)] = [
      ("bidirectional override", "a\u{202E}b"), ("decomposed", "cafe\u{0301}"), ("composed", "caf\u{E9}"),
      ("zero width", "a\u{200B}b"), ("template", "{{7*7}}${jndi:ldap://x}"), ("markup", "<script>alert(1)</script>"),
      ("formula", "=cmd|' /C calc'!A0"), ("percent", "%00%0d%0a"), ("path", "../../../../etc/passwd"),
    ]
    return bodies.flatMap { path, key, text in
      text.matches(of: /:"([^"]*)"/).flatMap { match in
        (always + perhaps).map { name, value in
          let isSure = always.contains { $0.0 == name } && name != "SQL" && name != "line feed"
          let body = text.replacingCharacters(in: match.output.1.startIndex..<match.output.1.endIndex, with: value)
          return HostileCase(
            "\(name) at \(path) byte \(match.output.1.startIndex.utf16Offset(in: text))",
            post(path, as: key, Array(body.utf8)), isSure ? .refused : .taken)
        }
      }
    }
  }
}

extension HostileStage {
  var headers: [HostileCase] {
    let good = Array(Goods.request("hostile").utf8)
    func with(_ name: String, _ lines: [String], _ verdict: HostileCase.Verdict = .refused) -> HostileCase {
      HostileCase(name, post("/v1/loan-requests", as: startup.key, good, headers: lines), verdict)
    }
    return [
      with("second Content-Length", ["Content-Length: \(good.count)"], .cut),
      with("second Host", ["Host: other"], .status(400)), with("second key", ["Idempotency-Key: x"], .status(400)),
      with("second Authorization", ["Authorization: Bearer \(admin)"], .status(400)),
      with("second Content-Type", ["Content-Type: text/plain"], .status(400)),
      with("second If-Match", ["If-Match: \"v1\"", "If-Match: \"v2\""], .status(400)),
      with("NUL in a value", ["X-A: a\u{0}b"], .cut), with("line feed in a value", ["X-A: a\nX-B: b"], .answers(1)),
      with("carriage return in a value", ["X-A: a\rb"], .cut), with("space in a name", ["X A: b"], .cut),
      with("space before the colon", ["X-A : b"], .cut), with("folded value", ["X-A: a", " b"], .cut),
      with("empty name", [": b"], .cut), with("no colon", ["nothing"], .cut), with("name of UTF-8", ["X-é: b"], .cut),
      with("long value", ["X-A: " + String(repeating: "a", count: 20_000)], .status(431)),
      with("much in all", (0..<40).map { "X-\($0): " + String(repeating: "a", count: 1_000) }, .status(431)),
      with("many fields", (0..<100).map { "X-\($0): b" }, .status(431)),
      with("long name", [String(repeating: "N", count: 20_000) + ": b"], .status(431)),
      with("gzip", ["Content-Encoding: gzip"], .status(415)),
      with("two codings", ["Content-Encoding: gzip, br"], .status(415)),
      with("expects another thing", ["Expect: 200-ok"], .status(417)),
      with("takes pictures only", ["Accept: image/png"], .status(406)),
      with("takes JSON no", ["Accept: application/json;q=0"], .status(406)),
      HostileCase(
        "a bomb of gzip",
        post(
          "/v1/loan-requests", as: startup.key, [0x1F, 0x8B, 8, 0, 0, 0, 0, 0] + [UInt8](repeating: 0, count: 5_000),
          headers: ["Content-Encoding: gzip"]), .status(415)),
      HostileCase(
        "no host", raw(["GET /livez HTTP/1.1"]), .status(400)),
      HostileCase("empty host", raw(["GET /livez HTTP/1.1", "Host:"]), .status(400)),
      HostileCase("XML", post("/v1/loan-requests", as: startup.key, good, type: "application/xml"), .status(415)),
      HostileCase(
        "form", post("/v1/loan-requests", as: startup.key, good, type: "a/b; application/json"), .status(415)),
      HostileCase(
        "another method by header",
        get("/v1/loan-requests/\(request)/cancel", headers: ["X-HTTP-Method-Override: POST"]), .status(405)),
      HostileCase("options", raw(["OPTIONS /v1/loan-requests HTTP/1.1", "Host: a"]), .status(405)),
      HostileCase("trace", raw(["TRACE /v1/loan-requests HTTP/1.1", "Host: a", "Cookie: secret"]), .status(405)),
    ]
  }

  var paths: [HostileCase] {
    let upper = request.uppercased()
    let targets = [
      "/v1/../../etc/passwd", "/v1/%2e%2e/%2e%2e/etc/passwd", "/v1/..%2f..%2fetc%2fpasswd", "/v1/loan-requests/%2e%2e",
      "/v1/loan-requests/%252e%252e", "/v1/loan-requests/..;/admin", "/v1/loan-requests/\(request)%00",
      "/v1/loan-requests/\(request)%2fcancel", "/v1/loan-requests/\(request)%20", "/v1/loan-requests/\(upper)",
      "/v1/loan-requests/\(request)x", "/v1/loan-requests/\(request.dropLast())", "/v1/loan-requests/-1",
      "/v1/loan-requests/\(lot)", "/v1/loans/\(request)", "/v1/lots/\(request)", "/v1/organizations/\(request)",
      "/v1/loan-requests/req_00000000-0000-0000-0000-000000000000", "/v1/loan-requests/%ff%fe", "/v1/loan-requests/%zz",
      "/v1/loan-requests/'%20or%20'1'='1", "/v1/loan-requests/{id}", "/v1/loan-requests/*", "/V1/loan-requests",
      "/v1/Loan-Requests", "/.env", "/.git/config", "/v1", "/", "/v2/loan-requests",
      "/v1/loan-requests/" + String(repeating: "a", count: 7_000), "/v1/" + String(repeating: "x/", count: 3_000),
      "/v1/chip-models/" + String(repeating: "%41", count: 1_000), "/v1/loans/loan_%E2%80%AE", "//v1//nothing", "*",
    ]
    return targets.map { HostileCase("path \($0.prefix(60))", get($0), .refused) } + [
      HostileCase("long path", get("/" + String(repeating: "a", count: 9_000)), .status(414)),
      HostileCase("very long path", get("/" + String(repeating: "a", count: 100_000)), .status(414)),
      HostileCase("path of UTF-8", get("/v1/é"), .status(400)),
      HostileCase("fragment", get("/v1/loan-requests#x"), .status(400)),
      HostileCase("another host's URI", get("ftp://other/v1/loan-requests"), .status(400)),
      HostileCase("tabulator in the path", get("/v1/loan\trequests"), .cut),
    ]
  }

  var queries: [HostileCase] {
    let list = "/v1/loan-requests?"
    let targets = [
      "limit=0", "limit=-1", "limit=201", "limit=99999999999999999999", "limit=1e2", "limit=0x10", "limit=%31%30a",
      "limit=+5", "limit=%D9%A1", "limit=", "cursor=", "cursor=\(String(repeating: "0", count: 80))", "cursor=../",
      "cursor=\(String(repeating: "f", count: 80))", "cursor=\(foreignCursor.uppercased())", "cursor=\(foreignCursor)0",
      "cursor=\(foreignCursor.dropLast())", "state=%00", "state=\(String(repeating: "a", count: 300))", "state=%0a",
      "cursor=%00", "limit=10%00",
    ]
    return targets.map { HostileCase("query \($0.prefix(50))", get(list + $0), .refused) } + [
      HostileCase("cursor of another list", get("/v1/offers?cursor=\(foreignCursor)"), .status(422)),
      // It says where to go on, and nothing of whose rows: those that come are the asker's own.
      HostileCase("cursor of another tenant", get(list + "cursor=\(foreignCursor)"), .answers(1)),
      HostileCase("repeated", get(list + "limit=10&limit=99999"), .answers(1)),
      HostileCase("array forms", get(list + "limit[]=10&state[$ne]=x"), .answers(1)),
      HostileCase("no such day", get("/v1/tax-rules?on=2023-02-30"), .refused),
      HostileCase("year of five digits", get("/v1/fx-rates?on=10000-01-01"), .refused),
      HostileCase("day of words", get("/v1/business-days?currency=USD&on=tomorrow"), .refused),
      HostileCase("currency of nonsense", get("/v1/business-days?currency=%27%3B--&on=2023-04-03"), .refused),
      HostileCase("many parameters", get(list + (0..<1_000).map { "a\($0)=1" }.joined(separator: "&")), .answers(1)),
    ]
  }

  var tokens: [HostileCase] {
    let key = startup.key
    let parts = key.split(separator: "_").map(String.init)
    let jwt = "eyJhbGciOiJub25lIiwidHlwIjoiSldUIn0.eyJzdWIiOiJhZG1pbiIsInJvbGVzIjpbImFkbWluIl19."
    let withoutSum = parts.dropLast().joined(separator: "_")
    let zeros = String(repeating: "0", count: 64)
    let zeroSecret = [parts[0], parts[1], zeros, parts[3]].joined(separator: "_")
    let otherID = other.key.split(separator: "_").map(String.init)[1]
    let mixed = [parts[0], otherID, parts[2], parts[3]].joined(separator: "_")
    var forged: [String] = [
      "", " ", key.uppercased(), key + "0", String(key.dropLast()), withoutSum, zeroSecret, mixed,
    ]
    forged += ["cbk_\(zeros.prefix(32))_\(zeros)_00000000", jwt, jwt + "x", "null", "undefined", "' or 1=1 --"]
    forged += [String(repeating: "A", count: 8_000), "\(key), Bearer \(admin)", "\u{e9}\(key)"]
    return forged.map { HostileCase("token \($0.prefix(40))", get("/v1/loan-requests", as: $0), .status(401)) } + [
      HostileCase("basic", raw(["GET /v1/lots HTTP/1.1", "Host: a", "Authorization: Basic YTpi"]), .status(401)),
      HostileCase("key as a cookie", raw(["GET /v1/lots HTTP/1.1", "Host: a", "Cookie: key=\(key)"]), .status(401)),
      HostileCase("key in the query", raw(["GET /v1/lots?access_token=\(key) HTTP/1.1", "Host: a"]), .status(401)),
    ]
  }
}
