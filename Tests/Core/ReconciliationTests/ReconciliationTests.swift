import BankFiles
import Primitives
import PropertyKit
import Reconciliation
import Testing

private typealias F = ReconciliationFixtures

enum ReconciliationFixtures {
  static let ours = BankAccount.other("1")
  static let payer = BankAccount.other("payer")
  static let stranger = BankAccount.other("stranger")

  static func day(_ number: Int64) -> CalendarDate { CalendarDate(dayNumber: 19_667 + number) ?? .earliest }

  static func line(
    _ entry: Int, _ references: [String], _ amount: Int64, _ currency: Currency = .usd, on date: Int64 = 0,
    statement: String = "S", booked: Bool = true, reversal: Bool = false, from counterparty: BankAccount? = nil
  ) -> BankLine {
    BankLine(
      key: BankLine.Key(account: ours, statement: statement, entry: entry, detail: 1), currency: currency,
      amount: amount, bookingDate: day(date), isBooked: booked, isReversal: reversal, references: Set(references),
      counterparty: counterparty)
  }

  static func item(
    _ id: UInt64, _ reference: String, _ amount: Int64, _ currency: Currency = .usd, due: Int64 = 2,
    payers: Set<BankAccount> = []
  ) -> ExpectedItem {
    ExpectedItem(
      id: UUIDValue(high: 0, low: id), reference: reference, currency: currency, amount: amount, date: day(0),
      dueDate: day(due), payers: payers)
  }
}

extension ReconciliationReport {
  /// Breaks as `code line>item candidates`.
  fileprivate var told: [String] {
    breaks.map { found in
      let line = found.line.map { "\($0.key.entry)" } ?? "-"
      let item = found.item.map { "\($0.id.low)" } ?? "-"
      let others = found.candidates.map { "\($0.low)" }.joined(separator: ",")
      return "\(found.reason.code) \(line)>\(item)" + (others.isEmpty ? "" : " [\(others)]")
    }
  }
}

@Suite("Reconciliation")
struct ReconciliationTests {
  private func reconcile(
    _ lines: [BankLine], _ items: [ExpectedItem], settled: [ExpectedItem] = [], through: Int64 = 1
  ) -> ReconciliationReport {
    Reconciliation(settled: settled, through: F.day(through)).reconcile(lines: lines, items: items)
  }

  @Test("a line and an item that agree in reference, amount and currency are a pair")
  func pair() {
    let report = reconcile(
      [F.line(1, ["A", "other"], -100), F.line(2, ["B"], 250, from: F.payer)],
      [F.item(1, "A", -100), F.item(2, "B", 250, payers: [F.payer])])
    #expect(report.pairs.map { "\($0.line.key.entry)=\($0.item.id.low)" } == ["1=1", "2=2"])
    #expect(report.breaks.isEmpty)
  }

