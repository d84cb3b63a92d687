import Hummingbird
import Ledger
import Operations
import Parties
import Persistence
import Primitives
import StrictJSON
import WebSupport

/// How far what only passes through the books has passed.
extension WebAPI {
  func addClearingRoutes(_ routes: inout Routes) {
    routes.get("/v1/ledger/clearing") { request, _ in
      let principal = try await gateway.principal(of: request)
      guard principal.readsEverything else { throw PartiesRefusal.notFound("clearing report") }
      let date = try await businessDate(request)
      let result = try await gateway.reader.run([ClearingSQL.query(on: date)], as: principal)[0]
      let report = try ClearingReport(result, on: date)
      return gateway.object(request, version: nil) { report.write(to: &$0) }
    }
  }
}

extension ClearingReport {
  func write(to writer: inout JSONWriter) {
    writer.object { writer in
      writer.field("on", on)
      writer.array("data", accounts) { writer, account in
        writer.object { writer in
          writer.field("account", account.code)
          writer.field("asset", account.asset.description)
          writer.field("items", account.items)
          writer.field("cleared_items", account.clearedItems)
          writer.field("opened", account.opened)
          writer.field("cleared", account.cleared)
          writer.field("open", account.opened - account.cleared)
          writer.field("cleared_bps", account.clearedShare)
          writer.field("oldest_open_on", account.oldestOn)
          writer.field("oldest_open_days", account.oldestOn.map { $0.days(to: on) })
        }
      }
      writer.nullField("next_cursor")
    }
  }
}
