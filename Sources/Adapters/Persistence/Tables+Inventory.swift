import Catalogue
import Interest
import Lending
import Parties
import Postgres
import Primitives
import StrictJSON

extension Tables {
  /// The states of custody in the order of the columns (`returning` is a word of SQL, hence `in_return`).
  private static let custodyColumns: [(SQL, CustodyState)] = [
    ("on_order", .onOrder), ("promised", .promised), ("available", .available), ("reserved", .reserved),
    ("in_transit", .inTransit), ("on_loan", .onLoan), ("in_return", .returning), ("in_inspection", .inInspection),
    ("in_repair", .inRepair),
    ("frozen", .frozen), ("repossessed", .repossessed), ("lost", .lost), ("sold", .sold),
  ]

  package static let lots = Table<Lot>(
    "lots", sql: "lots", key: ["lender_id", "id"], idColumn: "id",
    columns: [
      .uuid("lender_id") { $0.lenderID.value },
      .uuid("id") { $0.id.value },
      .text("chip_model_id") { $0.chipModelID.value },
      .int8("quantity") { $0.quantity },
      .text("country") { $0.site.country.value },
      .text("region") { $0.site.region },
      .date("available_on") { $0.availableOn },
      .int8("multiple_of") { $0.multipleOf },
      .texts("serials") { $0.serials },
      .int8("unit_cost_amount") { $0.unitCost?.amount },
      .text("unit_cost_currency") { $0.unitCost?.currency.code },
    ] + custodyColumns.map { name, state in .int8(name) { $0.units(state) } } + [
      .int8("listed") { $0.listed },
      .int8("version") { $0.version },
      .instant("created_at") { $0.createdAt },
      .instant("updated_at") { $0.updatedAt },
    ],
    names: ("lots_by_id", "lots_insert", "lots_update")
  ) { row in
    let lender: OrganizationID = try row.id()
    let id: LotID = try row.id()
    let chip = try row.chipModel()
    let quantity = try row.int()
    let site = try row.site()
    let availableOn = try row.date()
    let multipleOf = try row.int()
    let serials = try row.texts()
    let unitCost = try row.moneyOrNull()
    var custody: [CustodyState: Int64] = [:]
    for (_, state) in custodyColumns { custody[state] = try row.int() }
    return Lot(
      id: id, lenderID: lender, chipModelID: chip, quantity: quantity, site: site, availableOn: availableOn,
      multipleOf: multipleOf, serials: serials, unitCost: unitCost, custody: custody, listed: try row.int(),
      version: try row.int(), createdAt: try row.instant(), updatedAt: try row.instant())
  }

  package static let reservePlans = Table<ReservePlan>(
    "reserve_plans", sql: "reserve_plans", key: ["lender_id", "id"], idColumn: "id",
    columns: [
      .uuid("lender_id") { $0.lenderID.value },
      .uuid("id") { $0.id.value },
      .text("chip_model_id") { $0.chipModelID.value },
      .json("months") { plan in
        var writer = JSONWriter()
        writer.beginArray()
        for month in plan.months {
          writer.beginObject()
          writer.field("month", month.month.description)
          writer.field("quantity", month.quantity)
          writer.endObject()
        }
        writer.endArray()
        return writer.bytes
      },
      .int8("version") { $0.version },
      .instant("created_at") { $0.createdAt },
      .instant("updated_at") { $0.updatedAt },
    ],
    names: ("reserve_plans_by_id", "reserve_plans_insert", "reserve_plans_update")
  ) { row in
    let lender: OrganizationID = try row.id()
    let id: ReservePlanID = try row.id()
    let chip = try row.chipModel()
    let months = try row.json().elements.map { node in
      guard let month = node["month"]?.asString.flatMap({ CalendarDate($0) }),
        let quantity = node["quantity"]?.asInteger
      else { throw StoredValueError(column: "months", value: node.pointer) }
      return ReservePlan.Month(month: month, quantity: quantity)
    }
    return ReservePlan(
      id: id, lenderID: lender, chipModelID: chip, months: months, version: try row.int(), createdAt: try row.instant(),
      updatedAt: try row.instant())
  }

