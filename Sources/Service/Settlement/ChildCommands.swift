import Operations
import Parties
import Persistence
import Primitives
import StrictJSON

/// What a child command of a run did, small enough to be its stored answer: a run taken up again adds up the same sums.
package struct ChildOutcome: Sendable {
  /// The refusal's code, where it was refused.
  package var refusal: String?
  package var sums: [String: Int64]

  package init(refusal: String? = nil, sums: [String: Int64] = [:]) {
    self.refusal = refusal
    self.sums = sums
  }

  var bytes: [UInt8] {
    var writer = JSONWriter(capacity: 64)
    writer.beginObject()
    writer.field("refusal", refusal)
    writer.key("sums")
    writer.raw(sums.jsonBytes)
    writer.endObject()
    return writer.bytes
  }

  init(parsing bytes: [UInt8]) throws {
    let root = try JSONDocument(parsing: bytes).root
    refusal = root["refusal"]?.asString
    sums = [:]
    for member in root["sums"]?.asObject.map(Array.init) ?? [] { sums[member.name] = member.value.asInteger ?? 0 }
  }
}

extension CommandPipeline {
  /// Runs a command for a run or a round, under a key of the platform's: done twice, it has one effect.
  func runChild<C: Command>(
    _ command: C, key: String, weight: Weight = .light,
    sums: @escaping @Sendable (C.Outcome) -> [String: Int64]
  ) async throws -> ChildOutcome {
    var fingerprint = CanonicalBytes()
    fingerprint.append(C.action)
    fingerprint.append(key)
    let submission = Submission(
      command, by: .automation,
      idempotency: IdempotencyKey(organizationID: .platform, key: key, fingerprint: fingerprint.digest),
      render: { result in
        let outcome =
          switch result {
          case .success(let value): ChildOutcome(sums: sums(value))
          case .failure(let error): ChildOutcome(refusal: (error as? any Refusal)?.code ?? "defect")
          }
        return StoredAnswer(status: outcome.refusal == nil ? 200 : 409, headers: [], body: outcome.bytes)
      })
    return try ChildOutcome(parsing: await submit(submission, weight: weight).answer.body)
  }
}
