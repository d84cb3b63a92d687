/// The kinds of JSON value.
package enum JSONKind: String, Sendable, Hashable, CaseIterable {
  case null, boolean, number, string, array, object
}

/// One value of a ``JSONDocument``: a place on its tape. Cheap to copy, and keeps the document alive.
@usableFromInline
package struct JSONNode: Sendable {
  let tape: Tape
  let index: Int

  private var entry: TapeEntry { tape.entries[index] }

  /// What kind of value this is.
  package var kind: JSONKind {
    switch entry.kind {
    case .null: .null
    case .no, .yes: .boolean
    case .number: .number
    case .string: .string
    case .array: .array
    case .object: .object
    }
  }

  /// Where the value stands, as an RFC 6901 pointer. Found by search from the root: for messages, not for loops.
  package var pointer: String { tape.pointer(to: index) }

  /// True for `null`.
  package var isNull: Bool { entry.kind == .null }

  /// The truth value, or nil for other kinds.
  package var asBool: Bool? {
    switch entry.kind {
    case .yes: true
    case .no: false
    default: nil
    }
  }

  /// The text with its escapes resolved, or nil for other kinds. May hold any character, U+0000 included.
  package var asString: String? { entry.kind == .string ? tape.string(index) : nil }

  /// The length of the text in UTF-8 bytes, or nil for other kinds. Never count characters instead: one grapheme can
  /// be 200 KB.
  package var utf8Count: Int? { entry.kind == .string ? Int(entry.length) : nil }

  /// The number exactly as written, or nil for other kinds.
  package var rawNumber: String? {
    entry.kind == .number ? tape.withText(index) { String(decoding: $0, as: UTF8.self) } : nil
  }

  /// The members in document order, or nil for other kinds.
  package var asObject: JSONMembers? { entry.kind == .object ? members : nil }

  /// The elements in document order, or nil for other kinds.
  package var asArray: JSONElements? { entry.kind == .array ? elements : nil }

  /// The members in document order; none for other kinds.
  package var members: JSONMembers { JSONMembers(container: self) }

  /// The elements in document order; none for other kinds.
  package var elements: JSONElements { JSONElements(container: self) }

  /// The value of the member with exactly these bytes as its name. Passes over the members one by one.
  package subscript(name: String) -> JSONNode? {
    var name = name
    return name.withUTF8 { bytes in member(bytes, from: .start(of: self))?.value(in: tape) }
  }

  /// True for a text of exactly these bytes.
  @usableFromInline
  package func isText(_ text: String) -> Bool {
    var text = text
    return entry.kind == .string && text.withUTF8 { tape.isText(index, $0) }
  }
}

/// A member's place in its object.
struct MemberPlace: Sendable {
  /// Counted from 0.
  var ordinal: Int
  /// Of the name on the tape; the value follows it.
  var name: Int

  static func start(of object: JSONNode) -> MemberPlace { MemberPlace(ordinal: 0, name: object.index + 1) }

  func value(in tape: Tape) -> JSONNode { JSONNode(tape: tape, index: name + 1) }

  func next(in tape: Tape) -> MemberPlace {
    MemberPlace(ordinal: ordinal + 1, name: Int(tape.entries[name + 1].next))
  }
}

extension JSONNode {
  /// Finds a member by name, trying `from` first, then those after it, then those before: readers ask for members
  /// mostly in the order in which clients write them.
  func member(_ name: UnsafeBufferPointer<UInt8>, from: MemberPlace) -> MemberPlace? {
    guard entry.kind == .object else { return nil }
    let end = Int(entry.next)
    var place = from
    while place.name < end {
      if tape.isText(place.name, name) { return place }
      place = place.next(in: tape)
    }
    place = .start(of: self)
    while place.name < from.name {
      if tape.isText(place.name, name) { return place }
      place = place.next(in: tape)
    }
    return nil
  }
}
