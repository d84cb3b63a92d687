// The kinds of things that have ids, with the prefixes that the HTTP interface fixes.

package enum OrganizationNoun: IdentifiedNoun { package static let prefix: StaticString = "org" }
package enum PersonNoun: IdentifiedNoun { package static let prefix: StaticString = "per" }
package enum APIKeyNoun: IdentifiedNoun { package static let prefix: StaticString = "key" }
package enum IdentityBindingNoun: IdentifiedNoun { package static let prefix: StaticString = "idb" }
package enum LotNoun: IdentifiedNoun { package static let prefix: StaticString = "lot" }
package enum ListingNoun: IdentifiedNoun { package static let prefix: StaticString = "lst" }
package enum LoanRequestNoun: IdentifiedNoun { package static let prefix: StaticString = "req" }
package enum MatchRoundNoun: IdentifiedNoun { package static let prefix: StaticString = "rnd" }
package enum OfferNoun: IdentifiedNoun { package static let prefix: StaticString = "off" }
package enum LoanNoun: IdentifiedNoun { package static let prefix: StaticString = "loan" }
package enum LoanEventNoun: IdentifiedNoun { package static let prefix: StaticString = "lev" }
package enum AmendmentNoun: IdentifiedNoun { package static let prefix: StaticString = "amd" }
package enum UnitNoun: IdentifiedNoun { package static let prefix: StaticString = "unit" }
package enum FundingRoundNoun: IdentifiedNoun { package static let prefix: StaticString = "fund" }
package enum ClosingNoun: IdentifiedNoun { package static let prefix: StaticString = "cls" }
package enum ClosingCorrectionNoun: IdentifiedNoun { package static let prefix: StaticString = "cor" }
package enum PrepaymentDeclineNoun: IdentifiedNoun { package static let prefix: StaticString = "dcl" }
package enum LoanAssignmentNoun: IdentifiedNoun { package static let prefix: StaticString = "asg" }
package enum WaterfallsNoun: IdentifiedNoun { package static let prefix: StaticString = "wfl" }
package enum ValuationNoun: IdentifiedNoun { package static let prefix: StaticString = "val" }
package enum MarkDisputeNoun: IdentifiedNoun { package static let prefix: StaticString = "dsp" }
package enum ValuationImportNoun: IdentifiedNoun { package static let prefix: StaticString = "imp" }
package enum RoundReportNoun: IdentifiedNoun { package static let prefix: StaticString = "rrp" }
package enum RunwayReportNoun: IdentifiedNoun { package static let prefix: StaticString = "rwy" }
package enum ChipQuoteNoun: IdentifiedNoun { package static let prefix: StaticString = "quo" }
package enum MarkSeriesNoun: IdentifiedNoun { package static let prefix: StaticString = "mser" }
package enum MarginCallNoun: IdentifiedNoun { package static let prefix: StaticString = "mgn" }
package enum MarginTestNoun: IdentifiedNoun { package static let prefix: StaticString = "mgt" }
package enum DepositActNoun: IdentifiedNoun { package static let prefix: StaticString = "dpa" }
package enum CashReceiptNoun: IdentifiedNoun { package static let prefix: StaticString = "rcpt" }
package enum ClawbackNoun: IdentifiedNoun { package static let prefix: StaticString = "clw" }
package enum TopUpNoun: IdentifiedNoun { package static let prefix: StaticString = "top" }
package enum BankStatementNoun: IdentifiedNoun { package static let prefix: StaticString = "stmt" }
package enum ReconciliationBreakNoun: IdentifiedNoun { package static let prefix: StaticString = "brk" }
package enum PayeeNoun: IdentifiedNoun { package static let prefix: StaticString = "payee" }
package enum PayoutNoun: IdentifiedNoun { package static let prefix: StaticString = "pay" }
package enum SettlementRunNoun: IdentifiedNoun { package static let prefix: StaticString = "run" }
package enum JournalEntryNoun: IdentifiedNoun { package static let prefix: StaticString = "jrn" }
package enum AccountNoun: IdentifiedNoun { package static let prefix: StaticString = "acc" }
package enum EventNoun: IdentifiedNoun { package static let prefix: StaticString = "evt" }
package enum WebhookNoun: IdentifiedNoun { package static let prefix: StaticString = "whk" }
package enum LicenceNoun: IdentifiedNoun { package static let prefix: StaticString = "lic" }
package enum VerdictNoun: IdentifiedNoun { package static let prefix: StaticString = "vdt" }
package enum FXRateNoun: IdentifiedNoun { package static let prefix: StaticString = "fx" }
package enum ControlChoiceNoun: IdentifiedNoun { package static let prefix: StaticString = "ctl" }
package enum LoanConversionNoun: IdentifiedNoun { package static let prefix: StaticString = "lcv" }
package enum FavouredClaimNoun: IdentifiedNoun { package static let prefix: StaticString = "mfn" }
package enum WarrantNoun: IdentifiedNoun { package static let prefix: StaticString = "wrt" }
package enum CashConversionNoun: IdentifiedNoun { package static let prefix: StaticString = "cnv" }
package enum RulePackNoun: IdentifiedNoun { package static let prefix: StaticString = "pack" }
package enum ScreeningDecisionNoun: IdentifiedNoun { package static let prefix: StaticString = "scd" }
package enum ComplianceItemNoun: IdentifiedNoun { package static let prefix: StaticString = "cmp" }
package enum ReferenceEntryNoun: IdentifiedNoun { package static let prefix: StaticString = "ref" }
package enum HeldActNoun: IdentifiedNoun { package static let prefix: StaticString = "held" }
package enum StatementNoun: IdentifiedNoun { package static let prefix: StaticString = "sdoc" }
package enum InvoiceNoun: IdentifiedNoun { package static let prefix: StaticString = "inv" }
package enum PenaltyNoun: IdentifiedNoun { package static let prefix: StaticString = "pen" }
package enum TaxCertificateNoun: IdentifiedNoun { package static let prefix: StaticString = "wht" }
package enum TaxLineNoun: IdentifiedNoun { package static let prefix: StaticString = "tax" }
package enum ReservePlanNoun: IdentifiedNoun { package static let prefix: StaticString = "rsv" }

