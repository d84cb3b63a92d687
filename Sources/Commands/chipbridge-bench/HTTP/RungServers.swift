import ArgumentParser
import Foundation
import HTTPTypes
import Hummingbird
import Logging
import NIOCore
import Operations
import Parties
import Persistence
import Postgres
import Primitives
import ServiceAssembly
import WebSupport

/// A route of the bench that does a part of what a read does, and answers with bytes that were made before.
enum Rung: String, CaseIterable {
  /// The guards of the wire and what every request passes through.
  case service
  /// Beside it a key is looked at, and the quotas of its organisation.
  case authenticated
  /// Beside it the rows are read, by a role that sees everything.
  case row
  /// The rows are read as the reader, who is told whose they are and sees no others.
  case governed

  /// - Parameter isPage: a page of loans; else one, whose id is the last part.
  func template(isPage: Bool) -> String {
    // What is below /v1 is held to quotas, and so looks at keys.
    (self == .service ? "/rungs/" : "/v1/rungs/") + rawValue + (isPage ? "" : "/{id}")
  }
}

/// The bytes of an answer, read from a file.
private func bytes(_ path: String) throws -> ByteBuffer {
  guard let data = FileManager.default.contents(atPath: path) else { throw BenchFailure("\(path) cannot be read") }
  return ByteBuffer(bytes: data)
}

private func answer(_ bytes: ByteBuffer) -> Response {
  Response(status: .ok, headers: [.contentType: "application/json"], body: ResponseBody(byteBuffer: bytes))
}

/// Tells the port as the service does.
private func announce(_ port: Int) {
  print("listens on http://127.0.0.1:\(port)")
  fflush(nil)
}

/// The service, with routes beside its own that do a part of what a read does.
struct ServeRungs: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "serve-rungs", abstract: "For `http`: the service with the rungs of a read.", shouldDisplay: false)
  @Option var databaseURL: String
  /// What the rungs answer with; without it there are none.
  @Option var object: String?
  @Option var page: String?

  func run() async throws {
    var logger = Logger(label: "bench")
    logger.logLevel = .error
    let database = try PostgresConfiguration(url: databaseURL)
    let configuration = ServiceConfiguration(database: database, port: 0, runsWorkers: false)
    let service = try await ChipBridgeService(configuration, logger: logger)
    if let object, let page {
      try await add(to: service, database, readers: configuration.readerConnections, bytes(object), bytes(page))
    }
    try await service.run { announce($0) }
  }

  private func add(
    to service: ChipBridgeService, _ database: PostgresConfiguration, readers: Int, _ object: ByteBuffer,
    _ page: ByteBuffer
  ) async throws {
    let authenticator = Authenticator(pool: service.writer, clock: SystemClock())
    // As whoever owns the database, whom no policy binds; as many connections as the reads of the service have.
    let owner = try PostgresPool(configuration: database, size: readers, waiters: 4_096, minimum: 1)
    let reader = Reader(pool: service.readerPool)
    for rung in Rung.allCases {
      for isPage in [false, true] {
        let bytes = isPage ? page : object
        service.router.get(RouterPath(rung.template(isPage: isPage))) { request, context in
          if rung == .service { return answer(bytes) }
          let principal = try await authenticator.principal(authorization: request.headers[.authorization])
          if rung == .authenticated { return answer(bytes) }
          let query = try query(isPage: isPage, context, as: principal)
          let rows =
            rung == .row
            ? try await owner.read([query], deadline: .now + .seconds(10))
            : try await reader.run([query], as: principal)
          guard rows[0].count > 0 else { throw HTTPError(.notFound) }
          return answer(bytes)
        }
      }
    }
  }

  private func query(isPage: Bool, _ context: ChipBridgeContext, as principal: Principal) throws -> Query {
    let organization = Bind.uuid(principal.organizationID.value.bits)
    if isPage {
      return Query(
        Resources.loans.page,
        [
          organization, .text(nil), .timestamptz(PagePosition.start.createdAt.microseconds),
          .uuid(PagePosition.start.id.bits), .int8(51),
        ])
    }
    let id: LoanID = try Gateway.pathID(context, noun: "loan")
    return Query(Resources.loans.byID, [organization, .uuid(id.value.bits)])
  }
}

/// A server of the framework alone, that answers the same bytes.
struct ServeBare: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "serve-bare", abstract: "For `http`: a bare handler that answers the same bytes.",
    shouldDisplay: false)
  @Option var object: String
  @Option var page: String

  func run() async throws {
    var logger = Logger(label: "bench")
    logger.logLevel = .error
    let router = Router()
    for (path, file) in [("/v1/loans/{id}", object), ("/v1/loans", page)] {
      let bytes = try bytes(file)
      router.get(RouterPath(path)) { _, _ in answer(bytes) }
    }
    let application = Application(
      router: router, configuration: ApplicationConfiguration(address: .hostname("127.0.0.1", port: 0)),
      onServerRunning: { announce($0.localAddress?.port ?? 0) }, logger: logger)
    try await application.runService()
  }
}
