/// One member of an object.
package struct JSONMember: Sendable {
  /// With escapes resolved. Names differ by bytes; `String ==` may call two of them equal.
  package let name: String
  /// What the name stands for.
  package let value: JSONNode
}

/// The members of an object in document order.
package struct JSONMembers: Collection, Sendable {
  /// A member's place.
  package struct Index: Comparable, Sendable {
    let name: Int

    /// By document order.
    package static func < (left: Index, right: Index) -> Bool { left.name < right.name }
  }

  private let container: JSONNode
  /// How many; known without a walk.
  package let count: Int
  /// Of the first member.
  package let startIndex: Index
  /// Past the last member.
  package let endIndex: Index

  init(container: JSONNode) {
    let entry = container.tape.entries[container.index]
    let isObject = entry.kind == .object
    self.container = container
    count = isObject ? Int(entry.length) : 0
    startIndex = Index(name: container.index + 1)
    endIndex = Index(name: isObject ? Int(entry.next) : container.index + 1)
  }

  /// True when the object is `{}`.
  package var isEmpty: Bool { count == 0 }

  /// The next member's place.
  package func index(after index: Index) -> Index { Index(name: Int(container.tape.entries[index.name + 1].next)) }

  /// The member at a place.
  package subscript(position: Index) -> JSONMember {
    let value = JSONNode(tape: container.tape, index: position.name + 1)
    return JSONMember(name: container.tape.string(position.name), value: value)
  }
}

/// The elements of an array in document order.
package struct JSONElements: Collection, Sendable {
  /// An element's place.
  package struct Index: Comparable, Sendable {
    let value: Int

    /// By document order.
    package static func < (left: Index, right: Index) -> Bool { left.value < right.value }
  }

  private let container: JSONNode
  /// How many; known without a walk.
  package let count: Int
  /// Of the first element.
  package let startIndex: Index
  /// Past the last element.
  package let endIndex: Index

  init(container: JSONNode) {
    let entry = container.tape.entries[container.index]
    let isArray = entry.kind == .array
    self.container = container
    count = isArray ? Int(entry.length) : 0
    startIndex = Index(value: container.index + 1)
    endIndex = Index(value: isArray ? Int(entry.next) : container.index + 1)
  }

  /// True when the array is `[]`.
  package var isEmpty: Bool { count == 0 }

  /// The next element's place.
  package func index(after index: Index) -> Index { Index(value: Int(container.tape.entries[index.value].next)) }

  /// The element at a place.
  package subscript(position: Index) -> JSONNode { JSONNode(tape: container.tape, index: position.value) }
}
