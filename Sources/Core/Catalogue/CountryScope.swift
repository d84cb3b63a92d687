import Primitives
import StrictCSV

/// The country groups of Supplement 1 to 15 CFR part 740 that rules name.
package struct CountryGroups: OptionSet, Sendable, Hashable {
  package let rawValue: UInt8
  package init(rawValue: UInt8) { self.rawValue = rawValue }

  package static let d5 = CountryGroups(rawValue: 1)
  /// D:1 and D:4 are not told apart: no reliable split was found, and their effect here is the same.
  package static let d1OrD4 = CountryGroups(rawValue: 2)
  package static let a6 = CountryGroups(rawValue: 4)
  package static let a5 = CountryGroups(rawValue: 8)
}

/// Which country belongs to which group, on which date. A country that is not listed is out of the destination rules.
package struct CountryScope: Sendable {
  private struct Membership: Sendable {
    let groups: CountryGroups
    let validFrom: CalendarDate
    /// The first day it no longer holds; nil when open.
    let validTo: CalendarDate?
  }

  private let memberships: [CountryCode: [Membership]]
  private let firstDay: CalendarDate

  private static let hongKong = CountryCode("HK")
  private static let china = CountryCode("CN")

  /// True when a rule that names `named` reaches `country`: the same, or Hong Kong where China is named.
  package static func reaches(_ country: CountryCode, naming named: CountryCode) -> Bool {
    country == named || (country == hongKong && named == china)
  }

  /// Reads `iso2,name,scope,valid_from,valid_to,source,notes`. Of a date known to the month the stricter end is taken:
  /// a group is entered on its first day and left after its last, and a carve-out the other way round.
  /// - Throws: `CSVFailure` with the line.
  package init(fromCSV bytes: [UInt8]) throws(CSVFailure) {
    let table = try CSVTable(parsing: bytes)
    let missing = table.missing(["iso2", "scope", "valid_from", "valid_to"])
    guard missing.isEmpty else {
      throw CSVFailure(line: 1, reason: "the header lacks \(missing.joined(separator: ", "))")
    }
    var memberships: [CountryCode: [Membership]] = [:]
    var firstDay = CalendarDate.latest
    for row in table.rows {
      guard let country = row["iso2"].flatMap({ CountryCode($0) }) else {
        throw CSVFailure(line: row.line, reason: "iso2 must be two upper-case letters")
      }
      guard let from = row["valid_from"].flatMap({ PartialDate($0) }) else {
        throw CSVFailure(line: row.line, reason: "valid_from must be a date")
      }
      let end = row["valid_to"] ?? ""
      let to = PartialDate(end)
      guard end.isEmpty || to != nil else {
        throw CSVFailure(line: row.line, reason: "valid_to must be a date or empty")
      }
      let groups: CountryGroups
      switch row["scope"] {
      case "D5": groups = .d5
      case "D1_or_D4": groups = .d1OrD4
      case "A6_carve_out": groups = .a6
      // Rules name Macau by its country code, with dates of their own; the row is there for people.
      case "MACAU": groups = []
      default: throw CSVFailure(line: row.line, reason: "scope must be D5, D1_or_D4, MACAU or A6_carve_out")
      }
      let membership = Self.membership(groups, from: from, to: to)
      if let end = membership.validTo, end <= membership.validFrom {
        throw CSVFailure(line: row.line, reason: "valid_to must be after valid_from")
      }
      if !groups.isEmpty { firstDay = min(firstDay, membership.validFrom) }
      memberships[country, default: []].append(membership)
    }
    self.memberships = memberships
    self.firstDay = firstDay
  }

  private static func membership(_ groups: CountryGroups, from: PartialDate, to: PartialDate?) -> Membership {
    let isCarveOut = groups.contains(.a6)
    // A day that is known is itself the first day outside; of a month the first day after it, when leaving late is
    // strict.
    let end: CalendarDate? = to.map { to in
      if to.earliest == to.latest || isCarveOut { return to.earliest }
      return to.latest.adding(days: 1) ?? .latest
    }
    return Membership(groups: groups, validFrom: isCarveOut ? from.latest : from.earliest, validTo: end)
  }

  /// The groups of a country on a date. Before the table's first day its first state stands: the groups are older than
  /// the rule for which the table was made, and the letter that brought that rule forward names them.
  package func groups(of country: CountryCode, on date: CalendarDate) -> CountryGroups {
    let day = max(date, firstDay)
    var found: CountryGroups = []
    for membership in memberships[country] ?? [] where membership.validFrom <= day {
      if let end = membership.validTo, day >= end { continue }
      found.formUnion(membership.groups)
    }
    // Hong Kong has followed China under these rules since December 2020.
    if country == Self.hongKong, let china = Self.china { found.formUnion(groups(of: china, on: date)) }
    return found
  }
}
