import Foundation
import PostgresHarness
import ServiceHarness
import StrictJSON
import Testing

extension EndToEnd {
  @Suite("hostile clients", .serialized)
  struct HostileTests {
    /// Words of the inside that no answer may hold.
    private static let inside = [
      "select ", "insert into", "/Sources/", ".swift", "Postgres", "SQLSTATE", "Optional(", "NIO", "Hummingbird",
      "/tmp/",
      "Swift.", "relation \"", "fatalError", "stack", "chipbridge_writer",
    ]

    @Test(
      "whatever comes over the wire is refused in order: one answer, no failure, nothing of the inside, same process")
    func corpus() async throws {
      try await withDeployment { deployment in
        let keys = FileManager.default.temporaryDirectory.appending(path: "\(UUID().uuidString).json").path
        defer { try? FileManager.default.removeItem(atPath: keys) }
        let options = try ["--request-seconds", "3", "--head-seconds", "2"] + HostileIssuer.options(keys)
        let service = try deployment.serve(options: options)
        let stage = try HostileStage(deployment, service)
        let forged = try stage.forgedTokens()
        let cases =
          stage.syntax + stage.integers + stage.texts + stage.headers + stage.paths + stage.queries + stage.tokens
          + stage.framing + forged
        let before = Self.residentKilobytes(service)
        let found = Gathered<String>()
        try concurrently(16) { worker in
          for index in stride(from: worker, to: cases.count, by: 16) {
            for fault in try Self.faults(cases[index], service.port) { found.append("\(cases[index].name): \(fault)") }
          }
        }
        let growth = Self.residentKilobytes(service) - before
        print("hostile corpus: \(cases.count) cases, \(found.all.count) faults, resident memory grew by \(growth) KiB")
        for fault in found.all { Issue.record("\(fault)") }
        #expect(cases.count > 900)
        #expect(growth < 64 << 10, "resident memory grew by \(growth) KiB")
        let alive = service.child.isRunning
        #expect(alive, "the process ended: \(service.child.output.suffix(300))")
        let good = try RawHTTP(port: service.port).post(
          "/v1/loan-requests", as: stage.startup.key, Goods.request("good"), idempotency: "good")
        #expect(good.status == 201)
      }
    }

    /// What an answer lacks of what the case owes.
    private static func faults(_ hostile: HostileCase, _ port: Int) throws -> [String] {
      let wire = try Wire(port: port)
      let began = ContinuousClock.now
      wire.send(hostile.bytes)
      // The half that waits for nothing more ends the wait early; a service that keeps the connection is left be.
      var (bytes, ended) = wire.drain(quiet: 0.35)
      while !ended, Wire.answers(in: bytes).isEmpty, ContinuousClock.now - began < .seconds(8) {
        let more = wire.drain(quiet: 0.35)
        bytes += more.bytes
        ended = more.ended
      }
      let answers = Wire.answers(in: bytes)
      var faults: [String] = []
      let statuses = answers.map(\.status)
      if statuses.contains(where: { $0 >= 500 }) { faults.append("a failure: \(answers.map(\.text))") }
      switch hostile.verdict {
      case .refused where statuses.count != 1 || statuses.contains { !(400...499).contains($0) }:
        faults.append("answers \(statuses), not one of 4xx")
      case .status(let status) where statuses != [status]: faults.append("answers \(statuses), not \(status)")
      case .taken where statuses.count != 1: faults.append("answers \(statuses), not one")
      case .cut where statuses.count > 1 || statuses.contains { !(400...499).contains($0) } || !ended:
        faults.append("answers \(statuses), \(ended ? "ended" : "still open")")
      case .answers(let count) where statuses.count != count: faults.append("answers \(statuses), not \(count)")
      default: break
      }
      for answer in answers where answer.status >= 400 {
        if answer.headers["content-type"] != "application/problem+json" || !answer.text.contains("\"code\":") {
          faults.append("no problem document: \(answer.status) \(answer.text.prefix(100))")
        }
        for word in inside
        where answer.text.contains(word) && !String(decoding: hostile.bytes, as: UTF8.self).contains(word) {
          faults.append("tells of the inside: \(word) in \(answer.text.prefix(200))")
        }
      }
      return faults
    }

    /// Resident memory of the service, in KiB.
    static func residentKilobytes(_ service: Service) -> Int {
      let status = (try? String(contentsOfFile: "/proc/\(service.child.pid)/status", encoding: .utf8)) ?? ""
      let line = status.split(separator: "\n").first { $0.hasPrefix("VmRSS") }
      return line.flatMap { Int($0.filter(\.isNumber)) } ?? 0
    }
  }
}
