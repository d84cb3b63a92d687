import Primitives
import PropertyKit
import Repayment
import Testing

@Suite("The record of a conversion")
struct ConversionExplanationTests {
  private func conversion(_ random: inout SplitMix64, of debt: ConvertibleDebt) throws -> LoanConversion? {
    guard debt.most > 0 else { return nil }
    let options = ListingOptions(
      listingID: ListingID(UUIDValue(high: 1, low: 1)), lenderID: OrganizationID(UUIDValue(high: 1, low: 2)),
      cap: random.oneIn(2) ? nil : Money(random.int64(in: 1...1_000_000_000), .usd),
      discount: BasisPoints(random.int64(in: 0...9_999)), share: BasisPoints(5_000))
    let pricing = try RoundPricing(
      price: SharePrice(random.int64(in: 1...1_000), for: random.int64(in: 1...10)),
      capitalisation: random.int64(in: 1...1_000_000))
    let amount = random.int64(in: 1...debt.most)
    let computed = try LoanConversion.compute(amount, options: options, pricing: pricing)
    guard computed.shares > 0 else { return nil }
    return LoanConversion(
      id: LoanConversionID(UUIDValue(high: 1, low: 3)), borrowerID: OrganizationID(UUIDValue(high: 1, low: 4)),
      lenderID: options.lenderID, loanID: loanID(5), roundID: FundingRoundID(UUIDValue(high: 1, low: 6)),
      options: options, pricing: pricing, currency: .usd, amount: amount, shares: computed.shares,
      converted: computed.converted, basis: computed.basis, convertedBy: PersonID(UUIDValue(high: 1, low: 7)),
      convertedOn: try day("2024-02-01"), recordedAt: .epoch)
  }

  @Test("its bytes read back as they were written, convert again to the same, and tell of no other conversion")
  func reproduced() throws {
    try forAll { random in
      let debt = try ConvertibleDebt(
        owed: random.int64(in: 0...1_000_000_000), principal: random.int64(in: 0...1_000_000_000),
        before: random.int64(in: 0...1_000_000), share: BasisPoints(5_000))
      guard let conversion = try conversion(&random, of: debt) else { return }
      let record = ConversionExplanation(conversion, of: debt)
      try hold(record.isReproduced && record.tells(of: conversion), "\(record)")
      let bytes = record.canonicalBytes
      let read = try ConversionExplanation(canonicalBytes: bytes)
      try hold(read == record && read.digest == record.digest, "read back differently")
      try hold((try? ConversionExplanation(canonicalBytes: Array(bytes.dropLast()))) == nil, "cut short")
      // The last number is what the shares cost.
      var forged = bytes
      forged[forged.count - 1] ^= 1
      let other = try ConversionExplanation(canonicalBytes: forged)
      try hold(!other.isReproduced && !other.tells(of: conversion), "a forged record stands")
    }
  }

  @Test("what may be converted is a share of all that was owed before, and never more than the principal")
  func share() throws {
    for (owed, principal, before, most) in [
      (1_001, 900, 0, 500), (1_001, 400, 0, 400), (700, 600, 301, 199), (0, 0, 0, 0), (10, 10, 500, 0),
    ] as [(Int64, Int64, Int64, Int64)] {
      let debt = try ConvertibleDebt(owed: owed, principal: principal, before: before, share: BasisPoints(5_000))
      #expect(debt.most == most)
    }
    #expect(throws: RepaymentRefusal.self) {
      try ConvertibleDebt(owed: -1, principal: 0, before: 0, share: BasisPoints(1))
    }
  }
}