  @Test("whatever differs is told for its reason, with the item that is meant")
  func reasons() {
    #expect(reconcile([F.line(1, ["A"], -101)], [F.item(1, "A", -100)]).told == ["amount_differs 1>1"])
    #expect(reconcile([F.line(1, ["A"], -101)], [F.item(1, "A", -100)]).breaks[0].reason == .amountDiffers(by: -1))
    #expect(
      reconcile([F.line(1, ["A"], -100, .cny)], [F.item(1, "A", -100)]).breaks[0].reason
        == .currencyDiffers(expected: .usd))
    #expect(
      reconcile([F.line(1, ["X"], 70)], [F.item(1, "A", 70), F.item(2, "B", 71)]).told
        == ["unknown_reference 1>- [1]", "not_yet_due ->1", "not_yet_due ->2"])
    #expect(reconcile([F.line(1, [], -15)], []).told == ["missing_in_books 1>-"])
    #expect(reconcile([], [F.item(1, "A", -100)], through: 2).told == ["not_yet_due ->1"])
    #expect(reconcile([], [F.item(1, "A", -100)], through: 3).told == ["missing_on_statement ->1"])
    #expect(reconcile([F.line(1, ["A"], -100, on: 5)], [F.item(1, "A", -100)]).breaks[0].reason == .late(days: 3))
    #expect(
      reconcile([F.line(1, ["A"], -100, booked: false)], [F.item(1, "A", -100)]).told
        == ["not_booked 1>- [1]", "not_yet_due ->1"])
  }

  @Test("a payer whom the books do not know goes to suspense; one who is not named is not known")
  func thirdParties() {
    let item = F.item(1, "A", 100, payers: [F.payer])
    #expect(reconcile([F.line(1, ["A"], 100, from: F.stranger)], [item]).told == ["third_party_payer 1>1"])
    #expect(reconcile([F.line(1, ["A"], 100)], [item]).told == ["third_party_payer 1>1"])
    // The payer's own line is the payment, though it comes later.
    let both = reconcile(
      [F.line(1, ["A"], 100, from: F.stranger), F.line(2, ["A"], 100, on: 1, from: F.payer)], [item])
    #expect(both.pairs.map(\.line.key.entry) == [2])
    #expect(both.told == ["booked_twice 1>- [1]"])
  }

  @Test("what comes twice and what is taken back is told, in one statement or a later one")
  func twiceAndBack() {
    let item = F.item(1, "A", -100)
    let twice = reconcile([F.line(2, ["A"], -100), F.line(1, ["A"], -100, on: 1)], [item])
    #expect(twice.pairs.map(\.line.key.entry) == [2], "the earlier booked")
    #expect(twice.told == ["booked_twice 1>- [1]"])
    #expect(reconcile([F.line(1, ["A"], -100)], [], settled: [item]).told == ["booked_twice 1>- [1]"])
    #expect(reconcile([F.line(1, ["A"], 100)], [], settled: [item]).told == ["reversed 1>- [1]"])
    #expect(reconcile([F.line(1, ["X"], 100, reversal: true)], []).told == ["reversed 1>-"])
    let returned = reconcile([F.line(1, ["A"], -100), F.line(2, ["A"], 100, reversal: true)], [item])
    #expect(returned.pairs.count == 1)
    #expect(returned.told == ["reversed 2>- [1]"])
    #expect(reconcile([F.line(1, ["A"], -99)], [], settled: [item]).told == ["amount_differs 1>- [1]"])
  }

  @Test("a reversal that the books expect is matched with it, and with nothing else")
  func takenBack() {
    let receipt = F.item(1, "A", 100)
    let back = ExpectedItem(
      id: UUIDValue(high: 0, low: 2), reference: "A", currency: .usd, amount: -100, date: F.day(1), dueDate: F.day(4),
      takesBack: true)
    let came = F.line(1, ["A"], 100)
    for isSaid in [true, false] {
      let both = reconcile([came, F.line(2, ["A"], -100, reversal: isSaid)], [receipt, back])
      #expect(both.pairs.map(\.item.id.low) == [1, 2])
      #expect(both.told == [])
      #expect(reconcile([F.line(2, ["A"], -100, reversal: isSaid)], [back], settled: [receipt]).pairs.count == 1)
    }
    // Another amount is no taking back that anybody knows of.
    #expect(
      reconcile([F.line(2, ["A"], -99, reversal: true)], [back], settled: [receipt]).told[0] == "reversed 2>- [1,2]")
    #expect(reconcile([F.line(2, ["A"], -100, reversal: true)], [F.item(2, "A", -100)]).told[0] == "reversed 2>- [2]")
  }

  @Test("where two items have all that a line has, nobody guesses")
  func ambiguous() {
    let report = reconcile(
      [F.line(1, ["A"], 100), F.line(2, ["A"], 100)], [F.item(1, "A", 100), F.item(2, "A", 100)], through: 9)
    #expect(report.pairs.isEmpty)
    #expect(
      report.told == [
        "ambiguous 1>- [1,2]", "ambiguous 2>- [1,2]", "missing_on_statement ->1", "missing_on_statement ->2",
      ])
    // Of two named by one line, only one has its amount: that is no doubt.
    let told = reconcile([F.line(1, ["A", "B"], 100)], [F.item(1, "A", 100), F.item(2, "B", 90)])
    #expect(told.pairs.map(\.item.id.low) == [1])
    #expect(
      reconcile([F.line(1, ["A", "B"], 95)], [F.item(1, "A", 100), F.item(2, "B", 90)]).told[0]
        == "ambiguous 1>- [1,2]")
  }

  @Test("a line of a statement carries its references whole: ids, lines of text, and words of them")
  func references() throws {
    let csv = """
      \(StatementCSV.columns.joined(separator: ","))
      opening,S,1,USD,2023-11-06,,0.00,,,,,,,,
      entry,S,1,USD,2023-11-06,,1.00,BOOK,,R1,E-1,RF9,Payer,77,"for RCPT-12, and AB"
      entry,S,1,USD,2023-11-06,,-1.00,PDNG,true,R2,,,,,
      closing,S,1,USD,2023-11-06,,1.00,,,,,,,,
      end,,,,,,2,,,,,,,,
      """
    let lines = try #require(try StatementFile.read(Array(csv.utf8)).first).lines
    #expect(lines[0].references == ["E-1", "RF9", "for RCPT-12, and AB", "for", "RCPT-12", "and", "AB"])
    #expect(lines[0].counterparty == .other("77"))
    #expect(lines[0].amount == 100 && lines[0].isBooked)
    #expect(lines[1].isReversal && !lines[1].isBooked && lines[1].references.isEmpty)
    #expect(lines.map(\.key.entry) == [1, 2])
  }
}

