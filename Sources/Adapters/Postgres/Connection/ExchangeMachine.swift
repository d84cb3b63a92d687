/// The pure half of one pipelined exchange: what was sent, what must come back in which order, and what it means.
///
/// A pipeline answers each message with a result and an end mark, after an error with "aborted" for the rest, and closes
/// with one sync. Anything out of that order is a protocol violation, so the loop that feeds this machine always ends.
struct ExchangeMachine: Sendable {
  /// One message of ours that the server answers.
  enum Step: Sendable, Equatable {
    /// Parse of the statement of query `index`.
    case prepare(Int)
    /// Bind, describe and execute of query `index`.
    case execute(Int)
  }

  /// What libpq handed out.
  enum Event: Sendable, Equatable {
    /// The step did what it should.
    case succeeded
    /// The server refused the step.
    case failed
    /// The step was skipped because of an earlier failure.
    case skipped
    /// The end of one step's results.
    case endOfStep
    /// The end of the pipeline.
    case sync
  }

  /// What the loop must do with the event.
  enum Action: Sendable, Equatable {
    /// Keep the result as the answer of query `index`.
    case keepResult(Int)
    /// Remember that the statement of query `index` is prepared on this connection.
    case rememberPrepared(Int)
    /// Keep the error as the exchange's; it belongs to query `index`.
    case keepError(Int)
    case nothing
    /// All answers are in.
    case finish
    /// The peer broke the order.
    case violation
  }

  private let steps: [Step]
  private var position = 0
  private var answered = false
  private(set) var hasFailed = false

  init(steps: [Step]) {
    self.steps = steps
  }

  /// The query whose answer is due, for naming what a lost connection was doing.
  var currentQuery: Int? {
    guard position < steps.count else { return nil }
    switch steps[position] {
    case .prepare(let index), .execute(let index): return index
    }
  }

  mutating func receive(_ event: Event) -> Action {
    switch event {
    case .sync: return position == steps.count ? .finish : .violation
    case .endOfStep:
      guard position < steps.count, answered else { return .violation }
      position += 1
      answered = false
      return .nothing
    case .succeeded, .failed, .skipped:
      guard position < steps.count, !answered else { return .violation }
      answered = true
      return answer(event, to: steps[position])
    }
  }

  private mutating func answer(_ event: Event, to step: Step) -> Action {
    switch (event, step, hasFailed) {
    case (.succeeded, .prepare(let index), false): return .rememberPrepared(index)
    case (.succeeded, .execute(let index), false): return .keepResult(index)
    case (.failed, .prepare(let index), false), (.failed, .execute(let index), false):
      hasFailed = true
      return .keepError(index)
    case (.skipped, _, true): return .nothing
    default: return .violation
    }
  }
}

/// What a loss of the answer would mean, and so whether a cancel may be sent.
enum ExchangeSafety: Sendable, Equatable {
  /// Nothing can have been committed by it: cancel freely, repeat freely.
  case harmless
  /// It holds a COMMIT of a block that may have written, or writes outside a block: a lost answer is ambiguous, and a
  /// cancel could acknowledge a commit that no standby has.
  case mayCommit

  /// Follows the block through a batch. `block` is the state before it and becomes the state after its success.
  static func judge(_ verbs: some Sequence<StatementVerb>, block: inout BlockState) -> ExchangeSafety {
    var safety = ExchangeSafety.harmless
    for verb in verbs {
      switch (verb, block) {
      case (.begin(let readOnly), .none): block = readOnly ? .readOnly : .writing
      case (.commit, .writing):
        safety = .mayCommit
        block = .none
      case (.commit, .none): safety = .mayCommit
      case (.commit, .readOnly), (.rollback, _): block = .none
      case (.write, .none): safety = .mayCommit
      case (.begin, _), (.read, _), (.write, _): break
      }
    }
    return safety
  }
}

/// Whether a transaction block is open, as far as the texts sent tell.
enum BlockState: Sendable, Equatable {
  case none, readOnly, writing
}
