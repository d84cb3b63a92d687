import Primitives

/// What a mark is about.
package enum ValuationSubject: Sendable, Hashable, CustomStringConvertible {
  case startup(OrganizationID)
  case chipModel(ChipModelID)

  package var startup: OrganizationID? {
    if case .startup(let id) = self { id } else { nil }
  }

  package var chipModel: ChipModelID? {
    if case .chipModel(let id) = self { id } else { nil }
  }

  package var description: String {
    switch self {
    case .startup(let id): id.description
    case .chipModel(let id): id.description
    }
  }
}

/// How a value was found. Raw values are those of the interface.
package enum ValuationMethod: String, Sendable, Hashable, CaseIterable {
  /// The price of a round that new investors paid.
  case pricedRound = "priced_round"
  /// The cap of a SAFE or convertible note: a bound that was agreed, not a price.
  case safeCap = "safe_cap"
  case strategic
  /// A sale of old shares: brings the company no cash, and is often of another class.
  case secondary
  /// An appraisal under section 409A of the US tax code.
  case valuation409A = "valuation_409a"
  /// Set by staff with a reason.
  case adminMark = "admin_mark"
  /// A dated quote for a chip.
  case marketQuote = "market_quote"
  case index
  /// Derived from a curve where quotes are missing.
  case model

  /// Whether the method says anything about such a subject.
  package func applies(to subject: ValuationSubject) -> Bool {
    switch (self, subject) {
    case (.adminMark, _), (.model, _): true
    case (.pricedRound, .startup), (.safeCap, .startup), (.strategic, .startup), (.secondary, .startup),
      (.valuation409A, .startup):
      true
    case (.marketQuote, .chipModel), (.index, .chipModel): true
    case (.pricedRound, _), (.safeCap, _), (.strategic, _), (.secondary, _), (.valuation409A, _), (.marketQuote, _),
      (.index, _):
      false
    }
  }
}

/// What the amount counts. Amounts of two bases are never compared or averaged.
package enum ValuationBasis: String, Sendable, Hashable, CaseIterable {
  case preMoney = "pre_money"
  case postMoney = "post_money"
  /// Price of one chip.
  case perChip = "per_chip"
  /// Rent of one chip for one hour.
  case perChipHour = "per_chip_hour"

  /// Whether such a subject can be valued on this basis.
  package func applies(to subject: ValuationSubject) -> Bool {
    switch (self, subject) {
    case (.preMoney, .startup), (.postMoney, .startup), (.perChip, .chipModel), (.perChipHour, .chipModel): true
    case (.preMoney, _), (.postMoney, _), (.perChip, _), (.perChipHour, _): false
    }
  }
}

/// How well a value is known: by what stands behind it, not by how likely somebody thinks it.
package enum MarkConfidence: String, Sendable, Hashable, CaseIterable {
  /// A person of the platform saw the papers: closing documents, an appraisal, a dated quote.
  case documented
  /// The press, a public data set or a rate card says so, and nobody here saw the papers.
  case reported
  /// Known from memory of such a report, which was not read again.
  case recollected
  /// Computed from other values, or stated as an estimate.
  case estimated
}

/// What a startup, or a chip model, was worth on a day, as somebody recorded it. Immutable: a correction is another
/// mark that supersedes this one.
package struct ValuationMark: Sendable, Hashable {
  package let id: ValuationID
  package let subject: ValuationSubject
  package let method: ValuationMethod
  /// Above zero; minor units of its currency.
  package let amount: Money
  package let basis: ValuationBasis
  /// The day the value was true of.
  package let effectiveOn: CalendarDate
  /// Business time at which it became known here.
  package let recordedAt: Instant
  package let source: String
  /// The mark that this one corrects: wrong from the moment this one is recorded, right as history before.
  package let supersedes: ValuationID?
  /// A person who earns nothing on the loans it touches; nil for what is derived by rule, and for marks of before this
  /// was asked.
  package let approvedBy: PersonID?
  /// What stands behind it: a document, a page, a report that is kept here.
  package let evidence: String?
  package let confidence: MarkConfidence
  /// Who stated it; never the approver.
  package let recordedBy: PersonID?
  /// The moment from which a correction says otherwise; nil while it stands.
  package let supersededAt: Instant?

  /// A mark as stored. One that comes from outside passes `validate()` first.
  package init(
    id: ValuationID, subject: ValuationSubject, method: ValuationMethod, amount: Money, basis: ValuationBasis,
    effectiveOn: CalendarDate, recordedAt: Instant, source: String, supersedes: ValuationID?, approvedBy: PersonID?,
    evidence: String? = nil, confidence: MarkConfidence = .documented, recordedBy: PersonID? = nil,
    supersededAt: Instant? = nil
  ) {
    self.id = id
    self.subject = subject
    self.method = method
    self.amount = amount
    self.basis = basis
    self.effectiveOn = effectiveOn
    self.recordedAt = recordedAt
    self.source = source
    self.supersedes = supersedes
    self.approvedBy = approvedBy
    self.evidence = evidence
    self.confidence = confidence
    self.recordedBy = recordedBy
    self.supersededAt = supersededAt
  }

  /// Whether it was recorded by a moment, and not known to be wrong then.
  package func isKnown(at moment: Instant) -> Bool {
    guard recordedAt <= moment else { return false }
    guard let supersededAt else { return true }
    return supersededAt > moment
  }

  /// Whether the mark makes sense by itself.
  /// - Throws: a `ValuationRefusal` when the amount is not in `1...Money.largestAccepted`, or method or basis do not
  ///   belong to such a subject.
  package func validate() throws(ValuationRefusal) {
    guard method.applies(to: subject) else { throw .methodNotOfSubject(method, subject) }
    guard basis.applies(to: subject) else { throw .basisNotOfSubject(basis, subject) }
    guard amount.amount > 0, amount.amount <= Money.largestAccepted else { throw .amountOutOfRange(amount) }
  }
}

extension ValuationMark {
  /// The same mark, known to be wrong from a moment on.
  package func superseded(at moment: Instant) -> ValuationMark {
    ValuationMark(
      id: id, subject: subject, method: method, amount: amount, basis: basis, effectiveOn: effectiveOn,
      recordedAt: recordedAt, source: source, supersedes: supersedes, approvedBy: approvedBy, evidence: evidence,
      confidence: confidence, recordedBy: recordedBy, supersededAt: moment)
  }
}
