import HTTPTypes
import Hummingbird
import NIOCore
import Primitives
import StrictJSON
import Synchronization
import WebSupport

/// The interface, told to programs and to people.
extension WebAPI {
  /// Both without a key: what the interface is is no secret, and who has no key yet wants to read it first.
  func addDescriptionRoutes(_ routes: inout Routes) {
    let handlers = routes.handlers
    routes.get("/v1/openapi.json") { request, context in
      let pages = try await pages(handlers, request, context)
      return Self.page(request, pages.description, type: "application/json", tag: pages.tag)
    }
    routes.get("/docs") { request, context in
      let pages = try await pages(handlers, request, context)
      return Self.page(request, pages.reference, type: "text/html; charset=utf-8", tag: pages.tag)
    }
  }

  private static func page(_ request: Request, _ bytes: [UInt8], type: String, tag: String) -> Response {
    var fields = HTTPFields()
    fields[.contentType] = type
    fields[.eTag] = tag
    // The page has styles of its own and nothing else: no script, nothing from elsewhere.
    fields[.contentSecurityPolicy] =
      "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; frame-ancestors 'none'"
    if request.headers[.ifNoneMatch] == tag { return Response(status: .notModified, headers: fields) }
    return Response(status: .ok, headers: fields, body: ResponseBody(byteBuffer: ByteBuffer(bytes: bytes)))
  }

  /// Made once in the life of the process, when they are first asked for.
  private func pages(
    _ handlers: [Routes.Registered], _ request: Request, _ context: ChipBridgeContext
  ) async throws -> DescriptionCache.Pages {
    if let made = described.pages.withLock({ $0 }) { return made }
    let description = APIDescription(
      operations: try await operations(handlers, request, context), known: try APIDescription.answers())
    let document = description.document()
    let made = DescriptionCache.Pages(
      description: document, reference: Array(ReferencePage(description).html().utf8),
      tag: "\"\(SHA256Digest(of: document).description.prefix(32))\"")
    described.pages.withLock { $0 = made }
    return made
  }

  /// What each route takes, from the route itself.
  func operations(
    _ handlers: [Routes.Registered], _ request: Request, _ context: ChipBridgeContext
  ) async throws -> [APIDescription.Operation] {
    var operations: [APIDescription.Operation] = []
    for registered in handlers {
      let contract = registered.contract
      guard contract.method == .post else {
        operations.append(.init(contract: contract, body: nil))
        continue
      }
      let asked = Request(
        head: HTTPRequest(method: .post, scheme: "http", authority: "localhost", path: contract.template),
        body: .init(buffer: ByteBuffer()))
      let probe = BodyProbe()
      // A route that asks for no body ends otherwise: it finds nothing at the ids of the probe.
      _ = try? await BodyProbe.$current.withValue(probe) { try await registered.bare(asked, context) }
      let finding = probe.finding
      // A description that says other than the route does is not given.
      guard finding.map({ $0.kind == contract.kind }) ?? (contract.kind == .calculation) else {
        throw DescriptionFault(operation: contract.operationID, found: finding?.kind)
      }
      operations.append(.init(contract: contract, body: finding))
    }
    return operations
  }
}

/// The contract calls a route other than what it was found to be.
struct DescriptionFault: Error {
  let operation: String
  let found: OperationContract.Kind?
}

/// What was made of the description.
final class DescriptionCache: Sendable {
  struct Pages: Sendable {
    let description: [UInt8]
    let reference: [UInt8]
    let tag: String
  }

  let pages = Mutex<Pages?>(nil)
}
