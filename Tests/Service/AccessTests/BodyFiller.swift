import StrictJSON

/// Makes a body that a route takes, from what the route says is missing: the names of members tell what they hold.
struct BodyFiller {
  /// A JSON value that grows.
  indirect enum Value {
    case text(String)
    case object([(name: String, value: Value)])
    case array([Value])

    var json: String {
      switch self {
      case .text(let json): json
      case .object(let members): "{" + members.map { "\"\($0.name)\":\($0.value.json)" }.joined(separator: ",") + "}"
      case .array(let elements): "[" + elements.map(\.json).joined(separator: ",") + "]"
      }
    }

    mutating func set(_ path: ArraySlice<Substring>, _ value: Value) {
      guard let first = path.first else {
        self = value
        return
      }
      switch self {
      case .object(var members):
        if let index = members.firstIndex(where: { $0.name == first }) {
          members[index].value.set(path.dropFirst(), value)
        } else {
          members.append((String(first), value))
        }
        self = .object(members)
      case .array(var elements):
        if let index = Int(first), elements.indices.contains(index) { elements[index].set(path.dropFirst(), value) }
        self = .array(elements)
      case .text: break
      }
    }
  }

  /// What a member of this name holds, whatever the route.
  let samples: [String: String]

  private(set) var value = Value.object([])

  init(samples: [String: String]) { self.samples = samples }

  /// Fills what an answer found missing.
  /// - Returns: the pointers that no sample helps.
  mutating func fill(_ answer: HTTPAnswer) throws -> [String] {
    var unknown: [String] = []
    for error in try answer.list("errors") {
      let pointer = error["pointer"]?.asString ?? ""
      let path = pointer.split(separator: "/")
      let detail = error["detail"]?.asString ?? ""
      if let words = detail.split(separator: "one of: ").last, words.count < detail.count,
        let word = words.split(separator: ",").first
      {
        value.set(path[...], .text("\"\(word)\""))
        continue
      }
      if detail.hasPrefix("must be an integer") {
        value.set(path[...], .text("1000"))
        continue
      }
      guard error["code"]?.asString == "field.missing", let name = path.last else {
        unknown.append("\(pointer) \(error["detail"]?.asString ?? "")")
        continue
      }
      switch samples[String(name)] {
      case "{}": value.set(path[...], .object([]))
      case "[{}]": value.set(path[...], .array([.object([])]))
      case .some(let sample): value.set(path[...], .text(sample))
      case .none: unknown.append(pointer)
      }
    }
    return unknown
  }
}
