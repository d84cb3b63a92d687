import Primitives
import Testing
import Valuation

@Suite("Bitemporal history of marks")
struct MarkHistoryTests {
  /// A seed round of March 2023 at 200 million; a round of November 2023 at 1 billion, recorded two days late; and in
  /// February 2024 the correction of it to 950 million.
  private func story() throws -> MarkHistory {
    try MarkHistory(
      subject: startup,
      marks: [
        postMoney(3, 95_000_000_000, on: "2023-11-06", recorded: "2024-02-01", supersedes: 2),
        postMoney(1, 20_000_000_000, on: "2023-03-27", recorded: "2023-04-01"),
        postMoney(2, 100_000_000_000, on: "2023-11-06", recorded: "2023-11-08"),
      ])
  }

  @Test(
    "as of a day, as known at a moment, has one answer for each of the two times",
    arguments: [
      ("2023-03-26", "2026-01-01T00:00:00Z", nil),  // nothing was effective yet
      ("2023-03-27", "2023-04-01T11:59:59Z", nil),  // effective, not yet recorded
      ("2023-03-27", "2023-04-01T12:00:00Z", 1),  // the moment of recording is known
      ("2023-11-07", "2023-11-07T23:00:00Z", 1),  // the round closed, but nobody here knew
      ("2023-11-07", "2023-11-08T12:00:00Z", 2),
      ("2023-11-05", "2023-11-08T12:00:00Z", 1),  // knowing it later does not make it effective earlier
      ("2024-06-01", "2024-02-01T11:59:59Z", 2),  // before the correction the wrong figure stood
      ("2024-06-01", "2024-02-01T12:00:00Z", 3),
      ("2023-11-06", "2026-01-01T00:00:00Z", 3),
    ] as [(String, String, UInt64?)])
  func answers(date: String, known: String, expected: UInt64?) throws {
    let found = try story().asOf(day(date), knownAt: moment(known))
    #expect(found?.id == expected.map(markID))
  }

  @Test("a corrected mark does not come back when its correction is of a later day")
  func correctionMovesTheDay() throws {
    let history = try MarkHistory(
      subject: startup,
      marks: [
        postMoney(1, 100, on: "2023-01-01", recorded: "2023-01-02"),
        postMoney(2, 100, on: "2023-06-01", recorded: "2023-07-01", supersedes: 1),
      ])
    #expect(try history.asOf(day("2023-03-01"), knownAt: moment("2023-06-30T00:00:00Z"))?.id == markID(1))
    #expect(try history.asOf(day("2023-03-01"), knownAt: moment("2023-07-01T11:59:59Z"))?.id == markID(1))
    // At the moment of recording the correction is known.
    #expect(try history.asOf(day("2023-03-01"), knownAt: moment("2023-07-01T12:00:00Z")) == nil)
  }

  @Test("of two marks for one day the later recorded one answers, then the greater id")
  func ties() throws {
    let early = try postMoney(9, 1, on: "2023-01-01", recorded: "2023-01-02")
    let late = try postMoney(1, 2, on: "2023-01-01", recorded: "2023-01-03")
    let twin = try postMoney(2, 3, on: "2023-01-01", recorded: "2023-01-03")
    let date = try day("2023-05-05")
    let now = try moment("2024-01-01T00:00:00Z")
    #expect(try MarkHistory(subject: startup, marks: [early, late]).asOf(date, knownAt: now)?.id == late.id)
    #expect(try MarkHistory(subject: startup, marks: [twin, late, early]).asOf(date, knownAt: now)?.id == twin.id)
  }

