import BankFiles
import Catalogue
import Interest
import Ledger
import Lending
import Matching
import Operations
import Parties
import Persistence
import Primitives
import Repayment
import Screening
import StrictJSON
import Valuation

/// The words that members of answers may be, each list as the code itself has it: `schema/api/answers.json` names them, so
/// that a new word of the code is a new word of the description. Lists grow: a client takes a word that it does not know as
/// a state of its own.
enum Vocabulary {
  static let all: [(name: String, words: [String])] = [
    ("APIKeyState", words(of: APIKey.State.self)),
    ("AccountCode", words(of: AccountCode.self)),
    ("ActKind", words(of: ActKind.self)),
    ("AllocationLimit", words(of: Allocation.Limit.self)),
    ("AmendmentTermsKind", words(of: AmendmentTerms.Kind.self)),
    ("ApprovalKind", words(of: Approval.Kind.self)),
    ("ApprovalState", words(of: Approval.State.self)),
    ("Assignability", words(of: Assignability.self)),
    ("BankItemKind", words(of: BankItem.Kind.self)),
    ("BusinessDayConvention", words(of: BusinessDayConvention.self)),
    ("BusinessDaysBasis", words(of: BusinessDays.Basis.self)),
    ("CashConversionState", words(of: CashConversion.State.self)),
    ("CashReceiptRemainderReason", words(of: CashReceipt.RemainderReason.self)),
    ("CashReceiptSuspenseReason", words(of: CashReceipt.SuspenseReason.self)),
    ("ChipQuoteKind", words(of: ChipQuote.Kind.self)),
    ("ClawbackOrder", words(of: Clawback.Order.self)),
    ("ClearingMethod", words(of: ClearingMethod.self)),
    ("ComplianceItemResolution", words(of: ComplianceItem.Resolution.self)),
    ("ComplianceItemSubjectKind", words(of: ComplianceItem.SubjectKind.self)),
    ("ComplianceItemSuggestion", words(of: ComplianceItem.Suggestion.self)),
    ("ConcentrationDimension", words(of: Concentration.Dimension.self)),
    ("ControlChoiceKind", words(of: ControlChoice.Kind.self)),
    ("ControlChoiceState", words(of: ControlChoice.State.self)),
    ("ConversionBasis", words(of: Conversion.Basis.self)),
    ("DayCountConvention", words(of: DayCountConvention.self)),
    ("DefaultCause", words(of: DefaultCause.self)),
    ("DeliveryMode", words(of: DeliveryMode.self)),
    ("DeliveryState", words(of: DeliveryState.self)),
    ("DepositActKind", words(of: DepositAct.Kind.self)),
    ("Duty", words(of: Duty.self)),
    ("EntryKind", words(of: EntryKind.self)),
    ("EntryStatus", words(of: EntryStatus.self)),
    ("ExplanationRowKind", words(of: ExplanationRow.Kind.self)),
    ("ExportClass", words(of: ExportClass.self)),
    ("ExportEffect", words(of: ExportEffect.self)),
    ("ExposureReportValuedLack", words(of: ExposureReport.Valued.Lack.self)),
    ("FXRateState", words(of: FXRateState.self)),
    ("FeeTaxRuleKind", words(of: FeeTaxRule.Kind.self)),
    ("FundingClosingState", words(of: FundingClosingState.self)),
    ("FundingRoundKind", words(of: FundingRoundKind.self)),
    ("FundingRoundState", words(of: FundingRoundState.self)),
    ("LegalForm", words(of: LegalForm.self)),
    ("ListingState", words(of: ListingState.self)),
    ("LoanAmendmentState", words(of: LoanAmendmentState.self)),
    ("LoanAssignmentState", words(of: LoanAssignmentState.self)),
    ("LoanDueCause", words(of: LoanDue.Cause.self)),
    ("LoanEnding", words(of: LoanEnding.self)),
    ("LoanExplanationField", words(of: LoanExplanation.Field.self)),
    ("LoanRequestState", words(of: LoanRequestState.self)),
    ("LoanReturnState", words(of: LoanReturnState.self)),
    ("LoanState", words(of: LoanState.self)),
    ("MarginCallState", words(of: MarginCall.State.self)),
    ("MarginTermsConsequence", words(of: MarginTerms.Consequence.self)),
    ("MarginTestRowOutcome", words(of: MarginTestRow.Outcome.self)),
    ("MarkConfidence", words(of: MarkConfidence.self)),
    ("MarkDisputeState", words(of: MarkDispute.State.self)),
    ("MarkProposalState", words(of: MarkProposal.State.self)),
    ("MarkSeriesRowState", words(of: MarkSeriesRow.State.self)),
    ("MatchConstraint", words(of: MatchConstraint.self)),
    ("MatchOutlookFill", words(of: MatchOutlook.Fill.self)),
    ("MatchingTermBucket", words(of: Matching.TermBucket.self)),
    ("MostFavouredNationExtent", words(of: MostFavouredNation.Extent.self)),
    ("MostFavouredNationTerm", words(of: MostFavouredNation.Term.self)),
    ("OfferState", words(of: OfferState.self)),
    ("OrderBookSide", words(of: OrderBook.Side.self)),
    ("PayeeState", words(of: Payee.State.self)),
    ("Possession", words(of: Possession.self)),
    ("QualifyingTestSubject", words(of: QualifyingTest.Subject.self)),
    ("RateIndexTermBucket", words(of: RateIndex.TermBucket.self)),
    ("ReceiptClawbackReason", words(of: ReceiptClawback.Reason.self)),
    ("ReceiptSource", words(of: ReceiptSource.self)),
    ("ReconciliationBreakRowState", words(of: ReconciliationBreakRow.State.self)),
    ("ReferenceEntryState", words(of: ReferenceEntry.State.self)),
    ("RegulatoryAct", words(of: RegulatoryAct.self)),
    ("RepaymentPattern", words(of: RepaymentPattern.self)),
    ("ReturnCondition", words(of: ReturnCondition.self)),
    ("ReturnCreditRule", words(of: ReturnCreditRule.self)),
    ("Role", words(of: Role.self)),
    ("RoundCertificate", words(of: RoundCertificate.self)),
    ("RoundClass", words(of: RoundClass.self)),
    ("RoundReportCertainty", words(of: RoundReport.Certainty.self)),
    ("RoundReportKind", words(of: RoundReport.Kind.self)),
    ("RoundReportNoMark", words(of: RoundReport.NoMark.self)),
    ("RoundReportStatus", words(of: RoundReport.Status.self)),
    ("Rounding", words(of: Rounding.self)),
    ("RuleEffect", words(of: RuleEffect.self)),
    ("RuleGrade", words(of: RuleGrade.self)),
    ("RulePackKind", words(of: RulePack.Kind.self)),
    ("RulePackState", words(of: RulePack.State.self)),
    ("RunApproval", words(of: RunApproval.self)),
    ("RunState", words(of: RunState.self)),
    ("ScreeningDecisionState", words(of: ScreeningDecision.State.self)),
    ("ScreeningGrade", words(of: ScreeningGrade.self)),
    ("ScreeningListEffect", words(of: ScreeningList.Effect.self)),
    ("SecondPersonState", words(of: SecondPersonState.self)),
    ("SettlementStep", words(of: SettlementStep.self)),
    ("SweepDuesCause", words(of: SweepDues.Cause.self)),
    ("SweepDuesLimit", words(of: SweepDues.Limit.self)),
    ("TaxCertificateState", words(of: TaxCertificate.State.self)),
    ("TaxTermsTreatment", words(of: TaxTerms.Treatment.self)),
    ("Title", words(of: Title.self)),
    ("UnitCondition", words(of: UnitCondition.self)),
    ("UnitEventKind", words(of: UnitEventKind.self)),
    ("ValuationBasis", words(of: ValuationBasis.self)),
    ("ValuationImportKind", words(of: ValuationImport.Kind.self)),
    ("ValuationMethod", words(of: ValuationMethod.self)),
    ("VendorClass", words(of: VendorClass.self)),
    ("VerdictEffect", words(of: VerdictEffect.self)),
    ("VerificationState", words(of: VerificationState.self)),
    ("WarrantExerciseKind", words(of: Warrant.Exercise.Kind.self)),
    ("WarrantOccasion", words(of: WarrantOccasion.self)),
    ("WarrantState", words(of: Warrant.State.self)),
    ("WaterfallDefinitionDeclinedTo", words(of: WaterfallDefinition.DeclinedTo.self)),
    ("WaterfallStep", words(of: WaterfallStep.self)),
    ("WebhookState", words(of: Webhook.State.self)),
    ("Workload", words(of: Workload.self)),
  ]

  private static func words<Word: RawRepresentable & CaseIterable>(of type: Word.Type) -> [String]
  where Word.RawValue == String { type.allCases.map(\.rawValue) }

  static func write(to writer: inout JSONWriter) {
    for (name, words) in all {
      writer.key(dynamic: name)
      writer.object { writer in
        writer.field("type", "string")
        writer.array("enum", words) { $0.string($1) }
      }
    }
  }
}
