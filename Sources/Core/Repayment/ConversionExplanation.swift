import Primitives

/// What a lender might convert of a loan, and from what it was found.
package struct ConvertibleDebt: Sendable, Hashable {
  /// Principal, fee and charges, minor units, without what was converted before.
  package let owed: Int64
  /// Of it, principal: fee and charges are paid in cash.
  package let principal: Int64
  /// Converted in the same round before.
  package let before: Int64
  /// What may be converted now: the share of all that was owed before the round's conversions, rounded down, less these;
  /// never more than the principal.
  package let most: Int64

  /// - Throws: `RepaymentRefusal` for amounts below zero, and past Int64.
  package init(owed: Int64, principal: Int64, before: Int64, share: BasisPoints) throws(RepaymentRefusal) {
    let owed = try nonNegative(owed, "debt")
    let principal = try nonNegative(principal, "principal")
    let before = try nonNegative(before, "converted debt")
    self.owed = owed
    self.principal = principal
    self.before = before
    let whole = try checked { () throws(ArithmeticOverflow) in
      try (Int128(owed) + Int128(before)).multiplied(by: Int128(share.value)).divided(by: 10_000, rounding: .down)
        .asInt64()
    }
    most = max(0, min(whole - before, principal))
  }
}

/// The record of one conversion of debt into shares: the right, the round's price, what might be converted, and what was.
/// Whoever has its bytes can convert again and see the same.
///
/// Bytes, in the sense of `CanonicalBytes`: the version, loan, lender, round, day, currency; listing, cap, discount and
/// share; price, its shares and the capitalisation; owed, principal, converted before, what might be; then amount, basis,
/// shares and what they cost. The digest is SHA-256 over them.
package struct ConversionExplanation: Sendable, Hashable {
  package let loanID: LoanID
  package let lenderID: OrganizationID
  package let roundID: FundingRoundID
  package let convertedOn: CalendarDate
  package let currency: Currency
  package let options: ListingOptions
  package let pricing: RoundPricing
  package let debt: ConvertibleDebt
  /// What the lender asked to convert, minor units.
  package let amount: Int64
  package let basis: Conversion.Basis
  package let shares: Int64
  package let converted: Int64

  private static let version = "conversion-1"

  package init(_ conversion: LoanConversion, of debt: ConvertibleDebt) {
    self.init(
      loanID: conversion.loanID, lenderID: conversion.lenderID, roundID: conversion.roundID,
      convertedOn: conversion.convertedOn, currency: conversion.currency, options: conversion.options,
      pricing: conversion.pricing, debt: debt, amount: conversion.amount, basis: conversion.basis,
      shares: conversion.shares, converted: conversion.converted)
  }

  private init(
    loanID: LoanID, lenderID: OrganizationID, roundID: FundingRoundID, convertedOn: CalendarDate, currency: Currency,
    options: ListingOptions, pricing: RoundPricing, debt: ConvertibleDebt, amount: Int64, basis: Conversion.Basis,
    shares: Int64, converted: Int64
  ) {
    self.loanID = loanID
    self.lenderID = lenderID
    self.roundID = roundID
    self.convertedOn = convertedOn
    self.currency = currency
    self.options = options
    self.pricing = pricing
    self.debt = debt
    self.amount = amount
    self.basis = basis
    self.shares = shares
    self.converted = converted
  }

  /// Whether converting again gives what is recorded, out of what might be converted.
  package var isReproduced: Bool {
    guard let again = try? LoanConversion.compute(amount, options: options, pricing: pricing),
      let most = try? ConvertibleDebt(
        owed: debt.owed, principal: debt.principal, before: debt.before, share: options.share)
    else { return false }
    return most == debt && amount <= debt.most && again.shares == shares && again.converted == converted
      && again.basis == basis && shares > 0
  }

  /// Whether it is the record of that conversion.
  package func tells(of conversion: LoanConversion) -> Bool {
    self == ConversionExplanation(conversion, of: debt)
  }

  package var digest: SHA256Digest { SHA256Digest(of: canonicalBytes) }

  package var canonicalBytes: [UInt8] {
    var bytes = CanonicalBytes()
    bytes.append(Self.version)
    for id in [loanID.value, lenderID.value, roundID.value] { bytes.append(id) }
    bytes.append(Int64(convertedOn.dayNumber))
    bytes.append(currency.code)
    bytes.append(options.listingID.value)
    bytes.append(optional: options.cap) { $0.append(money: $1) }
    for number in [
      options.discount.value, options.share.value, pricing.price.minorUnits, pricing.price.shares,
      pricing.capitalisation, debt.owed, debt.principal, debt.before, debt.most, amount,
    ] { bytes.append(number) }
    bytes.append(basis.rawValue)
    bytes.append(shares)
    bytes.append(converted)
    return bytes.bytes
  }

  /// Reads what `canonicalBytes` wrote. Whether it is true is another question: see `isReproduced`.
  package init(canonicalBytes: [UInt8]) throws(CanonicalBytesError) {
    var reader = CanonicalReader(canonicalBytes)
    try reader.expect(Self.version)
    let (loan, lender, round): (LoanID, OrganizationID, FundingRoundID) = (
      try reader.id(), try reader.id(), try reader.id()
    )
    let convertedOn = try reader.date()
    let currency = try reader.parsed("currency") { Currency($0) }
    let options = ListingOptions(
      listingID: try reader.id(), lenderID: lender,
      cap: try reader.optional { reader throws(CanonicalBytesError) in try reader.money() },
      discount: BasisPoints(try reader.int64()), share: BasisPoints(try reader.int64()))
    let (units, per, capitalisation) = (try reader.int64(), try reader.int64(), try reader.int64())
    guard let price = try? SharePrice(units, for: per),
      let pricing = try? RoundPricing(price: price, capitalisation: capitalisation)
    else { throw reader.invalid("price of a share") }
    let (owed, principal, before, most) = (
      try reader.int64(), try reader.int64(), try reader.int64(), try reader.int64()
    )
    let amount = try reader.int64()
    let basis: Conversion.Basis = try reader.word("basis")
    let (shares, converted) = (try reader.int64(), try reader.int64())
    try reader.finish()
    self.init(
      loanID: loan, lenderID: lender, roundID: round, convertedOn: convertedOn, currency: currency, options: options,
      pricing: pricing, debt: ConvertibleDebt(owed: owed, principal: principal, before: before, most: most),
      amount: amount, basis: basis, shares: shares, converted: converted)
    guard self.canonicalBytes == canonicalBytes else { throw .notCanonical }
  }
}

extension ConvertibleDebt {
  /// As a record says; see `ConversionExplanation.isReproduced`.
  fileprivate init(owed: Int64, principal: Int64, before: Int64, most: Int64) {
    self.owed = owed
    self.principal = principal
    self.before = before
    self.most = most
  }
}
