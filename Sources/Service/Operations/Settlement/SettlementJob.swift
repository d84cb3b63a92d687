import LedgerExport
import Parties
import Persistence
import Primitives
import StrictJSON

/// A job that settlement runs do.
package enum SettlementJob: String, Sendable, Hashable, CaseIterable {
  /// Posts fees up to the business date.
  case accrual
  /// Sweeps verified closings up to the business date.
  case sweep
  /// Makes matured loans due.
  case maturity
  /// Recalls whose notice has run out, and dues past their grace.
  case delinquency
  /// Pays lenders out.
  case payout
  /// Takes verdicts again for everything that waits, and lists what a rule holds.
  case rescreen
  /// Matches what banks said with what the books expect, and compares their balances of the date.
  case reconcile
  /// Tells lenders what the platform took of their fee income, by numbered invoices.
  case fees
  /// Issues each organisation's statement of a month whose days are all closed.
  case statements
  /// Derives what chips were worth on the date from the quotes that are known.
  case marks
  /// Tests the value behind loans that state margin terms, and opens, clears and ends calls.
  case margin
  /// Does what a day needs at its end, for every day since the last that was closed, and closes it.
  case dayClose = "day_close"

  /// It may be done for a day that is closed.
  package var postsNothing: Bool {
    switch self {
    case .reconcile, .fees, .statements, .marks: true
    case .accrual, .sweep, .maturity, .delinquency, .payout, .rescreen, .margin, .dayClose: false
    }
  }

  /// The steps of one business date, in their order; nil for the job that works through the market as a whole.
  ///
  /// A day closes in the order in which its facts depend on each other. The fee of the day itself comes first: what falls
  /// due at the day's end can be paid from the next on, and then that fee is owed; what chips are worth is known before
  /// anything is tested by it; and what is due before the day's end can be late.
  package var steps: [SettlementStep]? {
    switch self {
    case .accrual: [.accrual]
    case .sweep: [.sweep]
    case .maturity: [.maturity]
    case .delinquency: [.recalls, .delinquency]
    case .payout: [.payout]
    case .reconcile: [.reconcile]
    case .fees: [.fees]
    case .statements: [.statements]
    case .marks: [.marks]
    case .margin: [.margin]
    case .dayClose: [.dayAccrual, .sweep, .maturity, .marks, .margin, .recalls, .delinquency, .close]
    case .rescreen: nil
    }
  }
}

/// What one stage of a run does.
package enum SettlementStep: String, Sendable, Hashable, CaseIterable {
  /// The fee of all days before the date.
  case accrual
  /// The fee of the date itself too, booked on it.
  case dayAccrual = "day_accrual"
  case sweep, maturity, recalls, delinquency, payout
  /// Posts nothing, so it may be done for a day that is closed.
  case reconcile
  /// Invoices of payouts up to the date. Posts nothing.
  case fees
  /// The statements of the month that ends on the date. Posts nothing.
  case statements
  /// Posts nothing either: it records marks.
  case marks
  /// Of loans that state margin terms.
  case margin
  /// Checks the day and closes it.
  case close
}

