import Foundation
import ServiceHarness
import StrictJSON
import Testing

extension EndToEnd {
  @Test("a lender lists 50 lots in two calls, and a kill in the middle of batches leaves each whole or absent")
  func batches() async throws {
    try await withDeployment(fsync: true) { deployment in
      var service = try deployment.serve()
      let lender = try deployment.enrol(service, "Lender", role: "lender")
      var http = RawHTTP(port: service.port)
      func batch(_ path: String, _ bodies: [String]) -> String {
        let operations = bodies.map { #"{"path":"\#(path)","body":\#($0)}"# }
        return "{\"operations\":[" + operations.joined(separator: ",") + "]}"
      }
      let lots = try http.post(
        "/v1/batches", as: lender.key, batch("/v1/lots", (0..<50).map { Goods.lot(of: 64 + 8 * $0) }),
        idempotency: "lots")
      #expect(lots.status == 200, "\(lots.text.prefix(300))")
      let made = try lots.json()["results"]?.elements.compactMap { $0["body"]?["id"]?.asString } ?? []
      let listings = made.map { lot in
        #"{"lot_id":"\#(lot)","quantity":64,"ask_rate_bps":900,"min_term_days":30,"max_term_days":730}"#
      }
      let listed = try http.post(
        "/v1/batches", as: lender.key, batch("/v1/listings", listings), idempotency: "listings")
      #expect(listed.status == 200 && made.count == 50, "\(listed.text.prefix(300))")
      let console = try deployment.console()
      #expect(try console.number("select count(*) from listings where state = 'open'") == 50)
      #expect(try console.number("select count(*) from audit_log where action = 'listing.create'") == 50)

      // One of the two last is wrong: nothing of the batch is there.
      let wrong = try http.post(
        "/v1/batches", as: lender.key,
        batch("/v1/listings", [listings[0], listings[1].replacing(":64,", with: ":9000000,")]), idempotency: "wrong")
      #expect(wrong.status == 409, "\(wrong.text)")
      #expect(try wrong.text("code") == "batch.refused")
      #expect(try console.number("select count(*) from listings") == 50)

      // Half a dozen kills among batches of 20, each sent again with its key until it is answered.
      for kill in 0..<6 {
        let body = batch("/v1/lots", (0..<20).map { Goods.lot("kill-\(kill)-\($0)") })
        let dying = service
        let killer = Thread {
          usleep(useconds_t(1_000 + 4_000 * kill))
          try? dying.kill()
        }
        killer.start()
        let first = try? http.post("/v1/batches", as: lender.key, body, idempotency: "kill-\(kill)")
        _ = eventually(within: 10) { killer.isFinished }
        service = try deployment.serve()
        http = RawHTTP(port: service.port)
        let rows = try console.number("select count(*) from lots where serials[1] like 'kill-\(kill)-%'")
        #expect(rows == 0 || rows == 20, "half a batch: \(rows)")
        let again = try http.post("/v1/batches", as: lender.key, body, idempotency: "kill-\(kill)")
        #expect(again.status == 200 && (first == nil || first?.body == again.body), "\(again.text.prefix(300))")
      }
      #expect(try console.number("select count(*) from lots where serials[1] like 'kill-%'") == 120)

      // What a client gains, not asserted: it depends on the machine.
      let clock = ContinuousClock()
      let bodies = (0..<100).map { Goods.lot(of: 8 * ($0 + 1)) }
      let together = try clock.measure {
        _ = try http.post("/v1/batches", as: lender.key, batch("/v1/lots", bodies), idempotency: "together")
      }
      let apart = try clock.measure {
        for (index, body) in bodies.enumerated() {
          _ = try http.post("/v1/lots", as: lender.key, body, idempotency: "apart-\(index)")
        }
      }
      #expect(try console.number("select count(*) from lots") == 370)
      print("batch: 100 lots in one call \(together), one by one \(apart)")
      try expectBooksHold(deployment)
    }
  }
}
