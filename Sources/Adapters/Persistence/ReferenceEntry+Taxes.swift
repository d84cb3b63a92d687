import Primitives
import Repayment
import StrictJSON

extension FeeTaxRule {
  /// As it is stored.
  func write(superseding superseded: ReferenceEntryID?, to writer: inout JSONWriter) {
    writer.object { writer in
      writer.field("kind", kind.rawValue)
      writer.field("jurisdiction", jurisdiction.value)
      writer.field("from_on", from.description)
      writer.field("through_on", through?.description)
      writer.field("rate_bps", rate.value)
      writer.field("rounding", rounding.rawValue)
      writer.field("source", source)
      writer.field("supersedes", superseded?.description)
    }
  }

  /// - Throws: `StoredValueError` for what `write` does not write.
  init(stored node: JSONNode) throws {
    func damaged(_ member: String) -> StoredValueError { StoredValueError(column: "tax_rule", value: member) }
    guard let kind = node["kind"]?.asString.flatMap({ Kind(rawValue: $0) }),
      let jurisdiction = node["jurisdiction"]?.asString.flatMap({ CountryCode($0) }),
      let from = node["from_on"]?.asString.flatMap({ CalendarDate($0) }), let rate = node["rate_bps"]?.asInteger,
      let rounding = node["rounding"]?.asString.flatMap({ Rounding(rawValue: $0) }),
      let source = node["source"]?.asString
    else { throw damaged("a member") }
    var through: CalendarDate?
    if let text = node["through_on"]?.asString {
      guard let date = CalendarDate(text) else { throw damaged("through_on") }
      through = date
    }
    do throws(RepaymentRefusal) {
      try self.init(
        kind: kind, jurisdiction: jurisdiction, from: from, through: through, rate: BasisPoints(rate),
        rounding: rounding, source: source)
    } catch { throw damaged(error.code) }
  }
}

extension ReferenceEntry {
  package var isAdoptedTaxRule: Bool { state == .adopted && fact.kind == .taxRule }
}

extension FeeTaxTable {
  /// The rules as they stand after entries were adopted, in whatever order: several may be of one moment.
  /// - Throws: `RepaymentRefusal.taxRulesOverlap`: no entry is adopted that would make two rules hold on a day.
  package init(adopted entries: some Sequence<ReferenceEntry>) throws(RepaymentRefusal) {
    var rules: [FeeTaxRule] = []
    // By rule: the first day of what took its place.
    var ends: [ReferenceEntryID: CalendarDate] = [:]
    for entry in entries {
      guard case .taxRule(let rule, let superseded) = entry.fact else { continue }
      rules.append(rule.identified(by: entry.id))
      if let superseded { ends[superseded] = min(ends[superseded] ?? rule.from, rule.from) }
    }
    try self.init(rules.compactMap { rule in rule.id.flatMap { ends[$0] }.map { rule.ended(before: $0) } ?? rule })
  }
}