/// One step for one business date. Stages of a run are done one after the other.
package struct SettlementStage: Sendable, Hashable {
  package let step: SettlementStep
  package let on: CalendarDate

  package init(step: SettlementStep, on: CalendarDate) {
    self.step = step
    self.on = on
  }

  /// Days that one run may catch up with.
  package static let mostDays: Int64 = 400

  /// The stages of a run.
  /// - Parameters:
  ///   - closedThrough: the last day that is closed; nil before the first: then only the date itself is.
  /// - Throws: `SettlementRefusal` for a date that is closed, or too many days after the last that is.
  package static func of(
    _ job: SettlementJob, on date: CalendarDate, closedThrough: CalendarDate?
  ) throws -> [SettlementStage] {
    guard let steps = job.steps else { return [] }
    if job == .statements {
      guard let month = StatementDocument.month(of: date), date == month.last else {
        throw SettlementRefusal.notMonthEnd(date)
      }
      guard let closedThrough, date <= closedThrough else { throw SettlementRefusal.monthOpen(date, closedThrough) }
    }
    // A bank tells of a day when it is over, a statement tells of days that are closed, and a mark is no posting.
    if !job.postsNothing, let closedThrough, date <= closedThrough {
      throw DayClosed(date: date, through: closedThrough)
    }
    guard job == .dayClose, let closedThrough else { return steps.map { SettlementStage(step: $0, on: date) } }
    let days = closedThrough.days(to: date)
    guard days <= mostDays else { throw SettlementRefusal.tooManyDays(days, most: mostDays) }
    return (1...days).flatMap { offset in
      steps.compactMap { step in closedThrough.adding(days: offset).map { SettlementStage(step: step, on: $0) } }
    }
  }

  /// As a run keeps them: `[{"step": ..., "on": ...}]`.
  package static func bytes(_ stages: [SettlementStage]) -> [UInt8] {
    var writer = JSONWriter(capacity: 64 * stages.count + 2)
    writer.beginArray()
    for stage in stages {
      writer.object { writer in
        writer.field("step", stage.step.rawValue)
        writer.field("on", stage.on.description)
      }
    }
    writer.endArray()
    return writer.bytes
  }

  package static func parse(_ bytes: [UInt8]) throws -> [SettlementStage] {
    let limits = JSONLimits(maxBytes: 1 << 20, maxMembers: 100_000)
    let root = try JSONDocument(parsing: bytes, limits: limits).root
    return try (root.asArray.map(Array.init) ?? []).map { node in
      guard let step = node["step"]?.asString.flatMap(SettlementStep.init), let on = node["on"]?.asString,
        let date = CalendarDate(on)
      else { throw StoredValueError(column: "stages", value: node["step"]?.asString ?? "") }
      return SettlementStage(step: step, on: date)
    }
  }
}

/// Plans a settlement run; workers do it.
package struct PlanSettlementRun: Command {
  package static let action = "settlement_run.plan"
  package var staffDuty: Duty? { .operations }
  package let job: SettlementJob
  package let businessDate: CalendarDate
  /// What the maker was shown: the run does exactly this, or nothing.
  package let previewHash: DigestSum?

  package init(job: SettlementJob, businessDate: CalendarDate, previewHash: DigestSum? = nil) {
    self.job = job
    self.businessDate = businessDate
    self.previewHash = previewHash
  }

  package func decide(_ draft: inout Draft, by principal: Principal) throws -> PlannedRun {
    try principal.require(.admin)
    // Who asks is compared with who approves; only the platform's own automation is nobody.
    if principal != .automation { _ = try principal.requirePerson() }
    guard businessDate <= draft.today else { throw PlatformRefusal.dateAhead(businessDate, today: draft.today) }
    // On the wall clock a day that is closed before its end would leave the market without a day to post to.
    if job == .dayClose, businessDate == draft.today, !draft.clockIsSet {
      throw SettlementRefusal.dayNotOver(businessDate)
    }
    let stages = try SettlementStage.of(job, on: businessDate, closedThrough: draft.closedThrough)
    if previewHash != nil, stages.count != 1 { throw SettlementRefusal.noPreviewHash(job) }
    let run = PlannedRun(
      id: draft.ids.next(), job: job.rawValue, businessDate: businessDate, requestedBy: principal.personID,
      previewHash: previewHash, createdAt: draft.wallTime)
    draft.made.runs.append(run)
    draft.made.subject = run.id.value
    return run
  }
}

