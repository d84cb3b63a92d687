import Catalogue
import DomainFixtures
import Lending
import Operations
import Parties
import Persistence
import Primitives
import Repayment
import Testing

@Suite("A loan that goes wrong", .timeLimit(.minutes(2)))
struct LoanDefaultTests {
  private func declare(_ lent: LentChips, _ cause: DefaultCause, cureDays: Int64? = nil) -> DeclareDefault {
    DeclareDefault(loanID: lent.id, cause: cause, cureDays: cureDays, reason: nil, ifVersion: nil)
  }

  @Test("default stops the fee, cure brings it back for every day, acceleration makes everything due")
  func defaults() async throws {
    try await Marketplace.with { market in
      let lent = try await LentChips(market, recallNoticeDays: 30)
      let lender = lent.lender.principal
      #expect(try await market.submit(declare(lent, .nonPayment), by: lender).refusalCode == "loan.not_overdue")
      let cure = CureDefault(loanID: lent.id, reason: nil, ifVersion: nil)
      #expect(try await market.submit(cure, by: lender).refusalCode == "lending.illegal_state")
      let accelerate = AccelerateLoan(loanID: lent.id, ifVersion: nil)
      let breach = declare(lent, .covenantBreach, cureDays: 20)
      #expect(try await market.run(breach, by: lender).life.default?.cureUntil == (try lent.day(20)))
      #expect(try await market.submit(accelerate, by: lender).refusalCode == "loan.cure_time_running")
      market.clock.advance(days: 10)
      try await lent.accrue()
      #expect(try await lent.loan().outstanding.fee == 0)
      #expect(try await market.submit(cure, by: lent.startup.principal).refusalCode == "parties.not_yours")
      #expect(try await market.run(cure, by: lender).state == .active)
      #expect(try await lent.loan().outstanding.fee == 10 * LentChips.perDay)
      try await lent.letRecallLapse()
      #expect(try await market.run(declare(lent, .nonPayment), by: lender).state == .defaulted)
      #expect(try await market.submit(cure, by: lender).refusalCode == "loan.still_due")
      let loan = try await market.run(accelerate, by: lender)
      #expect(loan.due?.cause == .acceleration && loan.outstanding.fee == 50 * LentChips.perDay)
      #expect(try await market.submit(accelerate, by: lender).refusalCode == "lending.illegal_state")
      try await lent.pay(LentChips.principal + 50 * LentChips.perDay, .collateral)
      let closed = try await lent.loan()
      #expect(closed.state == .closed && closed.closedAs == .paidOff)
      #expect(try await lent.breaches() == [])
    }
  }

  @Test("chips are taken back by an act with a verdict; collateral money leaves the deficiency")
  func repossession() async throws {
    try await Marketplace.with { market in
      let lent = try await LentChips(market, recallNoticeDays: 30)
      let lender = lent.lender.principal
      func take(_ quantity: Int64) -> RepossessChips {
        RepossessChips(loanID: lent.id, quantity: quantity, occurredOn: lent.today, ifVersion: nil)
      }
      #expect(try await market.submit(take(16), by: lender).refusalCode == "lending.illegal_state")
      try await lent.letRecallLapse()
      _ = try await market.run(declare(lent, .nonPayment), by: lender)
      _ = try await market.run(AccelerateLoan(loanID: lent.id, ifVersion: nil), by: lender)
      #expect(try await market.submit(take(17), by: lender).refusalCode == "lending.more_than_out")
      let taken = try await market.run(take(16), by: lender)
      #expect(taken.verdict.isClear && taken.loan.unitsOut == 0 && taken.loan.life.unitsRepossessed == 16)
      #expect(try await lent.lot().units(.repossessed) == 16)
      try await lent.pay(10_000_000, .collateral)
      let deficiency = try await lent.loan()
      #expect(deficiency.state == .defaulted)
      #expect(try deficiency.outstanding.total() == LentChips.principal + 40 * LentChips.perDay - 10_000_000)
      #expect(try await lent.breaches() == [])
      func dispose(_ quantity: Int64, _ outcome: Disposal) -> DisposeChips {
        DisposeChips(loanID: lent.id, quantity: quantity, outcome: outcome, occurredOn: lent.today, ifVersion: nil)
      }
      _ = try await market.run(dispose(12, .sold), by: lender)
      #expect(try await market.submit(dispose(5, .kept), by: lender).refusalCode == "loan.more_than_repossessed")
      try await lent.pay(try deficiency.outstanding.total(), .guarantee)
      let closed = try await lent.loan()
      #expect(closed.state == .closed && closed.closedAs == .returned && closed.title == .lender)
      #expect(try await market.run(dispose(4, .kept), by: lender).unitsToDispose == 0)
      let lot = try await lent.lot()
      #expect(lot.units(.sold) == 12 && lot.units(.repossessed) == 0 && lot.units(.available) == 52)
      #expect(try await lent.breaches() == [])
    }
  }

