import Foundation
import Logging
import Matching
import Operations
import Persistence
import Postgres
import Primitives
import StrictJSON

extension RunWorker {
  /// Clears a round: reads the market in one snapshot, runs the engine, makes the offers by ordinary commands. A listing
  /// that changed in between loses only its own offer.
  func clear(_ round: MatchRoundRow) async {
    do {
      let started = ContinuousClock.now
      let market = try await MarketReader.read(pool: pool, reference: reference, clock: clock, deadline: deadline)
      let (snapshot, held) = try market.snapshot()
      let read = ContinuousClock.now
      let result = await Self.onThreadOfItsOwn { Matching.clear(snapshot) }
      let cleared = ContinuousClock.now
      var made: Int64 = 0
      var refused: [String: Int64] = [:]
      for (index, allocation) in result.allocations.enumerated() {
        let outcome = try await pipeline.runChild(
          MakeOffer(
            roundID: round.id, requestID: allocation.request, listingID: allocation.listing,
            quantity: allocation.quantity, rate: BasisPoints(allocation.rateBps)),
          key: "\(round.id):\(allocation.listing.value):\(allocation.request.value)"
        ) { _ in ["offers": 1] }
        if let refusal = outcome.refusal { try refused.add([refusal: 1]) } else { made += 1 }
        if index % 50 == 49 { try await advance(round, .running, nil, made, refused) }
      }
      for (id, screening) in held.sorted(by: { $0.key < $1.key }) {
        _ = try await pipeline.runChild(
          HoldLoanRequest(requestID: id, held: screening.holdsAll, candidates: screening.held),
          key: "\(round.id):hold:\(id.value)"
        ) { _ in [:] }
      }
      let report = RoundReport(
        snapshot: snapshot, result: result, readMilliseconds: started.milliseconds(to: read),
        clearMilliseconds: read.milliseconds(to: cleared),
        offerMilliseconds: cleared.milliseconds(to: .now), refused: refused)
      try await advance(round, .succeeded, report, made, refused)
    } catch is LeaseLost {
      logger.info("a match round was taken over", metadata: ["round": "\(round.id)"])
    } catch let error as PipelineError where error == .busy || error == .unavailable {
      logger.warning("a match round waits for the database", metadata: ["round": "\(round.id)"])
    } catch {
      logger.error("a match round failed", metadata: ["round": "\(round.id)", "error": "\(error)"])
      try? await advance(round, .failed, nil, 0, [:], error: "\(error)")
    }
  }

  /// A big market takes seconds of computing, and the threads of the service have requests to answer meanwhile.
  private static func onThreadOfItsOwn<Value: Sendable>(_ work: @escaping @Sendable () -> Value) async -> Value {
    await withCheckedContinuation { continuation in
      Thread.detachNewThread { continuation.resume(returning: work()) }
    }
  }

  private func advance(
    _ round: MatchRoundRow, _ state: RunState, _ report: RoundReport?, _ made: Int64, _ refused: [String: Int64],
    error: String? = nil
  ) async throws {
    let query = Query(
      RunSQL.advanceRound,
      [
        .uuid(round.id.value.bits), .int4(round.attempt), .text(state.rawValue), .bytea(report?.digest.bytes),
        .bytea(nil), .jsonb(report?.json), .int8(made), .int8(refused.values.reduce(0, +)), .text(error),
        .timestamptz(state == .running ? lease() : nil), .timestamptz(clock.now().microseconds),
      ])
    let deadline = deadline
    let result = try await pool.withConnection(deadline: deadline) { try await $0.run(query, deadline: deadline) }
    guard result.affectedRows == 1 else { throw LeaseLost() }
  }
}

/// What is kept of a round besides its offers.
struct RoundReport {
  let snapshot: MatchSnapshot
  let result: MatchRoundResult
  let readMilliseconds: Int64
  let clearMilliseconds: Int64
  let offerMilliseconds: Int64
  let refused: [String: Int64]

  var digest: SHA256Digest { result.digest }

  /// Members as the interface shows them; orders by id, so that a party can be shown its own part.
  var json: [UInt8] {
    var writer = JSONWriter(capacity: 1_024)
    writer.beginObject()
    writer.field("engine_version", result.engineVersion)
    writer.field("snapshot_digest", result.snapshotDigest.description)
    writer.field("objective", String(result.objective))
    writer.field("matched_quantity", result.matchedQuantity)
    writer.field("matched_pairs", result.matchedPairs)
    writer.field("listings", Int64(snapshot.listings.count))
    writer.field("requests", Int64(snapshot.requests.count))
    writer.array("classes", result.classes) { writer, rate in
      writer.beginObject()
      writer.field("chip_model_id", rate.chipModel.value)
      writer.field("region", rate.region)
      writer.field("delivery_mode", rate.deliveryMode)
      writer.field("legal_form", rate.legalForm)
      writer.field("term_bucket", rate.termBucket.rawValue)
      writer.field("credit_grade", rate.creditGrade)
      writer.field("clearing_rate_bps", rate.clearingRateBps)
      writer.field("quantity", rate.quantity)
      writer.endObject()
    }
    writer.array("leftovers", result.leftovers) { writer, leftover in
      writer.beginObject()
      writer.field("order", leftover.orderID)
      writer.field("remaining", leftover.remaining)
      writer.array("reasons", leftover.reasons) { writer, reason in
        writer.beginObject()
        writer.field("constraint", reason.constraint.rawValue)
        writer.field("effect", reason.effect?.rawValue)
        writer.field("candidates", reason.count)
        writer.endObject()
      }
      writer.endObject()
    }
    writer.key("refused")
    writer.raw(refused.jsonBytes)
    writer.object("timings_ms") { writer in
      writer.field("read", readMilliseconds)
      writer.field("clear", clearMilliseconds)
      writer.field("offers", offerMilliseconds)
    }
    writer.endObject()
    return writer.bytes
  }
}

extension ContinuousClock.Instant {
  fileprivate func milliseconds(to other: ContinuousClock.Instant) -> Int64 {
    let (seconds, attoseconds) = (other - self).components
    return seconds * 1_000 + attoseconds / 1_000_000_000_000_000
  }
}

extension Leftover {
  fileprivate var orderID: String {
    switch order {
    case .listing(let id): id.description
    case .request(let id): id.description
    }
  }
}
