import ArgumentParser
import Catalogue
import Foundation
import Persistence
import Primitives
import Schema

/// Classifies chips of a file under the export rules of a date.
struct Classify: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Classify chips of a CSV file (columns of schema/seed/chip-models.csv) under the rules of a date.")
  @Argument(help: "The CSV file; - reads standard input.") var file: String
  @Option(help: "The date, YYYY-MM-DD.") var on: String
  @Flag(help: "One JSON object a line.") var json = false

  func run() throws {
    guard let date = CalendarDate(on) else { throw ValidationError("--on is a date, YYYY-MM-DD.") }
    let data =
      file == "-" ? FileHandle.standardInput.readDataToEndOfFile() : FileManager.default.contents(atPath: file)
    guard let data else { throw Failure("\(file) cannot be read.") }
    let reference = try ReferenceSQL.parse(
      chipModels: Schema.chipModels, exportRules: Schema.exportRules, countryScope: Schema.countryScope, version: 0)
    let report: ClassifyReport
    do { report = try ClassifyReport(csv: Array(data), rules: reference.rules, on: date) } catch {
      throw Failure("\(file): \(error)")
    }
    for line in report.lines { print(json ? String(decoding: line.json, as: UTF8.self) : line.text) }
  }
}
