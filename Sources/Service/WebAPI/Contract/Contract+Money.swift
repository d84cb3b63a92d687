import Operations
import Persistence
import Primitives
import Repayment
import WebSupport

// Rounds, receipts, payouts, the bank, currencies.
extension Contract {
  static let rounds: [OperationContract] = [
    .post("funding-rounds", "A startup reports a round, or an acquisition."),
    .get(
      "funding-rounds", "Rounds of the caller.",
      QueryParameter.page + [
        .words("state", FundingRoundState.self, "Only these.")
      ]),
    .get("funding-rounds/{id}", "One round and what its closings made due."),
    .post("funding-rounds/{id}/verify", "Staff has seen the evidence of a closing: loans that it sweeps are due."),
    .post("funding-rounds/{id}/reject", "What was reported is not so."),
    .post("funding-rounds/{id}/correct", "A closing was other than verified: what it made due is made again."),
    .post("funding-rounds/{id}/choices", "Asks the lenders of a startup that is acquired what they choose."),
    .get("funding-rounds/{id}/sweep-preview", "What a round would make due, loan by loan, before it is verified."),
    .get("funding-rounds/{id}/explanation", "What a round made due, and why so much."),
    .get(
      "startups/{id}/sweep-preview", "What rounds of these sizes on these days would leave of a startup's debt.",
      [
        QueryParameter("currency", .currency, "Of the round.", isRequired: true),
        .words("kind", FundingRoundKind.self, "Of the round; priced."),
        QueryParameter("amount", .integer(0...Money.largestAccepted), "New cash, in minor units."),
        QueryParameter(
          "amounts", .integers(0...Money.largestAccepted, most: SweepGrid.mostCells), "A grid of sizes, in minor units."
        ),
        QueryParameter("closed_on", .date, "The day of the closing; today."),
        QueryParameter("dates", .dates(most: SweepGrid.mostCells), "A grid of days."),
        QueryParameter("post_money", .integer(0...Money.largestAccepted), "Of a round of `amount`, in minor units."),
      ]),
    .get(
      "control-choices", "Questions put to lenders of startups that are acquired.",
      QueryParameter.page + [
        .words("state", ControlChoice.State.self, "Only these.")
      ]),
    .get("control-choices/{id}", "One question and its answer."),
    .post("control-choices/{id}/consent", "The lender agrees that the acquirer takes the debt over."),
    .post("control-choices/{id}/assume", "The acquirer takes the debt over."),
  ]

  static let money: [OperationContract] = [
    .post("cash-receipts", "Money came: it is divided among debts by the waterfall of its source. By staff."),
    .get(
      "cash-receipts", "Money that came.",
      QueryParameter.page + [
        QueryParameter(
          "source", .words(ReceiptSource.allCases.map(\.rawValue) + ["suspense"]),
          "Only of this source; `suspense` is what nobody could place yet.")
      ]),
    .get("cash-receipts/{id}", "One receipt and how it was divided."),
    .get("cash-receipts/{id}/explanation", "Why a receipt was divided as it was, step by step."),
    .post("cash-receipts/{id}/assign", "A person says whose money in suspense is."),
    .post("cash-receipts/{id}/convert", "Proposes to change money of a receipt into the currency of a debt."),
    .post("cash-receipts/{id}/claw-back", "A bank or a court took money back: what it paid is owed again."),
    .get("cash-receipts/{id}/claw-backs", "What was taken back of a receipt."),
    .post("cash-receipts/{id}/deposit-acts", "Proposes to give a deposit back, or to take it for what is due."),
    .get("claw-backs/{id}", "One act of taking back, and what each side owes for it."),
    .post("claw-backs/{id}/approve", "A second person agrees; the debts stand again."),
    .post("claw-backs/{id}/reject", "It is not done."),
    .get(
      "cash-conversions", "Money changed into another currency.",
      QueryParameter.page + [
        .words("state", CashConversion.State.self, "Only these.")
      ]),
    .get("cash-conversions/{id}", "One conversion, with its rate."),
    .post("cash-conversions/{id}/approve", "A second person agrees; it is posted."),
    .post("cash-conversions/{id}/reject", "It is not done."),
    .get(
      "payouts", "What was paid out to lenders.", QueryParameter.page + [currency, .expand(Expansions.payout)]),
    .get("payouts/{id}", "One payout.", [.expand(Expansions.payout)]),
    .get(
      "platform-invoices", "What the platform took of payouts.",
      QueryParameter.page + [currency, .expand(Expansions.invoice)]),
    .get("platform-invoices/{id}", "One invoice of the platform.", [.expand(Expansions.invoice)]),
    .post("client-money/top-ups", "Proposes own means for the accounts of client money."),
    .get(
      "client-money/top-ups", "Own means put into the accounts of client money.",
      QueryParameter.page + [
        .words("state", SecondPersonState.self, "Only these.")
      ]),
    .get("client-money/top-ups/{id}", "One such act."),
    .post("client-money/top-ups/{id}/approve", "A second person agrees; it is posted."),
    .post("client-money/top-ups/{id}/reject", "It is not done."),
    .post("startups/{id}/waterfalls", "States how money of a source is divided among a startup's debts. By staff."),
    .get("startups/{id}/waterfalls", "How money is divided among a startup's debts, by source."),
  ]

