import HTTPTypes
import Hummingbird
import Ledger
import LedgerExport
import NIOCore
import Operations
import Parties
import Persistence
import Postgres
import Primitives
import StrictJSON
import WebSupport

/// Statements as they were issued, one for each organisation and month.
extension WebAPI {
  func addStatementRoutes(_ routes: inout Routes) {
    routes.get("/v1/statement-documents") { request, _ in
      try await gateway.list(
        request, Resources.statementDocuments, name: "statement-documents", filter: "month",
        position: { PagePosition(createdAt: $0.createdAt, id: $0.id.value) }, write: { $0.write(to: &$1) })
    }
    routes.get("/v1/statement-documents/{id}") { request, context in
      let principal = try await gateway.principal(of: request)
      let id: StatementID = try Gateway.pathID(context, noun: "statement")
      let row = try await gateway.reader.one(Resources.statementDocuments, id.value, as: principal, noun: "statement")
      switch try Gateway.text(request, "format") ?? "json" {
      case "json": return answer(request, row.bytes, type: "application/json", tag: "\(row.digest)")
      case "text":
        let text = try await text(of: row)
        return answer(request, Array(text.utf8), type: "text/plain; charset=utf-8", tag: "\(row.digest)-text")
      default: throw Problem(.unprocessableContent, "request.invalid", "format is json or text.")
      }
    }
  }

  /// The bytes as they are: saved to a file, `sha256sum` prints the statement's digest.
  private func answer(_ request: Request, _ bytes: [UInt8], type: String, tag: String) -> Response {
    var fields = HTTPFields()
    fields[.contentType] = type
    fields[.eTag] = "\"\(tag)\""
    if request.headers[.ifNoneMatch] == "\"\(tag)\"" { return Response(status: .notModified, headers: fields) }
    return Response(status: .ok, headers: fields, body: ResponseBody(byteBuffer: ByteBuffer(bytes: bytes)))
  }

  /// Made again from the journal, which gives the same document; with the name of the organisation.
  private func text(of row: StatementRow) async throws -> String {
    let key = StatementKey(organizationID: row.organizationID, from: row.month, through: row.through)
    let queries = StatementSQL.sourceQueries(key) + [Tables.organizations.rows(by: [row.organizationID.value])]
    let results = try await gateway.reader.run(queries, as: .automation)
    let name = try Tables.organizations.decode(results[2]).first?.legalName
    return try StatementDocument(StatementSQL.decode(key, results), key).text(of: name ?? "\(row.organizationID)")
  }
}

extension StatementRow {
  func write(to writer: inout JSONWriter) {
    writer.object { writer in
      writer.field("id", id)
      writer.field("organization_id", organizationID)
      writer.field("from_on", month)
      writer.field("through_on", through)
      writer.field("digest", digest)
      writer.field("bytes", Int64(bytes.count))
      writer.field("settlement_run_id", runID)
      writer.field("created_at", createdAt)
    }
  }
}
