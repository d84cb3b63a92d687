import Lending
import Matching
import Persistence
import Primitives
import StrictJSON
import Synchronization

/// What a request that a round left wanting is told beside the reasons.
package struct MatchAdvice: Sendable, Hashable {
  /// Its place among those that want the same chips; nil when it wants none.
  package let queue: QueuePosition?
  /// The smallest change of each kind that would have matched it, each tried by clearing the round again with it.
  package let changes: [MatchChange]
  /// Whether changes were looked for: in a market beyond `MatchAdviser.mostOrders` they are not.
  package let isSearched: Bool
}

/// What a round now would make of a request that is not placed: coarse, since it could be asked again and again.
package struct MatchOutlook: Sendable, Hashable {
  package enum Fill: String, Sendable, Hashable, CaseIterable {
    case whole
    case part
    case none
    /// The market is too large to be cleared for a preview.
    case unknown
  }

  package let fill: Fill
  /// Why candidates would fail; empty where it would be filled.
  package let reasons: [LeftoverReason]
  package let changes: [MatchChange]
}

extension MatchOutlook {
  /// One member, `outlook`, into an object that is open.
  package func write(to writer: inout JSONWriter) {
    writer.key("outlook")
    writer.object { writer in
      writer.field("fill", fill.rawValue)
      writer.array("reasons", reasons) { writer, reason in
        writer.object { writer in
          writer.field("constraint", reason.constraint.rawValue)
          writer.field("effect", reason.effect?.rawValue)
          writer.field("candidates", reason.count)
        }
      }
      writer.array("changes", changes) { $1.write(to: &$0) }
    }
  }
}

extension MatchChange {
  fileprivate func write(to writer: inout JSONWriter) {
    writer.object { writer in
      writer.field("kind", kind.rawValue)
      if let model = chipModel { writer.field("chip_model_id", model.value) }
      switch kind {
      case .rate, .chip: writer.field("max_rate_bps", number)
      case .term: writer.field("term_days", number)
      case .minQuantity: writer.field("min_quantity", number)
      case .maxLenders: writer.field("max_lenders", number)
      case .region: writer.field("region", region)
      case .startDate: writer.field("start_by_on", date?.description)
      case .sameModel: writer.field("same_model", false)
      case .sameSite: writer.field("same_site", false)
      }
      writer.field("would_match", quantity)
    }
  }
}

extension MatchAdvice {
  /// Members `queue`, `changes` and `changes_searched`, into an object that is open.
  package func write(to writer: inout JSONWriter) {
    if let queue {
      writer.key("queue")
      writer.object { writer in
        writer.field("position", queue.position)
        writer.field("chips_ahead", queue.chipsAhead)
      }
    }
    writer.field("changes_searched", isSearched)
    writer.array("changes", changes) { $1.write(to: &$0) }
  }
}

/// Looks for what would have matched a request. One search at a time: each clears a market dozens of times. Answers are
/// kept, since a round's record does not change and requests are asked about again and again.
package final class MatchAdviser: Sendable {
  /// Orders of both sides up to which a round is cleared again for advice.
  package static let mostOrders = 4_000
  private static let mostKept = 1_000

  private struct Question: Hashable {
    let round: SHA256Digest
    let request: LoanRequestID
    let isHeldByRule: Bool
  }

  /// Previews that one organisation may ask for in a minute of the wall clock.
  package static let previewsAMinute = 30

  private let isBusy = Atomic<Bool>(false)
  private let previews = Mutex<(minute: Int64, counts: [OrganizationID: Int])>((0, [:]))
  private let kept = Mutex<[Question: MatchAdvice]>([:])

  package init() {}

  /// - Returns: nil for a round whose record is not kept, or is of another engine.
  /// - Throws: `PipelineError.busy` while another search is under way in this process.
  package func advise(
    _ request: LoanRequestID, in round: StoredRound, isHeldByRule: Bool
  ) async throws -> MatchAdvice? {
    guard let snapshot = round.snapshot, let record = round.record, let digest = round.digest else { return nil }
    let question = Question(round: digest, request: request, isHeldByRule: isHeldByRule)
    if let advice = kept.withLock({ $0[question] }) { return advice }
    guard isBusy.compareExchange(expected: false, desired: true, ordering: .acquiringAndReleasing).exchanged else {
      throw PipelineError.busy
    }
    defer { isBusy.store(false, ordering: .releasing) }
    let advice = try await onThreadOfItsOwn { try Self.search(request, snapshot, record, isHeldByRule: isHeldByRule) }
    guard let advice else { return nil }
    kept.withLock { kept in
      if kept.count >= Self.mostKept { kept.removeAll() }
      kept[question] = advice
    }
    return advice
  }

  /// Whether the organisation may ask for a preview now; counts it.
  package func admitsPreview(of organization: OrganizationID, at now: Instant) -> Bool {
    let minute = now.microseconds / 60_000_000
    return previews.withLock { previews in
      if previews.minute != minute { previews = (minute, [:]) }
      previews.counts[organization, default: 0] += 1
      return previews.counts[organization, default: 0] <= Self.previewsAMinute
    }
  }

  /// What a round now would make of a request that is not placed.
  /// - Throws: `PipelineError.busy` while another search is under way in this process.
  package func preview(_ request: LoanRequest, in market: Market) async throws -> MatchOutlook? {
    guard market.listings.count + market.requests.count <= Self.mostOrders else {
      return MatchOutlook(fill: .unknown, reasons: [], changes: [])
    }
    guard isBusy.compareExchange(expected: false, desired: true, ordering: .acquiringAndReleasing).exchanged else {
      throw PipelineError.busy
    }
    defer { isBusy.store(false, ordering: .releasing) }
    return try await onThreadOfItsOwn {
      guard let (snapshot, line, isHeldByRule) = try market.snapshot(with: request) else { return nil }
      let result = clear(snapshot)
      let left = result.leftovers.first { $0.order == .request(line.id) }
      guard let left, left.remaining > 0 else { return MatchOutlook(fill: .whole, reasons: [], changes: []) }
      var search = ChangeSearch(snapshot, line)
      let changes = try search.changes(isHeldByRule: isHeldByRule)
      return MatchOutlook(
        fill: left.remaining < line.quantity ? .part : .none, reasons: left.reasons, changes: changes)
    }
  }

  private static func search(
    _ request: LoanRequestID, _ snapshot: [UInt8], _ record: [UInt8], isHeldByRule: Bool
  ) throws -> MatchAdvice? {
    let market = try MatchSnapshot(canonicalBytes: snapshot)
    let result = try MatchRoundResult(canonicalBytes: record)
    guard result.engineVersion == matchEngineVersion, let line = market.requests.first(where: { $0.id == request })
    else { return nil }
    var remaining: [LoanRequestID: Int64] = [:]
    for leftover in result.leftovers {
      if case .request(let id) = leftover.order { remaining[id] = leftover.remaining }
    }
    let queue = market.queuePosition(of: request, remaining: remaining)
    guard queue != nil, market.listings.count + market.requests.count <= mostOrders else {
      return MatchAdvice(queue: queue, changes: [], isSearched: queue == nil)
    }
    var search = ChangeSearch(market, line)
    let changes = try search.changes(isHeldByRule: isHeldByRule || market.needsLicence(line))
    return MatchAdvice(queue: queue, changes: changes, isSearched: true)
  }
}
