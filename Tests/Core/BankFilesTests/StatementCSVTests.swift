import BankFiles
import Primitives
import Testing

@Suite("Bank statements as comma-separated values")
struct StatementCSVTests {
  @Test("a statement is read with signs, dates and parties")
  func reads() throws {
    let text = try BankFixtures.text("statement.csv").replacing(
      "closing,CN-2023-11-21,0200003609200012345,CNY,2023-11-21,,6543210.98",
      with: """
        entry,CN-2023-11-21,0200003609200012345,CNY,2023-11-21,,-0.98,BOOK,true,R2,NOTPROVIDED,RF1,,,
        entry,CN-2023-11-21,0200003609200012345,CNY,2023-11-22,,5.00,PDNG,false,,,,,,"a, ""b"", c"
        closing,CN-2023-11-21,0200003609200012345,CNY,2023-11-21,,6543210.00
        """
    ).replacing("end,,,,,,1", with: "end,,,,,,3")
    let statement = try #require(try StatementFile.read(Array(text.utf8)).first)
    #expect(statement.entries.map(\.amount) == [654_321_098, -98, 500])
    #expect(statement.entries.map(\.isReversal) == [false, true, false])
    #expect(statement.entries.map(\.isAllocatable) == [true, true, false])
    #expect(statement.entries[1].details[0].endToEndID == nil)
    #expect(statement.entries[1].details[0].creditorReference == "RF1")
    #expect(statement.entries[2].details[0].remittance == ["a, \"b\", c"])
    #expect(statement.closingBalance.amount == 654_321_000)
  }

  @Test(
    "one wrong thing refuses the whole file and is named",
    arguments: [
      ("end,,,,,,1,,,,,,,,\n", "", StatementFault.Reason.truncated, "record"),
      ("end,,,,,,1", "end,,,,,,2", .totalsDiffer, "amount"),
      (",6543210.98,BOOK", ",6543210.97,BOOK", .balancesDiffer, "amount"),
      (",6543210.98,BOOK", ",6543210.980,BOOK", .tooManyDecimals, "amount"),
      (",6543210.98,BOOK", ",1000000000000000.00,BOOK", .amountTooLarge, "amount"),
      (",6543210.98,BOOK", ",6 543 210.98,BOOK", .badAmount, "amount"),
      (",6543210.98,BOOK", ",6543210.98,", .missing, "status"),
      (",6543210.98,BOOK,", ",6543210.98,BOOK,maybe", .badValue, "reversal"),
      (",2023-11-21,6543210.98,BOOK", ",21.11.2023,6543210.98,BOOK", .badDate, "value_date"),
      ("entry,CN-2023-11-21", "entry,CN-2023-11-22", .missing, "statement_id"),
      (
        "entry,CN-2023-11-21,0200003609200012345,CNY", "entry,CN-2023-11-21,0200003609200012345,USD", .currencyDiffers,
        "currency"
      ),
      ("entry,", "note,", .badValue, "record"), ("opening,", "entry,", .missing, "record"),
      ("record,", "record2,", .missing, "record"), ("remittance", "remittance,iban", .malformed, ""),
      ("closing,", "opening,", .missing, "record"), ("status", "bank_status", .missing, "status"),
    ])
  func refusals(_ old: String, _ new: String, _ reason: StatementFault.Reason, _ element: String) throws {
    let bytes = try BankFixtures.changed("statement.csv", old, new)
    let fault = try #require(throws: StatementFault.self) { try StatementFile.read(bytes) }
    #expect(fault.reason == reason, "\(fault)")
    #expect(fault.element == element, "\(fault)")
  }

