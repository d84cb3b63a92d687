import Synchronization

#if canImport(Glibc)
  import Glibc
#else
  import Darwin
#endif

/// What one connection, and one request on it, may take of the service. Seconds are of the wall; all are at least 1.
package struct ConnectionLimits: Sendable {
  /// Bytes of the request target; longer is 414.
  package var targetBytes = 8 << 10
  /// Bytes of one header field, and of all of them with the request line; longer is 431.
  package var fieldBytes = 16 << 10
  package var headBytes = 32 << 10
  /// Header fields of a request; more is 431.
  package var fieldCount = 64
  /// Bytes of a body on any route; more is 413. Each route has its own bound besides, none above this one.
  package var bodyBytes = 32 << 20
  /// From the first byte of a request to the end of its head; longer is 408.
  package var headSeconds: Int64 = 10
  /// From the first byte of a request to its last; longer is 408.
  package var requestSeconds: Int64 = 30
  /// From the last byte of a request to the first of its answer; longer is 503.
  package var answerSeconds: Int64 = 60
  /// How long a client may take nothing of an answer that waits for it. Then the connection is cut.
  package var stalledSeconds: Int64 = 15
  /// What the kernel is asked to keep of answers under way on one connection; Linux takes twice as much.
  package var sendBufferBytes = 128 << 10
  /// What a client takes on average of answers that wait for it, once they waited for `stalledSeconds`; less is cut.
  package var leastBytesPerSecond = 1 << 10
  /// Without a request. Then the connection is closed.
  package var idleSeconds: Int64 = 60
  /// As above, while three quarters of all connections are taken.
  package var idleSecondsWhenCrowded: Int64 = 2
  /// Requests on one connection; the answer to the last closes it, so that load finds its way to other processes.
  package var requestCount = 100_000
  /// After an answer that ends the connection: what the client still sends is thrown away for so long, so that it reads
  /// the answer and no reset of the connection.
  package var lingerSeconds: Int64 = 1

  package init() {}
}

/// How many connections are open, for all event loops.
final class OpenConnections: Sendable {
  private let count = Atomic<Int>(0)
  private let crowd: Int

  /// - Parameter most: connections that may be open at once.
  init(most: Int) { crowd = most - most / 4 }

  var isCrowded: Bool { count.load(ordering: .relaxed) >= crowd }
  func opened() { count.wrappingAdd(1, ordering: .relaxed) }
  func closed() { count.wrappingSubtract(1, ordering: .relaxed) }
}

/// Descriptors of this process.
enum Descriptors {
  /// Raises the soft limit to the hard one.
  /// - Returns: connections that can be had beside the database's, files and pipes. An accept that finds no descriptor
  ///   ends the server, so more than these are never accepted.
  static func connections(wanted: Int) -> Int {
    var limit = rlimit()
    guard getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 else { return min(wanted, 512) }
    if limit.rlim_cur < limit.rlim_max {
      var raised = limit
      raised.rlim_cur = raised.rlim_max
      if setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &raised) == 0 { limit = raised }
    }
    let others = 256
    return max(16, min(wanted, Int(clamping: limit.rlim_cur) - others))
  }
}
