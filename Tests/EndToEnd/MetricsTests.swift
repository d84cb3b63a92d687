import PostgresHarness
import ServiceHarness
import Testing

extension EndToEnd {
  @Test("metrics are read by a peer library, and odd requests add few series")
  func metrics() async throws {
    try await withDeployment { deployment in
      let service = try deployment.serve()
      let http = RawHTTP(port: service.port)
      func series() throws -> (count: Int, text: String) {
        let answer = try http.send("GET", "/metrics")
        try #require(answer.status == 200)
        return (answer.text.split(separator: "\n").count { !$0.hasPrefix("#") }, answer.text)
      }
      for target in ["/v1/loans", "/v1/organizations"] { _ = try http.get(target, as: deployment.admin) }
      _ = try http.get("/v1/nothing", as: deployment.admin)
      let before = try series()
      for number in 0..<600 {
        // Paths, methods and ids that nobody has: none of them may become a name of a series.
        switch number % 3 {
        case 0: _ = try http.get("/v1/nothing\(number)/\(number)", as: deployment.admin)
        case 1: _ = try http.send("M\(number)", "/v1/loans")
        default: _ = try http.get("/v1/loans/loan_\(number)", as: deployment.admin)
        }
      }
      let after = try series()
      // A histogram has 17 lines: one for a loan that is not there, one for methods of no name.
      #expect(after.count - before.count <= 40, "\(before.count) and \(after.count)")
      #expect(!after.text.contains("nothing599") && !after.text.contains("M598"))
      let python = try PythonTools.folder(with: ["prometheus-client==0.26.0"]) + "/bin/python"
      let program = """
        import sys
        from prometheus_client.parser import text_string_to_metric_families
        families = list(text_string_to_metric_families(sys.stdin.read()))
        undocumented = [family.name for family in families if not family.documentation]
        sys.exit(f"no help: {undocumented}" if undocumented else 0 if len(families) > 10 else "few families")
        """
      let (status, output) = try PythonTools.run([python, "-c", program], input: after.text)
      #expect(status == 0, "\(output)")
    }
  }
}
