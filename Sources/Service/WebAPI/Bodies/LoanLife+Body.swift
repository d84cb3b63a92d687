import Lending
import Operations
import Parties
import Persistence
import Primitives
import StrictJSON

extension RecallLoan {
  /// `notice_days`? (the contract's without it), `reason`?
  package static func parse(_ reader: inout ObjectReader, loanID: LoanID, ifVersion: Int64?) -> RecallLoan? {
    let days = reader.optionalInt("notice_days", BodyBounds.days)
    let reason = reader.optionalString("reason", bytes: BodyBounds.reason)
    return RecallLoan(loanID: loanID, noticeDays: days, reason: reason, ifVersion: ifVersion)
  }
}

extension ProposeAmendment {
  /// `kind`, what it changes, `reason`?, `valid_days`?
  package static func parse(_ reader: inout ObjectReader, loanID: LoanID, ifVersion: Int64?) -> ProposeAmendment? {
    let terms = AmendmentTerms.parse(&reader)
    let reason = reader.optionalString("reason", bytes: BodyBounds.reason)
    let days = reader.optionalInt("valid_days", 1...365)
    guard let terms else { return nil }
    return ProposeAmendment(loanID: loanID, terms: terms, reason: reason, validDays: days, ifVersion: ifVersion)
  }
}

extension AmendmentTerms {
  /// `re_rate`: `from_on` and `rate_bps`; `extend`: `matures_on`; `payment_pause`: `until_on`; `restructure`: at least two
  /// of these three; `substitution`: `serials_out` and as many `serials_in`.
  static func parse(_ reader: inout ObjectReader) -> AmendmentTerms? {
    let kind = reader.enumeration("kind", as: Kind.self)
    let (from, rate) = (reader.optionalDate("from_on"), reader.optionalRate("rate_bps"))
    let (maturity, pause) = (reader.optionalDate("matures_on"), reader.optionalDate("until_on"))
    let out = reader.optionalSet("serials_out", count: 1...1_000) { $1.string($0, bytes: BodyBounds.serial) }
    let new = reader.optionalSet("serials_in", count: 1...1_000) { $1.string($0, bytes: BodyBounds.serial) }
    guard let kind else { return nil }
    let given = [
      ("from_on" as StaticString, reader.has("from_on")), ("rate_bps", reader.has("rate_bps")),
      ("matures_on", reader.has("matures_on")), ("until_on", reader.has("until_on")),
      ("serials_out", reader.has("serials_out")), ("serials_in", reader.has("serials_in")),
    ]
    let wanted: Set<String> =
      switch kind {
      case .reRate: ["from_on", "rate_bps"]
      case .extend: ["matures_on"]
      case .paymentPause: ["until_on"]
      case .restructure: given[0].1 || given[1].1 ? ["from_on", "rate_bps"] : []
      case .substitution: ["serials_out", "serials_in"]
      }
    let mayHave: Set<String> =
      kind == .restructure ? ["from_on", "rate_bps", "matures_on", "until_on"] : wanted
    for (name, isGiven) in given {
      if wanted.contains(name.description), !isGiven {
        reader.fault(name, code: JSONFaultCode.missing, detail: "is required by \(kind.rawValue)")
      } else if isGiven, !mayHave.contains(name.description) {
        reader.fault(name, code: BodyFaultCode.conflict, detail: "does not belong to \(kind.rawValue)")
      }
    }
    switch kind {
    case .reRate:
      guard let from, let rate else { return nil }
      return .reRate(from: from, rate: rate)
    case .extend: return maturity.map { .extend(to: $0) }
    case .paymentPause: return pause.map { .paymentPause(until: $0) }
    case .substitution:
      guard let out, let new else { return nil }
      if out.count != new.count {
        reader.fault("serials_in", code: BodyFaultCode.conflict, detail: "must be as many as serials_out")
        return nil
      }
      return .substitution(out: out, with: new)
    case .restructure:
      if [given[1].1, given[2].1, given[3].1].filter({ $0 }).count < 2 {
        reader.fault("kind", code: BodyFaultCode.conflict, detail: "must change two things or more")
        return nil
      }
      return .restructure(from: from, rate: rate, maturity: maturity, pause: pause)
    }
  }
}

extension DeclareDefault {
  /// `cause`, `cure_days`?, `reason`?
  package static func parse(_ reader: inout ObjectReader, loanID: LoanID, ifVersion: Int64?) -> DeclareDefault? {
    let cause = reader.enumeration("cause", as: DefaultCause.self)
    let days = reader.optionalInt("cure_days", BodyBounds.days)
    let reason = reader.optionalString("reason", bytes: BodyBounds.reason)
    guard let cause else { return nil }
    return DeclareDefault(loanID: loanID, cause: cause, cureDays: days, reason: reason, ifVersion: ifVersion)
  }
}

