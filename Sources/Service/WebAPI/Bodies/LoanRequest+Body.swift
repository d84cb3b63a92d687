import Catalogue
import Lending
import Operations
import Primitives
import StrictJSON

extension CreateLoanRequest.Terms {
  /// The members of api.md's loan request.
  package static func parse(_ reader: inout ObjectReader) -> CreateLoanRequest.Terms? {
    let workload = reader.enumeration("workload", as: Workload.self)
    let endUse = reader.string("end_use", bytes: BodyBounds.endUse)
    let quantity = reader.quantity("quantity")
    let acceptable = reader.objects("acceptable", count: 1...20) { AcceptableChip.parse(&$0) }
    let regions = reader.set("regions", count: 1...20) { $1.region($0) }
    let termDays = reader.int("term_days", BodyBounds.days)
    let startOn = reader.date("start_on")
    let startByOn = reader.optionalDate("start_by_on")
    let mode = reader.optionalEnumeration("delivery_mode", as: DeliveryMode.self)
    let minQuantity = reader.optionalQuantity("min_quantity")
    let multipleOf = reader.optionalQuantity("multiple_of")
    let sameModel = reader.optionalBool("same_model")
    let sameSite = reader.optionalBool("same_site")
    let maxLenders = reader.optionalInt("max_lenders", 1...1_000)
    let repayment = reader.object("repayment") { RepaymentTerms.parse(&$0) }
    let autoAccept = reader.optionalBool("auto_accept")
    let validUntil = reader.optionalInstant("valid_until_at")
    guard let workload, let endUse, let quantity, let acceptable, let regions, let termDays, let startOn, let repayment
    else { return nil }
    return CreateLoanRequest.Terms(
      workload: workload, endUse: endUse, quantity: quantity, minQuantity: minQuantity, multipleOf: multipleOf ?? 1,
      sameModel: sameModel ?? false, sameSite: sameSite ?? false, maxLenders: maxLenders, acceptable: acceptable,
      regions: regions, termDays: termDays, startOn: startOn, startByOn: startByOn, deliveryMode: mode ?? .physical,
      repayment: repayment, autoAccept: autoAccept ?? false, validUntil: validUntil)
  }
}

extension CreateLoanRequest {
  /// See ``Terms/parse(_:)``.
  package static func parse(_ reader: inout ObjectReader) -> CreateLoanRequest? {
    Terms.parse(&reader).map { CreateLoanRequest(terms: $0) }
  }
}

extension RepaymentTerms {
  /// `pattern`? (`round_sweep`), `least_amount`?, `least_post_money`?, `sweep_bps`.
  static func parse(_ reader: inout ObjectReader) -> RepaymentTerms? {
    let pattern = reader.optionalEnumeration("pattern", as: RepaymentPattern.self)
    let leastAmount = reader.optionalMoney("least_amount", BodyBounds.amount)
    let leastPostMoney = reader.optionalMoney("least_post_money", BodyBounds.amount)
    let sweep = reader.rate("sweep_bps", BodyBounds.shareBps)
    guard let sweep else { return nil }
    return RepaymentTerms(
      pattern: pattern ?? .roundSweep, leastAmount: leastAmount, leastPostMoney: leastPostMoney, sweep: sweep)
  }

  func writeMembers(to writer: inout JSONWriter) {
    writer.field("pattern", pattern)
    writer.field("least_amount", leastAmount)
    writer.field("least_post_money", leastPostMoney)
    writer.field("sweep_bps", sweep)
  }
}

extension AcceptableChip {
  /// `chip_model_id` or `capability`, and `max_rate_bps`.
  static func parse(_ reader: inout ObjectReader) -> AcceptableChip? {
    let model = reader.optionalChipModel("chip_model_id")
    let capability = reader.optionalObject("capability") { Capability.parse(&$0) }
    let rate = reader.rate("max_rate_bps")
    switch (reader.has("chip_model_id"), reader.has("capability")) {
    case (true, true):
      reader.fault("capability", code: BodyFaultCode.conflict, detail: "must not stand beside chip_model_id")
    case (false, false):
      reader.fault("chip_model_id", code: JSONFaultCode.missing, detail: "is required where no capability is given")
    default: break
    }
    guard let rate, let choice = model.map(Choice.model) ?? capability.map(Choice.capability) else { return nil }
    return AcceptableChip(choice: choice, maxRate: rate)
  }

