import Foundation
import PostgresHarness
import StrictJSON

/// A verified organisation with a key of its own.
package struct Party: Sendable {
  package let id: String
  package let key: String
}

/// A chip that every test lends, and its site.
package enum Goods {
  package static let chip = "nvidia-a10"
  package static let region = "CN-north"

  /// The body of a loan request; `marker` is its end use, so that its effects can be counted.
  package static func request(
    _ marker: String, quantity: Int = 64, rate: Int = 1_400, chip: String = Goods.chip
  ) -> String {
    """
    {"workload":"training","end_use":"\(marker)","quantity":\(quantity),"min_quantity":8,"multiple_of":8,\
    "acceptable":[{"chip_model_id":"\(chip)","max_rate_bps":\(rate)}],"regions":["\(region)"],"term_days":180,\
    "start_on":"2023-04-03","delivery_mode":"physical","repayment":{"pattern":"round_sweep","sweep_bps":5000}}
    """
  }

  /// The body of a lot; its only serial number is the marker, so the quantity is one chip.
  package static func lot(_ marker: String) -> String {
    """
    {"chip_model_id":"\(chip)","quantity":1,"site":{"country":"CN","region":"\(region)"},\
    "available_on":"2023-03-01","serials":["\(marker)"],"unit_cost":{"amount":250000,"currency":"USD"}}
    """
  }

  package static func lot(of quantity: Int, chip: String = Goods.chip) -> String {
    """
    {"chip_model_id":"\(chip)","quantity":\(quantity),"site":{"country":"CN","region":"\(region)"},\
    "available_on":"2023-03-01","multiple_of":8,"unit_cost":{"amount":250000,"currency":"USD"}}
    """
  }
}

extension Deployment {
  /// POSTs and expects success, with a fresh key.
  @discardableResult
  package func post(_ service: Service, _ target: String, as key: String, _ body: String = "{}") throws -> Answer {
    let answer = try RawHTTP(port: service.port).post(target, as: key, body, idempotency: UUID().uuidString)
    guard answer.status < 300 else { throw HarnessError("\(target): \(answer.status) \(answer.text)") }
    return answer
  }

  /// Records an organisation, has the other person verify it, and makes it a key.
  package func enrol(
    _ service: Service, _ name: String, role: String, jurisdiction: String = "CN"
  ) throws -> Party {
    let id = try post(
      service, "/v1/organizations", as: admin,
      """
      {"legal_name":"\(name)","jurisdiction":"\(jurisdiction)","roles":["\(role)"],\
      "sites":[{"country":"CN","region":"\(Goods.region)"}]}
      """
    ).text("id")
    try post(service, "/v1/organizations/\(id)/verify", as: checker, #"{"evidence":"register extract"}"#)
    let key = try post(
      service, "/v1/api-keys", as: admin,
      #"{"organization_id":"\#(id)","roles":["\#(role)"],"person_id":"per_\#(id.dropFirst(4))"}"#
    ).text("secret")
    return Party(id: id, key: key)
  }

  /// Sets the business clock and a mark, so that chips can be lent.
  package func openMarket(_ service: Service) throws {
    try post(service, "/v1/sandbox/clock", as: admin, #"{"now":"2023-04-03T09:00:00Z"}"#)
    try markChip(service, Goods.chip)
  }

  /// A chip is worth 250,000 minor units from 1 March 2023 on.
  package func markChip(_ service: Service, _ chip: String) throws {
    try mark(
      service, "/v1/chip-models/\(chip)/marks",
      """
      {"method":"market_quote","amount":{"amount":250000,"currency":"USD"},"effective_on":"2023-03-01",\
      "source":"quote of a dealer"}
      """)
  }

  /// States a mark, and has the second person approve it.
  /// - Returns: its id.
  @discardableResult
  package func mark(_ service: Service, _ path: String, _ body: String) throws -> String {
    let id = try post(service, path + "?second_person=true", as: admin, body).text("id")
    try post(service, "/v1/valuation-proposals/\(id)/approve", as: checker)
    return id
  }

  /// Lists chips, requests `requests` parts of them and runs a match round.
  /// - Returns: the ids of the pending offers.
  package func offers(
    _ service: Service, lender: Party, startup: Party, requests: Int, chip: String = Goods.chip
  ) throws -> [String] {
    let lot = try post(service, "/v1/lots", as: lender.key, Goods.lot(of: 64 * requests, chip: chip)).text("id")
    try post(
      service, "/v1/listings", as: lender.key,
      """
      {"lot_id":"\(lot)","quantity":\(64 * requests),"ask_rate_bps":900,"min_term_days":30,"max_term_days":730,\
      "min_quantity":8,"delivery_modes":["physical","hosted"],"advance_rate_bps":10000}
      """)
    for index in 0..<requests {
      try post(service, "/v1/loan-requests", as: startup.key, Goods.request("to be offered \(index)", chip: chip))
    }
    let round = try post(service, "/v1/match-rounds", as: admin).text("id")
    let http = RawHTTP(port: service.port)
    let ended = try eventually(within: 20) {
      try http.get("/v1/match-rounds/\(round)", as: admin).text("state") == "succeeded"
    }
    guard ended else { throw HarnessError("the match round did not end") }
    let page = try http.get("/v1/offers?state=pending&limit=200", as: startup.key).json()
    return page["data"].map { $0.elements.compactMap { $0["id"]?.asString } } ?? []
  }

  /// The startup accepts an offer, and both sides report the delivery on the first day.
  /// - Returns: the id of the loan.
  package func handOver(_ service: Service, offer: String, of lender: Party, to startup: Party) throws -> String {
    let loan = try post(service, "/v1/offers/\(offer)/accept", as: startup.key).text("loan_id")
    for party in [lender, startup] {
      try post(service, "/v1/loans/\(loan)/deliveries", as: party.key, #"{"occurred_on":"2023-04-03"}"#)
    }
    return loan
  }

  /// One loan of 64 chips, worth 16,000,000 minor units, from the listing to the delivery.
  /// - Returns: its id.
  package func lend(
    _ service: Service, from lender: Party, to startup: Party, chip: String = Goods.chip
  ) throws -> String {
    guard let offer = try offers(service, lender: lender, startup: startup, requests: 1, chip: chip).first else {
      throw HarnessError("the match round made no offer")
    }
    return try handOver(service, offer: offer, of: lender, to: startup)
  }
}
