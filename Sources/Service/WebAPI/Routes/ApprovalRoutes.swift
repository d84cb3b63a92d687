import HTTPTypes
import Hummingbird
import Operations
import Parties
import Persistence
import Primitives
import StrictJSON
import WebSupport

/// What waits for a second person, in one place. Deciding it here is the same command as on the object's own route: the
/// same duty, the same rule that maker and checker are two persons.
extension WebAPI {
  /// Added after those whose requests may be held for a second person.
  func addApprovalRoutes(_ routes: inout Routes) {
    let dispatcher = BatchDispatcher(routes)
    routes.get("/v1/approvals") { request, _ in
      let principal = try await gateway.principal(of: request)
      try principal.require(.admin, .auditor)
      let query = try gateway.listQuery(request, list: "approvals")
      let kind: Approval.Kind? = try word(request, "kind")
      let state: Approval.State? = try word(request, "state")
      let page = ApprovalSQL.page(of: kind, state ?? .pending, after: query.position, limit: query.limit + 1)
      let rows = try await gateway.reader.run([page], as: principal)[0].map { try ApprovalSQL.decode($0) }
      let shown = Array(rows.prefix(Int(query.limit)))
      let last = rows.count > shown.count ? shown.last : nil
      let next = last.map { PagePosition(createdAt: $0.createdAt, id: $0.subject) }
      return gateway.page(shown, next: next.map { gateway.cursors.encode($0, list: "approvals") }) {
        $0.write(to: &$1)
      }
    }
    routes.get("/v1/approvals/{id}") { request, context in
      let approval = try await approval(request, context, for: .admin, .auditor)
      return gateway.object(request, version: approval.version) { approval.write(to: &$0) }
    }
    routes.post("/v1/approvals/{id}/approve") { request, context in
      try gateway.describe { _ = EmptyBody.parse(&$0) }
      let approval = try await approval(request, context, for: .admin)
      if approval.kind == .heldAct { return try await approveHeld(request, context, approval, dispatcher) }
      return try await approve(request, context, approval)
    }
    routes.post("/v1/approvals/{id}/reject") { request, context in
      // Of some kinds it is asked for, of others not taken.
      try gateway.describe { _ = $0.optionalString("reason", bytes: BodyBounds.reason) }
      return try await reject(request, context, try await approval(request, context, for: .admin))
    }
  }

  private func word<Word: RawRepresentable & CaseIterable>(
    _ request: Request, _ name: Substring
  ) throws -> Word? where Word.RawValue == String {
    guard let text = try Gateway.text(request, name) else { return nil }
    guard let word = Word(rawValue: text) else {
      let words = Word.allCases.map(\.rawValue).joined(separator: ", ")
      throw Problem(.unprocessableContent, "request.invalid", "\(name) is one of \(words).")
    }
    return word
  }

  private func approval(
    _ request: Request, _ context: ChipBridgeContext, for roles: Role...
  ) async throws -> Approval {
    let principal = try await gateway.principal(of: request)
    guard roles.contains(where: principal.roles.contains) else { throw PartiesRefusal.roleRequired(Set(roles)) }
    guard let named = context.parameters.get("id").flatMap({ Approval.Kind.named($0) }) else {
      throw PartiesRefusal.notFound("approval")
    }
    let queries = named.kinds.map { ApprovalSQL.one($0, named.subject) }
    let rows = try await gateway.reader.run(queries, as: principal)
    guard let row = rows.lazy.compactMap(\.first).first else { throw PartiesRefusal.notFound("approval") }
    return try ApprovalSQL.decode(row)
  }

