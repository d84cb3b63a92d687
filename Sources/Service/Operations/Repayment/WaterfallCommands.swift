import Lending
import Parties
import Persistence
import Primitives
import Repayment

/// Staff record what the lenders of a startup agreed among themselves, from a day on. What was swept or divided before
/// stays as it was.
package struct SetWaterfalls: Command {
  package static let action = "waterfalls.set"
  package static let asksSecondPerson = true
  package var staffDuty: Duty? { .treasury }
  package let startupID: OrganizationID
  package let effectiveOn: CalendarDate
  package let terms: IntercreditorTerms
  package let evidence: String

  package init(startupID: OrganizationID, effectiveOn: CalendarDate, terms: IntercreditorTerms, evidence: String) {
    self.startupID = startupID
    self.effectiveOn = effectiveOn
    self.terms = terms
    self.evidence = evidence
  }

  package func needs(_ state: BatchState) -> Set<Need> {
    [.organization(startupID), .loansOfBorrower(startupID), .waterfalls(startupID)]
  }

  package func heads(_ state: BatchState) -> Set<OrganizationID> {
    state.organizations[startupID] == nil ? [] : [startupID]
  }

  package func decide(_ draft: inout Draft, by principal: Principal) throws -> StartupWaterfalls {
    guard let startup = draft.find(\.organizations, startupID), startup.roles.contains(.startup),
      principal.isStaff || principal.organizationID == startupID
    else { throw PartiesRefusal.notFound("startup") }
    try principal.require(.admin)
    let person = try principal.requirePerson()
    guard effectiveOn >= draft.today else {
      throw RoundRefusal.effectiveInPast(effectiveOn, today: draft.today)
    }
    let loans = Set(draft.base.loansOfBorrower[startupID] ?? [])
    for place in terms.places where !loans.contains(place.loanID) { throw RepaymentRefusal.unknownLoan(place.loanID) }
    let row = StartupWaterfalls(
      id: draft.ids.next(), borrowerID: startupID, effectiveOn: effectiveOn, terms: terms, evidence: evidence,
      setBy: person, recordedAt: draft.now)
    draft.made.waterfalls.append(row)
    draft.made.subject = row.id.value
    draft.happen(
      "waterfalls.set", row.id, version: 1, to: (startupID, nil), [("effective_on", .text(effectiveOn.description))])
    return row
  }
}
