import BankFiles
import Primitives
import PropertyKit
import StrictXML
import Testing

@Suite("Payment files")
struct PaymentFileTests {
  private static func debtor() throws -> DebtorAccount {
    DebtorAccount(
      name: "ChipBridge Clients", account: try #require(BankAccount("DE89370400440532013000")),
      agent: BIC("COBADEFFXXX"))
  }

  private static func payment(
    _ id: String = "PAY-1", _ amount: Int64 = 123_456, _ code: String = "EUR", to name: String = "Beidou Search",
    account: String = "GB29NWBK60161331926819", debtor: DebtorAccount? = nil,
    remittance: String? = "Payout of 6 November",
    on date: String = "2023-11-07"
  ) throws -> PaymentOrder {
    PaymentOrder(
      endToEndID: id, amount: Money(amount, try #require(Currency(code))), debtor: try debtor ?? Self.debtor(),
      executionDate: try #require(CalendarDate(date)), creditorName: name,
      creditorAccount: try #require(BankAccount(account)), creditorAgent: BIC("NWBKGB2L"), remittance: remittance)
  }

  private func file(_ payments: [PaymentOrder], id: String = "CB-20231106-1") throws -> PaymentFile {
    try PaymentFile(
      messageID: id, createdAt: try #require(Instant("2023-11-06T17:00:00.5Z")), initiator: "ChipBridge",
      payments: payments)
  }

  private static func orders() throws -> [PaymentOrder] {
    let other = DebtorAccount(name: "ChipBridge Clients CN", account: .other("0200003609200012345"), agent: nil)
    let payout = try #require(PayoutID("pay_018bab70-1234-7abc-8def-0123456789ab"))
    return [
      try payment(), try payment("PAY-2", 1, "EUR", to: "Müller & Söhne GmbH", remittance: nil),
      try payment("PAY-3", 500, "JPY", debtor: other),
      try payment(EndToEndReference.of(payout), 6_543_210_98, "CNY", account: "11001028700053001234", debtor: other),
      try payment("PAY-4", 1_234, "KWD", on: "2023-11-08"),
    ]
  }

  @Test("the file is the one that was found valid against the published schema, to the byte")
  func golden() throws {
    let written = try file(Self.orders()).bytes
    #expect(String(decoding: written, as: UTF8.self) == (try BankFixtures.text("pain.001.001.09.xml")))
  }

  @Test("orders in any order make the same bytes; numbers and sums are those of the payments")
  func deterministic() throws {
    let orders = try Self.orders()
    let bytes = try file(orders).bytes
    try forAll(seeds: 1...20) { random in
      let shuffled = orders.shuffled(using: &random)
      try hold(try file(shuffled).bytes == bytes, "the order of the orders shows")
    }
    var reader = try XMLReader(bytes)
    guard case .start(let tag) = try reader.next() else { throw PropertyViolation("no document") }
    let message = try #require(try reader.element(tag).children.first)
    let header = try #require(message.all("GrpHdr").first)
    #expect(header.all("NbOfTxs").map(\.text) == ["5"])
    // 1234.56 + 0.01 + 500 + 6543210.98 + 1.234
    #expect(header.all("CtrlSum").map(\.text) == ["6544946.784"])
    #expect(header.all("CreDtTm").map(\.text) == ["2023-11-06T17:00:00Z"])
    let batches = message.all("PmtInf")
    #expect(batches.map { $0.all("CtrlSum")[0].text } == ["6543210.98", "500", "1234.57", "1.234"])
    #expect(batches.map { $0.all("NbOfTxs")[0].text } == ["1", "1", "2", "1"])
    #expect(
      batches.map { $0.all("PmtInfId")[0].text } == (1...4).map { "CB-20231106-1-\($0)" })
    #expect(batches.flatMap { $0.all("CdtTrfTxInf") }.count == 5)
  }

  @Test("names are transliterated letter by letter, and references are not touched")
  func transliteration() throws {
    let names = [
      ("Müller & Söhne GmbH", "Muller + Sohne GmbH"), ("Łódź Æther_Straße", "Lodz AEther-Strasse"),
      ("  two   spaces\n", "two spaces"), ("e\u{301}cole", "ecole"), ("\u{130}stanbul", "Istanbul"),
      ("O’Neil “x”", "O'Neil 'x'"),
    ]
    for (name, carried) in names {
      let text = String(decoding: try file([Self.payment(to: name)]).bytes, as: UTF8.self)
      #expect(text.contains("<Nm>\(carried)</Nm>"), "\(name)")
      #expect(text.utf8.allSatisfy { $0 < 0x80 })
    }
  }

  @Test("what cannot be carried is refused with its field")
  func refusals() throws {
    let long = String(repeating: "a", count: 71)
    func refused(
      _ field: String, _ reason: PaymentFault.Reason, _ make: () throws -> PaymentFile
    ) throws {
      let fault = try #require(throws: PaymentFault.self) { _ = try make() }
      #expect(fault.field == field && fault.reason == reason, "\(fault)")
    }
    try refused("payments", .noPayments) { try file([]) }
    try refused("message_id", .tooLong) { try file([Self.payment()], id: String(repeating: "a", count: 31)) }
    try refused("message_id", .character) { try file([Self.payment()], id: "run_1") }
    try refused("message_id", .empty) { try file([Self.payment()], id: "") }
    try refused("payments[0].end_to_end_id", .tooLong) {
      try file([Self.payment("pay_018bab70-1234-7abc-8def-0123456789ab")])
    }
    for id in ["/a", "a/", "a//b", " a"] {
      try refused("payments[0].end_to_end_id", .slashes) { try file([Self.payment(id)]) }
    }
    try refused("payments[1].end_to_end_id", .duplicateReference) { try file([Self.payment(), Self.payment()]) }
    try refused("payments[1].creditor_name", .character) {
      try file([Self.payment(), Self.payment("PAY-2", to: "北京零一智能科技有限公司")])
    }
    try refused("payments[0].creditor_name", .tooLong) { try file([Self.payment(to: long)]) }
    try refused("payments[0].creditor_name", .empty) { try file([Self.payment(to: " ")]) }
    try refused("payments[0].remittance", .tooLong) { try file([Self.payment(remittance: long + long)]) }
    try refused("payments[0].creditor_account", .character) { try file([Self.payment(account: "中文")]) }
    try refused("payments[0].amount", .notPositive) { try file([Self.payment("PAY-1", 0)]) }
    try refused("payments[0].amount", .notPositive) { try file([Self.payment("PAY-1", -5)]) }
    try refused("payments[0].amount", .amountTooLarge) {
      try file([Self.payment("PAY-1", Money.largestAccepted + 1)])
    }
  }

  @Test("the reference of a payout fits and names it again; other references name none")
  func references() throws {
    let id = try #require(PayoutID("pay_018bab70-1234-7abc-8def-0123456789ab"))
    let reference = EndToEndReference.of(id)
    #expect(reference == "CB018BAB7012347ABC8DEF0123456789AB")
    #expect(reference.utf8.count <= 35)
    #expect(EndToEndReference.payout(reference) == id)
    for other in ["", "CB", reference.lowercased(), reference + "0", "XX" + reference.dropFirst(2), "NOTPROVIDED"] {
      #expect(EndToEndReference.payout(other) == nil)
    }
  }
}
