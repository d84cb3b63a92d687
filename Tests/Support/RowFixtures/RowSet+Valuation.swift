import Catalogue
import Parties
import Primitives
import Valuation

@testable import Persistence

/// Marks and what they come from.
extension RowSet {
  func mark(_ subject: ValuationSubject, _ number: UInt64) -> ValuationMark {
    let basis: ValuationBasis = subject.startup == nil ? .perChip : .postMoney
    return ValuationMark(
      id: id(number), subject: subject, method: .adminMark, amount: Money(81, .cny), basis: basis, effectiveOn: day,
      recordedAt: now, source: "\(Self.nasty) \(seed)", supersedes: nil, approvedBy: some(id(18)),
      evidence: some(Self.nasty),
      confidence: .recollected, recordedBy: some(id(1)), supersededAt: some(later))
  }

  /// A mark and another, which in the full variant corrects it.
  func marks(_ subject: ValuationSubject, _ number: UInt64) -> [ValuationMark] {
    let mark = mark(subject, number)
    let other = ValuationMark(
      id: id(number + 30), subject: subject, method: .adminMark, amount: Money(82, .cny), basis: mark.basis,
      effectiveOn: day, recordedAt: later, source: "\(Self.nasty) \(full ? seed : seed + 100)",
      supersedes: some(mark.id),
      approvedBy: nil)
    return [mark, other]
  }

  var markProposal: MarkProposal {
    MarkProposal(
      id: id(60), subject: full ? .chipModel(chip) : .startup(borrower), method: .adminMark,
      basis: full ? .perChip : .postMoney, amount: Money(83, .usd), effectiveOn: day, source: Self.nasty,
      evidence: some(Self.nasty), confidence: .estimated, supersedes: some(id(21)),
      state: full ? .rejected : .proposed, proposedBy: id(18), importID: some(id(62)), decidedBy: some(id(19)),
      decidedAt: some(later), reason: some(Self.nasty), version: version, createdAt: now, updatedAt: updatedAt)
  }

  var markDispute: MarkDispute {
    MarkDispute(
      id: id(61), organizationID: borrower, markID: id(22), subject: .startup(borrower), reason: Self.nasty,
      state: full ? .dismissed : .open, raisedBy: id(18), closedBy: some(id(19)), closedAt: some(later),
      closingReason: some(Self.nasty), version: version, createdAt: now, updatedAt: updatedAt)
  }

  /// `seed` is in the digest, which is unique over the platform's rows.
  var valuationImport: ValuationImport {
    ValuationImport(
      id: id(62), kind: .chipPrices, fileDigest: SHA256Digest(of: [62, UInt8(seed)]), fileName: Self.nasty, lines: 9,
      linesDone: full ? 3 : 0, recorded: full ? 1 : 0, unchanged: full ? 1 : 0, proposed: full ? 1 : 0,
      refused: full ? 1 : 0,
      findings: full ? [LineFault(line: 4, field: "amount", code: "field.missing", detail: Self.nasty)] : [],
      importedBy: id(18), version: version, createdAt: now, updatedAt: updatedAt)
  }

  /// `seed` is in what is unique over all rows.
  var chipQuote: ChipQuoteRow {
    let quote = ChipQuote(
      chip: chip, quotedOn: day, kind: .hourlyRate, currency: .usd, micros: 2_500_000, basis: Self.nasty,
      sample: some(3), isEstimate: full, seller: some(Self.nasty), region: some("CN-north"),
      source: "\(Self.nasty) \(seed)", notes: some(Self.nasty))
    return ChipQuoteRow(id: id(64), quote: quote, importID: id(62), line: 2, recordedAt: now)
  }

  func markSeries() throws -> MarkSeriesRow {
    let curve = DepreciationCurve(
      points: [try required(DepreciationCurve.Point("12:6000")), try required(DepreciationCurve.Point("24:4000"))],
      firstPriceMicros: 5, firstPriceOn: day, source: Self.nasty)
    let series = MarkSeries(
      chip: chip, kind: .unitPrice, quoteBasis: Self.nasty, currency: .usd, leastQuotes: 2, windowDays: 45,
      curve: full ? curve : nil)
    return MarkSeriesRow(
      id: id(65), series: try required(series), state: full ? .approved : .proposed, proposedBy: id(18),
      approvedBy: some(id(19)), approvedAt: some(later), version: version, createdAt: now, updatedAt: updatedAt)
  }

  var markDerivation: MarkDerivationRow {
    MarkDerivationRow(chip: chip, markID: id(21), seriesID: id(65), bytes: [1, 0, 255], recordedAt: now)
  }

