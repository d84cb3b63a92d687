import Foundation
import PostgresHarness
import ServiceHarness
import StrictJSON
import Testing

/// `chipbridge match solve` through the built binary. Needs no server.
@Suite("market files through the binary") struct MatchCommandTests {
  private static let fixtures = URL(filePath: #filePath).deletingLastPathComponent()
    .appending(path: "../Fixtures/matching").standardized

  private struct Ending {
    let status: Int32
    let output: String
  }

  private func match(_ arguments: [String]) throws -> Ending {
    let log = FileManager.default.temporaryDirectory.appending(path: UUID().uuidString).path
    defer { try? FileManager.default.removeItem(atPath: log) }
    let child = try Child([try chipbridgeBinary(), "match"] + arguments, environment: [:], log: log)
    guard let status = child.wait(seconds: 120) else {
      child.signal(SIGKILL)
      throw HarnessError("match \(arguments.joined(separator: " ")) does not end")
    }
    return Ending(status: status, output: child.output)
  }

  private func scratch(_ bytes: some Sequence<UInt8>) throws -> String {
    let url = FileManager.default.temporaryDirectory.appending(path: UUID().uuidString)
    try Data(bytes).write(to: url)
    return url.path
  }

  @Test("every case with a known optimum reaches it, proved, in the members of the format")
  func knownAnswers() throws {
    let expected = try JSONDocument(
      parsing: Array(try Data(contentsOf: Self.fixtures.appending(path: "expected.json"))))
    for entry in expected.root.elements {
      let file = try #require(entry["file"]?.asString)
      let allocations = try scratch([])
      defer { try? FileManager.default.removeItem(atPath: allocations) }
      let ending = try match(
        ["solve", Self.fixtures.appending(path: file).path, "--allocations", allocations])
      #expect(ending.status == 0, "\(file): \(ending.output)")
      let answer = try JSONDocument(parsing: Array(ending.output.utf8)).root
      #expect(
        answer.members.map(\.name) == [
          "objective", "bound", "matched_quantity", "matched_pairs", "solve_ms", "certificate",
        ])
      #expect(answer["objective"]?.asInteger == entry["optimum"]?.asInteger, "\(file)")
      #expect(answer["bound"]?.asInteger == entry["optimum"]?.asInteger, "\(file)")
      #expect(answer["certificate"]?.asString == "valid", "\(file)")
      let lines = try String(contentsOfFile: allocations, encoding: .utf8).split(separator: "\n")
      #expect(answer["matched_pairs"]?.asInteger == Int64(lines.count))
      let quantities = try lines.map { line in
        try #require(try JSONDocument(parsing: Array(line.utf8)).root["quantity"]?.asInteger)
      }
      #expect(answer["matched_quantity"]?.asInteger == quantities.reduce(0, +))
    }
  }

  @Test("an empty market on standard input has the objective 0")
  func empty() throws {
    let ending = try match(["solve", "-"])
    #expect(ending.status == 0 && ending.output.hasPrefix(#"{"objective":0,"bound":0,"matched_quantity":0,"#))
  }

  @Test("what cannot be read ends with status 1 and the reason; a wrong command line with 2")
  func refusals() throws {
    let zipped = Array(try Data(contentsOf: Self.fixtures.appending(path: "plain-3-1000.jsonl.gz")))
    let cut = try scratch(zipped.prefix(zipped.count / 2))
    let bad = try scratch("{\"type\":\"chip\",\"chip_model\":\"a\",\"unit_value\":0}\n".utf8)
    defer { for path in [cut, bad] { try? FileManager.default.removeItem(atPath: path) } }
    let rows: [(arguments: [String], status: Int32, words: String)] = [
      (["solve", cut], 1, "cannot be unpacked: gzip: stdin: unexpected end of file"),
      (["solve", bad], 1, "line 1, unit_value: must be a whole number of at least 1"),
      (["solve", "/no/such/file"], 1, "/no/such/file cannot be read: No such file or directory"),
      (["solve", "/"], 1, "/ cannot be read: Is a directory"), (["solve"], 2, "Missing expected argument"),
      (["solve", bad, "--fast"], 2, "--fast"), (["merge"], 2, "merge"), (["solve", "--help"], 0, "--allocations"),
    ]
    for row in rows {
      let ending = try match(row.arguments)
      #expect(ending.status == row.status, "\(row.arguments): \(ending.output)")
      #expect(ending.output.contains(row.words), "\(row.arguments): \(ending.output)")
    }
  }
}
