import BankFiles
import Operations
import Parties
import Persistence
import Primitives
import Repayment
import StrictJSON

extension ProposePayee {
  /// `currency`, `name`, `iban` or `account_number`, `bic`?
  ///
  /// An IBAN is told to be one: a mistyped one must not pass for an account number of a bank's own.
  package static func parse(_ reader: inout ObjectReader, _ organization: OrganizationID) -> ProposePayee? {
    let currency = reader.parsed(
      "currency", expected: "a currency by its three capital letters (ISO 4217)", bytes: 3...3
    ) { Currency($0) }
    let name = reader.string("name", bytes: BodyBounds.name)
    let iban = reader.optionalParsed(
      "iban", expected: "an IBAN in its electronic form, with its check digits", bytes: 15...34
    ) { IBAN($0) }
    let number = reader.optionalParsed(
      "account_number", expected: "1 to 34 characters, without spaces at the ends", bytes: 1...136
    ) { BankAccount(other: $0) }
    let agent = reader.optionalParsed("bic", expected: "a BIC of 8 or 11 characters (ISO 9362)", bytes: 8...11) {
      BIC($0)
    }
    switch (reader.has("iban"), reader.has("account_number")) {
    case (true, true):
      reader.fault("account_number", code: BodyFaultCode.conflict, detail: "must not stand beside iban")
    case (false, false):
      reader.fault("iban", code: JSONFaultCode.missing, detail: "is required where no account_number is given")
    default: break
    }
    guard let currency, let name, let account = iban.map({ BankAccount.iban($0) }) ?? number else { return nil }
    return ProposePayee(
      organizationID: organization, currency: currency, name: name, account: account, agent: agent)
  }
}

extension DecidePayee {
  /// `reason`
  package static func parseWithdraw(
    _ reader: inout ObjectReader, _ organization: OrganizationID, _ id: PayeeID, ifVersion: Int64?
  ) -> DecidePayee? {
    guard let reason = reader.string("reason", bytes: BodyBounds.reason) else { return nil }
    return DecidePayee(
      organizationID: organization, payeeID: id, act: .withdraw(reason: reason), ifVersion: ifVersion)
  }
}

extension Payee {
  package func write(to writer: inout JSONWriter) {
    writer.object { writer in
      writer.field("id", id)
      writer.field("organization_id", organizationID)
      writer.field("state", state)
      writer.field("currency", currency.code)
      writer.field("name", holder.name)
      if case .iban(let iban) = holder.account { writer.field("iban", iban.value) } else { writer.nullField("iban") }
      if case .other(let number) = holder.account {
        writer.field("account_number", number)
      } else {
        writer.nullField("account_number")
      }
      writer.field("bic", holder.agent?.value)
      writer.field("proposed_by", proposedBy)
      writer.field("verified_by", verifiedBy)
      writer.field("verified_at", verifiedAt)
      writer.field("usable_from", usableFrom)
      writer.field("withdrawn_by", withdrawnBy)
      writer.field("withdrawn_at", withdrawnAt)
      writer.field("reason", reason)
      writer.history(version: version, createdAt: createdAt, updatedAt: updatedAt)
    }
  }
}

extension PayoutOrders {
  /// What the file orders, and what it does not. The platform's own fee, and what is repaid of its advances, leave the
  /// client account by hand, under the references that reconciliation looks for.
  func write(to writer: inout JSONWriter) {
    writer.object { writer in
      writer.field("settlement_run_id", run.id)
      writer.array("orders", Array(zip(orders, payouts))) { writer, pair in
        writer.object { writer in
          writer.field("payout_id", pair.1.id)
          writer.field("lender_id", pair.1.lenderID)
          writer.field("end_to_end_id", pair.0.endToEndID)
          writer.field("amount", pair.0.amount)
          writer.field("execution_on", pair.0.executionDate)
          writer.field("name", pair.0.creditorName)
          writer.field("account", pair.0.creditorAccount.description)
        }
      }
      writer.array("without_payee", withoutPayee) { writer, unpaid in
        writer.object { writer in
          writer.field("payout_id", unpaid.payout.id)
          writer.field("lender_id", unpaid.payout.lenderID)
          writer.field("amount", Money(unpaid.payout.net, unpaid.payout.gross.currency))
          writer.field("why", unpaid.why)
        }
      }
      let fees = (payouts + withoutPayee.map(\.payout)).filter { $0.platformFee > 0 }.sorted { $0.id < $1.id }
      writer.array("platform_fees", fees) { writer, payout in
        writer.object { writer in
          writer.field("payout_id", payout.id)
          writer.field("reference", EndToEndReference.ofFee(payout.id))
          writer.field("amount", Money(payout.platformFee, payout.gross.currency))
        }
      }
      let repaid = (payouts + withoutPayee.map(\.payout)).filter { $0.netting.repaid > 0 }.sorted { $0.id < $1.id }
      writer.array("advances_repaid", repaid) { writer, payout in
        writer.object { writer in
          writer.field("payout_id", payout.id)
          writer.field("reference", EndToEndReference.ofRepaidAdvance(payout.id))
          writer.field("amount", Money(payout.netting.repaid, payout.gross.currency))
        }
      }
    }
  }
}
