import Primitives
import StrictJSON

extension RuleScope {
  init?(_ reader: inout ObjectReader) {
    self.init()
    classes = reader.optionalSet("classes", count: 1...8) { $1.enumeration($0, as: ExportClass.self) } ?? []
    choices =
      reader.optionalObjects("any_of", count: 1...16) { reader -> ClassChoice? in
        let exportClass = reader.enumeration("class", as: ExportClass.self)
        let datacentre = reader.bool("datacentre")
        return exportClass.flatMap { known in datacentre.map { ClassChoice(exportClass: known, datacentre: $0) } }
      } ?? []
    chips =
      reader.optionalArray("chips", count: 1...500) { node, log in
        log.parsed(node, expected: "a pattern of 1 to 64 characters", bytes: 1...64) { ChipPattern($0) }
      } ?? []
    includesGP10Named = reader.optionalBool("or_gp10_named") ?? false
    vendors = reader.optionalArray("vendors", count: 1...50) { $1.string($0, bytes: 1...100) } ?? []
    condition = reader.optionalObject("when") { RuleCondition(&$0) }
    destinations = reader.places("destinations")
    exceptDestinations = reader.places("except_destinations")
    origins = reader.places("from")
    partyIn = reader.places("party_hq_or_ultimate_parent_in")
    orPartyIn = reader.places("or_party_hq_or_ultimate_parent_in")
    notPartyIn = reader.places("not_party_hq_or_ultimate_parent_in")
    listedOwnersAtLeast = reader.optionalInt("party_owned_at_least_bps_by_listed", 1...10_000).map { BasisPoints($0) }
    endUseWords =
      reader.optionalArray("end_use_words", count: 1...100) { $1.string($0, bytes: 3...64) }?.map { EndUseWord($0) }
      ?? []
    let named = reader.optionalArray("acts", count: 1...16) { node, log in
      log.parsed(node, expected: "an act", bytes: 1...32) { RegulatedActs(word: $0) }
    }
    acts = named.map { RegulatedActs($0) } ?? .everything
    // A:5 is not in the table of countries. As an exception it excepts nobody, which is strict; as a reach it would
    // reach nobody, which is not.
    if [destinations, partyIn, orPartyIn].contains(where: { $0?.groups.contains(.a5) == true }) {
      reader.fault(code: JSONFaultCode.format, detail: "A:5 can only be excepted: its countries are not known here")
    }
  }

  /// For people: what the rule reaches, in the pack's own terms.
  var description: String {
    var parts: [String] = []
    if !classes.isEmpty { parts.append("class " + alternatives(classes.map(\.rawValue))) }
    if !choices.isEmpty {
      let each = choices.map { "\($0.exportClass.rawValue) \($0.datacentre ? "" : "not ")for data centres" }
      parts.append("class " + alternatives(each))
    }
    if !chips.isEmpty {
      parts.append("chip " + alternatives(chips.map(\.text) + (includesGP10Named ? ["named by the guidance"] : [])))
    }
    if !vendors.isEmpty { parts.append("vendor " + alternatives(vendors)) }
    if let condition { parts.append(condition.description) }
    if let origins { parts.append("from " + origins.description) }
    if let destinations {
      let party = orPartyIn.map { ", or party headquartered in " + $0.description } ?? ""
      parts.append("destination " + destinations.description + party)
    }
    if let exceptDestinations { parts.append("not " + exceptDestinations.description) }
    if let partyIn { parts.append("party or ultimate parent headquartered in " + partyIn.description) }
    if let notPartyIn { parts.append("no party headquartered in " + notPartyIn.description) }
    if let listedOwnersAtLeast { parts.append("listed owners hold >= \(listedOwnersAtLeast.value) bps together") }
    if !endUseWords.isEmpty { parts.append("end use names " + alternatives(endUseWords.map(\.text))) }
    return parts.joined(separator: "; ")
  }
}

extension PlaceSet {
  /// Takes a country code, a group, or `any`; false for anything else.
  mutating func insert(_ word: String, from: CalendarDate? = nil) -> Bool {
    switch word {
    case "any": isAny = true
    case "D:5": groups.insert(.d5)
    case "D:1", "D:4": groups.insert(.d1OrD4)
    case "A:6": groups.insert(.a6)
    case "A:5": groups.insert(.a5)
    default:
      guard let country = CountryCode(word) else { return false }
      countries.append(Member(country: country, from: from))
      words.append(from.map { "\(word) from \($0)" } ?? word)
      return true
    }
    words.append(word)
    return from == nil
  }

  var description: String { alternatives(words) }
}

extension ObjectReader {
  /// An array of country codes, groups, `any`, or `{"code", "from"}`.
  fileprivate mutating func places(_ name: StaticString) -> PlaceSet? {
    var set = PlaceSet()
    let read = optionalArray(name, count: 1...300) { node, log -> Bool? in
      if node.kind == .object {
        return log.object(node) { reader in
          let code = reader.parsed("code", expected: "a country code", bytes: 2...2) { CountryCode($0) }
          let from = reader.date("from")
          guard let code, let from else { return nil }
          return set.insert(code.value, from: from)
        }
      }
      return log.parsed(node, expected: "a country code, D:1, D:4, D:5, A:5, A:6 or any", bytes: 2...3) { word in
        set.insert(word) ? true : nil
      }
    }
    return read == nil ? nil : set
  }
}

/// `a`, `a or b`, `a, b or c`.
private func alternatives(_ words: [String]) -> String {
  guard let last = words.last, words.count > 1 else { return words.first ?? "" }
  return words.dropLast().joined(separator: ", ") + " or " + last
}
