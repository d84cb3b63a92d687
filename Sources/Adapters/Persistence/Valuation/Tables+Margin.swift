import Catalogue
import Lending
import Postgres
import Primitives
import Valuation

/// What was found on a day behind a loan that states margin terms, with all that was looked at. Of each loan and day there
/// is one, and it is never changed: what is corrected later is seen by the tests of later days.
package struct MarginTestRow: Sendable, Hashable {
  package enum Outcome: String, Sendable, Hashable, CaseIterable {
    case tested
    /// No mark of the chip was known for the day.
    case noMark = "no_mark"
    case staleMark = "stale_mark"
    /// Somebody disputes the mark, or a dispute of a call on it was upheld.
    case disputedMark = "disputed_mark"
    /// The mark is in another currency than the loan.
    case otherCurrency = "other_currency"
  }

  /// The mark of one chip, with both its dates.
  package struct Mark: Sendable, Hashable {
    package let id: ValuationID
    package let amount: Money
    package let effectiveOn: CalendarDate
    package let recordedAt: Instant

    package init(id: ValuationID, amount: Money, effectiveOn: CalendarDate, recordedAt: Instant) {
      self.id = id
      self.amount = amount
      self.effectiveOn = effectiveOn
      self.recordedAt = recordedAt
    }

    package init(_ mark: ValuationMark) {
      self.init(id: mark.id, amount: mark.amount, effectiveOn: mark.effectiveOn, recordedAt: mark.recordedAt)
    }
  }

  /// What stood behind the loan and what it owed, in minor units of its currency.
  package struct Inputs: Sendable, Hashable {
    /// Chips with the borrower.
    package let units: Int64
    /// All parts of the debt.
    package let outstanding: Money
    package let deposits: Int64
    /// Principal that was paid for calls before it was due.
    package let repaid: Int64

    package init(units: Int64, outstanding: Money, deposits: Int64, repaid: Int64) {
      self.units = units
      self.outstanding = outstanding
      self.deposits = deposits
      self.repaid = repaid
    }
  }

  /// In minor units of the loan's currency.
  package struct Result: Sendable, Hashable {
    package let expected: Int64
    package let required: Int64
    package let held: Int64
    package let shortfall: Int64

    package init(expected: Int64, required: Int64, held: Int64, shortfall: Int64) {
      self.expected = expected
      self.required = required
      self.held = held
      self.shortfall = shortfall
    }

    package init(_ test: MarginTest) {
      self.init(
        expected: test.expected.amount, required: test.required.amount, held: test.held.amount,
        shortfall: test.shortfall.amount)
    }
  }

  package let id: MarginTestID
  package let borrowerID: OrganizationID
  package let lenderID: OrganizationID
  package let loanID: LoanID
  package let on: CalendarDate
  package let outcome: Outcome
  /// nil where none was known.
  package let mark: Mark?
  package let inputs: Inputs
  package let threshold: BasisPoints
  /// The greater of what the loan agreed on and what the platform asked for on the day, with where it is from.
  package let haircut: TakenHaircut
  /// nil where nothing was tested.
  package let result: Result?
  package let recordedAt: Instant

  package init(
    id: MarginTestID, borrowerID: OrganizationID, lenderID: OrganizationID, loanID: LoanID, on: CalendarDate,
    outcome: Outcome, mark: Mark?, inputs: Inputs, threshold: BasisPoints, haircut: TakenHaircut, result: Result?,
    recordedAt: Instant
  ) {
    self.id = id
    self.borrowerID = borrowerID
    self.lenderID = lenderID
    self.loanID = loanID
    self.on = on
    self.outcome = outcome
    self.mark = mark
    self.inputs = inputs
    self.threshold = threshold
    self.haircut = haircut
    self.result = result
    self.recordedAt = recordedAt
  }
}

/// A margin call with whose it is, where it came from, and who answered it.
package struct MarginCallRow: Sendable, Hashable {
  /// A person's word on a day.
  package struct Word: Sendable, Hashable {
    package let by: PersonID
    package let on: CalendarDate

    package init(by person: PersonID, on date: CalendarDate) {
      by = person
      on = date
    }
  }

  /// What became of a dispute.
  package struct Decision: Sendable, Hashable {
    package let word: Word
    /// What was disputed is called for no more.
    package let isUpheld: Bool
    package let reason: String

    package init(_ word: Word, isUpheld: Bool, reason: String) {
      self.word = word
      self.isUpheld = isUpheld
      self.reason = reason
    }
  }

  package var call: MarginCall
  package let borrowerID: OrganizationID
  package let lenderID: OrganizationID
  /// What found something missing.
  package let testID: MarginTestID
  package let markID: ValuationID
  package var agreed: Word?
  package var disputed: Word?
  package var decision: Decision?
  package var version: Int64
  package let createdAt: Instant
  package var updatedAt: Instant

  package init(
    call: MarginCall, borrowerID: OrganizationID, lenderID: OrganizationID, testID: MarginTestID, markID: ValuationID,
    agreed: Word? = nil, disputed: Word? = nil, decision: Decision? = nil, version: Int64 = 1, createdAt: Instant,
    updatedAt: Instant
  ) {
    self.call = call
    self.borrowerID = borrowerID
    self.lenderID = lenderID
    self.testID = testID
    self.markID = markID
    self.agreed = agreed
    self.disputed = disputed
    self.decision = decision
    self.version = version
    self.createdAt = createdAt
    self.updatedAt = updatedAt
  }
}

