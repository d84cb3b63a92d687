import Lending
import Primitives
import Testing

private typealias F = LendingFixtures

@Suite("Loans: every act in every state")
struct LoanTableTests {
  /// The state that each act leads to, as the comments of `LoanState` say. What is absent is refused.
  static let successors: [LoanState: [Loan.Act: LoanState]] = [
    .agreed: [.dispatch: .inTransit],
    .inTransit: [.acceptDelivery: .active],
    .active: running(.active, becomesDue: .due).merging([
      .recall: .recalled, .reRate: .active, .extend: .active, .pause: .active, .declareDefault: .defaulted,
      .freeze: .frozen, .loseUnits: .due, .assume: .closed,
    ]) { $1 },
    .due: running(.due, becomesDue: .due).merging([
      .recall: .due, .withdrawDue: .due, .withdrawRecall: .due, .fallOverdue: .overdue, .reRate: .due, .extend: .due,
      .pause: .due,
      .declareDefault: .defaulted, .freeze: .frozen, .loseUnits: .due,
    ]) { $1 },
    .overdue: running(.overdue, becomesDue: .overdue).merging([
      // A holiday takes an overdue loan back to due; its dues stay.
      .withdrawDue: .overdue, .reRate: .overdue, .extend: .overdue, .pause: .due, .declareDefault: .defaulted,
      .freeze: .frozen,
      .loseUnits: .overdue,
    ]) { $1 },
    .defaulted: running(.defaulted, becomesDue: .defaulted).filter { $0.key != .accrue }.merging([
      .withdrawDue: .defaulted, .cure: .active, .accelerate: .defaulted, .repossess: .defaulted, .dispose: .defaulted,
      .freeze: .frozen,
      .loseUnits: .defaulted,
    ]) { $1 },
    .recalled: running(.recalled, becomesDue: .due).merging([
      .withdrawRecall: .active, .reRate: .recalled, .extend: .recalled, .pause: .recalled,
      .declareDefault: .defaulted, .freeze: .frozen, .loseUnits: .due,
    ]) { $1 },
    .frozen: running(.frozen, becomesDue: .frozen).filter { $0.key != .startReturn }.merging([
      .withdrawDue: .frozen, .unfreeze: .active, .loseUnits: .frozen,
    ]) { $1 },
    .titlePending: [
      .finishReturn: .titlePending, .passTitle: .titlePending, .unfreeze: .titlePending, .reinstate: .frozen,
    ],
    .closed: [.dispose: .closed, .reinstate: .reinstated],
    .reinstated: running(.reinstated, becomesDue: .due).filter {
      $0.key != .startReturn && $0.key != .finishReturn
    }.merging([.declareDefault: .defaulted, .freeze: .frozen, .fallOverdue: .overdue]) { $1 },
  ]

  /// Money is taken, charges are made, claims are forgiven or written off and chips come back in all states between
  /// delivery and the end.
  static func running(_ state: LoanState, becomesDue: LoanState?) -> [Loan.Act: LoanState] {
    var table: [Loan.Act: LoanState] = [
      .charge: state, .pay: state, .startReturn: state, .finishReturn: state, .accrue: state, .writeOff: state,
      .forgive: state,
    ]
    table[.becomeDue] = becomesDue
    // What money had paid is due again when the money is gone, as with any other cause; a reinstated loan stays one.
    table[.reinstate] = state == .reinstated ? state : becomesDue
    if state != .reinstated { table[.reportDevice] = state }
    if [.active, .due, .overdue, .recalled].contains(state) { table[.substitute] = state }
    if [.active, .due, .overdue, .defaulted, .recalled].contains(state) { table[.assign] = state }
    return table
  }

  /// A loan in the state on which every act would be possible, were it only for the quantities.
  static func sample(_ state: LoanState, for act: Loan.Act? = nil) throws -> Loan {
    let day = try F.day("2026-02-15")
    let recall = LoanLife.Recall(on: day, dueOn: day)
    let hold = LoanLife.Hold(on: day, reason: "screening")
    let fault = LoanLife.Default(cause: .insolvency, on: day, cureUntil: nil)
    let owed: LoanDue? = act == .withdrawDue ? try F.claim(500) : nil
    switch state {
    case .active where act == .assume:
      return try F.stored(state, unitsOut: 512, unitsReturning: 0, unitsReturned: 0)
    case .due:
      return try F.stored(state, due: F.claim(500), life: LoanLife(recall: act == .withdrawRecall ? recall : nil))
    case .overdue: return try F.stored(state, due: F.claim(500), life: LoanLife(overdueSince: day))
    case .defaulted: return try F.stored(state, due: owed, life: LoanLife(default: fault, unitsRepossessed: 8))
    case .closed: return try F.stored(state, life: LoanLife(unitsRepossessed: 8))
    case .recalled: return try F.stored(state, life: LoanLife(recall: recall))
    case .reinstated: return try F.stored(state, due: act == .fallOverdue ? F.claim(nil) : nil)
    case .frozen, .titlePending: return try F.stored(state, due: owed, life: LoanLife(hold: hold))
    case .agreed, .inTransit:
      return try F.stored(state, outstanding: .none, unitsOut: 0, unitsReturning: 0, unitsReturned: 0)
    default: return try F.stored(state)
    }
  }

