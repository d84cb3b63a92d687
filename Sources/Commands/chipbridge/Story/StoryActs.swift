import StrictJSON

extension StoryPlay {
  /// Act 1, spring 2023: four giants record 100,000 A800, keep a reserve, list the rest.
  mutating func actOne() async throws {
    try await moveClock(to: "2023-03-15")
    say("\nAct 1, spring 2023: the giants' chips")
    try await mark(StoryCast.a800, StoryCast.a800Mark, "order of about 100,000 for about USD 1bn: Reuters, 9 Aug 2023")
    try await mark(StoryCast.a10, StoryCast.a10Mark, "assumed")
    var total: Int64 = 0
    for giant in StoryCast.giants {
      let lender = try await enrol(giant.name, role: "lender", modelledOn: giant.modelledOn)
      lenders.append(lender)
      let lot = try await addLot(StoryCast.a800, giant.onHand, on: "2023-03-01", unit: StoryCast.a800Mark, lender)
      _ = try await addLot(StoryCast.a800, giant.onOrder, on: "2023-10-16", unit: StoryCast.a800Mark, lender)
      let plan = try await client.post(
        "/v1/reserve-plans", as: lender.key,
        """
        {"chip_model_id":"\(StoryCast.a800)","months":[{"month":"2023-03","quantity":\(giant.reserve)},\
        {"month":"2023-12","quantity":\(giant.reserve)}]}
        """)
      try await list(lot, giant.listed, ask: giant.askBps, lender)
      total += giant.onHand + giant.onOrder
      say(
        "  \(giant.name) (modelled on \(giant.modelledOn)): \(grouped(giant.onHand)) on hand, "
          + "\(grouped(giant.onOrder)) on order, keeps \(grouped(giant.reserve)), may lend "
          + "\(grouped(try plan.number("lendable"))), lists \(grouped(giant.listed)) at \(percent(giant.askBps)) [assumed]"
      )
    }
    let cloud = lenders[3]
    let small = try await addLot(StoryCast.a10, 2_048, on: "2023-03-01", unit: StoryCast.a10Mark, cloud)
    try await list(small, 2_048, ask: 900, cloud)
    say("  \(cloud.name) also lists 2,048 A10, a chip no rule controls, at \(percent(900)) [assumed]")
    say("  in all \(grouped(total)) A800 at USD 10,000 each")
  }

  /// One person states it, another approves it; told once it is known, however often the story is played.
  private func mark(_ chip: String, _ amount: Int64, _ source: String) async throws {
    let known = try await client.get("/v1/chip-models/\(chip)/marks?as_of=2023-03-01", as: admin).data
    if known.contains(where: { $0["source"]?.asString == source }) { return }
    let id = try await client.post(
      "/v1/chip-models/\(chip)/marks?second_person=true", as: admin,
      """
      {"method":"market_quote","amount":{"amount":\(amount),"currency":"USD"},"effective_on":"2023-03-01",\
      "source":"\(source)"}
      """
    ).text("id")
    try await client.post("/v1/valuation-proposals/\(id)/approve", as: checker)
  }

  private func addLot(
    _ chip: String, _ quantity: Int64, on date: String, unit: Int64, _ lender: StoryParty
  ) async throws -> String {
    try await client.post(
      "/v1/lots", as: lender.key,
      """
      {"chip_model_id":"\(chip)","quantity":\(quantity),"site":{"country":"CN","region":"\(StoryCast.region)"},\
      "available_on":"\(date)","multiple_of":8,"unit_cost":{"amount":\(unit),"currency":"USD"}}
      """
    ).text("id")
  }

  private func list(_ lot: String, _ quantity: Int64, ask: Int64, _ lender: StoryParty) async throws {
    try await client.post(
      "/v1/listings", as: lender.key,
      """
      {"lot_id":"\(lot)","quantity":\(quantity),"ask_rate_bps":\(ask),"min_term_days":30,"max_term_days":730,\
      "min_quantity":64,"delivery_modes":["physical","hosted"],"advance_rate_bps":10000}
      """)
  }

  /// Act 2: a startup is matched with several lenders; the third one takes chips too; fees accrue.
  mutating func actTwo() async throws {
    try await moveClock(to: "2023-04-03")
    say("\nAct 2, April 2023: chips on loan")
    borrower = try await enrol(
      StoryCast.borrower.name, role: "startup", modelledOn: StoryCast.borrower.modelledOn)
    try await request(borrower, 4_096, [(StoryCast.a800, 1_400)], startOn: "2023-04-03")
    say(
      "  \(borrower.name) (modelled on \(borrower.modelledOn)) requests 4,096 A800 for training, at most 14 % [assumed]"
    )
    let round = try await matchRound()
    say("  a match round makes \(try round.number("offers_made")) offers")
    borrowerLoans = try await takeUp(borrower, dispatched: "2023-04-05", delivered: "2023-04-07")

    try await moveClock(to: "2023-06-01")
    third = try await enrol(StoryCast.third.name, role: "startup", modelledOn: StoryCast.third.modelledOn)
    try await request(third, 256, [(StoryCast.a800, 1_400)], startOn: "2023-06-01")
    try await request(third, 256, [(StoryCast.a800, 1_350)], startOn: "2023-06-01")
    try await request(third, 256, [(StoryCast.a10, 1_000)], startOn: "2023-06-01")
    say("  \(third.name) (modelled on \(third.modelledOn)) requests 512 A800 in two parts, and 256 A10 [assumed]")
    _ = try await matchRound()
    thirdLoans = try await takeUp(third, dispatched: "2023-06-05", delivered: "2023-06-06")

    for date in ["2023-04-30", "2023-05-31", "2023-06-30", "2023-07-31", "2023-08-31", "2023-09-30", "2023-10-31"]
    where date > "2023-06-06" {
      try await moveClock(to: date)
      let run = try await settle("accrual", on: date)
      let fee = run["totals"]?["fee.USD"]?.asInteger ?? 0
      say("  \(date): month end posts \(usd(fee)) of fees on \(run["totals"]?["loans"]?.asInteger ?? 0) loans")
    }
  }

