import StrictJSON

extension StoryPlay {
  /// Act 4, 17 November 2023: the A800 becomes a licensed item. Everything is screened again; a request takes an
  /// uncontrolled substitute.
  mutating func actFour() async throws {
    try await moveClock(to: "2023-11-17")
    say("\nAct 4, 17 November 2023: the rule changes")
    let run = try await settle("rescreen", on: "2023-11-17")
    let totals = run["totals"]
    say(
      "  everything is screened again: \(totals?["loans.hold_licence"]?.asInteger ?? 0) live loans need a licence for any "
        + "further act, \(totals?["loans.clear"]?.asInteger ?? 0) are clear; "
        + "\(totals?["listings.controlled"]?.asInteger ?? 0) of \(totals?["listings"]?.asInteger ?? 0) listings are of "
        + "licensed chips")
    second = try await enrol(StoryCast.second.name, role: "startup", modelledOn: StoryCast.second.modelledOn)
    let request = try await client.post(
      "/v1/loan-requests", as: second.key,
      """
      {"workload":"training","end_use":"language models for the public","quantity":1024,"min_quantity":64,\
      "multiple_of":8,"acceptable":[{"chip_model_id":"\(StoryCast.a800)","max_rate_bps":1500},\
      {"chip_model_id":"\(StoryCast.a10)","max_rate_bps":1000}],"regions":["\(StoryCast.region)"],"term_days":180,\
      "start_on":"2023-11-17","delivery_mode":"physical","repayment":{"pattern":"round_sweep","sweep_bps":3000}}
      """)
    say(
      "  \(second.name) (modelled on \(second.modelledOn)) requests 1,024 A800 at up to 15 %, or A10 at up to 10 % "
        + "[assumed]")
    _ = try await matchRound()
    let present = try await client.get("/v1/loan-requests/\(request.text("id"))", as: second.key)
    for hold in try present.member("holds").elements {
      for rule in try hold.member("rules").elements where rule["information_only"]?.asBool != true {
        let measured = try rule.member("measured").elements.compactMap { value -> String? in
          guard let field = value["field"]?.asString, let figure = value["value"]?.asString else { return nil }
          return "\(field) \(figure)"
        }
        say(
          "    A800: \(try rule.text("effect")) by \(try rule.text("id")); measured \(measured.joined(separator: ", ")); "
            + "threshold \(try rule.text("threshold"))")
      }
    }
    secondLoans = try await takeUp(second, dispatched: "2023-11-18", delivered: "2023-11-19")
  }

  /// Act 5, 20 November 2023: an acquisition makes loans due; cash discharges, title and a return wait for a licence.
  mutating func actFive() async throws {
    try await moveClock(to: "2023-11-20")
    say("\nAct 5, 20 November 2023: an acquisition")
    let round = try await client.post(
      "/v1/funding-rounds", as: third.key,
      """
      {"kind":"acquisition","name":"acquisition","announced_on":"2023-11-20","acquirer":"\(StoryCast.acquirer)",\
      "closings":[{"closed_on":"2023-11-20","net_new_cash":{"amount":0,"currency":"USD"}}]}
      """)
    try await client.post("/v1/funding-rounds/\(round.text("id"))/verify", as: checker)
    let sweep = try await settle("sweep", on: "2023-11-20")
    say(
      "  \(third.name) is bought by \(StoryCast.acquirer) [a stand-in]; the change of control makes "
        + "\(sweep["totals"]?["loans_due"]?.asInteger ?? 0) loans due")
    try await returnChips()
    var payoff: Int64 = 0
    for loan in thirdLoans {
      let state = try await client.get("/v1/loans/\(loan)", as: third.key)
      guard try state.text("state") != "closed" else { continue }
      payoff += try await client.get("/v1/loans/\(loan)/payoff-quote?on=2023-11-21", as: third.key).money("total")
    }
    try await receive(payoff, from: third, on: "2023-11-21", source: "round")
    for loan in thirdLoans {
      let state = try await client.get("/v1/loans/\(loan)", as: third.key)
      let owed = try state.money("outstanding") + state.money("accrued_fee")
      say(
        "    \(grouped(try state.number("quantity"))) \(chipName(try state.text("chip_model_id"))): "
          + "\(try state.text("state")), owed \(usd(owed))")
    }
    try await payOut(on: "2023-11-21")
  }

