import HTTPTypes
import Hummingbird
import Operations
import Parties
import Persistence
import Primitives
import StrictJSON
import WebSupport

extension WebAPI {
  func addKeyRoutes(_ routes: inout Routes) {
    let made = Gateway.Rendering<APIKey>(
      status: .created, location: { "/v1/api-keys/\($0.id)" }, version: { $0.version }, write: { $0.write(to: &$1) })
    routes.post("/v1/api-keys") { request, context in
      let secret = newSecret()
      // The database keeps its digest only: the stored answer must not give the secret away.
      return try await gateway.post(request, context, render: made, shownOnce: ("secret", secret.text)) {
        reader, posted in
        var command = CreateAPIKey.parse(&reader, keyID: secret.keyID, secretDigest: secret.digest)
        command?.namesMakerOnly = posted.asksSecondPerson
        return command
      }
    }
    routes.post("/v1/api-keys/{id}/rotate") { request, context in
      let id: APIKeyID = try Gateway.pathID(context, noun: "API key")
      let secret = newSecret()
      return try await gateway.post(request, context, render: made, shownOnce: ("secret", secret.text)) {
        reader, posted in
        var command = RotateAPIKey.parse(&reader, keyID: id, newKeyID: secret.keyID, secretDigest: secret.digest)
        command?.namesMakerOnly = posted.asksSecondPerson
        return command
      }
    }
    routes.post("/v1/api-keys/{id}/revoke") { request, context in
      let id: APIKeyID = try Gateway.pathID(context, noun: "API key")
      return try await gateway.post(
        request, context, render: .init(version: { $0.version }, write: { $0.write(to: &$1) })
      ) { reader, _ in
        EmptyBody.parse(&reader).map { _ in RevokeAPIKey(keyID: id) }
      }
    }
    addKeyReads(&routes)
  }

  private func addKeyReads(_ routes: inout Routes) {
    routes.get("/v1/api-keys") { request, _ in
      let principal = try await gateway.principal(of: request)
      let query = try gateway.listQuery(request, list: "api-keys")
      let state = try Self.keyState(request)
      let now = clock.now()
      let page = KeySQL.page(
        of: state, after: query.position, limit: query.limit + 1, now: now, scope: gateway.reader.scope(principal))
      let keys = try await gateway.reader.run([page], as: principal)[0].map { try KeySQL.decode($0) }
      let shown = Array(keys.prefix(Int(query.limit)))
      let last = keys.count > shown.count ? shown.last : nil
      let next = last.map { PagePosition(createdAt: $0.createdAt, id: $0.id.value) }
      return gateway.page(shown, next: next.map { gateway.cursors.encode($0, list: "api-keys") }) { key, writer in
        key.write(to: &writer, state: key.state(at: now))
      }
    }
    routes.get("/v1/api-keys/{id}") { request, context in
      let principal = try await gateway.principal(of: request)
      let id: APIKeyID = try Gateway.pathID(context, noun: "API key")
      let query = KeySQL.one(id, scope: gateway.reader.scope(principal))
      guard let row = try await gateway.reader.run([query], as: principal)[0].first else {
        throw PartiesRefusal.notFound("API key")
      }
      let key = try KeySQL.decode(row)
      // Neither its last use nor its expiry is a change of the row, so a version says too little of it for an ETag.
      return gateway.object(request, version: nil) { key.write(to: &$0, state: key.state(at: clock.now())) }
    }
  }

  static func keyState(_ request: Request) throws -> APIKey.State? {
    try Gateway.text(request, "state").map { text in
      guard let state = APIKey.State(rawValue: text) else {
        throw Problem(.unprocessableContent, "request.invalid", "state is active, expired or revoked.")
      }
      return state
    }
  }

  private func newSecret() -> APIKeySecret {
    let (high, low) = clock.randomBits()
    var ids = IdentifierSource(milliseconds: UInt64(clock.now().microseconds / 1_000), seed: (high, low))
    return APIKeySecret(keyID: ids.next())
  }
}
