/// Why a market file is refused: the first thing wrong with it.
package struct MarketFileFault: Error, Sendable, Hashable, CustomStringConvertible {
  /// Counted from 1; nil for what is wrong with the file as a whole.
  package let line: Int?
  /// The member, as a path such as `acceptable[2].max_rate_bps`; nil for the line as a whole.
  package let field: String?
  package let reason: String

  package init(line: Int?, field: String? = nil, _ reason: String) {
    self.line = line
    self.field = field
    self.reason = reason
  }

  package var description: String {
    let place = [line.map { "line \($0)" }, field].compactMap { $0 }.joined(separator: ", ")
    return place.isEmpty ? reason : "\(place): \(reason)"
  }
}
