import Foundation

/// The real program, which knows nothing of ours.
package struct Hledger {
  /// What it printed, and how it ended.
  package struct Answer {
    package let status: Int32
    package let output: String
    package let error: String
  }

  /// A test without it would hold nothing, so it fails.
  package struct NotInstalled: Error, CustomStringConvertible {
    package let description = "hledger is not installed: apt-get install hledger, or run deploy/test, which does"
  }

  private static let checks = ["accounts", "commodities", "ordereddates", "parseable"]
  private let program: URL
  private let file: URL

  /// Writes the journal to a file of its own; `remove` removes it.
  package init(journal: String) throws {
    let folders = (ProcessInfo.processInfo.environment["PATH"] ?? "").split(separator: ":") + ["/usr/bin"]
    let programs = folders.map { URL(filePath: "\($0)/hledger") }
    guard let found = programs.first(where: { FileManager.default.isExecutableFile(atPath: $0.path) }) else {
      throw NotInstalled()
    }
    program = found
    file = FileManager.default.temporaryDirectory.appending(path: "chipbridge-\(UUID().uuidString).journal")
    try Data(journal.utf8).write(to: file)
  }

  package func remove() { try? FileManager.default.removeItem(at: file) }

  package func run(_ arguments: [String]) throws -> Answer {
    let process = Process()
    let (output, error) = (Pipe(), Pipe())
    process.executableURL = program
    process.arguments = arguments + ["--file", file.path]
    // A locale with UTF-8: without one the program reads the file as ASCII and refuses names.
    process.environment = ["LANG": "C.UTF-8", "LC_ALL": "C.UTF-8"]
    process.standardOutput = output
    process.standardError = error
    try process.run()
    let text = String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
    let faults = String(decoding: error.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
    process.waitUntilExit()
    return Answer(status: process.terminationStatus, output: text, error: faults)
  }

  /// Every check, strictly, and that each transaction balances without conversion: later versions of the program call that
  /// by a shorter name.
  package func check() throws -> Answer {
    let answer = try run(["check", "--strict"] + Self.checks + ["balancednoautoconversion"])
    return answer.status == 0 ? answer : try run(["check", "--strict"] + Self.checks + ["balanced"])
  }

  /// Balances by account and commodity, as decimals in the program's own spelling; zero ones left out.
  package func balances() throws -> [String: String] {
    let answer = try run(["balance", "--flat", "--no-total", "--layout", "bare", "--output-format", "csv"])
    guard answer.status == 0 else { return ["": answer.error] }
    var balances: [String: String] = [:]
    for line in answer.output.split(separator: "\n").dropFirst() {
      // "account","commodity","balance": our names have no quotes and no commas.
      let fields = line.split(separator: ",").map { $0.filter { $0 != "\"" } }
      if fields.count == 3 { balances["\(fields[0]) \(fields[1])"] = fields[2] } else { balances[String(line)] = "" }
    }
    return balances
  }

  /// Balances by the chart's code (`custody.available`) and asset, over all books, in minor units; zero ones left out.
  package func balancesByCode() throws -> [String: String] {
    var sums: [String: Int] = [:]
    for (name, amount) in try balances() {
      // The book is the last part of the account, and the commodity follows the last space.
      let asset = name.split(separator: " ").last.map(String.init) ?? ""
      let code = name.dropLast(asset.count + 1).split(separator: ":").dropLast().joined(separator: ".")
      sums["\(code) \(asset)", default: 0] += Int(amount.filter { $0 != "." }) ?? 0
    }
    return sums.filter { $0.value != 0 }.mapValues(String.init)
  }
}
