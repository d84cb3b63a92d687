import Foundation
import StrictJSON

/// The stage: keys, ids, and what is printed.
struct StoryPlay {
  let client: StoryClient
  let admin: String
  let checker: String
  var lines: [String] = []
  var keys: [(name: String, key: String)] = []
  var lenders: [StoryParty] = []
  var borrower = StoryParty.nobody
  var second = StoryParty.nobody
  var third = StoryParty.nobody
  var borrowerLoans: [String] = []
  var thirdLoans: [String] = []
  var secondLoans: [String] = []

  init(client: StoryClient, admin: String, checker: String) {
    self.client = client
    self.admin = admin
    self.checker = checker
  }

  mutating func say(_ line: String) {
    lines.append(line)
    print(line)
    fflush(nil)
  }

  /// Moves the business clock to nine in the morning of a date.
  func moveClock(to date: String) async throws {
    try await client.post("/v1/sandbox/clock", as: admin, #"{"now":"\#(date)T09:00:00Z"}"#)
  }

  /// A settlement run for a date; a second person approves it where one must.
  func settle(_ job: String, on date: String) async throws -> JSONNode {
    try await client.complete(
      "/v1/settlement-runs", as: admin, #"{"job":"\#(job)","business_date":"\#(date)"}"#, approvedBy: checker)
  }

  func matchRound() async throws -> JSONNode { try await client.complete("/v1/match-rounds", as: admin) }

  /// Records, verifies and equips a party: one person of staff records it, another verifies it.
  mutating func enrol(_ name: String, role: String, modelledOn: String) async throws -> StoryParty {
    let organization = try await client.post(
      "/v1/organizations", as: admin,
      """
      {"legal_name":"\(name)","jurisdiction":"CN","roles":["\(role)"],\
      "sites":[{"country":"CN","region":"\(StoryCast.region)"}]}
      """)
    let id = try organization.text("id")
    try await client.post(
      "/v1/organizations/\(id)/verify", as: checker, #"{"evidence":"story: stand-in for \#(modelledOn)"}"#)
    let person = "per_" + id.dropFirst(4)
    let key = try await client.post(
      "/v1/api-keys", as: admin,
      #"{"organization_id":"\#(id)","roles":["\#(role)"],"person_id":"\#(person)"}"#)
    let party = StoryParty(name: name, modelledOn: modelledOn, id: id, key: try key.text("secret"))
    keys.append((name, party.key))
    return party
  }

  /// Accepts all pending offers of a startup, then has the lender dispatch and the startup accept the delivery.
  mutating func takeUp(_ startup: StoryParty, dispatched: String, delivered: String) async throws -> [String] {
    // The offers of a round are made together: what is told first is the dearest, then the largest.
    let offers = try await client.get("/v1/offers?state=pending&limit=200", as: startup.key).data
      .map { (mark: try $0.member("mark").money("amount"), quantity: try $0.number("quantity"), node: $0) }
      .sorted { ($1.mark, $1.quantity) < ($0.mark, $0.quantity) }.map(\.node)
    var loans: [(id: String, lender: String)] = []
    for offer in offers {
      let accepted = try await client.post("/v1/offers/\(offer.text("id"))/accept", as: startup.key)
      let loan = (id: try accepted.text("loan_id"), lender: try accepted.text("lender_id"))
      loans.append(loan)
      let lender = try lender(loan.lender)
      say(
        "    accepts \(grouped(try offer.number("quantity"))) \(chipName(try offer.text("chip_model_id"))) from "
          + "\(lender.name) at \(percent(try offer.number("rate_bps"))), mark \(usd(try offer.member("mark").money("amount")))"
      )
    }
    try await moveClock(to: dispatched)
    for loan in loans {
      try await client.post(
        "/v1/loans/\(loan.id)/deliveries", as: lender(loan.lender).key, #"{"occurred_on":"\#(dispatched)"}"#)
    }
    try await moveClock(to: delivered)
    for loan in loans {
      try await client.post(
        "/v1/loans/\(loan.id)/deliveries", as: startup.key, #"{"occurred_on":"\#(delivered)"}"#)
    }
    say("    \(loans.count) loans are active: dispatched \(dispatched), delivery accepted \(delivered)")
    return loans.map(\.id)
  }

  func lender(_ id: String) throws -> StoryParty {
    guard let lender = lenders.first(where: { $0.id == id }) else { throw Failure("An unknown lender \(id).") }
    return lender
  }
}

/// A party on the stage.
struct StoryParty {
  let name: String
  let modelledOn: String
  let id: String
  let key: String

  static let nobody = StoryParty(name: "", modelledOn: "", id: "", key: "")
}

/// `1,234,567`.
func grouped(_ number: Int64) -> String {
  let digits = String(number.magnitude)
  var text = ""
  for (offset, digit) in digits.enumerated() {
    if offset > 0, (digits.count - offset) % 3 == 0 { text += "," }
    text.append(digit)
  }
  return number < 0 ? "-" + text : text
}

/// Minor units as `USD 1,234.56`.
func usd(_ minor: Int64) -> String {
  let cents = String(minor.magnitude % 100)
  let whole = grouped(Int64(minor.magnitude / 100))
  return "USD \(minor < 0 ? "-" : "")\(whole).\(cents.count == 1 ? "0" + cents : cents)"
}

/// Basis points as `13.00 %`.
func percent(_ bps: Int64) -> String {
  let hundredths = bps % 100
  return "\(bps / 100).\(hundredths < 10 ? "0" : "")\(hundredths) % a year"
}

func chipName(_ id: String) -> String {
  switch id {
  case StoryCast.a800: "A800"
  case StoryCast.a10: "A10"
  default: id
  }
}
