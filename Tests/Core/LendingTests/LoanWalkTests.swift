import Lending
import Primitives
import PropertyKit
import Testing

private typealias F = LendingFixtures

/// One thing that may be tried on a loan. Numbers are drawn without regard to the loan: shares in thousandths of what
/// is there, so that a sequence still means something when commands before it are left out.
private enum Step: Sendable {
  case dispatch, acceptDelivery
  case fee(Int64)
  case charge(Int64)
  case due(Int64?)
  case pay(chargesShare: Int64, feeShare: Int64, principalShare: Int64)
  case startReturn(share: Int64)
  case finishReturn(share: Int64, creditShare: Int64)
  /// What the service does after each payment and inspection, with a verdict that is clear or not.
  case complete(clear: Bool)

  static func drawn(_ random: inout SplitMix64) -> Step {
    // Up to 1.2 times what is there, and now and then all of it: refusals and ends are both met.
    func share() -> Int64 { random.oneIn(3) ? 1_000 : random.int64(in: 0...1_200) }
    switch random.int(in: 0...13) {
    case 0: return .dispatch
    case 1: return .acceptDelivery
    case 2, 3: return .fee(random.oneIn(12) ? random.edgyNatural() : random.int64(in: 0...50_000))
    case 4: return .charge(random.oneIn(12) ? random.edgyNatural() : random.int64(in: 0...5_000))
    case 5: return .due(random.oneIn(3) ? nil : random.oneIn(12) ? random.edgyNatural() : random.int64(in: 1...400_000))
    case 6, 7: return .pay(chargesShare: share(), feeShare: share(), principalShare: share())
    case 8: return .pay(chargesShare: 1_000, feeShare: 1_000, principalShare: 1_000)
    case 9: return .startReturn(share: share())
    case 10: return .finishReturn(share: share(), creditShare: share())
    default: return .complete(clear: !random.oneIn(3))
    }
  }
}

/// A loan beside an independent account of it.
private struct Walk {
  var loan: Loan
  /// What was ever owed less what was ever paid or credited, of each part, in 128 bits.
  var owed: (charges: Int128, fee: Int128, principal: Int128) = (0, 0, 0)
  var refused = 0

  init(from state: LoanState) throws {
    switch state {
    case .agreed: loan = try F.agreed(principal: 1_000_000)
    case .overdue, .due: loan = try F.stored(state, due: F.claim(nil))
    default: loan = try F.stored(state)
    }
    owed = (Int128(loan.outstanding.charges), Int128(loan.outstanding.fee), Int128(loan.outstanding.principal))
  }

  static func part(_ share: Int64, of whole: Int64) -> Int64 {
    Int64(clamping: Int128(whole) * Int128(share) / 1_000)
  }

  mutating func take(_ step: Step) throws {
    let day = try F.day("2026-03-01")
    switch step {
    case .dispatch: try loan.dispatch(on: day)
    case .acceptDelivery:
      try loan.acceptDelivery(on: day)
      owed.principal = Int128(loan.terms.principal.amount)
    case .fee(let amount):
      try loan.addFee(amount)
      owed.fee += Int128(amount)
    case .charge(let amount):
      try loan.addCharge(amount)
      owed.charges += Int128(amount)
    case .due(let amount): try loan.becomeDue(F.claim(amount))
    case .pay(let charges, let fee, let principal):
      let payment = Debt(
        charges: Self.part(charges, of: loan.outstanding.charges), fee: Self.part(fee, of: loan.outstanding.fee),
        principal: Self.part(principal, of: loan.outstanding.principal))
      try loan.pay(payment)
      owed.charges -= Int128(payment.charges)
      owed.fee -= Int128(payment.fee)
      owed.principal -= Int128(payment.principal)
    case .startReturn(let share): try loan.startReturn(Self.part(share, of: loan.unitsOut))
    case .finishReturn(let share, let creditShare):
      let credit = Self.part(creditShare, of: loan.outstanding.principal)
      try loan.finishReturn(Self.part(share, of: loan.unitsReturning), credit: credit)
      owed.principal -= Int128(credit)
    case .complete(let clear): try complete(clear: clear, on: day)
    }
  }

