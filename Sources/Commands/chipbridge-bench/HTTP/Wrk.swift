import Foundation

/// One run of the load generator, with one thread and so many connections that each have one request under way.
struct Wrk {
  let program: String
  let connections: Int
  let seconds: Int

  struct Result {
    var perSecond = 0.0
    var answered = 0
    /// Answers that were neither 2xx nor 3xx.
    var refused = 0
    /// In milliseconds.
    var p50 = 0.0
    var p99 = 0.0
  }

  /// - Throws: `BenchFailure` when connections failed or there is no figure.
  func run(script: String, port: Int) throws -> Result {
    let text = try Tools.run([
      program, "-t1", "-c\(connections)", "-d\(seconds)s", "--timeout", "10s", "--latency", "-s", script,
      "http://127.0.0.1:\(port)",
    ])
    var result = Result()
    for line in text.split(separator: "\n") {
      let words = line.split(whereSeparator: { $0 == " " || $0 == ":" })
      if line.contains("Requests/sec"), let value = words.last.flatMap({ Double($0) }) { result.perSecond = value }
      if line.contains("requests in"), let value = words.first.flatMap({ Int($0) }) { result.answered = value }
      if line.contains("Non-2xx"), let value = words.last.flatMap({ Int($0) }) { result.refused = value }
      if words.first == "50%", words.count == 2 { result.p50 = Self.milliseconds(words[1]) }
      if words.first == "99%", words.count == 2 { result.p99 = Self.milliseconds(words[1]) }
      if line.contains("Socket errors") { throw BenchFailure("connections failed under load: \(line)") }
    }
    guard result.perSecond > 0 else { throw BenchFailure("wrk told no figure: \(text.suffix(400))") }
    return result
  }

  /// `1.23ms`, `456.00us`, `1.20s`.
  private static func milliseconds(_ text: Substring) -> Double {
    if text.hasSuffix("us") { return (Double(text.dropLast(2)) ?? 0) / 1_000 }
    if text.hasSuffix("ms") { return Double(text.dropLast(2)) ?? 0 }
    return (Double(text.dropLast(1)) ?? 0) * 1_000
  }
}
