import Catalogue
import Lending
import Operations
import Persistence
import Primitives
import StrictJSON
import Valuation

extension MarginTerms.Listed {
  /// `threshold_bps`, `haircut_bps`?, `cure_days`, `consequence` (due, recall), and how the chips are expected to lose value:
  /// `expected` {`annual_loss_bps`} or {`points` [{`age_months`, `residual_bps`}]}
  static func parse(_ reader: inout ObjectReader) -> MarginTerms.Listed? {
    let threshold = reader.rate("threshold_bps", 1...BodyBounds.shareBps.upperBound)
    let haircut = reader.optionalRate("haircut_bps", 0...9_999)
    let days = reader.int("cure_days", 1...90)
    let consequence = reader.enumeration("consequence", as: MarginTerms.Consequence.self)
    let points = reader.object("expected") { Self.expected(&$0) }
    guard let threshold, let days, let consequence, let points else { return nil }
    return MarginTerms.Listed(
      points: points, threshold: threshold, haircut: haircut ?? BasisPoints(0), cureDays: days,
      consequence: consequence)
  }

  private static func expected(_ reader: inout ObjectReader) -> [DepreciationCurve.Point]? {
    let loss = reader.optionalRate("annual_loss_bps", 0...9_999)
    let points = reader.optionalObjects("points", count: 1...60) { reader -> DepreciationCurve.Point? in
      let age = reader.int("age_months", 1...240)
      let residual = reader.rate("residual_bps", BodyBounds.shareBps)
      guard let age, let residual else { return nil }
      return DepreciationCurve.Point(ageMonths: Int(age), residual: residual)
    }
    if reader.has("annual_loss_bps") == reader.has("points") {
      reader.fault("points", code: BodyFaultCode.conflict, detail: "or annual_loss_bps, one of the two")
      return nil
    }
    if let loss { return MarginTerms.Listed.points(annualLoss: loss) }
    guard let points else { return nil }
    guard DepreciationCurve(points: points, firstPriceMicros: 1, firstPriceOn: .earliest, source: "") != nil else {
      reader.fault("points", code: BodyFaultCode.conflict, detail: "must rise in age, and never in what is left")
      return nil
    }
    return points
  }

  func writeMembers(to writer: inout JSONWriter) {
    writer.field("threshold_bps", threshold)
    writer.field("haircut_bps", haircut)
    writer.field("cure_days", cureDays)
    writer.field("consequence", consequence)
    writer.array("expected", points) { writer, point in
      writer.object { writer in
        writer.field("age_months", Int64(point.ageMonths))
        writer.field("residual_bps", point.residual)
      }
    }
  }
}

extension AnswerMarginCall {
  /// `amount` (money), `reason`
  package static func parseDispute(
    _ reader: inout ObjectReader, _ id: MarginCallID, ifVersion: Int64?
  ) -> AnswerMarginCall? {
    let amount = reader.money("amount", BodyBounds.price)
    let reason = reader.string("reason", bytes: BodyBounds.reason)
    guard let amount, let reason else { return nil }
    return AnswerMarginCall(id: id, answer: .dispute(amount, reason: reason), ifVersion: ifVersion)
  }
}

extension DecideMarginCall {
  /// `upheld`, `reason`
  package static func parse(
    _ reader: inout ObjectReader, _ id: MarginCallID, person: PersonID?, ifVersion: Int64?
  ) -> DecideMarginCall? {
    let upheld = reader.bool("upheld")
    let reason = reader.string("reason", bytes: BodyBounds.reason)
    guard let upheld, let reason else { return nil }
    return DecideMarginCall(id: id, isUpheld: upheld, reason: reason, person: person, ifVersion: ifVersion)
  }
}

extension ProposeDepositAct {
  /// `kind` (return, apply), `reason`
  package static func parse(_ reader: inout ObjectReader, _ receipt: CashReceiptID) -> ProposeDepositAct? {
    let kind = reader.enumeration("kind", as: DepositAct.Kind.self)
    let reason = reader.string("reason", bytes: BodyBounds.reason)
    guard let kind, let reason else { return nil }
    return ProposeDepositAct(receiptID: receipt, kind: kind, reason: reason)
  }
}

