import Testing

@testable import StrictJSON

/// What a parser asks for, told without a body.
@Suite("The shape of a body")
struct BodyShapeTests {
  private enum Colour: String, CaseIterable, Hashable { case red, green }
  private enum Kind: String, CaseIterable, Hashable { case extend, pause }

  @Test("names each member once, with its kind, its bounds and whether it must be there")
  func members() {
    let shape = BodyShape.traced { reader in
      _ = reader.int("quantity", 1...10)
      _ = reader.optionalInt("least", 0...5)
      _ = reader.optionalBool("whole")
      _ = reader.string("name", bytes: 1...20)
      _ = reader.optionalString("note", bytes: 0...99, allowMultiline: true)
      _ = reader.parsed("on", expected: "a date", bytes: 1...64) { $0.isEmpty ? nil : $0 }
      _ = reader.parsedInt("factor", expected: "a power of two") { $0 == 2 ? $0 : nil }
      _ = reader.enumeration("colour", as: Colour.self)
    }
    #expect(
      shape
        == .object([
          .init(name: "quantity", isRequired: true, shape: .integer(1...10)),
          .init(name: "least", isRequired: false, shape: .integer(0...5)),
          .init(name: "whole", isRequired: false, shape: .boolean),
          .init(name: "name", isRequired: true, shape: .text(bytes: 1...20, isMultiline: false)),
          .init(name: "note", isRequired: false, shape: .text(bytes: 0...99, isMultiline: true)),
          .init(name: "on", isRequired: true, shape: .parsedText(expected: "a date", bytes: 1...64)),
          .init(name: "factor", isRequired: true, shape: .parsedInteger(expected: "a power of two")),
          .init(name: "colour", isRequired: true, shape: .words(["red", "green"])),
        ]))
  }

  @Test("goes into objects, arrays of them, and sets")
  func nested() {
    let shape = BodyShape.traced { reader in
      _ = reader.object("site") { $0.string("country", bytes: 2...2) }
      _ = reader.optionalObjects("parts", count: 1...3) { part in
        let size = part.int("size", 0...9)
        _ = part.optionalArray("tags", count: 0...2) { $1.string($0, bytes: 1...4) }
        return size
      }
      _ = reader.set("regions", count: 1...5) { $1.string($0, bytes: 1...64) }
      _ = reader.int("last", 0...1)
    }
    let tags = BodyShape.array(.text(bytes: 1...4, isMultiline: false), count: 0...2, isSet: false)
    let part = BodyShape.object([
      .init(name: "size", isRequired: true, shape: .integer(0...9)),
      .init(name: "tags", isRequired: false, shape: tags),
    ])
    #expect(
      shape
        == .object([
          .init(
            name: "site", isRequired: true,
            shape: .object([
              .init(name: "country", isRequired: true, shape: .text(bytes: 2...2, isMultiline: false))
            ])),
          .init(name: "parts", isRequired: false, shape: .array(part, count: 1...3, isSet: false)),
          .init(
            name: "regions", isRequired: true,
            shape: .array(.text(bytes: 1...64, isMultiline: false), count: 1...5, isSet: true)),
          .init(name: "last", isRequired: true, shape: .integer(0...1)),
        ]))
  }

  @Test("holds what every word of an enumeration asks for; what only some do is not required")
  func words() {
    let shape = BodyShape.traced { reader in
      let kind = reader.enumeration("kind", as: Kind.self)
      switch kind {
      case .extend: _ = reader.int("days", 1...30)
      case .pause: _ = reader.string("until", bytes: 10...10)
      case nil: break
      }
    }
    #expect(
      shape
        == .object([
          .init(name: "kind", isRequired: true, shape: .words(["extend", "pause"])),
          .init(name: "days", isRequired: false, shape: .integer(1...30)),
          .init(name: "until", isRequired: false, shape: .text(bytes: 10...10, isMultiline: false)),
        ]))
  }

  @Test("a parser that reads nothing has no members, and its other checks are not run")
  func nothing() {
    #expect(BodyShape.traced { _ in } == .object([]))
    let shape = BodyShape.traced { reader in
      if reader.has("a") { _ = reader.int("a", 0...1) }
      reader.fault("b", code: "field.conflict", detail: "must not be")
    }
    #expect(shape == .object([]))
  }
}
