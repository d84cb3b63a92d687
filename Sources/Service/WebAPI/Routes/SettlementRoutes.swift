import HTTPTypes
import Hummingbird
import Ledger
import NIOCore
import Operations
import Parties
import Persistence
import Postgres
import Primitives
import StrictJSON
import Synchronization
import WebSupport

extension WebAPI {
  private var planner: RunPlanner {
    RunPlanner(pool: writer, pipeline: gateway.pipeline, reference: reference)
  }

  func addSettlementRoutes(_ routes: inout Routes) {
    routes.post("/v1/settlement-runs") { request, context in
      let asked = Mutex<PlanSettlementRun?>(nil)
      let response = try await gateway.post(
        request, context,
        render: .init(
          status: .accepted, location: { "/v1/settlement-runs/\($0.id)" }, version: { _ in 1 },
          write: { $0.write(to: &$1) }),
        preview: { _ in try await preview(asked.withLock { $0 }) }
      ) { reader, _ -> PlanSettlementRun? in
        let command = PlanSettlementRun.parse(&reader)
        asked.withLock { $0 = command }
        return command
      }
      workPlanned()
      return response
    }
    routes.get("/v1/settlement-runs/{id}") { request, context in
      let principal = try await gateway.principal(of: request)
      let id: SettlementRunID = try Gateway.pathID(context, noun: "settlement run")
      guard let (run, dead) = try await run(id, as: principal) else { throw PartiesRefusal.notFound("settlement run") }
      return gateway.object(request, version: run.version) { run.write(to: &$0, dead: dead) }
    }
    routes.get("/v1/settlement-runs") { request, _ in
      let principal = try await gateway.principal(of: request)
      let query = try gateway.listQuery(request, list: "settlement-runs")
      let page = Query(
        RunSQL.runsPage,
        [
          .timestamptz(query.position.createdAt.microseconds), .uuid(query.position.id.bits), .int8(query.limit + 1),
        ])
      let rows = try await gateway.reader.run([page], as: principal)[0].map(RunSQL.decodeRun)
      return try runPage(rows, query, list: "settlement-runs", created: { ($0.createdAt, $0.id.value) }) {
        $0.write(to: &$1)
      }
    }
    routes.get("/v1/settlement-runs/{id}/events") { request, context in
      let principal = try await gateway.principal(of: request)
      let id: SettlementRunID = try Gateway.pathID(context, noun: "settlement run")
      guard try await run(id, as: principal) != nil else { throw PartiesRefusal.notFound("settlement run") }
      return progressStream(of: id, as: principal, try seat(of: principal))
    }
    routes.get("/v1/close-report") { request, _ in
      let principal = try await gateway.principal(of: request)
      guard principal.readsEverything else { throw PartiesRefusal.notFound("close report") }
      let state = try await MarketTime.read(pool: writer, clock: clock, deadline: .now + .seconds(5))
      let last = try Gateway.date(request, "to") ?? state.closedThrough ?? state.now.date
      let first = try Gateway.date(request, "from") ?? last
      guard first <= last, first.days(to: last) <= SettlementStage.mostDays else {
        throw Problem(
          .unprocessableContent, "request.invalid",
          "from is not after to, and they are \(SettlementStage.mostDays) days apart at most.")
      }
      let results = try await gateway.reader.run(CloseReportSQL.queries(from: first, to: last), as: principal)
      let report = try CloseReport(from: first, to: last, results)
      return gateway.object(request, version: nil) { report.write(to: &$0) }
    }
    addRunActs(&routes)
  }

  private func addRunActs(_ routes: inout Routes) {
    func add(_ template: String, _ act: ActOnSettlementRun.Act) {
      routes.post(template) { request, context in
        let id: SettlementRunID = try Gateway.pathID(context, noun: "settlement run")
        let response = try await gateway.post(
          request, context, render: .init(write: { $0.write(to: &$1) })
        ) { reader, posted -> ActOnSettlementRun? in
          guard EmptyBody.parse(&reader) != nil else { return nil }
          return ActOnSettlementRun(runID: id, act: act, ifVersion: posted.ifVersion)
        }
        workPlanned()
        return response
      }
    }
    add("/v1/settlement-runs/{id}/approve", .approve)
    add("/v1/settlement-runs/{id}/cancel", .cancel)
    add("/v1/settlement-runs/{id}/resume", .resume)
  }

