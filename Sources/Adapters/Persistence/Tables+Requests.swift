import Catalogue
import Lending
import Parties
import Postgres
import Primitives
import StrictJSON

extension Tables {
  package static let loanRequests = Table<LoanRequest>(
    "loan_requests", sql: "loan_requests", key: ["borrower_id", "id"], idColumn: "id",
    columns: [
      .uuid("borrower_id") { $0.borrowerID.value },
      .uuid("id") { $0.id.value },
      .text("workload") { $0.workload.rawValue },
      .text("end_use") { $0.endUse },
      .int8("quantity") { $0.quantity },
      .int8("min_quantity") { $0.minQuantity },
      .int8("multiple_of") { $0.multipleOf },
      .bool("same_model") { $0.sameModel },
      .bool("same_site") { $0.sameSite },
      .int8("max_lenders") { $0.maxLenders },
      .json("acceptable") { writeAcceptable($0.acceptable) },
      .texts("regions") { $0.regions },
      .int8("term_days") { $0.termDays },
      .date("start_on") { $0.startOn },
      .date("start_by_on") { $0.startByOn },
      .text("delivery_mode") { $0.deliveryMode.rawValue },
      .text("repayment_pattern") { $0.repayment.pattern.rawValue },
      .text("repayment_currency") { ($0.repayment.leastAmount ?? $0.repayment.leastPostMoney)?.currency.code },
      .int8("least_amount") { $0.repayment.leastAmount?.amount },
      .int8("least_post_money") { $0.repayment.leastPostMoney?.amount },
      .int8("sweep_bps") { $0.repayment.sweep.value },
      .bool("auto_accept") { $0.autoAccept },
      .instant("valid_until_at") { $0.validUntil },
      .int8("sequence") { $0.sequence },
      .int8("offered") { $0.offered },
      .int8("matched") { $0.matched },
      .text("state") { $0.state.rawValue },
      .int8("version") { $0.version },
      .instant("created_at") { $0.createdAt },
      .instant("updated_at") { $0.updatedAt },
    ],
    names: ("loan_requests_by_id", "loan_requests_insert", "loan_requests_update")
  ) { row in
    let borrower: OrganizationID = try row.id()
    return LoanRequest(
      id: try row.id(), borrowerID: borrower, workload: try row.value(), endUse: try row.text(),
      quantity: try row.int(), minQuantity: try row.int(), multipleOf: try row.int(), sameModel: try row.bool(),
      sameSite: try row.bool(), maxLenders: try row.intOrNull(), acceptable: try readAcceptable(row.json()),
      regions: try row.texts(), termDays: try row.int(), startOn: try row.date(), startByOn: try row.date(),
      deliveryMode: try row.value(), repayment: try readRepayment(&row), autoAccept: try row.bool(),
      validUntil: try row.instantOrNull(), sequence: try row.int(), offered: try row.int(), matched: try row.int(),
      state: try row.value(), version: try row.int(), createdAt: try row.instant(), updatedAt: try row.instant())
  }

  /// Pattern, currency, least amount, least post-money, sweep.
  private static func readRepayment(_ row: inout RowReader) throws -> RepaymentTerms {
    let pattern = try row.value(RepaymentPattern.self)
    let currency = try row.parsedOrNull { Currency($0) }
    let amount = try row.intOrNull()
    let postMoney = try row.intOrNull()
    return RepaymentTerms(
      pattern: pattern, leastAmount: try money(amount, currency), leastPostMoney: try money(postMoney, currency),
      sweep: try row.bps())
  }

  static func money(_ amount: Int64?, _ currency: Currency?) throws -> Money? {
    guard let amount else { return nil }
    guard let currency else { throw StoredValueError(column: "currency", value: "null") }
    return Money(amount, currency)
  }

  private static func writeAcceptable(_ chips: [AcceptableChip]) -> [UInt8] {
    var writer = JSONWriter()
    writer.beginArray()
    for chip in chips {
      writer.beginObject()
      switch chip.choice {
      case .model(let model): writer.field("chip_model_id", model.value)
      case .capability(let capability):
        writer.object("capability") { writer in
          writer.fieldIfPresent("memory_milli_gb", capability.memoryMilliGB)
          writer.fieldIfPresent("bf16_milli_tflops_dense", capability.bf16MilliTflopsDense)
          writer.fieldIfPresent("interconnect_milli_gbs", capability.interconnectMilliGBs)
        }
      }
      writer.field("max_rate_bps", chip.maxRate.value)
      writer.endObject()
    }
    writer.endArray()
    return writer.bytes
  }

  private static func readAcceptable(_ node: JSONNode) throws -> [AcceptableChip] {
    try node.elements.map { chip in
      guard let rate = chip["max_rate_bps"]?.asInteger else {
        throw StoredValueError(column: "acceptable", value: chip.pointer)
      }
      if let model = chip["chip_model_id"]?.asString.flatMap({ ChipModelID($0) }) {
        return AcceptableChip(choice: .model(model), maxRate: BasisPoints(rate))
      }
      guard let capability = chip["capability"] else {
        throw StoredValueError(column: "acceptable", value: chip.pointer)
      }
      return AcceptableChip(
        choice: .capability(
          AcceptableChip.Capability(
            memoryMilliGB: capability["memory_milli_gb"]?.asInteger,
            bf16MilliTflopsDense: capability["bf16_milli_tflops_dense"]?.asInteger,
            interconnectMilliGBs: capability["interconnect_milli_gbs"]?.asInteger)),
        maxRate: BasisPoints(rate))
    }
  }

  package static let offers = Table<Offer>(
    "offers", sql: "offers", key: ["borrower_id", "id"], idColumn: "id",
    columns: [
      .uuid("borrower_id") { $0.borrowerID.value },
      .uuid("id") { $0.id.value },
      .uuid("lender_id") { $0.lenderID.value },
      .uuid("request_id") { $0.requestID.value },
      .uuid("listing_id") { $0.listingID.value },
      .uuid("lot_id") { $0.lotID.value },
      .uuid("round_id") { $0.roundID.value },
      .text("chip_model_id") { $0.chipModelID.value },
      .int8("quantity") { $0.quantity },
      .int8("rate_bps") { $0.rate.value },
      .uuid("mark_id") { $0.markID.value },
      .int8("mark_amount") { $0.markAmount.amount },
      .text("mark_currency") { $0.markAmount.currency.code },
      .text("mark_source") { $0.markSource },
      .int8("advance_rate_bps") { $0.advanceRate.value },
      .instant("expires_at") { $0.expiresAt },
      .text("state") { $0.state.rawValue },
      .uuidOrNull("loan_id") { $0.loanID?.value },
      .int8("version") { $0.version },
      .instant("created_at") { $0.createdAt },
      .instant("updated_at") { $0.updatedAt },
    ],
    names: ("offers_by_id", "offers_insert", "offers_update")
  ) { row in
    let borrower: OrganizationID = try row.id()
    return Offer(
      id: try row.id(), borrowerID: borrower, lenderID: try row.id(), requestID: try row.id(), listingID: try row.id(),
      lotID: try row.id(), roundID: try row.id(), chipModelID: try row.chipModel(), quantity: try row.int(),
      rate: try row.bps(), markID: try row.id(), markAmount: try row.money(), markSource: try row.text(),
      advanceRate: try row.bps(), expiresAt: try row.instant(), state: try row.value(), loanID: try row.idOrNull(),
      version: try row.int(), createdAt: try row.instant(), updatedAt: try row.instant())
  }
}
