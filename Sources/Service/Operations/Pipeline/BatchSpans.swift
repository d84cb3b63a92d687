import Postgres
import Traces

/// The span of one try of a batch's transaction. With one command in it, it is part of that command's trace. A transaction
/// that many share is part of none: it has a trace of its own, linked to each, and each has a span that is linked to it.
///
/// It ends before anybody is answered, so that a request's span holds all of its parts.
struct BatchSpans {
  private let transaction: Span
  private let batch: [CommandPipeline.Pending]
  private let attempt: Int
  private let began = Span.Moment.now

  /// Runs the transaction within its span; where no command of the batch is traced, just runs it.
  static func of<R>(
    _ batch: [CommandPipeline.Pending], attempt: Int, _ run: () async throws -> R
  ) async throws -> R {
    guard let first = batch.lazy.compactMap(\.request).first else { return try await run() }
    let spans = BatchSpans(batch, first, attempt: attempt)
    do {
      let value = try await Span.within(spans.transaction, run)
      spans.end()
      return value
    } catch {
      spans.end(error: (error as? PostgresError).map { $0.sqlState ?? "\($0.kind)" } ?? "defect")
      throw error
    }
  }

  private init(_ batch: [CommandPipeline.Pending], _ first: Span, attempt: Int) {
    self.batch = batch
    self.attempt = attempt
    let name = "pipeline.transaction"
    transaction = batch.count == 1 ? first.child(name, at: began) : first.aside(name, at: began)
  }

  private func end(error: String? = nil) {
    let now = Span.Moment.now
    let attributes = [
      SpanAttribute("chipbridge.batch.commands", Int64(batch.count)),
      SpanAttribute("chipbridge.batch.attempt", Int64(attempt)),
    ]
    guard batch.count > 1 else { return transaction.end(at: now, attributes, error: error) }
    let requests = batch.compactMap(\.request)
    transaction.end(at: now, attributes, links: requests.map(\.link), error: error)
    for request in requests {
      request.child("pipeline.shared_transaction", at: began).end(
        at: now, attributes, links: [transaction.link], error: error)
    }
  }
}
