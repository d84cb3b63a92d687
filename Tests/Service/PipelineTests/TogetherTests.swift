import DomainFixtures
import Lending
import Operations
import Parties
import Persistence
import Postgres
import Primitives
import SchemaFixtures
import Testing

@Suite("Commands that are done together", .timeLimit(.minutes(2)))
struct TogetherTests {
  @Test("are all dropped when one fails as no refusal describes, and the pipeline goes on")
  func defects() async throws {
    try await Marketplace.with { market in
      let owner = try await market.lender()
      let other = try await market.startup()
      let (lender, startup) = (owner.principal, other.principal)
      let lot = try market.lotCommand(of: owner)
      let counts = try await market.rowCounts()
      let bad: [(Principal, Submission.Part)] = [
        (lender, market.part(ThrowDefect(), by: lender)),
        (lender, market.part(PostUnlocked(book: other.id), by: lender)),
        (startup, market.part(BreakConstraint(base: try market.requestCommand()), by: startup)),
        (lender, market.part(MakeLater(), by: lender)),
      ]
      for (number, (party, part)) in bad.enumerated() {
        let good =
          party == lender ? market.part(lot, by: lender) : market.part(try market.requestCommand(), by: party)
        await #expect(throws: PipelineError.self) {
          try await market.together([good, part, good], by: party, key: "k\(number)")
        }
        #expect(try await market.rowCounts() == counts)
      }
      // Nothing was decided under the key.
      let parts = [market.part(lot, by: lender), market.part(lot, by: lender)]
      let done = try await market.together(parts, by: lender, key: "k0")
      #expect(done.answer.status == 200 && !done.replayed)
      let again = try await market.together(parts, by: lender, key: "k0")
      #expect(again.replayed && again.answer == done.answer)
      #expect(try await market.breaches() == [])
    }
  }

  @Test("are refused where one is done alone only, such as moving the clock")
  func alone() async throws {
    try await Marketplace.with { market in
      let counts = try await market.rowCounts()
      let later = try #require(market.clock.now().adding(seconds: 60))
      let staff = Marketplace.staff()
      let answered = try await market.together(
        [
          market.part(MoveClock(to: later, isSandbox: true), by: staff),
          market.part(MoveClock(to: later, isSandbox: true), by: staff),
        ], by: staff)
      #expect(String(decoding: answered.answer.body, as: UTF8.self) == "0 batch.not_combinable")
      var after = try await market.rowCounts()
      // The refusal alone is kept.
      #expect(after["audit_log"] == counts["audit_log"].map { $0 + 1 })
      after["audit_log"] = counts["audit_log"]
      #expect(after == counts)
    }
  }

  @Test("see what those before them made, and where that names more to be seen it is looked up")
  func onEachOther() async throws {
    try await Marketplace.with { market in
      try await market.mark()
      let (lender, startup) = (try await market.lender(), try await market.startup())
      var parts: [Submission.Part] = []
      // Each new loan's listing may ask for as good terms as later ones get, so each offer looks at those before it.
      for _ in 0..<12 {
        let listing = try await market.stockedListing(8, of: lender)
        let offer = try await market.offer(try await market.request(of: startup, quantity: 8), listing, quantity: 8)
        parts.append(market.part(AcceptOffer(offerID: offer.id, ifVersion: nil), by: startup.principal))
      }
      let repeated = try await market.together(parts + [parts[3]], by: startup.principal)
      #expect(String(decoding: repeated.answer.body, as: UTF8.self).hasPrefix("12 lending."))
      let done = try await market.together(parts, by: startup.principal)
      #expect(done.answer.status == 200, "\(String(decoding: done.answer.body, as: UTF8.self))")
      #expect(try await market.rowCounts()["loans"] == 12)
      #expect(try await market.breaches() == [])
    }
  }
}

/// A command that says that it combines with others, and moves the clock.
private struct MakeLater: Command {
  static let action = "test.make_later"
  var staffDuty: Duty? { nil }

  func decide(_ draft: inout Draft, by principal: Principal) throws -> Bool {
    draft.made.clock = draft.now
    return true
  }
}

extension Marketplace {
  fileprivate func part<C: Command>(_ command: C, by principal: Principal) -> Submission.Part {
    Submission.Part(command, by: principal) { result in
      switch result {
      case .success: StoredAnswer(status: 201, headers: [], body: Array("done".utf8))
      case .failure(let error):
        StoredAnswer(status: 409, headers: [], body: Array(((error as? any Refusal)?.code ?? "defect").utf8))
      }
    }
  }

  @discardableResult
  fileprivate func together(
    _ parts: [Submission.Part], by principal: Principal, key: String? = nil
  ) async throws -> Answered {
    let idempotency = key.map {
      IdempotencyKey(
        organizationID: principal.organizationID, key: $0, fingerprint: SHA256Digest(of: Array($0.utf8)))
    }
    let submission = Submission(all: parts, by: principal, idempotency: idempotency) { gathered in
      switch gathered {
      case .done(let answers):
        StoredAnswer(status: 200, headers: [], body: Array("\(answers.count)".utf8))
      case .refused(let position, let answer):
        StoredAnswer(status: answer.status, headers: [], body: Array("\(position) ".utf8) + answer.body)
      }
    }
    return try await pipeline.submit(submission)
  }
}
