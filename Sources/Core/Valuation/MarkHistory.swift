import Primitives

/// All marks of one subject, on two time axes: the day a value was true of, and the moment it became known here. A
/// question names both, and its answer never changes afterwards, since nothing is recorded in the past.
package struct MarkHistory: Sendable {
  /// A mark, and the moment from which it is known to be wrong.
  private struct Entry {
    let mark: ValuationMark
    var supersededAt: Instant?
    var supersededBy: ValuationID?

    /// Recorded, and not yet known to be wrong.
    func isKnown(at moment: Instant) -> Bool {
      guard mark.recordedAt <= moment else { return false }
      guard let supersededAt else { return true }
      return supersededAt > moment
    }

    /// The later entry of two wins a question: by effective date, then recorded time, then id.
    static func precedes(_ left: Entry, _ right: Entry) -> Bool {
      let (a, b) = (left.mark, right.mark)
      if a.effectiveOn != b.effectiveOn { return a.effectiveOn < b.effectiveOn }
      return a.recordedAt != b.recordedAt ? a.recordedAt < b.recordedAt : a.id < b.id
    }
  }

  package let subject: ValuationSubject
  /// Ascending by `Entry.precedes`.
  private var entries: [Entry] = []

  /// A subject of which nothing is known.
  package init(subject: ValuationSubject) { self.subject = subject }

  /// A subject's whole history, in any order.
  /// - Throws: `ValuationRefusal` for a mark of another subject, an id twice, or a correction that corrects an unknown
  ///   mark, one that was corrected already, one recorded after it, or in the end itself.
  package init(subject: ValuationSubject, marks: [ValuationMark]) throws(ValuationRefusal) {
    self.subject = subject
    var byID: [ValuationID: ValuationMark] = [:]
    var successors: [ValuationID: ValuationMark] = [:]
    for mark in marks {
      guard mark.subject == subject else { throw .subjectDiffers(mark.id) }
      guard byID.updateValue(mark, forKey: mark.id) == nil else { throw .duplicateMark(mark.id) }
    }
    for mark in marks {
      guard let wrong = mark.supersedes else { continue }
      guard let target = byID[wrong] else { throw .supersededUnknown(wrong) }
      guard target.recordedAt <= mark.recordedAt else { throw .recordedBeforeSuperseded(mark.id) }
      if let other = successors.updateValue(mark, forKey: wrong) {
        throw .alreadySuperseded(wrong, by: min(other.id, mark.id))
      }
    }
    try Self.refuseCircles(marks, successors: successors)
    entries = marks.map { mark in
      let successor = successors[mark.id]
      return Entry(mark: mark, supersededAt: successor?.recordedAt, supersededBy: successor?.id)
    }
    entries.sort(by: Entry.precedes)
  }

  /// Each mark corrects at most one and is corrected at most once, so what no chain from an uncorrecting mark reaches
  /// is a circle: possible only among marks recorded at one moment, and then all of them would be wrong.
  private static func refuseCircles(
    _ marks: [ValuationMark], successors: [ValuationID: ValuationMark]
  ) throws(ValuationRefusal) {
    var reached: Set<ValuationID> = []
    for root in marks where root.supersedes == nil {
      var next: ValuationMark? = root
      while let mark = next {
        reached.insert(mark.id)
        next = successors[mark.id]
      }
    }
    guard let circular = marks.map(\.id).filter({ !reached.contains($0) }).min() else { return }
    throw .supersededInCircle(circular)
  }

  /// Adds one mark.
  /// - Throws: `ValuationRefusal` as the initialiser does; the history is then unchanged.
  package mutating func record(_ mark: ValuationMark) throws(ValuationRefusal) {
    guard mark.subject == subject else { throw .subjectDiffers(mark.id) }
    guard !entries.contains(where: { $0.mark.id == mark.id }) else { throw .duplicateMark(mark.id) }
    if let wrong = mark.supersedes {
      guard let index = entries.firstIndex(where: { $0.mark.id == wrong }) else { throw .supersededUnknown(wrong) }
      guard entries[index].mark.recordedAt <= mark.recordedAt else { throw .recordedBeforeSuperseded(mark.id) }
      if let by = entries[index].supersededBy { throw .alreadySuperseded(wrong, by: by) }
      entries[index].supersededAt = mark.recordedAt
      entries[index].supersededBy = mark.id
    }
    let entry = Entry(mark: mark, supersededAt: nil, supersededBy: nil)
    entries.insert(entry, at: lowerBound { !Entry.precedes($0, entry) })
  }

  /// All marks, by effective date, then recorded time, then id.
  package var marks: [ValuationMark] { entries.map(\.mark) }

  /// What the subject was worth on a day, as known at a moment: the latest effective mark of those recorded by then and
  /// not corrected by then; of several for one day the last recorded, then the greatest id.
  /// - Parameter basis: only marks of this basis; nil takes any, for a subject marked on one basis alone.
  package func asOf(_ date: CalendarDate, knownAt: Instant, basis: ValuationBasis? = nil) -> ValuationMark? {
    var index = lowerBound { $0.mark.effectiveOn > date }
    while index > 0 {
      index -= 1
      let entry = entries[index]
      if entry.isKnown(at: knownAt), basis == nil || entry.mark.basis == basis { return entry.mark }
    }
    return nil
  }

  /// The first position from which the condition holds; it holds for all later ones.
  private func lowerBound(_ holds: (Entry) -> Bool) -> Int {
    var (low, high) = (0, entries.count)
    while low < high {
      let middle = low + (high - low) / 2
      if holds(entries[middle]) { high = middle } else { low = middle + 1 }
    }
    return low
  }
}
