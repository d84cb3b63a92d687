import Postgres
import Primitives
import Valuation

/// What deriving marks must see: the series that hold, and the quotes of their windows.
package struct DerivationBasis: Sendable {
  package var series: [MarkSeriesRow] = []
  /// In the order in which they were recorded.
  package var quotes: [ChipQuoteRow] = []

  package init() {}
}

package enum QuoteSQL {
  private static let known = Statement(
    "chip_quotes_known", "select fingerprint from chip_quotes where fingerprint = any($1)", parameters: [.byteaArray],
    columns: [.bytea])
  /// The newest approved of each model and kind.
  private static let series = Statement(
    "mark_series_that_hold",
    Tables.markSeries.selectList
      + """
      where state = 'approved' and not exists (
        select 1 from mark_series n where n.chip_model_id = mark_series.chip_model_id and n.kind = mark_series.kind
          and n.state = 'approved' and (n.approved_at, n.id) > (mark_series.approved_at, mark_series.id))
      order by chip_model_id, kind
      """, columns: Tables.markSeries.types)
  private static let quotes = Statement(
    "chip_quotes_of_windows",
    Tables.chipQuotes.selectList
      + """
      where quoted_on <= $1 and exists (
        select 1 from mark_series s where s.chip_model_id = chip_quotes.chip_model_id and s.kind = chip_quotes.kind
          and s.quote_basis = chip_quotes.basis and s.state = 'approved'
          and chip_quotes.quoted_on > $1 - s.window_days::integer)
      order by recorded_at, line, id
      """, parameters: [.date], columns: Tables.chipQuotes.types)
  package static let seriesOfModel = Statement(
    "mark_series_of_model", Tables.markSeries.selectList + "where chip_model_id = $1 order by created_at, id",
    parameters: [.text], columns: Tables.markSeries.types)

  package static var statements: [Statement] { [known, series, quotes, seriesOfModel] }

  static func lookups(known fingerprints: [SHA256Digest], on dates: [CalendarDate]) -> [Loader.Lookup] {
    var lookups: [Loader.Lookup] = []
    if !fingerprints.isEmpty {
      lookups.append(
        Loader.Lookup(query: Query(known, [.byteaArray(fingerprints.map(\.bytes))])) { result, state in
          for row in result {
            var reader = RowReader(row)
            state.valuation.knownQuotes.insert(try reader.digest())
          }
        })
    }
    for date in dates.sorted() {
      lookups.append(
        Loader.Lookup(query: Query(series)) { result, state in
          state.valuation.derivation[date, default: DerivationBasis()].series = try Tables.markSeries.decode(result)
        })
      lookups.append(
        Loader.Lookup(query: Query(quotes, [.date(date.dayNumber)])) { result, state in
          state.valuation.derivation[date, default: DerivationBasis()].quotes = try Tables.chipQuotes.decode(result)
        })
    }
    return lookups
  }
}