extension DepositAct {
  package func write(to writer: inout JSONWriter) {
    writer.object { writer in
      writer.field("id", id)
      writer.field("state", state)
      writer.field("kind", kind)
      writer.field("cash_receipt_id", receiptID)
      writer.field("loan_id", loanID)
      writer.field("borrower_id", borrowerID)
      writer.field("lender_id", lenderID)
      writer.field("amount", amount)
      writer.field("reason", reason)
      writer.field("proposed_by", proposedBy)
      writer.field("decided_by", decision?.by)
      writer.field("decided_at", decision?.at)
      writer.field("note", note)
      writer.field("booked_on", bookedOn)
      writer.history(version: version, createdAt: createdAt, updatedAt: updatedAt)
    }
  }
}

extension MarginCallRow {
  package func write(to writer: inout JSONWriter) {
    let currency = call.called.currency
    writer.object { writer in
      writer.field("id", id)
      writer.field("state", call.state)
      writer.field("loan_id", call.loanID)
      writer.field("borrower_id", borrowerID)
      writer.field("lender_id", lenderID)
      writer.field("margin_test_id", testID)
      writer.field("valuation_id", markID)
      writer.field("opened_on", call.openedOn)
      writer.field("due_on", call.dueOn)
      writer.field("consequence", call.consequence)
      writer.field("called", call.called)
      writer.field("disputed", Money(call.disputed, currency))
      writer.field("cured", Money(call.cured, currency))
      writer.field("missing", Money(call.state.isEnded && call.state != .lapsed ? 0 : call.missing, currency))
      writer.object("agreement", agreed) { writer, word in word.writeMembers(to: &writer) }
      writer.object("dispute", disputed) { writer, word in
        word.writeMembers(to: &writer)
        writer.field("reason", call.reason)
      }
      writer.object("decision", decision) { writer, decision in
        decision.word.writeMembers(to: &writer)
        writer.field("upheld", decision.isUpheld)
        writer.field("reason", decision.reason)
      }
      writer.field("ended_on", call.endedOn)
      writer.history(version: version, createdAt: createdAt, updatedAt: updatedAt)
    }
  }
}

extension MarginCallRow.Word {
  fileprivate func writeMembers(to writer: inout JSONWriter) {
    writer.field("person_id", by)
    writer.field("on", on)
  }
}

extension MarginTestRow {
  /// With everything that it was computed from.
  package func write(to writer: inout JSONWriter) {
    writer.object { writer in
      writer.field("id", id)
      writer.field("outcome", outcome)
      writer.field("loan_id", loanID)
      writer.field("borrower_id", borrowerID)
      writer.field("lender_id", lenderID)
      writer.field("on", on)
      writer.object("mark", mark) { writer, mark in mark.writeMembers(to: &writer) }
      writer.object("inputs") { inputs.writeMembers(to: &$0) }
      writer.field("threshold_bps", threshold)
      haircut.writeMembers(to: &writer)
      writer.object("result", result) { writer, result in
        result.writeMembers(to: &writer, inputs.outstanding.currency)
      }
      writer.field("recorded_at", recordedAt)
    }
  }
}

extension TakenHaircut {
  func writeMembers(to writer: inout JSONWriter) {
    writer.field("haircut_bps", haircut)
    // Null where the parties' own haircut was taken.
    writer.field("least_haircut_id", by)
    writer.field("vendor_class", vendorClass)
  }
}

extension MarginTestRow.Mark {
  func writeMembers(to writer: inout JSONWriter) {
    writer.field("id", id)
    writer.field("amount", amount)
    writer.field("effective_on", effectiveOn)
    writer.field("recorded_at", recordedAt)
  }
}

extension MarginTestRow.Inputs {
  func writeMembers(to writer: inout JSONWriter) {
    writer.field("units", units)
    writer.field("outstanding", outstanding)
    writer.field("deposits", Money(deposits, outstanding.currency))
    writer.field("repaid_for_calls", Money(repaid, outstanding.currency))
  }
}

extension MarginTestRow.Result {
  func writeMembers(to writer: inout JSONWriter, _ currency: Currency) {
    writer.field("expected", Money(expected, currency))
    writer.field("required", Money(required, currency))
    writer.field("held", Money(held, currency))
    writer.field("shortfall", Money(shortfall, currency))
  }
}
