import Operations
import Persistence
import Valuation
import WebSupport

// Valuations, margin, runs, books.
typealias RiskDimension = Concentration.Dimension

extension Contract {
  private static let secondPerson = QueryParameter(
    "second_person", .boolean,
    "With `true` the mark is proposed (202), for another person to approve; always so where two are asked for.")
  private static let basis = QueryParameter.words(
    "basis", ValuationBasis.self, "What the amount is of; the subject's usual one.")
  private static let asOf = QueryParameter(
    "as_of", .date, "The one mark that held on this day; all where it is left out.")

  static let valuation: [OperationContract] = [
    .post("startups/{id}/valuations", "States what a startup was worth, with method and evidence.", [secondPerson]),
    .get(
      "startups/{id}/valuations", "What a startup was worth: every mark, or the one of a day as known at a moment.",
      [
        asOf, .knownAt, basis,
      ]),
    .get("startups/{id}/round-reports", "Rounds as reported of a startup, with what follows from them.", [.knownAt]),
    .post("startups/{id}/runway-reports", "A startup reports its cash and what it spends a month."),
    .get("startups/{id}/runway-reports", "Reported cash and spending.", QueryParameter.page),
    .get(
      "startups/{id}/borrowing-power", "What a startup could borrow, from valuation, chips and cash.", [.on, .knownAt]),
    .get("startups/{id}/exposure", "What a startup owes now, by currency.", exposure),
    .get("lenders/{id}/exposure", "What a lender is owed now, by currency.", exposure),
    .post("chip-models/{id}/marks", "States what a chip was worth on a day, by one basis.", [secondPerson]),
    .get(
      "chip-models/{id}/marks", "What a chip was worth: every mark, or the one of a day as known at a moment.",
      [
        asOf, .knownAt, basis,
      ]),
    .get("chip-models/{id}/marks/{mark}/explanation", "From which quotes and by which rule a mark follows."),
    .post(
      "chip-models/{id}/mark-series", "Declares how a chip is marked: basis, outliers, curve where quotes are missing."),
    .get("chip-models/{id}/mark-series", "How a chip is and was marked."),
    .post("mark-series/{id}/approve", "A second person puts a series in force."),
    .get("chip-quotes", "Quotes of chips, each with its source.", QueryParameter.page + [chipModelID]),
    .get(
      "rate-index", "What chips of a model cost to borrow, from cleared rounds.",
      [
        QueryParameter("chip_model", .chipModel, "Of which chip.", isRequired: true), .on,
      ]),
    .get(
      "valuations", "Of all subjects at once: the mark of each on a day, as known at a moment.",
      QueryParameter.page + [
        QueryParameter("subject", .words(["startups", "chip_models"]), "Which; startups."), .asOfDay, .knownAt, basis,
      ]),
    .post(
      "valuations/{id}/dispute", "A party to a mark says why it is wrong; until that is settled nobody trades on it."),
    .get(
      "valuation-proposals", "Marks that wait for a second person.",
      QueryParameter.page + [
        .words("state", MarkProposal.State.self, "Only these.")
      ]),
    .get("valuation-proposals/{id}", "One proposed mark."),
    .post("valuation-proposals/{id}/approve", "A person who earns nothing on it vouches for a mark."),
    .post("valuation-proposals/{id}/reject", "A mark is not recorded."),
    .get(
      "valuation-disputes", "Disputed marks.",
      QueryParameter.page + [
        .words("state", MarkDispute.State.self, "Only these.")
      ]),
    .get("valuation-disputes/{id}", "One dispute."),
    .post("valuation-disputes/{id}/withdraw", "Who disputed a mark no longer does."),
    .post("valuation-disputes/{id}/dismiss", "Staff finds that the mark stands."),
    .get(
      "valuation-imports", "Files of marks, quotes and rates that were read.",
      QueryParameter.page + [
        .words("kind", ValuationImport.Kind.self, "Only of this kind.")
      ]),
    .get("valuation-imports/{id}", "One import: progress, and what was wrong in which line."),
    .post("valuation-imports/{id}/approve", "A second person vouches for what was read."),
    .post("valuation-imports/{id}/reject", "What was read is not recorded."),
  ]

  private static let exposure = [
    QueryParameter("currency", .currency, "Adds it all up in this currency too, by the rates of the day.")
  ]

