import HledgerHarness
import ServiceHarness
import StrictJSON
import Testing

extension EndToEnd {
  @Test(
    "the story holds to the minor unit: loans, sweeps, receipts, payouts, titles, holds and the books",
    arguments: [[], ["--two-persons"]])
  func story(options: [String]) async throws {
    try await withDeployment { deployment in
      let service = try deployment.serve(options: options)
      let play = ["story", "--url", "http://127.0.0.1:\(service.port)", "--keys", deployment.keysFile]
      let told = try deployment.run(play)
      try #require(told.status == 0, "\(told.output)")
      let (console, expected) = (try deployment.console(), StoryBooks())
      try expected.loans(console)
      try expected.money(console)
      try expected.rules(console)
      try expected.books(console)
      try export(of: deployment, service)
      let again = try deployment.run(play)
      #expect(again.status == 0)
      #expect(again.output.contains("already played"))
      try closes(deployment, service)
    }
  }
}

extension EndToEnd {
  /// The books of the story as another program reads them: checked strictly by hledger, and of one balance with ours.
  private func export(of deployment: Deployment, _ service: Service) throws {
    let exported = try deployment.run(["export", "--format", "hledger"])
    try #require(exported.status == 0, "\(exported.output)")
    let hledger = try Hledger(journal: exported.output)
    defer { hledger.remove() }
    let checked = try hledger.check()
    #expect(checked.status == 0, "\(checked.error)")
    let answer = try RawHTTP(port: service.port).get("/v1/ledger/trial-balance", as: deployment.admin)
    try #require(answer.status == 200, "\(answer.text)")
    var ours: [String: String] = [:]
    for row in try #require(try answer.json()["data"]?.asArray) {
      let (account, asset) = (try #require(row["account"]?.asString), try #require(row["asset"]?.asString))
      let balance = try #require(row["balance"]?.asInteger)
      if balance != 0 { ours["\(account) \(asset)"] = "\(balance)" }
    }
    #expect(ours.count > 10, "the story books money and chips")
    #expect(try hledger.balancesByCode() == ours)
    // Before the story's first day there were no books.
    let early = try deployment.run(["export", "--format", "hledger", "--as-of", "1999-12-31"])
    #expect(early.status == 0)
    #expect(!early.output.contains(" * ("))
    let wrong = try deployment.run(["export", "--format", "hledger", "--as-of", "yesterday"])
    #expect(wrong.status == 2)
  }
}

/// What the story must leave behind: every amount computed from its terms, by arithmetic of this file alone.
struct StoryBooks {
  /// `principal x rate x days / (10,000 x 360)`, the remainder rounded half to even: the fee of a loan, ACT/360.
  private static func fee(_ principal: Int, bps: Int, days: Int) -> Int {
    halfEven(principal * bps * days, 3_600_000)
  }

  private static func halfEven(_ numerator: Int, _ denominator: Int) -> Int {
    let (quotient, rest) = numerator.quotientAndRemainder(dividingBy: denominator)
    if rest * 2 == denominator { return quotient + quotient % 2 }
    return rest * 2 > denominator ? quotient + 1 : quotient
  }

  /// Lender, borrower, chips, principal and fee in cents, how it ended. From 7 April to 6 November 2023 are 213 days, from
  /// 6 June to 21 November 168; one A800 is 10,000 USD, one A10 2,500 USD.
  private static let expected: [(lender: String, borrower: String, chips: Int, principal: Int, fee: Int, end: String)] =
    [
      ("Beidou Search", "Lingyi Labs", 2_048, 2_048_000_000, fee(2_048_000_000, bps: 1_200, days: 213), "paid_off"),
      ("Bitstream Media", "Lingyi Labs", 1_536, 1_536_000_000, fee(1_536_000_000, bps: 1_200, days: 213), "paid_off"),
      ("Tianxun Interactive", "Lingyi Labs", 512, 512_000_000, fee(512_000_000, bps: 1_200, days: 213), "paid_off"),
      ("Tianxun Interactive", "Hailang Robotics", 256, 256_000_000, fee(256_000_000, bps: 1_200, days: 168), "pending"),
      ("Tianxun Interactive", "Hailang Robotics", 256, 256_000_000, fee(256_000_000, bps: 1_200, days: 168), "pending"),
      ("Alinova Cloud", "Hailang Robotics", 256, 64_000_000, fee(64_000_000, bps: 900, days: 168), "returned"),
      ("Alinova Cloud", "Qingyun Models", 1_024, 256_000_000, 0, "active"),
    ]

  func loans(_ console: SQLConsole) throws {
    let rows = try console.rows(
      """
      select l.legal_name, b.legal_name, loans.quantity, principal, fee_accrued_total,
        coalesce(closed_as, case when state = 'title_pending' then title else state end),
        outstanding_principal + outstanding_fee + outstanding_charges
      from loans join organizations l on l.org_id = lender_id join organizations b on b.org_id = borrower_id
      """)
    let found = rows.map { "\($0[0])|\($0[1])|\($0[2])|\($0[3])|\($0[4])|\($0[5])" }.sorted()
    let wanted = Self.expected.map { "\($0.lender)|\($0.borrower)|\($0.chips)|\($0.principal)|\($0.fee)|\($0.end)" }
    #expect(found == wanted.sorted())
    #expect(rows.filter { $0[5] != "active" }.allSatisfy { $0[6] == "0" }, "every loan but the active one owes nothing")
    #expect(try console.number("select count(*) from loans where lien_released_on = '2023-11-06'") == 3)
    #expect(try console.number("select count(*) from loans where closed_on = '2023-11-06' and title = 'borrower'") == 3)
  }

