import Primitives
import StrictJSON

/// What is left of a chip's first price by its age, where nobody quotes it: whoever declares it names its source.
package struct DepreciationCurve: Sendable, Hashable {
  /// The share that is left at an age.
  package struct Point: Sendable, Hashable, CustomStringConvertible {
    package let ageMonths: Int
    package let residual: BasisPoints

    /// - Returns: nil for an age outside of 1 to 240 months, or a share outside of 0 to the whole.
    package init?(ageMonths: Int, residual: BasisPoints) {
      guard (1...240).contains(ageMonths), (0...10_000).contains(residual.value) else { return nil }
      self.ageMonths = ageMonths
      self.residual = residual
    }

    /// `12:6000`.
    package init?(_ text: String) {
      let parts = text.split(separator: ":", omittingEmptySubsequences: false)
      guard parts.count == 2, let age = Int(parts[0]), let residual = Int64(parts[1]) else { return nil }
      self.init(ageMonths: age, residual: BasisPoints(residual))
    }

    package var description: String { "\(ageMonths):\(residual.value)" }
  }

  package let points: [Point]
  /// Millionths of the currency's unit.
  package let firstPriceMicros: Int64
  package let firstPriceOn: CalendarDate
  package let source: String

  /// - Returns: nil where the points are none, not ascending by age, or rise again with it: a chip that is worth more for
  ///   being older is a mark of another kind.
  package init?(points: [Point], firstPriceMicros: Int64, firstPriceOn: CalendarDate, source: String) {
    guard !points.isEmpty, ChipQuote.micros.contains(firstPriceMicros),
      zip(points, points.dropFirst()).allSatisfy({ pair in
        pair.0.ageMonths < pair.1.ageMonths && pair.0.residual >= pair.1.residual
      })
    else { return nil }
    self.points = points
    self.firstPriceMicros = firstPriceMicros
    self.firstPriceOn = firstPriceOn
    self.source = source
  }

  /// What is left on a day, in millionths, rounded down: linear by days between two ages; past the last age what is left
  /// there, since nothing is known of later.
  /// - Returns: nil before the first price.
  package func micros(on date: CalendarDate) -> Int64? {
    guard date >= firstPriceOn else { return nil }
    var (left, share): (CalendarDate, Int64) = (firstPriceOn, 10_000)
    for point in points {
      guard let right = firstPriceOn.adding(months: point.ageMonths) else { return nil }
      if date < right {
        let span = Int128(left.days(to: right))
        let gone = Int128(share - point.residual.value) * Int128(left.days(to: date))
        // share - gone/span of the price, over 10,000, in one division.
        let scaled = Int128(firstPriceMicros) * (Int128(share) * span - gone)
        return try? scaled.divided(by: span * 10_000, rounding: .down).asInt64()
      }
      (left, share) = (right, point.residual.value)
    }
    return try? (Int128(firstPriceMicros) * Int128(share)).divided(by: 10_000, rounding: .down).asInt64()
  }
}

/// By which quotes a chip model is marked: one kind, one basis, one currency, never put together with another.
package struct MarkSeries: Sendable, Hashable {
  package let chip: ChipModelID
  package let kind: ChipQuote.Kind
  /// In the words of the quotes.
  package let quoteBasis: String
  package let currency: Currency
  /// Quotes that must be left once outliers are out, 1 to 1,000.
  package let leastQuotes: Int64
  /// Days up to the date, itself included, whose quotes count: 1 to 400.
  package let windowDays: Int64
  /// What is taken where quotes are missing; nil for no mark then.
  package let curve: DepreciationCurve?

  package init?(
    chip: ChipModelID, kind: ChipQuote.Kind, quoteBasis: String, currency: Currency, leastQuotes: Int64,
    windowDays: Int64, curve: DepreciationCurve?
  ) {
    guard (1...1_000).contains(leastQuotes), (1...400).contains(windowDays) else { return nil }
    self.chip = chip
    self.kind = kind
    self.quoteBasis = quoteBasis
    self.currency = currency
    self.leastQuotes = leastQuotes
    self.windowDays = windowDays
    self.curve = curve
  }

  /// Whether a quote is of this series, whatever its day.
  package func takes(_ quote: ChipQuote) -> Bool {
    quote.chip == chip && quote.kind == kind && quote.basis == quoteBasis && quote.currency == currency
  }
}

