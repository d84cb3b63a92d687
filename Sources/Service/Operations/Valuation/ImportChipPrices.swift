import Parties
import Persistence
import Primitives
import Valuation

/// Takes some lines of a file of chip prices in, as quotes. Marks are derived from them by the series that two persons
/// declared, never by the import.
package struct ImportChipPrices: Command {
  package static let action = "valuation_import.chip_prices"
  package var staffDuty: Duty? { .risk }
  private let desk: ImportDesk
  private let lines: [ImportLine<ChipQuote>]

  /// - Parameter from: lines of the file that come before these.
  package init(digest: SHA256Digest, fileName: String, total: Int64, from: Int64, lines: [ImportLine<ChipQuote>]) {
    desk = ImportDesk(
      key: ImportKey(kind: .chipPrices, digest: digest), fileName: fileName, lines: total, from: from)
    self.lines = lines
  }

  package func needs(_ state: BatchState) -> Set<Need> {
    desk.needs.union(lines.compactMap(\.value).map { .valuation(.quote($0.fingerprint)) })
  }

  package func heads(_ state: BatchState) -> Set<OrganizationID> { [.platform] }

  package func decide(_ draft: inout Draft, by principal: Principal) throws -> ImportProgress {
    try principal.require(.admin)
    let person = try principal.requirePerson()
    let record = try desk.open(&draft, by: person)
    var tally = ImportTally()
    for line in lines {
      guard let quote = line.value else {
        tally.refused += 1
        tally.findings += line.faults
        continue
      }
      func refuse(_ field: String, _ code: String, _ detail: String) {
        tally.refused += 1
        tally.findings.append(LineFault(line: line.line, field: field, code: code, detail: detail))
      }
      guard draft.reference.chips[quote.chip] != nil else {
        refuse("chip_id", "chip_quote.unknown_chip", "the catalogue has no such chip model")
        continue
      }
      guard quote.quotedOn <= draft.today else {
        refuse("date", "chip_quote.date_ahead", "is after today, \(draft.today)")
        continue
      }
      if draft.base.valuation.knownQuotes.contains(quote.fingerprint) {
        tally.unchanged += 1
        continue
      }
      draft.made.valuation.quotes.append(
        ChipQuoteRow(
          id: draft.ids.next(), quote: quote, importID: record.id, line: Int64(line.line), recordedAt: draft.now))
      tally.recorded += 1
    }
    return ImportProgress(record: desk.close(record, tally, in: &draft), startups: [])
  }
}
