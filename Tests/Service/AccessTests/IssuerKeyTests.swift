import DomainFixtures
import Foundation
import Identity
import Primitives
import Testing
import TokenMint
import Tokens

@Suite("Keys of the issuer", .serialized, .timeLimit(.minutes(2)))
struct IssuerKeyTests {
  private static let now: Int64 = 1_800_000_000

  @Test("go on whatever the issuer's place does, and nothing hangs; a bad set replaces no good one")
  func troubles() async throws {
    let issuer = try TestIssuer()
    defer { issuer.server.stop() }
    let verifier = try issuer.verifier()
    let token = try issuer.mint.token(issuer.p256, "ann", at: Self.now)
    #expect(try await verifier.subject(token, at: Self.now) == "ann")
    let keys = verifier.keys.standing.keys
    #expect(keys == 4)
    let repeated = TokenMint.set([try issuer.p256.jwk(), try issuer.p256.jwk()])
    let many = try TokenMint.set((0..<65).map { try MintKey("k\($0)", issuer.p256.secret).jwk() })
    // A point that is on no curve: the library refuses it, and there is no other key.
    let zeros = Base64URL.encode([UInt8](repeating: 0, count: 32))
    let point = #"{"kty":"EC","crv":"P-256","kid":"a","x":"\#(zeros)","y":"\#(zeros)"}"#
    let all: [(KeySetServer.Behaviour, KeySetTrouble)] = [
      (.status(500), .status), (.status(404), .status), (.status(204), .status), (.redirects, .redirect),
      (.isSilent(2_000), .late), (.drips, .late), (.isHuge, .tooLarge), (.breaksOff, .unreachable),
      (.answers(""), .malformed), (.answers("<html></html>"), .malformed), (.answers("{\"keys\":["), .malformed),
      (.answers("{\"keys\":[]}"), .empty), (.answers(repeated), .repeatedID), (.answers(many), .tooManyKeys),
      (.answers(TokenMint.set([point])), .unusable),
    ]
    for (index, (behaviour, reason)) in all.enumerated() {
      issuer.server.behave(behaviour)
      let (before, begun) = (verifier.troubles(reason), ContinuousClock.now)
      #expect(await verifier.keys.refresh() == false, "\(reason)")
      #expect(.now - begun < .seconds(2), "\(reason)")
      #expect(verifier.troubles(reason) == before + 1, "\(reason)")
      #expect(verifier.keys.standing.keys == keys)
      // One that was seen before, and one that was not.
      let other = try issuer.mint.token(issuer.ed25519, "bob-\(index)", at: Self.now)
      #expect(try await verifier.subject(other, at: Self.now) == "bob-\(index)")
      #expect(try await verifier.subject(token, at: Self.now) == "ann")
    }
    issuer.server.stop()
    #expect(await verifier.keys.refresh() == false && verifier.troubles(.unreachable) == 2)
    #expect(try await verifier.subject(token, at: Self.now) == "ann")
  }

  @Test("are good for nothing once the set was read again without them, remembered tokens as well")
  func removed() async throws {
    let issuer = try TestIssuer()
    defer { issuer.server.stop() }
    let verifier = try issuer.verifier()
    let (old, other) = (
      try issuer.mint.token(issuer.p256, "ann", at: Self.now), try issuer.mint.token(issuer.rsa, "bob", at: Self.now)
    )
    #expect(try await verifier.subject(old, at: Self.now) == "ann")
    try issuer.server.publish([issuer.rsa])
    #expect(try await verifier.subject(old, at: Self.now) == "ann")
    #expect(await verifier.keys.refresh())
    #expect(try await verifier.subject(old, at: Self.now) == nil)
    #expect(try await verifier.subject(other, at: Self.now) == "bob")
    // The same id for another key: the old one's signatures are no good.
    try issuer.server.publish([MintKey.p256("p256")])
    #expect(await verifier.keys.refresh())
    #expect(try await verifier.subject(old, at: Self.now) == nil)
    #expect(try await verifier.subject(other, at: Self.now) == nil)
  }

