import Catalogue
import Hummingbird
import Operations
import Parties
import Persistence
import Primitives
import StrictJSON
import WebSupport

/// Changes of the export rules, and what screenings found: for staff and auditors.
extension WebAPI {
  /// The lists of several authorities; a pack of a thousand rules is far within it.
  private static let largestPack = 16 << 20

  func addComplianceRoutes(_ routes: inout Routes) {
    addRulePackRoutes(&routes)
    routes.get("/v1/compliance-items") { request, _ in
      try await gateway.list(
        request, Resources.complianceItems, name: "compliance-items", filter: "state",
        position: { PagePosition(createdAt: $0.createdAt, id: $0.id.value) }, write: { $0.write(to: &$1) })
    }
    routes.get("/v1/compliance-items/{id}") { request, context in
      let principal = try await gateway.principal(of: request)
      let id: ComplianceItemID = try Gateway.pathID(context, noun: "compliance item")
      let row = try await gateway.reader.one(
        Resources.complianceItems, id.value, as: principal, noun: "compliance item")
      return gateway.object(request, version: row.version) { row.write(to: &$0) }
    }
    routes.post("/v1/compliance-items/{id}/resolve") { request, context in
      let id: ComplianceItemID = try Gateway.pathID(context, noun: "compliance item")
      return try await gateway.post(
        request, context, render: .init(version: { $0.version }, write: { $0.write(to: &$1) })
      ) { reader, posted in ResolveComplianceItem.parse(&reader, id, ifVersion: posted.ifVersion) }
    }
  }

  private func addRulePackRoutes(_ routes: inout Routes) {
    routes.post("/v1/rule-packs") { request, context in
      try await gateway.postFile(
        request, context, types: ["application/json"], limit: Self.largestPack,
        render: .init(
          status: .created, location: { "/v1/rule-packs/\($0.pack.id)" }, version: { $0.pack.version },
          write: { $0.write(to: &$1) })
      ) { file, posted -> LoadRulePack in
        // Before the work of reading it: a stranger's file is not looked at.
        try posted.principal.require(.admin)
        try posted.principal.require(duty: .compliance)
        let meaning = try LoadRulePack.Meaning(
          try Self.packKind(request), parsing: file, reference: reference.current)
        return LoadRulePack(content: file, meaning: meaning, source: "loaded over the interface")
      }
    }
    routes.get("/v1/rule-packs") { request, _ in
      try await gateway.list(
        request, Resources.rulePacks, name: "rule-packs", filter: "state",
        position: { PagePosition(createdAt: $0.createdAt, id: $0.id.value) }, write: { $0.write(to: &$1) })
    }
    routes.get("/v1/rule-packs/{id}") { request, context in
      let principal = try await gateway.principal(of: request)
      let row = try await rulePack(context, as: principal)
      return gateway.object(request, version: row.version) { row.write(to: &$0) }
    }
    routes.get("/v1/rule-packs/{id}/screening") { request, context in try await screening(request, context) }
    let decided = Gateway.Rendering<DecideRulePack.Decided>(
      version: { $0.pack.version }, write: { $0.write(to: &$1) })
    routes.post("/v1/rule-packs/{id}/switch-on") { request, context in
      let id: RulePackID = try Gateway.pathID(context, noun: "rule pack")
      let response = try await gateway.post(request, context, render: decided) { reader, posted -> DecideRulePack? in
        guard EmptyBody.parse(&reader) != nil else { return nil }
        return DecideRulePack(packID: id, act: .switchOn, ifVersion: posted.ifVersion)
      }
      workPlanned()
      return response
    }
    routes.post("/v1/rule-packs/{id}/reject") { request, context in
      let id: RulePackID = try Gateway.pathID(context, noun: "rule pack")
      return try await gateway.post(request, context, render: decided) { reader, posted in
        DecideRulePack.parseReject(&reader, id, ifVersion: posted.ifVersion)
      }
    }
  }

  /// `kind`: `export_rules` unless it says otherwise.
  private static func packKind(_ request: Request) throws -> RulePack.Kind {
    guard let text = request.uri.queryParameters["kind"] else { return .exportRules }
    guard let kind = RulePack.Kind(rawValue: String(text)) else {
      let words = RulePack.Kind.allCases.map(\.rawValue).joined(separator: " or ")
      throw Problem(.unprocessableContent, "request.invalid", "kind is \(words).")
    }
    return kind
  }

  private func rulePack(_ context: ChipBridgeContext, as principal: Principal) async throws -> RulePack {
    let id: RulePackID = try Gateway.pathID(context, noun: "rule pack")
    return try await gateway.reader.one(Resources.rulePacks, id.value, as: principal, noun: "rule pack")
  }

  /// What the pack would change for everything open and live, on a day: nothing is changed by asking.
  private func screening(_ request: Request, _ context: ChipBridgeContext) async throws -> Response {
    let principal = try await gateway.principal(of: request)
    let date = try await businessDate(request)
    let pack = try await rulePack(context, as: principal)
    let deadline = ContinuousClock.now + .seconds(30)
    let market = try await MarketReader.read(pool: writer, reference: reference, clock: clock, deadline: deadline)
    let meaning = try LoadRulePack.Meaning(pack.kind, parsing: pack.content, reference: market.reference)
    let other = meaning.applied(to: market.reference)
    let screen = try await ComplianceScreen.read(market, lists: other.screening, pool: writer, deadline: deadline)
    let changes = try screen.changes(to: other, on: date)
    let difference = meaning.difference(from: market.reference)
    return gateway.object(request, version: nil) { writer in
      writer.object { writer in
        writer.field("rule_pack_id", pack.id)
        writer.field("on", date)
        writer.object("difference") { difference.writeMembers(to: &$0) }
        writer.array("changes", changes) { $1.write(to: &$0) }
      }
    }
  }
}
