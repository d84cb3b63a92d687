import ArgumentParser

/// The command line: what operators and newcomers type.
@main
struct ChipBridge: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "chipbridge",
    abstract: "A marketplace where owners of AI chips lend them, and startups borrow them until a round pays.",
    subcommands: [
      Serve.self, Migrate.self, Seed.self, Keys.self, Story.self, Settle.self, Verify.self, Export.self, Classify.self,
      Match.self, Import.self,
      Calc.self,
    ])

  static func main() async {
    do {
      var command = try parseAsRoot()
      if var command = command as? any AsyncParsableCommand { try await command.run() } else { try command.run() }
    } catch { Usage.exit(error, Self.self) }
  }
}

/// Failures that a person can act on: exit status 1, one sentence.
struct Failure: Error, CustomStringConvertible {
  let description: String

  init(_ description: String) { self.description = description }
}
