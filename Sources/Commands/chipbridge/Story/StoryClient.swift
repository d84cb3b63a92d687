import AsyncHTTPClient
import Foundation
import NIOCore
import NIOHTTP1
import StrictJSON

/// Plays the story's parties over HTTP, as their own engineers would.
struct StoryClient: Sendable {
  let url: String
  private let http: HTTPClient
  /// Sets this playing apart from another on the same database.
  private let run: String
  private let counter: Counter
  /// Keys of two persons of the staff: what one of them asks for, the other agrees to where two are asked for.
  private let staff: [String]

  init(url: String, staff: [String] = []) {
    self.url = url
    self.staff = staff
    self.http = HTTPClient.shared
    self.run = UUID().uuidString.lowercased()
    self.counter = Counter()
  }

  private actor Counter {
    private var value = 0
    func next() -> Int {
      value += 1
      return value
    }
  }

  /// A POST with a fresh idempotency key. Where it is held for a second person, that one agrees, and the answer is what the
  /// act comes to.
  /// - Throws: `Failure` with the problem's words for any status of 400 and above.
  @discardableResult
  func post(_ path: String, as key: String, _ body: String = "{}") async throws -> JSONNode {
    var request = HTTPClientRequest(url: url + path)
    request.method = .POST
    request.headers.add(name: "Content-Type", value: "application/json")
    request.headers.add(name: "Idempotency-Key", value: "story-\(run)-\(await counter.next())")
    request.body = .bytes(ByteBuffer(string: body))
    let answer = try await send(request, path, as: key)
    guard answer["kind"]?.asString == "held_act", answer["state"]?.asString == "pending" else { return answer }
    guard let other = staff.first(where: { $0 != key }) else { throw Failure("\(path) waits for a second person.") }
    let agreed = try await post("/v1/approvals/\(answer.text("id"))/approve", as: other)
    // A secret is shown with the approval, once.
    return agreed["secret"] != nil ? agreed : try agreed.member("result").member("body")
  }

  func get(_ path: String, as key: String) async throws -> JSONNode {
    try await send(HTTPClientRequest(url: url + path), path, as: key)
  }

  private func send(_ request: HTTPClientRequest, _ path: String, as key: String) async throws -> JSONNode {
    var request = request
    request.headers.add(name: "Authorization", value: "Bearer \(key)")
    let response: HTTPClientResponse
    do { response = try await http.execute(request, timeout: .seconds(30)) } catch {
      throw Failure("\(url) does not answer: \(error)")
    }
    let body = try await response.body.collect(upTo: 16 << 20)
    let root = try JSONDocument(
      parsing: Array(body.readableBytesView), limits: JSONLimits(maxBytes: 16 << 20, maxMembers: 500_000)
    ).root
    guard response.status.code < 400 else {
      throw Failure(
        "\(path) answered \(response.status.code) \(root["code"]?.asString ?? ""): \(root["detail"]?.asString ?? "")")
    }
    return root
  }

  /// Plans a match round or a settlement run and waits for its end.
  /// - Parameter checker: the second person, who approves what waits for one.
  func complete(
    _ path: String, as key: String, _ body: String = "{}", approvedBy checker: String? = nil
  ) async throws -> JSONNode {
    let planned = try await post(path, as: key, body)
    let id = try planned.text("id")
    var approver = checker
    for _ in 0..<3_000 {
      let present = try await get("\(path)/\(id)", as: key)
      switch try present.text("state") {
      case "succeeded": return present
      case "failed", "cancelled":
        throw Failure("\(path)/\(id) failed: \(present["error"]?.asString ?? "without a reason")")
      default:
        if let checker = approver, present["approval"]?.asString == "awaited" {
          try await post("\(path)/\(id)/approve", as: checker)
          approver = nil
        }
        try await Task.sleep(for: .milliseconds(10))
      }
    }
    throw Failure("\(path)/\(id) did not end within half a minute.")
  }
}

extension JSONNode {
  /// A text member that the interface promises.
  func text(_ name: String) throws -> String {
    guard let text = self[name]?.asString else { throw Failure("An answer lacks \(name).") }
    return text
  }

  func number(_ name: String) throws -> Int64 {
    guard let number = self[name]?.asInteger else { throw Failure("An answer lacks \(name).") }
    return number
  }

  func member(_ name: String) throws -> JSONNode {
    guard let node = self[name] else { throw Failure("An answer lacks \(name).") }
    return node
  }

  /// `{"amount", "currency"}` as minor units.
  func money(_ name: String) throws -> Int64 { try member(name).number("amount") }

  var data: [JSONNode] { self["data"].map { Array($0.elements) } ?? [] }
}
