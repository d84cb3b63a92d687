import DomainFixtures
import Lending
import Operations
import Persistence
import Primitives
import Testing

/// A command that foresees decides before it holds its heads, and compares behind them.
@Suite("What was decided before the locks", .timeLimit(.minutes(2)))
struct ForesightTests {
  @Test("is posted once where nothing changed meanwhile")
  func holds() async throws {
    try await Marketplace.with { market in
      let chips = try await LentChips(market)
      market.clock.advance(days: 3)
      let held = try await HeldHead(chips.lender.id, in: market.database)
      async let accrued: Void = chips.accrue()
      try await held.waitUntilWaitedFor()
      try await held.release()
      try await accrued
      let loan = try await chips.loan()
      #expect(loan.outstanding.fee == 3 * LentChips.perDay)
      #expect(try await chips.entries("fee_accrued") == 2)
      #expect(try await chips.breaches() == [])
    }
  }

  @Test("is decided again where a loan changed meanwhile")
  func isOvertaken() async throws {
    try await Marketplace.with { market in
      let chips = try await LentChips(market)
      market.clock.advance(days: 3)
      let before = try await chips.loan()
      let held = try await HeldHead(chips.lender.id, in: market.database)
      async let accrued: Void = chips.accrue()
      try await held.waitUntilWaitedFor()
      // As another process would leave it that agreed on another rate: the row as a whole is another version.
      try await held.run(
        """
        update loans set accrued_through = accrued_through + 1, version = version + 1 where id = '\(chips.id.value)'
        """)
      try await held.release()
      try await accrued
      let loan = try await chips.loan()
      #expect(loan.version == before.version + 2)
      #expect(loan.outstanding.fee == 2 * LentChips.perDay)
      #expect(try await chips.entries("fee_accrued") == 2)
    }
  }

  @Test("is decided again where a loan is new or has gone")
  func isMissing() async throws {
    try await Marketplace.with { market in
      let chips = try await LentChips(market)
      market.clock.advance(days: 3)
      let held = try await HeldHead(chips.lender.id, in: market.database)
      async let accrued: Void = chips.accrue()
      try await held.waitUntilWaitedFor()
      try await held.run(
        """
        update loans set state = 'closed', closed_as = 'forgiven', closed_on = '\(chips.today)',
          outstanding_principal = 0, outstanding_fee = 0 where id = '\(chips.id.value)'
        """)
      try await held.release()
      try await accrued
      #expect(try await chips.entries("fee_accrued") == 0)
    }
  }
}
