import Matching
import Primitives
import Testing

@Suite("Snapshots and results are kept as bytes") struct RecordBytesTests {
  @Test("that read back as the very same value, for every kind of market")
  func roundTrip() throws {
    for seed in UInt64(1)...150 {
      var generator = MarketGenerator(seed: seed, seed.isMultiple(of: 4) ? .plain : .everything)
      let snapshot = try generator.market(listings: 0...9, requests: 0...9)
      let bytes = snapshot.canonicalBytes
      let again = try MatchSnapshot(canonicalBytes: bytes)
      #expect(again == snapshot && again.canonicalBytes == bytes && again.digest() == snapshot.digest(), "seed \(seed)")
      let result = clear(snapshot)
      let read = try MatchRoundResult(canonicalBytes: result.canonicalBytes)
      #expect(read == result && read.isWhole && read.canonicalBytes == result.canonicalBytes, "seed \(seed)")
      #expect(replay(again, expecting: read) == [], "seed \(seed)")
    }
  }

  @Test("and one byte changed, missing or too many is refused or read as another value, never trapped on")
  func damage() throws {
    var random = SplitMix64(seed: 11)
    for seed in UInt64(1)...12 {
      var generator = MarketGenerator(seed: seed, .everything)
      let snapshot = try generator.market(listings: 2...5, requests: 2...5)
      let bytes = snapshot.canonicalBytes
      let result = clear(snapshot)
      let record = result.canonicalBytes
      for _ in 0..<400 {
        let damaged = flipped(bytes, &random)
        if let read = try? MatchSnapshot(canonicalBytes: damaged) {
          #expect(read != snapshot && read.canonicalBytes == damaged, "seed \(seed)")
        }
        let forged = flipped(record, &random)
        if let read = try? MatchRoundResult(canonicalBytes: forged) {
          #expect(read != result && read.canonicalBytes == forged && !read.isWhole, "seed \(seed)")
        }
      }
      for length in 0..<min(bytes.count, 600) {
        #expect(throws: CanonicalBytesError.self) { try MatchSnapshot(canonicalBytes: Array(bytes.prefix(length))) }
      }
      for length in 0..<min(record.count, 600) {
        #expect(throws: CanonicalBytesError.self) { try MatchRoundResult(canonicalBytes: Array(record.prefix(length))) }
      }
      #expect(throws: CanonicalBytesError.trailing(count: 1)) { try MatchSnapshot(canonicalBytes: bytes + [0]) }
      #expect(throws: CanonicalBytesError.trailing(count: 1)) { try MatchRoundResult(canonicalBytes: record + [0]) }
    }
  }

  @Test("and another version, a count past all bytes, or members in another order are told by name")
  func refusals() throws {
    let snapshot = try market([listing(1, 5, ask: 10)], [request(1, 5)])
    var other = CanonicalBytes()
    other.append("match-snapshot-9")
    #expect(throws: CanonicalBytesError.wrongVersion(found: "match-snapshot-9", expected: "match-snapshot-2")) {
      try MatchSnapshot(canonicalBytes: other.bytes)
    }
    var huge = CanonicalBytes()
    huge.append("match-snapshot-2")
    huge.append(20_500)
    huge.append(Int64.max)
    #expect(throws: CanonicalBytesError.truncated(offset: 40)) { try MatchSnapshot(canonicalBytes: huge.bytes) }
    // The two delivery modes stand in alphabetical order; the other way round the bytes say the same and are refused.
    let swapped = replacing("physical", by: "zhysical", in: replacing("hosted", by: "zosted", in: snapshot))
    #expect(throws: CanonicalBytesError.notCanonical) { try MatchSnapshot(canonicalBytes: swapped) }
  }

  @Test("and the wide numbers keep their sign and their size")
  func wide() throws {
    for number in [Int128.min, -1, 0, 1, Int128(Int64.max) * 4, .max] {
      var bytes = CanonicalBytes()
      bytes.append(wide: number)
      var reader = CanonicalReader(bytes.bytes)
      #expect(try reader.int128() == number)
    }
  }

  private func flipped(_ bytes: [UInt8], _ random: inout SplitMix64) -> [UInt8] {
    var bytes = bytes
    let position = Int(random.int(0...Int64(bytes.count - 1)))
    bytes[position] ^= UInt8(random.int(1...255))
    return bytes
  }

  private func replacing(_ text: String, by other: String, in snapshot: MatchSnapshot) -> [UInt8] {
    replacing(text, by: other, in: snapshot.canonicalBytes)
  }

  private func replacing(_ text: String, by other: String, in bytes: [UInt8]) -> [UInt8] {
    var bytes = bytes
    let pattern = Array(text.utf8)
    for start in 0...(bytes.count - pattern.count) where Array(bytes[start..<start + pattern.count]) == pattern {
      bytes.replaceSubrange(start..<start + pattern.count, with: other.utf8)
      break
    }
    return bytes
  }
}

@Suite("The fairness index") struct FairnessTests {
  @Test("is whole when all get the same share, and one in n when one gets everything")
  func ends() throws {
    let even = clear(try market([listing(1, 8, ask: 10)], [request(1, 4), request(2, 4)]))
    #expect(even.fairnessBps == 10_000)
    let uneven = clear(try market([listing(1, 4, ask: 10)], [request(1, 4), request(2, 4)]))
    #expect(uneven.fairnessBps == 5_000)
    #expect(clear(try market([], [])).fairnessBps == 10_000)
  }

  @Test("does not count a request that no price let near a listing")
  func priced() throws {
    let result = clear(
      try market([listing(1, 4, ask: 1_000)], [request(1, 4), request(2, 4, takes: [("alpha", 900)])]))
    #expect(result.fairnessBps == 10_000)
  }

  @Test("and a result says how much more there may be")
  func gap() throws {
    let result = clear(try market([listing(1, 4, ask: 10)], [request(1, 4)]))
    #expect(result.bound >= result.objective && result.gap == result.bound - result.objective)
  }
}
