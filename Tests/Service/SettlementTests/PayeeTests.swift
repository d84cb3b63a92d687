import BankFiles
import DomainFixtures
import Operations
import Parties
import Persistence
import Postgres
import PostgresHarness
import Primitives
import Repayment
import SchemaFixtures
import Testing

@testable import Settlement

@Suite("Payees and payment files", .timeLimit(.minutes(5)))
struct PayeeTests {
  @Test("an account is verified by a second person, and neither proposed nor withdrawn by a stranger")
  func secondPerson() async throws {
    try await Marketplace.with { market in
      let (lender, stranger) = (try await market.lender("One"), try await market.lender("Two"))
      let propose = try Self.proposal(for: lender.id)
      #expect(try await market.submit(propose, by: stranger.principal).refusalCode == "parties.not_found")
      let nameless = ProposePayee(
        organizationID: lender.id, currency: .usd, name: "北京", account: .other("1"), agent: nil)
      #expect(try await market.submit(nameless, by: lender.principal).refusalCode == "payment_file.character")
      let payee = try await market.run(propose, by: Marketplace.staff())
      func decide(_ act: DecidePayee.Act, ifVersion: Int64? = nil) -> DecidePayee {
        DecidePayee(organizationID: lender.id, payeeID: payee.id, act: act, ifVersion: ifVersion)
      }
      #expect(try await market.submit(decide(.verify), by: Marketplace.staff()).refusalCode == "parties.same_person")
      #expect(try await market.submit(decide(.verify), by: .automation).refusalCode == "parties.person_required")
      #expect(try await market.submit(decide(.verify), by: lender.principal).refusalCode == "parties.role_required")
      #expect(
        try await market.submit(decide(.withdraw(reason: "x")), by: stranger.principal).refusalCode
          == "parties.not_found")
      let verified = try await market.run(decide(.verify, ifVersion: 1), by: Marketplace.staff(2))
      #expect(verified.state == .verified && verified.verifiedBy == Marketplace.staff(2).personID)
      #expect(verified.usableFrom == market.clock.now().adding(seconds: 48 * 3_600))
      #expect(try await market.submit(decide(.verify), by: Marketplace.staff(2)).refusalCode == "payee.illegal_state")
      let gone = try await market.run(decide(.withdraw(reason: "closed")), by: lender.principal)
      #expect(gone.state == .withdrawn && gone.reason == "closed")
      let twice = try await market.submit(decide(.withdraw(reason: "again")), by: lender.principal)
      #expect(twice.refusalCode == "payee.illegal_state")
      let broken = try await market.lawBreaches()
      #expect(broken == [])
    }
  }

  @Test("a file pays each lender's net on the account that was usable then, the same bytes every time")
  func file() async throws {
    try await Marketplace.with { market in
      let loans = try await market.lend(1)
      let lender = loans[0].lender
      let own = try await market.verified(Self.proposal(for: .platform, account: "PLATFORM"))
      let first = try await market.verified(Self.proposal(for: lender.id, account: "OLD"))
      market.clock.advance(days: 8)
      // A change that is not old enough when the payout is made: the account before it is used.
      let changed = try await market.verified(Self.proposal(for: lender.id, account: "NEW"))
      market.clock.advance(days: 1)
      let (run, payout) = try await market.paidOut(loans[0])
      market.clock.advance(days: 5)
      let orders = try PayoutOrders(run, payouts: [payout], payees: [changed, own, first])
      #expect(orders.withoutPayee == [] && orders.orders.count == 1)
      let order = try #require(orders.orders.first)
      #expect(order.amount == Money(payout.net, .usd) && order.endToEndID == EndToEndReference.of(payout.id))
      #expect(order.creditorAccount == .other("OLD") && order.debtor.account == .other("PLATFORM"))
      let bytes = try orders.file()
      #expect(try PayoutOrders(run, payouts: [payout], payees: [first, changed, own]).file() == bytes)
      let text = String(decoding: bytes, as: UTF8.self)
      #expect(text.contains("<EndToEndId>\(EndToEndReference.of(payout.id))</EndToEndId>"))
      #expect(text.contains("<InstdAmt Ccy=\"USD\">"))

      // Withdrawn after the payout: nothing goes there, nor to any other account in its place.
      var withdrawn = first
      (withdrawn.state, withdrawn.withdrawnBy) = (.withdrawn, Marketplace.staff(3).personID)
      withdrawn.withdrawnAt = market.clock.now()
      let held = try PayoutOrders(run, payouts: [payout], payees: [changed, own, withdrawn])
      #expect(held.orders.isEmpty && held.withoutPayee.map(\.payout) == [payout])
      #expect(held.withoutPayee[0].why.contains("withdrawn by \(try #require(withdrawn.withdrawnBy))"))
      #expect(throws: PaymentFault.self) { try held.file() }
    }
  }

  @Test("a lender without a usable account stands apart, with who and when; without one of ours there is no file")
  func without() async throws {
    try await Marketplace.with { market in
      let loans = try await market.lend(1)
      let lender = loans[0].lender
      let own = try await market.verified(Self.proposal(for: .platform))
      market.clock.advance(days: 9)
      let waiting = try await market.verified(Self.proposal(for: lender.id))
      let proposed = try await market.run(Self.proposal(for: lender.id), by: lender.principal)
      market.clock.advance(days: 1)
      let (run, payout) = try await market.paidOut(loans[0])
      func why(_ payees: [Payee]) throws -> String? {
        try PayoutOrders(run, payouts: [payout], payees: payees).withoutPayee.first?.why
      }
      #expect(try why([own]) == "no account in USD is recorded")
      #expect(try why([own, proposed])?.contains("proposed by \(proposed.proposedBy)") == true)
      let from = try #require(waiting.usableFrom)
      #expect(try why([own, waiting, proposed])?.contains("is used from \(from) on") == true)
      var early = waiting
      early.usableFrom = payout.recordedAt
      let refused = #expect(throws: PayeeRefusal.self) {
        _ = try PayoutOrders(run, payouts: [payout], payees: [early])
      }
      #expect(refused?.code == "payment_file.no_debtor_account")
      let accrued = try await market.settle(.accrual)
      let wrong = #expect(throws: PayeeRefusal.self) { _ = try PayoutOrders(accrued, payouts: [], payees: [own]) }
      #expect(wrong?.code == "payment_file.nothing_paid_out")
    }
  }

  private static func proposal(for organization: OrganizationID, account: String = "0200 1") throws -> ProposePayee {
    let agent: BIC = try #require(BIC("DEUTDEFF"))
    return ProposePayee(
      organizationID: organization, currency: .usd, name: "Müller & Söhne", account: .other(account), agent: agent)
  }
}

extension Marketplace {
  /// Proposed by one person of staff and verified by another.
  fileprivate func verified(_ proposal: ProposePayee) async throws -> Payee {
    let payee = try await run(proposal, by: Self.staff())
    return try await run(
      DecidePayee(organizationID: payee.organizationID, payeeID: payee.id, act: .verify, ifVersion: nil),
      by: Self.staff(2))
  }

  /// All of the loan is paid and paid out.
  fileprivate func paidOut(_ loan: LentLoan) async throws -> (SettlementRun, Payout) {
    try await makeDue(loan)
    try await receive(14_400_000, "ROUND", from: loan.startup)
    let run = try await settle(.payout)
    return (run, try #require(try await payouts().first))
  }
}
