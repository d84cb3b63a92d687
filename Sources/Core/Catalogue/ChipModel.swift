import Primitives

/// For what a product is designed or marketed: a fact about the product, not a number (`export-rules`, Note 2 of
/// 3A090).
package enum VendorClass: String, Sendable, Hashable, CaseIterable {
  case dataCentre = "data-centre"
  case workstation
  case consumer
}

/// What is told about a chip model before it is checked. Unknown is nil, never zero and never a guess.
package struct ChipModelDraft: Sendable, Hashable {
  package var id: ChipModelID
  package var vendor = ""
  package var model = ""
  package var formFactor: String?
  package var releasedOn: PartialDate?
  /// Gigabytes on the package.
  package var memoryGB: ExactDecimal?
  package var memoryType: String?
  /// GB/s.
  package var memoryBandwidthGBs: ExactDecimal?
  /// GB/s, both directions summed; zero when there is none.
  package var interconnectGBs: ExactDecimal?
  /// GB/s of the host link, both directions summed.
  package var pcieGBs: ExactDecimal?
  /// GB/s as given; counts only where the two parts are not both known.
  package var givenIOTotalGBs: ExactDecimal?
  /// Dense tera-operations a second, by format.
  package var dense: [NumericFormat: ExactDecimal] = [:]
  /// mm2 of all logic dies on a non-planar process, memory left out; zero when no die is on such a process.
  package var dieAreaMM2: ExactDecimal?
  package var processNm: ExactDecimal?
  package var tdpWatts: ExactDecimal?
  /// Total processing performance as given; counts only where no figure is known.
  package var givenTPP: ExactDecimal?
  package var vendorClass: VendorClass?
  package var designerOrigin: String?
  /// Named or covered by the guidance of 13 May 2025 on General Prohibition 10.
  package var gp10Named = false
  /// US dollars a chip, an indication; a mark is another thing.
  package var typicalPriceUSD: ExactDecimal?
  package var priceYear: Int?
  package var priceKind: String?
  package var priceSource: String?
  /// `A`, `B` or `C`, see the seed's README.
  package var specConfidence: String?
  package var source: String?
  package var notes: String?

  package init(id: ChipModelID) { self.id = id }
}

/// Why a chip model is refused.
package enum ChipModelFault: Error, Sendable, Hashable {
  case negativeFigure(String)
  case textTooLong(String)
  case emptyText(String)

  /// The column at fault.
  package var column: String {
    switch self {
    case .negativeFigure(let column), .textTooLong(let column), .emptyText(let column): column
    }
  }

  package var detail: String {
    switch self {
    case .negativeFigure: "must not be negative"
    case .textTooLong: "must not be longer than \(ChipModel.maxTextBytes) bytes"
    case .emptyText: "must not be empty"
    }
  }
}

/// A catalogue entry, with the figures that export rules and capability filters need and what follows from them.
package struct ChipModel: Sendable, Hashable {
  package let facts: ChipModelDraft
  /// Total processing performance: dense operations times bit length, the highest over all formats (2 x MacTOPS x bits
  /// in the rule; published rates already count a multiply-accumulate as two). Nil when no figure is known.
  package let tpp: ExactDecimal?
  /// Which format gave it (`bf16 x 16`), or `given` when no figure but only the total is known.
  package let tppBasis: String?
  /// GB/s over all inputs and outputs but volatile memory, both directions; nil when a part is unknown.
  package let ioTotalGBs: ExactDecimal?
  /// GB/s that it has at least: what is known of its parts. A test for "or more" may be met by a part alone.
  package let ioAtLeastGBs: ExactDecimal

  package static let maxTextBytes = 2_000

  /// - Throws: the first fault.
  package init(_ draft: ChipModelDraft) throws(ChipModelFault) {
    try Self.check(draft)
    facts = draft
    (tpp, tppBasis) = Self.performance(of: draft)
    let parts = [draft.interconnectGBs, draft.pcieGBs]
    let known = parts.compactMap { $0 }.reduce(ExactDecimal.zero) { sum, part in
      // Figures have at most 18 digits, so their sum fits; were it ever not to, what is known stays a lower bound.
      (try? sum.adding(part)) ?? max(sum, part)
    }
    if parts.allSatisfy({ $0 != nil }) {
      (ioTotalGBs, ioAtLeastGBs) = (known, known)
    } else if let given = draft.givenIOTotalGBs {
      // A total below one of its own parts is wrong; the part is the better witness.
      (ioTotalGBs, ioAtLeastGBs) = (max(given, known), max(given, known))
    } else {
      (ioTotalGBs, ioAtLeastGBs) = (nil, known)
    }
  }

  package var id: ChipModelID { facts.id }
  package var vendor: String { facts.vendor }
  package var model: String { facts.model }

  /// Designed or marketed for use in data centres; nil when unknown.
  package var isDatacentre: Bool? { facts.vendorClass.map { $0 == .dataCentre } }

  /// Dense tera-operations a second in that format.
  package func dense(_ format: NumericFormat) -> ExactDecimal? { facts.dense[format] }

  /// TPP over die area to four places, for people. Rules compare TPP with threshold x area instead.
  package var displayedPerformanceDensity: ExactDecimal? {
    guard let tpp, let area = facts.dieAreaMM2 else { return nil }
    return try? tpp.divided(by: area, digits: 4, rounding: .halfEven)
  }

  private static func performance(of draft: ChipModelDraft) -> (ExactDecimal?, String?) {
    var highest: (value: ExactDecimal, basis: String)?
    for format in NumericFormat.allCases {
      guard let bits = format.bitLength, let rate = draft.dense[format],
        let value = try? rate.multiplied(by: ExactDecimal(bits))
      else { continue }
      if let present = highest, value <= present.value { continue }
      highest = (value, "\(format.rawValue) x \(bits)")
    }
    if let highest { return (highest.value, highest.basis) }
    return (draft.givenTPP, draft.givenTPP.map { _ in "given" })
  }

  private static func check(_ draft: ChipModelDraft) throws(ChipModelFault) {
    var figures: [(String, ExactDecimal?)] = [
      (Column.memoryGB, draft.memoryGB), (Column.memoryBandwidth, draft.memoryBandwidthGBs),
      (Column.interconnect, draft.interconnectGBs), (Column.pcie, draft.pcieGBs),
      (Column.ioTotal, draft.givenIOTotalGBs), (Column.dieArea, draft.dieAreaMM2), (Column.process, draft.processNm),
      (Column.tdp, draft.tdpWatts), (Column.tpp, draft.givenTPP), (Column.price, draft.typicalPriceUSD),
    ]
    for format in NumericFormat.allCases { figures.append((format.column, draft.dense[format])) }
    for (column, figure) in figures where figure?.isNegative == true { throw .negativeFigure(column) }
    let texts: [(String, String?)] = [
      (Column.vendor, draft.vendor), (Column.model, draft.model), (Column.formFactor, draft.formFactor),
      (Column.memoryType, draft.memoryType), (Column.designerOrigin, draft.designerOrigin),
      (Column.priceKind, draft.priceKind), (Column.priceSource, draft.priceSource),
      (Column.specConfidence, draft.specConfidence), (Column.source, draft.source), (Column.notes, draft.notes),
    ]
    for (column, text) in texts {
      guard let text else { continue }
      guard text.utf8.count <= maxTextBytes else { throw .textTooLong(column) }
      guard !text.isEmpty else { throw .emptyText(column) }
    }
  }
}
