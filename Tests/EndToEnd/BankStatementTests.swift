import Foundation
import PostgresHarness
import ServiceHarness
import StrictJSON
import Testing

extension EndToEnd {
  /// A booked entry of a statement, on the statement's day where it names none.
  struct Entry {
    let amount: String
    let reference: String
    var on = day

    static let day = "2023-04-03"
  }

  /// The comma-separated form: one statement.
  private static func statement(
    _ name: String, opening: String = "0.00", closing: String, _ entries: [Entry], on day: String = Entry.day
  ) -> String {
    let head = "\(name),0200003609200012345,USD"
    let lines = entries.enumerated().map { index, entry in
      "entry,\(head),\(entry.on),,\(entry.amount),BOOK,,\(name)-\(index),\(entry.reference),,,,"
    }
    let header =
      "record,statement_id,account,currency,booking_date,value_date,amount,status,reversal,bank_reference,"
      + "end_to_end_id,creditor_reference,counterparty_name,counterparty_account,remittance"
    let rows =
      [header, "opening,\(head),\(day),,\(opening),,,,,,,,"] + lines
      + ["closing,\(head),\(day),,\(closing),,,,,,,,", "end,,,,,,\(entries.count),,,,,,,,"]
    return rows.joined(separator: "\n") + "\n"
  }

  private static func hand(
    _ service: Service, _ file: String, as key: String, type: String = "text/csv", idempotency: String? = nil,
    query: String = ""
  ) throws -> Answer {
    try RawHTTP(port: service.port).send(
      "POST", "/v1/bank-statements\(query)",
      headers: [
        ("Authorization", "Bearer \(key)"), ("Content-Type", type),
        ("Idempotency-Key", idempotency ?? UUID().uuidString),
      ], body: Array(file.utf8))
  }

  @Test("a bank's file is taken once and whole, its breaks are listed and resolved, and a bad one changes nothing")
  func bankStatements() async throws {
    try await withDeployment { deployment in
      let service = try deployment.serve()
      let http = RawHTTP(port: service.port)
      try deployment.openMarket(service)
      let startup = try deployment.enrol(service, "Startup", role: "startup")
      let receipt = try deployment.post(
        service, "/v1/cash-receipts", as: deployment.admin,
        """
        {"received_on":"2023-04-03","amount":{"amount":100000,"currency":"USD"},"source":"round","reference":"WIRE-1"}
        """
      ).text("id")
      let file = Self.statement(
        "S1", closing: "1000.05",
        [
          Entry(amount: "1000.00", reference: "WIRE-1"), Entry(amount: "0.05", reference: "INTEREST"),
        ])

      let checked = try Self.hand(service, file, as: deployment.admin, query: "?validate_only=true")
      #expect(checked.status == 201, "\(checked.text)")
      #expect(try http.get("/v1/bank-statements", as: deployment.admin).json()["data"]?.elements.isEmpty == true)

      let taken = try Self.hand(service, file, as: deployment.admin, idempotency: "file-1")
      try #require(taken.status == 201, "\(taken.text)")
      #expect(try taken.json()["matched"]?.asInteger == 1)
      let location = try #require(taken.headers["location"])
      let replay = try Self.hand(service, file, as: deployment.admin, idempotency: "file-1")
      #expect(replay.body == taken.body && replay.headers["idempotency-replayed"] == "true")

      let shown = try http.get(location, as: deployment.admin).json()
      let lines = try #require(shown["lines"]?.elements)
      #expect(lines.map { $0["matched_with"]?["reference"]?.asString } == ["WIRE-1", nil])
      #expect(shown["ledger_balance"]?["amount"]?.asInteger == 100_000)
      #expect(shown["lines_omitted"]?.asInteger == 0)
      let bad: [(String, String, String, Int, String)] = [
        (file, "text/csv", deployment.admin, 409, "bank_statement.imported_before"),
        (String(file.dropLast(40)), "text/csv", deployment.admin, 422, "bank_statement."),
        ("<Document xmlns=\"urn:iso", "application/xml", deployment.admin, 422, "bank_statement."),
        (
          Self.statement("S2", closing: "9.99", [Entry(amount: "1.00", reference: "A")]), "text/csv", deployment.admin,
          422,
          "bank_statement.balances_differ"
        ),
        ("", "text/csv", deployment.admin, 422, "bank_statement."),
        (file, "application/json", deployment.admin, 415, "request.media_type_unsupported"),
        (file, "text/csv", startup.key, 403, "parties.role_required"),
        (String(repeating: "x", count: (8 << 20) + 1), "text/csv", deployment.admin, 413, "request.too_large"),
      ]
      for (body, type, key, status, code) in bad {
        let answer = try Self.hand(service, body, as: key, type: type)
        #expect(answer.status == status, "\(code): \(answer.status) \(answer.text.prefix(300))")
        #expect(answer.text.contains("\"code\":\"\(code)"), "\(answer.text.prefix(300))")
      }
      let twice = try Self.hand(service, file, as: deployment.admin)
      let id = try #require(location.split(separator: "/").last.map(String.init))
      #expect(twice.text.contains(id))
      let console = try deployment.console()
      #expect(try console.number("select count(*) from bank_statements") == 1)
      #expect(try console.number("select count(*) from bank_statement_lines") == 2)

      try resolve(deployment, service, startup)
      try assign(receipt, deployment, service, startup)
      let verified = try deployment.run(["verify"])
      #expect(verified.status == 0, "\(verified.output)")
    }
  }

