import Operations
import Persistence
import Primitives
import Repayment
import StrictJSON

/// Who looks at a sweep: the startup and those who read everything see all of it, a lender its own lines.
struct SweepView {
  /// nil: all lenders.
  let lender: OrganizationID?

  func shows(_ owner: OrganizationID) -> Bool { lender == nil || lender == owner }
}

extension StepAmounts {
  fileprivate func write(_ name: StaticString, _ currency: Currency, to writer: inout JSONWriter) {
    writer.object(name) { writer in
      writer.field("charges", Money(charges, currency))
      writer.field("tax", Money(tax, currency))
      writer.field("fee", Money(fee, currency))
      writer.field("principal", Money(principal, currency))
      writer.field("prepayment", Money(prepayment, currency))
    }
  }
}

extension CorrectFundingRound {
  /// `closing_id`, `net_new_cash`, `reason`
  static func parse(
    _ reader: inout ObjectReader, _ id: FundingRoundID, ifVersion: Int64?
  ) -> CorrectFundingRound? {
    let closing = reader.id("closing_id", of: ClosingNoun.self)
    let cash = reader.money("net_new_cash", BodyBounds.amount)
    let reason = reader.string("reason", bytes: BodyBounds.reason)
    guard let closing, let cash, let reason else { return nil }
    return CorrectFundingRound(
      roundID: id, closingID: closing, netNewCash: cash, reason: reason, ifVersion: ifVersion)
  }
}

extension CorrectFundingRound.Corrected {
  func write(to writer: inout JSONWriter) {
    writer.object { writer in
      writer.field("id", correction.id)
      writer.field("closing_id", correction.closingID)
      writer.field("was", Money(correction.was, correction.becomes.currency))
      writer.field("becomes", correction.becomes)
      writer.field("reason", correction.reason)
      writer.field("is_after_sweep", correction.isAfterSweep)
      writer.field("corrected_on", correction.correctedOn)
      writer.field("corrected_by", correction.correctedBy)
      writer.array("dues", lines) { writer, line in
        writer.object { writer in
          writer.field("loan_id", line.loanID)
          writer.field("lender_id", line.lenderID)
          writer.field("withdrawn", line.withdrawn)
          writer.field("kept", line.kept)
        }
      }
      writer.key("funding_round")
      reported.write(to: &writer)
    }
  }
}

extension DeclinePrepayment {
  /// `closing_id`
  static func parse(_ reader: inout ObjectReader, loanID: LoanID, ifVersion: Int64?) -> DeclinePrepayment? {
    reader.id("closing_id", of: ClosingNoun.self).map {
      DeclinePrepayment(loanID: loanID, closingID: $0, ifVersion: ifVersion)
    }
  }
}

extension DeclinedDues {
  /// A lender is shown what it declined, and what it is due because others did.
  func concerns(_ view: SweepView) -> Bool {
    view.shows(lenderID) || lines.contains { view.shows($0.lenderID) }
  }
}

extension PrepaymentDecline {
  func write(_ dues: DeclinedDues, to writer: inout JSONWriter, as view: SweepView) {
    let isOwn = view.shows(lenderID)
    writer.object { writer in
      writer.field("id", id)
      writer.field("closing_id", closingID)
      writer.field("loan_id", isOwn ? loanID : nil)
      writer.field("amount", isOwn ? amount : nil)
      writer.field("goes_to", goesTo)
      writer.field("declined_on", declinedOn)
      writer.field("deadline_on", dues.deadline)
      writer.array("due_instead", dues.lines.filter { view.shows($0.lenderID) }) { writer, line in
        writer.object { writer in
          writer.field("loan_id", line.loanID)
          writer.field("amount", Money(line.amount, amount.currency))
        }
      }
      writer.field("returned", view.lender == nil ? Money(returned, amount.currency) : nil)
      writer.field("digest", digest)
    }
  }
}

extension SetWaterfalls {
  /// `effective_on`, `evidence`, `waterfalls`?, `loans`? (see `IntercreditorTerms`)
  static func parse(_ reader: inout ObjectReader, _ startup: OrganizationID) -> SetWaterfalls? {
    let effectiveOn = reader.date("effective_on")
    let evidence = reader.string("evidence", bytes: BodyBounds.evidence)
    let terms = IntercreditorTerms(&reader)
    guard let effectiveOn, let evidence, let terms else { return nil }
    return SetWaterfalls(startupID: startup, effectiveOn: effectiveOn, terms: terms, evidence: evidence)
  }
}

extension StartupWaterfalls {
  /// - Parameter shows: the loans whose place is shown.
  func write(to writer: inout JSONWriter, shows: (LoanID) -> Bool = { _ in true }) {
    writer.object { writer in
      writer.field("id", id)
      writer.field("startup_id", borrowerID)
      writer.field("effective_on", effectiveOn)
      writer.field("evidence", evidence)
      terms.writeMembers(to: &writer, shows: shows)
      writer.field("set_by", setBy)
      writer.field("created_at", recordedAt)
    }
  }
}

