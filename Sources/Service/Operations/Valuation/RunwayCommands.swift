import Parties
import Persistence
import Primitives
import Valuation

/// A startup says how much cash it has and what it spends. It is its word, with what shows it: nothing is due by it, and no
/// mark is made of it.
package struct ReportRunway: Command {
  package static let action = "runway.report"
  package var staffDuty: Duty? { nil }
  package let startupID: OrganizationID
  package let on: CalendarDate
  package let cash: Money
  package let monthlyBurn: Int64
  package let evidence: String
  package let supersedes: RunwayReportID?

  package init(
    startupID: OrganizationID, on: CalendarDate, cash: Money, monthlyBurn: Int64, evidence: String,
    supersedes: RunwayReportID?
  ) {
    self.startupID = startupID
    self.on = on
    self.cash = cash
    self.monthlyBurn = monthlyBurn
    self.evidence = evidence
    self.supersedes = supersedes
  }

  package func needs(_ state: BatchState) -> Set<Need> { [.organization(startupID), .valuation(.runway(startupID))] }
  package func heads(_ state: BatchState) -> Set<OrganizationID> { [startupID] }

  package func decide(_ draft: inout Draft, by principal: Principal) throws -> RunwayReport {
    guard let startup = draft.find(\.organizations, startupID), startup.roles.contains(.startup),
      principal.organizationID == startupID
    else { throw PartiesRefusal.notFound("startup") }
    try principal.require(.startup)
    let person = try principal.requirePerson()
    guard on <= draft.today else { throw ValuationRefusal.reportedAhead(on, today: draft.today) }
    let known = draft.base.valuation.runway[startupID] ?? []
    if let supersedes {
      guard known.contains(where: { $0.id == supersedes }) else { throw ValuationRefusal.reportUnknown(supersedes) }
      if let later = known.first(where: { $0.supersedes == supersedes }) {
        throw ValuationRefusal.reportCorrected(supersedes, by: later.id)
      }
    }
    let report = RunwayReport(
      id: draft.ids.next(), startupID: startupID, on: on, cash: cash, monthlyBurn: monthlyBurn, evidence: evidence,
      supersedes: supersedes, reportedBy: person, recordedAt: draft.now)
    draft.made.valuation.runway.append(report)
    draft.made.subject = report.id.value
    draft.happen("runway.reported", report.id, version: 1, to: (startupID, nil))
    return report
  }
}
