import Catalogue
import Lending
import Parties
import Persistence
import Primitives

/// Records what a startup needs. It only inserts, so it takes no lock: the hot path of the service.
package struct CreateLoanRequest: Command {
  /// What the startup states.
  package struct Terms: Sendable {
    package var workload: Workload
    package var endUse: String
    package var quantity: Int64
    package var minQuantity: Int64?
    package var multipleOf: Int64
    package var sameModel: Bool
    package var sameSite: Bool
    package var maxLenders: Int64?
    package var acceptable: [AcceptableChip]
    package var regions: [String]
    package var termDays: Int64
    package var startOn: CalendarDate
    package var startByOn: CalendarDate?
    package var deliveryMode: DeliveryMode
    package var repayment: RepaymentTerms
    package var autoAccept: Bool
    package var validUntil: Instant?

    package init(
      workload: Workload, endUse: String, quantity: Int64, minQuantity: Int64?, multipleOf: Int64, sameModel: Bool,
      sameSite: Bool, maxLenders: Int64?, acceptable: [AcceptableChip], regions: [String], termDays: Int64,
      startOn: CalendarDate, startByOn: CalendarDate?, deliveryMode: DeliveryMode, repayment: RepaymentTerms,
      autoAccept: Bool, validUntil: Instant?
    ) {
      self.workload = workload
      self.endUse = endUse
      self.quantity = quantity
      self.minQuantity = minQuantity
      self.multipleOf = multipleOf
      self.sameModel = sameModel
      self.sameSite = sameSite
      self.maxLenders = maxLenders
      self.acceptable = acceptable
      self.regions = regions
      self.termDays = termDays
      self.startOn = startOn
      self.startByOn = startByOn
      self.deliveryMode = deliveryMode
      self.repayment = repayment
      self.autoAccept = autoAccept
      self.validUntil = validUntil
    }
  }

  package static let action = "loan_request.create"
  package var staffDuty: Duty? { nil }
  package let terms: Terms

  package init(terms: Terms) { self.terms = terms }

  package func decide(_ draft: inout Draft, by principal: Principal) throws -> LoanRequest {
    try principal.require(.startup)
    try checkTerms(draft.reference)
    let id: LoanRequestID = draft.ids.next()
    let request = draft.put(
      \.requests,
      LoanRequest(
        id: id, borrowerID: principal.organizationID, workload: terms.workload, endUse: terms.endUse,
        quantity: terms.quantity, minQuantity: terms.minQuantity ?? terms.multipleOf, multipleOf: terms.multipleOf,
        sameModel: terms.sameModel, sameSite: terms.sameSite, maxLenders: terms.maxLenders,
        acceptable: terms.acceptable, regions: terms.regions, termDays: terms.termDays, startOn: terms.startOn,
        startByOn: terms.startByOn ?? terms.startOn, deliveryMode: terms.deliveryMode, repayment: terms.repayment,
        autoAccept: terms.autoAccept, validUntil: terms.validUntil, sequence: draft.sequence, createdAt: draft.now,
        updatedAt: draft.now))
    draft.made.subject = id.value
    draft.happen(
      "loan_request.created", id, version: 1, to: (request.borrowerID, nil),
      [("state", .text(request.state.rawValue)), ("quantity", .number(request.quantity))])
    return request
  }

  private func checkTerms(_ reference: ReferenceData) throws(LendingRefusal) {
    for (index, chip) in terms.acceptable.enumerated() {
      if case .model(let model) = chip.choice, reference.chips[model] == nil {
        throw .unknownChipModel(model.value, pointer: "/acceptable/\(index)/chip_model_id")
      }
    }
    guard terms.quantity % terms.multipleOf == 0 else {
      throw .notInBoards(terms.quantity, multipleOf: terms.multipleOf)
    }
    if let least = terms.minQuantity, least > terms.quantity {
      throw .termsDisagree(pointer: "/min_quantity", detail: "The smallest useful quantity exceeds the quantity.")
    }
    if let by = terms.startByOn, by < terms.startOn {
      throw .termsDisagree(pointer: "/start_by_on", detail: "The latest start is before the earliest.")
    }
    let repayment = terms.repayment
    if let amount = repayment.leastAmount, let postMoney = repayment.leastPostMoney,
      amount.currency != postMoney.currency
    {
      throw .termsDisagree(
        pointer: "/repayment/least_post_money", detail: "The covenant's two thresholds are in one currency.")
    }
  }
}

