/// Reads a market from its bytes as they come, in pieces of any size. Pure: who has the file gives the pieces.
///
/// Strict, so that no market is half understood: every member known, every number whole and within its bounds, every
/// id once, kinds in the order chip, listing, request. Blank lines are passed over. A chip that `acceptable` names
/// twice is refused and not merged, since the two limits contradict each other; so is a region named twice.
package struct MarketFileReader: Sendable {
  private enum Kind: Int, Sendable {
    case chip, listing, request

    var name: String {
      switch self {
      case .chip: "chip"
      case .listing: "listing"
      case .request: "request"
      }
    }

    static func named(_ name: UnsafeBufferPointer<UInt8>) -> Kind? {
      if name.elementsEqual("listing".utf8) { return .listing }
      if name.elementsEqual("request".utf8) { return .request }
      return name.elementsEqual("chip".utf8) ? .chip : nil
    }
  }

  var market = MarketFile()
  var line = MarketLine()
  /// Lines begun, the current one included.
  private(set) var lineNumber = 0
  /// The beginning of a line whose end has not come yet.
  private var pending: [UInt8] = []
  private var lastKind = Kind.chip
  /// False reads every line with the strict reader; tests compare the two.
  private let isQuick: Bool
  /// Chips of all listings, and of all requests.
  var supply: Int64 = 0
  var demand: Int64 = 0
  /// By chip, the last request that named it, counted from 1.
  var lastNamed: [Int32] = []
  var setNumbers: [[Int32]: Int32] = [:]
  var regionScratch: [Int32] = []

  package init() { isQuick = true }

  init(isQuick: Bool) { self.isQuick = isQuick }

  /// Reads on.
  /// - Throws: what is wrong with the first bad line; the reader is of no use afterwards.
  package mutating func read(_ piece: UnsafeBufferPointer<UInt8>) throws(MarketFileFault) {
    var start = 0
    while let end = Self.newline(in: piece, from: start) {
      let rest = UnsafeBufferPointer(rebasing: piece[start..<end])
      if pending.isEmpty {
        try readOneLine(rest)
      } else {
        try keep(rest)
        try readPending()
      }
      start = end + 1
    }
    try keep(UnsafeBufferPointer(rebasing: piece[start...]))
  }

  /// Reads on.
  package mutating func read(_ piece: [UInt8]) throws(MarketFileFault) {
    try piece.withUnsafeBufferPointer { buffer throws(MarketFileFault) in try read(buffer) }
  }

  /// Reads a last line that has no end, and hands over the market.
  package consuming func finish() throws(MarketFileFault) -> MarketFile {
    if !pending.isEmpty { try readPending() }
    return market
  }

  /// A whole file in memory.
  package static func market(of bytes: [UInt8]) throws(MarketFileFault) -> MarketFile {
    var reader = MarketFileReader()
    try reader.read(bytes)
    return try reader.finish()
  }

  @inline(__always)
  private static func newline(in piece: UnsafeBufferPointer<UInt8>, from start: Int) -> Int? {
    var position = start
    while position < piece.count {
      if piece[position] == UInt8(ascii: "\n") { return position }
      position += 1
    }
    return nil
  }

  private mutating func keep(_ part: UnsafeBufferPointer<UInt8>) throws(MarketFileFault) {
    guard pending.count + part.count <= MarketFile.Bounds.lineBytes else {
      throw MarketFileFault(line: lineNumber + 1, "is longer than \(MarketFile.Bounds.lineBytes) bytes")
    }
    pending.append(contentsOf: part)
  }

  private mutating func readPending() throws(MarketFileFault) {
    var whole: [UInt8] = []
    swap(&whole, &pending)
    try whole.withUnsafeBufferPointer { buffer throws(MarketFileFault) in try readOneLine(buffer) }
    whole.removeAll(keepingCapacity: true)
    swap(&whole, &pending)
  }

  private mutating func readOneLine(_ source: UnsafeBufferPointer<UInt8>) throws(MarketFileFault) {
    lineNumber += 1
    guard source.count <= MarketFile.Bounds.lineBytes else {
      throw MarketFileFault(line: lineNumber, "is longer than \(MarketFile.Bounds.lineBytes) bytes")
    }
    if !isQuick || !line.readQuickly(source) {
      if source.allSatisfy({ $0 == 0x20 || $0 == 0x09 || $0 == 0x0D }) { return }
      try line.readStrictly(source, number: lineNumber)
    }
    try require(.type)
    let kind = line.withBytes(of: line.texts[MarketField.type.rawValue], in: source) { Kind.named($0) }
    guard let kind else { throw fault(.type, "must be \"chip\", \"listing\" or \"request\"") }
    guard kind.rawValue >= lastKind.rawValue else {
      let order = "chips come first, then listings, then requests"
      throw fault(.type, "a \(kind.name) stands behind a \(lastKind.name); \(order)")
    }
    lastKind = kind
    switch kind {
    case .chip: try readChip(source)
    case .listing: try readListing(source)
    case .request: try readRequest(source)
    }
  }
}

