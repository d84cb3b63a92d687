import StrictJSON

/// SplitMix64: small, seeded, the same on every machine.
struct SeededGenerator: RandomNumberGenerator {
  var state: UInt64

  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var mixed = state
    mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
    mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
    return mixed ^ (mixed >> 31)
  }
}

/// A JSON value to write and to compare with what was read. Texts are bytes: `String ==` calls different ones equal.
indirect enum JSONTree: Equatable, Sendable {
  case null
  case bool(Bool)
  case int(Int64)
  case text([UInt8])
  case array([JSONTree])
  case object([Member])

  struct Member: Equatable, Sendable {
    let name: [UInt8]
    let value: JSONTree
  }

  /// Member names within an object differ in their bytes.
  static func random(depth: Int, using generator: inout SeededGenerator) -> JSONTree {
    switch Int.random(in: 0..<(depth > 0 ? 8 : 5), using: &generator) {
    case 0: return .null
    case 1: return .bool(.random(using: &generator))
    case 2: return .int(.random(in: .min ... .max, using: &generator))
    case 3: return .int([0, -1, .min, .max, 999_999_999_999_999_999].randomElement(using: &generator) ?? 0)
    case 4: return .text(randomText(using: &generator))
    case 5:
      return .array(
        (0..<Int.random(in: 0...6, using: &generator)).map { _ in random(depth: depth - 1, using: &generator) })
    default:
      var names: Set<[UInt8]> = []
      var members: [Member] = []
      for _ in 0..<Int.random(in: 0...24, using: &generator) {
        let name = randomText(using: &generator)
        guard names.insert(name).inserted else { continue }
        members.append(Member(name: name, value: random(depth: depth - 1, using: &generator)))
      }
      return .object(members)
    }
  }

  /// Up to 20 characters, with those that need care drawn often.
  static func randomText(using generator: inout SeededGenerator) -> [UInt8] {
    var text = String.UnicodeScalarView()
    for _ in 0..<Int.random(in: 0...20, using: &generator) {
      let value: UInt32
      switch Int.random(in: 0..<6, using: &generator) {
      case 0: value = .random(in: 0...0x1F, using: &generator)
      case 1: value = [0x22, 0x5C, 0x2F, 0x7F, 0x7E].randomElement(using: &generator) ?? 0
      case 2: value = .random(in: 0x80...0xFFFF, using: &generator)
      case 3: value = .random(in: 0x1_0000...0x10_FFFF, using: &generator)
      default: value = .random(in: 0x20...0x7E, using: &generator)
      }
      if let scalar = Unicode.Scalar(value) { text.append(scalar) }
    }
    return Array(String(text).utf8)
  }

  init(_ node: JSONNode) {
    switch node.kind {
    case .null: self = .null
    case .boolean: self = .bool(node.asBool == true)
    case .number: self = node.asInteger.map { .int($0) } ?? .text(Array((node.rawNumber ?? "").utf8))
    case .string: self = .text(Array((node.asString ?? "").utf8))
    case .array: self = .array(node.elements.map { JSONTree($0) })
    case .object: self = .object(node.members.map { Member(name: Array($0.name.utf8), value: JSONTree($0.value)) })
    }
  }

  func write(to writer: inout JSONWriter) {
    switch self {
    case .null: writer.null()
    case .bool(let value): writer.bool(value)
    case .int(let value): writer.int(value)
    case .text(let bytes): writer.string(String(decoding: bytes, as: UTF8.self))
    case .array(let elements): writer.array(elements) { writer, element in element.write(to: &writer) }
    case .object(let members):
      writer.object { writer in
        for member in members {
          writer.key(dynamic: String(decoding: member.name, as: UTF8.self))
          member.value.write(to: &writer)
        }
      }
    }
  }

  var written: [UInt8] {
    var writer = JSONWriter()
    write(to: &writer)
    return writer.bytes
  }
}

/// The root of a text that is expected to be sound.
func root(_ text: String) throws -> JSONNode {
  try JSONDocument(parsing: Array(text.utf8)).root
}

/// The one fault for which a text is refused, or nil when it is taken.
func refusal(_ bytes: [UInt8], limits: JSONLimits = .request) -> JSONFault? {
  do throws(JSONFaults) {
    _ = try JSONDocument(parsing: bytes, limits: limits)
    return nil
  } catch {
    return error.isSyntax && error.faults.count == 1 ? error.faults.first : nil
  }
}

/// Reads a body and gives the faults as "code pointer", in their order; none when it is taken.
func faults(_ text: String, _ read: (inout ObjectReader) -> Void) throws -> [String] {
  var reader = ObjectReader(try root(text))
  read(&reader)
  do throws(JSONFaults) {
    try reader.finish()
    return []
  } catch {
    return error.isSyntax ? ["syntax"] : error.faults.map { "\($0.code) \($0.pointer)" }
  }
}
