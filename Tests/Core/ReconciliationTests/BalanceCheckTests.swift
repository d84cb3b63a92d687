import BankFiles
import Primitives
import Reconciliation
import Testing

private typealias F = ReconciliationFixtures

@Suite("Balances of bank and books")
struct BalanceCheckTests {
  @Test("drift is told for each currency and day that either side has, over all accounts")
  func drift() throws {
    func balance(_ currency: Currency, _ day: Int64, _ amount: Int64) -> DayBalance {
      DayBalance(currency: currency, date: F.day(day), amount: amount)
    }
    let drifts = try BalanceChecks.drift(
      bank: [balance(.usd, 1, 70), balance(.usd, 1, 30), balance(.cny, 2, 5)],
      ledger: [balance(.usd, 1, 99), balance(.usd, 2, 7)])
    #expect(drifts.map(\.currency) == [.cny, .usd, .usd])
    #expect(drifts.map(\.date) == [F.day(2), F.day(1), F.day(2)])
    #expect(drifts.map(\.drift) == [5, 1, -7])
    #expect(throws: ArithmeticOverflow.self) {
      try BalanceChecks.drift(bank: [balance(.usd, 1, .max)], ledger: [balance(.usd, 1, -1)])
    }
  }

  @Test("client money is covered or the shortfall is told, by currency")
  func cover() throws {
    let covers = try BalanceChecks.cover(held: [.usd: 100, .cny: 50], owed: [.usd: 101, Currency("EUR") ?? .usd: 3])
    #expect(covers.map(\.currency.code) == ["CNY", "EUR", "USD"])
    #expect(covers.map(\.shortfall) == [0, 3, 1])
    #expect(covers.map(\.isCovered) == [true, false, false])
    #expect(throws: ArithmeticOverflow.self) { try BalanceChecks.cover(held: [:], owed: [.usd: -1]) }
    #expect(throws: ArithmeticOverflow.self) { try BalanceChecks.cover(held: [.usd: .min], owed: [.usd: 1]) }
  }

  /// A statement of no entries that stands at `amount`.
  private func statement(_ id: String, _ amount: Int64, day: Int) throws -> BankStatement {
    let text = DecimalAmount.text(amount, .usd)
    let csv = """
      \(StatementCSV.columns.joined(separator: ","))
      opening,\(id),1,USD,2023-11-0\(day),,\(text),,,,,,,,
      closing,\(id),1,USD,2023-11-0\(day),,\(text),,,,,,,,
      end,,,,,,0,,,,,,,,
      """
    return try #require(try StatementFile.read(Array(csv.utf8)).first)
  }

  @Test("a statement that does not open where the last one closed is told")
  func gaps() throws {
    let statements = [try statement("C", 9, day: 3), try statement("A", 7, day: 1), try statement("B", 7, day: 2)]
    #expect(BalanceChecks.gaps(Array(statements[1...])).isEmpty)
    let gaps = BalanceChecks.gaps(statements, after: (closing: 5, electronicSequence: nil))
    #expect(gaps.map(\.statement) == ["A", "C"])
    #expect(gaps.map(\.kind) == [.balance(differsBy: 2), .balance(differsBy: 2)])
  }

  @Test("numbers of the bank's that skip or go back are told")
  func numbers() throws {
    func numbered(_ number: String) throws -> BankStatement {
      let xml = """
        <Document xmlns="urn:iso:std:iso:20022:tech:xsd:camt.053.001.02"><BkToCstmrStmt>
        <GrpHdr><MsgId>M</MsgId><CreDtTm>2023-11-06T00:00:00Z</CreDtTm></GrpHdr>
        <Stmt><Id>S\(number)</Id><ElctrncSeqNb>\(number)</ElctrncSeqNb>
        <Acct><Id><Othr><Id>1</Id></Othr></Id><Ccy>USD</Ccy></Acct>
        <Bal><Tp><CdOrPrtry><Cd>OPBD</Cd></CdOrPrtry></Tp><Amt Ccy="USD">0.00</Amt><CdtDbtInd>CRDT</CdtDbtInd>
        <Dt><Dt>2023-11-06</Dt></Dt></Bal>
        <Bal><Tp><CdOrPrtry><Cd>CLBD</Cd></CdOrPrtry></Tp><Amt Ccy="USD">0.00</Amt><CdtDbtInd>CRDT</CdtDbtInd>
        <Dt><Dt>2023-11-06</Dt></Dt></Bal></Stmt></BkToCstmrStmt></Document>
        """
      return try #require(try StatementFile.read(Array(xml.utf8)).first)
    }
    let last: (closing: Int64, electronicSequence: Int64?) = (0, 4)
    #expect(BalanceChecks.gaps([try numbered("5")], after: last).isEmpty)
    #expect(BalanceChecks.gaps([try numbered("1")], after: last).isEmpty, "a new year")
    #expect(BalanceChecks.gaps([try numbered("7")], after: last).map(\.kind) == [.missing(2)])
    #expect(BalanceChecks.gaps([try numbered("3")], after: last).map(\.kind) == [.notAfter(4)])
  }
}
