import Glibc
import Synchronization

/// Looks names up on a thread of their own, because getaddrinfo blocks for as long as it likes.
enum HostResolver {
  /// The numeric addresses to try, or one nil for a unix socket, where there is nothing to look up.
  static func addresses(
    of host: PostgresConfiguration.Host, on reactor: Reactor, deadline: ContinuousClock.Instant
  ) async throws(PostgresError) -> [String?] {
    if let address = host.address { return [address] }
    if host.name.hasPrefix("/") || host.name.hasPrefix("@") { return [nil] }
    if isNumeric(host.name) { return [host.name] }
    let answer = Answer()
    let timer = reactor.schedule(at: deadline) {
      answer.give(.failure(PostgresError(.deadlineExceeded, "name look-up did not end")))
    }
    let name = host.name
    let isStarted = reactor.resolvers.submit { answer.give(lookUp(name)) }
    if !isStarted { answer.give(.failure(PostgresError(.connectFailed, "too many name look-ups wait"))) }
    let result = await withTaskCancellationHandler {
      await answer.value()
    } onCancel: {
      answer.give(.failure(PostgresError(.cancelled)))
    }
    timer.cancel()
    return try result.get()
  }

  private typealias Outcome = Result<[String?], PostgresError>

  /// The first outcome given wins; one task waits for it.
  private final class Answer: Sendable {
    private enum State {
      case empty
      case waiting(UnsafeContinuation<Outcome, Never>)
      case given(Outcome)
    }

    private let state = Mutex(State.empty)

    func give(_ outcome: Outcome) {
      let waiter: UnsafeContinuation<Outcome, Never>? = state.withLock { state in
        switch state {
        case .given: return nil
        case .empty:
          state = .given(outcome)
          return nil
        case .waiting(let continuation):
          state = .given(outcome)
          return continuation
        }
      }
      waiter?.resume(returning: outcome)
    }

    func value() async -> Outcome {
      await withUnsafeContinuation { continuation in
        let given: Outcome? = state.withLock { state in
          if case .given(let outcome) = state { return outcome }
          state = .waiting(continuation)
          return nil
        }
        if let given { continuation.resume(returning: given) }
      }
    }
  }

  private static func isNumeric(_ name: String) -> Bool {
    var four = in_addr()
    var six = in6_addr()
    return inet_pton(AF_INET, name, &four) == 1 || inet_pton(AF_INET6, name, &six) == 1
  }

  private static func lookUp(_ name: String) -> Outcome {
    var hints = addrinfo()
    hints.ai_family = AF_UNSPEC
    hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
    var list: UnsafeMutablePointer<addrinfo>?
    let code = getaddrinfo(name, nil, &hints, &list)
    guard code == 0, let first = list else {
      return .failure(PostgresError(.connectFailed, "name look-up failed: \(String(cString: gai_strerror(code)))"))
    }
    defer { freeaddrinfo(list) }
    var addresses: [String?] = []
    var entry: UnsafeMutablePointer<addrinfo>? = first
    while let current = entry, addresses.count < 16 {
      var text = [CChar](repeating: 0, count: Int(NI_MAXHOST))
      let status = getnameinfo(
        current.pointee.ai_addr, current.pointee.ai_addrlen, &text, socklen_t(text.count), nil, 0, NI_NUMERICHOST)
      if status == 0 {
        let end = text.firstIndex(of: 0) ?? text.count
        let address = String(decoding: text[..<end].map { UInt8(bitPattern: $0) }, as: UTF8.self)
        if !addresses.contains(address) { addresses.append(address) }
      }
      entry = current.pointee.ai_next
    }
    return addresses.isEmpty ? .failure(PostgresError(.connectFailed, "the name has no address")) : .success(addresses)
  }
}
