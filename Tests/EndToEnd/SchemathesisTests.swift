import Foundation
import PostgresHarness
import ServiceHarness
import StrictJSON
import Testing

extension EndToEnd {
  /// The peer tool makes requests out of the description, valid ones and others, and holds every answer against it.
  @Suite("the description, tried by a peer tool", .serialized)
  struct SchemathesisTests {
    private static let folder = URL(filePath: #filePath).deletingLastPathComponent()
      .appending(path: "../Schemathesis").standardized

    private static var isLong: Bool { ProcessInfo.processInfo.environment["CHIPBRIDGE_LONG"] != nil }

    @Test("as staff: every phase and every check over the story's book")
    func asStaff() async throws {
      try await EndToEnd.withStory { deployment, service, keys in
        let examples = Self.isLong ? 50 : 3
        try Self.run(
          deployment, service, users: ["admin": try #require(keys["admin"]?.asString)], isPeers: false,
          options: ["--phases", "examples,coverage,fuzzing,stateful", "--max-examples", "\(examples)"])
      }
    }

    @Test("as two tenants: neither reads what is the other's")
    func asTenants() async throws {
      try await EndToEnd.withStory { deployment, service, keys in
        var users: [String: String] = [:]
        for name in ["Lingyi Labs", "Hailang Robotics"] { users[name] = try #require(keys[name]?.asString) }
        try Self.run(
          deployment, service, users: users, isPeers: true,
          options: [
            "--phases", "examples,coverage", "--max-examples", "5", "--checks",
            "object_level_authorization,ignored_auth",
          ])
      }
    }

    @Test("the description is one of OpenAPI 3.1 by the peer validator")
    func validates() async throws {
      try await EndToEnd.withService { _, service in
        let tools = try PythonTools.folder(with: ["openapi-spec-validator==0.9.0"])
        let file = FileManager.default.temporaryDirectory.appending(path: "\(UUID().uuidString).json").path
        defer { try? FileManager.default.removeItem(atPath: file) }
        let answer = try RawHTTP(port: service.port).send("GET", "/v1/openapi.json")
        try Data(answer.body).write(to: URL(filePath: file))
        let (status, output) = try PythonTools.run(["\(tools)/bin/openapi-spec-validator", file])
        #expect(status == 0, "\(output.suffix(2_000))")
      }
    }

    /// - Parameter isPeers: whether the users are tenants whose answers are compared.
    private static func run(
      _ deployment: Deployment, _ service: Service, users: [String: String], isPeers: Bool, options: [String]
    ) throws {
      let tools = try PythonTools.folder(with: ["schemathesis==4.32.5"])
      let scratch = FileManager.default.temporaryDirectory.appending(path: UUID().uuidString)
      try FileManager.default.createDirectory(at: scratch, withIntermediateDirectories: true)
      defer { try? FileManager.default.removeItem(at: scratch) }
      let names = users.keys.sorted()
      let credentials = names.map { name in
        """
          - name: "\(name)"
            fixedHeaders:
              - name: Authorization
                value: "Bearer \(users[name] ?? "")"

        """
      }.joined()
      try ("auth:\n" + credentials).write(to: scratch.appending(path: "users.yaml"), atomically: true, encoding: .utf8)
      let quoted = names.map { "\"\($0)\"" }.joined(separator: ", ")
      let auth = """
        [auth.wfc]
        path = "\(scratch.appending(path: "users.yaml").path)"
        \(isPeers ? "peers = [\(quoted)]" : "user = \(quoted)")


        """
      let settings = try String(contentsOf: folder.appending(path: "schemathesis.toml"), encoding: .utf8)
      let file = scratch.appending(path: "schemathesis.toml")
      try (auth + settings).write(to: file, atomically: true, encoding: .utf8)
      let (status, output) = try PythonTools.run(
        [
          // What the tool keeps for a next time stays out of the repository.
          "-C", scratch.path, "timeout", isLong ? "3000" : "900", "\(tools)/bin/st", "--config-file", file.path, "run",
          "http://127.0.0.1:\(service.port)/v1/openapi.json", "--seed", "1",
        ] + options,
        environment: [
          "SCHEMATHESIS_HOOKS": folder.appending(path: "hooks.py").path, "NO_COLOR": "1",
          "PYTHONDONTWRITEBYTECODE": "1",
        ])
      // Of a long report its failures are at the beginning, and what they come to at the end.
      #expect(status == 0, "\(output.prefix(6_000))\n...\n\(output.suffix(1_500))")
      #expect(output.contains(" passed"), "\(output.suffix(1_500))")
      let isRunning = service.child.isRunning
      #expect(isRunning, "the service ended: \(service.child.output.suffix(500))")
    }
  }

  fileprivate static func withService(
    _ body: @escaping @Sendable (Deployment, Service) throws -> Void
  ) async throws {
    try await withDeployment { deployment in try body(deployment, try deployment.serve()) }
  }

  /// A service over the book of the story, and the keys of all who play in it.
  fileprivate static func withStory(
    _ body: @escaping @Sendable (Deployment, Service, JSONNode) throws -> Void
  ) async throws {
    try await withService { deployment, service in
      let told = try deployment.run(
        ["story", "--url", "http://127.0.0.1:\(service.port)", "--keys", deployment.keysFile])
      try #require(told.status == 0, "\(told.output)")
      let file = try Data(contentsOf: URL(filePath: deployment.keysFile))
      try body(deployment, service, try JSONDocument(parsing: Array(file)).root)
    }
  }
}
