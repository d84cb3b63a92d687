import Primitives

/// A list of parties that one authority keeps, as it stood on a day: with it come what a name on it means for an act, and
/// whether money may still reach whoever bears the name.
package struct ScreeningList: Sendable, Hashable {
  /// What a name on the list does to an act.
  package enum Effect: String, Sendable, Hashable, CaseIterable {
    /// A person looks at it.
    case holdReview = "hold_review"
    /// It waits for a licence.
    case holdLicence = "hold_licence"
    case refuse
  }

  /// Somebody on the list.
  package struct Entry: Sendable, Hashable {
    /// As the list numbers it, else a name of its own; 1 to 64 bytes.
    package let id: String
    /// The name and every other that the list knows it by; at least one.
    package let names: [String]
    /// Where it is; nil where the list says nothing, and then any place fits.
    package let jurisdiction: CountryCode?
    package let listedOn: CalendarDate
    /// The first day on which it is not on the list any more.
    package let delistedOn: CalendarDate?
    /// The act that put it there.
    package let citation: String?

    package init(
      id: String, names: [String], jurisdiction: CountryCode?, listedOn: CalendarDate, delistedOn: CalendarDate?,
      citation: String?
    ) {
      self.id = id
      self.names = names
      self.jurisdiction = jurisdiction
      self.listedOn = listedOn
      self.delistedOn = delistedOn
      self.citation = citation
    }

    package func holds(on date: CalendarDate) -> Bool { listedOn <= date && delistedOn.map { date < $0 } ?? true }

    /// Of all that is said of whom it names. A decision on a hit is on this and falls with it.
    package var digest: SHA256Digest {
      var text = "\(id)\u{0}\(jurisdiction?.value ?? "")"
      for name in names { text += "\u{0}\(name)" }
      return SHA256Digest(of: text)
    }
  }

  /// For example `us-entity-list`; 1 to 64 bytes.
  package let id: String
  package let title: String
  package let authority: String
  /// Where it was taken from.
  package let source: String
  package let effect: Effect
  /// The share, in basis points, from which what its entries own together counts as on the list; nil where it reaches
  /// nobody but them.
  package let ownedAtLeast: BasisPoints?
  /// Nothing is paid to whoever is on it; cash that comes from it still discharges debt.
  package let blocksPayments: Bool
  package let entries: [Entry]

  package init(
    id: String, title: String, authority: String, source: String, effect: Effect, ownedAtLeast: BasisPoints?,
    blocksPayments: Bool, entries: [Entry]
  ) {
    self.id = id
    self.title = title
    self.authority = authority
    self.source = source
    self.effect = effect
    self.ownedAtLeast = ownedAtLeast
    self.blocksPayments = blocksPayments
    self.entries = entries
  }
}

/// How sure it is that two names are one party's.
package enum ScreeningGrade: String, Sendable, Hashable, CaseIterable {
  /// The same words in the same order, and no other country.
  case same
  /// The same words in another order or in another country, or one name within the other: for a person to decide.
  case likely
}

/// A name found on a list.
package struct ScreeningMatch: Sendable, Hashable {
  package let list: ScreeningList.Header
  package let entry: ScreeningList.Entry
  /// The one of the entry's names.
  package let listedName: String
  package let grade: ScreeningGrade
}

extension ScreeningList {
  /// The list without those on it.
  package struct Header: Sendable, Hashable {
    package let id: String
    package let title: String
    package let authority: String
    package let source: String
    package let effect: Effect
    package let ownedAtLeast: BasisPoints?
    package let blocksPayments: Bool
  }

  package var header: Header {
    Header(
      id: id, title: title, authority: authority, source: source, effect: effect, ownedAtLeast: ownedAtLeast,
      blocksPayments: blocksPayments)
  }
}
