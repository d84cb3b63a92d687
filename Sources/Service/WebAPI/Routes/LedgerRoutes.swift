import HTTPTypes
import Hummingbird
import Lending
import Ledger
import Operations
import Parties
import Persistence
import Postgres
import Primitives
import Repayment
import StrictJSON
import WebSupport

extension WebAPI {
  func addLedgerRoutes(_ routes: inout Routes) {
    routes.get("/v1/ledger/accounts") { request, _ in
      let principal = try await gateway.principal(of: request)
      let organization = try Self.organization(request)
      let query = Query(Details.accounts, [gateway.reader.scope(principal), .uuid(organization?.value.bits)])
      let rows = try await gateway.reader.run([query], as: principal)[0].map(AccountSQL.decode)
      return gateway.page(rows, next: nil) { row, writer in row.0.write(to: &writer, balance: row.1) }
    }
    routes.get("/v1/ledger/entries") { request, _ in try await entries(request) }
    routes.get("/v1/ledger/trial-balance") { request, _ in
      let principal = try await gateway.principal(of: request)
      let date = try await businessDate(request)
      let query = Query(Details.trialBalance, [gateway.reader.scope(principal), .date(date.dayNumber)])
      let rows = try await gateway.reader.run([query], as: principal)[0]
      return try gateway.page(Array(rows), next: nil) { row, writer in
        let (code, asset, balance) = (try row.text(0), try row.text(1), try row.int8(2))
        let (debits, credits) = (try row.int8(3), try row.int8(4))
        writer.object { writer in
          writer.field("account", code)
          writer.field("asset", asset)
          writer.field("balance", balance)
          writer.field("debits", debits)
          writer.field("credits", credits)
        }
      }
    }
    routes.get("/v1/statements") { request, _ in try await statement(request) }
    routes.get("/v1/audit-log") { request, _ in
      try await gateway.list(
        request, Resources.auditLog, name: "audit-log", filter: "action",
        position: { PagePosition(createdAt: $0.recordedAt, id: $0.id) }, write: { $0.write(to: &$1) })
    }
    addExposureRoutes(&routes)
  }

  static func organization(_ request: Request) throws -> OrganizationID? {
    guard let text = request.uri.queryParameters["organization_id"] else { return nil }
    guard let id = OrganizationID(String(text)) else {
      throw Problem(.unprocessableContent, "request.invalid", "organization_id is an organisation's id.")
    }
    return id
  }

  private func entries(_ request: Request) async throws -> Response {
    let principal = try await gateway.principal(of: request)
    let query = try gateway.listQuery(request, list: "entries")
    let kind = try Gateway.text(request, "kind")
    let rows = try await gateway.reader.page(
      Resources.journalEntries, after: query.position, limit: query.limit + 1, filter: kind, as: principal)
    let shown = Array(rows.prefix(Int(query.limit)))
    let lineQuery = Query(
      Details.linesOfEntry, [gateway.reader.scope(principal), .uuidArray(shown.map(\.id.value.bits))])
    let lines = try await Tables.journalLines.decode(gateway.reader.run([lineQuery], as: principal)[0])
    let byEntry = Dictionary(grouping: lines) { "\($0.line.account.book)\($0.entryID)" }
    let last = rows.count > shown.count ? shown.last : nil
    let next = last.map {
      gateway.cursors.encode(PagePosition(createdAt: $0.recordedAt, id: $0.id.value), list: "entries")
    }
    return gateway.page(shown, next: next) { entry, writer in
      entry.write(to: &writer, lines: byEntry["\(entry.book)\(entry.id)"] ?? [])
    }
  }

