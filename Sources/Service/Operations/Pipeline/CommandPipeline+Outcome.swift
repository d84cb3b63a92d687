import Parties
import Persistence
import Synchronization

extension CommandPipeline {
  /// Runs a command of this very process and hands over what it decided, without an idempotency key: for callers that can
  /// tell from the state itself whether it was done.
  /// - Throws: the command's refusal, or `PipelineError`.
  package func outcome<C: Command>(
    of command: C, by principal: Principal, validateOnly: Bool = false, weight: Weight = .light
  ) async throws -> C.Outcome {
    let kept = Kept<C.Outcome>()
    let submission = Submission(command, by: principal, idempotency: nil, validateOnly: validateOnly) { result in
      kept.keep(result)
      return StoredAnswer(status: 200, headers: [], body: [])
    }
    _ = try await submit(submission, weight: weight)
    return try kept.get()
  }

  /// Takes an outcome out of the closure that renders it; the last rendering counts, since a batch may run again.
  private final class Kept<Outcome: Sendable>: Sendable {
    private let result = Mutex<Result<Outcome, any Error>?>(nil)

    func keep(_ value: Result<Outcome, any Error>) { result.withLock { $0 = value } }

    func get() throws -> Outcome {
      guard let value = result.withLock({ $0 }) else { throw PipelineError.unavailable }
      return try value.get()
    }
  }
}
