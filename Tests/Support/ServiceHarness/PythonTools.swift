import Foundation
import PostgresHarness
import Synchronization

/// Programs of others that judge ours: each in an environment of its own, of the versions that are named, kept for the life
/// of this process. Where they cannot be had the test fails: what nobody judged has not passed.
package enum PythonTools {
  private static let made = Mutex<[[String]: String]>([:])

  /// - Returns: the folder of an environment that has the packages; its programs are in `bin`.
  /// - Throws: `HarnessError` where Python with venv, or its package index, is not there.
  package static func folder(with packages: [String]) throws -> String {
    try made.withLock { made in
      if let folder = made[packages] { return folder }
      let folder = FileManager.default.temporaryDirectory.appending(path: "chipbridge-\(getpid())-\(made.count)").path
      for arguments in [
        ["python3", "-m", "venv", folder],
        ["\(folder)/bin/pip", "install", "--quiet", "--disable-pip-version-check"] + packages,
      ] {
        let (status, output) = try run(arguments)
        guard status == 0 else {
          throw HarnessError("\(arguments) failed, Python 3 with venv and its package index are needed: \(output)")
        }
      }
      if made.isEmpty { atexit { PythonTools.removeAll() } }
      made[packages] = folder
      return folder
    }
  }

  private static func removeAll() {
    for folder in made.withLock({ Array($0.values) }) { try? FileManager.default.removeItem(atPath: folder) }
  }

  /// Runs a program to its end.
  /// - Returns: its status, and what it wrote to both outputs.
  package static func run(
    _ arguments: [String], input: String = "", environment: [String: String] = [:]
  ) throws -> (status: Int32, output: String) {
    let process = Process()
    let (stdin, output) = (Pipe(), Pipe())
    process.executableURL = URL(filePath: "/usr/bin/env")
    process.arguments = arguments
    process.environment = ProcessInfo.processInfo.environment.merging(environment) { $1 }
    process.standardInput = stdin
    process.standardOutput = output
    process.standardError = output
    try process.run()
    stdin.fileHandleForWriting.write(Data(input.utf8))
    try stdin.fileHandleForWriting.close()
    let text = String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
    process.waitUntilExit()
    return (process.terminationStatus, text)
  }
}