  private func approve(
    _ request: Request, _ context: ChipBridgeContext, _ approval: Approval
  ) async throws -> Response {
    func decide<C: Command>(
      _ weight: CommandPipeline.Weight = .light, _ command: @escaping @Sendable (Gateway.Posted) -> C
    ) async throws -> Response {
      try await gateway.post(
        request, context, weight: weight, render: .init { approval.write(.approved, to: &$1) }
      ) { reader, posted in EmptyBody.parse(&reader).map { _ in WhilePending(command(posted), state: approval.state) } }
    }
    let subject = approval.subject
    switch approval.kind {
    case .settlementRun:
      let response = try await decide {
        ActOnSettlementRun(runID: .init(subject), act: .approve, ifVersion: $0.ifVersion)
      }
      workPlanned()
      return response
    case .fundingRound:
      return try await decide {
        DecideFundingRound(
          roundID: .init(subject), decision: .verify(evidence: nil), ifVersion: $0.ifVersion ?? approval.version)
      }
    case .rulePack:
      let response = try await decide {
        DecideRulePack(packID: .init(subject), act: .switchOn, ifVersion: $0.ifVersion ?? approval.version)
      }
      workPlanned()
      return response
    case .calendar:
      return try await decide {
        DecideReference(
          entryID: .init(subject), kind: .calendar, act: .adopt, ifVersion: $0.ifVersion ?? approval.version)
      }
    case .taxRule:
      return try await decide {
        DecideReference(
          entryID: .init(subject), kind: .taxRule, act: .adopt, ifVersion: $0.ifVersion ?? approval.version)
      }
    case .leastHaircut:
      return try await decide {
        DecideReference(
          entryID: .init(subject), kind: .leastHaircut, act: .adopt, ifVersion: $0.ifVersion ?? approval.version)
      }
    case .mark:
      return try await decide {
        DecideValuation(
          id: .init(subject), decision: .approve, person: $0.principal.personID,
          ifVersion: $0.ifVersion ?? approval.version)
      }
    case .markSeries:
      return try await decide {
        ApproveSeries(id: .init(subject), person: $0.principal.personID, ifVersion: $0.ifVersion ?? approval.version)
      }
    case .fxRate:
      return try await decide {
        DecideFXRates(ids: [.init(subject)], decision: .approve, ifVersion: $0.ifVersion ?? approval.version)
      }
    case .cashConversion:
      return try await decide(.heavy) {
        DecideConversion(conversionID: .init(subject), decision: .approve, ifVersion: $0.ifVersion ?? approval.version)
      }
    case .clawback:
      return try await decide {
        DecideClawback(clawbackID: .init(subject), act: .approve, ifVersion: $0.ifVersion ?? approval.version)
      }
    case .topUp:
      return try await decide {
        DecideTopUp(topUpID: .init(subject), act: .approve, ifVersion: $0.ifVersion ?? approval.version)
      }
    case .depositAct:
      return try await decide {
        DecideDepositAct(id: .init(subject), act: .approve, ifVersion: $0.ifVersion ?? approval.version)
      }
    case .payee:
      guard let parent = approval.parent else { throw PartiesRefusal.notFound("approval") }
      return try await decide {
        DecidePayee(
          organizationID: .init(parent), payeeID: .init(subject), act: .verify,
          ifVersion: $0.ifVersion ?? approval.version)
      }
    case .taxCertificate:
      guard let parent = approval.parent else { throw PartiesRefusal.notFound("approval") }
      return try await decide {
        DecideTaxCertificate(
          loanID: .init(parent), certificateID: .init(subject), act: .confirm,
          ifVersion: $0.ifVersion ?? approval.version)
      }
    // With the request that was held: see `approveHeld`.
    case .heldAct: throw PartiesRefusal.notFound("approval")
    }
  }

