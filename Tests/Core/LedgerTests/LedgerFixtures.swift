import Ledger
import Primitives
import Testing

/// The parts that entries of these tests are made of.
enum LedgerFixtures {
  static let lender = OrganizationID(UUIDValue(high: 1, low: 1))
  static let borrower = OrganizationID(UUIDValue(high: 1, low: 2))
  static let loan = UUIDValue(high: 2, low: 1)
  static let lot = UUIDValue(high: 3, low: 1)
  static let entryID = JournalEntryID(UUIDValue(high: 4, low: 1))
  static let usd = Asset.currency(.usd)

  static func chip(_ name: String = "nvidia-a800-sxm4-80") throws -> Asset { .chip(try #require(ChipModelID(name))) }

  static func day(_ text: String = "2026-03-31") throws -> CalendarDate { try #require(CalendarDate(text)) }

  static func line(
    _ code: AccountCode, _ amount: Int64, subject: UUIDValue = loan, asset: Asset = usd, book: OrganizationID = lender
  ) -> JournalLine {
    JournalLine(AccountRef(book, code, subject, asset: asset), amount)
  }

  /// A draft in the lender's book.
  static func draft(
    id: JournalEntryID = entryID, book: OrganizationID = lender, kind: EntryKind = .feeAccrued,
    on date: String = "2026-03-31",
    subject: UUIDValue = loan, _ lines: [JournalLine]
  ) throws -> EntryDraft {
    try EntryDraft(id: id, book: book, kind: kind, businessDate: day(date), subject: subject, lines: lines)
  }
}
