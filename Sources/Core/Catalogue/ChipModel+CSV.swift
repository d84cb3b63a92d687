import Primitives
import StrictCSV

extension ChipModel {
  /// The columns of the catalogue's file.
  package enum Column {
    package static let id = "id"
    package static let vendor = "vendor"
    package static let model = "model"
    package static let formFactor = "form_factor"
    package static let releaseDate = "release_date"
    package static let memoryGB = "memory_gb"
    package static let memoryType = "memory_type"
    package static let memoryBandwidth = "memory_bandwidth_gbs"
    package static let interconnect = "interconnect_gbs"
    package static let pcie = "pcie_gbs"
    package static let ioTotal = "io_total_gbs"
    package static let dieArea = "die_area_mm2"
    package static let process = "process_nm"
    package static let tdp = "tdp_watts"
    package static let tpp = "tpp"
    package static let vendorClass = "vendor_class"
    package static let designerOrigin = "designer_origin"
    package static let gp10Named = "gp10_named"
    package static let price = "typical_price_usd"
    package static let priceYear = "price_year"
    package static let priceKind = "price_kind"
    package static let priceSource = "price_source"
    package static let specConfidence = "spec_confidence"
    package static let source = "source"
    package static let notes = "notes"

    /// Without these a file cannot be classified: a figure that is missing for a misspelt header would pass for
    /// unknown, and where another format is known, for a weaker chip.
    package static let required =
      [id, interconnect, pcie, dieArea, vendorClass] + NumericFormat.allCases.map(\.column)
  }

  /// Reads a whole file of chip models.
  /// - Throws: `CSVFailure` with the line: crooked CSV, a column missing, a value that is no figure, an id twice.
  package static func models(fromCSV bytes: [UInt8]) throws(CSVFailure) -> [ChipModel] {
    let table = try CSVTable(parsing: bytes)
    let missing = table.missing(Column.required)
    guard missing.isEmpty else {
      throw CSVFailure(line: 1, reason: "the header lacks \(missing.joined(separator: ", "))")
    }
    var models: [ChipModel] = []
    var seen: Set<ChipModelID> = []
    for row in table.rows {
      let model = try ChipModel(row: row)
      guard seen.insert(model.id).inserted else {
        throw CSVFailure(line: row.line, reason: "the chip \(model.id) stands twice")
      }
      models.append(model)
    }
    return models
  }

  /// One record. Empty is unknown; `tpp`, `io_total_gbs` and what else can be computed is computed.
  /// - Throws: `CSVFailure` that names line and column.
  package init(row: CSVTable.Row) throws(CSVFailure) {
    func read<Value>(_ column: String, _ expected: String, _ parse: (String) -> Value?) throws(CSVFailure) -> Value? {
      guard let text = row[column], !text.isEmpty else { return nil }
      guard let value = parse(text) else {
        throw CSVFailure(line: row.line, reason: "\(column) must be \(expected), not \(quoted(text))")
      }
      return value
    }
    func figure(_ column: String) throws(CSVFailure) -> ExactDecimal? {
      try read(column, "a decimal of at most \(ExactDecimal.maxDigits) digits") { ExactDecimal($0) }
    }
    func text(_ column: String) -> String? { row[column].flatMap { $0.isEmpty ? nil : $0 } }

    guard let id = try read(Column.id, "1 to 64 of a-z 0-9 - .", { ChipModelID($0) }) else {
      throw CSVFailure(line: row.line, reason: "the chip has no id")
    }
    var draft = ChipModelDraft(id: id)
    draft.vendor = text(Column.vendor) ?? "unknown"
    draft.model = text(Column.model) ?? id.value
    draft.formFactor = text(Column.formFactor)
    draft.releasedOn = try read(Column.releaseDate, "YYYY-MM-DD, YYYY-MM or YYYY") { PartialDate($0) }
    draft.memoryGB = try figure(Column.memoryGB)
    draft.memoryType = text(Column.memoryType)
    draft.memoryBandwidthGBs = try figure(Column.memoryBandwidth)
    draft.interconnectGBs = try figure(Column.interconnect)
    draft.pcieGBs = try figure(Column.pcie)
    draft.givenIOTotalGBs = try figure(Column.ioTotal)
    for format in NumericFormat.allCases { draft.dense[format] = try figure(format.column) }
    draft.dieAreaMM2 = try figure(Column.dieArea)
    draft.processNm = try figure(Column.process)
    draft.tdpWatts = try figure(Column.tdp)
    draft.givenTPP = try figure(Column.tpp)
    let classes = VendorClass.allCases.map(\.rawValue).joined(separator: ", ")
    draft.vendorClass = try read(Column.vendorClass, "one of \(classes)") { VendorClass(rawValue: $0) }
    draft.designerOrigin = text(Column.designerOrigin)
    draft.gp10Named = try read(Column.gp10Named, "yes or no") { ["yes": true, "no": false][$0] } ?? false
    draft.typicalPriceUSD = try figure(Column.price)
    draft.priceYear = try read(Column.priceYear, "a year") { PartialDate($0).map { $0.earliest.components.year } }
    draft.priceKind = text(Column.priceKind)
    draft.priceSource = text(Column.priceSource)
    draft.specConfidence = text(Column.specConfidence)
    draft.source = text(Column.source)
    draft.notes = text(Column.notes)
    do {
      try self.init(draft)
    } catch {
      throw CSVFailure(line: row.line, reason: "\(error.column) \(error.detail)")
    }
  }
}

/// The start of a hostile text, within quotes, control characters replaced.
private func quoted(_ text: String) -> String {
  let shown = text.unicodeScalars.prefix(40).map { $0.value < 0x20 || $0.value == 0x7F ? "?" : String($0) }.joined()
  return "\"\(shown)\""
}
