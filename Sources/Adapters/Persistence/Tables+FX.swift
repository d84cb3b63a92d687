import Postgres
import Primitives
import Repayment

/// The days of which a command needs the rates of a pair.
package struct FXSpan: Sendable, Hashable, Comparable {
  package let pair: FXPair
  package let from: CalendarDate
  package let through: CalendarDate

  package init(_ pair: FXPair, from: CalendarDate, through: CalendarDate) {
    self.pair = pair
    self.from = from
    self.through = through
  }

  package static func < (left: FXSpan, right: FXSpan) -> Bool {
    (left.pair, left.from, left.through) < (right.pair, right.from, right.through)
  }
}

extension Tables {
  package static let fxRates = Table<RecordedFXRate>(
    "fx_rates", sql: "fx_rates", key: ["pair", "id"], idColumn: "id",
    columns: [
      .text("pair") { $0.rate.pair.code },
      .uuid("id") { $0.id.value },
      .text("base") { $0.rate.base.code },
      .text("quote") { $0.rate.quote.code },
      .date("on_date") { $0.rate.on },
      .int8("mantissa") { $0.rate.mantissa },
      .int4("places") { Int32($0.rate.places) },
      .text("source") { $0.rate.source },
      .uuidOrNull("supersedes") { $0.supersedes?.value },
      .text("state") { $0.state.rawValue },
      .uuid("proposed_by") { $0.proposedBy.value },
      .uuidOrNull("decided_by") { $0.decidedBy?.value },
      .instant("decided_at") { $0.decidedAt },
      .instant("superseded_at") { $0.supersededAt },
      .text("reason") { $0.reason },
      .int8("version") { $0.version },
      .instant("created_at") { $0.createdAt },
      .instant("updated_at") { $0.updatedAt },
    ],
    names: ("fx_rates_by_id", "fx_rates_insert", "fx_rates_update")
  ) { row in
    // The pair is that of the two currencies; the table holds that.
    _ = try row.text()
    let id: FXRateID = try row.id()
    let (base, quote, on) = (try row.currency(), try row.currency(), try row.date())
    let (mantissa, places, source) = (try row.int(), Int(try row.int4()), try row.text())
    return RecordedFXRate(
      id: id,
      rate: try FXRate(base: base, quote: quote, mantissa: mantissa, places: places, on: on, source: source),
      supersedes: try row.idOrNull(), state: try row.value(), proposedBy: try row.id(), decidedBy: try row.idOrNull(),
      decidedAt: try row.instantOrNull(), supersededAt: try row.instantOrNull(), reason: try row.textOrNull(),
      version: try row.int(), createdAt: try row.instant(), updatedAt: try row.instant())
  }

  package static let cashConversions = Table<CashConversion>(
    "cash_conversions", sql: "cash_conversions", key: ["org_id", "id"], idColumn: "id",
    columns: [
      .uuid("org_id") { $0.organizationID.value },
      .uuid("id") { $0.id.value },
      .uuid("receipt_id") { $0.receiptID.value },
      .int8("amount") { $0.amount.amount },
      .text("currency") { $0.amount.currency.code },
      .int8("into_amount") { $0.into.amount },
      .text("into_currency") { $0.into.currency.code },
      .date("converted_on") { $0.convertedOn },
      .text("market_rate") { $0.marketRate },
      .text("evidence") { $0.evidence },
      .text("state") { $0.state.rawValue },
      .uuid("proposed_by") { $0.proposedBy.value },
      .uuidOrNull("decided_by") { $0.decidedBy?.value },
      .instant("decided_at") { $0.decidedAt },
      .text("reason") { $0.reason },
      .uuidOrNull("into_receipt_id") { $0.intoReceiptID?.value },
      .int8("version") { $0.version },
      .instant("created_at") { $0.createdAt },
      .instant("updated_at") { $0.updatedAt },
    ],
    names: ("cash_conversions_by_id", "cash_conversions_insert", "cash_conversions_update")
  ) { row in
    let organization: OrganizationID = try row.id()
    return CashConversion(
      id: try row.id(), organizationID: organization, receiptID: try row.id(), amount: try row.money(),
      into: try row.money(), convertedOn: try row.date(), marketRate: try row.text(), evidence: try row.text(),
      state: try row.value(), proposedBy: try row.id(), decidedBy: try row.idOrNull(),
      decidedAt: try row.instantOrNull(), reason: try row.textOrNull(), intoReceiptID: try row.idOrNull(),
      version: try row.int(), createdAt: try row.instant(), updatedAt: try row.instant())
  }
}

