import Foundation
import Matching

/// What one market file costs and yields. Taken in a process of its own, so that the peak of its memory is its own.
struct MatchMeasure: Codable {
  var name = ""
  var listings = 0
  var requests = 0
  var classes = 0
  var lists = 0
  /// Arcs from classes to requests: what the market would have without lists.
  var arcs = 0
  var readMilliseconds = 0.0
  /// From rows to the flow problem.
  var mapMilliseconds = 0.0
  /// The solve alone, each run.
  var solveMilliseconds: [Double] = []
  var checkMilliseconds = 0.0
  /// Of the whole process: file, problem, solve and check.
  var peakMebibytes = 0
  /// Digits: may be wider than what JSON readers keep.
  var objective = ""
  var certificate = ""
  var greedyShare = 0.0
  var reference: [String: Reference] = [:]

  struct Reference: Codable {
    var milliseconds: [Double] = []
    var peakMebibytes = 0
    var arcs = 0
    var version = ""
  }

  static func median(_ values: [Double]) -> Double {
    let sorted = values.sorted()
    return sorted.isEmpty ? 0 : (sorted[(sorted.count - 1) / 2] + sorted[sorted.count / 2]) / 2
  }

  var solve: Double { Self.median(solveMilliseconds) }

  /// How many times as long the reference takes.
  func ratio(_ network: String) -> Double? {
    reference[network].map { Self.median($0.milliseconds) / max(solve, 0.001) }
  }

  /// Measures a file in this process.
  init(file: String, runs: Int) throws {
    let clock = ContinuousClock()
    func timed<Value>(_ body: () throws -> Value) rethrows -> (Value, Double) {
      let began = clock.now
      let value = try body()
      let (seconds, attoseconds) = (clock.now - began).components
      return (value, Double(seconds) * 1_000 + Double(attoseconds) / 1e15)
    }
    let (market, reading) = try timed { try Self.read(file) }
    let (flow, mapping) = try timed { try MarketFlow(market) }
    (readMilliseconds, mapMilliseconds) = (reading, mapping)
    (listings, requests, classes) = (market.listings.count, market.requests.count, flow.classes.count)
    (lists, arcs) = (flow.market.listCount, flow.arcCount)
    var objectives: Set<Int128> = []
    for run in 0..<runs {
      let (clearing, solving) = timed { clear(flow: flow.market) }
      solveMilliseconds.append(solving)
      objectives.insert(clearing.objective)
      guard run == 0 else { continue }
      let (solution, checking) = timed { MarketSolution(clearing, flow, market) }
      (objective, certificate, checkMilliseconds) = ("\(solution.objective)", solution.certificate, checking)
      // Before greedy, which is no part of the product.
      peakMebibytes = Self.peakMebibytes
    }
    guard objectives.count == 1 else { throw BenchFailure("runs on one market differ: \(objectives)") }
    var greedy = Greedy(flow.market)
    greedyShare = Double(greedy.objective()) / max(Double(objective) ?? 0, 1)
  }

  private static func read(_ file: String) throws -> MarketFile {
    guard let handle = FileHandle(forReadingAtPath: file) else { throw BenchFailure("\(file) cannot be read") }
    var reader = MarketFileReader()
    do {
      while let piece = try handle.read(upToCount: 1 << 20), !piece.isEmpty { try reader.read(Array(piece)) }
      return try reader.finish()
    } catch { throw BenchFailure("\(file): \(error)") }
  }

  /// The most memory this process has ever held.
  static var peakMebibytes: Int {
    let status = (try? String(contentsOfFile: "/proc/self/status", encoding: .utf8)) ?? ""
    let line = status.split(separator: "\n").first { $0.hasPrefix("VmHWM") } ?? ""
    return (line.split(whereSeparator: { !$0.isNumber }).first.flatMap { Int($0) } ?? 0) / 1_024
  }
}
