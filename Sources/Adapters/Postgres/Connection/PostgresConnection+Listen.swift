import CLibPQ

/// A message of NOTIFY.
package struct PostgresNotification: Sendable, Hashable {
  /// The channel it came on.
  package let channel: String
  /// The text given to NOTIFY; empty when none was.
  package let payload: String
  /// The server process that sent it.
  package let senderPID: Int32
}

/// One listener's bounded stream.
final class NotificationSink: Sendable {
  let continuation: AsyncStream<PostgresNotification>.Continuation

  init(_ continuation: AsyncStream<PostgresNotification>.Continuation) {
    self.continuation = continuation
  }

  func finish() {
    continuation.finish()
  }
}

extension PostgresConnection {
  /// Listens on a channel until the connection closes, which ends the stream.
  ///
  /// The stream keeps the newest 256 messages: notifications are hints, and a reader that falls behind polls anyway. A
  /// pool never takes a listening connection back.
  package func listen(
    _ channel: String, deadline: ContinuousClock.Instant
  ) async throws -> AsyncStream<PostgresNotification> {
    guard !channel.isEmpty, channel.utf8.count < 64, !channel.utf8.contains(0) else {
      throw PostgresError(.encoding, "a channel name has 1 to 63 bytes")
    }
    let (stream, continuation) = AsyncStream.makeStream(
      of: PostgresNotification.self, bufferingPolicy: .bufferingNewest(256))
    let quoted = channel.split(separator: "\"", omittingEmptySubsequences: false).joined(separator: "\"\"")
    isAltered = true
    _ = try await plain("listen \"\(quoted)\"", deadline: deadline)
    guard handle != nil else { throw PostgresError(.connectionLost) }
    listeners[channel, default: []].append(NotificationSink(continuation))
    deliverNotifications()
    return stream
  }

  /// Hands out what has arrived.
  func deliverNotifications() {
    guard let handle else { return }
    while let raw = PQnotifies(handle.raw) {
      defer { PQfreemem(raw) }
      guard let name = raw.pointee.relname else { continue }
      let channel = String(cString: name)
      let notification = PostgresNotification(
        channel: channel, payload: raw.pointee.extra.map { String(cString: $0) } ?? "", senderPID: raw.pointee.be_pid)
      for sink in listeners[channel] ?? [] { sink.continuation.yield(notification) }
    }
  }
}
