import Operations
import Primitives
import StrictJSON
import Valuation

extension ReportRunway {
  /// `on`, `cash`, `monthly_burn` (money, in the currency of the cash), `evidence`, `supersedes`?
  package static func parse(_ reader: inout ObjectReader, _ id: OrganizationID) -> ReportRunway? {
    let on = reader.date("on")
    let cash = reader.money("cash", BodyBounds.amount)
    let burn = reader.money("monthly_burn", BodyBounds.amount)
    let evidence = reader.string("evidence", bytes: BodyBounds.evidence)
    let supersedes = reader.optionalID("supersedes", of: RunwayReportNoun.self)
    guard let on, let cash, let burn, let evidence else { return nil }
    guard burn.currency == cash.currency else {
      reader.fault("monthly_burn", code: JSONFaultCode.format, detail: "is in the currency of the cash")
      return nil
    }
    return ReportRunway(
      startupID: id, on: on, cash: cash, monthlyBurn: burn.amount, evidence: evidence, supersedes: supersedes)
  }
}

extension RunwayReport {
  func writeMembers(to writer: inout JSONWriter) {
    writer.field("id", id)
    writer.field("startup_id", startupID)
    writer.field("on", on)
    writer.field("cash", cash)
    writer.field("monthly_burn", Money(monthlyBurn, cash.currency))
    writer.field("months_in_hundredths", monthsInHundredths)
    writer.field("evidence", evidence)
    writer.field("supersedes", supersedes)
    writer.field("reported_by", reportedBy)
    writer.field("recorded_at", recordedAt)
  }

  package func write(to writer: inout JSONWriter) { writer.object { writeMembers(to: &$0) } }
}

extension BorrowingPower {
  /// The figures, and the policy that they follow.
  func writeMembers(_ policy: Policy, to writer: inout JSONWriter) {
    writer.field("power", Money(power, currency))
    writer.field("excess", Money(excess, currency))
    writer.field("valuation_limit", Money(valuationLimit, currency))
    writer.field("runway_factor_bps", runwayFactor)
    writer.field("chip_limit", Money(chipLimit, currency))
    writer.field("debt", Money(debt, currency))
    writer.field("lacks", lacks.map(\.rawValue))
    writer.object("policy") { writer in
      writer.field("valuation_share_bps", policy.valuationShare)
      writer.field("chip_advance_bps", policy.chipAdvance)
      writer.field("least_months_in_hundredths", policy.leastMonths)
      writer.field("full_months_in_hundredths", policy.fullMonths)
      writer.field("report_days", policy.reportDays)
    }
  }
}
