import Primitives
import Repayment
import Testing

@Suite("A lien's release")
struct LienReleaseTests {
  private func entry(_ number: UInt64, _ date: String, _ step: WaterfallStep, _ amount: Int64) throws
    -> LienRelease.PaidEntry
  {
    LienRelease.PaidEntry(
      entryID: JournalEntryID(UUIDValue(high: 9, low: number)), on: try day(date), step: step,
      amount: Money(amount, .usd))
  }

  private func paid() throws -> [LienRelease.PaidEntry] {
    [
      try entry(2, "2023-11-09", .principal, 100_000_000), try entry(2, "2023-11-09", .fee, 1_250_000),
      try entry(1, "2023-11-06", .principal, 5),
    ]
  }

  private func release(
    borrower: String = "Zero One Ltd", owed: StepAmounts = .none, quantity: Int64 = 512, filed: String = "2023-04-01",
    released: String = "2023-11-09", dated: String = "2023-11-10"
  ) throws -> LienRelease {
    try LienRelease(
      loanID: loanID(1), lender: .init(id: lenderID(1), name: "Chips & Söhne GmbH"),
      borrower: .init(id: lenderID(2), name: borrower), quantity: quantity,
      chipModelID: #require(ChipModelID("nvidia-a800-sxm4-80")), registry: "chipbridge", number: "SI-7",
      filedOn: day(filed), releasedOn: day(released), owed: owed, paid: paid(), datedOn: day(dated))
  }

  private static let text = """
    chipbridge-lien-release: 1
    loan: loan_00000000-0000-0003-0000-000000000001
    lender: org_00000000-0000-0004-0000-000000000001 Chips & Söhne GmbH
    borrower: org_00000000-0000-0004-0000-000000000002 Zero One Ltd
    chips: 512 nvidia-a800-sxm4-80
    registry: chipbridge
    number: SI-7
    filed: 2023-04-01
    released: 2023-11-09
    paid: sha256 PAID
    dated: 2023-11-10

    """

  private static let paidText = """
    jrn_00000000-0000-0009-0000-000000000001 2023-11-06 principal 5 USD
    jrn_00000000-0000-0009-0000-000000000002 2023-11-09 fee 1250000 USD
    jrn_00000000-0000-0009-0000-000000000002 2023-11-09 principal 100000000 USD

    """

  // Both digests were computed by sha256sum over files with these texts.
  private static let paidDigest = "445cf2085dbf77f0c21059b70700aa9857175dfa26eeab52a05b0e1e8f8d124d"
  private static let digest = "c32e592d33c2573d4abb29f35400d1ee8c3474951d7255df02b1150d0b3625a6"

  @Test("the text is as documented, and its digest is what sha256sum prints")
  func golden() throws {
    let release = try release()
    #expect(LienRelease.text(of: try paid()) == Self.paidText)
    #expect(release.paidDigest.description == Self.paidDigest)
    let parts = Self.text.split(separator: "PAID", omittingEmptySubsequences: false)
    #expect(release.text == "\(parts[0])\(Self.paidDigest)\(parts[1])")
    #expect(release.digest.description == Self.digest)
    #expect(LienRelease.digest(of: try paid().reversed()) == release.paidDigest)
  }

  @Test("a stranger verifies it by its bytes, and down to its payments")
  func verify() throws {
    let release = try release()
    let bytes = Array(release.text.utf8)
    #expect(LienRelease.verify(bytes, digest: release.digest) == .genuine)
    #expect(LienRelease.verify(bytes, digest: release.digest, paid: try paid()) == .genuine)
    let fewer = Array(try paid().dropLast())
    #expect(
      LienRelease.verify(bytes, digest: release.digest, paid: fewer)
        == .paymentsDiffer(found: LienRelease.digest(of: fewer)))
    for position in bytes.indices {
      var forged = bytes
      forged[position] ^= 1
      #expect(LienRelease.verify(forged, digest: release.digest) == .digestDiffers(found: SHA256Digest(of: forged)))
    }
  }

  @Test(
    "a text that is no certificate is none, whoever hashed it",
    arguments: [
      ("release: 1", "release: 2", 1), ("loan_", "lot_", 2), ("512 nv", "0512 nv", 5), ("512 nv", "-1 nv", 5),
      ("registry: chipbridge\n", "", 6),
      ("registry: chipbridge\nnumber: SI-7\n", "number: SI-7\nregistry: chipbridge\n", 6),
      ("2023-04-01", "2023-02-30", 8), ("sha256 ", "md5 ", 10), ("dated: 2023-11-10\n", "dated: 2023-11-10", 12),
      ("dated: 2023-11-10\n", "dated: 2023-11-10\nnote: none\n", 12), ("SI-7", "SI\u{7}", 7), ("\n", "\r\n", 1),
    ])
  func malformed(from: String, to: String, line: Int) throws {
    var text = try release().text
    let bytes = Array(text.utf8)
    let range = try #require(bytes.firstRange(of: Array(from.utf8)))
    text = String(decoding: bytes[..<range.lowerBound] + Array(to.utf8) + bytes[range.upperBound...], as: UTF8.self)
    let forged = Array(text.utf8)
    #expect(LienRelease.verify(forged, digest: SHA256Digest(of: forged)) == .malformed(line: line))
  }

  @Test("nothing is released while anything is owed, and no name forges a line")
  func refusals() throws {
    let owed = StepAmounts(charges: 0, fee: 0, principal: 1)
    #expect(throws: RepaymentRefusal.notReleasable("1 minor units are owed")) { try release(owed: owed) }
    for name in ["", "A\nreleased: 2020-01-01", "A\u{2028}B", "A\u{202E}B", "A\rB"] {
      #expect(throws: RepaymentRefusal.unusableText(field: "name of the borrower")) { try release(borrower: name) }
    }
    #expect(throws: RepaymentRefusal.notPositive(what: "quantity of chips", 0)) { try release(quantity: 0) }
    let (filed, released) = (try day("2023-11-10"), try day("2023-11-09"))
    #expect(throws: RepaymentRefusal.periodReversed(start: filed, end: released)) { try release(filed: "2023-11-10") }
    let dated = try day("2023-11-08")
    #expect(throws: RepaymentRefusal.periodReversed(start: released, end: dated)) { try release(dated: "2023-11-08") }
  }
}
