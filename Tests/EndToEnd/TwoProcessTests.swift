import Foundation
import ServiceHarness
import Testing

extension EndToEnd {
  @Suite("several processes, and their end", .serialized)
  struct Processes {
    @Test("two processes on one database answer the same request with one effect and equal bytes")
    func twoServe() async throws {
      try await withDeployment { deployment in
        let services = [try deployment.serve(), try deployment.serve()]
        let lender = try deployment.enrol(services[0], "Lender", role: "lender")
        let startup = try deployment.enrol(services[1], "Startup", role: "startup")
        let answers = Gathered<(key: String, status: Int, body: [UInt8])>()
        // Four pairs: the two of a pair send the same keys, each to its own process.
        try concurrently(8) { worker in
          let http = RawHTTP(port: services[worker % 2].port, isDescribed: false)
          for number in 0..<40 {
            let key = "pair-\(worker / 2)-\(number)"
            let isLot = number % 4 == 3
            let answer = try http.post(
              isLot ? "/v1/lots" : "/v1/loan-requests", as: isLot ? lender.key : startup.key,
              isLot ? Goods.lot(key) : Goods.request(key), idempotency: key)
            answers.append((key, answer.status, answer.body))
          }
        }
        let all = answers.all
        #expect(all.count == 320)
        let refused = all.filter { $0.status != 201 }.map { String(decoding: $0.body, as: UTF8.self) }
        expectNone(refused, "refused")
        for (key, pair) in Dictionary(grouping: all, by: \.key) {
          let equal = pair.count == 2 && pair[0].body == pair[1].body
          #expect(equal, "\(key)")
        }
        let console = try deployment.console()
        let requests = try console.number("select count(*) from loan_requests where end_use like 'pair-%'")
        let lots = try console.number("select count(*) from lots where serials[1] like 'pair-%'")
        #expect(requests == 120)
        #expect(lots == 40)
        try expectBooksHold(deployment)
      }
    }

    @Test("of two racing accepts of one offer, each in a process of its own, one wins")
    func racingAccepts() async throws {
      try await withDeployment { deployment in
        let services = [try deployment.serve(), try deployment.serve()]
        try deployment.openMarket(services[0])
        let lender = try deployment.enrol(services[0], "Lender", role: "lender")
        let startup = try deployment.enrol(services[0], "Startup", role: "startup")
        let offers = try deployment.offers(services[0], lender: lender, startup: startup, requests: 6)
        #expect(offers.count == 6)
        for offer in offers {
          let answers = Gathered<Answer>()
          try concurrently(2) { index in
            answers.append(
              try RawHTTP(port: services[index].port, isDescribed: false).post(
                "/v1/offers/\(offer)/accept", as: startup.key, "{}", idempotency: UUID().uuidString))
          }
          let statuses = answers.all.map(\.status).sorted()
          #expect(statuses == [200, 409])
          let loser = answers.all.first { $0.status == 409 }?.text ?? ""
          #expect(loser.contains("accepted"), "a conflict names the present state: \(loser)")
        }
        let loans = try deployment.console().number("select count(*) from loans")
        #expect(loans == offers.count)
        try expectBooksHold(deployment)
      }
    }

    @Test("SIGTERM under load: answers come whole or not at all, the process ends with 0, nothing is lost")
    func terminate() async throws {
      try await withDeployment { deployment in
        let service = try deployment.serve()
        let load = WriteLoad(
          "terminate", lender: try deployment.enrol(service, "Lender", role: "lender"),
          startup: try deployment.enrol(service, "Startup", role: "startup"))
        let ended = DispatchGroup()
        ended.enter()
        let thread = Thread {
          do { try load.run(writers: 8, port: service.port) } catch { load.strange.append("\(error)") }
          ended.leave()
        }
        thread.start()
        usleep(700_000)
        let before = load.intents.count
        let sent = ContinuousClock.now
        service.child.signal(SIGTERM)
        let status = service.child.wait(seconds: 30)
        let took = ContinuousClock.now - sent
        load.stop()
        ended.wait()
        #expect(status == 0, "\(service.child.output.suffix(400))")
        #expect(before > 8)
        expectNone(load.half.all, "half answers")
        expectNone(load.strange.all, "neither 201 nor 503")
        let again = try deployment.serve()
        let reckoning = try Reckoning(load, deployment, port: again.port)
        reckoning.report("SIGTERM under load, ended after \(took)", trials: 1)
        reckoning.expectClean()
        try expectBooksHold(deployment)
      }
    }
  }
}