extension CashConversion: Stored {
  package mutating func stamp(_ now: Instant) { updatedAt = now }
}

/// Statements on rates beside those of the table.
package enum FXSQL {
  private static let inUse = Statement(
    "fx_rates_in_use",
    Tables.fxRates.selectList
      + """
      where state = 'approved' and exists (
        select 1 from unnest($1::text[], $2::date[], $3::date[]) as w (pair, first, last)
        where w.pair = fx_rates.pair and fx_rates.on_date between w.first and w.last)
      order by pair, on_date
      """, parameters: [.textArray, .dateArray, .dateArray], columns: Tables.fxRates.types)
  /// What was ever in use of a pair, from a day on: at most ten years of days, with corrections.
  private static let ofPair = Statement(
    "read_fx_rates_of_pair",
    Tables.fxRates.selectList
      + """
      where pair = $1 and state in ('approved', 'superseded') and on_date between $2 and $3
      order by on_date, decided_at, id limit 10000
      """, parameters: [.text, .date, .date], columns: Tables.fxRates.types)
  /// Whether a rate with these figures was ever in use.
  private static let known = Statement(
    "fx_rates_known",
    """
    select count(*) from fx_rates where base = $1 and quote = $2 and on_date = $3 and mantissa = $4 and places = $5
      and source = $6 and state in ('approved', 'superseded')
    """, parameters: [.text, .text, .date, .int8, .int4, .text], columns: [.int8])

  package static var statements: [Statement] { [inUse, ofPair, known] }

  /// The rates of pairs that are in use, of some days.
  package static func querying(_ spans: Set<FXSpan>) -> Query {
    let spans = spans.sorted()
    return Query(
      inUse,
      [
        .textArray(spans.map(\.pair.code)), .dateArray(spans.map(\.from.dayNumber)),
        .dateArray(spans.map(\.through.dayNumber)),
      ])
  }

  package static func history(_ span: FXSpan) -> Query {
    Query(ofPair, [.text(span.pair.code), .date(span.from.dayNumber), .date(span.through.dayNumber)])
  }

  package static func knowing(_ rate: FXRate) -> Query {
    Query(
      known,
      [
        .text(rate.base.code), .text(rate.quote.code), .date(rate.on.dayNumber), .int8(rate.mantissa),
        .int4(Int32(rate.places)), .text(rate.source),
      ])
  }

  static func lookups(_ spans: Set<FXSpan>) -> [Loader.Lookup] {
    if spans.isEmpty { return [] }
    let pairs = Set(spans.map(\.pair))
    return [
      Loader.Lookup(query: querying(spans)) { result, state in
        for pair in pairs where state.fxRatesOf[pair] == nil { state.fxRatesOf[pair] = [] }
        for rate in try Tables.fxRates.decode(result) {
          state.shelves.fxRates.load(rate)
          state.fxRatesOf[rate.rate.pair]?.insert(rate.id)
        }
      }
    ]
  }
}

extension ChangeWriter.Plan {
  /// What is superseded goes out of use before what takes its place comes in: of a pair and day one row is in use at any
  /// moment, also between two statements.
  mutating func writeRates(_ shelf: Shelf<RecordedFXRate>) {
    insert(Tables.fxRates, shelf.insertedRows)
    let updated = shelf.updatedRows
    for state in [FXRateState.superseded, .rejected, .approved] {
      let rows = updated.filter { $0.row.state == state }
      update(Tables.fxRates, rows.map(\.row), rows.map(\.loadedVersion))
    }
  }
}
