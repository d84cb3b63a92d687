import Catalogue
import Ledger
import Lending
import Parties
import Persistence
import Primitives
import StrictJSON

/// What proposing, accepting and settling the sale of a loan share.
package enum AssignmentDesk {
  /// A sale, who asked, and the buyer's loan once it is settled.
  package struct Answered: Sendable {
    package let assignment: LoanAssignment
    /// The price is a matter of the two lenders.
    package let viewer: OrganizationID
    package let loan: Loan?
    /// What the buyer would get, or got.
    package let claim: Debt?
  }

  /// A sale as it was carried out.
  struct Transfer {
    let part: AssignedPart
    let sold: Loan
    let bought: Loan
  }

  static func needs(_ loanID: LoanID, buyer: OrganizationID?, serials: [String], _ state: BatchState) -> Set<Need> {
    var needs: Set<Need> = [
      .loan(loanID), .amendmentsOfLoan(loanID), .assignmentsOfLoan(loanID), .unitsOfLoan(loanID),
    ]
    guard let loan = state.loans[loanID] else { return needs }
    needs.formUnion(LoanDesk.needsToClose(loan).union([DepositDesk.need(of: loan)]))
    guard let buyer else { return needs }
    needs.formUnion([.organization(buyer), .licencesOf(buyer)])
    // A unit that comes may be one that the buyer sold before.
    let units = (state.unitsOfLoan[loanID] ?? []).compactMap { state.shelves.units[$0]?.serial }
    for serial in serials.isEmpty ? units : serials { needs.insert(.unit(key(serial, of: loan, buyer))) }
    return needs
  }

  static func heads(_ loan: Loan?, buyer: OrganizationID?) -> Set<OrganizationID> {
    loan.map { LoanDesk.books(of: $0) }?.union([buyer].compactMap { $0 }) ?? []
  }

  private static func key(_ serial: String, of loan: Loan, _ lender: OrganizationID) -> UnitKey {
    UnitKey(lenderID: lender, chipModelID: loan.terms.chipModelID, serial: serial)
  }

  /// Whether nothing else that is under way with the loan would be torn by its sale.
  static func requireQuiet(_ loan: Loan, in draft: Draft) throws {
    try DepositDesk.requireNone(for: loan, in: draft)
    let amendments = (draft.base.amendmentsOfLoan[loan.id] ?? []).compactMap { draft.find(\.amendments, $0) }
    if amendments.contains(where: { $0.state == .proposed && $0.validUntil >= draft.today }) {
      throw LendingRefusal.loan(.assignmentBarred("a change of its terms waits for an answer"))
    }
    let returns = (draft.base.returnsOfLoan[loan.id] ?? []).compactMap { draft.find(\.returns, $0) }
    if returns.contains(where: { $0.state != .accepted }) {
      throw LendingRefusal.loan(.assignmentBarred("a return waits or is under way"))
    }
  }

  /// The buyer as a party that can be lender of the loan.
  static func requireBuyer(_ buyerID: OrganizationID, of loan: Loan, in draft: Draft) throws {
    if buyerID == loan.terms.lenderID { throw LendingRefusal.loan(.assigneeBarred("it is the lender already")) }
    if buyerID == loan.terms.borrowerID { throw LendingRefusal.loan(.assigneeBarred("it is the borrower")) }
    guard let buyer = draft.find(\.organizations, buyerID), buyerID != .platform else {
      throw PartiesRefusal.notFound("buyer")
    }
    guard buyer.roles.contains(.lender) else { throw LendingRefusal.loan(.assigneeBarred("it is no lender")) }
    guard buyer.groupID != draft.find(\.organizations, loan.terms.borrowerID)?.groupID else {
      throw LendingRefusal.loan(.assigneeBarred("it is of the borrower's group"))
    }
    guard buyer.verification.holds(on: draft.today) else { throw PartiesRefusal.notVerified("buyer") }
  }

  /// Moves a part of a loan to its buyer, as of the draft's day: fee posted up to it, verdict taken on it.
  ///
  /// In default the fee stands still, and should the default be cured, the fee of the days since is posted for whoever has
  /// the claim then: it goes along.
  static func transfer(
    _ sale: LoanAssignment, of loan: Loan, as id: LoanID, by principal: Principal, in draft: inout Draft
  ) throws -> Transfer {
    let today = draft.today
    try requireQuiet(loan, in: draft)
    try requireBuyer(sale.buyerID, of: loan, in: draft)
    guard var lot = draft.find(\.lots, loan.terms.lotID) else { throw PartiesRefusal.notFound("lot") }
    try loan.require(.assign)
    var sold = try LoanDesk.accrue(loan, through: today, in: &draft).loan
    let credited = try (draft.base.returnsOfLoan[loan.id] ?? []).compactMap { draft.find(\.returns, $0)?.credit }
      .reduce(Int64(0)) { try $0.adding($1) }
    let part = try sold.part(of: sale.quantity, credited: credited)
    guard part.isWhole || part.units % lot.multipleOf == 0 else {
      throw LendingRefusal.notInBoards(part.units, multipleOf: lot.multipleOf)
    }
    let verdict = try ExportDesk.judge(act(of: sale, loan, in: draft), subject: id.value, in: &draft)
    guard verdict.isClear else { throw verdict.refusal }
    let units = try UnitDesk.named(sale.serials, quantity: part.units, of: loan, in: draft)
    try lot.move(part.units, from: .onLoan, to: .sold)
    draft.put(\.lots, lot)
    let boughtLot = draft.put(
      \.lots,
      Lot(
        id: draft.ids.next(), lenderID: sale.buyerID, chipModelID: lot.chipModelID, quantity: part.units,
        site: lot.site, availableOn: today, multipleOf: part.units % lot.multipleOf == 0 ? lot.multipleOf : 1,
        serials: units.map(\.serial), unitCost: nil, custody: [.onLoan: part.units], createdAt: draft.now,
        updatedAt: draft.now))
    var bought = try sold.assign(part, to: sale.buyerID, as: id, in: boughtLot.id, on: today, at: draft.now)
    sold = draft.put(\.loans, sold)
    bought = draft.put(\.loans, bought)
    try post(part, from: sold, to: bought, on: today, in: &draft)
    sold = try LoanDesk.releaseWriteOff(sold, on: today, in: &draft)
    try move(units, part.units, from: sold, to: bought, on: today, by: principal, in: &draft)
    return Transfer(part: part, sold: sold, bought: bought)
  }

  /// Title passes where the chips stand, from lender to lender, and the startup goes on using them.
  private static func act(of sale: LoanAssignment, _ loan: Loan, in draft: Draft) throws -> ExportDesk.Act {
    guard let buyer = draft.find(\.organizations, sale.buyerID) else { throw PartiesRefusal.notFound("buyer") }
    var act = try LoanDesk.act(.titleTransfer, of: loan, units: sale.quantity, on: draft.today, in: draft)
    act.endUser = act.borrower
    act.borrower = buyer
    return act
  }

  /// One movement in three books. The seller's claim and chips leave, the buyer's arrive; the borrower owes the same under
  /// another loan. What the two lenders' books lack to balance is the claim that was sold, less what the chips of it stood
  /// for: `clearing.assignment`, zero over both.
  private static func post(
    _ part: AssignedPart, from sold: Loan, to bought: Loan, on date: CalendarDate, in draft: inout Draft
  ) throws {
    let id: JournalEntryID = draft.ids.next()
    let (seller, buyer) = (LoanDesk.lender(sold), LoanDesk.lender(bought))
    let (before, after) = (LoanDesk.borrower(sold), LoanDesk.borrower(bought))
    let claim = part.claim
    // The claim never exceeds the principal it stems from and the fee and charges on it; all of these fit.
    let cleared = try claim.total().subtracting(part.principal)
    let books: [(LoanDesk.Book, [JournalLine])] = [
      (
        seller,
        [
          seller.custody(.custodyOnLoan, -part.units), seller.custody(.custodySold, part.units),
          seller.money(.clearingChips, part.principal), seller.money(.clearingAssignment, cleared),
        ] + seller.claim(claim, -1)
      ),
      (
        buyer,
        [
          buyer.custody(.custodyReceived, -part.units), buyer.custody(.custodyOnLoan, part.units),
          buyer.money(.clearingChips, -part.principal), buyer.money(.clearingAssignment, -cleared),
        ] + buyer.claim(claim, 1)
      ),
      (
        before,
        [
          before.chips(.holdingsOnLoan, -part.units), before.chips(.holdingsSource, part.units),
          after.chips(.holdingsSource, -part.units), after.chips(.holdingsOnLoan, part.units),
          before.money(.clearingChips, -part.principal), after.money(.clearingChips, part.principal),
        ] + before.debt(claim, -1) + after.debt(claim, 1)
      ),
    ]
    for (book, lines) in books.sorted(by: { $0.0.organization < $1.0.organization }) {
      try draft.post(
        EntryDraft(
          id: id, book: book.organization, kind: .loanAssigned, businessDate: date, subject: book.loan.id.value,
          lines: lines.filter { $0.amount != 0 }))
    }
  }

  /// The chain of custody goes on with the buyer: the seller's record of each unit ends, the buyer's begins as it was.
  private static func move(
    _ units: [ChipUnit], _ count: Int64, from sold: Loan, to bought: Loan, on date: CalendarDate,
    by principal: Principal, in draft: inout Draft
  ) throws {
    func record(_ unit: UnitID?, _ quantity: Int64, _ loan: Loan) {
      UnitDesk.record(.assigned, unit, quantity, of: loan, on: date, by: principal, in: &draft)
    }
    if units.isEmpty {
      for loan in [sold, bought] { record(nil, count, loan) }
      return
    }
    for unit in units {
      var left = unit
      try left.assign(from: sold.id)
      draft.put(\.units, left)
      record(left.id, 1, sold)
      let known = draft.base.unitBySerial[key(unit.serial, of: bought, bought.terms.lenderID)]
        .flatMap { draft.find(\.units, $0) }
      var come =
        known
        ?? ChipUnit(
          id: draft.ids.next(), lenderID: bought.terms.lenderID, chipModelID: unit.chipModelID,
          lotID: bought.terms.lotID, serial: unit.serial, loanID: bought.id, borrowerID: bought.terms.borrowerID,
          condition: unit.condition, createdAt: draft.now, updatedAt: draft.now)
      if known != nil { try come.acquire(unit, with: bought) }
      come = draft.put(\.units, come)
      record(come.id, 1, bought)
    }
  }

  /// The loan as a buyer is shown it before it has it: what it needs to decide, on the day of the proposal.
  static func offered(_ loan: Loan, _ part: AssignedPart) throws -> [UInt8] {
    var writer = JSONWriter(capacity: 512)
    func money(_ name: StaticString, _ amount: Int64) {
      writer.object(name) { writer in
        writer.field("amount", amount)
        writer.field("currency", loan.currency.code)
      }
    }
    let terms = loan.terms
    writer.beginObject()
    writer.field("borrower_id", terms.borrowerID.description)
    writer.field("state", loan.state.rawValue)
    writer.field("chip_model_id", terms.chipModelID.value)
    writer.field("country", terms.site.country.value)
    writer.field("region", terms.site.region)
    writer.field("delivery_mode", terms.deliveryMode.rawValue)
    writer.field("legal_form", terms.legalForm.rawValue)
    writer.field("end_use", terms.endUse)
    writer.field("quantity", part.units)
    money("principal", part.principal)
    money("outstanding", part.claim.principal)
    money("accrued_fee", part.claim.fee)
    money("charges", part.claim.otherCharges)
    money("tax", part.claim.tax)
    writer.field("rate_bps", loan.life.rates.last?.rate.value ?? terms.rate.value)
    writer.field("day_count", terms.dayCount.rawValue)
    writer.field("accrued_through", loan.accruedThrough?.description)
    writer.field("return_credit", terms.returnCredit.rawValue)
    writer.field("repayment_pattern", terms.repayment.pattern.rawValue)
    writer.field("sweep_bps", loan.sweep.value)
    writer.field("rank", terms.rank)
    writer.field("trade_on", terms.tradeOn.description)
    writer.field("matures_on", loan.maturesOn.description)
    writer.field("due_since", loan.due?.since.description)
    writer.field("due_cause", loan.due?.cause.rawValue)
    writer.field("overdue_since", loan.life.overdueSince?.description)
    writer.field("defaulted_on", loan.life.default?.on.description)
    writer.field("recall_due_on", loan.life.recall?.dueOn.description)
    writer.field("assignable", terms.assignability.rawValue)
    writer.endObject()
    return writer.bytes
  }

  static func facts(_ sale: LoanAssignment) -> [(StaticString, EventFact)] {
    [
      ("assignment_id", .text(sale.id.description)), ("loan_id", .text(sale.loanID.description)),
      ("quantity", .number(sale.quantity)),
    ]
  }

  /// Tells the two lenders of a sale.
  static func announce(
    _ type: String, _ sale: LoanAssignment, _ facts: [(StaticString, EventFact)] = [], in draft: inout Draft
  ) {
    draft.happen(
      type, sale.id, version: sale.version, to: (sale.sellerID, sale.buyerID),
      self.facts(sale) + [("state", .text(sale.state.rawValue))] + facts)
  }
}
