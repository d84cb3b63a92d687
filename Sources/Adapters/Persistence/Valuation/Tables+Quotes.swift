import Postgres
import Primitives
import Valuation

/// A quote, with where it came from.
package struct ChipQuoteRow: Sendable, Hashable {
  package let id: ChipQuoteID
  package let quote: ChipQuote
  package let importID: ValuationImportID
  package let line: Int64
  package let recordedAt: Instant

  package init(
    id: ChipQuoteID, quote: ChipQuote, importID: ValuationImportID, line: Int64, recordedAt: Instant
  ) {
    self.id = id
    self.quote = quote
    self.importID = importID
    self.line = line
    self.recordedAt = recordedAt
  }
}

extension Tables {
  /// Never updated.
  package static let chipQuotes = Table<ChipQuoteRow>(
    "chip_quotes", sql: "chip_quotes", key: ["chip_model_id", "id"], idColumn: "id",
    columns: [
      .text("chip_model_id") { $0.quote.chip.value },
      .uuid("id") { $0.id.value },
      .date("quoted_on") { $0.quote.quotedOn },
      .text("kind") { $0.quote.kind.rawValue },
      .text("currency") { $0.quote.currency.code },
      .int8("micros") { $0.quote.micros },
      .text("basis") { $0.quote.basis },
      .int8("sample") { $0.quote.sample },
      .bool("is_estimate") { $0.quote.isEstimate },
      .text("seller") { $0.quote.seller },
      .text("region") { $0.quote.region },
      .text("source") { $0.quote.source },
      .text("notes") { $0.quote.notes },
      .bytes("fingerprint") { $0.quote.fingerprint.bytes },
      .uuid("import_id") { $0.importID.value },
      .int8("line") { $0.line },
      .instant("recorded_at") { $0.recordedAt },
    ],
    names: ("chip_quotes_by_id", "chip_quotes_insert", nil)
  ) { row in
    let chip = try row.chipModel()
    let id: ChipQuoteID = try row.id()
    let (date, kind, currency) = (try row.date(), try row.value(ChipQuote.Kind.self), try row.currency())
    let quote = ChipQuote(
      chip: chip, quotedOn: date, kind: kind, currency: currency, micros: try row.int(), basis: try row.text(),
      sample: try row.intOrNull(), isEstimate: try row.bool(), seller: try row.textOrNull(),
      region: try row.textOrNull(), source: try row.text(), notes: try row.textOrNull())
    guard try row.digest() == quote.fingerprint else {
      throw StoredValueError(column: "fingerprint", value: chip.value)
    }
    return ChipQuoteRow(
      id: id, quote: quote, importID: try row.id(), line: try row.int(), recordedAt: try row.instant())
  }
}

/// By which quotes a model is marked, as one person declares and another approves.
package struct MarkSeriesRow: Sendable, Hashable {
  package enum State: String, Sendable, Hashable, CaseIterable {
    /// Successor: `approved`.
    case proposed
    /// Until another of the same model and kind is approved.
    case approved
  }

  package let id: MarkSeriesID
  package let series: MarkSeries
  package var state: State
  package let proposedBy: PersonID
  package var approvedBy: PersonID?
  package var approvedAt: Instant?
  package var version: Int64
  package let createdAt: Instant
  package var updatedAt: Instant

  package init(
    id: MarkSeriesID, series: MarkSeries, state: State = .proposed, proposedBy: PersonID, approvedBy: PersonID? = nil,
    approvedAt: Instant? = nil, version: Int64 = 1, createdAt: Instant, updatedAt: Instant
  ) {
    self.id = id
    self.series = series
    self.state = state
    self.proposedBy = proposedBy
    self.approvedBy = approvedBy
    self.approvedAt = approvedAt
    self.version = version
    self.createdAt = createdAt
    self.updatedAt = updatedAt
  }
}

extension MarkSeriesRow: Stored {
  package mutating func stamp(_ now: Instant) { updatedAt = now }
}

