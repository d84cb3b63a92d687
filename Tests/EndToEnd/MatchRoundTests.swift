import Foundation
import ServiceHarness
import StrictJSON
import Testing

extension EndToEnd {
  @Suite("match rounds over HTTP", .serialized)
  struct MatchRounds {
    @Test("a round shows its proof and replays to the same result, and nothing of the replay is kept")
    func replay() async throws {
      try await withDeployment { deployment in
        let service = try deployment.serve()
        let (lender, startup) = try Self.parties(deployment, service)
        #expect(try deployment.offers(service, lender: lender, startup: startup, requests: 3).count == 3)
        let http = RawHTTP(port: service.port)
        let console = try deployment.console()
        let rounds = try http.get("/v1/match-rounds", as: deployment.admin).json()
        let path = "/v1/match-rounds/\(rounds["data"]?.elements.first?["id"]?.asString ?? "")"
        let round = try http.get(path, as: deployment.admin).json()
        let objective = round["objective"]?.asInteger ?? -1
        // 192 chips at 14 % against an ask of 9 %, 250,000 minor units each.
        #expect(objective == Int64(192 * 500 * 250_000))
        #expect(round["bound"]?.asInteger == objective + (round["gap"]?.asInteger ?? -1))
        #expect(["valid", "gap"].contains(round["certificate"]?.asString))
        #expect(round["counts"]?["matched_quantity"]?.asInteger == 192)
        #expect(round["timings"]?["offers_ms"]?.asInteger != nil)
        #expect(round["leftovers"] != nil && round["segment"]?.isNull == true)
        // A tenant sees the market's side of it.
        let outside = try http.get(path, as: lender.key).json()
        #expect(outside["objective"]?.asInteger == objective && outside["leftovers"] == nil)
        let counts = try console.counts()
        let body: [(String, String)] = [("Authorization", "Bearer \(deployment.admin)")]
        let replay = try http.send("POST", path + "/replay", headers: body, body: [])
        #expect(replay.status == 200, "\(replay.text)")
        let said = try replay.json()
        #expect(said["same"]?.asBool == true && said["differences"]?.elements.count == 0)
        #expect(said["digest"]?.asString == round["digest"]?.asString)
        #expect(said["engine_version"]?.asString == round["engine_version"]?.asString)
        #expect(try console.counts() == counts)
        let refused = try http.send(
          "POST", path + "/replay", headers: [("Authorization", "Bearer \(lender.key)")], body: [])
        #expect(refused.status == 403)
        let unknown = try http.send(
          "POST", "/v1/match-rounds/rnd_01920000-0000-7000-8000-000000000001/replay", headers: body, body: [])
        #expect(unknown.status == 404)
        _ = try console.rows(
          "update match_rounds set snapshot = set_byte(snapshot, 40, 255 - get_byte(snapshot, 40))")
        let forged = try http.send("POST", path + "/replay", headers: body, body: []).json()
        #expect(forged["same"]?.asBool == false && (forged["differences"]?.elements.count ?? 0) > 0)
        _ = try console.rows("update match_rounds set snapshot = null")
        let gone = try http.send("POST", path + "/replay", headers: body, body: [])
        #expect(gone.status == 409 && gone.text.contains("match_round.not_recorded"))
      }
    }

    @Test("two replicas asked for rounds at once clear one after the other, and no chip is offered twice")
    func replicas() async throws {
      try await withDeployment { deployment in
        let services = [try deployment.serve(), try deployment.serve()]
        let (lender, startup) = try Self.parties(deployment, services[0])
        try Self.orders(deployment, services[0], lender, startup, requests: 12)
        let rounds = Gathered<String>()
        try concurrently(8) { worker in
          // Four keys, each sent to both.
          let answer = try RawHTTP(port: services[worker % 2].port).post(
            "/v1/match-rounds", as: deployment.admin, "{}", idempotency: "round-\(worker / 2)")
          rounds.append(try answer.text("id"))
        }
        #expect(Set(rounds.all).count == 4)
        let console = try deployment.console()
        let ended = try eventually(within: 30) {
          try console.number("select count(*) from match_rounds where state = 'succeeded'") == 4
        }
        #expect(ended)
        #expect(try console.number("select count(*) from match_rounds where offers_made > 0") == 1)
        #expect(try console.number("select count(*) from offers") == 12)
        #expect(try console.number("select count(*) from match_leases where round_id is not null") == 0)
        try expectBooksHold(deployment)
      }
    }

    @Test("a round whose worker is killed between its offers is ended by the next process, once each")
    func killed() async throws {
      try await withDeployment { deployment in
        let first = try deployment.serve()
        let (lender, startup) = try Self.parties(deployment, first)
        try Self.orders(deployment, first, lender, startup, requests: 150)
        let console = try deployment.console()
        let round = try deployment.post(first, "/v1/match-rounds", as: deployment.admin).text("id")
        let began = try eventually(within: 20) { try console.number("select count(*) from offers") > 0 }
        #expect(began)
        try first.kill()
        let before = try console.number("select count(*) from offers")
        // Its lease is not waited for here.
        _ = try console.rows(
          "update match_leases set leased_until = leased_until - interval '1 minute' where round_id is not null")
        let second = try deployment.serve()
        let http = RawHTTP(port: second.port)
        let ended = try eventually(within: 30) {
          try http.get("/v1/match-rounds/\(round)", as: deployment.admin).text("state") == "succeeded"
        }
        #expect(ended)
        let shown = try http.get("/v1/match-rounds/\(round)", as: deployment.admin).json()
        #expect(shown["offers_made"]?.asInteger == 150)
        let offers = try console.number("select count(*) from offers")
        let pairs = try console.number("select count(distinct (request_id, listing_id)) from offers")
        #expect(offers == 150 && pairs == 150, "\(before) before the kill")
        let replay = try http.send(
          "POST", "/v1/match-rounds/\(round)/replay", headers: [("Authorization", "Bearer \(deployment.admin)")],
          body: [])
        #expect(try replay.json()["same"]?.asBool == true)
        try expectBooksHold(deployment)
      }
    }

