import Foundation
import Logging
import StrictJSON
import Synchronization
import Telemetry
import Testing
import Traces

@Suite("events as lines of JSON")
struct JSONLogTests {
  /// What is logged by `body`, line by line.
  private func lines(
    provider: Logger.MetadataProvider? = nil, _ body: (Logger) async throws -> Void
  ) async throws -> [String] {
    let file = try TemporaryFile()
    defer { file.remove() }
    let writer = LineWriter(descriptor: file.descriptor)
    var logger = Logger(label: "test") { label in
      JSONLogHandler(label: label, level: .info, metadataProvider: provider, to: writer) { "2023-04-03T09:00:00Z" }
    }
    logger[metadataKey: "standing"] = "yes"
    try await body(logger)
    await writer.flush()
    return try file.text().split(separator: "\n").map(String.init)
  }

  @Test("an event is one object, with its request and trace lifted out and the rest in metadata, flat")
  func shape() async throws {
    let span = try #require(Tracer().begin("test"))
    let lines = try await lines { logger in
      await Span.within(span) {
        logger.warning(
          "hello",
          metadata: [
            "hb.request.id": "abc", "run": ["id": "run_1", "list": ["a", "b"]], "standing": "no",
          ])
      }
      logger.debug("not logged")
      logger.notice("plain")
    }
    try #require(lines.count == 2)
    let first = try JSONDocument(parsing: Array(lines[0].utf8)).root
    #expect(first["time"]?.asString == "2023-04-03T09:00:00Z" && first["level"]?.asString == "warning")
    #expect(first["message"]?.asString == "hello" && first["label"]?.asString == "test")
    #expect(first["source"]?.asString == "TelemetryTests" && first["request_id"]?.asString == "abc")
    #expect(first["trace_id"]?.asString == "\(span.record.trace)")
    let metadata = try #require(first["metadata"])
    #expect(metadata["run.id"]?.asString == "run_1" && metadata["standing"]?.asString == "no")
    #expect(metadata["hb.request.id"] == nil && metadata["run.list"] != nil)
    let second = try JSONDocument(parsing: Array(lines[1].utf8)).root
    #expect(second["trace_id"] == nil && second["request_id"] == nil)
    #expect(second["metadata"]?["standing"]?.asString == "yes")
  }

  @Test("what a terminal obeys or nobody sees is encoded, and comes back as it was")
  func hostile() async throws {
    let texts = [
      "a\nb\r\nc", "\u{0}\u{1}\u{1B}[31mred\u{7F}", "\u{85}\u{9B}2J", "left\u{202E}right\u{2066}", "\u{2028}\u{2029}",
      "\u{FEFF}bom\u{200B}", "\u{E0041}tag", "\"quoted\\\"", "}{\"level\":\"forged\"}", "café 芯片 👩‍🔬",
      String(decoding: [0x61, 0xFF, 0xC0, 0x80, 0xED, 0xA0, 0x80], as: UTF8.self), "\u{10FFFF}\u{E000}",
    ]
    let lines = try await lines { logger in
      for text in texts { logger.error("\(text)", metadata: ["text": "\(text)", "a\nb \(text)": "named"]) }
    }
    #expect(lines.count == texts.count)
    for (line, text) in zip(lines, texts) {
      let root = try JSONDocument(parsing: Array(line.utf8)).root
      #expect(root["message"]?.asString == text && root["metadata"]?["text"]?.asString == text)
      #expect(root["level"]?.asString == "error")
      let isVisible = line.unicodeScalars.allSatisfy { scalar in
        ![.control, .format, .lineSeparator, .paragraphSeparator].contains(scalar.properties.generalCategory)
      }
      #expect(isVisible, "\(line)")
    }
  }

  @Test("long texts, many members and deep ones make no long line")
  func bounded() async throws {
    var deep: Logger.MetadataValue = "end"
    for _ in 0..<50 { deep = ["d": deep] }
    let long = String(repeating: "é\n", count: 20_000)
    let members = Dictionary(
      uniqueKeysWithValues: (0..<500).map { ("name\($0)", Logger.MetadataValue.string(long)) })
    let lines = try await lines { logger in
      logger.error("\(long)", metadata: members)
      logger.error("deep", metadata: ["deep": deep, long: "long name"])
    }
    try #require(lines.count == 2)
    #expect(lines.allSatisfy { $0.utf8.count < 32_768 })
    let first = try JSONDocument(parsing: Array(lines[0].utf8)).root
    #expect(first["is_cut"]?.asBool == true)
    _ = try JSONDocument(parsing: Array(lines[1].utf8))
  }

  @Test("a pipe that nobody reads holds nobody up: what does not fit is dropped and counted, and lines stay whole")
  func slowReader() async throws {
    var ends: [Int32] = [0, 0]
    try #require(pipe(&ends) == 0)
    let writer = LineWriter(descriptor: ends[1], capacity: 1 << 20)
    let line = Array(#"{"line":"\#(String(repeating: "x", count: 990))"}"#.utf8)
    let began = ContinuousClock.now
    for _ in 0..<5_000 { writer.add(line) }
    #expect(ContinuousClock.now - began < .seconds(2))
    let dropped = writer.dropped
    #expect(dropped > 3_000)
    let read = Task.detached { [descriptor = ends[0]] in
      var bytes: [UInt8] = []
      var chunk = [UInt8](repeating: 0, count: 1 << 16)
      while case let count = Glibc.read(descriptor, &chunk, chunk.count), count > 0 { bytes += chunk[..<count] }
      return bytes
    }
    await writer.flush(within: .seconds(10))
    close(ends[1])
    let lines = await read.value.split(separator: 0x0A)
    close(ends[0])
    #expect(lines.count == 5_000 - dropped && lines.allSatisfy { Array($0) == line })
  }

  @Test("a reader that is gone ends nothing, and its lines are counted as dropped")
  func goneReader() async throws {
    signal(SIGPIPE, SIG_IGN)
    var ends: [Int32] = [0, 0]
    try #require(pipe(&ends) == 0)
    close(ends[0])
    let writer = LineWriter(descriptor: ends[1])
    for _ in 0..<3 { writer.add(Array("{}".utf8)) }
    await writer.flush()
    close(ends[1])
    #expect(writer.dropped == 3)
  }
}

/// A file to write to, gone with the test.
private struct TemporaryFile {
  let path: String
  let descriptor: Int32

  init() throws {
    var template = Array("/tmp/cblog.XXXXXX".utf8CString)
    descriptor = mkstemp(&template)
    path = String(decoding: template.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    try #require(descriptor >= 0)
  }

  func text() throws -> String { String(decoding: try Data(contentsOf: URL(filePath: path)), as: UTF8.self) }

  func remove() {
    close(descriptor)
    unlink(path)
  }
}
