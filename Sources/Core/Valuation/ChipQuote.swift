import Primitives
import StrictCSV

/// What somebody asked or paid for a chip on a day, as it was found: raw, and never a mark by itself.
package struct ChipQuote: Sendable, Hashable {
  package enum Kind: String, Sendable, Hashable, CaseIterable {
    case unitPrice = "unit_price"
    /// Rent of one chip for one hour.
    case hourlyRate = "hourly_rate"

    /// The basis of marks that follow from such quotes.
    package var basis: ValuationBasis {
      switch self {
      case .unitPrice: .perChip
      case .hourlyRate: .perChipHour
      }
    }
  }

  package var chip: ChipModelID
  package var quotedOn: CalendarDate
  package var kind: Kind
  package var currency: Currency
  /// Millionths of the currency's unit: rates have four decimals and more.
  package var micros: Int64
  /// What exactly is priced, in the words of the source. Quotes of two bases are never put together.
  package var basis: String
  /// How many offers or providers it sums up; nil where it is one, or not told.
  package var sample: Int64?
  /// Derived by its source, not seen.
  package var isEstimate: Bool
  package var seller: String?
  package var region: String?
  package var source: String
  package var notes: String?

  package init(
    chip: ChipModelID, quotedOn: CalendarDate, kind: Kind, currency: Currency, micros: Int64, basis: String,
    sample: Int64?, isEstimate: Bool, seller: String?, region: String?, source: String, notes: String?
  ) {
    self.chip = chip
    self.quotedOn = quotedOn
    self.kind = kind
    self.currency = currency
    self.micros = micros
    self.basis = basis
    self.sample = sample
    self.isEstimate = isEstimate
    self.seller = seller
    self.region = region
    self.source = source
    self.notes = notes
  }

  /// Above zero, and small enough that 10,000 of them add up within Int64.
  package static let micros: ClosedRange<Int64> = 1...100_000_000_000_000

  /// Equal for two quotes that say the same, in whichever file and line they stand.
  package var fingerprint: SHA256Digest {
    var bytes = CanonicalBytes()
    for text in [chip.value, quotedOn.description, kind.rawValue, currency.code, basis, source] { bytes.append(text) }
    bytes.append(micros)
    bytes.append(optional: sample) { $0.append($1) }
    bytes.append(Int64(isEstimate ? 1 : 0))
    for text in [seller, region, notes] { bytes.append(optional: text) { $0.append($1) } }
    return bytes.digest
  }

  /// In minor units of its currency, rounded half to even.
  package var money: Money? {
    let scaled = WideInteger(micros) * .powerOfTen(currency.minorUnitDigits)
    guard let minor = try? scaled.divided(by: 1_000_000, rounding: .halfEven).int64 else { return nil }
    return Money(minor, currency)
  }
}

extension ChipQuote {
  /// The columns of the file; `seller` and `region` may be columns besides.
  package static let columns = [
    "date", "chip_id", "kind", "currency", "amount", "basis", "n_providers_or_quotes", "estimate", "source", "notes",
  ]

  /// Every line of a file of prices.
  /// - Throws: `CSVFailure` for what is no table of this kind.
  package static func read(csv bytes: [UInt8]) throws(CSVFailure) -> [ImportLine<ChipQuote>] {
    let table = try CSVTable(parsing: bytes)
    let missing = table.missing(columns)
    guard missing.isEmpty else {
      throw CSVFailure(line: 1, reason: "the header lacks \(missing.joined(separator: ", "))")
    }
    let unknown = table.header.filter { !["seller", "region"].contains($0) && !columns.contains($0) }
    guard unknown.isEmpty else {
      throw CSVFailure(line: 1, reason: "the header has unknown columns: \(unknown.joined(separator: ", "))")
    }
    var seen: [SHA256Digest: Int] = [:]
    return table.rows.map { row in
      var fields = RowFields(row)
      let quote = read(&fields)
      if let quote, let earlier = seen.updateValue(row.line, forKey: quote.fingerprint) {
        fields.fault("chip_id", "line.repeated", "says what line \(earlier) says")
      }
      return ImportLine(line: row.line, value: quote, faults: fields.faults)
    }
  }

  private static func read(_ fields: inout RowFields) -> ChipQuote? {
    let date = fields.parsed("date", "a calendar date YYYY-MM-DD") { CalendarDate($0) }
    let chip = fields.parsed("chip_id", "the id of a chip model") { ChipModelID($0) }
    let kind = fields.enumeration("kind", as: Kind.self)
    let currency = fields.parsed("currency", "a currency by its three capital letters") { Currency($0) }
    let micros = fields.parsed("amount", "an amount above zero with at most six decimals") { text -> Int64? in
      guard let number = DecimalNumeral(text)?.trimmed, number.places <= 6,
        let micros = (number.unscaled * .powerOfTen(6 - number.places)).int64, Self.micros.contains(micros)
      else { return nil }
      return micros
    }
    let basis = fields.text("basis", bytes: 1...200)
    let sample =
      fields.text("n_providers_or_quotes") == nil
      ? nil
      : fields.parsed("n_providers_or_quotes", "a whole number above zero") { text in
        Int64(text).flatMap { (1...1_000_000).contains($0) ? $0 : nil }
      }
    let isEstimate = fields.parsed("estimate", "yes or no") { ["yes": true, "no": false][$0] }
    let (seller, region) = (fields.text("seller", bytes: 0...200), fields.text("region", bytes: 0...64))
    let source = fields.text("source", bytes: 1...500)
    let notes = fields.text("notes", bytes: 0...1_000)
    guard let date, let chip, let kind, let currency, let micros, let basis, let isEstimate, let source else {
      return nil
    }
    return ChipQuote(
      chip: chip, quotedOn: date, kind: kind, currency: currency, micros: micros, basis: basis, sample: sample,
      isEstimate: isEstimate, seller: seller, region: region, source: source, notes: notes)
  }
}
