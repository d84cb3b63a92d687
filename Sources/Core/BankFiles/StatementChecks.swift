import Primitives

/// What must hold of a statement before anything is taken from it.
enum StatementChecks {
  /// Opening balance, booked entries and closing balance agree; no reference stands twice.
  /// - Parameter place: line and element of an entry by its number, of the statement for 0.
  static func hold(
    _ statement: BankStatement, place: (Int) -> (line: Int, element: String)
  ) throws(StatementFault) {
    var seen: Set<String> = []
    for entry in statement.entries {
      // A reversal may carry the reference of what it takes back.
      let keys = [("NtryRef", entry.reference), ("AcctSvcrRef", entry.bankReference)]
      for (name, reference) in keys {
        guard let reference else { continue }
        guard seen.insert("\(name) \(entry.isReversal) \(reference)").inserted else {
          let (line, element) = place(entry.number)
          throw StatementFault(
            .duplicateReference, line: line, element: element, "\(name) \(reference) stands twice in the statement")
        }
      }
    }
    let (line, element) = place(0)
    guard statement.openingBalance.date <= statement.closingBalance.date else {
      throw StatementFault(.badDate, line: line, element: element, "the statement closes before it opens")
    }
    let sum = Int128(statement.openingBalance.amount) + statement.booked
    guard sum == Int128(statement.closingBalance.amount) else {
      let digits = statement.currency.minorUnitDigits
      throw StatementFault(
        .balancesDiffer, line: line, element: element,
        "opening balance and booked entries come to \(DecimalAmount.text(sum, decimals: digits)), the closing balance "
          + "is \(DecimalAmount.text(statement.closingBalance.amount, statement.currency))")
    }
  }

  /// `TxsSummry`: numbers and sums of all entries, of money in, and of money out, as far as it states them.
  ///
  /// Whether pending entries count is left open by the standard, and banks differ. The figures must hold of all entries,
  /// or all of them must hold of the booked ones.
  static func hold(
    _ summary: StatementNode, _ entries: [StatementEntry], _ currency: Currency
  ) throws(StatementFault) {
    let booked = entries.filter { $0.status == .booked }
    do { try totals(summary, entries, currency) } catch {
      guard booked.count < entries.count else { throw error }
      try totals(summary, booked, currency)
    }
  }

  private static func totals(
    _ summary: StatementNode, _ entries: [StatementEntry], _ currency: Currency
  ) throws(StatementFault) {
    let parts = [
      ("TtlNtries", entries), ("TtlCdtNtries", entries.filter { $0.amount > 0 }),
      ("TtlDbtNtries", entries.filter { $0.amount < 0 }),
    ]
    for (name, part) in parts {
      guard let node = try summary.optional(name) else { continue }
      if let number = try node.optional("NbOfNtries") {
        let stated = try number.whole()
        // An entry of nothing is of either side.
        guard stated == Int64(part.count) || (name != "TtlNtries" && entries.contains { $0.amount == 0 }) else {
          throw number.fault(.totalsDiffer, "says \(stated), and \(part.count) are there")
        }
      }
      if let sum = try node.optional("Sum") {
        let found = part.reduce(Int128(0)) { $0 + Int128($1.amount.magnitude) }
        try hold(sum, Int128(try sum.amount(currency)), is: found, currency)
      }
    }
    guard let all = try summary.optional("TtlNtries") else { return }
    // A figure of its own until version 2, a group afterwards.
    let group = try all.optional("TtlNetNtry")
    let figure = try group == nil ? all.optional("TtlNetNtryAmt") : group?.optional("Amt")
    guard let net = figure else { return }
    let stated = Int128(try net.amount(currency))
    let found = entries.reduce(Int128(0)) { $0 + Int128($1.amount) }
    try hold(net, try (group ?? all).isCredit() ? stated : -stated, is: found, currency)
  }

  private static func hold(
    _ node: StatementNode, _ stated: Int128, is found: Int128, _ currency: Currency
  ) throws(StatementFault) {
    guard stated != found else { return }
    let digits = currency.minorUnitDigits
    throw node.fault(
      .totalsDiffer,
      "says \(DecimalAmount.text(stated, decimals: digits)), and the entries come to "
        + DecimalAmount.text(found, decimals: digits))
  }
}