extension SweepPreview {
  /// The members of a preview; the caller opens the object.
  func writeMembers(to writer: inout JSONWriter, _ currency: Currency, as view: SweepView, closings: Bool) {
    let isWhole = view.lender == nil
    writer.field("net_new_cash", isWhole ? Money(cash, currency) : nil)
    writer.field("paid", isWhole ? Money(spent, currency) : nil)
    writer.field("net_cash", isWhole ? Money(netCash, currency) : nil)
    writer.array("loans", loans.filter { view.shows($0.lenderID) }) { writer, loan in
      writer.object { writer in
        writer.field("loan_id", loan.loanID)
        writer.field("lender_id", loan.lenderID)
        loan.before.write("before", loan.currency, to: &writer)
        writer.field("due", Money(loan.due, loan.currency))
        loan.paid.write("paid", loan.currency, to: &writer)
        loan.after.write("after", loan.currency, to: &writer)
        writer.field("is_paid_off", loan.isPaidOff)
      }
    }
    writer.array("lenders", lenders.filter { view.shows($0.lenderID) }) { writer, take in
      writer.object { writer in
        writer.field("lender_id", take.lenderID)
        take.paid.write("paid", take.currency, to: &writer)
      }
    }
    guard closings else { return }
    writer.array("closings", steps) { writer, step in
      writer.object { writer in
        writer.field("closed_on", step.sweep.closing.closedOn)
        step.sweep.writeLines(to: &writer, as: view)
        writer.array("payments", step.payments) { writer, payment in
          writer.object { payment.writeLines(to: &$0, as: view) }
        }
      }
    }
  }
}

extension SweepGrid {
  func write(
    to writer: inout JSONWriter, _ startup: OrganizationID, _ asked: SweepQuestion, as view: SweepView,
    convertible: [EquityDesk.Outlook]
  ) {
    writer.object { writer in
      writer.field("startup_id", startup)
      writer.field("kind", asked.kind)
      writer.array("conversions", convertible) { $1.write(to: &$0) }
      writer.array("cells", cells) { writer, cell in
        writer.object { writer in
          writer.field("amount", Money(cell.netNewCash, asked.currency))
          writer.field("closed_on", cell.closedOn)
          cell.preview.writeMembers(to: &writer, asked.currency, as: view, closings: cells.count == 1)
        }
      }
    }
  }
}

extension SweepExplanation {
  /// Its pool, how covenants were tested, and each line with why it is what it is.
  func writeLines(to writer: inout JSONWriter, as view: SweepView) {
    let currency = closing.netNewCash.currency
    let isWhole = view.lender == nil
    writer.field("net_new_cash", isWhole ? closing.netNewCash : nil)
    writer.field("pool", isWhole ? dues.pool.map { Money($0, currency) } : nil)
    writer.field("cause", dues.cause)
    let own = Set(candidates.filter { view.shows($0.lenderID) }.map(\.loanID))
    writer.array("tests", tests.filter { isWhole || own.contains($0.loanID) }) { writer, test in
      writer.object { writer in
        writer.field("loan_id", test.loanID)
        writer.array("facts", test.facts) { writer, fact in
          writer.object { writer in
            writer.field("subject", fact.subject)
            writer.field("measured", fact.measured)
            writer.field("threshold", fact.threshold)
            writer.field("met", fact.met)
            writer.array("rates", fact.conversions) { writer, conversion in
              writer.object { writer in
                writer.field("amount", conversion.from)
                writer.field("converted", conversion.into)
                writer.field("rounding", conversion.rounding)
                conversion.rate.writeMembers(to: &writer)
              }
            }
          }
        }
      }
    }
    let ownDues = Dictionary(due.map { ($0.loanID, $0) }, uniquingKeysWith: { first, _ in first })
    writer.array("dues", zip(dues.lines, sentences).filter { view.shows($0.0.lenderID) }) { writer, pair in
      let (line, sentence) = pair
      writer.object { writer in
        writer.field("loan_id", line.loanID)
        writer.field("lender_id", line.lenderID)
        writer.field("amount", Money(line.amount, currency))
        writer.field("limit", line.limit)
        writer.field("sentence", sentence)
        // What is due in the loan's own currency, and the rate between the two.
        writer.field("due", ownDues[line.loanID]?.amount)
        if let conversion = ownDues[line.loanID]?.conversion {
          writer.object("rate") { conversion.rate.writeMembers(to: &$0) }
        } else {
          writer.nullField("rate")
        }
      }
    }
  }
}

extension AllocationExplanation {
  /// Each line of the division with why it is what it is.
  func writeLines(to writer: inout JSONWriter, as view: SweepView) {
    let isWhole = view.lender == nil
    writer.field("amount", isWhole ? amount : nil)
    writer.field("remainder", isWhole ? Money(allocation.remainder, amount.currency) : nil)
    writer.array("allocations", zip(allocation.lines, sentences).filter { view.shows($0.0.lenderID) }) { writer, pair in
      let (line, sentence) = pair
      writer.object { writer in
        writer.field("loan_id", line.loanID)
        writer.field("lender_id", line.lenderID)
        writer.field("step", line.step)
        writer.field("amount", Money(line.amount, amount.currency))
        writer.field("limit", line.limit)
        writer.field("sentence", sentence)
      }
    }
  }
}
