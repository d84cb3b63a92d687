import Catalogue
import Ledger
import Matching
import Operations
import Parties
import Persistence
import Primitives
import StrictJSON

extension PlanMatchRound {
  /// `segment`? {`chip_model_id`?, `region`?}
  package static func parse(_ reader: inout ObjectReader) -> PlanMatchRound? {
    PlanMatchRound(segment: reader.optionalObject("segment") { MatchSegment.parse(&$0) } ?? .whole)
  }
}

extension MatchSegment {
  package static func parse(_ reader: inout ObjectReader) -> MatchSegment? {
    MatchSegment(chipModel: reader.optionalChipModel("chip_model_id"), region: reader.optionalRegion("region"))
  }
}

extension JSONWriter {
  /// Null for the whole market.
  mutating func field(_ name: StaticString, _ segment: MatchSegment) {
    if segment.isWhole { return nullField(name) }
    object(name) { writer in
      writer.field("chip_model_id", segment.chipModel)
      writer.field("region", segment.region)
    }
  }
}

extension PlanSettlementRun {
  /// `job`, `business_date`, `parameters`? {`preview_hash`?}: 64 hexadecimal digits, as a preview answers them.
  package static func parse(_ reader: inout ObjectReader) -> PlanSettlementRun? {
    let job = reader.enumeration("job", as: SettlementJob.self)
    let date = reader.date("business_date")
    var hash: DigestSum?
    _ = reader.optionalObject("parameters") { parameters in
      hash = parameters.optionalParsed("preview_hash", expected: "64 lower-case hexadecimal digits", bytes: 64...64) {
        DigestSum(text: $0)
      }
      return true
    }
    guard let job, let date else { return nil }
    return PlanSettlementRun(job: job, businessDate: date, previewHash: hash)
  }
}

extension MoveClock {
  /// `now`
  package static func parse(_ reader: inout ObjectReader, isSandbox: Bool) -> MoveClock? {
    reader.instant("now").map { MoveClock(to: $0, isSandbox: isSandbox) }
  }
}

/// The classes that a licence can be for: what is not controlled needs none, and what is unknown has none.
private enum LicensedClass: String, CaseIterable {
  case eccn3A090 = "3A090"
  case eccn3A090a = "3A090.a"
  case eccn3A090b = "3A090.b"

  var exportClass: ExportClass {
    switch self {
    case .eccn3A090: .eccn3A090
    case .eccn3A090a: .eccn3A090a
    case .eccn3A090b: .eccn3A090b
    }
  }
}

extension AddLicence {
  /// `holder_organization_id`, `consignee_organization_id`?, `chip_model_id` or `export_class`, `destination`, `quota`,
  /// `valid_from`, `valid_to`? (the first day on which it no longer holds), `reference`
  package static func parse(_ reader: inout ObjectReader) -> AddLicence? {
    let holder = reader.id("holder_organization_id", of: OrganizationNoun.self)
    let consignee = reader.optionalID("consignee_organization_id", of: OrganizationNoun.self)
    let chip = reader.optionalChipModel("chip_model_id")
    let exportClass = reader.optionalEnumeration("export_class", as: LicensedClass.self)?.exportClass
    let destination = reader.country("destination")
    let quota = reader.quantity("quota")
    let validFrom = reader.date("valid_from")
    let validTo = reader.optionalDate("valid_to")
    let reference = reader.string("reference", bytes: BodyBounds.reference)
    switch (reader.has("chip_model_id"), reader.has("export_class")) {
    case (true, true):
      reader.fault("export_class", code: BodyFaultCode.conflict, detail: "must not stand beside chip_model_id")
    case (false, false):
      reader.fault("chip_model_id", code: JSONFaultCode.missing, detail: "is required where no export_class is given")
    default: break
    }
    guard let holder, let destination, let quota, let validFrom, let reference,
      let subject = chip.map({ Licence.Subject.chip($0) }) ?? exportClass.map({ .exportClass($0) })
    else { return nil }
    return AddLicence(
      holderID: holder, consigneeID: consignee, subject: subject, destination: destination, quota: quota,
      validFrom: validFrom, validTo: validTo, reference: reference)
  }
}

extension LicenceRecord {
  package func write(to writer: inout JSONWriter) {
    writer.object { writer in
      writer.field("id", id)
      writer.field("holder_organization_id", licence.holder)
      writer.field("consignee_organization_id", licence.consignee)
      writer.field("chip_model_id", licence.chip)
      writer.field("export_class", licence.exportClass)
      writer.field("destination", licence.destination)
      writer.field("quota", licence.quota)
      writer.field("used", licence.used)
      writer.field("remaining", licence.remaining)
      writer.field("valid_from", licence.validity.from)
      writer.field("valid_to", licence.validity.to)
      writer.field("reference", reference)
      writer.history(version: version, createdAt: createdAt, updatedAt: updatedAt)
    }
  }
}

