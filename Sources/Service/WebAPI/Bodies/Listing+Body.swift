import Catalogue
import Interest
import Lending
import Operations
import Primitives
import StrictJSON
import Valuation

extension CreateListing.Terms {
  /// The members of api.md's listing; the sequence is the service's.
  package static func parse(_ reader: inout ObjectReader) -> CreateListing.Terms? {
    let lot = reader.id("lot_id", of: LotNoun.self)
    let quantity = reader.quantity("quantity")
    let ask = reader.rate("ask_rate_bps")
    let minTerm = reader.int("min_term_days", BodyBounds.days)
    let maxTerm = reader.int("max_term_days", BodyBounds.days)
    let minQuantity = reader.optionalQuantity("min_quantity")
    let legalForm = reader.optionalEnumeration("legal_form", as: LegalForm.self)
    let modes = reader.optionalSet("delivery_modes", count: 1...2) { $1.enumeration($0, as: DeliveryMode.self) }
    // More than the chips are worth is no advance on them, and nothing is no loan.
    let advance = reader.optionalRate("advance_rate_bps", 1...BodyBounds.shareBps.upperBound)
    let patterns = reader.optionalSet("repayment_patterns", count: 1...RepaymentPattern.allCases.count) {
      $1.enumeration($0, as: RepaymentPattern.self)
    }
    let notice = reader.optionalObject("recall") { $0.int("notice_days", BodyBounds.days) }
    let credit = reader.optionalEnumeration("return_credit", as: ReturnCreditRule.self)
    let assignability = reader.optionalEnumeration("assignable", as: Assignability.self)
    let penalty = PenaltyTerms.parse(&reader)
    let businessDay = reader.optionalEnumeration("business_day", as: BusinessDayConvention.self)
    let tax = reader.optionalObject("tax") { TaxTerms.parse(&$0) }
    let margin = reader.optionalObject("margin") { MarginTerms.Listed.parse(&$0) }
    if margin?.consequence == .recall, reader.presence("recall") != .value {
      reader.fault("margin", code: BodyFaultCode.conflict, detail: "calls back what no recall of the listing allows")
    }
    let eligibility = reader.optionalObject("eligibility") { Listing.Eligibility.parse(&$0) }
    let validUntil = reader.optionalInstant("valid_until_at")
    guard let lot, let quantity, let ask, let minTerm, let maxTerm else { return nil }
    return CreateListing.Terms(
      lotID: lot, quantity: quantity, askRate: ask, minTermDays: minTerm, maxTermDays: maxTerm,
      minQuantity: minQuantity, legalForm: legalForm ?? .leasePurchaseOption, deliveryModes: modes ?? [.physical],
      advanceRate: advance ?? .whole, repaymentPatterns: patterns ?? [.roundSweep], recallNoticeDays: notice,
      eligibility: eligibility ?? Listing.Eligibility(), validUntil: validUntil,
      returnCredit: credit ?? .proRataOutstanding, assignability: assignability ?? .withConsent, penalty: penalty,
      businessDay: businessDay ?? .unadjusted, tax: tax, margin: margin)
  }
}

extension CreateListing {
  /// See ``Terms/parse(_:)``; `options`? (see ``Options/parse(_:)``)
  package static func parse(_ reader: inout ObjectReader, lenderID: OrganizationID) -> CreateListing? {
    let options = reader.optionalObject("options") { Options.parse(&$0) }
    return Terms.parse(&reader).map { CreateListing(terms: $0, lenderID: lenderID, options: options) }
  }
}

extension PenaltyTerms {
  /// `penalty_rate_bps`?, and with it `penalty_grace_days`? and `penalty_cap_bps`?; none without a word.
  static func parse(_ reader: inout ObjectReader) -> PenaltyTerms {
    let rate = reader.optionalRate("penalty_rate_bps")
    let grace = reader.optionalInt("penalty_grace_days", 0...365)
    let cap = reader.optionalRate("penalty_cap_bps", BodyBounds.shareBps)
    if !reader.has("penalty_rate_bps") {
      for name in ["penalty_grace_days", "penalty_cap_bps"] as [StaticString] where reader.has(name) {
        reader.fault(name, code: BodyFaultCode.conflict, detail: "belongs to a penalty_rate_bps, which is missing")
      }
    }
    return PenaltyTerms(rate: rate ?? BasisPoints(0), graceDays: grace ?? 0, cap: cap)
  }

