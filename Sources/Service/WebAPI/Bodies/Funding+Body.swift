import BankFiles
import Lending
import Operations
import Parties
import Persistence
import Primitives
import Repayment
import StrictJSON

extension ReportFundingRound {
  /// `kind`, `name`, `announced_on`, `amount`?, `pre_money`?, `post_money`?, `closings` (1 to 50), `acquirer`?,
  /// `acquirer_organization_id`?, `choose_by`?, `share_price`? with `capitalisation`?, `evidence`?
  /// All amounts are in one currency.
  package static func parse(_ reader: inout ObjectReader) -> ReportFundingRound? {
    let kind = reader.enumeration("kind", as: FundingRoundKind.self)
    let name = reader.string("name", bytes: BodyBounds.name)
    let announcedOn = reader.date("announced_on")
    let amount = reader.optionalMoney("amount", BodyBounds.amount)
    let preMoney = reader.optionalMoney("pre_money", BodyBounds.amount)
    let postMoney = reader.optionalMoney("post_money", BodyBounds.price)
    let closings = reader.objects("closings", count: 1...50) { closing -> (CalendarDate, Money)? in
      let closedOn = closing.date("closed_on")
      let cash = closing.money("net_new_cash", BodyBounds.amount)
      guard let closedOn, let cash else { return nil }
      return (closedOn, cash)
    }
    let acquirer = reader.optionalString("acquirer", bytes: BodyBounds.name)
    let acquirerID = reader.optionalID("acquirer_organization_id", of: OrganizationNoun.self)
    let chooseBy = reader.optionalDate("choose_by")
    let pricing = RoundPricing.parse(&reader)
    let evidence = reader.optionalString("evidence", bytes: BodyBounds.evidence)
    guard let kind, let name, let announcedOn, let closings, let currency = closings.first?.1.currency else {
      return nil
    }
    let amounts: [(StaticString, Money?)] = [("amount", amount), ("pre_money", preMoney), ("post_money", postMoney)]
    for (member, money) in amounts {
      if let money, money.currency != currency {
        reader.fault(member, code: BodyFaultCode.conflict, detail: "must be in the currency of the closings")
      }
    }
    if closings.contains(where: { $0.1.currency != currency }) {
      reader.fault("closings", code: BodyFaultCode.conflict, detail: "must be in one currency")
    }
    return ReportFundingRound(
      report: Report(
        kind: kind, name: name, announcedOn: announcedOn, currency: currency, amount: amount?.amount,
        preMoney: preMoney?.amount, postMoney: postMoney?.amount, acquirer: acquirer, acquirerID: acquirerID,
        chooseBy: chooseBy, pricing: pricing, evidence: evidence,
        closings: closings.map { (closedOn: $0.0, netNewCash: $0.1.amount) }))
  }
}

extension DecideFundingRound {
  /// `evidence`?
  package static func parseVerify(
    _ reader: inout ObjectReader, _ id: FundingRoundID, ifVersion: Int64?
  ) -> DecideFundingRound? {
    let evidence = reader.optionalString("evidence", bytes: BodyBounds.evidence)
    return DecideFundingRound(roundID: id, decision: .verify(evidence: evidence), ifVersion: ifVersion)
  }

  /// `reason`
  package static func parseReject(
    _ reader: inout ObjectReader, _ id: FundingRoundID, ifVersion: Int64?
  ) -> DecideFundingRound? {
    guard let reason = reader.string("reason", bytes: BodyBounds.reason) else { return nil }
    return DecideFundingRound(roundID: id, decision: .reject(reason: reason), ifVersion: ifVersion)
  }
}

extension ReportFundingRound.Reported {
  /// - Parameters:
  ///   - sweeps: loans that the round made due, as they stand now.
  ///   - conversions: debt that lenders took shares of the round for, each with the digest of its record.
  package func write(
    to writer: inout JSONWriter, sweeps: [Loan] = [],
    conversions: [(conversion: LoanConversion, digest: SHA256Digest?)] = []
  ) {
    writer.object { writer in
      writer.field("id", round.id)
      writer.field("state", round.state)
      writer.field("borrower_id", round.borrowerID)
      writer.field("kind", round.kind)
      writer.field("name", round.name)
      writer.field("announced_on", round.announcedOn)
      writer.field("amount", round.amount.map { Money($0, round.currency) })
      writer.field("pre_money", round.preMoney.map { Money($0, round.currency) })
      writer.field("post_money", round.postMoney.map { Money($0, round.currency) })
      writer.array("closings", closings) { writer, closing in
        writer.object { writer in
          writer.field("id", closing.id)
          writer.field("state", closing.state)
          writer.field("closed_on", closing.closedOn)
          writer.field("net_new_cash", closing.netNewCash)
          writer.field("swept_on", closing.sweptOn)
        }
      }
      writer.field("acquirer", round.acquirer)
      writer.field("acquirer_organization_id", round.acquirerID)
      writer.field("choose_by", round.chooseBy)
      round.pricing?.writeMembers(to: &writer)
      writer.field("evidence", round.evidence)
      writer.field("reported_by", round.reportedBy)
      writer.field("verified_by", round.verifiedBy)
      writer.field("decided_on", round.decidedOn)
      writer.field("reason", round.reason)
      writer.array("sweeps", sweeps) { writer, loan in
        writer.object { writer in
          writer.field("loan_id", loan.id)
          writer.field("lender_id", loan.terms.lenderID)
          writer.field("state", loan.state)
          writer.field("due", loan.due?.amount.map { Money($0, loan.currency) })
        }
      }
      writer.array("conversions", conversions) { writer, row in row.conversion.write(to: &writer, digest: row.digest) }
      writer.history(version: round.version, createdAt: round.createdAt, updatedAt: round.updatedAt)
    }
  }
}