  /// A run with its parts counted now, and those that were given up.
  private func run(
    _ id: SettlementRunID, as principal: Principal
  ) async throws -> (run: SettlementRun, dead: [DeadShard])? {
    let queries = [Query(RunSQL.runByID, [.uuid(id.value.bits)])] + ShardStore.progressQueries(id)
    let results = try await gateway.reader.run(queries + [ShardStore.deadShardsQuery(id)], as: principal)
    guard let row = results[0].first else { return nil }
    let progress = try ShardStore.decode(Array(results[1...3]))
    return (try RunSQL.decodeRun(row).with(progress), try ShardStore.decodeDead(results[4]))
  }

  // MARK: preview

  /// What the run would do now, as members beside the answer.
  private func preview(_ asked: PlanSettlementRun?) async throws -> (@Sendable (inout JSONWriter) -> Void)? {
    guard let asked, asked.job.steps != nil else { return nil }
    let state = try await MarketTime.read(pool: writer, clock: clock, deadline: .now + .seconds(5))
    let preview = try await planner.preview(
      asked.job, on: asked.businessDate, closedThrough: state.closedThrough)
    return { writer in
      if asked.previewHash == nil { writer.field("preview_hash", preview.hash?.text) }
      writer.key("preview")
      writer.object { $0.write(preview) }
    }
  }

  // MARK: progress

  /// Looked at so often while it runs.
  private static let pause = Duration.milliseconds(300)
  /// A comment is sent after so long without news, so that nobody between takes the connection for dead.
  private static let keepAlive = Duration.seconds(15)
  /// A client that wants more asks again.
  private static let longestStream = Duration.seconds(3_600)

  /// Server-sent events (WHATWG HTML, 9.2): `progress` with the run as it is whenever it changed, `end` with the last.
  private func progressStream(
    of id: SettlementRunID, as principal: Principal, _ seat: EventFeed.Seat
  ) -> Response {
    let began = ContinuousClock.now
    let body = ResponseBody { writer in
      defer { withExtendedLifetime(seat) {} }
      var last: [UInt8] = []
      var lastSent = ContinuousClock.now
      while ContinuousClock.now - began < Self.longestStream, !feed.isClosed {
        guard let (run, dead) = try await run(id, as: principal) else { break }
        var json = JSONWriter(capacity: 512)
        run.write(to: &json, dead: dead)
        let isOver = [.succeeded, .failed, .cancelled].contains(run.state)
        if json.bytes != last {
          last = json.bytes
          lastSent = .now
          let event = "id: \(run.version)-\(run.done)\nevent: \(isOver ? "end" : "progress")\ndata: "
          try await writer.write(ByteBuffer(bytes: Array(event.utf8) + last + Array("\n\n".utf8)))
        } else if ContinuousClock.now - lastSent > Self.keepAlive {
          lastSent = .now
          try await writer.write(ByteBuffer(string: ": still \(run.state.rawValue)\n\n"))
        }
        if isOver { break }
        try await Task.sleep(for: Self.pause)
      }
      try await writer.finish(nil)
    }
    return Response(
      status: .ok, headers: [.contentType: "text/event-stream", .cacheControl: "no-store"], body: body)
  }
}

extension JSONWriter {
  fileprivate mutating func write(_ preview: RunPlanner.Preview) {
    array("stages", preview.stages) { writer, stage in
      writer.object { writer in
        writer.field("step", stage.step.rawValue)
        writer.field("on", stage.on)
      }
    }
    field("parts", Int64(preview.shards.count))
    rawField("totals", preview.totals.jsonBytes)
    rawField("refusals", preview.refusals.jsonBytes)
    field("entry_count", preview.entryCount)
    array("entries", preview.entries) { writer, entry in
      writer.object { writer in
        writer.field("organization_id", entry.book)
        writer.field("kind", entry.kind.rawValue)
        writer.field("business_date", entry.businessDate)
        writer.array("lines", entry.lines) { writer, line in
          writer.object { writer in
            writer.field("account", line.account.code.rawValue)
            writer.field("asset", line.account.asset.description)
            writer.field("amount", line.amount)
          }
        }
      }
    }
  }
}
