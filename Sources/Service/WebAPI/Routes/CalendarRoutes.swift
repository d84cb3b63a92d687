import HTTPTypes
import Hummingbird
import Interest
import Operations
import Parties
import Persistence
import Primitives
import StrictJSON
import WebSupport

/// Calendars of business days: dated data that a second person adopts.
extension WebAPI {
  func addCalendarRoutes(_ routes: inout Routes) {
    routes.get("/v1/calendars") { request, _ in try await calendars(request) }
    routes.post("/v1/calendars") { request, context in
      try await gateway.post(
        request, context,
        render: .init(
          status: .created, location: { "/v1/calendars/\($0.id)" }, version: { $0.version },
          write: { $0.write(to: &$1) })
      ) { reader, _ in try PublishedCalendar.parse(&reader).map { ProposeReference(fact: .calendar($0)) } }
    }
    addReferenceRoutes(&routes, "/v1/calendars", noun: "calendar", kind: .calendar)
    routes.get("/v1/business-days") { request, _ in
      _ = try await gateway.principal(of: request)
      guard let currency = try Gateway.text(request, "currency").flatMap({ Currency($0) }) else {
        throw Problem(.unprocessableContent, "request.invalid", "currency is one of ISO 4217, such as USD.")
      }
      let date = try await businessDate(request)
      let calendars = try await reference.refreshed(writer).calendars
      return gateway.object(request, version: nil) { calendars.write(date, of: currency, to: &$0) }
    }
  }

  /// What counts, in the order in which it was adopted, and for staff what waits beside it.
  private func calendars(_ request: Request) async throws -> Response {
    let principal = try await gateway.principal(of: request)
    let calendars = try await reference.refreshed(writer).calendars
    let proposed =
      principal.isStaff || principal.readsEverything
      ? try await gateway.reader.page(
        Resources.referenceEntries, after: .start, limit: 200, filter: "calendar:proposed", as: principal) : []
    return gateway.object(request, version: nil) { writer in
      writer.object { writer in
        writer.array("data", calendars.publications) { $1.write(to: &$0) }
        writer.array("proposed", proposed) { $1.write(to: &$0) }
        writer.nullField("next_cursor")
      }
    }
  }
}

extension PublishedCalendar {
  /// `code`, `currencies`, `from_on`, `through_on`, `weekend`? (6 and 7), `holidays` [{`on`, `name`}], `source`
  package static func parse(_ reader: inout ObjectReader) throws -> PublishedCalendar? {
    let code = reader.parsed(
      "code", expected: "2 to 12 of A-Z, 0-9 and hyphen, a letter first", bytes: 1...12
    ) { CalendarCode($0) }
    let currencies = reader.set("currencies", count: 1...20) { node, faults in
      faults.parsed(node, expected: "a currency by its three capital letters (ISO 4217)", bytes: 3...3) { Currency($0) }
    }
    let (from, through) = (reader.date("from_on"), reader.date("through_on"))
    let weekend = reader.optionalSet("weekend", count: 0...6) { $1.int($0, 1...7) }
    let holidays = reader.objects("holidays", count: 0...PublishedCalendar.mostHolidays) { holiday -> Holiday? in
      let on = holiday.date("on")
      let name = holiday.string("name", bytes: BodyBounds.name)
      guard let on, let name else { return nil }
      return Holiday(on: on, name: name)
    }
    let source = reader.string("source", bytes: BodyBounds.source)
    guard let code, let currencies, let from, let through, let holidays, let source else { return nil }
    return try PublishedCalendar(
      code: code, currencies: currencies, from: from, through: through,
      weekend: Set(weekend?.map { Int($0) } ?? [6, 7]), holidays: holidays, source: source)
  }
}

extension ReferenceEntry {
  package func write(to writer: inout JSONWriter) {
    writer.object { writer in
      writer.field("id", id)
      writer.field("state", state)
      switch fact {
      case .calendar(let calendar): calendar.writeMembers(to: &writer)
      case .taxRule(let rule, let superseded):
        rule.writeMembers(to: &writer)
        writer.field("supersedes", superseded)
      case .leastHaircut(let least): least.writeMembers(to: &writer)
      }
      writer.field("proposed_by", proposedBy)
      writer.field("decided_by", decidedBy)
      writer.field("decided_at", decidedAt)
      writer.history(version: version, createdAt: createdAt, updatedAt: updatedAt)
    }
  }
}

extension BusinessCalendars {
  /// What a day is to money of a currency, and where it goes from there.
  func write(_ date: CalendarDate, of currency: Currency, to writer: inout JSONWriter) {
    let day = day(date, of: currency)
    writer.object { writer in
      writer.field("currency", currency.code)
      writer.field("on", date)
      writer.field("calendar", calendar(of: currency)?.value)
      switch day {
      case .business: writer.field("is_business_day", true)
      case .closed: writer.field("is_business_day", false)
      case .unpublished, .noCalendar: writer.nullField("is_business_day")
      }
      if case .closed(let name?) = day { writer.field("holiday", name) } else { writer.nullField("holiday") }
      writer.field("following", try? adjusted(date, of: currency, by: .following))
      writer.field("modified_following", try? adjusted(date, of: currency, by: .modifiedFollowing))
      writer.field("preceding", try? adjusted(date, of: currency, by: .preceding))
    }
  }
}

extension WebAPI {
  /// An entry of reference data of one kind: read by its id, and adopted or rejected.
  func addReferenceRoutes(
    _ routes: inout Routes, _ path: String, noun: String, kind: ReferenceEntry.Kind
  ) {
    routes.get("\(path)/{id}") { request, context in
      let principal = try await gateway.principal(of: request)
      let id: ReferenceEntryID = try Gateway.pathID(context, noun: noun)
      let row = try await gateway.reader.one(Resources.referenceEntries, id.value, as: principal, noun: noun)
      guard row.fact.kind == kind else { throw PartiesRefusal.notFound(noun) }
      return gateway.object(request, version: row.version) { row.write(to: &$0) }
    }
    for act in DecideReference.Act.allCases {
      routes.post("\(path)/{id}/\(act.rawValue)") { request, context in
        let id: ReferenceEntryID = try Gateway.pathID(context, noun: noun)
        return try await gateway.post(
          request, context, render: .init(version: { $0.version }, write: { $0.write(to: &$1) })
        ) { reader, posted -> DecideReference? in
          guard EmptyBody.parse(&reader) != nil else { return nil }
          return DecideReference(entryID: id, kind: kind, act: act, ifVersion: posted.ifVersion)
        }
      }
    }
  }
}