extension MarginCallRow: Stored {
  package var id: MarginCallID { call.id }
  package mutating func stamp(_ now: Instant) { updatedAt = now }
}

extension Tables {
  /// Never updated.
  package static let marginTests = Table<MarginTestRow>(
    "margin_tests", sql: "margin_tests", key: ["borrower_id", "id"], idColumn: "id",
    columns: [
      .uuid("borrower_id") { $0.borrowerID.value },
      .uuid("id") { $0.id.value },
      .uuid("lender_id") { $0.lenderID.value },
      .uuid("loan_id") { $0.loanID.value },
      .date("on_date") { $0.on },
      .text("outcome") { $0.outcome.rawValue },
      .uuidOrNull("mark_id") { $0.mark?.id.value },
      .int8("mark_amount") { $0.mark?.amount.amount },
      .text("mark_currency") { $0.mark?.amount.currency.code },
      .date("mark_effective_on") { $0.mark?.effectiveOn },
      .instant("mark_recorded_at") { $0.mark?.recordedAt },
      .int8("units") { $0.inputs.units },
      .int8("outstanding") { $0.inputs.outstanding.amount },
      .text("currency") { $0.inputs.outstanding.currency.code },
      .int8("deposits") { $0.inputs.deposits },
      .int8("repaid") { $0.inputs.repaid },
      .int8("threshold_bps") { $0.threshold.value },
      .int8("haircut_bps") { $0.haircut.haircut.value },
      .int8("expected") { $0.result?.expected },
      .int8("required") { $0.result?.required },
      .int8("held") { $0.result?.held },
      .int8("shortfall") { $0.result?.shortfall },
      .instant("recorded_at") { $0.recordedAt },
      .uuidOrNull("haircut_entry_id") { $0.haircut.by?.value },
      .text("vendor_class") { $0.haircut.vendorClass?.rawValue },
    ],
    names: ("margin_tests_by_id", "margin_tests_insert", nil)
  ) { row in
    let borrower: OrganizationID = try row.id()
    let id: MarginTestID = try row.id()
    let (lender, loan): (OrganizationID, LoanID) = (try row.id(), try row.id())
    let (on, outcome) = (try row.date(), try row.value(MarginTestRow.Outcome.self))
    let markID: ValuationID? = try row.idOrNull()
    let (amount, effectiveOn, knownAt) = (try row.moneyOrNull(), try row.dateOrNull(), try row.instantOrNull())
    var mark: MarginTestRow.Mark?
    if let markID, let amount, let effectiveOn, let knownAt {
      mark = MarginTestRow.Mark(id: markID, amount: amount, effectiveOn: effectiveOn, recordedAt: knownAt)
    }
    let inputs = MarginTestRow.Inputs(
      units: try row.int(), outstanding: try row.money(), deposits: try row.int(), repaid: try row.int())
    let (threshold, haircut) = (try row.bps(), try row.bps())
    let (expected, required) = (try row.intOrNull(), try row.intOrNull())
    let (held, shortfall) = (try row.intOrNull(), try row.intOrNull())
    var result: MarginTestRow.Result?
    if let expected, let required, let held, let shortfall {
      result = MarginTestRow.Result(expected: expected, required: required, held: held, shortfall: shortfall)
    }
    let recordedAt = try row.instant()
    return MarginTestRow(
      id: id, borrowerID: borrower, lenderID: lender, loanID: loan, on: on, outcome: outcome, mark: mark,
      inputs: inputs, threshold: threshold,
      haircut: TakenHaircut(haircut: haircut, by: try row.idOrNull(), vendorClass: try row.valueOrNull()),
      result: result, recordedAt: recordedAt)
  }

