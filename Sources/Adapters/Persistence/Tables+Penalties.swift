import Interest
import Lending
import Postgres
import Primitives
import StrictJSON

/// A penalty that was charged on a loan for some days, or what of one was taken back.
package struct PenaltyRow: Sendable, Hashable {
  package let id: PenaltyID
  package let borrowerID: OrganizationID
  package let lenderID: OrganizationID
  package let loanID: LoanID
  /// The charge of which this takes days back; nil for a charge.
  package let reverses: PenaltyID?
  package let from: CalendarDate
  /// The first day that is no longer of it.
  package let to: CalendarDate
  /// Without those of a payment holiday.
  package let days: Int64
  /// What was overdue over all of them, minor units.
  package let base: Int64
  package let rate: BasisPoints
  package let yearDays: Int64
  /// Posted, in minor units of the loan's currency; negative for what was taken back.
  package let amount: Int64
  package let residueBefore: Int64
  package let residueAfter: Int64
  /// The loan's cap cut it.
  package let isCapped: Bool
  /// nil where it came to no minor unit.
  package let entryID: JournalEntryID?
  package let bookedOn: CalendarDate
  package let recordedAt: Instant

  package init(
    id: PenaltyID, borrowerID: OrganizationID, lenderID: OrganizationID, loanID: LoanID, reverses: PenaltyID?,
    from: CalendarDate, to: CalendarDate, days: Int64, base: Int64, rate: BasisPoints, yearDays: Int64, amount: Int64,
    residueBefore: Int64, residueAfter: Int64, isCapped: Bool, entryID: JournalEntryID?, bookedOn: CalendarDate,
    recordedAt: Instant
  ) {
    self.id = id
    self.borrowerID = borrowerID
    self.lenderID = lenderID
    self.loanID = loanID
    self.reverses = reverses
    self.from = from
    self.to = to
    self.days = days
    self.base = base
    self.rate = rate
    self.yearDays = yearDays
    self.amount = amount
    self.residueBefore = residueBefore
    self.residueAfter = residueAfter
    self.isCapped = isCapped
    self.entryID = entryID
    self.bookedOn = bookedOn
    self.recordedAt = recordedAt
  }
}

extension Tables {
  /// Never updated.
  package static let penalties = Table<PenaltyRow>(
    "loan_penalties", sql: "loan_penalties", key: ["borrower_id", "id"], idColumn: "id",
    columns: [
      .uuid("borrower_id") { $0.borrowerID.value },
      .uuid("id") { $0.id.value },
      .uuid("lender_id") { $0.lenderID.value },
      .uuid("loan_id") { $0.loanID.value },
      .uuidOrNull("reverses") { $0.reverses?.value },
      .date("from_on") { $0.from },
      .date("to_on") { $0.to },
      .int8("days") { $0.days },
      .int8("base") { $0.base },
      .int8("rate_bps") { $0.rate.value },
      .int8("year_days") { $0.yearDays },
      .int8("amount") { $0.amount },
      .int8("residue_before") { $0.residueBefore },
      .int8("residue_after") { $0.residueAfter },
      .bool("is_capped") { $0.isCapped },
      .uuidOrNull("entry_id") { $0.entryID?.value },
      .date("booked_on") { $0.bookedOn },
      .instant("recorded_at") { $0.recordedAt },
    ],
    names: ("loan_penalties_by_id", "loan_penalties_insert", nil)
  ) { row in
    let borrower: OrganizationID = try row.id()
    let id: PenaltyID = try row.id()
    let (lender, loan): (OrganizationID, LoanID) = (try row.id(), try row.id())
    let reverses: PenaltyID? = try row.idOrNull()
    return PenaltyRow(
      id: id, borrowerID: borrower, lenderID: lender, loanID: loan, reverses: reverses, from: try row.date(),
      to: try row.date(), days: try row.int(), base: try row.int(), rate: try row.bps(), yearDays: try row.int(),
      amount: try row.int(), residueBefore: try row.int(), residueAfter: try row.int(), isCapped: try row.bool(),
      entryID: try row.idOrNull(), bookedOn: try row.date(), recordedAt: try row.instant())
  }

  /// The columns of `loans` for what lateness costs and how late the loan was found.
  static let loanLatenessColumns: [Column<Loan>] = [
    .int8("penalty_rate_bps") { $0.terms.penalty.rate.value },
    .int8("penalty_grace_days") { $0.terms.penalty.graceDays },
    .int8("penalty_cap_bps") { $0.terms.penalty.cap?.value },
    .text("business_day") { $0.terms.businessDay.rawValue },
    .json("pauses") { pauseBytes($0.life.pauses) },
    .date("penalty_through") { $0.life.penalty.through },
    .int8("penalty_total") { $0.life.penalty.total },
    .int8("penalty_residue") { $0.life.penalty.residue },
    .int8("penalty_most") { $0.life.penalty.most },
    .date("lateness_on") { $0.life.lateness?.on },
    .int8("days_past_due") { $0.life.lateness?.daysPastDue },
    .text("lateness_bucket") { $0.life.lateness?.bucket },
  ]

  private static func pauseBytes(_ pauses: [LoanLife.Pause]) -> [UInt8] {
    var writer = JSONWriter(capacity: 32)
    writer.beginArray()
    for pause in pauses {
      writer.object { writer in
        writer.field("from", pause.from.description)
        writer.field("through", pause.through.description)
      }
    }
    writer.endArray()
    return writer.bytes
  }

  /// What the columns say beside the terms.
  static func readLateness(_ row: inout RowReader) throws -> (
    pauses: [LoanLife.Pause], penalty: LoanLife.Penalty, lateness: LoanLife.Lateness?
  ) {
    let pauses = try row.json().elements.map { element in
      guard let from = element["from"]?.asString.flatMap({ CalendarDate($0) }),
        let through = element["through"]?.asString.flatMap({ CalendarDate($0) })
      else { throw StoredValueError(column: "pauses", value: "not a pause") }
      return LoanLife.Pause(from: from, through: through)
    }
    let penalty = LoanLife.Penalty(
      through: try row.dateOrNull(), total: try row.int(), residue: try row.int(), most: try row.intOrNull())
    let (on, days, bucket) = (try row.dateOrNull(), try row.intOrNull(), try row.textOrNull())
    guard let on, let days, let bucket else { return (pauses, penalty, nil) }
    return (pauses, penalty, LoanLife.Lateness(on: on, daysPastDue: days, bucket: bucket))
  }
}
