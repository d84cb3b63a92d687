import Matching
import Persistence
import Primitives
import StrictJSON
import Synchronization

/// What came of clearing a recorded round again.
package struct RoundReplay: Sendable, Hashable {
  /// The record and its replay are the same to the bit.
  package let same: Bool
  /// In words, at most `mostDifferences` and one that says how many more there are.
  package let differences: [String]
  /// Of the recorded result.
  package let digest: SHA256Digest?
  /// Of the recorded result.
  package let engineVersion: String?

  static let mostDifferences = 200

  init(_ differences: [String], digest: SHA256Digest?, engineVersion: String?) {
    same = differences.isEmpty
    let omitted = differences.count - Self.mostDifferences
    self.differences =
      omitted > 0 ? differences.prefix(Self.mostDifferences) + ["and \(omitted) more"] : differences
    self.digest = digest
    self.engineVersion = engineVersion
  }
}

/// Why a round cannot be replayed at all.
package enum RoundReplayRefusal: Refusal, Hashable {
  /// Nothing was decided yet, or an older program decided it and kept no snapshot.
  case notRecorded(RunState)

  package var kind: RefusalKind { .conflict }
  package var code: String { "match_round.not_recorded" }

  package var detail: String {
    switch self {
    case .notRecorded(let state): "The round is \(state.rawValue) and has no stored snapshot to replay."
    }
  }
}

/// Clears recorded rounds again, one at a time: a replay of a big round takes all of a core and much memory.
package final class RoundReplayer: Sendable {
  private let isBusy = Atomic<Bool>(false)

  package init() {}

  /// Nothing is changed.
  /// - Throws: `RoundReplayRefusal`; `PipelineError.busy` while another round is replayed in this process.
  package func replay(_ round: StoredRound) async throws -> RoundReplay {
    guard let snapshot = round.snapshot, let record = round.record else {
      throw RoundReplayRefusal.notRecorded(round.state)
    }
    guard isBusy.compareExchange(expected: false, desired: true, ordering: .acquiringAndReleasing).exchanged else {
      throw PipelineError.busy
    }
    defer { isBusy.store(false, ordering: .releasing) }
    let (digest, version) = (round.digest, round.engineVersion)
    if let version, version != matchEngineVersion {
      return RoundReplay(
        ["engine version: recorded \(version); this program has \(matchEngineVersion) and cannot replay it"],
        digest: digest, engineVersion: version)
    }
    return try await onThreadOfItsOwn {
      let (market, result): (MatchSnapshot, MatchRoundResult)
      do { market = try MatchSnapshot(canonicalBytes: snapshot) } catch {
        return RoundReplay(["snapshot: \(error)"], digest: digest, engineVersion: version)
      }
      do { result = try MatchRoundResult(canonicalBytes: record) } catch {
        return RoundReplay(["record: \(error)"], digest: digest, engineVersion: version)
      }
      var differences = Matching.replay(market, expecting: result)
      if let digest, digest != result.digest {
        differences.append("digest: the round shows \(digest), its record \(result.digest)")
      }
      return RoundReplay(differences, digest: digest ?? result.digest, engineVersion: result.engineVersion)
    }
  }
}

extension StoredRound {
  /// The engine that decided the round, by name and version.
  fileprivate var engineVersion: String? {
    parameters.flatMap { try? JSONDocument(parsing: $0, limits: .stored).root["engine_version"]?.asString }
  }
}
