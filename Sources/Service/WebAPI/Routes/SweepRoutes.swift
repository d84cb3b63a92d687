import HTTPTypes
import Hummingbird
import Lending
import NIOCore
import Operations
import Parties
import Persistence
import Postgres
import Primitives
import Repayment
import StrictJSON
import WebSupport

/// What rounds would do, why they did what they did, and their correction.
extension WebAPI {
  func addSweepRoutes(_ routes: inout Routes) {
    routes.get("/v1/funding-rounds/{id}/sweep-preview") { request, context in
      let principal = try await gateway.principal(of: request)
      let round = try await anyRound(context)
      let book = try await sweepBook(of: round.borrowerID)
      let view = try self.view(of: round.borrowerID, as: principal, isExposed: book.isExposed, noun: "funding round")
      let (preview, convertible) = try await onThreadOfItsOwn {
        (try book.preview(of: round), try book.convertible(in: round))
      }
      return gateway.object(request, version: nil) { writer in
        writer.object { writer in
          writer.field("funding_round_id", round.id)
          writer.field("startup_id", round.borrowerID)
          writer.field("kind", round.kind)
          // Days after the sweep in which a lender may decline its part, and where that would go.
          writer.object("decline", book.declineRule) { writer, rule in
            writer.field("deadline_days", rule.deadlineDays)
            writer.field("goes_to", rule.goesTo)
          }
          preview.writeMembers(to: &writer, round.currency, as: view, closings: true)
          let shown = convertible.filter { view.shows($0.loan.terms.lenderID) }
          writer.array("conversions", shown) { $1.write(to: &$0) }
        }
      }
    }
    routes.post("/v1/funding-rounds/{id}/correct") { request, context in
      let id: FundingRoundID = try Gateway.pathID(context, noun: "funding round")
      return try await gateway.post(
        request, context, weight: .heavy,
        render: .init(version: { $0.reported.round.version }, write: { $0.write(to: &$1) })
      ) { reader, posted in CorrectFundingRound.parse(&reader, id, ifVersion: posted.ifVersion) }
    }
    routes.post("/v1/loans/{id}/decline-prepayment") { request, context in
      let id: LoanID = try Gateway.pathID(context, noun: "loan")
      return try await gateway.post(
        request, context,
        render: Gateway.Rendering<DeclinePrepayment.Declined>(version: { $0.loan.version }) { declined, writer in
          writer.object { writer in
            writer.key("decline")
            declined.decline.write(declined.dues, to: &writer, as: SweepView(lender: declined.loan.terms.lenderID))
            writer.key("loan")
            declined.loan.write(to: &writer)
          }
        }
      ) { reader, posted in DeclinePrepayment.parse(&reader, loanID: id, ifVersion: posted.ifVersion) }
    }
    routes.get("/v1/startups/{id}/sweep-preview") { request, context in
      let principal = try await gateway.principal(of: request)
      let id: OrganizationID = try Gateway.pathID(context, noun: "startup")
      let currency = request.uri.queryParameters["currency"].flatMap { Currency($0) }
      let book = try await sweepBook(of: id, asked: currency)
      let view = try self.view(of: id, as: principal, isExposed: book.isExposed, noun: "startup")
      let today = try await MarketTime.read(pool: writer, clock: clock, deadline: .now + .seconds(5)).now.date
      let asked = try SweepQuestion(request, today: today)
      let (grid, convertible) = try await onThreadOfItsOwn { (try book.grid(asked), try book.convertible(in: nil)) }
      let shown = convertible.filter { view.shows($0.loan.terms.lenderID) }
      return gateway.object(request, version: nil) { grid.write(to: &$0, id, asked, as: view, convertible: shown) }
    }
    routes.get("/v1/funding-rounds/{id}/explanation") { request, context in
      let principal = try await gateway.principal(of: request)
      let round = try await anyRound(context)
      let records = try await explanations(Details.sweepsOfRound, round.id.value).map {
        (row: $0, record: try SweepExplanation(canonicalBytes: $0.bytes))
      }
      let taken = try await Tables.loanConversions.decode(
        gateway.reader.run([EquitySQL.conversions(in: round.id, scope: .uuid(nil))], as: .automation)[0])
      let view = try self.view(
        of: round.borrowerID, as: principal,
        isExposed: { lender in
          records.contains { $0.record.dues.lines.contains { $0.lenderID == lender } }
            || taken.contains { $0.lenderID == lender }
        },
        noun: "funding round")
      let declined = Query(Details.declinesOfRound, [.uuid(nil), .uuid(round.id.value.bits)])
      let declines = try await Tables.prepaymentDeclines.decode(
        gateway.reader.run([declined], as: .automation)[0]
      ).map { (row: $0, dues: try DeclinedDues(canonicalBytes: $0.bytes)) }
      let conversions = try await Tables.repaymentExplanations.decode(
        gateway.reader.run([EquitySQL.records(of: taken.map(\.id))], as: .automation)[0]
      ).map { (row: $0, record: try ConversionExplanation(canonicalBytes: $0.bytes)) }
      return gateway.object(request, version: nil) { writer in
        writer.object { writer in
          writer.field("funding_round_id", round.id)
          let own = conversions.filter { view.shows($0.record.lenderID) }
          writer.array("conversions", own) { $1.record.write(to: &$0, $1.row) }
          writer.array("declines", declines.filter { $0.dues.concerns(view) }) { writer, decline in
            decline.row.write(decline.dues, to: &writer, as: view)
          }
          writer.array("sweeps", records) { writer, sweep in
            writer.object { writer in
              writer.field("kind", sweep.row.kind)
              writer.field("closing_id", sweep.record.closing.id)
              writer.field("closed_on", sweep.record.closing.closedOn)
              sweep.row.writeDigest(to: &writer, as: view)
              sweep.record.writeLines(to: &writer, as: view)
            }
          }
        }
      }
    }
    routes.get("/v1/cash-receipts/{id}/explanation") { request, context in
      let principal = try await gateway.principal(of: request)
      let id: CashReceiptID = try Gateway.pathID(context, noun: "cash receipt")
      guard let row = try await explanations(Details.divisionOfReceipt, id.value).first else {
        throw PartiesRefusal.notFound("cash receipt")
      }
      let record = try AllocationExplanation(canonicalBytes: row.bytes)
      let view = try self.view(
        of: row.borrowerID, as: principal,
        isExposed: { lender in record.allocation.lines.contains { $0.lenderID == lender } }, noun: "cash receipt")
      return gateway.object(request, version: nil) { writer in
        writer.object { writer in
          writer.field("cash_receipt_id", id)
          row.writeDigest(to: &writer, as: view)
          record.writeLines(to: &writer, as: view)
        }
      }
    }
  }

