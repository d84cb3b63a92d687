import Lending
import Logging
import Matching
import Operations
import Persistence
import Postgres
import Primitives
import StrictJSON
import Traces

extension RunWorker {
  /// A round that brings down whoever takes it up is given up after so many.
  private static let attempts: Int32 = 10
  /// Commands handed to the pipeline at one time: so many share a commit.
  private static let commandsAtOnce = 256

  /// Clears a round: reads the market in one snapshot, runs the engine, keeps what it decided, makes the offers by
  /// ordinary commands. A listing that changed in between loses only its own offer. Whatever is written carries the
  /// lease; without it nothing more is.
  func clear(_ claim: ClaimedRound) async {
    let named: Logger.Metadata = ["round": "\(claim.round.id)"]
    do {
      guard claim.round.attempt <= Self.attempts else { throw GivenUp(attempts: Self.attempts) }
      try await holding(claim.lease) { try await offer(of: claim, decide(claim)) }
    } catch let error where error is LeaseLost || error as? PipelineError == .leaseLost {
      Span.current?.fail("lease_lost")
      logger.info("a match round was taken over", metadata: named)
    } catch let error where Task.isCancelled || Self.isPassing(error) {
      // It stays `running`; when its lease has run out, any worker takes it up again.
      Span.current?.fail("database_unavailable")
      logger.warning("a match round waits for the database", metadata: named)
    } catch {
      Span.current?.fail("failed")
      logger.error("a match round failed", metadata: named.merging(["error": "\(error)"]) { $1 })
      try? await rounds.finish(
        claim.lease, .failed, made: 0, refused: 0, error: "\(error)", now: clock.now())
    }
  }

  static func isPassing(_ error: any Error) -> Bool {
    switch error {
    case let error as PipelineError: [.busy, .unavailable, .outcomeUnknown].contains(error)
    case let error as PostgresError:
      switch error.kind {
      case .connectionLost, .connectFailed, .deadlineExceeded, .cancelled, .poolExhausted, .poolClosed,
        .commitOutcomeUnknown:
        true
      default: error.isRetryable || error.asksForReconnect
      }
    default: error is CancellationError
    }
  }

  /// Keeps the lease alive while the work goes on, however long that computes.
  private func holding(_ lease: RoundLease, _ work: @escaping @Sendable () async throws -> Void) async throws {
    try await withThrowingTaskGroup(of: Void.self) { group in
      group.addTask { try await work() }
      group.addTask {
        while true {
          try await Task.sleep(for: .seconds(leaseSeconds / 3))
          // A database that does not answer now may answer the next time; the lease runs out by itself.
          do { try await rounds.renew(lease, now: clock.now(), until: leaseEnd()) } catch let error as LeaseLost {
            throw error
          } catch {
            logger.debug("a lease could not be renewed", metadata: ["error": "\(error)"])
          }
        }
      }
      defer { group.cancelAll() }
      try await group.next()
    }
  }

  // MARK: what the engine decides

  /// What this round decided: kept by an earlier attempt, or decided and kept now. Taking up what was kept makes the
  /// record that of the offers, whichever worker made them.
  func decide(_ claim: ClaimedRound) async throws -> [Allocation] {
    if claim.round.attempt > 1, let record = try await rounds.stored(claim.round.id)?.record,
      let result = try? MatchRoundResult(canonicalBytes: record), result.engineVersion == matchEngineVersion
    {
      return result.allocations
    }
    let started = ContinuousClock.now
    let market = try await MarketReader.read(pool: pool, reference: reference, clock: clock, deadline: deadline)
    let decided = try await onThreadOfItsOwn { try DecidedRound(market, claim.lease.segment, since: started) }
    _ = try await inParts(decided.holds) { hold in
      try await pipeline.runChild(
        HoldLoanRequest(
          requestID: hold.request, held: hold.screening.holdsAll, candidates: hold.screening.held, lease: claim.lease),
        key: "\(claim.round.id):hold:\(hold.request.value)"
      ) { _ in [:] }
    }
    try await rounds.record(
      claim.lease, digest: decided.result.digest, snapshot: decided.snapshot, record: decided.record,
      result: decided.json, parameters: decided.parameters, now: clock.now(), until: leaseEnd())
    return decided.result.allocations
  }

  // MARK: offers

