import Hummingbird
import Lending
import Parties
import Persistence
import Postgres
import Primitives
import Repayment
import StrictJSON
import Valuation
import WebSupport

/// An object that an answer carries the id of, under the name that `?expand=` calls it by.
struct Expansion<Row: Sendable>: Sendable {
  let name: String
  let kind: ExpandedKind
  /// nil where the row has none.
  let id: @Sendable (Row) -> UUIDValue?

  init(_ name: String, _ kind: ExpandedKind, _ id: @escaping @Sendable (Row) -> UUIDValue?) {
    self.name = name
    self.kind = kind
    self.id = id
  }
}

/// Kinds of objects that can be expanded, each by the family of the route that reads one: its scope is asked for too.
enum ExpandedKind: String, Sendable, CaseIterable {
  case organization = "organizations"
  case lot = "lots"
  case listing = "listings"
  case loanRequest = "loan-requests"
  case offer = "offers"
  case loan = "loans"
}

/// What can be expanded of each kind of row. The contract's lines name the same.
enum Expansions {
  static let loan: [Expansion<Loan>] = [
    Expansion("lot", .lot) { $0.terms.lotID.value }, Expansion("listing", .listing) { $0.terms.listingID.value },
    Expansion("startup", .organization) { $0.terms.borrowerID.value },
    Expansion("lender", .organization) { $0.terms.lenderID.value },
    Expansion("offer", .offer) { $0.terms.offerID.value },
    Expansion("request", .loanRequest) { $0.terms.requestID.value },
  ]
  static let offer: [Expansion<Offer>] = [
    Expansion("request", .loanRequest) { $0.requestID.value }, Expansion("listing", .listing) { $0.listingID.value },
    Expansion("lot", .lot) { $0.lotID.value }, Expansion("loan", .loan) { $0.loanID?.value },
    Expansion("startup", .organization) { $0.borrowerID.value },
    Expansion("lender", .organization) { $0.lenderID.value },
  ]
  static let listing: [Expansion<Listing>] = [
    Expansion("lot", .lot) { $0.lotID.value }, Expansion("lender", .organization) { $0.lenderID.value },
  ]
  static let lot: [Expansion<Lot>] = [Expansion("lender", .organization) { $0.lenderID.value }]
  static let loanRequest: [Expansion<LoanRequest>] = [Expansion("startup", .organization) { $0.borrowerID.value }]
  static let marginCall: [Expansion<MarginCallRow>] = [
    Expansion("loan", .loan) { $0.call.loanID.value }, Expansion("startup", .organization) { $0.borrowerID.value },
    Expansion("lender", .organization) { $0.lenderID.value },
  ]
  static let marginTest: [Expansion<MarginTestRow>] = [
    Expansion("loan", .loan) { $0.loanID.value }, Expansion("startup", .organization) { $0.borrowerID.value },
    Expansion("lender", .organization) { $0.lenderID.value },
  ]
  static let depositAct: [Expansion<DepositAct>] = [
    Expansion("loan", .loan) { $0.loanID.value }, Expansion("startup", .organization) { $0.borrowerID.value },
    Expansion("lender", .organization) { $0.lenderID.value },
  ]
  static let warrant: [Expansion<Warrant>] = [
    Expansion("loan", .loan) { $0.loanID.value }, Expansion("startup", .organization) { $0.borrowerID.value },
    Expansion("lender", .organization) { $0.lenderID.value },
  ]
  static let payout: [Expansion<Payout>] = [Expansion("lender", .organization) { $0.lenderID.value }]
  static let invoice: [Expansion<PlatformInvoice>] = [Expansion("lender", .organization) { $0.lenderID.value }]
}

extension QueryParameter {
  static func expand<Row>(_ expansions: [Expansion<Row>]) -> QueryParameter {
    QueryParameter(
      "expand", .names(expansions.map(\.name)),
      "Adds `expanded`: by id, what these name, as its own read gives it, where the caller may read it. No ETag then.")
  }
}

extension WebAPI {
  /// What an answer about rows has besides, where its query asks for it.
  /// - Returns: nil where nothing is asked for.
  func expanding<Row>(_ request: Request, _ expansions: [Expansion<Row>]) -> Gateway.Besides<Row>? {
    guard let text = request.uri.queryParameters["expand"] else { return nil }
    // Names and their number were checked against the contract.
    let names = Set(text.split(separator: ",").map { String($0) })
    let asked = expansions.filter { names.contains($0.name) }
    return { rows, principal in
      let objects = try await expanded(rows, asked, as: principal)
      return { writer in
        writer.object("expanded") { writer in
          for (id, bytes) in objects {
            writer.key(dynamic: id)
            writer.raw(bytes)
          }
        }
      }
    }
  }

  /// The objects that rows name, each once, in order of their ids; those that the caller could not read are not among them.
  private func expanded<Row>(
    _ rows: [Row], _ expansions: [Expansion<Row>], as principal: Principal
  ) async throws -> [(id: String, bytes: [UInt8])] {
    var wanted: [ExpandedKind: Set<UUIDValue>] = [:]
    for expansion in expansions where principal.scopes.permit(KeyScope(.read, of: expansion.kind.rawValue)) {
      for row in rows {
        if let id = expansion.id(row) { wanted[expansion.kind, default: []].insert(id) }
      }
    }
    let scope = gateway.reader.scope(principal)
    let kinds = ExpandedKind.allCases.filter { wanted[$0] != nil }
    if kinds.isEmpty { return [] }
    // One round trip, one moment.
    let results = try await gateway.reader.run(
      kinds.map { Self.query($0, (wanted[$0] ?? []).sorted(), scope: scope) }, as: principal)
    var objects: [(id: String, bytes: [UInt8])] = []
    func add(_ id: some CustomStringConvertible, _ write: (inout JSONWriter) -> Void) {
      var writer = JSONWriter(capacity: 1_024)
      write(&writer)
      objects.append((id.description, writer.bytes))
    }
    for (kind, result) in zip(kinds, results) {
      switch kind {
      case .organization: for row in try Tables.organizations.decode(result) { add(row.id) { row.write(to: &$0) } }
      case .lot: for row in try Tables.lots.decode(result) { add(row.id) { row.write(to: &$0) } }
      case .offer: for row in try Tables.offers.decode(result) { add(row.id) { row.write(to: &$0) } }
      case .loan: for row in try Tables.loans.decode(result) { add(row.id) { row.write(to: &$0) } }
      case .listing:
        let listings = try Tables.listings.decode(result)
        let marks = try await chipMarks(Set(listings.map(\.chipModelID)), as: principal)
        for row in listings { add(row.id) { row.write(to: &$0, mark: marks[row.chipModelID]?.amount) } }
      case .loanRequest:
        let requests = try Tables.loanRequests.decode(result)
        let holds = try await holds(of: requests.map(\.id), as: principal)
        for row in requests { add(row.id) { row.write(to: &$0, holds: holds[row.id] ?? []) } }
      }
    }
    return objects.sorted { $0.id < $1.id }
  }

  private static func query(_ kind: ExpandedKind, _ ids: [UUIDValue], scope: Bind) -> Query {
    switch kind {
    case .organization: Expandables.organizations.query(ids, scope: scope)
    case .lot: Expandables.lots.query(ids, scope: scope)
    case .listing: Expandables.listings.query(ids, scope: scope)
    case .loanRequest: Expandables.loanRequests.query(ids, scope: scope)
    case .offer: Expandables.offers.query(ids, scope: scope)
    case .loan: Expandables.loans.query(ids, scope: scope)
    }
  }
}