  /// What an organisation was owed and owed at the end of a business date: gross contractual claims and debts by currency,
  /// from its own book, so that the same date always says the same once it is closed.
  private func statement(_ request: Request) async throws -> Response {
    let principal = try await gateway.principal(of: request)
    let date = try await businessDate(request)
    let organization = try Self.organization(request) ?? principal.organizationID
    guard principal.readsEverything || organization == principal.organizationID else {
      throw PartiesRefusal.notFound("organization")
    }
    let query = Query(Details.trialBalance, [.uuid(organization.value.bits), .date(date.dayNumber)])
    var (claims, debts): ([Currency: Debt], [Currency: Debt]) = ([:], [:])
    var takenBack: [Money] = []
    var taxes: [(account: AccountCode, balance: Money)] = []
    let notes = Query(
      TaxSQL.notesOfStatement,
      [gateway.reader.scope(principal), .uuid(organization.value.bits), .date(date.dayNumber)])
    let results = try await gateway.reader.run([query, notes], as: principal)
    let untaxed = try results[1].map(UntaxedFee.init)
    for row in results[0] {
      guard let code = AccountCode(rawValue: try row.text(0)), let currency = Currency(try row.text(1)) else {
        continue
      }
      let balance = try row.int8(2)
      switch code {
      case .receivablePrincipal: claims[currency, default: .none].principal = balance
      case .receivableFee: claims[currency, default: .none].fee = balance
      case .receivableCharges: claims[currency, default: .none].charges += balance
      case .receivableTax:
        claims[currency, default: .none].charges += balance
        claims[currency, default: .none].tax = balance
      // Debts stand on the credit side.
      case .payablePrincipal: debts[currency, default: .none].principal = 0 &- balance
      case .payableFee: debts[currency, default: .none].fee = 0 &- balance
      case .payableCharges: debts[currency, default: .none].charges -= balance
      case .payableTax:
        debts[currency, default: .none].charges -= balance
        debts[currency, default: .none].tax = 0 &- balance
      // Towards authorities, not to a party of a loan.
      case .taxOutput, .taxInput: if balance != 0 { taxes.append((code, Money(balance, currency))) }
      case .payableClawback where balance != 0: takenBack.append(Money(0 &- balance, currency))
      default: continue
      }
    }
    func listed(_ sums: [Currency: Debt]) -> [Exposure] {
      sums.sorted { $0.key < $1.key }.map { Exposure(currency: $0.key, debt: $0.value) }
    }
    let (owed, owing) = (listed(claims), listed(debts))
    return gateway.object(request, version: nil) { writer in
      writer.object { writer in
        writer.field("organization_id", organization)
        writer.field("on", date)
        writer.field("basis", "gross contractual claims by business date, as posted")
        writer.array("owed_to_it", owed) { $1.write(to: &$0) }
        writer.array("it_owes", owing) { $1.write(to: &$0) }
        // Output tax is owed to an authority and negative; input tax may be set against the organisation's own.
        writer.array("taxes", taxes) { writer, tax in
          writer.object { writer in
            writer.field("account", tax.account)
            writer.field("balance", tax.balance)
          }
        }
        // Fees on which no tax was billed, and why; under a reverse charge the borrower accounts for the memorandum.
        writer.array("untaxed_fees", untaxed) { $1.write(to: &$0) }
        // To the platform, for money that was paid out to it and taken back since.
        writer.array("claw_backs_owed", takenBack) { writer, money in
          writer.object { writer in writer.field("amount", money) }
        }
      }
    }
  }

  private func addExposureRoutes(_ routes: inout Routes) {
    routes.get("/v1/startups/{id}/exposure") { request, context in
      let principal = try await gateway.principal(of: request)
      let id: OrganizationID = try Gateway.pathID(context, noun: "startup")
      guard principal.readsEverything || principal.organizationID == id else {
        throw PartiesRefusal.notFound("startup")
      }
      return try await exposure(request, id, Details.loansOfStartup, as: principal)
    }
    routes.get("/v1/lenders/{id}/exposure") { request, context in
      let principal = try await gateway.principal(of: request)
      let id: OrganizationID = try Gateway.pathID(context, noun: "lender")
      guard principal.readsEverything || principal.organizationID == id else {
        throw PartiesRefusal.notFound("lender")
      }
      return try await exposure(request, id, Details.loansOfLender, as: principal)
    }
  }

