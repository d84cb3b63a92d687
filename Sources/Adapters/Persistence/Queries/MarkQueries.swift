import Postgres
import Primitives
import Valuation

/// "As of D as known at T": of one subject, and of all in one statement. Each walks the index backward from the day that
/// is asked for, and ends at the first mark that was known.
package enum MarkQueries {
  /// `$2` basis, `$3` day, `$4` moment.
  private static let standsThen: SQL = """
    and basis = $2 and effective_on <= $3 and recorded_at <= $4 and (superseded_at is null or superseded_at > $4)
    order by effective_on desc, recorded_at desc, id desc limit 1
    """

  package static let ofStartup = Statement(
    "mark_of_startup", Tables.startupMarks.selectList + "where borrower_id = $1" + standsThen,
    parameters: [.uuid, .text, .date, .timestamptz], columns: Tables.startupMarks.types)
  package static let ofChip = Statement(
    "mark_of_chip", Tables.chipMarks.selectList + "where chip_model_id = $1" + standsThen,
    parameters: [.text, .text, .date, .timestamptz], columns: Tables.chipMarks.types)

  /// Startups after `$1` in the order of their ids; `$5` the organisation that asks, null for those who read everything;
  /// `$6` how many. A startup of which nothing was known is left out.
  package static let ofStartups = Statement(
    "marks_of_startups",
    """
    select m.* from (
      select org_id as subject from organizations where $5::uuid is null and org_id > $1 and roles @> array['startup']
      union
      select borrower_id from loans where $5::uuid is not null and lender_id = $5 and state <> 'closed'
        and borrower_id > $1
      union
      select $5 where $5::uuid is not null and $5 > $1
      order by subject) s
    cross join lateral (
    """ + Tables.startupMarks.selectList + "where borrower_id = s.subject" + standsThen
      + ") m order by m.borrower_id limit $6",
    parameters: [.uuid, .text, .date, .timestamptz, .uuid, .int8], columns: Tables.startupMarks.types)

  /// These startups, in the order of their ids; one of which nothing was known is left out.
  package static let ofTheseStartups = Statement(
    "marks_of_these_startups",
    """
    select m.* from unnest($1::uuid[]) as s (subject)
    cross join lateral (
    """ + Tables.startupMarks.selectList + "where borrower_id = s.subject" + standsThen
      + ") m order by m.borrower_id",
    parameters: [.uuidArray, .text, .date, .timestamptz], columns: Tables.startupMarks.types)

  /// These chip models, in their order: the catalogue is small.
  package static let ofChips = Statement(
    "marks_of_chips",
    """
    select m.* from unnest($1::text[]) as s (subject)
    cross join lateral (
    """ + Tables.chipMarks.selectList + "where chip_model_id = s.subject" + standsThen
      + ") m order by m.chip_model_id",
    parameters: [.textArray, .text, .date, .timestamptz], columns: Tables.chipMarks.types)

  /// What was said of a startup's rounds, as known at a moment.
  package static let reports = Statement(
    "round_reports_known",
    Tables.roundReports.selectList
      + """
      where borrower_id = $1 and recorded_at <= $2 and not exists (
        select 1 from round_reports s where s.borrower_id = round_reports.borrower_id and s.supersedes = round_reports.id
          and s.recorded_at <= $2)
      order by announced_on, id
      """, parameters: [.uuid, .timestamptz], columns: Tables.roundReports.types)

  /// Open disputes of these marks.
  package static let disputed = Statement(
    "marks_disputed", "select distinct mark_id from mark_disputes where state = 'open' and mark_id = any($1)",
    parameters: [.uuidArray], columns: [.uuid])

  /// Loans of a chip model that were traded between two days.
  package static let trades = Statement(
    "trades_of_model",
    """
    select region, term_days, rate_bps, quantity, lender_id, borrower_id from loans
    where chip_model_id = $1 and trade_on between $2 and $3 order by trade_on, id
    """, parameters: [.text, .date, .date], columns: [.text, .int8, .int8, .int8, .uuid, .uuid])

  package static func trade(_ row: Row) throws -> RateIndex.Trade {
    var reader = RowReader(row)
    let (region, term, rate) = (try reader.text(), try reader.int(), try reader.bps())
    return RateIndex.Trade(
      region: region, termDays: term, rate: rate, quantity: try reader.int(), lender: try reader.id(),
      borrower: try reader.id())
  }

  /// Marks of chips that somebody disputes.
  package static let disputedOfChips = Statement(
    "chip_marks_disputed",
    "select distinct mark_id from mark_disputes where state = 'open' and chip_model_id = any($1)",
    parameters: [.textArray], columns: [.uuid])

  /// Marks of startups that somebody disputes.
  package static let disputedOfStartups = Statement(
    "startup_marks_disputed",
    "select distinct mark_id from mark_disputes where state = 'open' and startup_id = any($1)",
    parameters: [.uuidArray], columns: [.uuid])

  /// Marks by id, of whichever kind of subject.
  package static func byID(_ id: ValuationID) -> [Query] {
    [Tables.startupMarks.rows(by: [id.value]), Tables.chipMarks.rows(by: [id.value])]
  }

  package static var statements: [Statement] {
    [
      ofStartup, ofChip, ofStartups, ofTheseStartups, ofChips, reports, disputed, disputedOfChips, disputedOfStartups,
      trades,
    ]
  }

  /// What a subject was worth.
  package static func of(
    _ subject: ValuationSubject, _ basis: ValuationBasis, on date: CalendarDate, knownAt moment: Instant
  ) -> Query {
    let rest: [Bind] = [.text(basis.rawValue), .date(date.dayNumber), .timestamptz(moment.microseconds)]
    return switch subject {
    case .startup(let id): Query(ofStartup, [.uuid(id.value.bits)] + rest)
    case .chipModel(let id): Query(ofChip, [.text(id.value)] + rest)
    }
  }

  package static func ofChips(
    _ models: [ChipModelID], _ basis: ValuationBasis, on date: CalendarDate, knownAt moment: Instant
  ) -> Query {
    Query(
      ofChips,
      [
        .textArray(models.map(\.value)), .text(basis.rawValue), .date(date.dayNumber),
        .timestamptz(moment.microseconds),
      ])
  }

  package static func table(of subject: ValuationSubject) -> Table<ValuationMark> {
    switch subject {
    case .startup: Tables.startupMarks
    case .chipModel: Tables.chipMarks
    }
  }
}
