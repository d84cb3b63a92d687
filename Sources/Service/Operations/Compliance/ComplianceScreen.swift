import Catalogue
import Lending
import Matching
import Parties
import Persistence
import Postgres
import Primitives
import Screening

/// Everything open and live, judged by some rules on some day: what is held or refused, or came under control. It changes
/// nothing, so it can be asked of rules that are not in force.
package struct ComplianceScreen: Sendable {
  private let market: Market
  private let loans: [Loan]
  private let offers: [PendingOffer]
  private let organizations: [OrganizationID: Organization]
  /// All of them, where lists of parties are asked.
  private let parties: [Organization]

  /// Loans that one statement reads.
  private static let pageSize: Int64 = 5_000

  /// - Parameters:
  ///   - market: what is open.
  ///   - lists: lists of parties that will be asked besides those in force.
  package static func read(
    _ market: Market, lists: ScreeningLists? = nil, pool: PostgresPool, deadline: ContinuousClock.Instant
  ) async throws -> ComplianceScreen {
    var loans: [Loan] = []
    var last = UUIDValue(high: 0, low: 0)
    var organizations = market.organizations
    while true {
      let query = Query(ComplianceSQL.liveLoans, [.uuid(last.bits), .int8(pageSize)])
      let page = try await pool.withConnection(deadline: deadline) {
        try await Tables.loans.decode($0.run(query, deadline: deadline))
      }
      loans += page
      guard let end = page.last, page.count == Int(pageSize) else { break }
      last = end.id.value
    }
    let offers = try await PendingOffer.read(pool: pool, pageSize: pageSize, deadline: deadline)
    let parties = Set(
      loans.flatMap { [$0.terms.lenderID, $0.terms.borrowerID] }
        + offers.flatMap { [$0.offer.lenderID, $0.offer.borrowerID] }
    ).filter { organizations[$0] == nil }
    let query = Tables.organizations.rows(by: parties.map(\.value).sorted())
    let rows = try await pool.withConnection(deadline: deadline) {
      try await Tables.organizations.decode($0.run(query, deadline: deadline))
    }
    for row in rows { organizations[row.id] = row }
    var all: [Organization] = []
    if !market.reference.screening.isEmpty || lists?.isEmpty == false {
      all = try await everyParty(pool: pool, deadline: deadline)
    }
    return ComplianceScreen(
      market: market, loans: loans, offers: offers, organizations: organizations, parties: all)
  }

  private static func everyParty(
    pool: PostgresPool, deadline: ContinuousClock.Instant
  ) async throws -> [Organization] {
    var parties: [Organization] = []
    while true {
      let last = parties.last?.id.value ?? UUIDValue(high: 0, low: 0)
      let query = Query(ComplianceSQL.parties, [.uuid(last.bits), .int8(pageSize)])
      let page = try await pool.withConnection(deadline: deadline) {
        try await Tables.organizations.decode($0.run(query, deadline: deadline))
      }
      parties += page
      if page.count < Int(pageSize) { return parties }
    }
  }

  /// What rules and lists say on a day, by subject; what is clear is left out.
  /// - Parameter reference: nil for what is in force.
  package func findings(
    by reference: ReferenceData? = nil, on date: CalendarDate
  ) throws -> [ComplianceItem.Finding] {
    let reference = reference ?? market.reference
    var findings: [ComplianceItem.Finding] = []
    for party in parties { if let found = Self.finding(party, reference, on: date) { findings.append(found) } }
    for loan in loans { if let found = try finding(loan, reference, on: date) { findings.append(found) } }
    findings += try findingsOfRequests(reference, on: date)
    for offer in offers { if let found = try finding(offer, reference, on: date) { findings.append(found) } }
    for listing in market.listings { if let found = finding(listing, reference, on: date) { findings.append(found) } }
    return findings
  }

  /// A party by its own name and its owners', whether or not it trades at present.
  package static func finding(
    _ party: Organization, _ reference: ReferenceData, on date: CalendarDate
  ) -> ComplianceItem.Finding? {
    let consequences = party.screening(by: reference.screening, on: date).consequences
    guard let strictest = consequences.first else { return nil }
    var rules: [String] = []
    for consequence in consequences where !rules.contains(consequence.hit.ruleID) {
      rules.append(consequence.hit.ruleID)
    }
    let effect = VerdictEffect(strictest.effect.ruleEffect)
    return ComplianceItem.Finding(
      kind: .organization, subject: party.id.value, borrowerID: nil, lenderID: nil, chipModelID: nil, quantity: nil,
      on: date, effect: effect, rules: rules, since: strictest.hit.match.entry.listedOn,
      suggestion: ComplianceItem.Suggestion(effect))
  }

  /// A live loan by any further act on its chips: the title's passing where they stand, which also a holder that merely
  /// goes on using them will want one day.
  private func finding(
    _ loan: Loan, _ reference: ReferenceData, on date: CalendarDate
  ) throws -> ComplianceItem.Finding? {
    guard let lender = organizations[loan.terms.lenderID], let borrower = organizations[loan.terms.borrowerID] else {
      return nil
    }
    let act = Self.nextAct(on: loan, lender: lender, borrower: borrower, date: date)
    let units = act.quantity
    let verdict = try ExportDesk.verdict(on: act, reference: reference, licences: market.licences)
    guard !verdict.isClear else { return nil }
    return ComplianceItem.Finding(
      kind: .loan, subject: loan.id.value, borrowerID: loan.terms.borrowerID, lenderID: loan.terms.lenderID,
      chipModelID: loan.terms.chipModelID, quantity: units, on: date, effect: verdict.effect,
      rules: verdict.holdingRules, since: verdict.heldSince,
      suggestion: ComplianceItem.Suggestion(verdict.effect))
  }

  /// The title's passing where the chips of a live loan stand.
  static func nextAct(
    on loan: Loan, lender: Organization, borrower: Organization, date: CalendarDate
  ) -> ExportDesk.Act {
    let home = loan.terms.site
    let away = loan.terms.deliveryMode == .hosted ? home : ExportDesk.destination(of: borrower, from: home)
    return ExportDesk.Act(
      kind: .titleTransfer, date: date, chip: loan.terms.chipModelID,
      quantity: max(1, loan.unitsOut + loan.unitsReturning), lender: lender, borrower: borrower, from: away, to: away,
      deliveryMode: loan.terms.deliveryMode, endUse: loan.terms.endUse)
  }

  /// An offer that waits for its answer by the act of offering: its acceptance is judged as that too, and only then.
  private func finding(
    _ pending: PendingOffer, _ reference: ReferenceData, on date: CalendarDate
  ) throws -> ComplianceItem.Finding? {
    let offer = pending.offer
    guard let lender = organizations[offer.lenderID], let borrower = organizations[offer.borrowerID] else { return nil }
    let act = pending.act(by: lender, to: borrower, on: date)
    let verdict = try ExportDesk.verdict(on: act, reference: reference, licences: market.licences)
    guard !verdict.isClear else { return nil }
    return ComplianceItem.Finding(
      kind: .offer, subject: offer.id.value, borrowerID: offer.borrowerID, lenderID: offer.lenderID,
      chipModelID: offer.chipModelID, quantity: offer.quantity, on: date, effect: verdict.effect,
      rules: verdict.holdingRules, since: verdict.heldSince, suggestion: ComplianceItem.Suggestion(verdict.effect))
  }

  /// Open requests of which a rule holds some chip that is offered: one line each, for the strictest that holds.
  private func findingsOfRequests(_ reference: ReferenceData, on date: CalendarDate) throws -> [ComplianceItem.Finding]
  {
    let market = market.judged(by: reference, on: date)
    var screen = try MarketScreen(market, market.listings)
    return try market.requests.compactMap { request in
      guard let borrower = organizations[request.borrowerID] else { return nil }
      var strictest: Verdict?
      for candidate in try screen.screening(of: request, borrower, isWhole: false).held {
        guard let lender = organizations[candidate.lenderID] else { continue }
        let to =
          request.deliveryMode == .hosted
          ? candidate.site : ExportDesk.destination(of: borrower, from: candidate.site)
        let act = ExportDesk.Act(
          kind: .offer, date: date, chip: candidate.chip, quantity: max(1, request.remaining), lender: lender,
          borrower: borrower, from: candidate.site, to: to, deliveryMode: request.deliveryMode,
          endUse: request.endUse)
        let verdict = try ExportDesk.verdict(on: act, reference: reference)
        if strictest.map({ $0.effect < verdict.effect }) ?? true { strictest = verdict }
      }
      guard let strictest else { return nil }
      return ComplianceItem.Finding(
        kind: .loanRequest, subject: request.id.value, borrowerID: request.borrowerID, lenderID: nil,
        chipModelID: strictest.chip, quantity: max(1, request.remaining), on: date, effect: strictest.effect,
        rules: strictest.holdingRules, since: strictest.heldSince,
        suggestion: ComplianceItem.Suggestion(strictest.effect))
    }
  }

  /// An open listing of chips that are controlled: whom they may go to is found out at each act.
  private func finding(
    _ listing: Listing, _ reference: ReferenceData, on date: CalendarDate
  ) -> ComplianceItem.Finding? {
    guard let chip = reference.chips[listing.chipModelID] else { return nil }
    let classification = reference.rules.classify(chip, on: date)
    guard classification.exportClass != .notControlled else { return nil }
    let rule = reference.rules.classificationRules.first { $0.header.id == classification.ruleID }
    return ComplianceItem.Finding(
      kind: .listing, subject: listing.id.value, borrowerID: nil, lenderID: listing.lenderID,
      chipModelID: listing.chipModelID, quantity: max(1, listing.remaining), on: date,
      effect: classification.exportClass == .unknown ? .holdReview : .clear,
      rules: [classification.ruleID].compactMap { $0 }, since: rule?.header.validity.from, suggestion: .review)
  }

  /// A line of a comparison.
  package struct Change: Sendable, Hashable {
    package let before: ComplianceItem.Finding?
    package let after: ComplianceItem.Finding?
  }

  /// What other rules or lists would find differently on a day: effects or rules that change, by subject.
  package func changes(to other: ReferenceData, on date: CalendarDate) throws -> [Change] {
    let (old, new) = (try findings(on: date), try findings(by: other, on: date))
    let (before, after) = (Self.bySubject(old), Self.bySubject(new))
    var changes: [Change] = []
    for finding in new where before[finding.subject].map({ !$0.says(finding) }) ?? true {
      changes.append(Change(before: before[finding.subject], after: finding))
    }
    for finding in old where after[finding.subject] == nil { changes.append(Change(before: finding, after: nil)) }
    return changes
  }

  private static func bySubject(_ findings: [ComplianceItem.Finding]) -> [UUIDValue: ComplianceItem.Finding] {
    Dictionary(findings.map { ($0.subject, $0) }, uniquingKeysWith: { first, _ in first })
  }
}

extension ComplianceItem.Finding {
  fileprivate func says(_ other: ComplianceItem.Finding) -> Bool {
    effect == other.effect && rules == other.rules && suggestion == other.suggestion
  }
}

extension Market {
  /// The same orders, judged by other rules on some day; what is open stays what is open now.
  func judged(by reference: ReferenceData, on date: CalendarDate) -> Market {
    Market(
      now: date == now.date ? now : Instant(startOf: date) ?? now, reference: reference, listings: listings, lots: lots,
      requests: requests, organizations: organizations, marks: marks, unreliable: unreliable, exposures: exposures,
      licences: licences,
      licenceClaims: licenceClaims)
  }
}

extension Verdict {
  /// The first day of the strictest rule that holds or refuses.
  package var heldSince: CalendarDate? { findings.first { !$0.informationOnly && $0.effect != .clear }?.validFrom }
}
