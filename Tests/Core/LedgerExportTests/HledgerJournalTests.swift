import HledgerHarness
import Ledger
import LedgerExport
import Primitives
import PropertyKit
import Testing

@Suite("The journal in plain text")
struct HledgerJournalTests {
  private static let platform = OrganizationID(UUIDValue(high: 0, low: 1))
  private static let lender = OrganizationID(UUIDValue(high: 0x018b_ab70_1234_7abc, low: 0x8def_0123_4567_89ab))
  private static let borrower = OrganizationID(UUIDValue(high: 0x018b_ab70_1234_7abc, low: 0x8def_0123_4567_89ac))
  private static let names: [(id: OrganizationID, legalName: String?)] = [
    (platform, nil), (lender, "Beidou  Search;\n(北京): \"A\" | B"), (borrower, "Beidou  Search;\n(北京): \"A\" | B"),
  ]

  private func entry(
    _ number: UInt64, _ book: OrganizationID, on date: String, _ lines: [JournalLine]
  ) throws -> JournalEntry {
    JournalEntry(
      draft: try EntryDraft(
        id: JournalEntryID(UUIDValue(high: 7, low: number)), book: book, kind: .deliveryAccepted,
        businessDate: try #require(CalendarDate(date)), subject: UUIDValue(high: 9, low: 9), lines: lines),
      sequence: Int64(number), recordedAt: try #require(Instant("2023-11-06T09:00:00.25Z")))
  }

  private func line(
    _ book: OrganizationID, _ code: AccountCode, _ asset: Asset, _ amount: Int64, subject: UInt64 = 5
  ) -> JournalLine {
    JournalLine(AccountRef(book, code, UUIDValue(high: 0, low: subject), asset: asset), amount)
  }

  /// The whole file: declarations of what is used, then the entries.
  private func journal(_ entries: [JournalEntry], declaring isDeclared: Bool = true) throws -> String {
    let journal = HledgerJournal(names: BookNames(Self.names))
    var text = journal.heading(asOf: CalendarDate("2026-12-31"), knownAt: nil)
    let accounts = entries.flatMap(\.draft.lines).map(\.account)
    if isDeclared {
      for asset in Set(accounts.map(\.asset)).sorted() { text += journal.declaration(of: asset) }
      for (book, group) in Dictionary(grouping: accounts, by: \.book).sorted(by: { $0.key < $1.key }) {
        for code in Set(group.map(\.code)).sorted(by: { $0.rawValue < $1.rawValue }) {
          text += journal.declaration(of: code, in: book)
        }
      }
    }
    return entries.reduce(text) { $0 + journal.transaction($1) }
  }

  @Test("an entry is written with its id, book, number, times and subjects, and exact amounts")
  func written() throws {
    let usd = Asset.currency(.usd)
    let chip = Asset.chip(try #require(ChipModelID("nvidia-a800-sxm4-80")))
    let entry = try entry(
      3, Self.lender, on: "2023-11-06",
      [
        line(Self.lender, .receivablePrincipal, usd, 5), line(Self.lender, .clearingChips, usd, -5),
        line(Self.lender, .custodyInTransit, chip, -512), line(Self.lender, .custodyOnLoan, chip, 512),
      ])
    let text = HledgerJournal(names: BookNames(Self.names)).transaction(entry)
    #expect(
      text == """

        2023-11-06 * (jrn_00000000-0000-0007-0000-000000000003) Beidou Search 北京 A B 0123456789ab | delivery accepted\
          ; book:org_018bab70-1234-7abc-8def-0123456789ab, seq:3, recorded:2023-11-06T09:00:00.250000Z, \
        about:00000000-0000-0009-0000-000000000009
            receivable:principal:Beidou Search 北京 A B 0123456789ab  0.05 USD  ; \
        subject:loan_00000000-0000-0000-0000-000000000005
            clearing:chips:Beidou Search 北京 A B 0123456789ab  -0.05 USD  ; \
        subject:loan_00000000-0000-0000-0000-000000000005
            custody:in_transit:Beidou Search 北京 A B 0123456789ab  -512 "chip:nvidia-a800-sxm4-80"  ; \
        subject:lot_00000000-0000-0000-0000-000000000005
            custody:on_loan:Beidou Search 北京 A B 0123456789ab  512 "chip:nvidia-a800-sxm4-80"  ; \
        subject:lot_00000000-0000-0000-0000-000000000005

        """)
  }

  @Test("names of books stay apart, have no double spaces and no marks of the format, and do not depend on others")
  func bookNames() throws {
    let names = BookNames(Self.names)
    #expect(names[Self.lender] == "Beidou Search 北京 A B 0123456789ab")
    #expect(names[Self.borrower] == "Beidou Search 北京 A B 0123456789ac")
    #expect(names[Self.platform] == "Book 000000000001")
    #expect(BookNames([(Self.lender, Self.names[1].legalName)])[Self.lender] == names[Self.lender])
    let alike = OrganizationID(UUIDValue(high: 1, low: Self.lender.value.low))
    let two = BookNames([(alike, "A"), (Self.lender, "A")])
    #expect(two[alike] != two[Self.lender])
    for weird in [";", " ", "", "\u{3000}\u{3000}", "\u{0}", "\u{200B}", "::|\""] {
      #expect(BookNames([(Self.lender, weird)])[Self.lender] == "Book 0123456789ab")
    }
    let long = BookNames([(Self.lender, String(repeating: "名", count: 500))])[Self.lender]
    #expect(long.unicodeScalars.count == 60 + 13)
  }

  @Test("every account of the chart has a place in it, and its table has a row for each")
  func chart() {
    let rows = ChartOfAccounts.csv.split(separator: "\n")
    #expect(rows.count == AccountCode.allCases.count + 1)
    #expect(rows.allSatisfy { $0.split(separator: ",").count == 5 })
    for code in AccountCode.allCases {
      #expect(!code.meaning.contains(":") && !code.meaning.contains(","), "\(code)")
      if code.neverNegative { #expect(code.kind == .asset, "\(code)") }
      #expect(!(code.neverNegative && code.neverPositive))
    }
    #expect(rows.contains("bank.client,asset,none,+,client money at the bank"))
  }

  @Test("hledger checks drawn books strictly, and its balances are the sums of our lines")
  func balances() throws {
    try forAll(seeds: 1...6) { random in
      let entries = try draw(&random)
      let hledger = try Hledger(journal: try journal(entries))
      defer { hledger.remove() }
      let answer = try hledger.check()
      try hold(answer.status == 0, "check: \(answer.error)\(answer.output)")
      var sums: [String: (Int64, Asset)] = [:]
      let names = BookNames(Self.names)
      for line in entries.flatMap(\.draft.lines) {
        let (book, asset) = (line.account.book, line.account.asset)
        let account = line.account.code.rawValue.split(separator: ".").joined(separator: ":") + ":" + names[book]
        let key = "\(account) \(asset)"
        sums[key] = ((sums[key]?.0 ?? 0) + line.amount, asset)
      }
      let ours = sums.filter { $0.value.0 != 0 }.mapValues { Self.decimal($0.0, $0.1) }
      let theirs = try hledger.balances()
      try hold(ours == theirs, "ours \(ours), theirs \(theirs)")
    }
  }

  @Test("hledger refuses what is not declared, and an entry that does not balance: the checks are not empty")
  func checksBite() throws {
    var random = SplitMix64(seed: 1)
    let entries = try draw(&random)
    for text in [
      try journal(entries, declaring: false),
      try journal(entries) + "\n2026-12-31 * x\n    bank:client:Book 000000000001  1.00 USD\n",
      try journal(entries) + "\n1999-12-31 * x\n    bank:client:Book 000000000001  0 USD\n",
    ] {
      let hledger = try Hledger(journal: text)
      defer { hledger.remove() }
      #expect(try hledger.check().status != 0)
    }
  }

  /// Entries of three books and five assets, in order of their dates, with every account of the chart now and then.
  private func draw(_ random: inout SplitMix64) throws -> [JournalEntry] {
    let assets = [
      Asset.currency(.usd), .currency(try #require(Currency("JPY"))), .currency(try #require(Currency("KWD"))),
      .chip(try #require(ChipModelID("nvidia-a800-sxm4-80"))), .chip(try #require(ChipModelID("7"))),
    ]
    var entries: [JournalEntry] = []
    var date = try #require(CalendarDate("2023-01-01"))
    for number in 1...60 {
      let book = try random.pick(Self.names).id
      var lines: [JournalLine] = []
      for _ in 0..<random.int(in: 1...3) {
        let asset = try random.pick(assets)
        let amount = random.int64(in: 1...(random.oneIn(4) ? 1_000_000_000_000_000 : 2_000))
        for signed in [amount, -amount] {
          lines.append(
            line(book, try random.pick(AccountCode.allCases), asset, signed, subject: random.next() % 4))
        }
      }
      date = try #require(date.adding(days: random.int64(in: 0...9)))
      entries.append(try entry(UInt64(number), book, on: date.description, lines))
    }
    return entries
  }

  private static func decimal(_ amount: Int64, _ asset: Asset) -> String {
    var digits = String(amount.magnitude)
    guard case .currency(let currency) = asset, currency.minorUnitDigits > 0 else { return String(amount) }
    while digits.utf8.count <= currency.minorUnitDigits { digits = "0" + digits }
    let point = digits.index(digits.endIndex, offsetBy: -currency.minorUnitDigits)
    return (amount < 0 ? "-" : "") + digits[..<point] + "." + digits[point...]
  }
}
