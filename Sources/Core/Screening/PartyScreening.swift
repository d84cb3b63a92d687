import Primitives

/// What a person decided on a name that was found on a list: whether it is the same party.
package struct ScreeningDecision: Sendable, Hashable {
  package enum State: String, Sendable, Hashable, CaseIterable {
    /// That it is somebody else counts only when a second person says so too. -> inForce, rejected
    case proposed
    case inForce = "in_force"
    case rejected
  }

  package let id: ScreeningDecisionID
  package let listID: String
  package let entryID: String
  /// Of the entry as it was decided on: an entry that says something else is a new hit.
  package let entryDigest: SHA256Digest
  /// The party's name or an owner's.
  package let name: String
  package let isSame: Bool
  package let reason: String
  package let by: PersonID
  package let on: CalendarDate
  package var state: State
  package var decidedBy: PersonID?

  package init(
    id: ScreeningDecisionID, listID: String, entryID: String, entryDigest: SHA256Digest, name: String, isSame: Bool,
    reason: String, by: PersonID, on: CalendarDate, state: State, decidedBy: PersonID? = nil
  ) {
    self.id = id
    self.listID = listID
    self.entryID = entryID
    self.entryDigest = entryDigest
    self.name = name
    self.isSame = isSame
    self.reason = reason
    self.by = by
    self.on = on
    self.state = state
    self.decidedBy = decidedBy
  }

  func isOn(_ match: ScreeningMatch, of name: String) -> Bool {
    listID == match.list.id && entryID == match.entry.id && self.name == name && entryDigest == match.entry.digest
  }
}

/// A party on a day as the lists see it: its own name and its owners'.
package struct PartyScreening: Sendable, Hashable {
  /// Whose name it is.
  package enum Subject: Sendable, Hashable {
    case party
    /// With what it holds of the party.
    case owner(BasisPoints)
  }

  /// A person or company asked for.
  package struct Name: Sendable, Hashable {
    package let text: String
    package let jurisdiction: CountryCode
    package let subject: Subject
    /// Tells owners of one name apart.
    package let number: Int

    package init(_ text: String, _ jurisdiction: CountryCode, _ subject: Subject, number: Int = 0) {
      self.text = text
      self.jurisdiction = jurisdiction
      self.subject = subject
      self.number = number
    }
  }

  package struct Hit: Sendable, Hashable {
    package let name: Name
    package let match: ScreeningMatch
    /// The newest that was made on it, in whatever state.
    package let decision: ScreeningDecision?

    /// A person said that it is somebody else, and a second one that this is so.
    package var isCleared: Bool { decision?.state == .inForce && decision?.isSame == false }
    /// It is the listed party, as far as is known.
    package var isSame: Bool {
      if decision?.state == .inForce { return decision?.isSame == true }
      return match.grade == .same
    }
    /// Nobody has decided on it.
    package var isOpen: Bool { decision?.state != .inForce }
    /// `list/entry`, as the rule of a verdict is named.
    package var ruleID: String { "\(match.list.id)/\(match.entry.id)" }
  }

  package let on: CalendarDate
  /// In the order of names, then of lists.
  package let hits: [Hit]

  package init(_ names: [Name], decisions: [ScreeningDecision], lists: ScreeningLists, on date: CalendarDate) {
    on = date
    guard !lists.isEmpty else {
      hits = []
      return
    }
    var hits: [Hit] = []
    for name in names {
      for match in lists.matches(of: name.text, in: name.jurisdiction, on: date) {
        let decision = decisions.last { $0.state != .rejected && $0.isOn(match, of: name.text) }
        hits.append(Hit(name: name, match: match, decision: decision))
      }
    }
    self.hits = hits
  }

  /// Not clear is whoever bears a listed name, as long as nobody has established that it is somebody else's, and what
  /// listed owners hold enough of. The strictest that a hit does comes first.
  package struct Consequence: Sendable, Hashable {
    package let hit: Hit
    package let effect: ScreeningList.Effect
    /// What listed owners hold together; nil where it is the party's own name.
    package let ownedShare: BasisPoints?
  }

  package var consequences: [Consequence] {
    var found: [Consequence] = []
    for hit in hits where !hit.isCleared {
      switch hit.name.subject {
      case .party:
        found.append(
          Consequence(hit: hit, effect: hit.isSame ? hit.match.list.effect : .holdReview, ownedShare: nil))
      case .owner:
        guard let least = hit.match.list.ownedAtLeast else { continue }
        if hit.isSame, ownedShare(by: hit.match.list.id) >= least {
          found.append(
            Consequence(hit: hit, effect: hit.match.list.effect, ownedShare: ownedShare(by: hit.match.list.id)))
        } else if !hit.isSame || hit.isOpen {
          // A name like a listed owner's, or a listed owner with less than the share, which nobody has looked at.
          found.append(Consequence(hit: hit, effect: .holdReview, ownedShare: ownedShare(by: hit.match.list.id)))
        }
      }
    }
    return found.sorted { $0.effect.strictness > $1.effect.strictness }
  }

  /// What owners who are on a list hold together, in basis points, at most the whole; one owner counts once.
  private func ownedShare(by listID: String) -> BasisPoints {
    var owners: Set<Name> = []
    for hit in hits where hit.match.list.id == listID && hit.isSame && !hit.isCleared { owners.insert(hit.name) }
    let sum = owners.reduce(Int64(0)) { sum, owner in
      guard case .owner(let share) = owner.subject else { return sum }
      return min(10_000, sum + max(0, min(share.value, 10_000)))
    }
    return BasisPoints(sum)
  }

  /// Names of owners who are on a list that asks for a licence or refuses, as far as is known.
  package var listedOwners: Set<String> {
    Set(
      hits.filter { hit in
        if case .owner = hit.name.subject { return hit.isSame && hit.match.list.effect != .holdReview }
        return false
      }.map(\.name.text))
  }

  /// The first hit for which nothing may be paid to the party.
  package var paymentBlock: Hit? {
    consequences.first { $0.hit.match.list.blocksPayments }?.hit
  }
}

extension ScreeningList.Effect {
  var strictness: Int {
    switch self {
    case .holdReview: 0
    case .holdLicence: 1
    case .refuse: 2
    }
  }
}