extension RecordCashReceipt {
  /// `received_on`, `amount`, `source`, `payer_organization_id`?, `reference`?, and who paid as the bank shows it:
  /// `payer_name`?, `payer_account`? (an IBAN, or a bank's own number); `margin_call_id`? of the call that it is brought for;
  /// a deposit names that or the `loan_id` that it is pledged for
  package static func parse(_ reader: inout ObjectReader) -> RecordCashReceipt? {
    let receivedOn = reader.date("received_on")
    let amount = reader.money("amount", BodyBounds.price)
    let source = reader.enumeration("source", as: ReceiptSource.self)
    let payer = reader.optionalID("payer_organization_id", of: OrganizationNoun.self)
    let reference = reader.optionalString("reference", bytes: BodyBounds.reference)
    let name = reader.optionalString("payer_name", bytes: BodyBounds.name)
    let account = reader.optionalParsed(
      "payer_account", expected: "an IBAN, or 1 to 34 characters without spaces at the ends", bytes: 1...136
    ) { BankAccount($0) }
    let marginCall = reader.optionalID("margin_call_id", of: MarginCallNoun.self)
    if marginCall != nil, !reader.has("payer_organization_id") {
      reader.fault("margin_call_id", code: BodyFaultCode.conflict, detail: "belongs to a payer, who is not named")
    }
    let loan = reader.optionalID("loan_id", of: LoanNoun.self)
    if source == .deposit, reader.has("loan_id") == reader.has("margin_call_id") {
      reader.fault(
        "loan_id", code: BodyFaultCode.conflict, detail: "or margin_call_id, one of the two, is of a deposit")
    }
    if source != .deposit, loan != nil {
      reader.fault("loan_id", code: BodyFaultCode.conflict, detail: "is of a deposit only")
    }
    guard let receivedOn, let amount, let source else { return nil }
    let isNamed = name != nil || account != nil
    return RecordCashReceipt(
      receivedOn: receivedOn, amount: amount, source: source, payerID: payer, reference: reference,
      payer: isNamed ? CashReceipt.Payer(name: name, account: account?.description) : nil,
      marginCallID: marginCall, depositFor: loan)
  }
}

extension AssignCashReceipt {
  /// `payer_organization_id`
  package static func parse(
    _ reader: inout ObjectReader, _ id: CashReceiptID, ifVersion: Int64?
  ) -> AssignCashReceipt? {
    guard let payer = reader.id("payer_organization_id", of: OrganizationNoun.self) else { return nil }
    return AssignCashReceipt(receiptID: id, payerID: payer, ifVersion: ifVersion)
  }
}

extension RecordCashReceipt.Received {
  package func write(to writer: inout JSONWriter) { receipt.write(to: &writer, allocations: allocations) }
}

extension CashReceipt {
  package func write(to writer: inout JSONWriter, allocations: [AllocationRow]) {
    writer.object { writer in
      writer.field("id", id)
      writer.field("payer_organization_id", organizationID == .platform ? assignment?.payerID : organizationID)
      writer.field("received_on", receivedOn)
      writer.field("amount", amount)
      writer.field("source", source)
      writer.field("reference", reference)
      writer.array("allocations", allocations) { writer, row in
        writer.object { writer in
          writer.field("loan_id", row.loanID)
          writer.field("lender_id", row.lenderID)
          writer.field("step", row.step)
          writer.field("amount", row.amount)
        }
      }
      writer.field("margin_call_id", marginCallID)
      writer.object("deposit", deposit) { writer, deposit in
        writer.field("loan_id", deposit.loanID)
        writer.field("held", Money(deposit.held, amount.currency))
      }
      writer.field("remainder", Money(remainder, amount.currency))
      writer.field("remainder_reason", remainderReason)
      writer.field("converted", Money(converted, amount.currency))
      writer.field("clawed_back", Money(clawedBack, amount.currency))
      writer.field("claw_back_repaid", Money(claim.paid, amount.currency))
      writer.object("suspense", suspense) { writer, suspense in
        writer.field("reason", suspense.reason)
        writer.field("named_payer_id", suspense.namedPayer)
        writer.field("waits", assignment == nil && clawedBack < amount.amount)
      }
      writer.field("payer_name", payer?.name)
      writer.field("payer_account", payer?.account)
      writer.field("assigned_by", assignment?.by)
      writer.field("assigned_on", assignment?.on)
      writer.history(version: version, createdAt: createdAt, updatedAt: createdAt)
    }
  }
}

extension Payout {
  package func write(to writer: inout JSONWriter) {
    writer.object { writer in
      writer.field("id", id)
      writer.field("lender_id", lenderID)
      writer.field("business_date", businessDate)
      writer.field("gross", gross)
      writer.field("platform_fee", Money(platformFee, gross.currency))
      writer.field("clawback_netted", Money(netting.netted, gross.currency))
      writer.field("net", Money(net, gross.currency))
      writer.field("settlement_run_id", runID)
      writer.field("created_at", recordedAt)
    }
  }
}
