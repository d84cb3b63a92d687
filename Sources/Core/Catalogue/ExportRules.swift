import Primitives

/// Who confirmed a rule against its text, and when.
package struct RuleApproval: Sendable, Hashable {
  package let by: String
  package let on: CalendarDate
}

/// What all rules have.
package struct RuleHeader: Sendable, Hashable {
  package let id: String
  package let citation: String?
  /// Where the text was seen.
  package let source: String?
  package let validity: ValidityInterval
  /// As written in the pack, for example `P, step date R`.
  package let certainty: String
  package let grade: RuleGrade
  /// For example `unconfirmed: ...` or `not_enforced since ...`; nil when the rule simply holds.
  package let status: String?
  package let approval: RuleApproval?

  /// A rule may take part in letting an act pass only when a person approved it and it is no recollection and not in
  /// doubt. It may hold without any of that.
  package var mayClear: Bool { approval != nil && grade != .recollection && status == nil }

  /// Published, but nobody enforces it: shown, without consequence.
  package var isNotEnforced: Bool { status?.hasPrefix("not_enforced") == true }
}

/// Puts a chip into a class by its figures.
package struct ClassificationRule: Sendable, Hashable {
  package struct Candidate: Sendable, Hashable {
    package let exportClass: ExportClass
    package let paragraph: String
    package let condition: RuleCondition
  }

  package let header: RuleHeader
  /// Facts without which the class is unknown whatever the rest says.
  package let needs: [RuleField]
  /// Tried in order; the first that matches decides.
  package let candidates: [Candidate]
  package let otherwise: ExportClass
  /// The facts that its candidates look at.
  package let fields: [RuleField]
}

/// A licence requirement, a prohibition, an exception, or a piece of information.
package struct LicenceRule: Sendable, Hashable {
  package let header: RuleHeader
  package let applies: RuleScope
  package let effect: RuleEffect
  package let review: ReviewPolicy?
  /// A letter binds whom it was sent to; others see it as information.
  package let bindsAddresseeOnly: Bool
  package let addressee: String?
  package let note: String?
  /// Puts its own effect in the place of `hold_licence` for the classes that it names.
  package let isException: Bool
  /// Alters how a licence application is reviewed, never whether one is needed.
  package let changesReviewOnly: Bool
  /// Days to wait after notifying.
  package let notificationDays: Int?
  /// For people: what the rule reaches.
  package let threshold: String

  package var isInformation: Bool { effect == .information || header.isNotEnforced }
}

/// How the authority reviews an application for a licence.
package enum ReviewPolicy: Sendable, Hashable {
  case always(String)
  /// One policy for some destinations or headquarters, another for the rest.
  case byPlace(destinations: PlaceSet, headquarters: PlaceSet, then: String, otherwise: String)
}

/// Countries by code, some from a date, and by group.
package struct PlaceSet: Sendable, Hashable {
  package struct Member: Sendable, Hashable {
    package let country: CountryCode
    /// The first day it belongs; nil for always.
    package let from: CalendarDate?
  }

  package var isAny = false
  package var countries: [Member] = []
  package var groups: CountryGroups = []
  /// As written in the pack.
  package var words: [String] = []

  package func contains(_ place: ResolvedPlace, on date: CalendarDate) -> Bool {
    if isAny || !groups.isDisjoint(with: place.groups) { return true }
    return countries.contains { member in
      CountryScope.reaches(place.country, naming: member.country) && member.from.map { date >= $0 } ?? true
    }
  }
}

/// A country with its groups on the act's date.
package struct ResolvedPlace: Sendable, Hashable {
  package let country: CountryCode
  package let groups: CountryGroups
}

/// A pattern over chip ids; `*` matches any run of characters.
package struct ChipPattern: Sendable, Hashable {
  package let text: String
  private let pieces: [[UInt8]]

  package init?(_ text: String) {
    guard (1...64).contains(text.utf8.count) else { return nil }
    self.text = text
    pieces = text.utf8.split(separator: 0x2A, omittingEmptySubsequences: false).map(Array.init)
  }

  package func matches(_ id: ChipModelID) -> Bool {
    // Most ids fail at the first piece: no copy is made for them.
    guard let first = pieces.first, id.value.utf8.starts(with: first) else { return false }
    let bytes = Array(id.value.utf8)
    guard pieces.count > 1 else { return first.count == bytes.count }
    var position = 0
    for (index, piece) in pieces.enumerated() {
      if index == 0 {
        position = piece.count
      } else if index == pieces.count - 1 {
        return bytes.count - position >= piece.count && bytes.suffix(piece.count).elementsEqual(piece)
      } else {
        // The leftmost place for each piece leaves the most room for those after it.
        guard let found = Self.find(piece, in: bytes, from: position) else { return false }
        position = found + piece.count
      }
    }
    return true
  }

  private static func find(_ piece: [UInt8], in bytes: [UInt8], from start: Int) -> Int? {
    var position = start
    while position + piece.count <= bytes.count {
      if bytes[position..<position + piece.count].elementsEqual(piece) { return position }
      position += 1
    }
    return nil
  }
}

/// A word that a rule looks for in a declared end use, in any case.
package struct EndUseWord: Sendable, Hashable {
  package let text: String
  private let lowercase: [UInt8]

  package init(_ text: String) {
    self.text = text
    lowercase = Array(text.lowercased().utf8)
  }

  /// Byte by byte: the text search of the standard library was most of the cost of a verdict.
  func occurs(in lowercaseText: [UInt8]) -> Bool {
    guard let first = lowercase.first, lowercaseText.count >= lowercase.count else { return false }
    for start in 0...(lowercaseText.count - lowercase.count) where lowercaseText[start] == first {
      if lowercaseText[start..<start + lowercase.count].elementsEqual(lowercase) { return true }
    }
    return false
  }
}

/// What a rule reaches. All parts that are given must hold.
package struct RuleScope: Sendable, Hashable {
  package struct ClassChoice: Sendable, Hashable {
    package let exportClass: ExportClass
    package let datacentre: Bool
  }

  package var classes: [ExportClass] = []
  /// Chips of one of these classes that are, or are not, for data centres.
  package var choices: [ClassChoice] = []
  package var chips: [ChipPattern] = []
  /// Also chips that the catalogue marks as named by the guidance on General Prohibition 10.
  package var includesGP10Named = false
  package var vendors: [String] = []
  package var condition: RuleCondition?
  package var destinations: PlaceSet?
  package var exceptDestinations: PlaceSet?
  package var origins: PlaceSet?
  /// A party's headquarters or ultimate parent must be there.
  package var partyIn: PlaceSet?
  /// In place of the destination, a party's headquarters or ultimate parent may be there.
  package var orPartyIn: PlaceSet?
  /// No party's headquarters or ultimate parent may be there.
  package var notPartyIn: PlaceSet?
  /// Least share, in basis points, of a party that listed owners hold together.
  package var listedOwnersAtLeast: BasisPoints?
  /// Words of which one occurs in the declared end use.
  package var endUseWords: [EndUseWord] = []
  package var acts: RegulatedActs = .everything

  /// True when a class decides: what such rules hold, an exception may replace.
  package var isByClass: Bool { !classes.isEmpty || !choices.isEmpty }
}

/// The rule pack in force: parsed once, evaluated many times.
package struct ExportRules: Sendable {
  package let asOf: CalendarDate
  package let classificationRules: [ClassificationRule]
  package let licenceRules: [LicenceRule]
  package let countries: CountryScope
}
