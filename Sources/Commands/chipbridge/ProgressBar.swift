import Foundation
import Glibc
import Persistence
import Primitives
import StrictJSON

/// How far a run is, on one line of standard error that is written over.
struct ProgressBar {
  private let began = ContinuousClock.now
  private var isShown = false
  private static let width = 24

  /// A bar where standard error is a terminal; nil where it is a file or a pipe.
  static func ifTerminal() -> ProgressBar? { isatty(2) == 1 ? ProgressBar() : nil }

  mutating func show(_ run: SettlementRun) {
    isShown = true
    FileHandle.standardError.write(Data("\r\u{1B}[K\(Self.line(run, elapsed: ContinuousClock.now - began))".utf8))
  }

  mutating func show(_ line: String) {
    isShown = true
    FileHandle.standardError.write(Data("\r\u{1B}[K\(line)".utf8))
  }

  mutating func clear() {
    if isShown { FileHandle.standardError.write(Data("\r\u{1B}[K".utf8)) }
    isShown = false
  }

  /// `accrual 2023-11-30 [######..................] 256 of 1,000 parts, 12,345 loans/s, 0:12 left`
  static func line(_ run: SettlementRun, elapsed: Duration) -> String {
    let head = "\(run.job) \(run.businessDate)"
    guard run.state == .running, run.isPlanned, run.total > 0 else { return "\(head) \(run.state.rawValue)" }
    let ended = min(run.done + run.dead, run.total)
    let filled = Int(Int64(width) * ended / run.total)
    var text = "\(head) [\(String(repeating: "#", count: filled))\(String(repeating: ".", count: width - filled))] "
    text += "\(grouped(ended)) of \(grouped(run.total)) parts"
    let milliseconds = max(
      1, elapsed.components.seconds * 1_000 + elapsed.components.attoseconds / 1_000_000_000_000_000)
    if let loans = (try? JSONDocument(parsing: run.totals).root)?["loans"]?.asInteger, loans > 0 {
      text += ", \(grouped(loans * 1_000 / milliseconds)) loans/s"
    }
    if ended > 0 {
      let left = milliseconds * (run.total - ended) / ended / 1_000
      let seconds = left % 60
      text += ", \(left / 60):\(seconds < 10 ? "0" : "")\(seconds) left"
    }
    return text
  }
}
