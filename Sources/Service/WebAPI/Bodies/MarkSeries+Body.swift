import Operations
import Persistence
import Primitives
import StrictJSON
import Valuation

extension ProposeSeries {
  /// `kind`, `quote_basis`, `currency`, `least_quotes`, `window_days`, `curve`? {`points` [{`age_months`, `residual_bps`}],
  /// `first_price_micros`, `first_price_on`, `source`}
  package static func parse(_ reader: inout ObjectReader, chip: ChipModelID) -> ProposeSeries? {
    let kind = reader.enumeration("kind", as: ChipQuote.Kind.self)
    let basis = reader.string("quote_basis", bytes: BodyBounds.reference)
    let currency = reader.parsed(
      "currency", expected: "a currency by its three capital letters (ISO 4217)", bytes: 3...3
    ) { Currency($0) }
    let least = reader.int("least_quotes", 1...1_000)
    let window = reader.int("window_days", 1...400)
    let hasCurve = reader.presence("curve") == .value
    let curve = reader.optionalObject("curve") { Self.curve(&$0) }
    guard let kind, let basis, let currency, let least, let window, !hasCurve || curve != nil,
      let series = MarkSeries(
        chip: chip, kind: kind, quoteBasis: basis, currency: currency, leastQuotes: least, windowDays: window,
        curve: curve)
    else { return nil }
    return ProposeSeries(series: series)
  }

  private static func curve(_ reader: inout ObjectReader) -> DepreciationCurve? {
    let points = reader.objects("points", count: 1...60) { reader -> DepreciationCurve.Point? in
      let age = reader.int("age_months", 1...240)
      let residual = reader.rate("residual_bps", BodyBounds.shareBps)
      guard let age, let residual else { return nil }
      return DepreciationCurve.Point(ageMonths: Int(age), residual: residual)
    }
    let price = reader.int("first_price_micros", ChipQuote.micros)
    let on = reader.date("first_price_on")
    let source = reader.string("source", bytes: BodyBounds.source)
    guard let points, let price, let on, let source else { return nil }
    let curve = DepreciationCurve(points: points, firstPriceMicros: price, firstPriceOn: on, source: source)
    if curve == nil {
      reader.fault("points", code: BodyFaultCode.conflict, detail: "must rise in age, and never in what is left")
    }
    return curve
  }
}

extension MarkSeriesRow {
  package func write(to writer: inout JSONWriter) {
    writer.object { writer in
      writer.field("id", id)
      writer.field("state", state)
      writer.field("chip_model_id", series.chip)
      writer.field("kind", series.kind)
      writer.field("quote_basis", series.quoteBasis)
      writer.field("currency", series.currency.code)
      writer.field("least_quotes", series.leastQuotes)
      writer.field("window_days", series.windowDays)
      writer.object("curve", series.curve) { writer, curve in
        writer.array("points", curve.points) { writer, point in
          writer.object { writer in
            writer.field("age_months", Int64(point.ageMonths))
            writer.field("residual_bps", point.residual)
          }
        }
        writer.field("first_price_micros", curve.firstPriceMicros)
        writer.field("first_price_on", curve.firstPriceOn)
        writer.field("source", curve.source)
      }
      writer.field("rule", MarkDerivation.rule)
      writer.field("proposed_by", proposedBy)
      writer.field("approved_by", approvedBy)
      writer.field("approved_at", approvedAt)
      writer.history(version: version, createdAt: createdAt, updatedAt: updatedAt)
    }
  }
}

extension ChipQuoteRow {
  func write(to writer: inout JSONWriter) {
    writer.object { writer in
      writer.field("id", id)
      writer.field("chip_model_id", quote.chip)
      writer.field("quoted_on", quote.quotedOn)
      writer.field("kind", quote.kind)
      writer.field("currency", quote.currency.code)
      writer.field("micros", quote.micros)
      writer.field("basis", quote.basis)
      writer.field("sample", quote.sample)
      writer.field("is_estimate", quote.isEstimate)
      writer.field("seller", quote.seller)
      writer.field("region", quote.region)
      writer.field("source", quote.source)
      writer.field("notes", quote.notes)
      writer.field("import_id", importID)
      writer.field("line", line)
      writer.field("recorded_at", recordedAt)
    }
  }
}
