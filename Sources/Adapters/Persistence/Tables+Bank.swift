import BankFiles
import Parties
import Postgres
import Primitives
import Repayment

/// A bank statement that was imported.
package struct BankStatementRow: Sendable, Hashable {
  package let id: BankStatementID
  /// The bank's name for it, unique for the account.
  package let statement: String
  package let account: BankAccount
  package let electronicSequence: Int64?
  package let opening: Money
  package let openedOn: CalendarDate
  package let closing: Money
  package let closedOn: CalendarDate
  package let fingerprint: SHA256Digest
  package let fileDigest: SHA256Digest
  package let lineCount: Int64
  package let importedBy: PersonID?
  package let createdAt: Instant

  package init(
    id: BankStatementID, statement: String, account: BankAccount, electronicSequence: Int64?, opening: Money,
    openedOn: CalendarDate, closing: Money, closedOn: CalendarDate, fingerprint: SHA256Digest,
    fileDigest: SHA256Digest, lineCount: Int64, importedBy: PersonID?, createdAt: Instant
  ) {
    self.id = id
    self.statement = statement
    self.account = account
    self.electronicSequence = electronicSequence
    self.opening = opening
    self.openedOn = openedOn
    self.closing = closing
    self.closedOn = closedOn
    self.fingerprint = fingerprint
    self.fileDigest = fileDigest
    self.lineCount = lineCount
    self.importedBy = importedBy
    self.createdAt = createdAt
  }
}

/// The place of a line: its statement, the entry, and the detail of the entry, from 1.
package struct BankPlace: Sendable, Hashable {
  package let statementID: BankStatementID
  package let entry: Int64
  package let detail: Int64

  package init(statementID: BankStatementID, entry: Int64, detail: Int64) {
    self.statementID = statementID
    self.entry = entry
    self.detail = detail
  }
}

/// One payment on an imported statement.
package struct BankLineRow: Sendable, Hashable {
  package let place: BankPlace
  /// Minor units, money in positive.
  package let amount: Money
  package let bookedOn: CalendarDate
  package let valueOn: CalendarDate?
  package let status: EntryStatus
  package let isReversal: Bool
  package let endToEndID: String?
  package let creditorReference: String?
  package let bankReference: String?
  package let transactionCode: String?
  package let counterpartyName: String?
  package let counterpartyAccount: BankAccount?
  package let remittance: [String]
  /// Everything that a reference of the books may be equal to, sorted.
  package let references: [String]

  package init(
    place: BankPlace, amount: Money, bookedOn: CalendarDate, valueOn: CalendarDate?, status: EntryStatus,
    isReversal: Bool, endToEndID: String?, creditorReference: String?, bankReference: String?,
    transactionCode: String?, counterpartyName: String?, counterpartyAccount: BankAccount?, remittance: [String],
    references: [String]
  ) {
    self.place = place
    self.amount = amount
    self.bookedOn = bookedOn
    self.valueOn = valueOn
    self.status = status
    self.isReversal = isReversal
    self.endToEndID = endToEndID
    self.creditorReference = creditorReference
    self.bankReference = bankReference
    self.transactionCode = transactionCode
    self.counterpartyName = counterpartyName
    self.counterpartyAccount = counterpartyAccount
    self.remittance = remittance
    self.references = references
  }
}

