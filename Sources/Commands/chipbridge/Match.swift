import ArgumentParser

/// Matching outside the service: markets in files.
struct Match: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Match markets that stand in files.", subcommands: [MatchSolve.self])
}
