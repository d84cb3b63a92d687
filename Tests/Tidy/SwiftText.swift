/// A Swift text taken apart: the code with comments and the insides of string literals blanked out, and the literals.
///
/// A light scanner and no parser: it knows line and nested block comments, one-line, multi-line and raw string
/// literals, and interpolations, whose insides are code. A quotation mark inside a regex literal may blank the rest of
/// its line; a one-line literal ends with its line at the latest, so a mistake never spreads further.
struct SwiftText {
  struct Literal: Equatable {
    /// 1 is the first line.
    let line: Int
    /// The text between the quotation marks as it stands in the source; `?` for each interpolation.
    let text: String
  }

  /// As many lines as the source, each at its place.
  let codeLines: [String]
  let literals: [Literal]

  init(_ source: String) {
    var scanner = Scanner(source)
    scanner.scanCode(untilParenthesis: false)
    codeLines = String(decoding: scanner.code, as: UTF8.self)
      .split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
    literals = scanner.literals
  }
}

private struct Scanner {
  private let bytes: [UInt8]
  private var index = 0
  private var line = 1
  private(set) var code: [UInt8] = []
  private(set) var literals: [SwiftText.Literal] = []

  init(_ source: String) {
    bytes = Array(source.utf8)
    code.reserveCapacity(bytes.count)
  }

  private func peek(_ offset: Int = 0) -> UInt8? {
    index + offset < bytes.count ? bytes[index + offset] : nil
  }

  private func follows(_ text: StaticString) -> Bool {
    text.withUTF8Buffer { wanted in
      index + wanted.count <= bytes.count && bytes[index..<index + wanted.count].elementsEqual(wanted)
    }
  }

  /// Steps over bytes: kept as code, or blanked; line ends are always kept.
  private mutating func step(_ count: Int = 1, keeping: Bool) {
    for _ in 0..<count where index < bytes.count {
      let byte = bytes[index]
      if byte == 0x0A { line += 1 }
      code.append(keeping || byte == 0x0A ? byte : 0x20)
      index += 1
    }
  }

  /// Scans code up to its end, or up to the parenthesis that closes an interpolation.
  mutating func scanCode(untilParenthesis: Bool) {
    var depth = 0
    while let byte = peek() {
      if follows("//") {
        while let next = peek(), next != 0x0A { step(keeping: false) }
      } else if follows("/*") {
        skipBlockComment()
      } else if let hashes = openingHashes() {
        scanLiteral(hashes: hashes)
      } else {
        if untilParenthesis, byte == 0x28 { depth += 1 }
        if untilParenthesis, byte == 0x29 {
          if depth == 0 { return }
          depth -= 1
        }
        step(keeping: true)
      }
    }
  }

  private mutating func skipBlockComment() {
    var depth = 0
    repeat {
      if follows("/*") {
        depth += 1
        step(2, keeping: false)
      } else if follows("*/") {
        depth -= 1
        step(2, keeping: false)
      } else {
        step(keeping: false)
      }
    } while depth > 0 && index < bytes.count
  }

  /// The number of `#` before a quotation mark that stands here; nil when no literal begins.
  private func openingHashes() -> Int? {
    var count = 0
    while peek(count) == 0x23 { count += 1 }
    return peek(count) == 0x22 ? count : nil
  }

  private func hashesFollow(_ count: Int, at offset: Int) -> Bool {
    (0..<count).allSatisfy { peek(offset + $0) == 0x23 }
  }

  private mutating func scanLiteral(hashes: Int) {
    let start = line
    step(hashes, keeping: false)
    let marks = follows("\"\"\"") ? 3 : 1
    step(marks, keeping: true)
    var text: [UInt8] = []
    while let byte = peek() {
      let closes = marks == 3 ? follows("\"\"\"") : byte == 0x22
      if closes, hashesFollow(hashes, at: marks) {
        step(marks, keeping: true)
        step(hashes, keeping: false)
        break
      }
      if marks == 1, byte == 0x0A { break }
      if byte == 0x5C, hashesFollow(hashes, at: 1) {
        if peek(1 + hashes) == 0x28 {
          step(2 + hashes, keeping: false)
          scanCode(untilParenthesis: true)
          step(keeping: false)
          text.append(0x3F)
        } else {
          text += bytes[index..<min(index + 2 + hashes, bytes.count)]
          step(2 + hashes, keeping: false)
        }
      } else {
        text.append(byte)
        step(keeping: false)
      }
    }
    literals.append(SwiftText.Literal(line: start, text: String(decoding: text, as: UTF8.self)))
  }
}