/// A movement of the client accounts that the books know of.
package struct BankItem: Sendable, Hashable {
  package enum Kind: String, Sendable, Hashable, CaseIterable {
    case receipt, payout
    /// The platform's share of a payout, which leaves the client account for the platform's own.
    case platformFee = "platform_fee"
    /// Money of a receipt that was taken back.
    case clawBack = "claw_back"
    /// The platform's own money, into the client account because of a claw-back.
    case advance
    /// What a lender's payout repaid of such money, out of the client account again.
    case advanceRepaid = "advance_repaid"
    /// What a lender that paid in cash repaid of it.
    case advanceReturned = "advance_returned"
    /// Own means that a person put into the client account.
    case topUp = "top_up"
    /// Money that left the client account of one currency for that of another.
    case conversion
  }

  package let kind: Kind
  /// The receipt, the payout, the claw-back, the top-up or the conversion.
  package let id: UUIDValue
  /// What the bank is to show.
  package let reference: String
  /// Minor units, money in positive.
  package let amount: Money
  package let on: CalendarDate

  package init(kind: Kind, id: UUIDValue, reference: String, amount: Money, on: CalendarDate) {
    self.kind = kind
    self.id = id
    self.reference = reference
    self.amount = amount
    self.on = on
  }

  /// A receipt without a reference is told by its own id, which no payer ever gives: it waits for a person.
  package init(receipt id: CashReceiptID, reference: String?, amount: Money, on: CalendarDate) {
    self.init(kind: .receipt, id: id.value, reference: reference ?? id.description, amount: amount, on: on)
  }

  /// The movements of money that arrived: what came, and what went on to the platform's own account, if a lender repaid an
  /// advance with it.
  package static func of(_ receipt: CashReceipt) throws(ArithmeticOverflow) -> [BankItem] {
    let came = BankItem(
      receipt: receipt.id, reference: receipt.reference, amount: receipt.amount, on: receipt.receivedOn)
    guard receipt.claim.returned > 0 else { return [came] }
    let on = receipt.assignment?.on ?? receipt.receivedOn
    return [came, try BankItem(returnedOf: receipt.id, Money(receipt.claim.returned, receipt.amount.currency), on: on)]
  }

  package init(returnedOf id: CashReceiptID, _ amount: Money, on: CalendarDate) throws(ArithmeticOverflow) {
    self.init(
      kind: .advanceReturned, id: id.value, reference: EndToEndReference.ofRepaidAdvance(id),
      amount: Money(try Int64(0).subtracting(amount.amount), amount.currency), on: on)
  }

  /// What a conversion takes out of the account; what it brings into another is a receipt.
  package init(conversion id: CashConversionID, amount: Money, on: CalendarDate) throws(ArithmeticOverflow) {
    self.init(
      kind: .conversion, id: id.value, reference: EndToEndReference.of(id),
      amount: Money(try Int64(0).subtracting(amount.amount), amount.currency), on: on)
  }

  /// The movements of a payout: the lender's net, and where there are such the platform's fee and what was repaid of an
  /// advance.
  package static func of(
    payout id: PayoutID, net: Money, platformFee: Money, repaid: Money, on: CalendarDate
  ) throws(ArithmeticOverflow) -> [BankItem] {
    let parts: [(Kind, String, Money)] = [
      (.payout, EndToEndReference.of(id), net), (.platformFee, EndToEndReference.ofFee(id), platformFee),
      (.advanceRepaid, EndToEndReference.ofRepaidAdvance(id), repaid),
    ]
    var items: [BankItem] = []
    for (kind, reference, part) in parts where part.amount != 0 {
      let out = Money(try Int64(0).subtracting(part.amount), part.currency)
      items.append(BankItem(kind: kind, id: id.value, reference: reference, amount: out, on: on))
    }
    return items
  }

  /// The movements of a claw-back: what was taken, which a bank shows under the receipt's own reference where nothing else
  /// is known, and what the platform put in.
  package static func of(
    clawback id: ClawbackID, amount: Money, reference: String?, receipt: (id: CashReceiptID, reference: String?),
    advanced: Money, on: CalendarDate
  ) throws(ArithmeticOverflow) -> [BankItem] {
    let out = Money(try Int64(0).subtracting(amount.amount), amount.currency)
    var items = [
      BankItem(
        kind: .clawBack, id: id.value, reference: reference ?? receipt.reference ?? receipt.id.description,
        amount: out, on: on)
    ]
    if advanced.amount > 0 {
      items.append(
        BankItem(
          kind: .advance, id: id.value, reference: EndToEndReference.ofAdvance(id), amount: advanced, on: on))
    }
    return items
  }

  package init(topUp row: ClientMoneyTopUp, on: CalendarDate) {
    self.init(kind: .topUp, id: row.id.value, reference: row.reference, amount: row.amount, on: on)
  }

  /// One value for each movement: those of one payout, or of one claw-back, are several items.
  package var key: UUIDValue {
    switch kind {
    case .receipt, .payout, .clawBack, .topUp, .conversion: id
    case .platformFee, .advance: UUIDValue(high: id.high, low: ~id.low)
    case .advanceRepaid, .advanceReturned: UUIDValue(high: ~id.high, low: id.low)
    }
  }
}

/// A line and an item of the books that agree.
package struct ReconciliationMatch: Sendable, Hashable {
  package let place: BankPlace
  package let item: BankItem
  package let matchedAt: Instant

  package init(place: BankPlace, item: BankItem, matchedAt: Instant) {
    self.place = place
    self.item = item
    self.matchedAt = matchedAt
  }
}

