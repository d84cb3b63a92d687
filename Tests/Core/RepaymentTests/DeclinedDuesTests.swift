import Primitives
import PropertyKit
import Repayment
import Testing

@Suite("A part of a sweep that its lender declines")
struct DeclinedDuesTests {
  private let closing = ClosingID(UUIDValue(high: 3, low: 1))
  private let told = CalendarDate(dayNumber: 100) ?? .latest

  private func loan(_ number: UInt64) -> LoanID { LoanID(UUIDValue(high: 1, low: number)) }
  private func lender(_ number: UInt64) -> OrganizationID { OrganizationID(UUIDValue(high: 2, low: number)) }

  private func taker(_ number: UInt64, rank: Int64 = 1, open: Int64, acceded: Bool = true) -> DeclinedDues.Taker {
    DeclinedDues.Taker(
      loanID: loan(number), lenderID: lender(number), rank: rank, hasAcceded: acceded, open: open)
  }

  private func decline(
    _ goesTo: WaterfallDefinition.DeclinedTo, _ amount: Int64 = 100, rank: Int64 = 1, acceded: Bool = true,
    after days: Int64 = 0, deadline: Int64 = 5, among takers: [DeclinedDues.Taker]
  ) throws -> DeclinedDues {
    try DeclinedDues(
      closingID: closing, loanID: loan(99), lenderID: lender(99), rank: rank, hasAcceded: acceded, amount: amount,
      rule: WaterfallDefinition.DeclineRule(goesTo: goesTo, deadlineDays: deadline), noticeOn: told,
      declinedOn: #require(told.adding(days: days)), takers: takers)
  }

  /// Amounts by number of the loan.
  private func amounts(_ declined: DeclinedDues) -> [UInt64: Int64] {
    Dictionary(uniqueKeysWithValues: declined.lines.map { ($0.loanID.value.low, $0.amount) })
  }

  @Test("it goes to its own rank pro rata, then on; or past its rank; or to the startup")
  func places() throws {
    let takers = [
      taker(1, open: 30), taker(2, open: 10), taker(3, rank: 2, open: 50), taker(4, rank: 2, open: 500),
      taker(5, open: 7, acceded: false),
    ]
    let same = try decline(.sameRank, among: takers)
    #expect(amounts(same) == [1: 30, 2: 10, 3: 5, 4: 55] && same.returned == 0)
    let next = try decline(.nextRank, among: takers)
    #expect(amounts(next) == [3: 9, 4: 91] && next.returned == 0)
    let back = try decline(.borrower, among: takers)
    #expect(back.lines.isEmpty && back.returned == 100)
    // Ranks before it had their part; those who did not accede come last, and what nobody is owed stays.
    let late = try decline(
      .sameRank, rank: 2, among: [taker(1, open: 30), taker(3, rank: 2, open: 60), taker(5, open: 7, acceded: false)])
    #expect(amounts(late) == [3: 60, 5: 7] && late.returned == 33)
    let outside = try decline(
      .sameRank, acceded: false, among: [taker(1, open: 30), taker(5, open: 7, acceded: false)])
    #expect(amounts(outside) == [5: 7] && outside.returned == 93)
  }

  @Test("the last day of the deadline still counts; before the notice and after the deadline is refused")
  func deadline() throws {
    #expect(try decline(.borrower, after: 5, among: []).deadline.dayNumber == 105)
    for days in [-1, 6] as [Int64] {
      let on = try #require(told.adding(days: days))
      let refusal = RepaymentRefusal.declineOutOfTime(loan(99), on: on, noticeOn: told, deadlineDays: 5)
      #expect(throws: refusal) { try decline(.borrower, after: days, among: []) }
    }
    #expect(throws: RepaymentRefusal.notPositive(what: "declined amount", 0)) { try decline(.borrower, 0, among: []) }
    #expect(throws: RepaymentRefusal.self) { try decline(.sameRank, among: [taker(99, open: 1)]) }
    #expect(throws: RepaymentRefusal.self) { try decline(.sameRank, among: [taker(1, open: -1)]) }
  }

  @Test("whatever is declined is somewhere, nobody is due more than its debt, and the record says it all")
  func conserves() throws {
    try forAll { random in
      let takers = (1...(random.next() % 8 + 1)).map { number in
        taker(
          number, rank: random.int64(in: 1...3), open: random.oneIn(4) ? 0 : random.int64(in: 0...1_000),
          acceded: !random.oneIn(4))
      }
      let goesTo = try random.pick(WaterfallDefinition.DeclinedTo.allCases)
      let amount = random.int64(in: 1...3_000)
      let declined = try decline(
        goesTo, amount, rank: random.int64(in: 1...3), acceded: !random.oneIn(4), among: takers.reversed())
      try hold(declined.lines.reduce(declined.returned) { $0 + $1.amount } == amount, "minor units are missing")
      for line in declined.lines {
        let open = takers.first { $0.loanID == line.loanID }?.open ?? 0
        try hold(line.amount > 0 && line.amount <= open, "\(line.amount) of \(open)")
      }
      let read = try DeclinedDues(canonicalBytes: declined.canonicalBytes)
      try hold(read == declined && read.isReproduced, "the record reads otherwise")
      let dues = try declined.applied(to: [loan(99): amount, loan(1): 5])
      try hold(dues[loan(99)] == 0, "still due")
      try hold(
        dues.values.reduce(0, +) == amount + 5 - declined.returned, "dues and what is returned are not what was due")
    }
  }

  @Test("a smaller sweep is followed through the decision")
  func smaller() throws {
    let declined = try decline(.sameRank, among: [taker(1, open: 30), taker(2, open: 90)])
    #expect(
      try declined.applied(to: [loan(99): 40, loan(1): 2, loan(2): 6]) == [loan(99): 0, loan(1): 12, loan(2): 36])
    #expect(try declined.applied(to: [loan(1): 2]) == [loan(1): 2])
  }

  @Test("bytes that were changed are no record, or one that sharing again contradicts")
  func tampered() throws {
    let declined = try decline(.sameRank, among: [taker(1, open: 30), taker(2, open: 90)])
    var bytes = declined.canonicalBytes
    bytes[bytes.count - 1] ^= 1
    #expect(try !DeclinedDues(canonicalBytes: bytes).isReproduced)
    #expect(throws: CanonicalBytesError.self) { try DeclinedDues(canonicalBytes: bytes.dropLast()) }
  }
}
