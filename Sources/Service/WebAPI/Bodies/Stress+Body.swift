import Operations
import Primitives
import StrictJSON
import Valuation

/// What a stress test is asked for.
package struct StressTestBody: Sendable {
  package let scenario: StressScenario
  /// A day whose rules are supposed to be in force; nil for those of the day that is looked at.
  package let rulesOn: CalendarDate?
  /// A loaded pack that is supposed to be in force.
  package let rulePackID: RulePackID?

  /// `all_chips_loss_bps`?, `chips`? [{`chip_model_id`, `loss_bps`}], `all_startups_loss_bps`?, `startups`?
  /// [{`organization_id`, `loss_bps`}], `rules`? {`on`?, `rule_pack_id`?}, `sale_haircut_bps`?, `held_recovery_bps`?,
  /// `least_coverage_bps`?, `fails_above_bps`?
  package static func parse(_ reader: inout ObjectReader) -> StressTestBody? {
    var scenario = StressScenario()
    scenario.allChipsLoss = reader.optionalShare("all_chips_loss_bps") ?? scenario.allChipsLoss
    scenario.allStartupsLoss = reader.optionalShare("all_startups_loss_bps") ?? scenario.allStartupsLoss
    scenario.saleHaircut = reader.optionalShare("sale_haircut_bps", 0...9_999) ?? scenario.saleHaircut
    scenario.heldRecovery = reader.optionalShare("held_recovery_bps") ?? scenario.heldRecovery
    scenario.leastCoverage = reader.optionalShare("least_coverage_bps", 0...100_000) ?? scenario.leastCoverage
    scenario.failsAbove = reader.optionalShare("fails_above_bps", 0...1_000_000) ?? scenario.failsAbove
    let chips = reader.optionalObjects("chips", count: 0...500) { reader -> (ChipModelID, BasisPoints)? in
      let chip = reader.chipModel("chip_model_id")
      let loss = reader.rate("loss_bps", BodyBounds.shareBps)
      return chip.flatMap { chip in loss.map { (chip, $0) } }
    }
    let startups = reader.optionalObjects("startups", count: 0...1_000) { reader -> (OrganizationID, BasisPoints)? in
      let id = reader.id("organization_id", of: OrganizationNoun.self)
      let loss = reader.rate("loss_bps", BodyBounds.shareBps)
      return id.flatMap { id in loss.map { (id, $0) } }
    }
    for (chip, loss) in chips ?? [] {
      if scenario.chipLoss.updateValue(loss, forKey: chip) != nil {
        reader.fault("chips", code: JSONFaultCode.duplicate, detail: "the chip model \(chip) stands twice")
      }
    }
    for (id, loss) in startups ?? [] {
      if scenario.startupLoss.updateValue(loss, forKey: id) != nil {
        reader.fault("startups", code: JSONFaultCode.duplicate, detail: "the startup \(id) stands twice")
      }
    }
    let rules = reader.optionalObject("rules") { reader -> (CalendarDate?, RulePackID?)? in
      (reader.optionalDate("on"), reader.optionalID("rule_pack_id", of: RulePackNoun.self))
    }
    return StressTestBody(scenario: scenario, rulesOn: rules?.0, rulePackID: rules?.1)
  }
}

extension ObjectReader {
  fileprivate mutating func optionalShare(
    _ name: StaticString, _ range: ClosedRange<Int64> = BodyBounds.shareBps
  ) -> BasisPoints? {
    optionalInt(name, range).map { BasisPoints($0) }
  }
}

extension StressTest {
  /// Every sum by lender, and every loan with both its standings.
  func writeMembers(to writer: inout JSONWriter) {
    writer.array("totals", totals) { writer, sum in writer.write(sum) }
    writer.array("lenders", lenders) { writer, sum in writer.write(sum) }
    writer.array("loans", lines) { writer, line in
      writer.object { writer in
        writer.field("loan_id", line.position.loanID)
        writer.field("borrower_id", line.position.borrowerID)
        writer.field("lender_id", line.position.lenderID)
        writer.field("chip_model_id", line.position.chip)
        writer.field("units", line.position.units)
        writer.field("outstanding", line.position.outstanding)
        writer.field("mark", line.position.mark)
        writer.field("valuation", line.position.valuation)
        let currency = line.position.outstanding.currency
        writer.object("before") { line.before.writeMembers(in: currency, to: &$0) }
        writer.object("after") { line.after.writeMembers(in: currency, to: &$0) }
      }
    }
  }
}

extension StressTest.Standing {
  fileprivate func writeMembers(in currency: Currency, to writer: inout JSONWriter) {
    writer.field("recoverable", Money(recoverable, currency))
    writer.field("coverage_bps", coverage)
    writer.field("breach", isBreach)
    writer.field("debt_over_valuation_bps", debtOverValuation)
    writer.field("fails", fails)
    writer.field("uncovered", Money(uncovered, currency))
    writer.field("loss", Money(loss, currency))
  }
}

extension JSONWriter {
  fileprivate mutating func write(_ sum: StressTest.Sum) {
    object { writer in
      writer.field("organization_id", sum.organizationID)
      writer.field("loans", sum.loans)
      writer.field("outstanding", Money(sum.outstanding, sum.currency))
      writer.field("loss_before", Money(sum.lossBefore, sum.currency))
      writer.field("loss_after", Money(sum.lossAfter, sum.currency))
      writer.field("uncovered_before", Money(sum.uncoveredBefore, sum.currency))
      writer.field("uncovered_after", Money(sum.uncoveredAfter, sum.currency))
      writer.field("breaches_before", sum.breachesBefore)
      writer.field("breaches_after", sum.breachesAfter)
    }
  }
}

extension Concentration {
  func write(to writer: inout JSONWriter) {
    writer.object { writer in
      writer.field("key", key)
      writer.field("loans", loans)
      writer.field("units", units)
      writer.field("outstanding", Money(outstanding, currency))
      writer.field("chip_value", Money(chipValue, currency))
      writer.field("share_bps", share)
      writer.field("coverage_bps", coverage)
      writer.field("unmarked_loans", unmarked)
    }
  }
}
