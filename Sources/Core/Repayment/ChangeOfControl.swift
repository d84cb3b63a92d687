import Primitives

/// What the parties chose for a loan when the startup is bought.
package enum ChangeOfControlChoice: Sendable, Hashable {
  /// The whole debt is due. What happens where nothing is chosen in time.
  case acceleration
  /// The acquirer takes the loan over as it is, once the lender consents.
  case assumption(acquirer: OrganizationID, consentedOn: CalendarDate?)
  /// Units go back; what their credit does not cover is due.
  case returnOfChips(units: Int64)
}

/// A loan as a change of control finds it.
package struct ControlledLoan: Sendable, Hashable {
  package let loanID: LoanID
  /// Fee accrued to the day.
  package let owed: StepAmounts
  /// Units with the borrower.
  package let unitsOut: Int64
  package let returnCredit: ReturnCredit

  package init(loanID: LoanID, owed: StepAmounts, unitsOut: Int64, returnCredit: ReturnCredit) {
    self.loanID = loanID
    self.owed = owed
    self.unitsOut = unitsOut
    self.returnCredit = returnCredit
  }
}

/// What a choice does to one loan.
package struct ChangeOfControlEffect: Sendable, Hashable {
  /// The act that needs a verdict of its own date before it is done.
  package enum VerdictNeeded: String, Sendable, Hashable, CaseIterable {
    case assumption
    case returnOfChips = "return"
  }

  package let loanID: LoanID
  package let choice: ChangeOfControlChoice
  /// Nothing was chosen by the deadline, so it is accelerated.
  package let byDefault: Bool
  /// Due now in minor units, on the credit's being given where chips go back.
  package let due: Int64
  /// What the units that go back discharge of principal, before any charge for their condition.
  package let credit: Int64
  /// Owed by the acquirer from here on.
  package let assumed: Int64
  package let needsVerdict: VerdictNeeded?
}

/// The day a startup is bought.
package struct ChangeOfControl: Sendable, Hashable {
  package let on: CalendarDate
  /// The last day on which parties may choose and lenders consent.
  package let chooseBy: CalendarDate

  package init(on date: CalendarDate, chooseBy: CalendarDate) {
    self.on = date
    self.chooseBy = chooseBy
  }

  /// What becomes of each loan. Cash always discharges debt, so acceleration needs nobody's leave; an assumption needs
  /// the lender's consent and, like a return, a verdict.
  /// - Parameters:
  ///   - choices: at most one for each loan.
  ///   - today: until the deadline a loan without a choice waits and is refused here; after it, it is accelerated, and
  ///     so is one whose assumption no lender consented to.
  /// - Returns: by loan id.
  /// - Throws: `RepaymentRefusal` for choices of unknown loans, missing choices and consents before the deadline, and as
  ///   the credit of returned units does.
  package func effects(
    on loans: [ControlledLoan], choices: [LoanID: ChangeOfControlChoice], today: CalendarDate
  ) throws(RepaymentRefusal) -> [ChangeOfControlEffect] {
    try refuseDuplicates(loans.lazy.map(\.loanID))
    let known = Set(loans.map(\.loanID))
    if let unknown = choices.keys.filter({ !known.contains($0) }).min() { throw .unknownLoan(unknown) }
    var effects: [ChangeOfControlEffect] = []
    for loan in loans.sorted(by: { $0.loanID < $1.loanID }) {
      effects.append(try effect(on: loan, choices[loan.loanID], today))
    }
    return effects
  }

  private func effect(
    on loan: ControlledLoan, _ choice: ChangeOfControlChoice?, _ today: CalendarDate
  ) throws(RepaymentRefusal) -> ChangeOfControlEffect {
    let owed = try loan.owed.total()
    let isLate = today > chooseBy
    func effect(
      _ choice: ChangeOfControlChoice, byDefault: Bool = false, due: Int64 = 0, credit: Int64 = 0, assumed: Int64 = 0,
      _ needsVerdict: ChangeOfControlEffect.VerdictNeeded? = nil
    ) -> ChangeOfControlEffect {
      ChangeOfControlEffect(
        loanID: loan.loanID, choice: choice, byDefault: byDefault, due: due, credit: credit, assumed: assumed,
        needsVerdict: needsVerdict)
    }
    switch choice {
    case nil:
      guard isLate else { throw .choiceMissing(loan.loanID) }
      return effect(.acceleration, byDefault: true, due: owed)
    case .acceleration?: return effect(.acceleration, due: owed)
    case .assumption(let acquirer, let consentedOn)?:
      guard let consentedOn, consentedOn <= chooseBy else {
        guard isLate else { throw .consentMissing(loan.loanID) }
        return effect(.acceleration, byDefault: true, due: owed)
      }
      return effect(
        .assumption(acquirer: acquirer, consentedOn: consentedOn), assumed: owed, .assumption)
    case .returnOfChips(let units)?:
      let credit = try loan.returnCredit.amount(
        units: units, of: loan.unitsOut, principal: loan.owed.principal, on: on
      ).credit
      return effect(.returnOfChips(units: units), due: owed - credit, credit: credit, .returnOfChips)
    }
  }
}
