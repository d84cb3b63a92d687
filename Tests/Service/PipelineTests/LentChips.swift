import DomainFixtures
import Lending
import Operations
import Parties
import Persistence
import Postgres
import PostgresHarness
import Primitives
import Repayment
import SchemaFixtures
import Testing

/// A loan of sixteen chips between a lender and a startup, delivered on the marketplace's first day: 14,400,000 minor
/// units of principal at 1,000 basis points a year, ACT/360, so that a day is 4,000.
struct LentChips {
  static let principal: Int64 = 14_400_000
  static let perDay: Int64 = 4_000

  let market: Marketplace
  let lender: Party
  let startup: Party
  let id: LoanID
  let lotID: LotID

  /// - Parameters:
  ///   - recallNoticeDays: the notice of the listing's right of recall; nil for none.
  ///   - isDelivered: whether the chips have gone out, as units without numbers.
  init(
    _ market: Marketplace, recallNoticeDays: Int64? = nil, returnCredit: ReturnCreditRule = .proRataOutstanding,
    isDelivered: Bool = true, assignability: Assignability = .withConsent, penalty: PenaltyTerms = .none,
    tax: TaxTerms? = nil, startupIn: CountryCode? = nil
  )
    async throws
  {
    self.market = market
    lender = try await market.lender()
    startup = try await market.party("Startup", [.startup], jurisdiction: startupIn)
    try await market.mark()
    let serials = (0..<64).map { "SN-\($0)" }
    let lot = try await market.run(
      market.lotCommand(of: lender, quantity: 64, serials: serials), by: lender.principal)
    lotID = lot.id
    var terms = market.listingCommand(
      of: lot, quantity: 64, recallNoticeDays: recallNoticeDays, returnCredit: returnCredit, penalty: penalty
    ).terms
    terms.assignability = assignability
    terms.tax = tax
    let listing = try await market.run(CreateListing(terms: terms, lenderID: lender.id), by: lender.principal)
    let request = try await market.request(of: startup)
    let offer = try await market.offer(request, listing, quantity: 16)
    let accepted = try await market.run(AcceptOffer(offerID: offer.id, ifVersion: nil), by: startup.principal)
    id = try #require(accepted.loanID)
    let delivery = RecordDelivery(loanID: id, quantity: nil, occurredOn: market.clock.now().date, ifVersion: nil)
    if isDelivered {
      _ = try await market.run(delivery, by: lender.principal)
      _ = try await market.run(delivery, by: startup.principal)
    }
  }

  var today: CalendarDate { market.clock.now().date }

  func day(_ offset: Int64) throws -> CalendarDate { try #require(Marketplace.start.date.adding(days: offset)) }

  /// The loan as the database has it.
  func loan() async throws -> Loan {
    try await market.database.withConnection { connection in
      let rows = try Tables.loans.decode(await connection.run(Tables.loans.rows(by: [id.value]), deadline: soon()))
      return try #require(rows.first)
    }
  }

  func lot() async throws -> Lot {
    try await market.database.withConnection { connection in
      let rows = try Tables.lots.decode(await connection.run(Tables.lots.rows(by: [lotID.value]), deadline: soon()))
      return try #require(rows.first)
    }
  }

  func accrue() async throws {
    _ = try await market.run(AccrueBorrower(borrowerID: startup.id, through: today), by: .automation)
  }

  func pay(_ amount: Int64, _ source: ReceiptSource = .instalment) async throws {
    _ = try await market.run(
      RecordCashReceipt(
        receivedOn: today, amount: Money(amount, .usd), source: source, payerID: startup.id, reference: nil),
      by: Marketplace.staff())
  }

  func propose(_ terms: AmendmentTerms, by party: Party) async throws -> LoanAmendment {
    try await market.run(
      ProposeAmendment(loanID: id, terms: terms, reason: "agreed", validDays: nil, ifVersion: nil),
      by: party.principal
    ).amendment
  }

  func answer(_ amendment: LoanAmendment, _ act: LoanAmendment.Act, by party: Party) async throws
    -> Decided<AmendmentDesk.Answered>
  {
    try await market.submit(
      AnswerAmendment(loanID: id, amendmentID: amendment.id, act: act, ifVersion: nil), by: party.principal)
  }

  /// Makes everything due and overdue, by a recall that nobody answered. The clock ends 40 days after the first.
  func letRecallLapse() async throws {
    _ = try await market.run(
      RecallLoan(loanID: id, noticeDays: nil, reason: nil, ifVersion: nil), by: lender.principal)
    market.clock.advance(days: 40)
    let escalated = try await market.run(EscalateRecalls(borrowerID: startup.id, on: today), by: .automation)
    #expect(escalated == 1)
  }

  /// Everything that the laws say against the books: those of the tests and those of `chipbridge verify`.
  func breaches() async throws -> [String] {
    let own = try await market.breaches()
    return try await market.database.withConnection { connection in
      var found = own
      for check in LawCheck.all {
        for row in try await connection.run(Query(check.breaches), deadline: soon()) {
          found.append("\(check.title): \(try row.text(0)) \(try row.text(1))")
        }
      }
      return found
    }
  }

  /// Entries of a kind about the loan, over all books.
  func entries(_ kind: String) async throws -> Int64 {
    try await market.database.withConnection { connection in
      let query = Query(Self.entriesOfKind, [.uuid(id.value.bits), .text(kind)])
      return try await connection.run(query, deadline: soon()).single().int8(0)
    }
  }

  private static let entriesOfKind = Statement(
    "test_entries_of_kind", "select count(*) from journal_entries where subject_id = $1 and kind = $2",
    parameters: [.uuid, .text], columns: [.int8])

  /// The loan's events in order: type and who did it.
  func events() async throws -> [(type: String, actor: OrganizationID)] {
    try await market.database.withConnection { connection in
      let query = Query(Details.eventsOfLoan, [.uuid(nil), .uuid(id.value.bits)])
      return try Tables.loanEvents.decode(await connection.run(query, deadline: soon())).map { ($0.type, $0.actorID) }
    }
  }
}
