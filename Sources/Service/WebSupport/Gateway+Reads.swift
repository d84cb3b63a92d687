import HTTPTypes
import Hummingbird
import NIOCore
import Operations
import Parties
import Persistence
import Primitives
import StrictJSON

extension Gateway {
  /// What an answer about these rows has besides, as this principal may see it.
  package typealias Besides<Row> = ([Row], Principal) async throws -> (inout JSONWriter) -> Void

  /// An object as an answer, with its version as a strong entity tag; 304 when the caller has it already.
  /// - Parameter besides: members beyond the object's own. Then there is no tag: its version does not tell of them.
  package func object(
    _ request: Request, version: Int64?, besides: ((inout JSONWriter) -> Void)? = nil,
    _ write: (inout JSONWriter) throws -> Void
  ) rethrows -> Response {
    var fields = HTTPFields()
    fields[.contentType] = "application/json"
    if let version, besides == nil {
      let tag = "\"v\(version)\""
      fields[.eTag] = tag
      if request.headers[.ifNoneMatch] == tag { return Response(status: .notModified, headers: fields) }
    }
    var writer = JSONWriter(capacity: 2_560)
    try write(&writer)
    let body =
      besides.map { ByteBuffer(bytes: Self.adding($0, to: writer.bytes)) } ?? writer.withBytes { ByteBuffer(bytes: $0) }
    return Response(status: .ok, headers: fields, body: ResponseBody(byteBuffer: body))
  }

  /// Members at the end of an object that is written already and has some.
  static func adding(_ besides: (inout JSONWriter) -> Void, to body: [UInt8]) -> [UInt8] {
    guard body.last == UInt8(ascii: "}") else { return body }
    var writer = JSONWriter(capacity: 256)
    writer.beginObject()
    besides(&writer)
    writer.endObject()
    return body.dropLast() + [UInt8(ascii: ",")] + writer.bytes.dropFirst()
  }

  /// What a list asks for.
  package struct ListQuery: Sendable {
    package let position: PagePosition
    package let limit: Int64
  }

  /// `limit` 1...200 (50) and `cursor`.
  package func listQuery(_ request: Request, list: String) throws -> ListQuery {
    let parameters = request.uri.queryParameters
    var limit: Int64 = 50
    if let text = parameters["limit"] {
      // Digits alone: what Swift reads besides, such as a plus sign, which a query may mean as a space, is no number here.
      guard text.utf8.allSatisfy({ (0x30...0x39).contains($0) }), let value = Int64(text), (1...200).contains(value)
      else {
        throw Problem(.unprocessableContent, "request.invalid", "limit is an integer from 1 to 200.")
      }
      limit = value
    }
    var position = PagePosition.start
    if let text = parameters["cursor"] {
      guard let decoded = cursors.decode(String(text), list: list) else {
        throw Problem(.unprocessableContent, "request.invalid", "cursor is not one that this list gave.")
      }
      position = decoded
    }
    return ListQuery(position: position, limit: limit)
  }

  /// A page: `{"data": [...], "next_cursor": ...}`.
  package func list<Row>(
    _ request: Request, _ resource: ResourceQuery<Row>, name: String, filter: String? = nil,
    position: @escaping (Row) -> PagePosition, besides: Besides<Row>? = nil,
    write: (Row, inout JSONWriter) throws -> Void
  ) async throws -> Response {
    let principal = try await principal(of: request)
    let query = try listQuery(request, list: name)
    let value = try filter.flatMap { try Self.text(request, Substring($0)) }
    let rows = try await reader.page(
      resource, after: query.position, limit: query.limit + 1, filter: value, as: principal)
    let shown = rows.prefix(Int(query.limit))
    let next = rows.count > shown.count ? shown.last.map(position) : nil
    let members = try await besides?(Array(shown), principal)
    return try page(Array(shown), next: next.map { cursors.encode($0, list: name) }, besides: members, write)
  }

  package func page<Row>(
    _ rows: [Row], next: String?, besides: ((inout JSONWriter) -> Void)? = nil,
    _ write: (Row, inout JSONWriter) throws -> Void
  ) rethrows -> Response {
    // Most rows take less, and few twice as much.
    var writer = JSONWriter(capacity: 512 + rows.count * 1_024)
    writer.beginObject()
    writer.key("data")
    writer.beginArray()
    for row in rows { try write(row, &writer) }
    writer.endArray()
    writer.field("next_cursor", next)
    besides?(&writer)
    writer.endObject()
    var fields = HTTPFields()
    fields[.contentType] = "application/json"
    return Response(
      status: .ok, headers: fields, body: ResponseBody(byteBuffer: writer.withBytes { ByteBuffer(bytes: $0) }))
  }

  /// An id of the path.
  /// - Throws: 404 like an unknown one: a malformed id names nothing.
  package static func pathID<Noun>(
    _ context: ChipBridgeContext, _ name: String = "id", noun: String
  ) throws -> Identifier<Noun> {
    if BodyProbe.current != nil { return Identifier(UUIDValue(high: 0, low: 0)) }
    guard let text = context.parameters.get(name), let id = Identifier<Noun>(text) else {
      throw PartiesRefusal.notFound(noun)
    }
    return id
  }

  /// A text of the query.
  /// - Throws: 422 past 200 bytes or with control characters, which no stored text has.
  package static func text(_ request: Request, _ name: Substring) throws -> String? {
    guard let text = request.uri.queryParameters[name] else { return nil }
    guard text.utf8.count <= 200, text.utf8.allSatisfy({ $0 >= 0x20 && $0 != 0x7F }) else {
      throw Problem(
        .unprocessableContent, "request.invalid", "\(name) is at most 200 bytes without control characters.")
    }
    return String(text)
  }

  /// A calendar date of the query.
  package static func date(_ request: Request, _ name: Substring) throws -> CalendarDate? {
    guard let text = request.uri.queryParameters[name] else { return nil }
    guard let date = CalendarDate(text) else {
      throw Problem(.unprocessableContent, "request.invalid", "\(name) is a date, YYYY-MM-DD.")
    }
    return date
  }

  /// A moment of the query.
  package static func instant(_ request: Request, _ name: Substring) throws -> Instant? {
    guard let text = request.uri.queryParameters[name] else { return nil }
    guard let instant = Instant(text) else {
      throw Problem(.unprocessableContent, "request.invalid", "\(name) is an instant of RFC 3339.")
    }
    return instant
  }
}
