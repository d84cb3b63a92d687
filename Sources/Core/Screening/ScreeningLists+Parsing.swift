import Primitives
import StrictJSON

extension ScreeningLists {
  /// Of the document: 16 MiB and two million values hold the lists of the United States, the United Kingdom and the
  /// European Union together.
  package static let limits = JSONLimits(maxBytes: 16 << 20, maxDepth: 8, maxMembers: 2_000_000)

  /// Reads `{"as_of", "lists": [{"id", "title", "authority", "source", "effect", "owned_at_least_bps"?,
  /// "blocks_payments", "entries": [{"id", "names", "jurisdiction"?, "listed_on", "delisted_on"?, "citation"?}]}]}`.
  /// Members that nobody knows are refused: a misspelt date would keep somebody on a list, or off it, in silence.
  /// - Throws: every fault found, with its place.
  package init(parsing bytes: [UInt8]) throws(JSONFaults) {
    let document = try JSONDocument(parsing: bytes, limits: Self.limits)
    self = try ObjectReader.read(document.root) { reader in
      let asOf = reader.parsed("as_of", expected: "a date", bytes: 10...10) { CalendarDate($0) }
      let lists = reader.objects("lists", count: 0...50) { ScreeningList(&$0) }
      guard let asOf, let lists else { return nil }
      var ids: Set<String> = []
      for list in lists where !ids.insert(list.id).inserted {
        reader.fault("lists", code: JSONFaultCode.duplicate, detail: "the list \(list.id) stands twice")
        return nil
      }
      return ScreeningLists(asOf: asOf, lists: lists)
    }
  }
}

extension ScreeningList {
  fileprivate init?(_ reader: inout ObjectReader) {
    let id = reader.string("id", bytes: 1...64)
    let title = reader.string("title", bytes: 1...300)
    let authority = reader.string("authority", bytes: 1...300)
    let source = reader.string("source", bytes: 1...1_000)
    let effect = reader.enumeration("effect", as: Effect.self)
    let owned = reader.optionalInt("owned_at_least_bps", 1...10_000)
    let blocks = reader.bool("blocks_payments")
    let entries = reader.objects("entries", count: 0...100_000) { Entry(&$0) }
    guard let id, let title, let authority, let source, let effect, let blocks, let entries else { return nil }
    var ids: Set<String> = []
    for entry in entries where !ids.insert(entry.id).inserted {
      reader.fault("entries", code: JSONFaultCode.duplicate, detail: "the entry \(entry.id) stands twice")
      return nil
    }
    self.init(
      id: id, title: title, authority: authority, source: source, effect: effect,
      ownedAtLeast: owned.map { BasisPoints($0) }, blocksPayments: blocks, entries: entries)
  }
}

extension ScreeningList.Entry {
  fileprivate init?(_ reader: inout ObjectReader) {
    let id = reader.string("id", bytes: 1...64)
    let names = reader.array("names", count: 1...50) { node, log in log.string(node, bytes: 1...500) }
    let jurisdiction = reader.optionalParsed("jurisdiction", expected: "an ISO 3166 alpha-2 code", bytes: 2...2) {
      CountryCode($0)
    }
    let listedOn = reader.parsed("listed_on", expected: "a date", bytes: 10...10) { CalendarDate($0) }
    let delistedOn = reader.optionalParsed("delisted_on", expected: "a date", bytes: 10...10) { CalendarDate($0) }
    let citation = reader.optionalString("citation", bytes: 1...500)
    guard let id, let names, let listedOn else { return nil }
    if let delistedOn, delistedOn <= listedOn {
      reader.fault("delisted_on", code: JSONFaultCode.range, detail: "must be after listed_on")
      return nil
    }
    for name in names where ScreeningName(name).words.isEmpty {
      reader.fault("names", code: JSONFaultCode.format, detail: "a name has neither letter nor digit")
      return nil
    }
    self.init(
      id: id, names: names, jurisdiction: jurisdiction, listedOn: listedOn, delistedOn: delistedOn, citation: citation)
  }
}

/// How one set of lists differs from another, by list and entry.
package struct ScreeningDifference: Sendable, Hashable {
  package let added: [String]
  package let removed: [String]
  /// Of the same id and not the same content; a list's own terms as `<list>`.
  package let changed: [String]

  package var isEmpty: Bool { added.isEmpty && removed.isEmpty && changed.isEmpty }

  private enum Item: Hashable {
    case list(ScreeningList.Header)
    case entry(ScreeningList.Entry)
  }

  package init(from old: ScreeningLists, to new: ScreeningLists) {
    let (before, after) = (Self.items(of: old), Self.items(of: new))
    added = after.keys.filter { before[$0] == nil }.sorted()
    removed = before.keys.filter { after[$0] == nil }.sorted()
    changed = after.keys.filter { id in before[id].map { $0 != after[id] } ?? false }.sorted()
  }

  private static func items(of lists: ScreeningLists) -> [String: Item] {
    var items: [String: Item] = [:]
    for list in lists.lists {
      items[list.id] = .list(list.header)
      for entry in list.entries { items["\(list.id)/\(entry.id)"] = .entry(entry) }
    }
    return items
  }
}
