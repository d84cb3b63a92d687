import ArgumentParser
import Foundation

/// The exact matcher against OR-Tools on the same markets.
struct MatchBench: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "match",
    abstract: "Time, memory and growth of the exact matcher, against OR-Tools' SimpleMinCostFlow on the same markets.",
    discussion: """
      Random markets of each size are written as market files. Each is read, mapped and solved in a process of its own;
      its certificate is checked, and greedy's share of the optimum is told. Where a Python with OR-Tools is found
      (--python, CHIPBRIDGE_BENCH_PYTHON, an active venv, .venv, venv, python3) it reads the same file, models it by
      itself, and must find the same objective; the ratio is of the solves alone. One process at a time.

      With --round-trip whole match rounds on PostgreSQL are measured apart, in parts: the snapshot read, the solve, the
      offers reserved; against plain SQL that reads and writes the same rows.
      """)
  @Option(help: "Listings, and as many requests, of each market.") var sizes = "1000,10000,100000"
  @Option(help: "Solves of each market; the median counts.") var runs = 5
  @Option(help: "Seed of the markets.") var seed: UInt64 = 1
  @Option(help: "The largest size that the reference solves too.") var referenceUpTo = 100_000
  @Flag(help: "Also the reference on the network with lists between classes and requests.") var referenceLists = false
  @Option(help: "A Python with ortools and numpy.") var python: String?
  @Option(help: "A folder of cluster traces, measured as one more market.") var trace: String?
  @Option(help: "Orders of each side of markets in PostgreSQL that a round clears: numbers parted by commas.")
  var roundTrip: String?
  @Flag(help: "Ends within half a minute: 1,000 and 10,000, three runs.") var quick = false
  @Flag(help: "One JSON object.") var json = false
  @Option(help: .hidden) var only: String?

  func validate() throws {
    guard (1...100).contains(runs) else { throw ValidationError("--runs is 1 to 100.") }
    guard let parsed, !parsed.isEmpty, parsed.allSatisfy({ (1...4_000_000).contains($0) }) else {
      throw ValidationError("--sizes is numbers of 1 to 4000000, parted by commas.")
    }
    guard Self.numbers(roundTrip ?? "").allSatisfy({ (10...200_000).contains($0 ?? 0) }) else {
      throw ValidationError("--round-trip is numbers of 10 to 200000, parted by commas.")
    }
  }

  private var parsed: [Int]? {
    let parts = Self.numbers(quick ? "1000,10000" : sizes)
    return parts.contains(nil) ? nil : parts.compactMap { $0 }
  }

  private static func numbers(_ text: String) -> [Int?] {
    text.split(separator: ",").map { Int($0.filter { $0 != " " }) }
  }

  func run() async throws {
    if let only {
      print(String(decoding: try JSONEncoder().encode(try MatchMeasure(file: only, runs: runs)), as: UTF8.self))
      return
    }
    let reference = try FlowReference.find(python)
    let folder = FileManager.default.temporaryDirectory.appendingPathComponent(UUID().uuidString)
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    var report = MatchReport(seed: seed, runs: quick ? 3 : runs, hasReference: reference != nil)
    let file = folder.appendingPathComponent("market.jsonl").path
    for size in parsed ?? [] {
      var generator = MarketGenerator(size: size, seed: seed)
      try write(file) { try generator.write($0) }
      report.sizes.append(size)
      report.measures.append(try measure(file, "\(size) x \(size)", size <= referenceUpTo ? reference : nil))
    }
    if let trace {
      let lines = try TraceMarket(folder: trace).lines()
      try write(file) { try $0(Array((lines.joined(separator: "\n") + "\n").utf8)) }
      report.trace = try measure(file, "cluster traces", reference)
    }
    for case let size? in Self.numbers(roundTrip ?? "") {
      report.roundTrips.append(try await RoundTrip(size: size, seed: seed, rounds: quick ? 1 : 3))
    }
    print(try json ? report.json() : report.text)
  }

  private func write(_ file: String, _ body: ((([UInt8]) throws -> Void)) throws -> Void) throws {
    guard FileManager.default.createFile(atPath: file, contents: nil), let output = FileHandle(forWritingAtPath: file)
    else { throw BenchFailure("\(file) cannot be written") }
    try body { try output.write(contentsOf: $0) }
    try output.close()
  }

  /// Ours in a child, then the reference.
  private func measure(_ file: String, _ name: String, _ reference: FlowReference?) throws -> MatchMeasure {
    let runs = quick ? 3 : runs
    let text = try Tools.run(["/proc/self/exe", "match", "--only", file, "--runs", "\(runs)"])
    var measure = try JSONDecoder().decode(MatchMeasure.self, from: Data(text.utf8))
    measure.name = name
    guard measure.certificate == "valid" else {
      throw BenchFailure("\(name): the certificate is \(measure.certificate)")
    }
    guard let reference else { return measure }
    for network in FlowReference.Network.allCases where network == .compact || referenceLists {
      var seen = MatchMeasure.Reference()
      // Its solve of the largest markets takes so long that one is enough.
      for _ in 0..<(measure.requests > 20_000 ? 1 : min(runs, 3)) {
        let result = try reference.solve(file, network)
        guard result.objective == measure.objective else {
          throw BenchFailure("\(name): the reference finds \(result.objective), we find \(measure.objective)")
        }
        seen.milliseconds.append(result.milliseconds)
        (seen.peakMebibytes, seen.arcs, seen.version) = (result.peakMebibytes, result.arcs, result.version)
      }
      measure.reference[network.rawValue] = seen
    }
    return measure
  }
}
