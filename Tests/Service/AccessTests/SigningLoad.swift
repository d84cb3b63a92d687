import Synchronization
import TokenMint

/// A number that tasks add to.
final class Counter: Sendable {
  private let count = Mutex(0)

  var value: Int { count.withLock { $0 } }
  func add() { count.withLock { $0 += 1 } }
}

/// The key that an issuer signs with at the moment, until it is over.
final class Current: Sendable {
  private let state: Mutex<(key: MintKey, isOver: Bool)>

  init(_ key: MintKey) { state = Mutex((key, false)) }

  var key: MintKey { state.withLock { $0.key } }
  var isOver: Bool { state.withLock { $0.isOver } }
  func use(_ key: MintKey) { state.withLock { $0.key = key } }
  func end() { state.withLock { $0.isOver = true } }
}
