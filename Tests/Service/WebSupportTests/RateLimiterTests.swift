import Parties
import Primitives
import Testing
import WebSupport

@Suite("Quotas of requests")
struct RateLimiterTests {
  private static let second: Int64 = 1_000_000_000
  private let organization = OrganizationID(UUIDValue(high: 1, low: 1))
  private let other = OrganizationID(UUIDValue(high: 2, low: 1))

  private func key(_ number: UInt64) -> Credential { .key(APIKeyID(UUIDValue(high: number, low: 9))) }

  private func limits(key: Int64, organization: Int64 = 1_000_000, per seconds: Int64 = 60) -> RateLimiter.Limits {
    var limits = RateLimiter.Limits()
    limits.key = .init(key, per: seconds)
    limits.organization = .init(organization, per: seconds)
    limits.concurrent = 1_000_000
    return limits
  }

  private func admits(_ verdict: RateLimiter.Verdict) -> Bool { if case .admitted = verdict { true } else { false } }

  @Test("exactly the stated quota passes in a burst, whatever the quota", arguments: [1, 2, 7, 60, 61, 999, 7_919])
  func burst(quota: Int64) {
    let limiter = RateLimiter(limits(key: quota))
    for start in [0, 3_600 * Self.second] {
      let verdicts = (0..<quota + 5).map { _ in limiter.admit(key: key(1), of: organization, nil, now: start) }
      #expect(Int64(verdicts.count { admits($0) }) == quota)
      #expect(admits(verdicts[Int(quota) - 1]) && !admits(verdicts[Int(quota)]))
    }
  }

  @Test("what is left and when all is there again are told, and a refusal says when the next request fits")
  func standing() {
    let limiter = RateLimiter(limits(key: 10))
    guard case .admitted(let first) = limiter.admit(key: key(1), of: organization, nil, now: 0) else {
      Issue.record("refused")
      return
    }
    #expect(first == .init(policy: "key", remaining: 9, fullAfter: 6))
    for _ in 0..<9 { _ = limiter.admit(key: key(1), of: organization, nil, now: 0) }
    let refused = limiter.admit(key: key(1), of: organization, nil, now: Self.second)
    #expect(refused == .refused(.init(policy: "key", remaining: 0, fullAfter: 59), retryAfter: 5))
    #expect(!admits(limiter.admit(key: key(1), of: organization, nil, now: 6 * Self.second - 1)))
    #expect(admits(limiter.admit(key: key(1), of: organization, nil, now: 6 * Self.second)))
    #expect(limiter.refused == 2)
  }

  @Test("a batch counts as many as it has operations, all or none, and what is more than a quota is owed for")
  func batches() {
    let limiter = RateLimiter(limits(key: 10))
    func charge(_ more: Int64, at now: Int64) -> Bool {
      admits(limiter.admit(key: key(1), of: organization, nil, now: now))
        && admits(limiter.charge(more, [:], key: key(1), of: organization, now: now))
    }
    #expect(charge(6, at: 0))
    // Three are left: one carries the batch, and of the five others none is taken.
    #expect(!charge(5, at: 0))
    #expect(charge(1, at: 0))
    #expect(!charge(0, at: 0))
    // Over ten minutes as much passes as ten quotas, however large the batches are.
    let large = RateLimiter(limits(key: 10))
    var passed: Int64 = 0
    for second in 0..<600 {
      let now = Int64(second) * Self.second
      if case .admitted = large.charge(25, [:], key: key(1), of: organization, now: now) { passed += 25 }
    }
    #expect(passed == 100)
    var classes = limits(key: 100)
    classes.expensive[.imports] = .init(3, per: 60)
    let byClass = RateLimiter(classes)
    #expect(admits(byClass.charge(4, [.imports: 4], key: key(1), of: organization, now: 0)))
    #expect(!admits(byClass.charge(1, [.imports: 1], key: key(1), of: organization, now: 0)))
    #expect(admits(byClass.charge(95, [:], key: key(1), of: organization, now: 0)))
  }

  @Test("keys of one organisation share its quota, other organisations have their own")
  func shared() {
    let limiter = RateLimiter(limits(key: 8, organization: 10))
    let taken = (0..<20).count { admits(limiter.admit(key: key(UInt64($0 % 2)), of: organization, nil, now: 5)) }
    #expect(taken == 10)
    #expect(admits(limiter.admit(key: key(5), of: other, nil, now: 5)))
  }

  @Test("a binding has a quota of its own, as a key has")
  func bindings() {
    let limiter = RateLimiter(limits(key: 8))
    let binding = Credential.binding(IdentityBindingID(UUIDValue(high: 1, low: 9)))
    for caller in [key(1), binding] {
      #expect((0..<20).count { _ in admits(limiter.admit(key: caller, of: organization, nil, now: 5)) } == 8)
    }
  }

  @Test("an expensive request refused for its class takes nothing of the other quotas")
  func classes() {
    var limits = limits(key: 100)
    limits.expensive = [.replays: .init(2)]
    let limiter = RateLimiter(limits)
    let taken = (0..<50).count { _ in admits(limiter.admit(key: key(1), of: organization, .replays, now: 0)) }
    #expect(taken == 2)
    let rest = (0..<200).count { _ in admits(limiter.admit(key: key(1), of: organization, nil, now: 0)) }
    #expect(rest == 98)
  }

  @Test("so many requests of an organisation are under way at once; each that ends makes room for one")
  func concurrency() {
    var limits = limits(key: 1_000)
    limits.concurrent = 3
    let limiter = RateLimiter(limits)
    #expect((0..<5).count { _ in admits(limiter.admit(key: key(1), of: organization, nil, now: 0)) } == 3)
    #expect(limiter.admit(key: key(1), of: organization, nil, now: 0) == .crowded)
    limiter.ended(organization)
    #expect(admits(limiter.admit(key: key(1), of: organization, nil, now: 0)))
    #expect(admits(limiter.admit(key: key(1), of: other, nil, now: 0)))
  }

  @Test("routes that cost more are of a class by their template")
  func templates() {
    #expect(RateLimiter.Class("/v1/match-rounds/{id}/replay") == .replays)
    #expect(RateLimiter.Class("/v1/startups/{id}/sweep-preview") == .previews)
    #expect(RateLimiter.Class("/v1/fx-rates/import") == .imports)
    #expect(RateLimiter.Class("/v1/stress-tests") == .reports)
    #expect(RateLimiter.Class("/v1/loan-requests") == nil)
  }
}
