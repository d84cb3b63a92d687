import Catalogue
import Interest
import Postgres
import Primitives
import Repayment
import Screening

/// A document of reference data as it was loaded.
package struct ReferenceDocument: Sendable {
  /// The documents the program reads.
  package enum Name: String, Sendable, CaseIterable {
    case chipModels = "chip-models.csv"
    case exportRules = "export-rules.json"
    case countryScope = "country-scope.csv"
    /// A database that was seeded by an earlier program has none.
    case holidayCalendars = "holiday-calendars.json"
    /// None before the first was adopted.
    case screeningLists = "screening-lists.json"
  }

  package let name: Name
  package let content: [UInt8]
  package let source: String
  package let approvedBy: String?

  package init(name: Name, content: [UInt8], source: String, approvedBy: String?) {
    self.name = name
    self.content = content
    self.source = source
    self.approvedBy = approvedBy
  }
}

/// A document that the program needs is missing, or cannot be read.
package struct ReferenceDataError: Error, Sendable, CustomStringConvertible {
  package let description: String

  package init(_ description: String) { self.description = description }
}

package enum ReferenceSQL {
  package static let newest = Statement(
    "reference_newest",
    """
    select distinct on (name) name, content from reference_documents order by name, version desc
    """,
    columns: [.text, .bytea])

  /// Adds a version of a document unless the newest has the same content.
  package static let add = Statement(
    "reference_add",
    """
    insert into reference_documents (name, version, content, sha256, source, approved_by, loaded_at)
    select $1, coalesce(max(version), 0) + 1, $2, sha256($2), $3, $4, $5 from reference_documents where name = $1
    having coalesce((array_agg(sha256 order by version desc))[1], ''::bytea) <> sha256($2)
    """,
    parameters: [.text, .bytea, .text, .text, .timestamptz])

  /// Adds a document where there is none of that name.
  static let addFirst = Statement(
    "reference_add_first",
    """
    insert into reference_documents (name, version, content, sha256, source, approved_by, loaded_at)
    select $1, 1, $2, sha256($2), $3, $4, $5 where not exists (select 1 from reference_documents where name = $1)
    """,
    parameters: [.text, .bytea, .text, .text, .timestamptz])

  package static let bump = Statement(
    "reference_bump", "update platform_state set reference_version = reference_version + 1 where id = 1")

  /// What was adopted entry by entry, in that order.
  package static let adopted = Statement(
    "reference_adopted",
    Tables.referenceEntries.selectList + "where state = 'adopted' order by decided_at, id",
    columns: Tables.referenceEntries.types)

  /// What a load of the reference data asks for.
  package static var loading: [Query] { [Query(newest), Query(adopted)] }

  package static var statements: [Statement] { [newest, add, addFirst, bump, adopted, adoptedHaircuts] }

  package static func adding(_ document: ReferenceDocument, at now: Instant) -> Query {
    Query(add, binds(document, at: now))
  }

  /// What an empty database starts with. Rules that are in force change by a pack that a second person switches on, and
  /// not since a newer program carries others.
  package static func seeding(_ document: ReferenceDocument, at now: Instant) -> Query {
    Query(document.name == .exportRules ? addFirst : add, binds(document, at: now))
  }

  private static func binds(_ document: ReferenceDocument, at now: Instant) -> [Bind] {
    [
      .text(document.name.rawValue), .bytea(document.content), .text(document.source), .text(document.approvedBy),
      .timestamptz(now.microseconds),
    ]
  }

  /// - Throws: `ReferenceDataError` when a document is missing or does not parse. An empty database has none: `seed` first.
  /// - Parameter results: of `loading`, in order.
  package static func decode(_ results: [ResultSet], version: Int64) throws -> ReferenceData {
    var documents: [String: [UInt8]] = [:]
    for row in results[0] { documents[try row.text(0)] = try row.bytea(1) }
    func content(_ name: ReferenceDocument.Name) throws -> [UInt8] {
      guard let bytes = documents[name.rawValue] else {
        throw ReferenceDataError("the database has no \(name.rawValue): run chipbridge seed")
      }
      return bytes
    }
    return try parse(
      chipModels: content(.chipModels), exportRules: content(.exportRules), countryScope: content(.countryScope),
      calendars: documents[ReferenceDocument.Name.holidayCalendars.rawValue],
      screeningLists: documents[ReferenceDocument.Name.screeningLists.rawValue],
      adopted: Tables.referenceEntries.decode(results[1]), version: version)
  }

  /// Parses the documents.
  /// - Parameter adopted: entries that count beside them, in the order in which they were adopted.
  package static func parse(
    chipModels: [UInt8], exportRules: [UInt8], countryScope: [UInt8], calendars: [UInt8]? = nil,
    screeningLists: [UInt8]? = nil, adopted: [ReferenceEntry] = [], version: Int64
  ) throws -> ReferenceData {
    do {
      let countries = try CountryScope(fromCSV: countryScope)
      let rules = try ExportRules(parsing: exportRules, countries: countries)
      let chips = try ChipModel.models(fromCSV: chipModels)
      let screening = try screeningLists.map { try ScreeningLists(parsing: $0) } ?? .none
      var published = try calendars.map { try PublishedCalendar.calendars(fromJSON: $0) } ?? []
      for entry in adopted {
        switch entry.fact {
        case .calendar(let calendar): published.append(calendar)
        case .taxRule, .leastHaircut: continue
        }
      }
      return ReferenceData(
        version: version, chips: chips, rules: rules, parameters: MarketParameters(),
        calendars: BusinessCalendars(published), taxes: try FeeTaxTable(adopted: adopted),
        haircuts: HaircutTable(adopted: adopted),
        screening: screening)
    } catch {
      throw ReferenceDataError("reference data cannot be read: \(error)")
    }
  }
}
