import Lending
import Postgres
import Primitives
import Repayment

/// The sales tax of a fee that was posted on a loan for some days of one rule, or what a restatement of their fee changed
/// of it.
package struct TaxLineRow: Sendable, Hashable {
  package let id: TaxLineID
  package let borrowerID: OrganizationID
  package let lenderID: OrganizationID
  package let loanID: LoanID
  package let treatment: TaxTerms.Treatment
  package let jurisdiction: CountryCode
  package let currency: Currency
  /// The adopted rule by which it was computed; nil where the supply is exempt.
  package let ruleID: ReferenceEntryID?
  /// 0 where the supply is exempt.
  package let rate: BasisPoints
  package let rounding: Rounding
  package let from: CalendarDate
  /// The first day that is no longer of it.
  package let to: CalendarDate
  /// For days whose fee was posted before, at other rates.
  package let isRestated: Bool
  /// Minor units; of either sign for days that were restated.
  package let fee: Int64
  /// Posted under the standard treatment, a memorandum under a reverse charge.
  package let amount: Int64
  package let residueBefore: Int64
  package let residueAfter: Int64
  /// The entry of both books; nil where nothing was posted.
  package let entryID: JournalEntryID?
  package let bookedOn: CalendarDate
  package let recordedAt: Instant

  package init(
    id: TaxLineID, borrowerID: OrganizationID, lenderID: OrganizationID, loanID: LoanID, treatment: TaxTerms.Treatment,
    jurisdiction: CountryCode, currency: Currency, ruleID: ReferenceEntryID?, rate: BasisPoints, rounding: Rounding,
    from: CalendarDate, to: CalendarDate, isRestated: Bool, fee: Int64, amount: Int64, residueBefore: Int64,
    residueAfter: Int64, entryID: JournalEntryID?, bookedOn: CalendarDate, recordedAt: Instant
  ) {
    self.id = id
    self.borrowerID = borrowerID
    self.lenderID = lenderID
    self.loanID = loanID
    self.treatment = treatment
    self.jurisdiction = jurisdiction
    self.currency = currency
    self.ruleID = ruleID
    self.rate = rate
    self.rounding = rounding
    self.from = from
    self.to = to
    self.isRestated = isRestated
    self.fee = fee
    self.amount = amount
    self.residueBefore = residueBefore
    self.residueAfter = residueAfter
    self.entryID = entryID
    self.bookedOn = bookedOn
    self.recordedAt = recordedAt
  }
}

extension Tables {
  /// Never updated.
  package static let taxLines = Table<TaxLineRow>(
    "loan_tax_lines", sql: "loan_tax_lines", key: ["borrower_id", "id"], idColumn: "id",
    columns: [
      .uuid("borrower_id") { $0.borrowerID.value },
      .uuid("id") { $0.id.value },
      .uuid("lender_id") { $0.lenderID.value },
      .uuid("loan_id") { $0.loanID.value },
      .text("treatment") { $0.treatment.rawValue },
      .text("jurisdiction") { $0.jurisdiction.value },
      .text("currency") { $0.currency.code },
      .uuidOrNull("rule_id") { $0.ruleID?.value },
      .int8("rate_bps") { $0.rate.value },
      .text("rounding") { $0.rounding.rawValue },
      .date("from_on") { $0.from },
      .date("to_on") { $0.to },
      .bool("is_restated") { $0.isRestated },
      .int8("fee") { $0.fee },
      .int8("amount") { $0.amount },
      .int8("residue_before") { $0.residueBefore },
      .int8("residue_after") { $0.residueAfter },
      .uuidOrNull("entry_id") { $0.entryID?.value },
      .date("booked_on") { $0.bookedOn },
      .instant("recorded_at") { $0.recordedAt },
    ],
    names: ("loan_tax_lines_by_id", "loan_tax_lines_insert", nil)
  ) { row in
    let borrower: OrganizationID = try row.id()
    let id: TaxLineID = try row.id()
    return TaxLineRow(
      id: id, borrowerID: borrower, lenderID: try row.id(), loanID: try row.id(), treatment: try row.value(),
      jurisdiction: try row.country(), currency: try row.currency(), ruleID: try row.idOrNull(), rate: try row.bps(),
      rounding: try row.value(), from: try row.date(), to: try row.date(), isRestated: try row.bool(),
      fee: try row.int(), amount: try row.int(), residueBefore: try row.int(), residueAfter: try row.int(),
      entryID: try row.idOrNull(), bookedOn: try row.date(), recordedAt: try row.instant())
  }

  /// The columns of `listings` and of `loans` for what their fee bears.
  static func taxTermColumns<Row>(_ terms: @escaping @Sendable (Row) -> TaxTerms?) -> [Column<Row>] {
    [
      .text("tax_treatment") { terms($0)?.sales?.treatment.rawValue },
      .text("tax_jurisdiction") { terms($0)?.sales?.jurisdiction.value },
      .text("tax_withholding") { terms($0)?.withholding?.rawValue },
    ]
  }

  static func readTaxTerms(_ row: inout RowReader) throws -> TaxTerms? {
    let treatment = try row.valueOrNull(TaxTerms.Treatment.self)
    let jurisdiction = try row.parsedOrNull { CountryCode($0) }
    let withholding = try row.valueOrNull(TaxTerms.Withholding.self)
    guard let treatment, let jurisdiction else { return TaxTerms(sales: nil, withholding: withholding) }
    return TaxTerms(
      sales: TaxTerms.Sales(treatment: treatment, jurisdiction: jurisdiction), withholding: withholding)
  }

