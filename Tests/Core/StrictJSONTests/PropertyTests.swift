import StrictJSON
import Testing

@Suite("JSON properties")
struct PropertyTests {
  static let body = Array(
    #"""
    {"workload":"training","end_use":"Pre-training 芯片 \u00e9\n","quantity":512,
     "acceptable":[{"chip_model_id":"nvidia-h20","max_rate_bps":1400},{"chip_model_id":"","max_rate_bps":-1e2}],
     "regions":["CN-north"],"term_days":365.0,"start_on":"2023-05-01","delivery_mode":"physical",
     "repayment":{"pattern":"round_sweep","sweep_bps":2000,"cap":null,"is_open":true}}
    """#.utf8)

  @Test("what the writer writes, the reader reads back equal, and it is written the same again", arguments: 0..<40)
  func roundTrips(seed: Int) throws {
    var generator = SeededGenerator(state: UInt64(seed))
    for _ in 0..<50 {
      let tree = JSONTree.random(depth: 3, using: &generator)
      let bytes = tree.written
      let limits = JSONLimits(maxBytes: bytes.count, maxMembers: 1 << 20)
      let read = JSONTree(try JSONDocument(parsing: bytes, limits: limits).root)
      #expect(read == tree, "seed \(seed)")
      #expect(read.written == bytes, "seed \(seed)")
    }
  }

  @Test("no proper prefix of an object is taken")
  func refusesPrefixes() throws {
    #expect(try JSONDocument(parsing: Self.body).root.members.count == 9)
    for length in 0..<Self.body.count {
      let fault = try #require(refusal(Array(Self.body[..<length])), "prefix of \(length)")
      // Cut within a character it is no UTF-8 any more.
      #expect(fault.code == "json.syntax" || fault.code == "json.not_utf8")
    }
  }

  @Test("each single byte changed to one that matters ends in a value or in one refusal")
  func survivesEveryByteChange() {
    var taken = 0
    var refused = 0
    // All that the grammar and UTF-8 tell apart, and their neighbours.
    let candidates =
      Array(#"{}[]:,"\/09eE+-.tfnul \#u{0}\#t\#u{7F}"#.utf8) + [0x80, 0xBF, 0xC2, 0xE0, 0xED, 0xF4, 0xFF]
    for offset in Self.body.indices {
      for byte in candidates {
        var bytes = Self.body
        bytes[offset] = byte
        if Self.isTaken(bytes) { taken += 1 } else { refused += 1 }
      }
    }
    #expect(taken > Self.body.count && refused > Self.body.count)
  }

  @Test("bytes cut, doubled, moved and overwritten never trap and always end", arguments: 0..<20)
  func survivesMutations(seed: Int) {
    var generator = SeededGenerator(state: UInt64(1_000 + seed))
    let alphabet =
      Array(#"{}[]:,"\/0123456789eE+-.tfnulrasd \#u{0}\#u{7F}\#u{E9}\#u{1F600}"#.utf8) + [0xFF, 0xC3, 0xED]
    var refused = 0
    for _ in 0..<300 {
      var bytes = Bool.random(using: &generator) ? Self.body : JSONTree.random(depth: 2, using: &generator).written
      for _ in 0..<Int.random(in: 1...8, using: &generator) {
        let start = Int.random(in: 0...bytes.count, using: &generator)
        let end = min(bytes.count, start + Int.random(in: 0...9, using: &generator))
        switch Int.random(in: 0..<4, using: &generator) {
        case 0: bytes.removeSubrange(start..<end)
        case 1: bytes.insert(contentsOf: bytes[start..<end], at: Int.random(in: 0...bytes.count, using: &generator))
        case 2: bytes.insert(alphabet.randomElement(using: &generator) ?? 0, at: start)
        default: if start < bytes.count { bytes[start] = alphabet.randomElement(using: &generator) ?? 0 }
        }
      }
      if !Self.isTaken(bytes) { refused += 1 }
    }
    #expect(refused > 100)
  }

  @Test("random bytes never trap", arguments: 0..<4)
  func survivesNoise(seed: Int) {
    var generator = SeededGenerator(state: UInt64(9_000 + seed))
    let alphabet = Array(#"{}[]:,"\u01e-."#.utf8)
    var ends = 0
    for _ in 0..<3_000 {
      let isText = Bool.random(using: &generator)
      let bytes = (0..<Int.random(in: 0...40, using: &generator)).map { _ in
        isText ? alphabet.randomElement(using: &generator) ?? 0 : UInt8.random(in: .min ... .max, using: &generator)
      }
      _ = Self.isTaken(bytes)
      ends += 1
    }
    #expect(ends == 3_000)
  }

  /// Parses, and on success walks everything that a caller might ask of every value, which must not trap either.
  static func isTaken(_ bytes: [UInt8]) -> Bool {
    do throws(JSONFaults) {
      let root = try JSONDocument(parsing: bytes).root
      var pending = [root]
      while let node = pending.popLast() {
        #expect(node.pointer.utf8.first.map { $0 == UInt8(ascii: "/") } ?? true)
        #expect((node.asString?.utf8.count ?? 0) == (node.utf8Count ?? 0))
        if let integer = node.asInteger {
          #expect(node.kind == .number && node.rawNumber?.isEmpty == false, "\(integer)")
        }
        pending += node.elements
        pending += node.members.map(\.value)
      }
      var reader = ObjectReader(root)
      _ = reader.int("quantity", 1...1000)
      _ = reader.string("end_use", bytes: 0...100, allowMultiline: true)
      _ = reader.objects("acceptable", count: 0...9) { $0.int("max_rate_bps", .min ... .max) }
      #expect(throws: JSONFaults.self) { try reader.finish() }
      return true
    } catch {
      #expect(error.isSyntax && error.faults.count == 1 && error.omitted == 0)
      return false
    }
  }
}
