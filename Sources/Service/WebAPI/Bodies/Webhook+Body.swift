import Operations
import Persistence
import Primitives
import StrictJSON

/// What a body says of a webhook: `url`, `types`? (at most 50), `description`?
struct WebhookBody {
  let url: String?
  let types: [String]?
  let description: String?

  private static let expectedType: StaticString = "a type of event: noun.past_tense, or noun.*"

  /// - Parameter isNew: the URL is required.
  static func parse(_ reader: inout ObjectReader, isNew: Bool) -> WebhookBody? {
    let url = isNew ? reader.string("url", bytes: 1...2_048) : reader.optionalString("url", bytes: 1...2_048)
    let types = reader.optionalSet("types", count: 0...50) { node, log in
      log.parsed(node, expected: expectedType, bytes: 3...100) { EventFilter.isType($0) ? $0 : nil }
    }
    let description = reader.optionalString("description", bytes: 1...500)
    if isNew, url == nil { return nil }
    return WebhookBody(url: url, types: types, description: description)
  }
}

extension Webhook {
  package func write(to writer: inout JSONWriter) {
    writer.object { writer in
      writer.field("id", id)
      writer.field("state", state)
      writer.field("organization_id", organizationID)
      writer.field("url", url)
      writer.field("types", types)
      writer.field("description", description)
      writer.field("disabled_reason", disabledReason)
      writer.field("from_position", fromPosition)
      writer.history(version: version, createdAt: createdAt, updatedAt: updatedAt)
    }
  }
}

extension DeliveryRecord {
  package func write(to writer: inout JSONWriter) {
    writer.object { writer in
      writer.field("event_id", eventID)
      writer.field("position", position)
      writer.field("type", type)
      writer.field("subject", subject)
      writer.field("state", state)
      writer.field("attempts", attempts)
      writer.field("next_attempt_at", state == .pending ? nextAttemptAt : nil)
      writer.field("created_at", createdAt)
      writer.field("updated_at", updatedAt)
      writer.array("log", log) { writer, attempt in
        writer.object { writer in
          writer.field("number", attempt.number)
          writer.field("at", attempt.at)
          writer.field("latency_ms", attempt.latencyMilliseconds)
          writer.field("outcome", attempt.outcome)
          writer.field("status", attempt.status.map { Int64($0) })
          writer.field("excerpt", attempt.excerpt)
        }
      }
    }
  }
}
