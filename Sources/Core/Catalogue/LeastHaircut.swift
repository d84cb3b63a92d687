import Primitives

/// The least that is taken off the value of some chips where the value behind a loan is tested, as the platform fixes it: from
/// a day on, until another of the same chips begins.
package struct LeastHaircut: Sendable, Hashable {
  /// Of which chips.
  package enum Chips: Sendable, Hashable {
    case model(ChipModelID)
    /// All models of a class; a model of which the class is not known is of none.
    case vendorClass(VendorClass)
  }

  package let chips: Chips
  package let from: CalendarDate
  /// 0 to below the whole; 0 ends what was asked before.
  package let haircut: BasisPoints
  /// What it was measured by.
  package let source: String

  package static let range: ClosedRange<Int64> = 0...9_999

  /// - Returns: nil for a haircut out of range.
  package init?(chips: Chips, from: CalendarDate, haircut: BasisPoints, source: String) {
    guard Self.range.contains(haircut.value) else { return nil }
    self.chips = chips
    self.from = from
    self.haircut = haircut
    self.source = source
  }
}

/// What was taken off the value of a loan's chips, and why.
package struct TakenHaircut: Sendable, Hashable {
  package let haircut: BasisPoints
  /// The entry of reference data that asked for it; nil where it is what the parties agreed on.
  package let by: ReferenceEntryID?
  /// Of the chips, as the catalogue knew it then; nil where it did not.
  package let vendorClass: VendorClass?

  package init(haircut: BasisPoints, by entry: ReferenceEntryID?, vendorClass: VendorClass?) {
    self.haircut = haircut
    by = entry
    self.vendorClass = vendorClass
  }
}

/// The least haircuts that were adopted.
package struct HaircutTable: Sendable {
  package struct Entry: Sendable, Hashable {
    package let id: ReferenceEntryID
    package let least: LeastHaircut
    package let adoptedAt: Instant

    package init(id: ReferenceEntryID, least: LeastHaircut, adoptedAt: Instant) {
      self.id = id
      self.least = least
      self.adoptedAt = adoptedAt
    }
  }

  package let entries: [Entry]

  /// In any order: what holds on a day follows from the entries alone.
  package init(_ entries: [Entry]) { self.entries = entries }

  package static let empty = HaircutTable([])

  /// What holds on a day of these very chips: the entry that began last, and of those that begin on one day the greatest.
  /// - Parameter moment: nil for all that is known; else what was adopted by then.
  package func entry(of chips: LeastHaircut.Chips, on date: CalendarDate, knownAt moment: Instant? = nil) -> Entry? {
    entries.filter { entry in
      entry.least.chips == chips && entry.least.from <= date && moment.map { entry.adoptedAt <= $0 } ?? true
    }.max { left, right in
      (left.least.from, left.least.haircut.value, left.id) < (right.least.from, right.least.haircut.value, right.id)
    }
  }

  /// The entries that hold on a day, each of its own chips.
  package func holding(on date: CalendarDate) -> [Entry] {
    entries.filter { entry(of: $0.least.chips, on: date)?.id == $0.id }
  }

  /// What is taken off the value of chips on a day: what the parties agreed on, or the greatest that is asked for of the
  /// model and of its class where that is more.
  package func taken(
    agreed: BasisPoints, chip: ChipModelID, vendorClass: VendorClass?, on date: CalendarDate,
    knownAt moment: Instant? = nil
  ) -> TakenHaircut {
    var taken = TakenHaircut(haircut: agreed, by: nil, vendorClass: vendorClass)
    for chips in [.model(chip), vendorClass.map { LeastHaircut.Chips.vendorClass($0) }].compactMap({ $0 }) {
      guard let entry = entry(of: chips, on: date, knownAt: moment), entry.least.haircut.value > taken.haircut.value
      else { continue }
      taken = TakenHaircut(haircut: entry.least.haircut, by: entry.id, vendorClass: vendorClass)
    }
    return taken
  }
}