extension PlannedRun {
  /// As `SettlementRun` shows itself before any worker has taken it up.
  package func write(to writer: inout JSONWriter) {
    writer.object { writer in
      writer.field("id", id)
      writer.field("state", RunState.planned)
      writer.field("job", job)
      writer.field("business_date", businessDate)
      writer.object("progress") { writer in
        writer.field("done", Int64(0))
        writer.field("total", Int64(0))
      }
      writer.object("totals") { _ in }
      writer.nullField("error")
      if let previewHash { writer.field("preview_hash", previewHash.text) }
      writer.history(version: 1, createdAt: createdAt, updatedAt: createdAt)
    }
  }
}

extension SettlementRun {
  /// - Parameter dead: parts that were given up.
  package func write(to writer: inout JSONWriter, dead shards: [DeadShard] = []) {
    writer.object { writer in
      writer.field("id", id)
      writer.field("state", state)
      writer.field("job", job)
      writer.field("business_date", businessDate)
      writer.object("progress") { writer in
        writer.field("done", done)
        writer.field("total", total)
        writer.field("dead", dead)
      }
      writer.field("stage", Int64(stage))
      writer.rawField("stages", stages)
      writer.rawField("totals", totals)
      writer.field("preview_hash", previewHash?.text)
      writer.field("effects_hash", effectsHash?.text)
      writer.field("approval", approval.rawValue)
      writer.field("requested_by", requestedBy?.description)
      writer.field("approved_by", approvedBy?.description)
      writer.field("ended_at", endedAt?.description)
      writer.field("error", error)
      if !shards.isEmpty {
        writer.array("given_up", shards) { writer, shard in
          writer.object { writer in
            writer.field("number", Int64(shard.number))
            writer.field("step", shard.step)
            writer.field("on", shard.on)
            writer.array("subjects", shard.subjects) { $0.string($1.description) }
            writer.field("attempts", Int64(shard.attempt))
            writer.field("error", shard.error)
          }
        }
      }
      writer.history(version: version, createdAt: createdAt, updatedAt: updatedAt)
    }
  }
}

extension PlannedMatchRound {
  package func write(to writer: inout JSONWriter) {
    writer.object { writer in
      writer.field("id", id)
      writer.field("state", RunState.planned)
      writer.field("segment", segment)
      writer.history(version: 1, createdAt: businessAt, updatedAt: businessAt)
    }
  }
}

/// How much of a match round a reader sees.
package enum MatchRoundView: Sendable, Hashable {
  /// Staff and auditors: everything of the record.
  case whole
  /// Everybody else: what the market as a whole did, and no word of any order.
  case market
}

extension OrderBook {
  /// A page of levels, and the totals beside it.
  package func write(to writer: inout JSONWriter) {
    writer.object { writer in
      writer.array("data", levels) { $1.write(to: &$0) }
      writer.array("totals", totals) { $1.write(to: &$0) }
      writer.nullField("next_cursor")
    }
  }
}

extension OrderBook.Level {
  fileprivate func write(to writer: inout JSONWriter) {
    writer.object { writer in
      writer.field("chip_model_id", chipModelID)
      writer.field("region", region)
      writer.field("side", side)
      if let rateBps { writer.field("rate_bps", rateBps) }
      writer.field("quantity", quantity)
      writer.field("largest_block", largestBlock)
    }
  }
}

extension RoundReplay {
  package func write(to writer: inout JSONWriter) {
    writer.object { writer in
      writer.field("same", same)
      writer.array("differences", differences) { $0.string($1) }
      writer.field("digest", digest)
      writer.field("engine_version", engineVersion)
    }
  }
}

/// Members of a result that name no order. Those of the first group stand in every answer, null where a record has none.
private let marketMembers = (
  always: ["objective", "bound", "gap", "certificate", "classes", "counts", "timings"],
  present: ["engine_version", "snapshot_digest", "method", "fairness_bps", "matched_quantity", "matched_pairs"]
)

/// Members of the answer itself: a record that had one of them would make it stand twice.
private let roundMembers: Set<String> = [
  "id", "state", "segment", "digest", "offers_made", "offers_refused", "error", "version", "created_at", "updated_at",
]