  private mutating func complete(clear: Bool, on day: CalendarDate) throws {
    if loan.state == .titlePending {
      if clear { loan.close(on: day, titlePasses: true) }
      return
    }
    switch loan.completion {
    case .running: break
    case .closable: loan.close(on: day, titlePasses: false)
    case .titleAct:
      if clear { loan.close(on: day, titlePasses: true) } else { loan.awaitTitle() }
    }
  }

  /// What holds after every step.
  func check() throws {
    let debt = loan.outstanding
    try hold(debt.charges >= 0 && debt.fee >= 0 && debt.principal >= 0, "a negative debt: \(debt)")
    try hold(
      Int128(debt.charges) == owed.charges && Int128(debt.fee) == owed.fee && Int128(debt.principal) == owed.principal,
      "owed \(owed), recorded \(debt)")
    try hold(debt.principal <= loan.terms.principal.amount, "more principal than was lent: \(debt)")
    let units = [loan.unitsOut, loan.unitsReturning, loan.unitsReturned, loan.unitsOwned]
    let sum = units.reduce(0, +)
    try hold(units.allSatisfy { $0 >= 0 }, "fewer than no units: \(units)")
    let undelivered = loan.state == .agreed || loan.state == .inTransit
    try hold(sum == (undelivered ? 0 : loan.terms.quantity), "\(loan.state) with \(units)")
    try hold((loan.state == .closed) == (loan.closedAs != nil), "\(loan.state) as \(String(describing: loan.closedAs))")
    if loan.state == .closed || loan.state == .titlePending {
      try hold(debt.isZero && loan.due == nil && loan.unitsReturning == 0, "\(loan.state) with \(debt)")
    }
    if loan.state == .closed {
      try hold(loan.unitsOut == 0, "closed with \(loan.unitsOut) units out")
      try hold((loan.title == .borrower) == (loan.unitsOwned > 0), "title is with the \(loan.title)")
    }
    if loan.state == .due, loan.due == nil { try hold(loan.completion != .running, "due, and nothing is") }
    let collectable = loan.collectable
    try hold(
      collectable.charges <= debt.charges && collectable.fee <= debt.fee && collectable.principal <= debt.principal
        && collectable.charges >= 0 && collectable.fee >= 0 && collectable.principal >= 0,
      "collectable \(collectable) of \(debt)")
    try hold(loan.due != nil || collectable.isZero, "collectable \(collectable) with nothing due")
  }
}

@Suite("Random walks over a loan")
struct LoanWalkTests {
  /// Closed loans are left out as a start: `stored` gives them a debt.
  static let starts = LoanState.allCases.filter { $0 != .closed && $0 != .titlePending && $0 != .inTransit }

  @Test(
    "units are conserved, no debt is negative, what is recorded is what is owed, and a closed loan owes nothing",
    arguments: starts)
  func laws(start: LoanState) throws {
    try forAllCommands(
      seeds: 1...400, length: 1...80, draw: { Step.drawn(&$0) },
      run: { steps in
        var walk = try Walk(from: start)
        try walk.check()
        for step in steps {
          let before = walk.loan
          do { try walk.take(step) } catch let refusal as LendingRefusal {
            try hold(walk.loan == before, "a refused step changed the loan: \(refusal)")
          }
          try walk.check()
        }
      })
  }

  @Test("the walks reach every ending that they can, and a title that waits")
  func reach() throws {
    var endings: Set<LoanEnding> = []
    var states: Set<LoanState> = []
    try forAll(seeds: 1...600) { random in
      var walk = try Walk(from: .agreed)
      for _ in 0..<80 {
        do { try walk.take(Step.drawn(&random)) } catch is LendingRefusal { walk.refused += 1 }
        states.insert(walk.loan.state)
        if let ending = walk.loan.closedAs { endings.insert(ending) }
      }
      try hold(walk.refused > 0, "nothing was refused in eighty steps")
    }
    #expect(endings == [.paidOff, .returned, .mixed])
    #expect(states == [.agreed, .inTransit, .active, .due, .titlePending, .closed])
  }
}