  package static let listings = Table<Listing>(
    "listings", sql: "listings", key: ["lender_id", "id"], idColumn: "id",
    columns: [
      .uuid("lender_id") { $0.lenderID.value },
      .uuid("id") { $0.id.value },
      .uuid("lot_id") { $0.lotID.value },
      .text("chip_model_id") { $0.chipModelID.value },
      .text("country") { $0.site.country.value },
      .text("region") { $0.site.region },
      .int8("quantity") { $0.quantity },
      .int8("remaining") { $0.remaining },
      .int8("min_quantity") { $0.minQuantity },
      .int8("multiple_of") { $0.multipleOf },
      .int8("ask_rate_bps") { $0.askRate.value },
      .int8("min_term_days") { $0.minTermDays },
      .int8("max_term_days") { $0.maxTermDays },
      .text("legal_form") { $0.legalForm.rawValue },
      .texts("delivery_modes") { $0.deliveryModes.map(\.rawValue) },
      .int8("advance_rate_bps") { $0.advanceRate.value },
      .texts("repayment_patterns") { $0.repaymentPatterns.map(\.rawValue) },
      .int8("recall_notice_days") { $0.recallNoticeDays },
      .texts("eligible_grades") { $0.eligibility.creditGrades },
      .texts("eligible_jurisdictions") { $0.eligibility.jurisdictions?.map(\.value) },
      .int8("max_exposure_amount") { $0.eligibility.maxExposure?.amount },
      .text("max_exposure_currency") { $0.eligibility.maxExposure?.currency.code },
      .instant("valid_until_at") { $0.validUntil },
      .date("available_on") { $0.availableOn },
      .int8("sequence") { $0.sequence },
      .text("state") { $0.state.rawValue },
      .int8("version") { $0.version },
      .instant("created_at") { $0.createdAt },
      .instant("updated_at") { $0.updatedAt },
      .text("return_credit") { $0.returnCredit.rawValue },
      .text("assignability") { $0.assignability.rawValue },
      .int8("penalty_rate_bps") { $0.penalty.rate.value },
      .int8("penalty_grace_days") { $0.penalty.graceDays },
      .int8("penalty_cap_bps") { $0.penalty.cap?.value },
      .text("business_day") { $0.businessDay.rawValue },
    ] + taxTermColumns { $0.tax } + listingMarginColumns,
    names: ("listings_by_id", "listings_insert", "listings_update")
  ) { row in
    let lender: OrganizationID = try row.id()
    return Listing(
      id: try row.id(), lenderID: lender, lotID: try row.id(), chipModelID: try row.chipModel(), site: try row.site(),
      quantity: try row.int(), remaining: try row.int(), minQuantity: try row.int(), multipleOf: try row.int(),
      askRate: try row.bps(), minTermDays: try row.int(), maxTermDays: try row.int(), legalForm: try row.value(),
      deliveryModes: try row.values(), advanceRate: try row.bps(), repaymentPatterns: try row.values(),
      recallNoticeDays: try row.intOrNull(),
      eligibility: Listing.Eligibility(
        creditGrades: try row.textsOrNull(), jurisdictions: try row.parsedListOrNull { CountryCode($0) },
        maxExposure: try row.moneyOrNull()),
      validUntil: try row.instantOrNull(), availableOn: try row.date(), sequence: try row.int(),
      state: try row.value(), version: try row.int(), createdAt: try row.instant(), updatedAt: try row.instant(),
      returnCredit: try row.value(), assignability: try row.value(),
      penalty: PenaltyTerms(
        rate: try row.bps(), graceDays: try row.int(), cap: try row.intOrNull().map { BasisPoints($0) }),
      businessDay: try row.value(), tax: try readTaxTerms(&row), margin: try readListedMargin(&row))
  }
}
