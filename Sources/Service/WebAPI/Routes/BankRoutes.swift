import BankFiles
import HTTPTypes
import Hummingbird
import Operations
import Parties
import Persistence
import Postgres
import Primitives
import WebSupport

extension WebAPI {
  private static let statementTypes: Set<String> = ["application/xml", "text/xml", "text/csv"]
  /// A day of a busy account has some ten thousand payments of half a kilobyte each.
  private static let largestStatementFile = 8 << 20
  /// Lines that one answer shows.
  private static let mostLines: Int64 = 20_000

  func addBankRoutes(_ routes: inout Routes) {
    routes.post("/v1/bank-statements") { request, context in
      try await gateway.postFile(
        request, context, types: Self.statementTypes, limit: Self.largestStatementFile,
        render: .init(
          status: .created, location: { $0.location }, write: { $0.write(to: &$1) })
      ) { file, posted -> ImportBankStatements in
        // Before the work of reading it: a stranger's file is not looked at.
        try posted.principal.require(.admin)
        try posted.principal.require(duty: .treasury)
        return ImportBankStatements(statements: try StatementFile.read(file), fileDigest: SHA256Digest(of: file))
      }
    }
    routes.get("/v1/bank-statements") { request, _ in
      try await gateway.list(
        request, Resources.bankStatements, name: "bank-statements", filter: "currency",
        position: { PagePosition(createdAt: $0.createdAt, id: $0.id.value) }, write: { $0.write(to: &$1) })
    }
    routes.get("/v1/bank-statements/{id}") { request, context in
      let id: BankStatementID = try Gateway.pathID(context, noun: "bank statement")
      return try await bankStatement(request, id)
    }
    routes.get("/v1/reconciliation-breaks") { request, _ in
      try await gateway.list(
        request, Resources.reconciliationBreaks, name: "reconciliation-breaks", filter: "state",
        position: { PagePosition(createdAt: $0.createdAt, id: $0.id.value) }, write: { $0.write(to: &$1) })
    }
    routes.get("/v1/reconciliation-breaks/{id}") { request, context in
      let principal = try await gateway.principal(of: request)
      let id: ReconciliationBreakID = try Gateway.pathID(context, noun: "reconciliation break")
      let row = try await gateway.reader.one(
        Resources.reconciliationBreaks, id.value, as: principal, noun: "reconciliation break")
      return gateway.object(request, version: row.version) { row.write(to: &$0) }
    }
    routes.post("/v1/reconciliation-breaks/{id}/resolve") { request, context in
      let id: ReconciliationBreakID = try Gateway.pathID(context, noun: "reconciliation break")
      return try await gateway.post(
        request, context, render: .init(version: { $0.version }, write: { $0.write(to: &$1) })
      ) { reader, posted in ResolveBreak.parse(&reader, id, ifVersion: posted.ifVersion) }
    }
  }

  /// A statement with its lines, what each was matched with, its breaks, and the books' balance of its closing day.
  private func bankStatement(_ request: Request, _ id: BankStatementID) async throws -> Response {
    let principal = try await gateway.principal(of: request)
    let statement = try await gateway.reader.one(
      Resources.bankStatements, id.value, as: principal, noun: "bank statement")
    let binds = [gateway.reader.scope(principal), Bind.uuid(id.value.bits)]
    let results = try await gateway.reader.run(
      [
        Query(Details.linesOfBankStatement, binds + [.int8(Self.mostLines)]),
        Query(Details.matchesOfBankStatement, binds), Query(Details.breaksOfBankStatement, binds),
        BankSQL.clientMoneyQuery(on: statement.closedOn),
      ], as: principal)
    let shown = BankStatementView(
      statement: statement, lines: try Tables.bankLines.decode(results[0]),
      matches: try Tables.reconciliationMatches.decode(results[1]),
      breaks: try Tables.reconciliationBreaks.decode(results[2]),
      ledgerBalance: try BankSQL.decodeClientMoney(results[3]).held[statement.closing.currency] ?? 0)
    return gateway.object(request, version: nil) { shown.write(to: &$0) }
  }
}
