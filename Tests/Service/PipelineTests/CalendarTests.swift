import DomainFixtures
import Interest
import Lending
import Operations
import Parties
import Persistence
import Primitives
import Repayment
import Testing

@Suite("Business days", .timeLimit(.minutes(2)))
struct CalendarTests {
  private func calendar(_ currency: Currency, through: String, _ holidays: [String]) throws -> PublishedCalendar {
    try PublishedCalendar(
      code: try #require(CalendarCode(currency.code)), currencies: [currency],
      from: try #require(CalendarDate("2026-01-01")), through: try #require(CalendarDate(through)), weekend: [6, 7],
      holidays: try holidays.map { Holiday(on: try #require(CalendarDate($0)), name: "Holiday") }, source: "circular")
  }

  @Test("a calendar counts once a second person has adopted it, and then in every process")
  func adoption() async throws {
    try await Marketplace.with { market in
      let propose = ProposeReference(fact: .calendar(try calendar(.cny, through: "2026-12-31", ["2026-10-01"])))
      let lender = try await market.lender()
      #expect(try await market.submit(propose, by: lender.principal).refusalCode == "parties.role_required")
      #expect(try await market.submit(propose, by: .automation).refusalCode == "parties.person_required")
      let entry = try await market.run(propose, by: Marketplace.staff())
      let day = try #require(CalendarDate("2026-10-01"))
      func decide(_ act: DecideReference.Act, ifVersion: Int64? = nil) -> DecideReference {
        DecideReference(entryID: entry.id, kind: .calendar, act: act, ifVersion: ifVersion)
      }
      #expect(try await market.reference.refreshed(market.pool).calendars.day(day, of: .cny) == .noCalendar)
      #expect(try await market.submit(decide(.adopt), by: Marketplace.staff()).refusalCode == "parties.same_person")
      let stale = try await market.submit(decide(.adopt, ifVersion: 9), by: Marketplace.staff(2))
      #expect(stale.refusalCode == "parties.stale_version")
      let adopted = try await market.run(decide(.adopt, ifVersion: 1), by: Marketplace.staff(2))
      #expect(adopted.state == .adopted && adopted.decidedBy == Marketplace.staff(2).personID)
      let twice = try await market.submit(decide(.reject), by: Marketplace.staff(2))
      #expect(twice.refusalCode == "reference.already_decided")
      let held = BusinessCalendars.Day.closed(name: "Holiday")
      #expect(try await market.reference.refreshed(market.pool).calendars.day(day, of: .cny) == held)
      let other = try await Marketplace(market.database, seed: 5)
      #expect(other.reference.current.calendars.day(day, of: .cny) == held)
      await other.stop()
      let rejected = try await market.run(propose, by: Marketplace.staff())
      _ = try await market.run(
        DecideReference(entryID: rejected.id, kind: .calendar, act: .reject, ifVersion: nil), by: Marketplace.staff())
      #expect(try await market.breaches() == [])
    }
  }

  @Test("what is paid out on a day on which its currency is not settled, the bank is told to pay on the next")
  func payouts() throws {
    let calendars = try BusinessCalendars([calendar(.usd, through: "2026-12-31", ["2026-06-19"])])
    // A Friday, the holiday of that year, the Saturday after; and, past what is published, a Sunday.
    for (on, settled) in [
      ("2026-06-12", "2026-06-12"), ("2026-06-19", "2026-06-22"), ("2026-06-20", "2026-06-22"),
      ("2027-01-03", "2027-01-04"),
    ] {
      let date = try #require(CalendarDate(on))
      #expect(BusinessDays.settlementDay(date, of: .usd, calendars).date.description == settled)
    }
  }

  @Test("a maturity is moved at trade where the listing says so, and a notice never ends earlier")
  func dates() async throws {
    try await Marketplace.with { market in
      try await market.mark()
      let (lender, startup) = (try await market.lender(), try await market.startup())
      let lot = try await market.lot(of: lender)
      let listing = try await market.run(
        market.listingCommand(of: lot, quantity: 64, recallNoticeDays: 5, businessDay: .preceding),
        by: lender.principal)
      let offer = try await market.offer(try await market.request(of: startup), listing, quantity: 16)
      let accepted = try await market.run(AcceptOffer(offerID: offer.id, ifVersion: nil), by: startup.principal)
      let id = try #require(accepted.loanID)
      let delivery = RecordDelivery(loanID: id, quantity: nil, occurredOn: market.clock.now().date, ifVersion: nil)
      _ = try await market.run(delivery, by: lender.principal)
      _ = try await market.run(delivery, by: startup.principal)
      // 180 days end on Sunday, 29 November 2026: the Friday before is the one after Thanksgiving. Five days of notice end
      // on Sunday too, and go on to Monday.
      let loan = try await market.run(
        RecallLoan(loanID: id, noticeDays: nil, reason: nil, ifVersion: nil), by: lender.principal)
      #expect(loan.maturesOn == CalendarDate("2026-11-27"))
      #expect(loan.life.recall?.dueOn == CalendarDate("2026-06-08"))
      #expect(try await market.breaches() == [])
    }
  }
}
