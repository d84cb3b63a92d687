import HTTPTypes
import Hummingbird
import Operations
import Parties
import Persistence
import Primitives
import StrictJSON
import Synchronization

/// Runs a route to learn which command an operation of a batch is: within ``BatchItem/$current`` the gateway takes caller and
/// body from here, and instead of submitting what it parsed it notes it and throws ``BatchItem/Done``. So whatever a route
/// checks of its path, its body and its caller's scopes is checked here as well, by the same code.
package final class BatchItem: Sendable {
  @TaskLocal package static var current: BatchItem?

  package struct Done: Error {}

  /// Who posts the batch. What the key may be used for is asked again for each operation's own path.
  let principal: Principal
  let validateOnly: Bool
  /// A value of the batch's own document, so that its faults are named by pointers into that; nil for no body.
  private let body: JSONNode?
  /// Of the body, where there is none to say it.
  private let pointer: String
  /// Whether it is an act that waited for a second person, who is there: then it is done whatever batches take.
  let isHeld: Bool
  private let found = Mutex<Submission.Part?>(nil)
  private let secret = Mutex<(name: StaticString, value: String)?>(nil)

  package init(principal: Principal, validateOnly: Bool, body: JSONNode?, pointer: String, isHeld: Bool = false) {
    self.isHeld = isHeld
    self.principal = principal
    self.validateOnly = validateOnly
    self.body = body
    self.pointer = pointer
  }

  /// What the operation was found to be; nil when it threw something else than ``Done``.
  package var part: Submission.Part? { found.withLock { $0 } }

  /// What the answer to an act that was held shows once, beyond what is stored.
  package var shownOnce: (name: StaticString, value: String)? { secret.withLock { $0 } }

  func done(_ part: Submission.Part, shownOnce: (name: StaticString, value: String)? = nil) -> Done {
    found.withLock { $0 = part }
    secret.withLock { $0 = shownOnce }
    return Done()
  }

  /// As `Gateway.parse`, on the operation's own body.
  func parse<Value>(_ read: (inout ObjectReader) throws -> Value?) throws -> Value {
    do {
      var reader = ObjectReader(try body ?? JSONDocument(parsing: Array("{}".utf8)).root)
      let value = try read(&reader)
      try reader.finish()
      if let value { return value }
    } catch let faults as JSONFaults where body == nil {
      throw JSONFaults(
        faults: faults.faults.map { JSONFault(pointer: pointer + $0.pointer, code: $0.code, detail: $0.detail) },
        isSyntax: false, omitted: faults.omitted)
    }
    throw Problem(.unprocessableContent, "request.invalid", "The body does not describe a request.")
  }

  /// For routes that are more than one command: that show a secret, look at other rows first, or go over whole books.
  package static var notCombinable: Problem {
    Problem(.unprocessableContent, "batch.not_combinable", "is not done in a batch; post it by itself")
  }
}

extension Gateway {
  /// Whether a route's command is taken into batches.
  static func combines<C: Command>(
    _ command: C.Type, weight: CommandPipeline.Weight, showsSecret: Bool
  ) -> Bool {
    C.combines && weight == .light && !showsSecret
  }

  /// Runs what a batch's operations were found to be: all of them, or none.
  /// - Parameters:
  ///   - body: the whole request's, for its fingerprint.
  ///   - shownOnce: what the first answer says beyond what is stored.
  ///   - gather: makes the answer; that of a batch when nil.
  package func postTogether(
    _ parts: [Submission.Part], _ request: Request, _ context: ChipBridgeContext, by principal: Principal,
    body: [UInt8], shownOnce: (name: StaticString, value: String)? = nil,
    gather: (@Sendable (Submission.Gathered) -> StoredAnswer)? = nil
  ) async throws -> Response {
    let validateOnly = try validateOnly(request)
    let key = validateOnly ? nil : try idempotencyKey(request, principal, body)
    let submission = Submission(
      all: parts, by: principal, idempotency: key, validateOnly: validateOnly, requestID: context.id.description,
      gather: gather ?? { Self.answer($0, of: parts.count) })
    let answered = try await pipeline.submit(submission, weight: .heavy)
    guard let shownOnce, !answered.replayed, !validateOnly else { return Self.response(answered) }
    return Self.response(answered) { $0.field(shownOnce.name, shownOnce.value) }
  }

  /// One answer of all, as it is stored.
  static func answer(_ gathered: Submission.Gathered, of count: Int) -> StoredAnswer {
    switch gathered {
    case .done(let answers):
      var writer = JSONWriter(capacity: answers.reduce(32) { $0 + $1.body.count + 128 })
      writer.object { writer in
        writer.array("results", answers) { writer, answer in write(answer, to: &writer) }
      }
      return StoredAnswer(status: 200, headers: [("Content-Type", "application/json")], body: writer.bytes)
    case .refused(let position, let answer):
      // Of our own writing, so it parses.
      let title = try? JSONDocument(parsing: answer.body).root["title"]?.asString
      var problem = Problem(
        HTTPResponse.Status(code: answer.status, reasonPhrase: title ?? ""), "batch.refused",
        "The operation at /operations/\(position) was refused, so none of the \(count) was done. results says why.")
      problem.errors = errors(of: answer, at: position)
      let body = problem.body(requestID: nil) { writer in
        writer.array("results", 0..<count) { writer, index in
          write(index == position ? answer : notDone(because: position), to: &writer)
        }
      }
      return StoredAnswer(
        status: answer.status, headers: [("Content-Type", "application/problem+json")], body: body)
    }
  }

  /// What one operation came to: its status, what its headers would say, its body.
  static func write(_ answer: StoredAnswer, to writer: inout JSONWriter) {
    writer.object { writer in
      writer.field("status", answer.status)
      for (name, value) in answer.headers {
        if name == "Location" { writer.field("location", value) }
        if name == "ETag" { writer.field("etag", value) }
      }
      writer.rawField("body", answer.body)
    }
  }

  private static func notDone(because position: Int) -> StoredAnswer {
    let problem = Problem(
      HTTPResponse.Status(code: 424, reasonPhrase: "Failed Dependency"), "batch.not_done",
      "It was not done, since the operation at /operations/\(position) was refused.")
    return StoredAnswer(status: 424, headers: [], body: problem.body(requestID: nil))
  }

  /// The faults that a refusal names, as members of the batch; the operation itself where it names none.
  private static func errors(of answer: StoredAnswer, at position: Int) -> [Problem.Item] {
    let place = "/operations/\(position)"
    // Of our own writing, so it parses.
    guard let problem = try? JSONDocument(parsing: answer.body).root else { return [] }
    func text(_ node: JSONNode?, _ name: String) -> String { node?[name]?.asString ?? "" }
    var named: [Problem.Item] = []
    for item in problem["errors"]?.asArray.map(Array.init) ?? [] {
      named.append(
        Problem.Item(
          pointer: "\(place)/body\(text(item, "pointer"))", code: text(item, "code"), detail: text(item, "detail")))
    }
    if !named.isEmpty { return named }
    return [Problem.Item(pointer: place, code: text(problem, "code"), detail: text(problem, "detail"))]
  }
}
