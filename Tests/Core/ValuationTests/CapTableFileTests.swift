import Foundation
import Primitives
import Testing
import Valuation

@Suite("Cap tables of the Open Cap Format")
struct CapTableFileTests {
  private static let transactions = """
    {"file_type":"OCF_TRANSACTIONS_FILE","items":[
      {"object_type":"TX_STOCK_ISSUANCE","id":"iss-1","security_id":"s1","date":"2024-02-01","quantity":"1000000",
       "share_price":{"amount":"12.3456","currency":"USD"},"stock_class_id":"A","stakeholder_id":"x"},
      {"object_type":"TX_STOCK_ISSUANCE","id":"iss-2","security_id":"s2","date":"2024-02-01","quantity":"3",
       "share_price":{"amount":"0.005","currency":"USD"},"stock_class_id":"A","stakeholder_id":"y"},
      {"object_type":"TX_CONVERTIBLE_ISSUANCE","id":"safe-1","custom_id":"SAFE 1","security_id":"s3",
       "date":"2023-05-05","convertible_type":"SAFE","investment_amount":{"amount":"500000.00","currency":"USD"},
       "conversion_triggers":[{"conversion_right":{"conversion_mechanism":{"type":"SAFE_CONVERSION",
         "conversion_mfn":false,"conversion_timing":"POST_MONEY",
         "conversion_valuation_cap":{"amount":"10000000","currency":"USD"}}}}]},
      {"object_type":"TX_CONVERTIBLE_ISSUANCE","id":"safe-2","security_id":"s4","date":"2023-06-05",
       "convertible_type":"SAFE","investment_amount":{"amount":"1","currency":"USD"},
       "conversion_triggers":[{"conversion_right":{"conversion_mechanism":{"conversion_timing":"PRE_MONEY",
         "conversion_valuation_cap":{"amount":"8000000","currency":"USD"}}}}]},
      {"object_type":"TX_STOCK_TRANSFER","id":"t"}]}
    """
  private static let financings = """
    {"file_type":"OCF_FINANCINGS_FILE","items":[
      {"object_type":"FINANCING","id":"fin-1","name":"Series A","date":"2024-02-01","issuance_ids":["iss-1","iss-2"]},
      {"object_type":"FINANCING","id":"fin-2","name":"Series B","date":"2024-03-01","issuance_ids":["nowhere"]}]}
    """
  private static let valuations = """
    {"file_type":"OCF_VALUATIONS_FILE","items":[
      {"object_type":"VALUATION","id":"val-1","valuation_type":"409A","effective_date":"2024-01-01",
       "price_per_share":{"amount":"1.10","currency":"USD"},"stock_class_id":"common"}]}
    """

  private func lines(_ files: [String]) throws -> [ImportLine<RoundReport>] {
    let country = try #require(CountryCode("US"))
    return try CapTableFile(parsing: files.map { Array($0.utf8) }, company: "Lingyi", jurisdiction: country).lines
  }

  @Test("financings bring what their issuances brought, caps are kept, and a price of one share values no company")
  func package() throws {
    let lines = try lines([Self.transactions, Self.financings, Self.valuations])
    #expect(lines.map(\.line) == [3, 4, 6, 7, 8])
    let safe = try #require(lines[0].value)
    #expect(safe.name == "SAFE 1" && safe.kind == .safe && safe.amount == 50_000_000)
    #expect(safe.postMoney == 1_000_000_000 && safe.preMoney == nil)
    let today = try day("2026-01-01")
    #expect(safe.noMark(on: today) == nil)
    let early = try #require(lines[1].value)
    #expect(early.preMoney == 800_000_000 && early.noMark(on: today) == .noValuation)
    let financing = try #require(lines[2].value)
    // 1,000,000 x 12.3456 and 3 x 0.005, each to the cent: 12,345,600.00 and 0.02 (half to even of 1.5).
    #expect(financing.amount == 1_234_560_002 && financing.kind == .priced && financing.postMoney == nil)
    #expect(lines[3].faults.map(\.code) == ["ocf.issuance_missing"])
    #expect(lines[4].faults.map(\.code) == ["ocf.prices_a_share"])
  }

  @Test(
    "what is no file of the format is refused whole",
    arguments: [
      "", "[]", #"{"file_type":"OCF_STAKEHOLDERS_FILE","items":[]}"#, #"{"file_type":"OCF_FINANCINGS_FILE"}"#,
    ])
  func refused(text: String) throws {
    #expect(throws: CapTableFailure.self) { try lines([text]) }
  }

  @Test("caps that differ, and money in two currencies, are told")
  func crooked() throws {
    let other = Self.transactions.replacingOccurrences(
      of: "\"0.005\",\"currency\":\"USD\"", with: "\"0.005\",\"currency\":\"EUR\"")
    #expect(try lines([other, Self.financings])[2].faults.map(\.code) == ["ocf.amounts_do_not_add_up"])
    let foreign = Self.transactions.replacingOccurrences(
      of: "\"10000000\",\"currency\":\"USD\"", with: "\"10000000\",\"currency\":\"EUR\"")
    #expect(try lines([foreign])[0].faults.map(\.code) == ["ocf.currencies_differ"])
  }
}
