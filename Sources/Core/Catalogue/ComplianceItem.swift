import Primitives

/// Something that a screening found to be held or refused by a rule, or that a fall in a valuation puts in doubt, waiting
/// for a person to decide what is done.
package struct ComplianceItem: Sendable, Hashable {
  package enum SubjectKind: String, Sendable, Hashable, CaseIterable {
    case loan
    case loanRequest = "loan_request"
    /// One that nobody has answered yet.
    case offer
    case listing
    /// A party that bears a listed name, or whose owner does.
    case organization
  }

  /// What the screening proposes; nothing of it is done by itself.
  package enum Suggestion: String, Sendable, Hashable, CaseIterable {
    /// Nobody may act on it until it is looked at: what is unknown, or waits for a review.
    case freeze
    /// It goes on as it is, and any further act waits for a licence or a notification.
    case hold
    /// A rule refuses it: it has to be brought to its end lawfully.
    case unwind
    /// Nothing is held yet: chips that came under control are offered.
    case review

    /// For a thing that exists and that a verdict says this of.
    package init(_ effect: VerdictEffect) {
      self =
        switch effect {
        case .refuse: .unwind
        case .holdReview: .freeze
        case .holdLicence, .holdNotification: .hold
        case .clear: .review
        }
    }
  }

  package enum Resolution: String, Sendable, Hashable, CaseIterable {
    case freeze, hold, unwind
    /// Looked at, and nothing is to be done.
    case accept
  }

  /// A decision of a person.
  package struct Decision: Sendable, Hashable {
    package let resolution: Resolution
    package let note: String
    package let by: PersonID
    package let at: Instant

    package init(resolution: Resolution, note: String, by: PersonID, at: Instant) {
      self.resolution = resolution
      self.note = note
      self.by = by
      self.at = at
    }
  }

  /// What was found.
  package struct Finding: Sendable, Hashable {
    package let kind: SubjectKind
    package let subject: UUIDValue
    package let borrowerID: OrganizationID?
    package let lenderID: OrganizationID?
    /// nil where the party itself is what was found, and for a request that names no one model.
    package let chipModelID: ChipModelID?
    /// At least 1; nil without chips.
    package let quantity: Int64?
    /// The day of the screening.
    package let on: CalendarDate
    package let effect: VerdictEffect
    /// Rules that hold or refuse, the strictest first; for a fall in a valuation `valuation.fell`, the mark, the one before
    /// it, and then the terms that are met no more.
    package let rules: [String]
    /// The first day on which the strictest of them was in force.
    package let since: CalendarDate?
    package let suggestion: Suggestion

    package init(
      kind: SubjectKind, subject: UUIDValue, borrowerID: OrganizationID?, lenderID: OrganizationID?,
      chipModelID: ChipModelID?, quantity: Int64?, on: CalendarDate, effect: VerdictEffect, rules: [String],
      since: CalendarDate?, suggestion: Suggestion
    ) {
      self.kind = kind
      self.subject = subject
      self.borrowerID = borrowerID
      self.lenderID = lenderID
      self.chipModelID = chipModelID
      self.quantity = quantity
      self.on = on
      self.effect = effect
      self.rules = rules
      self.since = since
      self.suggestion = suggestion
    }

    package var key: Key { Key(subject: subject, borrowerID: borrowerID) }
  }

  /// What waits once. A listing may wait for each of several startups.
  package struct Key: Sendable, Hashable {
    package let subject: UUIDValue
    package let borrowerID: OrganizationID?

    package init(subject: UUIDValue, borrowerID: OrganizationID?) {
      self.subject = subject
      self.borrowerID = borrowerID
    }
  }

  package let id: ComplianceItemID
  package let finding: Finding
  /// The settlement run that found it.
  package let runID: SettlementRunID?
  package private(set) var decision: Decision?
  package var version: Int64
  package let createdAt: Instant
  package var updatedAt: Instant

  package init(
    id: ComplianceItemID, finding: Finding, runID: SettlementRunID?, decision: Decision? = nil, version: Int64 = 1,
    createdAt: Instant, updatedAt: Instant
  ) {
    self.id = id
    self.finding = finding
    self.runID = runID
    self.decision = decision
    self.version = version
    self.createdAt = createdAt
    self.updatedAt = updatedAt
  }

  /// - Throws: `RulePackRefusal.itemResolved` for one that was decided on.
  package mutating func resolve(_ decision: Decision) throws(RulePackRefusal) {
    if let before = self.decision { throw .itemResolved(before.resolution.rawValue) }
    self.decision = decision
  }
}