/// Ends a search.
package struct CancelLoanRequest: Command {
  package static let action = "loan_request.cancel"
  package var staffDuty: Duty? { nil }
  package let requestID: LoanRequestID
  package let ifVersion: Int64?

  package init(requestID: LoanRequestID, ifVersion: Int64?) {
    self.requestID = requestID
    self.ifVersion = ifVersion
  }

  package func needs(_ state: BatchState) -> Set<Need> { [.request(requestID)] }
  package func heads(_ state: BatchState) -> Set<OrganizationID> {
    Set([state.requests[requestID]?.borrowerID].compactMap { $0 })
  }

  package func decide(_ draft: inout Draft, by principal: Principal) throws -> LoanRequest {
    guard var request = draft.find(\.requests, requestID), request.borrowerID == principal.organizationID else {
      throw PartiesRefusal.notFound("loan request")
    }
    try principal.require(.startup)
    try checkVersion(ifVersion, request.version)
    try request.cancel()
    request = draft.put(\.requests, request)
    draft.made.subject = requestID.value
    draft.happen("loan_request.cancelled", requestID, version: request.version, to: (request.borrowerID, nil))
    return request
  }
}

/// Screens a request again: records the verdicts that hold chips it would take, and says whether anything is left that is
/// clear.
package struct HoldLoanRequest: Command {
  /// A chip of one lender that the request would take, and a verdict holds.
  package struct Candidate: Sendable, Hashable {
    package let lenderID: OrganizationID
    package let chip: ChipModelID
    package let site: Site

    package init(lenderID: OrganizationID, chip: ChipModelID, site: Site) {
      self.lenderID = lenderID
      self.chip = chip
      self.site = site
    }
  }

  package static let action = "loan_request.hold"
  package var staffDuty: Duty? { .compliance }
  package let requestID: LoanRequestID
  /// Nothing it would take is clear.
  package let held: Bool
  package let candidates: [Candidate]
  /// Of the match round that screens, where it is one.
  package let lease: RoundLease?

  package init(requestID: LoanRequestID, held: Bool, candidates: [Candidate], lease: RoundLease? = nil) {
    self.requestID = requestID
    self.held = held
    self.candidates = candidates
    self.lease = lease
  }

  package func needs(_ state: BatchState) -> Set<Need> {
    var needs: Set<Need> = [.request(requestID)]
    if let request = state.requests[requestID] { needs.insert(.organization(request.borrowerID)) }
    for candidate in candidates { needs.insert(.organization(candidate.lenderID)) }
    if let lease { needs.insert(.lease(lease.segment)) }
    return needs
  }

  package func heads(_ state: BatchState) -> Set<OrganizationID> {
    Set([state.requests[requestID]?.borrowerID].compactMap { $0 })
  }

  package func decide(_ draft: inout Draft, by principal: Principal) throws -> LoanRequest {
    try principal.require(.admin)
    try draft.requireLease(lease)
    guard var request = draft.find(\.requests, requestID),
      let borrower = draft.find(\.organizations, request.borrowerID)
    else { throw PartiesRefusal.notFound("loan request") }
    draft.made.subject = requestID.value
    for candidate in candidates {
      guard let lender = draft.find(\.organizations, candidate.lenderID) else { continue }
      let hosted = request.deliveryMode == .hosted
      let act = ExportDesk.Act(
        kind: .offer, date: draft.today, chip: candidate.chip, quantity: max(1, request.remaining), lender: lender,
        borrower: borrower, from: candidate.site,
        to: hosted ? candidate.site : ExportDesk.destination(of: borrower, from: candidate.site),
        deliveryMode: request.deliveryMode, endUse: request.endUse)
      let verdict = try ExportDesk.verdict(on: act, reference: draft.reference)
      if !verdict.isClear { ExportDesk.record(verdict, act, subject: requestID.value, acted: false, in: &draft) }
    }
    let before = request.state
    request.setHeld(held)
    if request.state == before { return request }
    request = draft.put(\.requests, request)
    draft.happen(
      "loan_request.\(request.state.rawValue)", requestID, version: request.version, to: (request.borrowerID, nil))
    return request
  }
}