  /// With a `reason`, for all kinds that keep one; runs, calendars and tax rules keep none and take none.
  private func reject(
    _ request: Request, _ context: ChipBridgeContext, _ approval: Approval
  ) async throws -> Response {
    func decide<C: Command>(
      _ weight: CommandPipeline.Weight = .light, _ command: @escaping @Sendable (Gateway.Posted, String) -> C
    ) async throws -> Response {
      try await gateway.post(
        request, context, weight: weight, render: .init { approval.write(.rejected, to: &$1) }
      ) { reader, posted in ReasonBody.parse(&reader).map { WhilePending(command(posted, $0), state: approval.state) } }
    }
    func decideWithoutReason<C: Command>(
      _ command: @escaping @Sendable (Gateway.Posted) -> C
    ) async throws -> Response {
      try await gateway.post(request, context, render: .init { approval.write(.rejected, to: &$1) }) { reader, posted in
        EmptyBody.parse(&reader).map { _ in WhilePending(command(posted), state: approval.state) }
      }
    }
    let subject = approval.subject
    switch approval.kind {
    case .settlementRun:
      return try await decideWithoutReason {
        ActOnSettlementRun(runID: .init(subject), act: .cancel, ifVersion: $0.ifVersion)
      }
    case .calendar:
      return try await decideWithoutReason {
        DecideReference(
          entryID: .init(subject), kind: .calendar, act: .reject, ifVersion: $0.ifVersion ?? approval.version)
      }
    case .taxRule:
      return try await decideWithoutReason {
        DecideReference(
          entryID: .init(subject), kind: .taxRule, act: .reject, ifVersion: $0.ifVersion ?? approval.version)
      }
    case .leastHaircut:
      return try await decideWithoutReason {
        DecideReference(
          entryID: .init(subject), kind: .leastHaircut, act: .reject, ifVersion: $0.ifVersion ?? approval.version)
      }
    case .markSeries:
      throw Problem(
        .conflict, "approvals.cannot_be_rejected",
        "A mark series is approved, or left: there is no act that rejects it.")
    case .fundingRound:
      return try await decide {
        DecideFundingRound(
          roundID: .init(subject), decision: .reject(reason: $1), ifVersion: $0.ifVersion ?? approval.version)
      }
    case .rulePack:
      return try await decide {
        DecideRulePack(packID: .init(subject), act: .reject(reason: $1), ifVersion: $0.ifVersion ?? approval.version)
      }
    case .mark:
      return try await decide {
        DecideValuation(
          id: .init(subject), decision: .reject(reason: $1), person: $0.principal.personID,
          ifVersion: $0.ifVersion ?? approval.version)
      }
    case .fxRate:
      return try await decide {
        DecideFXRates(ids: [.init(subject)], decision: .reject(reason: $1), ifVersion: $0.ifVersion ?? approval.version)
      }
    case .cashConversion:
      return try await decide(.heavy) {
        DecideConversion(
          conversionID: .init(subject), decision: .reject(reason: $1), ifVersion: $0.ifVersion ?? approval.version)
      }
    case .clawback:
      return try await decide {
        DecideClawback(clawbackID: .init(subject), act: .reject(note: $1), ifVersion: $0.ifVersion ?? approval.version)
      }
    case .topUp:
      return try await decide {
        DecideTopUp(topUpID: .init(subject), act: .reject(note: $1), ifVersion: $0.ifVersion ?? approval.version)
      }
    case .depositAct:
      return try await decide {
        DecideDepositAct(id: .init(subject), act: .reject(note: $1), ifVersion: $0.ifVersion ?? approval.version)
      }
    case .payee:
      guard let parent = approval.parent else { throw PartiesRefusal.notFound("approval") }
      return try await decide {
        DecidePayee(
          organizationID: .init(parent), payeeID: .init(subject), act: .withdraw(reason: $1),
          ifVersion: $0.ifVersion ?? approval.version)
      }
    case .taxCertificate:
      guard let parent = approval.parent else { throw PartiesRefusal.notFound("approval") }
      return try await decide {
        DecideTaxCertificate(
          loanID: .init(parent), certificateID: .init(subject), act: .reject(reason: $1),
          ifVersion: $0.ifVersion ?? approval.version)
      }
    case .heldAct:
      guard let duty = approval.duty else { throw PartiesRefusal.notFound("approval") }
      return try await rejectHeld(request, context, approval, duty: duty)
    }
  }
}
