import Primitives

/// A value that changes on dates: each holds from its date, that day included, until the next one.
package struct StepHistory<Value: Sendable>: Sendable {
  /// One value and the date from which it holds.
  package struct Step: Sendable {
    package let from: CalendarDate
    package let value: Value

    package init(from: CalendarDate, value: Value) {
      self.from = from
      self.value = value
    }
  }

  /// A part of a period over which one value holds: the first day counts, the last does not.
  package struct Piece: Sendable {
    package let start: CalendarDate
    package let end: CalendarDate
    package let value: Value
  }

  /// At least one, by date, no date twice.
  package let steps: [Step]

  /// - Throws: `InterestRefusal` when there are no steps or a date is not after the one before it.
  package init(_ steps: [Step]) throws(InterestRefusal) {
    guard !steps.isEmpty else { throw .emptyHistory }
    for index in steps.indices.dropFirst() where steps[index].from <= steps[index - 1].from {
      throw .unsortedHistory(index: index)
    }
    self.steps = steps
  }

  /// The same value for all time.
  package init(constant value: Value) { steps = [Step(from: .earliest, value: value)] }

  /// The place of the step in force on a date, nil before the first.
  private func index(on date: CalendarDate) -> Int? {
    var (low, high) = (0, steps.count)
    while low < high {
      let middle = (low + high) / 2
      if steps[middle].from <= date { low = middle + 1 } else { high = middle }
    }
    return low == 0 ? nil : low - 1
  }

  /// The value on a date.
  /// - Throws: `InterestRefusal.lateHistory` before the first step.
  package func value(on date: CalendarDate) throws(InterestRefusal) -> Value {
    guard let index = index(on: date) else { throw .lateHistory(first: steps[0].from, needed: date) }
    return steps[index].value
  }

  /// The period cut at every change within it; nothing for a period of no days.
  /// - Throws: `InterestRefusal` for a period that ends before its start, or starts before the history.
  package func pieces(from start: CalendarDate, to end: CalendarDate) throws(InterestRefusal) -> [Piece] {
    guard start <= end else { throw .periodReversed(start: start, end: end) }
    guard var index = index(on: start) else { throw .lateHistory(first: steps[0].from, needed: start) }
    var pieces: [Piece] = []
    var from = start
    while from < end {
      let next = index + 1 < steps.count ? min(steps[index + 1].from, end) : end
      pieces.append(Piece(start: from, end: next, value: steps[index].value))
      from = next
      index += 1
    }
    return pieces
  }
}

/// Annual rates as fractions of one.
package typealias RateHistory = StepHistory<ExactRational>

extension StepHistory<ExactRational> {
  /// Rate times part of a year, summed over the pieces of the period, each counted on its own.
  /// - Throws: as `pieces(from:to:)`.
  package func accruedFraction(
    from start: CalendarDate, to end: CalendarDate, by convention: DayCountConvention
  ) throws(InterestRefusal) -> ExactRational {
    var sum = ExactRational.zero
    for piece in try pieces(from: start, to: end) where !piece.value.isZero {
      sum = sum + piece.value * (try convention.fraction(from: piece.start, to: piece.end).rational)
    }
    return sum
  }
}
