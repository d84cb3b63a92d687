import ArgumentParser
import Catalogue
import StrictCSV
import Foundation
import Interest

/// Interest, schedules, payoffs and yields of a file of cases, by the code that the service computes with.
struct Calc: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Work out a file of finance cases: one JSON object a case, in the order of the file.",
    discussion: """
      daycount reads a CSV file with the columns case_id, convention, start, end; the other kinds read a JSON object
      whose member cases lists them. What a file says of the expected results is not looked at. A case that cannot be
      worked out is named on standard error with the member at fault, the others are printed all the same, and the
      exit status is 1.

      xirr is null where no rate exists: no amounts of both signs, or no rate above -100 % at which they cancel; that
      is remarked on standard error and is no failure. Of several rates it is the one nearest to zero. Amounts are
      discounted to the earliest date, however they are listed.
      """)
  @Argument(help: "One of \(CaseKind.allCases.map(\.rawValue).joined(separator: ", ")).") var kind: CaseKind
  @Argument(help: "The file; - reads standard input.") var file: String
  @Flag(help: "One JSON object a line, which is also what is printed without this.") var json = false

  func run() throws {
    let name = file == "-" ? "standard input" : file
    let data =
      file == "-" ? FileHandle.standardInput.readDataToEndOfFile() : FileManager.default.contents(atPath: file)
    guard let data else { throw Failure("\(file) cannot be read.") }
    let bytes = Array(data)
    var printer = CasePrinter(source: name)
    if kind == .daycount, let first = bytes.first, first != 0x7B, first != 0x5B {
      let table: CSVTable
      do { table = try CSVTable(parsing: bytes) } catch { throw Failure("\(name): \(error)") }
      let missing = table.missing(["case_id", "convention", "start", "end"])
      guard missing.isEmpty else { throw Failure("\(name): lacks the columns \(missing.joined(separator: ", ")).") }
      for row in table.rows { printer.show(Self.dayCount(row)) }
    } else {
      let cases: CaseFile
      do { cases = try CaseFile(parsing: bytes, kind: kind) } catch { throw Failure("\(name): \(error)") }
      for index in 0..<cases.count { printer.show(cases.answer(at: index)) }
    }
    if printer.faults > 0 { throw ExitCode.failure }
  }

  /// A case of day counts is its id with its convention: each id stands once for each.
  private static func dayCount(_ row: CSVTable.Row) -> CaseAnswer {
    let (id, convention) = (row["case_id"] ?? "", row["convention"] ?? "")
    let name = id.isEmpty ? "line \(row.line)" : "\(id) \(convention)"
    do throws(CaseFault) {
      guard !id.isEmpty else { throw CaseFault(field: "case_id", detail: "is required") }
      let known = try DayCountCase(convention: convention, start: row["start"] ?? "", end: row["end"] ?? "")
      return CaseAnswer(name: name, result: .success(CaseLine(try known.answer(id))))
    } catch { return CaseAnswer(name: name, result: .failure(error)) }
  }
}

extension CaseKind: ExpressibleByArgument {}

/// Prints answers to standard output and faults to standard error.
private struct CasePrinter {
  /// The file, for messages.
  let source: String
  private(set) var faults = 0
  private var ledger = CaseLedger()

  init(source: String) { self.source = source }

  mutating func show(_ answer: CaseAnswer) {
    let answer = ledger.admit(answer)
    switch answer.result {
    case .success(let line):
      print(String(decoding: line.bytes, as: UTF8.self))
      if let remark = line.remark { tell("\(answer.name): \(remark)") }
    case .failure(let fault):
      faults += 1
      tell("\(answer.name): \(fault)")
    }
  }

  private func tell(_ words: String) {
    // Lines printed so far go out first: where both streams are one terminal, the order is that of the file.
    fflush(nil)
    FileHandle.standardError.write(Data("\(source): \(words)\n".utf8))
  }
}
