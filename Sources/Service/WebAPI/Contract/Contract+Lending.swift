import Lending
import Operations
import Repayment
import WebSupport

// Requests, rounds, offers, loans and what befalls them.
extension Contract {
  static let market: [OperationContract] = [
    .post(
      "loan-requests", "A startup asks for chips. With `validate_only` it learns what a round now would make of it."),
    .get(
      "loan-requests", "Requests of the caller.",
      QueryParameter.page + [
        .words("state", LoanRequestState.self, "Only these."), .expand(Expansions.loanRequest),
      ]),
    .get(
      "loan-requests/{id}", "One request, with the verdicts that hold it.", [.expand(Expansions.loanRequest)]),
    .post("loan-requests/{id}/cancel", "A request asks no more; what was matched stays matched."),
    .get(
      "loan-requests/{id}/explanation", "Why a request is not matched, and the smallest change that would match it."),
    .get(
      "offers", "Offers to and of the caller.",
      QueryParameter.page + [.words("state", OfferState.self, "Only these."), .expand(Expansions.offer)]),
    .get(
      "offers/{id}", "One offer: quantity, rate, mark, and until when it stands.", [.expand(Expansions.offer)]),
    .get("offers/{id}/options", "What shares an offer asks for beside its fee."),
    .post("offers/{id}/accept", "The startup takes an offer: the loan is agreed."),
    .post("offers/{id}/decline", "The startup leaves an offer; the chips are free again."),
    .post("match-rounds", "Plans a round that clears the market now. By staff; poll it until it has ended."),
    .get("match-rounds", "Rounds of the market. Parties see their own part.", QueryParameter.page),
    .get("match-rounds/{id}", "One round: objective, bound, certificate, clearing rates."),
    .compute("match-rounds/{id}/replay", "Runs a round again from its record and compares, bit for bit."),
    .get(
      "order-book", "Depth by rate, without names.",
      [
        QueryParameter("chip_model", .chipModel, "Only of this chip."),
        QueryParameter("region", .text(1...64), "Only in this region."),
      ]),
  ]

  static let loans: [OperationContract] = [
    .get(
      "loans", "Loans in which the caller has a part.",
      QueryParameter.page + [
        .words("state", LoanState.self, "Only these."), .expand(Expansions.loan),
      ]),
    .get("loans/{id}", "One loan: parties, terms, debt, chips.", [.expand(Expansions.loan)]),
    .get(
      "loans/{id}/timeline", "What happened to a loan and who did it, what was posted, and which verdicts were taken."),
    .get("loans/{id}/schedule", "The fee to come by month, and what is owed at maturity, if nothing is paid before."),
    .get("loans/{id}/payoff-quote", "What pays a loan off on a day, and what each day more costs.", [.on]),
    .get(
      "loans/{id}/explain", "A number of a loan, back to the entries it is made of.",
      [
        QueryParameter(
          "field", .words(LoanExplanation.Field.allCases.map(\.rawValue)), "Which number.", isRequired: true),
        .on,
      ]),
    .get("loans/{id}/options", "What shares a loan gives a right to."),
    .get("loans/{id}/units", "Numbered units in a loan, and what was said of units without numbers."),
    .get("loans/{id}/penalties", "Penalties of a loan, day by day, with their reason."),
    .post("loans/{id}/deliveries", "A side reports that chips came; when both have, they are on loan."),
    .post("loans/{id}/returns", "A side reports that chips went back; when both have, they are the lender's again."),
    .get("loans/{id}/returns", "Returns of a loan."),
    .post("loans/{id}/device-events", "Repair, replacement and loss of chips on loan."),
    .post("loans/{id}/casualty", "Chips on loan are lost: their value is due."),
    .post("loans/{id}/recall", "The lender asks for its chips back at the notice agreed."),
    .post("loans/{id}/recall/withdraw", "The lender asks no more."),
    .post("loans/{id}/default", "The lender declares what was agreed to be a default."),
    .post("loans/{id}/cure", "What made the default is put right."),
    .post("loans/{id}/accelerate", "After a default everything is due at once."),
    .post("loans/{id}/repossess", "The lender takes its chips back, with a verdict of the day."),
    .post("loans/{id}/dispose", "Chips taken back are sold; what they brought goes to the debt."),
    .post("loans/{id}/write-off", "The lender's accounts no longer count on a debt; the claim stands."),
    .post("loans/{id}/forgive", "The lender gives up a debt, or part of it."),
    .post("loans/{id}/freeze", "Staff stops everything about a loan, for a reason of compliance."),
    .post("loans/{id}/unfreeze", "A frozen loan goes on."),
    .post("loans/{id}/decline-prepayment", "A lender leaves its part of a sweep to the others."),
    .get("loans/{id}/lien-release", "What of a lender's security is released, and what it still waits for."),
    .post("loans/{id}/amendments", "One side proposes other terms: rate, term, pause, restructuring, substitution."),
    .get("loans/{id}/amendments", "Proposed and agreed changes of a loan."),
    .get("loans/{id}/amendments/{amendment}", "One change of a loan."),
    .post("loans/{id}/amendments/{amendment}/accept", "The other side agrees: the terms hold from their date on."),
    .post("loans/{id}/amendments/{amendment}/reject", "The other side does not agree."),
    .post("loans/{id}/amendments/{amendment}/withdraw", "The side that proposed takes it back."),
  ]

