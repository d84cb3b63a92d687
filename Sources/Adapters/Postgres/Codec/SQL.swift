/// SQL text that can only come from literals of the source.
///
/// There is no initialiser from a run-time string, so values cannot reach the server except as parameters. Fragments are
/// composed with `+`, which joins them by one space.
package struct SQL: Sendable, Hashable, ExpressibleByStringLiteral {
  /// The whole text as it is sent.
  package let text: String

  package init(stringLiteral value: StaticString) {
    text = value.description
  }

  private init(joined: String) {
    text = joined
  }

  /// Both fragments, joined by one space.
  package static func + (left: SQL, right: SQL) -> SQL {
    SQL(joined: left.text + " " + right.text)
  }

  /// Both fragments with nothing between: `"t."` and a column's name.
  package func glued(_ other: SQL) -> SQL {
    SQL(joined: text + other.text)
  }
}
