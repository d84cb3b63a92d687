import Foundation

/// Runs long computing on a thread of its own: a big market takes seconds, and the threads of the service have requests
/// to answer meanwhile.
package func onThreadOfItsOwn<Value: Sendable>(_ work: @escaping @Sendable () throws -> Value) async throws -> Value {
  try await withCheckedThrowingContinuation { continuation in
    let thread = Thread { continuation.resume(with: Result { try work() }) }
    thread.stackSize = 16 << 20
    thread.start()
  }
}