  @Test("that are unknown are looked for once, by all who ask together, and waited for within bounds")
  func unknown() async throws {
    let issuer = try TestIssuer()
    defer { issuer.server.stop() }
    var timing = TestIssuer.timing
    timing.gap = .seconds(60)
    timing.wait = .milliseconds(300)
    timing.read = .seconds(5)
    let verifier = try issuer.verifier(timing)
    await verifier.keys.refresh()
    #expect(issuer.server.calls == 1)
    let fresh = MintKey.p256("fresh")
    try issuer.server.publish([issuer.p256, fresh])
    let mint = issuer.mint
    let taken = try await withThrowingTaskGroup(of: String?.self) { group in
      for number in 0..<50 {
        group.addTask { try await verifier.subject(try mint.token(fresh, "n\(number)", at: Self.now), at: Self.now) }
      }
      return try await group.reduce(into: 0) { if $1 != nil { $0 += 1 } }
    }
    #expect(taken == 50 && issuer.server.calls == 2)
    // Within the gap nobody asks again, and nobody waits.
    var begun = ContinuousClock.now
    for number in 0..<20 {
      let forged = try mint.token(MintKey("junk\(number)", fresh.secret), "ann", at: Self.now)
      #expect(try await verifier.subject(forged, at: Self.now) == nil)
    }
    #expect(.now - begun < .seconds(1) && issuer.server.calls == 2)
    // A silent place is waited for as long as is stated, by each once.
    let silent = try issuer.verifier(timing)
    await silent.keys.refresh()
    issuer.server.behave(.isSilent(3_000))
    begun = .now
    let forged = try mint.token(MintKey("junk", fresh.secret), "ann", at: Self.now)
    for _ in 0..<3 { #expect(try await silent.subject(forged, at: Self.now) == nil) }
    #expect((.milliseconds(250)...(.seconds(1))).contains(.now - begun))
  }

  @Test("are changed under load without one token refused, whether a key is published before it is used or after")
  func rotation() async throws {
    let issuer = try TestIssuer()
    defer { issuer.server.stop() }
    var timing = TestIssuer.timing
    timing.gap = .zero
    let verifier = try issuer.verifier(timing)
    let (mint, server) = (issuer.mint, issuer.server)
    let signing = Current(issuer.p256)
    let refused = Counter()
    let served = Counter()
    try await withThrowingTaskGroup(of: Void.self) { group in
      for worker in 0..<4 {
        group.addTask {
          var number = 0
          while !signing.isOver {
            number += 1
            let token = try mint.token(signing.key, "w\(worker)-\(number % 50)", at: Self.now)
            let subject = try await verifier.subject(token, at: Self.now)
            (subject == nil ? refused : served).add()
            // Nothing of this waits, and who changes the keys is to have a turn.
            await Task.yield()
          }
        }
      }
      group.addTask {
        var current = signing.key
        for round in 0..<20 {
          let next = round % 2 == 0 ? MintKey.p256("k\(round)") : MintKey.ed25519("k\(round)")
          // The old key stays published for as long as tokens of it are about.
          try server.publish([current, next])
          if round % 4 < 2 { await verifier.keys.refresh() }
          signing.use(next)
          current = next
          try await Task.sleep(for: .milliseconds(50))
        }
        signing.end()
      }
      try await group.waitForAll()
    }
    #expect(refused.value == 0 && served.value > 100, "\(refused.value) of \(served.value)")
  }

  @Test("that could not be read again go on for the stated time only")
  func stale() async throws {
    let issuer = try TestIssuer()
    defer { issuer.server.stop() }
    var timing = TestIssuer.timing
    timing.stale = .milliseconds(600)
    timing.gap = .zero
    let verifier = try issuer.verifier(timing)
    let token = try issuer.mint.token(issuer.p256, "ann", at: Self.now)
    #expect(try await verifier.subject(token, at: Self.now) == "ann")
    issuer.server.behave(.status(503))
    #expect(await verifier.keys.refresh() == false)
    #expect(try await verifier.subject(token, at: Self.now) == "ann")
    try await Task.sleep(for: .milliseconds(700))
    #expect(try await verifier.subject(token, at: Self.now) == nil)
    try issuer.server.publish(issuer.keys)
    #expect(await verifier.keys.refresh())
    let other = try issuer.mint.token(issuer.p256, "bob", at: Self.now)
    #expect(try await verifier.subject(other, at: Self.now) == "bob")
  }

  @Test("are read from a file as well, and from no place that is not safe")
  func places() async throws {
    let issuer = try TestIssuer()
    defer { issuer.server.stop() }
    let file = FileManager.default.temporaryDirectory.appending(path: "keys-\(UUID().uuidString).json")
    defer { try? FileManager.default.removeItem(at: file) }
    let verifier = try issuer.verifier(source: .file(file.path))
    #expect(await verifier.keys.refresh() == false && verifier.troubles(.file) == 1)
    try Data(try TokenMint.set([issuer.pss]).utf8).write(to: file)
    #expect(await verifier.keys.refresh())
    let token = try issuer.mint.token(issuer.pss, "ann", at: Self.now)
    #expect(try await verifier.subject(token, at: Self.now) == "ann" && issuer.server.calls == 0)
    try Data(repeating: 32, count: (256 << 10) + 1).write(to: file)
    #expect(await verifier.keys.refresh() == false && verifier.troubles(.tooLarge) == 1)
    for good in [
      "https://issuer.example/keys", "HTTPS://issuer.example:8443", "http://127.0.0.1:8080/a", "http://[::1]:9/",
    ] {
      #expect(KeySetSource(url: good) != nil, "\(good)")
    }
    for bad in [
      "", "issuer.example", "http://issuer.example/keys", "http://localhost/keys", "http://127.0.0.1.example/",
      "http://127.1/", "http://0177.0.0.1/", "http://2130706433/", "http://128.0.0.1/", "ftp://127.0.0.1/",
      "file:///etc/keys",
      "https://user@issuer.example/", "https://user:secret@issuer.example/", "https://issuer.example/#a",
      "https:///keys",
      "https://issuer.example/ keys", "unix:///socket", "https://issuer.example:0/",
    ] {
      #expect(KeySetSource(url: bad) == nil, "\(bad)")
    }
  }
}
