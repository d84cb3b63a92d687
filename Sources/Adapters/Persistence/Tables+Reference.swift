import Catalogue
import Interest
import Postgres
import Primitives
import Repayment
import StrictJSON

/// A piece of reference data that came by itself: proposed by one person, adopted by another, and of use from then on.
package struct ReferenceEntry: Sendable, Hashable {
  /// What it says.
  package enum Fact: Sendable, Hashable {
    case calendar(PublishedCalendar)
    /// A tax on fees; it takes the place of another rule from its own first day on, where it names one.
    case taxRule(FeeTaxRule, supersedes: ReferenceEntryID?)
    case leastHaircut(LeastHaircut)

    /// The word that the database knows it by.
    package var kind: Kind {
      switch self {
      case .calendar: .calendar
      case .taxRule: .taxRule
      case .leastHaircut: .leastHaircut
      }
    }
  }

  package enum Kind: String, Sendable, Hashable, CaseIterable {
    case calendar
    case taxRule = "tax_rule"
    case leastHaircut = "least_haircut"
  }

  package enum State: String, Sendable, Hashable, CaseIterable {
    /// -> adopted, rejected
    case proposed
    /// Final: what says otherwise is a later entry.
    case adopted
    /// Final.
    case rejected
  }

  package let id: ReferenceEntryID
  package let fact: Fact
  package var state: State
  package let proposedBy: PersonID
  package var decidedBy: PersonID?
  package var decidedAt: Instant?
  package var version: Int64
  package let createdAt: Instant
  package var updatedAt: Instant

  package init(
    id: ReferenceEntryID, fact: Fact, state: State = .proposed, proposedBy: PersonID, decidedBy: PersonID? = nil,
    decidedAt: Instant? = nil, version: Int64 = 1, createdAt: Instant, updatedAt: Instant
  ) {
    self.id = id
    self.fact = fact
    self.state = state
    self.proposedBy = proposedBy
    self.decidedBy = decidedBy
    self.decidedAt = decidedAt
    self.version = version
    self.createdAt = createdAt
    self.updatedAt = updatedAt
  }
}

extension ReferenceEntry: Stored {
  package mutating func stamp(_ now: Instant) { updatedAt = now }
}

extension Tables {
  package static let referenceEntries = Table<ReferenceEntry>(
    "reference_entries", sql: "reference_entries", key: ["id"], idColumn: "id",
    columns: [
      .uuid("id") { $0.id.value },
      .text("kind") { $0.fact.kind.rawValue },
      .json("body") { entry in
        var writer = JSONWriter(capacity: 4_096)
        switch entry.fact {
        case .calendar(let calendar): calendar.write(to: &writer)
        case .taxRule(let rule, let superseded): rule.write(superseding: superseded, to: &writer)
        case .leastHaircut(let least): least.write(to: &writer)
        }
        return writer.bytes
      },
      .text("state") { $0.state.rawValue },
      .uuid("proposed_by") { $0.proposedBy.value },
      .uuidOrNull("decided_by") { $0.decidedBy?.value },
      .instant("decided_at") { $0.decidedAt },
      .int8("version") { $0.version },
      .instant("created_at") { $0.createdAt },
      .instant("updated_at") { $0.updatedAt },
    ],
    names: ("reference_entries_by_id", "reference_entries_insert", "reference_entries_update")
  ) { row in
    let id: ReferenceEntryID = try row.id()
    let kind = try row.value(ReferenceEntry.Kind.self)
    let body = try row.json()
    let fact: ReferenceEntry.Fact =
      switch kind {
      case .calendar: .calendar(try PublishedCalendar(stored: body))
      case .taxRule:
        .taxRule(
          try FeeTaxRule(stored: body), supersedes: body["supersedes"]?.asString.flatMap { ReferenceEntryID($0) })
      case .leastHaircut: .leastHaircut(try LeastHaircut(stored: body))
      }
    return ReferenceEntry(
      id: id, fact: fact, state: try row.value(), proposedBy: try row.id(), decidedBy: try row.idOrNull(),
      decidedAt: try row.instantOrNull(), version: try row.int(), createdAt: try row.instant(),
      updatedAt: try row.instant())
  }
}

extension PublishedCalendar {
  /// As it is stored, shown and seeded.
  package func write(to writer: inout JSONWriter) { writer.object { writeMembers(to: &$0) } }

  package func writeMembers(to writer: inout JSONWriter) {
    writer.field("code", code.value)
    writer.array("currencies", currencies) { $0.string($1.code) }
    writer.field("from_on", from.description)
    writer.field("through_on", through.description)
    writer.array("weekend", weekend) { $0.int($1) }
    writer.field("source", source)
    writer.array("holidays", holidays) { writer, holiday in
      writer.object { writer in
        writer.field("on", holiday.on.description)
        writer.field("name", holiday.name)
      }
    }
  }

  /// - Throws: `StoredValueError` for what `write(to:)` does not write.
  package init(stored node: JSONNode) throws {
    func damaged(_ member: String) -> StoredValueError { StoredValueError(column: "calendar", value: member) }
    guard let code = node["code"]?.asString.flatMap({ CalendarCode($0) }) else { throw damaged("code") }
    guard let from = node["from_on"]?.asString.flatMap({ CalendarDate($0) }),
      let through = node["through_on"]?.asString.flatMap({ CalendarDate($0) }),
      let source = node["source"]?.asString
    else { throw damaged("span or source") }
    let currencies = try (node["currencies"]?.elements).map { elements in
      try elements.map { element in
        guard let currency = element.asString.flatMap({ Currency($0) }) else { throw damaged("currencies") }
        return currency
      }
    }
    let weekend = try (node["weekend"]?.elements).map { elements in
      try elements.map { element in
        guard let day = element.asInteger.flatMap({ Int(exactly: $0) }) else { throw damaged("weekend") }
        return day
      }
    }
    let holidays = try (node["holidays"]?.elements).map { elements in
      try elements.map { element in
        guard let on = element["on"]?.asString.flatMap({ CalendarDate($0) }), let name = element["name"]?.asString
        else { throw damaged("holidays") }
        return Holiday(on: on, name: name)
      }
    }
    guard let currencies, let weekend, let holidays else { throw damaged("lists") }
    do throws(CalendarRefusal) {
      try self.init(
        code: code, currencies: currencies, from: from, through: through, weekend: Set(weekend), holidays: holidays,
        source: source)
    } catch { throw damaged(error.code) }
  }

  /// The calendars of a seed document: `{"calendars": [...]}`, each as `write(to:)` writes it.
  package static func calendars(fromJSON bytes: [UInt8]) throws -> [PublishedCalendar] {
    let root = try JSONDocument(parsing: bytes, limits: .stored).root
    guard let elements = root["calendars"]?.elements else {
      throw StoredValueError(column: "calendars", value: "no array")
    }
    return try elements.map { try PublishedCalendar(stored: $0) }
  }
}
