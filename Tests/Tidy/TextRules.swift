/// Rules over the text of one file.
enum TextRules {
  static let mostLines = 450

  /// `try!`, `as!` and `fatalError(` in code: an input must never end the process.
  static func traps(in file: SourceFile) -> [Finding] {
    guard file.isSwift, file.isIn("Sources") else { return [] }
    return found(["try!", "as!", "fatalError("], in: file)
  }

  /// Marks of unfinished work, in comments and texts as well.
  static func unfinished(in file: SourceFile) -> [Finding] {
    guard file.isIn("Sources") else { return [] }
    var findings: [Finding] = []
    for (offset, line) in lines(file.text).enumerated() {
      for mark in ["TO" + "DO", "FIX" + "ME"] where contains(mark, in: line) {
        findings.append(Finding(path: file.path, line: offset + 1, what: mark))
      }
    }
    return findings
  }

  /// Binary floating point near money: its types, and literals that would be of them.
  static func floatingPoint(in file: SourceFile) -> [Finding] {
    guard file.isSwift, file.isIn("Sources/Core") || file.isIn("Sources/Adapters/Persistence") else { return [] }
    var findings = found(["Double", "Float", "Float16", "Float32", "Float64", "Float80", "CGFloat"], in: file)
    for (offset, line) in SwiftText(file.text).codeLines.enumerated() where hasFloatingLiteral(line) {
      findings.append(Finding(path: file.path, line: offset + 1, what: "a floating-point literal"))
    }
    return findings
  }

  /// Clocks, random sources, concurrency and output in Core, as far as the standard library alone offers them.
  static func impurity(in file: SourceFile) -> [Finding] {
    guard file.isSwift, file.isIn("Sources/Core") else { return [] }
    return found(
      [
        "async", "await", "actor", "Task", "print(", "debugPrint(", "dump(", "ContinuousClock", "SuspendingClock",
        "SystemRandomNumberGenerator", ".random(", ".randomElement(", ".shuffled(", ".shuffle(", "readLine(",
      ], in: file)
  }

  /// A file too long to be read in one sitting. Fixtures are data and are as long as they are.
  static func tooLong(_ file: SourceFile) -> [Finding] {
    guard file.isIn("Sources") || file.isIn("Tests"), !file.isIn("Tests/Fixtures") else { return [] }
    let count = lines(file.text).count - (file.text.hasSuffix("\n") ? 1 : 0)
    return count > mostLines ? [Finding(path: file.path, line: 0, what: "\(count) lines")] : []
  }

  /// Names at the top of the repository that do not belong there. Hidden files do, and what git ignores is not of it.
  static func strayNames(_ names: [String], ignored: [String]) -> [Finding] {
    let allowed: Set<String> = ["Package.swift", "Sources", "Tests", "schema", "deploy", "README.md"]
    return names.filter { !$0.hasPrefix(".") && !allowed.contains($0) && !ignored.contains($0) }
      .map { Finding(path: $0, line: 0, what: "does not belong at the top") }
  }

  // MARK: Reading

  static func lines(_ text: String) -> [Substring] { text.split(separator: "\n", omittingEmptySubsequences: false) }

  private static func found(_ tokens: [String], in file: SourceFile) -> [Finding] {
    var findings: [Finding] = []
    for (offset, line) in SwiftText(file.text).codeLines.enumerated() {
      for token in tokens where contains(token, in: line[...]) {
        findings.append(Finding(path: file.path, line: offset + 1, what: token))
      }
    }
    return findings
  }

  /// Whether the token stands in the line as a whole word: an end of it that is a letter touches no further letter.
  static func contains(_ token: String, in line: Substring) -> Bool {
    let (line, token) = (Array(line.utf8), Array(token.utf8))
    guard let first = token.first, let last = token.last, line.count >= token.count else { return false }
    for start in 0...(line.count - token.count) where line[start] == first {
      let end = start + token.count
      guard line[start..<end].elementsEqual(token) else { continue }
      if isWord(first), start > 0, isWord(line[start - 1]) { continue }
      if isWord(last), end < line.count, isWord(line[end]) { continue }
      return true
    }
    return false
  }

  private static func isWord(_ byte: UInt8) -> Bool {
    switch byte {
    case 0x30...0x39, 0x41...0x5A, 0x61...0x7A, 0x5F, 0x80...: true
    default: false
    }
  }

  private static func isDigit(_ byte: UInt8) -> Bool { (0x30...0x39).contains(byte) }

  /// A decimal number with a fraction or an exponent. `0...9` is a range, and `pair.0.1` a path.
  static func hasFloatingLiteral(_ line: String) -> Bool {
    let bytes = Array(line.utf8)
    var index = 0
    while index < bytes.count {
      guard isWord(bytes[index]) else {
        index += 1
        continue
      }
      var end = index
      while end < bytes.count, isWord(bytes[end]) { end += 1 }
      let word = bytes[index..<end]
      let isNumber = isDigit(bytes[index]) && (index == 0 || bytes[index - 1] != 0x2E)
      let isDecimal = word.allSatisfy { isDigit($0) || $0 == 0x5F || $0 == 0x45 || $0 == 0x65 }
      if isNumber, isDecimal {
        if word.contains(0x45) || word.contains(0x65) { return true }
        if end + 1 < bytes.count, bytes[end] == 0x2E, isDigit(bytes[end + 1]) { return true }
      }
      index = end
    }
    return false
  }
}
