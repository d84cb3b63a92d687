import Primitives

/// The terms of a loan that a later loan may better.
package struct FavourableTerms: Sendable, Hashable {
  /// Of the fee, a year: more is better for the lender.
  package var rate: BasisPoints
  /// Share of a round that is swept: more is better.
  package var sweep: BasisPoints
  /// 1 is paid first: less is better.
  package var rank: Int64
  /// For conversion: more is better; 0 where there is none.
  package var discount: BasisPoints
  /// For conversion, in minor units: less is better, none is worst.
  package var cap: Int64?
  /// Of principal: more is better; 0 where there are none.
  package var warrantCoverage: BasisPoints

  package init(
    rate: BasisPoints, sweep: BasisPoints, rank: Int64, discount: BasisPoints = BasisPoints(0), cap: Int64? = nil,
    warrantCoverage: BasisPoints = BasisPoints(0)
  ) {
    self.rate = rate
    self.sweep = sweep
    self.rank = rank
    self.discount = discount
    self.cap = cap
    self.warrantCoverage = warrantCoverage
  }
}

/// A promise that no later lender of the same startup gets better terms.
package struct MostFavouredNation: Sendable, Hashable {
  package enum Extent: String, Sendable, Hashable, CaseIterable {
    /// Each term by itself is lifted to the best of it.
    case termByTerm = "term_by_term"
    /// A later loan's terms are taken as a whole, and only if none is worse: to give up one for another is a choice of
    /// the lender's, not a lift.
    case wholePackage = "whole_package"
  }

  package let extent: Extent
  /// The last trade date that still counts; nil for the loan's life.
  package let through: CalendarDate?

  package init(extent: Extent, through: CalendarDate? = nil) {
    self.extent = extent
    self.through = through
  }

  /// A later loan of the same startup.
  package struct LaterLoan: Sendable, Hashable {
    package let loanID: LoanID
    package let tradedOn: CalendarDate
    package let terms: FavourableTerms

    package init(loanID: LoanID, tradedOn: CalendarDate, terms: FavourableTerms) {
      self.loanID = loanID
      self.tradedOn = tradedOn
      self.terms = terms
    }
  }

  package enum Term: String, Sendable, Hashable, CaseIterable {
    case rate, sweep, rank, discount, cap
    case warrantCoverage = "warrant_coverage"
  }

  /// One term lifted.
  package struct Lift: Sendable, Hashable {
    package let term: Term
    /// Basis points, a rank, or minor units, as the term is; nil: there was none.
    package let from: Int64?
    package let to: Int64
    /// The later loan that has it.
    package let because: LoanID
  }

  /// Lifts the terms of a loan to those of later ones, which are looked at by trade date, then id: of two that offer the
  /// same the earlier one is named.
  /// - Parameter tradedOn: of the loan itself; loans of that day or before are not later.
  package func lifted(
    _ terms: FavourableTerms, tradedOn: CalendarDate, by later: [LaterLoan]
  ) -> (terms: FavourableTerms, lifts: [Lift]) {
    var terms = terms
    var lifts: [Term: Lift] = [:]
    let original = terms
    let ordered = later.sorted { $0.tradedOn != $1.tradedOn ? $0.tradedOn < $1.tradedOn : $0.loanID < $1.loanID }
    for loan in ordered where loan.tradedOn > tradedOn {
      if let through, loan.tradedOn > through { continue }
      let better = Term.allCases.filter { loan.terms.isBetter($0, than: terms) }
      let worse = Term.allCases.filter { terms.isBetter($0, than: loan.terms) }
      if extent == .wholePackage, !worse.isEmpty { continue }
      for term in better {
        terms.take(term, from: loan.terms)
        guard let to = loan.terms.value(of: term) else { continue }
        lifts[term] = Lift(term: term, from: original.value(of: term), to: to, because: loan.loanID)
      }
    }
    return (terms, Term.allCases.compactMap { lifts[$0] })
  }
}

extension FavourableTerms {
  fileprivate func value(of term: MostFavouredNation.Term) -> Int64? {
    switch term {
    case .rate: rate.value
    case .sweep: sweep.value
    case .rank: rank
    case .discount: discount.value
    case .cap: cap
    case .warrantCoverage: warrantCoverage.value
    }
  }

  fileprivate func isBetter(_ term: MostFavouredNation.Term, than other: FavourableTerms) -> Bool {
    guard let mine = value(of: term) else { return false }
    guard let theirs = other.value(of: term) else { return true }
    switch term {
    case .rank, .cap: return mine < theirs
    case .rate, .sweep, .discount, .warrantCoverage: return mine > theirs
    }
  }

  mutating func take(_ term: MostFavouredNation.Term, from other: FavourableTerms) {
    switch term {
    case .rate: rate = other.rate
    case .sweep: sweep = other.sweep
    case .rank: rank = other.rank
    case .discount: discount = other.discount
    case .cap: cap = other.cap
    case .warrantCoverage: warrantCoverage = other.warrantCoverage
    }
  }
}
