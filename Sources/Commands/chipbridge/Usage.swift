import ArgumentParser
import Foundation

/// How the process ends when a command does not run to its end.
enum Usage {
  /// Exit status 2 for a wrong command line, where the parser's own would be 64.
  static func exit<Command: ParsableCommand>(_ error: any Error, _ command: Command.Type) -> Never {
    guard command.exitCode(for: error) == .validationFailure else { command.exit(withError: error) }
    FileHandle.standardError.write(Data((command.fullMessage(for: error) + "\n").utf8))
    Foundation.exit(2)
  }
}
