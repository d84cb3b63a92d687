import Primitives
import StrictXML

/// An entry of a camt.053 with the line it starts on.
struct CamtEntry {
  let entry: StatementEntry
  let line: Int

  init(_ node: StatementNode, number: Int, currency: Currency) throws(StatementFault) {
    line = node.node.line
    let isCredit = try node.isCredit()
    let amount = try node.required("Amt").amount(of: currency)
    let status = try Self.status(node)
    let isReversal = try node.optional("RvslInd")?.truth() ?? false
    let valueDate = try node.optional("ValDt")?.date()
    guard let bookingDate = try node.optional("BookgDt")?.date() ?? (status == .booked ? nil : valueDate) else {
      throw node.fault(.missing, "BookgDt is missing")
    }
    let signed = isCredit ? amount : -amount
    let reader = DetailReader(
      currency: currency, entry: node, amount: signed, isCredit: isCredit,
      // Who stands on the other side: a reversal names the parties of what it takes back.
      otherSide: isCredit != isReversal ? "Dbtr" : "Cdtr")
    entry = StatementEntry(
      number: number, amount: signed, status: status, isReversal: isReversal, bookingDate: bookingDate,
      valueDate: valueDate, reference: try node.text("NtryRef"), bankReference: try node.text("AcctSvcrRef"),
      transactionCode: try Self.transactionCode(node), details: try reader.details())
  }

  /// `Sts` is the code itself; from version 8 it holds `Cd`.
  private static func status(_ node: StatementNode) throws(StatementFault) -> EntryStatus {
    let member = try node.required("Sts")
    let code = member.node.children.isEmpty ? member : try member.required("Cd")
    let text = try code.text()
    guard let status = EntryStatus(rawValue: text) else { throw code.fault(.badValue, "is an unknown status: \(text)") }
    return status
  }

  private static func transactionCode(_ node: StatementNode) throws(StatementFault) -> String? {
    guard let code = try node.optional("BkTxCd") else { return nil }
    guard let domain = try code.optional("Domn") else { return try code.optional("Prtry")?.text("Cd") }
    let family = try domain.required("Fmly")
    let parts = [
      try domain.required("Cd").text(), try family.required("Cd").text(), try family.required("SubFmlyCd").text(),
    ]
    return parts.joined(separator: "/")
  }
}

/// Reads what an entry consists of.
private struct DetailReader {
  let currency: Currency
  let entry: StatementNode
  /// The entry's, signed.
  let amount: Int64
  let isCredit: Bool
  let otherSide: String

  /// What the details say of amounts.
  private struct Figures {
    /// Signed; nil where the detail gives none in the account's currency.
    let amount: Int64?
    /// What charges of the detail add, signed.
    let charges: Int64
  }

  func details() throws(StatementFault) -> [EntryDetail] {
    let groups = entry.all("NtryDtls")
    var details: [EntryDetail] = []
    var figures: [Figures] = []
    var last = entry
    for group in groups {
      let members = group.all("TxDtls")
      var own: [Figures] = []
      for member in members {
        own.append(try self.figures(member))
        details.append(try detail(member))
        last = member
      }
      if let batch = try group.optional("Btch") {
        try hold(batch, count: members.count, own, isOnly: groups.count == 1)
      }
      figures += own
    }
    guard !details.isEmpty else {
      var whole = EntryDetail(amount: amount)
      if let text = try entry.text("AddtlNtryInf") { whole.remittance = [text] }
      return [whole]
    }
    let amounts = try amounts(figures, last: last)
    for index in details.indices { details[index].amount = amounts[index] }
    return details
  }

  /// One amount a detail, which sum to the entry's. Where the gross amounts do not and charges that the file records
  /// make up for the difference, each detail is what came through after its charges.
  private func amounts(_ figures: [Figures], last: StatementNode) throws(StatementFault) -> [Int64] {
    if figures.count == 1, figures[0].amount == nil { return [amount] }
    var gross: [Int64] = []
    for figure in figures {
      guard let amount = figure.amount else {
        throw last.fault(.missing, "a detail of a batch has no amount in \(currency)")
      }
      gross.append(amount)
    }
    if Self.sum(gross) == Int128(amount) { return gross }
    let net = zip(gross, figures).map { $0 + $1.charges }
    if Self.sum(net) == Int128(amount) { return net }
    throw last.fault(
      .detailsDiffer,
      "the details sum to \(DecimalAmount.text(Self.sum(gross), decimals: currency.minorUnitDigits)), the entry is "
        + DecimalAmount.text(amount, currency))
  }