  @Test(
    "a write-off leaves the claim; money that comes after all releases it; forgiveness ends the claim on both sides")
  func writeOffAndForgiveness() async throws {
    try await Marketplace.with { market in
      let lent = try await LentChips(market, recallNoticeDays: 30)
      let lender = lent.lender.principal
      try await lent.letRecallLapse()
      try await lent.accrue()
      let claim = try await lent.loan().outstanding
      let total = try claim.total()
      let off = WriteOffLoan(loanID: lent.id, amount: nil, reason: "doubtful", ifVersion: nil)
      #expect(try await market.submit(off, by: lent.startup.principal).refusalCode == "parties.not_yours")
      #expect(try await market.run(off, by: lender).life.writtenOff == total)
      #expect(try await market.submit(off, by: lender).refusalCode == "lending.terms_disagree")
      #expect(try await lent.loan().outstanding == claim)
      #expect(try await lent.breaches() == [])
      try await lent.pay(1_000_000)
      #expect(try await lent.loan().life.writtenOff == total - 1_000_000)
      #expect(try await lent.breaches() == [])
      let left = try await lent.loan().outstanding
      func forgive(_ fee: Int64, _ principal: Int64) -> ForgiveDebt {
        ForgiveDebt(
          loanID: lent.id, charges: nil, fee: fee == 0 ? nil : Money(fee, .usd), principal: Money(principal, .usd),
          reason: nil, ifVersion: nil)
      }
      #expect(
        try await market.submit(forgive(0, left.principal + 1), by: lender).refusalCode == "loan.more_than_claimed")
      #expect(try await market.submit(forgive(0, 1), by: lent.startup.principal).refusalCode == "parties.not_yours")
      #expect(try await market.run(forgive(0, 5_000_000), by: lender).life.forgiven == 5_000_000)
      #expect(try await lent.breaches() == [])
      let last = try await lent.loan().outstanding
      let closed = try await market.run(forgive(last.fee, last.principal), by: lender)
      #expect(closed.state == .closed && closed.closedAs == .forgiven && closed.title == .borrower)
      #expect(closed.life.writtenOff == 0)
      #expect(try await lent.breaches() == [])
    }
  }

  @Test("a casualty makes the value of the lost units due, and insurance money pays it")
  func casualty() async throws {
    try await Marketplace.with { market in
      let lent = try await LentChips(market)
      func lose(_ quantity: Int64) -> RecordCasualty {
        RecordCasualty(
          loanID: lent.id, quantity: quantity, occurredOn: lent.today, cause: .fire, reason: nil, ifVersion: nil)
      }
      #expect(try await market.submit(lose(17), by: lent.startup.principal).refusalCode == "lending.more_than_out")
      let lost = try await market.run(lose(4), by: lent.startup.principal)
      #expect(lost.value == Money(LentChips.principal / 4, .usd))
      #expect(lost.loan.state == .due && lost.loan.due?.amount == LentChips.principal / 4)
      #expect(try await lent.lot().units(.lost) == 4)
      #expect(try await lent.breaches() == [])
      // Units that come back meanwhile are credited for themselves alone.
      for (condition, party) in [(nil, lent.startup), (nil, lent.lender), (ReturnCondition.good, lent.lender)] {
        _ = try await market.run(
          RecordReturn(
            loanID: lent.id, quantity: 6, occurredOn: lent.today, condition: condition,
            conditionCharge: condition == nil ? nil : Money(0, .usd)), by: party.principal)
      }
      #expect(try await lent.loan().outstanding.principal == LentChips.principal / 16 * 10)
      try await lent.pay(LentChips.principal / 4, .insurance)
      let after = try await lent.loan()
      #expect(after.state == .active && after.outstanding.principal == LentChips.principal / 16 * 6)
      #expect(try await lent.breaches() == [])
    }
  }

  @Test("a hold stops chips and title, not cash; what was paid meanwhile gets its title when the hold ends")
  func hold() async throws {
    try await Marketplace.with { market in
      let lent = try await LentChips(market, recallNoticeDays: 30)
      let freeze = FreezeLoan(loanID: lent.id, reason: "screening", ifVersion: nil)
      let unfreeze = UnfreezeLoan(loanID: lent.id, ifVersion: nil)
      #expect(try await market.submit(freeze, by: lent.lender.principal).refusalCode == "parties.role_required")
      #expect(try await market.submit(freeze, by: .automation).refusalCode == "parties.person_required")
      #expect(try await market.submit(unfreeze, by: Marketplace.staff()).refusalCode == "lending.illegal_state")
      try await lent.letRecallLapse()
      #expect(try await market.run(freeze, by: Marketplace.staff()).state == .frozen)
      #expect(try await lent.lot().units(.frozen) == 16)
      let back = RecordReturn(
        loanID: lent.id, quantity: 16, occurredOn: lent.today, condition: nil, conditionCharge: nil)
      #expect(try await market.submit(back, by: lent.startup.principal).refusalCode == "lending.illegal_state")
      #expect(try await lent.breaches() == [])
      try await lent.pay(LentChips.principal + 40 * LentChips.perDay)
      #expect(try await lent.loan().state == .titlePending)
      _ = try await market.run(RescreenLoan(loanID: lent.id, on: lent.today), by: .automation)
      #expect(try await lent.loan().state == .titlePending)
      #expect(try await lent.breaches() == [])
      #expect(try await market.run(unfreeze, by: Marketplace.staff()).state == .closed)
      #expect(try await lent.lot().units(.sold) == 16)
      #expect(try await lent.breaches() == [])
    }
  }
}
