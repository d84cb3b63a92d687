import BankFiles
import Ledger
import Parties
import Postgres
import Primitives
import Repayment

/// What reconciliation works on: every statement, and the lines, items and breaks that are open.
package struct BankBook: Sendable {
  package var statements: [BankStatementRow] = []
  /// Booked lines that neither a match nor a person has closed.
  package var lines: [BankLineRow] = []
  /// Movements of the client accounts that no line has shown.
  package var items: [BankItem] = []
  /// Open breaks, and those about a statement as a whole, whatever their state: what a person has accepted of a statement
  /// is not asked again.
  package var breakIDs: [ReconciliationBreakID] = []

  package init() {}

  /// Takes over what a command did, so that the next one sees it.
  mutating func absorb(_ made: Made) throws(ArithmeticOverflow) {
    statements += made.bank.statements
    lines += made.bank.lines.filter { $0.status == .booked }
    for receipt in made.overlay.receipts.insertedRows { items += try BankItem.of(receipt) }
    // Money in suspense that turned out to be of a lender: it came before.
    for receipt in made.overlay.receipts.updatedRows.map(\.row) where receipt.claim.returned > 0 {
      let new = try BankItem.of(receipt).filter { $0.kind == .advanceReturned }
      items += new.filter { item in !items.contains { $0.key == item.key } }
    }
    for conversion in made.overlay.cashConversions.updatedRows.map(\.row) where conversion.state == .approved {
      items.append(
        try BankItem(conversion: conversion.id, amount: conversion.amount, on: conversion.convertedOn))
    }
    for payout in made.payouts {
      let currency = payout.gross.currency
      items += try BankItem.of(
        payout: payout.id, net: Money(payout.net, currency), platformFee: Money(payout.platformFee, currency),
        repaid: Money(payout.netting.repaid, currency), on: payout.businessDate)
    }
    for row in made.overlay.clawbacks.insertedRows + made.overlay.clawbacks.updatedRows.map(\.row) {
      guard let booking = row.booking, let receipt = made.overlay.receipts[row.receiptID] else { continue }
      items += try BankItem.of(
        clawback: row.id, amount: row.amount, reference: row.reference, receipt: (receipt.id, receipt.reference),
        advanced: Money(booking.advanced, row.amount.currency), on: booking.on)
    }
    for row in made.overlay.topUps.insertedRows + made.overlay.topUps.updatedRows.map(\.row) {
      if let on = row.bookedOn { items.append(BankItem(topUp: row, on: on)) }
    }
    let breaks = made.overlay.breaks
    breakIDs += breaks.insertedRows.map(\.id)
    let resolved = breaks.updatedRows.map(\.row).filter { $0.state == .resolved }
    let places = Set(made.bank.matches.map(\.place) + resolved.compactMap(\.place))
    let keys = Set(made.bank.matches.map(\.item.key))
    guard !places.isEmpty || !resolved.isEmpty else { return }
    lines.removeAll { places.contains($0.place) }
    items.removeAll { item in
      keys.contains(item.key) || resolved.contains { $0.itemKind == item.kind && $0.itemID == item.id }
    }
  }
}

/// What one command did to the record of the banks.
package struct BankChanges: Sendable {
  package var statements: [BankStatementRow] = []
  package var lines: [BankLineRow] = []
  package var matches: [ReconciliationMatch] = []

  package init() {}

  mutating func absorb(_ other: BankChanges) {
    statements += other.statements
    lines += other.lines
    matches += other.matches
  }
}

/// Minor units of the platform's accounts of client money at the end of a business date, as the journal says.
package struct ClientMoneyDay: Sendable, Hashable {
  /// What the client accounts hold, by currency.
  package var held: [Currency: Int64] = [:]
  /// What clients are owed, suspense and deposits included.
  package var owed: [Currency: Int64] = [:]

  package init() {}

  /// - Parameter amount: debit positive.
  mutating func add(_ code: AccountCode, _ currency: Currency, _ amount: Int64) throws(ArithmeticOverflow) {
    switch code {
    // What banks took beyond what was there is missing from what is held.
    case .bankClient, .payableBank: held[currency] = try held[currency, default: 0].adding(amount)
    case .clientMoney, .suspense, .depositHeld: owed[currency] = try owed[currency, default: 0].subtracting(amount)
    default: break
    }
  }
}

