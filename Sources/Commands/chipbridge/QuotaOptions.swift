import ArgumentParser
import ServiceAssembly
import WebSupport

/// How many requests clients may make of one process in a minute.
struct QuotaOptions: ParsableArguments {
  @Option(help: "Requests a minute with one key (1 to 1000000000).") var keyQuota = RateLimiter.Limits().key.requests
  @Option(help: "Requests a minute of one organisation (1 to 1000000000).")
  var organizationQuota = RateLimiter.Limits().organization.requests
  @Option(help: "Requests a minute of one organisation to each class of expensive routes; each its own when absent.")
  var expensiveQuota: Int64?
  @Option(help: "Requests of one organisation under way at once (1 to 65536).")
  var organizationConcurrency = RateLimiter.Limits().concurrent

  func validate() throws {
    guard [keyQuota, organizationQuota, expensiveQuota ?? 1].allSatisfy({ (1...1_000_000_000).contains($0) }) else {
      throw ValidationError("Quotas are 1 to 1000000000 requests a minute.")
    }
    guard (1...65_536).contains(organizationConcurrency) else {
      throw ValidationError("--organization-concurrency is 1 to 65536.")
    }
  }

  func apply(to configuration: inout ServiceConfiguration) {
    configuration.quotas.key = RateLimiter.Quota(keyQuota)
    configuration.quotas.organization = RateLimiter.Quota(organizationQuota)
    if let expensiveQuota {
      for kind in RateLimiter.Class.allCases {
        configuration.quotas.expensive[kind] = RateLimiter.Quota(expensiveQuota)
      }
    }
    configuration.quotas.concurrent = organizationConcurrency
  }
}
