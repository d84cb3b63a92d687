import Primitives

/// An account of ours that payments leave from.
package struct DebtorAccount: Sendable, Hashable {
  package let name: String
  package let account: BankAccount
  /// Nil where the bank knows which it is.
  package let agent: BIC?

  package init(name: String, account: BankAccount, agent: BIC?) {
    self.name = name
    self.account = account
    self.agent = agent
  }
}

/// One credit transfer: a payout, netted per lender and currency by whoever asks for it.
package struct PaymentOrder: Sendable, Hashable {
  /// See ``EndToEndReference``; unique within the file.
  package let endToEndID: String
  /// More than zero.
  package let amount: Money
  package let debtor: DebtorAccount
  /// The day the bank is to execute it.
  package let executionDate: CalendarDate
  package let creditorName: String
  package let creditorAccount: BankAccount
  package let creditorAgent: BIC?
  /// One line of text for the payee, or none.
  package let remittance: String?

  package init(
    endToEndID: String, amount: Money, debtor: DebtorAccount, executionDate: CalendarDate, creditorName: String,
    creditorAccount: BankAccount, creditorAgent: BIC?, remittance: String?
  ) {
    self.endToEndID = endToEndID
    self.amount = amount
    self.debtor = debtor
    self.executionDate = executionDate
    self.creditorName = creditorName
    self.creditorAccount = creditorAccount
    self.creditorAgent = creditorAgent
    self.remittance = remittance
  }
}

/// Who bears the fees of the banks, as the whole file says it.
package enum ChargeBearer: String, Sendable, Hashable, CaseIterable {
  /// As the scheme says: what SEPA asks for.
  case serviceLevel = "SLEV"
  case shared = "SHAR"
  /// The payee gets the amount whole.
  case debtor = "DEBT"
}

