import StrictJSON
import Testing
import WebAPI

@Suite("Bodies of batches")
struct BatchBodyTests {
  private func faults(_ operations: String) -> [String] {
    WebAPIBodyTests.faults(Sample(["operations": operations])) { BatchBody.parse(&$0) }
  }

  @Test("an operation is a path of this interface, any body, and a version it expects")
  func members() throws {
    let batch = try read(
      Sample([
        "operations":
          #"[{"path":"/v1/lots","body":{"quantity":8},"if_match":"\"v3\""},{"path":"/v1/offers/a_b-1.2/accept"}]"#
      ])
    ) { BatchBody.parse(&$0) }
    #expect(batch.operations.map(\.path) == ["/v1/lots", "/v1/offers/a_b-1.2/accept"])
    #expect(batch.operations.map(\.ifMatch) == ["\"v3\"", nil])
    #expect(batch.operations[0].body?["quantity"]?.asInteger == 8 && batch.operations[1].body == nil)
    #expect(batch.operations[0].body?["quantity"]?.pointer == "/operations/0/body/quantity")
  }

  @Test("a path reads one way only, and there are 1 to 100 operations")
  func paths() {
    for path in ["", "lots", "/lots", "/v1/lots?a=b", "/v1/lots#a", "/v1/%6cots", "/v1/lo ts", "/v2/lots", "/v1/löts"] {
      let found = faults(#"[{"path":"\#(path)"}]"#)
      #expect(found.count == 1 && found[0].hasSuffix(" /operations/0/path"), "\(path): \(found)")
    }
    #expect(faults("[]") == ["field.length /operations"])
    let many = { (count: Int) in
      "[" + Array(repeating: #"{"path":"/v1/lots"}"#, count: count).joined(separator: ",") + "]"
    }
    #expect(faults(many(100)).isEmpty && faults(many(101)) == ["field.length /operations"])
    #expect(faults(#"[{"body":{}}]"#) == ["field.missing /operations/0/path"])
    #expect(faults(#"[{"path":"/v1/lots","query":"a"}]"#) == ["field.unknown /operations/0/query"])
  }
}