  func addWaterfallRoutes(_ routes: inout Routes) {
    routes.post("/v1/startups/{id}/waterfalls") { request, context in
      let id: OrganizationID = try Gateway.pathID(context, noun: "startup")
      return try await gateway.post(
        request, context,
        render: .init(status: .created, location: { _ in "/v1/startups/\(id)/waterfalls" }) { $0.write(to: &$1) }
      ) { reader, _ in SetWaterfalls.parse(&reader, id) }
    }
    routes.get("/v1/startups/{id}/waterfalls") { request, context in
      let principal = try await gateway.principal(of: request)
      let id: OrganizationID = try Gateway.pathID(context, noun: "startup")
      let binds: [Bind] = [.uuid(nil), .uuid(id.value.bits)]
      let results = try await gateway.reader.run(
        [Query(Details.loansOfStartup, binds), Query(Details.waterfallsOfStartup, binds)], as: .automation)
      let loans = try Tables.loans.decode(results[0])
      let view = try self.view(
        of: id, as: principal, isExposed: { lender in loans.contains { $0.terms.lenderID == lender } }, noun: "startup")
      let own = Set(loans.filter { view.shows($0.terms.lenderID) }.map(\.id))
      return gateway.page(try Tables.startupWaterfalls.decode(results[1]), next: nil) { row, writer in
        row.write(to: &writer) { view.lender == nil || own.contains($0) }
      }
    }
  }

