import Logging
import Synchronization
import Tokens

/// The issuer's keys as they were last read. They are read again now and then, and when a token names a key that is not among
/// them; while the issuer is silent those that are there go on, for a time that is stated.
package final class IssuerKeys: Sendable {
  package struct Timing: Sendable {
    /// From one reading to the next.
    package var refresh = Duration.seconds(300)
    /// From one reading for the sake of an unknown key to the next: anybody can name one.
    package var gap = Duration.seconds(10)
    /// How long a request with an unknown key waits for a reading.
    package var wait = Duration.seconds(2)
    /// Of one reading.
    package var read = Duration.seconds(5)
    /// How long keys go on that could not be read again.
    package var stale = Duration.seconds(86_400)

    package init() {}
  }

  /// A key, and the set that it is of.
  struct Found: Sendable {
    let key: IssuerKey
    let generation: Int
  }

  private struct State {
    var published: [String: PublishedKey] = [:]
    var keys: [String: IssuerKey] = [:]
    /// Counts the sets that were taken and differed from the one before.
    var generation = 0
    /// When the set was last read and found good.
    var readAt: ContinuousClock.Instant?
    var isReading = false
    /// When a reading last began because of an unknown key.
    var missedAt: ContinuousClock.Instant?
    var waiting = 0
    var readings = 0
    var troubles: [KeySetTrouble: Int] = [:]
  }

  private let source: KeySetSource
  private let timing: Timing
  private let logger: Logger
  private let state = Mutex(State())
  /// Requests that wait for a reading at once; others are refused without waiting.
  private static let mostWaiting = 256

  package init(source: KeySetSource, timing: Timing = Timing(), logger: Logger) {
    self.source = source
    self.timing = timing
    self.logger = logger
  }

  // MARK: reading

  /// Reads the set again and again until it is cancelled; more often while there is trouble.
  package func run() async {
    while !Task.isCancelled {
      let isGood = await refresh()
      try? await Task.sleep(for: isGood ? timing.refresh : min(timing.refresh, timing.gap))
    }
  }

  /// Reads the set now, unless somebody does already.
  /// - Returns: whether the last reading there was found a good set.
  @discardableResult
  package func refresh() async -> Bool {
    let begins = state.withLock { state in
      if state.isReading { return false }
      state.isReading = true
      return true
    }
    if begins { return await read() }
    await waitForReading()
    return state.withLock { state in state.readAt.map { .now - $0 < timing.refresh } ?? false }
  }

  /// - Precondition: this task said that it reads.
  private func read() async -> Bool {
    let result = await load()
    // The service stops: what was not read for that reason is no trouble.
    if Task.isCancelled, case .failure = result {
      state.withLock { $0.isReading = false }
      return false
    }
    let (age, count) = state.withLock { state in
      state.isReading = false
      switch result {
      case .success(let (published, keys)):
        state.readings += 1
        state.readAt = .now
        if published != state.published {
          (state.published, state.keys) = (published, keys)
          state.generation += 1
        }
      case .failure(let trouble): state.troubles[trouble, default: 0] += 1
      }
      return (state.readAt.map { ContinuousClock.now - $0 }, state.keys.count)
    }
    guard case .failure(let trouble) = result else { return true }
    let reason: Logger.Metadata = [
      "reason": "\(trouble.rawValue)", "age_seconds": "\(age?.components.seconds ?? -1)", "keys": "\(count)",
    ]
    if let age, age < timing.stale {
      logger.warning("The issuer's keys could not be read again; those that are there go on.", metadata: reason)
    } else {
      logger.error(
        "The issuer's keys could not be read, and there are none that go on: no token is taken.", metadata: reason)
    }
    return false
  }

  private func load() async -> Result<([String: PublishedKey], [String: IssuerKey]), KeySetTrouble> {
    let bytes: [UInt8]
    switch await source.read(timeout: timing.read) {
    case .success(let read): bytes = read
    case .failure(let trouble): return .failure(trouble)
    }
    let set: PublishedKeySet
    do { set = try PublishedKeySet(parsing: bytes) } catch { return .failure(KeySetTrouble(error)) }
    var keys: [String: IssuerKey] = [:]
    for (id, key) in set.keys { keys[id] = try? await IssuerKey(key) }
    if keys.isEmpty { return .failure(.unusable) }
    return .success((set.keys, keys))
  }

  // MARK: use

  /// The key with this id; an unknown one may be new, and is waited for within bounds.
  func key(_ id: String) async -> Found? {
    if let found = known(id) { return found }
    let (mayWait, begins) = state.withLock { state -> (Bool, Bool) in
      guard state.waiting < Self.mostWaiting else { return (false, false) }
      if state.isReading {
        state.waiting += 1
        return (true, false)
      }
      if let last = state.missedAt, .now - last < timing.gap { return (false, false) }
      state.missedAt = .now
      state.isReading = true
      state.waiting += 1
      return (true, true)
    }
    guard mayWait else { return nil }
    // A task of its own: the reading goes on for the others when this request is cut.
    if begins { Task { await read() } }
    await waitForReading()
    state.withLock { $0.waiting -= 1 }
    return known(id)
  }

  /// Whether keys of this set are still taken.
  func isCurrent(_ generation: Int) -> Bool {
    state.withLock { state in
      state.generation == generation && (state.readAt.map { .now - $0 < timing.stale } ?? false)
    }
  }

  var generation: Int { state.withLock { $0.generation } }

  private func known(_ id: String) -> Found? {
    state.withLock { state in
      guard let readAt = state.readAt, .now - readAt < timing.stale, let key = state.keys[id] else { return nil }
      return Found(key: key, generation: state.generation)
    }
  }

  /// Until the reading that is under way has ended, or the wait is over.
  private func waitForReading() async {
    let end = ContinuousClock.now + timing.wait
    while state.withLock({ $0.isReading }), ContinuousClock.now < end {
      do { try await Task.sleep(for: .milliseconds(10)) } catch { return }
    }
  }

  // MARK: telling

  /// What operators are told.
  package struct Standing: Sendable {
    package let keys: Int
    /// Since the set was last found good; nil before that.
    package let ageSeconds: Int64?
    package let readings: Int
    /// By reason, each of them.
    package let troubles: [(reason: KeySetTrouble, count: Int)]
  }

  package var standing: Standing {
    state.withLock { state in
      Standing(
        keys: state.keys.count, ageSeconds: state.readAt.map { (ContinuousClock.now - $0).components.seconds },
        readings: state.readings,
        troubles: KeySetTrouble.allCases.map { ($0, state.troubles[$0, default: 0]) })
    }
  }
}
