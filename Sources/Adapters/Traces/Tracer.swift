import Synchronization

/// Begins traces, and keeps spans that ended until they are exported. What does not fit is dropped and counted: no request
/// waits for an exporter, or fails with one.
package final class Tracer: Sendable {
  package struct Limits: Sendable {
    /// Spans that may wait.
    package var queue = 16_384
    /// Spans of one export.
    package var batch = 512

    package init() {}
  }

  private struct State {
    var waiting: [SpanRecord] = []
    /// Older ones, taken from the front: to take a batch from a long array would move the rest while requests wait.
    var leaving: ArraySlice<SpanRecord> = []
    var dropped = 0

    var count: Int { waiting.count + leaving.count }
  }

  package let limits: Limits
  /// Says that a whole batch waits.
  package let filled: AsyncStream<Void>
  private let fill: AsyncStream<Void>.Continuation
  /// Of 2^56 traces that begin here, so many are sampled.
  private let threshold: UInt64
  private let state = Mutex(State())
  /// What became of the spans that were taken, for metrics.
  package let counters = ExportCounters()

  /// - Parameter ratio: of traces that begin here, 0 to 1. A caller's own decision counts for a trace that it began.
  package init(ratio: Double = 1, limits: Limits = Limits()) {
    threshold = UInt64(min(max(ratio, 0), 1) * Double(1 << 56))
    self.limits = limits
    (filled, fill) = AsyncStream.makeStream(of: Void.self, bufferingPolicy: .bufferingNewest(1))
  }

  /// Begins a trace, or this process's part of one.
  /// - Parameter parent: the caller's span, where there is one.
  /// - Returns: nil where the trace is not sampled.
  package func begin(
    _ name: String, _ kind: Span.Kind = .internal, parent: TraceParent? = nil, state: TraceState? = nil
  ) -> Span? {
    let trace = parent?.trace ?? freshTraceID()
    // The low 56 bits of an identity made here are random, as level 2 of the specification wants them.
    guard parent?.isSampled ?? (trace.low & (1 << 56 - 1) < threshold) else { return nil }
    let moment = TraceAnchor.now()
    return Span(
      tracer: self,
      record: SpanRecord(
        trace: trace, id: freshSpanID(), parent: parent?.parent, state: parent == nil ? nil : state, name: name,
        kind: kind, anchor: moment, began: moment.nanoseconds(at: .now)))
  }

  func freshSpanID() -> UInt64 { UInt64.random(in: 1 ... .max) }
  func freshTraceID() -> TraceID { TraceID(high: .random(in: 0 ... .max), low: .random(in: 1 ... .max)) }

  func add(_ span: SpanRecord) {
    let isBatch = state.withLock { state in
      guard state.count < limits.queue else {
        state.dropped += 1
        return false
      }
      state.waiting.append(span)
      return state.waiting.count.isMultiple(of: limits.batch)
    }
    if isBatch { fill.yield() }
  }

  /// The oldest spans, a batch of them at most.
  package func take() -> [SpanRecord] {
    state.withLock { state in
      if state.leaving.isEmpty {
        state.leaving = state.waiting[...]
        state.waiting = []
      }
      let batch = Array(state.leaving.prefix(limits.batch))
      state.leaving.removeFirst(batch.count)
      return batch
    }
  }

  /// Whether a whole batch waits.
  package var isFilled: Bool { state.withLock { $0.count >= limits.batch } }

  /// Spans that did not fit, or that nobody took.
  package var dropped: Int { state.withLock { $0.dropped } + counters.lost.load(ordering: .relaxed) }
}

/// What an exporter counts.
package final class ExportCounters: Sendable {
  /// Spans that a collector has.
  package let exported = Atomic<Int>(0)
  /// Spans that no collector took.
  package let lost = Atomic<Int>(0)
  /// Tries to export that failed.
  package let failedTries = Atomic<Int>(0)
}