  func addLienRoutes(_ routes: inout Routes) {
    routes.get("/v1/loans/{id}/lien-release") { request, context in
      let principal = try await gateway.principal(of: request)
      let loan = try await self.loan(context, as: principal)
      let (borrower, lender) = (loan.terms.borrowerID, loan.terms.lenderID)
      // A side of the loan sees the certificate whole: the other's name, and the payments as the borrower's book has them.
      let results = try await gateway.reader.run(
        [
          Query(Details.paymentsOfLoan, [.uuid(nil), .uuid(borrower.value.bits), .uuid(loan.id.value.bits)]),
          Tables.organizations.rows(by: [lender.value, borrower.value]),
          Query(
            Details.reinstatementOfLoan, [.uuid(nil), .uuid(borrower.value.bits), .uuid(loan.id.value.bits)]),
        ], as: .automation)
      let parties = try Tables.organizations.decode(results[1])
      guard let lends = parties.first(where: { $0.id == lender }),
        let owes = parties.first(where: { $0.id == borrower })
      else { throw PartiesRefusal.notFound("loan") }
      let certificate = try LienDesk.certificate(
        of: loan, lender: lends, borrower: owes, paid: try LienDesk.payments(results[0], on: loan))
      var fields = HTTPFields()
      // The tag is the certificate's digest, as sha256sum prints it for the saved text.
      let tag = "\"\(certificate.digest)\""
      fields[.contentType] = "text/plain; charset=utf-8"
      fields[.eTag] = tag
      // The text stays what it was on its day. That the debt is owed again since, and unsecured, is said beside it.
      if let row = results[2].first, let name = HTTPField.Name("Reinstated-On") {
        var reader = RowReader(row)
        fields[name] = try reader.date().description
      }
      if request.headers[.ifNoneMatch] == tag { return Response(status: .notModified, headers: fields) }
      return Response(
        status: .ok, headers: fields, body: ResponseBody(byteBuffer: ByteBuffer(string: certificate.text)))
    }
  }

  /// - Throws: 404 for whoever is neither a side of it nor reads everything: to others it does not exist.
  private func view(
    of borrower: OrganizationID, as principal: Principal, isExposed: (OrganizationID) -> Bool, noun: String
  ) throws -> SweepView {
    if principal.readsEverything || principal.organizationID == borrower { return SweepView(lender: nil) }
    guard isExposed(principal.organizationID) else { throw PartiesRefusal.notFound(noun) }
    return SweepView(lender: principal.organizationID)
  }

  /// A round whoever reports it: what the caller may see of it is decided after.
  private func anyRound(_ context: ChipBridgeContext) async throws -> FundingRound {
    let id: FundingRoundID = try Gateway.pathID(context, noun: "funding round")
    return try await gateway.reader.one(Resources.fundingRounds, id.value, as: .automation, noun: "funding round")
  }

  private func explanations(_ statement: Statement, _ id: UUIDValue) async throws -> [ExplanationRow] {
    let query = Query(statement, [.uuid(nil), .uuid(id.bits)])
    return try await Tables.repaymentExplanations.decode(gateway.reader.run([query], as: .automation)[0])
  }

  /// A startup's loans and rounds, from one snapshot.
  /// - Parameter asked: the currency of a round that is only thought of.
  private func sweepBook(of startup: OrganizationID, asked: Currency? = nil) async throws -> SweepDesk.Book {
    let binds: [Bind] = [.uuid(nil), .uuid(startup.value.bits)]
    let results = try await gateway.reader.run(
      [
        Query(Details.loansOfStartup, binds), Query(Details.roundsOfStartup, binds),
        Query(Details.closingsOfStartup, binds), Query(Details.waterfallsOfStartup, binds),
      ], as: .automation)
    let today = try await MarketTime.read(pool: writer, clock: clock, deadline: .now + .seconds(5)).now.date
    let loans = try Tables.loans.decode(results[0])
    let closings = try Tables.fundingClosings.decode(results[2])
    let equity = try await gateway.reader.run(
      [EquitySQL.options(of: loans.map(\.terms.listingID)), EquitySQL.conversions(of: loans.map(\.id))],
      as: .automation)
    let spans = FXDesk.spans(
      loans: loans, cash: Set(closings.map(\.netNewCash.currency)).union(asked.map { [$0] } ?? []),
      days: closings.map(\.closedOn) + [today])
    let taxes = loans.contains(where: \.bearsTax) ? try await reference.refreshed(self.writer).taxes : .empty
    return SweepDesk.Book(
      loans: loans, rounds: try Tables.fundingRounds.decode(results[1]), closings: closings,
      waterfalls: try Tables.startupWaterfalls.decode(results[3]), rates: try await fxTable(spans), taxes: taxes,
      options: try Tables.listingOptions.decode(equity[0]), conversions: try Tables.loanConversions.decode(equity[1]),
      today: today)
  }
}

