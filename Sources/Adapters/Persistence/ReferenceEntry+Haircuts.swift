import Catalogue
import Postgres
import Primitives
import StrictJSON

extension LeastHaircut {
  /// As it is stored.
  func write(to writer: inout JSONWriter) {
    writer.object { writer in
      switch chips {
      case .model(let id): writer.field("chip_model_id", id.value)
      case .vendorClass(let vendorClass): writer.field("vendor_class", vendorClass.rawValue)
      }
      writer.field("from_on", from.description)
      writer.field("haircut_bps", haircut.value)
      writer.field("source", source)
    }
  }

  /// - Throws: `StoredValueError` for what `write` does not write.
  init(stored node: JSONNode) throws {
    func damaged(_ member: String) -> StoredValueError { StoredValueError(column: "least_haircut", value: member) }
    let model = node["chip_model_id"]?.asString.flatMap { ChipModelID($0) }.map { Chips.model($0) }
    let vendorClass = node["vendor_class"]?.asString.flatMap { VendorClass(rawValue: $0) }.map { Chips.vendorClass($0) }
    guard let chips = model ?? vendorClass else { throw damaged("chips") }
    guard let from = node["from_on"]?.asString.flatMap({ CalendarDate($0) }),
      let haircut = node["haircut_bps"]?.asInteger, let source = node["source"]?.asString,
      let least = LeastHaircut(chips: chips, from: from, haircut: BasisPoints(haircut), source: source)
    else { throw damaged("a member") }
    self = least
  }
}

extension HaircutTable {
  package init(adopted entries: some Sequence<ReferenceEntry>) {
    self.init(
      entries.compactMap { entry in
        guard case .leastHaircut(let least) = entry.fact, let adoptedAt = entry.decidedAt else { return nil }
        return Entry(id: entry.id, least: least, adoptedAt: adoptedAt)
      })
  }
}

extension ReferenceSQL {
  /// Least haircuts that were adopted, in that order.
  package static let adoptedHaircuts = Statement(
    "haircuts_adopted",
    Tables.referenceEntries.selectList + "where kind = 'least_haircut' and state = 'adopted' order by decided_at, id",
    columns: Tables.referenceEntries.types)
}
