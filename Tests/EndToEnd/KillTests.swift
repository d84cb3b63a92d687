import Foundation
import PostgresHarness
import ServiceHarness
import Testing

extension EndToEnd {
  /// "Nothing lost": what was acknowledged is there, what was not can be retried to exactly one effect.
  @Suite("kills under write load", .serialized)
  struct Kills {
    static let kills = ProcessInfo.processInfo.environment["CHIPBRIDGE_LONG"] == "1" ? 20 : 4

    @Test("kill -9 of the service loses nothing acknowledged and doubles nothing")
    func service() async throws {
      try await withDeployment(fsync: true) { deployment in
        let first = try deployment.serve()
        let port = first.port
        let load = WriteLoad(
          "kill-service", lender: try deployment.enrol(first, "Lender", role: "lender"),
          startup: try deployment.enrol(first, "Startup", role: "startup"))
        var service = first
        try during(load, port: port) {
          for _ in 0..<Self.kills {
            usleep(UInt32.random(in: 300_000...900_000))
            try service.kill()
            service = try deployment.serve(port: port)
          }
          usleep(300_000)
        }
        let unanswered = try judge("kill -9 of the service", load, deployment, port)
        #expect(unanswered >= Self.kills, "each kill met writers at work")
        let healthy = service.child.isRunning
        #expect(healthy)
      }
    }

    @Test("kill -9 of PostgreSQL loses nothing acknowledged, doubles nothing, and the service heals by itself")
    func database() async throws {
      try await withDeployment(fsync: true) { deployment in
        let service = try deployment.serve()
        let load = WriteLoad(
          "kill-database", lender: try deployment.enrol(service, "Lender", role: "lender"),
          startup: try deployment.enrol(service, "Startup", role: "startup"))
        try during(load, port: service.port) {
          for _ in 0..<Self.kills {
            usleep(UInt32.random(in: 300_000...900_000))
            deployment.server.signal(SIGKILL)
            try deployment.server.start()
            let ready = service.becomesReady(within: 10)
            #expect(ready, "not ready within 10 s of the database's return")
          }
          usleep(300_000)
        }
        try judge("kill -9 of PostgreSQL", load, deployment, service.port)
        let running = service.child.isRunning
        #expect(running, "the service must outlive its database")
      }
    }

    private func during(_ load: WriteLoad, port: Int, _ faults: @escaping () throws -> Void) throws {
      let ended = DispatchGroup()
      ended.enter()
      let thread = Thread {
        do { try load.run(writers: 8, port: port) } catch { load.strange.append("\(error)") }
        ended.leave()
      }
      thread.start()
      defer {
        load.stop()
        ended.wait()
      }
      try faults()
    }

    /// - Returns: how many requests got no whole answer under the load.
    @discardableResult
    private func judge(_ what: String, _ load: WriteLoad, _ deployment: Deployment, _ port: Int) throws -> Int {
      let reckoning = try Reckoning(load, deployment, port: port)
      reckoning.report(what, trials: Self.kills)
      reckoning.expectClean()
      expectNone(load.strange.all, "neither 201 nor 503")
      // A killed process may leave an answer unfinished; a whole one is what counts as acknowledged.
      // Kills that met no load would prove nothing. A kill of the database need not leave a request without an answer:
      // the pipeline repeats the batch, and the stored keys tell what became of it.
      #expect(reckoning.acknowledged > 50)
      try expectBooksHold(deployment)
      return reckoning.unacknowledged
    }
  }
}
