import Foundation
import PostgresHarness
import ServiceHarness
import StrictJSON
import Testing

extension EndToEnd {
  /// What happened: by page, by id, and as it happens.
  @Suite("events", .serialized)
  struct Events {
    /// Every event that a key is told, walked page by page.
    private func walk(_ http: RawHTTP, as key: String, _ filter: String = "") throws -> [JSONNode] {
      var events: [JSONNode] = []
      var cursor = ""
      repeat {
        let answer = try http.get("/v1/events?limit=50\(filter)\(cursor)", as: key)
        #expect(answer.status == 200, "\(answer.text)")
        let page = try answer.json()
        events += page["data"]?.elements.map { $0 } ?? []
        cursor = page["next_cursor"]?.asString.map { "&cursor=\($0)" } ?? ""
      } while !cursor.isEmpty
      return events
    }

    /// The numbers of each object's events, as they came.
    private func gaps(_ events: [JSONNode]) -> [String] {
      var last: [String: Int64] = [:]
      var found: [String] = []
      for event in events {
        guard let subject = event["subject"]?.asString, let number = event["sequence"]?.asInteger else {
          found.append("no sequence")
          continue
        }
        if number != last[subject, default: 0] + 1 { found.append("\(subject): \(number)") }
        last[subject] = number
      }
      return found
    }

    @Test("a stream that is cut again and again while writers write has every event once and in order")
    func cutAndResume() async throws {
      try await withDeployment { deployment in
        let service = try deployment.serve()
        let lender = try deployment.enrol(service, "Lender", role: "lender")
        let startup = try deployment.enrol(service, "Startup", role: "startup")
        let load = WriteLoad("cuts", lender: lender, startup: startup)
        let ended = DispatchGroup()
        ended.enter()
        Thread.detachNewThread {
          do { try load.run(writers: 4, port: service.port) } catch { load.strange.append("\(error)") }
          ended.leave()
        }
        var told: [String] = []
        var last = "0"
        var cuts = 0
        let stopAt = ContinuousClock.now + .seconds(6)
        var quiet = 0
        // Many in a row, since a busy machine may take long to answer.
        while quiet < 25 {
          let stream = try EventStreamReader(
            port: service.port, "/v1/events/stream", as: startup.key, headers: ["Last-Event-ID: \(last)"])
          let most = Int.random(in: 1...40)
          var taken = 0
          let patience = ContinuousClock.now + .milliseconds(Int64.random(in: 20...400))
          while taken < most, ContinuousClock.now < patience {
            for block in stream.read(milliseconds: 20) where block.data != nil && block.event != nil {
              told.append(block.id ?? "none")
              last = block.id ?? last
              taken += 1
            }
          }
          cuts += 1
          if ContinuousClock.now > stopAt {
            load.stop()
            quiet = taken == 0 ? quiet + 1 : 0
          }
        }
        ended.wait()
        let http = RawHTTP(port: service.port)
        let events = try walk(http, as: startup.key)
        let positions = events.compactMap { $0["position"]?.asInteger.map(String.init) }
        print("stream: \(cuts) cuts, \(told.count) events")
        #expect(told == positions)
        #expect(told.count > 100 && cuts > 20)
        expectNone(gaps(events), "numbers of an object's events that do not follow each other")
        expectNone(load.strange.all, "neither 201 nor 503")
        // By id, by type, by object; and nobody else's.
        let event = try #require(events.last)
        let (id, subject) = (event["id"]?.asString ?? "", event["subject"]?.asString ?? "")
        let one = try http.get("/v1/events/\(id)", as: startup.key)
        #expect(one.status == 200)
        #expect(try one.json()["sequence"]?.asInteger == event["sequence"]?.asInteger)
        #expect(try http.get("/v1/events/\(id)", as: lender.key).status == 404)
        #expect(try walk(http, as: startup.key, "&subject=\(subject)").count == 1)
        let created = try walk(http, as: startup.key, "&type=loan_request.created")
        let ofNoun = try walk(http, as: startup.key, "&type=loan_request.*,offer.made")
        #expect(created.count == ofNoun.count && created.count == load.intents.count { $0.path == "/v1/loan-requests" })
        #expect(created.first?["after"]?["state"]?.asString != nil && created.first?["before"]?.kind == .null)
        for wrong in ["type=Loan", "type=loan", "after=-1", "after=x", "limit=0", "cursor=zz"] {
          #expect(try http.get("/v1/events?\(wrong)", as: startup.key).status == 422, "\(wrong)")
        }
      }
    }

    @Test("a stream beats while nothing happens, ends with its key and with the service, and is one of few")
    func life() async throws {
      try await withDeployment { deployment in
        let service = try deployment.serve(options: ["--stream-heartbeat", "1"])
        let startup = try deployment.enrol(service, "Startup", role: "startup")
        let made = try RawHTTP(port: service.port).post(
          "/v1/api-keys", as: startup.key, #"{"organization_id":"\#(startup.id)","roles":["startup"]}"#,
          idempotency: "second-key")
        let (second, keyID) = (try made.text("secret"), try made.text("id"))
        let stream = try EventStreamReader(port: service.port, "/v1/events/stream", as: second)
        var blocks: [StreamedEvent] = []
        let beats = eventually(within: 6) {
          blocks += stream.read(milliseconds: 100)
          return blocks.count { $0.comment == "heartbeat" } >= 2
        }
        #expect(beats && stream.status == 200)
        try deployment.post(service, "/v1/api-keys/\(keyID)/revoke", as: startup.key, "{}")
        let revoked = eventually(within: 5) {
          _ = stream.read(milliseconds: 50)
          return stream.isOver
        }
        #expect(revoked, "a revoked key's stream goes on")
        var streams: [EventStreamReader] = []
        for _ in 0..<10 {
          streams.append(try EventStreamReader(port: service.port, "/v1/events/stream", as: startup.key))
        }
        for stream in streams {
          #expect(
            eventually(within: 5) {
              _ = stream.read(milliseconds: 50); return stream.status == 200
            })
        }
        let refused = try RawHTTP(port: service.port).get("/v1/events/stream", as: startup.key)
        #expect(refused.status == 429 && refused.headers["retry-after"] == "5", "\(refused.text)")
        streams.removeLast(5)
        let again = eventually(within: 10) {
          let next = try? EventStreamReader(port: service.port, "/v1/events/stream", as: startup.key)
          _ = next?.read(milliseconds: 500)
          return next?.status == 200
        }
        #expect(again, "places are given back")
        service.child.signal(SIGTERM)
        let began = ContinuousClock.now
        let over = eventually(within: 5) {
          for stream in streams { _ = stream.read(milliseconds: 20) }
          return streams.allSatisfy(\.isOver)
        }
        #expect(over, "streams outlive the service's end")
        #expect(service.child.wait(seconds: 10) == 0)
        #expect(ContinuousClock.now - began < .seconds(8))
      }
    }
  }
}
