import Matching
import Persistence

extension Draft {
  /// Holds a write to the lease it is done under. `Need.lease` is asked for by the command.
  /// - Throws: `LeaseLost` when another round or another worker has the segment now, or nobody.
  func requireLease(_ lease: RoundLease?) throws(LeaseLost) {
    guard let lease else { return }
    guard let row = base.leases[lease.segment.description], row.holds(lease, at: wallTime) else { throw LeaseLost() }
  }
}
