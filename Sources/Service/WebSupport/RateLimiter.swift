import Parties
import Primitives
import Synchronization

/// Quotas of requests: of each key or binding, of each organisation, and of each organisation's expensive requests by class.
///
/// In the memory of one process: behind N processes a client may have N times as much. A quota is a bucket that holds all of
/// it and fills evenly, kept as one number: when the bucket would be full again.
package final class RateLimiter: Sendable {
  /// Requests that cost far more than others.
  package enum Class: String, Sendable, CaseIterable {
    case reports, imports, previews, replays
  }

  /// So many requests in so many seconds, all of which may come at once.
  package struct Quota: Sendable {
    package let requests: Int64
    package let seconds: Int64

    /// - Parameters: each 1 to 1,000,000,000 and 1 to 86,400; what is beyond is brought within.
    package init(_ requests: Int64, per seconds: Int64 = 60) {
      self.requests = min(max(requests, 1), 1_000_000_000)
      self.seconds = min(max(seconds, 1), 86_400)
    }

    /// From one request to the next when they come evenly, in nanoseconds, rounded down.
    fileprivate var interval: Int64 { seconds * 1_000_000_000 / requests }
  }

  package struct Limits: Sendable {
    package var key = Quota(1_000_000)
    package var organization = Quota(2_000_000)
    package var expensive: [Class: Quota] = [
      .reports: Quota(1_200), .imports: Quota(600), .previews: Quota(1_200), .replays: Quota(120),
    ]
    /// Requests of one organisation under way at once.
    package var concurrent = 1_024

    package init() {}
  }

  /// What is left of the quota that is nearest to its end.
  package struct Standing: Sendable, Hashable {
    /// The quota's name: `key`, `organization`, or a class.
    package let policy: String
    package let remaining: Int64
    /// Seconds until the whole quota is there again, rounded up.
    package let fullAfter: Int64

    package init(policy: String, remaining: Int64, fullAfter: Int64) {
      self.policy = policy
      self.remaining = remaining
      self.fullAfter = fullAfter
    }
  }

  package enum Verdict: Sendable, Hashable {
    case admitted(Standing)
    /// - retryAfter: seconds until the next request would be admitted, rounded up; at least 1.
    case refused(Standing, retryAfter: Int64)
    /// Too many requests of the organisation are under way.
    case crowded
  }

  private enum Bucket: Hashable {
    case key(Credential)
    case organization(OrganizationID)
    case expensive(OrganizationID, Class)
  }

  private struct State {
    /// When each bucket is full again, in nanoseconds of the steady clock.
    var fullAt: [Bucket: Int64] = [:]
    var underWay: [OrganizationID: Int] = [:]
    var refused = 0
  }

  private let limits: Limits
  private let state = Mutex(State())
  private let started = ContinuousClock.now
  /// Buckets that are remembered; full ones are forgotten first, which loses nothing.
  private static let capacity = 50_000

  package init(_ limits: Limits = Limits()) { self.limits = limits }

  /// Requests refused so far.
  package var refused: Int { state.withLock { $0.refused } }

  /// The quotas that a request is held to, by name: constant, so that clients can plan.
  package func policies(_ kind: Class?) -> [(name: String, quota: Quota)] {
    var policies = [("key", limits.key), ("organization", limits.organization)]
    if let kind, let quota = limits.expensive[kind] { policies.append((kind.rawValue, quota)) }
    return policies
  }

  /// Nanoseconds since the limiter was made, of a clock that never goes back.
  package var now: Int64 {
    let (seconds, attoseconds) = (ContinuousClock.now - started).components
    return seconds * 1_000_000_000 + attoseconds / 1_000_000_000
  }

  /// Takes one request from each bucket it falls under, or from none.
  /// - Parameter now: nanoseconds of a clock that never goes back.
  /// - Postcondition: `ended` is owed for an admitted one.
  package func admit(
    key: Credential, of organization: OrganizationID, _ kind: Class?, now: Int64
  ) -> Verdict {
    state.withLock { state in
      guard state.underWay[organization, default: 0] < limits.concurrent else {
        state.refused += 1
        return .crowded
      }
      let counts: [Class: Int64] = kind.map { [$0: 1] } ?? [:]
      let verdict = take(1, counts, key: key, of: organization, now: now, from: &state)
      if case .admitted = verdict { state.underWay[organization, default: 0] += 1 }
      return verdict
    }
  }

  /// Takes what the operations of an admitted batch are beyond the one request that carried them, or nothing. A batch of
  /// more than a whole quota needs a full bucket and is owed for: over time as many are admitted as one by one.
  /// - Parameters:
  ///   - requests: 0 or more.
  ///   - expensive: how many of the operations are of each class.
  package func charge(
    _ requests: Int64, _ expensive: [Class: Int64], key: Credential, of organization: OrganizationID, now: Int64
  ) -> Verdict {
    state.withLock { take(requests, expensive, key: key, of: organization, now: now, from: &$0) }
  }

  private func take(
    _ requests: Int64, _ expensive: [Class: Int64], key: Credential, of organization: OrganizationID, now: Int64,
    from state: inout State
  ) -> Verdict {
    if state.fullAt.count >= Self.capacity { state.fullAt = state.fullAt.filter { $0.value > now } }
    var taken: [(Bucket, Int64)] = []
    var nearest: Standing?
    func take(_ count: Int64, _ bucket: Bucket, _ name: String, _ quota: Quota) -> Verdict? {
      let interval = quota.interval
      let owed = max((state.fullAt[bucket] ?? now) - now, 0)
      // Whole requests that the bucket still holds.
      let held = quota.requests - (owed + interval - 1) / interval
      let asked = min(count, quota.requests)
      guard held >= asked else {
        let wait = owed - (quota.requests - asked) * interval
        return .refused(
          Standing(policy: name, remaining: max(held, 0), fullAfter: Self.seconds(owed)),
          retryAfter: max(1, Self.seconds(wait)))
      }
      taken.append((bucket, now + owed + interval * count))
      let standing = Standing(
        policy: name, remaining: max(held - count, 0), fullAfter: Self.seconds(owed + interval * count))
      if standing.remaining < nearest?.remaining ?? .max { nearest = standing }
      return nil
    }
    var refusal = take(requests, .key(key), "key", limits.key)
    refusal = refusal ?? take(requests, .organization(organization), "organization", limits.organization)
    for kind in Class.allCases where refusal == nil {
      guard let count = expensive[kind], let quota = limits.expensive[kind] else { continue }
      refusal = take(count, .expensive(organization, kind), kind.rawValue, quota)
    }
    if let refusal {
      state.refused += 1
      return refusal
    }
    for (bucket, fullAt) in taken { state.fullAt[bucket] = fullAt }
    return .admitted(nearest ?? Standing(policy: "key", remaining: 0, fullAfter: 0))
  }

  /// An admitted request has its answer.
  package func ended(_ organization: OrganizationID) {
    state.withLock { state in
      let left = state.underWay[organization, default: 1] - 1
      state.underWay[organization] = left > 0 ? left : nil
    }
  }

  private static func seconds(_ nanoseconds: Int64) -> Int64 {
    (max(nanoseconds, 0) + 999_999_999) / 1_000_000_000
  }
}

extension RateLimiter.Class {
  /// The class of a route, by its template; nil for what costs as little as most.
  package init?(_ template: String) {
    func ends(_ words: String...) -> Bool { words.contains { template.hasSuffix($0) } }
    func begins(_ words: String...) -> Bool { words.contains { template.hasPrefix($0) } }
    if ends("/replay") {
      self = .replays
    } else if ends("/sweep-preview", "/screening", "/payoff-quote") {
      self = .previews
    } else if ends("/import") || begins("/v1/bank-statements", "/v1/valuation-imports", "/v1/rule-packs") {
      self = .imports
    } else if begins(
      "/v1/risk", "/v1/stress-tests", "/v1/tax-report", "/v1/delinquency", "/v1/close-report",
      "/v1/ledger/trial-balance", "/v1/ledger/clearing")
    {
      self = .reports
    } else {
      return nil
    }
  }
}