  static let bank: [OperationContract] = [
    .post("fx-rates", "Proposes a rate of two currencies on a day."),
    .upload("fx-rates/import", "Proposes rates from a comma-separated file, all or none."),
    .post("fx-rates/approve", "A second person vouches for many rates at once."),
    .get(
      "fx-rates", "The one rate of a day as known at a moment, or all with their states.",
      QueryParameter.page + [
        QueryParameter("base", .currency, "One unit of this."),
        QueryParameter("quote", .currency, "Costs so much of this."),
        QueryParameter("on", .date, "On this day, or the last before it that is not too old."), .knownAt,
        .words("state", FXRateState.self, "Only these, where no pair is asked for."),
      ]),
    .get("fx-rates/{id}", "One rate."),
    .post("fx-rates/{id}/approve", "A second person vouches for a rate."),
    .post("fx-rates/{id}/reject", "A rate is not used."),
    .upload(
      "bank-statements", "Takes a bank's statement, camt.053 or comma-separated, and compares it with the books."),
    .get("bank-statements", "Statements of the bank.", QueryParameter.page + [currency]),
    .get("bank-statements/{id}", "One statement with its lines and what each was matched with."),
    .get(
      "reconciliation-breaks", "What bank and books do not agree on.",
      QueryParameter.page + [
        .words("state", ReconciliationBreakRow.State.self, "Only these.")
      ]),
    .get("reconciliation-breaks/{id}", "One such difference."),
    .post("reconciliation-breaks/{id}/resolve", "A person says what a difference is."),
    .post("calendars", "Proposes a calendar of business days."),
    .get("calendars", "Calendars in force, and for staff those that wait."),
    .get("calendars/{id}", "One calendar."),
    .post("calendars/{id}/adopt", "A second person puts a calendar in force."),
    .post("calendars/{id}/reject", "A calendar is not wanted."),
    .get(
      "business-days", "Whether a currency settles on a day, and the days around it.",
      [
        QueryParameter("currency", .currency, "Whose calendar.", isRequired: true), .on,
      ]),
    .post("tax-rules", "Proposes a rule for taxes on fees."),
    .get(
      "tax-rules", "Rules for taxes on fees.",
      [
        QueryParameter("on", .date, "Only those that hold on this day."), .knownAt,
      ]),
    .get("tax-rules/{id}", "One rule."),
    .post("tax-rules/{id}/adopt", "A second person puts a rule in force."),
    .post("tax-rules/{id}/reject", "A rule is not wanted."),
    .get(
      "tax-report", "Taxes on an organisation's fees in a period, and what its tax accounts moved by.",
      [
        QueryParameter("from", .date, "The first day.", isRequired: true),
        QueryParameter("through", .date, "The last day.", isRequired: true), organization,
      ]),
  ]

  static let currency = QueryParameter("currency", .currency, "Only of this currency.")
  static let organization = QueryParameter(
    "organization_id", .identifier("org"), "Whose; the caller's own where it is left out.")
}