  /// Money in suspense is seen by staff alone; assigned, it is the startup's.
  private func assign(_ receipt: String, _ deployment: Deployment, _ service: Service, _ startup: Party) throws {
    let http = RawHTTP(port: service.port)
    let path = "/v1/cash-receipts/\(receipt)"
    #expect(try http.get(path, as: startup.key).status == 404)
    let body = #"{"payer_organization_id":"\#(startup.id)"}"#
    let own = try http.post("\(path)/assign", as: startup.key, body, idempotency: "own")
    #expect(own.status == 403)
    let assigned = try deployment.post(service, "\(path)/assign", as: deployment.admin, body)
    #expect(try assigned.text("payer_organization_id") == startup.id)
    #expect(try assigned.json()["remainder"]?["amount"]?.asInteger == 100_000)
    #expect(try http.get(path, as: startup.key).text("assigned_on") == Entry.day)
    let twice = try http.post("\(path)/assign", as: deployment.checker, body, idempotency: "twice")
    #expect(twice.status == 409 && twice.text.contains("repayment.assigned_before"))
  }

  /// The one break of the statement: seen by staff alone, resolved by a person, and gone from the run's totals.
  private func resolve(_ deployment: Deployment, _ service: Service, _ startup: Party) throws {
    let http = RawHTTP(port: service.port)
    let open = "/v1/reconciliation-breaks?state=open"
    #expect(try http.get(open, as: startup.key).json()["data"]?.elements.isEmpty == true)
    let listed = try #require(try http.get(open, as: deployment.admin).json()["data"]?.elements)
    #expect(listed.map { $0["reason"]?.asString } == ["unknown_reference"])
    let id = try #require(listed.first?["id"]?.asString)
    #expect(try http.get("/v1/reconciliation-breaks/\(id)", as: startup.key).status == 404)
    let unsaid = try http.post(
      "/v1/reconciliation-breaks/\(id)/resolve", as: deployment.admin, "{}", idempotency: "unsaid")
    #expect(unsaid.status == 422 && unsaid.text.contains("/note"))
    let resolved = try deployment.post(
      service, "/v1/reconciliation-breaks/\(id)/resolve", as: deployment.checker,
      #"{"note":"interest of the bank, passed on"}"#)
    #expect(try resolved.text("state") == "resolved")
    #expect(try http.get(open, as: deployment.admin).json()["data"]?.elements.isEmpty == true)
    let run = try deployment.post(
      service, "/v1/settlement-runs", as: deployment.admin, #"{"job":"reconcile","business_date":"2023-04-03"}"#
    ).text("id")
    let ended = try eventually(within: 20) {
      try http.get("/v1/settlement-runs/\(run)", as: deployment.admin).text("state") == "succeeded"
    }
    #expect(ended)
    let totals = try http.get("/v1/settlement-runs/\(run)", as: deployment.admin).json()["totals"]
    #expect(totals?["matched"]?.asInteger == 0)
    #expect(totals?["drift.USD"]?.asInteger == 5)
  }

  @Test("a bank's word for exactly the story's receipts, payouts and fees leaves no break and no drift")
  func storyStatement() async throws {
    try await withDeployment { deployment in
      let service = try deployment.serve()
      let http = RawHTTP(port: service.port)
      let told = try deployment.run([
        "story", "--url", "http://127.0.0.1:\(service.port)", "--keys", deployment.keysFile,
      ])
      try #require(told.status == 0, "\(told.output)")
      let rows = try deployment.console().rows(
        """
        select amount, reference, received_on from cash_receipts
        union all select -net, 'CB' || upper(replace(id::text, '-', '')), business_date from payouts
        union all select -platform_fee, 'CF' || upper(replace(id::text, '-', '')), business_date from payouts
        where platform_fee > 0
        """)
      let entries = try rows.map { row in
        let amount = try #require(Int(row[0]))
        let cents = String(amount.magnitude % 100 + 100).suffix(2)
        return Entry(
          amount: "\(amount < 0 ? "-" : "")\(amount.magnitude / 100).\(cents)", reference: row[1], on: row[2])
      }
      let statement = Self.statement("STORY", closing: "0.00", entries, on: "2023-11-21")
      let taken = try Self.hand(service, statement, as: deployment.admin)
      try #require(taken.status == 201, "\(taken.text)")
      let read = try taken.json()
      #expect(read["matched"]?.asInteger == Int64(entries.count) && read["waiting"]?.asInteger == 0)
      #expect(read["open_breaks"]?.elements.isEmpty == true, "\(taken.text)")
      let balance = read["balances"]?.elements.first?["currencies"]?.elements.first
      #expect(balance?["drift"]?.asInteger == 0 && balance?["shortfall"]?.asInteger == 0)

      // Nobody recorded an account for the lenders: each payout stands apart with the reason, none is lost.
      let runs = try http.get("/v1/settlement-runs?limit=200", as: deployment.admin).json()["data"]?.elements
      var apart = 0
      for run in (runs.map { $0.filter { $0["job"]?.asString == "payout" } } ?? []) {
        let id = try #require(run["id"]?.asString)
        let orders = try http.get("/v1/settlement-runs/\(id)/payment-orders", as: deployment.admin).json()
        apart += orders["without_payee"]?.elements.count ?? 0
      }
      #expect(apart == entries.count { $0.reference.hasPrefix("CB") })
      let verify = try deployment.run(["verify"])
      #expect(verify.status == 0, "\(verify.output)")
    }
  }
}
