import Ledger
import Parties
import Persistence
import Primitives

/// Something a principal wants done: it says what it must see and which books it may touch, and decides without I/O.
package protocol Command: Sendable {
  associatedtype Outcome: Sendable

  /// What the audit log calls it: `loan_request.create`.
  static var action: String { get }

  /// What staff need to do it; nil where only parties do, or where the decision looks for itself. Checked before the
  /// decision, and without a default, so that no command forgets it.
  var staffDuty: Duty? { get }

  /// What it must see. Asked again after each look-up, until nothing new is named: an offer first, then its loan request.
  func needs(_ state: BatchState) -> Set<Need>

  /// The organisations whose rows it changes or whose books it posts to, beyond plain inserts. Their heads are locked,
  /// all of a batch together, before it decides.
  func heads(_ state: BatchState) -> Set<OrganizationID>

  /// Whether it is decided before its heads are locked, on rows that are compared behind the locks: nothing is held while
  /// it reads and decides, so two of them on the same books get in each other's way only while they write. For heavy
  /// commands whose needs can all be compared (`Need.isComparable`) and whose decision does not look at heads.
  var foresees: Bool { get }

  /// Decides, and writes what follows into the draft.
  /// - Throws: a `Refusal`; the draft is dropped then. Anything else is a defect of this command alone.
  func decide(_ draft: inout Draft, by principal: Principal) throws -> Outcome
}

extension Command {
  package func needs(_ state: BatchState) -> Set<Need> { [] }
  package func heads(_ state: BatchState) -> Set<OrganizationID> { [] }
  package var foresees: Bool { false }
}

/// The idempotency key of a command, and what the request that carried it was.
package struct IdempotencyKey: Sendable, Hashable {
  package let organizationID: OrganizationID
  /// 1 to 255 bytes.
  package let key: String
  /// Of method, path, query and raw body.
  package let fingerprint: SHA256Digest

  package init(organizationID: OrganizationID, key: String, fingerprint: SHA256Digest) {
    self.organizationID = organizationID
    self.key = key
    self.fingerprint = fingerprint
  }
}

/// A command on its way through the pipeline, its type erased.
package struct Submission: Sendable {
  let principal: Principal
  let action: String
  let idempotency: IdempotencyKey?
  /// The same checks and the same answer, and nothing is changed.
  let validateOnly: Bool
  let requestID: String?
  let needs: @Sendable (BatchState) -> Set<Need>
  let heads: @Sendable (BatchState) -> Set<OrganizationID>
  let foresees: Bool
  let decide: @Sendable (inout Draft) throws -> StoredAnswer
  let refuse: @Sendable (any Refusal) -> StoredAnswer

  /// - Parameter render: turns the outcome, or the refusal, into the bytes of the answer. It runs inside the batch, since
  ///   the answer is stored with the change.
  package init<C: Command>(
    _ command: C, by principal: Principal, idempotency: IdempotencyKey?, validateOnly: Bool = false,
    requestID: String? = nil, render: @escaping @Sendable (Result<C.Outcome, any Error>) -> StoredAnswer
  ) {
    self.principal = principal
    self.action = C.action
    self.idempotency = idempotency
    self.validateOnly = validateOnly
    self.requestID = requestID
    self.needs = { command.needs($0) }
    self.heads = { command.heads($0) }
    self.foresees = command.foresees
    self.decide = { draft in
      if principal.isStaff, let duty = command.staffDuty { try principal.require(duty: duty) }
      return render(.success(try command.decide(&draft, by: principal)))
    }
    self.refuse = { render(.failure($0)) }
  }
}

/// Why a submission got no decision.
package enum PipelineError: Error, Sendable, Hashable {
  /// The queue is full, or the service is stopping.
  case busy
  /// The key was used for another request.
  case keyReused
  /// The database did not answer in time, or not at all; nothing was changed.
  case unavailable
  /// The commit was sent and never answered, and no key tells what became of it.
  case outcomeUnknown
  /// The lease that the command was to be done under is another's now, or has run out; nothing was decided.
  case leaseLost
  /// The command, or a constraint of the database, failed in a way that no refusal describes.
  case defect(String)
}

/// A decided submission.
package struct Answered: Sendable {
  package let answer: StoredAnswer
  /// It was decided before, and this is the answer given then.
  package let replayed: Bool
}
