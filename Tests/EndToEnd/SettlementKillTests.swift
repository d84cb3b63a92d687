import Foundation
import PostgresHarness
import ServiceHarness
import StrictJSON
import Testing

extension EndToEnd {
  /// Missed days are closed by a run of many stages while its workers die, freeze and lose their database.
  @Suite("kills under a settlement run", .serialized)
  struct SettlementKills {
    static let kills = ProcessInfo.processInfo.environment["CHIPBRIDGE_LONG"] == "1" ? 20 : 3
    /// From 3 April to 30 September 2023.
    private static let days = 181
    /// 64 chips of 250,000 minor units, all of it advanced.
    private static let principal = 16_000_000

    @Test("kill -9 of the service, of PostgreSQL, and a process frozen past its lease: each day closes once")
    func dayClose() async throws {
      try await withDeployment(fsync: true) { deployment in
        let options = ["--lease-seconds", "3"]
        var service = try deployment.serve(options: options)
        let rate = try lend(deployment, service)
        try deployment.post(
          service, "/v1/settlement-runs", as: deployment.admin, #"{"job":"day_close","business_date":"2023-04-03"}"#)
        let closed = try eventually(within: 30) { try days(deployment) == 1 }
        try #require(closed)
        try deployment.post(
          service, "/v1/sandbox/clock", as: deployment.admin, #"{"now":"2023-09-30T18:00:00Z"}"#)
        let run = try deployment.post(
          service, "/v1/settlement-runs", as: deployment.admin, #"{"job":"day_close","business_date":"2023-09-30"}"#
        ).text("id")
        var met = 0
        for number in 0..<Self.kills where try state(run, deployment) == "running" || number == 0 {
          usleep(UInt32.random(in: 300_000...900_000))
          met += try state(run, deployment) == "running" ? 1 : 0
          switch number % 3 {
          case 0:
            try service.kill()
            service = try deployment.serve(options: options)
          case 1:
            deployment.server.signal(SIGKILL)
            try deployment.server.start()
            _ = service.becomesReady(within: 10)
          default:
            // Frozen past its lease, and thawed into a world in which another has its work.
            service.child.signal(SIGSTOP)
            let other = try deployment.serve(options: options)
            usleep(4_000_000)
            service.child.signal(SIGCONT)
            usleep(500_000)
            try service.kill()
            service = other
          }
        }
        #expect(met > 0, "the faults met a run at work")
        let ended = try eventually(within: 240) { try state(run, deployment) == "succeeded" }
        let last = try state(run, deployment)
        #expect(ended, "the run is \(last)")
        #expect(try days(deployment) == Self.days)
        // Every day has its fee, no day has it twice: 181 days, rounded once.
        let (fee, rest) = (Self.principal * rate * Self.days).quotientAndRemainder(dividingBy: 3_600_000)
        let expected = rest * 2 > 3_600_000 || (rest * 2 == 3_600_000 && fee % 2 == 1) ? fee + 1 : fee
        let console = try deployment.console()
        let posted = try console.number("select -sum(balance) from accounts where account_code = 'income.fee'")
        #expect(posted == expected)
        let entries = try console.number("select count(*) from journal_entries where kind = 'fee_accrued'")
        #expect(entries == 2 * Self.days)
        let open = try console.number("select count(*) from settlement_shards where state in ('planned', 'running')")
        #expect(open == 0)
        let verified = try deployment.run(["verify"])
        #expect(verified.status == 0, "\(verified.output)")
        try expectBooksHold(deployment)
      }
    }

    /// One loan, delivered on the first day.
    /// - Returns: its rate in basis points.
    private func lend(_ deployment: Deployment, _ service: Service) throws -> Int {
      let lender = try deployment.enrol(service, "Lender", role: "lender")
      let startup = try deployment.enrol(service, "Startup", role: "startup")
      try deployment.openMarket(service)
      _ = try deployment.lend(service, from: lender, to: startup)
      return try deployment.console().number("select rate_bps from loans")
    }

    private func days(_ deployment: Deployment) throws -> Int {
      try deployment.console().number("select count(*) from closed_days")
    }

    private func state(_ run: String, _ deployment: Deployment) throws -> String {
      let id = run.dropFirst("run_".count)
      return try deployment.console().rows("select state from settlement_runs where id = '\(id)'").first?.first ?? ""
    }
  }
}
