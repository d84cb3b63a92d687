import BankFiles
import Primitives
import PropertyKit
import StrictXML
import Testing

@Suite("camt.053 statements")
struct Camt053Tests {
  private func date(_ text: String) throws -> CalendarDate { try #require(CalendarDate(text)) }

  @Test("version 2: receipts, batches, pending entries, reversals and fees are read with sign, dates and parties")
  func version2() throws {
    let statement = try #require(try StatementFile.read(BankFixtures.bytes("camt.053.001.02.xml")).first)
    #expect(statement.id == "DE-2023-214")
    #expect(statement.electronicSequence == 214)
    #expect(statement.account == .iban(try #require(IBAN("DE89370400440532013000"))))
    #expect(statement.currency == Currency("EUR"))
    #expect(statement.openingBalance.amount == 100_000)
    #expect(statement.closingBalance.amount == 348_450)
    #expect(statement.closingBalance.date == (try date("2023-11-06")))
    let entries = statement.entries
    #expect(entries.map(\.amount) == [250_000, -100_000, 100_000, 100_000, -1_550])
    #expect(entries.map(\.status) == [.booked, .booked, .pending, .booked, .booked])
    #expect(entries.map(\.isAllocatable) == [true, true, false, true, true])
    #expect(entries.map(\.isReversal) == [false, false, false, true, false])
    #expect(entries[0].transactionCode == "PMNT/RCDT/ESCT")
    #expect(entries[0].bankReference == "2023110600001")
    let receipt = entries[0].details[0]
    #expect(receipt.counterpartyName == "Müller & Söhne GmbH")
    #expect(receipt.counterpartyAccount == .iban(try #require(IBAN("GB29NWBK60161331926819"))))
    #expect(receipt.endToEndID == "ROUND-7" && receipt.instructionID == "I-77" && receipt.messageID == "M-77")
    #expect(receipt.remittance == ["Funding round 7,", "first closing"])
    #expect(entries[1].details.map(\.amount) == [-70_000, -30_000])
    #expect(entries[1].details.map(\.endToEndID) == ["PAY-1", "PAY-2"])
    #expect(entries[1].details[0].counterpartyAccount == .other("6222020200012345678"))
    #expect(entries[1].bookingDate == (try date("2023-11-06")), "the day that the bank's own clock showed")
    #expect(entries[2].bookingDate == (try date("2023-11-07")))
    // A reversal of a payment names the payee of what it takes back.
    #expect(entries[3].details[0].counterpartyName == "Beidou Search")
    #expect(entries[3].details[0].endToEndID == nil)
    #expect(entries[3].details[0].creditorReference == "RF18539007547034")
    #expect(entries[4].details.map(\.remittance) == [["Account fee October"]])
  }

  @Test("version 4: an overdrawn opening, a currency told by the balance, and what charges left of a receipt")
  func version4() throws {
    let statement = try #require(try StatementFile.read(BankFixtures.bytes("camt.053.001.04.xml")).first)
    #expect(statement.currency == .usd)
    #expect(statement.openingBalance.amount == -5_000)
    #expect(statement.closingBalance.date == (try date("2023-11-21")))
    #expect(statement.entries[0].details.map(\.amount) == [997_500])
    #expect(statement.entries[0].transactionCode == nil)
  }

  @Test("version 8: several statements, prefixed names, statuses and parties in their later form, Chinese names")
  func version8() throws {
    let statements = try StatementFile.read(BankFixtures.bytes("camt.053.001.08.xml"))
    #expect(statements.map(\.id) == ["CN-2023-11-21", "JP-2023-11-21"])
    #expect(statements.map(\.currency.code) == ["CNY", "JPY"])
    let detail = try #require(statements[0].entries.first?.details.first)
    #expect(detail.amount == 654_321_098)
    #expect(detail.counterpartyName == "北京零一智能科技有限公司")
    #expect(detail.remittance == ["融资款 第二轮 首次交割"])
    #expect(statements[1].entries.isEmpty)
    #expect(statements[1].openingBalance.amount == 5, "a yen has no decimals")
  }

  @Test("each version from 2 to 9 is read, others are not")
  func versions() throws {
    for version in 0...12 {
      let name = version < 10 ? "0\(version)" : "\(version)"
      let bytes = try BankFixtures.changed("camt.053.001.02.xml", "camt.053.001.02", "camt.053.001.\(name)")
      if Camt053.versions.contains(version) {
        #expect(try Camt053.read(bytes).count == 1)
      } else {
        let fault = try #require(throws: StatementFault.self) { try Camt053.read(bytes) }
        #expect(fault.reason == .wrongMessage)
      }
    }
  }

  /// One change to a file, and the refusal that it must cause.
  struct Change: Sendable, CustomTestStringConvertible {
    let old: String
    let new: String
    let reason: StatementFault.Reason
    var element = ""
    var file = "camt.053.001.02.xml"
    var testDescription: String { "\(reason.rawValue): \(new.prefix(60))" }
  }

  static let changes: [Change] = [
    Change(
      old: "Ccy=\"EUR\">2500.00</Amt>\n        <Cdt", new: "Ccy=\"EUR\">2500.01</Amt>\n        <Cdt",
      reason: .detailsDiffer, element: "Document/BkToCstmrStmt/Stmt/Ntry/NtryDtls/TxDtls"),
    Change(old: "\">3484.50</Amt>", new: "\">3484.51</Amt>", reason: .balancesDiffer),
    Change(
      old: "\">1000.00</Amt>\n        <CdtDbtInd>CRDT", new: "\">1000.00</Amt>\n        <CdtDbtInd>DBIT",
      reason: .balancesDiffer, element: "Document/BkToCstmrStmt/Stmt"),
    Change(
      old: "<NbOfNtries>5", new: "<NbOfNtries>6", reason: .totalsDiffer,
      element: "Document/BkToCstmrStmt/Stmt/TxsSummry/TtlNtries/NbOfNtries"),
    Change(old: "<Sum>5515.50", new: "<Sum>5515.49", reason: .totalsDiffer),
    Change(old: "<Sum>1015.50", new: "<Sum>1015.51", reason: .totalsDiffer),
    Change(old: "<TtlNetNtryAmt>3484.50", new: "<TtlNetNtryAmt>3484.49", reason: .totalsDiffer),
    Change(old: "<NbOfTxs>2", new: "<NbOfTxs>3", reason: .detailsDiffer),
    Change(old: "<TtlAmt Ccy=\"EUR\">1000.00", new: "<TtlAmt Ccy=\"EUR\">1000.01", reason: .detailsDiffer),
    Change(old: "\">700.00", new: "\">701.00", reason: .detailsDiffer),
    Change(
      old: "<InstdAmt><Amt Ccy=\"EUR\">300.00", new: "<InstdAmt><Amt Ccy=\"USD\">300.00", reason: .missing),
    Change(
      old: "<Amt Ccy=\"EUR\">15.50", new: "<Amt Ccy=\"USD\">15.50", reason: .currencyDiffers,
      element: "Document/BkToCstmrStmt/Stmt/Ntry/Amt"),
    Change(old: "<Amt Ccy=\"EUR\">15.50", new: "<Amt Ccy=\"EUR\">15.500", reason: .tooManyDecimals),
    Change(old: "<Amt Ccy=\"EUR\">15.50", new: "<Amt Ccy=\"EUR\">-15.50", reason: .negativeAmount),
    Change(old: "<Amt Ccy=\"EUR\">15.50", new: "<Amt Ccy=\"EUR\">15,50", reason: .badAmount),
    Change(old: "<Amt Ccy=\"EUR\">15.50", new: "<Amt Ccy=\"EUR\">1e3", reason: .badAmount),
    Change(old: "<Amt Ccy=\"EUR\">15.50", new: "<Amt Ccy=\"EUR\">.5", reason: .badAmount),
    Change(old: "<Amt Ccy=\"EUR\">15.50", new: "<Amt Ccy=\"EUR\">", reason: .missing),
    Change(old: "<Amt Ccy=\"EUR\">15.50", new: "<Amt>15.50", reason: .missing),
    Change(old: "<Amt Ccy=\"EUR\">15.50", new: "<Amt Ccy=\"XXX\">15.50", reason: .badValue),
    Change(
      old: "<Amt Ccy=\"EUR\">15.50", new: "<Amt Ccy=\"EUR\">99999999999999999999.00", reason: .amountTooLarge),
    Change(old: "<AcctSvcrRef>2023110600003", new: "<AcctSvcrRef>2023110600001", reason: .duplicateReference),
    Change(
      old: "<NtryRef>5", new: "<NtryRef>1", reason: .duplicateReference, element: "Document/BkToCstmrStmt/Stmt/Ntry"),
    Change(old: "<BookgDt><Dt>2023-11-06", new: "<BookgDt><Dt>2023-11-31", reason: .badDate),
    Change(old: "T00:30:00+01:00</DtTm></BookgDt>", new: "T24:30:00+01:00</DtTm></BookgDt>", reason: .badDate),
    Change(old: "<BookgDt><Dt>2023-11-06</Dt></BookgDt>", new: "", reason: .missing),
    Change(old: "<Id>DE-2023-214</Id>", new: "", reason: .missing),
    Change(old: "<Id>DE-2023-214</Id>", new: "<Id>1</Id><Id>2</Id>", reason: .repeated),
    Change(old: "<CdtDbtInd>CRDT</CdtDbtInd>\n        <Sts>", new: "<Sts>", reason: .missing),
    Change(old: "<Sts>BOOK", new: "<Sts>DONE", reason: .badValue),
    Change(old: "DE89370400440532013000", new: "DE88370400440532013000", reason: .badValue),
    Change(old: ">OPBD<", new: ">OPAV<", reason: .missing, element: "Document/BkToCstmrStmt/Stmt"),
    Change(old: ">CLAV<", new: ">CLBD<", reason: .repeated),
    Change(old: "<BkToCstmrStmt>", new: "<BkToCstmrDbtCdtNtfctn>", reason: .wrongMessage),
    Change(old: "<GrpHdr>", new: "<GrpHdr xmlns='urn:x'>", reason: .wrongMessage),
    Change(old: "<Stmt>", new: "<!DOCTYPE a><Stmt>", reason: .forbiddenMarkup),
    Change(old: "</Ntry>", new: "</Entry>", reason: .malformed),
    Change(old: "<Stmt>", new: "text<Stmt>", reason: .malformed),
    Change(old: "</Stmt>", new: "</Stmt><Rpt/>", reason: .malformed),
    Change(
      old: "JP-2023-11-21</camt:Id>\n      <camt:Acct>\n        <camt:Id><camt:Othr><camt:Id>0200003609200099999",
      new: "CN-2023-11-21</camt:Id>\n      <camt:Acct>\n        <camt:Id><camt:Othr><camt:Id>0200003609200012345",
      reason: .duplicateStatement, file: "camt.053.001.08.xml"),
    Change(
      old: "<camt:Amt Ccy=\"JPY\">5<", new: "<camt:Amt Ccy=\"JPY\">5.0<", reason: .tooManyDecimals,
      file: "camt.053.001.08.xml"),
    Change(
      old: "<camt:Cd>BOOK</camt:Cd>", new: "<camt:Prtry>BOOK</camt:Prtry>", reason: .missing,
      file: "camt.053.001.08.xml"),
    Change(
      old: "<Amt Ccy=\"USD\">25.00</Amt><Cdt", new: "<Amt Ccy=\"USD\">24.00</Amt><Cdt", reason: .detailsDiffer,
      file: "camt.053.001.04.xml"),
  ]

  @Test("one wrong thing refuses the whole file and is named", arguments: changes)
  func refusals(_ change: Change) throws {
    let bytes = try BankFixtures.changed(change.file, change.old, change.new)
    let fault = try #require(throws: StatementFault.self) { try StatementFile.read(bytes) }
    #expect(fault.reason == change.reason, "\(fault)")
    if !change.element.isEmpty { #expect(fault.element == change.element) }
    #expect(fault.line > 1 && fault.detail.contains("Line \(fault.line)"))
    #expect(fault.code == "bank_statement.\(change.reason.rawValue)")
  }

  @Test("the line that a refusal names is the line of the element at fault")
  func lines() throws {
    let bytes = try BankFixtures.changed("camt.053.001.02.xml", "<Amt Ccy=\"EUR\">15.50", "<Amt Ccy=\"EUR\">15.5x")
    let fault = try #require(throws: StatementFault.self) { try Camt053.read(bytes) }
    let lines = String(decoding: bytes, as: UTF8.self).split(separator: "\n", omittingEmptySubsequences: false)
    #expect(lines[fault.line - 1].contains("15.5x"))
  }

  @Test("a file cut anywhere is refused as cut")
  func truncation() throws {
    let fault = try #require(throws: StatementFault.self) {
      try StatementFile.read(BankFixtures.bytes("truncated.xml"))
    }
    #expect(fault.reason == .truncated)
    #expect(fault.element.hasPrefix("Document/BkToCstmrStmt/Stmt/Ntry"))
    let bytes = try BankFixtures.bytes("camt.053.001.08.xml")
    let end = try #require(bytes.lastIndex(of: 0x3E))
    for cut in stride(from: 40, through: end, by: 7) {
      let fault = try #require(throws: StatementFault.self) { try StatementFile.read(Array(bytes[..<cut])) }
      #expect(fault.reason == .truncated, "cut at \(cut): \(fault)")
    }
  }

  @Test("totals may count booked entries only, as some banks do, but not a mixture")
  func totalsOfBooked() throws {
    var text = try BankFixtures.text("camt.053.001.02.xml")
    let booked = [
      ("<NbOfNtries>5", "<NbOfNtries>4"), ("<Sum>5515.50", "<Sum>4515.50"),
      ("<TtlNetNtryAmt>3484.50", "<TtlNetNtryAmt>2484.50"),
      ("<NbOfNtries>3</NbOfNtries><Sum>4500.00", "<NbOfNtries>2</NbOfNtries><Sum>3500.00"),
    ]
    for (index, (old, new)) in booked.enumerated() {
      text = text.replacing(old, with: new, maxReplacements: 1)
      if index < booked.count - 1 {
        let fault = try #require(throws: StatementFault.self) { try Camt053.read(Array(text.utf8)) }
        #expect(fault.reason == .totalsDiffer)
      }
    }
    #expect(try Camt053.read(Array(text.utf8)).count == 1)
  }

  @Test("pages of a statement join by interim balances")
  func pages() throws {
    let first = try BankFixtures.changed("camt.053.001.02.xml", ">CLBD<", ">ITBD<")
    let page = try #require(try Camt053.read(first).first)
    #expect(!page.openingBalance.isInterim && page.closingBalance.isInterim)
    let last = try BankFixtures.changed("camt.053.001.02.xml", ">OPBD<", ">ITBD<")
    let end = try #require(try Camt053.read(last).first)
    #expect(end.openingBalance.isInterim && !end.closingBalance.isInterim)
    #expect(end.openingBalance.amount == 100_000)
  }

  @Test("what a statement says decides its fingerprint, not how its file is laid out or which form it has")
  func fingerprints() throws {
    let statements = try StatementFile.read(BankFixtures.bytes("camt.053.001.08.xml"))
    let text = try BankFixtures.text("camt.053.001.08.xml")
    for other in [
      text.replacing("camt:", with: "x:").replacing("xmlns:x:", with: "xmlns:x").replacing(
        "xmlns:camt", with: "xmlns:x"),
      text.replacing("\n", with: "\r\n  "),
      text.replacing("2023-11-21T20:00:00+08:00", with: "2023-11-22T20:00:00+08:00"),
      text.replacing(".001.08\"", with: ".001.09\""),
    ] {
      #expect(try StatementFile.read(Array(other.utf8)).map(\.fingerprint) == statements.map(\.fingerprint))
    }
    let csv = try StatementFile.read(BankFixtures.bytes("statement.csv"))
    #expect(csv.map(\.fingerprint) == [statements[0].fingerprint])
    #expect(statements[0].fingerprint != statements[1].fingerprint)
    let renamed = try BankFixtures.changed("camt.053.001.08.xml", "ROUND-8", "ROUND-9")
    #expect(try Camt053.read(renamed)[0].fingerprint != statements[0].fingerprint)
    #expect(try Camt053.read(renamed)[1].fingerprint == statements[1].fingerprint)
  }

  @Test("bytes changed at random are read or refused; what is read still adds up")
  func fuzz() throws {
    let good = try BankFixtures.bytes("camt.053.001.02.xml")
    var refused = 0
    try forAll(seeds: 1...400) { random in
      var bytes = good
      for _ in 0..<random.int(in: 1...3) {
        let at = random.int(in: 0...(bytes.count - 1))
        bytes[at] = random.oneIn(2) ? UInt8(0x30 + random.next() % 10) : UInt8(random.next() & 0x7F)
      }
      do {
        for statement in try StatementFile.read(bytes) {
          let sum = statement.entries.filter(\.isAllocatable).reduce(statement.openingBalance.amount) { $0 + $1.amount }
          try hold(sum == statement.closingBalance.amount, "does not add up")
          for entry in statement.entries {
            try hold(entry.details.reduce(0) { $0 + $1.amount } == entry.amount, "an entry is not its details")
          }
        }
      } catch is StatementFault { refused += 1 }
    }
    #expect(refused > 200)
  }
}
