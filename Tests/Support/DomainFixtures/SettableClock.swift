import Operations
import Primitives
import PropertyKit
import Synchronization

/// Wall time that stands still until a test moves it, and random bits of a seed.
package final class SettableClock: WallClock {
  private let state: Mutex<(now: Instant, random: SplitMix64)>

  package init(_ start: Instant, seed: UInt64) {
    state = Mutex((start, SplitMix64(seed: seed)))
  }

  package func now() -> Instant { state.withLock { $0.now } }

  package func randomBits() -> (UInt64, UInt64) {
    state.withLock { ($0.random.next(), $0.random.next()) }
  }

  /// Moves time forward.
  package func advance(days: Int64 = 0, seconds: Int64 = 0) {
    state.withLock { state in state.now = state.now.adding(seconds: days * 86_400 + seconds) ?? state.now }
  }
}
