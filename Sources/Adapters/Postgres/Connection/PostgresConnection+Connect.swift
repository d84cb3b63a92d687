import CLibPQ
import Glibc

extension PostgresConnection {
  /// As `connect`, beginning with another host of the list: after a deadline the next host must come first, or a frozen
  /// old primary would be asked again and again.
  static func connect(
    _ configuration: PostgresConfiguration, reactor: Reactor, startingAt first: Int,
    deadline: ContinuousClock.Instant
  ) async throws -> PostgresConnection {
    var last = PostgresError(.connectFailed, "no host to connect to")
    let count = configuration.hosts.count
    for turn in 0..<count {
      do {
        return try await connect(
          configuration, host: (first % count + turn) % count, reactor: reactor, deadline: deadline)
      } catch let error as PostgresError {
        if error.kind == .cancelled || ContinuousClock.now >= deadline { throw error }
        last = error
      }
    }
    throw last
  }

  private static func connect(
    _ configuration: PostgresConfiguration, host index: Int, reactor: Reactor, deadline: ContinuousClock.Instant
  ) async throws -> PostgresConnection {
    let host = configuration.hosts[index]
    let hostDeadline = min(deadline, .now + configuration.connectTimeout)
    let addresses = try await HostResolver.addresses(of: host, on: reactor, deadline: hostDeadline)
    var last = PostgresError(.connectFailed, "the host has no address")
    for address in addresses {
      let connection = PostgresConnection(reactor: reactor, hostIndex: index)
      do {
        try await connection.open(configuration, host, address: address, deadline: hostDeadline)
        return connection
      } catch let error as PostgresError {
        await connection.close()
        if error.kind == .cancelled || ContinuousClock.now >= hostDeadline { throw error }
        last = error
      }
    }
    throw last
  }

  private func open(
    _ configuration: PostgresConfiguration, _ host: PostgresConfiguration.Host, address: String?,
    deadline: ContinuousClock.Instant
  ) async throws {
    guard let handle = ConnectionHandle(configuration.attempt(host, address: address)) else {
      throw PostgresError(.connectFailed, "no memory for a connection")
    }
    self.handle = handle
    let core = reactor.core
    let watch = watch
    core.attach(watch)
    try await withTaskCancellationHandler {
      try await handshake(handle, deadline: deadline)
    } onCancel: {
      core.post(.signal(watch))
    }
    guard PQsetnonblocking(handle.raw, 1) == 0 else {
      throw lose(.connectFailed)
    }
    try await settle(configuration, deadline: deadline)
  }

  /// Follows libpq through connecting, TLS and authentication without blocking.
  private func handshake(
    _ handle: ConnectionHandle, deadline: ContinuousClock.Instant
  ) async throws(PostgresError) {
    guard !handle.isBad else { throw lose(.connectFailed) }
    var state = PGRES_POLLING_WRITING
    while state != PGRES_POLLING_OK {
      if Task.isCancelled { throw lose(.cancelled) }
      if ContinuousClock.now >= deadline { throw lose(.deadlineExceeded, "no connection before the deadline") }
      let wake = await waitForSocket(state == PGRES_POLLING_READING ? POLLIN : POLLOUT, until: deadline)
      guard self.handle != nil else { throw closedBy ?? PostgresError(.connectFailed) }
      guard case .ready = wake else { continue }
      state = PQconnectPoll(handle.raw)
      if state == PGRES_POLLING_FAILED { throw lose(.connectFailed) }
    }
  }

  /// Fixes the session: one select with parameters, so that no name is ever put into a text. The role comes last, since
  /// it may be allowed less.
  private func settle(_ configuration: PostgresConfiguration, deadline: ContinuousClock.Instant) async throws {
    let settings = [
      configuration.searchPathSetting,
      String(configuration.statementTimeout.wholeMilliseconds),
      String(configuration.lockTimeout.wholeMilliseconds),
      String(configuration.idleInTransactionTimeout.wholeMilliseconds),
    ]
    var queries = [Query(SessionStatements.settle, settings.map { .text($0) })]
    if let role = configuration.role { queries.append(Query(SessionStatements.takeRole, [.text(role)])) }
    do {
      _ = try await pipeline(queries, deadline: deadline)
    } catch let error as PostgresError where error.kind != .cancelled && error.kind != .deadlineExceeded {
      throw lose(.connectFailed, error.debugDescription)
    }
  }
}

/// The statements that every session begins with.
enum SessionStatements {
  static let settle = Statement(
    "postgres_settle",
    """
    select set_config('TimeZone', 'UTC', false), set_config('search_path', $1, false),
      set_config('statement_timeout', $2, false), set_config('lock_timeout', $3, false),
      set_config('idle_in_transaction_session_timeout', $4, false), set_config('client_min_messages', 'warning', false)
    """,
    parameters: [.text, .text, .text, .text])

  static let takeRole = Statement(
    "postgres_take_role", "select set_config('role', $1, false)", parameters: [.text])

  static let ping = Statement("postgres_ping", "select 1", columns: [.int4])
}
