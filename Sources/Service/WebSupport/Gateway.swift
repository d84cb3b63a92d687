import HTTPTypes
import Hummingbird
import NIOCore
import Operations
import Parties
import Persistence
import Primitives
import StrictJSON

/// The context of a request: the framework's own, nothing added; what a handler needs it gets as arguments.
package typealias ChipBridgeContext = BasicRequestContext

extension HTTPField.Name {
  package static let idempotencyKey = known("Idempotency-Key")
  package static let idempotencyReplayed = known("Idempotency-Replayed")
  package static let requestID = known("X-Request-Id")
  package static let traceParent = known("traceparent")
  package static let traceState = known("tracestate")

  /// A name of ours; that it is a token is a fact of this source.
  private static func known(_ text: String) -> HTTPField.Name {
    guard let name = HTTPField.Name(text) else { preconditionFailure("\(text) is not a field name") }
    return name
  }
}

/// What stands between a route and the pipeline or the reader: authentication, idempotency, strict bodies, paging.
package struct Gateway: Sendable {
  package let pipeline: CommandPipeline
  package let reader: Reader
  package let authenticator: Authenticator
  package let cursors: PageCursor
  /// How an act is answered that waits for a second person; nil in a deployment where one is enough.
  package let secondPerson: Rendering<HeldAct>?

  package init(
    pipeline: CommandPipeline, reader: Reader, authenticator: Authenticator, cursors: PageCursor,
    secondPerson: Rendering<HeldAct>? = nil
  ) {
    self.secondPerson = secondPerson
    self.pipeline = pipeline
    self.reader = reader
    self.authenticator = authenticator
    self.cursors = cursors
  }

  /// Who asks, where the key's scopes give this use.
  /// - Throws: 401 for no good key; `auth.scope_required`.
  package func principal(of request: Request) async throws -> Principal {
    if BodyProbe.current != nil { return BodyProbe.principal }
    let principal =
      if let item = BatchItem.current { item.principal } else {
        try await authenticator.principal(authorization: request.headers[.authorization])
      }
    if principal.scopes.isEmpty { return principal }
    // `/v1/loans/{id}`: the family is the second part.
    let family = request.uri.path.split(separator: "/").dropFirst().first
    let wanted = KeyScope(
      request.method == .get || request.method == .head ? .read : .write, of: family.map { String($0) })
    guard principal.scopes.permit(wanted) else { throw PartiesRefusal.scopeRequired(wanted) }
    return principal
  }

  // MARK: commands

  /// A posted command, parsed and told who posts it.
  package struct Posted: Sendable {
    package let principal: Principal
    /// The id in the path, where the route has one.
    package let ifVersion: Int64?
    package let validateOnly: Bool
    /// Whether acts that move money or change compliance are of two persons here.
    package let asksSecondPerson: Bool
  }

  /// How an answer is made from an outcome.
  package struct Rendering<Outcome: Sendable>: Sendable {
    package let status: HTTPResponse.Status
    package let location: @Sendable (Outcome) -> String?
    package let version: @Sendable (Outcome) -> Int64?
    package let write: @Sendable (Outcome, inout JSONWriter) -> Void

    package init(
      status: HTTPResponse.Status = .ok, location: @escaping @Sendable (Outcome) -> String? = { _ in nil },
      version: @escaping @Sendable (Outcome) -> Int64? = { _ in nil },
      write: @escaping @Sendable (Outcome, inout JSONWriter) -> Void
    ) {
      self.status = status
      self.location = location
      self.version = version
      self.write = write
    }

    /// The answer as it is stored: nothing in it may differ on a replay.
    func answer(_ result: Result<Outcome, any Error>) -> StoredAnswer {
      switch result {
      case .success(let outcome):
        var writer = JSONWriter(capacity: 1_536)
        write(outcome, &writer)
        var headers = [(name: "Content-Type", value: "application/json")]
        if let location = location(outcome) { headers.append(("Location", location)) }
        if let version = version(outcome) { headers.append(("ETag", "\"v\(version)\"")) }
        return StoredAnswer(status: Int(status.code), headers: headers, body: writer.bytes)
      case .failure(let error):
        let problem = Problem(any: error)
        return StoredAnswer(
          status: Int(problem.status.code), headers: [("Content-Type", "application/problem+json")],
          body: problem.body(requestID: nil))
      }
    }
  }

  /// Authenticates, checks the key, parses the body strictly, runs the command, answers.
  /// - Parameters:
  ///   - shownOnce: what the first answer says beyond what is stored, such as a secret; a replay does not repeat it.
  ///   - preview: members that an answer which changes nothing has besides.
  ///   - command: parses the body into a command; nil when it recorded faults.
  package func post<C: Command>(
    _ request: Request, _ context: ChipBridgeContext, weight: CommandPipeline.Weight = .light,
    limits: JSONLimits = .request, render: Rendering<C.Outcome>, shownOnce: (name: StaticString, value: String)? = nil,
    preview: (@Sendable (Principal) async throws -> (@Sendable (inout JSONWriter) -> Void)?)? = nil,
    command: @Sendable (inout ObjectReader, Posted) throws -> C?
  ) async throws -> Response {
    if let probe = BodyProbe.current {
      let posted = Posted(
        principal: BodyProbe.principal, ifVersion: nil, validateOnly: true, asksSecondPerson: false)
      throw probe.done(
        BodyProbe.Finding(
          kind: .command, shape: try BodyShape.traced { _ = try command(&$0, posted) }, types: [],
          mostBytes: limits.maxBytes, status: Int(render.status.code),
          combines: Self.combines(C.self, weight: weight, showsSecret: shownOnce != nil),
          asksSecondPerson: C.asksSecondPerson))
    }
    if let item = BatchItem.current {
      guard item.isHeld || Self.combines(C.self, weight: weight, showsSecret: shownOnce != nil) else {
        throw BatchItem.notCombinable
      }
      let posted = self.posted(
        by: try await principal(of: request), ifVersion: try ifMatch(request), validateOnly: item.validateOnly)
      let parsed = try item.parse { reader in try command(&reader, posted) }
      if !item.isHeld, posted.asksSecondPerson, parsed.asksSecondPerson { throw BatchItem.notCombinable }
      throw item.done(
        Submission.Part(parsed, by: posted.principal, render: { render.answer($0) }), shownOnce: shownOnce)
    }
    let principal = try await principal(of: request)
    let validateOnly = try validateOnly(request)
    let posted = posted(by: principal, ifVersion: try ifMatch(request), validateOnly: validateOnly)
    let body = try await collect(request, upTo: limits.maxBytes)
    let parsed = try Self.parse(body, limits: limits) { reader in try command(&reader, posted) }
    let key = validateOnly ? nil : try idempotencyKey(request, principal, body)
    if posted.asksSecondPerson, parsed.asksSecondPerson, !validateOnly, let secondPerson {
      // As the router reads it, which passes over empty parts.
      let path = request.uri.path.split(separator: "/").map { "/" + $0 }.joined()
      let held = HoldAct(parsed, path: path, body: body, ifVersion: posted.ifVersion)
      let submission = Submission(
        held, by: principal, idempotency: key, requestID: context.id.description, render: { secondPerson.answer($0) })
      return Self.response(try await pipeline.submit(submission, weight: weight))
    }
    let submission = Submission(
      parsed, by: principal, idempotency: key, validateOnly: validateOnly, requestID: context.id.description,
      render: { render.answer($0) })
    let answered = try await pipeline.submit(submission, weight: weight)
    if validateOnly, answered.answer.status < 300, let preview, let members = try await preview(principal) {
      return Self.response(answered, besides: members)
    }
    guard let shownOnce, !answered.replayed else { return Self.response(answered) }
    return Self.response(answered) { $0.field(shownOnce.name, shownOnce.value) }
  }

  func posted(by principal: Principal, ifVersion: Int64?, validateOnly: Bool) -> Posted {
    Posted(
      principal: principal, ifVersion: ifVersion, validateOnly: validateOnly,
      asksSecondPerson: principal.isStaff && secondPerson != nil)
  }

  /// For routes that look at more than the body before they post: says what the body is, where that is asked.
  package func describe(
    _ status: HTTPResponse.Status = .ok, limits: JSONLimits = .request, _ read: (inout ObjectReader) throws -> Void
  ) throws {
    if BatchItem.current != nil { throw BatchItem.notCombinable }
    guard let probe = BodyProbe.current else { return }
    throw probe.done(
      BodyProbe.Finding(
        kind: .command, shape: try BodyShape.traced(read), types: [], mostBytes: limits.maxBytes,
        status: Int(status.code), combines: false, asksSecondPerson: false))
  }

  /// An empty body stands for an empty object.
  package static func parse<Value>(
    _ body: [UInt8], limits: JSONLimits = .request, _ read: (inout ObjectReader) throws -> Value?
  ) throws -> Value {
    if let probe = BodyProbe.current {
      throw probe.done(
        BodyProbe.Finding(
          kind: .calculation, shape: try BodyShape.traced { _ = try read(&$0) }, types: [], mostBytes: limits.maxBytes,
          status: 200, combines: false, asksSecondPerson: false))
    }
    let document = try JSONDocument(parsing: body.isEmpty ? Array("{}".utf8) : body, limits: limits)
    var reader = ObjectReader(document)
    let value = try read(&reader)
    try reader.finish()
    guard let value else {
      throw Problem(.unprocessableContent, "request.invalid", "The body does not describe a request.")
    }
    return value
  }

  /// - Parameter besides: members that the answer has beyond what is stored.
  static func response(_ answered: Answered, besides: ((inout JSONWriter) -> Void)? = nil) -> Response {
    let answer = answered.answer
    var body = answer.body
    if let besides, answer.status < 300 { body = adding(besides, to: body) }
    var fields = HTTPFields()
    for (name, value) in answer.headers {
      if let name = fieldName(name) { fields.append(HTTPField(name: name, value: value)) }
    }
    if answered.replayed { fields[.idempotencyReplayed] = "true" }
    return Response(
      status: HTTPResponse.Status(code: answer.status), headers: fields,
      body: ResponseBody(byteBuffer: ByteBuffer(bytes: body)))
  }

  /// The names that answers are stored with, each once; what is known need not be checked letter by letter again.
  private static func fieldName(_ name: String) -> HTTPField.Name? {
    switch name {
    case "Content-Type": .contentType
    case "Location": .location
    case "ETag": .eTag
    default: HTTPField.Name(name)
    }
  }

  package func validateOnly(_ request: Request) throws -> Bool {
    switch request.uri.queryParameters["validate_only"] {
    case nil, "false"?: return false
    case "true"?: return true
    default:
      throw Problem(.unprocessableContent, "request.invalid", "validate_only is true or false.")
    }
  }

  /// The version that an If-Match names.
  package func ifMatch(_ request: Request) throws -> Int64? {
    guard let text = request.headers[.ifMatch], text != "*" else { return nil }
    guard text.hasPrefix("\"v"), text.hasSuffix("\""), let version = Int64(text.dropFirst(2).dropLast()) else {
      throw Problem(.preconditionFailed, "request.precondition_failed", "If-Match names no version of this object.")
    }
    return version
  }

  func idempotencyKey(
    _ request: Request, _ principal: Principal, _ body: [UInt8]
  ) throws -> IdempotencyKey {
    guard var key = request.headers[.idempotencyKey] else {
      throw Problem(
        .badRequest, "idempotency.key_missing", "A POST that changes something needs the header Idempotency-Key.")
    }
    if key.utf8.count >= 2, key.hasPrefix("\""), key.hasSuffix("\"") { key = String(key.dropFirst().dropLast()) }
    guard (1...255).contains(key.utf8.count), key.utf8.allSatisfy({ $0 >= 0x21 && $0 <= 0x7E }) else {
      throw Problem(
        .badRequest, "idempotency.key_malformed", "Idempotency-Key is 1 to 255 visible ASCII characters.")
    }
    var fingerprint = CanonicalBytes()
    fingerprint.append(request.method.rawValue)
    fingerprint.append(request.uri.path)
    fingerprint.append(request.uri.query ?? "")
    fingerprint.append(SHA256Digest(of: body))
    return IdempotencyKey(organizationID: principal.organizationID, key: key, fingerprint: fingerprint.digest)
  }

  /// - Parameter types: the media types that are taken; JSON when nil.
  package func collect(
    _ request: Request, upTo limit: Int = JSONLimits.request.maxBytes, types: Set<String>? = nil
  ) async throws -> [UInt8] {
    if BodyProbe.current != nil { return [] }
    if let length = request.headers[.contentLength].flatMap({ Int64($0) }), length > Int64(limit) {
      throw Self.tooLarge(limit)
    }
    if let encoding = request.headers[.contentEncoding], encoding != "identity" {
      throw Problem(.unsupportedMediaType, "request.encoding_unsupported", "Bodies are taken uncompressed only.")
    }
    let buffer: ByteBuffer
    do { buffer = try await request.body.collect(upTo: limit) } catch is NIOTooManyBytesError {
      throw Self.tooLarge(limit)
    } catch let error as CancellationError {
      throw error
    } catch {
      // What breaks while a body is read is its framing: nothing of it reached a command.
      throw Problem(.badRequest, "request.malformed", "The body could not be read to its end.")
    }
    let bytes = Array(buffer.readableBytesView)
    if !bytes.isEmpty {
      let type = request.headers[.contentType] ?? ""
      if let types {
        guard types.contains(Self.plainType(type)) else {
          let known = types.sorted().joined(separator: " or ")
          throw Problem(.unsupportedMediaType, "request.media_type_unsupported", "This body is \(known).")
        }
        return bytes
      }
      guard type == "application/json" || Self.isJSON(type) else {
        throw Problem(.unsupportedMediaType, "request.media_type_unsupported", "Bodies are application/json.")
      }
    }
    return bytes
  }

  /// With parameters, spaces or capitals: rarer than the plain name, and dearer to look at.
  private static func isJSON(_ type: String) -> Bool { plainType(type) == "application/json" }

  /// The type without its parameters, in lower case.
  private static func plainType(_ type: String) -> String {
    type.prefix { $0 != ";" }.lowercased().filter { !$0.isWhitespace }
  }

  private static func tooLarge(_ limit: Int) -> Problem {
    Problem(.contentTooLarge, "request.too_large", "This body is at most \(limit) bytes.")
  }
}
