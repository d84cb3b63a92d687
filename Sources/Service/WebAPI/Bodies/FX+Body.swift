import BankFiles
import Operations
import Persistence
import Primitives
import Repayment
import StrictJSON

private let expectedCurrency: StaticString = "a currency by its three capital letters (ISO 4217)"
private let expectedRateID: StaticString = "the id of a rate: fx_ and a UUID in lower case"

extension FXRate {
  /// The members of a rate; the caller opens the object.
  func writeMembers(to writer: inout JSONWriter) {
    writer.field("base", base.code)
    writer.field("quote", quote.code)
    writer.field("on", on)
    writer.field("rate", price)
    writer.field("source", source)
  }
}

extension RecordedFXRate {
  package func write(to writer: inout JSONWriter) {
    writer.object { writer in
      writer.field("id", id)
      writer.field("state", state)
      rate.writeMembers(to: &writer)
      writer.field("supersedes", supersedes)
      writer.field("proposed_by", proposedBy)
      writer.field("approved_by", state == .rejected ? nil : decidedBy)
      // From when on it was used: its recorded time.
      writer.field("recorded_at", state == .rejected ? nil : decidedAt)
      writer.field("superseded_at", supersededAt)
      writer.field("reason", reason)
      writer.history(version: version, createdAt: createdAt, updatedAt: updatedAt)
    }
  }
}

extension [RecordedFXRate] {
  /// `{"data": [...]}`
  package func write(to writer: inout JSONWriter) {
    writer.object { writer in
      writer.array("data", self) { writer, rate in rate.write(to: &writer) }
    }
  }
}

extension ProposeFXRates {
  /// `base`, `quote`, `on`, `rate` (a decimal as text), `source`, `supersedes`?
  package static func parse(_ reader: inout ObjectReader) -> ProposeFXRates? {
    let base = reader.parsed("base", expected: expectedCurrency, bytes: 1...64) { Currency($0) }
    let quote = reader.parsed("quote", expected: expectedCurrency, bytes: 1...64) { Currency($0) }
    let on = reader.date("on")
    let price = reader.string("rate", bytes: 1...20)
    let source = reader.string("source", bytes: BodyBounds.source)
    let supersedes = reader.optionalID("supersedes", of: FXRateNoun.self)
    guard let base, let quote, let on, let price, let source else { return nil }
    guard base != quote else {
      reader.fault("quote", code: BodyFaultCode.conflict, detail: "must be another currency than base")
      return nil
    }
    guard let rate = try? FXRate(base: base, quote: quote, price: price, on: on, source: source) else {
      reader.fault(
        "rate", code: JSONFaultCode.format,
        detail: "must be a decimal above 0 of at most \(FXRate.mostDigits) digits, \(FXRate.mostPlaces) of them places")
      return nil
    }
    return ProposeFXRates([Proposal(rate: rate, supersedes: supersedes)])
  }
}

extension DecideFXRates {
  /// The most rates that are approved at once: as many as a file brings.
  static let most = FXRate.mostInFile

  /// `reason`
  package static func parseReject(_ reader: inout ObjectReader, _ id: FXRateID, ifVersion: Int64?) -> DecideFXRates? {
    guard let reason = reader.string("reason", bytes: BodyBounds.reason) else { return nil }
    return DecideFXRates(ids: [id], decision: .reject(reason: reason), ifVersion: ifVersion)
  }

  /// `ids` (1 to 5,000)
  package static func parseApprove(_ reader: inout ObjectReader) -> DecideFXRates? {
    let ids = reader.set("ids", count: 1...most) { node, log in
      log.parsed(node, expected: expectedRateID, bytes: 1...64) { FXRateID($0) }
    }
    return ids.map { DecideFXRates(ids: $0, decision: .approve) }
  }
}

extension ProposeConversion {
  /// `amount`, `into`, `converted_on`, `evidence`
  package static func parse(_ reader: inout ObjectReader, _ receipt: CashReceiptID) -> ProposeConversion? {
    let amount = reader.money("amount", BodyBounds.price)
    let into = reader.money("into", BodyBounds.price)
    let on = reader.date("converted_on")
    let evidence = reader.string("evidence", bytes: BodyBounds.evidence)
    guard let amount, let into, let on, let evidence else { return nil }
    return ProposeConversion(receiptID: receipt, amount: amount, into: into, convertedOn: on, evidence: evidence)
  }
}

extension DecideConversion {
  /// `reason`
  package static func parseReject(
    _ reader: inout ObjectReader, _ id: CashConversionID, ifVersion: Int64?
  ) -> DecideConversion? {
    guard let reason = reader.string("reason", bytes: BodyBounds.reason) else { return nil }
    return DecideConversion(conversionID: id, decision: .reject(reason: reason), ifVersion: ifVersion)
  }
}

extension CashConversion {
  /// - Parameter received: what its money became, where it was booked just now.
  package func write(to writer: inout JSONWriter, received: RecordCashReceipt.Received? = nil) {
    writer.object { writer in
      writer.field("id", id)
      writer.field("state", state)
      writer.field("organization_id", organizationID)
      writer.field("cash_receipt_id", receiptID)
      writer.field("amount", amount)
      writer.field("into", into)
      writer.field("converted_on", convertedOn)
      writer.field("market_rate", marketRate)
      // What the bank is to show of both of its movements.
      writer.field("reference", EndToEndReference.of(id))
      writer.field("evidence", evidence)
      writer.field("proposed_by", proposedBy)
      writer.field("decided_by", decidedBy)
      writer.field("decided_at", decidedAt)
      writer.field("reason", reason)
      writer.field("into_receipt_id", intoReceiptID)
      if let received {
        writer.key("receipt")
        received.write(to: &writer)
      }
      writer.history(version: version, createdAt: createdAt, updatedAt: updatedAt)
    }
  }
}
