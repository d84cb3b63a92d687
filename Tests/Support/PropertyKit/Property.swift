/// A property does not hold: what was seen, in words.
package struct PropertyViolation: Error, Sendable, CustomStringConvertible {
  package let description: String

  package init(_ description: String) { self.description = description }
}

/// A property failed for a seed. The description names the seed, which is all one needs to see it again:
/// `forAll(seeds: 17...17)`.
package struct PropertyFailure: Error, CustomStringConvertible {
  package let seed: UInt64
  /// What the property threw.
  package let cause: any Error
  /// The commands that still fail after shrinking; empty for a property without commands.
  package let commands: [String]

  package var description: String {
    let steps = commands.enumerated().map { "\n  \($0.offset + 1). \($0.element)" }.joined()
    return "seed \(seed): \(cause)\(steps)"
  }
}

/// Holds a condition inside a property.
/// - Throws: `PropertyViolation` with the message when it is false.
package func hold(_ condition: Bool, _ message: @autoclosure () -> String) throws {
  guard condition else { throw PropertyViolation(message()) }
}

/// Runs the property once for each seed.
/// - Throws: `PropertyFailure` naming the first seed for which it throws.
package func forAll(
  seeds: ClosedRange<UInt64> = 1...200, _ property: (inout SplitMix64) throws -> Void
) throws {
  for seed in seeds {
    var random = SplitMix64(seed: seed)
    do { try property(&random) } catch { throw PropertyFailure(seed: seed, cause: error, commands: []) }
  }
}

/// Draws a sequence of commands for each seed and runs it; a sequence that fails is shrunk before it is reported.
///
/// `run` starts from a fresh state each time and throws at the first command after which the law does not hold.
/// - Throws: `PropertyFailure` with the seed, the shrunk commands and what they cause.
package func forAllCommands<Command>(
  seeds: ClosedRange<UInt64> = 1...200, length: ClosedRange<Int> = 1...60,
  draw: (inout SplitMix64) throws -> Command, run: ([Command]) throws -> Void
) throws {
  for seed in seeds {
    var random = SplitMix64(seed: seed)
    var commands: [Command] = []
    for _ in 0..<random.int(in: length) { commands.append(try draw(&random)) }
    guard fault(of: run, on: commands) != nil else { continue }
    let least = shrunk(commands) { fault(of: run, on: $0) != nil }
    let cause = fault(of: run, on: least) ?? PropertyViolation("the shrunk commands no longer fail: run is not pure")
    throw PropertyFailure(seed: seed, cause: cause, commands: least.map { "\($0)" })
  }
}

/// What the commands make `run` throw, nil when it holds.
private func fault<Command>(of run: ([Command]) throws -> Void, on commands: [Command]) -> (any Error)? {
  do {
    try run(commands)
    return nil
  } catch { return error }
}

/// The shortest failing prefix; then single commands are left out, from the last to the first, as long as the rest
/// still fails.
/// - Parameter commands: a sequence that fails.
package func shrunk<Command>(_ commands: [Command], fails: ([Command]) -> Bool) -> [Command] {
  var least = commands
  for length in 0..<commands.count where fails(Array(commands.prefix(length))) {
    least = Array(commands.prefix(length))
    break
  }
  for index in least.indices.reversed() {
    var without = least
    without.remove(at: index)
    if fails(without) { least = without }
  }
  return least
}