/// How a mark came about, or why there is none.
package struct MarkDerivation: Sendable, Hashable {
  /// A quote that counted, or why it did not.
  package struct Entry: Sendable, Hashable {
    package let id: ChipQuoteID
    package let quotedOn: CalendarDate
    package let micros: Int64
    package let source: String
    package let fate: Fate
  }

  package enum Fate: String, Sendable, Hashable, CaseIterable {
    case used
    /// Farther from the median than the rule allows.
    case outlier
    /// The same source quotes a later day, or the same day anew.
    case replaced
  }

  package let on: CalendarDate
  /// `index` from quotes, `model` from the curve.
  package let method: ValuationMethod
  package let amount: Money
  package let entries: [Entry]
  package let median: Int64?

  /// The rule that tells outliers, as it is published.
  package static let rule =
    "A quote is left out where its ratio to the median, taken above one, exceeds both 11/10 and the fifth power of the "
    + "median of these ratios: five median absolute deviations of the logarithm of the price, computed exactly. Of one "
    + "source the latest quote of the window counts. The mark is the median of what is left, the mean of the middle two "
    + "where their number is even, rounded half to even to the minor unit."

  /// - Parameter quotes: of the series, by whoever recorded them up to now; later recorded ones after earlier ones.
  /// - Returns: nil where there are too few quotes and no curve says anything.
  package init?(_ series: MarkSeries, on date: CalendarDate, quotes: [(id: ChipQuoteID, quote: ChipQuote)]) {
    let inWindow = quotes.filter { entry in
      series.takes(entry.quote) && entry.quote.quotedOn <= date
        && entry.quote.quotedOn.days(to: date) < series.windowDays
    }
    // The latest of each source; of one day the one that was recorded last.
    var latest: [String: Int] = [:]
    for (index, entry) in inWindow.enumerated() {
      let source = "\(entry.quote.source)\u{0}\(entry.quote.seller ?? "")\u{0}\(entry.quote.region ?? "")"
      if let other = latest[source], inWindow[other].quote.quotedOn > entry.quote.quotedOn { continue }
      latest[source] = index
    }
    let counted = Set(latest.values)
    let live = inWindow.indices.filter { counted.contains($0) }
    let outliers = Self.outliers(live.map { inWindow[$0].quote.micros })
    let outlying = Set(zip(live, outliers).compactMap { index, isOut in isOut ? index : nil })
    entries = inWindow.enumerated().map { index, entry in
      Entry(
        id: entry.id, quotedOn: entry.quote.quotedOn, micros: entry.quote.micros, source: entry.quote.source,
        fate: outlying.contains(index) ? .outlier : counted.contains(index) ? .used : .replaced)
    }
    on = date
    let used = entries.filter { $0.fate == .used }.map(\.micros)
    let micros: Int64
    if Int64(used.count) >= series.leastQuotes, let middle = Self.median(used) {
      (method, micros, median) = (.index, middle, middle)
    } else if let modelled = series.curve?.micros(on: date), modelled > 0 {
      (method, micros, median) = (.model, modelled, nil)
    } else {
      return nil
    }
    let scaled = WideInteger(micros) * .powerOfTen(series.currency.minorUnitDigits)
    guard let minor = try? scaled.divided(by: 1_000_000, rounding: .halfEven).int64, minor > 0 else { return nil }
    amount = Money(minor, series.currency)
  }

  /// The middle value; of an even number the mean of the middle two, rounded half to even. Values are within
  /// `ChipQuote.micros`, so two of them add up.
  package static func median(_ values: [Int64]) -> Int64? {
    guard !values.isEmpty else { return nil }
    let sorted = values.sorted()
    let middle = sorted.count / 2
    if sorted.count % 2 == 1 { return sorted[middle] }
    return try? (Int128(sorted[middle - 1]) + Int128(sorted[middle])).divided(by: 2, rounding: .halfEven).asInt64()
  }

  /// Which of these prices the rule leaves out. The distance of logarithms is the ratio of prices, so no logarithm is taken.
  package static func outliers(_ values: [Int64]) -> [Bool] {
    guard values.count > 2 else { return values.map { _ in false } }
    // Of an even number the lower of the middle two: an exact member of the prices.
    let center = values.sorted()[(values.count - 1) / 2]
    let ratios = values.map { value in
      ExactRational(WideInteger(max(value, center))) * Self.inverse(min(value, center))
    }
    let spread = ratios.sorted()[(ratios.count - 1) / 2].power(5)
    let floor = ExactRational(WideInteger(11)) * Self.inverse(10)
    return ratios.map { $0 > spread && $0 > floor }
  }

  /// One over a price, which is above zero.
  private static func inverse(_ value: Int64) -> ExactRational {
    (try? ExactRational(WideInteger(1), over: WideInteger(value))) ?? .zero
  }

  /// The record, as JSON in one spelling: equal derivations have equal bytes.
  package func bytes(_ series: MarkSeries) -> [UInt8] {
    var writer = JSONWriter(capacity: 256 + entries.count * 128)
    writer.object { writer in
      writer.field("chip_model_id", series.chip.value)
      writer.field("on", on.description)
      writer.field("method", method.rawValue)
      writer.field("amount", amount.amount)
      writer.field("currency", amount.currency.code)
      writer.field("kind", series.kind.rawValue)
      writer.field("quote_basis", series.quoteBasis)
      writer.field("least_quotes", series.leastQuotes)
      writer.field("window_days", series.windowDays)
      writer.field("rule", Self.rule)
      writer.field("median_micros", median)
      if method == .model, let curve = series.curve {
        writer.object("curve") { writer in
          writer.field("points", curve.points.map(\.description).joined(separator: " "))
          writer.field("first_price_micros", curve.firstPriceMicros)
          writer.field("first_price_on", curve.firstPriceOn.description)
          writer.field("source", curve.source)
        }
      }
      writer.array("quotes", entries) { writer, entry in
        writer.object { writer in
          writer.field("id", entry.id.description)
          writer.field("quoted_on", entry.quotedOn.description)
          writer.field("micros", entry.micros)
          writer.field("source", entry.source)
          writer.field("fate", entry.fate.rawValue)
        }
      }
    }
    return writer.bytes
  }
}