  /// Makes the offers, in the order of the allocations, and ends the round.
  func offer(of claim: ClaimedRound, _ allocations: [Allocation]) async throws {
    let started = ContinuousClock.now
    var made: Int64 = 0
    var refused: [String: Int64] = [:]
    for start in stride(from: 0, to: allocations.count, by: Self.commandsAtOnce) {
      let part = Array(allocations[start..<min(start + Self.commandsAtOnce, allocations.count)])
      for outcome in try await inParts(part, { try await offer($0, claim) }) {
        if let refusal = outcome.refusal { try refused.add([refusal: 1]) } else { made += 1 }
      }
      try await rounds.progress(
        claim.lease, made: made, refused: refused.values.reduce(0, +), now: clock.now(), until: leaseEnd())
    }
    var members = JSONWriter(capacity: 64)
    members.object { $0.rawField("refused", refused.jsonBytes) }
    try await rounds.finish(
      claim.lease, .succeeded, made: made, refused: refused.values.reduce(0, +), members: members.bytes,
      timings: ["offers_ms": started.milliseconds(to: .now)].jsonBytes, now: clock.now())
  }

  private func offer(_ allocation: Allocation, _ claim: ClaimedRound) async throws -> ChildOutcome {
    try await pipeline.runChild(
      MakeOffer(
        roundID: claim.round.id, requestID: allocation.request, listingID: allocation.listing,
        quantity: allocation.quantity, rate: BasisPoints(allocation.rateBps), lease: claim.lease),
      key: "\(claim.round.id):\(allocation.listing.value):\(allocation.request.value)"
    ) { _ in ["offers": 1] }
  }

  /// Does so many at a time; the outcomes are in no order.
  private func inParts<Item: Sendable>(
    _ items: [Item], _ work: @escaping @Sendable (Item) async throws -> ChildOutcome
  ) async throws -> [ChildOutcome] {
    var outcomes: [ChildOutcome] = []
    for start in stride(from: 0, to: items.count, by: Self.commandsAtOnce) {
      outcomes += try await withThrowingTaskGroup(of: ChildOutcome.self) { group in
        for item in items[start..<min(start + Self.commandsAtOnce, items.count)] {
          group.addTask { try await work(item) }
        }
        return try await group.reduce(into: []) { $0.append($1) }
      }
    }
    return outcomes
  }
}

/// What a round decided, and all that is kept of it.
private struct DecidedRound: Sendable {
  let result: MatchRoundResult
  /// Requests of which a verdict holds something, or held everything until now; of the others there is nothing to record.
  let holds: [(request: LoanRequestID, screening: MarketScreen.Screening)]
  /// Canonical bytes.
  let snapshot: [UInt8]
  let record: [UInt8]
  let json: [UInt8]
  let parameters: [UInt8]

  /// What one message to the database can carry, less room for the rest of it: some two million orders.
  private static let mostBytes = 1_000_000_000

  /// Screens, clears, writes down: long computing.
  init(_ market: Market, _ segment: MatchSegment, since started: ContinuousClock.Instant) throws {
    let (snapshot, held) = try market.snapshot(of: segment)
    let read = ContinuousClock.now
    result = Matching.clear(snapshot)
    let report = RoundReport(
      segment: segment, snapshot: snapshot, result: result, readMilliseconds: started.milliseconds(to: read),
      clearMilliseconds: read.milliseconds(to: .now))
    holds = market.requests.compactMap { request in
      guard let screening = held[request.id], !screening.held.isEmpty || request.state == .held else { return nil }
      return (request.id, screening)
    }
    self.snapshot = snapshot.canonicalBytes
    record = result.canonicalBytes
    json = report.json
    parameters = report.parameters
    let bytes = self.snapshot.count + record.count + json.count
    guard bytes <= Self.mostBytes else { throw RecordTooLarge(bytes: bytes) }
  }
}

/// More than can be kept of a round; its market is cleared in segments.
struct RecordTooLarge: Error, CustomStringConvertible {
  let bytes: Int
  var description: String { "the record takes \(bytes) bytes, too many to keep: clear the market in segments" }
}

/// A round ended its worker too often.
struct GivenUp: Error, CustomStringConvertible {
  let attempts: Int32
  var description: String { "given up after \(attempts) attempts" }
}

extension ContinuousClock.Instant {
  func milliseconds(to other: ContinuousClock.Instant) -> Int64 {
    let (seconds, attoseconds) = (other - self).components
    return seconds * 1_000 + attoseconds / 1_000_000_000_000_000
  }
}