    @Test("the order book has both sides, totals, and the largest block of each")
    func orderBook() async throws {
      try await withDeployment { deployment in
        let service = try deployment.serve()
        let (lender, startup) = try Self.parties(deployment, service)
        try Self.orders(deployment, service, lender, startup, requests: 2)
        let http = RawHTTP(port: service.port)
        let book = try http.get("/v1/order-book?chip_model=\(Goods.chip)", as: startup.key).json()
        let levels = book["data"].map { $0.elements.map { $0["side"]?.asString ?? "" } } ?? []
        #expect(levels == ["ask", "bid"])
        let totals = book["totals"].map { $0.elements.map { $0 } } ?? []
        #expect(totals.map { $0["quantity"]?.asInteger } == [128, 128])
        #expect(totals.map { $0["largest_block"]?.asInteger } == [128, 64])
        let elsewhere = try http.get("/v1/order-book?region=US-west", as: startup.key).json()
        #expect(elsewhere["data"]?.elements.count == 0)
      }
    }

    @Test("a request that got nothing is told why, its place, and the smallest change that would have matched it")
    func explained() async throws {
      try await withDeployment { deployment in
        let service = try deployment.serve()
        let (lender, startup) = try Self.parties(deployment, service)
        try Self.orders(deployment, service, lender, startup, requests: 1)
        let late = try deployment.post(
          service, "/v1/loan-requests", as: startup.key, Goods.request("one too many")
        ).text("id")
        let console = try deployment.console()
        let http = RawHTTP(port: service.port)
        // An order that is not placed is told what a round would make of it, and leaves nothing behind.
        let counts = try console.counts()
        let bearer = [("Authorization", "Bearer \(startup.key)"), ("Content-Type", "application/json")]
        let preview = try http.send(
          "POST", "/v1/loan-requests?validate_only=true", headers: bearer, body: Array(Goods.request("preview").utf8))
        let outlook = try preview.json()["outlook"]
        #expect(preview.status == 201 && outlook?["fill"]?.asString == "none", "\(preview.text)")
        #expect(outlook?["changes"]?.elements.first?["max_rate_bps"]?.asInteger == 1_425, "\(preview.text)")
        var last = preview
        for _ in 0..<30 {
          last = try http.send(
            "POST", "/v1/loan-requests?validate_only=true", headers: bearer, body: Array(Goods.request("more").utf8))
        }
        #expect(last.status == 429 && last.text.contains("request.rate_limited"), "\(last.text)")
        #expect(try console.counts() == counts)
        _ = try deployment.post(service, "/v1/match-rounds", as: deployment.admin)
        let ended = try eventually(within: 20) {
          try console.number("select count(*) from match_rounds where state = 'succeeded'") == 1
        }
        #expect(ended)
        let said = try http.get("/v1/loan-requests/\(late)/explanation", as: startup.key).json()
        #expect(said["reasons"]?.elements.map { $0["constraint"]?.asString } == ["already_filled"], "\(said)")
        #expect(said["queue"]?["position"]?.asInteger == 1 && said["queue"]?["chips_ahead"]?.asInteger == 0)
        let changes = said["changes"].map { $0.elements.map { $0 } } ?? []
        // The earlier request pays 1,400 as well: only a higher limit goes before it.
        let rate = changes.first { $0["kind"]?.asString == "rate" }
        #expect(rate?["max_rate_bps"]?.asInteger == 1_425 && rate?["would_match"]?.asInteger == 64, "\(said)")
      }
    }

    @Test("a service told to match after new orders does so by itself")
    func debounced() async throws {
      try await withDeployment { deployment in
        let service = try deployment.serve(options: ["--match-after", "1"])
        let (lender, startup) = try Self.parties(deployment, service)
        try Self.orders(deployment, service, lender, startup, requests: 2)
        let console = try deployment.console()
        let offered = try eventually(within: 20) { try console.number("select count(*) from offers") == 2 }
        #expect(offered)
      }
    }

    private static func parties(
      _ deployment: Deployment, _ service: Service
    ) throws -> (lender: Party, startup: Party) {
      try deployment.openMarket(service)
      return (
        try deployment.enrol(service, "Lender", role: "lender"),
        try deployment.enrol(service, "Startup", role: "startup")
      )
    }

    private static func orders(
      _ deployment: Deployment, _ service: Service, _ lender: Party, _ startup: Party, requests: Int
    ) throws {
      let lot = try deployment.post(service, "/v1/lots", as: lender.key, Goods.lot(of: 64 * requests)).text("id")
      try deployment.post(
        service, "/v1/listings", as: lender.key,
        """
        {"lot_id":"\(lot)","quantity":\(64 * requests),"ask_rate_bps":900,"min_term_days":30,"max_term_days":730,\
        "min_quantity":8,"delivery_modes":["physical","hosted"],"advance_rate_bps":10000}
        """)
      for index in 0..<requests {
        try deployment.post(service, "/v1/loan-requests", as: startup.key, Goods.request("order \(index)"))
      }
    }
  }
}
