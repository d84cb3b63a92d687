import Parties
import Primitives
import StrictJSON

/// Values of the domain as members. What is absent is written as null, so that each answer of a kind has one shape.
extension JSONWriter {
  mutating func field<Noun>(_ name: StaticString, _ id: Identifier<Noun>?) {
    guard let id else { return nullField(name) }
    key(name)
    id.withUTF8 { string(plain: $0) }
  }

  mutating func field(_ name: StaticString, _ date: CalendarDate?) { field(name, date?.description) }

  mutating func field(_ name: StaticString, _ instant: Instant?) { field(name, instant?.description) }

  mutating func field(_ name: StaticString, _ country: CountryCode?) { field(name, country?.value) }

  mutating func field(_ name: StaticString, _ chip: ChipModelID?) { field(name, chip?.value) }

  mutating func field(_ name: StaticString, _ uuid: UUIDValue?) { field(name, uuid?.description) }

  mutating func field(_ name: StaticString, _ rate: BasisPoints?) { field(name, rate?.value) }

  mutating func field(_ name: StaticString, _ digest: SHA256Digest?) { field(name, digest?.description) }

  mutating func field(_ name: StaticString, _ money: Money?) {
    guard let money else { return nullField(name) }
    object(name) { writer in
      writer.field("amount", money.amount)
      writer.field("currency", money.currency.code)
    }
  }

  mutating func field(_ name: StaticString, _ site: Site) {
    object(name) { site.writeMembers(to: &$0) }
  }

  /// Texts as an array, null where there is none.
  mutating func field(_ name: StaticString, _ texts: [String]?) {
    guard let texts else { return nullField(name) }
    array(name, texts) { $0.string($1) }
  }

  /// An object, or null where there is nothing to write.
  mutating func object<Value>(
    _ name: StaticString, _ value: Value?, _ write: (inout JSONWriter, Value) -> Void
  ) {
    guard let value else { return nullField(name) }
    object(name) { write(&$0, value) }
  }

  /// The members that end every object with a version.
  mutating func history(version: Int64, createdAt: Instant, updatedAt: Instant) {
    field("version", version)
    field("created_at", createdAt)
    field("updated_at", updatedAt)
  }

  /// A value of a document that was read, as it stands there.
  mutating func copy(_ node: JSONNode) {
    switch node.kind {
    case .null: null()
    case .boolean: bool(node.asBool == true)
    case .number: raw(Array((node.rawNumber ?? "0").utf8))
    case .string: string(node.asString ?? "")
    case .array: array(node.elements) { $0.copy($1) }
    case .object:
      object { writer in
        for member in node.members {
          writer.key(dynamic: member.name)
          writer.copy(member.value)
        }
      }
    }
  }
}

extension Site {
  func writeMembers(to writer: inout JSONWriter) {
    writer.field("country", country)
    writer.field("region", region)
  }
}