  private func exposure(
    _ request: Request, _ id: OrganizationID, _ statement: Statement, as principal: Principal
  ) async throws -> Response {
    let query = Query(statement, [gateway.reader.scope(principal), .uuid(id.value.bits)])
    let results = try await gateway.reader.run(
      [query, Query(MarginSQL.running, [.uuid(id.value.bits)])], as: principal)
    let loans = try Tables.loans.decode(results[0])
    let calls = try results[1].map { row in
      var reader = RowReader(row)
      let currency = try reader.currency()
      return (count: try reader.int(), missing: Money(try reader.int(), currency))
    }
    let totals = try Exposure.totals(loans)
    let converted = try await inOneCurrency(totals, request)
    let now = try await MarketTime.read(pool: writer, clock: clock, deadline: .now + .seconds(5)).now
    let behind = try await ExposureReport.read(loans, on: now.date, knownAt: now, as: principal, gateway.reader)
    return gateway.object(request, version: nil) { writer in
      writer.object { writer in
        writer.field("organization_id", id)
        writer.field("loans", Int64(loans.count))
        behind.writeMembers(to: &writer)
        writer.array("debt", totals) { $1.write(to: &$0) }
        writer.array("margin_calls_running", calls) { writer, sum in
          writer.object { writer in
            writer.field("calls", sum.count)
            writer.field("missing", sum.missing)
          }
        }
        if let converted {
          writer.object("debt_in_currency") { writer in
            writer.field("total", converted.total)
            writer.array("rates", converted.rates) { writer, rate in writer.object { rate.writeMembers(to: &$0) } }
          }
        }
      }
    }
  }

  /// With `currency` the whole debt in it, each currency converted at today's rate and rounded up once.
  /// - Throws: `repayment.no_rate` where one has none.
  private func inOneCurrency(
    _ totals: [Exposure], _ request: Request
  ) async throws -> (total: Money, rates: [FXRate])? {
    guard let currency = try Self.currency(request, "currency") else { return nil }
    let today = try await MarketTime.read(pool: writer, clock: clock, deadline: .now + .seconds(5)).now.date
    return try await converted(totals, to: currency, on: today)
  }

  /// Debts in several currencies as one sum, each converted at the day's rate and rounded up once, with the rates.
  /// - Throws: `repayment.no_rate` where one has none.
  func converted(
    _ totals: [Exposure], to currency: Currency, on date: CalendarDate
  ) async throws -> (total: Money, rates: [FXRate]) {
    let pairs = totals.filter { $0.currency != currency }.map { FXPair($0.currency, currency) }
    let table = try await fxTable(Set(pairs.map { FXDesk.span($0, from: date, through: date) }))
    var total = Money.zero(currency)
    var rates: [FXRate] = []
    for sum in totals {
      let converted = try table.convert(
        Money(sum.debt.total(), sum.currency), to: currency, asOf: date, rounding: .up)
      total = try total.adding(converted.amount)
      if let by = converted.by { rates.append(by.rate) }
    }
    return (total, rates)
  }
}

/// Sums of loans by currency.
struct Exposure {
  let currency: Currency
  var debt: Debt

  /// - Throws: `ArithmeticOverflow` when sums leave the range of the books.
  static func totals(_ loans: [Loan]) throws -> [Exposure] {
    var sums: [Currency: Debt] = [:]
    for loan in loans {
      var debt = sums[loan.currency] ?? .none
      debt.charges = try debt.charges.adding(loan.outstanding.charges)
      debt.tax = try debt.tax.adding(loan.outstanding.tax)
      debt.fee = try debt.fee.adding(loan.outstanding.fee)
      debt.principal = try debt.principal.adding(loan.outstanding.principal)
      sums[loan.currency] = debt
    }
    return sums.sorted { $0.key < $1.key }.map { Exposure(currency: $0.key, debt: $0.value) }
  }

  func write(to writer: inout JSONWriter) {
    writer.object { writer in
      writer.field("currency", currency.code)
      writer.field("principal", Money(debt.principal, currency))
      writer.field("fee", Money(debt.fee, currency))
      writer.field("charges", Money(debt.otherCharges, currency))
      writer.field("tax", Money(debt.tax, currency))
    }
  }
}
