import Hummingbird
import Operations
import Parties
import Persistence
import Postgres
import Primitives
import Repayment
import StrictJSON
import WebSupport

/// Money that was taken back, and the platform's own means in the client accounts.
extension WebAPI {
  func addClawbackRoutes(_ routes: inout Routes) {
    routes.post("/v1/cash-receipts/{id}/claw-back") { request, context in
      let id: CashReceiptID = try Gateway.pathID(context, noun: "cash receipt")
      return try await gateway.post(
        request, context, weight: .heavy,
        render: .init(
          status: .accepted, location: { "/v1/claw-backs/\($0.clawback.id)" }, version: { $0.clawback.version },
          write: { $0.write(to: &$1) })
      ) { reader, posted in ProposeClawback.parse(&reader, id, ifVersion: posted.ifVersion) }
    }
    let decided = Gateway.Rendering<ProposeClawback.Shown>(
      version: { $0.clawback.version }, write: { $0.write(to: &$1) })
    routes.post("/v1/claw-backs/{id}/approve") { request, context in
      let id: ClawbackID = try Gateway.pathID(context, noun: "claw-back")
      return try await gateway.post(request, context, weight: .heavy, render: decided) {
        reader, posted -> DecideClawback? in
        guard EmptyBody.parse(&reader) != nil else { return nil }
        return DecideClawback(clawbackID: id, act: .approve, ifVersion: posted.ifVersion)
      }
    }
    routes.post("/v1/claw-backs/{id}/reject") { request, context in
      let id: ClawbackID = try Gateway.pathID(context, noun: "claw-back")
      return try await gateway.post(request, context, render: decided) { reader, posted -> DecideClawback? in
        DecideClawback.Act.parseReject(&reader).map {
          DecideClawback(clawbackID: id, act: $0, ifVersion: posted.ifVersion)
        }
      }
    }
    routes.get("/v1/claw-backs/{id}") { request, context in
      let principal = try await gateway.principal(of: request)
      let id: ClawbackID = try Gateway.pathID(context, noun: "claw-back")
      let row = try await gateway.reader.one(Resources.clawbacks, id.value, as: .automation, noun: "claw-back")
      let (view, shown) = try await clawbacks(
        of: row.receiptID, bytesOf: id, as: principal, noun: "claw-back")
      guard let one = shown.first(where: { $0.clawback.id == id }) else { throw PartiesRefusal.notFound("claw-back") }
      return gateway.object(request, version: row.version) { one.write(to: &$0, as: view) }
    }
    routes.get("/v1/cash-receipts/{id}/claw-backs") { request, context in
      let principal = try await gateway.principal(of: request)
      let id: CashReceiptID = try Gateway.pathID(context, noun: "cash receipt")
      let (view, shown) = try await clawbacks(of: id, as: principal, noun: "cash receipt")
      return gateway.page(shown, next: nil) { $0.write(to: &$1, as: view) }
    }
    addTopUpRoutes(&routes)
  }

  private func addTopUpRoutes(_ routes: inout Routes) {
    routes.post("/v1/client-money/top-ups") { request, context in
      try await gateway.post(
        request, context,
        render: .init(
          status: .accepted, location: { "/v1/client-money/top-ups/\($0.id)" }, version: { $0.version },
          write: { $0.write(to: &$1) })
      ) { reader, _ in ProposeTopUp.parse(&reader) }
    }
    let decided = Gateway.Rendering<ClientMoneyTopUp>(version: { $0.version }, write: { $0.write(to: &$1) })
    routes.post("/v1/client-money/top-ups/{id}/approve") { request, context in
      let id: TopUpID = try Gateway.pathID(context, noun: "top-up")
      return try await gateway.post(request, context, render: decided) { reader, posted -> DecideTopUp? in
        guard EmptyBody.parse(&reader) != nil else { return nil }
        return DecideTopUp(topUpID: id, act: .approve, ifVersion: posted.ifVersion)
      }
    }
    routes.post("/v1/client-money/top-ups/{id}/reject") { request, context in
      let id: TopUpID = try Gateway.pathID(context, noun: "top-up")
      return try await gateway.post(request, context, render: decided) { reader, posted -> DecideTopUp? in
        DecideClawback.Act.parseReject(&reader).map { DecideTopUp(topUpID: id, act: $0, ifVersion: posted.ifVersion) }
      }
    }
    routes.get("/v1/client-money/top-ups") { request, _ in
      try await gateway.list(
        request, Resources.topUps, name: "top-ups", filter: "state",
        position: { PagePosition(createdAt: $0.createdAt, id: $0.id.value) }, write: { $0.write(to: &$1) })
    }
    routes.get("/v1/client-money/top-ups/{id}") { request, context in
      let principal = try await gateway.principal(of: request)
      let id: TopUpID = try Gateway.pathID(context, noun: "top-up")
      let row = try await gateway.reader.one(Resources.topUps, id.value, as: principal, noun: "top-up")
      return gateway.object(request, version: row.version) { row.write(to: &$0) }
    }
  }

  /// The claw-backs of a receipt that the caller may see: all for those who read everything; what was booked for the
  /// startup, and for a lender that lost by it.
  /// - Parameter one: whose record is shown besides its digest.
  /// - Throws: 404 for whoever has no part in the receipt.
  private func clawbacks(
    of receipt: CashReceiptID, bytesOf one: ClawbackID? = nil, as principal: Principal, noun: String
  ) async throws -> (SweepView, [ProposeClawback.Shown]) {
    let binds: [Bind] = [.uuid(nil), .uuid(receipt.value.bits)]
    let results = try await gateway.reader.run(
      [
        Query(Resources.cashReceipts.byID, binds), Query(Details.clawbacksOfReceipt, binds),
        Query(Details.clawbackLinesOfReceipt, binds), Query(Details.clawbackRecordsOfReceipt, binds),
        Query(Details.allocationsOfReceipt, binds),
      ], as: .automation)
    guard let row = try Tables.cashReceipts.decode(results[0]).first else { throw PartiesRefusal.notFound(noun) }
    let lines = Dictionary(grouping: try Tables.clawbackLines.decode(results[2]), by: \.clawbackID)
    let records = try Tables.repaymentExplanations.decode(results[3])
    let shown = try Tables.clawbacks.decode(results[1]).map { clawback in
      let record = records.first { $0.subjectID == clawback.id.value }
      return ProposeClawback.Shown(
        clawback: clawback, lines: lines[clawback.id] ?? [], booking: clawback.booking, digest: record?.digest,
        bytes: clawback.id == one ? record?.bytes : nil)
    }
    if principal.readsEverything { return (SweepView(lender: nil), shown) }
    let booked = shown.filter { $0.clawback.state == .approved }
    if row.startup(platform: .platform) == principal.organizationID { return (SweepView(lender: nil), booked) }
    let own = try Tables.allocations.decode(results[4]).contains { $0.lenderID == principal.organizationID }
    guard own else { throw PartiesRefusal.notFound(noun) }
    let lost = booked.filter { one in one.lines.contains { $0.lenderID == principal.organizationID } }
    return (SweepView(lender: principal.organizationID), lost)
  }
}
