import Ledger
import Lending
import Operations
import Persistence
import Primitives
import StrictJSON

/// What a settlement run came to, and the report of closed days, for people and for programs.
enum SettleText {
  // MARK: runs

  static func text(_ run: SettlementRun, _ report: CloseReport?) -> String {
    var lines = ["\(run.id): \(run.job) of \(run.businessDate) \(run.state.rawValue), \(grouped(run.done)) parts done"]
    if run.dead > 0 { lines[0] += ", \(grouped(run.dead)) given up" }
    lines += sums(run.totals).map { "  \($0)" }
    if let hash = run.effectsHash { lines.append("  effects \(hash.text)") }
    if let report { lines += ["", text(report)] }
    return lines.joined(separator: "\n")
  }

  static func json(_ run: SettlementRun, _ report: CloseReport?) -> String {
    var writer = JSONWriter(capacity: 1_024)
    writer.object { writer in
      writer.field("id", run.id.description)
      writer.field("job", run.job)
      writer.field("business_date", run.businessDate.description)
      writer.field("state", run.state.rawValue)
      writer.field("approval", run.approval.rawValue)
      writer.field("done", run.done)
      writer.field("total", run.total)
      writer.field("dead", run.dead)
      writer.rawField("totals", run.totals)
      writer.field("effects_hash", run.effectsHash?.text)
      writer.field("error", run.error)
      if let report {
        writer.key("report")
        report.write(to: &writer)
      }
    }
    return String(decoding: writer.bytes, as: UTF8.self)
  }

  /// `fee.USD 12,345.67`: sums of money by their currency, counts as they are.
  private static func sums(_ totals: [UInt8]) -> [String] {
    guard let members = (try? JSONDocument(parsing: totals).root)?.asObject else { return [] }
    return members.map { sum($0.name, $0.value.asInteger ?? 0) }.sorted()
  }

  private static func sum(_ name: String, _ value: Int64) -> String {
    let parts = name.split(separator: ".")
    guard parts.count == 2, let currency = Currency(parts[1]) else { return "\(name) \(grouped(value))" }
    return "\(parts[0]) \(Money(value, currency))"
  }

  // MARK: previews

  static func text(_ preview: RunPlanner.Preview, _ job: SettlementJob, _ date: CalendarDate) -> String {
    var lines = ["\(job.rawValue) of \(date) would do, as things are now, and nothing was changed:"]
    lines += preview.totals.sorted { $0.key < $1.key }.map { "  \(sum($0.key, $0.value))" }
    for (code, count) in preview.refusals.sorted(by: { $0.key < $1.key }) {
      lines.append("  \(grouped(count)) parts would be refused: \(code)")
    }
    lines.append("  \(grouped(preview.entryCount)) entries in \(grouped(Int64(preview.shards.count))) parts")
    if let hash = preview.hash { lines.append("  hash \(hash.text)") }
    return lines.joined(separator: "\n")
  }

  static func json(_ preview: RunPlanner.Preview) -> String {
    var writer = JSONWriter(capacity: 512)
    writer.object { writer in
      writer.field("preview_hash", preview.hash?.text)
      writer.rawField("totals", preview.totals.jsonBytes)
      writer.rawField("refusals", preview.refusals.jsonBytes)
      writer.field("entry_count", preview.entryCount)
      writer.field("parts", Int64(preview.shards.count))
    }
    return String(decoding: writer.bytes, as: UTF8.self)
  }

  // MARK: the report of closed days

  static func text(_ report: CloseReport) -> String {
    let days = report.closedDays.count
    var lines = [
      "Close of \(report.from) to \(report.to): \(days) \(days == 1 ? "day" : "days") closed, "
        + "\(grouped(report.entryCount)) entries"
    ]
    for currency in report.currencies { lines += table(report, currency) }
    for cover in report.cover {
      lines.append(
        "Client money: \(Money(cover.held, cover.currency)) at the bank, \(Money(cover.owed, cover.currency)) owed to "
          + "clients; \(cover.isCovered ? "covered" : "NOT COVERED")")
    }
    lines.append("Loans that go on:\(report.loans.isEmpty ? " none" : "")")
    lines += report.loans.map { loans in
      let owed = loans.outstanding
      return
        "  \(grouped(loans.count)) \(loans.state.rawValue): principal \(Money(owed.principal, loans.currency)), fee "
        + "\(Money(owed.fee, loans.currency)), charges \(Money(owed.charges, loans.currency))"
    }
    lines.append("Due and unpaid:\(report.pastDue.isEmpty ? " nothing" : "")")
    lines += report.pastDue.map { due in
      "  \(age(due.fromDays)): \(grouped(due.count)) loans, \(Money(due.amount, due.currency))"
    }
    for flow in report.receipts {
      lines.append(
        "Received: \(grouped(flow.count)) receipts, \(Money(flow.amount, flow.currency)), of which "
          + "\(Money(flow.part, flow.currency)) no claim took")
    }
    for flow in report.payouts {
      lines.append(
        "Paid out: \(grouped(flow.count)) payouts, \(Money(flow.amount, flow.currency)), of which "
          + "\(Money(flow.part, flow.currency)) platform fee")
    }
    for flow in report.clawbacks {
      lines.append(
        "Taken back: \(grouped(flow.count)) claw-backs, \(Money(flow.amount, flow.currency)), for which the platform "
          + "advanced \(Money(flow.part, flow.currency))")
    }
    return lines.joined(separator: "\n")
  }

  private static func age(_ fromDays: Int32) -> String {
    switch fromDays {
    case 0: "0 to 29 days"
    case 30: "30 to 59 days"
    case 60: "60 to 89 days"
    default: "90 days and more"
    }
  }

  /// The trial balance of one currency over all books, with what moved.
  private static func table(_ report: CloseReport, _ currency: Currency) -> [String] {
    func amount(_ minor: Int64) -> String {
      // The currency stands in the head.
      String(Money(minor, currency).description.dropFirst(currency.code.count + 1))
    }
    let accounts = report.accounts.filter { $0.currency == currency }
    let head = ["Trial balance, \(currency)", "opening", "debits", "credits", "closing"]
    var rows = accounts.map { account in
      [
        "  \(account.code.rawValue)", amount(account.opening), amount(account.debits), amount(account.credits),
        amount(account.closing),
      ]
    }
    let imbalance = Int64(clamping: report.imbalance(currency))
    rows.append(["  sum of all books", "", "", "", amount(imbalance) + (imbalance == 0 ? "" : " DOES NOT HOLD")])
    let widths = (0..<5).map { column in ([head] + rows).map { $0[column].count }.max() ?? 0 }
    return ([head] + rows).map { row in
      row.enumerated().map { column, cell in
        let space = String(repeating: " ", count: widths[column] - cell.count)
        return column == 0 ? cell + space : space + cell
      }.joined(separator: "  ")
    }
  }
}
