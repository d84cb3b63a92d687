import HTTPTypes
import Hummingbird
import Operations
import Parties
import Persistence
import Postgres
import Primitives
import StrictJSON
import WebSupport

private struct Checkpoint {
  let number: Int64
  let sealedAt: Instant
  let body: String
  let signature: [UInt8]
  let publicKey: [UInt8]
}

extension WebAPI {
  /// The signed checkpoints of the sealed audit log: whoever keeps one elsewhere can tell later that nothing before it
  /// was changed.
  func addAuditRoutes(_ routes: inout Routes) {
    routes.get("/v1/audit-log/checkpoints") { request, _ in
      let principal = try await gateway.principal(of: request)
      try principal.require(.admin, .auditor)
      let after = try Self.count(request, "after", 0...Int64.max) ?? 0
      let limit = try Self.count(request, "limit", 1...200) ?? 50
      let query = Query(AuditSealSQL.checkpoints, [.int8(after), .int8(limit + 1)])
      let result = try await gateway.reader.run([query], as: principal)[0]
      let checkpoints = try result.map { row in
        Checkpoint(
          number: try row.int8(0),
          sealedAt: Instant(microseconds: try row.timestamptz(1)) ?? .epoch, body: try row.text(2),
          signature: try row.bytea(3),
          publicKey: try row.bytea(4))
      }
      let shown = Array(checkpoints.prefix(Int(limit)))
      // Numbers are no secret and never change: the next page is after the last one's.
      let next = checkpoints.count > shown.count ? shown.last.map { "\($0.number)" } : nil
      return gateway.page(shown, next: next) { checkpoint, writer in
        writer.object { writer in
          writer.field("number", checkpoint.number)
          writer.field("created_at", checkpoint.sealedAt)
          writer.field("body", checkpoint.body)
          writer.field("signature", hexadecimal(checkpoint.signature))
          writer.field("public_key", hexadecimal(checkpoint.publicKey))
        }
      }
    }
  }

  /// A plain number of the query.
  /// - Throws: 422 for anything but digits, and past the range.
  private static func count(_ request: Request, _ name: Substring, _ range: ClosedRange<Int64>) throws -> Int64? {
    guard let text = request.uri.queryParameters[name] else { return nil }
    guard text.utf8.allSatisfy({ (0x30...0x39).contains($0) }), let value = Int64(text), range.contains(value) else {
      throw Problem(
        .unprocessableContent, "request.invalid",
        "\(name) is an integer from \(range.lowerBound) to \(range.upperBound).")
    }
    return value
  }
}
