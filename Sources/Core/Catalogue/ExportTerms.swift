import Primitives

/// What a classification rule makes of a chip.
package enum ExportClass: String, Sendable, Hashable, CaseIterable {
  /// The single class of the 2022 rule.
  case eccn3A090 = "3A090"
  case eccn3A090a = "3A090.a"
  case eccn3A090b = "3A090.b"
  case notControlled = "not_controlled"
  /// A figure that a test needs is missing: treated as neither, and held.
  case unknown
}

/// How sure a rule's text is.
package enum RuleGrade: String, Sendable, Hashable, CaseIterable {
  /// Official wording seen or quoted.
  case primary = "P"
  /// A careful secondary source.
  case secondary = "S"
  /// From recollection: may hold, never clears.
  case recollection = "R"
}

/// What a rule does, as the pack states it.
package enum RuleEffect: String, Sendable, Hashable, CaseIterable, Comparable {
  /// Shown, and without consequence.
  case information
  case clear
  case holdNotification = "hold_notification"
  case holdReview = "hold_review"
  case holdLicence = "hold_licence"
  case refuse

  private var strictness: Int {
    switch self {
    case .information: 0
    case .clear: 1
    case .holdNotification: 2
    case .holdReview: 3
    case .holdLicence: 4
    case .refuse: 5
    }
  }

  package static func < (left: RuleEffect, right: RuleEffect) -> Bool { left.strictness < right.strictness }
}

/// What stands between an act and its doing; the strictest of what the rules say.
package enum VerdictEffect: String, Sendable, Hashable, CaseIterable, Comparable {
  case clear
  case holdNotification = "hold_notification"
  case holdReview = "hold_review"
  case holdLicence = "hold_licence"
  case refuse

  package init(_ effect: RuleEffect) {
    self =
      switch effect {
      case .information, .clear: .clear
      case .holdNotification: .holdNotification
      case .holdReview: .holdReview
      case .holdLicence: .holdLicence
      case .refuse: .refuse
      }
  }

  package var ruleEffect: RuleEffect {
    switch self {
    case .clear: .clear
    case .holdNotification: .holdNotification
    case .holdReview: .holdReview
    case .holdLicence: .holdLicence
    case .refuse: .refuse
    }
  }

  package static func < (left: VerdictEffect, right: VerdictEffect) -> Bool { left.ruleEffect < right.ruleEffect }
}

/// What an act is to the regulation.
package enum RegulatoryAct: String, Sendable, Hashable, CaseIterable {
  /// Leaves the United States.
  case export
  /// Goes from one foreign country to another.
  case reexport
  /// The end user or the title changes inside one country.
  case transferInCountry = "transfer_in_country"
  /// Use over a network of chips that stay where they are: none of the above by itself.
  case hostedAccess = "hosted_access"
}

/// The acts that a rule names: those of the regulation, and those that General Prohibition 10 adds.
package struct RegulatedActs: OptionSet, Sendable, Hashable {
  package let rawValue: UInt16
  package init(rawValue: UInt16) { self.rawValue = rawValue }

  package static let export = RegulatedActs(rawValue: 1)
  package static let reexport = RegulatedActs(rawValue: 2)
  package static let transferInCountry = RegulatedActs(rawValue: 4)
  package static let use = RegulatedActs(rawValue: 8)
  package static let sale = RegulatedActs(rawValue: 16)
  package static let loan = RegulatedActs(rawValue: 32)
  package static let financing = RegulatedActs(rawValue: 64)
  package static let servicing = RegulatedActs(rawValue: 128)

  /// What every act of this marketplace is besides: a loan of chips that may end in their sale, financed and serviced
  /// throughout. Told apart more finely, an act could slip between the words of a rule.
  package static let commercial: RegulatedActs = [.use, .sale, .loan, .financing, .servicing]
  package static let everything: RegulatedActs = [.export, .reexport, .transferInCountry, .commercial]

  package init?(word: String) {
    switch word {
    case "export": self = .export
    case "reexport": self = .reexport
    case "transfer_in_country": self = .transferInCountry
    case "use": self = .use
    case "sale": self = .sale
    case "loan": self = .loan
    case "financing": self = .financing
    case "servicing": self = .servicing
    default: return nil
    }
  }

  package init(_ act: RegulatoryAct) {
    self =
      switch act {
      case .export: .export
      case .reexport: .reexport
      case .transferInCountry: .transferInCountry
      case .hostedAccess: []
      }
  }
}

/// Half-open: from the first day to the day before `end`; open when nil.
package struct ValidityInterval: Sendable, Hashable {
  package let from: CalendarDate
  package let to: CalendarDate?

  /// Nil when it would hold no day.
  package init?(from: CalendarDate, to: CalendarDate?) {
    if let to, to <= from { return nil }
    self.from = from
    self.to = to
  }

  package func contains(_ date: CalendarDate) -> Bool {
    guard date >= from else { return false }
    return to.map { date < $0 } ?? true
  }

  package func overlaps(_ other: ValidityInterval) -> Bool {
    (to.map { other.from < $0 } ?? true) && (other.to.map { from < $0 } ?? true)
  }
}
