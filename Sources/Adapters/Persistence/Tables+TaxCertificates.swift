import Lending
import Postgres
import Primitives

extension TaxCertificate: Stored {
  package mutating func stamp(_ now: Instant) { updatedAt = now }
}

extension Tables {
  package static let taxCertificates = Table<TaxCertificate>(
    "loan_tax_certificates", sql: "loan_tax_certificates", key: ["borrower_id", "id"], idColumn: "id",
    columns: [
      .uuid("borrower_id") { $0.borrowerID.value },
      .uuid("id") { $0.id.value },
      .uuid("lender_id") { $0.lenderID.value },
      .uuid("loan_id") { $0.loanID.value },
      .text("jurisdiction") { $0.jurisdiction.value },
      .bool("is_grossed_up") { $0.isGrossedUp },
      .int8("fee") { $0.fee.amount },
      .text("currency") { $0.fee.currency.code },
      .int8("withheld") { $0.withheld.amount },
      .date("paid_on") { $0.paidOn },
      .text("authority") { $0.authority },
      .text("reference") { $0.reference },
      .uuid("rule_id") { $0.ruleID.value },
      .int8("rate_bps") { $0.rate.value },
      .text("state") { $0.state.rawValue },
      .uuidOrNull("recorded_by") { $0.recordedBy?.value },
      .uuidOrNull("decided_by") { $0.decidedBy?.value },
      .instant("decided_at") { $0.decidedAt },
      .text("reason") { $0.reason },
      .uuidOrNull("entry_id") { $0.booking?.entryID.value },
      .date("booked_on") { $0.booking?.on },
      .int8("discharged_fee") { $0.booking?.fee },
      .int8("discharged_principal") { $0.booking?.principal },
      .int8("version") { $0.version },
      .instant("created_at") { $0.createdAt },
      .instant("updated_at") { $0.updatedAt },
    ],
    names: ("loan_tax_certificates_by_id", "loan_tax_certificates_insert", "loan_tax_certificates_update"),
    read: readCertificate)

  private static func readCertificate(_ row: inout RowReader) throws -> TaxCertificate {
    let borrower: OrganizationID = try row.id()
    let id: TaxCertificateID = try row.id()
    let (lender, loan): (OrganizationID, LoanID) = (try row.id(), try row.id())
    let (jurisdiction, isGrossedUp) = (try row.country(), try row.bool())
    let fee = try row.money()
    let withheld = Money(try row.int(), fee.currency)
    let (paidOn, authority, reference) = (try row.date(), try row.text(), try row.text())
    let (rule, rate): (ReferenceEntryID, BasisPoints) = (try row.id(), try row.bps())
    let state = try row.value(TaxCertificate.State.self)
    let (recordedBy, decidedBy): (PersonID?, PersonID?) = (try row.idOrNull(), try row.idOrNull())
    let (decidedAt, reason) = (try row.instantOrNull(), try row.textOrNull())
    let entry: JournalEntryID? = try row.idOrNull()
    let bookedOn = try row.dateOrNull()
    let (ofFee, ofPrincipal) = (try row.intOrNull(), try row.intOrNull())
    var booking: TaxCertificate.Booking?
    if let entry, let bookedOn, let ofFee, let ofPrincipal {
      booking = TaxCertificate.Booking(entryID: entry, on: bookedOn, fee: ofFee, principal: ofPrincipal)
    }
    return TaxCertificate(
      id: id, borrowerID: borrower, lenderID: lender, loanID: loan, jurisdiction: jurisdiction,
      isGrossedUp: isGrossedUp, fee: fee, withheld: withheld, paidOn: paidOn, authority: authority,
      reference: reference, ruleID: rule, rate: rate, state: state, recordedBy: recordedBy, decidedBy: decidedBy,
      decidedAt: decidedAt, reason: reason, booking: booking, version: try row.int(), createdAt: try row.instant(),
      updatedAt: try row.instant())
  }
}

extension TaxSQL {
  private static let certificatesOfBorrowers = Statement(
    "tax_certificates_of_borrowers",
    Tables.taxCertificates.selectList + "where borrower_id = any($1) order by created_at, id",
    parameters: [.uuidArray], columns: Tables.taxCertificates.types)

  package static let certificatesOfLoan = Statement(
    "read_tax_certificates_of_loan",
    Tables.taxCertificates.selectList
      + """
      where ($1::uuid is null or borrower_id = $1 or lender_id = $1) and loan_id = $2
      order by created_at, id limit 1000
      """,
    parameters: [.uuid, .uuid], columns: Tables.taxCertificates.types)

  /// What one organisation's certificates booked between two business dates, both included, by side, jurisdiction, currency
  /// and rule: fee they relate to, tax and number.
  package static let withheld = Statement(
    "read_tax_withheld",
    """
    select s.side, t.jurisdiction, t.currency, t.rule_id, t.rate_bps, sum(t.fee)::bigint, sum(t.withheld)::bigint,
      count(*)
    from loan_tax_certificates t
    cross join lateral (values ('lender', t.lender_id), ('borrower', t.borrower_id)) as s (side, org_id)
    where ($1::uuid is null or t.borrower_id = $1 or t.lender_id = $1) and s.org_id = $2
      and (t.borrower_id = $2 or t.lender_id = $2) and t.booked_on between $3 and $4
    group by 1, 2, 3, 4, 5 order by 1 desc, 2, 3, 5, 4
    """, parameters: [.uuid, .uuid, .date, .date],
    columns: [.text, .text, .text, .uuid, .int8, .int8, .int8, .int8])

  package static var certificateStatements: [Statement] { [certificatesOfBorrowers, certificatesOfLoan, withheld] }

  static func certificateLookups(_ wanted: [OrganizationID]) -> [Loader.Lookup] {
    if wanted.isEmpty { return [] }
    let borrowers = wanted.sorted()
    return [
      Loader.Lookup(query: Query(certificatesOfBorrowers, [.uuidArray(borrowers.map(\.value.bits))])) { result, state in
        for borrower in borrowers { state.taxCertificatesOf[borrower] = [] }
        for row in try Tables.taxCertificates.decode(result) {
          state.shelves.taxCertificates.load(row)
          state.taxCertificatesOf[row.borrowerID]?.append(row.id)
        }
      }
    ]
  }
}