  package static let marginCalls = Table<MarginCallRow>(
    "margin_calls", sql: "margin_calls", key: ["borrower_id", "id"], idColumn: "id",
    columns: [
      .uuid("borrower_id") { $0.borrowerID.value },
      .uuid("id") { $0.id.value },
      .uuid("lender_id") { $0.lenderID.value },
      .uuid("loan_id") { $0.call.loanID.value },
      .uuid("test_id") { $0.testID.value },
      .uuid("mark_id") { $0.markID.value },
      .date("opened_on") { $0.call.openedOn },
      .date("due_on") { $0.call.dueOn },
      .text("consequence") { $0.call.consequence.rawValue },
      .int8("called") { $0.call.called.amount },
      .text("currency") { $0.call.called.currency.code },
      .int8("disputed") { $0.call.disputed },
      .int8("cured") { $0.call.cured },
      .text("state") { $0.call.state.rawValue },
      .text("reason") { $0.call.reason },
      .date("ended_on") { $0.call.endedOn },
      .uuidOrNull("agreed_by") { $0.agreed?.by.value },
      .date("agreed_on") { $0.agreed?.on },
      .uuidOrNull("disputed_by") { $0.disputed?.by.value },
      .date("disputed_on") { $0.disputed?.on },
      .uuidOrNull("decided_by") { $0.decision?.word.by.value },
      .date("decided_on") { $0.decision?.word.on },
      .bool("is_upheld") { $0.decision?.isUpheld },
      .text("decision_reason") { $0.decision?.reason },
      .int8("version") { $0.version },
      .instant("created_at") { $0.createdAt },
      .instant("updated_at") { $0.updatedAt },
    ],
    names: ("margin_calls_by_id", "margin_calls_insert", "margin_calls_update")
  ) { row in
    let borrower: OrganizationID = try row.id()
    let id: MarginCallID = try row.id()
    let (lender, loan): (OrganizationID, LoanID) = (try row.id(), try row.id())
    let (test, mark): (MarginTestID, ValuationID) = (try row.id(), try row.id())
    let call = MarginCall(
      id: id, loanID: loan, openedOn: try row.date(), dueOn: try row.date(), consequence: try row.value(),
      called: try row.money(), disputed: try row.int(), cured: try row.int(), state: try row.value(),
      reason: try row.textOrNull(), endedOn: try row.dateOrNull())
    func word() throws -> MarginCallRow.Word? {
      let person: PersonID? = try row.idOrNull()
      let date = try row.dateOrNull()
      guard let person, let date else { return nil }
      return MarginCallRow.Word(by: person, on: date)
    }
    let (agreed, disputed, decided) = (try word(), try word(), try word())
    let (isUpheld, reason) = (try row.boolOrNull(), try row.textOrNull())
    var decision: MarginCallRow.Decision?
    if let decided, let isUpheld, let reason {
      decision = MarginCallRow.Decision(decided, isUpheld: isUpheld, reason: reason)
    }
    return MarginCallRow(
      call: call, borrowerID: borrower, lenderID: lender, testID: test, markID: mark, agreed: agreed,
      disputed: disputed, decision: decision, version: try row.int(), createdAt: try row.instant(),
      updatedAt: try row.instant())
  }

  /// The columns of `listings` for what the lender asks of the value behind its loans.
  static let listingMarginColumns: [Column<Listing>] = [
    .int8("margin_threshold_bps") { $0.margin?.threshold.value },
    .int8("margin_haircut_bps") { $0.margin?.haircut.value },
    .int8("margin_cure_days") { $0.margin?.cureDays },
    .text("margin_consequence") { $0.margin?.consequence.rawValue },
    .texts("margin_curve") { $0.margin?.points.map(\.description) },
  ]

  /// The same of `loans`, with the day on which the curve begins; its first price is the loan's own mark.
  static let loanMarginColumns: [Column<Loan>] = [
    .int8("margin_threshold_bps") { $0.terms.margin?.threshold.value },
    .int8("margin_haircut_bps") { $0.terms.margin?.haircut.value },
    .int8("margin_cure_days") { $0.terms.margin?.cureDays },
    .text("margin_consequence") { $0.terms.margin?.consequence.rawValue },
    .texts("margin_curve") { $0.terms.margin?.curve.points.map(\.description) },
    .date("margin_from") { $0.terms.margin?.curve.firstPriceOn },
  ]

  static func readListedMargin(_ row: inout RowReader) throws -> MarginTerms.Listed? {
    let (threshold, haircut, days) = (try row.intOrNull(), try row.intOrNull(), try row.intOrNull())
    let consequence: MarginTerms.Consequence? = try row.valueOrNull()
    let points = try row.parsedListOrNull { DepreciationCurve.Point($0) }
    guard let threshold, let haircut, let days, let consequence, let points else { return nil }
    guard
      let listed = MarginTerms.Listed(
        points: points, threshold: BasisPoints(threshold), haircut: BasisPoints(haircut), cureDays: days,
        consequence: consequence)
    else { throw StoredValueError(column: "margin_curve", value: "\(points)") }
    return listed
  }

  static func readMargin(_ row: inout RowReader, mark: Money, listing: ListingID) throws -> MarginTerms? {
    let listed = try readListedMargin(&row)
    guard let listed, let from = try row.dateOrNull() else {
      if listed == nil { _ = try row.dateOrNull() }
      return nil
    }
    guard let terms = listed.frozen(mark: mark, on: from, of: listing) else {
      throw StoredValueError(column: "margin_from", value: from.description)
    }
    return terms
  }
}

extension MarginTerms.Listed {
  /// The terms of a loan that a listing's offer became.
  package func frozen(mark: Money, on date: CalendarDate, of listing: ListingID) -> MarginTerms? {
    frozen(mark: mark, on: date, source: "agreed at trade, \(listing)")
  }
}