/// The statements behind `BankBook`.
package enum BankSQL {
  private static let allStatements = Statement(
    "bank_statements_all", Tables.bankStatements.selectList + "order by closed_on, id",
    columns: Tables.bankStatements.types)
  private static let openLines = Statement(
    "bank_lines_open",
    Tables.bankLines.selectList
      + """
      where status = 'BOOK' and not exists (
          select 1 from reconciliation_matches m where m.org_id = bank_statement_lines.org_id
            and m.statement_id = bank_statement_lines.statement_id and m.entry = bank_statement_lines.entry
            and m.detail = bank_statement_lines.detail)
        and not exists (
          select 1 from reconciliation_breaks b where b.org_id = bank_statement_lines.org_id and b.state = 'resolved'
            and b.statement_id = bank_statement_lines.statement_id and b.entry = bank_statement_lines.entry
            and b.detail = bank_statement_lines.detail)
      order by booked_on, statement_id, entry, detail
      """, columns: Tables.bankLines.types)
  private static let openBreaks = Statement(
    "reconciliation_breaks_to_do",
    Tables.reconciliationBreaks.selectList
      + "where state = 'open' or (item_id is null and entry is null and state = 'resolved') order by created_at, id",
    columns: Tables.reconciliationBreaks.types)
  /// Movements that no line was matched with, and that no person has closed; amounts as they were recorded.
  private static let openItems = Statement(
    "bank_items_open",
    """
    select i.kind, i.id, i.reference, i.amount, i.currency, i.on_date from (
      select 'receipt' as kind, id, reference, amount, currency, received_on as on_date from cash_receipts
      union all
      select 'conversion', id, null, amount, currency, converted_on from cash_conversions where state = 'approved'
      union all
      select 'payout', id, null, net, currency, business_date from payouts where net > 0
      union all
      select 'platform_fee', id, null, platform_fee, currency, business_date from payouts where platform_fee > 0
      union all
      select 'advance_repaid', id, null, advance_repaid, currency, business_date from payouts where advance_repaid > 0
      union all
      select 'advance_returned', id, null, advance_returned, currency, coalesce(assigned_on, received_on)
      from cash_receipts where advance_returned > 0
      union all
      select 'claw_back', b.id, coalesce(b.reference, r.reference, 'rcpt_' || r.id), b.amount, b.currency, b.booked_on
      from claw_backs b join cash_receipts r on r.org_id = b.org_id and r.id = b.receipt_id where b.state = 'approved'
      union all
      select 'advance', id, null, advanced, currency, booked_on from claw_backs where advanced > 0
      union all
      select 'top_up', id, reference, amount, currency, booked_on from client_money_top_ups where state = 'approved') i
    where not exists (
        select 1 from reconciliation_matches m where m.item_kind = i.kind and m.item_id = i.id)
      and not exists (
        select 1 from reconciliation_breaks b where b.item_kind = i.kind and b.item_id = i.id and b.state = 'resolved')
    order by i.on_date, i.id, i.kind
    """, columns: [.text, .uuid, .text, .int8, .text, .date])
  /// Items that earlier lines settled, by their references.
  private static let settledItems = Statement(
    "bank_items_settled",
    """
    select item_kind, item_id, reference, amount, currency, item_on from reconciliation_matches
    where reference = any($1) order by reference, item_id, item_kind
    """, parameters: [.textArray], columns: [.text, .uuid, .text, .int8, .text, .date])
  /// From the balances of now, less what was booked on later dates: days near today cost little.
  private static let clientMoney = Statement(
    "bank_client_money_on",
    """
    select a.account_code, a.asset, (sum(a.balance) - coalesce((
        select sum(l.amount) from journal_entries e join journal_lines l on l.org_id = e.org_id and l.entry_id = e.id
        where e.org_id = $1 and e.business_date > $2 and l.account_code = a.account_code and l.asset = a.asset), 0))::bigint
    from accounts a
    where a.org_id = $1 and a.account_code in (
      'bank.client', 'payable.bank', 'client_money', 'suspense', 'deposit.held')
    group by a.account_code, a.asset order by a.account_code, a.asset
    """, parameters: [.uuid, .date], columns: [.text, .text, .int8])

  package static var statements: [Statement] {
    [allStatements, openLines, openBreaks, openItems, settledItems, clientMoney]
  }

  /// Looks up the whole book.
  static var lookups: [Loader.Lookup] {
    [
      Loader.Lookup(query: Query(allStatements)) { result, state in
        state.bank = state.bank ?? BankBook()
        state.bank?.statements = try Tables.bankStatements.decode(result)
      },
      Loader.Lookup(query: Query(openLines)) { result, state in
        state.bank?.lines = try Tables.bankLines.decode(result)
      },
      Loader.Lookup(query: Query(openItems)) { result, state in
        state.bank?.items = try result.flatMap(decodeItems)
      },
      Loader.Lookup(query: Query(openBreaks)) { result, state in
        let rows = try Tables.reconciliationBreaks.decode(result)
        state.bank?.breakIDs = rows.map(\.id)
        for row in rows { state.shelves.breaks.load(row) }
      },
    ]
  }

  static func settled(_ references: Set<String>) -> Loader.Lookup {
    Loader.Lookup(query: Query(settledItems, [.textArray(references.sorted())])) { result, state in
      for reference in references where state.settledItems[reference] == nil { state.settledItems[reference] = [] }
      for row in result {
        var reader = RowReader(row)
        let item = BankItem(
          kind: try reader.value(), id: try reader.uuid(), reference: try reader.text(), amount: try reader.money(),
          on: try reader.date())
        if state.settledItems[item.reference]?.contains(item) == false {
          state.settledItems[item.reference]?.append(item)
        }
      }
    }
  }

  static func clientMoney(on date: CalendarDate) -> Loader.Lookup {
    Loader.Lookup(query: clientMoneyQuery(on: date)) { result, state in
      state.clientMoney[date] = try decodeClientMoney(result)
    }
  }

  package static func clientMoneyQuery(on date: CalendarDate) -> Query {
    Query(clientMoney, [.uuid(OrganizationID.platform.value.bits), .date(date.dayNumber)])
  }

  package static func decodeClientMoney(_ result: ResultSet) throws -> ClientMoneyDay {
    var day = ClientMoneyDay()
    for row in result {
      var reader = RowReader(row)
      let code: AccountCode = try reader.value()
      try day.add(code, try reader.currency(), try reader.int())
    }
    return day
  }

  private static func decodeItems(_ row: Row) throws -> [BankItem] {
    var reader = RowReader(row)
    let kind: BankItem.Kind = try reader.value()
    let id = try reader.uuid()
    let reference = try reader.textOrNull()
    let (amount, date) = (try reader.money(), try reader.date())
    let nothing = Money(0, amount.currency)
    switch kind {
    case .receipt: return [BankItem(receipt: CashReceiptID(id), reference: reference, amount: amount, on: date)]
    case .conversion: return [try BankItem(conversion: CashConversionID(id), amount: amount, on: date)]
    case .payout:
      return try BankItem.of(payout: PayoutID(id), net: amount, platformFee: nothing, repaid: nothing, on: date)
    case .platformFee:
      return try BankItem.of(payout: PayoutID(id), net: nothing, platformFee: amount, repaid: nothing, on: date)
    case .advanceRepaid:
      return try BankItem.of(payout: PayoutID(id), net: nothing, platformFee: nothing, repaid: amount, on: date)
    case .advanceReturned: return [try BankItem(returnedOf: CashReceiptID(id), amount, on: date)]
    case .clawBack:
      let out = Money(try Int64(0).subtracting(amount.amount), amount.currency)
      return [BankItem(kind: kind, id: id, reference: reference ?? "", amount: out, on: date)]
    case .advance:
      return [
        BankItem(
          kind: kind, id: id, reference: EndToEndReference.ofAdvance(ClawbackID(id)), amount: amount, on: date)
      ]
    case .topUp: return [BankItem(kind: kind, id: id, reference: reference ?? "", amount: amount, on: date)]
    }
  }
}
