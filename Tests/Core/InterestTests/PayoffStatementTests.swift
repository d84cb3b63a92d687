import Interest
import Primitives
import PropertyKit
import Testing

@Suite("Payoff statements")
struct PayoffStatementTests {
  private func statement(
    _ principal: String, _ events: [(String, LoanCashEvent.Kind, String)], on date: String,
    rate: (String, String) = ("2023-01-01", "0.10")
  ) throws -> PayoffStatement {
    try PayoffStatement(
      principal: try amount(principal), currency: .usd, convention: .act360, rates: try rateHistory(rate),
      from: try day("2023-01-01"),
      events: try events.map { LoanCashEvent(date: try day($0.0), kind: $0.1, amount: try amount($0.2)) },
      payoffOn: try day(date))
  }

  @Test("a payment above all that is owed takes no more than that")
  func excess() throws {
    let found = try statement("3600.00", [("2023-01-11", .payment, "99999.99")], on: "2023-02-01")
    #expect(found.events[0].accrued.description == "10.00")
    #expect(found.events[0].paidInterest.description == "10.00")
    #expect(found.events[0].paidPrincipal.description == "3600.00")
    #expect(found.payoff.isZero && found.accruedSinceLastEvent.isZero)
  }

  @Test("an event on the payoff date counts, and so does one on the first day")
  func borders() throws {
    let found = try statement(
      "3600", [("2023-01-01", .drawdown, "3600"), ("2023-01-11", .payment, "20")], on: "2023-01-11")
    #expect(found.events.map(\.accrued.description) == ["0.00", "20.00"])
    #expect(found.payoff.description == "7200.00")
    #expect(found.perDiem?.description == "2.00")
  }

  @Test("interest due bears none, and principal that no payment touched is printed as it was stated")
  func dueBearsNone() throws {
    let found = try statement("3600", [("2023-01-11", .payment, "5.00")], on: "2023-01-21")
    #expect(found.events[0].interestDue.description == "5.00")
    #expect(found.accruedSinceLastEvent.description == "10.00")
    #expect(found.interestDue.description == "15.00")
    #expect(found.events[0].paidPrincipal.description == "0.00")
    #expect(try statement("3600", [], on: "2023-01-01").principal.description == "3600")
  }

  @Test("rates below zero leave less than nothing due, which no payment takes and the payoff sets off")
  func negativeRates() throws {
    let found = try statement(
      "3600", [("2023-01-11", .payment, "100.00")], on: "2023-01-11", rate: ("2023-01-01", "-0.10"))
    #expect(found.events[0].accrued.description == "-10.00")
    #expect(found.events[0].paidInterest.isZero)
    #expect(found.events[0].paidPrincipal.description == "100.00")
    #expect(found.payoff.description == "3490.00")
  }

  @Test("money in, less money out, plus interest is what is owed; and the payoff closes the loan")
  func conservation() throws {
    try forAll(seeds: 1...100) { random in
      let start = try random.date()
      let rates = try random.rates(from: start, 4)
      var date = start
      var events: [LoanCashEvent] = []
      for _ in 0..<random.int(in: 0...5) {
        date = try #require(date.adding(days: random.int64(in: 0...90)))
        events.append(
          LoanCashEvent(
            date: date, kind: random.oneIn(2) ? .payment : .drawdown,
            amount: DecimalNumeral(unscaled: WideInteger(random.int64(in: 0...2_000_000)), places: 2)))
      }
      let last = try #require(date.adding(days: random.int64(in: 0...90)))
      let principal = DecimalNumeral(unscaled: WideInteger(random.int64(in: 0...9_000_000)), places: 2)
      let convention = try random.pick(DayCountConvention.allCases)
      func statement(_ events: [LoanCashEvent]) throws -> PayoffStatement {
        try PayoffStatement(
          principal: principal, currency: .usd, convention: convention, rates: rates, from: start, events: events,
          payoffOn: last)
      }
      let found = try statement(events)
      var owed = principal + found.accruedSinceLastEvent
      for (event, row) in zip(events, found.events) {
        if event.kind == .drawdown { owed = owed + event.amount }
        owed = owed + row.accrued - row.paidInterest - row.paidPrincipal
      }
      try hold(owed.rational == found.payoff.rational, "\(owed) against \(found.payoff)")
      guard !found.interestDue.isNegative else { return }
      let closed = try statement(events + [LoanCashEvent(date: last, kind: .payment, amount: found.payoff)])
      try hold(closed.payoff.isZero, "\(closed.payoff) is left after the payoff")
    }
  }
}
