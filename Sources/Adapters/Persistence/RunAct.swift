import Postgres
import Primitives

/// What a person does to a settlement run, in the transaction of the command that decided it.
package enum RunAct: Sendable, Hashable {
  case approve(SettlementRunID, by: PersonID)
  case cancel(SettlementRunID)
  /// A failed run goes on where it stopped; what was given up is tried again.
  case resume(SettlementRunID)

  /// The statements and how many rows each must touch. Rows of shards are counted by nobody: a worker may take or end one
  /// at any moment.
  func queries(at now: Instant) -> [(Query, rows: Int?)] {
    let time = Bind.timestamptz(now.microseconds)
    switch self {
    case .approve(let id, let person):
      return [(Query(ShardSQL.approve, [.uuid(id.value.bits), .uuid(person.value.bits), time]), 1)]
    case .cancel(let id):
      let bind = Bind.uuid(id.value.bits)
      return [(Query(ShardSQL.cancel, [bind, time]), 1), (Query(ShardSQL.cancelShards, [bind, time]), nil)]
    case .resume(let id):
      let bind = Bind.uuid(id.value.bits)
      return [(Query(ShardSQL.resume, [bind, time]), 1), (Query(ShardSQL.reviveShards, [bind, time]), nil)]
    }
  }
}
