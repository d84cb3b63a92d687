import Parties
import Persistence
import Primitives
import Valuation

/// Declares by which quotes a chip model is marked. It holds once a second person has approved it.
package struct ProposeSeries: Command {
  package static let action = "mark_series.propose"
  package var staffDuty: Duty? { .risk }
  package let series: MarkSeries

  package init(series: MarkSeries) { self.series = series }

  package func decide(_ draft: inout Draft, by principal: Principal) throws -> MarkSeriesRow {
    try principal.require(.admin)
    let person = try principal.requirePerson()
    guard draft.reference.chips[series.chip] != nil else { throw PartiesRefusal.notFound("chip model") }
    let row = draft.put(
      \.markSeries,
      MarkSeriesRow(
        id: draft.ids.next(), series: series, proposedBy: person, createdAt: draft.now, updatedAt: draft.now))
    draft.made.subject = row.id.value
    draft.happen(
      "mark_series.proposed", row.id, version: 1, to: (.platform, nil), [("chip_model_id", .text(series.chip.value))])
    return row
  }
}

/// Approves a series that somebody else declared; it takes the place of the one before it.
package struct ApproveSeries: Command {
  package static let action = "mark_series.approve"
  package var staffDuty: Duty? { .risk }
  package let id: MarkSeriesID
  package let person: PersonID?
  package let ifVersion: Int64?

  package init(id: MarkSeriesID, person: PersonID?, ifVersion: Int64?) {
    self.id = id
    self.person = person
    self.ifVersion = ifVersion
  }

  package func needs(_ state: BatchState) -> Set<Need> {
    var needs: Set<Need> = [.valuation(.series(id))]
    if let person { needs.insert(.valuation(.organizationsOfPerson(person))) }
    return needs
  }

  package func heads(_ state: BatchState) -> Set<OrganizationID> { [.platform] }

  package func decide(_ draft: inout Draft, by principal: Principal) throws -> MarkSeriesRow {
    guard principal.isStaff, var row = draft.find(\.markSeries, id) else {
      throw PartiesRefusal.notFound("mark series")
    }
    let person = try principal.requirePerson()
    try checkVersion(ifVersion, row.version)
    guard row.state == .proposed else { throw ValuationRefusal.alreadyDecided(row.state.rawValue) }
    try MarkDesk.requireIndependent(person, of: row.proposedBy, in: draft)
    row.state = .approved
    row.approvedBy = person
    row.approvedAt = draft.now
    row = draft.put(\.markSeries, row)
    draft.made.subject = id.value
    draft.happen(
      "mark_series.approved", id, version: row.version, to: (.platform, nil),
      [("chip_model_id", .text(row.series.chip.value))])
    return row
  }
}

/// Derives the marks of a business date from the quotes that are known by now. What stands already stays; where quotes came
/// in since, the mark is corrected.
package struct DeriveMarks: Command {
  package static let action = "settlement.marks"
  package var staffDuty: Duty? { .operations }
  package let on: CalendarDate

  package init(on: CalendarDate) { self.on = on }

  package func needs(_ state: BatchState) -> Set<Need> {
    var needs: Set<Need> = [.valuation(.derivation(on: on))]
    for row in state.valuation.derivation[on]?.series ?? [] {
      for method in Self.methods { needs.insert(.valuation(.standing(key(row, method)))) }
    }
    return needs
  }

  package func heads(_ state: BatchState) -> Set<OrganizationID> { [.platform] }

  private static let methods: [ValuationMethod] = [.index, .model]

  private func key(_ row: MarkSeriesRow, _ method: ValuationMethod) -> MarkKey {
    MarkKey(
      subject: .chipModel(row.series.chip), basis: row.series.kind.basis, method: method, effectiveOn: on,
      source: Self.source(row))
  }

  private static func source(_ row: MarkSeriesRow) -> String { "series \(row.series.kind.rawValue) \(row.id)" }

  /// - Returns: `marks`, of which `corrected` and `modelled`; `unchanged`, `without_quotes`, `outliers`. Nothing where no series
  ///   holds.
  package func decide(_ draft: inout Draft, by principal: Principal) throws -> [String: Int64] {
    try principal.require(.admin)
    guard on <= draft.today else { throw ValuationRefusal.effectiveAhead(on, today: draft.today) }
    let basis = draft.base.valuation.derivation[on] ?? DerivationBasis()
    if basis.series.isEmpty { return [:] }
    var totals: [String: Int64] = ["marks": 0, "unchanged": 0, "without_quotes": 0]
    for row in basis.series {
      let quotes = basis.quotes.map { (id: $0.id, quote: $0.quote) }
      guard let derived = MarkDerivation(row.series, on: on, quotes: quotes) else {
        totals["without_quotes", default: 0] += 1
        continue
      }
      totals["outliers", default: 0] += Int64(derived.entries.count { $0.fate == .outlier })
      // A model gives way to quotes that came in since, and the other way round where quotes turn out to be too few.
      let standing = Self.methods.compactMap { draft.base.valuation.standing[key(row, $0)] }
        .compactMap { draft.base.valuation.marks[$0] }
      if standing.contains(where: { $0.method == derived.method && $0.amount == derived.amount }) {
        totals["unchanged", default: 0] += 1
        continue
      }
      let mark = ValuationMark(
        id: draft.ids.next(), subject: .chipModel(row.series.chip), method: derived.method, amount: derived.amount,
        basis: row.series.kind.basis, effectiveOn: on, recordedAt: draft.now, source: Self.source(row),
        supersedes: standing.first?.id, approvedBy: nil, evidence: row.id.description,
        confidence: derived.method == .model ? .estimated : .reported)
      try MarkDesk.record(mark, in: &draft)
      draft.made.valuation.derivations.append(
        MarkDerivationRow(
          chip: row.series.chip, markID: mark.id, seriesID: row.id, bytes: derived.bytes(row.series),
          recordedAt: draft.now))
      totals["marks", default: 0] += 1
      if standing.first != nil { totals["corrected", default: 0] += 1 }
      if derived.method == .model { totals["modelled", default: 0] += 1 }
    }
    return totals
  }
}
