import Ledger
import Parties
import Persistence
import Postgres
import Primitives
import Synchronization

/// One run of a batch inside one transaction. Everything here may be thrown away and run again.
struct BatchRun {
  enum Result: Sendable {
    case answered(Answered)
    case failed(PipelineError)
    /// What it needs changed between the look-up and the locks; it is decided in another transaction.
    case again
  }

  let executor: BatchExecutor
  let submissions: [Submission]
  private var results: [Result?]
  var state = BatchState()
  var changes = BatchChanges()
  /// The heads that the batch asked for, found or not.
  private(set) var wantedHeads: Set<OrganizationID> = []
  /// What parts of a submission have to see once those before them are done, and was not looked up.
  var unseen: Set<Need> = []
  /// How often it was looked up what parts had not seen.
  var rehearsals = 0
  /// What each submission is decided with: the same when it is decided again, or its parts would make other ids.
  private var moments: [Int: Moment] = [:]
  private var platform = PlatformState(now: .epoch, clockIsSet: false, referenceVersion: 0)
  /// Answers decided in this very batch, so that a duplicate beside its original gets the same bytes.
  private var decided: [ScopedKey: (fingerprint: SHA256Digest, answer: StoredAnswer)] = [:]

  struct ScopedKey: Hashable {
    let organizationID: OrganizationID
    let key: String
  }

  init(executor: BatchExecutor, submissions: [Submission]) {
    self.executor = executor
    self.submissions = submissions
    self.results = Array(repeating: nil, count: submissions.count)
  }

  /// The positions that are still to be decided.
  private var open: [Int] { results.indices.filter { results[$0] == nil } }

  consuming func run(in transaction: Transaction) async throws -> [Result] {
    var run = self
    return try await run.work(in: transaction)
  }

  private mutating func work(in transaction: Transaction) async throws -> [Result] {
    try await claimAndLoad(transaction)
    let reference = try await executor.reference.atLeast(platform.referenceVersion, in: transaction)
    let wallTime = executor.clock.now()
    if try await !foresee(transaction, reference: reference, wallTime: wallTime) {
      try await lockAndReload(transaction)
      decideAll(reference: reference, wallTime: wallTime)
      while !unseen.isEmpty {
        try await load(unseen, transaction)
        unseen = []
        decideAll(reference: reference, wallTime: wallTime)
      }
    }
    try await apply(transaction, wallTime: wallTime)
    return results.map { $0 ?? .failed(.defect("undecided")) }
  }

  // MARK: load

  /// Looks up stored answers and the clock, and, in the same round trip, the first of what the commands need.
  private mutating func claimAndLoad(_ transaction: Transaction) async throws {
    let keys = submissions.compactMap(\.idempotency)
    var queries = [Query(PlatformSQL.state)]
    if !keys.isEmpty { queries.append(AnswerSQL.lookUp(keys.map { ($0.organizationID, $0.key) })) }
    let first = missingNeeds(of: open)
    let lookups = Loader.lookups(for: first)
    queries += lookups.map(\.query)
    let answers = try await transaction.pipeline(queries)
    platform = try PlatformSQL.decode(answers[0].single(), wallTime: executor.clock.now())
    var taken = 1
    if !keys.isEmpty {
      try replay(Tables.idempotency.decode(answers[1]))
      taken = 2
    }
    try take(lookups, answers.dropFirst(taken), satisfying: first)
    try await loadToFixpoint(transaction)
  }

  /// Answers submissions whose key was decided before.
  private mutating func replay(_ rows: [AnswerRow]) throws {
    var stored: [ScopedKey: AnswerRow] = [:]
    for row in rows { stored[ScopedKey(organizationID: row.organizationID, key: row.key)] = row }
    for index in open {
      guard let key = submissions[index].idempotency,
        let row = stored[ScopedKey(organizationID: key.organizationID, key: key.key)]
      else { continue }
      results[index] =
        row.fingerprint == key.fingerprint
        ? .answered(Answered(answer: row.answer, replayed: true)) : .failed(.keyReused)
    }
  }

  private func missingNeeds(of positions: [Int]) -> Set<Need> {
    var needs: Set<Need> = []
    for index in positions { needs.formUnion(submissions[index].needs(state)) }
    return needs.subtracting(state.satisfied)
  }

  /// Asks the commands what they need until they name nothing new. The bound is far above the longest chain of references.
  private mutating func loadToFixpoint(_ transaction: Transaction) async throws {
    for _ in 0..<12 {
      let needs = missingNeeds(of: open)
      if needs.isEmpty { return }
      try await load(needs, transaction)
    }
  }