  static func perform(_ act: Loan.Act, on loan: inout Loan) throws {
    let date = try F.day("2026-02-20")
    switch act {
    case .dispatch: try loan.dispatch(on: date)
    case .acceptDelivery: try loan.acceptDelivery(on: date)
    case .accrue: try loan.addFee(5)
    case .charge: try loan.addCharge(5)
    case .becomeDue: try loan.becomeDue(F.claim(40))
    case .withdrawDue: try loan.withdrawDue(40)
    case .pay: try loan.pay(Debt(charges: 1, fee: 1, principal: 1))
    case .startReturn: try loan.startReturn(8)
    case .finishReturn: try loan.finishReturn(8, credit: 10)
    case .passTitle: try loan.require(.passTitle)
    case .recall: try loan.recall(on: date, noticeDays: 30)
    case .withdrawRecall: try loan.withdrawRecall()
    case .fallOverdue: try loan.fallOverdue(since: date)
    case .reRate: try loan.reRate(RateChange(from: date, rate: BasisPoints(900)))
    case .extend: try loan.extend(to: F.day("2027-03-01"), on: date)
    case .pause: try loan.pause(until: F.day("2026-06-01"), on: date)
    case .declareDefault: try loan.declareDefault(.insolvency, on: date, cureUntil: nil)
    case .cure: try loan.cure()
    case .accelerate: try loan.accelerate(on: date)
    case .writeOff: try loan.writeOff(7)
    case .forgive: try loan.forgive(Debt(charges: 1, fee: 2, principal: 3))
    case .loseUnits: try loan.loseUnits(8, principal: 16, on: date)
    case .repossess: try loan.repossess(8, on: date)
    case .dispose: try loan.dispose(8, .sold)
    case .freeze: try loan.freeze(on: date, reason: "screening")
    case .unfreeze: try loan.unfreeze()
    case .reportDevice: try loan.require(.reportDevice)
    case .substitute: try loan.require(.substitute)
    case .reinstate:
      try loan.reinstate(
        Debt(charges: 1, fee: 2, principal: 3), because: ClawbackID(UUIDValue(high: 7, low: 7)), on: date)
    case .assign: try loan.require(.assign)
    case .assume:
      _ = try loan.assume(
        by: OrganizationID(UUIDValue(high: 8, low: 8)), as: LoanID(UUIDValue(high: 8, low: 9)), on: date,
        createdAt: .epoch)
    }
  }