/// A customer credit transfer initiation, ISO 20022 pain.001.001.09: what a bank is told to pay.
///
/// Payments are put into one `PmtInf` for each debtor account, currency and execution date, and stand in the order of
/// these and of their end-to-end ids, so that the same orders in any order make the same bytes. The file is written
/// whole or not at all.
package struct PaymentFile: Sendable {
  /// More than a bank takes in one file; a caller splits by itself.
  package static let mostPayments = 100_000

  private struct Batch: Hashable, Comparable {
    let debtor: DebtorAccount
    let currency: Currency
    let date: CalendarDate

    static func < (left: Batch, right: Batch) -> Bool {
      if left.debtor.account != right.debtor.account { return left.debtor.account < right.debtor.account }
      if left.currency != right.currency { return left.currency < right.currency }
      if left.date != right.date { return left.date < right.date }
      let (one, other) = (left.debtor.agent?.value ?? "", right.debtor.agent?.value ?? "")
      return one != other ? one < other : left.debtor.name < right.debtor.name
    }
  }

  private let messageID: String
  private let createdAt: Instant
  private let initiator: String
  private let chargeBearer: ChargeBearer
  private let batches: [(batch: Batch, payments: [PaymentOrder])]

  /// - Parameters:
  ///   - messageID: 1 to 30 characters, unique for us and the bank for months: by it a bank knows a file sent twice. Five
  ///     more are needed for the number of a batch.
  ///   - createdAt: business time, written in UTC without fraction.
  ///   - initiator: the name of who sends the file.
  /// - Throws: a fault with the field at fault; `payments[2]` is the third order as given.
  package init(
    messageID: String, createdAt: Instant, initiator: String, chargeBearer: ChargeBearer = .shared,
    payments: [PaymentOrder]
  ) throws(PaymentFault) {
    guard !payments.isEmpty else { throw PaymentFault(.noPayments, field: "payments", "has no payment") }
    guard payments.count <= Self.mostPayments else {
      throw PaymentFault(.tooMany, field: "payments", "has more than \(Self.mostPayments) payments")
    }
    self.messageID = try PaymentText.id(messageID, field: "message_id")
    guard messageID.utf8.count <= PaymentText.idLength - 5 else {
      throw PaymentFault(.tooLong, field: "message_id", "has more than \(PaymentText.idLength - 5) characters")
    }
    self.createdAt = createdAt
    self.initiator = try PaymentText.words(initiator, length: PaymentText.nameLength, field: "initiator")
    self.chargeBearer = chargeBearer
    var seen: Set<String> = []
    var groups: [Batch: [PaymentOrder]] = [:]
    for (index, payment) in payments.enumerated() {
      let carried = try payment.carried(field: "payments[\(index)]")
      guard seen.insert(carried.endToEndID).inserted else {
        throw PaymentFault(
          .duplicateReference, field: "payments[\(index)].end_to_end_id", "stands twice: \(carried.endToEndID)")
      }
      let batch = Batch(debtor: carried.debtor, currency: carried.amount.currency, date: carried.executionDate)
      groups[batch, default: []].append(carried)
    }
    guard groups.count <= 9_999 else { throw PaymentFault(.tooMany, field: "payments", "has more than 9999 batches") }
    batches = groups.sorted { $0.key < $1.key }.map { batch, payments in
      (batch, payments.sorted { $0.endToEndID < $1.endToEndID })
    }
  }

  /// The file: UTF-8, line feeds, two spaces of indentation.
  package var bytes: [UInt8] {
    var xml = PaymentXML()
    xml.open("Document", attributes: "xmlns=\"urn:iso:std:iso:20022:tech:xsd:pain.001.001.09\"")
    xml.open("CstmrCdtTrfInitn")
    xml.open("GrpHdr")
    xml.leaf("MsgId", messageID)
    let seconds = createdAt.microseconds - createdAt.microseconds % 1_000_000
    xml.leaf("CreDtTm", (Instant(microseconds: seconds) ?? createdAt).description)
    xml.leaf("NbOfTxs", String(batches.reduce(0) { $0 + $1.payments.count }))
    xml.leaf("CtrlSum", Self.controlSum(batches.flatMap(\.payments)))
    xml.open("InitgPty")
    xml.leaf("Nm", initiator)
    xml.close("InitgPty")
    xml.close("GrpHdr")
    for (index, batch) in batches.enumerated() { write(batch.batch, batch.payments, number: index + 1, to: &xml) }
    xml.close("CstmrCdtTrfInitn")
    xml.close("Document")
    return Array(xml.text.utf8)
  }

  private func write(_ batch: Batch, _ payments: [PaymentOrder], number: Int, to xml: inout PaymentXML) {
    xml.open("PmtInf")
    xml.leaf("PmtInfId", "\(messageID)-\(number)")
    xml.leaf("PmtMtd", "TRF")
    xml.leaf("NbOfTxs", String(payments.count))
    xml.leaf("CtrlSum", Self.controlSum(payments))
    xml.open("ReqdExctnDt")
    xml.leaf("Dt", batch.date.description)
    xml.close("ReqdExctnDt")
    xml.open("Dbtr")
    xml.leaf("Nm", batch.debtor.name)
    xml.close("Dbtr")
    xml.account("DbtrAcct", batch.debtor.account, currency: batch.currency)
    xml.agent("DbtrAgt", batch.debtor.agent)
    xml.leaf("ChrgBr", chargeBearer.rawValue)
    for payment in payments {
      xml.open("CdtTrfTxInf")
      xml.open("PmtId")
      xml.leaf("EndToEndId", payment.endToEndID)
      xml.close("PmtId")
      xml.open("Amt")
      let code = payment.amount.currency.code
      let amount = DecimalAmount.text(payment.amount.amount, payment.amount.currency)
      xml.leaf("InstdAmt", amount, attributes: "Ccy=\"\(code)\"")
      xml.close("Amt")
      if let agent = payment.creditorAgent { xml.agent("CdtrAgt", agent) }
      xml.open("Cdtr")
      xml.leaf("Nm", payment.creditorName)
      xml.close("Cdtr")
      xml.account("CdtrAcct", payment.creditorAccount, currency: nil)
      if let remittance = payment.remittance {
        xml.open("RmtInf")
        xml.leaf("Ustrd", remittance)
        xml.close("RmtInf")
      }
      xml.close("CdtTrfTxInf")
    }
    xml.close("PmtInf")
  }

  /// The sum of the amounts as numbers, whatever their currencies: what the standard asks for.
  private static func controlSum(_ payments: [PaymentOrder]) -> String {
    let decimals = payments.map(\.amount.currency.minorUnitDigits).max() ?? 0
    let sum = payments.reduce(Int128(0)) { sum, payment in
      var amount = Int128(payment.amount.amount)
      for _ in payment.amount.currency.minorUnitDigits..<decimals { amount *= 10 }
      return sum + amount
    }
    return DecimalAmount.text(sum, decimals: decimals)
  }
}