  /// The columns of `loans` for how far tax was computed and what of it is owed; null for a loan without tax terms, which
  /// is most of them.
  static let loanTaxColumns: [Column<Loan>] = [
    .int8("outstanding_tax") { ofTaxed($0) { $0.outstanding.tax } },
    .int8("tax_total") { ofTaxed($0) { $0.life.tax.total } },
    .int8("tax_residue") { ofTaxed($0) { $0.life.tax.residue } },
    .int8("tax_fee_paid") { ofTaxed($0) { $0.life.tax.feePaid } },
    .int8("tax_fee_certified") { ofTaxed($0) { $0.life.tax.feeCertified } },
  ]

  private static func ofTaxed(_ loan: Loan, _ value: (Loan) -> Int64) -> Int64? {
    loan.terms.tax == nil ? nil : value(loan)
  }

  static func readTax(_ row: inout RowReader) throws -> (outstanding: Int64, tax: LoanLife.Tax) {
    let (outstanding, total, residue) = (try row.intOrNull(), try row.intOrNull(), try row.intOrNull())
    let (paid, certified) = (try row.intOrNull(), try row.intOrNull())
    return (
      outstanding ?? 0,
      LoanLife.Tax(total: total ?? 0, residue: residue ?? 0, feePaid: paid ?? 0, feeCertified: certified ?? 0)
    )
  }
}

package enum TaxSQL {
  /// Rules that were adopted, in that order.
  package static let adoptedRules = Statement(
    "tax_rules_adopted",
    Tables.referenceEntries.selectList + "where kind = 'tax_rule' and state = 'adopted' order by decided_at, id",
    columns: Tables.referenceEntries.types)

  package static let linesOfLoan = Statement(
    "read_tax_lines_of_loan",
    Tables.taxLines.selectList
      + """
      where ($1::uuid is null or borrower_id = $1 or lender_id = $1) and loan_id = $2
      order by recorded_at, id limit 10000
      """,
    parameters: [.uuid, .uuid], columns: Tables.taxLines.types)

  /// What one organisation's fees bore between two business dates, both included, by side, jurisdiction, treatment,
  /// currency and rule: fee, tax and number of lines.
  package static let report = Statement(
    "read_tax_report",
    """
    select s.side, t.jurisdiction, t.treatment, t.currency, t.rule_id, t.rate_bps, sum(t.fee)::bigint,
      sum(t.amount)::bigint, count(*)
    from loan_tax_lines t
    cross join lateral (values ('lender', t.lender_id), ('borrower', t.borrower_id)) as s (side, org_id)
    where ($1::uuid is null or t.borrower_id = $1 or t.lender_id = $1) and s.org_id = $2
      and (t.borrower_id = $2 or t.lender_id = $2) and t.booked_on between $3 and $4
    group by 1, 2, 3, 4, 5, 6 order by 1 desc, 2, 3, 4, 6, 5
    """, parameters: [.uuid, .uuid, .date, .date],
    columns: [.text, .text, .text, .text, .uuid, .int8, .int8, .int8, .int8])

  /// How much one organisation's tax accounts moved between two business dates, both included.
  package static let movements = Statement(
    "read_tax_movements",
    """
    select l.account_code, l.asset, sum(l.amount)::bigint
    from journal_lines l join journal_entries e on e.org_id = l.org_id and e.id = l.entry_id
    where ($1::uuid is null or l.org_id = $1) and l.org_id = $2 and l.account_code like 'tax.%'
      and e.business_date between $3 and $4
    group by 1, 2 order by 1, 2
    """, parameters: [.uuid, .uuid, .date, .date], columns: [.text, .text, .int8])

  /// Fees of an organisation that bore no billed tax up to a business date, by side, jurisdiction, treatment and currency.
  package static let notesOfStatement = Statement(
    "read_untaxed_fees",
    """
    select s.side, t.jurisdiction, t.treatment, t.currency, sum(t.fee)::bigint, sum(t.amount)::bigint
    from loan_tax_lines t
    cross join lateral (values ('lender', t.lender_id), ('borrower', t.borrower_id)) as s (side, org_id)
    where ($1::uuid is null or t.borrower_id = $1 or t.lender_id = $1) and s.org_id = $2 and t.booked_on <= $3
      and (t.borrower_id = $2 or t.lender_id = $2) and t.treatment <> 'standard'
    group by 1, 2, 3, 4 order by 1 desc, 2, 3, 4
    """, parameters: [.uuid, .uuid, .date], columns: [.text, .text, .text, .text, .int8, .int8])

  package static var statements: [Statement] {
    [adoptedRules, linesOfLoan, report, movements, notesOfStatement]
  }

  static func lookups(_ wanted: Bool) -> [Loader.Lookup] {
    if !wanted { return [] }
    return [
      Loader.Lookup(query: Query(adoptedRules)) { result, state in
        for entry in try Tables.referenceEntries.decode(result) {
          state.shelves.referenceEntries.load(entry)
          state.adoptedTaxRules.append(entry.id)
        }
      }
    ]
  }
}
