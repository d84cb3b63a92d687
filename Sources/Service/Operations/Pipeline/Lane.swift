import Synchronization

/// A bounded queue whose consumers, one as a rule, take whatever has gathered: while one batch commits, the next one
/// forms. There is no timer, so an idle service answers at once, and a loaded one shares each commit among many.
package final class Lane<Item: Sendable>: Sendable {
  private struct State {
    var items: [Item] = []
    /// Those who wait while there is nothing to take.
    var consumers: [CheckedContinuation<Void, Never>] = []
    var isClosed = false
  }

  private enum Next {
    case batch([Item])
    case ended, wait
  }

  private let state = Mutex(State())
  private let capacity: Int
  private let batchLimit: Int

  package init(capacity: Int, batchLimit: Int) {
    self.capacity = capacity
    self.batchLimit = batchLimit
  }

  /// False when the lane is full or closed; the item is not taken then.
  package func offer(_ item: Item) -> Bool {
    let (taken, consumer) = state.withLock { state -> (Bool, CheckedContinuation<Void, Never>?) in
      guard !state.isClosed, state.items.count < capacity else { return (false, nil) }
      state.items.append(item)
      return (true, state.consumers.popLast())
    }
    consumer?.resume()
    return taken
  }

  /// The next batch, oldest first; nil once the lane is closed and empty.
  package func take() async -> [Item]? {
    while true {
      let next = state.withLock { state -> Next in
        if state.items.isEmpty { return state.isClosed ? .ended : .wait }
        let batch = Array(state.items.prefix(batchLimit))
        state.items.removeFirst(batch.count)
        return .batch(batch)
      }
      switch next {
      case .batch(let batch): return batch
      case .ended: return nil
      case .wait:
        await withCheckedContinuation { continuation in
          let ready = state.withLock { state -> Bool in
            if !state.items.isEmpty || state.isClosed { return true }
            state.consumers.append(continuation)
            return false
          }
          if ready { continuation.resume() }
        }
      }
    }
  }

  /// Takes nothing more; what is queued is still served.
  package func close() {
    let consumers = state.withLock { state -> [CheckedContinuation<Void, Never>] in
      state.isClosed = true
      defer { state.consumers = [] }
      return state.consumers
    }
    for consumer in consumers { consumer.resume() }
  }

  package var depth: Int { state.withLock { $0.items.count } }
}
