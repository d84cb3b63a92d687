import CLibPQ
import Glibc

/// Owns one `PGconn` and what its callbacks write to.
///
/// Unchecked because a libpq connection has no locks of its own: the connection's actor calls it on the reactor's thread
/// alone, and `PQfinish` on a handle that nothing refers to any more may run anywhere.
final class ConnectionHandle: @unchecked Sendable {
  let raw: OpaquePointer
  let notices = NoticeSink()
  private var isFinished = false

  /// Begins to connect; nil when libpq has no memory for it.
  init?(_ parameters: [(String, String)]) {
    let keywords = parameters.map { strdup($0.0) }
    let values = parameters.map { strdup($0.1) }
    defer { for text in keywords + values { free(text) } }
    let keywordList = keywords.map { UnsafePointer($0) } + [nil]
    let valueList = values.map { UnsafePointer($0) } + [nil]
    guard let raw = PQconnectStartParams(keywordList, valueList, 0) else { return nil }
    self.raw = raw
    // libpq would print notices to standard error otherwise.
    PQsetNoticeReceiver(
      raw,
      { context, result in
        guard let context else { return }
        Unmanaged<NoticeSink>.fromOpaque(context).takeUnretainedValue().receive(result)
      }, Unmanaged.passUnretained(notices).toOpaque())
  }

  deinit {
    finish()
  }

  /// Closes the socket and frees everything. No other member may be called after it.
  func finish() {
    guard !isFinished else { return }
    isFinished = true
    PQfinish(raw)
  }

  var status: ConnStatusType { PQstatus(raw) }
  var isBad: Bool { PQstatus(raw) == CONNECTION_BAD }
  var socket: Int32 { PQsocket(raw) }

  /// libpq's last words about the connection.
  var message: String {
    guard let text = PQerrorMessage(raw) else { return "" }
    return String(cString: text)
  }

  /// The server's error of a failed result, without deciding its kind.
  static func error(_ result: OpaquePointer, kind: PostgresError.Kind) -> PostgresError {
    var error = PostgresError(kind, "", sqlState: field(result, cb_diag_sqlstate))
    error.constraint = field(result, cb_diag_constraint)
    error.table = field(result, cb_diag_table)
    error.column = field(result, cb_diag_column)
    if let message = field(result, cb_diag_message) {
      error.detail = field(result, cb_diag_detail).map { "\(message) (\($0))" } ?? message
    } else if let message = PQresultErrorMessage(result) {
      error.detail = String(cString: message)
    }
    return error
  }

  static func field(_ result: OpaquePointer?, _ code: Int32) -> String? {
    PQresultErrorField(result, code).map { String(cString: $0) }
  }
}

/// What notices have told since the last look. Touched only within libpq calls, so on the reactor's thread.
final class NoticeSink {
  /// A commit was acknowledged locally although the wait for its standbys was broken off: it may be lost at a failover.
  var sawUnreplicatedCommit = false
  /// SQLSTATE and text of a FATAL message that came between commands, as when the server shuts down.
  var lastFatal: (sqlState: String?, text: String)?

  func receive(_ result: OpaquePointer?) {
    if ConnectionHandle.field(result, cb_diag_source_function) == "SyncRepWaitForLSN" {
      sawUnreplicatedCommit = true
    }
    if let severity = ConnectionHandle.field(result, cb_diag_severity), severity == "FATAL" || severity == "PANIC" {
      lastFatal = (
        ConnectionHandle.field(result, cb_diag_sqlstate), ConnectionHandle.field(result, cb_diag_message) ?? ""
      )
    }
  }
}
