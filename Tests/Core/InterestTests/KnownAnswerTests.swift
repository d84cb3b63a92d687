import Foundation
import Interest
import Primitives
import StrictJSON
import Testing

@Suite("Known answers")
struct KnownAnswerTests {
  private static let files: [(kind: CaseKind, name: String, count: Int, results: [String])] = [
    (.accrual, "accrual.json", 78, ["interest_full", "interest_rounded"]),
    (.schedule, "schedules.json", 30, ["level_payment", "rows", "total_interest"]),
    (.payoff, "payoff.json", 50, ["expected"]),
    (.xirr, "xirr.json", 40, ["xirr", "xnpv_at_10pct"]),
  ]

  @Test("every case of every file agrees in every digit", arguments: [0, 1, 2, 3])
  func agree(_ place: Int) throws {
    let file = Self.files[place]
    let bytes = try financeFixture(file.name)
    let known = try #require(
      try JSONDocument(parsing: bytes, limits: JSONLimits(maxBytes: 1 << 20, maxMembers: 100_000)).root["cases"])
    let cases = try CaseFile(parsing: bytes, kind: file.kind)
    #expect(cases.count == file.count)
    for (index, expected) in known.elements.enumerated() {
      let line = try cases.answer(at: index).result.get()
      let found = try JSONDocument(parsing: line.bytes).root
      #expect(found.members.map(\.name) == ["case_id"] + file.results)
      for name in ["case_id"] + file.results {
        let (left, right) = (try #require(found[name]), try #require(expected[name]))
        #expect(compact(left) == compact(right), "\(cases.answer(at: index).name) \(name)")
      }
    }
  }

  @Test("results in a file are not looked at: without them the answers are the same")
  func inputOnly() throws {
    let with = """
      {"case_id":"a","method":"simple","convention":"ACT/360","currency":"JPY","principal":"1000000",
       "start":"2023-03-27","end":"2023-11-06","rate_history":[["2023-03-27","0.08"]],
       "interest_full":"1","interest_rounded":"1","note":"wrong on purpose"}
      """
    let without = """
      {"case_id":"a","method":"simple","convention":"ACT/360","currency":"JPY","principal":1000000,
       "start":"2023-03-27","end":"2023-11-06","rate_history":[["2023-03-27",8e-2]]}
      """
    let line = #"{"case_id":"a","interest_full":"49777.777777777777777777777778","interest_rounded":"49778"}"#
    #expect(try answer(.accrual, with) == line)
    #expect(try answer(.accrual, without) == line)
  }

  @Test("a day count is answered by its convention")
  func dayCount() throws {
    let line = try DayCountCase(convention: "ACT/360", start: "2024-02-28", end: "2024-03-01").answer("dc000")
    #expect(
      String(decoding: line, as: UTF8.self)
        == #"{"case_id":"dc000","convention":"ACT/360","days":2,"numerator":1,"denominator":180,"#
        + #""fraction":"0.005555555555555555555555555556"}"#)
  }
}
