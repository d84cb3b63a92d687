import Catalogue
import Hummingbird
import Operations
import Parties
import Persistence
import Primitives
import StrictJSON
import Valuation
import WebSupport

/// The book as a risk officer reads it. A lender sees its own loans and what they alone say; staff and auditors see all.
extension WebAPI {
  func addRiskRoutes(_ routes: inout Routes) {
    routes.get("/v1/risk/concentration") { request, _ in try await concentration(request) }
    routes.post("/v1/stress-tests") { request, _ in try await stress(request) }
  }

  private func riskBook(_ request: Request, as principal: Principal) async throws -> RiskBook {
    try principal.require(.lender, .admin, .auditor)
    let deadline = ContinuousClock.now + .seconds(30)
    let now = try await MarketTime.read(pool: writer, clock: clock, deadline: deadline).now
    return try await RiskBook.read(
      of: principal.readsEverything ? nil : principal.organizationID, on: try Gateway.date(request, "on") ?? now.date,
      knownAt: try Gateway.instant(request, "known_at") ?? now, pool: writer,
      reference: try await reference.refreshed(writer), deadline: deadline)
  }

  /// `by`: startup, group, chip_model, lender or region; with `on` and `known_at` as of which marks are taken.
  private func concentration(_ request: Request) async throws -> Response {
    let principal = try await gateway.principal(of: request)
    guard let dimension = Concentration.Dimension(rawValue: try Gateway.text(request, "by") ?? "startup") else {
      let words = Concentration.Dimension.allCases.map(\.rawValue).joined(separator: ", ")
      throw Problem(.unprocessableContent, "request.invalid", "by is one of \(words).")
    }
    let book = try await riskBook(request, as: principal)
    let parts = try Concentration.by(dimension, of: book.positions())
    return gateway.object(request, version: nil) { writer in
      writer.object { writer in
        writer.field("by", dimension)
        writer.field("on", book.on)
        writer.field("known_at", book.knownAt)
        writer.array("data", parts) { writer, part in part.write(to: &writer) }
      }
    }
  }

  /// Changes nothing, so it needs no key: everything is computed on copies.
  private func stress(_ request: Request) async throws -> Response {
    let principal = try await gateway.principal(of: request)
    let body = try Gateway.parse(await gateway.collect(request)) { StressTestBody.parse(&$0) }
    let book = try await riskBook(request, as: principal)
    var supposed: ReferenceData?
    if let id = body.rulePackID {
      let pack = try await gateway.reader.one(Resources.rulePacks, id.value, as: principal, noun: "rule pack")
      let present = try await reference.refreshed(writer)
      supposed = try LoadRulePack.Meaning(pack.kind, parsing: pack.content, reference: present).applied(to: present)
    }
    let test = try StressTest(
      before: book.positions(), after: book.positions(by: supposed, rulesOn: body.rulesOn), body.scenario)
    return gateway.object(request, version: nil) { writer in
      writer.object { writer in
        writer.field("on", book.on)
        writer.field("known_at", book.knownAt)
        writer.field("rules_on", body.rulesOn ?? book.on)
        writer.field("rule_pack_id", body.rulePackID)
        test.writeMembers(to: &writer)
        writer.array("marks", book.marks) { writer, mark in
          writer.object { writer in
            writer.field("id", mark.id)
            writer.field("amount", mark.amount)
            writer.field("effective_on", mark.effectiveOn)
            writer.field("recorded_at", mark.recordedAt)
          }
        }
      }
    }
  }
}