extension MatchRoundRow {
  /// The result's members stand beside the round's own.
  package func write(to writer: inout JSONWriter, view: MatchRoundView = .whole) {
    writer.object { writer in
      writer.field("id", id)
      writer.field("state", state)
      writer.field("segment", segment)
      writer.field("digest", digest)
      writer.field("offers_made", offersMade)
      writer.field("offers_refused", offersRefused)
      writer.field("error", error)
      writeResult(view, to: &writer)
      writer.history(version: version, createdAt: createdAt, updatedAt: updatedAt)
    }
  }

  private func writeResult(_ view: MatchRoundView, to writer: inout JSONWriter) {
    // Our own record; were it ever unreadable, the round is shown without it.
    let record = result.flatMap { try? JSONDocument(parsing: $0, limits: .stored).root }
    for name in marketMembers.always {
      writer.key(dynamic: name)
      if let value = record?[name] { writer.copy(value) } else { writer.null() }
    }
    for member in record?.members.map({ $0 }) ?? [] {
      guard !roundMembers.contains(member.name), !marketMembers.always.contains(member.name),
        view == .whole || marketMembers.present.contains(member.name)
      else { continue }
      writer.key(dynamic: member.name)
      writer.copy(member.value)
    }
  }
}

extension AuditRow {
  package func write(to writer: inout JSONWriter) {
    writer.object { writer in
      writer.field("id", id)
      writer.field("organization_id", organizationID)
      writer.field("at", at)
      writer.field("key_id", credential.keyID)
      writer.field("binding_id", credential.bindingID)
      writer.field("person_id", personID)
      writer.field("action", action)
      writer.field("subject_id", subject)
      writer.field("outcome", outcome)
      writer.field("request_id", requestID)
      writer.field("created_at", recordedAt)
    }
  }
}

extension JournalEntryRow {
  package func write(to writer: inout JSONWriter, lines: [JournalLineRow]) {
    writer.object { writer in
      writer.field("id", id)
      writer.field("book_organization_id", book)
      writer.field("sequence", sequence)
      writer.field("kind", kind)
      writer.field("business_date", businessDate)
      writer.field("subject_id", subject)
      writer.array("lines", lines) { writer, row in
        writer.object { writer in
          writer.field("account", row.line.account.code)
          writer.field("subject_id", row.line.account.subjectOrNil)
          writer.field("asset", row.line.account.asset.description)
          writer.field("amount", row.line.amount)
        }
      }
      writer.field("recorded_at", recordedAt)
    }
  }
}

extension AccountRef {
  /// Null where the code has no subject.
  var subjectOrNil: UUIDValue? { subject == AccountRef.noSubject ? nil : subject }

  func write(to writer: inout JSONWriter, balance: Int64) {
    writer.object { writer in
      writer.field("organization_id", book)
      writer.field("account", code)
      writer.field("subject_id", subjectOrNil)
      writer.field("asset", asset.description)
      writer.field("balance", balance)
    }
  }
}

extension ChipModel {
  /// - Parameter classification: on the date asked for.
  package func write(to writer: inout JSONWriter, classification: Classification) {
    writer.object { writer in
      writer.field("id", id)
      writer.field("vendor", vendor)
      writer.field("model", model)
      writer.field("form_factor", facts.formFactor)
      writer.field("released_on", facts.releasedOn?.description)
      writer.field("memory_gb", facts.memoryGB?.description)
      writer.field("memory_bandwidth_gbs", facts.memoryBandwidthGBs?.description)
      writer.field("interconnect_gbs", facts.interconnectGBs?.description)
      writer.field("io_total_gbs", ioTotalGBs?.description)
      writer.object("dense") { writer in
        for format in NumericFormat.allCases {
          writer.key(dynamic: format.rawValue)
          if let figure = dense(format) { writer.string(figure.description) } else { writer.null() }
        }
      }
      writer.field("die_area_mm2", facts.dieAreaMM2?.description)
      writer.field("vendor_class", facts.vendorClass)
      writer.field("tpp", tpp?.description)
      writer.field("tpp_basis", tppBasis)
      writer.field("performance_density", displayedPerformanceDensity?.description)
      writer.object("export_class") { writer in
        writer.field("on", classification.date)
        writer.field("class", classification.exportClass)
        writer.field("paragraph", classification.paragraph)
        writer.field("rule_id", classification.ruleID)
        writer.field("citation", classification.citation)
        writer.field("nac_aca_eligible", classification.nacAcaEligible)
      }
      writer.field("source", facts.source)
    }
  }
}