  static let margin: [OperationContract] = [
    .get(
      "margin-calls", "Calls for more cover.",
      QueryParameter.page + [
        QueryParameter(
          "state", .words(MarginCall.State.allCases.map(\.rawValue) + ["running", "ended"]), "Only these."),
        loan, .expand(Expansions.marginCall),
      ]),
    .get("margin-calls/{id}", "One call, from its test to its end.", [.expand(Expansions.marginCall)]),
    .post("margin-calls/{id}/agree", "The startup agrees to a call, or to part of it."),
    .post("margin-calls/{id}/dispute", "The startup says why a call asks too much."),
    .post("margin-calls/{id}/decide", "Staff decides a dispute."),
    .get(
      "margin-tests", "Tests of cover, one for each loan and day.",
      QueryParameter.page + [
        .words("outcome", MarginTestRow.Outcome.self, "Only these."), QueryParameter("on", .date, "Only of this day."),
        loan, .expand(Expansions.marginTest),
      ]),
    .get("margin-tests/{id}", "One test with its inputs.", [.expand(Expansions.marginTest)]),
    .get(
      "loans/{id}/coverage", "How well a loan is covered on a day, as known at a moment, each input named.",
      [
        .on, .knownAt,
      ]),
    .get(
      "deposit-acts", "Acts on deposits that startups pledged.",
      QueryParameter.page + [
        .words("state", SecondPersonState.self, "Only these."), loan, .expand(Expansions.depositAct),
      ]),
    .get("deposit-acts/{id}", "One act on a deposit.", [.expand(Expansions.depositAct)]),
    .post("deposit-acts/{id}/approve", "A second person agrees; it is posted."),
    .post("deposit-acts/{id}/reject", "It is not done."),
  ]

  private static let loan = QueryParameter("loan_id", .identifier("loan"), "Only of this loan.")

  static let settlement: [OperationContract] = [
    .post("settlement-runs", "Plans a job for a business date; poll it, or follow its events. By staff."),
    .get("settlement-runs", "Runs of jobs.", QueryParameter.page),
    .get("settlement-runs/{id}", "One run: progress, totals, and what it gave up."),
    .get("settlement-runs/{id}/events", "Progress of a run as server-sent events."),
    .post("settlement-runs/{id}/approve", "A second person lets a run go ahead with what its preview showed."),
    .post("settlement-runs/{id}/cancel", "A run does nothing more; what is done stays done."),
    .post("settlement-runs/{id}/resume", "A failed run goes on where it stopped."),
    .get("settlement-runs/{id}/payment-file", "What a run paid out, as a bank reads it: pain.001."),
    .get("settlement-runs/{id}/payment-orders", "What a run paid out, and what waits and why."),
    .get(
      "close-report", "Balances and movements of days that are closed.",
      [
        QueryParameter("from", .date, "The first day; the last."),
        QueryParameter("to", .date, "The last day; the last closed."),
      ]),
    .get("delinquency", "How late loans are, by lender, startup and bucket.", [.on]),
    .post("sandbox/clock", "Moves the business clock forward. In sandboxes only."),
    .get("sandbox/clock", "What time it is by the business clock."),
  ]

  static let books: [OperationContract] = [
    .get(
      "statements", "What an organisation was owed and owed at the end of a day, from its own book.",
      [.on, organization]),
    .get(
      "statement-documents", "Statements of a month, as they were issued.",
      QueryParameter.page + [
        QueryParameter("month", .month, "Only of this month.")
      ]),
    .get(
      "statement-documents/{id}", "One statement; the bytes that its digest is of.",
      [
        QueryParameter("format", .words(["json", "text"]), "As data, or to be read and printed; json.")
      ]),
    .get("ledger/accounts", "Accounts of a book with their balances.", [organization]),
    .get(
      "ledger/entries", "Journal entries.",
      QueryParameter.page + [
        QueryParameter("kind", .text(1...64), "Only of this kind.")
      ]),
    .get("ledger/entries/{id}/explanation", "The rule of an entry and what it was worked out of."),
    .get("ledger/trial-balance", "Debits and credits of every account at the end of a day.", [.on]),
    .get("ledger/clearing", "What passed through clearing accounts, and the oldest that has not.", [.on]),
    .get(
      "audit-log", "Who did what, and with what outcome.",
      QueryParameter.page + [
        QueryParameter("action", .text(1...64), "Only of this act.")
      ]),
    .get(
      "audit-log/checkpoints", "Signed statements of how far the audit log is sealed.",
      [.limit, QueryParameter("after", .integer(0...Int64.max), "The number of the last one that was seen; 0.")]),
  ]
}

extension QueryParameter {
  fileprivate static let asOfDay = QueryParameter("as_of", .date, "The day; today.")
}
