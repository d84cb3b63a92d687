import Primitives

/// What was said of a funding round by somebody who is not the platform: the press, a data set. It is kept as it was said
/// and verifies nothing; a mark may be proposed from it, which two persons then answer for.
package struct RoundReport: Sendable, Hashable {
  package enum Kind: String, Sendable, Hashable, CaseIterable {
    case priced, safe, strategic
    /// A sale of old shares: brings the company no cash.
    case secondary
    /// Licence-and-hire deals too; they price no share.
    case acquisition
    case ipo

    /// The method of a mark that follows from such a round; nil where it prices nothing.
    package var method: ValuationMethod? {
      switch self {
      case .priced, .ipo: .pricedRound
      case .safe: .safeCap
      case .strategic: .strategic
      case .secondary: .secondary
      case .acquisition: nil
      }
    }
  }

  package enum Status: String, Sendable, Hashable, CaseIterable {
    case closed
    /// Said to be agreed; that it closed was not found.
    case reported
    /// Said to be negotiated: nothing may follow from it.
    case talks
  }

  /// Who says so, as the shared data grades it.
  package enum Certainty: String, Sendable, Hashable, CaseIterable {
    /// A stored page or an official text was read.
    case page = "P"
    /// The data set of Epoch AI.
    case dataset = "E"
    case secondary = "S"
    /// From memory of public reporting, not read again.
    case recollection = "R"

    package var confidence: MarkConfidence {
      switch self {
      case .page, .dataset, .secondary: .reported
      case .recollection: .recollected
      }
    }
  }

  package var company: String
  /// Of the headquarters at the time.
  package var jurisdiction: CountryCode
  package var name: String
  package var announced: ReportedDate
  package var currency: Currency
  /// Minor units, above zero where known; so are the next two.
  package var amount: Int64?
  package var preMoney: Int64?
  package var postMoney: Int64?
  /// As named, without remarks in brackets.
  package var investors: [String]
  package var kind: Kind
  package var acquirer: String?
  package var status: Status
  package var certainty: Certainty
  package var source: String
  package var notes: String?

  package init(
    company: String, jurisdiction: CountryCode, name: String, announced: ReportedDate, currency: Currency,
    amount: Int64?, preMoney: Int64?, postMoney: Int64?, investors: [String], kind: Kind, acquirer: String?,
    status: Status, certainty: Certainty, source: String, notes: String?
  ) {
    self.company = company
    self.jurisdiction = jurisdiction
    self.name = name
    self.announced = announced
    self.currency = currency
    self.amount = amount
    self.preMoney = preMoney
    self.postMoney = postMoney
    self.investors = investors
    self.kind = kind
    self.acquirer = acquirer
    self.status = status
    self.certainty = certainty
    self.source = source
    self.notes = notes
  }

  /// Equal for two reports that say the same, in whichever file and line they stand.
  package var fingerprint: SHA256Digest {
    var bytes = CanonicalBytes()
    for text in [company, jurisdiction.value, name, announced.text, currency.code, kind.rawValue, status.rawValue] {
      bytes.append(text)
    }
    for number in [amount, preMoney, postMoney] { bytes.append(optional: number) { $0.append($1) } }
    bytes.append(Int64(investors.count))
    for investor in investors { bytes.append(investor) }
    bytes.append(optional: acquirer) { $0.append($1) }
    bytes.append(certainty.rawValue)
    bytes.append(source)
    bytes.append(optional: notes) { $0.append($1) }
    return bytes.digest
  }

  /// Whether the other report is about the same round of the same company: then the later one corrects it. A tender comes
  /// every year, so the name alone does not tell; the date as announced does.
  package func isAboutSameRound(as other: RoundReport) -> Bool {
    company == other.company && name == other.name && announced.text == other.announced.text
  }

  /// Why no mark follows from a report.
  package enum NoMark: String, Sendable, Hashable, CaseIterable {
    case talks = "round.talks_are_no_mark"
    case notClosed = "round.not_known_to_have_closed"
    case pricesNothing = "round.kind_prices_nothing"
    case noValuation = "round.no_valuation_stated"
    case recollection = "round.from_recollection_only"
    case dayAhead = "round.day_not_over"

    package var detail: String {
      switch self {
      case .talks: "talks are kept as evidence; nothing may follow from them"
      case .notClosed: "the round is reported and not known to have closed; kept as evidence"
      case .pricesNothing: "an acquisition prices no share that is still to be valued; kept as evidence"
      case .noValuation: "no valuation is stated; kept as evidence"
      case .recollection: "known from recollection only, which no one read again; kept as evidence"
      case .dayAhead: "the day it is of has not ended yet; kept as evidence"
      }
    }

    /// The member of the report that stands in the way.
    package var field: String {
      switch self {
      case .talks, .notClosed: "status"
      case .pricesNothing: "kind"
      case .noValuation: "post_money"
      case .recollection: "certainty"
      case .dayAhead: "announced_date"
      }
    }
  }

  /// nil where a mark may be proposed from this report on a day.
  package func noMark(on today: CalendarDate) -> NoMark? {
    switch status {
    case .talks: return .talks
    case .reported: return .notClosed
    case .closed: break
    }
    if kind.method == nil { return .pricesNothing }
    if postMoney == nil { return .noValuation }
    if certainty == .recollection { return .recollection }
    return announced.lastDay > today ? .dayAhead : nil
  }
}

/// A date as a report gives it: a day, a month or a year. It counts from its last day, so that nothing is valued by what
/// had not happened yet.
package struct ReportedDate: Sendable, Hashable {
  package enum Precision: String, Sendable, Hashable, CaseIterable {
    case day, month, year
  }

  /// `2024-02-17`, `2024-02` or `2024`.
  package let text: String
  package let lastDay: CalendarDate

  package var precision: Precision {
    switch text.utf8.count {
    case 4: .year
    case 7: .month
    default: .day
    }
  }

  /// - Returns: nil for any other form, and for a date that does not exist.
  package init?(_ text: String) {
    let first: CalendarDate?
    switch text.utf8.count {
    case 4: first = CalendarDate(text + "-01-01")
    case 7: first = CalendarDate(text + "-01")
    default: first = CalendarDate(text)
    }
    guard let first else { return nil }
    let months = text.utf8.count == 4 ? 12 : 1
    let last = text.utf8.count == 10 ? first : first.adding(months: months)?.adding(days: -1)
    guard let last else { return nil }
    self.text = text
    lastDay = last
  }
}