  static let loanSides: [OperationContract] = [
    .post("loans/{id}/assignments", "A lender offers a loan, or units of it, to another lender."),
    .get("loans/{id}/assignments", "Sales of a loan."),
    .get(
      "loan-assignments", "Sales of loans in which the caller has a part.",
      QueryParameter.page + [
        .words("state", LoanAssignmentState.self, "Only these.")
      ]),
    .get("loan-assignments/{id}", "One sale of a loan."),
    .post("loan-assignments/{id}/accept", "The buyer takes it."),
    .post("loan-assignments/{id}/reject", "The buyer does not take it."),
    .post("loan-assignments/{id}/withdraw", "The seller takes the offer back."),
    .post("loan-assignments/{id}/consent", "The startup, where it is asked, agrees to its new lender."),
    .post("loan-assignments/{id}/refuse", "The startup, where it is asked, does not agree."),
    .post("loan-assignments/{id}/settle", "The sale takes effect: claim, chips and security are the buyer's."),
    .get(
      "loans/{id}/most-favoured-nation", "Better terms that the startup gave since, as the clause of a loan shows them."
    ),
    .post("loans/{id}/most-favoured-nation/claim", "The lender asks for the better terms."),
    .post("loans/{id}/conversions", "The lender takes shares for debt, on the terms of its option."),
    .get("loans/{id}/conversions", "Debt of a loan that became shares."),
    .get(
      "warrants", "Warrants of and on the caller.",
      QueryParameter.page + [
        .words("state", Warrant.State.self, "Only these."), .expand(Expansions.warrant),
      ]),
    .get("warrants/{id}", "One warrant.", [.expand(Expansions.warrant)]),
    .get("loans/{id}/warrants", "Warrants that a loan gave."),
    .post("warrants/{id}/exercise", "The lender takes shares, for cash or for as many fewer."),
    .post("warrants/{id}/confirm", "The startup confirms that the shares were issued."),
    .post("warrants/{id}/dispute", "The startup says why it issues no shares."),
    .get("loans/{id}/tax-lines", "Tax on the fee of a loan, by rule and period."),
    .post("loans/{id}/tax-certificates", "The borrower shows what tax it kept back for the authority."),
    .get("loans/{id}/tax-certificates", "Certificates of tax kept back."),
    .post(
      "loans/{id}/tax-certificates/{certificate}/confirm", "Staff has seen the certificate: the debt is paid by it."),
    .post("loans/{id}/tax-certificates/{certificate}/reject", "The certificate proves nothing."),
  ]
}
