import Hummingbird
import Operations
import Parties
import Persistence
import Primitives
import StrictJSON
import WebSupport

extension WebAPI {
  func addBindingRoutes(_ routes: inout Routes) {
    routes.post("/v1/identity-bindings") { request, context in
      try await gateway.post(
        request, context,
        render: .init(
          status: .created, location: { "/v1/identity-bindings/\($0.id)" }, version: { $0.version },
          write: { $0.write(to: &$1) })
      ) { reader, posted in
        CreateIdentityBinding.parse(&reader, statesDuties: posted.asksSecondPerson)
      }
    }
    routes.post("/v1/identity-bindings/{id}/revoke") { request, context in
      let id: IdentityBindingID = try Gateway.pathID(context, noun: "identity binding")
      return try await gateway.post(
        request, context, render: .init(version: { $0.version }, write: { $0.write(to: &$1) })
      ) { reader, _ in
        EmptyBody.parse(&reader).map { _ in RevokeIdentityBinding(bindingID: id) }
      }
    }
    routes.get("/v1/identity-bindings") { request, _ in
      let principal = try await gateway.principal(of: request)
      let query = try gateway.listQuery(request, list: "identity-bindings")
      let state = try Self.keyState(request)
      let now = clock.now()
      let page = BindingSQL.page(
        of: state, after: query.position, limit: query.limit + 1, now: now, scope: gateway.reader.scope(principal))
      let found = try Tables.identityBindings.decode(try await gateway.reader.run([page], as: principal)[0])
      let shown = Array(found.prefix(Int(query.limit)))
      let last = found.count > shown.count ? shown.last : nil
      let next = last.map { PagePosition(createdAt: $0.createdAt, id: $0.id.value) }
      return gateway.page(shown, next: next.map { gateway.cursors.encode($0, list: "identity-bindings") }) {
        binding, writer in
        binding.write(to: &writer, state: binding.state(at: now))
      }
    }
    routes.get("/v1/identity-bindings/{id}") { request, context in
      let principal = try await gateway.principal(of: request)
      let id: IdentityBindingID = try Gateway.pathID(context, noun: "identity binding")
      let query = BindingSQL.one(id, scope: gateway.reader.scope(principal))
      guard let row = try await gateway.reader.run([query], as: principal)[0].first else {
        throw PartiesRefusal.notFound("identity binding")
      }
      let binding = try Tables.identityBindings.decode(row)
      // Its expiry is no change of the row, so a version says too little of it for an ETag.
      return gateway.object(request, version: nil) { binding.write(to: &$0, state: binding.state(at: clock.now())) }
    }
  }
}
