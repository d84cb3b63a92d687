import Interest
import Primitives
import Testing

@Suite("Cases that cannot be worked out")
struct CaseFaultTests {
  private static let accrual: [String: String] = [
    "case_id": #""a""#, "method": #""simple""#, "convention": #""ACT/360""#, "currency": #""USD""#,
    "principal": #""1000""#, "start": #""2023-03-27""#, "end": #""2023-11-06""#,
    "rate_history": #"[["2023-03-27","0.08"]]"#,
  ]
  private static let payoff: [String: String] = [
    "case_id": #""p""#, "convention": #""ACT/360""#, "currency": #""USD""#, "principal": #""1000""#,
    "start": #""2023-03-27""#, "rate_history": #"[["2023-03-27","0.08"]]"#, "events": "[]",
    "payoff_date": #""2024-04-30""#,
  ]
  private static let schedule: [String: String] = [
    "case_id": #""s""#, "kind": #""annuity""#, "interest_mode": #""period""#, "convention": "null",
    "currency": #""USD""#, "principal": #""1000""#, "annual_rate": #""0.05""#, "periods": "12",
    "interest_only_periods": "0", "start": #""2023-03-27""#,
  ]
  private static let yield: [String: String] = ["case_id": #""x""#, "flows": "[]"]

  /// The members with one changed, or left out where `value` is nil.
  private func text(_ members: [String: String], _ name: String, _ value: String?) -> String {
    var members = members
    members[name] = value
    return "{" + members.map { "\"\($0.key)\":\($0.value)" }.joined(separator: ",") + "}"
  }

  @Test(
    "an accrual names the member at fault",
    arguments: [
      ("method", #""compound""#, "method: "), ("method", nil, "method: is required"),
      ("convention", #""ACT/364""#, "convention: "), ("currency", #""XXX""#, "currency: "),
      ("currency", #""usd""#, "currency: "), ("principal", #""-1""#, "principal: "),
      ("principal", #""1e25""#, "principal: "), ("principal", "true", "principal: "),
      ("principal", #""1,000""#, "principal: "), ("principal", #""""#, "principal: "),
      ("principal", #"" 1""#, "principal: "), ("principal", #""1e999999999""#, "principal: "),
      ("principal", #""0.0000000000000000000000001""#, "principal: "), ("start", #""2023-02-29""#, "start: "),
      ("start", "20230327", "start: "), ("end", #""2023-03-26""#, "end: "), ("rate_history", "[]", "rate_history: "),
      ("rate_history", "{}", "rate_history: "), ("rate_history", #"[["2023-03-28","0.08"]]"#, "rate_history: "),
      ("rate_history", #"[["2023-03-27"]]"#, "rate_history/0: "),
      ("rate_history", #"[["2023-03-27","0.08"],["2023-03-27","0.09"]]"#, "rate_history/1: "),
      ("rate_history", #"[["2023-03-27","0.08"],["2023-03-26","0.09"]]"#, "rate_history/1: "),
      ("rate_history", #"[["2023-03-27","-1"]]"#, "rate_history/0/1: "),
      ("rate_history", #"[["2023-03-27","101"]]"#, "rate_history/0/1: "),
      ("rate_history", #"[["2023-03-27",null]]"#, "rate_history/0/1: "), ("case_id", nil, "case_id: is required"),
      ("case_id", #""""#, "case_id: "), ("case_id", "7", "case_id: "),
    ] as [(String, String?, String)])
  func accrual(_ name: String, _ value: String?, _ fault: String) throws {
    let found = try answer(.accrual, text(Self.accrual, name, value))
    #expect(found.hasPrefix(fault), "\(found)")
  }

  @Test("30/360 does not compound daily, and a growth past all bounds is refused, not computed")
  func compounding() throws {
    var members = Self.accrual
    members["method"] = #""compound_daily""#
    #expect(try answer(.accrual, text(members, "convention", #""30/360-US""#)).hasPrefix("convention: "))
    members["end"] = #""9999-12-31""#
    #expect(
      try answer(.accrual, text(members, "rate_history", #"[["2023-03-27","100"]]"#))
        == "The amounts are too large to compute.")
    members["rate_history"] = #"[["0001-01-01","0.001234567890123456789012"]]"#
    #expect(try answer(.accrual, text(members, "start", #""0001-01-01""#)).contains("interest_rounded"))
    members["method"] = #""compound_monthly""#
    #expect(try answer(.accrual, text(members, "start", #""9900-01-01""#)).contains("interest_rounded"))
  }

  @Test(
    "a payoff names the member at fault",
    arguments: [
      ("payoff_date", #""2023-03-26""#, "payoff_date: "), ("principal", #""0.001""#, "principal: "),
      ("events", "null", "events: "), ("events", "[7]", "events/0: "),
      ("events", #"[{"date":"2023-03-26","type":"payment","amount":"1"}]"#, "events/0/date: "),
      ("events", #"[{"date":"2024-05-01","type":"payment","amount":"1"}]"#, "events/0/date: "),
      ("events", #"[{"date":"2023-04-01","type":"refund","amount":"1"}]"#, "events/0/type: "),
      ("events", #"[{"date":"2023-04-01","type":"payment","amount":"-1"}]"#, "events/0/amount: "),
      ("events", #"[{"date":"2023-04-01","type":"payment","amount":"1.001"}]"#, "events/0/amount: "),
      ("events", #"[{"date":"2023-04-01","type":"payment"}]"#, "events/0/amount: is required"),
      (
        "events",
        #"[{"date":"2023-04-02","type":"payment","amount":"1"},{"date":"2023-04-01","type":"payment","amount":"1"}]"#,
        "events/1/date: "
      ),
    ])
  func payoff(_ name: String, _ value: String, _ fault: String) throws {
    let found = try answer(.payoff, text(Self.payoff, name, value))
    #expect(found.hasPrefix(fault), "\(found)")
  }

  @Test(
    "a schedule names the member at fault",
    arguments: [
      ("periods", "0", "periods: "), ("periods", "-1", "periods: "), ("periods", "1201", "periods: "),
      ("periods", "9223372036854775808", "periods: "), ("periods", "1.5", "periods: "),
      ("periods", #""12""#, "periods: "), ("interest_only_periods", "3", "interest_only_periods: "),
      ("kind", #""balloon""#, "kind: "), ("interest_mode", #""daycount""#, "convention: "),
      ("annual_rate", #""-1""#, "annual_rate: "), ("principal", #""1.001""#, "principal: "),
      ("start", #""9999-11-30""#, "A date lies past"),
    ])
  func schedule(_ name: String, _ value: String, _ fault: String) throws {
    let found = try answer(.schedule, text(Self.schedule, name, value))
    #expect(found.hasPrefix(fault), "\(found)")
  }

  @Test(
    "a yield names the member at fault",
    arguments: [
      ("7", "flows: "), ("[7]", "flows/0: "), (#"[["2023-01-01","x"]]"#, "flows/0/1: "),
      (#"[["2023-01-32","1"]]"#, "flows/0/0: "), (#"[["2023-01-01","1e24"]]"#, "flows/0/1: "),
    ])
  func yield(_ value: String, _ fault: String) throws {
    let found = try answer(.xirr, text(Self.yield, "flows", value))
    #expect(found.hasPrefix(fault), "\(found)")
  }

  @Test("a file that is no list of cases is refused as a whole", arguments: ["", "{", "7", "{}", #"{"cases":{}}"#])
  func files(_ text: String) {
    #expect(throws: CaseFileFault.self) { try CaseFile(parsing: Array(text.utf8), kind: .accrual) }
  }

  @Test("of two cases with one name the second is refused; a day count may stand once for each convention")
  func duplicates() throws {
    var ledger = CaseLedger()
    let accrual = try CaseFile(parsing: Array(#"[{"case_id":"a"},{"case_id":"a"},{},{}]"#.utf8), kind: .accrual)
    #expect(ledger.admit(accrual.answer(at: 0)).name == "a")
    #expect(
      ledger.admit(accrual.answer(at: 1)).result
        == .failure(CaseFault(field: "case_id", detail: "stands twice in the file")))
    #expect(ledger.admit(accrual.answer(at: 2)).name == "case 3")
    let counts = try CaseFile(
      parsing: Array(#"[{"case_id":"d","convention":"ACT/360"},{"case_id":"d","convention":"30E/360"}]"#.utf8),
      kind: .daycount)
    #expect(Set((0..<2).map { counts.answer(at: $0).name }).count == 2)
  }
}
