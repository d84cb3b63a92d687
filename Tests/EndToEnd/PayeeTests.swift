import Foundation
import PostgresHarness
import ServiceHarness
import StrictJSON
import Testing

extension EndToEnd {
  @Test("an account to be paid on is proposed by one and verified by another, and only staff gets payment files")
  func payees() async throws {
    try await withDeployment { deployment in
      let service = try deployment.serve()
      let http = RawHTTP(port: service.port)
      try deployment.openMarket(service)
      let lender = try deployment.enrol(service, "Lender", role: "lender")
      let other = try deployment.enrol(service, "Another", role: "lender")
      let path = "/v1/organizations/\(lender.id)/payees"
      let body = #"{"currency":"EUR","name":"Müller GmbH","iban":"GB29NWBK60161331926819","bic":"NWBKGB2L"}"#
      let made = try deployment.post(service, path, as: lender.key, body)
      #expect(made.status == 201)
      let payee = try #require(made.headers["location"])
      #expect(payee.hasPrefix(path))
      let bad: [(String, String, Int, String)] = [
        (lender.key, body.replacing("926819", with: "926818"), 422, "/iban"),
        (lender.key, body.replacing("NWBKGB2L", with: "nwbk"), 422, "/bic"),
        (lender.key, body.replacing("EUR", with: "XXX"), 422, "/currency"),
        (lender.key, body.replacing("Müller GmbH", with: "北京"), 422, "payment_file.character"),
        (lender.key, #"{"currency":"EUR","name":"M"}"#, 422, "/iban"),
        (lender.key, body.replacing("}", with: #","account_number":"1"}"#), 422, "/account_number"),
        (other.key, body, 404, "parties.not_found"),
      ]
      for (key, text, status, naming) in bad {
        let answer = try http.post(path, as: key, text, idempotency: UUID().uuidString)
        #expect(answer.status == status && answer.text.contains(naming), "\(answer.status) \(answer.text)")
      }
      #expect(try http.get(payee, as: other.key).status == 404)
      #expect(try http.get(path, as: other.key).json()["data"]?.elements.isEmpty == true)
      #expect(try http.get(path, as: lender.key).json()["data"]?.elements.count == 1)
      let own = try http.post("\(payee)/verify", as: lender.key, "{}", idempotency: "own")
      #expect(own.status == 403)
      let verified = try deployment.post(service, "\(payee)/verify", as: deployment.checker)
      #expect(try verified.text("usable_from") == "2023-04-05T09:00:00Z")
      let gone = try deployment.post(service, "\(payee)/withdraw", as: lender.key, #"{"reason":"closed"}"#)
      #expect(try gone.text("state") == "withdrawn")

      let run = try deployment.post(
        service, "/v1/settlement-runs", as: deployment.admin, #"{"job":"payout","business_date":"2023-04-03"}"#
      ).text("id")
      let ended = try eventually(within: 20) {
        try http.get("/v1/settlement-runs/\(run)", as: deployment.admin).text("state") == "succeeded"
      }
      #expect(ended)
      let file = "/v1/settlement-runs/\(run)/payment-file"
      #expect(try http.get(file, as: lender.key).status == 403)
      let empty = try http.get(file, as: deployment.admin)
      #expect(empty.status == 422 && empty.text.contains("payment_file.no_payments"), "\(empty.text)")
      let orders = try http.get("/v1/settlement-runs/\(run)/payment-orders", as: deployment.admin)
      #expect(orders.status == 200)
      #expect(try orders.json()["without_payee"]?.elements.isEmpty == true)
      let verify = try deployment.run(["verify"])
      #expect(verify.status == 0, "\(verify.output)")
    }
  }
}
