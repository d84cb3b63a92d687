import Primitives
import Screening
import Testing

enum Lists {
  static func day(_ text: String) throws -> CalendarDate { try #require(CalendarDate(text)) }
  static func country(_ text: String) throws -> CountryCode { try #require(CountryCode(text)) }

  static func entry(
    _ id: String, _ names: [String], in place: String? = nil, from: String = "2020-01-01", to: String? = nil
  ) throws -> ScreeningList.Entry {
    ScreeningList.Entry(
      id: id, names: names, jurisdiction: try place.map { try country($0) }, listedOn: try day(from),
      delistedOn: try to.map { try day($0) }, citation: nil)
  }

  static func list(
    _ id: String, _ effect: ScreeningList.Effect, owned: Int64? = nil, blocks: Bool = false,
    _ entries: [ScreeningList.Entry]
  ) -> ScreeningList {
    ScreeningList(
      id: id, title: id, authority: "a test", source: "a test", effect: effect,
      ownedAtLeast: owned.map { BasisPoints($0) }, blocksPayments: blocks, entries: entries)
  }

  static func lists(_ lists: ScreeningList...) throws -> ScreeningLists {
    ScreeningLists(asOf: try day("2025-01-01"), lists: lists)
  }
}
