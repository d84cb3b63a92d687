import Parties
import Persistence
import Postgres
import Primitives
import Synchronization

/// The events of this process's readers: how far the outbox is complete, and the newest events for those who watch.
///
/// One poll serves every stream: nobody asks the database for each of them, and while nobody watches nobody asks at all.
package final class EventFeed: Sendable {
  package struct Limits: Sendable {
    /// Events that are kept for streams; one that falls further behind is cut, and resumes from where it was.
    package var kept = 2_048
    package var streamsPerKey = 10
    package var streams = 500
    /// Without news a stream says so often that it is there.
    package var heartbeat = Duration.seconds(15)
    package var poll = Duration.milliseconds(100)

    package init() {}
  }

  private struct State {
    var horizon: EventHorizon?
    /// Events after `from` and through `through`, in order.
    var kept: [StoredEvent] = []
    var from: Int64 = 0
    var through: Int64 = 0
    var watchers: [Int: AsyncStream<Void>.Continuation] = [:]
    var nextWatcher = 0
    var streams: [Credential: Int] = [:]
    var streamCount = 0
    var isClosed = false
  }

  private let pool: PostgresPool
  package let limits: Limits
  private let state = Mutex(State())

  package init(pool: PostgresPool, limits: Limits = Limits()) {
    self.pool = pool
    self.limits = limits
  }

  private static var deadline: ContinuousClock.Instant { .now + .seconds(5) }

  /// Up to where events may be read, looked at now. It never goes back.
  /// - Throws: what the database answers, in the first seconds also when a transaction runs that may hold an event back.
  @discardableResult
  package func advance() async throws -> Int64 {
    let deadline = Self.deadline
    let known = state.withLock { $0.horizon }
    let moved = try await pool.withConnection(deadline: deadline) { connection in
      guard var horizon = known else { return try await EventHorizon.present(on: connection, deadline: deadline) }
      try await horizon.advance(on: connection, deadline: deadline)
      return horizon
    }
    return state.withLock { state in
      // Another look may have come further meanwhile; each is right by itself.
      if moved.position >= state.horizon?.position ?? 0 { state.horizon = moved }
      return state.horizon?.position ?? moved.position
    }
  }

  // MARK: watching

  /// A place among the streams, given back when it is let go.
  package final class Seat: Sendable {
    private let feed: EventFeed
    private let key: Credential
    private let watcher: Int
    /// A turn: there is news, or a second has passed. It ends when the service stops.
    package let turns: AsyncStream<Void>

    fileprivate init(feed: EventFeed, key: Credential, watcher: Int, turns: AsyncStream<Void>) {
      (self.feed, self.key, self.watcher, self.turns) = (feed, key, watcher, turns)
    }

    deinit { feed.leave(key, watcher) }
  }

  package enum NoSeat: Error, Sendable {
    case tooManyOfKey(Int)
    case tooMany
    case closed
  }

  /// - Throws: `NoSeat`.
  package func watch(_ key: Credential) throws(NoSeat) -> Seat {
    let (turns, continuation) = AsyncStream.makeStream(of: Void.self, bufferingPolicy: .bufferingNewest(1))
    let watcher: Result<Int, NoSeat> = state.withLock { state in
      if state.isClosed { return .failure(.closed) }
      if state.streamCount >= limits.streams { return .failure(.tooMany) }
      if state.streams[key, default: 0] >= limits.streamsPerKey { return .failure(.tooManyOfKey(limits.streamsPerKey)) }
      state.streams[key, default: 0] += 1
      state.streamCount += 1
      state.nextWatcher += 1
      state.watchers[state.nextWatcher] = continuation
      return .success(state.nextWatcher)
    }
    return Seat(feed: self, key: key, watcher: try watcher.get(), turns: turns)
  }

  private func leave(_ key: Credential, _ watcher: Int) {
    state.withLock { state in
      state.watchers[watcher] = nil
      state.streamCount -= 1
      let left = state.streams[key, default: 1] - 1
      state.streams[key] = left == 0 ? nil : left
    }
  }

  /// The service stops: streams end.
  package var isClosed: Bool { state.withLock { $0.isClosed } }

  package var streamCount: Int { state.withLock { $0.streamCount } }

  /// Where a stream begins that asks for nothing earlier, and up to where older events are read from the database.
  package var newest: Int64 { state.withLock { $0.through } }

  package enum Recent: Sendable {
    /// Through this position nothing else is known.
    case events([StoredEvent], through: Int64)
    /// Some after that position are not kept any more.
    case notKept
  }

  package func recent(after position: Int64) -> Recent {
    state.withLock { state in
      guard position >= state.from else { return .notKept }
      // Kept events are in order: the first after the position is found by halves.
      var (low, high) = (0, state.kept.count)
      while low < high {
        let middle = (low + high) / 2
        if state.kept[middle].position <= position { low = middle + 1 } else { high = middle }
      }
      return .events(Array(state.kept[low...]), through: max(position, state.through))
    }
  }

  /// Polls until the task is cancelled, then ends every stream.
  package func run() async {
    var turn = ContinuousClock.now
    while !Task.isCancelled {
      let isWatched = state.withLock { !$0.watchers.isEmpty }
      var hasNews = false
      // A database that does not answer is asked again; streams wait, and lose nothing.
      if isWatched { hasNews = (try? await keep()) ?? false }
      if hasNews || ContinuousClock.now - turn >= .seconds(1) {
        turn = .now
        for watcher in state.withLock({ Array($0.watchers.values) }) { watcher.yield() }
      }
      do { try await Task.sleep(for: limits.poll) } catch { break }
    }
    close()
  }

  package func close() {
    let watchers = state.withLock { state in
      state.isClosed = true
      return Array(state.watchers.values)
    }
    for watcher in watchers { watcher.finish() }
  }

  /// Takes in what is new since the last look.
  /// - Returns: whether there was anything.
  @discardableResult
  package func keep() async throws -> Bool {
    let horizon = try await advance()
    let through = state.withLock { state in
      // Nobody watched for a while: what happened meanwhile is read by who asks for it.
      if state.through == 0 || horizon - state.through > Int64(limits.kept) {
        state.kept = []
        (state.from, state.through) = (horizon, horizon)
      }
      return state.through
    }
    guard through < horizon else { return false }
    let deadline = Self.deadline
    let query = EventSQL.page(nil, after: through, through: horizon, .all, limit: Int64(limits.kept))
    let events = try await pool.withConnection(deadline: deadline) {
      try await $0.run(query, deadline: deadline)
    }.map { try StoredEvent($0) }
    return state.withLock { state in
      guard state.through == through else { return true }
      state.kept += events
      state.through = horizon
      let surplus = state.kept.count - limits.kept
      if surplus > 0 {
        state.from = state.kept[surplus - 1].position
        state.kept.removeFirst(surplus)
      }
      return true
    }
  }
}
