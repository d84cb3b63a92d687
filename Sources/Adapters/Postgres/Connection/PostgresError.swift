/// Everything that can go wrong between the service and PostgreSQL.
///
/// `description` names no value, table row or SQL text, so it may be logged and shown; `debugDescription` carries the
/// server's own words for people who may read data.
package struct PostgresError: Error, Sendable, Hashable {
  /// What happened, and so what may be done next.
  package enum Kind: String, Sendable, Hashable, CaseIterable {
    /// The connection ended before the answer and nothing was committed by it: the work may be repeated.
    case connectionLost
    /// No host of the list took the connection.
    case connectFailed
    /// The server refused the statement; see `sqlState`.
    case server
    /// The peer does not speak the protocol as agreed. The connection is closed.
    case protocolViolation
    /// The caller's own deadline passed. The connection is closed, since its answer may still come.
    case deadlineExceeded
    /// The caller's task was cancelled; nothing was committed by it.
    case cancelled
    /// No connection was free before the deadline, or too many callers wait already.
    case poolExhausted
    /// The pool is shut down.
    case poolClosed
    /// A commit (or a statement outside a block) was sent and not answered, or was not replicated. Look up the
    /// idempotency key; neither repeat nor give up blindly.
    case commitOutcomeUnknown
    /// A value in a result does not have the type, the range or the shape that was asked for.
    case decoding
    /// A value cannot be sent: NUL in text, a date out of range, too many parameters.
    case encoding
    /// The caller's fault: wrong parameter types, a statement name used twice, a transaction used after its end.
    case statementMisuse
    /// The schema cannot be brought to, or is not at, the version that this binary carries.
    case migration
  }

  /// What happened.
  package let kind: Kind
  /// The five characters of the server's error code, if the server answered.
  package var sqlState: String?
  /// The constraint that refused the change.
  package var constraint: String?
  /// The table concerned, where the server names it.
  package var table: String?
  /// The column concerned, where the server names it.
  package var column: String?
  /// Which query of a pipeline failed, counted from 0 in the order the caller gave.
  package var statementIndex: Int?
  /// The name of the statement that failed.
  package var statementName: String?
  /// The server's or the library's own words. May quote data: never show it to strangers.
  package var detail: String

  package init(
    _ kind: Kind, _ detail: String = "", sqlState: String? = nil, statementIndex: Int? = nil,
    statementName: String? = nil
  ) {
    self.kind = kind
    self.detail = detail
    self.sqlState = sqlState
    self.statementIndex = statementIndex
    self.statementName = statementName
  }

  /// True for a serialization failure (40001) or a deadlock (40P01): the same transaction may succeed when repeated.
  package var isRetryable: Bool {
    kind == .server && (sqlState == "40001" || sqlState == "40P01")
  }

  /// True when a fresh connection, perhaps to another host, is the remedy: lost or refused connections, and the server
  /// states of a shutdown (57P01 to 57P03), a demoted primary (25006) and too many clients (53300).
  package var asksForReconnect: Bool {
    switch kind {
    case .connectionLost, .connectFailed: true
    case .server:
      sqlState.map {
        $0.hasPrefix("08") || ["57P01", "57P02", "57P03", "25006", "53300"].contains($0)
      } ?? false
    default: false
    }
  }

  /// The same facts as another kind, as when a loss turns out to have happened during a commit.
  func turned(into kind: Kind) -> PostgresError {
    var copy = PostgresError(
      kind, detail, sqlState: sqlState, statementIndex: statementIndex, statementName: statementName)
    copy.constraint = constraint
    copy.table = table
    copy.column = column
    return copy
  }
}

extension PostgresError: CustomStringConvertible, CustomDebugStringConvertible {
  package var description: String {
    var text = "postgres \(kind.rawValue)"
    if let sqlState { text += " \(sqlState)" }
    if let constraint { text += " (\(constraint))" }
    return text
  }

  package var debugDescription: String {
    var text = description
    if let statementName { text += " in \(statementName)" }
    if let statementIndex { text += " #\(statementIndex)" }
    if let table { text += " table \(table)" }
    if let column { text += " column \(column)" }
    return detail.isEmpty ? text : text + ": \(detail)"
  }
}
