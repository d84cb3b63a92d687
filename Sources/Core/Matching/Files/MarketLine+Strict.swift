import StrictJSON

extension MarketLine {
  /// Reads any line. Whatever the quick reader takes, this one takes to the same effect.
  /// - Throws: when the line is not one JSON object.
  mutating func readStrictly(_ source: UnsafeBufferPointer<UInt8>, number: Int) throws(MarketFileFault) {
    clear()
    // A line is at most a mebibyte, which holds no more values than this.
    let limits = JSONLimits(maxBytes: MarketFile.Bounds.lineBytes, maxDepth: 4, maxMembers: 1 << 20)
    let document: JSONDocument
    do { document = try JSONDocument(parsing: Array(source), limits: limits) } catch {
      let fault = error.faults.first
      throw MarketFileFault(line: number, "is not JSON as this format has it: \(fault?.detail ?? "unreadable")")
    }
    guard document.root.kind == .object else { throw MarketFileFault(line: number, "is not a JSON object") }
    for member in document.root.members {
      guard let field = Self.field(member.name) else {
        if unknown == nil { unknown = member.name }
        continue
      }
      switch field.shape {
      case .text: (presence[field.rawValue], texts[field.rawValue]) = text(member.value)
      case .integer: (presence[field.rawValue], integers[field.rawValue]) = Self.integer(member.value)
      case .texts, .objects:
        presence[field.rawValue] = member.value.isNull ? .absent : member.value.kind == .array ? .present : .wrong
        for element in member.value.elements {
          if field == .regions { readRegion(element) } else { readClaim(element) }
        }
      }
    }
  }

  private static func field(_ name: String) -> MarketField? {
    var name = name
    return name.withUTF8 { MarketField.named($0) }
  }

  private mutating func readRegion(_ element: JSONNode) {
    let (presence, found) = text(element)
    var text = found
    text.isWrong = presence != .present
    regions.append(text)
  }

  private mutating func readClaim(_ element: JSONNode) {
    var claim = Claim()
    claim.isWrong = element.kind != .object
    for member in element.members {
      switch Self.field(member.name) {
      case .chipModel: (claim.hasChip, claim.chip) = text(member.value)
      case .maxRateBps: (claim.hasRate, claim.rate) = Self.integer(member.value)
      default: if claim.unknown == nil { claim.unknown = member.name }
      }
    }
    claims.append(claim)
  }

  /// `null` counts as absent.
  private mutating func text(_ node: JSONNode) -> (Presence, Text) {
    guard let value = node.asString else { return (node.isNull ? .absent : .wrong, Text()) }
    let start = unescaped.count
    unescaped.append(contentsOf: value.utf8)
    return (.present, Text(start: start, count: unescaped.count - start, isUnescaped: true))
  }

  private static func integer(_ node: JSONNode) -> (Presence, Int64) {
    guard let value = node.asInteger else { return (node.isNull ? .absent : .wrong, 0) }
    return (.present, value)
  }
}
