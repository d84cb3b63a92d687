import Operations
import Parties
import Persistence
import Primitives
import StrictJSON
import Valuation

extension RecordValuation {
  /// `method`, `amount`, `effective_on`, `source`, `supersedes`?, `basis`? (post-money for a startup, a chip's price for a
  /// chip, where it is left out), `evidence`?, `confidence`? (`documented`)
  package static func parse(_ reader: inout ObjectReader, subject: ValuationSubject) -> RecordValuation? {
    let method = reader.enumeration("method", as: ValuationMethod.self)
    let amount = reader.money("amount", BodyBounds.price)
    let effectiveOn = reader.date("effective_on")
    let source = reader.string("source", bytes: BodyBounds.source)
    let supersedes = reader.optionalID("supersedes", of: ValuationNoun.self)
    let basis = reader.optionalEnumeration("basis", as: ValuationBasis.self)
    let evidence = reader.optionalString("evidence", bytes: BodyBounds.evidence)
    let confidence = reader.optionalEnumeration("confidence", as: MarkConfidence.self)
    guard let method, let amount, let effectiveOn, let source else { return nil }
    return RecordValuation(
      subject: subject, method: method, amount: amount, basis: basis ?? subject.usualBasis, effectiveOn: effectiveOn,
      source: source, supersedes: supersedes, evidence: evidence, confidence: confidence ?? .documented)
  }
}

extension ValuationSubject {
  /// What is meant where no basis is named.
  var usualBasis: ValuationBasis {
    switch self {
    case .startup: .postMoney
    case .chipModel: .perChip
    }
  }
}

/// The reason of an act, its only member.
struct ReasonBody {
  static func parse(_ reader: inout ObjectReader) -> String? { reader.string("reason", bytes: BodyBounds.reason) }
}

extension ValuationMark {
  package func write(to writer: inout JSONWriter) { writer.object { writeMembers(to: &$0) } }

  func writeMembers(to writer: inout JSONWriter) {
    writer.field("id", id)
    writer.field("startup_id", subject.startup)
    writer.field("chip_model_id", subject.chipModel)
    writer.field("method", method)
    writer.field("amount", amount)
    writer.field("basis", basis)
    writer.field("effective_on", effectiveOn)
    writer.field("recorded_at", recordedAt)
    writer.field("source", source)
    writer.field("evidence", evidence)
    writer.field("confidence", confidence)
    writer.field("supersedes", supersedes)
    writer.field("superseded_at", supersededAt)
    writer.field("recorded_by", recordedBy)
    writer.field("approved_by", approvedBy)
  }

  /// With how fresh it is on a day, and whether somebody disputes it now.
  func write(to writer: inout JSONWriter, on date: CalendarDate, isDisputed: Bool) {
    writer.object { writer in
      writeMembers(to: &writer)
      let rule = StalenessRule.of(method)
      writer.field("fresh_through_on", rule.freshThrough(effectiveOn))
      writer.field("is_stale", rule.isStale(self, on: date))
      writer.field("is_disputed", isDisputed)
    }
  }
}

extension MarkExplanation {
  /// The mark, and how each figure beside it follows from what.
  func write(to writer: inout JSONWriter, isDisputed: Bool) {
    writer.object { writer in
      mark.writeMembers(to: &writer)
      writer.field("fresh_through_on", freshThrough)
      writer.field("is_stale", isStale)
      writer.field("is_disputed", isDisputed)
      writer.object("explanation") { writer in
        writer.field("as_of", asOf)
        writer.object("staleness") { writer in
          writer.field("method", mark.method)
          writer.field("months", Int64(rule.months))
          writer.field("fresh_through_on", freshThrough)
          writer.field("material_event_on", materialEventOn)
        }
        writer.object("previous", previous) { writer, previous in
          writer.field("valuation_id", previous.id)
          writer.field("amount", previous.amount)
          writer.field("effective_on", previous.effectiveOn)
          writer.field("days", previous.effectiveOn.days(to: mark.effectiveOn))
        }
        writer.field("annualised_growth_bps", growth)
        writer.object("round", report) { writer, report in
          writer.field("name", report.name)
          writer.field("kind", report.kind)
          writer.field("announced", report.announced.text)
          writer.field("source", report.source)
          writer.field("certainty", report.certainty)
          writer.field("investors", report.investors)
          writer.field("new_money", newMoney)
          writer.field("pre_money", preMoney)
          writer.field("pre_money_is_derived", isPreMoneyDerived)
          writer.field("step_up_bps", stepUp)
          writer.field("class", roundClass)
          if let isInsider { writer.field("is_insider", isInsider) } else { writer.nullField("is_insider") }
        }
      }
    }
  }
}

