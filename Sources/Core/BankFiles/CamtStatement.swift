import Primitives
import StrictXML

/// A statement as its members come in; `finish` holds that it adds up.
struct CamtStatement {
  private let line: Int
  private let path = "Document/BkToCstmrStmt/Stmt"
  private var id: String?
  private var electronicSequence: Int64?
  private var account: BankAccount?
  private var currency: Currency?
  private var balances: [(type: String, balance: BankStatement.Balance, node: StatementNode)] = []
  private var summary: StatementNode?
  private var entries: [CamtEntry] = []

  init(line: Int) { self.line = line }

  /// Takes one member. What is not read here is passed over.
  mutating func take(_ node: StatementNode) throws(StatementFault) {
    switch node.node.name {
    case "Id":
      if id != nil { throw node.fault(.repeated, "stands more than once") }
      id = try node.text()
    case "ElctrncSeqNb": electronicSequence = try node.whole()
    case "Acct":
      if account != nil { throw node.fault(.repeated, "stands more than once") }
      account = try node.account()
      if let member = try node.optional("Ccy") { currency = try Self.currency(of: member, try member.text()) }
    case "Bal": try takeBalance(node)
    case "TxsSummry":
      if summary != nil { throw node.fault(.repeated, "stands more than once") }
      summary = node
    case "Ntry":
      guard let currency else { throw node.fault(.missing, "an entry before the account's currency is known") }
      entries.append(try CamtEntry(node, number: entries.count + 1, currency: currency))
    default: break
    }
  }

  private static func currency(of node: StatementNode, _ code: String) throws(StatementFault) -> Currency {
    guard let currency = Currency(code) else { throw node.fault(.badValue, "is an unknown currency: \(code)") }
    return currency
  }

  /// Opening, previously closed, closing and interim balances; available, forward and proprietary ones are passed over.
  private mutating func takeBalance(_ node: StatementNode) throws(StatementFault) {
    let amount = try node.required("Amt")
    if currency == nil, let code = amount.node.tag[attribute: "Ccy"] {
      // The account's currency is optional in the message; its first balance tells it then.
      currency = try Self.currency(of: amount, code)
    }
    guard let currency else { throw amount.fault(.missing, "the attribute Ccy is missing") }
    guard let type = try node.required("Tp").required("CdOrPrtry").text("Cd"),
      ["OPBD", "PRCD", "CLBD", "ITBD"].contains(type)
    else { return }
    if type != "ITBD", balances.contains(where: { $0.type == type }) {
      throw node.fault(.repeated, "\(type) stands more than once")
    }
    let value = try amount.amount(of: currency)
    let balance = BankStatement.Balance(
      amount: try node.isCredit() ? value : -value, date: try node.required("Dt").date(), isInterim: type == "ITBD")
    balances.append((type, balance, node))
  }

  /// The statement, when it is whole and adds up.
  func finish() throws(StatementFault) -> BankStatement {
    guard let id else { throw missing("Id") }
    guard let account else { throw missing("Acct") }
    guard let currency else { throw missing("Bal") }
    let (opening, closing) = try ends()
    let statement = BankStatement(
      id: id, electronicSequence: electronicSequence, account: account, currency: currency, openingBalance: opening,
      closingBalance: closing, entries: entries.map(\.entry))
    if let summary { try StatementChecks.hold(summary, entries.map(\.entry), currency) }
    try StatementChecks.hold(statement) { number in
      number == 0 ? (line, path) : (entries[number - 1].line, "\(path)/Ntry")
    }
    return statement
  }

  /// Where the account stood before and where it stands after. The pages of a long statement join by interim balances:
  /// the first page opens with the opening balance, and the last closes with the closing one.
  private func ends() throws(StatementFault) -> (BankStatement.Balance, BankStatement.Balance) {
    func found(_ type: String) -> BankStatement.Balance? { balances.first { $0.type == type }?.balance }
    var interim = balances.filter { $0.type == "ITBD" }.map(\.balance)
    if let opened = found("OPBD"), let previous = found("PRCD"), opened.amount != previous.amount {
      throw balances.first { $0.type == "OPBD" }?.node.fault(
        .balancesDiffer, "the opening balance is not the previous closing balance") ?? missing("Bal")
    }
    let opening: BankStatement.Balance
    if let booked = found("OPBD") ?? found("PRCD") {
      opening = booked
    } else if !interim.isEmpty {
      opening = interim.removeFirst()
    } else {
      throw missing("Bal of type OPBD")
    }
    guard let closing = found("CLBD") ?? interim.last else { throw missing("Bal of type CLBD") }
    return (opening, closing)
  }

  private func missing(_ name: String) -> StatementFault {
    StatementFault(.missing, line: line, element: path, "\(name) is missing")
  }
}
