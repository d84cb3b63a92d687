import Ledger
import Primitives

/// Writes books as a journal of plain-text accounting, in the dialect of hledger (https://hledger.org/hledger.html), so
/// that anybody can check our balances with a program that is not ours.
///
/// An account is written `custody:available:Beidou Search 0123456789ab`: the chart's code, then the book. So the balance
/// to the depth of the code is the trial balance over all books. The subject (a lot, a loan) is a tag of the posting:
/// `hledger balance --pivot subject` shows it. An entry is a transaction of its book; the two or three that record one
/// movement carry the same code, the entry's id.
///
/// Everything used is declared, so that `hledger check --strict` holds. Amounts are exact decimals: money with the
/// currency's decimals, chips as whole units of the commodity `"chip:nvidia-a800-sxm4-80"`.
package struct HledgerJournal: Sendable {
  private let names: BookNames

  package init(names: BookNames) { self.names = names }

  /// What the file is, and how numbers are written in it.
  /// - Parameters:
  ///   - asOf: the last business date that is in it; nil when all are.
  ///   - knownAt: nothing recorded later is in it; nil when all is.
  package func heading(asOf: CalendarDate?, knownAt: Instant?) -> String {
    """
    ; The books of ChipBridge\(asOf.map { " up to \($0)" } ?? "")\(knownAt.map { ", as known at \($0)" } ?? "").
    ; Debits are positive. Account names are the chart's codes, then the book.
    decimal-mark .


    """
  }

  /// The directive for a commodity: how many decimals it has.
  package func declaration(of asset: Asset) -> String {
    switch asset {
    case .currency(let currency):
      "commodity 1000.\(String(repeating: "0", count: currency.minorUnitDigits)) \(currency.code)\n"
    case .chip: "commodity 1000. \(Self.symbol(asset))\n"
    }
  }

  /// The directive for an account of a book, with its type (asset, liability, equity, revenue, expense) and meaning.
  package func declaration(of code: AccountCode, in book: OrganizationID) -> String {
    let type =
      switch code.kind {
      case .asset: "A"
      case .liability: "L"
      case .equity: "E"
      case .income: "R"
      case .expense: "X"
      }
    return "account \(account(code, book))  ; type:\(type), \(code.meaning)\n"
  }

  /// The transaction of an entry, with an empty line before it.
  package func transaction(_ entry: JournalEntry) -> String {
    let draft = entry.draft
    let kind = draft.kind.rawValue.split(separator: "_").joined(separator: " ")
    var text = """

      \(draft.businessDate) * (\(draft.id)) \(names[draft.book]) | \(kind)  ; book:\(draft.book), \
      seq:\(entry.sequence), recorded:\(entry.recordedAt), about:\(draft.subject)

      """
    for line in draft.lines {
      text += "    \(account(line.account.code, draft.book))  \(amount(line))"
      if let subject = Self.subject(of: line.account) { text += "  ; subject:\(subject)" }
      text += "\n"
    }
    return text
  }

  private func account(_ code: AccountCode, _ book: OrganizationID) -> String {
    code.rawValue.split(separator: ".").joined(separator: ":") + ":" + names[book]
  }

  private func amount(_ line: JournalLine) -> String {
    guard case .currency(let currency) = line.account.asset else {
      return "\(line.amount) \(Self.symbol(line.account.asset))"
    }
    let decimals = currency.minorUnitDigits
    var digits = String(line.amount.magnitude)
    while digits.utf8.count <= decimals { digits = "0" + digits }
    let whole = digits.dropLast(decimals)
    let number = decimals == 0 ? "\(whole)" : "\(whole).\(digits.suffix(decimals))"
    return "\(line.amount < 0 ? "-" : "")\(number) \(currency.code)"
  }

  /// Letters alone may stand bare; a chip's name has digits and is quoted.
  private static func symbol(_ asset: Asset) -> String {
    switch asset {
    case .currency(let currency): currency.code
    case .chip: "\"\(asset)\""
    }
  }

  private static func subject(of account: AccountRef) -> String? {
    guard account.subject != AccountRef.noSubject else { return nil }
    switch account.code.subject {
    case .lot: return "\(LotID(account.subject))"
    case .loan: return "\(LoanID(account.subject))"
    case .receipt: return "\(CashReceiptID(account.subject))"
    case .organization: return "\(OrganizationID(account.subject))"
    case .part where account.subject == AccountRef.feePart: return "fee"
    case .part where account.subject == AccountRef.principalPart: return "principal"
    case .none, .part: return "\(account.subject)"
    }
  }
}

/// The chart of accounts as comma-separated values.
package enum ChartOfAccounts {
  package static var csv: String {
    AccountCode.allCases.reduce("account,kind,subject,sign,meaning\n") { text, code in
      text + "\(code.rawValue),\(code.kind.rawValue),\(code.subject.rawValue),\(code.sign),\(code.meaning)\n"
    }
  }
}
