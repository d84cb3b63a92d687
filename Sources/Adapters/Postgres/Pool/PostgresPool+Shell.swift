import Glibc
import Synchronization

/// The shell around the machine: runs its actions and tells it what came of them.
extension PostgresPool {
  /// Runs actions without holding the lock.
  func perform(_ actions: [PoolMachine.Action]) {
    for action in actions {
      switch action {
      case .lease(let waiter, let number): lend(number, to: waiter)
      case .refuse(let waiter, let refusal):
        let continuation = state.withLock { $0.waiters.removeValue(forKey: waiter) }
        let error =
          refusal == .closed
          ? PostgresError(.poolClosed) : PostgresError(.poolExhausted, "too many callers wait already")
        continuation?.resume(returning: .failure(error))
      // Detached: what a connection needs for itself is no part of the work of whoever happened to ask for one.
      case .connect(let number): Task.detached { await self.connect(number) }
      case .close(let number): close(number)
      case .check(let number): Task.detached { await self.check(number) }
      case .wake(let pause):
        // The timer needs no handle: a tick too many does nothing.
        _ = reactors[0].schedule(at: .now + pause) { [weak self] in self?.tick() }
      case .drained:
        let waiting = state.withLock { state in
          state.isDrained = true
          defer { state.drainWaiters = [] }
          return state.drainWaiters
        }
        for continuation in waiting { continuation.resume() }
      }
    }
  }

  private func lend(_ number: Int, to waiter: Int) {
    let (continuation, connection) = state.withLock { state in
      (state.waiters.removeValue(forKey: waiter), state.connections[number])
    }
    guard let continuation, let connection else {
      continuation?.resume(returning: .failure(PostgresError(.connectionLost, "closed while being lent")))
      return perform(state.withLock { $0.machine.release(number, isReusable: false, now: .now) })
    }
    continuation.resume(returning: .success(Lease(number: number, connection: connection)))
  }

  private func close(_ number: Int) {
    let connection = state.withLock { $0.connections[number] }
    guard let connection else {
      return perform(state.withLock { $0.machine.closed(number, now: .now) })
    }
    Task.detached { await connection.close() }
  }

  private func connect(_ number: Int) async {
    let first = state.withLock { $0.nextHost }
    do {
      let connection = try await PostgresConnection.connect(
        configuration, reactor: reactors[number % reactors.count], startingAt: first,
        deadline: .now + Self.connectLimit)
      let actions = state.withLock { state in
        state.connections[number] = connection
        // The host that answered is asked first from now on.
        state.nextHost = connection.hostIndex
        return state.machine.connected(number, now: .now)
      }
      // Registered after the connection is known, so that a loss in between is reported too.
      let host = connection.hostIndex
      await connection.whenClosed { [weak self] wasUnanswered in
        self?.connectionClosed(number, host: host, wasUnanswered: wasUnanswered)
      }
      perform(actions)
    } catch {
      let failure = error as? PostgresError ?? PostgresError(.connectFailed, "\(error)")
      let jitter = Double.random(in: 0..<1)
      perform(
        state.withLock { state in
          state.lastFailure = failure
          state.nextHost = (first + 1) % max(configuration.hosts.count, 1)
          return state.machine.connectFailed(number, now: .now, jitter: jitter)
        })
    }
  }

  /// A connection is gone. After an unanswered deadline the next attempt goes to the next host, and every idle connection
  /// is asked for a sign of life: a frozen server holds them all.
  private func connectionClosed(_ number: Int, host: Int, wasUnanswered: Bool) {
    perform(
      state.withLock { state in
        state.connections[number] = nil
        let actions = state.machine.closed(number, now: .now)
        guard wasUnanswered else { return actions }
        if state.nextHost == host { state.nextHost = (host + 1) % max(configuration.hosts.count, 1) }
        return actions + state.machine.checkAll()
      })
  }

  private func check(_ number: Int) async {
    let connection = state.withLock { $0.connections[number] }
    var isAlive = false
    if let connection {
      isAlive = (try? await connection.run(Query(SessionStatements.ping), deadline: .now + .seconds(2))) != nil
    }
    let answer = isAlive
    perform(state.withLock { $0.machine.checked(number, isAlive: answer, now: .now) })
  }

  private func tick() {
    perform(state.withLock { $0.machine.tick(now: .now) })
  }

  func scheduleMaintenance() {
    let timer = reactors[0].schedule(at: .now + Self.maintenanceInterval) { [weak self] in
      guard let self, !state.withLock({ $0.machine.isShutDown }) else { return }
      tick()
      scheduleMaintenance()
    }
    state.withLock { state in
      if !state.machine.isShutDown { state.maintenance = timer }
    }
  }
}