extension PaymentOrder {
  /// The order with its texts as payment systems carry them.
  fileprivate func carried(field: String) throws(PaymentFault) -> PaymentOrder {
    guard amount.amount > 0 else {
      throw PaymentFault(.notPositive, field: "\(field).amount", "is not more than zero")
    }
    guard amount.amount <= Money.largestAccepted else {
      throw PaymentFault(.amountTooLarge, field: "\(field).amount", "is above the largest amount")
    }
    func name(_ text: String, _ part: String) throws(PaymentFault) -> String {
      try PaymentText.words(text, length: PaymentText.nameLength, field: "\(field).\(part)")
    }
    func held(_ account: BankAccount, _ part: String) throws(PaymentFault) -> BankAccount {
      if case .other(let text) = account { _ = try PaymentText.id(text, field: "\(field).\(part)") }
      return account
    }
    var line: String?
    if let remittance {
      line = try PaymentText.words(
        remittance, length: PaymentText.remittanceLength, field: "\(field).remittance")
    }
    return PaymentOrder(
      endToEndID: try PaymentText.id(endToEndID, field: "\(field).end_to_end_id"), amount: amount,
      debtor: DebtorAccount(
        name: try name(debtor.name, "debtor_name"), account: try held(debtor.account, "debtor_account"),
        agent: debtor.agent),
      executionDate: executionDate, creditorName: try name(creditorName, "creditor_name"),
      creditorAccount: try held(creditorAccount, "creditor_account"), creditorAgent: creditorAgent, remittance: line)
  }
}

/// Elements with indentation. Texts come from the restricted set, of which only the apostrophe and quotes could touch
/// markup, and they may stand in text; so there is nothing to escape.
private struct PaymentXML {
  private(set) var text = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
  private var depth = 0

  mutating func open(_ name: String, attributes: String = "") {
    line("<\(name)\(attributes.isEmpty ? "" : " " + attributes)>")
    depth += 1
  }

  mutating func close(_ name: String) {
    depth -= 1
    line("</\(name)>")
  }

  mutating func leaf(_ name: String, _ value: String, attributes: String = "") {
    line("<\(name)\(attributes.isEmpty ? "" : " " + attributes)>\(value)</\(name)>")
  }

  mutating func account(_ name: String, _ account: BankAccount, currency: Currency?) {
    open(name)
    open("Id")
    switch account {
    case .iban(let iban): leaf("IBAN", iban.value)
    case .other(let id):
      open("Othr")
      leaf("Id", id)
      close("Othr")
    }
    close("Id")
    if let currency { leaf("Ccy", currency.code) }
    close(name)
  }

  /// The debtor's agent is not optional: a bank that needs none named is told so in the way the schemes agreed on.
  mutating func agent(_ name: String, _ agent: BIC?) {
    open(name)
    open("FinInstnId")
    if let agent {
      leaf("BICFI", agent.value)
    } else {
      open("Othr")
      leaf("Id", "NOTPROVIDED")
      close("Othr")
    }
    close("FinInstnId")
    close(name)
  }

  private mutating func line(_ content: String) {
    text += String(repeating: "  ", count: depth) + content + "\n"
  }
}
