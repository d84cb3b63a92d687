import HTTPTypes
import Hummingbird
import Operations
import Primitives

extension Gateway {
  /// As `post`, with a file as the body: authenticates, checks the key, reads the file whole, runs the command, answers.
  /// - Parameters:
  ///   - types: media types of the file.
  ///   - limit: bytes.
  ///   - command: parses the file into a command; a file at fault throws its refusal, and nothing is recorded of it.
  package func postFile<C: Command>(
    _ request: Request, _ context: ChipBridgeContext, types: Set<String>, limit: Int, render: Rendering<C.Outcome>,
    command: @Sendable ([UInt8], Posted) throws -> C
  ) async throws -> Response {
    if let probe = BodyProbe.current {
      throw probe.done(
        BodyProbe.Finding(
          kind: .upload, shape: nil, types: types.sorted(), mostBytes: limit, status: Int(render.status.code),
          combines: false, asksSecondPerson: false))
    }
    if BatchItem.current != nil { throw BatchItem.notCombinable }
    let principal = try await principal(of: request)
    let validateOnly = try validateOnly(request)
    let posted = posted(by: principal, ifVersion: try ifMatch(request), validateOnly: validateOnly)
    let body = try await collect(request, upTo: limit, types: types)
    let key = validateOnly ? nil : try idempotencyKey(request, principal, body)
    let submission = Submission(
      try command(body, posted), by: principal, idempotency: key, validateOnly: validateOnly,
      requestID: context.id.description, render: { render.answer($0) })
    return Self.response(try await pipeline.submit(submission, weight: .heavy))
  }
}