extension MarkProposal {
  package func write(to writer: inout JSONWriter) {
    writer.object { writer in
      writer.field("id", id)
      writer.field("state", state)
      writer.field("startup_id", subject.startup)
      writer.field("chip_model_id", subject.chipModel)
      writer.field("method", method)
      writer.field("amount", amount)
      writer.field("basis", basis)
      writer.field("effective_on", effectiveOn)
      writer.field("source", source)
      writer.field("evidence", evidence)
      writer.field("confidence", confidence)
      writer.field("supersedes", supersedes)
      writer.field("import_id", importID)
      writer.field("proposed_by", proposedBy)
      writer.field("decided_by", decidedBy)
      writer.field("decided_at", decidedAt)
      // An approved mark is known from its approval on.
      writer.field("recorded_at", state == .approved ? decidedAt : nil)
      writer.field("reason", reason)
      writer.history(version: version, createdAt: createdAt, updatedAt: updatedAt)
    }
  }
}

extension MarkDispute {
  package func write(to writer: inout JSONWriter) {
    writer.object { writer in
      writer.field("id", id)
      writer.field("state", state)
      writer.field("organization_id", organizationID)
      writer.field("valuation_id", markID)
      writer.field("startup_id", subject.startup)
      writer.field("chip_model_id", subject.chipModel)
      writer.field("reason", reason)
      writer.field("raised_by", raisedBy)
      writer.field("closed_by", closedBy)
      writer.field("closed_at", closedAt)
      writer.field("closing_reason", closingReason)
      writer.history(version: version, createdAt: createdAt, updatedAt: updatedAt)
    }
  }
}

extension ValuationImport {
  package func write(to writer: inout JSONWriter) { writer.object { writeMembers(to: &$0) } }

  func writeMembers(to writer: inout JSONWriter) {
    writer.field("id", id)
    writer.field("state", isDone ? "done" : "running")
    writer.field("kind", kind)
    writer.field("file_digest", fileDigest)
    writer.field("file_name", fileName)
    writer.object("progress") { writer in
      writer.field("done", linesDone)
      writer.field("total", lines)
    }
    writer.field("recorded", recorded)
    writer.field("unchanged", unchanged)
    writer.field("proposed", proposed)
    writer.field("refused", refused)
    writer.array("findings", findings) { writer, finding in
      writer.object { writer in
        writer.field("line", Int64(finding.line))
        writer.field("field", finding.field)
        writer.field("code", finding.code)
        writer.field("detail", finding.detail)
      }
    }
    writer.field("imported_by", importedBy)
    writer.history(version: version, createdAt: createdAt, updatedAt: updatedAt)
  }
}

extension DecideImport.Decided {
  func write(to writer: inout JSONWriter) {
    writer.object { writer in
      record.writeMembers(to: &writer)
      writer.array("approved", approved) { $1.write(to: &$0) }
      writer.array("rejected", rejected) { $1.write(to: &$0) }
    }
  }
}

extension RoundReportRow {
  /// - Parameter date: on which it is told whether a mark may follow from it.
  func write(to writer: inout JSONWriter, on date: CalendarDate) {
    writer.object { writer in
      writer.field("id", id)
      writer.field("startup_id", borrowerID)
      writer.field("name", report.name)
      writer.field("kind", report.kind)
      writer.field("status", report.status)
      writer.field("announced", report.announced.text)
      writer.field("amount", report.amount.map { Money($0, report.currency) })
      writer.field("pre_money", report.preMoney.map { Money($0, report.currency) })
      writer.field("post_money", report.postMoney.map { Money($0, report.currency) })
      writer.field("investors", report.investors)
      writer.field("acquirer", report.acquirer)
      writer.field("certainty", report.certainty)
      writer.field("source", report.source)
      writer.field("notes", report.notes)
      writer.field("no_mark_since", report.noMark(on: date)?.rawValue)
      writer.field("supersedes", supersedes)
      writer.field("import_id", importID)
      writer.field("line", line)
      writer.field("recorded_at", recordedAt)
    }
  }
}
