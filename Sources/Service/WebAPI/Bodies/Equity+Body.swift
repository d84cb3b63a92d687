import Lending
import Operations
import Persistence
import Primitives
import Repayment
import StrictJSON

extension CreateListing.Options {
  /// `conversion`? {`cap`?, `discount_bps`?, `share_of_debt_bps`}, `warrants`? (see ``Warrants/parse(_:)``),
  /// `most_favoured_nation`? {`extent` (term_by_term, whole_package), `through`? (a trade date)}; at least one.
  static func parse(_ reader: inout ObjectReader) -> CreateListing.Options? {
    let conversion = reader.optionalObject("conversion") { conversion -> Conversion? in
      let cap = conversion.optionalMoney("cap", BodyBounds.price)
      let discount = conversion.optionalRate("discount_bps", 0...9_999)
      let share = conversion.rate("share_of_debt_bps", 1...BodyBounds.shareBps.upperBound)
      return share.map { Conversion(cap: cap, discount: discount ?? BasisPoints(0), share: $0) }
    }
    let warrants = reader.optionalObject("warrants") { Warrants.parse(&$0) }
    let favoured = reader.optionalObject("most_favoured_nation") { clause -> MostFavouredNation? in
      let extent = clause.enumeration("extent", as: MostFavouredNation.Extent.self)
      let through = clause.optionalDate("through")
      return extent.map { MostFavouredNation(extent: $0, through: through) }
    }
    if !reader.has("conversion"), !reader.has("warrants"), !reader.has("most_favoured_nation") {
      reader.fault("conversion", code: BodyFaultCode.conflict, detail: "or another option is needed")
      return nil
    }
    return CreateListing.Options(conversion: conversion, warrants: warrants, mostFavoured: favoured)
  }
}

extension CreateListing.Options.Warrants {
  /// `coverage_bps`, `strike`? {`amount` (money), `shares`? (1)}, `expires_after_days`, `exercisable` (any_time,
  /// qualifying_round, change_of_control). Without a strike it is the price of the startup's next priced round.
  static func parse(_ reader: inout ObjectReader) -> Self? {
    let coverage = reader.rate("coverage_bps", 1...BodyBounds.shareBps.upperBound)
    let strike = reader.optionalObject("strike") { strike -> ListingWarrants.Strike? in
      let amount = strike.money("amount", BodyBounds.price)
      let shares = strike.optionalInt("shares", 1...Money.largestAccepted)
      guard let amount, let price = try? SharePrice(amount.amount, for: shares ?? 1) else { return nil }
      return ListingWarrants.Strike(price: price, currency: amount.currency)
    }
    let days = reader.int("expires_after_days", BodyBounds.days)
    let occasion = reader.enumeration("exercisable", as: WarrantOccasion.self)
    guard let coverage, let days, let occasion else { return nil }
    return Self(coverage: coverage, strike: strike, expiresAfterDays: days, occasion: occasion)
  }
}

extension ListingWarrants {
  func writeMembers(to writer: inout JSONWriter) {
    writer.field("coverage_bps", coverage)
    writer.object("strike", strike) { $1.price.writeMembers(to: &$0, $1.currency) }
    writer.field("expires_after_days", expiresAfterDays)
    writer.field("exercisable", occasion)
  }
}

extension SharePrice {
  /// Money for so many shares.
  fileprivate func writeMembers(to writer: inout JSONWriter, _ currency: Currency) {
    writer.field("amount", Money(minorUnits, currency))
    writer.field("shares", shares)
  }
}

extension ExerciseWarrant {
  /// `kind` (net, cash), `funding_round_id`?, and for cash `evidence`
  package static func parse(_ reader: inout ObjectReader, _ id: WarrantID, ifVersion: Int64?) -> ExerciseWarrant? {
    let kind = reader.enumeration("kind", as: Warrant.Exercise.Kind.self)
    let round = reader.optionalID("funding_round_id", of: FundingRoundNoun.self)
    let evidence = reader.optionalString("evidence", bytes: BodyBounds.evidence)
    switch kind {
    case .net:
      if reader.has("evidence") {
        reader.fault("evidence", code: BodyFaultCode.conflict, detail: "is of an exercise for cash only")
        return nil
      }
      return ExerciseWarrant(warrantID: id, way: .net, roundID: round, ifVersion: ifVersion)
    case .cash:
      guard let evidence else {
        if !reader.has("evidence") {
          reader.fault("evidence", code: BodyFaultCode.conflict, detail: "is needed for an exercise for cash")
        }
        return nil
      }
      return ExerciseWarrant(warrantID: id, way: .cash(evidence: evidence), roundID: round, ifVersion: ifVersion)
    case nil: return nil
    }
  }
}

extension AnswerWarrant {
  /// `reason`
  static func parseDispute(_ reader: inout ObjectReader, _ id: WarrantID, ifVersion: Int64?) -> AnswerWarrant? {
    reader.string("reason", bytes: BodyBounds.reason).map {
      AnswerWarrant(warrantID: id, answer: .dispute(reason: $0), ifVersion: ifVersion)
    }
  }
}

extension Warrant {
  package func write(to writer: inout JSONWriter) {
    writer.object { writer in
      writer.field("id", id)
      writer.field("state", state)
      writer.field("borrower_id", borrowerID)
      writer.field("lender_id", lenderID)
      writer.field("loan_id", loanID)
      writer.field("coverage_bps", coverage)
      writer.field("covered", covered)
      writer.object("strike", strike) { writer, strike in
        strike.price.writeMembers(to: &writer, covered.currency)
        writer.field("funding_round_id", strike.roundID)
      }
      writer.field("count", count)
      writer.field("exercisable", occasion)
      writer.field("issued_on", issuedOn)
      writer.field("expires_on", expiresOn)
      writer.object("exercise", exercise) { writer, exercise in
        writer.field("kind", exercise.kind)
        writer.field("funding_round_id", exercise.roundID)
        writer.object("share_price", exercise.price) { $1.writeMembers(to: &$0, covered.currency) }
        writer.field("shares", exercise.shares)
        writer.field("cost", Money(exercise.cost, covered.currency))
        writer.field("evidence", exercise.evidence)
        writer.field("exercised_by", exercise.by)
        writer.field("exercised_on", exercise.on)
        writer.field("confirmed_by", exercise.confirmedBy)
        writer.field("confirmed_on", exercise.confirmedOn)
      }
      writer.field("ended_on", endedOn)
      writer.history(version: version, createdAt: createdAt, updatedAt: updatedAt)
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
