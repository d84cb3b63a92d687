import Foundation
import PostgresHarness
import ServiceHarness
import StrictJSON
import Testing

extension EndToEnd {
  @Test(
    "a startup is bought, over HTTP: one loan is assumed by the acquirer, one is sent back, one is accelerated late")
  func changeOfControl() async throws {
    try await withDeployment { deployment in
      let service = try deployment.serve()
      let stage = try ControlStage(deployment, service)
      try stage.isBought()
      let (assumed, returned) = try stage.chooses()
      try stage.takesOver(assumed)
      try stage.sees(returned)
      try stage.isLate()
      try expectBooksHold(deployment)
    }
  }
}

/// Three loans of 64 chips, 16,000,000 minor units each.
private final class ControlStage {
  let deployment: Deployment
  let service: Service
  let lender: Party
  let startup: Party
  let acquirer: Party
  let stranger: Party
  var loans: [String] = []
  var round = ""

  init(_ deployment: Deployment, _ service: Service) throws {
    self.deployment = deployment
    self.service = service
    lender = try deployment.enrol(service, "Lender", role: "lender")
    startup = try deployment.enrol(service, "Startup", role: "startup")
    acquirer = try deployment.enrol(service, "Northern Star", role: "startup")
    stranger = try deployment.enrol(service, "Stranger", role: "startup")
    try deployment.openMarket(service)
    for offer in try deployment.offers(service, lender: lender, startup: startup, requests: 3) {
      loans.append(try deployment.handOver(service, offer: offer, of: lender, to: startup))
    }
  }

  private var http: RawHTTP { RawHTTP(port: service.port) }
  private func get(_ target: String, as key: String) throws -> Answer { try http.get(target, as: key) }
  private func refused(_ target: String, as key: String, _ body: String = "{}") throws -> (Int, String) {
    let answer = try http.post(target, as: key, body, idempotency: UUID().uuidString)
    return (answer.status, try answer.text("code"))
  }

  private func report(_ more: String) -> String {
    """
    {"kind":"acquisition","name":"sale","announced_on":"2023-04-03","acquirer":"Northern Star",\
    "closings":[{"closed_on":"2023-04-03","net_new_cash":{"amount":0,"currency":"USD"}}]\(more)}
    """
  }