  @Test(
    "each act changes each state as the table says, or is refused and changes nothing", arguments: LoanState.allCases)
  func table(state: LoanState) throws {
    for act in Loan.Act.allCases {
      var loan = try Self.sample(state, for: act)
      let before = loan
      if let next = Self.successors[state]?[act] {
        try Self.perform(act, on: &loan)
        #expect(loan.state == next, "\(state) \(act)")
        let onlyAsks: Set<Loan.Act> = [.passTitle, .reportDevice, .substitute, .assign]
        if !onlyAsks.contains(act) { #expect(loan != before, "\(state) \(act) did nothing") }
      } else {
        let refusal = LendingRefusal.illegalState(object: "loan", state: state.rawValue, act: act.rawValue)
        #expect(throws: refusal, "\(state) \(act)") { try Self.perform(act, on: &loan) }
        #expect(loan == before, "\(state) \(act)")
      }
    }
  }

  @Test("what a smaller round withdraws is not due, and all of it takes the loan back to where it stood")
  func withdrawDue() throws {
    for (due, withdrawn, left, state) in [
      (500, 40, 460, .due), (500, 500, nil, .active), (500, 900, nil, .active),
    ] as [(Int64, Int64, Int64?, LoanState)] {
      var loan = try F.stored(.due, due: F.claim(due))
      let before = loan.outstanding
      try loan.withdrawDue(withdrawn)
      #expect(loan.due?.amount == left)
      #expect(loan.state == state)
      #expect(loan.outstanding == before)
    }
    // All of the debt was due, whatever it grew to: the rest stays due.
    var whole = try F.stored(.due, due: F.claim(nil))
    let debt = try whole.outstanding.total()
    try whole.withdrawDue(7)
    #expect(whole.due?.amount == debt - 7)
    var matured = try F.stored(.due, due: F.claim(500, cause: .maturity))
    let refusal = LendingRefusal.illegalState(object: "loan", state: "due", act: "withdraw what is due")
    #expect(throws: refusal) { try matured.withdrawDue(1) }
  }

  @Test("a loan runs between its delivery and its end", arguments: LoanState.allCases)
  func isRunning(state: LoanState) throws {
    let ended: Set<LoanState> = [.agreed, .inTransit, .titlePending, .closed]
    #expect(try Self.sample(state).isRunning == !ended.contains(state))
  }

  @Test("nothing is collectable on a loan that does not run, whatever is due", arguments: LoanState.allCases)
  func collectable(state: LoanState) throws {
    let loan = try F.stored(state, due: F.claim(nil))
    #expect(loan.collectable == (loan.isRunning ? loan.outstanding : .none))
    #expect(try F.stored(state).collectable == .none)
  }

  @Test("only a running loan without debt and without chips on their way completes", arguments: LoanState.allCases)
  func completion(state: LoanState) throws {
    let runs = try Self.sample(state).isRunning
    let nothingOut = try F.stored(state, outstanding: .none, unitsOut: 0, unitsReturning: 0)
    #expect(nothingOut.completion == (runs ? .closable : .running))
    let chipsStay = try F.stored(state, outstanding: .none, unitsOut: 448, unitsReturning: 0)
    #expect(chipsStay.completion == (runs ? .titleAct(units: 448) : .running))
    #expect(try F.stored(state, outstanding: .none).completion == .running)
    for debt in [Debt(charges: 1, fee: 0, principal: 0), Debt(charges: 0, fee: 1, principal: 0)] {
      #expect(try F.stored(state, outstanding: debt, unitsReturning: 0).completion == .running)
    }
    let owes = try F.stored(state, outstanding: Debt(charges: 0, fee: 0, principal: 1), unitsReturning: 0)
    #expect(owes.completion == .running)
  }
}

@Suite("Returns: every act in every state")
struct LoanReturnTests {
  static func sample(_ state: LoanReturnState) throws -> LoanReturn {
    LoanReturn(
      id: LoanEventID(UUIDValue(high: 1, low: 1)), borrowerID: F.borrower, lenderID: F.lender, loanID: F.loanID,
      lotID: F.lotID, quantity: 64, startedOn: try F.day("2026-05-04"), state: state,
      arrivedOn: state == .inInspection || state == .accepted ? try F.day("2026-05-09") : nil, createdAt: .epoch,
      updatedAt: .epoch)
  }

  static let acts: [(String, @Sendable (inout LoanReturn) throws -> Void, LoanReturnState, LoanReturnState)] = [
    ("start", { try $0.start() }, .held, .returning),
    ("arrive", { try $0.arrive(on: F.day("2026-05-10")) }, .returning, .inInspection),
    (
      "accept", { try $0.accept(on: F.day("2026-05-10"), condition: .damaged, charge: 7, credit: 9) }, .inInspection,
      .accepted
    ),
  ]

  @Test("each act changes the one state it follows, and is refused in all others with nothing changed")
  func table() throws {
    for (name, act, from, to) in Self.acts {
      for state in LoanReturnState.allCases {
        var entry = try Self.sample(state)
        let before = entry
        if state == from {
          try act(&entry)
          #expect(entry.state == to, "\(name)")
        } else {
          let refusal = LendingRefusal.illegalState(object: "return", state: state.rawValue, act: name)
          #expect(throws: refusal, "\(state) \(name)") { try act(&entry) }
          #expect(entry == before)
        }
      }
    }
  }

  @Test("a return records when it came, when and how it was graded, and what it brought and cost")
  func records() throws {
    var entry = try Self.sample(.held)
    try entry.start()
    try entry.arrive(on: F.day("2026-05-04"))
    #expect(entry.arrivedOn == (try F.day("2026-05-04")))
    try entry.accept(on: F.day("2026-05-06"), condition: .damaged, charge: 7, credit: 9)
    #expect(entry.inspectedOn == (try F.day("2026-05-06")))
    #expect(entry.condition == .damaged && entry.conditionCharge == 7 && entry.credit == 9)
  }

  @Test("no chips arrive before they left, and none are graded before they arrived")
  func dates() throws {
    var leaving = try Self.sample(.returning)
    let (left, before) = (leaving, try F.day("2026-05-03"))
    #expect(throws: LendingRefusal.dateOutOfOrder(given: before, earliest: try F.day("2026-05-04"))) {
      try leaving.arrive(on: before)
    }
    #expect(leaving == left)
    var arrived = try Self.sample(.inInspection)
    let (came, early) = (arrived, try F.day("2026-05-08"))
    #expect(throws: LendingRefusal.dateOutOfOrder(given: early, earliest: try F.day("2026-05-09"))) {
      try arrived.accept(on: early, condition: .good, charge: 0, credit: 0)
    }
    #expect(arrived == came)
  }
}