  func writeMembers(to writer: inout JSONWriter) {
    writer.field("penalty_rate_bps", rate)
    writer.field("penalty_grace_days", graceDays)
    writer.field("penalty_cap_bps", cap)
  }
}

extension Listing.Eligibility {
  /// `credit_grades`?, `jurisdictions`?, `max_exposure`?
  static func parse(_ reader: inout ObjectReader) -> Listing.Eligibility? {
    let grades = reader.optionalSet("credit_grades", count: 1...20) { $1.creditGrade($0) }
    let jurisdictions = reader.optionalSet("jurisdictions", count: 1...250) { $1.country($0) }
    let exposure = reader.optionalMoney("max_exposure", BodyBounds.price)
    return Listing.Eligibility(creditGrades: grades, jurisdictions: jurisdictions, maxExposure: exposure)
  }

  fileprivate func writeMembers(to writer: inout JSONWriter) {
    writer.field("credit_grades", creditGrades)
    writer.field("jurisdictions", jurisdictions?.map(\.value))
    writer.field("max_exposure", maxExposure)
  }
}

extension Listing {
  /// Hours of a year of 360 days, and of a month of 30 of them.
  private static let hoursOfYear: Int128 = 360 * 24
  private static let hoursOfMonth: Int128 = 30 * 24

  /// What a chip costs for so many hours: mark x advance rate x ask rate x hours / (360 x 24), half-even to the minor
  /// unit. For people, who think in money for an hour: the fee itself is accrued by the loan's day count.
  /// - Returns: nil where the amounts leave their types.
  private func rent(of mark: Money, hours: Int128) -> Money? {
    do throws(ArithmeticOverflow) {
      let scaled = try (Int128(mark.amount) * Int128(advanceRate.value)).multiplied(by: Int128(askRate.value))
      let amount = try scaled.multiplied(by: hours).divided(
        by: 10_000 * 10_000 * Self.hoursOfYear, rounding: .halfEven)
      return Money(try amount.asInt64(), mark.currency)
    } catch { return nil }
  }

  /// - Parameter mark: of one chip of the model; without it the rates as money are null.
  package func write(to writer: inout JSONWriter, mark: Money? = nil) {
    writer.object { writer in
      writer.field("id", id)
      writer.field("state", state)
      writer.field("lender_id", lenderID)
      writer.field("lot_id", lotID)
      writer.field("chip_model_id", chipModelID)
      writer.field("site", site)
      writer.field("available_on", availableOn)
      writer.field("quantity", quantity)
      writer.field("remaining_quantity", remaining)
      writer.field("min_quantity", minQuantity)
      writer.field("multiple_of", multipleOf)
      writer.field("ask_rate_bps", askRate)
      writer.field("rate_per_chip_hour", mark.flatMap { rent(of: $0, hours: 1) })
      writer.field("rate_per_chip_month", mark.flatMap { rent(of: $0, hours: Self.hoursOfMonth) })
      writer.field("min_term_days", minTermDays)
      writer.field("max_term_days", maxTermDays)
      writer.field("legal_form", legalForm)
      writer.field("delivery_modes", deliveryModes.map(\.rawValue))
      writer.field("advance_rate_bps", advanceRate)
      writer.field("repayment_patterns", repaymentPatterns.map(\.rawValue))
      writer.object("recall", recallNoticeDays) { $0.field("notice_days", $1) }
      writer.field("return_credit", returnCredit)
      writer.field("assignable", assignability)
      penalty.writeMembers(to: &writer)
      writer.field("business_day", businessDay)
      writer.object("tax", tax) { $1.writeMembers(to: &$0) }
      writer.object("margin", margin) { writer, margin in margin.writeMembers(to: &writer) }
      writer.object("eligibility") { eligibility.writeMembers(to: &$0) }
      writer.field("valid_until_at", validUntil)
      writer.field("sequence", sequence)
      writer.history(version: version, createdAt: createdAt, updatedAt: updatedAt)
    }
  }
}
