import ArgumentParser
import Foundation
import Primitives

/// Settlement at size, against plain set-based SQL that writes the same rows.
struct SettleBench: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "settle",
    abstract:
      "A day's accrual over many loans, with its ledger lines, against set-based SQL that writes the same rows.",
    discussion: """
      Loans are copies of one that went through the market. A settlement run is planned and done by one worker, then, on
      another day, by two, each with connections and a pipeline of its own, as two processes would. The reference is one
      transaction of set-based statements over twins of the same tables: loans, entries, lines, balances, heads, links; it
      cannot be restarted in the middle, ours can at every shard. Then the round of a startup with a thousand loans of two
      hundred lenders is swept and paid. Without DATABASE_URL a private server is started.
      """)
  @Option(help: "Loans.") var loans = 100_000
  @Option(help: "Rows after which a shard is full.") var shard = 1_000
  @Flag(help: "Ends within half a minute: 20,000 loans.") var quick = false
  @Flag(help: "One JSON object.") var json = false

  func validate() throws {
    guard (1_000...2_000_000).contains(loans), (1...20_000).contains(shard) else {
      throw ValidationError("--loans is 1000 to 2000000, --shard 1 to 20000.")
    }
  }

  func run() async throws {
    let database = try BenchDatabase()
    defer { database.remove() }
    let book = try await LoanBookBench(database, loans: quick ? 20_000 : loans, shard: Int64(shard))
    do {
      var report = SettleReport(
        loans: book.loans, borrowers: book.borrowers, lenders: book.lenders, shard: shard,
        settings: try database.settings())
      report.one = try await book.accrue(workers: 1)
      report.reference.append(try book.reference())
      report.two = try await book.accrue(workers: 2)
      report.reference.append(try book.reference())
      report.sweep = try await book.sweep(loans: 1_000, lenders: 200)
      report.peakMebibytes = MatchMeasure.peakMebibytes
      await book.stop()
      print(json ? try report.json() : report.text)
    } catch {
      await book.stop()
      throw error
    }
  }
}

/// What `settle` measured.
struct SettleReport: Encodable {
  struct Accrual: Encodable {
    var seconds = 0.0
    var shards = 0
    var lines = 0
  }

  struct Sweep: Encodable {
    var loans = 0
    var lenders = 0
    var sweepMilliseconds = 0.0
    var receiptMilliseconds = 0.0
    var allocations = 0
  }

  let loans: Int
  let borrowers: Int
  let lenders: Int
  let shard: Int
  let settings: [String]
  var one = Accrual()
  var two = Accrual()
  /// Seconds of set-based SQL, each beside one of ours.
  var reference: [Double] = []
  var sweep = Sweep()
  /// Of this process, workers and pipelines included.
  var peakMebibytes = 0

  private func ratio(_ accrual: Accrual, _ position: Int) -> Double {
    reference.indices.contains(position) ? reference[position] / max(accrual.seconds, 0.001) : 0
  }

  var text: String {
    let cores = ProcessInfo.processInfo.activeProcessorCount
    func row(_ name: String, _ accrual: Accrual, _ position: Int) -> String {
      String(
        format: "%@: %.2f s, %.0f loans/s, %d lines in %d shards; set-based SQL %.2f s; %.2f of its speed", name,
        accrual.seconds, Double(loans) / max(accrual.seconds, 0.001), accrual.lines, accrual.shards,
        reference.indices.contains(position) ? reference[position] : 0, ratio(accrual, position))
    }
    return """
      chipbridge-bench settle: \(loans) loans of \(borrowers) startups and \(lenders) lenders, shards of \(shard) rows; \
      \(cores) cores shared by workers and server
      server: \(settings.joined(separator: ", "))
      \(row("one worker", one, 0))
      \(row("two workers", two, 1))
      a round over \(sweep.loans) loans of \(sweep.lenders) lenders: swept in \
      \(String(format: "%.0f", sweep.sweepMilliseconds)) ms, its cash allocated in \
      \(String(format: "%.0f", sweep.receiptMilliseconds)) ms over \(sweep.allocations) lines
      peak of this process \(peakMebibytes) MiB
      """
  }

  func json() throws -> String {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    encoder.keyEncodingStrategy = .convertToSnakeCase
    return String(decoding: try encoder.encode(self), as: UTF8.self)
  }
}
