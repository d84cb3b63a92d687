import Hummingbird
import Operations
import Persistence
import Primitives
import Repayment
import StrictJSON
import WebSupport

/// What becomes of each loan when a startup is bought.
extension WebAPI {
  func addControlRoutes(_ routes: inout Routes) {
    routes.post("/v1/funding-rounds/{id}/choices") { request, context in
      let id: FundingRoundID = try Gateway.pathID(context, noun: "funding round")
      return try await gateway.post(
        request, context, limits: .withSerials,
        render: .init(
          status: .created, location: { "/v1/control-choices/\($0.choice.id)" }, version: { $0.choice.version },
          write: { $0.write(to: &$1) })
      ) { reader, _ in ChooseAtControl.parse(&reader, id) }
    }
    routes.get("/v1/control-choices") { request, _ in
      try await gateway.list(
        request, Resources.controlChoices, name: "control-choices", filter: "state",
        position: { PagePosition(createdAt: $0.createdAt, id: $0.id.value) }, write: { $0.write(to: &$1) })
    }
    routes.get("/v1/control-choices/{id}") { request, context in
      let principal = try await gateway.principal(of: request)
      let id: ControlChoiceID = try Gateway.pathID(context, noun: "choice")
      let row = try await gateway.reader.one(Resources.controlChoices, id.value, as: principal, noun: "choice")
      return gateway.object(request, version: row.version) { row.write(to: &$0) }
    }
    routes.post("/v1/control-choices/{id}/consent") { request, context in
      let id: ControlChoiceID = try Gateway.pathID(context, noun: "choice")
      return try await gateway.post(
        request, context, render: .init(version: { $0.version }, write: { $0.write(to: &$1) })
      ) { _, posted in ConsentToAssumption(choiceID: id, ifVersion: posted.ifVersion) }
    }
    routes.post("/v1/control-choices/{id}/assume") { request, context in
      let id: ControlChoiceID = try Gateway.pathID(context, noun: "choice")
      return try await gateway.post(
        request, context, render: .init(version: { $0.choice.version }, write: { $0.write(to: &$1) })
      ) { _, posted in AssumeLoan(choiceID: id, ifVersion: posted.ifVersion) }
    }
  }
}
