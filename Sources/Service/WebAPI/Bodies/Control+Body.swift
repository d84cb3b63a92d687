import Lending
import Operations
import Primitives
import Repayment
import StrictJSON

extension ChooseAtControl {
  /// `loan_id`, `choice` (accelerate, assume, return), and for a return `quantity` or `serials`
  package static func parse(_ reader: inout ObjectReader, _ round: FundingRoundID) -> ChooseAtControl? {
    let loan = reader.id("loan_id", of: LoanNoun.self)
    let kind = reader.enumeration("choice", as: ControlChoice.Kind.self)
    let units = reader.units(isRequired: kind == .return)
    guard let loan, let kind else { return nil }
    if kind != .return {
      if units.count != nil {
        reader.fault("quantity", code: BodyFaultCode.conflict, detail: "is of a return only")
        return nil
      }
      return ChooseAtControl(roundID: round, loanID: loan, kind: kind)
    }
    guard let count = units.count else { return nil }
    return ChooseAtControl(roundID: round, loanID: loan, kind: kind, quantity: count, serials: units.serials)
  }
}

extension ControlChoice {
  package func write(to writer: inout JSONWriter) {
    writer.object { writeMembers(to: &$0) }
  }

  fileprivate func writeMembers(to writer: inout JSONWriter) {
    writer.field("id", id)
    writer.field("state", state)
    writer.field("funding_round_id", roundID)
    writer.field("loan_id", loanID)
    writer.field("borrower_id", borrowerID)
    writer.field("lender_id", lenderID)
    writer.field("acquirer_organization_id", acquirerID)
    writer.field("choice", kind)
    writer.field("quantity", quantity)
    writer.field("chosen_by", chosenBy)
    writer.field("chosen_on", chosenOn)
    writer.field("consented_by", consentedBy)
    writer.field("consented_on", consentedOn)
    writer.field("assumed_by", assumedBy)
    writer.field("done_on", doneOn)
    writer.field("into_loan_id", intoLoanID)
    writer.history(version: version, createdAt: createdAt, updatedAt: updatedAt)
  }
}

extension ChooseAtControl.Chosen {
  package func write(to writer: inout JSONWriter) {
    writer.object { writer in
      choice.writeMembers(to: &writer)
      writer.field("loan_state", loan.state)
      writer.field("due", due)
    }
  }
}

extension AssumeLoan.Assumed {
  package func write(to writer: inout JSONWriter) {
    writer.object { writer in
      choice.writeMembers(to: &writer)
      writer.field("effect", effect)
    }
  }
}
