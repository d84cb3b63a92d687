import Hummingbird
import Lending
import Operations
import Parties
import Persistence
import Postgres
import Primitives
import Repayment
import StrictJSON
import Valuation
import WebSupport

/// What a startup reports of its cash, and what it could still borrow by the platform's measure.
extension WebAPI {
  func addBorrowingRoutes(_ routes: inout Routes) {
    routes.post("/v1/startups/{id}/runway-reports") { request, context in
      let id: OrganizationID = try Gateway.pathID(context, noun: "startup")
      return try await gateway.post(
        request, context,
        render: .init(
          status: .created, location: { "/v1/startups/\($0.startupID)/runway-reports" }, write: { $0.write(to: &$1) })
      ) { reader, _ in ReportRunway.parse(&reader, id) }
    }
    routes.get("/v1/startups/{id}/runway-reports") { request, context in
      let (principal, id) = try await ownStartup(request, context)
      let query = try gateway.listQuery(request, list: "runway-reports")
      let rows = try await gateway.reader.page(
        Resources.runwayReports, after: query.position, limit: query.limit + 1, filter: id.value.description,
        as: principal)
      let shown = Array(rows.prefix(Int(query.limit)))
      let last = rows.count > shown.count ? shown.last : nil
      let next = last.map {
        gateway.cursors.encode(PagePosition(createdAt: $0.recordedAt, id: $0.id.value), list: "runway-reports")
      }
      return gateway.page(shown, next: next) { $0.write(to: &$1) }
    }
    routes.get("/v1/startups/{id}/borrowing-power") { request, context in
      try await borrowingPower(request, context)
    }
  }

  private func ownStartup(
    _ request: Request, _ context: ChipBridgeContext
  ) async throws -> (Principal, OrganizationID) {
    let principal = try await gateway.principal(of: request)
    let id: OrganizationID = try Gateway.pathID(context, noun: "startup")
    guard principal.readsEverything || principal.organizationID == id else { throw PartiesRefusal.notFound("startup") }
    return (principal, id)
  }

  /// As of `on` as known at `known_at`; debts and chips out are as they are now. In `currency`, else in the one of the
  /// valuation; debts in others at the day's rate, rounded up.
  private func borrowingPower(_ request: Request, _ context: ChipBridgeContext) async throws -> Response {
    let (principal, id) = try await ownStartup(request, context)
    let startup = try await gateway.reader.one(Resources.organizations, id.value, as: principal, noun: "startup")
    guard startup.roles.contains(.startup) else { throw PartiesRefusal.notFound("startup") }
    let now = try await MarketTime.read(pool: writer, clock: clock, deadline: .now + .seconds(5)).now
    let date = try Gateway.date(request, "on") ?? now.date
    let moment = try Gateway.instant(request, "known_at") ?? now
    let queries = [
      Query(Details.loansOfStartup, [gateway.reader.scope(principal), .uuid(id.value.bits)]),
      MarkQueries.of(.startup(id), .postMoney, on: date, knownAt: moment),
      Query(MarkSQL.runwayOf, [.uuidArray([id.value.bits])]),
    ]
    let results = try await gateway.reader.run(queries, as: principal)
    let loans = try Tables.loans.decode(results[0])
    let mark = try Tables.startupMarks.decode(results[1]).first
    let runway = RunwayReport.standing(try Tables.runwayReports.decode(results[2]), on: date, knownAt: moment)
    let totals = try Exposure.totals(loans)
    let currency = try Self.currency(request, "currency") ?? mark?.amount.currency ?? totals.first?.currency ?? .usd
    let debt = try await converted(totals, to: currency, on: date)
    let chips = try await chipValue(of: loans, in: currency, on: date, knownAt: moment)
    var isDisputed = false
    if let mark {
      let disputes = Query(MarkQueries.disputed, [.uuidArray([mark.id.value.bits])])
      isDisputed = try await !gateway.reader.run([disputes], as: .automation)[0].isEmpty
    }
    let power = try BorrowingPower(
      on: date, valuation: mark?.amount,
      isStale: mark.map { StalenessRule.of($0.method).isStale($0, on: date) } ?? false, isDisputed: isDisputed,
      chipValue: chips.value, hasUnmarked: chips.hasUnmarked, runway: runway, debt: debt.total)
    return gateway.object(request, version: nil) { writer in
      writer.object { writer in
        writer.field("startup_id", id)
        writer.field("on", date)
        writer.field("known_at", moment)
        writer.field("debt_basis", "outstanding now; marks, reports and rates as of the day as known at the moment")
        power.writeMembers(.standard, to: &writer)
        writer.object("valuation", mark) { writer, mark in
          writer.field("id", mark.id)
          writer.field("method", mark.method)
          writer.field("amount", mark.amount)
          writer.field("effective_on", mark.effectiveOn)
          writer.field("recorded_at", mark.recordedAt)
        }
        writer.object("runway", runway) { writer, report in report.writeMembers(to: &writer) }
        writer.array("chips", chips.marks) { writer, line in
          writer.object { writer in
            writer.field("chip_model_id", line.chip)
            writer.field("units", line.units)
            writer.field("mark_id", line.mark?.id)
            writer.field("mark", line.mark?.amount)
            writer.field("effective_on", line.mark?.effectiveOn)
            writer.field("recorded_at", line.mark?.recordedAt)
          }
        }
        writer.array("rates", debt.rates) { writer, rate in writer.object { rate.writeMembers(to: &$0) } }
      }
    }
  }

  private struct ChipLine: Sendable {
    let chip: ChipModelID
    let units: Int64
    let mark: ValuationMark?
  }

  /// Chips out by model, and their marked value in one currency.
  private func chipValue(
    of loans: [Loan], in currency: Currency, on date: CalendarDate, knownAt moment: Instant
  ) async throws -> (value: Int64, hasUnmarked: Bool, marks: [ChipLine]) {
    var units: [ChipModelID: Int64] = [:]
    for loan in loans where loan.unitsOut > 0 {
      units[loan.terms.chipModelID] = try units[loan.terms.chipModelID, default: 0].adding(loan.unitsOut)
    }
    let query = MarkQueries.ofChips(units.keys.sorted(), .perChip, on: date, knownAt: moment)
    var marks: [ChipModelID: ValuationMark] = [:]
    for mark in try await Tables.chipMarks.decode(gateway.reader.run([query], as: .automation)[0]) {
      if case .chipModel(let chip) = mark.subject { marks[chip] = mark }
    }
    var (value, hasUnmarked): (Int64, Bool) = (0, false)
    var lines: [ChipLine] = []
    for (chip, count) in units.sorted(by: { $0.key < $1.key }) {
      let mark = marks[chip]
      lines.append(ChipLine(chip: chip, units: count, mark: mark))
      if let mark, mark.amount.currency == currency {
        value = try value.adding(count.multiplied(by: mark.amount.amount))
      } else {
        hasUnmarked = true
      }
    }
    return (value, hasUnmarked, lines)
  }
}