/// What every kind of line needs.
extension MarketFileReader {
  func fault(_ field: MarketField, _ reason: String) -> MarketFileFault {
    MarketFileFault(line: lineNumber, field: "\(field.name)", reason)
  }

  /// A fault at an entry of `acceptable` or `regions`.
  func fault(_ field: MarketField, _ position: Int, _ member: MarketField?, _ reason: String) -> MarketFileFault {
    let path = "\(field.name)[\(position)]" + (member.map { ".\($0.name)" } ?? "")
    return MarketFileFault(line: lineNumber, field: path, reason)
  }

  /// Refuses what does not belong to this kind of line.
  func allowOnly(_ fields: [MarketField], _ what: String) throws(MarketFileFault) {
    if let unknown = line.unknown {
      throw MarketFileFault(line: lineNumber, field: Self.printable(unknown), "\(what) has no such member")
    }
    var count = 0
    for field in fields where line.presence[field.rawValue] != .absent { count += 1 }
    guard line.presence.count(where: { $0 != .absent }) > count else { return }
    for field in MarketField.allCases where line.presence[field.rawValue] != .absent && !fields.contains(field) {
      throw fault(field, "\(what) has no such member")
    }
  }

  /// A name of the file's own, fit to be shown.
  static func printable(_ name: String) -> String {
    let shown = name.unicodeScalars.prefix(40).map { $0.properties.generalCategory == .control ? "?" : String($0) }
    return shown.joined() + (name.unicodeScalars.count > 40 ? "…" : "")
  }

  func require(_ field: MarketField) throws(MarketFileFault) {
    switch line.presence[field.rawValue] {
    case .absent: throw fault(field, "is required")
    case .wrong:
      switch field.shape {
      case .text: throw fault(field, "must be a text")
      case .texts, .objects: throw fault(field, "must be an array")
      case .integer: return
      }
    case .present: return
    }
  }

  /// A number within its bounds; an absent one is `absent`, unless it is required.
  func integer(
    _ field: MarketField, from least: Int64, to most: Int64, absent: Int64? = nil
  ) throws(MarketFileFault) -> Int64 {
    if let absent, line.presence[field.rawValue] == .absent { return absent }
    try require(field)
    let value = line.integers[field.rawValue]
    guard line.presence[field.rawValue] == .present, value >= least, value <= most else {
      throw fault(field, Self.wanted(least, most))
    }
    return value
  }

  static func wanted(_ least: Int64, _ most: Int64) -> String {
    "must be a whole number of at least \(least)" + (most == Int64.max ? "" : " and at most \(most)")
  }

  /// A required text of 1 to 200 bytes.
  func text(_ field: MarketField) throws(MarketFileFault) -> MarketLine.Text {
    try require(field)
    let text = line.texts[field.rawValue]
    guard Self.hasGoodLength(text) else { throw fault(field, Self.textWanted) }
    return text
  }

  static func hasGoodLength(_ text: MarketLine.Text) -> Bool {
    text.count > 0 && text.count <= MarketFile.Bounds.textBytes
  }

  static var textWanted: String { "must be a text of 1 to \(MarketFile.Bounds.textBytes) bytes" }

  /// Refuses a unit value and a rate whose product is no price.
  func checkPrice(
    chip: Int32, rateBps: Int64, _ failure: @autoclosure () -> MarketFileFault
  ) throws(MarketFileFault) {
    let (price, overflow) = market.chips[Int(chip)].unitValue.multipliedReportingOverflow(by: rateBps)
    guard !overflow, price <= MarketFile.Bounds.price else { throw failure() }
  }

  static var priceTooHigh: String { "times the chip's unit_value is more than \(MarketFile.Bounds.price)" }
}