package typealias OrganizationID = Identifier<OrganizationNoun>
package typealias PersonID = Identifier<PersonNoun>
package typealias APIKeyID = Identifier<APIKeyNoun>
package typealias IdentityBindingID = Identifier<IdentityBindingNoun>
package typealias LotID = Identifier<LotNoun>
package typealias ListingID = Identifier<ListingNoun>
package typealias LoanRequestID = Identifier<LoanRequestNoun>
package typealias MatchRoundID = Identifier<MatchRoundNoun>
package typealias OfferID = Identifier<OfferNoun>
package typealias LoanID = Identifier<LoanNoun>
package typealias LoanEventID = Identifier<LoanEventNoun>
package typealias AmendmentID = Identifier<AmendmentNoun>
package typealias PrepaymentDeclineID = Identifier<PrepaymentDeclineNoun>
package typealias LoanAssignmentID = Identifier<LoanAssignmentNoun>
package typealias UnitID = Identifier<UnitNoun>
package typealias FundingRoundID = Identifier<FundingRoundNoun>
package typealias ClosingID = Identifier<ClosingNoun>
package typealias ClosingCorrectionID = Identifier<ClosingCorrectionNoun>
package typealias WaterfallsID = Identifier<WaterfallsNoun>
package typealias ValuationID = Identifier<ValuationNoun>
package typealias MarkDisputeID = Identifier<MarkDisputeNoun>
package typealias ValuationImportID = Identifier<ValuationImportNoun>
package typealias RoundReportID = Identifier<RoundReportNoun>
package typealias RunwayReportID = Identifier<RunwayReportNoun>
package typealias ChipQuoteID = Identifier<ChipQuoteNoun>
package typealias MarkSeriesID = Identifier<MarkSeriesNoun>
package typealias MarginCallID = Identifier<MarginCallNoun>
package typealias MarginTestID = Identifier<MarginTestNoun>
package typealias DepositActID = Identifier<DepositActNoun>
package typealias CashReceiptID = Identifier<CashReceiptNoun>
package typealias ClawbackID = Identifier<ClawbackNoun>
package typealias TopUpID = Identifier<TopUpNoun>
package typealias BankStatementID = Identifier<BankStatementNoun>
package typealias ReconciliationBreakID = Identifier<ReconciliationBreakNoun>
package typealias PayeeID = Identifier<PayeeNoun>
package typealias PayoutID = Identifier<PayoutNoun>
package typealias SettlementRunID = Identifier<SettlementRunNoun>
package typealias JournalEntryID = Identifier<JournalEntryNoun>
package typealias AccountID = Identifier<AccountNoun>
package typealias WebhookID = Identifier<WebhookNoun>
package typealias EventID = Identifier<EventNoun>
package typealias LicenceID = Identifier<LicenceNoun>
package typealias VerdictID = Identifier<VerdictNoun>
package typealias FXRateID = Identifier<FXRateNoun>
package typealias ControlChoiceID = Identifier<ControlChoiceNoun>
package typealias LoanConversionID = Identifier<LoanConversionNoun>
package typealias FavouredClaimID = Identifier<FavouredClaimNoun>
package typealias WarrantID = Identifier<WarrantNoun>
package typealias CashConversionID = Identifier<CashConversionNoun>
package typealias RulePackID = Identifier<RulePackNoun>
package typealias ScreeningDecisionID = Identifier<ScreeningDecisionNoun>
package typealias ComplianceItemID = Identifier<ComplianceItemNoun>
package typealias ReferenceEntryID = Identifier<ReferenceEntryNoun>
package typealias HeldActID = Identifier<HeldActNoun>
package typealias StatementID = Identifier<StatementNoun>
package typealias InvoiceID = Identifier<InvoiceNoun>
package typealias PenaltyID = Identifier<PenaltyNoun>
package typealias TaxCertificateID = Identifier<TaxCertificateNoun>
package typealias TaxLineID = Identifier<TaxLineNoun>
package typealias ReservePlanID = Identifier<ReservePlanNoun>