  @Test("a statement that stands twice, and one that repeats a bank's reference, are refused")
  func duplicates() throws {
    let text = try BankFixtures.text("statement.csv")
    let lines = text.split(separator: "\n").map(String.init)
    let twice = (lines[0...3] + lines[1...3] + ["end,,,,,,2,,,,,,,,"]).joined(separator: "\n")
    #expect(
      try #require(throws: StatementFault.self) { try StatementCSV.read(Array(twice.utf8)) }.reason
        == .duplicateStatement)
    let repeated = (lines[0...2] + [lines[2], lines[3], "end,,,,,,2,,,,,,,,"]).joined(separator: "\n")
    let fault = try #require(throws: StatementFault.self) { try StatementCSV.read(Array(repeated.utf8)) }
    #expect(fault.reason == .duplicateReference && fault.line == 4)
  }

  @Test("a file cut at any line is refused")
  func truncation() throws {
    let lines = try BankFixtures.text("statement.csv").split(separator: "\n")
    for count in 0..<lines.count {
      let cut = lines.prefix(count).joined(separator: "\n")
      #expect(throws: StatementFault.self) { try StatementFile.read(Array(cut.utf8)) }
    }
  }
}

@Suite("Accounts, codes and amounts")
struct BankValueTests {
  @Test(
    "IBANs are held to their check",
    arguments: [
      ("DE89370400440532013000", true), ("GB29NWBK60161331926819", true), ("NO9386011117947", true),
      ("DE88370400440532013000", false), ("de89370400440532013000", false), ("DE89 3704 0044 0532 0130 00", false),
      ("", false), ("D189370400440532013000", false), ("DE8937040044053201300", false),
    ])
  func iban(_ text: String, _ isOne: Bool) { #expect((IBAN(text) != nil) == isOne) }

  @Test("swapping two characters or changing one of an IBAN is always found")
  func ibanErrors() throws {
    let good = Array("DE89370400440532013000")
    for index in 4..<good.count {
      var other = good
      other[index] = good[index] == "9" ? "0" : Character(String((good[index].wholeNumberValue ?? 0) + 1))
      #expect(IBAN(String(other)) == nil)
      guard index + 1 < good.count, good[index] != good[index + 1] else { continue }
      var swapped = good
      swapped.swapAt(index, index + 1)
      #expect(IBAN(String(swapped)) == nil)
    }
  }

  @Test(
    "BICs are held to their shape",
    arguments: [
      ("DEUTDEFF", true), ("DEUTDEFF500", true), ("ICBKCNBJBJM", true), ("E097AEXX", true), ("DEUTDEF", false),
      ("DEUT1EFF", false), ("deutdeff", false), ("DEUTDEFF50", false), ("", false),
    ])
  func bic(_ text: String, _ isOne: Bool) { #expect((BIC(text) != nil) == isOne) }

  @Test(
    "amounts are read to the currency's decimals and written back",
    arguments: [
      ("USD", "0.05", 5), ("USD", "12", 1_200), ("USD", "12.3", 1_230), ("JPY", "12", 12), ("KWD", "1.234", 1_234),
      ("USD", "10000000000000.00", 1_000_000_000_000_000), ("USD", "-0.05", -5), ("KWD", "-12.3", -12_300),
    ])
  func amounts(_ code: String, _ text: String, _ minor: Int64) throws {
    let currency = try #require(Currency(code))
    #expect(try DecimalAmount.parse(text, currency, allowsSign: true) == minor)
    let written = DecimalAmount.text(minor, currency)
    #expect(try DecimalAmount.parse(written, currency, allowsSign: true) == minor)
    let decimals = written.split(separator: ".").dropFirst().first?.utf8.count ?? 0
    #expect(decimals == currency.minorUnitDigits)
  }

  @Test("what is no amount is refused for its reason")
  func badAmounts() throws {
    for text in ["", ".", "1.", ".1", "1.2.3", "1,2", "+1", "1e2", "NaN", "\u{0661}", " 1", "--1"] {
      #expect(throws: DecimalAmount.Fault.notANumber, "\(text)") {
        try DecimalAmount.parse(text, .usd, allowsSign: true)
      }
    }
    #expect(throws: DecimalAmount.Fault.negative) { try DecimalAmount.parse("-1", .usd) }
    #expect(throws: DecimalAmount.Fault.tooManyDecimals(allowed: 2)) { try DecimalAmount.parse("1.000", .usd) }
    for text in ["10000000000000.01", "99999999999999999999", "9223372036854775807.99"] {
      #expect(throws: DecimalAmount.Fault.tooLarge) { try DecimalAmount.parse(text, .usd) }
    }
  }
}