  private static func sum(_ amounts: [Int64]) -> Int128 { amounts.reduce(0) { $0 + Int128($1) } }

  private func hold(
    _ batch: StatementNode, count: Int, _ figures: [Figures], isOnly: Bool
  ) throws(StatementFault) {
    if let stated = try batch.optional("NbOfTxs"), count > 0 {
      let number = try stated.whole()
      if number != Int64(count) { throw stated.fault(.detailsDiffer, "says \(number), and \(count) are there") }
    }
    guard let total = try batch.optional("TtlAmt") else { return }
    let stated = try total.amount(of: currency)
    let isIn = batch.node.all("CdtDbtInd").isEmpty ? isCredit : try batch.isCredit()
    let signed = Int128(isIn ? stated : -stated)
    let known = figures.compactMap(\.amount)
    if count > 0, known.count == count {
      if Self.sum(known) != signed { throw total.fault(.detailsDiffer, "is not the sum of the details") }
    } else if isOnly, signed != Int128(amount) {
      throw total.fault(.detailsDiffer, "is not the amount of the entry")
    }
  }

  /// The amount in the account's currency: `Amt`, or `AmtDtls/TxAmt`, or, for what was not exchanged, `InstdAmt`.
  private func figures(_ node: StatementNode) throws(StatementFault) -> Figures {
    let isIn = node.node.all("CdtDbtInd").isEmpty ? isCredit : try node.isCredit()
    var amount = try node.optional("Amt")?.amount(of: currency)
    for name in ["TxAmt", "InstdAmt"] where amount == nil {
      amount = try node.optional(path: "AmtDtls", name, "Amt")?.amountIfSame(currency)
    }
    return Figures(amount: amount.map { isIn ? $0 : -$0 }, charges: try charges(node))
  }

  /// `Chrgs/Rcrd`, and before version 4 `Chrgs` themselves. A charge is a debit where it does not say otherwise.
  private func charges(_ node: StatementNode) throws(StatementFault) -> Int64 {
    var sum: Int64 = 0
    for member in node.all("Chrgs") {
      let records = member.node.all("Amt").isEmpty ? member.all("Rcrd") : [member]
      for record in records {
        guard let value = try record.required("Amt").amountIfSame(currency) else { continue }
        let isIn = record.node.all("CdtDbtInd").isEmpty ? false : try record.isCredit()
        // Both are at most 10^15, so that the sum, and that of an amount and its charges, cannot overflow.
        sum += isIn ? value : -value
        if sum.magnitude > Money.largestAccepted { throw record.fault(.amountTooLarge, "the charges are too large") }
      }
    }
    return sum
  }

  private func detail(_ node: StatementNode) throws(StatementFault) -> EntryDetail {
    var detail = EntryDetail(amount: amount)
    if let references = try node.optional("Refs") {
      let endToEnd = try references.text("EndToEndId")
      detail.endToEndID = endToEnd == "NOTPROVIDED" ? nil : endToEnd
      detail.instructionID = try references.text("InstrId")
      detail.messageID = try references.text("MsgId")
    }
    if let parties = try node.optional("RltdPties") {
      if let party = try parties.optional(otherSide) {
        detail.counterpartyName = try (party.optional("Pty") ?? party).text("Nm")
      }
      detail.counterpartyAccount = try parties.optional("\(otherSide)Acct")?.account()
    }
    if let remittance = try node.optional("RmtInf") {
      for line in remittance.all("Ustrd") { detail.remittance.append(try line.text()) }
      var references: [String] = []
      for structured in remittance.all("Strd") {
        if let reference = try structured.optional("CdtrRefInf")?.text("Ref") { references.append(reference) }
      }
      // One is the reference of the payment; several, of several invoices, are text to be looked through.
      if references.count == 1 { detail.creditorReference = references[0] } else { detail.remittance += references }
    }
    return detail
  }
}
