import Foundation
import PostgresHarness
import ServiceHarness
import StrictJSON
import Testing

extension EndToEnd {
  @Suite("the sealed audit log", .serialized)
  struct AuditTests {
    @Test("checkpoints leave the database signed, are read by auditors alone, and tell of a tail that was cut off")
    func checkpoints() async throws {
      try await withDeployment { deployment in
        let file = "/tmp/cb-checkpoints-\(UUID().uuidString)"
        defer { try? FileManager.default.removeItem(atPath: file) }
        let options = ["--audit-seconds", "1", "--audit-checkpoints", file]
        let service = try deployment.serve(options: options)
        let other = try deployment.serve(options: options)
        let lender = try deployment.enrol(service, "Lender", role: "lender")
        try EndToEnd.sealed(deployment)
        for index in 0..<6 {
          try deployment.post(index % 2 == 0 ? service : other, "/v1/lots", as: lender.key, Goods.lot("a-\(index)"))
        }
        try EndToEnd.sealed(deployment)
        let http = RawHTTP(port: service.port)
        let page = try http.get("/v1/audit-log/checkpoints?limit=1", as: deployment.admin).json()
        #expect(page["data"]?.elements.count == 1 && page["next_cursor"]?.asString == "1")
        #expect(try http.get("/v1/audit-log/checkpoints", as: lender.key).status == 403)
        let signed = try String(contentsOfFile: file, encoding: .utf8).split(separator: "\n")
        #expect(signed.count >= 2)
        #expect(service.child.output.contains("audit checkpoint") || other.child.output.contains("audit checkpoint"))
        let arguments = ["verify", "--audit-checkpoints", file]
        let whole = try deployment.run(arguments)
        #expect(whole.status == 0, "\(whole.output)")
        // An auditor who noted the key takes no other's word.
        let key = try #require(try JSONDocument(parsing: Array(String(signed[0]).utf8)).root["public_key"]?.asString)
        #expect(try deployment.run(arguments + ["--audit-key", key]).status == 0)
        let another = try deployment.run(arguments + ["--audit-key", String(repeating: "ab", count: 32)])
        #expect(another.status == 1 && another.output.contains("signed by another key"), "\(another.output)")
        #expect(try deployment.run(arguments + ["--audit-key", "ab"]).status != 0)
        try service.kill()
        try other.kill()

        // Somebody with the database in his hands removes the tail with all that tells of it: the file alone knows.
        let console = try deployment.console()
        _ = try console.rows("set session_replication_role = replica")
        for statement in [
          "delete from audit_log a using audit_sealing s where a.transaction_id >= (select max(from_transaction) from audit_links)",
          "delete from audit_links where from_transaction = (select max(from_transaction) from audit_links)",
          "delete from audit_checkpoints where number = (select max(number) from audit_checkpoints)",
          """
          update audit_sealing set checkpoint = checkpoint - 1,
            before_transaction = (select max(before_transaction) from audit_checkpoints)
          """,
        ] { _ = try console.rows(statement) }
        #expect(try deployment.run(["verify"]).status == 0)
        let cut = try deployment.run(arguments)
        #expect(cut.status == 1 && cut.output.contains("is gone"), "\(cut.output)")

        // And makes up another one, signed by a key that is not the platform's file.
        let forged = signed[0].replacing("\\\"entries\\\":", with: "\\\"entries\\\":1")
        try (forged + "\n").write(toFile: file, atomically: true, encoding: .utf8)
        #expect(try deployment.run(arguments).output.contains("not signed by its key"))
      }
    }
  }
}
