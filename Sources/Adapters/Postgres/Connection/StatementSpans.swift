import Traces

/// The spans of one exchange: of each statement one, from the answer before it (from when the exchange was sent, for the
/// first) to its own. Their names are the statements', and nothing is told of values.
final class StatementSpans {
  private let parent: Span
  private var last = Span.Moment.now

  init(of parent: Span) { self.parent = parent }

  /// - Parameter error: an SQLSTATE, or why there was no answer.
  func ended(_ statement: Statement, error: String? = nil) {
    let now = Span.Moment.now
    let name =
      switch statement.shape.verb {
      case .begin: "BEGIN"
      case .commit: "COMMIT"
      case .rollback: "ROLLBACK"
      case .read, .write: statement.name
      }
    parent.child(name, .client, at: last).end(
      at: now, [SpanAttribute("db.system.name", "postgresql"), SpanAttribute("db.operation.name", name)], error: error)
    last = now
  }
}