/// The record of a derived mark.
package struct MarkDerivationRow: Sendable, Hashable {
  package let chip: ChipModelID
  package let markID: ValuationID
  package let seriesID: MarkSeriesID
  /// JSON text.
  package let bytes: [UInt8]
  package let recordedAt: Instant

  package init(chip: ChipModelID, markID: ValuationID, seriesID: MarkSeriesID, bytes: [UInt8], recordedAt: Instant) {
    self.chip = chip
    self.markID = markID
    self.seriesID = seriesID
    self.bytes = bytes
    self.recordedAt = recordedAt
  }
}

extension Tables {
  package static let markSeries = Table<MarkSeriesRow>(
    "mark_series", sql: "mark_series", key: ["chip_model_id", "id"], idColumn: "id",
    columns: [
      .text("chip_model_id") { $0.series.chip.value },
      .uuid("id") { $0.id.value },
      .text("kind") { $0.series.kind.rawValue },
      .text("quote_basis") { $0.series.quoteBasis },
      .text("currency") { $0.series.currency.code },
      .int8("least_quotes") { $0.series.leastQuotes },
      .int8("window_days") { $0.series.windowDays },
      .texts("curve") { $0.series.curve?.points.map(\.description) ?? [] },
      .int8("first_price_micros") { $0.series.curve?.firstPriceMicros },
      .date("first_price_on") { $0.series.curve?.firstPriceOn },
      .text("curve_source") { $0.series.curve?.source },
      .text("state") { $0.state.rawValue },
      .uuid("proposed_by") { $0.proposedBy.value },
      .uuidOrNull("approved_by") { $0.approvedBy?.value },
      .instant("approved_at") { $0.approvedAt },
      .int8("version") { $0.version },
      .instant("created_at") { $0.createdAt },
      .instant("updated_at") { $0.updatedAt },
    ],
    names: ("mark_series_by_id", "mark_series_insert", "mark_series_update")
  ) { row in
    let chip = try row.chipModel()
    let id: MarkSeriesID = try row.id()
    let (kind, basis, currency) = (try row.value(ChipQuote.Kind.self), try row.text(), try row.currency())
    let (least, window) = (try row.int(), try row.int())
    let points = try row.parsedList { DepreciationCurve.Point($0) }
    let (first, on, source) = (try row.intOrNull(), try row.dateOrNull(), try row.textOrNull())
    var curve: DepreciationCurve?
    if let first, let on, let source {
      curve = DepreciationCurve(points: points, firstPriceMicros: first, firstPriceOn: on, source: source)
      if curve == nil { throw StoredValueError(column: "curve", value: chip.value) }
    }
    guard
      let series = MarkSeries(
        chip: chip, kind: kind, quoteBasis: basis, currency: currency, leastQuotes: least, windowDays: window,
        curve: curve)
    else { throw StoredValueError(column: "window_days", value: chip.value) }
    return MarkSeriesRow(
      id: id, series: series, state: try row.value(), proposedBy: try row.id(), approvedBy: try row.idOrNull(),
      approvedAt: try row.instantOrNull(), version: try row.int(), createdAt: try row.instant(),
      updatedAt: try row.instant())
  }

  /// Never updated.
  package static let markDerivations = Table<MarkDerivationRow>(
    "mark_derivations", sql: "mark_derivations", key: ["chip_model_id", "mark_id"], idColumn: "mark_id",
    columns: [
      .text("chip_model_id") { $0.chip.value },
      .uuid("mark_id") { $0.markID.value },
      .uuid("series_id") { $0.seriesID.value },
      .bytes("digest") { SHA256Digest(of: $0.bytes).bytes },
      .bytes("bytes") { $0.bytes },
      .instant("recorded_at") { $0.recordedAt },
    ],
    names: ("mark_derivations_by_mark", "mark_derivations_insert", nil)
  ) { row in
    let chip = try row.chipModel()
    let (mark, series): (ValuationID, MarkSeriesID) = (try row.id(), try row.id())
    _ = try row.digest()
    return MarkDerivationRow(
      chip: chip, markID: mark, seriesID: series, bytes: try row.bytes(), recordedAt: try row.instant())
  }
}
