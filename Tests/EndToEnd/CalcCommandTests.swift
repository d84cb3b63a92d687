import Foundation
import PostgresHarness
import ServiceHarness
import StrictJSON
import Testing

/// `chipbridge calc` through the built binary. Needs no server.
@Suite("finance cases through the binary") struct CalcCommandTests {
  private static let fixtures = URL(filePath: #filePath).deletingLastPathComponent()
    .appending(path: "../Fixtures/finance").standardized

  private func calc(_ arguments: [String]) throws -> (status: Int32, lines: [Substring]) {
    let log = FileManager.default.temporaryDirectory.appending(path: UUID().uuidString).path
    defer { try? FileManager.default.removeItem(atPath: log) }
    let child = try Child([try chipbridgeBinary(), "calc"] + arguments, environment: [:], log: log)
    guard let status = child.wait(seconds: 120) else {
      child.signal(SIGKILL)
      throw HarnessError("calc \(arguments.joined(separator: " ")) does not end")
    }
    return (status, child.output.split(separator: "\n"))
  }

  @Test("each file of known answers is worked out line by line, in its order")
  func files() throws {
    let files = [
      ("daycount", "daycount.csv", 780, "dc000"), ("accrual", "accrual.json", 78, "ac000"),
      ("schedule", "schedules.json", 30, "sc000"), ("payoff", "payoff.json", 50, "po000"),
    ]
    for (kind, name, count, first) in files {
      let ending = try calc([kind, Self.fixtures.appending(path: name).path])
      #expect(ending.status == 0 && ending.lines.count == count, "\(name)")
      let line = try #require(ending.lines.first)
      #expect(try JSONDocument(parsing: Array(line.utf8)).root["case_id"]?.asString == first)
    }
  }

  @Test("a case that cannot be worked out is named, the others are printed, and the status is 1")
  func faults() throws {
    let file = FileManager.default.temporaryDirectory.appending(path: UUID().uuidString)
    defer { try? FileManager.default.removeItem(at: file) }
    let flows = #"[["2023-01-01","-1000"],["2024-01-01","1100"]]"#
    let text =
      #"{"cases":[{"case_id":"a","flows":\#(flows)},{"case_id":"b"},{"case_id":"a","flows":[]},"#
      + #"{"case_id":"c","flows":\#(flows)}]}"#
    try Data(text.utf8).write(to: file)
    let ending = try calc(["xirr", file.path, "--json"])
    #expect(ending.status == 1)
    let (answers, faults) = (
      ending.lines.filter { $0.hasPrefix("{") }, ending.lines.filter { !$0.hasPrefix("{") }
    )
    #expect(answers.map { $0.contains(#""xirr":"0.1","xnpv_at_10pct":"0""#) } == [true, true])
    #expect(faults.contains { $0.contains("b: flows: is required") })
    #expect(faults.contains { $0.contains("a: case_id: stands twice in the file") })
  }

  @Test("what is no kind, and a file left out, are errors of usage; a file that is not there is a failure")
  func usage() throws {
    #expect(try calc(["interest", "x"]).status == 2)
    #expect(try calc(["accrual"]).status == 2)
    #expect(try calc(["accrual", Self.fixtures.appending(path: "none.json").path]).status == 1)
    #expect(try calc(["accrual", Self.fixtures.appending(path: "daycount.csv").path]).status == 1)
  }
}
