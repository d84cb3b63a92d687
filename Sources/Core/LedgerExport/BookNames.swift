import Primitives

/// The name of each book as a part of account names: the organisation's legal name as far as plain-text accounting can
/// carry it, and the last twelve digits of its id, so that two of one name stay apart and a name does not depend on
/// which other books are exported with it.
package struct BookNames: Sendable {
  private static let longest = 60
  private let names: [OrganizationID: String]

  /// - Parameter books: organisations with their legal names; nil where none is known, as for the platform's own book.
  package init(_ books: [(id: OrganizationID, legalName: String?)]) {
    var names: [OrganizationID: String] = [:]
    var used: Set<String> = []
    for (id, legalName) in books.sorted(by: { $0.id < $1.id }) where names[id] == nil {
      let label = legalName.map(Self.sanitised) ?? ""
      let named = label.isEmpty ? "Book" : label
      var name = "\(named) \(id.value.description.suffix(12))"
      // Two ids that end alike have the whole id in their names; nothing else could tell them apart for good.
      if !used.insert(name).inserted { name = "\(named) \(id)" }
      used.insert(name)
      names[id] = name
    }
    self.names = names
  }

  /// The name of a book; one that was not given has its id.
  package subscript(_ book: OrganizationID) -> String { names[book] ?? "\(book)" }

  /// Without what ends an account name or a description, or begins a comment, a tag, a virtual posting or a sub-account:
  /// `:` `;` `|` `"` and brackets, control characters; with single spaces, and at most 60 characters.
  static func sanitised(_ name: String) -> String {
    var written: [Unicode.Scalar] = []
    for scalar in name.unicodeScalars {
      switch scalar {
      case ":", ";", "|", "\"", "(", ")", "[", "]", "{", "}", ",", "=", "@", "*", "!", "#", "%":
        append(" ", to: &written)
      default:
        let isSpace = scalar.properties.isWhitespace || scalar.properties.generalCategory == .control
        append(isSpace || scalar.properties.isDefaultIgnorableCodePoint ? " " : scalar, to: &written)
      }
    }
    while written.last == " " { written.removeLast() }
    return String(String.UnicodeScalarView(written))
  }

  private static func append(_ scalar: Unicode.Scalar, to written: inout [Unicode.Scalar]) {
    if written.count >= longest || (scalar == " " && (written.isEmpty || written.last == " ")) { return }
    written.append(scalar)
  }
}