  fileprivate func writeMembers(to writer: inout JSONWriter) {
    switch choice {
    case .model(let model): writer.field("chip_model_id", model)
    case .capability(let least):
      writer.object("capability") { writer in
        writer.field("memory_gb", least.memoryMilliGB.map(decimalText))
        writer.field("bf16_tflops_dense", least.bf16MilliTflopsDense.map(decimalText))
        writer.field("interconnect_gbs", least.interconnectMilliGBs.map(decimalText))
      }
    }
    writer.field("max_rate_bps", maxRate)
  }
}

extension AcceptableChip.Capability {
  /// `memory_gb`?, `bf16_tflops_dense`?, `interconnect_gbs`?, at least one of them.
  static func parse(_ reader: inout ObjectReader) -> AcceptableChip.Capability? {
    let memory = reader.optionalThousandths("memory_gb")
    let bf16 = reader.optionalThousandths("bf16_tflops_dense")
    let interconnect = reader.optionalThousandths("interconnect_gbs")
    if !reader.has("memory_gb"), !reader.has("bf16_tflops_dense"), !reader.has("interconnect_gbs") {
      reader.fault(code: JSONFaultCode.missing, detail: "must name at least one capability")
    }
    return AcceptableChip.Capability(
      memoryMilliGB: memory, bf16MilliTflopsDense: bf16, interconnectMilliGBs: interconnect)
  }
}

private let expectedDecimal: StaticString = "a decimal from 0 to 10000000 with at most three places, without exponent"
private let largestFigure: Int64 = 10_000_000

extension ObjectReader {
  /// A published figure as a decimal in a text, or an integer; in thousandths, exactly.
  fileprivate mutating func optionalThousandths(_ name: StaticString) -> Int64? {
    guard let node = optional(name) else { return nil }
    if node.kind == .string {
      return optionalParsed(name, expected: expectedDecimal, bytes: 1...32) { thousandths($0) }
    }
    return optionalInt(name, 0...largestFigure).map { $0 * 1_000 }
  }
}

private func thousandths(_ text: String) -> Int64? {
  guard let value = ExactDecimal(text), value.scale <= 3,
    let scaled = try? value.multiplied(by: ExactDecimal(1_000)).coefficient.asInt64(),
    (0...largestFigure * 1_000).contains(scaled)
  else { return nil }
  return scaled
}

/// Thousandths as plain digits without trailing zeros: `18.7`.
private func decimalText(_ thousandths: Int64) -> String {
  let (whole, fraction) = thousandths.magnitude.quotientAndRemainder(dividingBy: 1_000)
  let sign = thousandths < 0 ? "-" : ""
  if fraction == 0 { return "\(sign)\(whole)" }
  var (digits, width) = (fraction, 3)
  while digits % 10 == 0 { (digits, width) = (digits / 10, width - 1) }
  let text = String(digits)
  return "\(sign)\(whole)." + String(repeating: "0", count: width - text.utf8.count) + text
}

extension LoanRequest {
  /// - Parameter holds: verdicts that hold what it would take, each one JSON value.
  package func write(to writer: inout JSONWriter, holds: [[UInt8]] = []) {
    writer.object { writer in
      writer.field("id", id)
      writer.field("state", state)
      writer.field("borrower_id", borrowerID)
      writer.field("workload", workload)
      writer.field("end_use", endUse)
      writer.field("quantity", quantity)
      writer.field("offered_quantity", offered)
      writer.field("matched_quantity", matched)
      writer.array("acceptable", acceptable) { writer, chip in writer.object { chip.writeMembers(to: &$0) } }
      writer.field("regions", regions)
      writer.field("term_days", termDays)
      writer.field("start_on", startOn)
      writer.field("start_by_on", startByOn)
      writer.field("delivery_mode", deliveryMode)
      writer.field("min_quantity", minQuantity)
      writer.field("multiple_of", multipleOf)
      writer.field("same_model", sameModel)
      writer.field("same_site", sameSite)
      writer.field("max_lenders", maxLenders)
      writer.object("repayment") { repayment.writeMembers(to: &$0) }
      writer.field("auto_accept", autoAccept)
      writer.field("valid_until_at", validUntil)
      writer.field("sequence", sequence)
      writer.array("holds", holds) { $0.raw($1) }
      writer.history(version: version, createdAt: createdAt, updatedAt: updatedAt)
    }
  }
}
