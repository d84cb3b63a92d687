import Matching
import Primitives
import StrictJSON

/// What is shown of a cleared round, and what the engine was told.
struct RoundReport {
  let segment: MatchSegment
  let snapshot: MatchSnapshot
  let result: MatchRoundResult
  let readMilliseconds: Int64
  let clearMilliseconds: Int64

  /// Members as the interface shows them; orders by id, so that a party can be shown its own part.
  var json: [UInt8] {
    var writer = JSONWriter(capacity: 1_024)
    writer.object { writer in
      writer.field("engine_version", result.engineVersion)
      writer.field("snapshot_digest", result.snapshotDigest.description)
      writer.field("objective", wide: result.objective)
      writer.field("bound", wide: result.bound)
      writer.field("gap", wide: result.gap)
      writer.field("method", result.method)
      writer.field("certificate", result.certificate)
      writer.field("fairness_bps", result.fairnessBps)
      writer.object("counts") { writer in
        writer.field("listings", snapshot.listings.count)
        writer.field("requests", snapshot.requests.count)
        writer.field("matched_pairs", result.matchedPairs)
        writer.field("matched_quantity", result.matchedQuantity)
        writer.field("leftover_listings", result.leftovers.count { $0.order.isListing })
        writer.field("leftover_requests", result.leftovers.count { !$0.order.isListing })
      }
      writer.array("classes", result.classes) { $0.write($1) }
      writer.array("leftovers", result.leftovers) { $0.write($1) }
      writer.object("timings") { writer in
        writer.field("read_ms", readMilliseconds)
        writer.field("clear_ms", clearMilliseconds)
      }
    }
    return writer.bytes
  }

  /// What a replay needs to know besides the snapshot. The engine takes no options yet.
  var parameters: [UInt8] {
    var writer = JSONWriter(capacity: 128)
    writer.object { writer in
      writer.field("engine_version", result.engineVersion)
      writer.object("segment") { writer in
        writer.field("chip_model_id", segment.chipModel?.value)
        writer.field("region", segment.region)
      }
      writer.object("options") { _ in }
    }
    return writer.bytes
  }
}

extension JSONWriter {
  fileprivate mutating func write(_ rate: ClassRate) {
    object { writer in
      writer.field("chip_model_id", rate.chipModel.value)
      writer.field("region", rate.region)
      writer.field("delivery_mode", rate.deliveryMode)
      writer.field("legal_form", rate.legalForm)
      writer.field("term_bucket", rate.termBucket.rawValue)
      writer.field("credit_grade", rate.creditGrade)
      writer.field("clearing_rate_bps", rate.clearingRateBps)
      writer.field("quantity", rate.quantity)
    }
  }

  fileprivate mutating func write(_ leftover: Leftover) {
    object { writer in
      writer.field("order", leftover.order.id)
      writer.field("remaining", leftover.remaining)
      writer.array("reasons", leftover.reasons) { writer, reason in
        writer.object { writer in
          writer.field("constraint", reason.constraint.rawValue)
          writer.field("effect", reason.effect?.rawValue)
          writer.field("candidates", reason.count)
        }
      }
    }
  }
}

extension Leftover.Order {
  fileprivate var id: String {
    switch self {
    case .listing(let id): id.description
    case .request(let id): id.description
    }
  }

  fileprivate var isListing: Bool {
    switch self {
    case .listing: true
    case .request: false
    }
  }
}