extension ExplanationRow {
  /// The digest, and for those who may see all lines the bytes it is taken of, in hexadecimal digits.
  fileprivate func writeDigest(to writer: inout JSONWriter, as view: SweepView) {
    writer.field("digest", digest)
    writer.field("bytes", view.lender == nil ? bytes.hexadecimal : nil)
  }
}

extension [UInt8] {
  /// Two lower-case digits a byte.
  var hexadecimal: String {
    let digits = Array("0123456789abcdef".utf8)
    return String(decoding: flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] }, as: UTF8.self)
  }
}

extension SweepQuestion {
  /// Days ahead that a preview looks: ten years.
  private static let mostDaysAhead: Int64 = 3_653

  /// `currency`, `kind`? (priced), `amount` and `closed_on`? (today), or instead of them the grids `amounts` and `dates`;
  /// `post_money`? is that of a round of `amount`: a larger round is worth as much more.
  fileprivate init(_ request: Request, today: CalendarDate) throws {
    guard let currency = try Gateway.text(request, "currency").flatMap({ Currency($0) }) else {
      throw Self.invalid("currency is one of ISO 4217, such as USD.")
    }
    let kindText = try Gateway.text(request, "kind") ?? FundingRoundKind.priced.rawValue
    guard let kind = FundingRoundKind(rawValue: kindText) else {
      throw Self.invalid("kind is one of \(FundingRoundKind.allCases.map(\.rawValue).joined(separator: ", ")).")
    }
    let amount = try Self.list(request, "amount").map { try Self.amount($0, "amount") }
    let sizes = try Self.list(request, "amounts").map { try Self.amount($0, "amounts") }
    guard amount.count <= 1, !(amount + sizes).isEmpty else {
      throw Self.invalid("amount is needed, or amounts, several parted by commas.")
    }
    let closedOn = try Gateway.date(request, "closed_on")
    let dates = try Self.list(request, "dates").map { text in
      guard let date = CalendarDate(text) else { throw Self.invalid("dates are of the form YYYY-MM-DD.") }
      return date
    }
    let days = dates.isEmpty ? [closedOn ?? today] : dates
    guard let last = today.adding(days: Self.mostDaysAhead), days.allSatisfy({ today <= $0 && $0 <= last }) else {
      throw Self.invalid("closed_on and dates lie between today, \(today), and ten years from it.")
    }
    var preMoney: Int64?
    if let text = try Gateway.text(request, "post_money") {
      let postMoney = try Self.amount(text, "post_money")
      guard let base = amount.first else { throw Self.invalid("post_money is of a round of amount, which is missing.") }
      guard postMoney >= base else { throw Self.invalid("post_money is at least amount.") }
      preMoney = postMoney - base
    }
    self.init(
      kind: kind, currency: currency, sizes: sizes.isEmpty ? amount : sizes, dates: days, preMoney: preMoney)
  }

  /// The parts of a parameter that is parted by commas; none where it is left out.
  private static func list(_ request: Request, _ name: Substring) throws -> [String] {
    guard let text = request.uri.queryParameters[name] else { return [] }
    let parts = text.split(separator: ",", maxSplits: SweepGrid.mostCells, omittingEmptySubsequences: false)
    guard text.utf8.count <= 8_192, parts.count <= SweepGrid.mostCells else {
      throw invalid("\(name) has at most \(SweepGrid.mostCells) parts.")
    }
    return parts.map(String.init)
  }

  private static func amount(_ text: String, _ name: String) throws -> Int64 {
    guard let value = Int64(text), BodyBounds.amount.contains(value) else {
      throw invalid("\(name) is in minor units, from 0 to \(BodyBounds.amount.upperBound).")
    }
    return value
  }

  private static func invalid(_ detail: String) -> Problem {
    Problem(.unprocessableContent, "request.invalid", detail)
  }
}
