import Primitives
import PropertyKit
import Repayment
import Testing

@Suite("The record of what a most-favoured-nation clause compared")
struct FavourComparisonTests {
  private func terms(_ random: inout SplitMix64) -> FavourableTerms {
    FavourableTerms(
      rate: BasisPoints(random.int64(in: 800...1_400)), sweep: BasisPoints(random.int64(in: 0...5_000)),
      rank: random.int64(in: 1...3), discount: BasisPoints(random.int64(in: 0...2_000)),
      cap: random.oneIn(2) ? nil : random.int64(in: 1...1_000), warrantCoverage: BasisPoints(random.int64(in: 0...900)))
  }

  private func comparison(_ random: inout SplitMix64) throws -> FavourComparison {
    var later: [MostFavouredNation.LaterLoan] = []
    for number in 0..<random.int(in: 0...4) {
      later.append(
        .init(
          loanID: loanID(UInt64(number + 2)),
          tradedOn: try #require(try day("2024-01-01").adding(days: random.int64(in: 0...40))),
          terms: terms(&random)))
    }
    return FavourComparison(
      loanID: loanID(1), lenderID: OrganizationID(UUIDValue(high: 1, low: 2)),
      clause: MostFavouredNation(
        extent: random.oneIn(2) ? .termByTerm : .wholePackage, through: random.oneIn(3) ? try day("2024-01-20") : nil),
      tradedOn: try day("2024-01-01"), comparedOn: try day("2024-03-01"),
      leftOut: Set(MostFavouredNation.Term.allCases.filter { _ in random.oneIn(4) }), own: terms(&random),
      later: later)
  }

  @Test("its bytes read back as they were written, and compare again to the same")
  func reproduced() throws {
    try forAll { random in
      let made = try comparison(&random)
      let read = try FavourComparison(canonicalBytes: made.canonicalBytes)
      try hold(read == made && read.digest == made.digest && read.isReproduced, "\(made)")
      try hold((try? FavourComparison(canonicalBytes: Array(made.canonicalBytes.dropLast()))) == nil, "cut short")
      for lift in made.lifts {
        try hold(!made.leftOut.contains(lift.term), "\(lift.term) was left out")
        try hold(made.tradeDay(of: lift).map { $0 > made.tradedOn } == true, "not a later loan")
      }
    }
  }

  /// Better for the lender, one term by itself.
  private func isBetter(_ term: MostFavouredNation.Term, _ one: FavourableTerms, than other: FavourableTerms) -> Bool {
    switch term {
    case .rate: one.rate > other.rate
    case .sweep: one.sweep > other.sweep
    case .rank: one.rank < other.rank
    case .discount: one.discount > other.discount
    case .cap: (one.cap ?? .max) < (other.cap ?? .max)
    case .warrantCoverage: one.warrantCoverage > other.warrantCoverage
    }
  }

  @Test("term by term it lifts what any later loan betters, and nothing else; as a whole only where nothing is worse")
  func lifts() throws {
    try forAll { random in
      let made = try comparison(&random)
      let counted = made.later.filter { loan in
        loan.tradedOn > made.tradedOn && made.clause.through.map { loan.tradedOn <= $0 } != false
      }
      let terms = MostFavouredNation.Term.allCases.filter { !made.leftOut.contains($0) }
      let lifted = Set(made.lifts.map(\.term))
      if made.clause.extent == .termByTerm {
        for term in terms {
          let better = counted.contains { isBetter(term, $0.terms, than: made.own) }
          try hold(lifted.contains(term) == better, "\(term) of \(made)")
        }
      } else {
        let any = counted.contains { loan in
          terms.contains { isBetter($0, loan.terms, than: made.own) }
            && !terms.contains { isBetter($0, made.own, than: loan.terms) }
        }
        try hold(lifted.isEmpty != any, "\(made)")
      }
    }
  }
}
