import ArgumentParser
import Foundation
import Matching

/// The optimum of a market file, with its proof.
struct MatchSolve: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "solve", abstract: "Find the allocation of a market file with the largest surplus, and prove it.",
    discussion: """
      The file is JSON Lines: chips, then listings, then requests; gzip is recognised by its content. Prints one JSON
      object: objective, bound (what no allocation can exceed), matched_quantity, matched_pairs, solve_ms (after
      reading), and certificate: valid when a check that shares nothing with the solver has proved the optimum, gap
      when the bound was not reached. Where orders have least quantities or limits on lenders the proof is by bounds.
      """)
  @Argument(help: "The market file; - reads standard input.") var file: String
  @Option(help: "Writes who lends how many chips to whom at which rate: one JSON object a line.")
  var allocations: String?
  @Flag(help: "One JSON object, which is also what is printed without this.") var json = false

  func run() throws {
    let market = try MarketInput(file).read()
    let clock = ContinuousClock()
    let began = clock.now
    let flow: MarketFlow
    do { flow = try MarketFlow(market) } catch { throw Failure("\(file): \(error)") }
    let solution: MarketSolution
    let elapsed: Duration
    switch market.kind {
    case .plain:
      let clearing = clear(flow: flow.market)
      elapsed = clock.now - began
      solution = MarketSolution(clearing, flow, market)
    case .side:
      solution = try Self.solveSide(market, flow)
      elapsed = clock.now - began
    }
    if let allocations { try write(solution.allocations, of: market, to: allocations) }
    print(Self.json(solution, elapsed))
    // An answer that its own check refuses is a defect and no success.
    if solution.isInvalid { throw ExitCode.failure }
  }

  /// The answer, in the members of the format and no others. Sums may be wider than 64 bits; their digits are written
  /// out.
  static func json(_ solution: MarketSolution, _ elapsed: Duration) -> String {
    let (seconds, attoseconds) = elapsed.components
    let microseconds = seconds * 1_000_000 + attoseconds / 1_000_000_000_000
    let (whole, rest) = microseconds.quotientAndRemainder(dividingBy: 1_000)
    let certificate = solution.certificate.replacing("\\", with: "\\\\").replacing("\"", with: "\\\"")
    return """
      {"objective":\(solution.objective),"bound":\(solution.bound),"matched_quantity":\(solution.matchedQuantity),\
      "matched_pairs":\(solution.allocations.count),"solve_ms":\(whole).\(String(1_000 + rest).dropFirst()),\
      "certificate":"\(certificate)"}
      """
  }

  private func write(_ allocations: [MarketAllocation], of market: MarketFile, to path: String) throws {
    guard FileManager.default.createFile(atPath: path, contents: nil), let output = FileHandle(forWritingAtPath: path)
    else { throw Failure("\(path) cannot be written.") }
    var buffer: [UInt8] = []
    do {
      for allocation in allocations {
        allocation.write(of: market, to: &buffer)
        if buffer.count >= 1 << 20 {
          try output.write(contentsOf: buffer)
          buffer.removeAll(keepingCapacity: true)
        }
      }
      try output.write(contentsOf: buffer)
      try output.close()
    } catch { throw Failure("\(path) cannot be written: \(error.localizedDescription)") }
  }
}
