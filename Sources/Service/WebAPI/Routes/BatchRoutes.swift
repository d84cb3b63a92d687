import HTTPTypes
import Hummingbird
import NIOCore
import Operations
import Parties
import StrictJSON
import Synchronization
import WebSupport

extension WebAPI {
  /// Several commands in one transaction. Added after all others: those before it are what a batch can be made of.
  func addBatchRoutes(_ routes: inout Routes) {
    let dispatcher = BatchDispatcher(routes)
    routes.post("/v1/batches") { request, context in
      try gateway.describe(limits: .batch) { _ = BatchBody.parse(&$0) }
      let principal = try await gateway.principal(of: request)
      let validateOnly = try gateway.validateOnly(request)
      let bytes = try await gateway.collect(request, upTo: JSONLimits.batch.maxBytes)
      let batch = try Gateway.parse(bytes, limits: .batch) { BatchBody.parse(&$0) }
      let standing = try charge(batch, dispatcher, to: principal)
      let parts: [Submission.Part]
      do {
        parts = try await dispatcher.parts(of: batch, context, by: principal, validateOnly: validateOnly)
      } catch var problem as Problem {
        problem.headers.append((.rateLimit, standing.text))
        throw problem
      }
      var response = try await gateway.postTogether(parts, request, context, by: principal, body: bytes)
      response.headers[.rateLimit] = standing.text
      if !validateOnly { workPlanned() }
      return response
    }
  }

  /// As many requests as there are operations; the one that carried them is counted already.
  private func charge(
    _ batch: BatchBody, _ dispatcher: BatchDispatcher, to principal: Principal
  ) throws -> RateLimiter.Standing {
    var expensive: [RateLimiter.Class: Int64] = [:]
    for operation in batch.operations {
      guard let template = dispatcher.table.template(of: operation.path, .post) else { continue }
      if let kind = RateLimiter.Class(template) { expensive[kind, default: 0] += 1 }
    }
    let verdict = limiter.charge(
      Int64(batch.operations.count - 1), expensive, key: principal.credential, of: principal.organizationID,
      now: limiter.now)
    switch verdict {
    case .admitted(let standing): return standing
    case .refused(let standing, let retryAfter):
      var problem = Problem(quota: standing, retryAfter: retryAfter)
      problem.headers.append((.rateLimit, standing.text))
      throw problem
    case .crowded: throw Problem(.tooManyRequests, "request.too_many_at_once", "Too many requests are under way.")
    }
  }
}

/// Finds the routes of a batch's operations and runs them up to their commands.
struct BatchDispatcher: Sendable {
  let table: RouteTable
  private let responder: any HTTPResponder<ChipBridgeContext>

  /// What was thrown by the route, which the framework would make an answer of.
  private final class Ended: Sendable {
    @TaskLocal static var current: Ended?
    private let kept = Mutex<(any Error)?>(nil)

    var error: (any Error)? {
      get { kept.withLock { $0 } }
      set { kept.withLock { $0 = newValue } }
    }
  }

  init(_ routes: Routes) {
    table = routes.table
    let router = Router(context: ChipBridgeContext.self)
    for route in routes.handlers where route.contract.kind == .command {
      let (path, run) = (RouterPath(route.contract.template), route.bare)
      router.on(path, method: .post) { request, context in
        do { _ = try await run(request, context) } catch { Ended.current?.error = error }
        return Response(status: .ok)
      }
    }
    responder = router.buildResponder()
  }

  /// The commands of all operations.
  /// - Throws: a problem that names what is wrong with any of them.
  func parts(
    of batch: BatchBody, _ context: ChipBridgeContext, by principal: Principal, validateOnly: Bool
  ) async throws -> [Submission.Part] {
    var parts: [Submission.Part] = []
    var faults = BatchFaults()
    for (index, operation) in batch.operations.enumerated() {
      let place = "/operations/\(index)"
      let item = BatchItem(
        principal: principal, validateOnly: validateOnly, body: operation.body, pointer: "\(place)/body")
      do {
        parts.append(try await part(path: operation.path, ifMatch: operation.ifMatch, item, context))
      } catch let problem as Problem where problem.code == BatchItem.notCombinable.code {
        faults.add(problem, at: "\(place)/path")
      } catch {
        faults.add(error, at: place)
      }
    }
    if let problem = faults.problem { throw problem }
    return parts
  }

  /// The command of one operation.
  /// - Parameter ifMatch: as in the header.
  func part(
    path: String, ifMatch: String?, _ item: BatchItem, _ context: ChipBridgeContext
  ) async throws -> Submission.Part {
    guard let template = table.template(of: path, .post) else {
      throw Problem(.unprocessableContent, BatchItem.notCombinable.code, "is no path that takes POST")
    }
    // Neither a batch in a batch, nor what changes nothing, nor a file.
    guard Contract.index[Contract.Key(method: .post, template: template)]?.kind == .command else {
      throw BatchItem.notCombinable
    }
    var fields = HTTPFields()
    fields[.ifMatch] = ifMatch
    let request = Request(
      head: HTTPRequest(
        method: .post, scheme: "http", authority: "localhost", path: path, headerFields: fields),
      body: .init(buffer: ByteBuffer()))
    // The batch keeps its own name in logs and metrics.
    var context = context
    context.coreContext.endpointPath = EndpointPath()
    let ended = Ended()
    _ = try await BatchItem.$current.withValue(item) { [context] in
      try await Ended.$current.withValue(ended) { try await responder.respond(to: request, context: context) }
    }
    if let part = item.part { return part }
    throw ended.error ?? BatchItem.notCombinable
  }
}

/// What is wrong with the operations of a batch, told at once.
struct BatchFaults {
  /// Items that are told; the rest are only counted.
  private static let most = 100
  private var items: [Problem.Item] = []
  private var count = 0
  /// Of the first fault: all of a batch's have one status.
  private var first: Problem?

  /// - Parameter place: the operation, or the member of it at fault where the problem names none.
  mutating func add(_ error: any Error, at place: String) {
    let problem = Problem(any: error)
    first = first ?? problem
    let named =
      (error as? JSONFaults).map { _ in problem.errors }
      ?? [Problem.Item(pointer: place, code: problem.code, detail: problem.detail)]
    count += (error as? JSONFaults).map { $0.faults.count + $0.omitted } ?? 1
    items += named.prefix(max(0, Self.most - items.count))
  }

  var problem: Problem? {
    guard let first else { return nil }
    var problem = Problem(
      first.status, first.status == .unprocessableContent ? "request.invalid" : first.code,
      count == 1
        ? "The batch has a fault, and nothing of it was done: \(items.first?.pointer ?? "") \(items.first?.detail ?? "")"
        : "The batch has \(count) faults, and nothing of it was done.")
    problem.errors = items
    problem.headers = first.headers
    return problem
  }
}