  var runwayReport: RunwayReport {
    RunwayReport(
      id: id(69), startupID: borrower, on: day, cash: Money(full ? .max : 0, .cny), monthlyBurn: 7,
      evidence: Self.nasty, supersedes: nil, reportedBy: id(1), recordedAt: now)
  }

  var webhook: Webhook {
    Webhook(
      id: id(70), organizationID: borrower, url: "https://hooks.lender.com/", description: full ? Self.nasty : nil,
      types: full ? ["loan.*", "offer.made"] : [], state: full ? .disabled : .active,
      disabledReason: full ? "gone" : nil, fromPosition: full ? .max : 0, version: version, createdAt: now,
      updatedAt: now)
  }

  /// What a full listing asks, and a full loan has.
  var listedMargin: MarginTerms.Listed? {
    full
      ? MarginTerms.Listed(
        points: ["12:6000", "24:4000"].compactMap { DepreciationCurve.Point($0) }, threshold: BasisPoints(8_000),
        haircut: BasisPoints(1_000), cureDays: 10, consequence: .recall) : nil
  }

  func haircutEntry() throws -> ReferenceEntry {
    let chips: LeastHaircut.Chips = full ? .vendorClass(.consumer) : .model(try required(ChipModelID("chip-1")))
    let least = try required(
      LeastHaircut(chips: chips, from: day, haircut: BasisPoints(full ? 9_999 : 0), source: Self.nasty))
    return ReferenceEntry(
      id: id(72), fact: .leastHaircut(least), state: full ? .adopted : .proposed, proposedBy: id(1),
      decidedBy: some(id(18)), decidedAt: some(later), version: version, createdAt: now, updatedAt: updatedAt)
  }

  var marginTest: MarginTestRow {
    let mark = MarginTestRow.Mark(id: id(21), amount: Money(81, .cny), effectiveOn: day, recordedAt: now)
    let result = MarginTestRow.Result(expected: 100, required: 80, held: 70, shortfall: 10)
    return MarginTestRow(
      id: id(66), borrowerID: borrower, lenderID: lender, loanID: id(11), on: day, outcome: full ? .tested : .noMark,
      mark: some(mark), inputs: MarginTestRow.Inputs(units: 8, outstanding: Money(90, .usd), deposits: 1, repaid: 2),
      threshold: BasisPoints(8_000),
      haircut: TakenHaircut(haircut: BasisPoints(1_000), by: some(id(44)), vendorClass: some(.dataCentre)),
      result: some(result), recordedAt: now)
  }

  var marginCall: MarginCallRow {
    let call = MarginCall(
      id: id(67), loanID: id(11), openedOn: day, dueOn: day.adding(days: 10) ?? day, consequence: full ? .recall : .due,
      called: Money(10, .usd), disputed: 0, cured: full ? 10 : 0, state: full ? .cured : .open,
      reason: some(Self.nasty), endedOn: some(day))
    let decision = MarginCallRow.Decision(
      MarginCallRow.Word(by: id(19), on: day), isUpheld: false, reason: Self.nasty)
    return MarginCallRow(
      call: call, borrowerID: borrower, lenderID: lender, testID: id(66), markID: id(21),
      agreed: some(MarginCallRow.Word(by: id(18), on: day)), disputed: some(MarginCallRow.Word(by: id(18), on: day)),
      decision: some(decision), version: version, createdAt: now, updatedAt: updatedAt)
  }

  var depositAct: DepositAct {
    DepositAct(
      id: id(68), borrowerID: borrower, lenderID: lender, receiptID: id(23), loanID: id(11),
      kind: full ? .apply : .giveBack, amount: Money(5, .usd), reason: Self.nasty,
      state: full ? .approved : .proposed, proposedBy: id(18),
      decision: some(SecondPersonDecision(by: id(19), at: later)), note: some(Self.nasty), bookedOn: some(day),
      version: version, createdAt: now, updatedAt: updatedAt)
  }

  func roundReport() throws -> RoundReportRow {
    let report = RoundReport(
      company: Self.nasty, jurisdiction: china, name: Self.nasty, announced: try required(ReportedDate("2026-02")),
      currency: .cny, amount: some(1), preMoney: some(2), postMoney: some(3), investors: full ? [Self.nasty] : [],
      kind: .priced, acquirer: some(Self.nasty), status: .closed, certainty: .recollection, source: Self.nasty,
      notes: some(Self.nasty))
    return RoundReportRow(
      id: id(63), borrowerID: borrower, report: report, supersedes: nil, importID: id(62), line: 2, recordedAt: now)
  }
}
