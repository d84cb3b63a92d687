import Persistence
import Primitives
import StrictJSON

extension StoredEvent {
  /// As it is read, streamed and delivered.
  /// - Parameters:
  ///   - reader: nil for who is told everything.
  ///   - isThin: without what it carries, which is read by its id.
  package func write(to writer: inout JSONWriter, for reader: OrganizationID?, isThin: Bool = false) {
    writer.beginObject()
    writer.field("id", id.description)
    writer.field("position", position)
    writer.field("type", type)
    writer.field("subject", subject)
    writer.field("subject_version", subjectVersion)
    writer.field("sequence", sequence(for: reader))
    writer.field("business_at", businessAt.description)
    if isThin {
      writer.field("link", "/v1/events/\(id)")
    } else {
      writer.rawField("data", data)
      if let before { writer.rawField("before", before) } else { writer.nullField("before") }
      if let after { writer.rawField("after", after) } else { writer.nullField("after") }
    }
    writer.endObject()
  }
}
