import Catalogue
import Operations
import Primitives
import StrictJSON

extension RulePack {
  func writeMembers(to writer: inout JSONWriter) {
    writer.field("id", id)
    writer.field("kind", kind)
    writer.field("state", state)
    writer.field("sha256", digest)
    writer.field("as_of", asOf)
    writer.field("source", source)
    writer.field("loaded_by", loadedBy)
    writer.field("decided_by", decidedBy)
    writer.field("decided_at", decidedAt)
    writer.field("reason", reason)
    writer.history(version: version, createdAt: createdAt, updatedAt: updatedAt)
  }

  package func write(to writer: inout JSONWriter) { writer.object { writeMembers(to: &$0) } }
}

extension LoadRulePack.Loaded {
  package func write(to writer: inout JSONWriter) {
    writer.object { writer in
      pack.writeMembers(to: &writer)
      writer.object("difference") { difference.writeMembers(to: &$0) }
    }
  }
}

extension RulePackDifference {
  func writeMembers(to writer: inout JSONWriter) {
    for (name, counted, ids): (StaticString, StaticString, [String]) in [
      ("added", "added_count", added), ("removed", "removed_count", removed), ("changed", "changed_count", changed),
    ] {
      // Lists have tens of thousands of entries: their number is always said, and as many ids as a person reads.
      writer.field(name, Array(ids.prefix(1_000)))
      writer.field(counted, Int64(ids.count))
    }
  }
}

extension DecideRulePack.Decided {
  package func write(to writer: inout JSONWriter) {
    writer.object { writer in
      pack.writeMembers(to: &writer)
      writer.field("run_id", runID)
    }
  }
}

extension DecideRulePack {
  /// `reason`
  package static func parseReject(
    _ reader: inout ObjectReader, _ id: RulePackID, ifVersion: Int64?
  ) -> DecideRulePack? {
    reader.string("reason", bytes: BodyBounds.reason).map {
      DecideRulePack(packID: id, act: .reject(reason: $0), ifVersion: ifVersion)
    }
  }
}

extension ResolveComplianceItem {
  /// `resolution`, `note`
  package static func parse(
    _ reader: inout ObjectReader, _ id: ComplianceItemID, ifVersion: Int64?
  ) -> ResolveComplianceItem? {
    let resolution = reader.enumeration("resolution", as: ComplianceItem.Resolution.self)
    let note = reader.string("note", bytes: BodyBounds.reason)
    guard let resolution, let note else { return nil }
    return ResolveComplianceItem(itemID: id, resolution: resolution, note: note, ifVersion: ifVersion)
  }
}

extension ComplianceItem.Finding {
  /// The subject as its own resource names it.
  private var subjectID: String {
    switch kind {
    case .loan: LoanID(subject).description
    case .loanRequest: LoanRequestID(subject).description
    case .offer: OfferID(subject).description
    case .listing: ListingID(subject).description
    case .organization: OrganizationID(subject).description
    }
  }

  func writeMembers(to writer: inout JSONWriter) {
    writer.field("subject_kind", kind)
    writer.field("subject_id", subjectID)
    writer.field("borrower_id", borrowerID)
    writer.field("lender_id", lenderID)
    writer.field("chip_model_id", chipModelID)
    writer.field("quantity", quantity)
    writer.field("screened_on", on)
    writer.field("effect", effect)
    writer.field("rules", rules)
    writer.field("since_on", since)
    writer.field("suggestion", suggestion)
  }
}

extension ComplianceItem {
  package func write(to writer: inout JSONWriter) {
    writer.object { writer in
      writer.field("id", id)
      writer.field("state", decision == nil ? "open" : "resolved")
      finding.writeMembers(to: &writer)
      writer.field("run_id", runID)
      writer.field("resolution", decision?.resolution.rawValue)
      writer.field("note", decision?.note)
      writer.field("resolved_by", decision?.by)
      writer.field("resolved_at", decision?.at)
      writer.history(version: version, createdAt: createdAt, updatedAt: updatedAt)
    }
  }
}

extension ComplianceScreen.Change {
  /// What is found by the rules in force, and by the pack; null where nothing is.
  package func write(to writer: inout JSONWriter) {
    writer.object { writer in
      writer.object("before", before) { writer, finding in finding.writeMembers(to: &writer) }
      writer.object("after", after) { writer, finding in finding.writeMembers(to: &writer) }
    }
  }
}
