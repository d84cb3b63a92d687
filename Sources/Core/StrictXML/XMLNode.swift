/// The start of an element, as the reader meets it.
package struct XMLTag: Sendable, Hashable {
  /// The local name, without a prefix.
  package let name: String
  /// The namespace's name; empty where none is declared.
  package let namespace: String
  /// Attributes without a namespace, in the order of the document. Namespaced ones (`xsi:schemaLocation`) carry nothing
  /// that is read here and are left out.
  package let attributes: [Attribute]
  /// The line on which it starts, from 1.
  package let line: Int

  /// A name and its value, references resolved and white space normalised.
  package struct Attribute: Sendable, Hashable {
    package let name: String
    package let value: String
  }

  /// The value of the attribute of that name.
  package subscript(attribute name: String) -> String? { attributes.first { $0.name == name }?.value }
}

/// A whole element: either text, or other elements with white space between them.
package struct XMLNode: Sendable, Hashable {
  package let tag: XMLTag
  package let children: [XMLNode]
  /// The character data as they stand, references resolved; empty for an element that has children.
  package let text: String

  package var name: String { tag.name }
  package var line: Int { tag.line }

  /// The children of that name, in order.
  package func all(_ name: String) -> [XMLNode] { children.filter { $0.name == name } }
}
