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

  /// Whether it may be done together with others in one act of a caller's (`Submission.init(all:)`). Not where what it makes
  /// holds for the next batch only, such as reference data: those after it would be decided as if it had not been done.
  static var combines: Bool { get }

  /// Whether some of its kind ask for a second person, where a deployment asks for two (`Gateway.secondPerson`): acts of
  /// staff that move money or change compliance, and have no second person of their own.
  static var asksSecondPerson: Bool { get }

  /// Whether this one does. Never where it only stops or takes back.
  var asksSecondPerson: Bool { get }

  /// Decides, and writes what follows into the draft.
  /// - Throws: a `Refusal`; the draft is dropped then. Anything else is a defect of this command alone.
  func decide(_ draft: inout Draft, by principal: Principal) throws -> Outcome
}

extension Command {
  package func needs(_ state: BatchState) -> Set<Need> { [] }
  package func heads(_ state: BatchState) -> Set<OrganizationID> { [] }
  package var foresees: Bool { false }
  package static var combines: Bool { true }
  package static var asksSecondPerson: Bool { false }
  package var asksSecondPerson: Bool { Self.asksSecondPerson }
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

/// A command on its way through the pipeline, its type erased; or several that are done all or none.
package struct Submission: Sendable {
  /// One command with the answer that it gets.
  package struct Part: Sendable {
    let action: String
    let combines: Bool
    let foresees: Bool
    let needs: @Sendable (BatchState) -> Set<Need>
    let heads: @Sendable (BatchState) -> Set<OrganizationID>
    let decide: @Sendable (inout Draft) throws -> StoredAnswer
    let refuse: @Sendable (any Refusal) -> StoredAnswer

    /// - Parameter render: turns the outcome, or the refusal, into the bytes of the answer. It runs inside the batch, since
    ///   the answer is stored with the change.
    package init<C: Command>(
      _ command: C, by principal: Principal, render: @escaping @Sendable (Result<C.Outcome, any Error>) -> StoredAnswer
    ) {
      self.action = C.action
      self.combines = C.combines
      self.foresees = command.foresees
      self.needs = { command.needs($0) }
      self.heads = { command.heads($0) }
      self.decide = { draft in
        if principal.isStaff, let duty = command.staffDuty { try principal.require(duty: duty) }
        return render(.success(try command.decide(&draft, by: principal)))
      }
      self.refuse = { render(.failure($0)) }
    }
  }

  /// What all parts came to.
  package enum Gathered: Sendable {
    /// The answers of all, in order.
    case done([StoredAnswer])
    /// One was refused, and nothing was done.
    case refused(position: Int, answer: StoredAnswer)
  }

  let principal: Principal
  let parts: [Part]
  /// Makes one answer of those of several parts; nil for a command alone.
  let gather: (@Sendable (Gathered) -> StoredAnswer)?
  let idempotency: IdempotencyKey?
  /// The same checks and the same answer, and nothing is changed.
  let validateOnly: Bool
  let requestID: String?

  /// - Parameter render: see ``Part``.
  package init<C: Command>(
    _ command: C, by principal: Principal, idempotency: IdempotencyKey?, validateOnly: Bool = false,
    requestID: String? = nil, render: @escaping @Sendable (Result<C.Outcome, any Error>) -> StoredAnswer
  ) {
    self.principal = principal
    self.parts = [Part(command, by: principal, render: render)]
    self.gather = nil
    self.idempotency = idempotency
    self.validateOnly = validateOnly
    self.requestID = requestID
  }

  /// Several commands of one caller, decided in their order, each on what those before it did: all are done or none.
  /// - Parameter gather: makes the answer; it is stored with the change.
  package init(
    all parts: [Part], by principal: Principal, idempotency: IdempotencyKey?, validateOnly: Bool = false,
    requestID: String? = nil, gather: @escaping @Sendable (Gathered) -> StoredAnswer
  ) {
    self.principal = principal
    self.parts = parts
    self.gather = gather
    self.idempotency = idempotency
    self.validateOnly = validateOnly
    self.requestID = requestID
  }

  func needs(_ state: BatchState) -> Set<Need> {
    parts.count == 1 ? parts[0].needs(state) : parts.reduce(into: []) { $0.formUnion($1.needs(state)) }
  }

  func heads(_ state: BatchState) -> Set<OrganizationID> {
    parts.count == 1 ? parts[0].heads(state) : parts.reduce(into: []) { $0.formUnion($1.heads(state)) }
  }

  var foresees: Bool { gather == nil && parts[0].foresees }
}

/// Why commands are not done together.
package enum CombinationRefusal: Refusal, Hashable {
  /// What it makes holds for the next batch only.
  case alone(action: String)
  /// Which books it locks is known only once a command before it is done.
  case dependsOnEarlier

  package var kind: RefusalKind { .conflict }

  package var code: String {
    switch self {
    case .alone: "batch.not_combinable"
    case .dependsOnEarlier: "batch.depends_on_earlier"
    }
  }

  package var detail: String {
    switch self {
    case .alone(let action): "\(action) is done alone: what it makes holds only from the next request on."
    case .dependsOnEarlier: "It depends on what an operation before it makes; post it by itself, after the others."
    }
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
