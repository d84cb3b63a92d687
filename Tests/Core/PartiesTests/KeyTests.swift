import Parties
import Primitives
import Testing

@Suite("Keys")
struct KeyTests {
  private static let now = Instant("2026-06-02T08:00:00Z") ?? .epoch

  private func key(expiresAt: Instant? = nil, revokedAt: Instant? = nil) -> APIKey {
    APIKey(
      id: APIKeyID(UUIDValue(high: 1, low: 1)), organizationID: .platform, roles: [.admin], duties: [.risk],
      scopes: [KeyScope(.read)], personID: PersonID(UUIDValue(high: 2, low: 2)), secretDigest: SHA256Digest(of: [1]),
      expiresAt: expiresAt, revokedAt: revokedAt, createdAt: Self.now)
  }

  private let next = APIKeyID(UUIDValue(high: 1, low: 2))
  private let digest = SHA256Digest(of: [2])

  @Test("a scope is one of the vocabulary's words, and comes back as it was written")
  func vocabulary() {
    for text in ["read", "write", "loans:read", "api-keys:write"] { #expect(KeyScope(text)?.description == text) }
    for text in ["", "Read", "admin", "loans", ":read", "loans:", "loans:read:", "nothing:read", "loans: read", "*"] {
      #expect(KeyScope(text) == nil, "\(text)")
    }
  }

  @Test("a scope of everything covers that of a family, and neither access holds the other")
  func cover() throws {
    let (read, write, loans) = (KeyScope(.read), KeyScope(.write), KeyScope(.read, of: "loans"))
    #expect(read.covers(loans) && !loans.covers(read) && !write.covers(loans) && !read.covers(write))
    let (none, some): (Set<KeyScope>, Set<KeyScope>) = ([], [loans])
    #expect(none.permit(write) && some.permit(loans) && !some.permit(KeyScope(.read, of: "lots")) && !some.permit(read))
    #expect(none.cover(some) && none.cover(none) && !some.cover(none) && some.cover(some) && !some.cover([read]))
    #expect(Set([read]).cover(some) && !Set([read]).cover([loans, write]))
  }

  @Test("a key that takes another's place has its rights, and the old one ends with the overlap or before")
  func rotation() throws {
    let (hour, day) = (try #require(Self.now.adding(seconds: 3_600)), try #require(Self.now.adding(seconds: 86_400)))
    for (expiresAt, overlap, end) in [
      (nil, 3_600, hour), (day, 3_600, hour), (hour, 86_400, hour), (nil, 0, Self.now),
    ] as [(Instant?, Int64, Instant)] {
      var old = key(expiresAt: expiresAt)
      let new = try old.rotate(to: next, digest, overlapSeconds: overlap, at: Self.now)
      #expect(old.expiresAt == end && old.replacedBy == new.id && new.replaces == old.id)
      #expect(new.roles == old.roles && new.duties == old.duties && new.scopes == old.scopes)
      #expect(new.personID == old.personID && new.expiresAt == expiresAt && new.secretDigest == digest)
    }
  }

  @Test("a key that is revoked, expired or replaced is not rotated, and stays as it was")
  func noRotation() throws {
    var replaced = key()
    _ = try replaced.rotate(to: next, digest, overlapSeconds: 60, at: Self.now)
    for (key, refusal) in [
      (key(revokedAt: Self.now), PartiesRefusal.alreadyRevoked), (key(expiresAt: Self.now), .keyExpired),
      (replaced, .keyReplaced),
    ] {
      var changed = key
      #expect(throws: refusal) { try changed.rotate(to: next, digest, overlapSeconds: 60, at: Self.now) }
      #expect(changed == key)
    }
  }
}
