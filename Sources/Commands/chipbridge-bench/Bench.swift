import ArgumentParser

/// Measures the product against stated references, in one run on one machine.
@main
struct Bench: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "chipbridge-bench",
    abstract: "Measure ChipBridge against references measured in the same run; results are ratios.",
    subcommands: [
      Writes.self, HTTPBench.self, MatchBench.self, SettleBench.self, ValuationBench.self, ServeRungs.self,
      ServeBare.self,
    ])
}

/// A failure that a person can act on.
struct BenchFailure: Error, CustomStringConvertible {
  let description: String

  init(_ description: String) { self.description = description }
}