  private func settle(on date: String) throws {
    let run = try deployment.post(
      service, "/v1/settlement-runs", as: deployment.admin, #"{"job":"sweep","business_date":"\#(date)"}"#
    ).text("id")
    try #require(
      try eventually(within: 20) {
        try get("/v1/settlement-runs/\(run)", as: deployment.admin).text("state") == "succeeded"
      })
  }

  func isBought() throws {
    for (more, code) in [
      (#","choose_by":"2023-04-02""#, "control.deadline_before_closing"),
      (#","acquirer_organization_id":"\#(lender.id)""#, "control.acquirer_unknown"),
      (#","choose_by":"x""#, "request.invalid"),
    ] { #expect(try refused("/v1/funding-rounds", as: startup.key, report(more)) == (422, code)) }
    let more = #","acquirer_organization_id":"\#(acquirer.id)","choose_by":"2023-04-10""#
    round = try deployment.post(service, "/v1/funding-rounds", as: startup.key, report(more)).text("id")
    let body = #"{"loan_id":"\#(loans[0])","choice":"accelerate"}"#
    let choices = "/v1/funding-rounds/\(round)/choices"
    #expect(try refused(choices, as: startup.key, body) == (409, "control.round_not_verified"))
    try deployment.post(
      service, "/v1/funding-rounds/\(round)/verify", as: deployment.checker, #"{"evidence":"filing"}"#)
    #expect(try get("/v1/funding-rounds/\(round)", as: startup.key).text("choose_by") == "2023-04-10")
    try settle(on: "2023-04-03")
    for loan in loans { #expect(try get("/v1/loans/\(loan)", as: lender.key).text("state") == "active") }
  }

  func chooses() throws -> (assumed: String, returned: String) {
    let target = "/v1/funding-rounds/\(round)/choices"
    func body(_ loan: String, _ choice: String, _ more: String = "") -> String {
      #"{"loan_id":"\#(loan)","choice":"\#(choice)"\#(more)}"#
    }
    for bad in [
      body("loan_1", "assume"), body(loans[0], "sell"), body(loans[0], "return"),
      body(loans[0], "assume", #","quantity":1"#),
      body(loans[0], "assume", #","x":1"#), "{}",
    ] { #expect(try refused(target, as: startup.key, bad) == (422, "request.invalid"), "\(bad)") }
    #expect(try refused(target, as: stranger.key, body(loans[0], "assume")) == (404, "parties.not_found"))
    let shown = try deployment.post(
      service, target + "?validate_only=true", as: startup.key, body(loans[0], "accelerate"))
    #expect(try shown.json()["due"]?["amount"]?.asInteger == 16_000_000)
    let assumed = try deployment.post(service, target, as: startup.key, body(loans[0], "assume")).text("id")
    let returned = try deployment.post(
      service, target, as: startup.key, body(loans[1], "return", #","quantity":16"#))
    #expect(try returned.json()["due"]?["amount"]?.asInteger == 12_000_000)
    return (assumed, try returned.text("id"))
  }

  func takesOver(_ choice: String) throws {
    let target = "/v1/control-choices/\(choice)"
    for (party, status) in [(startup, 200), (lender, 200), (acquirer, 200), (stranger, 404)] {
      #expect(try get(target, as: party.key).status == status)
    }
    #expect(try refused(target + "/assume", as: acquirer.key) == (409, "control.illegal_state"))
    #expect(try refused(target + "/consent", as: stranger.key) == (404, "parties.not_found"))
    #expect(try refused(target + "/consent", as: acquirer.key) == (403, "parties.not_yours"))
    try deployment.post(service, target + "/consent", as: lender.key)
    let done = try deployment.post(service, target + "/assume", as: acquirer.key)
    #expect(try done.text("state") == "done")
    #expect(try done.text("effect") == "clear")
    let into = try done.text("into_loan_id")
    let taken = try get("/v1/loans/\(into)", as: acquirer.key)
    #expect(try taken.text("state") == "active")
    #expect(try get("/v1/loans/\(into)", as: lender.key).status == 200)
    #expect(try get("/v1/loans/\(into)", as: startup.key).status == 404)
    #expect(try get("/v1/loans/\(loans[0])", as: acquirer.key).status == 404)
    #expect(try get("/v1/loans/\(loans[0])", as: startup.key).text("closed_as") == "assumed")
    let lien = try get("/v1/loans/\(loans[0])/lien-release", as: lender.key)
    #expect(lien.status == 409)
    #expect(lien.text.contains("the acquirer's loan"))
    loans[0] = into
  }

  func sees(_ returned: String) throws {
    #expect(try get("/v1/control-choices/\(returned)", as: lender.key).text("state") == "done")
    #expect(try get("/v1/control-choices/\(returned)", as: acquirer.key).status == 404)
    #expect(try get("/v1/control-choices?state=done", as: lender.key).json()["data"]?.elements.count == 2)
    #expect(try get("/v1/loans/\(loans[1])", as: startup.key).text("state") == "due")
  }

  func isLate() throws {
    try deployment.post(service, "/v1/sandbox/clock", as: deployment.admin, #"{"now":"2023-04-11T09:00:00Z"}"#)
    let body = #"{"loan_id":"\#(loans[2])","choice":"assume"}"#
    #expect(try refused("/v1/funding-rounds/\(round)/choices", as: startup.key, body) == (409, "control.too_late"))
    try settle(on: "2023-04-11")
    #expect(try get("/v1/loans/\(loans[2])", as: lender.key).text("state") == "due")
    // The acquirer's loan is its own: the startup's sale does nothing to it.
    #expect(try get("/v1/loans/\(loans[0])", as: lender.key).text("state") == "active")
  }
}