  @Test("a basis asked for is never answered by another basis")
  func basis() throws {
    let chip = ValuationSubject.chipModel(try #require(ChipModelID("nvidia-a800-sxm4-80")))
    func mark(_ number: UInt64, _ basis: ValuationBasis, _ effective: String) throws -> ValuationMark {
      ValuationMark(
        id: markID(number), subject: chip, method: .marketQuote, amount: Money(100, .usd), basis: basis,
        effectiveOn: try day(effective), recordedAt: try moment("2023-09-01T00:00:00Z"), source: "rate card",
        supersedes: nil, approvedBy: nil)
    }
    let history = try MarkHistory(
      subject: chip, marks: [mark(1, .perChip, "2023-03-01"), mark(2, .perChipHour, "2023-04-01")])
    let (date, now) = (try day("2023-10-01"), try moment("2023-10-01T00:00:00Z"))
    #expect(history.asOf(date, knownAt: now, basis: .perChip)?.id == markID(1))
    #expect(history.asOf(date, knownAt: now, basis: .perChipHour)?.id == markID(2))
    #expect(history.asOf(date, knownAt: now)?.id == markID(2))
    #expect(history.asOf(date, knownAt: now, basis: .postMoney) == nil)
  }

  @Test("a history that contradicts itself is refused and left as it was")
  func contradictions() throws {
    let first = try postMoney(1, 100, on: "2023-01-01", recorded: "2023-02-01")
    let second = try postMoney(2, 90, on: "2023-01-01", recorded: "2023-03-01", supersedes: 1)
    let chip = ValuationSubject.chipModel(try #require(ChipModelID("nvidia-a100")))
    let cases: [(ValuationMark, ValuationRefusal)] = [
      (first, .duplicateMark(markID(1))),
      (
        try postMoney(3, 80, on: "2023-01-01", recorded: "2023-04-01", supersedes: 1),
        .alreadySuperseded(markID(1), by: markID(2))
      ),
      (try postMoney(3, 80, on: "2023-01-01", recorded: "2023-04-01", supersedes: 8), .supersededUnknown(markID(8))),
      (
        try postMoney(3, 80, on: "2023-01-01", recorded: "2023-02-28", supersedes: 2),
        .recordedBeforeSuperseded(markID(3))
      ),
    ]
    for (mark, refusal) in cases {
      var history = try MarkHistory(subject: startup, marks: [second, first])
      #expect(throws: refusal) { try history.record(mark) }
      #expect(history.marks.map(\.id) == [markID(1), markID(2)])
      #expect(throws: refusal) { try MarkHistory(subject: startup, marks: [first, second, mark]) }
    }
    #expect(throws: ValuationRefusal.subjectDiffers(markID(1))) {
      try MarkHistory(subject: chip, marks: [first])
    }
    var other = MarkHistory(subject: chip)
    #expect(throws: ValuationRefusal.subjectDiffers(markID(1))) { try other.record(first) }
  }

  @Test("marks of one moment that correct each other in a circle are refused")
  func circle() throws {
    let marks = [
      try postMoney(4, 1, on: "2023-01-01", recorded: "2023-02-01", supersedes: 5),
      try postMoney(5, 2, on: "2023-01-01", recorded: "2023-02-01", supersedes: 6),
      try postMoney(6, 3, on: "2023-01-01", recorded: "2023-02-01", supersedes: 4),
      try postMoney(1, 4, on: "2023-01-01", recorded: "2023-02-01"),
    ]
    #expect(throws: ValuationRefusal.supersededInCircle(markID(4))) {
      try MarkHistory(subject: startup, marks: marks)
    }
    let itself = try postMoney(1, 4, on: "2023-01-01", recorded: "2023-02-01", supersedes: 1)
    #expect(throws: ValuationRefusal.supersededInCircle(markID(1))) {
      try MarkHistory(subject: startup, marks: [itself])
    }
  }

  /// The definition, word for word: no order, no index.
  private func naive(_ marks: [ValuationMark], _ date: CalendarDate, _ known: Instant) -> ValuationMark? {
    let recorded = marks.filter { $0.recordedAt <= known }
    let wrong = Set(recorded.compactMap(\.supersedes))
    return recorded.filter { $0.effectiveOn <= date && !wrong.contains($0.id) }.max {
      ($0.effectiveOn, $0.recordedAt, $0.id) < ($1.effectiveOn, $1.recordedAt, $1.id)
    }
  }

  @Test("random histories answer as the definition does, however they were put together", arguments: 1...40)
  func randomHistories(seed: Int) throws {
    var random = SeededGenerator(seed: UInt64(seed))
    let base = try day("2023-01-01")
    var marks: [ValuationMark] = []
    var grown = MarkHistory(subject: startup)
    var minute: Int64 = 1_672_531_200_000_000
    for number in 1...UInt64.random(in: 1...60, using: &random) {
      minute += Int64.random(in: 0...3, using: &random) * 3_600_000_000
      let taken = Set(marks.compactMap(\.supersedes))
      let free = marks.map(\.id).filter { !taken.contains($0) }
      let wrong = Bool.random(using: &random) ? free.randomElement(using: &random) : nil
      let mark = ValuationMark(
        id: markID(number ^ 0x15), subject: startup, method: .adminMark, amount: Money(Int64(number), .usd),
        basis: .postMoney,
        effectiveOn: try #require(base.adding(days: .random(in: 0...12, using: &random))),
        recordedAt: try #require(Instant(microseconds: minute)), source: "random", supersedes: wrong, approvedBy: nil)
      marks.append(mark)
      try grown.record(mark)
    }
    let loaded = try MarkHistory(subject: startup, marks: marks.shuffled(using: &random))
    #expect(loaded.marks == grown.marks)
    for offset in -1...13 {
      let date = try #require(base.adding(days: Int64(offset)))
      for _ in 0..<20 {
        let any = try #require(
          Instant(microseconds: .random(in: 1_672_531_100_000_000...minute + 1, using: &random)))
        // Half of the questions are asked at the very moment of a recording.
        let known = Bool.random(using: &random) ? marks.randomElement(using: &random)?.recordedAt ?? any : any
        let expected = naive(marks, date, known)
        #expect(loaded.asOf(date, knownAt: known) == expected)
        #expect(grown.asOf(date, knownAt: known) == expected)
      }
    }
  }
}
