import Hummingbird
import Operations
import Parties
import Persistence
import Primitives
import StrictJSON
import WebSupport

extension WebAPI {
  /// Does what was held, as the request that asked for it says, together with the approval. The checker's key must be good for
  /// that request too: its scopes are asked, its duty, and every rule of the act as it stands now.
  func approveHeld(
    _ request: Request, _ context: ChipBridgeContext, _ approval: Approval, _ dispatcher: BatchDispatcher
  ) async throws -> Response {
    let principal = try await gateway.principal(of: request)
    let validateOnly = try gateway.validateOnly(request)
    let body = try await gateway.collect(request, upTo: JSONLimits.request.maxBytes)
    _ = try Gateway.parse(body) { EmptyBody.parse(&$0) }
    let ifVersion = try gateway.ifMatch(request)
    let rows = try await gateway.reader.run([Tables.heldActs.rows(by: [approval.subject])], as: principal)[0]
    guard let act = try Tables.heldActs.decode(rows).first else { throw PartiesRefusal.notFound("approval") }
    // Before the request is looked at: what is wrong with it is for those to know who may decide it.
    try principal.require(duty: act.duty)
    // Within the limits of its own route it was parsed already.
    let limits = JSONLimits(maxBytes: act.body.utf8.count, maxMembers: 1_000_000)
    let item = BatchItem(
      principal: principal, validateOnly: validateOnly,
      body: try JSONDocument(parsing: Array(act.body.utf8), limits: limits).root, pointer: "/facts/body", isHeld: true)
    let ifMatch = act.ifVersion.map { "\"v\($0)\"" }
    let part = try await dispatcher.part(path: act.path, ifMatch: ifMatch, item, context)
    return try await gateway.postApproved(
      // What a repeated request gets is its first answer, so the state is looked at where that is found.
      DecideHeldAct(id: act.id, duty: act.duty, decision: .approve, ifVersion: ifVersion),
      render: .init { approval.write(.approved, to: &$1) }, with: part, shownOnce: item.shownOnce, request, context,
      by: principal, body: body)
  }

  /// Its maker may take it back so.
  func rejectHeld(
    _ request: Request, _ context: ChipBridgeContext, _ approval: Approval, duty: Duty
  ) async throws -> Response {
    try await gateway.post(request, context, render: .init { approval.write(.rejected, to: &$1) }) { reader, posted in
      ReasonBody.parse(&reader).map {
        DecideHeldAct(
          id: .init(approval.subject), duty: duty, decision: .reject(reason: $0), ifVersion: posted.ifVersion)
      }
    }
  }
}
