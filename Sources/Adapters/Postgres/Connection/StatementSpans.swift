import Traces

/// The spans of one exchange: of each statement one, from when the exchange was sent to its own answer. What is sent together
/// begins together: the server keeps its answers until the last, so that how long each took by itself is not known here.
/// Their names are the statements', and nothing is told of values.
final class StatementSpans {
  private let parent: Span
  private let sent = Span.Moment.now

  init(of parent: Span) { self.parent = parent }

  /// - Parameter error: an SQLSTATE, or why there was no answer.
  func ended(_ statement: Statement, error: String? = nil) {
    let name =
      switch statement.shape.verb {
      case .begin: "BEGIN"
      case .commit: "COMMIT"
      case .rollback: "ROLLBACK"
      case .read, .write: statement.name
      }
    parent.child(name, .client, at: sent).end(
      [SpanAttribute("db.system.name", "postgresql"), SpanAttribute("db.operation.name", name)], error: error)
  }
}
