import Parties
import Persistence
import Primitives

extension BatchRun {
  /// So often it is looked up what parts have to see of what others made; each time all of them are decided, so that mostly
  /// once is enough.
  private static let mostRehearsals = 16

  /// Decides the parts of a submission in turn, each on what those before it made, and each as if it were alone: with its own
  /// versions, events and audit row. At the first refusal what was made is dropped, and only the refusal is kept.
  ///
  /// What a part has to see may be known only once those before it are done. Then nothing is kept: what was missed is looked
  /// up, on a state in which nothing was done yet, and all are decided again.
  /// - Returns: nil where that is to be done.
  mutating func decideTogether(_ submission: Submission, _ first: Moment) -> Result? {
    // Copies of values: what the parts change is copied once, as it is changed.
    let before = (state: state, changes: changes)
    var moment = first
    var answers: [StoredAnswer] = []
    answers.reserveCapacity(submission.parts.count)
    parts: for (position, part) in submission.parts.enumerated() {
      unseen.formUnion(part.needs(state).subtracting(state.satisfied))
      let decision: Deliberation
      do { decision = try deliberateAmongOthers(part, moment) } catch {
        if !unseen.isEmpty { break parts }
        (state, changes) = before
        return .failed(.defect(String(describing: error)))
      }
      if decision.isRefused {
        if !unseen.isEmpty { break parts }
        (state, changes) = before
        return conclude(submission, .refused(position: position, answer: decision.answer), moment) { run in
          run.takeOver(decision, of: part, submission, moment)
        }
      }
      if let failure = takeOver(decision, of: part, submission, moment) {
        if !unseen.isEmpty { break parts }
        (state, changes) = before
        return failure
      }
      answers.append(decision.answer)
      moment.ids = decision.ids
      moment.sequence += 1
    }
    if !unseen.isEmpty || submission.validateOnly { (state, changes) = before }
    if !unseen.isEmpty, rehearsals < Self.mostRehearsals {
      rehearsals += 1
      return nil
    }
    if !unseen.isEmpty {
      unseen = []
      return .failed(.defect("the parts have to see ever more"))
    }
    return conclude(submission, .done(answers), moment) { _ in nil }
  }

  /// Decides a part, where that is sound: the books it touches are locked, and what it makes can be seen by those after it.
  private func deliberateAmongOthers(_ part: Submission.Part, _ moment: Moment) throws -> Deliberation {
    guard part.combines else {
      return refused(part, CombinationRefusal.alone(action: part.action), moment.ids)
    }
    guard part.heads(state).isSubset(of: wantedHeads) else {
      return refused(part, CombinationRefusal.dependsOnEarlier, moment.ids)
    }
    let decision = try deliberate(part, moment)
    if decision.made.holdsFromNextBatch { throw CombinesByMistake(action: part.action) }
    return decision
  }

  /// - Parameter record: what is written beside the answer.
  private mutating func conclude(
    _ submission: Submission, _ gathered: Submission.Gathered, _ moment: Moment,
    _ record: (inout BatchRun) -> Result?
  ) -> Result {
    guard let gather = submission.gather else { return .failed(.defect("several commands without an answer")) }
    let answer = gather(gathered)
    if !submission.validateOnly {
      if let failure = record(&self) { return failure }
      keep(answer, of: submission, wallTime: moment.wallTime)
    }
    return .answered(Answered(answer: answer, replayed: false))
  }
}

/// A command says that it combines with others, and made what only the next batch sees. A defect.
struct CombinesByMistake: Error {
  let action: String
}