extension CureDefault {
  /// `reason`?
  package static func parse(_ reader: inout ObjectReader, loanID: LoanID, ifVersion: Int64?) -> CureDefault? {
    CureDefault(
      loanID: loanID, reason: reader.optionalString("reason", bytes: BodyBounds.reason), ifVersion: ifVersion)
  }
}

extension RepossessChips {
  /// `quantity` or `serials`, `occurred_on`
  package static func parse(_ reader: inout ObjectReader, loanID: LoanID, ifVersion: Int64?) -> RepossessChips? {
    let (quantity, serials) = reader.units(isRequired: true)
    let occurredOn = reader.date("occurred_on")
    guard let quantity, let occurredOn else { return nil }
    return RepossessChips(
      loanID: loanID, quantity: quantity, serials: serials, occurredOn: occurredOn, ifVersion: ifVersion)
  }
}

extension DisposeChips {
  /// `quantity`, `outcome`, `occurred_on`
  package static func parse(_ reader: inout ObjectReader, loanID: LoanID, ifVersion: Int64?) -> DisposeChips? {
    let quantity = reader.quantity("quantity")
    let outcome = reader.enumeration("outcome", as: Disposal.self)
    let occurredOn = reader.date("occurred_on")
    guard let quantity, let outcome, let occurredOn else { return nil }
    return DisposeChips(
      loanID: loanID, quantity: quantity, outcome: outcome, occurredOn: occurredOn, ifVersion: ifVersion)
  }
}

extension WriteOffLoan {
  /// `amount`? (all of the claim without it), `reason`?
  package static func parse(_ reader: inout ObjectReader, loanID: LoanID, ifVersion: Int64?) -> WriteOffLoan? {
    let amount = reader.optionalMoney("amount", BodyBounds.price)
    let reason = reader.optionalString("reason", bytes: BodyBounds.reason)
    return WriteOffLoan(loanID: loanID, amount: amount, reason: reason, ifVersion: ifVersion)
  }
}

extension ForgiveDebt {
  /// `charges`?, `tax`?, `fee`?, `principal`? (at least one of them), `reason`?
  package static func parse(_ reader: inout ObjectReader, loanID: LoanID, ifVersion: Int64?) -> ForgiveDebt? {
    let charges = reader.optionalMoney("charges", BodyBounds.price)
    let tax = reader.optionalMoney("tax", BodyBounds.price)
    let fee = reader.optionalMoney("fee", BodyBounds.price)
    let principal = reader.optionalMoney("principal", BodyBounds.price)
    let reason = reader.optionalString("reason", bytes: BodyBounds.reason)
    if !reader.has("charges"), !reader.has("tax"), !reader.has("fee"), !reader.has("principal") {
      reader.fault(
        "principal", code: JSONFaultCode.missing, detail: "is required where neither charges nor fee are given")
    }
    return ForgiveDebt(
      loanID: loanID, charges: charges, fee: fee, principal: principal, reason: reason, ifVersion: ifVersion, tax: tax)
  }
}

extension RecordCasualty {
  /// `quantity` or `serials`, `occurred_on`, `cause`, `reason`?
  package static func parse(_ reader: inout ObjectReader, loanID: LoanID, ifVersion: Int64?) -> RecordCasualty? {
    let (quantity, serials) = reader.units(isRequired: true)
    let occurredOn = reader.date("occurred_on")
    let cause = reader.enumeration("cause", as: CasualtyCause.self)
    let reason = reader.optionalString("reason", bytes: BodyBounds.reason)
    guard let quantity, let occurredOn, let cause else { return nil }
    return RecordCasualty(
      loanID: loanID, quantity: quantity, serials: serials, occurredOn: occurredOn, cause: cause, reason: reason,
      ifVersion: ifVersion)
  }
}

extension RecordDeviceEvent {
  /// `kind`, `quantity` or `serials`, `occurred_on`, `note`?
  package static func parse(_ reader: inout ObjectReader, loanID: LoanID, ifVersion: Int64?) -> RecordDeviceEvent? {
    let kind = reader.enumeration("kind", as: UnitEventKind.self)
    if let kind, !UnitEventKind.reported.contains(kind) {
      reader.fault("kind", code: BodyFaultCode.conflict, detail: "is made by an act of its own, not reported")
    }
    let (quantity, serials) = reader.units(isRequired: true)
    let occurredOn = reader.date("occurred_on")
    let note = reader.optionalString("note", bytes: BodyBounds.reason)
    guard let kind, let quantity, let occurredOn else { return nil }
    return RecordDeviceEvent(
      loanID: loanID, kind: kind, quantity: quantity, serials: serials, occurredOn: occurredOn, note: note,
      ifVersion: ifVersion)
  }
}

