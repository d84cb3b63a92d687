import Catalogue
import Lending
import Parties
import Persistence
import Primitives
import Screening
import StrictJSON

/// Takes verdicts for acts, from the reference data of the batch and the parties as they are now, and records them.
package enum ExportDesk {
  /// What an act needs to be judged.
  package struct Act: Sendable {
    package var kind: ActKind
    package var date: CalendarDate
    package var chip: ChipModelID
    package var quantity: Int64
    package var lender: Organization
    /// Who gets them, or the title to them.
    package var borrower: Organization
    /// Who uses them, where that is neither.
    package var endUser: Organization?
    /// Where the chips stand.
    package var from: Site
    /// Where they go; the same place for an act that moves nothing.
    package var to: Site
    package var deliveryMode: DeliveryMode
    package var endUse: String

    package init(
      kind: ActKind, date: CalendarDate, chip: ChipModelID, quantity: Int64, lender: Organization,
      borrower: Organization, from: Site, to: Site, deliveryMode: DeliveryMode, endUse: String
    ) {
      self.kind = kind
      self.date = date
      self.chip = chip
      self.quantity = quantity
      self.lender = lender
      self.borrower = borrower
      self.from = from
      self.to = to
      self.deliveryMode = deliveryMode
      self.endUse = endUse
    }
  }

  /// Where a borrower takes delivery of chips from a site: its own site in that region, else its first site, else its
  /// seat. Never guessed more kindly than that.
  package static func destination(of borrower: Organization, from site: Site) -> Site {
    borrower.sites.first { $0 == site } ?? borrower.sites.first
      ?? Site(country: borrower.jurisdiction, region: site.region)
  }

  /// The verdict on an act.
  /// - Throws: `LendingRefusal.unknownChipModel` for a chip that the catalogue does not have (any more).
  package static func verdict(
    on act: Act, reference: ReferenceData, licences: [Licence] = []
  ) throws -> Verdict {
    reference.rules.verdict(on: try judged(act, reference), licences: licences)
  }

  /// What its parties may lawfully do about an act that is held, never a way round a rule.
  /// - Throws: as ``verdict(on:reference:licences:)``.
  package static func lawfulOptions(
    for verdict: Verdict, of act: Act, reference: ReferenceData
  ) throws -> [LawfulOption] {
    reference.rules.lawfulOptions(
      for: verdict, of: try judged(act, reference), catalogue: reference.chips.values.sorted { $0.id < $1.id })
  }

  /// The act as rules see it.
  private static func judged(_ act: Act, _ reference: ReferenceData) throws -> ExportAct {
    guard let chip = reference.chips[act.chip] else {
      throw LendingRefusal.unknownChipModel(act.chip.value, pointer: "/chip_model_id")
    }
    return try ExportAct(
      kind: act.kind, date: act.date, chip: chip, quantity: act.quantity, from: act.from.act, to: act.to.act,
      deliveryMode: act.deliveryMode, endUse: act.endUse,
      parties: [(act.lender, .lender), (act.borrower, .borrower)].map { party($0, as: $1, reference, on: act.date) }
        + [act.endUser].compactMap { $0 }.map { party($0, as: .endUser, reference, on: act.date) })
  }

  /// A party of an act as rules and lists see it on the act's day.
  package static func party(
    _ organization: Organization, as role: PartyRole, _ reference: ReferenceData, on date: CalendarDate
  ) -> ExportParty {
    let screening = organization.screening(by: reference.screening, on: date)
    let listed = screening.listedOwners
    return ExportParty(
      organizationID: organization.id, role: role, jurisdiction: organization.jurisdiction,
      ultimateParentJurisdiction: organization.ultimateParentJurisdiction,
      owners: organization.owners.map { owner in
        PartyOwner(
          share: owner.share, jurisdiction: owner.jurisdiction, isListed: owner.listed || listed.contains(owner.name))
      }, holds: screening.consequences.map { $0.hold(on: organization.id) })
  }

  /// Takes the verdict on an act of the draft's own day with the licences its parties hold, uses the licence that clears
  /// it, and records it. `Need.licencesOf` both parties is asked for by the command.
  package static func judge(
    _ act: Act, subject: UUIDValue, in draft: inout Draft
  ) throws -> Verdict {
    let records = [act.lender.id, act.borrower.id].flatMap { draft.base.licencesOf[$0] ?? [] }
      .compactMap { draft.find(\.licences, $0) }
    let verdict = try verdict(on: act, reference: draft.reference, licences: records.map(\.licence))
    if let use = verdict.licenceUse, var record = draft.find(\.licences, use.licenceID) {
      try record.licence.use(use.quantity)
      draft.put(\.licences, record)
    }
    record(verdict, act, subject: subject, acted: verdict.isClear, in: &draft)
    return verdict
  }

  /// Keeps a verdict.
  package static func record(
    _ verdict: Verdict, _ act: Act, subject: UUIDValue, acted: Bool, in draft: inout Draft
  ) {
    let id: VerdictID = draft.ids.next()
    draft.made.verdicts.append(
      VerdictRow(
        id: id, borrowerID: act.borrower.id, lenderID: act.lender.id, act: act.kind.rawValue, on: act.date,
        subject: subject, chipModelID: act.chip, quantity: act.quantity, effect: verdict.effect.rawValue,
        licenceID: verdict.licenceUse?.licenceID, findings: verdict.findingsJSON, acted: acted, recordedAt: draft.now))
  }
}

extension Site {
  package var act: ActSite { ActSite(country: country, region: region) }
}

extension Verdict {
  /// The rules that hold or refuse the act, most severe first.
  package var holdingRules: [String] { findings.filter { !$0.informationOnly && $0.effect != .clear }.map(\.ruleID) }

  /// As a refusal of the act.
  package var refusal: LendingRefusal {
    .exportVerdict(effect: effect.rawValue, rules: holdingRules, act: kind.rawValue)
  }

  /// The findings as they are stored and shown: rule, what was measured, the threshold, the effect, the source.
  package var findingsJSON: [UInt8] {
    var writer = JSONWriter()
    writer.beginArray()
    for finding in findings { finding.write(to: &writer) }
    writer.endArray()
    return writer.bytes
  }
}

extension RuleFinding {
  package func write(to writer: inout JSONWriter) {
    writer.beginObject()
    writer.field("id", ruleID)
    writer.field("effect", effect.rawValue)
    writer.array("measured", measured) { writer, value in
      writer.beginObject()
      writer.field("field", value.field)
      writer.field("value", value.value)
      writer.endObject()
    }
    writer.field("threshold", threshold)
    writer.field("citation", citation)
    writer.field("source", source)
    writer.field("review_policy", reviewPolicy)
    writer.field("certainty", certainty)
    writer.field("information_only", informationOnly)
    writer.field("valid_from", validFrom.description)
    writer.field("valid_to", validTo?.description)
    writer.field("licence_id", licenceID?.description)
    writer.field("notification_days", notificationDays.map { Int64($0) })
    writer.field("note", note)
    writer.endObject()
  }
}