  private func request(
    _ startup: StoryParty, _ quantity: Int64, _ chips: [(String, Int64)], startOn: String
  ) async throws {
    let acceptable = chips.map { #"{"chip_model_id":"\#($0.0)","max_rate_bps":\#($0.1)}"# }.joined(separator: ",")
    try await client.post(
      "/v1/loan-requests", as: startup.key,
      """
      {"workload":"training","end_use":"language models for the public","quantity":\(quantity),"min_quantity":64,\
      "multiple_of":8,"acceptable":[\(acceptable)],"regions":["\(StoryCast.region)"],"term_days":365,\
      "start_on":"\(startOn)","delivery_mode":"physical","repayment":{"pattern":"round_sweep",\
      "least_amount":{"amount":5000000000,"currency":"USD"},\
      "least_post_money":{"amount":50000000000,"currency":"USD"},"sweep_bps":5000}}
      """)
  }

  /// Act 3, November 2023: the round, verified by a second person, sweeps every loan; titles pass before the rule changes.
  mutating func actThree() async throws {
    try await moveClock(to: "2023-11-03")
    say("\nAct 3, early November 2023: the round")
    let round = try await client.post(
      "/v1/funding-rounds", as: borrower.key,
      """
      {"kind":"priced","name":"round at 1 billion USD","announced_on":"2023-11-03",\
      "amount":{"amount":20000000000,"currency":"USD"},"post_money":{"amount":100000000000,"currency":"USD"},\
      "closings":[{"closed_on":"2023-11-03","net_new_cash":{"amount":20000000000,"currency":"USD"}}],\
      "evidence":"press of November 2023: valuation of more than 1 billion USD; the amount is assumed"}
      """)
    say(
      "  \(borrower.name) reports a round: post-money \(usd(100_000_000_000)), new cash \(usd(20_000_000_000)) [assumed]"
    )
    try await client.post("/v1/funding-rounds/\(round.text("id"))/verify", as: checker, #"{"evidence":"bank letter"}"#)
    say("  a second person verifies the closing; the post-money becomes a valuation mark")
    let sweep = try await settle("sweep", on: "2023-11-03")
    say(
      "  the sweep makes \(sweep["totals"]?["loans_due"]?.asInteger ?? 0) loans due: \(usd(sweep["totals"]?["due.USD"]?.asInteger ?? 0))"
    )
    try await moveClock(to: "2023-11-06")
    var payoff: Int64 = 0
    for loan in borrowerLoans {
      payoff += try await client.get("/v1/loans/\(loan)/payoff-quote?on=2023-11-06", as: borrower.key).money("total")
    }
    try await receive(payoff, from: borrower, on: "2023-11-06", source: "round")
    for loan in borrowerLoans {
      let state = try await client.get("/v1/loans/\(loan)", as: borrower.key)
      say(
        "    \(try lender(state.text("lender_id")).name): \(try state.text("state")), closed as "
          + "\(state["closed_as"]?.asString ?? "-"), title with the \(try state.text("title")), lien released "
          + "\(state["security_interest"]?["released_on"]?.asString ?? "-")")
    }
    try await payOut(on: "2023-11-06")
  }

  mutating func receive(_ amount: Int64, from startup: StoryParty, on date: String, source: String) async throws {
    let receipt = try await client.post(
      "/v1/cash-receipts", as: admin,
      """
      {"received_on":"\(date)","amount":{"amount":\(amount),"currency":"USD"},"source":"\(source)",\
      "payer_organization_id":"\(startup.id)","reference":"\(startup.name)"}
      """)
    var steps: [String: Int64] = [:]
    for part in try receipt.member("allocations").elements {
      steps[try part.text("step"), default: 0] += try part.money("amount")
    }
    say(
      "  \(usd(amount)) arrives: fee \(usd(steps["fee"] ?? 0)), principal \(usd(steps["principal"] ?? 0)), "
        + "charges \(usd(steps["charges"] ?? 0)), left \(usd(try receipt.money("remainder")))")
  }

  mutating func payOut(on date: String) async throws {
    let run = try await settle("payout", on: date)
    let totals = run["totals"]
    let approved = run["approval"]?.asString == "given" ? ", approved by a second person" : ""
    say(
      "  payouts to \(totals?["payouts"]?.asInteger ?? 0) lenders\(approved): \(usd(totals?["net.USD"]?.asInteger ?? 0)) net of "
        + "\(usd(totals?["platform_fee.USD"]?.asInteger ?? 0)) platform fee")
  }
}
