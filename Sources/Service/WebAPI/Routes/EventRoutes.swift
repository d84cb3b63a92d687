import HTTPTypes
import Hummingbird
import NIOCore
import Operations
import Parties
import Persistence
import Postgres
import Primitives
import StrictJSON
import WebSupport

extension HTTPField.Name {
  /// What a browser's EventSource sends when it connects again (WHATWG HTML, 9.2).
  static let lastEventID: HTTPField.Name = {
    guard let name = HTTPField.Name("Last-Event-ID") else { preconditionFailure("a field name") }
    return name
  }()
}

extension WebAPI {
  /// What happened, by page, by id, and as it happens.
  func addEventRoutes(_ routes: inout Routes) {
    routes.get("/v1/events") { request, _ in try await events(request) }
    routes.get("/v1/events/stream") { request, _ in
      let principal = try await gateway.principal(of: request)
      let (filter, after) = (try Self.eventFilter(request), try Self.resumption(request))
      let seat = try seat(of: principal)
      try await feed.keep()
      return eventStream(
        EventStream(
          feed: feed, reader: gateway.reader, authenticator: gateway.authenticator, principal: principal,
          authorization: request.headers[.authorization], filter: filter), after: after ?? feed.newest, seat)
    }
    routes.get("/v1/events/{id}") { request, context in
      let principal = try await gateway.principal(of: request)
      let id: EventID = try Gateway.pathID(context, noun: "event")
      let horizon = try await feed.advance()
      let query = EventSQL.one(principal.readsEverything ? nil : principal.organizationID, id, through: horizon)
      guard let row = try await gateway.reader.run([query], as: principal)[0].first else {
        throw PartiesRefusal.notFound("event")
      }
      let event = try StoredEvent(row)
      return gateway.object(request, version: nil) { event.write(to: &$0, for: Self.toldTo(principal)) }
    }
  }

  /// Whose numbers an event has: nil for who is told everything.
  static func toldTo(_ principal: Principal) -> OrganizationID? {
    principal.readsEverything ? nil : principal.organizationID
  }

  /// `type`: up to 20 of `noun.past_tense` or `noun.*`, separated by commas; `subject`: the id of an object.
  static func eventFilter(_ request: Request) throws -> EventFilter {
    var types: [String] = []
    if let text = request.uri.queryParameters["type"] {
      types = text.split(separator: ",", omittingEmptySubsequences: false).map(String.init)
      guard types.count <= 20, types.allSatisfy({ EventFilter.isType($0) }) else {
        throw Problem(
          .unprocessableContent, "request.invalid",
          "type is up to 20 types of events, such as loan.paid or loan.*, separated by commas.")
      }
    }
    return EventFilter(types: types, subject: try Gateway.text(request, "subject"))
  }

  /// The position after which events are wanted.
  private static func position(_ text: some StringProtocol, _ name: String) throws -> Int64 {
    guard let value = Int64(text), value >= 0 else {
      throw Problem(.unprocessableContent, "request.invalid", "\(name) is the position of an event.")
    }
    return value
  }

  private static func resumption(_ request: Request) throws -> Int64? {
    if let text = request.headers[.lastEventID], !text.isEmpty { return try position(text, "Last-Event-ID") }
    return try request.uri.queryParameters["after"].map { try position($0, "after") }
  }

  /// The outbox from a position on: every event once, in order, none that a running transaction may still precede.
  private func events(_ request: Request) async throws -> Response {
    let principal = try await gateway.principal(of: request)
    let filter = try Self.eventFilter(request)
    let query = try gateway.listQuery(request, list: "events")
    // A cursor of this list holds a position where those of other lists hold a time.
    var after = query.position.createdAt.microseconds
    if let text = request.uri.queryParameters["after"] {
      guard request.uri.queryParameters["cursor"] == nil else {
        throw Problem(.unprocessableContent, "request.invalid", "after and cursor do not go together.")
      }
      after = try Self.position(text, "after")
    }
    let horizon = try await feed.advance()
    let page = EventSQL.page(
      Self.toldTo(principal), after: after, through: horizon, filter, limit: query.limit + 1)
    let rows = try await gateway.reader.run([page], as: principal)[0].map { try StoredEvent($0) }
    let shown = Array(rows.prefix(Int(query.limit)))
    let next = rows.count > shown.count ? shown.last.flatMap { Instant(microseconds: $0.position) } : nil
    return gateway.page(
      shown,
      next: next.map {
        gateway.cursors.encode(PagePosition(createdAt: $0, id: UUIDValue(high: 0, low: 0)), list: "events")
      }
    ) { event, writer in event.write(to: &writer, for: Self.toldTo(principal)) }
  }

