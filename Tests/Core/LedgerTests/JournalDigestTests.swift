import Ledger
import Primitives
import Testing

private typealias F = LedgerFixtures

@Suite("Journal digests and the hash chain")
struct JournalDigestTests {
  static let recordedAt = Instant.epoch

  static func lines(
    _ first: AccountCode = .receivableFee, _ second: AccountCode = .incomeFee, subject: UUIDValue = F.loan,
    asset: Asset = F.usd, amount: Int64 = 1_250, book: OrganizationID = F.lender
  ) -> [JournalLine] {
    [
      F.line(first, amount, subject: subject, asset: asset, book: book),
      F.line(second, -amount, subject: subject, asset: asset, book: book),
    ]
  }

  static func entry(_ draft: EntryDraft, sequence: Int64 = 7, at recordedAt: Instant = recordedAt) -> JournalEntry {
    JournalEntry(draft: draft, sequence: sequence, recordedAt: recordedAt)
  }

  @Test("the digest depends on every field of the entry and of each line, and on the order of the lines")
  func everyField() throws {
    let base = Self.lines()
    let another = UUIDValue(high: 9, low: 9)
    let later = try #require(Instant(microseconds: 1))
    var changed: [(String, JournalEntry)] = [
      ("nothing", Self.entry(try F.draft(base))),
      ("sequence", Self.entry(try F.draft(base), sequence: 8)),
      ("recorded time", Self.entry(try F.draft(base), at: later)),
      ("id", Self.entry(try F.draft(id: JournalEntryID(another), base))),
      ("book", Self.entry(try F.draft(book: F.borrower, Self.lines(book: F.borrower)))),
      ("business date", Self.entry(try F.draft(on: "2026-04-01", base))),
      ("subject", Self.entry(try F.draft(subject: another, base))),
      ("order", Self.entry(try F.draft(base.reversed()))),
      ("account of the first line", Self.entry(try F.draft(Self.lines(.receivableCharges)))),
      ("account of the last line", Self.entry(try F.draft(Self.lines(.receivableFee, .incomeCharges)))),
      ("subject of the lines", Self.entry(try F.draft(Self.lines(subject: another)))),
      ("asset of the lines", Self.entry(try F.draft(Self.lines(asset: .currency(.cny))))),
      ("chips for money", Self.entry(try F.draft(Self.lines(asset: try F.chip())))),
      ("amount", Self.entry(try F.draft(Self.lines(amount: 1_251)))),
      ("sign", Self.entry(try F.draft(Self.lines(amount: -1_250)))),
      ("more lines", Self.entry(try F.draft(base + base))),
    ]
    for kind in EntryKind.allCases where kind != .feeAccrued {
      changed.append(("kind \(kind)", Self.entry(try F.draft(kind: kind, base))))
    }
    for (index, (name, entry)) in changed.enumerated() {
      for (otherName, other) in changed.prefix(index) {
        #expect(entry.digest != other.digest, "\(name) and \(otherName) have the same digest")
      }
    }
  }

  @Test("the same entry has the same digest, in every process and version")
  func stable() throws {
    let entry = Self.entry(try F.draft(Self.lines()))
    #expect(entry.digest == Self.entry(try F.draft(Self.lines())).digest)
    // The bytes by hand: book, sequence, id, kind, day, subject, time, count; code, subject, asset, amount of each line.
    let (loan, zeros) = ("00000000000000020000000000000001", "00000000000000")
    let bytes =
      "00000000000000010000000000000001" + zeros + "07" + "00000000000000040000000000000001"
      + zeros + "0b" + hexadecimal("fee_accrued".utf8) + "000000000000503f" + loan + zeros + "00" + zeros + "02"
      + zeros + "0e" + hexadecimal("receivable.fee".utf8) + loan + zeros + "03" + hexadecimal("USD".utf8)
      + "00000000000004e2"
      + zeros + "0a" + hexadecimal("income.fee".utf8) + loan + zeros + "03" + hexadecimal("USD".utf8)
      + "fffffffffffffb1e"
    #expect(entry.digest == SHA256Digest(of: try unhexadecimal(bytes)))
  }

  @Test("a link covers its entries' digests, its book, its number, its range and the link before")
  func link() throws {
    let entries = try (1...3).map { Self.entry(try F.draft(Self.lines(amount: Int64($0))), sequence: Int64($0)) }
    let link = ChainLink(book: F.lender, number: 1, previous: .zero, entries: entries)
    #expect(link.book == F.lender)
    #expect(link.number == 1)
    #expect(link.firstSequence == 1)
    #expect(link.lastSequence == 3)
    #expect(link.previous == .zero)
    var bytes = F.lender.value.bytes
    for number in [1, 1, 3] { bytes += [0, 0, 0, 0, 0, 0, 0, UInt8(number)] }
    bytes += SHA256Digest.zero.bytes
    for entry in entries { bytes += entry.digest.bytes }
    #expect(link.hash == SHA256Digest(of: bytes))
  }

  @Test("a link's hash changes with each thing that it covers")
  func linkFields() throws {
    let digests = (1...3).map { SHA256Digest(of: [$0]) }
    func hash(
      book: OrganizationID = F.lender, number: Int64 = 2, first: Int64 = 4, last: Int64 = 6,
      previous: SHA256Digest = .zero, _ digests: [SHA256Digest]
    ) -> SHA256Digest {
      ChainLink.hash(book: book, number: number, first: first, last: last, previous: previous, digests: digests)
    }
    let hashes = [
      hash(digests), hash(book: F.borrower, digests), hash(number: 3, digests), hash(first: 5, digests),
      hash(last: 5, digests), hash(previous: digests[0], digests), hash(digests.reversed()),
      hash(Array(digests.dropLast())), hash(digests + digests), hash([]),
    ]
    #expect(Set(hashes).count == hashes.count)
    #expect(hash(digests) == hashes[0])
  }

  @Test("a changed entry deep in a chain changes every link after it")
  func chain() throws {
    func chain(amounts: [Int64]) throws -> [SHA256Digest] {
      var previous = SHA256Digest.zero
      var hashes: [SHA256Digest] = []
      for (index, amount) in amounts.enumerated() {
        let number = Int64(index + 1)
        let entry = Self.entry(try F.draft(Self.lines(amount: amount)), sequence: number)
        let link = ChainLink(book: F.lender, number: number, previous: previous, entries: [entry])
        hashes.append(link.hash)
        previous = link.hash
      }
      return hashes
    }
    let (whole, tampered) = (try chain(amounts: [1, 2, 3, 4, 5]), try chain(amounts: [1, 2, 9, 4, 5]))
    #expect(whole.prefix(2) == tampered.prefix(2))
    for index in 2..<5 { #expect(whole[index] != tampered[index]) }
  }

  @Test("a stored link is taken as it is, so that a check can compare it with what it should be")
  func stored() {
    let hash = SHA256Digest(of: [1])
    let link = ChainLink(book: F.lender, number: 9, firstSequence: 3, lastSequence: 4, previous: .zero, hash: hash)
    #expect(link.hash == hash)
    #expect(link.firstSequence == 3 && link.lastSequence == 4 && link.number == 9)
  }
}

/// The bytes that pairs of hexadecimal digits name.
private func unhexadecimal(_ text: String) throws -> [UInt8] {
  let digits = try text.utf8.map { try #require(Character(Unicode.Scalar($0)).hexDigitValue) }
  return stride(from: 0, to: digits.count, by: 2).map { UInt8(digits[$0] * 16 + digits[$0 + 1]) }
}
