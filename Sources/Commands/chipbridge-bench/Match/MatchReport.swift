import Foundation

/// What `match` measured.
struct MatchReport {
  let seed: UInt64
  let runs: Int
  let hasReference: Bool
  var sizes: [Int] = []
  var measures: [MatchMeasure] = []
  var trace: MatchMeasure?
  var roundTrips: [RoundTrip] = []

  /// Between neighbouring sizes, k where the time grows as the k-th power of the size.
  var growth: [Double] {
    guard sizes.count > 1 else { return [] }
    return (1..<sizes.count).map { later in
      let times = log(max(measures[later].solve, 0.001) / max(measures[later - 1].solve, 0.001))
      return times / log(Double(sizes[later]) / Double(sizes[later - 1]))
    }
  }

  private func row(_ measure: MatchMeasure) -> String {
    let (least, most) = (measure.solveMilliseconds.min() ?? 0, measure.solveMilliseconds.max() ?? 0)
    var text = String(
      format: """
        %@: solve %.2f ms [%.2f..%.2f], read %.0f ms, map %.1f ms, check and pair %.1f ms, peak %d MiB
          %d listings, %d requests, %d classes, %d lists, %d arcs; objective %@, certificate %@, greedy reaches %.2f %%
        """, measure.name, measure.solve, least, most, measure.readMilliseconds, measure.mapMilliseconds,
      measure.checkMilliseconds, measure.peakMebibytes, measure.listings, measure.requests, measure.classes,
      measure.lists,
      measure.arcs, measure.objective, measure.certificate, measure.greedyShare * 100)
    for (network, reference) in measure.reference.sorted(by: { $0.key < $1.key }) {
      text += String(
        format: "\n  OR-Tools %@, %@ network of %d arcs: %.1f ms, %d MiB with Python, the same objective: ratio %.1f",
        reference.version, network, reference.arcs, MatchMeasure.median(reference.milliseconds),
        reference.peakMebibytes,
        measure.ratio(network) ?? 0)
    }
    return text
  }

  var text: String {
    let cores = ProcessInfo.processInfo.activeProcessorCount
    var lines = [
      "chipbridge-bench match: seed \(seed), \(runs) solves of each market, median [least..most]; \(cores) cores, one used"
    ]
    if !hasReference {
      lines.append("No Python with ortools and numpy is found: no ratios. pip install ortools, then --python PATH.")
    }
    lines += measures.map(row)
    if let trace { lines.append(row(trace)) }
    if !growth.isEmpty {
      let powers = growth.map { String(format: "%.2f", $0) }.joined(separator: ", ")
      lines.append("time grows with the size to the power of \(powers)")
    }
    lines += roundTrips.map(\.text)
    return lines.joined(separator: "\n")
  }

  func json() throws -> String {
    struct Whole: Encodable {
      let seed: UInt64
      let runs: Int
      let referenceFound: Bool
      let markets: [MatchMeasure]
      let ratios: [String: [String: Double]]
      let growthExponents: [Double]
      let roundTrips: [RoundTrip]
    }
    let all = measures + (trace.map { [$0] } ?? [])
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    encoder.keyEncodingStrategy = .convertToSnakeCase
    let ratios = all.map { measure in
      (measure.name, measure.reference.keys.reduce(into: [String: Double]()) { $0[$1] = measure.ratio($1) })
    }
    let whole = Whole(
      seed: seed, runs: runs, referenceFound: hasReference, markets: all,
      ratios: Dictionary(ratios, uniquingKeysWith: { first, _ in first }), growthExponents: growth,
      roundTrips: roundTrips)
    return String(decoding: try encoder.encode(whole), as: UTF8.self)
  }
}