extension ChipUnit {
  package func write(to writer: inout JSONWriter, events: [UnitEventRow] = []) {
    writer.object { writer in
      writer.field("id", id)
      writer.field("serial", serial)
      writer.field("chip_model_id", chipModelID)
      writer.field("lot_id", lotID)
      writer.field("loan_id", loanID)
      writer.field("condition", condition)
      writer.array("events", events) { $1.write(to: &$0) }
      writer.history(version: version, createdAt: createdAt, updatedAt: updatedAt)
    }
  }
}

extension UnitEventRow {
  package func write(to writer: inout JSONWriter) {
    writer.object { writer in
      writer.field("id", id)
      writer.field("kind", kind)
      writer.field("quantity", quantity)
      writer.field("occurred_on", occurredOn)
      writer.field("note", note)
      writer.field("actor_organization_id", actorID)
      writer.field("recorded_at", recordedAt)
    }
  }
}

extension FreezeLoan {
  /// `reason`: kept by compliance, not shown to the parties.
  package static func parse(_ reader: inout ObjectReader, loanID: LoanID, ifVersion: Int64?) -> FreezeLoan? {
    guard let reason = reader.string("reason", bytes: BodyBounds.reason) else { return nil }
    return FreezeLoan(loanID: loanID, reason: reason, ifVersion: ifVersion)
  }
}

extension LoanAmendment {
  /// - Parameters:
  ///   - currency: the loan's.
  ///   - preview: what an amendment that waits would come to today, where that is known.
  package func write(to writer: inout JSONWriter, currency: Currency, preview: FeeRestatement? = nil) {
    writer.object { writer in
      writer.field("id", id)
      writer.field("state", state)
      writer.field("loan_id", loanID)
      writer.field("borrower_id", borrowerID)
      writer.field("lender_id", lenderID)
      writer.field("kind", terms.kind)
      writer.field("from_on", terms.rateChange?.from)
      writer.field("rate_bps", terms.rateChange?.rate)
      writer.field("matures_on", terms.maturity)
      writer.field("until_on", terms.pause)
      writer.field("serials_out", terms.serials?.out)
      writer.field("serials_in", terms.serials?.with)
      writer.field("reason", reason)
      writer.field("proposed_by", proposedBy)
      writer.field("proposed_on", proposedOn)
      writer.field("valid_until", validUntil)
      writer.field("decided_on", decidedOn)
      // A rate for past days: what was posted, what is instead, the difference, and what of it went to the principal.
      writer.object("fee_restatement", restatement ?? preview) { writer, found in
        writer.field("reversed", Money(found.reversed, currency))
        writer.field("restated", Money(found.restated, currency))
        // Both are sums that the journal holds.
        writer.field("difference", Money(found.restated &- found.reversed, currency))
        writer.field("credited", Money(found.credited, currency))
      }
      writer.history(version: version, createdAt: createdAt, updatedAt: updatedAt)
    }
  }
}

extension LoanEventRow {
  /// - Parameter reader: who looks; the person behind the other side's key is that side's own.
  package func write(to writer: inout JSONWriter, for reader: Principal) {
    writer.object { writer in
      writer.field("id", id)
      writer.field("type", type)
      writer.field("at", at)
      writer.field("actor_organization_id", actorID)
      writer.field("side", actorID == lenderID ? "lender" : actorID == borrowerID ? "startup" : "platform")
      writer.field("person_id", reader.readsEverything || reader.organizationID == actorID ? personID : nil)
      writer.field("action", action)
      writer.field("reason_code", reason)
      writer.field("loan_version", loanVersion)
      writer.rawField("facts", facts)
    }
  }
}

extension Loan {
  /// What happened to it beside its state, as both sides see it. The lender's write-off and the reason of a hold are not
  /// of it.
  func writeLife(to writer: inout JSONWriter) {
    writer.array("rates", life.rates) { writer, change in
      writer.object { writer in
        writer.field("from_on", change.from)
        writer.field("rate_bps", change.rate)
      }
    }
    writer.field("paused_until", life.pausedUntil)
    writer.array("pauses", life.pauses) { writer, pause in
      writer.object { writer in
        writer.field("from_on", pause.from)
        writer.field("through_on", pause.through)
      }
    }
    writer.field("overdue_since", life.overdueSince)
    writer.object("default", life.default) { writer, fact in
      writer.field("cause", fact.cause)
      writer.field("declared_on", fact.on)
      writer.field("cure_until", fact.cureUntil)
      writer.field("accelerated_on", fact.acceleratedOn)
    }
    writer.field("held_on", life.hold?.on)
    writer.field("forgiven", Money(life.forgiven, currency))
  }
}
