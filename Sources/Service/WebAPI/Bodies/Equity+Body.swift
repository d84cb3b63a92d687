import Lending
import Operations
import Persistence
import Primitives
import Repayment
import StrictJSON

extension CreateListing.Options {
  /// `conversion` {`cap`?, `discount_bps`?, `share_of_debt_bps`}
  static func parse(_ reader: inout ObjectReader) -> CreateListing.Options? {
    reader.object("conversion") { conversion in
      let cap = conversion.optionalMoney("cap", BodyBounds.price)
      let discount = conversion.optionalRate("discount_bps", 0...9_999)
      let share = conversion.rate("share_of_debt_bps", 1...BodyBounds.shareBps.upperBound)
      return share.map { CreateListing.Options(cap: cap, discount: discount ?? BasisPoints(0), share: $0) }
    }
  }
}

extension ListingOptions {
  func writeMembers(to writer: inout JSONWriter) {
    writer.field("cap", cap)
    writer.field("discount_bps", discount)
    writer.field("share_of_debt_bps", share)
  }
}

extension RoundPricing {
  /// `share_price` {`amount`, `shares`?}: minor units of the round's currency for so many shares (1); `capitalisation`.
  static func parse(_ reader: inout ObjectReader) -> RoundPricing? {
    let price = reader.optionalObject("share_price") { price -> SharePrice? in
      let amount = price.int("amount", BodyBounds.price)
      let shares = price.optionalInt("shares", 1...Money.largestAccepted)
      return amount.flatMap { try? SharePrice($0, for: shares ?? 1) }
    }
    let capitalisation = reader.optionalInt("capitalisation", 1...Money.largestAccepted)
    guard let price, let capitalisation else {
      if reader.has("share_price") != reader.has("capitalisation") {
        reader.fault(
          "share_price", code: BodyFaultCode.conflict, detail: "goes together with capitalisation")
      }
      return nil
    }
    return try? RoundPricing(price: price, capitalisation: capitalisation)
  }

  func writeMembers(to writer: inout JSONWriter) {
    writer.object("share_price") { writer in
      writer.field("amount", price.minorUnits)
      writer.field("shares", price.shares)
    }
    writer.field("capitalisation", capitalisation)
  }
}

extension ConvertLoan {
  /// `funding_round_id`, `amount` (minor units of the loan's currency)
  package static func parse(_ reader: inout ObjectReader, _ loan: LoanID, ifVersion: Int64?) -> ConvertLoan? {
    let round = reader.id("funding_round_id", of: FundingRoundNoun.self)
    let amount = reader.int("amount", BodyBounds.price)
    guard let round, let amount else { return nil }
    return ConvertLoan(loanID: loan, roundID: round, amount: amount, ifVersion: ifVersion)
  }
}

extension ConvertibleDebt {
  fileprivate func writeMembers(to writer: inout JSONWriter, _ currency: Currency) {
    writer.field("owed", Money(owed, currency))
    writer.field("principal", Money(principal, currency))
    writer.field("converted_before", Money(before, currency))
    writer.field("most", Money(most, currency))
  }
}

extension EquityDesk.Outlook {
  func write(to writer: inout JSONWriter) {
    writer.object { writer in
      writer.field("loan_id", loan.id)
      writer.field("lender_id", loan.terms.lenderID)
      writer.object("conversion") { options.writeMembers(to: &$0) }
      writer.object("convertible") { debt.writeMembers(to: &$0, loan.currency) }
      writer.field("reason", bar?.code)
      pricing?.writeMembers(to: &writer)
      writer.field("basis", conversion?.basis)
      writer.field("shares", conversion?.shares)
      writer.field("converted", conversion.map { Money($0.converted, loan.currency) })
    }
  }
}

extension ConversionExplanation {
  /// Both sides of a conversion see its record whole.
  func write(to writer: inout JSONWriter, _ row: ExplanationRow) {
    writer.object { writer in
      writer.field("id", LoanConversionID(row.subjectID))
      writer.field("loan_id", loanID)
      writer.field("lender_id", lenderID)
      writer.field("converted_on", convertedOn)
      writer.object("conversion") { options.writeMembers(to: &$0) }
      pricing.writeMembers(to: &writer)
      writer.object("convertible") { debt.writeMembers(to: &$0, currency) }
      writer.field("amount", Money(amount, currency))
      writer.field("basis", basis)
      writer.field("shares", shares)
      writer.field("converted", Money(converted, currency))
      writer.field("digest", row.digest)
      writer.field("bytes", row.bytes.hexadecimal)
    }
  }
}

extension LoanConversion {
  /// - Parameter digest: of its record; nil for one from before records were kept.
  package func write(to writer: inout JSONWriter, digest: SHA256Digest?) {
    writer.object { writer in
      writer.field("id", id)
      writer.field("loan_id", loanID)
      writer.field("funding_round_id", roundID)
      writer.field("lender_id", lenderID)
      writer.field("borrower_id", borrowerID)
      writer.field("amount", Money(amount, currency))
      writer.field("converted", Money(converted, currency))
      writer.field("shares", shares)
      // The lowest of these prices was taken.
      writer.field("basis", basis)
      writer.object("conversion") { options.writeMembers(to: &$0) }
      pricing.writeMembers(to: &writer)
      writer.field("converted_by", convertedBy)
      writer.field("converted_on", convertedOn)
      writer.field("digest", digest)
      writer.field("created_at", recordedAt)
    }
  }
}