  private mutating func load(_ needs: Set<Need>, _ transaction: Transaction) async throws {
    let lookups = Loader.lookups(for: needs)
    let answers = try await transaction.pipeline(lookups.map(\.query))
    try take(lookups, answers[...], satisfying: needs)
  }

  private mutating func take(
    _ lookups: [Loader.Lookup], _ answers: ArraySlice<ResultSet>, satisfying needs: Set<Need>
  ) throws {
    for (lookup, answer) in zip(lookups, answers) { try lookup.take(answer, &state) }
    state.satisfied.formUnion(needs)
  }

  // MARK: lock

  /// Locks the heads of all commands together and reads everything again behind the locks. A command that then names a
  /// head that is not held is left for another transaction.
  private mutating func lockAndReload(_ transaction: Transaction) async throws {
    var wanted: Set<OrganizationID> = []
    for index in open { wanted.formUnion(submissions[index].heads(state)) }
    wantedHeads = wanted
    if wanted.isEmpty { return }
    let needs = state.satisfied
    let lookups = Loader.lookups(for: needs)
    let answers = try await transaction.pipeline([Loader.lockingHeads(wanted)] + lookups.map(\.query))
    var heads: [OrganizationID: Head] = [:]
    for head in try Tables.heads.decode(answers[0]) { heads[head.organizationID] = head }
    state.forgetRows()
    state.heads = heads
    try take(lookups, answers.dropFirst(), satisfying: needs)
    try await loadToFixpoint(transaction)
    for index in open where !submissions[index].heads(state).isSubset(of: wanted) { results[index] = .again }
  }

  // MARK: foresight

  /// Decides a single command that foresees on what was read without locks, then locks its heads and compares.
  /// - Returns: whether that decision holds. If not, nothing is left of it but the locks.
  private mutating func foresee(
    _ transaction: Transaction, reference: ReferenceData, wallTime: Instant
  ) async throws -> Bool {
    let positions = open
    guard positions.count == 1, submissions[positions[0]].foresees, !submissions[positions[0]].validateOnly,
      state.satisfied.allSatisfy(\.isComparable)
    else { return false }
    let wanted = submissions[positions[0]].heads(state)
    let seen = SeenLoans(state)
    // Stand-ins for the heads it asks for, so that a posting to another book is found here as ever.
    for id in wanted { state.heads[id] = Head(organizationID: id) }
    decideAll(reference: reference, wallTime: wallTime)
    let answers = try await transaction.pipeline([Loader.lockingHeads(wanted), seen.query])
    state.heads = [:]
    for head in try Tables.heads.decode(answers[0]) { state.heads[head.organizationID] = head }
    if try seen.are(answers[1]), state.heads.count == wanted.count { return true }
    results[positions[0]] = nil
    changes = BatchChanges()
    decided = [:]
    return false
  }

  // MARK: decide

  private mutating func decideAll(reference: ReferenceData, wallTime: Instant) {
    let positions = open
    if positions.isEmpty { return }
    // Each part of a submission arrives for itself, in the order of the parts.
    let parts = positions.reduce(0) { $0 + submissions[$1].parts.count }
    var sequence = executor.sequences(parts, now: wallTime)
    let milliseconds = UInt64(wallTime.microseconds / 1_000)
    let seeds = executor.clock.randomBits(positions.count)
    for (offset, index) in positions.enumerated() {
      let submission = submissions[index]
      defer { sequence += Int64(submission.parts.count) }
      if let key = submission.idempotency,
        let earlier = decided[ScopedKey(organizationID: key.organizationID, key: key.key)]
      {
        results[index] =
          earlier.fingerprint == key.fingerprint
          ? .answered(Answered(answer: earlier.answer, replayed: true)) : .failed(.keyReused)
        continue
      }
      let moment =
        moments[index]
        ?? Moment(
          reference: reference, ids: IdentifierSource(milliseconds: milliseconds, seed: seeds[offset]),
          wallTime: wallTime, sequence: sequence)
      if submission.gather == nil {
        results[index] = decide(submission, moment)
      } else {
        moments[index] = moment
        results[index] = decideTogether(submission, moment)
      }
    }
  }

  /// What a command is decided with, beside the state.
  struct Moment {
    let reference: ReferenceData
    var ids: IdentifierSource
    let wallTime: Instant
    var sequence: Int64
  }

  /// What a command came to, apart from the state it was decided on.
  struct Deliberation {
    let answer: StoredAnswer
    let outcome: String
    let isRefused: Bool
    let made: Made
    let auditID: UUIDValue
    /// Where ids go on from.
    let ids: IdentifierSource
  }

