import Foundation
import PostgresHarness
import ServiceHarness
import StrictJSON
import Testing
import TokenMint

extension EndToEnd {
  @Suite("tokens of an outside issuer", .serialized)
  struct TokenTests {
    private static let mint = TokenMint()

    private static func options(_ issuer: KeySetServer) -> [String] {
      [
        "--token-issuer", mint.issuer, "--token-audience", mint.audience, "--token-jwks-url", issuer.url,
        "--token-jwks-seconds", "5", "--token-kid-seconds", "1",
      ]
    }

    private static var now: Int64 { Int64(Date().timeIntervalSince1970) }

    private func bind(
      _ deployment: Deployment, _ service: Service, _ subject: String, to party: Party, as key: String
    ) throws -> String {
      try deployment.post(
        service, "/v1/identity-bindings", as: key,
        #"{"organization_id":"\#(party.id)","issuer":"\#(Self.mint.issuer)","subject":"\#(subject)","roles":["startup"]}"#
      ).text("id")
    }

    @Test("act as their binding says until it ends, and neither they nor their signatures are in any log")
    func mainPath() async throws {
      try await withDeployment { deployment in
        let (signer, late) = (MintKey.p256("first"), MintKey.ed25519("second"))
        let issuer = try KeySetServer([signer])
        defer { issuer.stop() }
        let service = try deployment.serve(
          options: Self.options(issuer) + ["--access-log", "stdout", "--log-level", "debug"])
        let startup = try deployment.enrol(service, "Startup", role: "startup")
        let id = try bind(deployment, service, "ann", to: startup, as: startup.key)
        let http = RawHTTP(port: service.port)
        var tokens = [try Self.mint.token(signer, "ann", at: Self.now)]
        let made = try http.post("/v1/loan-requests", as: tokens[0], Goods.request("by a token"), idempotency: "once")
        #expect(made.status == 201, "\(made.text)")
        // A key that is first seen on a token.
        try issuer.publish([signer, late])
        tokens.append(try Self.mint.token(late, "ann", at: Self.now))
        let headers = [("Authorization", "Bearer \(tokens[1])")]
        #expect(try http.send("GET", "/v1/loan-requests", headers: headers).status == 200)
        let rows = try deployment.console().rows(
          "select count(*)::text from audit_log where binding_id::text = '\(id.dropFirst(4))' and key_id is null "
            + "and action = 'loan_request.create'")
        #expect(rows == [["1"]])
        // Described as they are: a binding, the list of them, and a line of the audit log without a key.
        for target in ["identity-bindings", "identity-bindings/\(id)", "audit-log?action=loan_request.create"] {
          #expect(try http.get("/v1/\(target)", as: tokens[0]).status == 200, "\(target)")
        }
        let wrong = try http.send("GET", "/v1/loan-requests", headers: [("Authorization", "Bearer nobody")])
        for text in try forgeries(signer) {
          tokens.append(text)
          let answer = try http.send("GET", "/v1/loan-requests", headers: [("Authorization", "Bearer \(text)")])
          #expect(answer.status == 401 && anonymous(answer) == anonymous(wrong))
          #expect(answer.headers["www-authenticate"] == wrong.headers["www-authenticate"])
        }
        try deployment.post(service, "/v1/identity-bindings/\(id)/revoke", as: startup.key)
        let isRefused = eventually(within: 1) {
          (try? http.send("GET", "/v1/loan-requests", headers: headers))?.status == 401
        }
        #expect(isRefused)
        let metrics = try http.send("GET", "/metrics").text
        #expect(metrics.contains("\nchipbridge_issuer_keys 2\n") && metrics.contains("chipbridge_tokens_refused_total"))
        issuer.behave(.status(503))
        let isLogged = eventually(within: 15) { service.child.output.contains("could not be read again") }
        #expect(isLogged)
        #expect(service.child.output.contains("\"binding_id\":\"\(id)\""))
        for token in tokens {
          let parts = token.split(separator: ".").map { String($0) }
          for part in [parts[1], parts.last ?? ""] where part.count > 20 {
            for piece in [part, String(part.prefix(20)), String(part.suffix(20))] {
              #expect(!service.child.output.contains(piece), "a log tells of a token")
            }
          }
        }
        let verified = try deployment.run(["verify"])
        #expect(verified.status == 0, "\(verified.output)")
      }
    }

    private func forgeries(_ signer: MintKey) throws -> [String] {
      let good = try Self.mint.token(signer, "ann", at: Self.now)
      let parts = good.split(separator: ".").map { String($0) }
      return [
        try Self.mint.token(MintKey.p256("first"), "ann", at: Self.now),
        try Self.mint.token(signer, "eve", at: Self.now),
        try TokenMint.token(signer, claims: Self.mint.claims("ann", at: Self.now - 700)),
        "\(parts[0]).\(parts[1]).", good + "=",
      ]
    }

    private func anonymous(_ answer: Answer) -> String {
      let id = (try? answer.text("request_id")) ?? ""
      return id.isEmpty ? answer.text : answer.text.replacing(id, with: "")
    }

    @Test("under load the issuer changes its keys, and no request is refused")
    func rotation() async throws {
      try await withDeployment { deployment in
        let first = MintKey.p256("k0")
        let issuer = try KeySetServer([first])
        defer { issuer.stop() }
        let service = try deployment.serve(options: Self.options(issuer))
        let startup = try deployment.enrol(service, "Startup", role: "startup")
        _ = try bind(deployment, service, "ann", to: startup, as: startup.key)
        let token = Gathered<String>()
        token.append(try Self.mint.token(first, "ann", at: Self.now))
        let (stopping, refused, served) = (Flag(), Gathered<String>(), Gathered<Int>())
        try concurrently(3) { worker in
          if worker == 0 {
            defer { stopping.raise() }
            var signer = first
            for round in 1...6 {
              let next = round % 2 == 0 ? MintKey.p256("k\(round)") : MintKey.ed25519("k\(round)")
              try issuer.publish([signer, next])
              signer = next
              token.append(try Self.mint.token(next, "ann", at: Self.now))
              usleep(1_100_000)
            }
            return
          }
          let http = RawHTTP(port: service.port)
          while !stopping.isUp {
            let latest = token.all.last ?? ""
            let answer = try http.send("GET", "/v1/loan-requests", headers: [("Authorization", "Bearer \(latest)")])
            if answer.status == 200 { served.append(1) } else { refused.append(answer.text) }
          }
        }
        expectNone(refused.all, "refused while keys changed")
        #expect(served.all.count > 100)
      }
    }

    @Test("are set up whole or not at all, and whatever is wrong is told at once")
    func configuration() async throws {
      try await withDeployment { deployment in
        let all = try deployment.run([
          "serve", "--port", "0", "--token-issuer", "a b", "--token-life", "59", "--token-jwks-url",
          "http://keys.example/",
          "--token-jwks-stale", "1",
        ])
        #expect(all.status != 0)
        for name in ["--token-issuer", "--token-audience", "--token-jwks-url", "--token-life", "--token-jwks-stale"] {
          #expect(all.output.contains(name), "\(all.output)")
        }
        let half = try deployment.run(["serve", "--port", "0", "--token-issuer", "https://issuer.example/"])
        #expect(
          half.status != 0 && half.output.contains("--token-audience") && half.output.contains("--token-jwks-file"))
      }
    }
  }
}