/// Something on a statement and in the books that does not simply agree.
package struct ReconciliationBreakRow: Sendable, Hashable {
  package enum State: String, Sendable, Hashable, CaseIterable {
    /// Successors: `resolved`, `settled`.
    case open
    /// A person looked into it and said what it was. Its line and its item are done with.
    case resolved
    /// A later pass found that it is so no more: what was lacking came.
    case settled
  }

  package let id: ReconciliationBreakID
  /// The stable name of the reason.
  package let reason: String
  /// nil for an item that no statement shows.
  package let statementID: BankStatementID?
  /// nil where it is about the statement as a whole.
  package let entry: Int64?
  package let detail: Int64?
  package let itemKind: BankItem.Kind?
  package let itemID: UUIDValue?
  /// The item's.
  package let reference: String?
  /// The line's, or the item's where there is no line, or the statement's opening balance.
  package let amount: Money
  package let on: CalendarDate
  /// Minor units that differ, days that it is late, or statements that are missing, as the reason says.
  package let measure: Int64?
  package let expectedCurrency: Currency?
  /// Items that might be meant: kind and id.
  package let candidates: [String]
  package var state: State
  package var note: String?
  package var resolvedBy: PersonID?
  package var decidedAt: Instant?
  package var version: Int64
  package let createdAt: Instant
  package var updatedAt: Instant

  package init(
    id: ReconciliationBreakID, reason: String, place: (BankStatementID?, entry: Int64?, detail: Int64?),
    item: (BankItem.Kind, UUIDValue)?, reference: String?, amount: Money, on: CalendarDate, measure: Int64?,
    expectedCurrency: Currency?, candidates: [String], state: State = .open, note: String? = nil,
    resolvedBy: PersonID? = nil, decidedAt: Instant? = nil, version: Int64 = 1, createdAt: Instant, updatedAt: Instant
  ) {
    self.id = id
    self.reason = reason
    (statementID, entry, detail) = place
    (itemKind, itemID) = (item?.0, item?.1)
    self.reference = reference
    self.amount = amount
    self.on = on
    self.measure = measure
    self.expectedCurrency = expectedCurrency
    self.candidates = candidates
    self.state = state
    self.note = note
    self.resolvedBy = resolvedBy
    self.decidedAt = decidedAt
    self.version = version
    self.createdAt = createdAt
    self.updatedAt = updatedAt
  }

  /// The line it is about, where it is about one.
  package var place: BankPlace? {
    guard let statementID, let entry, let detail else { return nil }
    return BankPlace(statementID: statementID, entry: entry, detail: detail)
  }
}

extension ReconciliationBreakRow: Stored {
  package mutating func stamp(_ now: Instant) { updatedAt = now }
}

extension Tables {
  package static let bankStatements = Table<BankStatementRow>(
    "bank_statements", sql: "bank_statements", key: ["org_id", "id"], idColumn: "id",
    columns: [
      .uuid("org_id") { _ in OrganizationID.platform.value },
      .uuid("id") { $0.id.value },
      .text("statement") { $0.statement },
      .text("account") { $0.account.description },
      .int8("electronic_sequence") { $0.electronicSequence },
      .int8("opening_amount") { $0.opening.amount },
      .text("currency") { $0.opening.currency.code },
      .date("opened_on") { $0.openedOn },
      .int8("closing_amount") { $0.closing.amount },
      .date("closed_on") { $0.closedOn },
      .bytes("fingerprint") { $0.fingerprint.bytes },
      .bytes("file_digest") { $0.fileDigest.bytes },
      .int8("line_count") { $0.lineCount },
      .uuidOrNull("imported_by") { $0.importedBy?.value },
      .instant("created_at") { $0.createdAt },
    ],
    names: ("bank_statements_by_id", "bank_statements_insert", nil)
  ) { row in
    _ = try row.uuid()
    let id: BankStatementID = try row.id()
    let statement = try row.text()
    let account = try row.parsed { BankAccount($0) }
    let sequence = try row.intOrNull()
    let opening = try row.money()
    let openedOn = try row.date()
    let closing = Money(try row.int(), opening.currency)
    return BankStatementRow(
      id: id, statement: statement, account: account, electronicSequence: sequence, opening: opening,
      openedOn: openedOn, closing: closing, closedOn: try row.date(), fingerprint: try row.digest(),
      fileDigest: try row.digest(), lineCount: try row.int(), importedBy: try row.idOrNull(),
      createdAt: try row.instant())
  }