/// A chip model of the catalogue by its stable name, for example `nvidia-a800-sxm4-80`: 1 to 64 of `a-z 0-9 - .`.
package struct ChipModelID: Sendable, Hashable, Comparable, CustomStringConvertible {
  package let value: String

  package init?(_ text: some StringProtocol) { self.init(String(text)) }

  /// Of a text as it is: rows have two of them each, and a generic parser is several times dearer than the whole.
  package init?(_ text: String) {
    var text = text
    let isOne = text.withUTF8 { bytes in
      (1...64).contains(bytes.count)
        && bytes.allSatisfy {
          ($0 >= 0x61 && $0 <= 0x7A) || ($0 >= 0x30 && $0 <= 0x39) || $0 == 0x2D || $0 == 0x2E
        }
    }
    guard isOne else { return nil }
    self.value = text
  }

  package var description: String { value }
  package static func < (left: Self, right: Self) -> Bool { left.value < right.value }
}

/// ISO 3166-1 alpha-2, upper case; only the shape is checked, the lists of scopes are data.
package struct CountryCode: Sendable, Hashable, Comparable, CustomStringConvertible {
  package let value: String

  package init?(_ text: some StringProtocol) { self.init(String(text)) }

  package init?(_ text: String) {
    var text = text
    let isOne = text.withUTF8 { $0.count == 2 && $0.allSatisfy { $0 >= 0x41 && $0 <= 0x5A } }
    guard isOne else { return nil }
    self.value = text
  }

  package var description: String { value }
  package static func < (left: Self, right: Self) -> Bool { left.value < right.value }
}
