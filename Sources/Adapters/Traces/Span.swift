import Synchronization

#if canImport(Glibc)
  import Glibc
#else
  import Darwin
#endif

/// Something that takes time and belongs to a trace, while it is under way. There are spans only where they are exported and
/// only of traces that are sampled: otherwise every span is nil, and what stands here costs a look at a task-local value.
///
/// A type of our own and not that of `swift-distributed-tracing`: a batch serves requests of many tasks, and statements end
/// in an order that only the connection knows, so spans begin and end at moments that were noted before, in tasks that are no
/// children of each other. And with no tracer its span of four attributes costs four allocations (measured with 1.7.3, counting
/// calls of `malloc`), where this costs none.
package final class Span: Sendable {
  /// The span that this task works for. Child tasks have it too; detached ones do not.
  @TaskLocal package static var current: Span?

  package enum Kind: Int, Sendable {
    case `internal` = 1
    case server, client, producer, consumer
  }

  /// When something was, on the steady clock.
  package typealias Moment = ContinuousClock.Instant

  let tracer: Tracer
  package let record: SpanRecord
  private let failure = Mutex<String?>(nil)

  init(tracer: Tracer, record: SpanRecord) {
    self.tracer = tracer
    self.record = record
  }

  /// Notes what went wrong where the span is not ended: see `end`.
  package func fail(_ error: String) { failure.withLock { $0 = error } }

  package func child(_ name: String, _ kind: Kind = .internal, at moment: Moment = .now) -> Span {
    var child = record
    child.id = tracer.freshSpanID()
    child.parent = record.id
    child.name = name
    child.kind = kind
    child.began = record.anchor.nanoseconds(at: moment)
    return Span(tracer: tracer, record: child)
  }

  /// A span of a trace of its own, beside this one: what serves many traces is part of none of them.
  package func aside(_ name: String, _ kind: Kind = .internal, at moment: Moment = .now) -> Span {
    Span(
      tracer: tracer,
      record: SpanRecord(
        trace: tracer.freshTraceID(), id: tracer.freshSpanID(), parent: nil, state: nil, name: name, kind: kind,
        anchor: record.anchor, began: record.anchor.nanoseconds(at: moment)))
  }

  /// Ends it, once; it is exported from then on.
  /// - Parameters:
  ///   - error: what went wrong, in few words that are known beforehand, such as a status or an SQLSTATE; nil for nothing.
  package func end(
    at moment: Moment = .now, _ attributes: [SpanAttribute] = [], links: [SpanLink] = [], error: String? = nil
  ) {
    var ended = record
    ended.ended = record.anchor.nanoseconds(at: moment)
    ended.attributes = attributes
    ended.links = links
    ended.error = error ?? failure.withLock { $0 }
    tracer.add(ended)
  }

  package var link: SpanLink { SpanLink(trace: record.trace, span: record.id, state: record.state) }

  /// The header `traceparent` of a request that is made for this span.
  package var traceparent: String {
    TraceParent(trace: record.trace, parent: record.id, isSampled: true).header
  }

  /// Runs `body` as work for the span; for nil, just runs it.
  package static func within<R>(
    _ span: Span?, isolation: isolated (any Actor)? = #isolation, _ body: () async throws -> R
  ) async rethrows -> R {
    guard let span else { return try await body() }
    return try await $current.withValue(span, operation: body, isolation: isolation)
  }
}

/// Another span that this one has to do with.
package struct SpanLink: Sendable, Hashable {
  package let trace: TraceID
  package let span: UInt64
  package let state: TraceState?
}

/// A fact of a span. Its name is of the source, its value none that a caller chose.
package struct SpanAttribute: Sendable, Hashable {
  package enum Value: Sendable, Hashable {
    case text(String)
    case integer(Int64)
  }

  /// A name of OpenTelemetry's conventions, or one that begins with `chipbridge.`.
  package let name: String
  package let value: Value

  package init(_ name: StaticString, _ value: String) {
    self.name = name.description
    self.value = .text(value)
  }

  package init(_ name: StaticString, _ value: Int64) {
    self.name = name.description
    self.value = .integer(value)
  }
}

/// What is exported of a span.
package struct SpanRecord: Sendable {
  package let trace: TraceID
  package internal(set) var id: UInt64
  /// The caller's span, or one of ours; nil for the root.
  package internal(set) var parent: UInt64?
  package let state: TraceState?
  package internal(set) var name: String
  package internal(set) var kind: Span.Kind
  let anchor: TraceAnchor
  /// Nanoseconds since 1970.
  package internal(set) var began: UInt64
  package internal(set) var ended: UInt64 = 0
  package internal(set) var attributes: [SpanAttribute] = []
  package internal(set) var links: [SpanLink] = []
  package internal(set) var error: String?
}

/// Ties the steady clock to the wall clock once for each trace, so that its spans nest however the wall clock is set meanwhile.
struct TraceAnchor: Sendable {
  private let wall: UInt64
  private let steady: Span.Moment

  static func now() -> TraceAnchor {
    var time = timespec()
    clock_gettime(CLOCK_REALTIME, &time)
    return TraceAnchor(
      wall: UInt64(clamping: time.tv_sec) &* 1_000_000_000 &+ UInt64(clamping: time.tv_nsec), steady: .now)
  }

  func nanoseconds(at moment: Span.Moment) -> UInt64 {
    let (seconds, attoseconds) = (moment - steady).components
    return wall &+ UInt64(bitPattern: seconds &* 1_000_000_000 &+ attoseconds / 1_000_000_000)
  }
}
