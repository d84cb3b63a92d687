import Primitives
import StrictCSV
import StrictJSON

/// A file of chip models classified on a date: what `chipbridge classify` prints.
package struct ClassifyReport: Sendable {
  package struct Line: Sendable, Hashable {
    package let id: ChipModelID
    package let classification: Classification
    package let tppBasis: String?

    /// One JSON object, its members in a fixed order, without a line end. TPP is a plain exact decimal, null when
    /// unknown. An exception that nobody has shown to apply does not apply: eligibility of an unknown class is false.
    package var json: [UInt8] {
      var writer = JSONWriter(capacity: 160)
      writer.object { writer in
        writer.field("id", id.value)
        writer.field("tpp", classification.tpp?.description)
        writer.field("class", classification.exportClass.rawValue)
        writer.field("paragraph", classification.paragraph)
        writer.field("nac_aca_eligible", classification.nacAcaEligible ?? false)
      }
      return writer.bytes
    }

    /// For people: id, TPP with its basis, class, paragraph, eligibility.
    package var text: String {
      let tpp = classification.tpp.map { "\($0) (\(tppBasis ?? "?"))" } ?? "unknown"
      let paragraph = classification.paragraph.isEmpty ? "-" : classification.paragraph
      let eligible = classification.nacAcaEligible.map { $0 ? "yes" : "no" } ?? "unknown"
      return "\(id)  tpp \(tpp)  \(classification.exportClass.rawValue)  \(paragraph)  nac/aca \(eligible)"
    }
  }

  package let date: CalendarDate
  /// The rule that classified; nil before the first one, when every chip is `not_controlled` for want of a rule.
  package let ruleID: String?
  package let lines: [Line]

  /// - Throws: `CSVFailure` with the line at fault; nothing is classified then.
  package init(csv bytes: [UInt8], rules: ExportRules, on date: CalendarDate) throws(CSVFailure) {
    self.date = date
    ruleID = rules.classificationRule(on: date)?.header.id
    lines = try ChipModel.models(fromCSV: bytes).map { chip in
      Line(id: chip.id, classification: rules.classify(chip, on: date), tppBasis: chip.tppBasis)
    }
  }
}