  package static let bankLines = Table<BankLineRow>(
    "bank_statement_lines", sql: "bank_statement_lines", key: ["org_id", "statement_id", "entry", "detail"],
    idColumn: "statement_id",
    columns: [
      .uuid("org_id") { _ in OrganizationID.platform.value },
      .uuid("statement_id") { $0.place.statementID.value },
      .int8("entry") { $0.place.entry },
      .int8("detail") { $0.place.detail },
      .int8("amount") { $0.amount.amount },
      .text("currency") { $0.amount.currency.code },
      .date("booked_on") { $0.bookedOn },
      .date("value_on") { $0.valueOn },
      .text("status") { $0.status.rawValue },
      .bool("is_reversal") { $0.isReversal },
      .text("end_to_end_id") { $0.endToEndID },
      .text("creditor_reference") { $0.creditorReference },
      .text("bank_reference") { $0.bankReference },
      .text("transaction_code") { $0.transactionCode },
      .text("counterparty_name") { $0.counterpartyName },
      .text("counterparty_account") { $0.counterpartyAccount?.description },
      .texts("remittance") { $0.remittance },
      .texts("references_carried") { $0.references },
    ],
    names: ("bank_lines_of_statements", "bank_lines_insert", nil)
  ) { row in
    _ = try row.uuid()
    return BankLineRow(
      place: BankPlace(statementID: try row.id(), entry: try row.int(), detail: try row.int()),
      amount: try row.money(), bookedOn: try row.date(), valueOn: try row.dateOrNull(), status: try row.value(),
      isReversal: try row.bool(), endToEndID: try row.textOrNull(), creditorReference: try row.textOrNull(),
      bankReference: try row.textOrNull(), transactionCode: try row.textOrNull(),
      counterpartyName: try row.textOrNull(), counterpartyAccount: try row.parsedOrNull { BankAccount($0) },
      remittance: try row.texts(), references: try row.texts())
  }

  package static let reconciliationMatches = Table<ReconciliationMatch>(
    "reconciliation_matches", sql: "reconciliation_matches", key: ["org_id", "statement_id", "entry", "detail"],
    idColumn: "statement_id",
    columns: [
      .uuid("org_id") { _ in OrganizationID.platform.value },
      .uuid("statement_id") { $0.place.statementID.value },
      .int8("entry") { $0.place.entry },
      .int8("detail") { $0.place.detail },
      .text("item_kind") { $0.item.kind.rawValue },
      .uuid("item_id") { $0.item.id },
      .text("reference") { $0.item.reference },
      .int8("amount") { $0.item.amount.amount },
      .text("currency") { $0.item.amount.currency.code },
      .date("item_on") { $0.item.on },
      .instant("matched_at") { $0.matchedAt },
    ],
    names: ("reconciliation_matches_of_statements", "reconciliation_matches_insert", nil)
  ) { row in
    _ = try row.uuid()
    let place = BankPlace(statementID: try row.id(), entry: try row.int(), detail: try row.int())
    let item = BankItem(
      kind: try row.value(), id: try row.uuid(), reference: try row.text(), amount: try row.money(),
      on: try row.date())
    return ReconciliationMatch(place: place, item: item, matchedAt: try row.instant())
  }

  package static let reconciliationBreaks = Table<ReconciliationBreakRow>(
    "reconciliation_breaks", sql: "reconciliation_breaks", key: ["org_id", "id"], idColumn: "id",
    columns: [
      .uuid("org_id") { _ in OrganizationID.platform.value },
      .uuid("id") { $0.id.value },
      .text("reason") { $0.reason },
      .uuidOrNull("statement_id") { $0.statementID?.value },
      .int8("entry") { $0.entry },
      .int8("detail") { $0.detail },
      .text("item_kind") { $0.itemKind?.rawValue },
      .uuidOrNull("item_id") { $0.itemID },
      .text("reference") { $0.reference },
      .int8("amount") { $0.amount.amount },
      .text("currency") { $0.amount.currency.code },
      .date("on_date") { $0.on },
      .int8("measure") { $0.measure },
      .text("expected_currency") { $0.expectedCurrency?.code },
      .texts("candidates") { $0.candidates },
      .text("state") { $0.state.rawValue },
      .text("note") { $0.note },
      .uuidOrNull("resolved_by") { $0.resolvedBy?.value },
      .instant("decided_at") { $0.decidedAt },
      .int8("version") { $0.version },
      .instant("created_at") { $0.createdAt },
      .instant("updated_at") { $0.updatedAt },
    ],
    names: ("reconciliation_breaks_by_id", "reconciliation_breaks_insert", "reconciliation_breaks_update")
  ) { row in
    _ = try row.uuid()
    let id: ReconciliationBreakID = try row.id()
    let reason = try row.text()
    let place = (try row.idOrNull() as BankStatementID?, try row.intOrNull(), try row.intOrNull())
    let kind: BankItem.Kind? = try row.valueOrNull()
    let itemID = try row.uuidOrNull()
    var item: (BankItem.Kind, UUIDValue)?
    if let kind, let itemID { item = (kind, itemID) }
    return ReconciliationBreakRow(
      id: id, reason: reason, place: place, item: item, reference: try row.textOrNull(), amount: try row.money(),
      on: try row.date(), measure: try row.intOrNull(), expectedCurrency: try row.parsedOrNull { Currency($0) },
      candidates: try row.texts(), state: try row.value(), note: try row.textOrNull(), resolvedBy: try row.idOrNull(),
      decidedAt: try row.instantOrNull(), version: try row.int(), createdAt: try row.instant(),
      updatedAt: try row.instant())
  }
}