  func money(_ console: SQLConsole) throws {
    let firstDebt = Self.expected[0..<3].reduce(0) { $0 + $1.principal + $1.fee }
    // The A10 came back, so their principal was credited, and only their fee is paid in cash.
    let secondDebt = Self.expected[3..<5].reduce(0) { $0 + $1.principal + $1.fee } + Self.expected[5].fee
    let receipts = try console.rows("select amount, remainder from cash_receipts order by received_on")
    #expect(receipts == [["\(firstDebt)", "0"], ["\(secondDebt)", "0"]])
    #expect(try console.number("select sum(amount) from allocations") == firstDebt + secondDebt)
    let payouts = try console.rows(
      """
      select legal_name, business_date, gross, platform_fee, net from payouts
      join organizations on org_id = lender_id order by business_date, legal_name
      """)
    // The platform takes 5 % of the fee income of each payout, rounded once.
    let parts: [(String, String, Int, Int)] = [
      ("Beidou Search", "2023-11-06", Self.expected[0].principal, Self.expected[0].fee),
      ("Bitstream Media", "2023-11-06", Self.expected[1].principal, Self.expected[1].fee),
      ("Tianxun Interactive", "2023-11-06", Self.expected[2].principal, Self.expected[2].fee),
      ("Alinova Cloud", "2023-11-21", 0, Self.expected[5].fee),
      ("Tianxun Interactive", "2023-11-21", 2 * Self.expected[3].principal, 2 * Self.expected[3].fee),
    ]
    let wanted = parts.map { name, date, principal, fee in
      let platform = Self.halfEven(fee * 500, 10_000)
      return [name, date, "\(principal + fee)", "\(platform)", "\(principal + fee - platform)"]
    }
    #expect(payouts == wanted)
    #expect(
      try console.number("select balance from accounts where account_code = 'bank.own'")
        == parts.reduce(0) { $0 + Self.halfEven($1.3 * 500, 10_000) })
  }

  func rules(_ console: SQLConsole) throws {
    let held = try console.rows(
      """
      select distinct v.act, v.effect, v.on_date, f ->> 'id' from verdicts v, jsonb_array_elements(v.findings) f
      where not v.acted and f ->> 'effect' = 'hold_licence' and f ->> 'information_only' = 'false'
      order by 3, 1, 4
      """)
    #expect(
      held == [
        ["offer", "hold_licence", "2023-11-17", "us-dest-2023"], ["offer", "hold_licence", "2023-11-17", "us-hq-2023"],
        ["return", "hold_licence", "2023-11-20", "us-dest-2023"],
        ["return", "hold_licence", "2023-11-20", "us-hq-2023"],
        ["title_transfer", "hold_licence", "2023-11-21", "us-dest-2023"],
        ["title_transfer", "hold_licence", "2023-11-21", "us-hq-2023"],
      ])
    let measured = try console.rows(
      """
      select distinct m ->> 'value' from verdicts v, jsonb_array_elements(v.findings) f,
        jsonb_array_elements(f -> 'measured') m
      where not v.acted and f ->> 'id' = 'us-dest-2023' and m ->> 'field' = 'tpp'
      """)
    #expect(measured == [["4992"]], "2 x 156 TFLOPS x 16 bits: 312 x 16")
    #expect(
      try console.rows("select state, quantity from loan_returns order by state") == [
        ["accepted", "256"], ["held", "256"],
      ])
    #expect(try console.number("select sum(units_out) from loans where state = 'title_pending'") == 512)
  }

  /// 100,000 A800 and 2,048 A10 are somewhere; every asset sums to zero; clients' money is all paid out.
  func books(_ console: SQLConsole) throws {
    let unbalanced = try console.rows(
      "select org_id, entry_id, asset from journal_lines group by 1, 2, 3 having sum(amount) <> 0")
    #expect(unbalanced.isEmpty)
    #expect(
      try console.rows(
        """
        select chip_model_id, sum(quantity), sum(on_order), sum(sold), sum(on_loan) from lots group by 1 order by 1
        """) == [["nvidia-a10", "2048", "0", "0", "1024"], ["nvidia-a800-sxm4-80", "100000", "45000", "4096", "512"]])
    #expect(try console.number("select sum(balance) from accounts where account_code = 'bank.client'") == 0)
    #expect(
      try console.number("select coalesce(sum(balance), 0) from accounts where account_code = 'clearing.chips'") == 0)
    let wrong = try console.rows(
      """
      select a.org_id, a.account_code from accounts a left join journal_lines l on l.org_id = a.org_id
        and l.account_code = a.account_code and l.subject_id = a.subject_id and l.asset = a.asset
      group by a.org_id, a.account_code, a.subject_id, a.asset, a.balance having a.balance <> coalesce(sum(l.amount), 0)
      """)
    #expect(wrong.isEmpty, "each balance is the sum of its lines")
  }
}