  /// The A10 go back through inspection; a return of A800 waits for a licence.
  private mutating func returnChips() async throws {
    for loan in thirdLoans {
      let state = try await client.get("/v1/loans/\(loan)", as: third.key)
      let (chip, quantity) = (try state.text("chip_model_id"), try state.number("quantity"))
      let isA10 = chip == StoryCast.a10
      guard isA10 || loan == thirdLoans.first else { continue }
      let body = #"{"quantity":\#(quantity),"occurred_on":"2023-11-20"}"#
      let started = try await client.post("/v1/loans/\(loan)/returns", as: third.key, body)
      say("  return of \(quantity) \(chipName(chip)): \(try started.member("return").text("state"))")
      guard isA10 else { continue }
      let lender = try lender(state.text("lender_id"))
      try await moveClock(to: "2023-11-21")
      try await client.post(
        "/v1/loans/\(loan)/returns", as: lender.key, #"{"quantity":\#(quantity),"occurred_on":"2023-11-21"}"#)
      let inspected = try await client.post(
        "/v1/loans/\(loan)/returns", as: lender.key,
        #"{"quantity":\#(quantity),"occurred_on":"2023-11-21","condition":"good"}"#)
      let graded = try inspected.member("return")
      say("    arrived, inspected, \(try graded.text("condition")): credit \(usd(try graded.money("credit")))")
    }
    try await moveClock(to: "2023-11-21")
  }

  /// The last page: who lent what, earned what, owns what, what is held and why.
  mutating func epilogue() async throws {
    say("\nWho lent what, as of 21 November 2023")
    say(row("lender", "borrower", "chips", "principal", "fee accrued", "state", "title"))
    let loans = try await client.get("/v1/loans?limit=200", as: admin).data
    let startups = [borrower, second, third]
    for loan in loans {
      let borrowerID = try loan.text("borrower_id")
      let state = try loan.text("state")
      let ending = loan["closed_as"]?.asString.map { "closed: \($0)" } ?? state
      say(
        row(
          try lender(loan.text("lender_id")).name, startups.first { $0.id == borrowerID }?.name ?? "",
          "\(grouped(try loan.number("quantity"))) \(chipName(try loan.text("chip_model_id")))",
          usd(try loan.money("principal")), usd(try loan.money("fee_accrued_total")),
          ending, try loan.text("title")))
    }
    say("\nWhat lenders were paid")
    for payout in try await client.get("/v1/payouts?limit=200", as: admin).data {
      say(
        "  \(try payout.text("business_date"))  \(pad(try lender(payout.text("lender_id")).name, 20))"
          + " \(usd(try payout.money("net"))) net of \(usd(try payout.money("platform_fee")))")
    }
    say("\nWhat is held, and why")
    for loan in loans where loan["state"]?.asString == "title_pending" {
      say(
        "  \(grouped(try loan.number("quantity"))) \(chipName(try loan.text("chip_model_id"))) of "
          + "\(try lender(loan.text("lender_id")).name): the debt is paid; title waits for a licence (us-dest-2023)")
    }
    for loan in thirdLoans {
      for entry in try await client.get("/v1/loans/\(loan)/returns", as: third.key).data
      where entry["state"]?.asString == "held" {
        say(
          "  a return of \(grouped(try entry.number("quantity"))) chips asked for on \(try entry.text("started_on")): "
            + "a return is a transfer too, and waits for the same licence")
      }
    }
  }

  private func row(_ cells: String...) -> String {
    let widths = [20, 17, 12, 18, 16, 16, 8]
    return "  " + zip(cells, widths).map { pad($0, $1) }.joined(separator: " ")
  }

  private func pad(_ text: String, _ width: Int) -> String {
    text + String(repeating: " ", count: max(0, width - text.count))
  }
}