  /// The draft holds the state it is decided on, and ends with this function: were it still there when the state takes over
  /// what was made, each command would copy all rows of those before it.
  func deliberate(_ part: Submission.Part, _ moment: Moment) throws -> Deliberation {
    var draft = Draft(
      base: state, reference: moment.reference, ids: moment.ids, now: platform.now, clockIsSet: platform.clockIsSet,
      wallTime: moment.wallTime, sequence: moment.sequence, closedThrough: platform.closedThrough)
    do {
      let answer = try part.decide(&draft)
      draft.tellStates()
      let auditID = draft.ids.nextValue()
      return Deliberation(
        answer: answer, outcome: "done", isRefused: false, made: draft.made, auditID: auditID, ids: draft.ids)
    } catch let refusal as any Refusal {
      return refused(part, refusal, draft.ids)
    }
  }

  func refused(_ part: Submission.Part, _ refusal: any Refusal, _ ids: IdentifierSource) -> Deliberation {
    executor.counters.refusals.add(1, ordering: .relaxed)
    var ids = ids
    let auditID = ids.nextValue()
    return Deliberation(
      answer: part.refuse(refusal), outcome: refusal.code, isRefused: true, made: Made(), auditID: auditID, ids: ids)
  }

  private mutating func decide(_ submission: Submission, _ moment: Moment) -> Result {
    let part = submission.parts[0]
    let decision: Deliberation
    do {
      decision = try deliberate(part, moment)
    } catch is LeaseLost {
      // No decision on the command: whoever holds the lease now will ask for it, and must not be given this answer.
      return .failed(.leaseLost)
    } catch {
      return .failed(.defect(String(describing: error)))
    }
    let answered = Result.answered(Answered(answer: decision.answer, replayed: false))
    if submission.validateOnly { return answered }
    if let failure = takeOver(decision, of: part, submission, moment) { return failure }
    keep(decision.answer, of: submission, wallTime: moment.wallTime)
    return answered
  }

  /// Adds what a command made to the state and to the changes, with its audit row.
  /// - Returns: why it cannot be.
  mutating func takeOver(
    _ decision: Deliberation, of part: Submission.Part, _ submission: Submission, _ moment: Moment
  ) -> Result? {
    var made = decision.made
    made.attachImages(before: state.shelves)
    for entry in made.entries where state.heads[entry.book] == nil {
      guard made.newHeads.contains(where: { $0.organizationID == entry.book }) else {
        return .failed(.defect("posted to a book whose head is not held"))
      }
    }
    do {
      try changes.absorb(made)
      try state.absorb(made)
    } catch {
      return .failed(.defect("amounts past the range of the journal"))
    }
    for event in made.events {
      if let row = LoanEventRow(
        event.draft, id: event.id, by: submission.principal, action: part.action, at: platform.now)
      {
        changes.loanEvents.append(row)
      }
    }
    let principal = submission.principal
    changes.audit.append(
      AuditRow(
        organizationID: principal.organizationID, id: decision.auditID, at: platform.now, recordedAt: moment.wallTime,
        credential: principal.credential, personID: principal.personID, action: part.action, subject: made.subject,
        outcome: decision.outcome, requestID: submission.requestID))
    return nil
  }

  /// Stores the answer under its key.
  mutating func keep(_ answer: StoredAnswer, of submission: Submission, wallTime: Instant) {
    guard let key = submission.idempotency else { return }
    decided[ScopedKey(organizationID: key.organizationID, key: key.key)] = (key.fingerprint, answer)
    changes.answers.append(
      AnswerRow(
        organizationID: key.organizationID, key: key.key, fingerprint: key.fingerprint, answer: answer,
        createdAt: wallTime))
  }

  // MARK: apply

  /// Writes everything and commits. Inserts travel together with the commit; when rows are rewritten, the counts are
  /// checked before it.
  private func apply(_ transaction: Transaction, wallTime: Instant) async throws {
    let plan = try ChangeWriter.plan(state, changes, recordedAt: platform.now)
    if plan.hasUpdates {
      try check(plan, await transaction.pipeline(plan.queries))
      try await transaction.commit()
    } else {
      try await transaction.commit(after: plan.queries)
    }
  }

  private func check(_ plan: ChangeWriter.Plan, _ answers: [ResultSet]) throws {
    for (expected, (query, answer)) in zip(plan.expectedRows, zip(plan.queries, answers)) {
      guard let expected, answer.affectedRows != expected else { continue }
      throw RowsMoved(statement: query.statement.name, expected: expected, touched: answer.affectedRows)
    }
  }
}

/// A row that was loaded behind its head's lock no longer had its version: something wrote around the pipeline.
struct RowsMoved: Error {
  let statement: String
  let expected: Int
  let touched: Int
}
