import Ledger
import Primitives
import Testing

private typealias F = LedgerFixtures

@Suite("Entry drafts")
struct EntryDraftTests {
  @Test("a draft whose lines sum to zero for each asset keeps what it was given")
  func balanced() throws {
    let chip = try F.chip()
    let lines = [
      F.line(.receivableFee, 1_250), F.line(.incomeFee, -1_250),
      F.line(.custodyInTransit, -512, subject: F.lot, asset: chip),
      F.line(.custodyOnLoan, 512, subject: F.lot, asset: chip),
    ]
    let draft = try F.draft(lines)
    #expect(draft.lines == lines)
    #expect(draft.id == F.entryID)
    #expect(draft.book == F.lender)
    #expect(draft.kind == .feeAccrued)
    #expect(draft.businessDate == (try F.day()))
    #expect(draft.subject == F.loan)
  }

  @Test("an entry without lines is refused")
  func noLines() {
    #expect(throws: UnbalancedEntry.noLines) { try F.draft([]) }
  }

  @Test("a line of another book is refused, though it balances")
  func foreignBook() throws {
    let foreign = F.line(.payableFee, -10, book: F.borrower)
    #expect(throws: UnbalancedEntry.foreignBook(foreign.account)) {
      try F.draft([F.line(.receivableFee, 10), foreign])
    }
  }

  @Test("a line of zero is refused")
  func zeroLine() throws {
    let zero = F.line(.incomeFee, 0)
    #expect(throws: UnbalancedEntry.zeroLine(zero.account)) { try F.draft([zero]) }
    #expect(throws: UnbalancedEntry.zeroLine(zero.account)) {
      try F.draft([F.line(.receivableFee, 5), zero, F.line(.clearingChips, -5)])
    }
  }

  @Test("one side alone is refused with what is missing")
  func oneSided() {
    #expect(throws: UnbalancedEntry.doesNotSumToZero(F.usd, 1_250)) { try F.draft([F.line(.receivableFee, 1_250)]) }
    #expect(throws: UnbalancedEntry.doesNotSumToZero(F.usd, -1)) {
      try F.draft([F.line(.receivableFee, 1_249), F.line(.incomeFee, -1_250)])
    }
  }

  @Test("one asset never balances another: not two currencies, not two chip models, not chips and money")
  func acrossAssets() throws {
    let (a800, h20) = (try F.chip(), try F.chip("nvidia-h20"))
    for other in [a800, .currency(.cny)] {
      #expect(throws: UnbalancedEntry.self) {
        try F.draft([F.line(.receivableFee, 10), F.line(.incomeFee, -10, asset: other)])
      }
    }
    #expect(throws: UnbalancedEntry.self) {
      try F.draft([F.line(.custodyAvailable, 8, asset: a800), F.line(.custodyReserved, -8, asset: h20)])
    }
    #expect(throws: UnbalancedEntry.doesNotSumToZero(h20, 3)) {
      try F.draft([F.line(.receivableFee, 10), F.line(.incomeFee, -10), F.line(.custodyAvailable, 3, asset: h20)])
    }
  }

  @Test("sums past 64 bits are refused, not trapped")
  func overflow() {
    #expect(throws: UnbalancedEntry.overflow) {
      try F.draft([F.line(.receivableFee, .max), F.line(.receivableCharges, 1), F.line(.incomeFee, .min)])
    }
    #expect(throws: UnbalancedEntry.overflow) {
      try F.draft([F.line(.incomeFee, .min), F.line(.incomeCharges, -1)])
    }
  }

  @Test("many lines of one account sum together")
  func manyLines() throws {
    let debits = (1...100).map { F.line(.receivableFee, Int64($0)) }
    #expect(try F.draft(debits + [F.line(.incomeFee, -5_050)]).lines.count == 101)
    #expect(throws: UnbalancedEntry.doesNotSumToZero(F.usd, 1)) {
      try F.draft(debits + [F.line(.incomeFee, -5_049)])
    }
  }
}