@Suite("Reconciliation, over drawn statements and books")
struct ReconciliationLaws {
  /// Few references, amounts and accounts, so that everything meets everything.
  private func draw(_ random: inout SplitMix64) throws -> (lines: [BankLine], items: [ExpectedItem]) {
    let currencies = [Currency.usd, .cny]
    let accounts: [BankAccount?] = [nil, F.payer, F.stranger]
    var lines: [BankLine] = []
    var items: [ExpectedItem] = []
    for id in 0..<random.int(in: 0...8) {
      let amount = random.oneIn(2) ? random.int64(in: 1...3) : random.int64(in: -3...(-1))
      items.append(
        F.item(
          UInt64(id), "R\(random.int(in: 1...6))", amount, try random.pick(currencies), due: random.int64(in: 0...4),
          payers: random.oneIn(2) ? [] : [F.payer]))
    }
    for entry in 0..<random.int(in: 0...12) {
      var references: [String] = []
      for _ in 0..<random.int(in: 0...2) { references.append("R\(random.int(in: 1...6))") }
      var (amount, currency) = (random.int64(in: -3...3), try random.pick(currencies))
      if random.oneIn(2), !items.isEmpty {
        let item = try random.pick(items)
        references.append(item.reference)
        (amount, currency) = (item.amount, item.currency)
      }
      lines.append(
        F.line(
          entry, references, amount, currency, on: random.int64(in: 0...4),
          statement: "S\(random.int(in: 1...2))", booked: !random.oneIn(6), reversal: random.oneIn(8),
          from: try random.pick(accounts)))
    }
    return (lines, items)
  }

  @Test("every line and every item ends in exactly one pair or break, and totals are conserved")
  func partition() throws {
    var paired = 0
    try forAll(seeds: 1...2_000) { random in
      let (lines, items) = try draw(&random)
      let report = Reconciliation(through: F.day(2)).reconcile(lines: lines, items: items)
      let foundLines = report.pairs.map(\.line) + report.breaks.compactMap(\.line)
      let foundItems = report.pairs.map(\.item) + report.breaks.compactMap(\.item)
      try hold(foundLines.count == lines.count && Set(foundLines) == Set(lines), "lines \(foundLines.count)")
      try hold(foundItems.count == items.count && Set(foundItems) == Set(items), "items \(foundItems.count)")
      try hold(report.breaks.allSatisfy { $0.line != nil || $0.item != nil }, "a break of nothing")
      for currency in [Currency.usd, .cny] {
        func sum(_ amounts: [Int64]) -> Int64 { amounts.reduce(0, +) }
        let total = sum(lines.filter { $0.currency == currency }.map(\.amount))
        let parts = sum(foundLines.filter { $0.currency == currency }.map(\.amount))
        try hold(total == parts, "totals")
      }
      for pair in report.pairs {
        try hold(
          pair.line.amount == pair.item.amount && pair.line.currency == pair.item.currency
            && pair.line.references.contains(pair.item.reference) && pair.line.isBooked && !pair.line.isReversal,
          "a pair that does not agree")
      }
      paired += report.pairs.count
    }
    #expect(paired > 500, "the draw makes pairs")
  }

  @Test("the order of lines and items does not show")
  func permutation() throws {
    try forAll(seeds: 1...1_000) { random in
      let (lines, items) = try draw(&random)
      let reconciliation = Reconciliation(through: F.day(2))
      let report = reconciliation.reconcile(lines: lines, items: items)
      for _ in 0..<3 {
        let other = reconciliation.reconcile(
          lines: lines.shuffled(using: &random), items: items.shuffled(using: &random))
        try hold(report == other, "another order, another report")
      }
    }
  }

  @Test("a statement that is imported twice brings only lines that were read before")
  func importTwice() throws {
    try forAll(seeds: 1...500) { random in
      let (lines, items) = try draw(&random)
      let first = Reconciliation(through: F.day(2)).reconcile(lines: lines, items: items)
      let settled = first.pairs.map(\.item)
      let open = items.filter { item in !settled.contains { $0.id == item.id } }
      let again = Reconciliation(settled: settled, readBefore: Set(lines.map(\.key)), through: F.day(2))
        .reconcile(lines: lines, items: open)
      try hold(again.pairs.isEmpty, "paired twice")
      let reasons = Set(again.breaks.filter { $0.line != nil }.map(\.reason))
      try hold(reasons.isSubset(of: [.readBefore]), "\(reasons)")
      // Under new keys too nothing that was settled is settled again.
      let renamed = lines.filter { line in first.pairs.contains { $0.line == line } }.enumerated().map { index, line in
        BankLine(
          key: BankLine.Key(account: F.ours, statement: "other", entry: index, detail: 1), currency: line.currency,
          amount: line.amount, bookingDate: line.bookingDate, isBooked: true, isReversal: false,
          references: line.references, counterparty: line.counterparty)
      }
      let third = Reconciliation(settled: settled, through: F.day(2)).reconcile(lines: renamed, items: [])
      try hold(third.pairs.isEmpty && third.breaks.allSatisfy { $0.reason == .bookedTwice }, "\(third.breaks)")
    }
  }
}