/// A person approves, cancels or resumes a run.
package struct ActOnSettlementRun: Command {
  package enum Act: String, Sendable, Hashable, CaseIterable {
    /// By somebody other than its maker.
    case approve
    /// What is done stays done; nothing more is.
    case cancel
    /// A failed run goes on where it stopped; what was given up is tried again.
    case resume
  }

  package static let action = "settlement_run.act"
  package var staffDuty: Duty? { .operations }
  package let runID: SettlementRunID
  package let act: Act
  package let ifVersion: Int64?

  package init(runID: SettlementRunID, act: Act, ifVersion: Int64?) {
    self.runID = runID
    self.act = act
    self.ifVersion = ifVersion
  }

  package func needs(_ state: BatchState) -> Set<Need> { [.settlementRun(runID)] }

  package func decide(_ draft: inout Draft, by principal: Principal) throws -> SettlementRun {
    try principal.require(.admin)
    let person = try principal.requirePerson()
    guard let run = draft.base.settlementRuns[runID] else { throw PartiesRefusal.notFound("settlement run") }
    try checkVersion(ifVersion, run.version)
    draft.made.subject = runID.value
    switch act {
    case .approve:
      guard run.approval == .awaited, run.state == .running else {
        throw SettlementRefusal.illegalState(run.state.rawValue, approval: run.approval.rawValue, act: act.rawValue)
      }
      guard person != run.requestedBy else { throw PartiesRefusal.samePerson("asked for the run") }
      draft.made.runActs.append(.approve(runID, by: person))
    case .cancel:
      guard run.state == .planned || run.state == .running else {
        throw SettlementRefusal.illegalState(run.state.rawValue, approval: run.approval.rawValue, act: act.rawValue)
      }
      draft.made.runActs.append(.cancel(runID))
    case .resume:
      guard run.state == .failed else {
        throw SettlementRefusal.illegalState(run.state.rawValue, approval: run.approval.rawValue, act: act.rawValue)
      }
      draft.made.runActs.append(.resume(runID))
    }
    return run
  }
}

/// Why a settlement run, or a part of one, is refused.
package enum SettlementRefusal: Refusal, Hashable {
  case dayNotOver(CalendarDate)
  case tooManyDays(Int64, most: Int64)
  case noPreviewHash(SettlementJob)
  case illegalState(String, approval: String, act: String)
  case daysOutOfOrder(CalendarDate, next: CalendarDate)
  case clientMoneyShort(currency: String, held: Int64, owed: Int64)
  case previewDiffers
  /// Statements are of whole months.
  case notMonthEnd(CalendarDate)
  /// Some day of the month is open still.
  case monthOpen(CalendarDate, CalendarDate?)
  /// The journal says otherwise than what was issued. A defect, told and never papered over.
  case statementDiffers(CalendarDate)

  package var kind: RefusalKind {
    switch self {
    case .tooManyDays, .noPreviewHash, .notMonthEnd: .invalid
    case .monthOpen, .statementDiffers: .conflict
    case .dayNotOver, .illegalState, .daysOutOfOrder, .clientMoneyShort, .previewDiffers: .conflict
    }
  }

  package var code: String {
    switch self {
    case .dayNotOver: "settlement.day_not_over"
    case .tooManyDays: "settlement.too_many_days"
    case .noPreviewHash: "settlement.no_preview_hash"
    case .illegalState: "settlement.illegal_state"
    case .daysOutOfOrder: "settlement.days_out_of_order"
    case .clientMoneyShort: "settlement.client_money_short"
    case .previewDiffers: "settlement.preview_differs"
    case .notMonthEnd: "settlement.not_month_end"
    case .monthOpen: "settlement.month_open"
    case .statementDiffers: "settlement.statement_differs"
    }
  }

  package var detail: String {
    switch self {
    case .dayNotOver(let date): "\(date) is not over: a day is closed after it has ended."
    case .tooManyDays(let days, let most): "\(days) days are open before it; one run closes \(most) at most."
    case .noPreviewHash(let job):
      "A \(job.rawValue) run has several stages, of which each depends on those before: no hash can bind it."
    case .illegalState(let state, let approval, let act):
      "The run is \(state) and its approval \(approval); it cannot \(act)."
    case .daysOutOfOrder(let date, let next): "\(date) cannot be closed: \(next) is the next day to close."
    case .clientMoneyShort(let currency, let held, let owed):
      "The client accounts hold \(held) minor units of \(currency), and \(owed) are owed to clients."
    case .notMonthEnd(let date): "\(date) is not the last day of a month."
    case .monthOpen(let date, let closed):
      "\(date) is not closed: \(closed.map { "days are closed through \($0)" } ?? "no day is closed yet")."
    case .statementDiffers(let date): "What was issued for the month that ends on \(date) is not what the journal says."
    case .previewDiffers: "What it would do now is not what was shown; nothing was done. Ask for a new preview."
    }
  }

  package var pointer: String? {
    switch self {
    case .dayNotOver, .tooManyDays, .daysOutOfOrder, .notMonthEnd, .monthOpen: "/business_date"
    case .noPreviewHash: "/parameters/preview_hash"
    default: nil
    }
  }
}