  /// A place among the streams of this process.
  /// - Throws: 429 past what a key may have, 503 past what the process takes.
  func seat(of principal: Principal) throws -> EventFeed.Seat {
    do { return try feed.watch(principal.credential) } catch {
      var problem =
        switch error {
        case .tooManyOfKey(let most):
          Problem(.tooManyRequests, "events.too_many_streams", "A key may have \(most) streams at a time.")
        case .tooMany, .closed:
          Problem(.serviceUnavailable, "service.busy", "The service takes no more streams now; try again shortly.")
        }
      problem.headers = [(.retryAfter, "5")]
      throw problem
    }
  }

  private func eventStream(_ stream: EventStream, after: Int64, _ seat: EventFeed.Seat) -> Response {
    let body = ResponseBody { writer in
      do { try await stream.send(after: after, seat, to: &writer) } catch is CancellationError {
        // The client has gone.
      }
      try await writer.finish(nil)
    }
    return Response(
      status: .ok, headers: [.contentType: "text/event-stream", .cacheControl: "no-store"], body: body)
  }
}

/// Server-sent events of one client (WHATWG HTML, 9.2). `id` is the position, so that a client that was cut asks for what
/// follows, and `event` the type.
struct EventStream: Sendable {
  let feed: EventFeed
  let reader: Reader
  let authenticator: Authenticator
  let principal: Principal
  let authorization: String?
  let filter: EventFilter

  /// Whether the key still holds is looked at so often.
  private static let recheck = Duration.seconds(2)
  private static let page: Int64 = 200

  /// Sends until the client or the service ends it. A client that falls behind what is kept is told and cut.
  func send(after: Int64, _ seat: EventFeed.Seat, to writer: inout any ResponseBodyWriter) async throws {
    var position = after
    var isLive = false
    var (lastSent, lastChecked) = (ContinuousClock.now, ContinuousClock.now)
    try await writer.write(ByteBuffer(string: ": from \(position)\nretry: 2000\nid: \(position)\n\n"))
    var turns = seat.turns.makeAsyncIterator()
    while true {
      switch feed.recent(after: position) {
      case .events(let events, let through):
        isLive = true
        let wanted = events.filter {
          (principal.readsEverything || $0.concerns(principal.organizationID)) && filter.admits($0)
        }
        if !wanted.isEmpty {
          try await write(wanted, to: &writer)
          lastSent = .now
        }
        position = through
      case .notKept where isLive:
        let what = "event: overflow\ndata: {\"last\":\(position)}\n\n"
        return try await writer.write(ByteBuffer(string: what))
      case .notKept:
        position = try await sendOlder(after: position, to: &writer)
        lastSent = .now
        continue
      }
      guard await turns.next() != nil else { return }
      if ContinuousClock.now - lastChecked >= Self.recheck {
        lastChecked = .now
        guard try await isStillAllowed() else { return }
      }
      if ContinuousClock.now - lastSent >= feed.limits.heartbeat {
        lastSent = .now
        try await writer.write(ByteBuffer(string: ": heartbeat\n\n"))
      }
    }
  }

  /// - Returns: up to where the client has now been told.
  private func sendOlder(after position: Int64, to writer: inout any ResponseBodyWriter) async throws -> Int64 {
    let through = feed.newest
    let query = EventSQL.page(
      WebAPI.toldTo(principal), after: position, through: through, filter, limit: Self.page)
    let events = try await reader.run([query], as: principal)[0].map { try StoredEvent($0) }
    try await write(events, to: &writer)
    return events.count < Self.page ? through : events.last?.position ?? through
  }

  private func write(_ events: [StoredEvent], to writer: inout any ResponseBodyWriter) async throws {
    var buffer = ByteBuffer()
    for event in events {
      var json = JSONWriter(capacity: 512)
      event.write(to: &json, for: WebAPI.toldTo(principal))
      buffer.writeString("id: \(event.position)\nevent: \(event.type)\ndata: ")
      buffer.writeBytes(json.bytes)
      buffer.writeString("\n\n")
    }
    if buffer.readableBytes > 0 { try await writer.write(buffer) }
  }

  /// A database that does not answer is no reason to cut; a key that was revoked is.
  private func isStillAllowed() async throws -> Bool {
    do {
      _ = try await authenticator.principal(authorization: authorization)
      return true
    } catch let problem as Problem {
      return problem.status != .unauthorized
    }
  }
}
