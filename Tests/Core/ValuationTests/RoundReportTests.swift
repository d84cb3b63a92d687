import Foundation
import Primitives
import StrictCSV
import Testing
import Valuation

/// The rounds that ship with the project.
func seedRounds() throws -> [ImportLine<RoundReport>] {
  try RoundReport.read(csv: Array(seedFile("funding-rounds.csv")))
}

func seedFile(_ name: String, file: String = #filePath) throws -> Data {
  var folder = URL(fileURLWithPath: file)
  for _ in 0..<4 { folder.deleteLastPathComponent() }
  return try Data(contentsOf: folder.appendingPathComponent("schema/seed/\(name)"))
}

@Suite("Reports of rounds")
struct RoundReportTests {
  private static let header = RoundReport.columns.joined(separator: ",")
  private static let line =
    "Lingyi,CN,A,2023-11-05,day,200000000,USD,1000000000,\"Alinova, Beidou (participant)\",priced,,closed,P,a page,"

  private func read(_ lines: [String], header: String = header) throws -> [ImportLine<RoundReport>] {
    try RoundReport.read(csv: Array((([header] + lines).joined(separator: "\n") + "\n").utf8))
  }

  @Test("every row of the shared file is read, and each has a mark or the reason why not")
  func sharedFile() throws {
    let lines = try seedRounds()
    #expect(lines.count == 92)
    #expect(lines.allSatisfy { $0.faults.isEmpty && $0.value != nil })
    let today = try day("2026-11-26")
    var reasons: [RoundReport.NoMark?: Int] = [:]
    for line in lines { reasons[try #require(line.value).noMark(on: today), default: 0] += 1 }
    // Counted by hand from the file: 88 closed, of which 13 are acquisitions.
    #expect(reasons[.talks] == 2)
    #expect(reasons[.notClosed] == 2)
    #expect(reasons[.pricesNothing] == 13)
    #expect(reasons[.noValuation] == 18)
    #expect(reasons[.recollection] == 13)
    #expect(reasons[RoundReport.NoMark?.none] == 44)
  }

  @Test("a row is read with the units of its currency and the investors without their remarks")
  func row() throws {
    let report = try #require(read([Self.line])[0].value)
    #expect(report.amount == 20_000_000_000)
    #expect(report.postMoney == 100_000_000_000)
    #expect(report.investors == ["Alinova", "Beidou"])
    #expect(report.announced.lastDay == (try day("2023-11-05")))
    #expect(report.noMark(on: try day("2023-11-05")) == nil)
    #expect(report.noMark(on: try day("2023-11-04")) == .dayAhead)
  }

  @Test(
    "a line at fault is told with its field, all its faults at once",
    arguments: [
      ("CN", "china", "jurisdiction"), ("2023-11-05", "2023-13-05", "announced_date"),
      ("day", "month", "date_precision"),
      ("200000000", "-5", "amount"), ("200000000", "1.234", "amount"), ("200000000", "99999999999999", "amount"),
      ("USD", "USX", "currency"), ("priced", "seed", "kind"), ("closed", "done", "status"), ("P", "A", "certainty"),
      ("a page", "", "source"),
    ])
  func faults(part: String, with: String, field: String) throws {
    let parts = Self.line.components(separatedBy: ",\(part),")
    let text =
      parts.count == 2 ? parts.joined(separator: ",\(with),") : Self.line.replacingOccurrences(of: part, with: with)
    let line = try read([Self.line, text])[1]
    #expect(line.value == nil)
    #expect(line.faults.map(\.line) == line.faults.map { _ in 3 })
    #expect(line.faults.contains { $0.field == field }, "\(line.faults)")
  }

  @Test("an acquisition names its acquirer, a line comes once, and the header has these columns")
  func rules() throws {
    #expect(
      try read([Self.line.replacingOccurrences(of: "priced", with: "acquisition")])[0].faults[0].field == "acquirer")
    #expect(try read([Self.line, Self.line])[1].faults[0].code == "line.repeated")
    #expect(throws: CSVFailure.self) { try read([Self.line], header: Self.header + ",more") }
    #expect(throws: CSVFailure.self) { try read(["x"], header: "company") }
  }

  @Test("dates count from their last day")
  func dates() throws {
    #expect(ReportedDate("2024")?.lastDay == (try day("2024-12-31")))
    #expect(ReportedDate("2024-02")?.lastDay == (try day("2024-02-29")))
    #expect(ReportedDate("2024-02-30") == nil)
    #expect(ReportedDate("24") == nil)
  }
}
